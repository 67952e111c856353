"""Connections that are kept after answers of the gateway's own, and what ends them: times, drain, clients that take nothing."""

import asyncio
import contextlib
import signal
import socket

import pytest

import raw
from gateway_process import Gateway, insecure, until, within
from test_pass import OK, Backend, request, rest, scene

ROUTES = [
    {"path": "/alive", "answer": {"text": "ok"}},
    {"path": "/upgrade", "answer": {"status": 426}},
    {"path": "/old/*", "redirect": "https://new.example.com"},
    {"path": "/app/*", "backend": "app", "http": "pass", "origins": ["https://good.example"]},
    {"path": "/socket", "backend": "echo", "origins": ["https://good.example"]},
]


def serving(backend: Backend, **keys) -> Gateway:
    backends = {"app": {"websocket": [f"ws://127.0.0.1:{backend.port}"]}, "echo": {"builtin": "echo"}}
    return Gateway(**{"routes": ROUTES, "backends": backends, **keys})


@contextlib.asynccontextmanager
async def kept(handler=None, **keys):
    """A gateway with ROUTES, and a client's connection to it."""
    async with Backend(handler) as backend, serving(backend, **keys) as gateway:
        async with await raw.Connection.open(gateway.plain) as client:
            yield backend, gateway, client


async def is_kept(client: raw.Connection) -> bool:
    """Whether another request is answered."""
    with contextlib.suppress(OSError):
        await client.send(request("GET /alive"))
        return await rest_of_answer(client) == b"ok"
    return False


async def rest_of_answer(client: raw.Connection) -> bytes | None:
    try:
        return (await client.response()).body
    except asyncio.IncompleteReadError:
        return None


EVIL = "Origin: https://evil.example"

KEPT = {
    "answer": (request("GET /alive"), 200),
    "answer to an upgrade": (raw.upgrade("/alive"), 200),
    "answer to POST without a body": (request("POST /alive", "Content-Length: 0"), 200),
    "redirect": (request("GET /old/x"), 308),
    "no route": (request("GET /nowhere"), 404),
    "method": (request("TRACE /alive"), 405),
    "method that is not passed": (request("TRACE /app/x"), 405),
    "Origin on a route that passes": (raw.upgrade("/app/x", EVIL), 403),
}

CLOSED = {
    "Connection: close": (request("GET /alive", "Connection: close"), 200),
    "HTTP/1.0": (b"GET /alive HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
    "a body that is not read": (request("POST /alive", "Content-Length: 3", body=b"abc"), 200),
    "a chunked body that is not read": (request("POST /alive", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 200),
    "404 with a body": (request("POST /nowhere", "Content-Length: 3", body=b"abc"), 404),
    "405 with a body": (request("TRACE /alive", "Content-Length: 3", body=b"abc"), 405),
    "426 as an answer": (request("GET /upgrade"), 426),
    "malformed": (request("GET //a"), 400),
    "too large": (request("GET /alive", "X: " + "a" * 20000), 431),
    "coding": (request("POST /alive", "Transfer-Encoding: gzip"), 501),
    "body over the limit": (request("POST /app/x", "Content-Length: 2000000"), 413),
    "plain request where only sessions are": (request("GET /socket"), 426),
    "method where only sessions are": (request("POST /socket"), 405),
    "Origin where only sessions are": (raw.upgrade("/socket", EVIL), 403),
    "version of the upgrade": (raw.upgrade("/app/x", "Sec-WebSocket-Version: 8", without=["Sec-WebSocket-Version"]), 426),
}


@pytest.mark.parametrize("name", KEPT)
async def test_a_connection_is_kept_after(name):
    asked, status = KEPT[name]
    async with kept() as (backend, gateway, client):
        for _ in range(2):
            await client.send(asked)
            answer = await client.response()
            assert answer.status == status and answer.field("Connection") is None, answer
        assert await is_kept(client)


@pytest.mark.parametrize("name", CLOSED)
async def test_a_connection_ends_after(name):
    asked, status = CLOSED[name]
    async with kept() as (backend, gateway, client):
        await client.send(asked)
        answer = await client.response()
        assert answer.status == status and "close" in answer.field("Connection")
        assert await rest(client) == b""


async def test_without_a_route_for_plain_http_404_ends_the_connection():
    async with Gateway(routes=[{"path": "/socket", "backend": "echo"}], backends={"echo": {"builtin": "echo"}}) as gateway:
        answer = await raw.ask(gateway.plain, request("GET /nowhere"))
        assert (answer.status, answer.field("Connection")) == (404, "close")


async def test_an_answer_to_head_is_followed_by_the_next_request():
    async with kept() as (backend, gateway, client):
        for _ in range(2):
            await client.send(request("HEAD /alive"))
            assert "Content-Length: 2" in await client.head()
        assert await is_kept(client)


async def test_pipelined_requests_of_all_kinds_are_answered_in_order():
    async def handler(connection):
        while True:
            path = (await connection.head())[0].split()[1].encode()
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    async with kept(handler) as (backend, gateway, client):
        kinds = [("/alive", 200), ("/app/x", 200), ("/nowhere", 404), ("/app/y", 200), ("/old/a", 308)] * 20
        sending = asyncio.create_task(client.send(b"".join(request(f"GET {path}") for path, _ in kinds)))
        for path, status in kinds:
            answer = await client.response()
            assert answer.status == status
            assert answer.body == path.encode() or not path.startswith("/app")
        await sending
        # The last of a connection's requests may be an upgrade.
        await client.send(request("GET /alive") + raw.upgrade("/socket", "Origin: https://good.example"))
        assert (await client.response()).body == b"ok"
        assert (await client.response()).status == 101
        await client.send(raw.frame(raw.TEXT, b"hello"))
        assert (await client.frame()).payload == b"hello"


async def test_a_request_in_pieces_behind_an_answer_is_whole_in_the_end():
    async with kept() as (backend, gateway, client):
        whole = request("GET /alive") + request("GET /nowhere") + request("GET /alive")
        for index in range(0, len(whole), 7):
            await client.send(whole[index : index + 7])
        assert [(await client.response()).status for _ in range(3)] == [200, 404, 200]


async def test_a_kept_connection_works_over_tls():
    async with kept() as (backend, gateway, _):
        async with await raw.Connection.open(gateway.secure, ssl=insecure()) as client:
            for _ in range(3):
                assert await is_kept(client)


async def test_a_client_that_takes_no_answers_is_not_read_further():
    async with kept(routes=[{"path": "/big", "answer": {"text": "a" * 60000}}]) as (backend, gateway, _):
        with socket.create_connection(gateway.plain) as client:
            client.setblocking(False)
            asked, sent = request("GET /big") * 1000, 0
            loop = asyncio.get_running_loop()
            # What is not read fills both sockets' buffers, and then nothing more can be sent.
            with pytest.raises(TimeoutError):
                while sent < 64 << 20:
                    async with asyncio.timeout(2):
                        await loop.sock_sendall(client, asked)
                    sent += len(asked)
            assert gateway.memory() < 200 << 20
            # It goes on where it stopped.
            seen = 0
            while seen < 4 << 20:
                seen += len(await within(loop.sock_recv(client, 1 << 20)))


# Times


async def test_an_idle_connection_ends_after_keep_alive():
    async with kept(defaults={"timeouts": {"keep-alive": "200ms"}}) as (backend, gateway, client):
        for _ in range(2):
            assert await is_kept(client)
        began = asyncio.get_running_loop().time()
        assert await rest(client) == b""
        assert asyncio.get_running_loop().time() - began >= 0.15


async def test_keep_alive_of_a_listener_goes_before_that_of_defaults_and_a_reload_changes_it():
    listeners = [{"address": "127.0.0.1:0", "timeouts": {"keep-alive": "100ms"}}]
    async with kept(listeners=listeners, defaults={"timeouts": {"keep-alive": "1h"}}) as (backend, gateway, client):
        assert await is_kept(client)
        assert await rest(client) == b""
        await gateway.reload(listeners=[{"address": "127.0.0.1:0"}])
        async with await raw.Connection.open(gateway.plain) as first:
            assert await is_kept(first)
            await gateway.reload(listeners=listeners)
            async with await raw.Connection.open(gateway.plain) as second:
                assert await is_kept(second)
                assert await rest(second) == b""
            # It keeps the rules that it was accepted under.
            assert await is_kept(first)


async def test_a_later_request_has_the_time_of_a_first_one():
    async with kept(defaults={"timeouts": {"handshake": "300ms"}}) as (backend, gateway, client):
        assert await is_kept(client)
        await client.send(b"GET /alive HT")
        answer = await client.response()
        assert (answer.status, answer.field("Connection")) == (408, "close")


@pytest.mark.parametrize("framing", ["Content-Length: 10", "Transfer-Encoding: chunked"])
async def test_a_body_that_stalls_is_408(framing):
    async def handler(connection):
        await connection.head()
        await within(connection.reader.read())

    async with scene(handler, defaults={"timeouts": {"request-body": "200ms"}}) as (backend, gateway, client):
        await client.send(request("POST /", framing, body=b"3\r\nabc\r\n"))
        answer = await client.response()
        assert (answer.status, answer.field("Connection")) == (408, "close")
        assert await backend.ended() in ("end", "ConnectionResetError")
        refused = await gateway.event("refused", status=408)
        assert refused["route"] == "/*"


async def test_a_body_that_comes_slowly_is_in_time():
    async def handler(connection):
        await connection.head()
        await connection.exactly(10)
        await connection.send(OK)

    async with scene(handler, defaults={"timeouts": {"request-body": "500ms"}}) as (backend, gateway, client):
        await client.send(request("POST /", "Content-Length: 10"))
        for _ in range(10):
            await asyncio.sleep(0.1)
            await client.send(b"a")
        assert (await client.response()).body == b"ok"


async def test_a_request_has_the_time_of_its_own_route_after_one_with_more():
    async def handler(connection):
        head = await connection.head()
        if head[0].startswith("GET /slow"):
            return await connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        await connection.reader.read()

    routes = [
        {"path": "/slow", "backend": "app", "http": "pass", "timeouts": {"response": "1h", "request-body": "1h"}},
        {"path": "/quick", "backend": "app", "http": "pass", "timeouts": {"response": "200ms"}},
    ]
    async with kept(handler, routes=routes) as (backend, gateway, client):
        await client.send(request("GET /slow"))
        assert (await client.response()).body == b"ok"
        await client.send(request("GET /quick"))
        assert (await client.response()).status == 504


async def test_an_answer_may_pause():
    step = asyncio.Event()

    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        await within(step.wait())
        await connection.send(b"k")

    times = {"response": "100ms", "request-body": "100ms", "keep-alive": "100ms", "handshake": "1s"}
    async with scene(handler, defaults={"timeouts": times}) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        assert await client.exactly(1) == b"o"
        await asyncio.sleep(0.5)
        step.set()
        assert await client.exactly(1) == b"k"


@pytest.mark.parametrize("is_endless", [True, False], ids=["in the middle", "at its end"])
async def test_a_client_that_takes_none_of_an_answer_is_aborted(is_endless):
    size = 64 << 20 if is_endless else 6 << 20

    async def handler(connection):
        await connection.head()
        with contextlib.suppress(OSError):
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await connection.reader.read()

    limits = {"queue": "1MiB"} if is_endless else {"queue": "16MiB"}
    timeouts = {"request-body": "300ms", "keep-alive": "1h"}
    async with scene(handler, defaults={"timeouts": timeouts, "limits": limits}) as (backend, gateway, _):
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(gateway.plain)
            client.sendall(request("GET /"))
            await backend.ended()
            before = gateway.open_files()
            await until(lambda: gateway.open_files() < before or has_ended(client))
            assert await gateway.has_open_files(before)
            await until(lambda: has_ended(client))


def has_ended(client: socket.socket) -> bool:
    """Whether the kernel knows of the connection's end; nothing is read."""
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return info[0] != 1  # TCP_ESTABLISHED


# Drain


async def test_a_drain_lets_a_client_take_the_answer_that_it_was_sent():
    size = 8 << 20

    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await connection.reader.read()

    limits = {"queue": "16MiB"}
    log = {"format": "json", "requests": "all"}
    async with scene(handler, defaults={"limits": limits}, log=log) as (backend, gateway, client):
        with socket.create_connection(gateway.plain) as slow:
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(slow, request("GET /"))
            got = len(await within(loop.sock_recv(slow, 65536)))
            # All of it is with the gateway once the exchange is counted.
            await gateway.event("request", status=200)
            gateway.signal(signal.SIGTERM)
            while data := await within(loop.sock_recv(slow, 1 << 20)):
                got += len(data)
            assert got > size
        assert await gateway.exited() == 0
