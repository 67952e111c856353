"""PROXY headers as HAProxy's proxy-protocol.txt has them, and servers that read them."""

import asyncio
import dataclasses
import ipaddress
import ssl
import struct

import raw
import wire
from gateway_process import within

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21


def line(source: str, destination: str = "198.51.100.2", ports: tuple[int, int] = (56324, 443)) -> bytes:
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {ports[0]} {ports[1]}\r\n".encode()


def binary(command: int, family: int = 0, rest: bytes = b"") -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(rest)) + rest


def addresses(source: str, destination: str = "198.51.100.2", ports: tuple[int, int] = (56324, 443), tlvs: bytes = b"") -> bytes:
    """A header of version 2 that names a client."""
    packed = b"".join(ipaddress.ip_address(address).packed for address in (source, destination))
    return binary(PROXY, 0x21 if ":" in source else 0x11, packed + struct.pack("!HH", *ports) + tlvs)


@dataclasses.dataclass
class Header:
    """`kind` is local, unknown or proxy; places are (address, port)."""

    kind: str
    source: tuple[str, int] | None = None
    destination: tuple[str, int] | None = None


def text(packed: bytes) -> str:
    address = ipaddress.ip_address(packed)
    mapped = address.version == 6 and address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped else str(address)


async def header(reader: asyncio.StreamReader) -> Header:
    """Reads the header that a connection begins with."""
    start = await within(reader.readexactly(6))
    if start == b"PROXY ":
        words = (start + await within(reader.readuntil(b"\r\n"))).decode().split()
        if words[1] == "UNKNOWN":
            return Header("unknown")
        assert words[1] == ("TCP6" if ":" in words[2] else "TCP4") and len(words) == 6, words
        return Header("proxy", (words[2], int(words[4])), (words[3], int(words[5])))
    start += await within(reader.readexactly(10))
    assert start[:12] == SIGNATURE, start
    command, family, length = struct.unpack("!BBH", start[12:])
    rest = await within(reader.readexactly(length))
    if command == LOCAL:
        return Header("local")
    assert command == PROXY
    if family == 0:
        return Header("unknown")
    size = {0x11: 4, 0x21: 16}[family]
    source, destination = (text(rest[start : start + size]) for start in (0, size))
    ports = struct.unpack("!HH", rest[2 * size :])
    return Header("proxy", (source, ports[0]), (destination, ports[1]))


class HeaderBackend:
    """A server by hand, on a port or a Unix socket. Its connections begin with a header: `handler(backend, peer)`. `headers` has those it
    read, and `heads` the heads of requests behind them."""

    def __init__(self, handler, *, tls: ssl.SSLContext | None = None, path: str | None = None):
        self.handler = handler
        self.tls = tls
        self.path = path
        self.headers: list[Header] = []
        self.heads: list[list[str]] = []
        self.tasks: set = set()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.tasks.add(asyncio.current_task())
        try:
            self.headers.append(await header(reader))
            peer = wire.Peer(reader, writer, is_client=False)
            if self.tls:
                await peer.start_tls(self.tls)
            await self.handler(self, peer)
        except (asyncio.IncompleteReadError, AssertionError, OSError):
            # It ended before there was anything to answer.
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()

    async def __aenter__(self) -> "HeaderBackend":
        if self.path:
            self.server = await asyncio.start_unix_server(self._handle, self.path)
            return self
        self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for task in list(self.tasks):
            task.cancel()

    async def head(self, peer: wire.Peer) -> list[str]:
        head = await peer.head()
        self.heads.append(head)
        return head


async def echo(backend: HeaderBackend, peer: wire.Peer):
    """Five bytes come back."""
    await peer.fill(5)
    await peer.send(bytes(peer.buffer))
    peer.buffer.clear()
    await peer.hear_end()


async def websocket(backend: HeaderBackend, peer: wire.Peer):
    """An open WebSocket, polite to its end."""
    head = await backend.head(peer)
    key = next(field for field in head if field.lower().startswith("sec-websocket-key:")).split(": ")[1]
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    await peer.send("\r\n".join([*lines, f"Sec-WebSocket-Accept: {raw.accept_key(key)}", "", ""]).encode())
    if "User-Agent: gateway-health-check" in head:
        # A ping of 8 bytes, in 14 with its header and mask.
        await peer.fill(14)
        await peer.send(peer.frame(raw.PONG, raw.masked(bytes(peer.buffer[6:14]), bytes(peer.buffer[2:6]))))
        del peer.buffer[:14]
    await peer.follow()


async def http(backend: HeaderBackend, peer: wire.Peer):
    """The same answer to each request."""
    while True:
        await backend.head(peer)
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
