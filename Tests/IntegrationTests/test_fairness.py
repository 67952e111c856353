"""Clients that send more than their share, beside others. The tests check order and counts, never times."""

import asyncio
import contextlib
import ctypes
import os
import pathlib
import signal
import socket

import pytest

import admin
import peers
import raw
from gateway_process import Gateway, insecure, within

ROUTES = [{"path": "/echo", "backend": "echo"}, {"path": "/broadcast/*", "backend": "rooms"}]
BACKENDS = {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}}
SECURITY = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])


def builtins(**keys) -> Gateway:
    return Gateway(routes=ROUTES, backends=BACKENDS, **keys)


async def connection(gateway: Gateway, path: str, secure: bool) -> raw.Connection:
    if secure:
        return await raw.Connection.upgraded(gateway.secure, path, ssl=insecure())
    return await raw.Connection.upgraded(gateway.plain, path)


async def slow_reader(address, path: str) -> raw.Connection:
    """A WebSocket that reads little at a time."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, address)
    client = raw.Connection(*await asyncio.open_connection(sock=sock, limit=16 << 10))
    await client.send(raw.upgrade(path))
    assert (await client.response()).status == 101
    return client


@SECURITY
async def test_an_echo_is_answered_in_the_middle_of_a_flood_of_empty_messages(secure):
    async with builtins() as gateway:
        flooders = [await connection(gateway, "/echo", secure) for _ in range(8)]
        bystander = await connection(gateway, "/echo", secure)
        count, answered = 200_000, [0]
        message = raw.frame(raw.BINARY, b"")

        async def send(flooder):
            flooder.writer.write(message * count)
            await flooder.writer.drain()

        async def receive(flooder):
            left = 2 * count
            while left > 0:
                left -= len(await within(flooder.reader.read(1 << 16)))
                answered[0] += 1
            assert left == 0

        async with asyncio.TaskGroup() as tasks:
            for flooder in flooders:
                tasks.create_task(send(flooder))
                tasks.create_task(receive(flooder))
            for number in range(20):
                before = answered[0]
                await bystander.send(raw.frame(raw.TEXT, b"%d" % number))
                assert await bystander.frame() == raw.Frame(raw.TEXT, b"%d" % number)
                # Not all of the flood came back before it: that takes some hundred reads.
                assert answered[0] - before < 100
        for one in [*flooders, bystander]:
            one.writer.transport.abort()


@SECURITY
async def test_a_flood_of_compressed_messages_comes_back_as_it_was(secure):
    async with builtins() as gateway:
        url = gateway.wss("/echo") if secure else gateway.ws("/echo")
        async with peers.client(url, compression="deflate", max_queue=None) as client:
            messages = [f"flood {number} " * (1 + number % 20) for number in range(3000)]

            async def send():
                for message in messages:
                    await client.send(message)

            sending = asyncio.create_task(send())
            for message in messages:
                assert await within(client.recv()) == message
            await sending


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_flood_in_a_room_reaches_all_of_it_in_order(workers):
    async with builtins(workers=workers, defaults={"limits": {"queue": "16MiB"}}) as gateway:
        members = [await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby") for _ in range(20)]
        bystander = await raw.Connection.upgraded(gateway.plain)
        await gateway.events(21, "open")
        messages = [b"%d" % number for number in range(30_000)]
        expected = b"".join(raw.frame(raw.BINARY, message, mask=None) for message in messages)

        async def received(member) -> bytes:
            return await within(member.reader.readexactly(len(expected)))

        members[0].writer.write(b"".join(raw.frame(raw.BINARY, message) for message in messages))
        results = asyncio.gather(*(received(member) for member in members))
        for number in range(20):
            await bystander.send(raw.frame(raw.TEXT, b"%d" % number))
            assert await bystander.frame() == raw.Frame(raw.TEXT, b"%d" % number)
        assert all(result == expected for result in await results)
        for one in [*members, bystander]:
            one.writer.transport.abort()


async def test_turns_of_the_workers_are_counted_by_their_length():
    async with builtins(admin="127.0.0.1:0") as gateway, admin.admin(gateway) as session:
        async with peers.client(gateway.ws("/echo")) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
        samples = await admin.metrics(session)
        name = "gateway_loop_turn_seconds"
        buckets = {float(dict(key[1:])["le"]): count for key, count in samples.items() if key[0] == f"{name}_bucket"}
        counts = [buckets[bound] for bound in sorted(buckets)]
        assert counts == sorted(counts) and counts[-1] == samples[(f"{name}_count",)] > 0
        assert samples[(f"{name}_sum",)] > 0


async def test_a_client_that_has_ended_its_side_gets_everything_beside_a_crowd():
    """Its socket reports the end with each event, and ending has a lower priority than reading."""
    total = 24 << 20
    answers = raw.frame(raw.BINARY, bytes(16 << 10), mask=None)

    async def stream(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        key = next(line.split(": ")[1] for line in head if line.lower().startswith("sec-websocket-key: "))
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {raw.accept_key(key)}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(total // len(answers)):
                writer.write(answers)
                await writer.drain()
            writer.write(raw.close(1000, mask=None))
            await writer.drain()
            await reader.read()
        writer.close()

    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(stream, "127.0.0.1", 0))
        port = server.sockets[0].getsockname()[1]
        gateway = await stack.enter_async_context(Gateway(
            routes=[*ROUTES, {"path": "/stream", "backend": "stream"}], workers=1,
            backends={**BACKENDS, "stream": {"websocket": [f"ws://127.0.0.1:{port}"]}},
            defaults={"limits": {"queue": "64KiB"}},
        ))
        crowd = [await connection(gateway, "/echo", secure=False) for _ in range(80)]
        burst = raw.frame(raw.TEXT, b"a") * 280

        async def talk(one):
            while True:
                await one.send(burst)
                await one.exactly(3 * 280)

        talking = [asyncio.create_task(talk(one)) for one in crowd]
        client = await slow_reader(gateway.plain, "/stream")
        await client.send(raw.close(1000))
        client.finish()
        count = 0
        while data := await within(client.reader.read(64 << 10)):
            count += len(data)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        assert count == total // len(answers) * len(answers) + len(raw.close(1000, mask=None))
        for one in [*crowd, client]:
            one.writer.transport.abort()


class Stopped:
    """A thread that is stopped with `ptrace(2)`, as a debugger does."""

    SEIZE, INTERRUPT, ALL_CHILDREN = 0x4206, 0x4207, 0x40000000

    def __init__(self, thread: int):
        self.thread = thread
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        for request in (self.SEIZE, self.INTERRUPT):
            if self.libc.ptrace(request, thread, None, None) != 0:
                pytest.skip(f"no ptrace here: {os.strerror(ctypes.get_errno())}")
        os.waitpid(thread, self.ALL_CHILDREN)

    def ended(self):
        """Waits for the end of the process, which the kernel reports to the debugger."""
        os.waitpid(self.thread, self.ALL_CHILDREN)


async def test_a_second_signal_ends_the_process_although_a_worker_does_not_answer():
    async with builtins(workers=2) as gateway:
        clients = [await raw.Connection.upgraded(gateway.plain) for _ in range(4)]
        await gateway.events(4, "open")
        tasks = pathlib.Path(f"/proc/{gateway.process.pid}/task")
        names = {(task / "comm").read_text().strip(): int(task.name) for task in tasks.iterdir()}
        worker = Stopped(names["gateway-0"])
        gateway.signal(signal.SIGTERM)
        await gateway.event("draining")
        gateway.signal(signal.SIGTERM)
        await within(asyncio.to_thread(worker.ended))
        assert await gateway.exited() == 0
        assert gateway.log.matching("stopped", reason="1 of 2 workers did not end in time")
        for client in clients:
            client.writer.transport.abort()
