"""Behind another proxy: which fields are believed, and what the backend gets."""

import asyncio
import contextlib
import pathlib

import pytest

import raw
from gateway_process import Gateway, command, insecure
from peers import TCPBackend, WebSocketBackend, relay

FORWARDED = [
    "X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com",
    "Origin: https://app.example.com",
]


@contextlib.asynccontextmanager
async def behind_a_unix_socket(tmp_path: pathlib.Path, settings: dict, *, trusted: list, **keys):
    """A gateway that listens on a Unix socket, and what connects to it."""
    path = tmp_path / "front.sock"
    listeners = [{"address": f"unix:{path}"}]
    async with relay(settings, listeners=listeners, **{"trusted-proxies": trusted}, **keys) as gateway:

        async def ask(request: bytes) -> raw.Response:
            async with raw.Connection(*await asyncio.open_unix_connection(str(path))) as connection:
                await connection.send(request)
                return await connection.response()

        yield gateway, ask


async def test_a_unix_listener_trusts_the_proxy_in_front(tmp_path):
    async with WebSocketBackend() as backend:
        async with behind_a_unix_socket(tmp_path, backend.configuration(), trusted=["unix"]) as (gateway, ask):
            # As nginx asks by default: the Host is its own name for us.
            assert (await ask(raw.upgrade("/app", *FORWARDED, host="upstream"))).status == 101
            headers = backend.requests[0].headers
            assert headers.get_all("X-Forwarded-For") == ["6.6.6.6, 203.0.113.7"]
            assert headers.get_all("X-Forwarded-Proto") == ["https"]
            assert headers.get_all("X-Forwarded-Host") == ["app.example.com"]
            assert headers.get_all("X-Forwarded-Port") == ["443"]
            assert headers.get_all("X-Real-IP") == ["203.0.113.7"]
            assert (await gateway.event("open"))["client"] == "203.0.113.7"


async def test_a_unix_listener_trusts_nobody_unasked(tmp_path):
    async with WebSocketBackend() as backend:
        async with behind_a_unix_socket(tmp_path, backend.configuration(), trusted=["127.0.0.0/8"]) as (gateway, ask):
            assert (await ask(raw.upgrade("/app", *FORWARDED, host="app.example.com"))).status == 403
            refused = await gateway.event("refused", status=403)
            assert "X-Forwarded-Proto" in refused["reason"] and "trusted-proxies" in refused["reason"]
            assert (await ask(raw.upgrade("/app", *FORWARDED[:3], host="app.example.com"))).status == 101
            headers = backend.requests[0].headers
            assert "X-Forwarded-For" not in headers and "X-Real-IP" not in headers
            assert headers["X-Forwarded-Proto"] == "http"
            assert (await gateway.event("open"))["client"] == "unix"


async def test_addresses_behind_a_unix_socket_are_spread(tmp_path):
    async with WebSocketBackend() as first, WebSocketBackend() as second:
        settings = {
            "websocket": [f"ws://127.0.0.1:{first.port}", f"ws://127.0.0.1:{second.port}"], "balance": "hash-address",
        }
        async with behind_a_unix_socket(tmp_path, settings, trusted=["unix"]) as (_, ask):
            for number in range(40):
                assert (await ask(raw.upgrade("/app", f"X-Forwarded-For: 203.0.113.{number}"))).status == 101
        assert len(first.requests) + len(second.requests) == 40
        assert first.requests and second.requests


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_request_keeps_the_name_that_a_trusted_proxy_gave_it(trusted):
    async with WebSocketBackend() as backend:
        async with relay(backend, **{"trusted-proxies": ["127.0.0.1"] if trusted else []}) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/app", "X-Request-ID: req-7"))).status == 101
            (opened,), (closed,) = await gateway.events(1, "open"), await gateway.events(1, "close")
            (name,) = backend.requests[0].headers.get_all("X-Request-Id")
            assert name == ("req-7" if trusted else opened["session"])
            assert opened.get("request_id") == closed.get("request_id") == ("req-7" if trusted else None)
            await raw.ask(gateway.plain, raw.upgrade("/nowhere", "X-Request-ID: req-8"))
            assert (await gateway.event("refused", status=404)).get("request_id") == ("req-8" if trusted else None)


async def test_a_gateway_behind_a_gateway():
    async with WebSocketBackend() as backend, relay(backend, **{"trusted-proxies": ["127.0.0.1"]}) as inner:
        settings = {"websocket": [f"ws://127.0.0.1:{inner.plain[1]}"], "host": "endpoint"}
        async with relay(settings) as outer:
            host = f"localhost:{outer.secure[1]}"
            request = raw.upgrade("/app", f"Origin: https://{host}", host=host)
            assert (await raw.ask(outer.secure, request, ssl=insecure())).status == 101
            headers = backend.requests[0].headers
            assert headers.get_all("X-Forwarded-Proto") == ["https"]
            assert headers.get_all("X-Forwarded-Host") == [host]
            assert headers.get_all("X-Forwarded-Port") == [str(outer.secure[1])]
            assert headers.get_all("X-Forwarded-For") == ["127.0.0.1, 127.0.0.1"]
            session = (await outer.event("open"))["session"]
            assert headers.get_all("X-Request-Id") == [session]
            assert (await inner.event("open"))["request_id"] == session


async def test_hosts_are_those_that_a_trusted_proxy_names():
    route = {"hosts": ["app.example.com"]}
    async with WebSocketBackend() as backend, relay(backend, route, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", *FORWARDED, host="upstream:8080"))).status == 101
        assert backend.requests[0].headers.get_all("Host") == ["upstream:8080"]
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", host="upstream:8080"))).status == 404
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", "X-Forwarded-Host: <b>", host="app.example.com"))).status == 101
        assert backend.requests[1].headers.get_all("X-Forwarded-Host") == ["app.example.com"]


async def test_no_client_names_another_url():
    async with WebSocketBackend() as backend, relay(backend, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
        fields = [
            "X-Forwarded-Prefix: /x", "X-Forwarded-Uri: /x", "X-Forwarded-Method: PUT", "X-Original-URL: /x",
            "X_Original_Method: PUT", "X-Forwarded-Server: kept", "X-Rewrite-URL: /x", "X-Override-URL: /x",
            "X-Original-Host: x", "X-HTTP-Method-Override: PUT", "X-Forwarded: for=x", "X!Rewrite!URL: /x",
        ]
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", *fields))).status == 101
        names = {name.lower() for name in backend.requests[0].headers.keys()}
        assert "x-forwarded-server" in names
        assert not {name for name in names if "original" in name or name.endswith(("-prefix", "-uri", "-method", "url", "override"))}
        assert "x-forwarded" not in names


async def test_a_page_of_the_port_that_a_trusted_proxy_names():
    async with WebSocketBackend() as backend, relay(backend, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
        fields = ["X-Forwarded-Proto: https", "X-Forwarded-Host: app", "X-Forwarded-Port: 8443"]
        request = raw.upgrade("/app", "Origin: https://app:8443", *fields, host="upstream")
        assert (await raw.ask(gateway.plain, request)).status == 101
        headers = backend.requests[0].headers
        assert (headers["X-Forwarded-Host"], headers["X-Forwarded-Port"]) == ("app", "8443")
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", "Origin: https://app", *fields, host="upstream"))).status == 403
        assert "the request is for https://app:8443." in (await gateway.event("refused", status=403))["reason"]


async def test_the_console_offers_the_routes_of_the_host_that_a_trusted_proxy_names():
    routes = [
        {"path": "/", "page": "console"}, {"path": "/app", "backend": "echo", "hosts": ["app.example.com"]},
        {"path": "/upstream", "backend": "echo", "hosts": ["upstream"]},
    ]
    backends = {"echo": {"builtin": "echo"}}
    request = b"GET / HTTP/1.1\r\nHost: upstream\r\nX-Forwarded-Host: app.example.com\r\n\r\n"
    for trusted, offered, other in (["127.0.0.1"], b'"/app"', b'"/upstream"'), ([], b'"/upstream"', b'"/app"'):
        async with Gateway(routes=routes, backends=backends, **{"trusted-proxies": trusted}) as gateway:
            page = (await raw.ask(gateway.plain, request)).body
            assert b"<option value=" + offered in page and b"<option value=" + other not in page


async def test_a_refused_origin_says_what_was_compared(tmp_path):
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        port = gateway.plain[1]
        response = await raw.ask(gateway.plain, raw.upgrade("/app", "Origin: https://evil.example", host="app.example.com"))
        assert response.status == 403 and b"http://app.example.com" not in response.body
        reason = (await gateway.event("refused", status=403))["reason"]
        assert "https://evil.example" in reason and "http://app.example.com" in reason and "X-Forwarded" not in reason
        await raw.ask(
            gateway.plain,
            raw.upgrade("/app", "Origin: https://app.example.com", "X-Forwarded-Proto: https", host="app.example.com"))
        reason = (await gateway.events(2, "refused", status=403))[1]["reason"]
        assert "X-Forwarded-Proto was ignored because the peer is not in `trusted-proxies`" in reason

        async def explain(*arguments):
            return await command(
                "explain", f"ws://app.example.com:{port}/app", "--origin", "https://app.example.com:{}".format(port),
                *arguments, "--config", gateway.file)

        status, output, _ = await explain()
        assert status == 1 and f"the request is for http://app.example.com:{port}." in output
        status, output, _ = await explain("--header", "X-Forwarded-Proto: https", "--address", "10.0.0.9")
        assert status == 1 and "X-Forwarded-Proto was ignored" in output and "trusted-proxies" in output.splitlines()[-1]
        gateway.write(**{"trusted-proxies": ["10.0.0.0/8"]})
        status, output, _ = await explain("--header", "X-Forwarded-Proto: https", "--address", "10.0.0.9")
        assert status == 0 and f"asks for     https://app.example.com:{port}" in output
        status, output, errors = await explain("--address", "nowhere")
        assert status == 64 and "--address" in errors and "Usage: gateway explain " in errors
        for field in ("nothing", "a b: c", "X-A: b\r\nX-C: d"):
            status, output, errors = await explain("--header", field)
            assert status == 64 and "--header" in errors and "Usage: gateway explain " in errors


async def test_explain_ends_with_what_is_wrong():
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        gateway.write(listeners=[{"address": "127.0.0.1:8080"}])
        status, output, _ = await command("explain", "wss://localhost:8080/app", "--config", gateway.file)
        assert status == 1 and "101" not in output
        assert output.splitlines()[-1].strip().startswith("answer       none: 127.0.0.1:8080 is without TLS")


# Paths


async def test_an_encoded_slash_is_kept_where_the_route_says_so():
    routes = [
        {"path": "/docs/*", "backend": "app", "encoded-slashes": "keep"}, {"path": "/other/*", "backend": "app"},
    ]
    async with WebSocketBackend() as backend:
        async with Gateway(routes=routes, backends={"app": backend.configuration()}) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/docs/team%2fplan?x=%2F"))).status == 101
            assert backend.requests[0].path == "/docs/team%2fplan?x=%2F"
            for path in ("/other/a%2Fb", "/docs/..%2Fb", "/docs/a%2f%2e%2e", "/docs/a%5c..%2Fb", "/docs%2Fa", "/nowhere%2F"):
                assert (await raw.ask(gateway.plain, raw.upgrade(path))).status == 400, path
            assert len(backend.requests) == 1


async def test_a_reload_drains_those_whose_path_is_not_kept_any_more():
    route = {"path": "/docs/*", "backend": "echo"}
    backends = {"echo": {"builtin": "echo"}}
    async with Gateway(routes=[{**route, "encoded-slashes": "keep"}], backends=backends) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/docs/a%2Fb") as kept:
            async with await raw.Connection.upgraded(gateway.plain, "/docs/a") as plain:
                await gateway.reload(routes=[route])
                assert (await kept.closing()).code == 1012
                await kept.send(raw.close(1012))
                await plain.send(raw.frame(raw.TEXT, b"on"))
                assert (await plain.frame()).payload == b"on"


# Subprotocols

SECRET = "c2VjcmV0LXRva2Vu"
KUBERNETES = f"base64url.bearer.authorization.k8s.io.{SECRET}"


@pytest.mark.parametrize(
    "offered, answered",
    [
        (f"{KUBERNETES}, v5.channel.k8s.io", "v5.channel.k8s.io"), (KUBERNETES, None), (f"bearer.{SECRET}, b", "b"),
        (f"bearer, {SECRET}", "bearer"), (f"bearer, {SECRET}, b", "b"),
    ],
)
async def test_a_credential_is_never_picked(offered, answered):
    async with TCPBackend() as server:
        backends = {"echo": {"builtin": "echo"}, "tcp": {"tcp": [f"127.0.0.1:{server.port}"]}}
        routes = [{"path": "/echo", "backend": "echo"}, {"path": "/tcp", "backend": "tcp"}]
        async with Gateway(routes=routes, backends=backends, log={"format": "json", "level": "debug"}) as gateway:
            for number, path in enumerate(("/echo", "/tcp"), 1):
                response = await raw.ask(gateway.plain, raw.upgrade(path, f"Sec-WebSocket-Protocol: {offered}"))
                assert (response.status, response.field("Sec-WebSocket-Protocol")) == (101, answered)
                assert (await gateway.events(number, "open"))[-1].get("subprotocol") == answered
            await gateway.events(2, "close")
        assert SECRET not in "\n".join(gateway.log.lines)


async def test_a_credential_is_relayed_and_not_shown():
    def first(connection, subprotocols):
        return subprotocols[0]

    async with WebSocketBackend(select_subprotocol=first) as backend:
        async with relay(backend, log={"format": "json", "level": "debug"}, admin="127.0.0.1:0") as gateway:
            async with await raw.Connection.open(gateway.plain) as connection:
                await connection.send(raw.upgrade("/app", f"Sec-WebSocket-Protocol: {KUBERNETES}, v5.channel.k8s.io"))
                response = await connection.response()
                # A careless backend answers with it, and that is between the two.
                assert (response.status, response.field("Sec-WebSocket-Protocol")) == (101, KUBERNETES)
                assert backend.requests[0].headers["Sec-WebSocket-Protocol"] == f"{KUBERNETES}, v5.channel.k8s.io"
                assert "subprotocol" not in await gateway.event("open")
                host, port = (await gateway.event("admin"))["address"].rsplit(":", 1)
                request = b"GET /api/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n"
                listed = await raw.ask((host, int(port)), request)
                assert b'"phase":"relay"' in listed.body and SECRET.encode() not in listed.body
        assert SECRET not in "\n".join(gateway.log.lines)
