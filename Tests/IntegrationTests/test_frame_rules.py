"""Frame rules on a relay: what breaks one, from either leg, the code that each side gets, and what is just permitted."""

import struct
from collections.abc import Callable

import pytest

import closing
import raw
from closing import Outcome, Row, Scene
from closing_table import with_reasons
from raw import BINARY, CLOSE, CONTINUATION, PING, TEXT
from wire import Peer

LIMIT, FRAGMENTS = 1000, 4
LIMITS = {"limits": {"message": LIMIT, "fragments": FRAGMENTS, "backend-message": LIMIT, "backend-fragments": FRAGMENTS}}
CHECK = {"utf8": "check"}
DEFLATE = "permessage-deflate"

CODES = {"protocol-error": 1002, "invalid-data": 1007, "message-too-big": 1009, "too-many-fragments": 1009}
ROWS: list[Row] = []


def of_either_leg(name: str, say: Callable[[Peer], list[bytes]], outcome: Callable[[str], Outcome], **keys):
    """Rows in which one leg sends frames, each when the one before has arrived, and the other receives them."""
    for leg in ("client", "backend"):

        async def script(s: Scene, leg=leg):
            speaker, hearer = (s.client, s.backend) if leg == "client" else (s.backend, s.client)
            *first, last = say(speaker)
            for data in first:
                await speaker.send(data)
            await hearer.fill(sum(map(len, first)))
            await speaker.send(last)

        ROWS.append(Row(f"{leg}-{name}", "relay", "ws", "ws", script, (outcome(leg),), **keys))


def broken(name: str, cause: str, why: str, say: Callable[[Peer], list[bytes]], heard: str = "", clean: bool = True, **keys):
    """A rule is broken. The side that broke it is told which; the other side is told that the session ends, behind what it `heard`.
    Not clean: the middle of a frame is no place for a Close."""
    code = CODES[cause]

    def outcome(leg: str) -> Outcome:
        other = f"Close {1001 if leg == 'client' else 1011}, end" if clean else "over"
        seen = {leg: f"Close {code}, end", "backend" if leg == "client" else "client": heard + other}
        logged = code if leg == "client" else 1011 if clean else "none"
        log = f"{cause} by {leg}, {logged}"
        # Who did it hears what the log has.
        return Outcome(*with_reasons((seen["client"], seen["backend"]), "relay", log, "{detail}"), log)

    of_either_leg(name, say, outcome, why=why, **keys)


def allowed(name: str, say: Callable[[Peer], list[bytes]], heard: str, **keys):
    """No rule is broken: all of it arrives, and the side that sent it closes the session."""

    def outcome(leg: str) -> Outcome:
        seen = {leg: "Close 1000 ok, end", "backend" if leg == "client" else "client": f"{heard}, Close 1000, end"}
        return Outcome(seen["client"], seen["backend"], f"{leg}-closed by {leg}, 1000")

    of_either_leg(name, lambda peer: [*say(peer), peer.closing(1000)], outcome, **keys)


# Headers (RFC 6455 section 5.2)

broken("wrong-mask", "protocol-error", "mask",
       lambda peer: [raw.frame(TEXT, b"a", mask=None if peer.is_client else b"1234")])
for bit in (1, 2, 3):
    broken(f"rsv{bit}", "protocol-error", "reserved bit", lambda peer, bit=bit: [peer.frame(TEXT, b"a", rsv=8 >> bit)])
for opcode in (0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF):
    broken(f"opcode-{opcode:x}", "protocol-error", "reserved opcode", lambda peer, opcode=opcode: [peer.frame(opcode, b"a")])


def declaring(peer: Peer, length: bytes) -> bytes:
    """The header of a binary frame with this length field."""
    mask = b"1234" if peer.is_client else b""
    return bytes([0x80 | BINARY, (0x80 if mask else 0) | length[0], *length[1:], *mask])


broken("length-of-16-bits-not-minimal", "protocol-error", "shortest form",
       lambda peer: [declaring(peer, bytes([126]) + struct.pack("!H", 125))])
broken("length-of-64-bits-not-minimal", "protocol-error", "shortest form",
       lambda peer: [declaring(peer, bytes([127]) + struct.pack("!Q", 65535))])
broken("length-of-2^63", "protocol-error", "2^63", lambda peer: [declaring(peer, bytes([127]) + struct.pack("!Q", 1 << 63))])
broken("length-of-2^63-1", "message-too-big", f"message of {(1 << 63) - 1} bytes is over limits.",
       lambda peer: [declaring(peer, bytes([127]) + struct.pack("!Q", (1 << 63) - 1))])

# Reserved bits where compression is in force (RFC 7692 section 6)

allowed("rsv1-with-compression", lambda peer: [peer.frame(BINARY, b"ab", rsv=4)], "binary ab", extensions=DEFLATE)
broken("rsv1-on-a-continuation", "protocol-error", "reserved bit", lambda peer: [
    peer.frame(BINARY, b"ab", rsv=4, fin=False), peer.frame(CONTINUATION, b"cd", rsv=4)], "unfinished binary ab, ",
    extensions=DEFLATE)
broken("rsv1-on-a-ping", "protocol-error", "reserved bit", lambda peer: [peer.frame(PING, b"a", rsv=4)], extensions=DEFLATE)
broken("rsv2-with-compression", "protocol-error", "reserved bit", lambda peer: [peer.frame(TEXT, b"a", rsv=6)],
       extensions=DEFLATE)

# Control frames (section 5.5)

allowed("ping-of-125-bytes", lambda peer: [peer.frame(PING, b"a" * 125)], "ping 125 bytes")
broken("ping-of-126-bytes", "protocol-error", "125", lambda peer: [peer.frame(PING, b"a" * 126)])
broken("close-of-126-bytes", "protocol-error", "125", lambda peer: [peer.frame(CLOSE, b"\x03\xe8" + b"a" * 124)])
broken("fragmented-ping", "protocol-error", "fragmented control", lambda peer: [peer.frame(PING, b"a", fin=False)])
broken("fragmented-close", "protocol-error", "fragmented control",
       lambda peer: [peer.frame(CLOSE, b"\x03\xe8", fin=False)])

# Fragments (section 5.4)

allowed("ping-between-fragments", lambda peer: [
    peer.frame(TEXT, b"a", fin=False), peer.frame(PING, b"p"), peer.frame(CONTINUATION, b"b")],
    "unfinished text a, ping p, continuation b")
broken("continuation-of-nothing", "protocol-error", "continuation without", lambda peer: [peer.frame(CONTINUATION, b"a")])
broken("continuation-behind-the-end", "protocol-error", "continuation without", lambda peer: [
    peer.frame(TEXT, b"a"), peer.frame(CONTINUATION, b"b")], "text a, ")
broken("message-inside-of-a-message", "protocol-error", "inside a fragmented", lambda peer: [
    peer.frame(TEXT, b"a", fin=False), peer.frame(TEXT, b"b")], "unfinished text a, ")
broken("message-inside-of-a-message-begun", "protocol-error", "inside a fragmented", lambda peer: [
    peer.frame(TEXT, b"a", fin=False), peer.frame(BINARY, b"b", fin=False)], "unfinished text a, ")

# Close frames (sections 5.5.1 and 7.4)


def close_with(code: int, leg: str) -> Outcome:
    seen = {leg: f"Close {code} ok, end", "backend" if leg == "client" else "client": f"Close {code} why, end"}
    return Outcome(seen["client"], seen["backend"], f"{leg}-closed by {leg}, {code}")


for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
    of_either_leg(f"close-{code}", lambda peer, code=code: [peer.closing(code, "why")],
                  lambda leg, code=code: close_with(code, leg))
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    broken(f"close-{code}", "protocol-error", "code that must not", lambda peer, code=code: [
        peer.frame(CLOSE, struct.pack("!H", code))])
broken("close-of-one-byte", "protocol-error", "one byte", lambda peer: [peer.frame(CLOSE, b"\x03")])
for name, reason in {"invalid": b"\xff", "cut-off": "é".encode()[:1], "surrogate": b"\xed\xa0\x80"}.items():
    broken(f"close-with-a-reason-{name}", "invalid-data", "UTF-8", lambda peer, reason=reason: [
        peer.frame(CLOSE, b"\x03\xe8" + reason)])
of_either_leg("close-with-a-reason-of-123-bytes", lambda peer: [peer.closing(4000, "é" * 61 + "a")], lambda leg: Outcome(*(
    ("Close 4000 ok, end", f"Close 4000 {'é' * 61}a, end")[:: 1 if leg == "client" else -1]), f"{leg}-closed by {leg}, 4000"))

# Limits, which are inclusive

allowed("message-of-the-limit", lambda peer: [peer.frame(BINARY, bytes(LIMIT))], f"binary {LIMIT} bytes", route=LIMITS)
broken("message-over-the-limit", "message-too-big", f"message: {LIMIT} bytes", lambda peer: [peer.frame(BINARY, bytes(LIMIT + 1))],
       route=LIMITS)
broken("message-over-the-limit-only-declared", "message-too-big", f"message: {LIMIT} bytes", lambda peer: [
    peer.frame(BINARY, bytes(LIMIT + 1))[:8]], route=LIMITS)
allowed("fragments-of-the-size-limit", lambda peer: [
    peer.frame(BINARY, bytes(LIMIT - 1), fin=False), peer.frame(CONTINUATION, b"a")],
    f"unfinished binary {LIMIT - 1} bytes, continuation a", route=LIMITS)
broken("fragments-over-the-size-limit", "message-too-big", f"message: {LIMIT} bytes", lambda peer: [
    peer.frame(BINARY, bytes(LIMIT - 1), fin=False), peer.frame(CONTINUATION, b"ab")],
    f"unfinished binary {LIMIT - 1} bytes, ", route=LIMITS)
allowed("fragments-of-the-limit", lambda peer: [
    peer.frame(TEXT, b"a", fin=False), *[peer.frame(CONTINUATION, b"", fin=False)] * (FRAGMENTS - 2), peer.frame(CONTINUATION)],
    "unfinished text a" + ", unfinished continuation" * (FRAGMENTS - 2) + ", continuation", route=LIMITS)
broken("fragments-over-the-limit", "too-many-fragments", f"fragments: {FRAGMENTS}", lambda peer: [
    peer.frame(TEXT, b"a", fin=False), *[peer.frame(CONTINUATION, b"", fin=False)] * (FRAGMENTS - 1), peer.frame(CONTINUATION)],
    "unfinished text a" + ", unfinished continuation" * (FRAGMENTS - 1) + ", ", route=LIMITS)

# Text, where the route says utf8: check (section 8.1)

EURO, BAD = "€".encode(), b"\xff"


def another_mask(peer: Peer) -> dict:
    """Options that give a frame, if it is masked, another mask than the next one's."""
    return {"mask": b"\xde\xad\xbe\xef"} if peer.is_client else {}


def shown(data: bytes) -> str:
    """A frame as a peer records it."""
    return data.decode("latin-1")


for cut in (1, 2):
    halves = EURO[:cut], EURO[cut:]
    allowed(f"character-cut-by-fragments-at-{cut}", lambda peer, halves=halves: [
        peer.frame(TEXT, halves[0], fin=False, **another_mask(peer)), peer.frame(CONTINUATION, halves[1])],
        f"unfinished text {shown(halves[0])}, continuation {shown(halves[1])}", route=CHECK)
    broken(f"character-cut-off-at-{cut}", "invalid-data", "UTF-8", lambda peer, halves=halves: [
        peer.frame(TEXT, b"a" + halves[0])], route=CHECK)
    broken(f"character-cut-off-in-fragments-at-{cut}", "invalid-data", "UTF-8", lambda peer, halves=halves: [
        peer.frame(TEXT, halves[0], fin=False, **another_mask(peer)), peer.frame(CONTINUATION, b"")],
        f"unfinished text {shown(halves[0])}, ", route=CHECK)
    broken(f"character-with-a-wrong-rest-at-{cut}", "invalid-data", "UTF-8", lambda peer, halves=halves: [
        peer.frame(TEXT, halves[0], fin=False, **another_mask(peer)), peer.frame(CONTINUATION, b"a")],
        f"unfinished text {shown(halves[0])}, ", route=CHECK)


def in_pieces(peer: Peer, payload: bytes, cut: int) -> list[bytes]:
    """A text frame in two pieces, split behind this many bytes of its payload."""
    frame = peer.frame(TEXT, payload)
    cut += len(frame) - len(payload)
    return [frame[:cut], frame[cut:]]


for cut in range(6):
    allowed(f"character-cut-by-tcp-at-{cut}", lambda peer, cut=cut: in_pieces(peer, b"a" + EURO + b"b", cut),
            f"text {shown(b'a' + EURO + b'b')}", route=CHECK)
for name, data in {"invalid": BAD, "overlong": b"\xc0\xaf", "surrogate": b"\xed\xa0\x80", "beyond": b"\xf4\x90\x80\x80"}.items():
    broken(f"text-{name}", "invalid-data", "UTF-8", lambda peer, data=data: [peer.frame(TEXT, b"abc" + data)], route=CHECK)
broken("text-invalid-in-a-frame-that-has-begun-to-go-on", "invalid-data", "UTF-8",
       lambda peer: in_pieces(peer, b"abc" + BAD, 3), "half a frame, ", clean=False, route=CHECK)
allowed("text-invalid-but-not-to-be-checked", lambda peer: [peer.frame(TEXT, BAD)], f"text {shown(BAD)}")
allowed("binary-invalid", lambda peer: [peer.frame(BINARY, BAD)], f"binary {shown(BAD)}", route=CHECK)
allowed("text-compressed", lambda peer: [peer.frame(TEXT, BAD, rsv=4)], f"text {shown(BAD)}", route=CHECK,
        extensions=DEFLATE)


@pytest.fixture(scope="module")
def outcomes(request, authority):
    return closing.play_asked_for(request, authority)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rule(row, outcomes):
    row.check(outcomes[row.name])
