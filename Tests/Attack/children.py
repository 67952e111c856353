"""Processes that one scenario starts. Each does one thing, is told when to stop, and reports its result."""

import contextlib
import ctypes
import dataclasses
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import time
import traceback

# Limits so that the command ends, whatever the gateway does.
PATIENCE = 60.0
_FORK = multiprocessing.get_context("fork")
_LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Nothing must be left running if the command itself is killed."""
    _LIBC.prctl(1, signal.SIGKILL)


_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def uninterrupted():
    """Ctrl-C waits, so that a process started here is known before it has to end. Children inherit this; see `interruptible`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTIONS)
    try:
        yield
    finally:
        interruptible()


def interruptible():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTIONS)


def many_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclasses.dataclass(frozen=True)
class Site:
    """The addresses of the gateway: those of its listeners by name (a path where it is a Unix socket), and that of its admin."""

    listeners: dict[str, tuple[str, int] | str]
    admin: tuple[str, int]
    process: int
    folder: str

    @property
    def plain(self) -> tuple[str, int]:
        return self.listeners["plain"]

    @property
    def secure(self) -> tuple[str, int]:
        return self.listeners["secure"]

    def address(self, name: str) -> tuple[str, int] | str:
        return self.admin if name == "admin" else self.listeners[name]


class Orders:
    """A child's end of its pipe to the command."""

    def __init__(self, pipe: multiprocessing.connection.Connection):
        self.pipe = pipe
        self._stopping = False

    def fileno(self) -> int:
        return self.pipe.fileno()

    def ready(self):
        self.pipe.send(("ready", None))

    def next(self) -> str | None:
        """The order, if there is one. A command that is gone counts as an order to stop."""
        if self._stopping or not self.pipe.poll():
            return None
        try:
            order = self.pipe.recv()
        except EOFError:
            order = "stop"
        self._stopping = order == "stop"
        return order

    def stopping(self) -> bool:
        while self.next():
            pass
        return self._stopping

    def wait(self, seconds: float) -> bool:
        """Waits for so long; returns whether to stop."""
        end = time.monotonic() + seconds
        while not self.stopping() and (left := end - time.monotonic()) > 0:
            self.pipe.poll(left)
        return self._stopping


class Failed(Exception):
    pass


class Child:
    """A process that runs `work(orders, *arguments)`. `nice` keeps attackers from using the good sessions' processor time."""

    def __init__(self, name: str, work, *arguments, nice: int = 0):
        self.name = name
        self.pipe, other = _FORK.Pipe()
        self._process = _FORK.Process(target=self._run, args=(self.pipe, other, nice, work, arguments), daemon=True)
        with uninterrupted():
            self._process.start()
        other.close()

    @staticmethod
    def _run(unused, pipe, nice, work, arguments):
        unused.close()
        die_with_parent()
        # Ctrl-C is for the command, which ends its children.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        interruptible()
        many_descriptors()
        if nice:
            os.nice(nice)
        try:
            pipe.send(("done", work(Orders(pipe), *arguments)))
        except BrokenPipeError:
            pass
        except BaseException:
            pipe.send(("failed", traceback.format_exc()))

    def order(self, order: str):
        try:
            self.pipe.send(order)
        except OSError as error:
            raise Failed(f"{self.name}: it is gone") from error

    def wait(self, what: str, seconds: float = PATIENCE):
        """Waits for the message `what` and returns its content."""
        end = time.monotonic() + seconds
        while self.pipe.poll(max(0, end - time.monotonic())):
            try:
                kind, value = self.pipe.recv()
            except EOFError as error:
                raise Failed(f"{self.name}: it is gone") from error
            if kind == "failed":
                raise Failed(f"{self.name}: {value}")
            if kind == what:
                return value
        raise Failed(f"{self.name}: not {what} after {seconds:g} s")

    def end(self):
        self.pipe.close()
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
