"""Socket.IO behind the gateway alone: python-socketio with its default transports. They poll first, and then ask for an upgrade with
the id that the node of the first poll gave them."""

import asyncio
import contextlib
from urllib.parse import parse_qs

import aiohttp
import socketio
from aiohttp import web

from gateway_process import Gateway, insecure, within


class Node:
    """A node of a Socket.IO application. `requests` has the session id and the transport of each request that it got."""

    def __init__(self):
        self.requests: list[tuple[str, str]] = []
        self.statuses: list[int] = []
        self.server = socketio.AsyncServer(async_mode="aiohttp")
        self.server.on("where", self._where)

    async def _where(self, session: str) -> int:
        return self.port

    async def __aenter__(self) -> "Node":
        application = web.Application(middlewares=[self._recorder()])
        self.server.attach(application)
        self.runner = web.AppRunner(application, shutdown_timeout=0)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        return self

    def _recorder(self):
        @web.middleware
        async def record(request: web.Request, handler):
            query = parse_qs(request.query_string)
            self.requests.append((query.get("sid", [""])[0], query["transport"][0]))
            response = await handler(request)
            self.statuses.append(response.status)
            return response

        return record

    async def __aexit__(self, *error):
        # Polls that no client waits for any more would each take until their end.
        for session in list(self.server.eio.sockets):
            await self.server.eio.disconnect(session)
        await self.runner.cleanup()

    @property
    def sessions(self) -> dict[str, set[str]]:
        """The transports of each session that was asked for here."""
        found: dict[str, set[str]] = {}
        for session, transport in self.requests:
            if session:
                found.setdefault(session, set()).add(transport)
        return found


class Browser:
    """The clients of one page: they share connections and cookies."""

    def __init__(self, gateway: Gateway):
        self.url = f"https://localhost:{gateway.secure[1]}"
        self.clients: list[socketio.AsyncClient] = []

    async def __aenter__(self) -> "Browser":
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=insecure()))
        return self

    async def open(self, path: str = "socket.io", **options) -> socketio.AsyncClient:
        """A client, once it is connected and has tried to upgrade. It names its origin, as a page's client does."""
        client = socketio.AsyncClient(http_session=self.session, reconnection=False, ssl_verify=False)
        self.clients.append(client)
        await within(client.connect(self.url, socketio_path=path, headers={"Origin": self.url}, **options))
        return client

    async def __aexit__(self, *error):
        # A client that polls would wait for the answer to its last poll.
        await self.session.close()
        for client in self.clients:
            await within(client.eio.disconnect(abort=True))


def backend(*nodes: Node, path: str = "") -> dict:
    return {"websocket": [f"ws://127.0.0.1:{node.port}{path}" for node in nodes], "balance": "cookie"}


async def test_each_of_twenty_clients_is_upgraded_at_the_node_that_it_polled():
    async with Node() as one, Node() as two, contextlib.AsyncExitStack() as stack:
        routes = [{"path": "/socket.io/*", "backend": "app", "http": "pass"}]
        gateway = await stack.enter_async_context(Gateway(routes=routes, backends={"app": backend(one, two)}, workers=2))
        browsers = [await stack.enter_async_context(Browser(gateway)) for _ in range(20)]
        clients = await asyncio.gather(*(browser.open() for browser in browsers))
        assert [client.transport() for client in clients] == ["websocket"] * 20
        places = [await within(client.call("where")) for client in clients]
        assert set(places) == {one.port, two.port}
        assert not set(one.sessions) & set(two.sessions)
        assert len(one.sessions) + len(two.sessions) == 20
        for node in (one, two):
            assert len(node.sessions) == places.count(node.port)
            assert all("websocket" in transports for transports in node.sessions.values())
            # A node that does not know the session says 400.
            assert set(node.statuses) <= {200, 101}
        assert len(gateway.log.matching("open", route="/socket.io/*")) == 20


async def test_a_client_that_only_polls_stays_at_its_node():
    async with Node() as one, Node() as two, contextlib.AsyncExitStack() as stack:
        routes = [{"path": "/socket.io/*", "backend": "app", "http": "pass"}]
        gateway = await stack.enter_async_context(Gateway(routes=routes, backends={"app": backend(one, two)}, workers=2))
        for _ in range(4):
            browser = await stack.enter_async_context(Browser(gateway))
            client = await browser.open(transports=["polling"])
            assert len({await within(client.call("where")) for _ in range(5)}) == 1
            assert client.transport() == "polling"
        assert set(one.statuses) == set(two.statuses) == {200}


async def test_two_applications_of_one_host_have_a_cookie_each():
    async with contextlib.AsyncExitStack() as stack:
        chat = [await stack.enter_async_context(Node()) for _ in range(2)]
        news = [await stack.enter_async_context(Node()) for _ in range(2)]
        routes = [{"path": f"/{name}/socket.io/*", "backend": name, "http": "pass"} for name in ("chat", "news")]
        backends = {"chat": backend(*chat, path="/socket.io/*"), "news": backend(*news, path="/socket.io/*")}
        gateway = await stack.enter_async_context(Gateway(routes=routes, backends=backends, workers=2))
        for _ in range(4):
            browser = await stack.enter_async_context(Browser(gateway))
            for name, nodes in (("chat", chat), ("news", news)):
                clients = [await browser.open(f"{name}/socket.io") for _ in range(3)]
                assert [client.transport() for client in clients] == ["websocket"] * 3
                # It comes back to the node of its first visit.
                [place] = {await within(client.call("where")) for client in clients}
                assert place in {node.port for node in nodes}
            names = {cookie.key for cookie in browser.session.cookie_jar}
            assert names == {"gateway-chat", "gateway-news"}
        assert all(set(node.statuses) <= {200, 101} for node in (*chat, *news))
