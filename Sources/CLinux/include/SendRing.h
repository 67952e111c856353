// Many sends with one system call: io_uring(7), as little of it as that takes.
#ifndef GATEWAY_SEND_RING_H
#define GATEWAY_SEND_RING_H

#include <stdint.h>

/// One thread's ring. Only the thread that opened it may use it.
struct gateway_send_ring;

/// A ring for up to `capacity` sends at once, a power of two. NULL with errno where the system has none for us: a kernel before
/// Linux 6.1 (EINVAL) or without io_uring (ENOSYS), or one on which it is not allowed (EPERM).
struct gateway_send_ring *gateway_send_ring_open(unsigned capacity);

void gateway_send_ring_close(struct gateway_send_ring *ring);

/// Adds a send to those of the next submission, as send(2) with MSG_DONTWAIT and without SIGPIPE. At most `capacity` of them;
/// `bytes` have to stay until then.
void gateway_send_ring_add(struct gateway_send_ring *ring, int socket, const void *bytes, uint32_t count);

/// Sends what was added, in that order, and waits for none of it. Then `results` has, for each, how many bytes were taken, or an error
/// number, negative; 0 is one that was not tried, or that would block. 0, or -1 with errno if the ring does not work (any more).
int gateway_send_ring_submit(struct gateway_send_ring *ring, int32_t *results);

#endif
