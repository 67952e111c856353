"""The opening handshake with a backend: the request that it gets, and what its answers lead to."""

import asyncio
import contextlib

import pytest
from websockets.http11 import Response
from websockets.datastructures import Headers

import raw
from confidential import secret
from gateway_process import Gateway, within
from peers import TCPBackend, WebSocketBackend, client, refusing_port, relay, silent_port

PLAIN_101 = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@contextlib.asynccontextmanager
async def answering(answer: str, *, then_close=False):
    """A backend that gives every request the same answer. `{accept}` stands for the right Sec-WebSocket-Accept."""

    async def handle(reader, writer):
        connection = raw.Connection(reader, writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            fields = dict(line.split(": ", 1) for line in (await connection.head())[1:])
            accept = raw.accept_key(fields["Sec-WebSocket-Key"])
            await connection.send(answer.replace("{accept}", accept).encode("latin-1"))
            if not then_close:
                await connection.end()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield {"websocket": [f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"]}


# What the backend is told


async def test_what_the_backend_is_told_of_the_client():
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        cookie, token = f"a=b; c={secret('cookie')}", secret("token")
        fields = [
            "Origin: http://chat.example.com:8080", f"Cookie: {cookie}", f"Authorization: Bearer {token}", "X-Custom: 1",
            "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X_Forwarded_Host: evil", "Forwarded: for=6.6.6.6",
            "X-Real-IP: 6.6.6.6", "X-Request-Id: evil", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: 5",
            "Sec-WebSocket-Extensions: x-unknown",
        ]
        request = raw.upgrade("/app/room%2d1?x=%20y&z", *fields, host="chat.example.com:8080")
        async with await raw.Connection.open(gateway.plain) as socket:
            await socket.send(request)
            assert (await socket.response()).status == 101
        opened = await gateway.event("open")
        seen = backend.requests[0]
        headers = seen.headers
        assert seen.path == "/app/room%2d1?x=%20y&z"
        assert headers.get_all("Host") == ["chat.example.com:8080"]
        assert headers["Origin"] == "http://chat.example.com:8080"
        assert (headers["Cookie"], headers["Authorization"], headers["X-Custom"]) == (cookie, f"Bearer {token}", "1")
        assert headers.get_all("X-Forwarded-For") == ["127.0.0.1"]
        assert headers.get_all("X-Forwarded-Proto") == ["http"]
        assert headers.get_all("X-Forwarded-Host") == ["chat.example.com:8080"]
        assert headers.get_all("X-Request-Id") == [opened["session"]]
        assert headers.get_all("Sec-WebSocket-Version") == ["13"]
        assert headers["Sec-WebSocket-Key"] != raw.KEY
        assert headers["Upgrade"].lower() == "websocket" and headers["Connection"].lower() == "upgrade"
        assert headers.get_all("X-Forwarded-Port") == ["8080"] and headers.get_all("X-Real-IP") == ["127.0.0.1"]
        for gone in ("X_Forwarded_Host", "Forwarded", "X-Hop", "Keep-Alive", "Sec-WebSocket-Extensions"):
            assert gone not in headers, gone
        assert opened["client"].startswith("127.0.0.1") and opened["origin"] == "http://chat.example.com:8080"


async def test_over_tls_the_backend_hears_https():
    async with WebSocketBackend() as backend, relay(backend) as gateway, client(gateway.wss("/app")):
        assert backend.requests[0].headers["X-Forwarded-Proto"] == "https"


async def test_a_trusted_proxy_is_believed():
    async with WebSocketBackend() as backend, relay(backend, **{"trusted-proxies": ["127.0.0.0/8"]}) as gateway:
        fields = [
            "X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: chat.example.com",
            "Origin: https://chat.example.com",
        ]
        request = raw.upgrade("/app", *fields, host="chat.example.com")
        assert (await raw.ask(gateway.plain, request)).status == 101
        headers = backend.requests[0].headers
        assert headers["X-Forwarded-For"] == "6.6.6.6, 203.0.113.7, 127.0.0.1"
        assert headers["X-Forwarded-Proto"] == "https"
        assert headers["X-Forwarded-Host"] == "chat.example.com"
        assert headers["X-Forwarded-Port"] == "443"
        assert headers["X-Real-IP"] == "203.0.113.7"
        assert (await gateway.event("open"))["client"] == "203.0.113.7"


@pytest.mark.parametrize(
    "host, expected", [(None, "front.example"), ("pass", "front.example"), ("endpoint", None), ("inner.example", "inner.example")]
)
async def test_which_host_the_backend_sees(host, expected):
    async with WebSocketBackend() as backend:
        settings = backend.configuration(**({"host": host} if host else {}))
        async with relay(settings) as gateway:
            await raw.ask(gateway.plain, raw.upgrade("/app", host="front.example"))
            assert backend.requests[0].headers["Host"] == (expected or f"127.0.0.1:{backend.port}")


async def test_an_endpoint_with_a_path_gets_that_path():
    async with WebSocketBackend() as backend, relay(backend.configuration("/inner")) as gateway:
        async with client(gateway.ws("/app/x?y=1")):
            assert backend.requests[0].path == "/inner?y=1"


async def test_two_endpoints_take_turns():
    async with WebSocketBackend() as first, WebSocketBackend() as second:
        endpoints = [f"ws://127.0.0.1:{first.port}", f"ws://127.0.0.1:{second.port}"]
        async with relay({"websocket": endpoints}) as gateway:
            for _ in range(6):
                async with client(gateway.ws("/app")):
                    pass
        assert (len(first.requests), len(second.requests)) == (3, 3)


async def test_fields_of_a_101_reach_the_client():
    answer = PLAIN_101 + "Sec-WebSocket-Accept: {accept}\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nKeep-Alive: 5\r\n\r\n"
    async with answering(answer) as settings, relay(settings) as gateway:
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        assert response.status == 101 and response.field("Sec-WebSocket-Accept") == raw.ACCEPT
        assert response.field("Set-Cookie") == "a=b, c=d" and response.field("Keep-Alive") is None


# Refusals and failures


async def test_a_refusal_is_passed_on():
    def refuse(connection, request):
        headers = Headers([("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer"), ("Content-Length", "8")])
        return Response(401, "Who Are You", headers, b"no entry")

    async with WebSocketBackend(process_request=refuse) as backend, relay(backend) as gateway:
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        assert (response.status, response.body) == (401, b"no entry")
        assert response.field("WWW-Authenticate") == "Bearer" and response.field("Connection").lower() == "close"
        await gateway.event("refused", status=401, backend="app")


async def test_a_refusal_names_the_versions_that_the_backend_speaks():
    answer = "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\nContent-Length: 0\r\n\r\n"
    async with answering(answer) as settings, relay(settings) as gateway:
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        assert response.status == 426 and response.field("Sec-WebSocket-Version") == "8, 7"
        assert (response.field("Upgrade"), response.field("Connection")) == ("websocket", "Upgrade, close")


@pytest.mark.parametrize("theirs", ["", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"])
async def test_a_refusal_has_one_date(theirs):
    async with answering(f"HTTP/1.1 401 No\r\n{theirs}Content-Length: 0\r\n\r\n") as settings, relay(settings) as gateway:
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        dates = [value for name, value in response.fields if name.lower() == "date"]
        assert len(dates) == 1 and (dates[0].startswith("Sun, 06 Nov 1994") == bool(theirs))


async def test_a_refusal_in_chunks_is_passed_on():
    answer = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n5\r\n here\r\n0\r\n\r\n"
    async with answering(answer) as settings, relay(settings) as gateway:
        response = await raw.ask(gateway.plain, raw.upgrade("/app"))
        assert (response.status, response.body, response.field("Transfer-Encoding")) == (403, b"not here", None)


BAD_ANSWERS = {
    "wrong Accept": PLAIN_101 + f"Sec-WebSocket-Accept: {raw.ACCEPT}\r\n\r\n",
    "no Accept": PLAIN_101 + "\r\n",
    "Accept twice": PLAIN_101 + "Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "no Upgrade": "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "another Upgrade": "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "two Upgrade fields": PLAIN_101 + "Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "no Connection": "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
    "a subprotocol nobody offered": PLAIN_101 + "Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: x\r\n\r\n",
    "an extension nobody offered": PLAIN_101
    + "Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    "200": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "not HTTP": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bare line feeds": "HTTP/1.1 101 x\nUpgrade: websocket\n\n",
    "a head without end": "HTTP/1.1 101 x\r\nX: " + "x" * 100_000,
}


# What the log says of some of them.
FAULTS = {
    "no Accept": "a 101 without Sec-WebSocket-Accept",
    "Accept twice": "a 101 with 2 Sec-WebSocket-Accept fields",
    "no Upgrade": "a 101 without Upgrade: websocket",
    "another Upgrade": "a 101 with Upgrade: h2c, not websocket",
    "two Upgrade fields": "a 101 with 2 Upgrade fields: websocket,websocket",
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_of_the_backend_is_502(name):
    async with answering(BAD_ANSWERS[name]) as settings, relay(settings) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
        refused = await gateway.event("refused", status=502, backend="app")
        assert FAULTS.get(name, "") in refused["reason"]


async def test_a_backend_that_hangs_up_is_502():
    async with answering("", then_close=True) as settings, relay(settings) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502


async def test_a_backend_that_is_down_is_502():
    sock, port = refusing_port()
    with sock:
        async with relay({"websocket": [f"ws://127.0.0.1:{port}"]}) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
            assert f":{port}" in (await gateway.event("refused", status=502))["endpoint"]


async def test_a_backend_name_that_does_not_exist_is_502():
    async with relay({"websocket": ["ws://nobody.invalid:80"]}) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502


@pytest.mark.parametrize("place", ["defaults", "route", "backend"])
@pytest.mark.parametrize("kind", ["websocket", "tcp"])
async def test_an_endpoint_that_answers_no_syn_costs_its_connect_timeout(kind, place):
    """Then the next endpoint is tried. The handshake timeout is longer than a test waits."""
    sockets, port = silent_port()
    timeouts = {name: {} for name in ("defaults", "route", "backend")}
    timeouts["defaults"]["handshake"] = "60s"
    timeouts[place]["connect"] = "300ms"
    silent = ("ws://" if kind == "websocket" else "") + f"127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        for sock in sockets:
            stack.enter_context(sock)
        server = WebSocketBackend() if kind == "websocket" else TCPBackend()
        async with server as backend:
            only = {kind: [silent], "timeouts": timeouts["backend"]}
            both = {kind: [silent, *backend.configuration()[kind]], "timeouts": timeouts["backend"]}
            routes = [
                {"path": f"/{name}", "backend": name, "timeouts": timeouts["route"], "heartbeat": "off"}
                for name in ("only", "both")
            ]
            async with Gateway(
                routes=routes, backends={"only": only, "both": both}, defaults={"timeouts": timeouts["defaults"]}
            ) as gateway:
                assert (await raw.ask(gateway.plain, raw.upgrade("/only"))).status == 504
                refused = await gateway.event("refused", status=504, phase="connect")
                assert refused["reason"].endswith(f"127.0.0.1:{port}: connecting timed out.")
                # One of two sessions begins with the silent one.
                for _ in range(2):
                    async with client(gateway.ws("/both")) as session:
                        await session.send(b"through")
                        assert await session.recv() == b"through"


async def test_a_backend_that_does_not_answer_is_504():
    async with answering("") as settings, relay(settings, {"timeouts": {"handshake": "500ms"}}) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 504
        await gateway.event("refused", status=504, phase="backend-handshake")


async def test_nothing_of_the_client_passes_before_the_101():
    """What a client sends behind its request must not reach a backend that has not accepted (CVE-2026-2833)."""
    seen = asyncio.Future()

    async def refuse(reader, writer):
        connection = raw.Connection(reader, writer)
        await connection.head()
        await connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        try:
            seen.set_result(await connection.end())
        except OSError:
            seen.set_result(b"")

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, relay({"websocket": [f"ws://127.0.0.1:{port}"]}) as gateway:
        smuggled = b"GET /admin HTTP/1.1\r\nHost: inner\r\n\r\n"
        assert (await raw.ask(gateway.plain, raw.upgrade("/app") + smuggled)).status == 403
        assert await within(seen) == b""


async def test_a_client_that_leaves_during_the_handshake_takes_the_backend_along():
    gone = asyncio.Future()

    async def silent(reader, writer):
        connection = raw.Connection(reader, writer)
        await connection.head()
        arrived.set()
        await connection.lost()
        gone.set_result(True)
        writer.close()

    arrived = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, relay({"websocket": [f"ws://127.0.0.1:{port}"]}) as gateway:
        async with await raw.Connection.open(gateway.plain) as socket:
            await socket.send(raw.upgrade("/app"))
            await arrived.wait()
            socket.reset()
            assert await within(gone)
