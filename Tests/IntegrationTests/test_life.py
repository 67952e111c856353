"""The life of the process: how it ends, and what it does when it lacks a resource."""

import contextlib
import signal

import pytest
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import Gateway
from peers import WebSocketBackend, client

ROUTES = [{"path": "/echo", "backend": "echo"}, {"path": "/app", "backend": "app"}]
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


def gateway(backend: WebSocketBackend, **keys) -> Gateway:
    return Gateway(routes=ROUTES, backends={"echo": {"builtin": "echo"}, "app": backend.configuration()}, **keys)


@SIGNALS
async def test_a_signal_closes_every_session_with_1012_and_the_process_ends(number):
    async with WebSocketBackend() as backend, gateway(backend, workers=2) as running, contextlib.AsyncExitStack() as stack:
        urls = [running.ws("/echo"), running.wss("/echo"), running.ws("/app"), running.wss("/app")] * 10
        sockets = [await stack.enter_async_context(client(url)) for url in urls]
        await running.events(len(urls), "open")
        running.signal(number)
        for socket in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1012
        assert await running.exited() == 0
        for _ in range(20):
            assert (await backend.closed())[0] == 1001
        await running.events(len(urls), "close", cause="drain", by="gateway", code=1012)


async def test_who_does_not_answer_the_close_is_waited_for_so_long_and_no_longer():
    timeouts = {"close": "300ms"}
    async with WebSocketBackend() as backend, gateway(backend, defaults={"timeouts": timeouts}) as running:
        async with await raw.Connection.upgraded(running.plain, "/app") as socket:
            running.signal(signal.SIGTERM)
            assert (await socket.frame()).code == 1012
            assert await running.exited() == 0
            await socket.lost()


@SIGNALS
async def test_a_second_signal_ends_at_once(number):
    timeouts = {"close": "1h"}
    async with WebSocketBackend() as backend, gateway(backend, defaults={"timeouts": timeouts}) as running:
        async with await raw.Connection.upgraded(running.plain, "/app") as socket:
            running.signal(number)
            assert (await socket.frame()).code == 1012
            running.signal(number)
            assert await running.exited() == 0


async def test_a_request_that_is_not_whole_yet_is_503_when_the_gateway_goes_down():
    async with WebSocketBackend() as backend, gateway(backend, defaults={"timeouts": {"close": "20s"}}) as running:
        async with (
            await raw.Connection.upgraded(running.plain, "/echo") as session,
            await raw.Connection.open(running.plain) as socket,
        ):
            await socket.send(raw.upgrade()[:-2])
            # The second connection was accepted before the answer to this one came.
            await session.send(raw.frame(raw.PING, b"a"))
            await session.frame()
            running.signal(signal.SIGTERM)
            response = await socket.response()
            assert response.status == 503 and response.field("Retry-After")
            assert (await session.frame()).code == 1012
            await session.send(raw.close(1012))
        assert await running.exited() == 0


async def test_no_session_no_wait():
    async with WebSocketBackend() as backend, gateway(backend, defaults={"timeouts": {"close": "1h"}}) as running:
        running.signal(signal.SIGTERM)
        assert await running.exited() == 0


async def test_descriptors_that_run_out_stop_accepting_and_nothing_else():
    few = ("prlimit", "--nofile=128:128")
    async with WebSocketBackend() as backend, gateway(backend, wrapper=few) as running:
        async with client(running.ws("/app")) as witness, contextlib.AsyncExitStack() as stack:
            crowd = [await stack.enter_async_context(await raw.Connection.open(running.plain)) for _ in range(100)]
            for connection in crowd:
                await connection.send(b"GET /echo")
            await witness.send("still here")
            assert await witness.recv() == "still here"
            for connection in crowd:
                connection.reset()
            async with client(running.ws("/app")) as late:
                await late.send("welcome")
                assert await late.recv() == "welcome"


async def test_sessions_leave_no_descriptor_behind():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        before = None
        for round in range(5):
            for _ in range(50):
                async with client(running.ws("/app")) as socket:
                    await socket.send("a")
                    await socket.recv()
            await running.events(50 * (round + 1), "close")
            before = before or running.open_files()
            assert await running.has_open_files(before + 2)
