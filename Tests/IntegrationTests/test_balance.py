"""Which endpoint a session gets, and what happens when one cannot be reached."""

import asyncio
import contextlib

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway_process import Gateway
from peers import WebSocketBackend, client, refusing_port

APP = {"path": "/app/*", "backend": "app"}


def url(server: WebSocketBackend) -> str:
    return f"ws://127.0.0.1:{server.port}"


@contextlib.asynccontextmanager
async def gateway(count: int, **keys):
    """A gateway in front of `count` servers."""
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(WebSocketBackend()) for _ in range(count)]
        endpoints = keys.pop("endpoints", lambda servers: [url(server) for server in servers])(servers)
        top = {key: keys.pop(key) for key in ("workers", "admin") if key in keys}
        running = Gateway(routes=[APP], backends={"app": {"websocket": endpoints, **keys}}, **top)
        yield await stack.enter_async_context(running), servers


async def test_a_failed_connect_is_retried_elsewhere_before_the_client_hears_of_it():
    closed, port = refusing_port()
    with closed:
        endpoints = lambda servers: [f"ws://127.0.0.1:{port}", url(servers[0])]  # noqa: E731
        async with gateway(1, endpoints=endpoints) as (running, servers):
            for _ in range(6):
                async with client(running.ws("/app/")) as session:
                    await session.send("hello")
                    assert await session.recv() == "hello"
            assert len(servers[0].connections) == 6
            assert running.log.matching("refused") == []


async def test_a_backend_that_hangs_up_before_it_answers_is_not_the_last_one_asked():
    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        endpoints = lambda servers: [f"ws://127.0.0.1:{port}", url(servers[0])]  # noqa: E731
        async with gateway(1, endpoints=endpoints) as (running, servers):
            for _ in range(4):
                async with client(running.ws("/app/")) as session:
                    await session.send("hello")
                    assert await session.recv() == "hello"


async def test_where_no_endpoint_answers_the_client_hears_it():
    closed, port = refusing_port()
    with closed:
        async with gateway(0, endpoints=lambda _: [f"ws://127.0.0.1:{port}", f"ws://localhost:{port}"]) as (running, _):
            with pytest.raises(InvalidStatus) as refused:
                async with client(running.ws("/app/")):
                    pass
            assert refused.value.response.status_code == 502


async def test_weights_are_kept_in_turns():
    endpoints = lambda servers: [{"url": url(servers[0]), "weight": 3}, url(servers[1])]  # noqa: E731
    async with gateway(2, endpoints=endpoints) as (running, servers), contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(client(running.ws("/app/")))
        assert [len(server.connections) for server in servers] == [6, 2]


async def test_a_backup_waits_until_nobody_else_is_there():
    closed, port = refusing_port()
    with closed:
        endpoints = lambda servers: [  # noqa: E731
            f"ws://127.0.0.1:{port}", {"url": url(servers[0]), "backup": True},
        ]
        async with gateway(1, endpoints=endpoints) as (running, servers):
            async with client(running.ws("/app/")):
                pass
            assert len(servers[0].connections) == 1


async def test_the_fewest_sessions_of_all_workers_count():
    async with gateway(2, balance="least-sessions", workers=2) as (running, servers), contextlib.AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(client(running.ws("/app/"))) for _ in range(20)]
        assert [len(server.connections) for server in servers] == [10, 10]
        # All sessions of one server end; the next session goes there.
        for session in sessions:
            if session.response.headers.get("x") is None and sessions.index(session) % 2 == 0:
                await session.close()
        await running.events(10, "close")
        for _ in range(10):
            await stack.enter_async_context(client(running.ws("/app/")))
        live = [sum(connection.state == 1 for connection in server.connections) for server in servers]
        assert live == [10, 10]


@pytest.mark.parametrize("balance", ["hash-path", "hash-address"])
async def test_the_same_key_leads_to_the_same_endpoint(balance):
    async with gateway(3, balance=balance, workers=2) as (running, servers):
        for path in ["/app/one"] * 5 + ["/app/two"] * 5:
            async with client(running.ws(path)):
                pass
        by_path = {
            path: {index for index, server in enumerate(servers) for request in server.requests if request.path == path}
            for path in ("/app/one", "/app/two")
        }
        assert all(len(places) == 1 for places in by_path.values())
        if balance == "hash-address":
            assert by_path["/app/one"] == by_path["/app/two"]


async def test_two_are_drawn_and_the_emptier_one_is_taken():
    async with gateway(2, balance="random-two") as (running, servers), contextlib.AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(client(running.ws("/app/")))
        assert [len(server.connections) for server in servers] == [10, 10]


async def test_sessions_move_to_an_endpoint_that_is_new():
    async with gateway(2, balance="least-sessions", rebalance={"rate": "50/s"}, workers=2) as (running, servers):
        both = running.configuration["backends"]
        await running.reload(backends={"app": {**both["app"], "websocket": [url(servers[0])]}})

        async def live_on():
            """A client that reconnects whenever it is closed."""
            while True:
                async with client(running.ws("/app/")) as session:
                    try:
                        await session.recv()
                    except ConnectionClosed as closed:
                        assert closed.rcvd.code == 1012

        clients = [asyncio.create_task(live_on()) for _ in range(40)]
        try:
            await running.events(40, "open")
            await running.reload(backends=both)
            await running.event("rebalanced", backend="app")
            moved = len(running.log.matching("close", cause="drain"))
            assert 15 <= moved <= 20
            assert running.log.matching("close") == running.log.matching("close", cause="drain")
        finally:
            for task in clients:
                task.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
