"""Many small amounts that are held forever."""

import collections
import select
import time
import zlib

import wire
from children import Orders, Site
from crowd import Kind

from .scenario import Attacker, Scenario, clients

BOUND = {"memory": "256MiB"}
LARGE = 16 << 20
# How long the honest sender's message may take to come back; the queue for memory is part of it.
RETURNING = 30.0


def bomb() -> bytes:
    """The first fragment of a compressed message (RFC 7692): about 1 KiB that becomes nearly 1 MiB."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflate.compress(bytes((1 << 20) - 1000)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return wire.frame(wire.BINARY, data, first=wire.RSV1)


def bombers(path: str) -> Kind:
    return Kind(path=path, fields="Sec-WebSocket-Extensions: permessage-deflate\r\n", first=bomb())


UNFINISHED = wire.frame(wire.BINARY, bytes(900 << 10), first=0)
MESSAGE = wire.frame(wire.BINARY, bytes(64 << 10))


def honest_large(orders: Orders, site: Site) -> collections.Counter:
    """A good session that sends messages of 16 MiB to the echo, one after the other, and checks every byte."""
    counts = collections.Counter()
    data = wire.masked(bytes(range(256)) * (LARGE >> 8), b"\x5a\xc3\x17\x88")
    message = wire.frame(wire.BINARY, data, key=b"\x31\x41\x59\x26")
    try:
        channel = wire.Channel(site.plain, secure=False)
        epoll = select.epoll()
        epoll.register(channel.fileno(), select.EPOLLIN | select.EPOLLOUT)
        channel.write(wire.upgrade("/large"))
        head = exchanged(channel, epoll, lambda got: got.endswith(b"\r\n\r\n"))
        if not head.startswith(b"HTTP/1.1 101 "):
            raise EOFError(head.decode(errors="replace"))
    except (OSError, EOFError):
        orders.ready()
        counts["lost sessions"] += 1
        return counts
    orders.ready()
    while not orders.stopping():
        begun = time.monotonic()
        channel.write(message)
        try:
            got = exchanged(channel, epoll, lambda got: len(got) >= LARGE + 2 and whole(got) is not None)
        except (OSError, EOFError):
            counts["lost messages"] += 1
            counts["lost sessions"] += 1
            break
        counts["lost messages"] += whole(got) != data
        counts["honest messages of 16 MiB"] += 1
        counts["worst ms of one"] = max(counts["worst ms of one"], round(1000 * (time.monotonic() - begun)))
    channel.close()
    return counts


def exchanged(channel: wire.Channel, epoll: select.epoll, is_whole) -> bytes:
    """Sends what waits; returns what has come once it is whole."""
    got, end = bytearray(), time.monotonic() + RETURNING
    while channel.is_waiting or not is_whole(got):
        channel.send()
        epoll.modify(channel.fileno(), select.EPOLLIN | (select.EPOLLOUT if channel.is_waiting else 0))
        if not epoll.poll(max(0, end - time.monotonic())):
            raise EOFError("too slow")
        got += channel.receive()
    return bytes(got)


def whole(got: bytes) -> bytes | None:
    """The message in these frames, once the last one is there; pings may come in between."""
    parts = []
    for first, payload in wire.Frames(got):
        if first & 0x0F in (wire.BINARY, wire.CONTINUATION):
            parts.append(payload)
            if first & wire.FIN:
                return b"".join(parts)
        elif first & 0x0F == wire.CLOSE:
            raise EOFError("Close")
    return None


SCENARIOS = [
    Scenario(
        "bomb", "2,000 sessions hold 1 KiB of compressed fragment that inflates to 1 MiB, and never finish it",
        (clients((1200, bombers("/echo")), (800, bombers("/room/bomb"))),), BOUND,
    ),
    Scenario(
        "deaf", "1,000 clients that do not read: streams through a relay, echoes of their own, a room, the clock",
        (
            clients(
                (300, Kind(path="/attack/stream", reads=False, rate=300)),
                (300, Kind(forever=MESSAGE, reads=False, rate=300)),
                (300, Kind(path="/room/deaf", reads=False, rate=300)),
                (100, Kind(path="/clock", reads=False)),
            ),
            clients((1, Kind(path="/room/deaf", forever=MESSAGE, every=0.1)), block=2),
        ),
        BOUND,
    ),
    Scenario(
        "unfinished", "1,000 clients hold 900 KiB of a message that they never finish, beside one that sends 16 MiB",
        (
            clients((500, Kind(first=UNFINISHED, rate=300)), (500, Kind(path="/room/unfinished", first=UNFINISHED, rate=300))),
            Attacker(honest_large, nice=0),
        ),
        BOUND,
    ),
]
