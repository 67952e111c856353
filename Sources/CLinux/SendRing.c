#define _GNU_SOURCE
#include "SendRing.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The flags below came with Linux 5.18, 6.0 and 6.1; older headers do not name them.
enum {
    SETUP_SUBMIT_ALL = 1 << 7,      // an entry that is refused does not hold up those behind it
    SETUP_SINGLE_ISSUER = 1 << 12,  // one thread submits: the kernel needs no lock
    SETUP_DEFER_TASKRUN = 1 << 13,  // the kernel interrupts that thread for nothing
};

struct gateway_send_ring {
    int descriptor;
    unsigned added;
    // What is shared with the kernel (io_uring_setup(2)): it moves the head of the submissions and the tail of the completions.
    struct io_uring_sqe *entries;
    const struct io_uring_cqe *completions;
    unsigned *submission_tail;
    unsigned *completion_head;
    const unsigned *completion_tail;
    unsigned submission_mask;
    unsigned completion_mask;
    void *rings;
    size_t rings_size;
    size_t entries_size;
};

static size_t larger(size_t left, size_t right) { return left > right ? left : right; }

/// False if the memory cannot be shared.
static int map(struct gateway_send_ring *ring, const struct io_uring_params *parameters) {
    const struct io_sqring_offsets *submissions = &parameters->sq_off;
    const struct io_cqring_offsets *completions = &parameters->cq_off;
    // Both rings are one mapping since Linux 5.4.
    ring->rings_size = larger(
        submissions->array + parameters->sq_entries * sizeof(unsigned),
        completions->cqes + parameters->cq_entries * sizeof(struct io_uring_cqe));
    ring->entries_size = parameters->sq_entries * sizeof(struct io_uring_sqe);
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
    ring->rings = mmap(NULL, ring->rings_size, protection, flags, ring->descriptor, IORING_OFF_SQ_RING);
    if (ring->rings == MAP_FAILED) return 0;
    ring->entries = mmap(NULL, ring->entries_size, protection, flags, ring->descriptor, IORING_OFF_SQES);
    if (ring->entries == MAP_FAILED) {
        munmap(ring->rings, ring->rings_size);
        return 0;
    }
    char *rings = ring->rings;
    ring->submission_tail = (unsigned *)(rings + submissions->tail);
    ring->submission_mask = *(unsigned *)(rings + submissions->ring_mask);
    ring->completion_head = (unsigned *)(rings + completions->head);
    ring->completion_tail = (unsigned *)(rings + completions->tail);
    ring->completion_mask = *(unsigned *)(rings + completions->ring_mask);
    ring->completions = (struct io_uring_cqe *)(rings + completions->cqes);
    // The indirection from places to entries is of no use here: entries are used in order.
    unsigned *order = (unsigned *)(rings + submissions->array);
    for (unsigned place = 0; place < parameters->sq_entries; place++) order[place] = place;
    return 1;
}

struct gateway_send_ring *gateway_send_ring_open(unsigned capacity) {
    struct gateway_send_ring *ring = calloc(1, sizeof *ring);
    if (!ring) return NULL;
    struct io_uring_params parameters = {.flags = SETUP_SUBMIT_ALL | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN};
    ring->descriptor = (int)syscall(SYS_io_uring_setup, capacity, &parameters);
    if (ring->descriptor >= 0 && map(ring, &parameters)) return ring;
    const int reason = errno;
    if (ring->descriptor >= 0) close(ring->descriptor);
    free(ring);
    errno = reason;
    return NULL;
}

void gateway_send_ring_close(struct gateway_send_ring *ring) {
    munmap(ring->entries, ring->entries_size);
    munmap(ring->rings, ring->rings_size);
    close(ring->descriptor);
    free(ring);
}

void gateway_send_ring_add(struct gateway_send_ring *ring, int socket, const void *bytes, uint32_t count) {
    struct io_uring_sqe *entry = &ring->entries[(*ring->submission_tail + ring->added) & ring->submission_mask];
    memset(entry, 0, sizeof *entry);
    entry->opcode = IORING_OP_SEND;
    entry->fd = socket;
    entry->addr = (uintptr_t)bytes;
    entry->len = count;
    entry->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    entry->user_data = ring->added++;
}

/// Takes out what is complete. Returns how many were.
static unsigned reap(struct gateway_send_ring *ring, int32_t *results) {
    const unsigned first = *ring->completion_head;
    const unsigned end = __atomic_load_n(ring->completion_tail, __ATOMIC_ACQUIRE);
    for (unsigned head = first; head != end; head++) {
        const struct io_uring_cqe *completion = &ring->completions[head & ring->completion_mask];
        const int waits = completion->res == -EAGAIN || completion->res == -EINTR;
        results[completion->user_data] = waits ? 0 : completion->res;
    }
    __atomic_store_n(ring->completion_head, end, __ATOMIC_RELEASE);
    return end - first;
}

int gateway_send_ring_submit(struct gateway_send_ring *ring, int32_t *results) {
    const unsigned count = ring->added;
    unsigned submitted = 0, completed = 0;
    ring->added = 0;
    for (unsigned index = 0; index < count; index++) results[index] = 0;
    __atomic_store_n(ring->submission_tail, *ring->submission_tail + count, __ATOMIC_RELEASE);
    while (completed < count) {
        // What does not wait is complete when it is submitted, so this waits for nothing. The kernel may take a part only, if it
        // is short of memory.
        const long taken = syscall(
            SYS_io_uring_enter, ring->descriptor, count - submitted, count - completed, IORING_ENTER_GETEVENTS, NULL, 0);
        const int reason = errno;
        if (taken > 0) submitted += (unsigned)taken;
        completed += reap(ring, results);
        if (taken >= 0 || reason == EINTR) continue;
        // What was not submitted was not tried. What was has not come to an end, and never will.
        for (unsigned index = completed; index < submitted; index++) results[index] = -EIO;
        errno = reason;
        return -1;
    }
    return 0;
}
