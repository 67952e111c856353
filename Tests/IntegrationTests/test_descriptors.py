"""However connections end, the gateway then has as many descriptors as before: a thousand connections for each way, many at a time."""

import asyncio
import contextlib
import dataclasses
import re
import resource
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

import pytest

import raw
from gateway_process import PATIENCE, Gateway, command, insecure
from peers import refusing_port, silent_port

COUNT = 1000
# More at a time than the gateway takes in one turn, fewer than would wait for each other until a time is over.
AT_ONCE = 100


class Backend(asyncio.Protocol):
    """A server that does what the last part of the path says."""

    answered = False
    does = ""

    def connection_made(self, transport: asyncio.Transport):
        self.transport = transport
        self.head = b""

    def data_received(self, data: bytes):
        if self.answered:
            return self.frames_received(data)
        self.head += data
        if self.head[0] == 0x16:
            # A TLS handshake.
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return self.transport.close()
        if b"\r\n\r\n" not in self.head:
            return
        self.answered = True
        self.does = self.head.split(b" ")[1].rsplit(b"/", 1)[1].decode()
        match self.does:
            case "refuses":
                self.transport.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
                self.transport.close()
            case "talks-nonsense":
                self.transport.write(b"hello\r\n\r\n")
            case "hangs-up":
                self.transport.close()
            case "says-nothing":
                pass
            case _:
                self.accept()

    def accept(self):
        key = self.head.lower().split(b"sec-websocket-key: ")[1].split(b"\r\n")[0]
        key = self.head[self.head.lower().index(key) :][: len(key)].decode()
        answer = (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {raw.accept_key(key)}\r\n\r\n"
        ).encode()
        frames = {
            "closes": raw.close(4002, mask=None), "breaks-a-rule": raw.frame(0x3, mask=None),
            "sends-bad-text": raw.frame(raw.TEXT, b"\xff", mask=None),
            "sends-too-much": raw.frame(raw.BINARY, bytes(2048), mask=None),
            "sends-fragments": raw.frame(raw.TEXT, fin=False, mask=None) + 9 * raw.frame(raw.CONTINUATION, fin=False, mask=None),
            "sends-half-a-frame": raw.frame(raw.BINARY, bytes(100), mask=None)[:50],
        }
        self.transport.write(answer + frames.get(self.does, b""))
        if self.does in ("ends", "sends-half-a-frame"):
            self.transport.close()
        if self.does == "resets":
            reset(self.transport.get_extra_info("socket"))
            self.transport.abort()

    def frames_received(self, data: bytes):
        # The gateway sends a Close. All clients but the silent ones answer it.
        if self.does != "is-mute" and data[0] & 0xF == raw.CLOSE:
            self.transport.write(raw.close(4001, mask=None))
            self.transport.close()


class Server(asyncio.Protocol):
    """The server of a bridge. It ends when it is told to, or when its client has ended."""

    def connection_made(self, transport: asyncio.Transport):
        self.transport = transport

    def data_received(self, data: bytes):
        if data == b"reset":
            reset(self.transport.get_extra_info("socket"))
            self.transport.abort()
        if data == b"end":
            self.transport.close()


def reset(sock: socket.socket):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Client:
    """A connection with little overhead, because there are tens of thousands."""

    def __init__(self, sock: socket.socket):
        self.sock = sock

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, address: tuple[str, int]):
        with socket.socket() as sock:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, address)
            yield cls(sock)

    async def send(self, data: bytes):
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def some(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, 65536)

    async def end(self) -> bytes:
        """The bytes until the gateway ends the connection."""
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := await self.some():
                received += data
        return received

    async def opened(self, path: str):
        """A session, read up to its 101. `end` returns what comes behind that."""
        await self.send(raw.upgrade(path))
        head = b""
        while b"\r\n\r\n" not in head:
            data = await self.some()
            assert data, head
            head += data
        assert head.startswith(b"HTTP/1.1 101"), head
        return head.split(b"\r\n\r\n", 1)[1]

    def reset(self):
        reset(self.sock)


@dataclasses.dataclass
class Way:
    act: Callable[["Scene"], Awaitable]
    at_once: int = AT_ONCE


class Scene:
    def __init__(self, gateway: Gateway):
        self.gateway = gateway
        self.context = insecure()
        self.strict = ssl.create_default_context()
        self.h2 = insecure()
        self.h2.set_alpn_protocols(["h2"])

    def client(self):
        return Client.at(self.gateway.plain)

    def secure(self):
        return Client.at(self.gateway.secure)

    def hello(self) -> bytes:
        outgoing = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            self.context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
        return outgoing.read()

    async def shakes_hands(self, context: ssl.SSLContext) -> "raw.Connection":
        return await raw.Connection.open(self.gateway.secure, ssl=context, server_hostname="127.0.0.1")


WAYS: dict[str, Way] = {}


def way(name: str, at_once: int = AT_ONCE):
    def add(act):
        WAYS[name] = Way(act, at_once)
        return act

    return add


# Refused: what is sent, and the answer's status


def refused(name: str, request: bytes, status: int, at_once: int = AT_ONCE):
    @way(f"{status}-{name}", at_once)
    async def ask(s: Scene):
        async with s.client() as client:
            await client.send(request)
            answer = await client.end()
            assert answer.startswith(b"HTTP/1.1 %d " % status), answer


PLAIN = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
refused("page", PLAIN % b"/", 200)
refused("malformed", b"GET / HTTP/1.1\nHost: a\n\n", 400)
refused("no-key", raw.upgrade(without=("Sec-WebSocket-Key",)), 400)
refused("origin", raw.upgrade("/echo", "Origin: http://evil.example"), 403)
refused("no-route", raw.upgrade("/nowhere"), 404)
refused("method", raw.upgrade(method="POST"), 405)
refused("slow-head", b"GET /ec", 408, COUNT)
refused("plain-request", PLAIN % b"/echo", 426)
refused("long-head", raw.upgrade("/" + "a" * (17 << 10)), 431)
refused("by-the-backend", raw.upgrade("/app/refuses"), 403)
refused("backend-talks-nonsense", raw.upgrade("/app/talks-nonsense"), 502)
refused("backend-hangs-up", raw.upgrade("/app/hangs-up"), 502)
refused("backend-is-down", raw.upgrade("/down"), 502)
refused("backend-speaks-no-tls", raw.upgrade("/no-tls"), 502)
refused("backend-cannot-be-verified", raw.upgrade("/unverified"), 502)
refused("backend-does-not-connect", raw.upgrade("/never"), 504, COUNT)
refused("backend-says-nothing", raw.upgrade("/impatient/says-nothing"), 504, COUNT)
refused("no-endpoint-is-up", raw.upgrade("/drained"), 503)


# Gone, in each phase


@way("gone-at-once")
async def gone_at_once(s: Scene):
    async with s.client():
        pass


def gone(name: str, request: bytes, secure=False):
    for how in ("end", "reset"):

        @way(f"gone-{name}-{how}")
        async def go(s: Scene, how=how):
            async with s.secure() if secure else s.client() as client:
                await client.send(request or s.hello())
                if how == "reset":
                    return client.reset()
                client.sock.shutdown(socket.SHUT_WR)
                await client.end()


gone("in-the-head", raw.upgrade()[:-2])
gone("while-it-connects", raw.upgrade("/never"))
gone("in-the-backends-handshake", raw.upgrade("/app/says-nothing"))
gone("behind-the-request", raw.upgrade("/app/is-polite"))
gone("in-the-tls-handshake", b"", secure=True)


@way("gone-in-the-session-end")
async def gone_in_the_session(s: Scene):
    async with s.client() as client:
        await client.opened("/app/is-polite")
        client.sock.shutdown(socket.SHUT_WR)
        await client.end()


@way("gone-in-the-session-reset")
async def reset_in_the_session(s: Scene):
    async with s.client() as client:
        await client.opened("/app/is-polite")
        client.reset()


@way("gone-in-the-middle-of-a-frame")
async def gone_in_a_frame(s: Scene):
    async with s.client() as client:
        await client.opened("/app/is-polite")
        await client.send(raw.frame(raw.BINARY, bytes(100))[:50])
        client.reset()


@way("gone-while-it-closes")
async def gone_while_it_closes(s: Scene):
    async with s.client() as client:
        await client.opened("/app/closes")
        client.reset()


# TLS that fails, and TLS that does not


def answered(name: str, data: bytes):
    @way(name)
    async def ask(s: Scene):
        async with s.secure() as client:
            await client.send(data)
            await client.end()


answered("tls-is-not-spoken", PLAIN % b"/")
answered("tls-is-broken", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")


@way("tls-is-not-trusted")
async def tls_is_not_trusted(s: Scene):
    with pytest.raises(ssl.SSLError):
        await s.shakes_hands(s.strict)


@way("tls-is-for-another-protocol")
async def tls_is_for_another_protocol(s: Scene):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await s.shakes_hands(s.h2)


@way("tls-and-gone")
async def tls_and_gone(s: Scene):
    async with await s.shakes_hands(s.context):
        pass


@way("tls-session")
async def tls_session(s: Scene):
    async with await s.shakes_hands(s.context) as connection:
        await connection.send(raw.upgrade("/echo"))
        assert (await connection.response()).status == 101
        await connection.send(raw.close(4001))
        assert (await connection.frame()).code == 4001
        await connection.lost()


# Sessions, by their cause


def code_of_close(frames: bytes) -> int | None:
    """The code of the first Close among small frames."""
    while len(frames) >= 2 and len(frames) >= 2 + frames[1]:
        if frames[0] & 0xF == raw.CLOSE:
            return struct.unpack("!H", frames[2:4])[0]
        frames = frames[2 + frames[1] :]
    return None


def closed(name: str, path: str, code: int, *sent: bytes, at_once: int = AT_ONCE):
    """Sends these frames in a session, expects a Close with this code, and answers it."""

    @way(name, at_once)
    async def close(s: Scene):
        async with s.client() as client:
            received = await client.opened(path)
            if sent:
                await client.send(b"".join(sent))
            while (got := code_of_close(received)) is None and (data := await client.some()):
                received += data
            assert got == code, received
            if not sent or sent[-1][0] & 0xF != raw.CLOSE:
                await client.send(raw.close(code))
            await client.end()


BYE = raw.close(4001)
closed("client-closed", "/app/is-polite", 4001, BYE)
closed("client-closed-echo", "/echo", 4001, raw.frame(raw.CLOSE, b"\x0f\xa1"))
closed("client-closed-room", "/rooms/one", 4001, BYE)
closed("client-closed-bridge", "/tcp", 4001, BYE)
closed("backend-closed", "/app/closes", 4002)
closed("backend-closed-bridge", "/tcp", 1000, raw.frame(raw.BINARY, b"end"))
closed("backend-gone-end", "/app/ends", 1011)
closed("backend-gone-reset", "/app/resets", 1011)
closed("backend-gone-bridge", "/tcp", 1011, raw.frame(raw.BINARY, b"reset"))
closed("protocol-error-by-client", "/app/is-polite", 1002, raw.frame(0x3))
closed("protocol-error-by-backend", "/app/breaks-a-rule", 1011)
closed("invalid-data-by-client", "/strict/is-polite", 1007, raw.frame(raw.TEXT, b"\xff"))
closed("invalid-data-by-backend", "/strict/sends-bad-text", 1011)
closed("message-too-big-by-client", "/strict/is-polite", 1009, raw.frame(raw.BINARY, bytes(2048)))
closed("message-too-big-by-backend", "/strict/sends-too-much", 1011)
FRAGMENTS = [raw.frame(raw.TEXT, fin=False), *9 * [raw.frame(raw.CONTINUATION, fin=False)]]
closed("too-many-fragments-by-client", "/strict/is-polite", 1009, *FRAGMENTS)
closed("too-many-fragments-by-backend", "/strict/sends-fragments", 1011)
closed("idle-timeout", "/idle/is-polite", 1001, at_once=COUNT)
closed("session-timeout", "/short/is-polite", 1001, at_once=COUNT)
closed("client-ping-timeout", "/beaten-echo", 1001, at_once=COUNT)
closed("backend-ping-timeout", "/beaten/is-polite", 1011, at_once=COUNT)
closed("backend-stalled", "/curt/is-mute", 1011, BYE, at_once=COUNT)


@way("backend-gone-in-the-middle-of-a-frame")
async def backend_gone_in_a_frame(s: Scene):
    async with s.client() as client:
        await client.opened("/app/sends-half-a-frame")
        await client.end()


@way("client-stalled", COUNT)
async def client_stalled(s: Scene):
    """The client gets a Close and does not answer."""
    async with s.client() as client:
        await client.opened("/curt/closes")
        await client.end()


class Quiet(Gateway):
    """A gateway that logs to a file, because it writes a hundred thousand lines and the test reads none of them."""

    async def _listening(self):
        # Standard error still says where it serves.
        urls = re.findall(r"(wss?)://([0-9.]+):(\d+)", await self.log.first_line())
        self.addresses = [(host, int(port)) for _, host, port in urls]
        self.is_secure = [scheme == "wss" for scheme, _, _ in urls]


@contextlib.asynccontextmanager
async def scene(authority):
    loop = asyncio.get_running_loop()
    tls = authority.issue("127.0.0.1").server_context()
    servers = [
        await loop.create_server(kind, "127.0.0.1", 0, backlog=4096, ssl=context)
        for kind, context in ((Backend, None), (Server, None), (Backend, tls))
    ]
    app, tcp, unverified = (server.sockets[0].getsockname()[1] for server in servers)
    (down, down_port), (silent, silent_port_number) = refusing_port(), silent_port()

    def route(name: str, **keys) -> dict:
        return {"path": f"/{name}/*", "backend": "app", **keys}

    def exact(name: str, **keys) -> dict:
        return {"path": f"/{name}", "backend": name, **keys}

    heartbeat = {"interval": "500ms", "timeout": "500ms"}
    small = {"message": "1KiB", "backend-message": "1KiB", "fragments": 8, "backend-fragments": 8}
    routes = [
        {"path": "/", "page": "console"}, {"path": "/rooms/*", "backend": "rooms"},
        *map(exact, ("echo", "tcp", "down", "no-tls", "unverified", "drained")), exact("never", timeouts={"connect": "1s"}),
        route("app"), route("strict", utf8="check", limits=small), route("impatient", timeouts={"handshake": "1s"}),
        route("idle", timeouts={"idle": "500ms"}), route("short", timeouts={"session": "1s"}),
        {"path": "/beaten-echo", "backend": "echo", "heartbeat": heartbeat}, {"path": "/beaten/*", "backend": "beaten"},
        route("curt", timeouts={"close": "300ms"}),
    ]

    def backend(port: int, scheme="ws", **keys) -> dict:
        return {"websocket": [f"{scheme}://127.0.0.1:{port}"], **keys}

    backends = {
        "echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}, "tcp": {"tcp": [f"127.0.0.1:{tcp}"]},
        "app": backend(app), "down": backend(down_port), "never": backend(silent_port_number), "no-tls": backend(app, "wss"),
        "unverified": backend(unverified, "wss"), "drained": backend(app),
        "beaten": backend(app, heartbeat=heartbeat),
    }
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        for sock in (down, *silent):
            stack.enter_context(sock)
        gateway = Quiet(
            routes=routes, backends=backends, defaults={"timeouts": {"handshake": "2s"}})
        gateway.configuration["log"]["file"] = str(gateway.folder / "gateway.log")
        gateway.configuration["admin"] = f"unix:{gateway.folder}/admin.sock"
        yield Scene(await stack.enter_async_context(gateway))


async def times(count: int, chosen: Way, s: Scene):
    left = iter(range(count))

    async def some():
        for _ in left:
            async with asyncio.timeout(PATIENCE):
                await chosen.act(s)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(count, chosen.at_once)):
            group.create_task(some())


async def test_no_way_to_end_leaves_a_descriptor(authority):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    try:
        async with scene(authority) as s:
            await command("drain", "drained", "--config", s.gateway.file)
            # What the gateway opens once, it has.
            await asyncio.gather(*(times(2, chosen, s) for chosen in WAYS.values()))
            before = s.gateway.open_files()
            leaks = {}
            for name, chosen in WAYS.items():
                await times(COUNT, chosen, s)
                if not await s.gateway.has_open_files(before):
                    leaks[name] = s.gateway.open_files() - before
                    before += leaks[name]
            assert leaks == {}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
