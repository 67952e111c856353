"""HTTP and WebSocket by hand, for bytes that no library would send."""

import asyncio
import base64
import dataclasses
import hashlib
import os
import struct

import peers
from gateway_process import within

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def upgrade(path="/echo", *extra: str, host="127.0.0.1", without: tuple = (), method="GET", version="HTTP/1.1") -> bytes:
    """An upgrade request. `extra`: more field lines. `without`: names of fields to leave out."""
    lines = [
        f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
    ]
    kept = [line for line in lines if line.split(":")[0].lower() not in {name.lower() for name in without}]
    return "\r\n".join([f"{method} {path} {version}", *kept, *extra, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes = b"", *, fin=True, rsv=0, mask: bytes | None = b"\x11\x22\x33\x44") -> bytes:
    head = bytearray([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head.append(bit | len(payload))
    elif len(payload) < 1 << 16:
        head += struct.pack("!BH", bit | 126, len(payload))
    else:
        head += struct.pack("!BQ", bit | 127, len(payload))
    if not mask:
        return bytes(head) + payload
    return bytes(head) + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    if not payload:
        return b""
    pad = mask * (len(payload) // 4 + 1)
    number = int.from_bytes(payload, "big") ^ int.from_bytes(pad[: len(payload)], "big")
    return number.to_bytes(len(payload), "big")


def close(code: int | None = None, reason: str = "", **options) -> bytes:
    payload = b"" if code is None else struct.pack("!H", code) + reason.encode()
    return frame(CLOSE, payload, **options)


@dataclasses.dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    @property
    def code(self) -> int | None:
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None


@dataclasses.dataclass
class Response:
    status: int
    fields: list[tuple[str, str]]
    body: bytes = b""

    def field(self, name: str) -> str | None:
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class Connection:
    """A TCP or TLS connection to the gateway (or, in `backend` handlers, from it)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: tuple[str, int], **options) -> "Connection":
        return cls(*await asyncio.open_connection(*address, limit=64 << 20, **options))

    @classmethod
    async def upgraded(cls, address, path="/echo", *extra: str, ssl=None) -> "Connection":
        """An open WebSocket; fails if it is refused."""
        connection = await cls.open(address, ssl=ssl)
        await connection.send(upgrade(path, *extra))
        response = await connection.response()
        assert response.status == 101, response
        assert response.field("Sec-WebSocket-Accept") == ACCEPT
        return connection

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        self.writer.transport.abort()

    async def send(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> list[str]:
        data = await within(self.reader.readuntil(b"\r\n\r\n"))
        return data.decode("latin-1").split("\r\n")[:-2]

    async def response(self) -> Response:
        """The next response; its body is what Content-Length says."""
        line, *fields = await self.head()
        response = Response(int(line.split(" ")[1]), [tuple(field.split(": ", 1)) for field in fields])
        if length := response.field("Content-Length"):
            response.body = await within(self.reader.readexactly(int(length)))
        return response

    async def exactly(self, count: int) -> bytes:
        return await within(self.reader.readexactly(count))

    async def frame(self) -> Frame:
        first, second = await self.exactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.exactly(8))
        mask = await self.exactly(4) if second & 0x80 else None
        payload = await self.exactly(length)
        return Frame(
            first & 0xF, masked(payload, mask) if mask else payload, bool(first & 0x80), first >> 4 & 7
        )

    async def closing(self) -> Frame:
        """Reads up to the Close frame."""
        while (got := await self.frame()).opcode != CLOSE:
            pass
        return got

    async def end(self) -> bytes:
        """The bytes up to the peer's orderly end."""
        return await within(self.reader.read())

    async def lost(self):
        """Reads until the connection ends in any way."""
        try:
            await self.end()
        except OSError:
            pass

    def reset(self):
        peers.reset(self.writer)

    def finish(self):
        self.writer.write_eof()


async def ask(address, request: bytes, *, ssl=None) -> Response:
    """Sends bytes, reads one response, and checks that nothing follows it. A connection that would be kept we end ourselves."""
    async with await Connection.open(address, ssl=ssl) as connection:
        await connection.send(request)
        response = await connection.response()
        if "close" in (response.field("Connection") or ""):
            assert await connection.end() == b""
        elif response.status != 101 and connection.writer.can_write_eof():
            connection.finish()
            assert await connection.end() == b""
        return response


def pattern(count: int) -> bytes:
    """Bytes that do not repeat."""
    return os.urandom(count)
