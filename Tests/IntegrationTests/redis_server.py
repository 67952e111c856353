"""A real redis-server of the system, on a Unix socket of its own, or at a loopback port with TLS."""

import asyncio
import contextlib
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from gateway_process import tell, within

PROGRAM = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")

# What README.md says a user needs.
ACL = (
    "on >a-password-of-redis resetkeys ~gateway:* resetchannels &gateway:* -@all +select +subscribe +unsubscribe +publish +eval +evalsha +time "
    "+del +pexpire +hset +hmget +xadd +xrange"
)


class RedisServer:
    """`async with RedisServer() as server`: what `arguments` say besides, such as `--databases`, `4`."""

    def __init__(self, *arguments: str):
        self.arguments = arguments
        self._folder = tempfile.TemporaryDirectory(prefix="redis-test-")
        self.folder = pathlib.Path(self._folder.name)
        self.socket = self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix:{self.socket}"

    async def start(self):
        """Starts it without data, and waits until it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            PROGRAM, "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "", *self.arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
        said = b""
        while b"eady to accept connections" not in said:
            line = await within(self.process.stdout.readline())
            assert line, said.decode()
            said += line
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        while await self.process.stdout.readline():
            pass

    async def kill(self):
        tell(self.process, signal.SIGCONT)
        tell(self.process, signal.SIGKILL)
        await self.process.wait()
        await self._reader

    async def order(self, *words: str) -> str:
        """What redis-cli prints for a command of an administrator."""

        def run() -> str:
            return subprocess.run(
                ["redis-cli", "-s", self.socket, *words], capture_output=True, text=True, check=True
            ).stdout

        return await asyncio.to_thread(run)

    async def __aenter__(self) -> "RedisServer":
        await self.start()
        return self

    async def __aexit__(self, kind, error, trace):
        if self.process.returncode is None:
            await self.kill()
        self._folder.cleanup()


class Way:
    """The way of one gateway to a server, which can be closed: what others do at the server meanwhile, the gateway does not see."""

    def __init__(self, server: RedisServer):
        self.server = server
        self.path = server.folder / "way.sock"
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task] = set()

    @property
    def url(self) -> str:
        return f"unix:{self.path}"

    async def open(self):
        self._listener = await asyncio.start_unix_server(self._pass, self.path)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        there, back = await asyncio.open_unix_connection(self.server.socket)
        self._writers |= {writer, back}
        self._tasks.add(asyncio.current_task())

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(1 << 16):
                    target.write(data)
                    await target.drain()
            target.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))

    async def close(self):
        """Ends all connections, and takes no new ones."""
        self._listener.close()
        self.path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writers, self._tasks = set(), set()

    async def __aenter__(self) -> "Way":
        await self.open()
        return self

    async def __aexit__(self, kind, error, trace):
        await self.close()
