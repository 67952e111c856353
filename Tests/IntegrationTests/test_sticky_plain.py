"""Plain requests that come back to their endpoint, by the same cookie and the same values as upgrades."""

import aiohttp
import pytest

from gateway_process import Gateway
from peers import WebSocketBackend
from test_sticky import url, value


def answering(status: int = 200):
    """A server that says which one it is to plain requests."""

    def answer(connection, request):
        server.requests.append(request)
        if request.headers.get("Upgrade"):
            return None
        response = connection.respond(status, f"{url(server)}\n")
        response.headers["Set-Cookie"] = "sid=1"
        return response

    server = WebSocketBackend(process_request=answer)
    return server


APP = {"path": "/app/*", "backend": "app", "http": "pass", "origins": "any"}


def gateway(*servers: WebSocketBackend, suffix: str = "", **keys) -> Gateway:
    backend = {"websocket": [url(server) + suffix for server in servers], **keys}
    return Gateway(routes=[APP], backends={"app": backend}, workers=2)


async def test_plain_requests_and_upgrades_share_the_cookie():
    async with answering() as one, answering() as two, answering() as three, gateway(one, two, three, balance="cookie") as running:
        address = f"http://127.0.0.1:{running.plain[1]}/app/"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(address) as response:
                first = (await response.text()).strip()
                assert response.headers.getall("Set-Cookie") == [
                    "sid=1", f"gateway-app={value(first)}; Path=/; HttpOnly; SameSite=Lax",
                ]
            for _ in range(4):
                async with session.get(address) as response:
                    assert (await response.text()).strip() == first
                    assert response.headers.getall("Set-Cookie") == ["sid=1"]
                async with session.ws_connect(address) as socket:
                    await socket.send_str("x")
                    assert (await socket.receive()).data == "x"
        [server] = [each for each in (one, two, three) if len(each.requests) > 1]
        assert url(server) == first
        assert all(request.headers.get("Cookie", "sid=1") == "sid=1" for request in server.requests)


@pytest.mark.parametrize("status, count", [(404, 1), (503, 0)])
async def test_an_endpoint_that_fails_sets_no_cookie(status, count):
    async with answering(status) as server, gateway(server, balance="cookie") as running, aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{running.plain[1]}/app/") as response:
            cookies = response.headers.getall("Set-Cookie")
            assert response.status == status
            assert sum(cookie.startswith("gateway-app=") for cookie in cookies) == count


async def test_each_request_of_a_connection_is_placed_anew():
    """One connection whose requests name different endpoints, as a browser's pages do behind one proxy."""
    async with answering() as one, answering() as two, gateway(one, two, balance="cookie") as running:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            for server in (one, two, two, one):
                fields = {"Cookie": f"gateway-app={value(url(server))}"}
                async with session.get(f"http://127.0.0.1:{running.plain[1]}/app/", headers=fields) as response:
                    assert (await response.text()).strip() == url(server)


async def test_a_star_and_the_prefix_hold_for_plain_requests():
    async with answering() as server, gateway(server, suffix="/base/*") as running, aiohttp.ClientSession() as session:
        fields = {"X-Forwarded-Prefix": "/forged"}
        async with session.get(f"http://127.0.0.1:{running.plain[1]}/app/x?q=1", headers=fields) as response:
            assert response.status == 200
        [request] = server.requests
        assert request.path == "/base/x?q=1"
        assert request.headers.get_all("X-Forwarded-Prefix") == ["/app"]


async def test_a_query_leads_plain_requests_to_the_same_endpoint():
    async with answering() as one, answering() as two, gateway(one, two, balance="hash-query:room") as running:
        async with aiohttp.ClientSession() as session:

            async def ask(room: int) -> str:
                async with session.get(f"http://127.0.0.1:{running.plain[1]}/app/?room={room}") as response:
                    assert response.headers.getall("Set-Cookie") == ["sid=1"]
                    return (await response.text()).strip()

            first = [await ask(room) for room in range(30)]
            assert set(first) == {url(one), url(two)}
            assert [await ask(room) for room in range(30)] == first
