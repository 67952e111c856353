// The least that a broadcast can cost: one room, and each message goes to all members with one send each, in a bare loop.
//
//   cc -O2 -o broadcast broadcast.c
//   ./broadcast      prints "listening on PORT", runs until it is killed
//
// Any path is upgraded. A message has to be one frame. Pings are answered, pongs ignored. A member that closes, or falls behind, is
// removed.
#define _GNU_SOURCE
#include "server.h"
#include "websocket.h"

struct member {
    int descriptor;
    int is_open;
    /// Freed at the end of a batch: an event for it may be in it.
    int is_over;
    struct member *next_over;
    /// Its index in `room`.
    size_t place;
    struct frame_reader reader;
    /// A request head, or the incoming frame: its header and unmasked payload as they go out.
    struct pending input;
    struct pending output;
};

/// A member with more pending bytes than this falls behind.
#define MOST_PENDING (16 << 20)

static int epoll;
static uint8_t memory[READ_SIZE];
static struct member **room;
static size_t members, room_capacity;
static struct member *over;

static void drop(struct member *member) {
    if (member->is_over) return;
    member->is_over = 1;
    close(member->descriptor);
    if (member->is_open) {
        room[member->place] = room[--members];
        room[member->place]->place = member->place;
    }
    member->next_over = over;
    over = member;
}

static void free_dropped(void) {
    while (over) {
        struct member *member = over;
        over = member->next_over;
        pending_free(&member->input);
        pending_free(&member->output);
        free(member);
    }
}

static void join(struct member *member) {
    if (members == room_capacity) {
        room_capacity = room_capacity ? 2 * room_capacity : 64;
        room = realloc(room, room_capacity * sizeof *room);
        if (!room) die("realloc");
    }
    member->is_open = 1;
    member->place = members;
    room[members++] = member;
}

/// False when the member is gone or falls behind.
static int reply(struct member *member, const uint8_t *bytes, size_t count) {
    int was_full = member->output.bytes != NULL;
    if (!send_or_keep(member->descriptor, &member->output, bytes, count)) return 0;
    if (member->output.end - member->output.start > MOST_PENDING) return 0;
    if (!was_full && member->output.bytes)
        watch(epoll, EPOLL_CTL_MOD, member->descriptor, EPOLLIN | EPOLLOUT, member);
    return 1;
}

/// Sends to all, from the last to the first: a removed member is replaced by one that already has its copy.
static void send_to_all(const uint8_t *frame, size_t count) {
    for (size_t i = members; i-- > 0;) {
        struct member *member = room[i];
        if (!reply(member, frame, count)) drop(member);
    }
}

/// False when the member has to be removed.
static int take_frames(struct member *member, const uint8_t *bytes, size_t count) {
    struct frame_reader *reader = &member->reader;
    struct pending *frame = &member->input;
    const uint8_t *end = bytes + count;
    while (bytes < end) {
        if (reader->remaining == 0) {
            int whole;
            bytes += take_header(reader, bytes, (size_t)(end - bytes), &whole);
            if (!whole) return 1;
            uint8_t header[10], first = reader->header[0];
            if (reader->remaining > MOST_PENDING) return 0;
            if ((first & 0x0F) == 0x9) first = (first & 0xF0) | 0xA;
            frame->start = frame->end = 0;
            pending_append(frame, header, write_header(header, first, reader->remaining));
        }
        size_t taken = (size_t)(end - bytes);
        if (taken > reader->remaining) taken = reader->remaining;
        size_t place = frame->end;
        pending_append(frame, bytes, taken);
        take_payload(reader, frame->bytes + place, frame->bytes + place, taken);
        bytes += taken;
        if (reader->remaining > 0) return 1;

        switch (reader->header[0] & 0x0F) {
        case 0x8: reply(member, frame->bytes, frame->end); return 0;
        case 0x9:
            if (!reply(member, frame->bytes, frame->end)) return 0;
            break;
        case 0xA: break;
        default:
            send_to_all(frame->bytes, frame->end);
            if (member->is_over) return 0;
        }
    }
    return 1;
}

/// False when the member has to be removed.
static int take_head(struct member *member, const uint8_t *bytes, size_t count) {
    struct pending *head = &member->input;
    pending_append(head, bytes, count);
    if (head->end > sizeof memory) return 0;
    size_t length = head_length(head->bytes, head->end);
    if (length == 0) return 1;
    char answer[256];
    size_t answer_count = upgrade_answer(head->bytes, length, answer);
    if (answer_count == 0) return 0;
    size_t rest = head->end - length;
    memcpy(memory, head->bytes + length, rest);
    pending_free(head);
    join(member);
    return reply(member, (uint8_t *)answer, answer_count) && take_frames(member, memory, rest);
}

/// False when the member has to be removed.
static int serve(struct member *member, uint32_t events) {
    if (events & EPOLLERR) return 0;
    if (events & EPOLLOUT) {
        if (!pending_flush(&member->output, member->descriptor)) return 0;
        if (!member->output.bytes) watch(epoll, EPOLL_CTL_MOD, member->descriptor, EPOLLIN, member);
    }
    if (!(events & (EPOLLIN | EPOLLHUP))) return 1;
    ssize_t count = recv(member->descriptor, memory, sizeof memory, 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    return member->is_open ? take_frames(member, memory, (size_t)count) : take_head(member, memory, (size_t)count);
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
            struct member *member = events[i].data.ptr;
            if (member) {
                if (!member->is_over && !serve(member, events[i].events)) drop(member);
                continue;
            }
            for (int descriptor; (descriptor = accept_next(listener)) >= 0;) {
                member = calloc(1, sizeof *member);
                if (!member) die("calloc");
                member->descriptor = descriptor;
                watch(epoll, EPOLL_CTL_ADD, descriptor, EPOLLIN, member);
            }
        }
        free_dropped();
    }
}
