"""The traffic that is counted: sessions and plain requests through the real gateway, between a client and a backend that
do almost nothing.

All messages are alike, and so are all requests, so both only count bytes.
"""

import asyncio
import base64
import contextlib
import hashlib
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "IntegrationTests"))

from gateway_process import PATIENCE, Gateway, insecure  # noqa: E402

PAYLOAD = bytes(range(64))
KEY = bytes([0x11, 0x22, 0x33, 0x44])
# The message as a client sends it, and as a server does.
MASKED = bytes([0x82, 0x80 | len(PAYLOAD)]) + KEY + bytes(byte ^ KEY[index % 4] for index, byte in enumerate(PAYLOAD))
UNMASKED = bytes([0x82, len(PAYLOAD)]) + PAYLOAD

UPGRADE = (
    b"GET /budget HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


# A plain request as browsers send it, less what is long, and an answer as servers give it.
REQUEST = (
    b"GET /budget?of=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\n"
    b"Cookie: session=0123456789abcdef\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: budget\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
    b"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"2d-432a5e4a\"\r\nContent-Length: 1024\r\n\r\n" + bytes(1024)
)


class WebSocketEcho(asyncio.Protocol):
    """A relay's backend: answers the upgrade, then each message with one."""

    def connection_made(self, transport):
        self.transport = transport
        self.head = bytearray()
        self.is_open = False
        self.waiting = 0

    def data_received(self, data: bytes):
        if not self.is_open:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            head, data = bytes(self.head).split(b"\r\n\r\n", 1)
            self.is_open = True
            key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)[1]
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
        self.waiting += len(data)
        messages, self.waiting = divmod(self.waiting, len(MASKED))
        if messages:
            self.transport.write(UNMASKED * messages)


class WebServer(asyncio.Protocol):
    """The backend of plain requests."""

    def connection_made(self, transport):
        self.transport = transport
        self.received = bytearray()

    def data_received(self, data: bytes):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            del self.received[: end + 4]
            self.transport.write(ANSWER)


class TCPEcho(asyncio.Protocol):
    """The TCP server behind a bridge."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data: bytes):
        self.transport.write(data)


class Client(asyncio.Protocol):
    """A session's client."""

    message = MASKED
    answer = len(UNMASKED)

    def __init__(self):
        loop = asyncio.get_running_loop()
        self.opened = loop.create_future()
        self.finished = None
        self.head = bytearray()
        self.waiting = 0

    def connection_made(self, transport):
        self.transport = transport
        transport.write(UPGRADE)

    def data_received(self, data: bytes):
        if not self.opened.done():
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            head, data = bytes(self.head).split(b"\r\n\r\n", 1)
            if not head.startswith(b"HTTP/1.1 101 "):
                return self.opened.set_exception(AssertionError(f"no session: {head.decode('latin-1')}"))
            self.opened.set_result(None)
        self.waiting += len(data)
        answers, self.waiting = divmod(self.waiting, self.answer)
        if not answers:
            return
        self.missing -= answers
        if self.missing == 0:
            return self.finished.set_result(None)
        more = min(answers, self.unsent)
        self.unsent -= more
        self.transport.write(self.message * more)

    def connection_lost(self, error):
        for future in (self.opened, self.finished):
            if future and not future.done():
                future.set_exception(AssertionError(f"the session ended: {error}"))

    async def exchange(self, messages: int, in_flight: int = 1):
        """Sends messages and gets as many answers; `in_flight` are in flight at any time."""
        self.finished = asyncio.get_running_loop().create_future()
        first = min(messages, in_flight)
        self.missing = messages
        self.unsent = messages - first
        self.transport.write(self.message * first)
        await self.finished


class PlainClient(Client):
    """A client that keeps its connection for plain requests. The answers have the length of the first."""

    message = REQUEST

    def connection_made(self, transport):
        self.transport = transport
        self.missing, self.unsent = 0, 0
        transport.write(REQUEST)

    def data_received(self, data: bytes):
        if self.opened.done():
            return super().data_received(data)
        self.head += data
        head, end, body = bytes(self.head).partition(b"\r\n\r\n")
        if len(body) < 1024:
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            return self.opened.set_exception(AssertionError(f"no answer: {head.decode('latin-1')}"))
        self.answer = len(self.head)
        self.opened.set_result(None)


# The kinds of sessions.
RELAY, TLS_RELAY, ECHO, BRIDGE = "relay", "relay over TLS", "echo", "bridge"
KINDS = (RELAY, TLS_RELAY, ECHO, BRIDGE)
# Not a session: its messages are requests.
PLAIN = "plain request"


class Traffic:
    """A gateway and sessions of one kind."""

    def __init__(self, gateway: Gateway, kind: str):
        self.gateway = gateway
        self.kind = kind
        self.clients: list[Client] = []

    async def open(self, count: int):
        """Opens more sessions, and waits until the gateway has logged that they are open."""
        is_secure = self.kind == TLS_RELAY
        address = self.gateway.secure if is_secure else self.gateway.plain
        context = insecure() if is_secure else None
        loop = asyncio.get_running_loop()
        kind = PlainClient if self.kind == PLAIN else Client
        for _ in range(count):
            _, client = await loop.create_connection(kind, *address, ssl=context)
            await asyncio.wait_for(client.opened, PATIENCE)
            self.clients.append(client)
        if self.kind != PLAIN:
            await self.gateway.events(len(self.clients), "open")

    async def exchange(self, round_trips: int, in_flight: int = 1):
        """Exchanges messages, equally many in each session."""
        share, rest = divmod(round_trips, len(self.clients))
        assert rest == 0, "messages cannot be dealt out evenly"
        await asyncio.gather(*(client.exchange(share, in_flight) for client in self.clients))

    async def close(self):
        """Ends all sessions, and waits until the gateway has logged that they have ended."""
        for client in self.clients:
            client.transport.abort()
        if self.kind != PLAIN:
            await self.gateway.events(len(self.clients), "close")


@contextlib.asynccontextmanager
async def traffic(kind: str, *, wrapper: tuple = (), environment: dict | None = None):
    """A gateway with one worker, ready for sessions of this kind. Leaving the block ends it and checks for status 0."""
    loop = asyncio.get_running_loop()
    peer = {BRIDGE: TCPEcho, PLAIN: WebServer}.get(kind, WebSocketEcho)
    server = await loop.create_server(peer, "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    backend = {
        ECHO: {"builtin": "echo"},
        BRIDGE: {"tcp": [f"127.0.0.1:{port}"]},
    }.get(kind, {"websocket": [f"ws://127.0.0.1:{port}"]})
    routes = [{"path": "/*", "backend": "peer", "origins": "any"} | ({"http": "pass"} if kind == PLAIN else {})]
    try:
        async with Gateway(
            wrapper=wrapper, environment=environment, routes=routes, backends={"peer": backend}
        ) as gateway:
            this = Traffic(gateway, kind)
            yield this
            await this.close()
    finally:
        server.close()


def messages(kind: str, round_trips: int) -> int:
    """How many messages the gateway reads and sends: both ways, unless it answers itself. A request counts with its answer."""
    return round_trips if kind in (ECHO, PLAIN) else 2 * round_trips
