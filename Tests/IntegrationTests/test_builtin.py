"""The built-in backends: echo, clock, broadcast."""

import asyncio
import datetime
import itertools

import pytest
from websockets.exceptions import ConnectionClosed

import peers
import raw
from gateway_process import Gateway, within
from peers import MIB

ROUTES = [
    {"path": "/echo", "backend": "echo"},
    {"path": "/clock", "backend": "clock"},
    {"path": "/broadcast/*", "backend": "rooms"},
]
BACKENDS = {
    "echo": {"builtin": "echo"},
    "clock": {"builtin": "clock", "every": "100ms"},
    "rooms": {"builtin": "broadcast"},
}
SECURITY = pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])


def builtins(**keys) -> Gateway:
    return Gateway(routes=ROUTES, backends=BACKENDS, **keys)


def client(gateway: Gateway, path: str, secure: bool):
    return peers.client(gateway.wss(path) if secure else gateway.ws(path))


# Echo


@SECURITY
async def test_echo_returns_text_and_binary(secure):
    async with builtins() as gateway, client(gateway, "/echo", secure) as socket:
        for message in ["hello", "", "grüße, 世界 🌍", b"", b"\x00\xff", "x" * 125, "x" * 126, b"y" * 65535, b"y" * 65536]:
            await socket.send(message)
            assert await socket.recv() == message
        assert await (await socket.ping()) >= 0
    record = await gateway.closed(cause="client-closed", code=1000)
    assert (record["route"], record["backend"], record["by"]) == ("/echo", "echo", "client")


@SECURITY
async def test_echo_returns_every_size_up_to_16_mib(secure):
    async with builtins(defaults={"limits": {"message": "16MiB"}}) as gateway, client(gateway, "/echo", secure) as socket:
        size = 1
        while size <= 16 * MIB:
            message = raw.pattern(size)
            await socket.send(message)
            assert await socket.recv() == message
            size *= 4


async def test_echo_joins_fragments():
    async with builtins() as gateway, client(gateway, "/echo", False) as socket:
        await socket.send(["frag", "", "mented ", "grüße"])
        assert await socket.recv() == "fragmented grüße"
        await socket.send([b"\x00", b"\x01" * 70000])
        assert await socket.recv() == b"\x00" + b"\x01" * 70000


async def test_echo_answers_a_ping_between_fragments():
    async with builtins() as gateway, await raw.Connection.upgraded(gateway.plain) as socket:
        await socket.send(raw.frame(raw.TEXT, b"a", fin=False))
        await socket.send(raw.frame(raw.PING, b"are you there"))
        assert await socket.frame() == raw.Frame(raw.PONG, b"are you there")
        await socket.send(raw.frame(raw.PONG, b"nobody asked") + raw.frame(raw.CONTINUATION, b"b"))
        assert await socket.frame() == raw.Frame(raw.TEXT, b"ab")


async def test_frames_may_arrive_byte_by_byte():
    async with builtins() as gateway, await raw.Connection.upgraded(gateway.plain) as socket:
        for byte in raw.frame(raw.TEXT, "grüße".encode() * 30):
            await socket.send(bytes([byte]))
        assert await socket.frame() == raw.Frame(raw.TEXT, "grüße".encode() * 30)


async def test_frames_sent_with_the_request_are_not_lost():
    async with builtins() as gateway, await raw.Connection.open(gateway.plain) as socket:
        await socket.send(raw.upgrade() + raw.frame(raw.TEXT, b"early"))
        assert (await socket.response()).status == 101
        assert await socket.frame() == raw.Frame(raw.TEXT, b"early")


@pytest.mark.parametrize(
    "sent, answered",
    [((1000, "bye"), 1000), ((1001, ""), 1001), ((3000, ""), 3000), ((4999, "é" * 61), 4999), ((None, ""), None)],
    ids=lambda value: str(value)[:12],
)
async def test_echo_answers_a_close_with_its_code(sent, answered):
    async with builtins() as gateway:
        async with await raw.Connection.upgraded(gateway.plain) as socket:
            await socket.send(raw.close(*sent))
            assert (await socket.frame()).code == answered
            assert await socket.end() == b""
        await gateway.closed(cause="client-closed", code=answered or "none", by="client")


BROKEN = {
    "unmasked": (raw.frame(raw.TEXT, b"a", mask=None), 1002, "protocol-error"),
    "reserved opcode": (raw.frame(0x3, b"a"), 1002, "protocol-error"),
    "reserved control opcode": (raw.frame(0xB, b"a"), 1002, "protocol-error"),
    "RSV1 without an extension": (raw.frame(raw.TEXT, b"a", rsv=4), 1002, "protocol-error"),
    "RSV3": (raw.frame(raw.TEXT, b"a", rsv=1), 1002, "protocol-error"),
    "fragmented ping": (raw.frame(raw.PING, b"a", fin=False), 1002, "protocol-error"),
    "ping of 126 bytes": (raw.frame(raw.PING, b"a" * 126), 1002, "protocol-error"),
    "continuation of nothing": (raw.frame(raw.CONTINUATION, b"a"), 1002, "protocol-error"),
    "message inside of a message": (
        raw.frame(raw.TEXT, b"a", fin=False) + raw.frame(raw.TEXT, b"b"), 1002, "protocol-error",
    ),
    "longest length": (b"\x82\xff" + b"\xff" * 8 + b"\0" * 4, 1002, "protocol-error"),
    "length in more bytes than needed": (b"\x81\xfe\x00\x01\0\0\0\0a", 1002, "protocol-error"),
    "close code of one byte": (raw.frame(raw.CLOSE, b"\x03"), 1002, "protocol-error"),
    "close code that is never sent": (raw.close(1005), 1002, "protocol-error"),
    "close code nobody knows": (raw.close(1016), 1002, "protocol-error"),
    "close reason that is not UTF-8": (raw.frame(raw.CLOSE, b"\x03\xe8\xff"), 1007, "invalid-data"),
    "text that is not UTF-8": (raw.frame(raw.TEXT, b"\xc0\xaf"), 1007, "invalid-data"),
    "text that ends inside of a character": (raw.frame(raw.TEXT, "é".encode()[:1]), 1007, "invalid-data"),
    "message over the limit": (raw.frame(raw.BINARY, b"a" * (MIB + 1)), 1009, "message-too-big"),
    "fragments over the limit": (
        raw.frame(raw.BINARY, b"a" * MIB, fin=False) + raw.frame(raw.CONTINUATION, b"a"), 1009, "message-too-big",
    ),
    "too many fragments": (
        raw.frame(raw.BINARY, b"", fin=False) + raw.frame(raw.CONTINUATION, b"", fin=False) * 1024, 1009,
        "too-many-fragments",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_rule_ends_that_session_only(name):
    bytes_sent, code, cause = BROKEN[name]
    async with builtins() as gateway, client(gateway, "/echo", False) as bystander:
        async with await raw.Connection.upgraded(gateway.plain) as socket:
            try:
                await socket.send(bytes_sent)
            except OSError:
                pass
            assert (await socket.closing()).code == code
            await socket.send(raw.close(code))
            await socket.lost()
        record = await gateway.closed(cause=cause)
        assert (str(record["code"]), record["by"]) == (str(code), "client")
        await bystander.send("still here")
        assert await bystander.recv() == "still here"


async def test_a_message_of_exactly_the_limit_passes():
    async with builtins(defaults={"limits": {"message": "100KiB"}}) as gateway, client(gateway, "/echo", False) as socket:
        await socket.send(b"a" * 102400)
        assert len(await socket.recv()) == 102400
        await socket.send(b"a" * 102401)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1009


# Clock


@SECURITY
async def test_clock_sends_the_time_as_rfc_3339(secure):
    async with builtins() as gateway, client(gateway, "/clock", secure) as socket:
        times = []
        for _ in range(3):
            text = await within(socket.recv(), 5)
            assert isinstance(text, str) and len(text) == len("2025-01-01T00:00:00.000Z") and text.endswith("Z")
            times.append(datetime.datetime.fromisoformat(text))
        now = datetime.datetime.now(datetime.timezone.utc)
        assert times == sorted(set(times)) and abs(now - times[-1]) < datetime.timedelta(seconds=5)
        for earlier, later in itertools.pairwise(times):
            assert later - earlier >= datetime.timedelta(milliseconds=20)


# Broadcast


async def receive(socket, count: int) -> list:
    return [await within(socket.recv()) for _ in range(count)]


@SECURITY
async def test_broadcast_reaches_everyone_in_the_room_and_nobody_else(secure):
    async with builtins(workers=2) as gateway:
        async with (
            client(gateway, "/broadcast/lobby", secure) as first,
            client(gateway, "/broadcast/lobby?name=second", not secure) as second,
            client(gateway, "/broadcast/other", secure) as stranger,
        ):
            await gateway.events(3, "open")
            await first.send("to all")
            assert await receive(first, 1) == ["to all"] and await receive(second, 1) == ["to all"]
            await second.send(b"\x01\x02")
            assert await receive(first, 1) == [b"\x01\x02"] and await receive(second, 1) == [b"\x01\x02"]
            await stranger.send("to myself")
            assert await receive(stranger, 1) == ["to myself"]


async def test_broadcast_keeps_the_order_of_each_sender_across_workers():
    members, each = 20, 25
    async with builtins(workers=2) as gateway:
        sockets = [await client(gateway, "/broadcast/lobby", number % 2 == 0) for number in range(members)]
        await gateway.events(members, "open")

        async def send(number):
            for message in range(each):
                await sockets[number].send(f"{number} {message}")

        async def receive_all(socket):
            return await receive(socket, members * each)

        *_, received = await asyncio.gather(
            *(send(number) for number in range(members)),
            asyncio.gather(*(receive_all(socket) for socket in sockets)),
        )
        for messages in received:
            for number in range(members):
                mine = [message for message in messages if message.split()[0] == str(number)]
                assert mine == [f"{number} {message}" for message in range(each)]
        await asyncio.gather(*(socket.close() for socket in sockets))


async def test_a_member_that_does_not_read_is_closed_and_the_others_go_on():
    # What is left for it is given up when it has taken nothing for the time of a heartbeat.
    defaults = {"limits": {"queue": "256KiB"}, "heartbeat": {"interval": "2s", "timeout": "2s"}}
    async with builtins(defaults=defaults) as gateway:
        async with (
            client(gateway, "/broadcast/lobby", False) as sender,
            await raw.Connection.upgraded(gateway.plain, "/broadcast/lobby") as sleeper,
        ):
            sleeper.reader._transport.pause_reading()
            await gateway.events(2, "open")
            message = raw.pattern(256 << 10)
            for _ in range(200):
                await sender.send(message)
                assert await sender.recv() == message
            record = await gateway.closed(cause="slow-consumer")
            assert record["undelivered_to_client"] > 0
            await sender.send("still here")
            assert await receive(sender, 1) == ["still here"]
