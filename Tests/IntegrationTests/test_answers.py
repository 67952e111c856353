"""Answers before the 101: the whole table, asked byte for byte as an odd client would."""

import asyncio
import email.utils
import time

import pytest

import peers
import raw
from gateway_process import PATIENCE, Gateway

ROUTES = [
    {"path": "/", "page": "console"},
    {"path": "/echo", "backend": "echo"},
    {"path": "/spoken", "backend": "echo", "subprotocols": ["chat"], "require-subprotocol": True},
    {"path": "/hosted", "hosts": ["chat.example.com"], "backend": "echo"},
    {"path": "/tree/*", "backend": "echo"},
]


def gateway(**keys) -> Gateway:
    return Gateway(routes=ROUTES, backends={"echo": {"builtin": "echo"}}, **keys)


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


KEYLESS = raw.upgrade(without=("Sec-WebSocket-Key",))

ANSWERS = {
    # name: (request, status, fields of the answer)
    "upgrade": (raw.upgrade(), 101, {"Sec-WebSocket-Accept": raw.ACCEPT, "Upgrade": "websocket", "Connection": "Upgrade"}),
    "upgrade in another spelling": (
        request("GET /echo HTTP/1.1", "HOST: a", "upgrade: WebSocket", "connection: keep-alive, UPGRADE",
                f"sec-websocket-key:{raw.KEY}", "sec-websocket-version:13 "), 101, {},
    ),
    "absolute target": (raw.upgrade("http://127.0.0.1/echo"), 101, {}),
    "percent-encoded path": (raw.upgrade("/%65cho"), 101, {}),
    "subtree": (raw.upgrade("/tree/a/b"), 101, {}),
    "host with port, case and dot": (raw.upgrade("/hosted", host="Chat.Example.COM.:99"), 101, {}),
    "subprotocol": (raw.upgrade("/spoken", "Sec-WebSocket-Protocol: a, chat"), 101, {"Sec-WebSocket-Protocol": "chat"}),
    "Host with an empty port": (raw.upgrade(host="localhost:"), 101, {}),
    "Origin of a Host with an empty port": (raw.upgrade("/echo", "Origin: http://localhost", host="localhost:"), 101, {}),
    "key with bits that mean nothing": (
        raw.upgrade("/echo", "Sec-WebSocket-Key: ABCDEFGHIJKLMNOPQRSTUV==", without=("Sec-WebSocket-Key",)), 101,
        {"Sec-WebSocket-Accept": raw.accept_key("ABCDEFGHIJKLMNOPQRSTUV==")},
    ),
    "unknown extension": (raw.upgrade("/echo", "Sec-WebSocket-Extensions: x-a; b=c"), 101, {"Sec-WebSocket-Extensions": None}),
    "page": (request("GET / HTTP/1.1", "Host: a"), 200, {"Content-Type": "text/html; charset=utf-8"}),
    # 400
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, {}),
    "HTTP/1.0": (raw.upgrade(version="HTTP/1.0"), 400, {}),
    "HTTP/2.0": (raw.upgrade(version="HTTP/2.0"), 400, {}),
    "no Host": (raw.upgrade(without=("Host",)), 400, {}),
    "Host twice": (raw.upgrade("/echo", "Host: b"), 400, {}),
    "bad Host": (raw.upgrade(host="a b"), 400, {}),
    "Host with a user": (raw.upgrade(host="user@a"), 400, {}),
    "Origin twice": (raw.upgrade("/echo", "Origin: http://127.0.0.1", "Origin: http://127.0.0.1"), 400, {}),
    "key twice": (raw.upgrade("/echo", f"Sec-WebSocket-Key: {raw.KEY}"), 400, {}),
    "version twice": (raw.upgrade("/echo", "Sec-WebSocket-Version: 13"), 400, {}),
    "no key": (KEYLESS, 400, {}),
    "short key": (KEYLESS.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: AAAA\r\n\r\n"), 400, {}),
    "key that is no Base64": (
        KEYLESS.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Key: ****************======\r\n\r\n"), 400, {},
    ),
    "folded field": (raw.upgrade("/echo", "X-A: b", " c"), 400, {}),
    "bare line feed": (raw.upgrade().replace(b"\r\n", b"\n"), 400, {}),
    "space before the colon": (raw.upgrade("/echo", "X-A : b"), 400, {}),
    "NUL in a field": (raw.upgrade("/echo", "X-A: b\0c"), 400, {}),
    "// target": (raw.upgrade("//evil.example/echo"), 400, {}),
    "target of another host": (raw.upgrade("http://evil.example/echo"), 400, {}),
    "target without a slash": (raw.upgrade("echo"), 400, {}),
    "target with a fragment": (raw.upgrade("/echo#x"), 400, {}),
    "dot segments": (raw.upgrade("/tree/../echo"), 400, {}),
    "encoded dot segments": (raw.upgrade("/tree/%2e%2e/echo"), 400, {}),
    "encoded slash": (raw.upgrade("/tree/a%2Fb"), 400, {}),
    "encoded NUL": (raw.upgrade("/tree/%00"), 400, {}),
    "half an escape": (raw.upgrade("/tree/%4"), 400, {}),
    "body": (raw.upgrade("/echo", "Content-Length: 3") + b"abc", 400, {}),
    "Transfer-Encoding": (raw.upgrade("/echo", "Transfer-Encoding: chunked"), 400, {}),
    "no subprotocol fits": (raw.upgrade("/spoken", "Sec-WebSocket-Protocol: a"), 400, {}),
    "no subprotocol offered": (raw.upgrade("/spoken"), 400, {}),
    # 403 to 431
    "Origin refused": (raw.upgrade("/echo", "Origin: http://evil.example"), 403, {}),
    "Origin that is none": (raw.upgrade("/echo", "Origin: evil"), 403, {}),
    "no route": (raw.upgrade("/nowhere"), 404, {}),
    "subtree without its slash": (raw.upgrade("/tree"), 404, {}),
    "another case": (raw.upgrade("/Echo"), 404, {}),
    "no host fits": (raw.upgrade("/hosted", host="evil.example"), 404, {}),
    "POST": (raw.upgrade(method="POST"), 405, {"Allow": "GET"}),
    "HEAD": (request("HEAD /echo HTTP/1.1", "Host: a"), 405, {"Allow": "GET"}),
    "POST to a page": (request("POST / HTTP/1.1", "Host: a", "Content-Length: 0"), 405, {"Allow": "GET, HEAD"}),
    "OPTIONS *": (request("OPTIONS * HTTP/1.1", "Host: a"), 405, {"Allow": "GET"}),
    "plain request": (
        request("GET /echo HTTP/1.1", "Host: a"), 426, {"Upgrade": "websocket", "Connection": "Upgrade, close"},
    ),
    "upgrade to something else": (raw.upgrade("/echo", "Upgrade: h2c", without=("Upgrade",)), 426, {"Upgrade": "websocket"}),
    "no version": (
        raw.upgrade(without=("Sec-WebSocket-Version",)), 426, {"Sec-WebSocket-Version": "13", "Upgrade": "websocket"},
    ),
    "version 8": (
        raw.upgrade("/echo", "Sec-WebSocket-Version: 8", without=("Sec-WebSocket-Version",)), 426,
        {"Sec-WebSocket-Version": "13"},
    ),
    "long target": (raw.upgrade("/" + "a" * (17 << 10)), 431, {}),
    "long field": (raw.upgrade("/echo", "X-A: " + "a" * (17 << 10)), 431, {}),
    "101 fields": (raw.upgrade("/echo", *(f"X-{number}: a" for number in range(101))), 431, {}),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answer(name):
    asked, status, fields = ANSWERS[name]
    async with gateway() as running:
        response = await (raw.ask(running.plain, asked) if not asked.startswith(b"HEAD") else head_only(running, asked))
        assert response.status == status, response
        for field, value in fields.items():
            assert response.field(field) == value
        date = email.utils.parsedate_to_datetime(response.field("Date"))
        assert abs(date.timestamp() - time.time()) < PATIENCE + 1
        assert response.field("Date") == email.utils.format_datetime(date, usegmt=True)
        if status == 101:
            await running.event("open")
            return
        if status >= 400:
            assert "close" in response.field("Connection").lower()
            if not asked.startswith(b"HEAD"):
                assert 0 < len(response.body) < 200 and response.field("Content-Type").startswith("text/plain")
            await running.event("refused", status=status)


async def test_a_bad_key_says_what_a_key_is():
    async with gateway() as running:
        response = await raw.ask(running.plain, raw.upgrade("/echo", "Sec-WebSocket-Key: AAAA", without=("Sec-WebSocket-Key",)))
        assert response.status == 400 and b"16 bytes in base64" in response.body


async def head_only(running, asked: bytes) -> raw.Response:
    """The answer to HEAD has no body, whatever its Content-Length says."""
    async with await raw.Connection.open(running.plain) as connection:
        await connection.send(asked)
        line, *fields = await connection.head()
        assert await connection.end() == b""
        return raw.Response(int(line.split(" ")[1]), [tuple(field.split(": ", 1)) for field in fields])


async def test_head_of_a_page_has_the_fields_of_get():
    async with gateway() as running:
        response = await head_only(running, request("HEAD / HTTP/1.1", "Host: a"))
        page = await raw.ask(running.plain, request("GET / HTTP/1.1", "Host: a"))
        assert response.status == 200 and response.field("Content-Length") == str(len(page.body))


async def test_nonsense_ends_nobody_elses_session():
    async with gateway() as running, peers.client(running.ws("/echo")) as bystander:
        for name, (asked, status, _) in ANSWERS.items():
            if asked.startswith(b"HEAD"):
                continue
            assert (await raw.ask(running.plain, asked)).status == status, name
            await bystander.send(name)
            assert await bystander.recv() == name


async def test_a_head_byte_by_byte():
    async with gateway() as running, await raw.Connection.open(running.plain) as connection:
        for byte in raw.upgrade():
            await connection.send(bytes([byte]))
        assert (await connection.response()).status == 101


@pytest.mark.parametrize("sent", [b"", b"GET /echo HTT", raw.upgrade()[:-2]], ids=["nothing", "half a line", "no end"])
async def test_a_client_too_slow_with_its_head_is_408(sent):
    async with gateway(defaults={"timeouts": {"handshake": "300ms"}}) as running:
        assert (await raw.ask(running.plain, sent)).status == 408


async def test_a_client_that_drips_its_head_is_408():
    """Slowloris: a byte does not extend the time."""
    async with gateway(defaults={"timeouts": {"handshake": "300ms"}}) as running:
        async with await raw.Connection.open(running.plain) as connection:
            await connection.send(b"GET /echo HTTP/1.1\r\nX-A: ")
            answer = asyncio.create_task(connection.response())
            while not answer.done():
                await connection.send(b"a")
                await asyncio.wait([answer], timeout=0.02)
            assert (await answer).status == 408


async def test_an_answer_arrives_although_the_request_goes_on():
    """The rest of a refused request is read; otherwise the kernel would send a reset, and the client could miss the answer."""
    async with gateway() as running, await raw.Connection.open(running.plain) as connection:
        await connection.send(raw.upgrade("/nowhere") + b"x" * 500_000)
        assert (await connection.response()).status == 404


async def test_the_subprotocol_of_a_builtin_is_the_first_offer_but_base64():
    async with gateway() as running:
        for offers, pick in [("b, a", "b"), ("base64, binary", "binary"), ("base64", None)]:
            response = await raw.ask(running.plain, raw.upgrade("/echo", f"Sec-WebSocket-Protocol: {offers}"))
            assert (response.status, response.field("Sec-WebSocket-Protocol")) == (101, pick)


async def test_plain_http_at_a_tls_port_ends_that_connection_only():
    async with gateway() as running:
        async with await raw.Connection.open(running.secure) as connection:
            await connection.send(raw.upgrade())
            await connection.lost()
        async with peers.client(running.wss("/echo")) as socket:
            await socket.send("fine")
            assert await socket.recv() == "fine"
