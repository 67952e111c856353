"""One end of a WebSocket or TCP connection, with control of FIN, RST and TLS's close_notify, which libraries do not give."""

import asyncio
import ssl
import struct

import peers
import raw
from gateway_process import within

OPCODES = {
    raw.CONTINUATION: "continuation", raw.TEXT: "text", raw.BINARY: "binary", raw.CLOSE: "Close", raw.PING: "ping",
    raw.PONG: "pong",
}


class Peer:
    """A client or a backend of the gateway. It does what the test says, and otherwise what is polite.

    Polite means to answer pings, to answer a Close with its code and the reason "ok", to end the connection first as a server,
    and to end it when the other side has. `seen` is what came: the frames (or, from a bridge, the bytes), and how the connection
    ended: "end" in good order, "cut" under TLS without a close_notify, "reset".
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool):
        self.reader = reader
        self.writer = writer
        self.is_client = is_client
        # Under TLS.
        self.tls: ssl.SSLObject | None = None
        self.buffer = bytearray()
        self.seen: list[str] = []
        # How the other side ended the connection; None while it has not.
        self.ended: str | None = None
        self.is_silent = False
        self.is_gone = False
        self.has_finished = False
        self.has_sent_close = False
        # The payload of a ping that is to be answered.
        self.owed_pong: bytes | None = None
        # The Close that came.
        self.received_close: raw.Frame | None = None

    # Opening

    async def start_tls(self, context: ssl.SSLContext):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Python would take an end without a close_notify for one with it.
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.tls = context.wrap_bio(
            self.incoming, self.outgoing, server_side=not self.is_client,
            server_hostname="127.0.0.1" if self.is_client else None,
        )
        while True:
            try:
                self.tls.do_handshake()
                # What the other side said right behind it may be here already.
                return await self._decrypt()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await within(self.reader.read(1 << 16))
                assert data, "the connection ended during the TLS handshake"
                self.incoming.write(data)

    async def head(self) -> list[str]:
        while b"\r\n\r\n" not in self.buffer:
            await self.fill(len(self.buffer) + 1)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n")

    # Sending

    async def send(self, data: bytes):
        if self.tls:
            self.tls.write(data)
            await self._flush()
        else:
            self.writer.write(data)
            await self.writer.drain()

    async def _flush(self):
        if (data := self.outgoing.read()) and not self.has_finished:
            self.writer.write(data)
            await self.writer.drain()

    def frame(self, opcode: int, payload: bytes = b"", **options) -> bytes:
        """A frame, masked if this end must mask."""
        return raw.frame(opcode, payload, **{**({} if self.is_client else {"mask": None}), **options})

    def closing(self, code: int | None = None, reason: str = "") -> bytes:
        self.has_sent_close = True
        return self.frame(raw.CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())

    async def close(self, code: int | None = None, reason: str = ""):
        await self.send(self.closing(code, reason))

    async def finish(self, *, notify: bool = True):
        """Ends this side of the connection."""
        if self.has_finished:
            return
        if self.tls and notify:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                # It is sent; the other side's is not there yet.
                pass
            await self._flush()
        self.has_finished = True
        self.writer.write_eof()

    def reset(self):
        self.is_gone = True
        peers.reset(self.writer)

    # Receiving

    async def fill(self, count: int):
        """Waits until this many bytes have come, and leaves them to be read."""
        while len(self.buffer) < count:
            await self._receive()
            assert not self.ended or len(self.buffer) >= count, f"{len(self.buffer)} bytes came, and the {self.ended}"

    async def hear(self, opcode: int):
        """Reads up to a frame of this kind, without any answer."""
        while True:
            while frame := self._next_frame():
                self._note(frame)
                if frame.opcode == opcode:
                    return
            assert not self.ended, f"no {OPCODES[opcode]} came, and the {self.ended}"
            await self._receive()

    async def hear_end(self):
        """Reads to the end of the connection, and leaves the bytes to be read."""
        while not self.ended:
            await self._receive()

    async def _receive(self):
        try:
            data = await within(self.reader.read(1 << 16))
        except OSError:
            self.ended = "reset"
            return
        if not self.tls:
            self.buffer += data
            self.ended = None if data else "end"
            return
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        await self._decrypt()

    async def _decrypt(self):
        try:
            while plain := self.tls.read(1 << 16):
                self.buffer += plain
        except ssl.SSLWantReadError:
            # TLS itself may have something to say.
            return await self._flush()
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLError:
            self.ended = "cut"
            return
        # A close_notify, which the end of the connection has to follow.
        try:
            self.ended = "mess" if await within(self.reader.read(1)) else "end"
        except OSError:
            self.ended = "reset"

    def _next_frame(self) -> raw.Frame | None:
        """The next frame, if all of it is here."""
        if len(self.buffer) < 2:
            return None
        first, second = self.buffer[:2]
        start, length = 2, second & 0x7F
        if length > 125:
            size = 2 if length == 126 else 8
            start, length = 2 + size, int.from_bytes(self.buffer[2 : 2 + size], "big")
        assert bool(second & 0x80) != self.is_client, "a mask where there must be none, or none where there must be one"
        start += 0 if self.is_client else 4
        if len(self.buffer) < start + length:
            return None
        payload = bytes(self.buffer[start : start + length])
        if not self.is_client:
            payload = raw.masked(payload, bytes(self.buffer[start - 4 : start]))
        del self.buffer[: start + length]
        return raw.Frame(first & 0xF, payload, bool(first & 0x80), first >> 4 & 7)

    # Being polite

    async def follow(self, *, frames: bool = True):
        """Reads to the end, and is polite meanwhile."""
        while not self.is_gone:
            while frames and (frame := self._next_frame()):
                self._note(frame)
            try:
                await self._answer()
            except OSError:
                # How the connection ended is to be read.
                pass
            if self.ended:
                break
            await self._receive()
        if self.is_gone:
            self.seen = []
            return
        if self.buffer:
            self.seen.append("half a frame" if frames else self._shorten(bytes(self.buffer)))
        self.seen.append(self.ended)

    async def _answer(self):
        if self.is_silent:
            return
        if (payload := self.owed_pong) is not None and not self.has_sent_close:
            self.owed_pong = None
            await self.send(self.frame(raw.PONG, payload))
        if self.received_close and not self.has_sent_close:
            code = self.received_close.code
            await (self.close(code, "ok") if code else self.close())
        if self.ended or (not self.is_client and self.received_close and self.has_sent_close):
            await self.finish()

    def _note(self, frame: raw.Frame):
        if frame.opcode == raw.PING and len(frame.payload) == 12:
            # The gateway's own: how many come is up to the clock.
            self.owed_pong = frame.payload
            return
        self.seen.append(self._describe(frame))
        if frame.opcode == raw.CLOSE:
            self.received_close = frame

    def _describe(self, frame: raw.Frame) -> str:
        words = [] if frame.fin else ["unfinished"]
        words.append(OPCODES[frame.opcode])
        if frame.opcode == raw.CLOSE and frame.payload:
            words += [str(frame.code), frame.payload[2:].decode()]
        elif frame.payload:
            words.append(self._shorten(frame.payload))
        return " ".join(word for word in words if word)

    @staticmethod
    def _shorten(data: bytes) -> str:
        return data.decode("latin-1") if len(data) < 40 else f"{len(data)} bytes"

    def abort(self):
        self.writer.transport.abort()
