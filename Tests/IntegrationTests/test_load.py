"""The load client of the benchmarks: it reports all figures, and an error ends it."""

import asyncio
import contextlib
import json
import signal

import pytest

import peers
from gateway_process import BINARY, Gateway, tell, within

LOAD = BINARY.parent / "gateway-load"
WINDOW = ("--seconds", "0.2", "--warmup", "0.05")

pytestmark = pytest.mark.skipif(not LOAD.exists(), reason="gateway-load is not built beside the gateway")


async def load(*arguments) -> tuple[int, list[dict], str]:
    """Runs the load client to its end. Returns status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        LOAD, *map(str, arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await within(process.communicate(b""))
    except TimeoutError:
        tell(process, signal.SIGKILL)
        output, errors = await process.communicate()
        raise AssertionError(f"it did not end; standard error:\n{errors.decode()}")
    return process.returncode, [json.loads(line) for line in output.splitlines()], errors.decode()


async def figures(gateway: Gateway, workload: str, url: str, *arguments) -> dict:
    status, printed, errors = await load(workload, url, *arguments, *WINDOW, "--pid", gateway.process.pid)
    assert (status, errors) == (0, "")
    [result] = printed
    assert "latency_histogram_ns" not in result
    return checked(result, gateway, workload)


def checked(result: dict, gateway: Gateway, workload: str) -> dict:
    """Checks the figures that all workloads have."""
    assert result["workload"] == workload
    assert result["messages"] > 0 and result["per_second"] > 0
    assert 0.2 <= result["seconds"]
    latency = result["latency_us"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p999"] <= latency["max"]
    [cpu] = result["cpu"]
    assert cpu["pid"] == gateway.process.pid and cpu["seconds"] > 0 and cpu["us_per_message"] > 0
    # The kernel's ticks of a hundredth of a second.
    assert cpu["user"] + cpu["system"] < cpu["seconds"] + 0.03
    assert result["client_cpu_seconds"] > 0
    return result


def builtins() -> Gateway:
    return Gateway(
        routes=[
            {"path": "/echo", "backend": "echo"},
            {"path": "/broadcast/*", "backend": "rooms"},
        ],
        backends={"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}},
    )


def url(gateway: Gateway, secure: bool, path: str) -> str:
    return gateway.wss(path) if secure else gateway.ws(path)


SECURITY = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])


@SECURITY
@pytest.mark.parametrize(("size", "in_flight"), [(1, 1), (64, 4), (200_000, 3)])
async def test_pingpong(secure, size, in_flight):
    async with builtins() as gateway:
        await figures(
            gateway, "pingpong", url(gateway, secure, "/echo"),
            "--sessions", 3, "--size", size, "--in-flight", in_flight)


async def test_pingpong_through_a_bridge_whose_messages_are_cut_and_joined():
    async with peers.TCPBackend() as backend, peers.relay(backend.configuration()) as gateway:
        await figures(
            gateway, "pingpong", gateway.ws("/app"), "--sessions", 2, "--size", 100_000, "--in-flight", 4)


@SECURITY
async def test_rate(secure):
    async with builtins() as gateway:
        result = await figures(
            gateway, "rate", url(gateway, secure, "/echo"), "--sessions", 5, "--size", 64, "--rate", 500)
        assert result["client_late_us"]["max"] <= result["latency_us"]["max"]
        assert "storm" not in result


async def test_rate_in_a_storm():
    async with builtins() as gateway:
        result = await figures(
            gateway, "rate", gateway.ws("/echo"), "--sessions", 5, "--size", 64, "--rate", 200,
            "--storm", gateway.wss("/echo"), "--storm-rate", 50)
        assert result["storm"]["handshakes"] > 0
        assert result["storm"]["failed"] == 0


async def test_handshakes_are_full_unless_they_are_to_be_resumed():
    async with builtins() as gateway:
        full = await figures(gateway, "handshakes", gateway.wss("/echo"), "--concurrency", 2)
        assert full["resumed"] == 0
        resumed = await figures(gateway, "handshakes", gateway.wss("/echo"), "--concurrency", 2, "--resume")
        assert resumed["messages"] - 2 <= resumed["resumed"] <= resumed["messages"]
        plain = await figures(gateway, "handshakes", gateway.ws("/echo"), "--concurrency", 2)
        assert plain["resumed"] == 0
    # Each was closed in order.
    assert gateway.log.matching("close", cause="client-closed", code=1000)


@SECURITY
async def test_broadcast_counts_deliveries(secure):
    async with builtins() as gateway:
        await figures(
            gateway, "broadcast", url(gateway, secure, "/broadcast/load"),
            "--receivers", 4, "--size", 64, "--in-flight", 2)


@SECURITY
async def test_idle_keeps_sessions_until_the_end_of_its_input(secure):
    async with builtins() as gateway:
        status, [line], errors = await load("idle", url(gateway, secure, "/echo"), "--sessions", 20)
        assert (status, line["event"], line["sessions"], errors) == (0, "open", 20, "")
        assert len(await gateway.events(20, "close", cause="client-gone")) == 20


# Turns on request


class Turns:
    """A load client that is asked for one turn after the other."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process

    async def line(self) -> dict:
        return json.loads(await within(self.process.stdout.readline()))

    async def turn(self, gateway: Gateway) -> dict:
        self.process.stdin.write(b"%d\n" % gateway.process.pid)
        return await self.line()

    async def end(self) -> tuple[bytes, bytes, int]:
        """Ends its input. Returns the output that was not read yet, standard error and status."""
        rest = await within(self.process.communicate(b""))
        return *rest, self.process.returncode


@contextlib.asynccontextmanager
async def turns(*arguments):
    process = await asyncio.create_subprocess_exec(
        LOAD, *map(str, arguments), *WINDOW, "--turns-on-request",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    try:
        client = Turns(process)
        assert await client.line() == {"ready": True}
        yield client
    finally:
        if process.returncode is None:
            tell(process, signal.SIGKILL)
            await process.communicate()


ECHOES = {
    "pingpong": ("/echo", "--sessions", 3, "--size", 64, "--in-flight", 4),
    "rate": ("/echo", "--sessions", 3, "--size", 64, "--rate", 500),
    "broadcast": ("/broadcast/load", "--receivers", 3, "--size", 64, "--in-flight", 2),
}


@SECURITY
@pytest.mark.parametrize("workload", ECHOES)
async def test_the_same_sessions_take_one_turn_after_the_other(workload, secure):
    path, *arguments = ECHOES[workload]
    async with builtins() as gateway:
        async with turns(workload, url(gateway, secure, path), *arguments) as client:
            for _ in range(3):
                result = checked(await client.turn(gateway), gateway, workload)
                bounds, counts = zip(*result["latency_histogram_ns"])
                assert list(bounds) == sorted(bounds) and bounds[-1] == round(result["latency_us"]["max"] * 1000)
                # Each turn counts for itself, and what began in its window came back: at a rate, so many messages were due;
                # otherwise as many came back in the window as began in it, apart from those in flight at either end.
                expected, most = (500 * result["seconds"], 1) if workload == "rate" else (result["messages"], 12)
                assert abs(sum(counts) - expected) <= most
            assert await client.end() == (b"", b"", 0)
        # It went away with all of its sessions, and had no others.
        sessions = 4 if workload == "broadcast" else 3
        assert len(await gateway.events(sessions, "close", cause="client-gone")) == sessions
    assert len(gateway.log.matching("close")) == sessions


async def test_the_handshakes_of_a_turn_are_over_before_its_figures():
    async with builtins() as gateway:
        arguments = ("--sessions", 2, "--size", 64, "--rate", 200, "--storm", gateway.wss("/echo"), "--storm-rate", 50)
        async with turns("rate", gateway.ws("/echo"), *arguments) as client:
            for _ in range(2):
                result = checked(await client.turn(gateway), gateway, "rate")
                assert 0 < result["storm"]["handshakes"] < 20
                assert result["storm"]["failed"] == 0
            assert await client.end() == (b"", b"", 0)
        async with turns("handshakes", gateway.wss("/echo"), "--concurrency", 2, "--resume") as client:
            first, second = [checked(await client.turn(gateway), gateway, "handshakes") for _ in range(2)]
            # The tickets of the first turn are good for the second one.
            assert second["resumed"] == second["messages"]
            assert await client.end() == (b"", b"", 0)
        await gateway.events(2, "close", cause="client-gone")
    # Apart from the two sessions that stayed, each was closed in order.
    assert len(gateway.log.matching("close")) == 2 + len(gateway.log.matching("close", cause="client-closed", code=1000))


async def test_a_session_that_ends_while_it_waits_ends_the_run():
    async with peers.WebSocketBackend() as server:
        async with turns("pingpong", f"ws://127.0.0.1:{server.port}/", "--sessions", 1, "--size", 8) as client:
            server.connections[0].transport.abort()
            output, errors = await within(client.process.communicate())
            assert (output, client.process.returncode) == (b"", 1)
            assert b"the server closed the connection" in errors


# What is wrong


async def wrong(url: str, *arguments) -> str:
    """The error before it exits with 1. It must not print figures."""
    status, printed, errors = await load(
        "pingpong", url, *(arguments or ("--sessions", 1, "--size", 8)), *WINDOW)
    assert (status, printed) == (1, []), errors
    assert errors.startswith("gateway-load: session ")
    return errors


async def answers_with_another_message(connection):
    async for message in connection:
        await connection.send(bytes(byte ^ 1 for byte in message))


async def answers_twice(connection):
    async for message in connection:
        await connection.send(message + message)


async def closes(connection):
    await connection.recv()
    await connection.close(1013)


async def goes_away(connection):
    await connection.recv()
    connection.transport.abort()


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (answers_with_another_message, "message 0 is not what was sent"),
        (answers_twice, "more came back than was sent"),
        (closes, "the server sent a Close with 1013"),
        (goes_away, "the server closed the connection"),
    ],
    ids=["another message", "twice", "a Close", "an end"])
async def test_a_server_that_is_no_echo_ends_the_run(handler, words):
    async with peers.WebSocketBackend(handler) as server:
        assert words in await wrong(f"ws://127.0.0.1:{server.port}/")


async def test_a_server_that_does_not_upgrade_ends_the_run():
    async with builtins() as gateway:
        assert "404" in await wrong(gateway.ws("/nowhere"))
    async with peers.TCPBackend() as server:
        assert "no HTTP" in await wrong(f"ws://127.0.0.1:{server.port}/")


async def test_a_port_where_nobody_listens_ends_the_run():
    holder, port = peers.refusing_port()
    with holder:
        status, printed, errors = await load("idle", f"ws://127.0.0.1:{port}/", "--sessions", 1)
    assert (status, printed) == (1, [])
    assert "refused" in errors


async def test_load_for_another_machine_is_refused():
    status, printed, errors = await load("idle", "ws://192.0.2.1:80/", "--sessions", 1)
    assert (status, printed) == (64, [])
    assert "Usage" in errors
