"""The command that attacks the gateway: it sees what it should, and leaves nothing behind. Its figures are not checked here."""

import asyncio
import os
import pathlib
import re
import signal
import sys

import pytest

from gateway_process import BINARY, PATIENCE, ROOT, tell, within

COMMAND = (sys.executable, ROOT / "Tests" / "Attack" / "attack.py", "--sessions", "16", "--seconds", "1", "--limits", "on")


async def start(*arguments: str, binary: pathlib.Path = BINARY) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, env={**os.environ, "GATEWAY_BIN": str(binary)}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        # A shell's job in the background ignores it, and its children would.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def output(process: asyncio.subprocess.Process) -> str:
    try:
        printed, _ = await within(process.communicate(), 3 * PATIENCE)
    except TimeoutError:
        tell(process, signal.SIGKILL)
        raise
    return printed.decode()


async def test_good_clients_beside_an_attack_lose_nothing(tmp_path):
    report = tmp_path / "report.md"
    printed = await output(await start("--only", "slow-heads", "--report", str(report)))
    found = re.search(r"lost +0 of (\d+) messages, 0 sessions", printed)
    assert found and int(found[1]) > 0, printed
    assert re.search(r"attack +connections [\d,]{3,}, ", printed), printed
    # The limit of connections from one address is below what each attacker's address has.
    assert re.search(r"refused +.*\blimit connections-per-address \d", printed), printed
    assert re.search(r"^slow-heads +on +0 of \d+ +0 ", printed, re.MULTILINE), printed
    assert re.search(r"^\| slow-heads \| on \| 0 of \d+ \| 0 \|", report.read_text(), re.MULTILINE), report.read_text()


async def test_both_configurations_are_attacked():
    printed = await output(await start("--only", "slow-bodies", "--limits", "both"))
    assert re.findall(r"^slow-bodies +(on|off) +0 of \d+ +0 ", printed, re.MULTILINE) == ["off", "on"], printed


async def test_every_attack_has_a_name_and_says_what_it_does():
    listed = (await output(await start("--list"))).splitlines()
    names = [line.split(None, 1)[0] for line in listed if len(line.split(None, 1)) == 2]
    assert len(set(names)) == len(listed) > 30
    # And the threats that it shows are written down.
    threats = (ROOT / "ops" / "THREATS.md").read_text().split("## Attacks\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`([\w-]+)`", threats.split("|\n", 2)[2])) == set(names)


def other_gateway(folder, script: str) -> pathlib.Path:
    """A gateway that does this first; `$file` is its configuration."""
    other = folder / "gateway"
    other.write_text(f"#!/bin/sh\nfor file in \"$@\"; do :; done\n{script}\nexec '{BINARY}' \"$@\"\n")
    other.chmod(0o755)
    return other


async def failed(folder, script: str) -> str:
    """What the command prints that attacks such a gateway, and fails."""
    process = await start("--only", "slow-heads", binary=other_gateway(folder, script))
    printed = await output(process)
    assert process.returncode == 1 and "1 failed: slow-heads" in printed, printed
    return printed


async def test_bytes_that_nobody_sent_are_seen(tmp_path):
    # Relayed sessions are led to the clock.
    printed = await failed(tmp_path, """sed -i 's/"backend": "relay"$/"backend": "clock"/' "$file\"""")
    assert "a frame that begins with 0x81" in printed, printed


async def test_answers_that_nobody_sent_are_seen(tmp_path):
    # Plain requests get one and the same answer.
    script = """sed -i '/"path": "\\/plain"/,/}/{/"backend"/d; s/"http": "pass"/"answer": {"text": "other"}/}' "$file\""""
    printed = await failed(tmp_path, script)
    assert re.search(r"plain \w+: ", printed), printed


async def test_a_password_in_the_log_is_seen(tmp_path):
    password = "grep -o 'good:.*' \"$(dirname \"$file\")/users\""
    printed = await failed(tmp_path, f"""echo "the users are $({password})" >&2""")
    assert "has the secret `hash`" in printed, printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_leaves_nothing_running_when_it_is_interrupted(number, tmp_path):
    # A gateway that says that it starts.
    started = tmp_path / "started"
    os.mkfifo(started)
    process = await start("--only", "slow-heads", binary=other_gateway(tmp_path, f"echo $$ >'{started}'"))
    gateway = int(await within(asyncio.to_thread(started.read_text)))
    tell(process, number)
    assert "attack: interrupted" in await output(process)
    assert process.returncode == 130
    # Its children are of its group; the gateway has one of its own.
    for end in (lambda: os.killpg(process.pid, 0), lambda: os.kill(gateway, 0)):
        with pytest.raises(ProcessLookupError):
            end()
