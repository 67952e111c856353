#define _GNU_SOURCE  // here, in a file of our own, where no other module sees it
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
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

// Room for the descriptors of one message, aligned as the system wants it (cmsg(3)).
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(GATEWAY_MOST_DESCRIPTORS * sizeof(int))];
};

ssize_t gateway_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors,
                                 size_t descriptor_count) {
    union control control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > GATEWAY_MOST_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    if (descriptor_count > 0) {
        size_t size = descriptor_count * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(rights), descriptors, size);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t gateway_receive_descriptors(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count) {
    union control control;
    size_t capacity = *descriptor_count;
    *descriptor_count = 0;
    if (capacity > GATEWAY_MOST_DESCRIPTORS) {
        errno = EINVAL;
        return -1;
    }
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    // CMSG_LEN, not CMSG_SPACE: the padding of the latter would have room for a descriptor more.
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(capacity * sizeof(int))};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return -1;
    size_t came = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors + came, CMSG_DATA(header), here * sizeof(int));
        came += here;
    }
    if (message.msg_flags & MSG_CTRUNC) {
        for (size_t index = 0; index < came; index++) close(descriptors[index]);
        errno = EMSGSIZE;
        return -1;
    }
    *descriptor_count = came;
    return received;
}

int gateway_peer(int socket, int32_t *process, uint32_t *user) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *process = peer.pid;
    *user = peer.uid;
    return 0;
}

int gateway_memory_file(const void *bytes, size_t count) {
    int file = memfd_create("gateway", MFD_CLOEXEC);
    if (file < 0) return -1;
    for (size_t written = 0; written < count;) {
        ssize_t some = write(file, (const char *)bytes + written, count - written);
        if (some < 0 && errno == EINTR) continue;
        if (some <= 0) {
            int error = some < 0 ? errno : EIO;
            close(file);
            errno = error;
            return -1;
        }
        written += (size_t)some;
    }
    lseek(file, 0, SEEK_SET);
    return file;
}

int gateway_start(const char *program, char *const *arguments, int input, int32_t *process) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0) return error;
    error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        posix_spawnattr_destroy(&attributes);
        return error;
    }
    if (input >= 0) posix_spawn_file_actions_adddup2(&actions, input, 0);
    // What a thread blocks and a process ignores would go on in the new program.
    sigset_t none, changed;
    sigemptyset(&none);
    sigemptyset(&changed);
    sigaddset(&changed, SIGPIPE);
    sigaddset(&changed, SIGXFSZ);
    sigaddset(&changed, SIGCHLD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &changed);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // Whoever started us may have ignored it; then nobody could be told how the process ended.
    signal(SIGCHLD, SIG_DFL);
    pid_t started = -1;
    error = posix_spawn(&started, program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    *process = started;
    return error;
}

int gateway_open_folder(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

static int open_below(int folder, const char *path, uint64_t more) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | more,
    };
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

int gateway_open_below(int folder, const char *path) { return open_below(folder, path, 0); }

int gateway_open_cached(int folder, const char *path) {
    return open_below(folder, path, RESOLVE_CACHED | RESOLVE_NO_XDEV);
}

ssize_t gateway_read_cached(int file, void *buffer, size_t count, off_t offset) {
    struct iovec piece = {buffer, count};
    return preadv2(file, &piece, 1, offset, RWF_NOWAIT);
}

enum gateway_cached_files gateway_cached_files(int folder) {
    struct statfs system;
    if (fstatfs(folder, &system) != 0) return gateway_cached_none;
    switch (system.f_type) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC: break;
    default: return gateway_cached_none;
    }
    if (system.f_flags & (ST_RDONLY | ST_NOATIME)) return gateway_cached_unmarked;
    return system.f_flags & ST_RELATIME ? gateway_cached_marked : gateway_cached_none;
}

int gateway_reap(int32_t process, int32_t *status, int32_t *signal) {
    int end = 0;
    pid_t ended;
    do ended = waitpid(process, &end, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended <= 0) return (int)ended;
    *status = WIFEXITED(end) ? WEXITSTATUS(end) : -1;
    *signal = WIFSIGNALED(end) ? WTERMSIG(end) : 0;
    return 1;
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

int gateway_make_this_thread_nicer(int by) {
    id_t thread = (id_t)gettid();
    return setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + by);
}

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

void gateway_return_memory(void) { malloc_trim(0); }

int gateway_timer_create(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

int gateway_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec time = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL);
}
