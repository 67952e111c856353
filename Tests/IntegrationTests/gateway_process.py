"""The gateway under test: a process with a configuration, and the lines of its log."""

import asyncio
import contextlib
import inspect
import json
import os
import pathlib
import signal
import ssl
import tempfile

import confidential

ROOT = pathlib.Path(__file__).resolve().parents[2]


def _binary() -> pathlib.Path:
    if chosen := os.environ.get("GATEWAY_BIN"):
        return pathlib.Path(chosen).resolve()
    products = [ROOT / ".build" / kind / "gateway" for kind in ("release", "debug")]
    built = [product for product in products if product.exists()]
    return max(built, key=lambda product: product.stat().st_mtime) if built else products[0]


BINARY = _binary()

# How long anything may take that the tests wait for; never how long they do wait.
PATIENCE = 20.0


def insecure() -> ssl.SSLContext:
    """The context of a client that accepts a self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def within(awaitable, limit: float = PATIENCE):
    """The result of what is awaited, or TimeoutError after `limit` seconds. `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes
    together with the result, so that a cancelled loop goes on for ever."""
    async with asyncio.timeout(limit):
        return await awaitable


async def until(question):
    """The answer to the question (a function, or a coroutine function), once it is true: for what nothing announces, such as a file that has
    grown."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = question()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.01)


def tell(process: asyncio.subprocess.Process, number: int):
    """Sends a signal. asyncio's own way first asks whether the process has ended, and so can take its exit status from the thread that waits
    for it: it would be 255."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


@contextlib.asynccontextmanager
async def ending(process: asyncio.subprocess.Process):
    """Behind the block SIGTERM ends the process, with status 0. It is killed if that or the block fails."""
    try:
        yield process
        tell(process, signal.SIGTERM)
        assert await within(process.wait()) == 0
    finally:
        if process.returncode is None:
            tell(process, signal.SIGKILL)
            await process.wait()


class Log:
    """Lines of a process's standard error, and the tasks that wait for one."""

    def __init__(self):
        self.lines: list[str] = []
        self.records: list[dict] = []
        self.ended = False
        self._changed = asyncio.Condition()

    async def read(self, stream: asyncio.StreamReader):
        while line := await stream.readline():
            text = line.decode(errors="replace").rstrip("\n")
            async with self._changed:
                self.lines.append(text)
                try:
                    record = json.loads(text)
                    if isinstance(record, dict):
                        self.records.append(record)
                except ValueError:
                    pass
                self._changed.notify_all()
        async with self._changed:
            self.ended = True
            self._changed.notify_all()

    def matching(self, event: str, **fields) -> list[dict]:
        return [
            record
            for record in self.records
            if record.get("event") == event and all(str(record.get(key)) == str(value) for key, value in fields.items())
        ]

    async def first_line(self) -> str:
        """The first line, once it is there, in any form."""
        async with self._changed, asyncio.timeout(PATIENCE):
            await self._changed.wait_for(lambda: self.lines or self.ended)
        return self.lines[0]

    async def wait(self, count: int, event: str, **fields) -> list[dict]:
        """The records of `event` with these fields, once there are `count` of them."""

        def ready():
            return self.ended or len(self.matching(event, **fields)) >= count

        async with self._changed:
            try:
                await within(self._changed.wait_for(ready))
            except TimeoutError:
                pass
        found = self.matching(event, **fields)
        assert len(found) >= count, f"no {count} × {event} {fields} in the log:\n" + "\n".join(self.lines[-40:])
        return found


class Gateway:
    """`async with Gateway(routes=…, backends=…) as gateway`: serves `ws` and `wss` on ports of its own.

    Keyword arguments are top-level keys of the configuration. `listeners` replaces the two default ones. Leaving the
    block sends SIGTERM and demands exit status 0, and that nothing was written that has to stay secret: see `search`. `wrapper` is a
    command that starts the gateway.
    """

    def __init__(self, *, environment: dict | None = None, wrapper: tuple = (), **configuration):
        self.configuration = {
            "workers": 1,
            "drain": {"over": "0s"},
            "log": {"format": "json"},
            "listeners": [
                {"address": "127.0.0.1:0"},
                {"address": "127.0.0.1:0", "tls": {"self-signed": ["localhost", "127.0.0.1"]}},
            ],
            **configuration,
        }
        defaults = dict(self.configuration.get("defaults", {}))
        defaults["timeouts"] = {"close": "2s", **defaults.get("timeouts", {})}
        self.configuration["defaults"] = defaults
        self.environment = environment or {}
        self.wrapper = wrapper
        # Descriptors that the wrapper wants.
        self.inherited: tuple[int, ...] = ()
        self.log = Log()
        self.addresses: list[tuple[str, int]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="gateway-test-")

    @property
    def folder(self) -> pathlib.Path:
        return pathlib.Path(self._folder.name)

    async def __aenter__(self) -> "Gateway":
        await self._start()
        try:
            await self._listening()
        except BaseException:
            await self._end(signal.SIGKILL)
            raise
        return self

    async def _start(self):
        self.file = self.folder / "gateway.conf"
        self.write()
        output = self._output.open("wb")
        self.process = await asyncio.create_subprocess_exec(
            *self.wrapper, BINARY, "run", "--config", self.file,
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment}, limit=1 << 20, pass_fds=self.inherited,
        )
        output.close()
        self._reader = asyncio.create_task(self.log.read(self.process.stderr))

    async def _listening(self):
        """Waits for the addresses that it listens at."""
        listening = await self.log.wait(len(self.configuration["listeners"]), "listening")
        ports = [record for record in listening if not record["address"].startswith("unix:")]
        for record in ports:
            host, port = record["address"].rsplit(":", 1)
            self.addresses.append((host, int(port)))
        self.is_secure = [bool(record["tls"]) for record in ports]

    async def __aexit__(self, kind, error, trace):
        try:
            if kind is None and self.process.returncode is None:
                await self.search()
        finally:
            if self.process.returncode is None:
                status = await self._end(signal.SIGTERM)
            else:
                await self._reader
                status = self.process.returncode
            written = self.written()
            self._folder.cleanup()
        if kind is None:
            assert status == 0, f"exit status {status}:\n" + "\n".join(self.log.lines[-40:])
            self._search(written)

    async def search(self):
        """Raises `Leak` if a secret of the test, or a query that is not the configuration's own, is in what the gateway has written or its admin
        address says."""
        written = self.written()
        for record in [record for record in self.log.matching("admin") if "address" in record][-1:]:
            for path in (
                "/api/sessions", "/api/backends", "/api/configuration", "/api/certificates", "/api/status", "/api/closes", "/api/refusals",
                "/metrics",
            ):
                # It may be ending, or be busy with what the test has done to it.
                with contextlib.suppress(OSError, TimeoutError):
                    written[path] = await within(answered(record["address"], path), 2)
        self._search(written)

    def written(self) -> dict[str, str]:
        """By its name, all that the gateway has written."""
        files = {"standard output": self._output}
        if file := self.configuration["log"].get("file"):
            files["the log file"] = pathlib.Path(file)
        texts = {name: file.read_text(errors="replace") for name, file in files.items() if file.is_file()}
        return {"the log": "\n".join(self.log.lines), **texts}

    def _search(self, written: dict[str, str]):
        own = confidential.queries(json.dumps(self.configuration))
        for name, text in written.items():
            confidential.check(text, name)
            confidential.check_queries(text, name, own)

    @property
    def _output(self) -> pathlib.Path:
        return self.folder / "standard-output"

    async def _end(self, number: int) -> int:
        tell(self.process, number)
        try:
            status = await within(self.process.wait())
        except TimeoutError:
            tell(self.process, signal.SIGKILL)
            await self.process.wait()
            status = "none: it did not end"
        await self._reader
        return status

    def signal(self, number: int):
        tell(self.process, number)

    def write(self, **changes):
        """Writes the configuration file, with these top-level keys changed."""
        self.configuration.update(changes)
        # JSON is YAML.
        self.file.write_text(json.dumps(self.configuration, indent=1))

    async def reload(self, **changes) -> dict:
        """Changes these top-level keys and reloads. Returns the log line that says that the file was applied."""
        self.write(**changes)
        count = len(self.log.matching("reloaded")) + 1
        self.signal(signal.SIGHUP)
        return (await self.events(count, "reloaded"))[-1]

    async def exited(self) -> int:
        return await within(self.process.wait())

    @property
    def plain(self) -> tuple[str, int]:
        """Address of the listener without TLS."""
        return self.addresses[self.is_secure.index(False)]

    @property
    def secure(self) -> tuple[str, int]:
        return self.addresses[self.is_secure.index(True)]

    def ws(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.plain[1]}{path}"

    def wss(self, path: str) -> str:
        return f"wss://127.0.0.1:{self.secure[1]}{path}"

    def https(self, path: str) -> str:
        return f"https://127.0.0.1:{self.secure[1]}{path}"

    async def event(self, event: str, **fields) -> dict:
        """The first such record of the log; it may have come already."""
        return (await self.log.wait(1, event, **fields))[0]

    async def events(self, count: int, event: str, **fields) -> list[dict]:
        return await self.log.wait(count, event, **fields)

    async def closed(self, **fields) -> dict:
        return await self.event("close", **fields)

    def _memory(self, kind: str) -> int:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{kind}:")[1].split()[0]) << 10

    def memory(self) -> int:
        """The resident size, in bytes."""
        return self._memory("VmRSS")

    def peak_memory(self) -> int:
        """The largest resident size so far, in bytes."""
        return self._memory("VmHWM")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    async def has_open_files(self, most: int) -> bool:
        """Whether the number of descriptors comes down to this. They are closed after the line in the log, and nothing announces that."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: self.open_files() <= most)
        return self.open_files() <= most


async def command(*arguments, cwd=None, environment: dict | None = None) -> tuple[int, str, str]:
    """Runs the gateway to its end. Returns status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        BINARY, *map(str, arguments), cwd=cwd, env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await within(process.communicate())
    except TimeoutError:
        tell(process, signal.SIGKILL)
        output, errors = await process.communicate()
        raise AssertionError(f"it did not end; standard error:\n{errors.decode()}")
    confidential.check(output + errors, f"what `gateway {arguments[0] if arguments else ''}` prints")
    return process.returncode, output.decode(), errors.decode()


async def answered(address: str, path: str) -> str:
    """What the admin address answers."""
    if address.startswith("unix:"):
        name = address.removeprefix("unix:")
        reader, writer = await asyncio.open_unix_connection("\0" + name[1:] if name.startswith("@") else name)
    else:
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read()).decode(errors="replace")
    finally:
        writer.close()
