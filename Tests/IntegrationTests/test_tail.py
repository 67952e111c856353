"""Tails: the frames of sessions as they pass, at the admin address and in the commands `tail`, `record` and `top`."""

import asyncio
import base64
import contextlib
import datetime
import fcntl
import json
import os
import pty
import signal
import stat
import struct
import termios

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import raw
from admin import NOBODY, admin, admin_address, read
from confidential import password
from credentials import user
from gateway_process import BINARY, Gateway, command, tell, until, within
from peers import TCPBackend, WebSocketBackend, client

ROUTES = [{"name": name, "path": f"/{name}", "backend": name} for name in ("app", "echo", "packed", "rooms", "bridge")]


def gateway(backend: WebSocketBackend, bridged: TCPBackend | None = None, **keys) -> Gateway:
    backends = {
        "app": backend.configuration(),
        "echo": {"builtin": "echo"},
        "packed": {"builtin": "echo"},
        "rooms": {"builtin": "broadcast"},
        "bridge": bridged.configuration() if bridged else {"builtin": "echo"},
    }
    address = {"address": "127.0.0.1:0", "payloads": True}
    return Gateway(**{"admin": address, "routes": ROUTES, "backends": backends, **keys})


@contextlib.asynccontextmanager
async def gateway_with_backend(**keys):
    async with WebSocketBackend(compression="deflate") as backend, gateway(backend, **keys) as running:
        yield running


async def only_session(running: Gateway) -> str:
    async with admin(running) as session:
        sessions = (await read(session, "/api/sessions"))["sessions"]
    assert len(sessions) == 1
    return sessions[0]["id"]


class Tail:
    """A WebSocket at the admin address."""

    def __init__(self, connection):
        self.connection = connection

    async def lines(self, count: int) -> list[dict]:
        return [json.loads(await within(self.connection.recv())) for _ in range(count)]

    async def frames(self, count: int) -> list[tuple]:
        """The next ones as direction, opcode, fin, and what is shown of the payload."""
        return [shown(line) for line in await self.lines(count)]

    async def closed(self) -> tuple[int, str]:
        with pytest.raises(ConnectionClosed):
            while True:
                await within(self.connection.recv())
        return self.connection.close_code, self.connection.close_reason


def shown(line: dict) -> tuple:
    payload = line["text"] if "text" in line else base64.b64decode(line["base64"])
    return line["direction"], line["opcode"], line["fin"], payload


@contextlib.asynccontextmanager
async def tail(running: Gateway, path: str, **options):
    async with client(f"ws://{await admin_address(running)}{path}", **options) as connection:
        yield Tail(connection)


@contextlib.asynccontextmanager
async def tailed(running: Gateway, path: str):
    """A raw client's session, and a tail of it."""
    async with await raw.Connection.upgraded(running.plain, path) as connection:
        session = await only_session(running)
        async with tail(running, f"/api/sessions/{session}/tail") as seen:
            yield connection, seen


UP, DOWN = "to-backend", "to-client"


# --- What is seen


async def test_a_relays_frames_are_seen_as_they_are_on_the_wire():
    async with gateway_with_backend() as running, tailed(running, "/app") as (connection, seen):
        await connection.send(
            raw.frame(raw.TEXT, "hé".encode()) + raw.frame(raw.BINARY, b"\x00\xff") + raw.frame(raw.TEXT, b"a", fin=False)
            + raw.frame(raw.PING, b"p") + raw.frame(raw.CONTINUATION, b"b")
        )
        lines = await seen.lines(9)
        assert [shown(line) for line in lines if line["direction"] == UP] == [
            (UP, "text", True, "hé"), (UP, "binary", True, b"\x00\xff"), (UP, "text", False, "a"), (UP, "ping", True, "p"),
            (UP, "continuation", True, "b"),
        ]
        # The backend answers the ping before it is done with the messages, or after.
        assert sorted((shown(line) for line in lines if line["direction"] == DOWN), key=str) == [
            (DOWN, "binary", True, b"\x00\xff"), (DOWN, "pong", True, "p"), (DOWN, "text", True, "ab"),
            (DOWN, "text", True, "hé"),
        ]
        assert {line["session"] for line in lines} == {await only_session(running)}
        assert [line["size"] for line in lines[:2]] == [3, 2]
        first = datetime.datetime.fromisoformat(lines[0]["at"])
        assert abs((datetime.datetime.now(datetime.UTC) - first).total_seconds()) < 60
        assert len(lines[0]["at"]) == len("2026-03-01T12:00:00.000000Z")


async def test_a_frame_in_progress_is_not_shown_and_the_next_one_is():
    async with gateway_with_backend() as running:
        async with await raw.Connection.upgraded(running.plain, "/app") as connection:
            frame = raw.frame(raw.TEXT, b"x" * 1000)
            await connection.send(frame[:500])
            session = await only_session(running)
            # What came is relayed at once, so that it has been read.
            async with admin(running) as admins:

                async def is_read() -> bool:
                    return (await read(admins, "/api/sessions"))["sessions"][0]["bytes_to_backend"] > 0

                await until(is_read)
            async with tail(running, f"/api/sessions/{session}/tail") as seen:
                await connection.send(frame[500:] + raw.frame(raw.TEXT, b"next"))
                frames = await seen.frames(3)
                assert (UP, "text", True, "next") in frames
                assert all(len(payload) in (4, 1000) for *_, payload in frames)
                assert (UP, "text", True, "x" * 1000) not in frames


async def test_the_close_of_each_side_is_shown_with_its_code_and_the_tail_ends_with_the_session():
    async with gateway_with_backend() as running, tailed(running, "/app") as (connection, seen):
        await connection.send(raw.close(4001, "bye"))
        up, down = await seen.lines(2)
        assert (up["direction"], up["opcode"], up["code"], up["reason"]) == (UP, "close", 4001, "bye")
        assert (down["direction"], down["opcode"], down["code"]) == (DOWN, "close", 4001)
        assert base64.b64decode(up["base64"]) == b"\x0f\xa1bye"
        assert await seen.closed() == (1000, "session ended: client-closed, 4001, by the client")


async def test_what_the_gateway_itself_says_is_shown():
    async with gateway_with_backend() as running, tailed(running, "/echo") as (connection, seen):
        await connection.send(raw.frame(raw.PING, b"1") + raw.frame(raw.TEXT, b"a"))
        assert await seen.frames(4) == [
            (UP, "ping", True, "1"), (UP, "text", True, "a"), (DOWN, "pong", True, "1"), (DOWN, "text", True, "a"),
        ]
        session = await only_session(running)
        assert (await command("close", session, "4002", "out", "--admin", await admin_address(running)))[0] == 0
        (line,) = await seen.lines(1)
        assert (line["direction"], line["opcode"], line["code"], line["reason"]) == (DOWN, "close", 4002, "out")


async def test_a_relay_that_compresses_is_shown_compressed():
    async with gateway_with_backend() as running:
        async with client(running.ws("/app"), compression="deflate") as connection:
            session = await only_session(running)
            async with tail(running, f"/api/sessions/{session}/tail") as seen:
                await connection.send("hello " * 50)
                for line in await seen.lines(2):
                    assert line["compressed"] is True and line["size"] < 100
                    assert len(base64.b64decode(line["base64"])) == line["size"]


async def test_what_ends_at_the_gateway_is_shown_inflated():
    async with gateway_with_backend() as running:
        async with client(running.ws("/packed"), compression="deflate") as connection:
            session = await only_session(running)
            async with tail(running, f"/api/sessions/{session}/tail") as seen:
                message = "hello " * 50
                await connection.send(message)
                lines = await seen.lines(2)
                assert [shown(line) for line in lines] == [(UP, "text", True, message), (DOWN, "text", True, message)]
                assert [line["size"] for line in lines] == [300, 300]
                assert not any("compressed" in line for line in lines)


async def test_a_room_shows_what_each_member_gets():
    async with gateway_with_backend() as running, contextlib.AsyncExitStack() as stack:
        async with tail(running, "/api/tail?route=rooms") as seen:
            # It sees sessions that are opened later.
            speaker = await stack.enter_async_context(client(running.ws("/rooms")))
            await stack.enter_async_context(client(running.ws("/rooms"), compression="deflate"))
            await speaker.send("to all, and long enough to be compressed " * 3)
            lines = await seen.lines(3)
            assert [line["direction"] for line in lines] == [UP, DOWN, DOWN]
            assert len({line["session"] for line in lines}) == 2
            assert len({line["text"] for line in lines}) == 1


async def test_a_bridge_shows_the_messages_of_its_websocket():
    async with WebSocketBackend() as backend, TCPBackend() as bridged, gateway(backend, bridged) as running:
        async with tailed(running, "/bridge") as (connection, seen):
            await connection.send(raw.frame(raw.BINARY, b"tcp"))
            assert await seen.frames(2) == [(UP, "binary", True, b"tcp"), (DOWN, "binary", True, b"tcp")]


async def test_of_a_long_frame_the_beginning_is_shown():
    async with gateway_with_backend() as running, tailed(running, "/app") as (connection, seen):
        payload = raw.pattern(100 << 10)
        await connection.send(raw.frame(raw.BINARY, payload))
        up = (await seen.lines(1))[0]
        assert (up["size"], up["cut"]) == (100 << 10, True)
        assert base64.b64decode(up["base64"]) == payload[: 64 << 10]


async def test_text_that_is_cut_within_a_character_is_base64():
    async with gateway_with_backend() as running, tailed(running, "/app") as (connection, seen):
        payload = b"a" + "é".encode() * (50 << 10)
        await connection.send(raw.frame(raw.TEXT, payload))
        line = (await seen.lines(1))[0]
        assert "text" not in line and base64.b64decode(line["base64"]) == payload[: 64 << 10]


async def test_a_rated_session_is_tailed_too():
    limits = {"limits": {"messages-per-second": 1000, "over-rate": "delay"}}
    routes = [{"name": "app", "path": "/app", "backend": "app", **limits}]
    async with WebSocketBackend() as backend:
        backends = {"app": backend.configuration()}
        async with gateway(backend, routes=routes, backends=backends) as running, tailed(running, "/app") as (connection, seen):
            await connection.send(raw.frame(raw.TEXT, b"a"))
            assert await seen.frames(2) == [(UP, "text", True, "a"), (DOWN, "text", True, "a")]
            await running.reload(routes=[{"name": "app", "path": "/app", "backend": "app"}])
            await connection.send(raw.frame(raw.TEXT, b"b"))
            assert await seen.frames(2) == [(UP, "text", True, "b"), (DOWN, "text", True, "b")]


async def test_without_payloads_only_what_frames_there_are_is_shown():
    async with gateway_with_backend(admin="127.0.0.1:0") as running, tailed(running, "/app") as (connection, seen):
        await connection.send(raw.frame(raw.TEXT, b"hidden"))
        (line, _) = await seen.lines(2)
        assert sorted(line) == ["at", "direction", "fin", "opcode", "session", "size"]
        await connection.send(raw.close(1000, "hidden"))
        (line,) = await seen.lines(1)
        assert line["code"] == 1000 and not {"reason", "base64"} & set(line)


# --- Tails that end, or do not begin


@pytest.mark.parametrize("path", [f"/api/sessions/{NOBODY}/tail", "/api/sessions/x/tail", "/api/tail?route=nowhere"])
async def test_a_tail_of_nothing_is_404(path):
    async with gateway_with_backend() as running:
        with pytest.raises(InvalidStatus) as refusal:
            async with tail(running, path):
                pass
        assert refusal.value.response.status_code == 404


async def test_a_page_of_another_site_cannot_tail():
    async with gateway_with_backend() as running:
        with pytest.raises(InvalidStatus) as refusal:
            async with tail(running, "/api/tail?route=app", origin="https://a.example"):
                pass
        assert refusal.value.response.status_code == 403


async def test_a_session_goes_on_when_its_tail_is_gone():
    async with gateway_with_backend() as running:
        async with await raw.Connection.upgraded(running.plain, "/echo") as connection:
            session = await only_session(running)
            for _ in range(3):
                async with tail(running, f"/api/sessions/{session}/tail") as first, tail(running, "/api/tail?route=echo") as other:
                    await connection.send(raw.frame(raw.TEXT, b"a"))
                    assert await first.frames(2) == await other.frames(2)
                    assert (await connection.frame()).payload == b"a"
            await connection.send(raw.frame(raw.TEXT, b"b"))
            assert (await connection.frame()).payload == b"b"


async def test_a_tail_that_does_not_read_slows_nothing_and_is_told_what_it_missed():
    messages, size = 800, 64_000
    async with gateway_with_backend() as running:
        async with await raw.Connection.upgraded(running.plain, "/app") as connection:
            session = await only_session(running)
            async with tail(running, f"/api/sessions/{session}/tail", max_queue=1) as seen:
                frame = raw.frame(raw.BINARY, raw.pattern(size))

                async def talk():
                    for _ in range(messages):
                        await connection.send(frame)

                # All of it comes back while nothing takes what the tail says.
                talking = asyncio.create_task(talk())
                for _ in range(messages):
                    assert len((await connection.frame()).payload) == size
                await talking
                assert running.peak_memory() < 400 << 20
                shown, skipped = 0, 0
                while shown + skipped < 2 * messages:
                    (line,) = await seen.lines(1)
                    skipped += line.get("skipped", 0)
                    shown += "opcode" in line
                assert shown + skipped == 2 * messages and skipped > messages
                # It is all told, and what comes next is shown.
                await connection.send(raw.frame(raw.TEXT, b"last"))
                assert await seen.frames(2) == [(UP, "text", True, "last"), (DOWN, "text", True, "last")]


async def test_a_tail_hears_that_the_gateway_ends():
    async with gateway_with_backend() as running, client(running.ws("/echo")):
        async with tail(running, "/api/tail?route=echo") as seen:
            running.signal(signal.SIGTERM)
            assert (await seen.closed())[0] == 1012
            assert await running.exited() == 0


# --- The commands


class Running:
    """A command that runs until it is told to end."""

    def __init__(self, process):
        self.process = process

    async def line(self) -> str:
        return (await within(self.process.stdout.readline())).decode()

    async def ended(self) -> tuple[int, str]:
        _, errors = await within(self.process.communicate())
        return self.process.returncode, errors.decode()


@contextlib.asynccontextmanager
async def commanded(running: Gateway, *arguments, scheme: str = "", **options):
    process = await asyncio.create_subprocess_exec(
        BINARY, *arguments, "--admin", scheme + await admin_address(running), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 20, **options,
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            tell(process, signal.SIGKILL)
            await process.wait()


async def first_line(connection: raw.Connection, run: Running) -> str:
    """Sends a text until the command has seen one: it says nothing when it is ready."""
    line = asyncio.create_task(run.line())
    while not line.done():
        await connection.send(raw.frame(raw.TEXT, b"ready?"))
        await connection.frame()
        await asyncio.wait([line], timeout=0.01)
    return await line


async def lines_until(run: Running, text: str) -> list[str]:
    lines = []
    while not lines or text not in lines[-1]:
        lines.append(await run.line())
        assert lines[-1], lines
    return lines


HOSTILE = "\x1b[31m\x07\u009b2J\u202e<b>&\\\r\nend"


async def test_tail_shows_lines_and_nothing_hostile_reaches_the_terminal():
    async with gateway_with_backend() as running, await raw.Connection.upgraded(running.plain, "/app") as connection:
        session = await only_session(running)
        async with commanded(running, "tail", session) as run:
            await first_line(connection, run)
            await connection.send(raw.frame(raw.TEXT, HOSTILE.encode()))
            line = (await lines_until(run, "end"))[-1].rstrip("\n")
            time, since, arrow, rest = line.split(None, 3)
            assert (len(time), since[0], arrow) == (15, "+", "->")
            opcode, size, text = rest.split(None, 2)
            assert (opcode, int(size)) == ("text", len(HOSTILE.encode()))
            assert text == r"\u{1b}[31m\u{7}\u{9b}2J\u{202e}<b>&\\\r\nend"
            assert (await run.line()).isprintable() is False  # Its end of the line, and nothing else.
            await connection.send(raw.frame(raw.BINARY, bytes(range(40))) + raw.frame(raw.PING, b"") + raw.frame(raw.TEXT, b"e", fin=False))
            lines = await lines_until(run, "e\n")
            assert any("00 01 02" in line and "1f …" in line for line in lines)
            assert not any("ping" in line or "pong" in line for line in lines)
            assert "text…" in lines[-1]
            await connection.send(raw.frame(raw.CONTINUATION, b"") + raw.close(4000, "over\x1b"))
            assert "close" in (await lines_until(run, "4000"))[-1]
            status, errors = await run.ended()
            assert (status, errors) == (0, f"gateway: session {session} ended: client-closed, 4000, by the client\n")
        # It is over, and that is known.
        status, _, errors = await command("tail", session, "--admin", await admin_address(running))
        assert status == 1
        assert errors.startswith(f"gateway: session {session} ended at 2")
        assert errors.endswith("Z: client-closed, 4000, by the client\n")


async def test_without_payloads_tail_says_so_and_shows_the_codes_of_closes():
    async with gateway_with_backend(admin="127.0.0.1:0") as running:
        async with await raw.Connection.upgraded(running.plain, "/echo") as connection:
            session = await only_session(running)
            async with commanded(running, "tail", session) as run:
                first = await first_line(connection, run)
                assert "ready?" not in first and "->  text" in first
                await connection.send(raw.close(4001, "secret"))
                lines = await lines_until(run, "<*  close")
                assert any("->  close" in line and line.split()[-1] == "4001" for line in lines)
                assert lines[-1].split()[-1] == "4001"
                status, errors = await run.ended()
                first, last = errors.splitlines()
                assert first == "gateway: payloads are not shown: set `payloads: true` in `admin`"
                assert (status, last) == (0, f"gateway: session {session} ended: client-closed, 4001, by the client")


async def test_tail_dumps_and_prints_json_and_ends_with_a_signal():
    async with gateway_with_backend() as running, await raw.Connection.upgraded(running.plain, "/app") as connection:
        async with commanded(running, "tail", "--route", "app", "--hex") as run:
            assert await only_session(running) in await first_line(connection, run)
            await connection.send(raw.frame(raw.BINARY, b"\x1b0123456789abcdefg"))
            lines = await lines_until(run, "000010")
            assert lines[-2] == "    000000  1b 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65  |.0123456789abcde|\n"
            assert lines[-1] == f"    000010  66 67{' ' * 42}  |fg|\n"
            tell(run.process, signal.SIGINT)
            assert (await run.ended())[0] == 0
        async with commanded(running, "tail", "--route", "app", "--json", "--ping") as run:
            await first_line(connection, run)
            await connection.send(raw.frame(raw.PING, b"\x1b"))
            line = json.loads((await lines_until(run, "ping"))[-1])
            assert (line["opcode"], line["text"], line["size"]) == ("ping", "\x1b", 1)
            tell(run.process, signal.SIGTERM)
            assert (await run.ended())[0] == 0


async def test_tail_says_what_is_wrong():
    async with gateway_with_backend() as running:
        address = await admin_address(running)
        status, _, errors = await command("tail", NOBODY, "--admin", address)
        assert (status, errors) == (1, "gateway: there is no such session, or it is not open\n")
        status, _, errors = await command("tail", "--route", "nowhere", "--admin", address)
        assert (status, errors) == (1, "gateway: there is no route nowhere; there are: app, echo, packed, rooms, bridge\n")
        for arguments in [("tail",), ("tail", NOBODY, "--route", "app"), ("tail", "xyz"), ("record", NOBODY), ("record", "--route", "app")]:
            assert (await command(*arguments, "--admin", address))[0] == 64


async def test_tail_shows_a_password_and_speaks_tls(tmp_path):
    file = tmp_path / "users"
    file.write_text(user("alice", "right"))
    keys = {"payloads": True, "auth": {"basic": {"file": str(file)}}, "tls": {"self-signed": ["127.0.0.1"]}}
    async with gateway_with_backend(admin={"address": "127.0.0.1:0", **keys}) as running:
        address = f"https://{await admin_address(running)}"
        status, _, errors = await command("tail", "--route", "echo", "--admin", address, "--insecure")
        assert status == 1 and "asks for a password" in errors
        options = {"scheme": "https://", "env": {**os.environ, "GATEWAY_PASSWORD": password("right")}}
        async with await raw.Connection.upgraded(running.plain, "/echo") as connection:
            async with commanded(running, "tail", "--route", "echo", "--user", "alice", "--insecure", **options) as run:
                assert "ready?" in await first_line(connection, run)
                tell(run.process, signal.SIGINT)
                assert (await run.ended())[0] == 0


async def test_record_writes_a_file_for_its_owner_and_replaces_none(tmp_path):
    file = tmp_path / "session.jsonl"
    async with gateway_with_backend() as running, await raw.Connection.upgraded(running.plain, "/app") as connection:
        session = await only_session(running)
        async with commanded(running, "record", session, str(file)) as run:
            await until(file.exists)
            await connection.send(raw.frame(raw.TEXT, b"kept") + raw.frame(raw.PING, b""))
            await connection.send(raw.close(1000))
            status, errors = await run.ended()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        end = f"gateway: session {session} ended: client-closed, 1000, by the client\n"
        assert (status, errors) == (0, f"gateway: {len(lines)} lines in {file}\n{end}")
        assert {"text", "ping", "close"} <= {line["opcode"] for line in lines}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = file.read_bytes()
        status, _, errors = await command("record", "--route", "app", file, "--admin", await admin_address(running))
        assert (status, errors) == (1, f"gateway: cannot make {file}: File exists: choose another name\n")
        assert file.read_bytes() == before
        missing = tmp_path / "other.jsonl"
        assert (await command("record", NOBODY, missing, "--admin", await admin_address(running)))[0] == 1
        assert not missing.exists()


async def test_record_ends_with_a_signal_and_names_the_file_of_a_full_disk(tmp_path):
    def small_files():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    async with gateway_with_backend() as running, await raw.Connection.upgraded(running.plain, "/echo") as connection:
        for number, limit in ((signal.SIGINT, None), (signal.SIGTERM, None), (None, small_files)):
            file = tmp_path / f"{number}.jsonl"
            options = {"preexec_fn": limit} if limit else {}
            async with commanded(running, "record", "--route", "echo", str(file), **options) as run:
                await until(file.exists)
                await connection.send(raw.frame(raw.TEXT, b"x" * 50_000) * 4)
                for _ in range(4):
                    await connection.frame()
                if number:
                    await until(lambda: len(file.read_bytes().splitlines()) == 8)
                    tell(run.process, number)
                    assert await run.ended() == (0, f"gateway: 8 lines in {file}\n")
                else:
                    status, errors = await run.ended()
                    assert status == 1
                    assert errors.splitlines()[-1] == f"gateway: cannot write {file}: File too large"


# --- top


async def test_top_prints_one_table_where_there_is_no_terminal():
    async with gateway_with_backend() as running, client(running.ws("/echo")) as connection:
        await connection.send("a")
        await connection.recv()
        status, output, errors = await command("top", "--admin", await admin_address(running))
        assert (status, errors) == (0, "")
        head, empty, titles, row = output.splitlines()
        assert head.startswith("gateway ") and "  1 session" in head
        assert (empty, titles.split()[0]) == ("", "ID")
        assert await only_session(running) in row
        status, _, errors = await command("top", "--sort", "-name", "--admin", await admin_address(running))
        assert status == 1 and "sort" in errors


async def test_top_draws_in_a_terminal_and_restores_it():
    async with gateway_with_backend() as running, client(running.ws("/echo")):
        near, far = pty.openpty()
        try:
            fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 60, 0, 0))
            before = termios.tcgetattr(far)
            process = await asyncio.create_subprocess_exec(
                BINARY, "top", "--interval", "200ms", "--admin", await admin_address(running), stdin=far, stdout=far,
                stderr=far, start_new_session=True,
            )
            seen = bytearray()
            loop = asyncio.get_running_loop()
            news = asyncio.Event()

            def readable():
                seen.extend(os.read(near, 65536))
                news.set()

            loop.add_reader(near, readable)

            async def until_seen(what: bytes, start: int = 0):
                while what not in seen[start:]:
                    news.clear()
                    await within(news.wait())

            await until_seen(b"\x1b[J")
            assert seen.startswith(b"\x1b[?1049h")
            lines = bytes(seen).split(b"\x1b[H")[1].split(b"\x1b[J")[0].split(b"\r\n")
            assert b"1 session" in lines[0] and len(lines) == 4
            assert all(len(line.rstrip(b"\r").removesuffix(b"\x1b[K").decode()) <= 60 for line in lines)
            assert lines[2].rstrip(b"\r").removesuffix(b"\x1b[K").decode().endswith("…")
            start = len(seen)
            fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 200, 0, 0))
            process.send_signal(signal.SIGWINCH)
            await until_seen(b"TO CLIENT", start)
            os.write(near, b"q")
            assert await within(process.wait()) == 0
            await until_seen(b"\x1b[?1049l")
            assert termios.tcgetattr(far) == before
        finally:
            asyncio.get_running_loop().remove_reader(near)
            if process.returncode is None:
                process.kill()
                await process.wait()
            os.close(near)
            os.close(far)
