"""Heartbeats and timeouts: peers that are stopped, that live, and that are silent."""

import asyncio
import contextlib
import json
import signal
import sys

import pytest
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import PATIENCE, Gateway, insecure, tell, within
from peers import WebSocketBackend, client, relay

QUICK = {"interval": "200ms", "timeout": "200ms"}
# Who does not answer these is not closed during a test.
PATIENT = {"interval": "100ms", "timeout": "1m"}

CLIENT = """
import asyncio, ssl, sys
from websockets.asyncio.client import connect

async def main(url):
    tls = ssl._create_unverified_context() if url.startswith("wss:") else None
    async with connect(url, ssl=tls, ping_interval=None) as socket:
        await socket.send("hello")
        print(await socket.recv(), flush=True)
        await socket.wait_closed()

asyncio.run(main(sys.argv[1]))
"""

SERVER = """
import asyncio
from websockets.asyncio.server import serve

async def echo(socket):
    async for message in socket:
        await socket.send(message)

async def main():
    async with serve(echo, "127.0.0.1", 0, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def python(program: str, *arguments: str):
    """A process that can be stopped; yields it and the first line that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = await within(process.stdout.readline())
        yield process, line.decode().strip()
    finally:
        # Also one that is stopped.
        tell(process, signal.SIGKILL)
        await process.wait()


async def code_of_close(socket) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await within(socket.recv())
    return closed.value.rcvd.code


async def ping_of_ours(socket: raw.Connection) -> bytes:
    """The payload of the next frame, which must be a ping of the gateway."""
    frame = await socket.frame()
    assert frame.opcode == raw.PING and len(frame.payload) == 12, frame
    return frame.payload


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_client_that_vanishes_is_found(scheme):
    async with WebSocketBackend() as backend, relay(backend.configuration(heartbeat="off"), defaults={"heartbeat": QUICK}) as gateway:
        async with python(CLIENT, getattr(gateway, scheme)("/app")) as (process, hello):
            assert hello == "hello"
            tell(process, signal.SIGSTOP)
            assert (await backend.closed())[0] == 1001
            record = await gateway.closed(cause="client-ping-timeout", by="client", code=1001)
            assert record["detail"].startswith("silent for 0.")


async def test_a_backend_that_stops_is_found():
    async with python(SERVER) as (process, port):
        settings = {"websocket": [f"ws://127.0.0.1:{port}"], "heartbeat": QUICK}
        async with relay(settings, defaults={"heartbeat": "off"}) as gateway, client(gateway.ws("/app")) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            tell(process, signal.SIGSTOP)
            assert await code_of_close(socket) == 1011
            await gateway.closed(cause="backend-ping-timeout", by="backend", code=1011)


async def test_a_backend_that_stops_does_not_hide_behind_the_clients_pings():
    async with python(SERVER) as (process, port):
        settings = {"websocket": [f"ws://127.0.0.1:{port}"], "heartbeat": QUICK}
        async with relay(settings, defaults={"heartbeat": "off"}) as gateway, client(gateway.ws("/app")) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            tell(process, signal.SIGSTOP)

            async def ping():
                while True:
                    await socket.ping()
                    await asyncio.sleep(0.02)

            pinging = asyncio.create_task(ping())
            assert await code_of_close(socket) == 1011
            await gateway.closed(cause="backend-ping-timeout", by="backend", code=1011)
            with pytest.raises(ConnectionClosed):
                await pinging


async def test_a_bridges_client_that_stops_is_found():
    ended = asyncio.Event()

    async def serve(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
        ended.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    settings = {"tcp": [f"127.0.0.1:{server.sockets[0].getsockname()[1]}"]}
    async with server, relay(settings, {"heartbeat": QUICK}) as gateway:
        async with python(CLIENT, gateway.ws("/app")) as (process, hello):
            assert hello == "b'hello'"
            tell(process, signal.SIGSTOP)
            await within(ended.wait())
            await gateway.closed(cause="client-ping-timeout", by="client", code=1001)


@pytest.mark.parametrize("scheme", ["plain", "secure"])
async def test_who_answers_lives_and_so_does_who_sends_something_else(scheme):
    """The gateway pings again only after it has received something. So the second ping shows what counts."""
    routes = [{"path": "/room", "backend": "rooms", "heartbeat": PATIENT}]
    async with Gateway(routes=routes, backends={"rooms": {"builtin": "broadcast"}}) as gateway:
        context = insecure() if scheme == "secure" else None
        async with await raw.Connection.upgraded(getattr(gateway, scheme), "/room", ssl=context) as socket:
            payloads = set()
            for _ in range(5):
                payload = await ping_of_ours(socket)
                payloads.add(payload)
                await socket.send(raw.frame(raw.PONG, payload))
            assert len(payloads) == 5 and len({payload[:8] for payload in payloads}) == 1
            for _ in range(3):
                await ping_of_ours(socket)
                await socket.send(raw.frame(raw.TEXT, b"no pong"))
                assert (await socket.frame()).payload == b"no pong"
            await ping_of_ours(socket)
            await socket.send(raw.close(1000))
            assert (await socket.closing()).code == 1000
        await gateway.closed(cause="client-closed")


async def test_foreign_peers_answer_and_their_own_pings_pass_through():
    """Both libraries answer every ping and wait for every pong."""
    async with WebSocketBackend() as backend, relay(backend, {"heartbeat": PATIENT}) as gateway:
        async with client(gateway.ws("/app")) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            (server,) = backend.connections
            for number in range(20):
                for side in (socket, server):
                    # 12 bytes as the gateway's own, too.
                    pong = await side.ping(bytes([number]) * (12 if number % 2 else 3))
                    await within(pong)
            await socket.send("still here")
            assert await socket.recv() == "still here"
        assert (await backend.closed())[0] == 1000


async def test_a_round_trip_is_in_the_table_of_sessions(tmp_path):
    address = tmp_path / "admin.sock"
    async with WebSocketBackend() as backend, relay(backend, {"heartbeat": PATIENT}, admin=f"unix:{address}") as gateway:
        async with client(gateway.ws("/app")):

            async def row() -> dict:
                reader, writer = await asyncio.open_unix_connection(str(address))
                writer.write(b"GET /api/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await within(reader.read())
                writer.close()
                (session,) = json.loads(answer.partition(b"\r\n\r\n")[2])["sessions"]
                return session

            async with asyncio.timeout(PATIENCE):
                while not (session := await row()).get("client_rtt_seconds") or not session.get("backend_rtt_seconds"):
                    pass
            assert 0 < session["client_rtt_seconds"] < PATIENCE and 0 < session["backend_rtt_seconds"] < PATIENCE


async def test_a_session_without_messages_is_closed_though_its_peers_live():
    timeouts = {"idle": "500ms"}
    async with WebSocketBackend() as backend, relay(backend, {"heartbeat": PATIENT, "timeouts": timeouts}) as gateway:
        async with client(gateway.ws("/app")) as socket:
            assert await code_of_close(socket) == 1001
        assert (await backend.closed())[0] == 1001
        await gateway.closed(cause="idle-timeout", by="gateway", code=1001)


async def test_a_busy_session_ends_when_its_time_is_over():
    timeouts = {"idle": "1m", "session": "500ms"}
    async with WebSocketBackend() as backend, relay(backend, {"heartbeat": PATIENT, "timeouts": timeouts}) as gateway:
        async with client(gateway.ws("/app")) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    await socket.send("busy")
                    assert await within(socket.recv()) == "busy"
            assert closed.value.rcvd.code == 1001
        assert (await backend.closed())[0] == 1001
        await gateway.closed(cause="session-timeout", by="gateway", code=1001)


async def test_a_reload_turns_the_heartbeat_on_for_sessions_that_are_open():
    async with WebSocketBackend() as backend, relay(backend, {"heartbeat": "off"}) as gateway:
        async with python(CLIENT, gateway.ws("/app")) as (process, hello):
            assert hello == "hello"
            tell(process, signal.SIGSTOP)
            routes = [{**route, "heartbeat": QUICK} for route in gateway.configuration["routes"]]
            await gateway.reload(routes=routes)
            assert (await backend.closed())[0] == 1001
            await gateway.closed(cause="client-ping-timeout", by="client")


async def test_a_thousand_sessions_do_not_ping_at_once():
    """Each interval is shortened by up to an eighth at random."""
    routes = [{"path": "/room", "backend": "rooms", "heartbeat": {"interval": "4s", "timeout": "1m"}}]
    async with Gateway(routes=routes, backends={"rooms": {"builtin": "broadcast"}}) as gateway:
        loop = asyncio.get_running_loop()

        async def delay(number: int) -> float:
            async with opening, await raw.Connection.upgraded(gateway.plain, f"/room?{number}") as socket:
                opened = loop.time()
                waiting.append(number)
                opening.release()
                await ping_of_ours(socket)
                result = loop.time() - opened
                await opening.acquire()
                return result

        waiting: list[int] = []
        opening = asyncio.Semaphore(50)
        delays = sorted(await asyncio.gather(*map(delay, range(1000))))
        assert len(waiting) == 1000
        # Half a second, were nothing else to do meanwhile.
        assert delays[900] - delays[100] > 0.2, delays
