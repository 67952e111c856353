// What Swift's Glibc module leaves out. No feature macros here: this header is imported beside other C modules, and a
// second opinion on _GNU_SOURCE breaks theirs; plain prototypes do the same.
#ifndef GATEWAY_CLINUX_H
#define GATEWAY_CLINUX_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "SendRing.h"

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

/// A `struct epoll_event` whose data is a plain number: Swift takes the system's union for unsafe storage.
struct gateway_event {
    uint32_t events;
    uint64_t data;
}
#ifdef __x86_64__
__attribute__((packed))  // as the system's is on this architecture (epoll_ctl(2))
#endif
;

_Static_assert(sizeof(struct gateway_event) == sizeof(struct epoll_event), "the same layout");

static inline int gateway_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

// The calls that are made for every message go to the kernel as they are: libc's are points at which a thread can be cancelled,
// which takes two atomic operations a call, and nobody cancels a thread of ours. As libc's they return -1 with errno.

/// recv(2).
ssize_t gateway_receive(int socket, void *buffer, size_t count);

/// send(2), without SIGPIPE.
ssize_t gateway_send(int socket, const void *bytes, size_t count);

/// epoll_wait(2).
int gateway_epoll_wait(int epoll, struct gateway_event *events, int capacity, int milliseconds);

/// sendmsg(2) of bytes with descriptors (SCM_RIGHTS), without SIGPIPE. `descriptor_count` is at most
/// GATEWAY_MOST_DESCRIPTORS.
ssize_t gateway_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors,
                                 size_t descriptor_count);

/// recvmsg(2) of bytes with descriptors, which are set to be closed by exec(3).
///
/// `*descriptor_count` is how many fit, at most GATEWAY_MOST_DESCRIPTORS, and then how many came. When more came than fit, or
/// than this process may have, those that did are closed and the call fails with EMSGSIZE: no one of them is left to nobody.
ssize_t gateway_receive_descriptors(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count);

/// The most descriptors that one message carries (SCM_MAX_FD of the kernel, unix(7)).
#define GATEWAY_MOST_DESCRIPTORS 253

/// Which process and user connected a Unix socket, or called listen(2) on its other side (SO_PEERCRED); -1 with errno.
int gateway_peer(int socket, int32_t *process, uint32_t *user);

/// Starts a program with our environment, our standard output and error, `input` as its standard input (-1: ours), and signals as they are
/// by default. It is to be reaped when it ends (`gateway_reap`). 0, or an error number.
int gateway_start(const char *program, char *const *arguments, int input, int32_t *process);

/// A file in memory, without a name, that has these bytes and is read from its beginning; -1 with errno.
int gateway_memory_file(const void *bytes, size_t count);

/// Opens a folder for nothing but `gateway_open_below`; -1 with errno.
int gateway_open_folder(const char *path);

/// Opens a file for reading, without waiting for it, at a path that leads nowhere but below a folder: links that lead out, and absolute
/// ones, are EXDEV (openat2(2)). -1 with errno.
int gateway_open_below(int folder, const char *path);

/// The same, without the disk and on the folder's own file system; -1 with EAGAIN if the path is not cached, EXDEV if it leads to another one.
int gateway_open_cached(int folder, const char *path);

/// Reads from `offset` on what is in the page cache; -1 with EAGAIN if the first byte is not, EOPNOTSUPP if the file system cannot tell.
ssize_t gateway_read_cached(int file, void *buffer, size_t count, off_t offset);

/// What `gateway_open_cached` and `gateway_read_cached` are good for below a folder.
enum gateway_cached_files {
    /// They may wait: a file system asks a server or a program to open a file, or is not known.
    gateway_cached_none,
    /// They do not wait, but for a read that the file system has to note in the file's access time ("relatime").
    gateway_cached_marked,
    /// They do not wait: reads are not noted.
    gateway_cached_unmarked,
};

/// Asks the folder's file system.
enum gateway_cached_files gateway_cached_files(int folder);

/// Reaps a process that we started, without waiting. 1: it has ended, with `*status`, or with -1 by `*signal`; 0: it runs; -1 with errno.
int gateway_reap(int32_t process, int32_t *status, int32_t *signal);

/// How many processors this process may run on; at least 1.
int gateway_processor_count(void);

/// 64 bits that nobody can guess, from the system's generator. It is asked for many at a time, for each thread by itself; what was
/// given out is not kept. Never after fork(2), which would have two processes give out the same.
uint64_t gateway_random(void);

/// As `top -H` shows it; at most 15 bytes.
void gateway_name_this_thread(const char *name);

/// Gives the calling thread a smaller share of the processors than the others (sched(7): on Linux each thread has a nice value of its own). 0,
/// or -1 with errno.
int gateway_make_this_thread_nicer(int by);

/// Waits for a thread to end, at most that long. 0, or an error number.
int gateway_join_thread(pthread_t thread, int64_t milliseconds);

/// A timer descriptor on the monotonic clock, which becomes readable at the time it is set to; -1 with errno. For what needs
/// more than the milliseconds of epoll_wait(2).
int gateway_timer_create(void);

/// Sets it to one moment; an earlier one, and that it was readable, is forgotten. 0, or -1 with errno.
int gateway_timer_set(int timer, int64_t nanoseconds);

/// Gives the system back what free(3) left unused in the allocator's hands (malloc_trim(3)). Takes each of its arenas for itself
/// meanwhile.
void gateway_return_memory(void);

/// Binds a socket to a local address without choosing the port yet (ip(7)); not every libc header names it.
#define GATEWAY_IP_BIND_ADDRESS_NO_PORT 24

/// Bounds what the kernel has of a TCP connection's bytes and cannot send yet (tcp(7)); not every libc header names it.
#define GATEWAY_TCP_NOTSENT_LOWAT 25

/// How many bytes of a TCP connection were not acknowledged (SIOCOUTQ, tcp(7)); -1 with errno.
int gateway_unacknowledged(int socket);

/// How many bytes of a TCP connection were acknowledged in all (TCP_INFO, tcp(7)); 0 where the kernel does not say.
uint64_t gateway_acknowledged(int socket);

#endif
