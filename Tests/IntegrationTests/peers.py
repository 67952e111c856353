"""Servers to put behind the gateway, and programs that others wrote."""

import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import struct

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

import confidential
from gateway_process import BINARY, PATIENCE, Gateway, insecure, tell, within

NODE = pathlib.Path(__file__).with_name("node")
MIB = 1 << 20


class WebSocketBackend:
    """A server of the Python package `websockets`. It records what it saw.

    `closes` gets the close code and reason of each connection that ended.
    """

    def __init__(self, handler=None, **options):
        self.handler = handler or self.echo
        self.options = {"max_size": 64 * MIB, "ping_interval": None, "compression": None, **options}
        self.connections: list[ServerConnection] = []
        self.requests: list = []
        self.closes: asyncio.Queue = asyncio.Queue()

    @staticmethod
    async def echo(connection: ServerConnection):
        async for message in connection:
            await connection.send(message)

    async def _handle(self, connection: ServerConnection):
        self.connections.append(connection)
        self.requests.append(connection.request)
        try:
            await self.handler(connection)
        finally:
            await connection.wait_closed()
            await self.closes.put((connection.close_code, connection.close_reason))

    async def __aenter__(self) -> "WebSocketBackend":
        self.server = await serve(self._handle, "127.0.0.1", 0, **self.options)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for connection in self.connections:
            connection.transport.abort()
        await self.server.wait_closed()

    @property
    def scheme(self) -> str:
        return "wss" if "ssl" in self.options else "ws"

    def configuration(self, path: str = "", **keys) -> dict:
        return {"websocket": [f"{self.scheme}://127.0.0.1:{self.port}{path}"], **keys}

    async def closed(self) -> tuple[int, str]:
        return await within(self.closes.get())


def relay(backend: WebSocketBackend | dict, route: dict | None = None, **keys) -> Gateway:
    """A gateway with `backend` at /app and below."""
    settings = backend if isinstance(backend, dict) else backend.configuration()
    below = {key: value for key, value in (route or {}).items() if key != "name"}
    routes = [{"path": "/app", "backend": "app", **(route or {})}, {"path": "/app/*", "backend": "app", **below}]
    return Gateway(routes=routes, backends={"app": settings}, **keys)


def client(url: str, **options):
    """A client of the Python package `websockets`, without compression and pings."""
    options = {"max_size": None, "compression": None, "ping_interval": None, **options}
    return connect(url, **({"ssl": insecure()} if url.startswith("wss:") else {}), **options)


class TCPBackend:
    """A server for `bridge`: `handler(reader, writer)`, on a port or a Unix socket. The default handler echoes, and then half-closes."""

    def __init__(self, handler=None, *, path: str | None = None, ssl=None):
        self.handler = handler or self.echo
        self.path = path
        self.ssl = ssl
        self.ends: asyncio.Queue = asyncio.Queue()
        self.tasks: set = set()

    @staticmethod
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def _handle(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        try:
            await self.handler(reader, writer)
            await self.ends.put("end")
        except OSError as error:
            await self.ends.put(type(error).__name__)
        except asyncio.CancelledError:
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()

    async def __aenter__(self) -> "TCPBackend":
        if self.path:
            self.server = await asyncio.start_unix_server(self._handle, self.path)
        else:
            self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self.ssl)
            self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for task in list(self.tasks):
            task.cancel()

    def configuration(self, **keys) -> dict:
        scheme = "tls://" if self.ssl else ""
        address = f"unix:{self.path}" if self.path else f"{scheme}127.0.0.1:{self.port}"
        return {"tcp": [address], **keys}

    async def ended(self) -> str:
        """How the next connection ended: "end", or the name of an error."""
        return await within(self.ends.get())


def reset(writer: asyncio.StreamWriter):
    """Ends a TCP connection with a RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def refusing_port() -> tuple[socket.socket, int]:
    """A port without a listener. No other process gets it while the socket lives."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def silent_port() -> tuple[list[socket.socket], int]:
    """A port whose queue of connections is full, so that connecting takes forever."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    sockets = [server]
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(server.getsockname())
        sockets.append(client)
    return sockets, server.getsockname()[1]


@contextlib.asynccontextmanager
async def program(
    *arguments, ready: str = "", answers=None, environment: dict | None = None, seen: list[str] | None = None,
    patience: float = PATIENCE,
):
    """Runs a program until the block ends; yields the line that has the word `ready` in it, or waits until `answers` has returned: that is
    for programs whose words are theirs to change. `seen` gets all its lines, and `patience` is how long its start may take."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, **(environment or {})},
    )
    seen = [] if seen is None else seen

    async def first() -> str:
        async for line in process.stdout:
            seen.append(line.decode(errors="replace").rstrip())
            if ready in seen[-1]:
                return seen[-1]
        raise AssertionError(f"{arguments[0]} ended:\n" + "\n".join(seen))

    async def first_answer() -> str:
        """The answer; fails if the program ends first."""
        reading, asking = asyncio.create_task(rest()), asyncio.create_task(answers())
        try:
            await asyncio.wait([reading, asking], return_when=asyncio.FIRST_COMPLETED)
            assert asking.done(), f"{arguments[0]} ended:\n" + "\n".join(seen)
            return asking.result() or ""
        finally:
            asking.cancel()
            if not reading.done():
                reading.cancel()

    async def rest():
        async for line in process.stdout:
            seen.append(line.decode(errors="replace").rstrip())

    reader = None
    try:
        line = await within(first_answer() if answers else first(), patience)
        reader = asyncio.create_task(rest())
        yield line
    finally:
        if process.returncode is None:
            tell(process, signal.SIGTERM)
            try:
                await within(process.wait())
            except TimeoutError:
                tell(process, signal.SIGKILL)
                await process.wait()
        if reader:
            await reader
    if str(arguments[0]) == str(BINARY):
        confidential.check("\n".join(seen), "what the gateway prints")


@contextlib.asynccontextmanager
async def node(name: str):
    """A Node server of Tests/IntegrationTests/node, which prints its port; yields it."""
    arguments = ("node", NODE / f"{name}.js")
    async with program(*arguments, ready="listening on", environment={"NODE_PATH": "/usr/share/nodejs"}) as line:
        yield int(line.rsplit(" ", 1)[1])
