"""One client's exchanges, one after the other: what the end of one, a drain or a reload means for the next. What waits at a client that
reads nothing."""

import asyncio
import contextlib
import os
import signal
import socket
import ssl

import raw
from admin import admin, metrics
from certificates import Authority
from gateway_process import Gateway, tell, until, within
from peers import MIB
from test_cable import keepalive
from test_pass import OK, Backend, request, rest, scene
from test_restart import Successor

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: <%b>\r\n\r\n" % (b"a" * (60 << 10))
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
LAST_PIECE = b"1\r\nb\r\n0\r\n\r\n"


# The backend's connection


async def test_a_connection_that_ended_with_its_answer_takes_no_request():
    async def handler(connection):
        await connection.head()
        with socket.socket(fileno=os.dup(connection.writer.get_extra_info("socket").fileno())) as sock:
            # The answer and the end in one packet.
            sock.send(OK, socket.MSG_MORE)
            sock.shutdown(socket.SHUT_WR)
        await connection.reader.read()

    async with scene(handler) as (backend, gateway, client):
        for count in range(1, 4):
            await client.send(request("POST /", "Content-Length: 0"))
            assert (await client.response()).status == 200
            assert backend.connections == count


class SecureBackend(Backend):
    """The same with TLS."""

    def __init__(self, context: ssl.SSLContext, handler):
        super().__init__(handler)
        self.context = context

    async def __aenter__(self) -> "SecureBackend":
        self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]
        return self


async def test_answers_of_any_size_keep_a_connection_with_tls(tmp_path):
    async def handler(connection):
        while True:
            size = int((await connection.head())[0].split()[1][1:])
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))

    authority = Authority(tmp_path)
    async with SecureBackend(authority.issue("127.0.0.1").server_context(), handler) as backend:
        backends = {"app": {"websocket": [f"wss://127.0.0.1:{backend.port}"], "tls": {"ca": str(authority.file)}}}
        routes = [{"path": "/*", "backend": "app", "http": "pass"}]
        async with Gateway(routes=routes, backends=backends) as gateway, await raw.Connection.open(gateway.plain) as client:
            for size in (0, 1, 20_000, 70_000, 300_000, 3_000_000, 1):
                await client.send(request(f"GET /{size}"))
                assert len((await client.response()).body) == size
        assert backend.connections == 1


async def test_an_upgrade_has_its_backend_connection_and_no_other():
    files = []

    async def handler(connection):
        while "GET /page HTTP/1.1" in await connection.head():
            await connection.send(OK)
        files.append(gateway.open_files())
        await connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /page"))
        assert (await client.response()).body == b"ok"
        files.append(gateway.open_files())
        await client.send(raw.upgrade("/socket"))
        assert (await client.response()).status == 403
        assert backend.connections == 2
        assert files[1] == files[0]


async def test_after_a_reload_requests_go_over_a_connection_of_the_new_configuration():
    sources = []

    async def handler(connection):
        while True:
            await connection.head()
            sources.append(connection.writer.get_extra_info("peername")[0])
            await connection.send(OK)

    async with scene(handler) as (backend, gateway, client):
        for number in range(2):
            await client.send(request("GET /"))
            assert (await client.response()).body == b"ok"
            app = gateway.configuration["backends"]["app"]
            await gateway.reload(backends={"app": {**app, "source": "127.0.0.2"}})
        assert sources == ["127.0.0.1", "127.0.0.2"]


async def test_a_request_without_an_endpoint_is_not_logged_with_that_of_the_last_one():
    routes = [{"path": f"/{name}", "backend": name, "http": "pass"} for name in ("first", "second")]
    async with Backend() as one, Backend() as other:
        backends = {"first": {"websocket": [f"ws://127.0.0.1:{one.port}"]},
                    "second": {"websocket": [f"ws://127.0.0.1:{other.port}"]}}
        running = Gateway(routes=routes, backends=backends, admin="127.0.0.1:0")
        async with running as gateway, admin(gateway) as session, await raw.Connection.open(gateway.plain) as client:
            async with session.post("/api/drain", json={"backend": "second"}) as response:
                assert response.status == 200
            await client.send(request("GET /first"))
            assert (await client.response()).status == 200
            await client.send(request("GET /second"))
            assert (await client.response()).status == 503
            refused = await gateway.event("refused", status=503)
            assert (refused["backend"], refused.get("endpoint")) == ("second", None)


# Quiet answers


async def test_both_sides_of_an_answer_that_pauses_are_probed():
    ports = asyncio.Queue()

    async def handler(connection):
        await connection.head()
        ports.put_nowait(connection.writer.get_extra_info("peername")[1])
        await connection.send(STREAM)
        await connection.reader.read()

    async with scene(handler, defaults={"timeouts": {"request-body": "100ms"}}) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        near, far = client.writer.get_extra_info("sockname")[1], await within(ports.get())
        for local, remote in (gateway.plain[1], near), (far, backend.port):
            assert 1 < await until(lambda: keepalive(local, remote)) <= 25


# Drain


async def test_a_drain_of_a_backend_ends_no_later_exchange_with_another():
    arrived, answer, go = asyncio.Queue(), asyncio.Event(), asyncio.Event()

    async def first(connection):
        head = await connection.head()
        await arrived.put(None)
        if head[0].startswith("GET /first/waits"):
            await connection.reader.read()
        await within(answer.wait())
        await connection.send(OK)

    async def second(connection):
        await connection.head()
        await connection.send(STREAM)
        await within(go.wait())
        await connection.send(LAST_PIECE)

    routes = [{"path": f"/{name}/*", "backend": name, "http": "pass"} for name in ("first", "second")]
    async with Backend(first) as one, Backend(second) as other:
        backends = {"first": {"websocket": [f"ws://127.0.0.1:{one.port}"]},
                    "second": {"websocket": [f"ws://127.0.0.1:{other.port}"]}}
        running = Gateway(routes=routes, backends=backends, admin="127.0.0.1:0", drain={"over": "4s"})
        async with running as gateway, admin(gateway) as session, await raw.Connection.open(gateway.plain) as client, \
                await raw.Connection.open(gateway.plain) as waiting:
            await waiting.send(request("GET /first/waits"))
            await client.send(request("GET /first/x"))
            for _ in range(2):
                await within(arrived.get())
            async with session.post("/api/drain", json={"backend": "first"}) as response:
                assert (await response.json())["sessions"] == 2
            answer.set()
            assert (await client.response()).body == b"ok"
            await client.send(request("GET /second/x"))
            await client.head()
            # Both were to end at the same time.
            assert (await waiting.response()).status == 503
            go.set()
            assert await client.exactly(12 + 5) == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"


def held():
    """A backend that answers one request: its handler, the event that the request has arrived, and the one that it waits for."""
    arrived, go = asyncio.Event(), asyncio.Event()

    async def handler(connection):
        await connection.head()
        arrived.set()
        await within(go.wait())
        await connection.send(OK)

    return handler, arrived, go


async def test_a_drain_gives_the_only_request_all_of_its_time():
    handler, arrived, go = held()

    async with scene(handler, drain={"over": "20s"}) as (backend, gateway, client):
        await client.send(request("GET /"))
        await within(arrived.wait())
        gateway.signal(signal.SIGTERM)
        # They come once a second.
        await gateway.events(2, "draining")
        go.set()
        answer = await client.response()
        assert (answer.status, answer.field("Connection")) == (200, "close")
        client.finish()
        assert await gateway.exited() == 0


async def test_a_drain_gives_the_only_answer_all_of_its_time():
    go = asyncio.Event()

    async def handler(connection):
        await connection.head()
        await connection.send(STREAM)
        await within(go.wait())
        await connection.send(LAST_PIECE)
        await connection.reader.read()

    async with scene(handler, drain={"over": "20s"}) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        gateway.signal(signal.SIGTERM)
        await gateway.events(2, "draining")
        go.set()
        # And then it is not kept until its turn.
        assert await rest(client) == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        client.finish()
        assert await gateway.exited() == 0


async def test_a_request_that_begins_in_a_takeover_has_the_time_of_the_drain():
    handler, arrived, go = held()

    async with scene(handler, drain={"over": "20s"}) as (backend, gateway, client):
        whole = request("GET /")
        await client.send(whole[:5])
        async with Successor(gateway) as successor:
            await successor.log.wait(1, "serving")
            await gateway.events(2, "draining")
            await client.send(whole[5:])
            await within(arrived.wait())
            go.set()
            assert (await client.response()).body == b"ok"
            client.finish()
            assert await gateway.exited() == 0
            tell(successor.process, signal.SIGTERM)


async def test_a_connection_whose_answer_ends_during_a_drain_ends_with_it():
    go = asyncio.Event()

    async def handler(connection):
        if "GET /idle HTTP/1.1" in await connection.head():
            await connection.send(OK)
        else:
            await connection.send(STREAM)
            await within(go.wait())
            await connection.send(LAST_PIECE)
        await connection.reader.read()

    async with scene(handler, drain={"over": "1h"}) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        async with await raw.Connection.open(gateway.plain) as idle:
            await idle.send(request("GET /idle"))
            assert (await idle.response()).body == b"ok"
            gateway.signal(signal.SIGTERM)
            assert await rest(idle) == b""
        go.set()
        assert await rest(client) == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
        client.finish()
        assert await gateway.exited() == 0


# Interim answers


def narrow(gateway: Gateway) -> socket.socket:
    """A client's connection with a small receive buffer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(gateway.plain)
    return client


async def test_interim_answers_wait_at_the_backend_while_the_client_reads_nothing():
    sent = 0

    async def handler(connection):
        nonlocal sent
        await connection.head()
        with contextlib.suppress(OSError):
            for _ in range(900):
                await connection.send(HINT)
                sent += len(HINT)
        await connection.reader.read()

    async with scene(handler, defaults={"timeouts": {"request-body": "2s"}}) as (backend, gateway, _):
        before = gateway.memory()
        with narrow(gateway) as client:
            client.sendall(request("GET /"))
            await backend.ended()
        print(f"    {sent >> 20} MiB sent, peak memory {(gateway.peak_memory() - before) >> 20:+} MiB", flush=True)
        assert sent < 24 * MIB
        assert gateway.peak_memory() - before < 12 * MIB


async def test_interim_answers_go_on_when_the_client_reads_again():
    async def handler(connection):
        await connection.head()
        for _ in range(300):
            await connection.send(HINT)
        await connection.send(OK)

    async def held(session) -> bool:
        return (await metrics(session))[("gateway_memory_bytes", ("kind", "queued"))] > MIB / 2

    async with scene(handler, admin="127.0.0.1:0") as (backend, gateway, _), admin(gateway) as session:
        client = narrow(gateway)
        client.sendall(request("GET /"))
        await until(lambda: held(session))
        client.setblocking(False)
        async with raw.Connection(*await asyncio.open_connection(sock=client, limit=MIB)) as reading:
            for _ in range(300):
                assert (await reading.head())[0] == "HTTP/1.1 103 Early Hints"
            assert (await reading.response()).body == b"ok"


async def test_a_client_that_was_told_late_to_send_its_body_has_the_whole_time_for_it():
    async def handler(connection):
        await connection.head()
        await asyncio.sleep(3)
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await connection.exactly(3) == b"abc"
        await connection.send(OK)

    # The gateway looks every 2 s: after 4 s, when the client was told 1 s before.
    async with scene(handler, defaults={"timeouts": {"request-body": "2s"}}) as (backend, gateway, client):
        await client.send(request("POST /", "Content-Length: 3", "Expect: 100-continue"))
        assert (await client.head())[0].split()[1] == "100"
        await asyncio.sleep(1.5)
        await client.send(b"abc")
        assert (await client.response()).status == 200
