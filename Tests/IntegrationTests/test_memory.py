"""Slow readers: a side that does not read stops the other side, and costs no more memory than the queue limit."""

import asyncio
import contextlib
import select
import socket
import threading

import pytest

import raw
from gateway_process import Gateway, insecure, within
from peers import MIB, relay

TOTAL = 1024 * MIB
MESSAGE = MIB
# The queue limit, and a few buffers of 64 KiB on either side; the rest is what a process grows by when it first does anything.
ALLOWANCE = 4 * MIB


class Sender(threading.Thread):
    """Sends `TOTAL` bytes in messages, and notes when the socket accepts no more."""

    def __init__(self, sock: socket.socket, message: bytes):
        super().__init__(daemon=True)
        self.sock = sock
        self.message = memoryview(message)
        self.blocked = threading.Event()
        self.sent = 0

    def run(self):
        with contextlib.suppress(OSError):
            self.sock.setblocking(False)
            for _ in range(TOTAL // MESSAGE):
                offset = 0
                while offset < len(self.message):
                    if not select.select([], [self.sock], [], 0.5)[1]:
                        self.blocked.set()
                        select.select([], [self.sock], [])
                    offset += self.sock.send(self.message[offset:])
                self.sent += 1


@contextlib.asynccontextmanager
async def listener():
    """A server that hands over its connections one by one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


async def handshake(server: socket.socket) -> socket.socket:
    loop = asyncio.get_running_loop()
    connection, _ = await loop.sock_accept(server)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await loop.sock_recv(connection, 65536)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
    accept = raw.accept_key(fields["Sec-WebSocket-Key"])
    answer = f"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    await loop.sock_sendall(connection, answer.encode())
    return connection


async def drain(reader: asyncio.StreamReader, count: int):
    while count > 0:
        data = await within(reader.read(1 << 20))
        assert data, f"{count} bytes are missing"
        count -= len(data)


async def blocked(sender: Sender):
    assert await asyncio.to_thread(sender.blocked.wait, 60), "the sender was never stopped"
    assert sender.sent * MESSAGE < TOTAL // 2


@pytest.mark.parametrize("kind", ["relay", "bridge"])
@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
async def test_a_client_that_does_not_read(kind, secure):
    async with listener() as server:
        address = "127.0.0.1:%d" % server.getsockname()[1]
        settings = {"websocket": [f"ws://{address}"]} if kind == "relay" else {"tcp": [address]}
        async with relay(settings) as gateway:
            accepting = asyncio.create_task(
                handshake(server) if kind == "relay" else asyncio.get_running_loop().sock_accept(server)
            )
            context = insecure() if secure else None
            address = gateway.secure if secure else gateway.plain
            async with await raw.Connection.upgraded(address, "/app", ssl=context) as client:
                backend = await accepting
                backend = backend if kind == "relay" else backend[0]
                client.writer.transport.pause_reading()
                before = gateway.peak_memory()
                payload = raw.pattern(MESSAGE)
                sender = Sender(backend, raw.frame(raw.BINARY, payload, mask=None) if kind == "relay" else payload)
                sender.start()
                await blocked(sender)
                assert gateway.peak_memory() - before < ALLOWANCE
                client.writer.transport.resume_reading()
                # Bytes of frame headers come on top; that none is missing is what counts.
                await drain(client.reader, TOTAL)
                await asyncio.to_thread(sender.join, 20)
                assert gateway.peak_memory() - before < ALLOWANCE
                backend.close()


async def test_a_backend_that_does_not_read():
    async with listener() as server:
        settings = {"websocket": ["ws://127.0.0.1:%d" % server.getsockname()[1]]}
        async with relay(settings) as gateway:
            accepting = asyncio.create_task(handshake(server))
            with socket.create_connection(gateway.plain) as client:
                client.sendall(raw.upgrade("/app"))
                backend = await accepting
                assert await asyncio.to_thread(client.recv, 65536)
                before = gateway.peak_memory()
                sender = Sender(client, raw.frame(raw.BINARY, raw.pattern(MESSAGE)))
                sender.start()
                await blocked(sender)
                assert gateway.peak_memory() - before < ALLOWANCE
                reader, writer = await asyncio.open_connection(sock=backend)
                await drain(reader, TOTAL)
                await asyncio.to_thread(sender.join, 20)
                assert gateway.peak_memory() - before < ALLOWANCE
                writer.close()


async def test_an_echo_whose_client_does_not_read_stops_reading():
    routes, backends = [{"path": "/app", "backend": "echo"}], {"echo": {"builtin": "echo"}}
    async with Gateway(routes=routes, backends=backends) as gateway:
        with socket.create_connection(gateway.plain) as client:
            client.sendall(raw.upgrade("/app"))
            assert await asyncio.to_thread(client.recv, 65536)
            before = gateway.peak_memory()
            sender = Sender(client, raw.frame(raw.BINARY, raw.pattern(MESSAGE)))
            sender.start()
            await blocked(sender)
            assert gateway.peak_memory() - before < ALLOWANCE
            client.shutdown(socket.SHUT_RDWR)
            await asyncio.to_thread(sender.join, 20)
