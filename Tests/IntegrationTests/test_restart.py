"""Takeovers by another process, and what the service manager is told."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket

import pytest
from websockets.exceptions import ConnectionClosed

import confidential
from gateway_process import BINARY, Gateway, Log, command, tell
from peers import client

ECHO = {"routes": [{"path": "/echo", "backend": "echo"}], "backends": {"echo": {"builtin": "echo"}}}
DRAIN = {"over": "500ms"}


class Successor:
    """`gateway run --takeover` with the file of `running`."""

    def __init__(self, running: Gateway, file=None, wrapper: tuple = (), limit: int = 0):
        """`limit`: of its descriptors; 0: as ours."""
        self.file = file or running.file
        # With a word for `--takeover`, which the wrapper of a gateway has no place for.
        self.command = (*wrapper[:2], wrapper[2].replace("run", "run --takeover"), wrapper[3]) if wrapper else ()
        self.limits = ("prlimit", f"--nofile={limit}:{limit}") if limit else ()
        self.log = Log()

    async def __aenter__(self) -> "Successor":
        self.process = await asyncio.create_subprocess_exec(
            *self.limits, *self.command, BINARY, "run", *([] if self.command else ["--takeover"]), "--config", self.file,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self.log.read(self.process.stderr))
        return self

    async def serves(self) -> bool:
        """Whether it does, once that is known."""
        with contextlib.suppress(AssertionError):
            await self.log.wait(1, "serving")
        return bool(self.log.matching("serving"))

    async def __aexit__(self, *error):
        if self.process.returncode is None:
            tell(self.process, signal.SIGTERM)
        await self.process.wait()
        await self._reader
        confidential.check("\n".join(self.log.lines), "the log")


async def knock(url: str, count: int = 0) -> int:
    """Opens sessions one after another until it is cancelled, or `count` times. None is refused or lost."""
    opened = 0
    while not count or opened < count:
        async with client(url) as session:
            try:
                await session.send("hello")
                assert await session.recv() == "hello"
            except ConnectionClosed as closed:
                # A session that began with the predecessor ends with it, gently, and be it before a word was said.
                assert closed.rcvd and closed.rcvd.code == 1012
        opened += 1
    return opened


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_takeover_refuses_nobody(workers):
    async with Gateway(**ECHO, workers=workers, drain=DRAIN, admin="127.0.0.1:0") as running:
        async with contextlib.AsyncExitStack() as stack:
            old = [await stack.enter_async_context(client(running.wss("/echo"))) for _ in range(20)]
            await running.events(20, "open")
            knocking = [asyncio.create_task(knock(running.ws("/echo"))) for _ in range(4)]
            async with Successor(running) as successor:
                await successor.log.wait(1, "serving")
                for session in old:
                    with pytest.raises(ConnectionClosed) as closed:
                        await session.recv()
                    assert closed.value.rcvd.code == 1012
                assert await running.exited() == 0
                # From here on everyone is the successor's.
                before = len(successor.log.matching("close"))
                await knock(running.ws("/echo"), count=20)
                await successor.log.wait(before + 20, "close")
                for task in knocking:
                    assert not task.done(), task.exception()
                    task.cancel()
                await asyncio.gather(*knocking, return_exceptions=True)
                assert running.log.matching("refused") == successor.log.matching("refused") == []


async def test_a_signal_starts_the_successor():
    async with Gateway(**ECHO, drain=DRAIN) as running:
        async with client(running.ws("/echo")) as session:
            running.signal(signal.SIGUSR2)
            process = (await running.event("successor-started"))["process"]
            with pytest.raises(ConnectionClosed) as closed:
                await session.recv()
            assert closed.value.rcvd.code == 1012
        try:
            await running.event("stopped")
            await knock(running.ws("/echo"), count=3)
        finally:
            os.kill(process, signal.SIGTERM)
        # Its log goes to the same place.
        await running.events(2, "stopped")
        assert await running.exited() == 0


BY_PIPE = {
    "a command": ("bash", "-c", 'exec "$1" run --config <(cat "$4")', "bash"),
    "standard input": ("bash", "-c", 'exec "$1" run --config - < <(cat "$4")', "bash"),
}


@pytest.mark.parametrize("how", BY_PIPE)
async def test_a_configuration_that_came_by_a_pipe_is_kept_and_handed_on(how, tmp_path):
    async with Gateway(**ECHO, drain=DRAIN, admin="127.0.0.1:0", wrapper=BY_PIPE[how]) as running:
        text = running.file.read_text()
        # What was read once is not asked for again.
        running.file.write_text("nonsense: [")
        address = (await running.event("admin"))["address"]
        processes = []
        try:
            async with client(running.ws("/echo")) as session:
                running.signal(signal.SIGHUP)
                reason = (await running.event("reload-refused"))["reason"]
                assert "came by a pipe" in reason and "stays as it is" in reason
                for arguments in (["reload"], ["reload", "--dry-run"]):
                    status, _, errors = await command(*arguments, "--admin", address)
                    assert status == 1 and "came by a pipe" in errors
                await session.send("still there?")
                assert await session.recv() == "still there?"
                running.signal(signal.SIGUSR2)
                processes.append((await running.event("successor-started"))["process"])
                with pytest.raises(ConnectionClosed) as closed:
                    await session.recv()
                assert closed.value.rcvd.code == 1012
            await running.event("stopped")
            # It has the whole of it, and knows where it came from.
            await knock(running.ws("/echo"), count=3)
            await running.events(2, "serving")
            refused = len(running.log.matching("reload-refused"))
            os.kill(processes[0], signal.SIGHUP)
            assert "came by a pipe" in (await running.events(refused + 1, "reload-refused"))[-1]["reason"]
            os.kill(processes[0], signal.SIGUSR2)
            processes.append((await running.events(2, "successor-started"))[-1]["process"])
            await running.events(2, "stopped")
            # Whoever has the same text takes the place of the one that runs with it.
            copy = tmp_path / "copy"
            copy.write_text(text)
            async with Successor(running, copy, BY_PIPE[how]) as last:
                await last.log.wait(1, "serving")
                await running.events(3, "stopped")
                await knock(running.ws("/echo"), count=3)
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
        assert await running.exited() == 0


async def test_a_file_on_standard_input_is_a_file():
    wrapper = ("bash", "-c", 'exec "$1" run --config - <"$4"', "bash")
    async with Gateway(**ECHO, wrapper=wrapper) as running:
        await running.reload(routes=[*ECHO["routes"], {"path": "/more", "backend": "echo"}])
        await knock(running.ws("/more"), count=1)
        async with Successor(running) as successor:
            await successor.log.wait(1, "serving")
            assert await running.exited() == 0


async def test_a_successor_that_cannot_serve_changes_nothing():
    async with Gateway(**ECHO) as running:
        async with client(running.ws("/echo")) as session:
            good = running.file.read_text()
            taken = socket.socket()
            with taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                address = f"127.0.0.1:{taken.getsockname()[1]}"
                running.write(listeners=[*running.configuration["listeners"], {"address": address}])
                async with Successor(running) as successor:
                    assert await successor.process.wait() == 1
                assert any(f"cannot listen on {address}" in line for line in successor.log.lines)
            running.file.write_text(good)
            await session.send("still there?")
            assert await session.recv() == "still there?"
            await knock(running.ws("/echo"), count=5)


async def test_a_successor_that_runs_out_of_descriptors_changes_nothing(tmp_path):
    """With each limit it comes further. The first that serves is enough for all that it needs before."""
    listeners = [{"address": f"unix:{tmp_path}/{number}.sock"} for number in range(52)]
    async with Gateway(**ECHO, listeners=[{"address": "127.0.0.1:0"}, *listeners], drain=DRAIN) as running:
        async with client(running.ws("/echo")) as session:
            for limit in itertools.count(66):
                async with Successor(running, limit=limit) as successor:
                    if await successor.serves():
                        await knock(running.ws("/echo"), count=3)
                        break
                    assert await successor.process.wait() == 1, f"limit {limit}: {successor.log.lines}"
                assert running.log.matching("takeover-released") == [], f"limit {limit}: {successor.log.lines}"
                await session.send("still there?")
                assert await session.recv() == "still there?"
            assert limit > 68 and successor.process.returncode == 0
        assert await running.exited() == 0


async def test_a_signal_for_a_successor_while_draining_says_so():
    async with Gateway(**ECHO, drain={"delay": "1h"}) as running:
        running.signal(signal.SIGTERM)
        await running.event("draining")
        running.signal(signal.SIGUSR2)
        assert (await running.event("takeover-failed"))["reason"] == "the gateway is draining"


def is_gone(process: int) -> bool:
    """Whether it has ended and was reaped."""
    return not os.path.exists(f"/proc/{process}")


async def test_a_successor_that_dies_of_a_wrong_file_is_told_of():
    async with Gateway(**ECHO, drain=DRAIN) as running:
        async with client(running.ws("/echo")) as session:
            good = running.file.read_text()
            for count, bad in enumerate(["nonsense: [", "listeners: []\n"], start=1):
                running.file.write_text(bad)
                running.signal(signal.SIGUSR2)
                failed = (await running.events(count, "takeover-failed"))[-1]
                assert (failed["level"], failed["status"]) == ("error", 1)
                assert failed["reason"] == "the successor exited with status 1 before it served"
                started = running.log.matching("successor-started")
                assert failed["successor"] == started[-1]["process"]
                assert is_gone(failed["successor"])
            # What is wrong with it, it said itself, in the same place.
            assert any("gateway.conf:" in line for line in running.log.lines)
            running.file.write_text(good)
            await session.send("still there?")
            assert await session.recv() == "still there?"
            await knock(running.ws("/echo"), count=5)
            # And it can be tried again.
            running.signal(signal.SIGUSR2)
            process = (await running.events(3, "successor-started"))[-1]["process"]
            with pytest.raises(ConnectionClosed) as closed:
                await session.recv()
            assert closed.value.rcvd.code == 1012
        try:
            await running.event("stopped")
        finally:
            os.kill(process, signal.SIGTERM)
        await running.events(2, "stopped")


async def test_a_successor_that_is_killed_is_told_of(tmp_path):
    """By then another program is at the gateway's path. It waits to be killed."""
    program = tmp_path / "gateway"
    program.write_bytes(BINARY.read_bytes())
    program.chmod(0o755)
    async with Gateway(**ECHO, wrapper=("bash", "-c", f'shift; exec {program} "$@"', "bash")) as running:
        program.unlink()
        program.write_text("#!/bin/sh\nexec sleep 60\n")
        program.chmod(0o755)
        running.signal(signal.SIGUSR2)
        process = (await running.event("successor-started"))["process"]
        # One at a time.
        running.signal(signal.SIGUSR2)
        assert str(process) in (await running.event("takeover-failed"))["reason"]
        os.kill(process, signal.SIGKILL)
        failed = (await running.events(2, "takeover-failed"))[1]
        assert (failed["successor"], failed["signal"]) == (process, 9)
        assert failed["reason"] == "the successor was killed by signal 9 (Killed) before it served"
        assert is_gone(process)
        program.unlink()
        running.signal(signal.SIGUSR2)
        assert "No such file or directory" in (await running.events(3, "takeover-failed"))[2]["reason"]


async def test_a_takeover_of_nobody_is_a_start():
    async with Gateway(**ECHO) as running:
        other = running.folder / "other.conf"
        other.write_text(running.file.read_text())
        async with Successor(running, other) as successor:
            await successor.log.wait(1, "serving")
        assert running.log.matching("takeover-released") == []


async def test_the_socket_file_of_a_unix_listener_is_the_successors(tmp_path):
    path = str(tmp_path / "gateway.sock")
    listeners = [{"address": "127.0.0.1:0"}, {"address": f"unix:{path}"}]

    async def speaks():
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404")
        writer.close()

    running = Gateway(**ECHO, listeners=listeners, drain=DRAIN)
    running.is_secure = [False, False]
    try:
        running.file = tmp_path / "gateway.conf"
        running.write()
        async with Successor(running) as first:
            await first.log.wait(1, "serving")
            await speaks()
            async with Successor(running) as second:
                await second.log.wait(1, "serving")
                assert await first.process.wait() == 0
                await speaks()
        assert not os.path.exists(path)
    finally:
        running._folder.cleanup()


async def test_sockets_of_the_service_manager_are_used(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        os.set_inheritable(listener.fileno(), True)
        script = f"exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\""
        wrapper = ("bash", "-c", script, "bash")
        running = Gateway(**ECHO, workers=2, listeners=[{"address": f"127.0.0.1:{port}"}], wrapper=wrapper)
        running.inherited = (listener.fileno(),)
        async with running:
            # Connections from before the gateway ran are served too: none was refused.
            await knock(running.ws("/echo"), count=10)
        # It is not ours alone, and survives us.
        early = socket.create_connection(("127.0.0.1", port))
        early.close()


async def test_a_socket_that_no_listener_has_is_a_mistake(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        os.set_inheritable(listener.fileno(), True)
        file = tmp_path / "gateway.conf"
        file.write_text("listeners: [{address: '127.0.0.1:0'}]\nroutes: [{path: /, page: console}]\n")
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "bash",
            BINARY, "run", "--config", file,
            stderr=asyncio.subprocess.PIPE, pass_fds=(listener.fileno(),),
        )
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert f"127.0.0.1:{listener.getsockname()[1]}" in errors.decode()


async def test_the_service_manager_hears_what_goes_on(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(20)

        async def heard(start: str) -> list[str]:
            while True:
                lines = (await asyncio.to_thread(manager.recv, 4096)).decode().split("\n")
                if lines[0].startswith(start):
                    return lines

        environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
        async with Gateway(**ECHO, environment=environment) as running:
            assert "STATUS=serving on ws://127.0.0.1:" in (await heard("READY=1"))[1]
            await heard("WATCHDOG=1")
            await running.reload()
            assert (await heard("RELOADING=1"))[1].startswith("MONOTONIC_USEC=")
            await heard("READY=1")
            await heard("WATCHDOG=1")
            running.signal(signal.SIGTERM)
            await heard("STOPPING=1")
            assert await running.exited() == 0
