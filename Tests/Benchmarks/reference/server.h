// What the reference servers share: a listening socket, and pending bytes.
#ifndef REFERENCE_SERVER_H
#define REFERENCE_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

/// The size of a read.
#define READ_SIZE (64 * 1024)

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

/// Raises the soft limit of descriptors to the hard one.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
}

/// Listens on a port of the system's choice on 127.0.0.1 and prints "listening on PORT"; or on a Unix socket, and prints
/// its path.
static inline int listen_and_tell(const char *path) {
    raise_descriptor_limit();
    int listener = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) die("socket");
    if (path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof address.sun_path) {
            fprintf(stderr, "%s: too long for a Unix socket\n", path);
            exit(1);
        }
        strcpy(address.sun_path, path);
        unlink(path);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    } else {
        int one = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    }
    if (listen(listener, 4096) != 0) die("listen");
    if (path) {
        printf("listening on %s\n", path);
    } else {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) die("getsockname");
        printf("listening on %d\n", ntohs(address.sin_port));
    }
    fflush(stdout);
    return listener;
}

/// The next connection, non-blocking and with TCP_NODELAY; -1 if there is none now.
static inline int accept_next(int listener) {
    for (;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            int one = 1;
            setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            return descriptor;
        }
        if (errno == EAGAIN) return -1;
        if (errno == EINTR || errno == ECONNABORTED) continue;
        die("accept");
    }
}

static inline void watch(int epoll, int operation, int descriptor, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll, operation, descriptor, &event) != 0) die("epoll_ctl");
}

/// Bytes that a socket did not accept.
struct pending {
    uint8_t *bytes;
    size_t start, end, capacity;
};

static inline void pending_append(struct pending *pending, const void *bytes, size_t count) {
    if (pending->end + count > pending->capacity) {
        pending->capacity = 2 * (pending->end + count);
        pending->bytes = realloc(pending->bytes, pending->capacity);
        if (!pending->bytes) die("realloc");
    }
    memcpy(pending->bytes + pending->end, bytes, count);
    pending->end += count;
}

static inline void pending_free(struct pending *pending) {
    free(pending->bytes);
    *pending = (struct pending){0};
}

/// Sends what the socket accepts now. False when the connection is gone.
static inline int pending_flush(struct pending *pending, int descriptor) {
    while (pending->start < pending->end) {
        ssize_t count =
            send(descriptor, pending->bytes + pending->start, pending->end - pending->start, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        pending->start += count;
    }
    pending_free(pending);
    return 1;
}

/// Sends `bytes` after what is pending, and keeps what the socket does not accept. False when the connection is gone.
static inline int send_or_keep(int descriptor, struct pending *pending, const uint8_t *bytes, size_t count) {
    if (!pending->bytes) {
        ssize_t sent = send(descriptor, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return 0;
        if (sent > 0) {
            bytes += sent;
            count -= sent;
        }
    }
    if (count > 0) pending_append(pending, bytes, count);
    return 1;
}

#endif
