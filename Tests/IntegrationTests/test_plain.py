"""Plain HTTP beside the upgrade: fixed answers, redirects, the client's scheme, headers of a route, limits of a request."""

import pytest

import raw
from confidential import secret
from gateway_process import Gateway, command, insecure
from peers import TCPBackend

HEADERS = {"Strict-Transport-Security": "max-age=31536000", "cache-control": "private", "X-A": "1"}

ROUTES = [
    {"path": "/secure/*", "scheme": "http", "redirect": "https"},
    {"path": "/secure/*", "scheme": "https", "backend": "echo", "origins": "any", "headers": HEADERS},
    {"path": "/alive", "answer": {"text": "ok"}, "headers": HEADERS},
    {"path": "/gone", "answer": {"status": 410, "text": '{"gone": true}', "type": "application/json"}},
    {"path": "/nothing", "answer": {"status": 204}},
    {"path": "/old/*", "redirect": "https://new.example.com"},
    {"path": "/moved", "redirect": {"to": "https://new.example.com/here?x#y", "status": 302}, "headers": HEADERS},
    {"path": "/page", "page": "console", "headers": HEADERS},
    {"path": "/echo", "backend": "echo", "headers": HEADERS},
]
BACKENDS = {"echo": {"builtin": "echo"}}


def gateway(**keys) -> Gateway:
    return Gateway(**{"routes": ROUTES, "backends": BACKENDS, **keys})


def request(line: str, *fields: str, body: str = "") -> bytes:
    return ("\r\n".join([line, *fields, "", ""]) + body).encode("latin-1")


def get(path: str, *fields: str, method="GET", version="HTTP/1.1", host: str | None = "a.example:8080") -> bytes:
    return request(f"{method} {path} {version}", *([f"Host: {host}"] if host else []), *fields)


async def head_of(address, asked: bytes) -> raw.Response:
    """The answer to HEAD has no body, whatever its Content-Length says."""
    async with await raw.Connection.open(address) as connection:
        await connection.send(asked)
        line, *fields = await connection.head()
        connection.finish()
        assert await connection.end() == b""
        return raw.Response(int(line.split(" ")[1]), [tuple(field.split(": ", 1)) for field in fields])


def has_headers(response: raw.Response) -> bool:
    """The fields of HEADERS, each once, whatever else the answer would have."""
    names = [name.lower() for name, _ in response.fields]
    return all(
        response.field(name) == value and names.count(name.lower()) == 1 for name, value in HEADERS.items()
    )


ANSWERS = {
    # name: (request, status, fields, body)
    "answer": (get("/alive"), 200, {"Content-Type": "text/plain; charset=utf-8", "Content-Length": "2"}, b"ok"),
    "answer to a POST": (get("/alive", "Content-Length: 3", method="POST") + b"abc", 200, {}, b"ok"),
    "answer to an upgrade": (raw.upgrade("/alive", "Origin: https://evil.example"), 200, {"Upgrade": None}, b"ok"),
    "answer with a type": (get("/gone"), 410, {"Content-Type": "application/json"}, b'{"gone": true}'),
    "answer without a body": (get("/nothing"), 204, {"Content-Length": None}, b""),
    "answer to HTTP/1.0": (get("/alive", version="HTTP/1.0"), 200, {}, b"ok"),
    "answer to HTTP/1.0 without a Host": (get("/alive", version="HTTP/1.0", host=None), 200, {}, b"ok"),
    "page to HTTP/1.0 without a Host": (get("/page", version="HTTP/1.0", host=None), 200, {}, None),
    "answer without a Host": (get("/alive", host=None), 400, {}, None),
    "answer to TRACE": (
        get("/alive", method="TRACE"), 405, {"Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}, None,
    ),
    "redirect to https": (get("/secure/a%20b?c=/d"), 308, {"Location": "https://a.example/secure/a%20b?c=/d"}, None),
    "redirect of an upgrade": (raw.upgrade("/secure/x", host="[::1]:80"), 308, {"Location": "https://[::1]/secure/x"}, None),
    "redirect of a POST": (
        get("/secure/x", "Content-Length: 0", method="POST"), 308, {"Location": "https://a.example/secure/x"}, None,
    ),
    "redirect of HTTP/1.0": (get("/secure/x", version="HTTP/1.0"), 308, {"Location": "https://a.example/secure/x"}, None),
    "redirect of HTTP/1.0 without a Host": (get("/secure/x", version="HTTP/1.0", host=None), 400, {"Location": None}, None),
    "redirect to another host": (get("/old/a?b"), 308, {"Location": "https://new.example.com/old/a?b"}, None),
    "redirect to another path": (get("/moved?a"), 302, {"Location": "https://new.example.com/here?x#y"}, None),
    "redirect with a bad Host": (get("/secure/x", host="a.example/b"), 400, {"Location": None}, None),
    "redirect with // first": (get("//evil.example/"), 400, {"Location": None}, None),
    # Where only sessions are served
    "plain request": (get("/echo"), 426, {"Upgrade": "websocket"}, None),
    "plain request with a body": (get("/echo", "Content-Length: 3") + b"abc", 426, {}, None),
    "HTTP/1.0": (get("/echo", version="HTTP/1.0"), 400, {}, None),
    # Bodies whose end is not known
    "unknown coding": (get("/alive", "Transfer-Encoding: gzip", method="POST"), 501, {}, None),
    "length and coding": (
        get("/alive", "Transfer-Encoding: chunked", "Content-Length: 3", method="POST"), 400, {}, None,
    ),
    "coding in HTTP/1.0": (get("/alive", "Transfer-Encoding: chunked", method="POST", version="HTTP/1.0"), 400, {}, None),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answer(name):
    asked, status, fields, body = ANSWERS[name]
    async with gateway() as running:
        response = await raw.ask(running.plain, asked)
        assert response.status == status, response
        for field, value in fields.items():
            assert response.field(field) == value
        if body is not None:
            assert response.body == body
        assert response.field("Date")


async def test_an_answer_to_head_has_the_fields_of_get():
    async with gateway() as running:
        for path in ["/alive", "/gone", "/nothing", "/old/x", "/secure/x", "/moved", "/page"]:
            whole = await raw.ask(running.plain, get(path))
            head = await head_of(running.plain, get(path, method="HEAD"))
            assert head.status == whole.status
            assert [field for field in head.fields if field[0] != "Date"] == [
                field for field in whole.fields if field[0] != "Date"
            ]


async def test_the_scheme_of_the_client_chooses_the_route():
    async with gateway() as running:
        assert (await raw.ask(running.plain, raw.upgrade("/secure/x"))).status == 308
        assert (await raw.ask(running.secure, raw.upgrade("/secure/x"), ssl=insecure())).status == 101
        opened = await running.event("open")
        assert opened["route"] == "/secure/*" and opened["backend"] == "echo"


async def test_a_trusted_proxy_says_the_scheme():
    async with gateway(**{"trusted-proxies": ["127.0.0.0/8"]}) as running:
        https = ["X-Forwarded-Proto: https", "X-Forwarded-Host: app.example"]
        assert (await raw.ask(running.plain, raw.upgrade("/secure/x", *https))).status == 101
        response = await raw.ask(running.plain, raw.upgrade("/secure/x", "X-Forwarded-Proto: http", https[1]))
        assert response.status == 308 and response.field("Location") == "https://app.example/secure/x"
    async with gateway() as running:
        assert (await raw.ask(running.plain, raw.upgrade("/secure/x", *https))).status == 308


async def test_headers_are_on_every_answer_of_the_route():
    async with gateway() as running:
        for asked, status in [
            (get("/alive"), 200), (get("/alive", method="TRACE"), 405), (get("/moved"), 302), (get("/page"), 200),
            (raw.upgrade("/echo"), 101), (get("/echo"), 426), (get("/echo", method="POST"), 405),
            (get("/echo", version="HTTP/1.0"), 400), (raw.upgrade("/echo", "Origin: http://evil.example"), 403),
            (raw.upgrade("/echo", without=["Sec-WebSocket-Key"]), 400),
        ]:
            response = await raw.ask(running.plain, asked)
            assert response.status == status
            assert has_headers(response), response
        # Before there is a route, there are none of its headers.
        for asked in [get("/nowhere"), get("/alive", host="a b")]:
            assert (await raw.ask(running.plain, asked)).field("X-A") is None


async def test_headers_replace_those_of_a_backend():
    async def backend(reader, writer):
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 403 Forbidden\r\nx-a: theirs\r\nX-A: too\r\nCache-Control: public\r\nX-B: kept\r\nContent-Length: 2\r\n\r\nno"
            if b"GET /refused" in asked else
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: theirs\r\nX-B: kept\r\n"
            b"Set-Cookie: a=b\r\nSec-WebSocket-Accept: " + raw.accept_key(
                asked.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()).encode() + b"\r\n\r\n"
        )
        await reader.read()
        writer.close()

    async with TCPBackend(backend) as server:
        routes = [{"path": "/*", "backend": "theirs", "headers": HEADERS}]
        backends = {"theirs": {"websocket": [f"ws://127.0.0.1:{server.port}"]}}
        async with gateway(routes=routes, backends=backends) as running:
            refused = await raw.ask(running.plain, raw.upgrade("/refused"))
            assert refused.status == 403 and refused.body == b"no"
            assert has_headers(refused) and refused.field("X-B") == "kept"
            accepted = await raw.ask(running.plain, raw.upgrade("/accepted"))
            assert accepted.status == 101
            assert has_headers(accepted) and accepted.field("X-B") == "kept" and accepted.field("Set-Cookie") == "a=b"
            assert accepted.field("Upgrade") == "websocket"


async def test_headers_are_on_the_answer_for_a_backend_that_is_down():
    async with TCPBackend(None) as server:
        port = server.port
    routes = [{"path": "/*", "backend": "down", "headers": HEADERS}]
    async with gateway(routes=routes, backends={"down": {"websocket": [f"ws://127.0.0.1:{port}"]}}) as running:
        response = await raw.ask(running.plain, raw.upgrade("/x"))
        assert response.status == 502 and has_headers(response)


async def test_a_listener_has_a_limit_of_heads():
    long = "X-Long: " + "a" * (20 << 10)
    short = "X-Long: " + "a" * 1500
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "limits": {"head": "1KiB"}}]
    async with gateway(listeners=listeners, defaults={"limits": {"head": "32KiB"}}) as running:
        first, second = running.addresses
        assert (await raw.ask(first, raw.upgrade("/echo", long))).status == 101
        assert (await raw.ask(second, raw.upgrade("/echo", short))).status == 431
        # A reload changes it without a new socket.
        await running.reload(defaults={"timeouts": {"close": "2s"}})
        assert (await raw.ask(first, raw.upgrade("/echo", long))).status == 431
        assert (await raw.ask(first, raw.upgrade("/echo", short))).status == 101


async def test_a_reload_tells_routes_apart_by_their_scheme():
    both = [
        {"path": "/*", "scheme": "https", "backend": "echo"}, {"path": "/*", "scheme": "http", "backend": "echo"},
    ]
    async with gateway(routes=both) as running:
        async with await raw.Connection.upgraded(running.plain, "/x") as connection:
            await running.event("open")
            # The route of the other scheme is gone, and not this one.
            await running.reload(routes=[both[1]])
            await connection.send(raw.frame(raw.TEXT, b"here"))
            assert (await connection.frame()).payload == b"here"
            await running.reload(routes=[both[0]])
            assert (await connection.frame()).code == 1012


async def test_explain_says_what_a_plain_request_gets(tmp_path):
    async with gateway() as running:
        port = running.plain[1]

        async def explain(url: str, *arguments: str) -> tuple[int, str]:
            status, output, _ = await command("explain", url, *arguments, "--config", str(running.file))
            return status, output

        running.write(listeners=[{"address": f"127.0.0.1:{port}"}])
        status, output = await explain(f"http://127.0.0.1:{port}/secure/a?b={secret('query')}")
        assert status == 0 and "location     https://127.0.0.1/secure/a?*\n" in output
        assert "answer       308 Permanent Redirect\n" in output and ", by http only\n" in output
        status, output = await explain(f"http://127.0.0.1:{port}/alive", "--method", "DELETE")
        assert status == 0 and "answer       200 OK\n" in output
        status, output = await explain(f"http://127.0.0.1:{port}/alive", "--method", "TRACE")
        assert status == 1 and "405 Method Not Allowed" in output
        status, output = await explain(f"ws://127.0.0.1:{port}/alive")
        assert status == 1 and "200 OK: not a WebSocket address\n" in output
        status, output = await explain(f"http://127.0.0.1:{port}/echo")
        assert status == 1 and "426 Upgrade Required" in output
        status, output = await explain(f"http://127.0.0.1:{port}/alive", "--method", "A B")
        assert status == 1 and "400 Bad Request" in output
