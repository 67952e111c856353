"""Node servers of express and ws, unmodified behind the gateway, used by a page's plain `new WebSocket`."""

import contextlib

import pytest

from browser import chromium, logged, new_page, page_server
from gateway_process import Gateway
from peers import node

CONNECTING, OPEN, CLOSING, CLOSED = range(4)


@contextlib.asynccontextmanager
async def behind_the_gateway(name: str):
    """Yields the gateway, its wss URL of the Node server, Chromium, and the origin of a page."""
    async with node(name) as port, page_server() as origin:
        routes = [{"path": "/app", "backend": "node", "origins": [origin]}]
        backends = {"node": {"websocket": [f"ws://127.0.0.1:{port}"]}}
        async with Gateway(routes=routes, backends=backends) as gateway, chromium() as browser:
            yield gateway, gateway.wss("/app"), browser, origin


def states(log: list[dict]) -> list[int]:
    seen = [entry["readyState"] for entry in log]
    return [state for number, state in enumerate(seen) if number == 0 or seen[number - 1] != state]


async def test_echo():
    async with behind_the_gateway("echo") as (gateway, url, browser, origin):
        page = await new_page(browser, origin)
        await page.evaluate("url => open_socket(url)", url)
        await logged(page, "open")
        await page.evaluate("socket.send('grüße, 世界')")
        await logged(page, "message")
        await page.evaluate("socket.send('x'.repeat(300000))")
        await logged(page, "message", 2)
        await page.evaluate("close_socket(4001, 'enough')")
        log = await logged(page, "close")
        assert [entry["what"] for entry in log] == ["made", "open", "message", "message", "closing", "close"]
        assert states(log) == [CONNECTING, OPEN, CLOSING, CLOSED]
        assert [entry["data"] for entry in log if entry["what"] == "message"] == ["grüße, 世界", "x" * 300000]
        assert (log[-1]["code"], log[-1]["reason"], log[-1]["wasClean"]) == (4001, "enough", True)
        assert not page.problems
        record = await gateway.closed(cause="client-closed", by="client", code=4001)
        assert record["origin"] == origin


async def test_the_date_every_second():
    async with behind_the_gateway("date") as (gateway, url, browser, origin):
        page = await new_page(browser, origin)
        await page.evaluate("url => open_socket(url)", url)
        await logged(page, "message", 2)
        await page.evaluate("close_socket()")
        log = await logged(page, "close")
        assert states(log) == [CONNECTING, OPEN, CLOSING, CLOSED]
        assert all("GMT" in entry["data"] for entry in log if entry["what"] == "message")
        # The browser sends a Close without a code, and so does the server.
        assert (log[-1]["code"], log[-1]["wasClean"]) == (1005, True)
        await gateway.closed(cause="client-closed", code="none")


async def test_everyone_hears_everyone():
    async with behind_the_gateway("chat") as (gateway, url, browser, origin):
        pages = [await new_page(browser, origin) for _ in range(2)]
        for page in pages:
            await page.evaluate("url => open_socket(url)", url)
            await logged(page, "open")
        for number, page in enumerate(pages):
            await page.evaluate("text => socket.send(text)", f"from {number}")
            for listener in pages:
                await logged(listener, "message", number + 1)
        for page in pages:
            await page.evaluate("close_socket(1000)")
            log = await logged(page, "close")
            assert [entry["data"] for entry in log if entry["what"] == "message"] == ["from 0", "from 1"]
            assert states(log) == [CONNECTING, OPEN, CLOSING, CLOSED] and log[-1]["code"] == 1000


async def test_a_page_and_its_socket_share_one_port():
    """The gateway is the only proxy: the page, its script, its uploads and its socket come from the same server by the same route."""
    async with node("page") as port, chromium() as browser:
        routes = [{"path": "/*", "backend": "node", "http": "pass"}]
        async with Gateway(routes=routes, backends={"node": {"websocket": [f"ws://127.0.0.1:{port}"]}}) as gateway:
            page = await new_page(browser, gateway.https("/"))
            assert (await logged(page, "message"))[0]["data"] == "visitor=one"
            for size in (0, 1000, 900_000):
                answer = await page.evaluate("size => upload(size)", size)
                assert answer == {"length": size, "cookie": "visitor=one", "protocol": "https"}
            await page.evaluate("socket.send('still here')")
            assert (await logged(page, "message", 2))[1]["data"] == "still here"
            await page.reload()
            await logged(page, "message")
            assert not page.problems
            await gateway.events(2, "open")
            await gateway.closed(by="client", code=1001)


async def test_each_transport_of_sockjs():
    """SockJS asks `/info`, and then opens a WebSocket; where it may not, it streams or polls its answers."""
    async with node("sockjs") as port, chromium() as browser:
        routes = [{"path": "/*", "backend": "node", "http": "pass"}]
        async with Gateway(routes=routes, backends={"node": {"websocket": [f"ws://127.0.0.1:{port}"]}}) as gateway:
            for transport in ("websocket", "xhr-streaming", "eventsource", "xhr-polling"):
                page = await new_page(browser, gateway.https("/"))
                await page.evaluate("name => open_socket(name)", transport)
                assert (await logged(page, "open"))[-1]["transport"] == transport
                for number, text in enumerate(("grüße", "x" * 100_000)):
                    await page.evaluate("text => socket.send(text)", text)
                    assert (await logged(page, "message", number + 1))[-1]["data"] == text
                await page.evaluate("socket.close(4001, 'enough')")
                assert (await logged(page, "close"))[-1] == {"what": "close", "code": 4001, "reason": "enough"}
                assert not page.problems
            assert len(gateway.log.matching("open")) == 1


async def test_a_server_that_dies_is_1011_to_the_page():
    async with page_server() as origin, chromium() as browser, contextlib.AsyncExitStack() as stack:
        process = await stack.enter_async_context(contextlib.AsyncExitStack())
        port = await process.enter_async_context(node("echo"))
        routes = [{"path": "/app", "backend": "node", "origins": "any"}]
        backends = {"node": {"websocket": [f"ws://127.0.0.1:{port}"]}}
        async with Gateway(routes=routes, backends=backends) as gateway:
            page = await new_page(browser, origin)
            await page.evaluate("url => open_socket(url)", gateway.wss("/app"))
            await logged(page, "open")
            await process.aclose()
            log = await logged(page, "close")
            assert (log[-1]["code"], log[-1]["wasClean"]) == (1011, True)


@pytest.mark.parametrize("offers, picked", [(["b", "a"], "a"), (["a"], "a")])
async def test_a_page_gets_the_subprotocol_it_offered(offers, picked):
    async with page_server() as origin, chromium() as browser:
        routes = [{"path": "/app", "backend": "echo", "origins": "any", "subprotocols": ["a", "b"]}]
        async with Gateway(routes=routes, backends={"echo": {"builtin": "echo"}}) as gateway:
            page = await new_page(browser, origin)
            await page.evaluate("([url, offers]) => open_socket(url, offers)", [gateway.wss("/app"), offers])
            log = await logged(page, "open")
            assert log[-1]["protocol"] == picked


async def test_a_page_of_another_origin_is_refused():
    async with page_server() as origin, chromium() as browser:
        routes = [{"path": "/app", "backend": "echo"}]
        async with Gateway(routes=routes, backends={"echo": {"builtin": "echo"}}) as gateway:
            page = await new_page(browser, origin)
            await page.evaluate("url => open_socket(url)", gateway.wss("/app"))
            log = await logged(page, "close")
            assert [entry["what"] for entry in log] == ["made", "error", "close"] and log[-1]["code"] == 1006
            assert (await gateway.event("refused", status=403))["origin"] == origin
