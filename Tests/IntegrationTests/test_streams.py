"""Many long answers and large bodies at once, with `http: pass`, and what a reload, a drain and a takeover do to them. They take
minutes, so only `ops/test --only long` runs them."""

import asyncio
import contextlib
import signal

import pytest

import raw
from gateway_process import Gateway, insecure, tell, within
from peers import MIB
from test_restart import Successor

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

GIB = 1 << 30
CLIENTS, SLOW = 1000, 50
LAST_CHUNK = b"0\r\n\r\n"


class Server:
    """Streams bytes both ways, sends events to all who wait for them, and answers slow requests when it is told to."""

    def __init__(self):
        self.listeners: set[asyncio.StreamWriter] = set()
        self.waiting = 0
        self.may_answer = asyncio.Event()
        self.changed = asyncio.Condition()

    async def __aenter__(self) -> "Server":
        self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0, limit=4 * MIB, backlog=1000)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await getattr(self, head.split()[1][1:])(head, reader, writer)
        await self._change(lambda: self.listeners.discard(writer))
        writer.close()

    async def _change(self, change):
        async with self.changed:
            change()
            self.changed.notify_all()

    async def until(self, question):
        async with self.changed:
            await within(self.changed.wait_for(question), 60)

    async def down(self, head, reader, writer):
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIB}\r\n\r\n".encode())
        piece = bytes(MIB)
        for _ in range(GIB // MIB):
            writer.write(piece)
            await writer.drain()

    async def up(self, head, reader, writer):
        left = GIB
        while left:
            left -= len(await reader.read(left))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    async def events(self, head, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self._change(lambda: self.listeners.add(writer))
        await reader.read()
        raise ConnectionResetError

    async def slow(self, head, reader, writer):
        def arrived():
            self.waiting += 1

        await self._change(arrived)
        await self.may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    def send(self, event: bytes):
        for writer in self.listeners:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))


def passing(server: Server, **keys) -> Gateway:
    routes = [{"path": "/*", "backend": "app", "http": "pass"}]
    return Gateway(routes=routes, backends={"app": {"websocket": [f"ws://127.0.0.1:{server.port}"]}}, workers=2, **keys)


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


async def test_gigabytes_up_and_down_at_once_take_no_memory():
    """Six GiB in six streams, a third of them over TLS, beside a client that reads nothing. What is not read yet waits at who sends it."""
    streams = 3

    async with Server() as server, passing(server, defaults={"limits": {"body": "0"}}) as gateway:

        async def connected(number: int) -> raw.Connection:
            if number == 0:
                return await raw.Connection.open(gateway.secure, ssl=insecure())
            return await raw.Connection.open(gateway.plain)

        async def download(number: int):
            async with await connected(number) as client:
                await client.send(request("GET /down"))
                await client.head()
                left = GIB
                while left:
                    data = await within(client.reader.read(min(left, MIB)))
                    assert data
                    left -= len(data)

        async def upload(number: int):
            async with await connected(number) as client:
                await client.send(request("POST /up", f"Content-Length: {GIB}"))
                piece = bytes(MIB)
                for _ in range(GIB // MIB):
                    await client.send(piece)
                assert (await client.response()).body == b"done"

        before = gateway.memory()
        async with await raw.Connection.open(gateway.plain) as idle:
            idle.writer.transport.pause_reading()
            await idle.send(request("GET /down"))
            await asyncio.gather(*(kind(number) for kind in (download, upload) for number in range(streams)))
            grown = gateway.peak_memory() - before
        print(f"    {streams} GiB up and {streams} GiB down: peak memory {grown / 1024:+.0f} KiB", flush=True)
        assert grown < 16 * MIB


class Listener:
    """A client that waits for events. `after` has what came after the head."""

    @classmethod
    async def open(cls, stack: contextlib.AsyncExitStack, address) -> "Listener":
        listener = cls()
        listener.connection = await stack.enter_async_context(await raw.Connection.open(address))
        await listener.connection.send(request("GET /events"))
        listener.head = await listener.connection.head()
        return listener

    async def heard(self, event: bytes):
        expected = b"%x\r\n%b\r\n" % (len(event), event)
        assert await self.connection.exactly(len(expected)) == expected

    async def end(self) -> bytes:
        try:
            return await within(self.connection.reader.read(), 60)
        except ConnectionResetError:
            return b""


@contextlib.asynccontextmanager
async def scene():
    """A server, a gateway, clients that wait for events, and clients whose request is in flight."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server())
        gateway = await stack.enter_async_context(passing(server, drain={"over": "3s"}, admin="127.0.0.1:0"))
        listeners = []
        for _ in range(CLIENTS // 100):
            listeners += await asyncio.gather(*(Listener.open(stack, gateway.plain) for _ in range(100)))
        await server.until(lambda: len(server.listeners) == CLIENTS)
        slow = [await stack.enter_async_context(await raw.Connection.open(gateway.plain)) for _ in range(SLOW)]
        for client in slow:
            await client.send(request("POST /slow", "Content-Length: 0"))
        await server.until(lambda: server.waiting == SLOW)
        yield stack, server, gateway, listeners, slow


async def everyone_hears(server: Server, listeners: list[Listener], event: bytes):
    server.send(event)
    await asyncio.gather(*(listener.heard(event) for listener in listeners))


async def answered(server: Server, slow: list[raw.Connection]):
    """The requests in flight get their answer, and then the end of their connection."""
    server.may_answer.set()
    for client in slow:
        answer = await client.response()
        assert (answer.status, answer.body) == (200, b"done")
        assert await client.end() == b""


async def broken_off(server: Server, listeners: list[Listener], left: int = 0):
    """The streams end, none of them as a whole answer does. The server has `left` others."""
    ends = await asyncio.gather(*(listener.end() for listener in listeners))
    assert not any(end.endswith(LAST_CHUNK) for end in ends)
    await server.until(lambda: len(server.listeners) == left)


async def test_a_reload_ends_no_stream_of_a_thousand():
    async with scene() as (stack, server, gateway, listeners, slow):
        await everyone_hears(server, listeners, b"data: before\n\n")
        files, memory = gateway.open_files(), gateway.memory()
        for number in range(5):
            more = {"path": f"/more/{number}", "answer": {"text": "more"}}
            await gateway.reload(routes=[more, *gateway.configuration["routes"][-1:]])
            await everyone_hears(server, listeners, b"data: %d\n\n" % number)
        assert gateway.open_files() <= files
        print(f"    {CLIENTS} streams, 5 reloads: memory {(gateway.memory() - memory) / 1024:+.0f} KiB", flush=True)
        server.may_answer.set()
        for client in slow:
            assert (await client.response()).body == b"done"
        gateway.write(drain={"over": "0s"})
        await gateway.reload()


async def test_a_drain_answers_requests_in_flight_and_breaks_off_streams():
    async with scene() as (stack, server, gateway, listeners, slow):
        gateway.signal(signal.SIGTERM)
        await gateway.event("draining")
        await answered(server, slow)
        await broken_off(server, listeners)
        assert await gateway.exited() == 0


async def test_a_takeover_answers_requests_in_flight_and_serves_new_ones():
    async with scene() as (stack, server, gateway, listeners, slow):
        successor = await stack.enter_async_context(Successor(gateway))
        await successor.log.wait(1, "serving")
        new = await Listener.open(stack, gateway.plain)
        await answered(server, slow)
        await broken_off(server, listeners, left=1)
        assert await gateway.exited() == 0
        await everyone_hears(server, [new], b"data: after\n\n")
        tell(successor.process, signal.SIGTERM)
