"""Clients that come back to their endpoint: by a cookie of the gateway, or by a value of their own."""

import contextlib
import hashlib
import hmac

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from browser import chromium, new_page, page_server
import confidential
from confidential import secret
from gateway_process import Gateway, command
from peers import TCPBackend, WebSocketBackend, client

APP = {"path": "/app/*", "backend": "app", "origins": "any"}


def url(server: WebSocketBackend) -> str:
    return f"ws://127.0.0.1:{server.port}"


def value(endpoint: str, key: str = "") -> str:
    """What the cookie of an endpoint is set to."""
    if key:
        return hmac.new(key.encode(), endpoint.encode(), hashlib.sha256).hexdigest()[:16]
    return hashlib.sha256(endpoint.encode()).hexdigest()[:16]


@contextlib.asynccontextmanager
async def gateway(count: int, handler=None, options: dict | None = None, **keys):
    """A gateway in front of `count` servers."""
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(WebSocketBackend(handler, **(options or {}))) for _ in range(count)]
        top = {key: keys.pop(key) for key in ("workers", "admin", "trusted-proxies", "routes") if key in keys}
        backend = {"websocket": [url(server) for server in servers], **keys}
        running = Gateway(**{"routes": [APP], "backends": {"app": backend}, **top})
        yield await stack.enter_async_context(running), servers


async def visit(running: Gateway, cookies: str | None = None, path: str = "/app/", headers: dict | None = None, *, secure=False):
    """Opens and closes a session. Returns the values of Set-Cookie on its 101."""
    fields = {**(headers or {}), **({"Cookie": cookies} if cookies is not None else {})}
    if cookies and len(cookies) >= confidential.SHORTEST:
        confidential.register("cookie", cookies)
    async with client((running.wss if secure else running.ws)(path), additional_headers=fields) as session:
        await session.send("x")
        assert await session.recv() == "x"
        return session.response.headers.get_all("Set-Cookie")


async def test_a_client_comes_back_by_its_cookie_and_others_take_turns():
    async with gateway(3, balance="cookie", workers=2) as (running, servers):
        got = [await visit(running) for _ in range(6)]
        assert all(len(cookies) == 1 for cookies in got)
        values = {cookies[0] for cookies in got}
        assert values == {f"gateway-app={value(url(server))}; Path=/; HttpOnly; SameSite=Lax" for server in servers}
        counts = [len(server.requests) for server in servers]
        for _ in range(5):
            # It has the cookie already.
            assert await visit(running, f"gateway-app={value(url(servers[1]))}") == []
        assert [len(server.requests) for server in servers] == [counts[0], counts[1] + 5, counts[2]]


async def test_the_backend_does_not_get_the_cookie_and_keeps_the_others():
    async with gateway(2, balance="cookie") as (running, servers):
        mine = f"gateway-app={value(url(servers[0]))}"
        await visit(running, f"a=1; {mine}; b=2")
        assert servers[0].requests[0].headers.get_all("Cookie") == ["a=1; b=2"]
        await visit(running, mine)
        assert servers[0].requests[1].headers.get_all("Cookie") == []
        await visit(running, "a=1;gateway-other=2")
        assert (servers[0].requests + servers[1].requests)[-1].headers.get_all("Cookie") == ["a=1;gateway-other=2"]


async def test_the_backends_own_cookies_are_kept_beside_it():
    def answer(connection, request, response):
        response.headers["Set-Cookie"] = "sid=1; Path=/app"
        response.headers["Set-Cookie"] = "theme=dark"

    async with gateway(1, options={"process_response": answer}, balance="cookie") as (running, servers):
        assert await visit(running) == [
            "sid=1; Path=/app", "theme=dark", f"gateway-app={value(url(servers[0]))}; Path=/; HttpOnly; SameSite=Lax",
        ]
        assert await visit(running, f"gateway-app={value(url(servers[0]))}") == ["sid=1; Path=/app", "theme=dark"]


async def test_a_refused_upgrade_sets_the_cookie_unless_the_endpoint_fails():
    status = 401

    def refuse(connection, request):
        return connection.respond(status, "no\n")

    async with gateway(1, options={"process_request": refuse}, balance="cookie") as (running, servers):
        for status, expected in ((401, 1), (503, 0)):
            with pytest.raises(InvalidStatus) as refused:
                await visit(running)
            assert refused.value.response.status_code == status
            assert len(refused.value.response.headers.get_all("Set-Cookie")) == expected


@pytest.mark.parametrize("same_site, secure, attributes", [
    ("lax", False, "SameSite=Lax"), ("lax", True, "SameSite=Lax; Secure"),
    ("none", False, "SameSite=Lax"), ("none", True, "SameSite=None; Secure"),
])
async def test_the_cookie_is_secure_where_the_client_speaks_https(same_site, secure, attributes):
    async with gateway(1, balance="cookie", cookie={"same-site": same_site}) as (running, servers):
        [cookie] = await visit(running, secure=secure)
        assert cookie == f"gateway-app={value(url(servers[0]))}; Path=/; HttpOnly; {attributes}"


async def test_a_trusted_proxy_says_that_the_client_speaks_https():
    https = {"X-Forwarded-Proto": "https"}
    async with gateway(1, balance="cookie", cookie={"same-site": "none"}, **{"trusted-proxies": ["127.0.0.1"]}) as (running, _):
        [cookie] = await visit(running, headers=https)
        assert cookie.endswith("; SameSite=None; Secure")
    async with gateway(1, balance="cookie") as (running, _):
        [cookie] = await visit(running, headers=https)
        assert cookie.endswith("; SameSite=Lax")


async def test_a_key_makes_the_value_an_hmac_that_no_output_has():
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(WebSocketBackend())
        backend = {**server.configuration(), "balance": "cookie", "cookie": {"key": "${STICKY_KEY}"}}
        sticky = secret("key")
        environment = {"STICKY_KEY": sticky}
        running = Gateway(routes=[APP], backends={"app": backend}, environment=environment, admin="127.0.0.1:0",
                          log={"format": "json", "level": "debug"})
        await stack.enter_async_context(running)
        assert (await visit(running))[0].startswith(f"gateway-app={value(url(server), sticky)};")
        explained = await command(
            "explain", "ws://localhost:1/app/", "--config", running.file, environment=environment)
        assert "gateway-app=…; Path=/; HttpOnly; SameSite=Lax" in explained[1]
        await running.closed()
        await running.search()


async def test_a_client_whose_endpoint_is_gone_gets_another_and_a_new_cookie():
    async with gateway(3, balance="cookie") as (running, servers):
        values = [value(url(server)) for server in servers]
        servers[1].server.close()
        await servers[1].server.wait_closed()
        [cookie] = await visit(running, f"gateway-app={values[1]}")
        assert cookie.split(";")[0].removeprefix("gateway-app=") in (values[0], values[2])
        # The others stay where they are.
        for index in (0, 2):
            before = len(servers[index].requests)
            assert await visit(running, f"gateway-app={values[index]}") == []
            assert len(servers[index].requests) == before + 1


async def test_the_cookie_survives_a_reload_and_only_the_clients_of_an_endpoint_that_leaves_move():
    async with gateway(3, balance="cookie") as (running, servers):
        values = [value(url(server)) for server in servers]
        backend = running.configuration["backends"]["app"]
        await running.reload(backends={"app": {**backend, "websocket": [url(servers[2]), url(servers[0])]}})
        for index in (0, 2):
            before = len(servers[index].requests)
            assert await visit(running, f"gateway-app={values[index]}") == []
            assert len(servers[index].requests) == before + 1
        [cookie] = await visit(running, f"gateway-app={values[1]}")
        assert cookie.split(";")[0].removeprefix("gateway-app=") in (values[0], values[2])
        assert servers[1].requests == []


async def test_a_bridge_has_the_cookie_too():
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(TCPBackend()) for _ in range(2)]
        names = [f"127.0.0.1:{server.port}" for server in servers]
        running = Gateway(routes=[APP], backends={"app": {"tcp": names, "balance": "cookie"}})
        await stack.enter_async_context(running)
        async with client(running.ws("/app/")) as session:
            [cookie] = session.response.headers.get_all("Set-Cookie")
        assert cookie == f"gateway-app={value(names[0])}; Path=/; HttpOnly; SameSite=Lax"
        for _ in range(3):
            async with client(running.ws("/app/"), additional_headers={"Cookie": cookie.split(";")[0]}) as session:
                assert session.response.headers.get_all("Set-Cookie") == []
        assert {record["endpoint"] for record in (await running.events(4, "open"))} == {names[0]}


@pytest.mark.parametrize("balance, request_for", [
    ("hash-cookie:sid", lambda value: {"cookies": f"a=1; sid={value}"}),
    ("hash-header:X-Room", lambda value: {"headers": {"x-room": value}}),
    ("hash-query:room", lambda value: {"path": f"/app/?x=1&room={value}"}),
])
async def test_the_same_value_leads_to_the_same_endpoint(balance, request_for):
    async with gateway(3, balance=balance, workers=2) as (running, servers):

        async def server_for(value: str) -> int:
            before = [len(server.requests) for server in servers]
            assert await visit(running, **request_for(value)) == []
            return [len(server.requests) - count for server, count in zip(servers, before)].index(1)

        values = [f"room-{number}" for number in range(40)]
        first = {value: await server_for(value) for value in values}
        assert set(first.values()) == {0, 1, 2}
        assert {value: await server_for(value) for value in values} == first
        # One endpoint leaves: its clients move, the others stay.
        backend = running.configuration["backends"]["app"]
        await running.reload(backends={"app": {**backend, "websocket": [url(servers[0]), url(servers[1])]}})
        after = {value: await server_for(value) for value in values}
        assert {value for value in values if after[value] != first[value]} == {value for value in values if first[value] == 2}


@pytest.mark.parametrize("requests", [
    [{}] * 6, [{"path": "/app/?room="}] * 6, [{"path": "/app/?room=1&room=1"}] * 6, [{"path": "/app/?ROOM=1"}] * 6,
])
async def test_without_a_value_endpoints_take_turns(requests):
    async with gateway(3, balance="hash-query:room") as (running, servers):
        for request in requests:
            await visit(running, **request)
        assert [len(server.requests) for server in servers] == [2, 2, 2]


async def test_the_cookie_jar_of_a_program_leads_back():
    async with gateway(3, balance="cookie", workers=2) as (running, servers):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for count in range(1, 6):
                async with session.ws_connect(f"http://127.0.0.1:{running.plain[1]}/app/") as socket:
                    await socket.send_str("x")
                    assert (await socket.receive()).data == "x"
                assert sorted(len(server.requests) for server in servers) == [0, 0, count]


# Opens a WebSocket and closes it.
VISIT = """
    url => new Promise((done, failed) => {
        const socket = new WebSocket(url);
        socket.onopen = () => socket.close(1000);
        socket.onclose = event => event.wasClean ? done() : failed(new Error(`${event.code}`));
    })
"""


@pytest.mark.parametrize("secure", [False, True])
async def test_a_browser_comes_back_by_the_cookie(secure):
    async with gateway(3, balance="cookie", routes=[{"path": "/", "page": "console"}, APP]) as (running, servers):
        address, url = (running.https("/"), running.wss) if secure else (running.ws("/").replace("ws:", "http:"), running.ws)
        async with chromium() as browser:
            page = await new_page(browser, address)
            for _ in range(4):
                await page.evaluate(VISIT, url("/app/"))
            [cookie] = await page.context.cookies()
            assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == ("gateway-app", secure, True)
            assert await page.evaluate("() => document.cookie") == ""
        assert sorted(len(server.requests) for server in servers) == [0, 0, 4]


async def test_a_page_of_another_site_has_no_use_of_the_cookie():
    async with gateway(3, balance="cookie") as (running, servers):
        async with chromium() as browser, page_server() as origin:
            # `localhost` and `127.0.0.1` are two sites.
            page = await new_page(browser, origin.replace("127.0.0.1", "localhost"))
            for _ in range(3):
                await page.evaluate(VISIT, running.ws("/app/"))
        assert [len(server.requests) for server in servers] == [1, 1, 1]
