// The WebSocket backend behind the measured proxies: sends every data frame back, as fast as one thread can.
//
//   cc -O2 -o echo echo.c
//   ./echo [--uds PATH]      prints "listening on PORT" (or PATH), runs until it is killed
//
// Any path is upgraded. Frames are unmasked and turned into answers in the buffer that they were read into, and the answers to one read are
// one send. Pings are answered, pongs ignored. A Close is answered, then the connection is closed.
#define _GNU_SOURCE
#include "server.h"
#include "websocket.h"

struct connection {
    int descriptor;
    /// 0 until the request head is answered.
    int is_open;
    /// A Close was answered: only the end is still read.
    int is_closing;
    /// The frame in progress is a pong.
    int is_dropping;
    struct frame_reader reader;
    /// The beginning of a request head.
    struct pending head;
    struct pending output;
};

static int epoll;
/// Our header is never longer than the client's, but one that came in two pieces is written when its last byte comes: there is room for it
/// before the bytes that were read.
static uint8_t memory[16 + READ_SIZE];

static void connection_free(struct connection *connection) {
    close(connection->descriptor);
    pending_free(&connection->head);
    pending_free(&connection->output);
    free(connection);
}

/// Sends; while the socket is full, nothing is read. False when the connection is gone.
static int reply(struct connection *connection, const uint8_t *bytes, size_t count) {
    if (!send_or_keep(connection->descriptor, &connection->output, bytes, count)) return 0;
    if (connection->output.bytes) watch(epoll, EPOLL_CTL_MOD, connection->descriptor, EPOLLOUT, connection);
    return 1;
}

/// Answers the frames in `count` bytes at `source`, in place.
static int answer_frames(struct connection *connection, uint8_t *source, size_t count) {
    struct frame_reader *reader = &connection->reader;
    uint8_t *end = source + count, *start = source - 16, *target = start;
    while (source < end && !connection->is_closing) {
        if (reader->remaining == 0) {
            int whole;
            source += take_header(reader, source, end - source, &whole);
            if (!whole) break;
            uint8_t first = reader->header[0];
            connection->is_dropping = (first & 0x0F) == 0xA;
            if ((first & 0x0F) == 0x9) first = (first & 0xF0) | 0xA;
            if (!connection->is_dropping) target += write_header(target, first, reader->remaining);
        }
        size_t taken = (size_t)(end - source);
        if (taken > reader->remaining) taken = reader->remaining;
        take_payload(reader, source, target, taken);
        source += taken;
        if (!connection->is_dropping) target += taken;
        if (reader->remaining == 0 && (reader->header[0] & 0x0F) == 0x8) connection->is_closing = 1;
    }
    if (target > start && !reply(connection, start, target - start)) return 0;
    // A server closes first (RFC 6455 section 7.1.1).
    if (connection->is_closing && !connection->output.bytes) shutdown(connection->descriptor, SHUT_WR);
    return 1;
}

/// Answers the request head once it is whole.
static int answer_head(struct connection *connection, uint8_t *bytes, size_t count) {
    struct pending *head = &connection->head;
    pending_append(head, bytes, count);
    if (head->end > READ_SIZE) return 0;
    size_t length = head_length(head->bytes, head->end);
    if (length == 0) return 1;
    char answer[256];
    size_t answer_count = upgrade_answer(head->bytes, length, answer);
    if (answer_count == 0) return 0;
    size_t rest = head->end - length;
    memcpy(bytes, head->bytes + length, rest);
    pending_free(head);
    connection->is_open = 1;
    return reply(connection, (uint8_t *)answer, answer_count) && answer_frames(connection, bytes, rest);
}

/// False when the connection is over.
static int serve(struct connection *connection, uint32_t events) {
    if (connection->output.bytes) {
        if (!pending_flush(&connection->output, connection->descriptor)) return 0;
        if (connection->output.bytes) return !(events & (EPOLLERR | EPOLLHUP));
        watch(epoll, EPOLL_CTL_MOD, connection->descriptor, EPOLLIN, connection);
        if (connection->is_closing) shutdown(connection->descriptor, SHUT_WR);
        return 1;
    }
    uint8_t *bytes = memory + 16;
    ssize_t count = recv(connection->descriptor, bytes, READ_SIZE, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    if (connection->is_closing) return 1;
    if (!connection->is_open) return answer_head(connection, bytes, (size_t)count);
    return answer_frames(connection, bytes, (size_t)count);
}

int main(int count, char **arguments) {
    const char *path = NULL;
    if (count == 3 && strcmp(arguments[1], "--uds") == 0) path = arguments[2];
    else if (count != 1) {
        fprintf(stderr, "usage: echo [--uds PATH]\n");
        return 64;
    }
    int listener = listen_and_tell(path);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection) {
                if (!serve(connection, events[i].events)) connection_free(connection);
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
