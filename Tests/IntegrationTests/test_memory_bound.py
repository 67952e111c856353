"""The bound on the memory of all sessions together: what counts, which sessions are closed, and that memory is returned to the system."""

import asyncio
import contextlib
import socket
import zlib

import pytest

import raw
from admin import admin, metrics
from gateway_process import PATIENCE, Gateway, until, within
from herd import Herd
from peers import MIB, client

KIB = 1 << 10
ROOMS = {
    "routes": [{"path": "/echo", "backend": "echo"}, {"path": "/broadcast/*", "backend": "rooms"}],
    "backends": {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}},
    "admin": "127.0.0.1:0",
    "log": {"format": "json", "level": "debug"},
}
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover"


async def held(session) -> dict[str, int]:
    return {key[1][1]: int(value) for key, value in (await metrics(session)).items() if key[0] == "gateway_memory_bytes"}


async def holds(session, check) -> dict[str, int]:
    """Waits until sessions hold this much memory, since nothing else tells what workers have read."""
    async def asked() -> dict[str, int] | None:
        return now if check(now := await held(session)) else None

    return await until(asked)


async def attacker(stack, gateway, payload: bytes, path="/broadcast/evil", address="127.0.0.2") -> raw.Connection:
    """Sends all of a message but its last byte."""
    connection = await stack.enter_async_context(await raw.Connection.open(gateway.plain, local_addr=(address, 0)))
    await connection.send(raw.upgrade(path))
    assert (await connection.response()).status == 101
    connection.writer.write(raw.frame(raw.BINARY, payload + b"x")[:-1])
    return connection


async def slow_reader(stack, gateway, *fields: str) -> raw.Connection:
    """A client with a small receive buffer."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, gateway.plain)
    connection = await stack.enter_async_context(raw.Connection(*await asyncio.open_connection(sock=sock)))
    await connection.send(raw.upgrade("/echo", *fields))
    assert (await connection.response()).status == 101
    return connection


@pytest.mark.parametrize("path", ["/echo", "/broadcast/lobby"])
async def test_a_little_that_inflates_to_a_lot_is_not_held_inflated(path):
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    fragment = deflate.compress(bytes(MIB - 1000)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    async with Gateway(**ROOMS) as gateway, contextlib.AsyncExitStack() as stack, admin(gateway) as session:
        before = gateway.peak_memory()
        connections = [
            await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, path, DEFLATE))
            for _ in range(100)
        ]
        for connection in connections:
            connection.writer.write(raw.frame(raw.BINARY, fragment, fin=False, rsv=4))
            # It was read when what comes after it is answered.
            await connection.send(raw.frame(raw.PING, b"1"))
            frames = []
            while not frames or frames[-1].opcode != raw.PONG:
                frames.append(await connection.frame())
        # 100 MiB were none.
        assert gateway.peak_memory() - before < 20 * MIB
        assert (await held(session))["assembled"] < 10 * MIB
        # The last one's becomes whole all the same.
        last = deflate.compress(b"end") + deflate.flush(zlib.Z_SYNC_FLUSH)
        await connections[-1].send(raw.frame(raw.CONTINUATION, last[:-4]))
        frames.pop()
        while not frames or not frames[-1].fin:
            frames.append(await connections[-1].frame())
        payload = b"".join(frame.payload for frame in frames)
        if frames[0].rsv:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        assert payload == bytes(MIB - 1000) + b"end"


async def test_a_message_that_inflates_to_too_much_is_refused_once_it_is_whole():
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    fragment = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    last = deflate.compress(b"1") + deflate.flush(zlib.Z_SYNC_FLUSH)
    async with Gateway(**ROOMS) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby", DEFLATE) as connection:
            await connection.send(raw.frame(raw.BINARY, fragment, fin=False, rsv=4))
            await connection.send(raw.frame(raw.CONTINUATION, last[:-4]))
            assert (await connection.closing()).code == 1009


async def test_what_comes_behind_a_message_that_was_kept_is_read_after_it():
    text = bytes(range(32, 127)) * 3000
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    whole = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    parts = [whole[:10], whole[10:500], b"", whole[500:]]
    frames = b"".join(
        raw.frame(raw.CONTINUATION if index else raw.TEXT, part, fin=index == 3, rsv=0 if index else 4)
        for index, part in enumerate(parts)
    )
    async with Gateway(**ROOMS) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby", DEFLATE) as connection:
            await connection.send(frames + raw.frame(raw.PING, b"2") + raw.frame(raw.TEXT, b"three") + frames)
            seen = []
            while len(seen) < 4:
                frame = await connection.frame()
                payload = frame.payload
                if frame.rsv:
                    payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
                seen.append((frame.opcode, payload))
            assert seen == [(raw.TEXT, text), (raw.PONG, b"2"), (raw.TEXT, b"three"), (raw.TEXT, text)]


@pytest.mark.parametrize("workers", [1, 2])
async def test_those_that_hold_much_and_do_nothing_give_way_to_the_one_that_sends(workers):
    payload = raw.pattern(900 * KIB)
    defaults = {"limits": {"message": "8MiB"}, "timeouts": {"close": "1s"}}
    async with Gateway(**ROOMS, memory="32MiB", workers=workers, defaults=defaults) as gateway:
        async with contextlib.AsyncExitStack() as stack, admin(gateway) as session:
            # Without traffic, a total of three times the bound.
            attackers = [await attacker(stack, gateway, payload) for _ in range(100)]
            await holds(session, lambda now: now["assembled"] > 24 * MIB)
            bystander = await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, "/broadcast/talk"))
            honest = await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby"))
            message = raw.pattern(8 * MIB - KIB)
            sending = asyncio.create_task(honest.send(raw.frame(raw.BINARY, message)))
            await bystander.send(raw.frame(raw.TEXT, b"hello"))
            assert (await bystander.frame()).payload == b"hello"
            assert (await honest.frame()).payload == message
            await sending
            assert sum((await held(session)).values()) <= 33 * MIB
            close = await gateway.closed(cause="memory")
            assert close["code"] == "1013" and close["client"] == "127.0.0.2" and close["by"] == "gateway"
            assert all(line["client"] == "127.0.0.2" for line in gateway.log.matching("close"))
            # Whoever gave way was told so.
            gone = gateway.log.matching("close", cause="memory")
            codes = await asyncio.gather(*(within(one.closing()) for one in attackers[:1]))
            assert gone and [close.code for close in codes] == [1013]
            await gateway.event("memory-scarce")
            for one in attackers:
                one.writer.transport.abort()
            await holds(session, lambda now: sum(now.values()) == 0)


async def test_no_session_waits_for_ever_behind_those_that_send_a_byte_now_and_then():
    payload = raw.pattern(900 * KIB)
    defaults = {"limits": {"message": "1MiB"}, "timeouts": {"close": "250ms"}}
    async with Gateway(**ROOMS, memory="8MiB", defaults=defaults) as gateway:
        async with contextlib.AsyncExitStack() as stack, admin(gateway) as session:
            attackers = []
            for _ in range(7):
                one = await stack.enter_async_context(
                    await raw.Connection.open(gateway.plain, local_addr=("127.0.0.2", 0)))
                await one.send(raw.upgrade("/broadcast/evil"))
                assert (await one.response()).status == 101
                frame = raw.frame(raw.BINARY, payload + bytes(1000))
                one.writer.write(frame[:-1000])
                attackers.append((one, frame))
            await holds(session, lambda now: now["assembled"] > 5 * MIB)

            async def trickle():
                for position in range(-1000, 0):
                    for one, frame in attackers:
                        one.writer.write(frame[position : position + 1])
                    await asyncio.sleep(0.1)

            trickling = asyncio.create_task(trickle())
            message = raw.pattern(MIB - KIB)
            honest = await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby"))
            sending = asyncio.create_task(honest.send(raw.frame(raw.BINARY, message)))
            assert (await honest.frame()).payload == message
            await sending
            trickling.cancel()
            await gateway.closed(cause="memory")
            assert {line["client"] for line in gateway.log.matching("close")} == {"127.0.0.2"}


async def test_queues_shrink_where_memory_is_scarce_and_lose_nothing():
    message = raw.pattern(60 * KIB)
    frame = raw.frame(raw.BINARY, message)
    count = 200
    async with Gateway(**ROOMS, memory="8MiB") as gateway:
        async with contextlib.AsyncExitStack() as stack, admin(gateway) as session:
            clients = [await slow_reader(stack, gateway) for _ in range(40)]
            for client in clients:
                client.writer.transport.pause_reading()
                client.writer.write(frame * count)
            # Each queue may have 1 MiB, and all together three quarters of 8 and a read for each.
            await gateway.event("memory-scarce")
            assert sum((await held(session)).values()) < 10 * MIB
            for client in clients:
                client.writer.transport.resume_reading()

            async def echoed(client):
                for _ in range(count):
                    got = bytearray()
                    while len(got) < len(message):
                        got += (await client.frame()).payload
                    assert got == message

            async with asyncio.timeout(4 * PATIENCE):
                await asyncio.gather(*map(echoed, clients))
            await holds(session, lambda now: sum(now.values()) == 0)
            assert not gateway.log.matching("close")


async def test_memory_goes_back_to_the_system_after_a_peak():
    payload = raw.pattern(900 * KIB)
    async with Gateway(**ROOMS, memory="1GiB") as gateway:
        async with contextlib.AsyncExitStack() as stack, admin(gateway) as session:
            attackers = [await attacker(stack, gateway, payload) for _ in range(100)]
            await holds(session, lambda now: now["assembled"] >= 100 * len(payload))
            assert gateway.memory() > 80 * MIB
            for one in attackers:
                one.writer.transport.abort()
            await holds(session, lambda now: sum(now.values()) == 0)
            returned = await gateway.event("memory-returned")
            assert returned["resident"] < 60 * MIB


async def test_memory_goes_back_to_the_system_after_many_sessions_that_held_nothing():
    routes, backends = [{"path": "/clock", "backend": "clock"}], {"clock": {"builtin": "clock", "every": "1s"}}
    log = {"format": "json", "level": "debug"}
    async with Gateway(routes=routes, backends=backends, log=log) as gateway:
        async with Herd(gateway.plain) as herd:
            await herd.open(1500, "/clock")
            # The number of sessions is looked at every two seconds.
            async with client(gateway.ws("/clock")) as clock:
                for _ in range(3):
                    await within(clock.recv())
        await gateway.event("memory-returned")


async def test_a_reload_changes_the_bound():
    payload = raw.pattern(900 * KIB)
    async with Gateway(**ROOMS, memory="1GiB") as gateway:
        async with contextlib.AsyncExitStack() as stack, admin(gateway) as session:
            for _ in range(10):
                await attacker(stack, gateway, payload)
            await holds(session, lambda now: now["assembled"] >= 10 * len(payload))
            assert not gateway.log.matching("memory-scarce")
            await gateway.reload(memory="4MiB")
            await gateway.closed(cause="memory")
            await holds(session, lambda now: sum(now.values()) < 4 * MIB)


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_client_that_reads_nothing_before_it_has_sent_all_gets_its_echo(compressed):
    message = raw.pattern(16 * MIB)
    payload = message
    if compressed:
        deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
        payload = (deflate.compress(message) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    defaults = {"limits": {"message": "16MiB"}}
    async with Gateway(**ROOMS, defaults=defaults) as gateway:
        async with contextlib.AsyncExitStack() as stack:
            client = await slow_reader(stack, gateway, *([DEFLATE] if compressed else []))
            client.writer.transport.pause_reading()
            client.writer.transport.set_write_buffer_limits(0)
            client.writer.write(raw.frame(raw.BINARY, payload, rsv=4 if compressed else 0))
            await within(client.writer.drain())
            client.writer.transport.resume_reading()
            inflate, got, is_compressed = zlib.decompressobj(-15), bytearray(), None
            while True:
                frame = await client.frame()
                is_compressed = bool(frame.rsv) if is_compressed is None else is_compressed
                tail = b"\0\0\xff\xff" if frame.fin else b""
                got += inflate.decompress(frame.payload + tail) if is_compressed else frame.payload
                if frame.fin:
                    break
            assert got == message
