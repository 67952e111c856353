"""Runs the Autobahn test suite against the gateway and compares the results with those that are committed.

Called by ops/conformance, which says how.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import json
import pathlib
import re
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "IntegrationTests"))

from gateway_process import Gateway  # noqa: E402
from peers import program  # noqa: E402

import suite  # noqa: E402

EXPECTED = HERE / "expected"
REPORT = HERE / "REPORT.md"
# Reports of the suite and its log, of the last run of each part.
WORK = ROOT / ".build" / "conformance"

# All that the suite has.
CASES = 517
# Compression, and messages of up to 16 MiB with many fragments.
SLOW = ("9.*", "12.*", "13.*")
LIMITS = {"message": "64MiB", "backend-message": "64MiB", "fragments": 0, "backend-fragments": 0}
PEERS = {"ws": ("node", HERE / "peers" / "echo.js"), "websockets": (sys.executable, HERE / "peers" / "echo.py")}
CLIENT = HERE / "peers" / "client.py"

GOOD = ("OK", "NON-STRICT", "INFORMATIONAL")
GOOD_CLOSE = ("OK", "INFORMATIONAL")


# MARK: - The parts


def gateway(backend: dict) -> Gateway:
    """A gateway with `backend` at every path."""
    return Gateway(routes=[{"path": "/*", "backend": "peer"}], backends={"peer": backend}, defaults={"limits": LIMITS})


def behind(port: int) -> dict:
    # The suite's server wants to be called by its own port.
    return {"websocket": [f"ws://127.0.0.1:{port}"], "host": "endpoint"}


@contextlib.asynccontextmanager
async def peer(name: str):
    """A foreign echo server: yields its port."""
    environment = {"NODE_PATH": "/usr/share/nodejs:/usr/local/lib/node_modules"}
    async with program(*PEERS[name], ready="listening on", environment=environment) as line:
        yield int(line.rsplit(" ", 1)[1])


async def echo(run: "Run", *, secure: bool) -> dict:
    async with gateway({"builtin": "echo"}) as server:
        return await run.test_server(server.wss("/echo") if secure else server.ws("/echo"))


async def relay(run: "Run", name: str) -> dict:
    async with peer(name) as port, gateway(behind(port)) as server:
        return await run.test_server(server.ws("/"))


async def alone(run: "Run", name: str) -> dict:
    async with peer(name) as port:
        return await run.test_server(f"ws://127.0.0.1:{port}/")


async def hostile_backend(run: "Run", *, through_gateway: bool) -> dict:
    async with suite.hostile_server(run.suite, run.selection, run.out) as port:
        if not through_gateway:
            await client(f"ws://127.0.0.1:{port}")
        else:
            async with gateway(behind(port)) as server:
                await client(server.ws(""))
    return suite.results(run.out)


async def client(url: str):
    process = await asyncio.create_subprocess_exec(
        sys.executable, CLIENT, url, suite.AGENT, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    try:
        _, errors = await asyncio.wait_for(process.communicate(), suite.LONGEST_RUN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise suite.SuiteFailed(f"the client failed:\n{errors.decode(errors='replace')}")


@dataclasses.dataclass(frozen=True)
class Part:
    title: str
    run: object
    # The part that shows what the same peer does without the gateway.
    without: str | None = None
    # A violation can overtake an echo that is still on its way: NON-STRICT is then as good as OK.
    is_relay: bool = True


PARTS = {
    "echo": Part("Built-in echo over ws", lambda run: echo(run, secure=False), is_relay=False),
    "echo-tls": Part("Built-in echo over wss", lambda run: echo(run, secure=True), is_relay=False),
    "relay-ws": Part("Relay to Node's `ws`", lambda run: relay(run, "ws"), without="alone-ws"),
    "relay-websockets": Part(
        "Relay to Python's `websockets`", lambda run: relay(run, "websockets"), without="alone-websockets"),
    "backend": Part(
        "The suite's fuzzing server as a backend, Python's `websockets` as the client",
        lambda run: hostile_backend(run, through_gateway=True), without="alone-client"),
    "alone-ws": Part("Without the gateway: Node's `ws`", lambda run: alone(run, "ws")),
    "alone-websockets": Part("Without the gateway: Python's `websockets`", lambda run: alone(run, "websockets")),
    "alone-client": Part(
        "Without the gateway: Python's `websockets` as the client",
        lambda run: hostile_backend(run, through_gateway=False)),
}


class Run:
    """One part's run of the suite."""

    def __init__(self, found, selection: suite.Selection, name: str):
        self.suite = found
        self.selection = selection
        self.out = WORK / name
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)

    async def test_server(self, url: str) -> dict:
        return await suite.test_server(self.suite, url, self.selection, self.out)


# MARK: - Results


def in_order(cases) -> list[str]:
    return sorted(cases, key=lambda case: [int(number) for number in case.split(".")])


def words(result: dict) -> str:
    return f"{result['behavior']} / {result['behaviorClose']}"


def is_wrong(verdict: str) -> bool:
    """Neither passed nor unimplemented."""
    behavior, close = verdict.split(" / ")
    return close not in GOOD_CLOSE or behavior not in (*GOOD, "UNIMPLEMENTED")


def expected(name: str) -> dict[str, str]:
    file = EXPECTED / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def equal(part: Part, left: str | None, right: str | None) -> bool:
    if part.is_relay and left and right:
        left, right = (verdict.replace("NON-STRICT", "OK", 1) for verdict in (left, right))
    return left == right


def differences(name: str, selection: suite.Selection, verdicts: dict[str, str]) -> list[str]:
    part = PARTS[name]
    wanted = {case: verdict for case, verdict in expected(name).items() if case in selection}
    return [
        f"case {case}: {verdicts.get(case, 'did not run')}, expected {wanted.get(case, 'nothing')}"
        for case in in_order({**wanted, **verdicts})
        if not equal(part, wanted.get(case), verdicts.get(case))
    ]


def update(name: str, selection: suite.Selection, verdicts: dict[str, str]):
    kept = {case: verdict for case, verdict in expected(name).items() if case not in selection}
    merged = {**kept, **verdicts}
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / f"{name}.json").write_text(
        json.dumps({case: merged[case] for case in in_order(merged)}, indent=1) + "\n")


# MARK: - The report

PREFACE = """\
# Conformance

What the [Autobahn test suite](https://github.com/crossbario/autobahn-testsuite) says of the gateway. Written by
`ops/conformance`; what is expected is in `expected/`.

A case passes with OK, NON-STRICT or INFORMATIONAL, and a close of OK or INFORMATIONAL. UNIMPLEMENTED are cases of compression that
was not negotiated.
"""


def section(name: str, results: dict[str, dict]) -> str:
    part = PARTS[name]
    verdicts = {case: words(result) for case, result in results.items()}
    lines = [f"## {name}: {part.title}", "", "| cases | behavior / close |", "|---:|---|"]
    for verdict, count in collections.Counter(verdicts.values()).most_common():
        lines.append(f"| {count} | {verdict} |")
    wrong = sum(map(is_wrong, verdicts.values()))
    cases = f"{len(results)} cases" if len(results) == CASES else f"{len(results)} of {CASES} cases"
    lines += ["", f"{cases}, {wrong} wrong."]
    reference = expected(part.without) if part.without else {}
    if reference:
        worse = in_order(
            case for case, verdict in verdicts.items()
            if is_wrong(verdict) and not is_wrong(reference.get(case, verdict)))
        lines[-1] += f" Worse than without the gateway: {' '.join(worse) or 'none'}."
    notable = [case for case in in_order(verdicts) if verdicts[case] != "OK / OK"]
    shown = [case for case in notable if verdicts[case] != "UNIMPLEMENTED / OK"]
    if left_out := [case for case in notable if case not in shown]:
        groups = collections.Counter(".".join(case.split(".")[:2]) + ".*" for case in left_out)
        lines += ["", "UNIMPLEMENTED / OK: " + ", ".join(f"{group} ({count})" for group, count in groups.items()) + "."]
    if shown:
        lines += ["", "| case | behavior / close | code of the close |" + (" without the gateway |" if reference else "")]
        lines += ["|---|---|---:|" + ("---|" if reference else "")]
        for case in shown:
            code = results[case].get("remoteCloseCode")
            row = f"| {case} | {verdicts[case]} | {code if code is not None else '–'} |"
            lines.append(row + (f" {reference.get(case, '–')} |" if reference else ""))
    return "\n".join(lines) + "\n"


def write_report(sections: dict[str, str]):
    """Replaces the sections of the parts that ran, and keeps the others."""
    text = REPORT.read_text() if REPORT.exists() else ""
    old = {re.match(r"## ([^:]*):", piece).group(1): piece for piece in re.split(r"(?m)^(?=## )", text)[1:]}
    kept = {name: piece.rstrip() + "\n" for name, piece in old.items() if name in PARTS}
    merged = {**kept, **sections}
    REPORT.write_text("\n".join([PREFACE, *(merged[name] for name in PARTS if name in merged)]))


# MARK: - The command


async def main(options) -> int:
    # To be told to end is to be interrupted: what was started is ended, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asyncio.current_task().cancel)
    found = suite.find()
    await found.prepare()
    say(f"the suite is {found}")
    selection = suite.Selection(tuple(options.cases) or ("*",), tuple(options.drop) + (SLOW if options.quick else ()))
    sections = {}
    failed = []
    for name in options.part or [name for name in PARTS if not name.startswith("alone-")]:
        start = time.monotonic()
        say(f"{name}: {PARTS[name].title}")
        try:
            results = await PARTS[name].run(Run(found, selection, name))
        except (suite.SuiteFailed, AssertionError, OSError, TimeoutError) as error:
            say(f"{name}: {error or type(error).__name__}")
            failed.append(name)
            continue
        verdicts = {case: words(result) for case, result in results.items()}
        counts = ", ".join(f"{count} {verdict}" for verdict, count in collections.Counter(verdicts.values()).most_common())
        say(f"{name}: {len(results)} cases in {time.monotonic() - start:.0f} s: {counts}")
        if options.update:
            update(name, selection, verdicts)
        elif found_differences := differences(name, selection, verdicts):
            failed.append(name)
            for difference in found_differences:
                say(f"{name}: {difference}")
        sections[name] = section(name, results)
    if selection.is_everything:
        write_report(sections)
        say(f"the report is {REPORT.relative_to(ROOT)}")
    else:
        print("\n".join(sections.values()))
    say("FAILED: " + ", ".join(failed) if failed else "everything as expected" if not options.update else "expected results written")
    return 1 if failed else 0


def say(text: str):
    print(f"conformance: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="ops/conformance", add_help=False)
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--without", dest="drop", action="append", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("cases", nargs="*")
    try:
        sys.exit(asyncio.run(main(parser.parse_args())))
    except suite.NoSuite as error:
        say(str(error))
        sys.exit(2)
    except asyncio.CancelledError:
        sys.exit(130)
