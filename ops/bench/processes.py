"""Programs that are started for a measurement, each on its core, and ended after it in any case."""

import contextlib
import ctypes
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import time
from typing import Callable, Sequence

import procfs

# The most seconds until a program accepts connections. No wait is longer than needed.
PATIENCE = 10.0
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


class StartFailed(Exception):
    pass


def raise_open_files() -> int:
    """Raises the soft limit to the hard one, also for programs that are started from here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def adopt_orphans():
    """Makes children of ended programs children of this process. It waits for them, so none stays as a zombie."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def free_ports(count: int) -> list[int]:
    """Free ports, for programs that cannot choose a port and print it."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def spawn(command: list, core: int, **options) -> subprocess.Popen:
    """Starts a program on `core`, in a process group of its own. It ends with this process."""
    parent = os.getpid()

    def prepare():
        os.setpgid(0, 0)
        os.sched_setaffinity(0, {core})
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have ended before this took effect.
        if os.getppid() != parent:
            os._exit(1)

    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        return subprocess.Popen([str(part) for part in command], preexec_fn=prepare, **options)
    except OSError as error:
        raise StartFailed(f"{command[0]} does not start: {error.strerror}") from error


def end(process: subprocess.Popen):
    """Kills it with all of its children."""
    _, *children = procfs.tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for child in children:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


class Server:
    """A running program: the URLs of its services, and its processes.

    Its ports are the given ones, or the one that it prints: "listening on PORT". `urls` has a URL for each service, with
    `{port}` for a port that it prints. `processes` is the number of its processes before the first session.
    """

    def __init__(
        self, name: str, command: list, *, core: int, folder: pathlib.Path, urls: dict[str, str], ports: Sequence[int] = (),
        processes: int = 1, environment: dict | None = None,
    ):
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = spawn(
                command, core, stdout=log if ports else subprocess.PIPE, stderr=log, cwd=folder,
                env={**os.environ, **(environment or {})})
        try:
            self.ports = list(ports) or [self._announced_port()]
            self.urls = {service: url.format(port=self.ports[0]) for service, url in urls.items()}
            for port in self.ports:
                self._wait(lambda: self._accepts(port), "does not accept connections")
            self._wait(lambda: len(self.pids()) >= processes, f"does not have {processes} processes")
        except BaseException:
            self.stop()
            raise

    def _announced_port(self) -> int:
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        line = self._process.stdout.readline().decode(errors="replace") if ready else ""
        if "listening on " not in line:
            raise StartFailed(self._complaint("did not say where it listens"))
        return int(line.rsplit(" ", 1)[1])

    def _wait(self, is_ready: Callable[[], bool], complaint: str):
        deadline = time.monotonic() + PATIENCE
        while not is_ready():
            if self.has_ended or time.monotonic() > deadline:
                raise StartFailed(self._complaint(complaint))
            time.sleep(0.005)

    @staticmethod
    def _accepts(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def _complaint(self, what: str) -> str:
        status = f" (exit status {self._process.returncode})" if self.has_ended else ""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f"{self.name} {what}{status}" + "".join(f"\n    {line}" for line in lines[-5:])

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def check(self):
        """Fails if the program has ended by itself."""
        if self.has_ended:
            raise StartFailed(self._complaint("has ended"))

    def pids(self) -> list[int]:
        return procfs.tree(self._process.pid)

    def pause(self):
        """Stops it (SIGSTOP) while others are measured on the same core."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number: int):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def stop(self):
        end(self._process)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_):
        self.stop()
