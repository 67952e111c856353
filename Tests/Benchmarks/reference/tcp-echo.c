// The TCP server behind a measured bridge: sends everything back.
//
//   cc -O2 -o tcp-echo tcp-echo.c
//   ./tcp-echo      prints "listening on PORT", runs until it is killed
#define _GNU_SOURCE
#include "server.h"

struct connection {
    int descriptor;
    struct pending output;
};

static int epoll;
static uint8_t memory[READ_SIZE];

/// False when the connection is over.
static int serve(struct connection *connection) {
    if (connection->output.bytes) {
        if (!pending_flush(&connection->output, connection->descriptor)) return 0;
        if (!connection->output.bytes) watch(epoll, EPOLL_CTL_MOD, connection->descriptor, EPOLLIN, connection);
        return 1;
    }
    ssize_t count = recv(connection->descriptor, memory, sizeof memory, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    if (!send_or_keep(connection->descriptor, &connection->output, memory, (size_t)count)) return 0;
    // While the socket is full nothing is read.
    if (connection->output.bytes) watch(epoll, EPOLL_CTL_MOD, connection->descriptor, EPOLLOUT, connection);
    return 1;
}

int main(void) {
    int listener = listen_and_tell(NULL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection) {
                if (serve(connection)) continue;
                close(connection->descriptor);
                pending_free(&connection->output);
                free(connection);
                continue;
            }
            for (int descriptor; (descriptor = accept_next(listener)) >= 0;) {
                connection = calloc(1, sizeof *connection);
                if (!connection) die("calloc");
                connection->descriptor = descriptor;
                watch(epoll, EPOLL_CTL_ADD, descriptor, EPOLLIN, connection);
            }
        }
    }
}
