"""The gateway under attack: a process with its own configuration, its log and its memory."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import time

from children import Failed, Site, die_with_parent, interruptible, uninterrupted
from configuration import LISTENERS

BINARY = pathlib.Path(os.environ.get("GATEWAY_BIN", "gateway")).resolve()
STARTING, ENDING = 20.0, 20.0


class Gateway:
    """Started by `with`, ended by SIGTERM. `descriptors` is how many it may have open."""

    def __init__(self, folder: pathlib.Path, configuration: dict, descriptors: int | None):
        self._file, self._log = folder / "gateway.conf", folder / "log"
        self._folder, self._descriptors = folder, descriptors
        # JSON is YAML.
        self._file.write_text(json.dumps(configuration, indent=1))

    def __enter__(self) -> "Gateway":
        self._process = None
        try:
            with self._log.open("wb") as log, uninterrupted():
                # In a session of its own, it does not get Ctrl-C.
                self._process = subprocess.Popen(
                    (BINARY, "run", "--config", self._file), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=log, cwd=self._folder, preexec_fn=self._prepare, start_new_session=True,
                )
            self.site = self._await_site()
        except BaseException:
            if self._process:
                self._kill()
            raise
        return self

    def _prepare(self):
        die_with_parent()
        interruptible()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = self._descriptors or hard
        # The gateway raises the soft limit to the hard one.
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    def _await_site(self) -> Site:
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self._process.poll() is None:
            addresses = {"admin": [], "listening": []}
            for line in self.log().splitlines(keepends=True):
                with contextlib.suppress(ValueError):
                    record = json.loads(line)
                    if record.get("event") in addresses:
                        addresses[record["event"]].append(parsed(record["address"]))
            if len(addresses["listening"]) == len(LISTENERS) and addresses["admin"]:
                listeners = dict(zip(LISTENERS, addresses["listening"]))
                return Site(listeners, addresses["admin"][0], process=self._process.pid, folder=str(self._folder))
            time.sleep(0.02)
        raise Failed("the gateway did not start:\n" + self.log()[-2000:])

    def __exit__(self, *error):
        if not self.is_running:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._kill()
        except BaseException:
            self._kill()
            raise

    def _kill(self):
        self._process.kill()
        self._process.wait()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status; negative for the signal that ended it."""
        return self._process.poll()

    def memory(self) -> int:
        """The resident size, in bytes."""
        return self._memory("VmRSS")

    def peak_memory(self) -> int:
        """The largest resident size since `forget_peak`, in bytes."""
        return self._memory("VmHWM")

    def forget_peak(self):
        pathlib.Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def _memory(self, kind: str) -> int:
        try:
            status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
            return int(status.split(f"{kind}:")[1].split()[0]) << 10
        except (OSError, IndexError):
            # The gateway is gone, which is reported elsewhere.
            return 0

    def settled_memory(self, seconds: float, most: int) -> int:
        """The resident size once it is at most this, and has not changed for two seconds, or when the time is over."""
        end, sizes = time.monotonic() + seconds, []
        while time.monotonic() < end:
            sizes.append(self.memory())
            if len(sizes) > 4 and sizes[-1] <= most and max(sizes[-5:]) - min(sizes[-5:]) < 1 << 20:
                break
            time.sleep(0.5)
        return self.memory()

    def logged(self) -> int:
        """Bytes of its log so far."""
        return self._log.stat().st_size

    def log(self) -> str:
        return self._log.read_text(errors="replace")


def parsed(address: str) -> tuple[str, int] | str:
    """An address as the log has it: of TCP, or the path of a Unix socket."""
    if address.startswith("unix:"):
        return address.removeprefix("unix:")
    host, port = address.rsplit(":", 1)
    return host, int(port)
