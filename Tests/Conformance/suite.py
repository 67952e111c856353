"""The Autobahn test suite, wherever there is one: a converted copy with scripts, a `wstest`, or a container image."""

import asyncio
import contextlib
import dataclasses
import fnmatch
import json
import os
import pathlib
import shutil
import signal
import socket
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "docker.io/crossbario/autobahn-testsuite"
# The name of who is tested, in the suite's results.
AGENT = "gateway"
# The most seconds for one run of the suite, and for its server to start or to end.
LONGEST_RUN = 3600
PATIENCE = 30


class NoSuite(Exception):
    pass


class SuiteFailed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Selection:
    """Patterns of cases to take, and of cases to leave out."""

    take: tuple[str, ...] = ("*",)
    drop: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return self.take == ("*",) and not self.drop

    def __contains__(self, case: str) -> bool:
        def matches(patterns):
            return any(fnmatch.fnmatchcase(case, pattern) for pattern in patterns)

        return matches(self.take) and not matches(self.drop)


class Copy:
    """A copy with the scripts setup.sh, run.sh and serve.sh, and the folder that it is set up in."""

    def __init__(self, scripts: pathlib.Path, folder: pathlib.Path):
        self.scripts = scripts
        self.folder = folder

    def __str__(self) -> str:
        return f"the copy set up in {self.folder}"

    async def prepare(self):
        process = await asyncio.create_subprocess_exec(self.scripts / "setup.sh", self.folder)
        if await process.wait():
            raise NoSuite(f"{self.scripts}/setup.sh {self.folder} failed")

    def command(self, mode: str, out: pathlib.Path, url: str, selection: Selection) -> tuple[list, dict]:
        script = self.scripts / ("run.sh" if mode == "fuzzingclient" else "serve.sh")
        cases = [*selection.take, *(f"-{pattern}" for pattern in selection.drop)]
        environment = {"AUTOBAHN_OUT": str(out), "AUTOBAHN_AGENT": AGENT, "AUTOBAHN_LIMIT": str(LONGEST_RUN)}
        return [script, self.folder, url, *cases], environment


class Wstest:
    """The suite's own program."""

    def __init__(self, program: str):
        self.program = program

    def __str__(self) -> str:
        return self.program

    async def prepare(self):
        pass

    def command(self, mode: str, out: pathlib.Path, url: str, selection: Selection) -> tuple[list, dict]:
        return [self.program, *self.arguments(mode, out, str(out), url, selection)], {}

    def arguments(self, mode: str, out: pathlib.Path, seen_as: str, url: str, selection: Selection) -> list[str]:
        """Writes the specification of a run to `out`, which the program knows as `seen_as`."""
        specification = {
            "outdir": seen_as, "cases": list(selection.take), "exclude-cases": list(selection.drop),
            "exclude-agent-cases": {},
        }
        if mode == "fuzzingclient":
            specification["servers"] = [{"agent": AGENT, "url": url}]
        else:
            specification["url"] = url
        (out / "specification.json").write_text(json.dumps(specification))
        return ["-m", mode, "-s", f"{seen_as}/specification.json"]


class Container(Wstest):
    """`wstest` of the suite's image, by docker or podman, on the host's network."""

    def __str__(self) -> str:
        return f"{self.program} with {IMAGE}"

    def command(self, mode: str, out: pathlib.Path, url: str, selection: Selection) -> tuple[list, dict]:
        run = [self.program, "run", "--rm", "--init", "--network=host", "--name", f"conformance-{uuid.uuid4().hex[:12]}"]
        arguments = self.arguments(mode, out, "/reports", url, selection)
        return [*run, "--volume", f"{out}:/reports", IMAGE, "wstest", *arguments], {}


def find() -> Copy | Wstest:
    """The suite to use: what AUTOBAHN_SCRIPTS or ../shared/autobahn has, `wstest`, or a container."""
    scripts = pathlib.Path(os.environ.get("AUTOBAHN_SCRIPTS", ROOT.parent / "shared" / "autobahn")).absolute()
    if (scripts / "setup.sh").exists():
        folder = os.environ.get("AUTOBAHN_DIR") or ROOT / ".build" / "autobahn"
        return Copy(scripts, pathlib.Path(folder).absolute())
    if program := shutil.which("wstest"):
        return Wstest(program)
    for name in ("docker", "podman"):
        if program := shutil.which(name):
            return Container(program)
    raise NoSuite(
        f"no Autobahn test suite: neither {scripts}/setup.sh (AUTOBAHN_SCRIPTS names another folder), "
        f"nor wstest in PATH, nor docker or podman for {IMAGE}"
    )


def free_port() -> int:
    """A port that the kernel picks, for a server that cannot ask for one itself."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.asynccontextmanager
async def _running(suite, mode: str, out: pathlib.Path, url: str, selection: Selection):
    """The suite as a process, in a group of its own, of which nothing is left afterwards."""
    command, environment = suite.command(mode, out, url, selection)
    with open(out / "suite.log", "wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment}, start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def results(out: pathlib.Path) -> dict[str, dict]:
    try:
        return json.loads((out / "index.json").read_text())[AGENT]
    except (OSError, ValueError, KeyError):
        log = (out / "suite.log").read_text(errors="replace").splitlines()
        raise SuiteFailed("the suite gave no results:\n" + "\n".join(log[-20:])) from None


async def test_server(suite, url: str, selection: Selection, out: pathlib.Path) -> dict[str, dict]:
    """Tests the echo server at `url`: the suite's results, by case."""
    async with _running(suite, "fuzzingclient", out, url, selection) as process:
        await asyncio.wait_for(process.wait(), LONGEST_RUN + 2 * PATIENCE)
    return results(out)


@contextlib.asynccontextmanager
async def hostile_server(suite, selection: Selection, out: pathlib.Path):
    """The suite's server, which tests who connects: yields its port. `results(out)` is complete after the block."""
    port = free_port()
    async with _running(suite, "fuzzingserver", out, f"ws://127.0.0.1:{port}", selection) as process:
        async with asyncio.timeout(PATIENCE):
            while not _listens(port):
                if process.returncode is not None:
                    results(out)
                await asyncio.sleep(0.05)
        yield port
        # It ends by itself once it was asked for the reports, or it has to be told.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)


def _listens(port: int) -> bool:
    """Looks into the kernel's table: to connect would be to be tested."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = [line.split() for line in lines]
    return any(fields[1].endswith(f":{port:04X}") and fields[3] == "0A" for fields in sockets)
