// The least that any proxy can cost: passes bytes between each client and its own connection to the backend, with one recv and one send per
// direction and a share of an epoll_wait, without reading them.
//
//   cc -O2 -o proxy proxy.c
//   ./proxy BACKEND_PORT      prints "listening on PORT", runs until it is killed
#define _GNU_SOURCE
#include "server.h"

/// One side of a tunnel.
struct side {
    int descriptor;
    struct tunnel *tunnel;
    struct side *other;
    /// What this socket did not accept. While there is some, the other side is not read.
    struct pending output;
    /// Its end was read and passed on.
    int has_ended;
    /// The other side has ended: shut down after `output`.
    int is_to_end;
};

struct tunnel {
    struct side client, backend;
    /// Freed at the end of a batch: an event for the other side may be in it.
    int is_over;
    struct tunnel *next_over;
};

static int epoll;
static uint8_t memory[READ_SIZE];
static struct tunnel *over;

static void end_tunnel(struct tunnel *tunnel) {
    if (tunnel->is_over) return;
    tunnel->is_over = 1;
    close(tunnel->client.descriptor);
    close(tunnel->backend.descriptor);
    tunnel->next_over = over;
    over = tunnel;
}

static void free_ended_tunnels(void) {
    while (over) {
        struct tunnel *tunnel = over;
        over = tunnel->next_over;
        pending_free(&tunnel->client.output);
        pending_free(&tunnel->backend.output);
        free(tunnel);
    }
}

/// Watches a side for the events that matter now.
static void watch_side(struct side *side) {
    uint32_t events = (side->output.bytes ? EPOLLOUT : 0);
    if (!side->has_ended && !side->other->output.bytes) events |= EPOLLIN;
    watch(epoll, EPOLL_CTL_MOD, side->descriptor, events, side);
}

/// False when the tunnel is over.
static int write_side(struct side *side) {
    if (!pending_flush(&side->output, side->descriptor)) return 0;
    if (side->output.bytes) return 1;
    if (side->is_to_end) shutdown(side->descriptor, SHUT_WR);
    watch_side(side);
    watch_side(side->other);
    return 1;
}

/// False when the tunnel is over.
static int read_side(struct side *side) {
    struct side *other = side->other;
    ssize_t count = recv(side->descriptor, memory, sizeof memory, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) {
        side->has_ended = 1;
        if (other->has_ended) return 0;
        other->is_to_end = 1;
        if (!other->output.bytes) shutdown(other->descriptor, SHUT_WR);
        watch_side(side);
        return 1;
    }
    if (!send_or_keep(other->descriptor, &other->output, memory, (size_t)count)) return 0;
    if (other->output.bytes) {
        watch_side(side);
        watch_side(other);
    }
    return 1;
}

static void serve(struct side *side, uint32_t events) {
    struct tunnel *tunnel = side->tunnel;
    if (tunnel->is_over) return;
    int goes_on = !(events & EPOLLERR);
    if (goes_on && events & EPOLLOUT) goes_on = write_side(side);
    if (goes_on && events & (EPOLLIN | EPOLLHUP) && !side->has_ended && !side->other->output.bytes)
        goes_on = read_side(side);
    else if (goes_on && events & EPOLLHUP) goes_on = 0;
    if (!goes_on) end_tunnel(tunnel);
}

/// A tunnel for a client. Bytes that it sends before the backend is connected wait in its socket.
static void begin_tunnel(int client, const struct sockaddr_in *address) {
    struct tunnel *tunnel = calloc(1, sizeof *tunnel);
    if (!tunnel) die("calloc");
    int backend = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (backend < 0) die("socket");
    int one = 1;
    setsockopt(backend, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tunnel->client = (struct side){.descriptor = client, .tunnel = tunnel, .other = &tunnel->backend};
    tunnel->backend = (struct side){.descriptor = backend, .tunnel = tunnel, .other = &tunnel->client};
    if (connect(backend, (const struct sockaddr *)address, sizeof *address) != 0 && errno != EINPROGRESS) {
        end_tunnel(tunnel);
        return;
    }
    // A send to an unconnected socket fails with EAGAIN, and EPOLLOUT follows, as for a full one.
    watch(epoll, EPOLL_CTL_ADD, client, EPOLLIN, &tunnel->client);
    watch(epoll, EPOLL_CTL_ADD, backend, EPOLLIN, &tunnel->backend);
}

int main(int count, char **arguments) {
    int port = count == 2 ? atoi(arguments[1]) : 0;
    if (port <= 0 || port > 65535) {
        fprintf(stderr, "usage: proxy BACKEND_PORT\n");
        return 64;
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = listen_and_tell(NULL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct side *side = events[i].data.ptr;
            if (side) {
                serve(side, events[i].events);
                continue;
            }
            for (int client; (client = accept_next(listener)) >= 0;) begin_tunnel(client, &address);
        }
        free_ended_tunnels();
    }
}
