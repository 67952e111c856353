"""Health of endpoints: active checks of backends that hang, die and lie, the effect of failed sessions, and the recovery."""

import asyncio
import contextlib
import pathlib
import signal
import socket
import sys
import time

import pytest

import raw
from gateway_process import PATIENCE, Gateway, tell, within
from peers import WebSocketBackend, client, refusing_port, relay

PROCESS = pathlib.Path(__file__).with_name("echo_process.py")
DEBUG = {"format": "json", "level": "debug"}
UPGRADE = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n"

INTERVAL, TIMEOUT, RISE, FALL = 0.3, 0.3, 2, 3
CHECK = {"check": "websocket", "interval": "300ms", "timeout": "300ms", "rise": RISE, "fall": FALL}


class Backend:
    """A server in a process of its own, always on the same port. `port` is reserved, whether it runs or not."""

    def __init__(self):
        self.reservation = socket.socket()
        self.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.reservation.bind(("127.0.0.1", 0))
        self.port = self.reservation.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, PROCESS, str(self.port), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        assert await within(self.process.stdout.readline())

    async def kill(self):
        tell(self.process, signal.SIGKILL)
        await self.process.wait()

    async def __aenter__(self) -> "Backend":
        await self.start()
        return self

    async def __aexit__(self, *error):
        if self.process.returncode is None:
            await self.kill()
        self.reservation.close()


class Moody:
    """A server that behaves as `mood` says: upgrades and answers pings, answers with a status, or upgrades and is then silent."""

    def __init__(self, mood: str | int = "good"):
        self.mood = mood
        self.requests: list[str] = []
        self.tasks: set = set()

    async def _handle(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        connection = raw.Connection(reader, writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            line, *fields = await connection.head()
            self.requests.append(line)
            fields = dict(field.split(": ", 1) for field in fields)
            if isinstance(self.mood, int):
                await connection.send(f"HTTP/1.1 {self.mood} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            elif "Sec-WebSocket-Key" not in fields:
                await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                await connection.send(UPGRADE.format(raw.accept_key(fields["Sec-WebSocket-Key"])).encode())
                while (frame := await connection.frame()).opcode != raw.CLOSE:
                    if self.mood == "good" and frame.opcode == raw.PING:
                        await connection.send(bytes([0x8A, len(frame.payload)]) + frame.payload)
                await connection.send(bytes([0x88, len(frame.payload)]) + frame.payload)
        writer.close()
        self.tasks.discard(asyncio.current_task())

    async def __aenter__(self) -> "Moody":
        self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for task in list(self.tasks):
            task.cancel()


def gateway_for(*urls: str, log=DEBUG, defaults: dict | None = None, **keys) -> Gateway:
    return relay({"websocket": list(urls), **keys}, log=log, defaults=defaults or {})


async def change(gateway: Gateway, url: str, to: str, count: int = 1) -> dict:
    return (await gateway.events(count, "health", endpoint=url, to=to))[-1]


async def served_by(gateway: Gateway, count: int) -> set[str]:
    """The endpoints of this many new sessions, none of which may fail."""
    before = len(gateway.log.matching("open"))
    for _ in range(count):
        async with client(gateway.ws("/app")) as connection:
            await connection.send("x")
            assert await within(connection.recv()) == "x"
    records = await gateway.events(before + count, "open")
    return {record["endpoint"] for record in records[before:]}


async def goes_down(gateway: Gateway, url: str, since: float) -> dict:
    """Waits until the endpoint is down. That must come with the last permitted failure, not before, and in the expected time."""
    record = await change(gateway, url, "down")
    took = time.monotonic() - since
    before = gateway.log.records[: gateway.log.records.index(record)]
    checks = [each["result"] for each in before if each.get("event") == "health-check" and each["endpoint"] == url]
    assert checks[-FALL:] == ["failed"] * FALL and set(checks[:-FALL]) <= {"passed"}, checks
    # What is asked for, and what a busy machine adds.
    assert took < FALL * INTERVAL + TIMEOUT + PATIENCE / 4
    return record


async def comes_up(gateway: Gateway, url: str):
    record = await change(gateway, url, "up")
    assert record["from"] == "down" and record["reason"] == f"{RISE} checks passed" and record["level"] == "info"


# Active checks


async def test_a_backend_that_is_stopped_is_down_until_it_goes_on():
    """Meanwhile it accepts connections, because the kernel does."""
    async with Backend() as one, Backend() as other, gateway_for(one.url, other.url, health=CHECK) as gateway:
        await gateway.events(1, "health-check", endpoint=one.url, result="passed")
        assert await served_by(gateway, 4) == {one.url, other.url}
        tell(one.process, signal.SIGSTOP)
        try:
            record = await goes_down(gateway, one.url, time.monotonic())
            assert record["from"] == "up" and record["backend"] == "app" and record["level"] == "warning"
            assert record["reason"] == "check: no answer to the opening handshake within 300ms"
            assert await served_by(gateway, 6) == {other.url}
        finally:
            tell(one.process, signal.SIGCONT)
        await comes_up(gateway, one.url)
        assert await served_by(gateway, 6) == {one.url, other.url}
        assert not gateway.log.matching("health", endpoint=other.url)


async def test_a_backend_that_is_killed_is_down_until_it_is_back():
    async with Backend() as one, Backend() as other, gateway_for(one.url, other.url, health=CHECK) as gateway:
        await gateway.events(1, "health-check", endpoint=one.url, result="passed")
        await one.kill()
        record = await goes_down(gateway, one.url, time.monotonic())
        assert record["reason"] == "check: Connection refused"
        assert await served_by(gateway, 6) == {other.url}
        await one.start()
        await comes_up(gateway, one.url)
        assert await served_by(gateway, 6) == {one.url, other.url}


@pytest.mark.parametrize(
    "mood, reason", [(500, "answered 500"), ("mute", "the pong did not come within 300ms")], ids=["500", "mute"]
)
async def test_a_backend_that_does_not_work_is_down_until_it_does(mood, reason):
    async with Moody() as one, Backend() as other, gateway_for(one.url, other.url, health=CHECK) as gateway:
        await gateway.events(1, "health-check", endpoint=one.url, result="passed")
        one.mood = mood
        assert (await goes_down(gateway, one.url, time.monotonic()))["reason"] == f"check: {reason}"
        assert await served_by(gateway, 6) == {other.url}
        one.mood = "good"
        await comes_up(gateway, one.url)


async def test_when_all_are_down_clients_hear_503():
    async with Moody(503) as backend, gateway_for(backend.url, health=CHECK) as gateway:
        await change(gateway, backend.url, "down")
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        assert response.status == 503 and response.field("Retry-After")
        backend.mood = "good"
        await change(gateway, backend.url, "up")
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 101


async def test_a_check_ends_in_good_order():
    async with WebSocketBackend() as backend:
        async with gateway_for(f"ws://127.0.0.1:{backend.port}/inner", health=CHECK) as gateway:
            for _ in range(3):
                assert await backend.closed() == (1000, "health check passed")
            assert all(request.path == "/inner" for request in backend.requests)
            assert all(request.headers["Host"] == f"127.0.0.1:{backend.port}" for request in backend.requests)
            assert not gateway.log.matching("health")


async def test_what_a_check_asks_for():
    health = {**CHECK, "path": "/live?x=1", "host": "chat.internal", "subprotocol": "chat.v2"}
    async with WebSocketBackend(subprotocols=["chat.v2"]) as backend:
        async with gateway_for(f"ws://127.0.0.1:{backend.port}", health=health) as gateway:
            assert await backend.closed() == (1000, "health check passed")
            request = backend.requests[0]
            assert (request.path, request.headers["Host"]) == ("/live?x=1", "chat.internal")
            assert backend.connections[0].subprotocol == "chat.v2"
            await gateway.event("health-check", result="passed")


async def test_an_http_check_of_a_bridge():
    health = {"check": "http", "interval": "100ms", "path": "/live", "fall": 1, "rise": 1}
    async with Moody() as backend:
        settings = {"tcp": [f"127.0.0.1:{backend.port}"], "health": health}
        async with relay(settings, log=DEBUG) as gateway:
            await gateway.event("health-check", result="passed")
            assert backend.requests[0] == "GET /live HTTP/1.1"
            backend.mood = 404
            assert (await gateway.event("health", to="down"))["reason"] == "check: answered 404"
            assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 503
            backend.mood = "good"
            assert (await gateway.event("health", to="up"))["reason"] == "1 check passed"


async def test_a_secure_endpoint_is_checked_with_its_certificate(authority):
    async with WebSocketBackend(ssl=authority.issue("localhost").server_context()) as backend:
        url = f"wss://localhost:{backend.port}"
        tls = {"ca": str(authority.file)}
        async with gateway_for(url, health=CHECK, tls=tls) as gateway:
            await gateway.event("health-check", result="passed")
            assert await backend.closed() == (1000, "health check passed")
        async with gateway_for(url, health=CHECK) as gateway:
            assert (await change(gateway, url, "down"))["reason"].startswith("check: TLS: ")


# What sessions notice


async def test_failures_of_sessions_eject_and_the_time_doubles():
    eject = {"failures": 2, "for": "100ms"}
    sock, port = refusing_port()
    with sock:
        dead = f"ws://127.0.0.1:{port}"
        async with Backend() as other, gateway_for(dead, other.url, eject=eject) as gateway:
            # Nobody hears of the dead one: another endpoint is tried.
            assert await served_by(gateway, 4) == {other.url}
            record = await change(gateway, dead, "down")
            assert record["reason"].startswith("ejected: 2 failures in a row, the last: ")
            assert (await change(gateway, dead, "up"))["reason"] == "the ejection is over"
            # One more is enough.
            assert await served_by(gateway, 2) == {other.url}
            assert (await change(gateway, dead, "down", 2))["reason"].startswith("ejected: 3 failures in a row, ")
            await change(gateway, dead, "up", 2)


async def test_the_last_endpoint_is_not_ejected():
    eject = {"failures": 1, "for": "1h"}
    backend = Backend()
    async with gateway_for(backend.url, eject=eject) as gateway:
        for _ in range(3):
            assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
        async with backend:
            assert await served_by(gateway, 2) == {backend.url}
        assert not gateway.log.matching("health")


async def test_heartbeats_of_live_sessions_take_an_endpoint_down_before_they_are_cut():
    beat = {"interval": "300ms", "timeout": "8s"}
    async with Backend() as one, Backend() as other:
        async with gateway_for(one.url, other.url, defaults={"heartbeat": beat}) as gateway, contextlib.AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(client(gateway.ws("/app"))) for _ in range(8)]
            assert len(await gateway.events(4, "open", endpoint=one.url)) == 4
            tell(one.process, signal.SIGSTOP)
            try:
                record = await change(gateway, one.url, "down")
                assert record["reason"].startswith("heartbeats: ") and record["reason"].endswith(" of 4 sessions wait for a pong")
                assert await served_by(gateway, 4) == {other.url}
            finally:
                tell(one.process, signal.SIGCONT)
            assert (await change(gateway, one.url, "up"))["reason"].startswith("heartbeats: ")
            # All that they waited for was a pong.
            for connection in connections:
                await connection.send("still there")
                assert await within(connection.recv()) == "still there"
