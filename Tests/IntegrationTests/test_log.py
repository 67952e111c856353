"""What the log says of a session."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket

import aiohttp
import pytest

import raw
from admin import key, metrics
from confidential import secret
from gateway_process import BINARY, PATIENCE, Gateway, ending, tell, until, within
from peers import WebSocketBackend, client, program, relay


async def test_open_and_close_lines_share_their_fields():
    async with WebSocketBackend() as backend, relay(backend, {"origins": "any", "name": "chat"}) as gateway:
        async with client(gateway.wss(f"/app?token={secret('token')}"), origin="https://app.example") as socket:
            await socket.send("héllo")
            await socket.recv()
            await socket.send(b"1234")
            await socket.recv()
            await socket.close(4000, "enough")
        opened, closed = await gateway.event("open"), await gateway.event("close")
        for record in (opened, closed):
            assert record["client"].startswith("127.0.0.1")
            assert (record["route"], record["backend"], record["origin"]) == ("chat", "app", "https://app.example")
            assert str(backend.port) in record["endpoint"] and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", record["time"])
        assert opened["session"] == closed["session"]
        assert (closed["cause"], str(closed["code"]), closed["by"]) == ("client-closed", "4000", "client")
        assert closed["messages_to_backend"] == closed["messages_to_client"] == 2
        assert closed["bytes_to_backend"] == closed["bytes_to_client"] == 10
        assert 0 < closed["duration"] < 60
    assert not any("token" in line for line in gateway.log.lines)


async def test_the_start_says_what_serves():
    async with Gateway(routes=[{"path": "/", "page": "console"}], backends={}) as gateway:
        record = await gateway.event("serving")
        assert record["process"] == gateway.process.pid
        assert re.fullmatch(r"\d+\.\d+\.\d+", record["version"])


async def test_what_a_client_sends_makes_no_line_of_its_own():
    async with WebSocketBackend() as backend, relay(backend, {"origins": "any"}) as gateway:
        forged = 'http://x" event=close \u0085 cause="drain'
        response = await raw.ask(gateway.plain, raw.upgrade("/app", f"Origin: {forged}"))
        assert response.status in (101, 400, 403)
        await raw.ask(gateway.plain, raw.upgrade("/none", "Origin: \x7f\x1b[2J"))
    for line in gateway.log.lines:
        assert isinstance(json.loads(line), dict) and line.isprintable()


def configuration(folder, log: dict) -> str:
    file = folder / "gateway.conf"
    file.write_text(
        json.dumps(
            {
                "log": log,
                "listeners": [{"address": "127.0.0.1:0"}],
                "routes": [{"path": "/echo", "backend": "echo", "origins": "any"}],
                "backends": {"echo": {"builtin": "echo"}},
            }
        )
    )
    return str(file)


async def test_text_lines(tmp_path):
    file = configuration(tmp_path, {"format": "text"})
    seen: list[str] = []
    async with program(BINARY, "run", "--config", file, ready=" listening ", seen=seen) as line:
        address = re.search(r"address=(\S+)", line)[1]
        async with client(f"ws://{address}/echo", origin="http://with space.example"):
            pass
        await raw.ask(tuple_of(address), raw.upgrade("/none"))
    events = {line.split()[2]: line for line in seen}
    assert {"listening", "open", "close", "refused"} <= set(events)
    assert 'origin="http://with space.example"' in events["open"]
    assert "cause=client-closed" in events["close"] and "code=1000" in events["close"]
    assert "status=404" in events["refused"]


def tuple_of(address: str) -> tuple[str, int]:
    host, port = address.rsplit(":", 1)
    return host, int(port)


async def test_a_log_file(tmp_path):
    path = tmp_path / "gateway.log"
    process = await asyncio.create_subprocess_exec(
        BINARY, "run", "--config", configuration(tmp_path, {"format": "json", "file": str(path)}),
        stderr=asyncio.subprocess.PIPE,
    )
    async with ending(process):
        # One line on standard error says what is served, also when the log goes elsewhere.
        line = await within(process.stderr.readline())
        assert re.search(rb"127\.0\.0\.1:\d+", line)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert "listening" in [record["event"] for record in records]


async def dropped(folder) -> float:
    connector = aiohttp.UnixConnector(path=str(folder / "admin.sock"))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        return (await metrics(session))[key("log_dropped_total")]


async def loses_lines(folder) -> float:
    """Sends requests until a line is counted as dropped."""
    before = await dropped(folder)
    async with asyncio.timeout(PATIENCE):
        while (now := await dropped(folder)) <= before:
            connector = aiohttp.UnixConnector(path=str(folder / "admin.sock"))
            async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
                # Nothing is read again; that it is refused is a line.
                await session.post("/api/reload")
    return now


def reader_is_gone(process):
    process._transport.get_pipe_transport(2).close()


@pytest.mark.parametrize("how", ["a full disk", "a closed stderr", "a pipe that nobody reads any more", "a file that may not grow"])
async def test_lines_that_the_file_does_not_take_are_counted(tmp_path, how):
    log = {"format": "json"}
    if how == "a full disk":
        log["file"] = "/dev/full"
    if how == "a file that may not grow":
        log["file"] = str(tmp_path / "gateway.log")
    file = tmp_path / "gateway.conf"
    configuration(tmp_path, log)
    settings = json.loads(file.read_text())
    file.write_text(json.dumps({**settings, "admin": f"unix:{tmp_path}/admin.sock"}))
    closed = ("bash", "-c", 'exec "$@" 2>&-', "bash") if how == "a closed stderr" else ()
    limited = ("prlimit", "--fsize=300") if how == "a file that may not grow" else ()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        process = await asyncio.create_subprocess_exec(
            *closed, *limited, BINARY, "run", "--config", file, stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        async with ending(process):
            assert (await asyncio.to_thread(manager.recv, 4096)).startswith(b"READY=1")
            if how == "a pipe that nobody reads any more":
                reader_is_gone(process)
            file.write_text("nonsense: [")
            assert await loses_lines(tmp_path) > 0


@contextlib.asynccontextmanager
async def logging_to(path, folder, **options):
    """A gateway whose log is the file at `path`."""
    process = await asyncio.create_subprocess_exec(
        BINARY, "run", "--config", configuration(folder, {"format": "json", "file": str(path)}),
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, **options,
    )
    async with ending(process):
        assert await within(process.stderr.readline())
        yield process


async def written(path, event: str) -> dict:
    """The first line of the event, once it is in the file."""
    def found() -> dict | None:
        lines = path.read_text().splitlines() if path.exists() else []
        return next((record for record in map(json.loads, lines) if record["event"] == event), None)

    return await until(found)


async def test_a_log_that_was_moved_away_is_opened_again(tmp_path):
    path, rotated = tmp_path / "gateway.log", tmp_path / "gateway.log.1"
    async with logging_to(path, tmp_path) as process:
        await written(path, "serving")
        path.rename(rotated)
        tell(process, signal.SIGUSR1)
        assert (await written(path, "log-reopened"))["file"] == str(path)
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()][-1] == "stopped"
    events = [json.loads(line)["event"] for line in rotated.read_text().splitlines()]
    assert "serving" in events and "stopped" not in events


async def test_a_log_that_cannot_be_opened_again_goes_on(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    path, moved = folder / "gateway.log", tmp_path / "moved"
    async with logging_to(path, tmp_path) as process:
        folder.rename(moved)
        tell(process, signal.SIGUSR1)
        record = await written(moved / "gateway.log", "log-reopen-failed")
        assert record["level"] == "error" and f"{path}: No such file or directory" in record["reason"]
    assert "stopped" in (moved / "gateway.log").read_text()


async def test_a_log_without_a_file_ends_nothing():
    routes, backends = [{"path": "/echo", "backend": "echo"}], {"echo": {"builtin": "echo"}}
    async with Gateway(routes=routes, backends=backends) as gateway:
        gateway.signal(signal.SIGUSR1)
        assert "standard error" in (await gateway.event("log-reopen-failed"))["reason"]
        async with client(gateway.ws("/echo")) as socket:
            await socket.send("still here")
            assert await socket.recv() == "still here"


async def test_a_gateway_that_is_started_without_standard_descriptors_logs_to_its_file(tmp_path):
    """If a socket had one of their numbers, it would get what is written to standard error."""
    path = tmp_path / "gateway.log"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "bash", BINARY, "run", "--config",
        configuration(tmp_path, {"format": "json", "file": str(path)}),
    )
    async with ending(process):
        await written(path, "serving")
        first = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)}
        assert first == {"/dev/null"}
    assert "stopped" in path.read_text()


async def test_a_log_that_nobody_reads_stops_no_session():
    """The writer thread hangs on a full pipe; the workers do not."""
    routes, backends = [{"path": "/echo", "backend": "echo"}], {"echo": {"builtin": "echo"}}
    async with Gateway(routes=routes, backends=backends) as gateway:
        transport = gateway.process._transport.get_pipe_transport(2)
        transport.pause_reading()
        for _ in range(1500):
            await raw.ask(gateway.plain, raw.upgrade("/nowhere"))
        async with client(gateway.ws("/echo")) as socket:
            await socket.send("still here")
            assert await socket.recv() == "still here"
        transport.resume_reading()
