// The part of RFC 6455 that the reference servers need: the answer to an upgrade, and frame headers.
#ifndef REFERENCE_WEBSOCKET_H
#define REFERENCE_WEBSOCKET_H

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static inline uint32_t rotate_left(uint32_t value, int count) { return value << count | value >> (32 - count); }

/// SHA-1 (FIPS 180-4) of at most 119 bytes, which fit in two blocks with their padding.
static inline void sha1_short(const uint8_t *message, size_t count, uint8_t digest[20]) {
    uint8_t blocks[128] = {0};
    size_t total = count < 56 ? 64 : 128;
    memcpy(blocks, message, count);
    blocks[count] = 0x80;
    for (int i = 0; i < 8; i++) blocks[total - 1 - i] = (uint8_t)((uint64_t)count * 8 >> (8 * i));

    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    for (size_t block = 0; block < total; block += 64) {
        uint32_t w[80];
        for (int t = 0; t < 16; t++) {
            const uint8_t *word = blocks + block + 4 * t;
            w[t] = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        }
        for (int t = 16; t < 80; t++) w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
        for (int t = 0; t < 80; t++) {
            uint32_t f, k;
            if (t < 20) f = (b & c) | (~b & d), k = 0x5A827999;
            else if (t < 40) f = b ^ c ^ d, k = 0x6ED9EBA1;
            else if (t < 60) f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
            else f = b ^ c ^ d, k = 0xCA62C1D6;
            uint32_t next = rotate_left(a, 5) + f + e + k + w[t];
            e = d, d = c, c = rotate_left(b, 30), b = a, a = next;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/// Writes the Sec-WebSocket-Accept for a key of 24 characters: 28 characters and a NUL.
static inline void accept_value(const char *key, char value[29]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t message[60], digest[21] = {0};
    memcpy(message, key, 24);
    memcpy(message + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    sha1_short(message, sizeof message, digest);
    for (int i = 0; i < 7; i++) {
        uint32_t group = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
        for (int j = 0; j < 4; j++) value[4 * i + j] = digits[group >> (18 - 6 * j) & 63];
    }
    value[27] = '=';
    value[28] = 0;
}

/// The length of the request head in `bytes`, empty line included; 0 if it is incomplete.
static inline size_t head_length(const uint8_t *bytes, size_t count) {
    const uint8_t *end = memmem(bytes, count, "\r\n\r\n", 4);
    return end ? (size_t)(end - bytes) + 4 : 0;
}

/// Writes the 101 for a request head into `answer` and returns its length; 0 if the head has no key.
static inline size_t upgrade_answer(const uint8_t *head, size_t count, char answer[256]) {
    static const char name[] = "\r\nsec-websocket-key:";
    const size_t length = sizeof name - 1;
    for (size_t i = 0; i + length + 26 <= count; i++) {
        if (head[i] != '\r' || strncasecmp((const char *)head + i, name, length) != 0) continue;
        i += length;
        while (i + 24 < count && head[i] == ' ') i++;
        if (i + 24 > count) return 0;
        char value[29];
        accept_value((const char *)head + i, value);
        return (size_t)snprintf(
            answer, 256,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: %s\r\n\r\n",
            value);
    }
    return 0;
}

/// The position in a client's frames: in a header, or in the payload after it.
struct frame_reader {
    uint64_t remaining;
    uint8_t key[4];
    /// The index of the key's byte for the next byte of payload.
    uint8_t key_position;
    uint8_t header[14];
    uint8_t header_count;
};

/// The length of the header that begins like this; 2 while only its first bytes are known.
static inline size_t frame_header_length(const uint8_t *header, size_t count) {
    if (count < 2) return 2;
    size_t length = 2 + (header[1] & 0x80 ? 4 : 0);
    switch (header[1] & 0x7F) {
    case 126: return length + 2;
    case 127: return length + 8;
    default: return length;
    }
}

/// Takes bytes of a header and returns how many. `*whole` is 1 when `remaining` and `key` are set.
static inline size_t take_header(struct frame_reader *reader, const uint8_t *bytes, size_t count, int *whole) {
    size_t taken = 0;
    *whole = 0;
    while (taken < count) {
        reader->header[reader->header_count++] = bytes[taken++];
        size_t length = frame_header_length(reader->header, reader->header_count);
        if (reader->header_count < length) continue;
        int masked = reader->header[1] & 0x80;
        uint64_t payload = reader->header[1] & 0x7F;
        if (payload > 125) {
            size_t width = payload == 126 ? 2 : 8;
            payload = 0;
            for (size_t i = 0; i < width; i++) payload = payload << 8 | reader->header[2 + i];
        }
        memset(reader->key, 0, 4);
        if (masked) memcpy(reader->key, reader->header + length - 4, 4);
        reader->key_position = 0;
        reader->remaining = payload;
        reader->header_count = 0;
        *whole = 1;
        break;
    }
    return taken;
}

/// Writes the header of an unmasked frame and returns its length. `first` is FIN, RSV and opcode.
static inline size_t write_header(uint8_t *bytes, uint8_t first, uint64_t payload) {
    bytes[0] = first;
    if (payload <= 125) {
        bytes[1] = (uint8_t)payload;
        return 2;
    }
    size_t width = payload <= 0xFFFF ? 2 : 8;
    bytes[1] = width == 2 ? 126 : 127;
    for (size_t i = 0; i < width; i++) bytes[2 + i] = (uint8_t)(payload >> (8 * (width - 1 - i)));
    return 2 + width;
}

/// Unmasks `count` bytes of payload from `source` to `target`, which may overlap if `target` comes first.
static inline void take_payload(struct frame_reader *reader, const uint8_t *source, uint8_t *target, size_t count) {
    uint8_t key[8];
    for (int i = 0; i < 8; i++) key[i] = reader->key[(reader->key_position + i) & 3];
    uint64_t pattern;
    memcpy(&pattern, key, 8);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, source + i, 8);
        word ^= pattern;
        memcpy(target + i, &word, 8);
    }
    for (; i < count; i++) target[i] = source[i] ^ key[i & 7];
    reader->key_position = (uint8_t)((reader->key_position + count) & 3);
    reader->remaining -= count;
}

#endif
