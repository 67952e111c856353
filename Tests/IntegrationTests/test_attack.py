"""The command that attacks the gateway: it sees what it should, and leaves nothing behind. Its figures are not checked here."""

import asyncio
import os
import pathlib
import re
import signal
import sys

import pytest

from gateway_process import BINARY, PATIENCE, ROOT, tell, within

COMMAND = (sys.executable, ROOT / "Tests" / "Attack" / "attack.py", "--sessions", "16", "--seconds", "1")


async def start(*arguments: str, binary: pathlib.Path = BINARY) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, env={**os.environ, "GATEWAY_BIN": str(binary)}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )


async def output(process: asyncio.subprocess.Process) -> str:
    try:
        printed, _ = await within(process.communicate(), 3 * PATIENCE)
    except TimeoutError:
        tell(process, signal.SIGKILL)
        raise
    return printed.decode()


async def test_good_sessions_beside_an_attack_lose_nothing(tmp_path):
    report = tmp_path / "report.md"
    printed = await output(await start("--only", "slow-heads", "--report", str(report)))
    found = re.search(r"lost +0 of (\d+) messages, 0 sessions", printed)
    assert found and int(found[1]) > 0, printed
    assert re.search(r"attack +connections 5\d\d, ", printed), printed
    assert re.search(r"^\| slow-heads \| .*\| 0 of \d+ \| 0 \|", report.read_text(), re.MULTILINE), report.read_text()


async def test_bytes_that_nobody_sent_are_seen(tmp_path):
    # A gateway that leads relayed sessions to the clock.
    other = tmp_path / "gateway"
    other.write_text(
        "#!/bin/sh\nfor file in \"$@\"; do :; done\n"
        "sed -i 's/\"backend\": \"relay\"/\"backend\": \"clock\"/' \"$file\"\n"
        f"exec '{BINARY}' \"$@\"\n"
    )
    other.chmod(0o755)
    process = await start("--only", "slow-heads", binary=other)
    printed = await output(process)
    assert process.returncode == 1, printed
    assert "a frame that begins with 0x81" in printed and "1 failed: slow-heads" in printed, printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_leaves_nothing_running_when_it_is_interrupted(number, tmp_path):
    # A gateway that says that it starts.
    started, other = tmp_path / "started", tmp_path / "gateway"
    os.mkfifo(started)
    other.write_text(f"#!/bin/sh\necho $$ >'{started}'\nexec '{BINARY}' \"$@\"\n")
    other.chmod(0o755)
    process = await start("--only", "slow-heads", binary=other)
    gateway = int(await within(asyncio.to_thread(started.read_text)))
    tell(process, number)
    assert "attack: interrupted" in await output(process)
    assert process.returncode == 130
    # Its children are of its group; the gateway has one of its own.
    for end in (lambda: os.killpg(process.pid, 0), lambda: os.kill(gateway, 0)):
        with pytest.raises(ProcessLookupError):
            end()
