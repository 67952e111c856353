#define _GNU_SOURCE  // here, in a file of our own, where no other module sees it
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

ssize_t gateway_receive(int socket, void *buffer, size_t count) {
    return syscall(SYS_recvfrom, socket, buffer, count, 0, NULL, NULL);
}

ssize_t gateway_send(int socket, const void *bytes, size_t count) {
    return syscall(SYS_sendto, socket, bytes, count, MSG_NOSIGNAL, NULL, 0);
}

int gateway_epoll_wait(int epoll, struct gateway_event *events, int capacity, int milliseconds) {
    // epoll_pwait with no signal mask is epoll_wait, which not every architecture has.
    return (int)syscall(SYS_epoll_pwait, epoll, events, capacity, milliseconds, NULL, 0);
}

int gateway_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

uint64_t gateway_random(void) {
    // getrandom(2) gives up to 256 bytes whole, once the system has started.
    static _Thread_local uint64_t words[32];
    static _Thread_local int left;
    if (left == 0) {
        ssize_t count;
        do count = getrandom(words, sizeof words, 0);
        while (count < 0 && errno == EINTR);
        if (count != sizeof words) abort();  // without it no session can be opened safely
        left = 32;
    }
    left -= 1;
    uint64_t word = words[left];
    words[left] = 0;
    return word;
}

void gateway_name_this_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int gateway_join_thread(pthread_t thread, int64_t milliseconds) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec += 1;
        end.tv_nsec -= 1000000000;
    }
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &end);
}

int gateway_timer_create(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int gateway_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec time = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL);
}
