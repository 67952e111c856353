"""A server behind the gateway that breaks every rule. The last part of the path says how."""

import asyncio
import base64
import dataclasses
import hashlib
import os
import socket
import typing

import wire
from children import Orders

# Written at once, again and again.
BLOCK = 32 << 10
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def switching(*fields: str) -> typing.Callable[[str], bytes]:
    """Makes a 101 that is right but for these fields."""
    def make(accept: str) -> bytes:
        lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}", *fields)
        return "\r\n".join((*lines, "", "")).encode()

    return make


@dataclasses.dataclass(frozen=True)
class Answer:
    # From the value of Sec-WebSocket-Accept that would be right.
    first: typing.Callable[[str], bytes] | bytes = b""
    # Behind it.
    then: typing.Callable[[], bytes] | bytes = b""
    # Behind both, for ever: as fast as it is taken, or one byte every so many seconds.
    forever: bytes = b""
    every: float = 0
    ends: bool = False


def repeated(data: bytes) -> bytes:
    return data * (BLOCK // len(data))


def text(frame_start: bytes) -> bytes:
    """A frame whose head begins so, and some payload."""
    return frame_start + bytes(64)


RIGHT = switching()
HANDSHAKES = {
    "ends": Answer(ends=True),
    "silent": Answer(),
    "noise": Answer(then=lambda: os.urandom(4096)),
    "wrong-accept": Answer(switching("Sec-WebSocket-Accept: c3VwZXI=")),
    "no-upgrade": Answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "other-protocol": Answer(switching("Sec-WebSocket-Protocol: never-offered")),
    "other-extension": Answer(switching("Sec-WebSocket-Extensions: permessage-deflate")),
    "endless-head": Answer(b"HTTP/1.1 101 Switching Protocols\r\n", forever=repeated(b"X-Filler: xxxxxxxxxxxxxxxx\r\n")),
    "endless-line": Answer(b"HTTP/1.1 101 Switching Protocols\r\nX: ", forever=repeated(b"x")),
    "endless-interim": Answer(forever=repeated(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
    "slow-head": Answer(b"HTTP/1.1 101 Switching Protocols\r\nX: ", forever=b"x", every=0.1),
    "endless-refusal": Answer(ENDLESS.replace(b"200 OK", b"403 Forbidden"), forever=repeated(b"x")),
}
FRAMES = {
    "masked": Answer(RIGHT, wire.frame(wire.TEXT, b"x")),
    "reserved": Answer(RIGHT, text(b"\xf1\x40")),
    "opcode": Answer(RIGHT, text(b"\x83\x40")),
    "huge": Answer(RIGHT, b"\x82\x7f\x7f" + b"\xff" * 7, forever=bytes(BLOCK)),
    "negative": Answer(RIGHT, b"\x82\x7f" + b"\xff" * 8),
    "long-form": Answer(RIGHT, b"\x82\x7e\x00\x01x"),
    "long-ping": Answer(RIGHT, b"\x89\x7e\x00\x7e" + bytes(126)),
    "piece-of-ping": Answer(RIGHT, b"\x09\x01x"),
    "continuation": Answer(RIGHT, b"\x80\x01x"),
    "short-close": Answer(RIGHT, b"\x88\x01\x03"),
    "bad-close": Answer(RIGHT, b"\x88\x02\x03\xed"),
    "noise-of-frames": Answer(RIGHT, lambda: os.urandom(4096)),
    "pings": Answer(RIGHT, forever=repeated(wire.frame(wire.PING, b"x", key=None))),
    "pieces": Answer(RIGHT, wire.frame(wire.BINARY, b"x", first=0, key=None), repeated(wire.frame(wire.CONTINUATION, b"x", first=0, key=None))),
    "slow-frame": Answer(RIGHT, b"\x82\x7e\xff\xff", b"x", 0.1),
    "ends-open": Answer(RIGHT, ends=True),
}
BODIES = {
    "body": Answer(ENDLESS, forever=bytes(BLOCK)),
    "chunks": Answer(CHUNKED, forever=repeated(b"1\r\nx\r\n")),
    # Each has to be written anew.
    "other-chunks": Answer(CHUNKED, forever=repeated(b"01\r\nx\r\n")),
    "signed-chunks": Answer(CHUNKED, forever=repeated(b"1;a\r\nx\r\n")),
    "bad-chunks": Answer(CHUNKED, b"zz\r\nx\r\n"),
    "endless-extension": Answer(CHUNKED, b"1;", repeated(b"x")),
    "endless-trailers": Answer(CHUNKED, b"0\r\n", repeated(b"X: y\r\n")),
    "endless-chunk": Answer(CHUNKED, b"7fffffffffffffff\r\n", bytes(BLOCK)),
    "huge-chunk": Answer(CHUNKED, b"f" * 40 + b"\r\n"),
    "slow-body": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", forever=b"x", every=0.1),
    "short": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", bytes(10), ends=True),
    "behind": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", b"xHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"),
    "two-lengths": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"),
    "both-lengths": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    "endless-hints": Answer(forever=repeated(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
}
ANSWERS = {**HANDSHAKES, **FRAMES, **BODIES}


class Hostile(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self._head = bytearray()
        self._answer = None
        self._timer = None
        self._streams = True

    def data_received(self, data):
        if self._answer:
            return
        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        lines = bytes(self._head).split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        digest = hashlib.sha1((fields.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        answer = self._answer = ANSWERS[lines[0].split(" ")[1].rsplit("/", 1)[1]]
        first = answer.first(base64.b64encode(digest).decode()) if callable(answer.first) else answer.first
        self.transport.write(first + (answer.then() if callable(answer.then) else answer.then))
        if answer.ends:
            self.transport.close()
        elif answer.forever:
            self._go_on()

    def _go_on(self):
        answer = self._answer
        if self.transport.is_closing():
            return
        if answer.every:
            self.transport.write(answer.forever)
            self._timer = asyncio.get_running_loop().call_later(answer.every, self._go_on)
            return
        # One block a turn, so that other connections are served meanwhile.
        if self._streams:
            self.transport.write(answer.forever)
            self._timer = asyncio.get_running_loop().call_soon(self._go_on)

    def pause_writing(self):
        self._streams = False

    def resume_writing(self):
        self._streams = True
        if self._answer and self._answer.forever and not self._answer.every:
            # Not at once: the transport does not expect a failure inside of this callback.
            asyncio.get_running_loop().call_soon(self._go_on)

    def connection_lost(self, error):
        if self._timer:
            self._timer.cancel()


def serve(orders: Orders, listeners: tuple[socket.socket]):
    """Serves until it is told to stop."""

    async def main():
        loop = asyncio.get_running_loop()
        stop = loop.create_future()
        loop.add_reader(orders.fileno(), lambda: orders.stopping() and not stop.done() and stop.set_result(None))
        await loop.create_server(Hostile, sock=listeners[0], backlog=4096)
        orders.ready()
        await stop

    asyncio.run(main())
