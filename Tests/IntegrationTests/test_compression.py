"""Compressed messages (permessage-deflate) with built-in backends and bridges, and `compression: off`."""

import asyncio
import json
import zlib

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

import peers
import raw
from gateway_process import Gateway, within
from peers import MIB, TCPBackend, WebSocketBackend

BUILTINS = {
    "routes": [
        {"path": "/echo", "backend": "echo"},
        {"path": "/plain", "backend": "echo", "compression": "off"},
        {"path": "/broadcast/*", "backend": "rooms"},
    ],
    "backends": {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}},
}
OFFERS = {
    "nothing": {},
    "browser": {"client_max_window_bits": True},
    "small": {"server_max_window_bits": 9, "client_max_window_bits": 9},
    "no-context": {"server_no_context_takeover": True, "client_no_context_takeover": True},
    "large": {"server_max_window_bits": 15, "client_max_window_bits": 15},
}
OFFER = pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
MEMORY = pytest.mark.parametrize("memory", ["0", "64KiB", "40KiB", "16KiB"])


def compressing(url: str, offer: dict, **options):
    return peers.client(url, extensions=[ClientPerMessageDeflateFactory(**offer)], **options)


def names(socket) -> list[str]:
    return [extension.name for extension in socket.protocol.extensions]


def deflated(payload: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def offering(address, path: str = "/echo", offer: str = "permessage-deflate; client_max_window_bits"):
    return await raw.Connection.upgraded(address, path, f"Sec-WebSocket-Extensions: {offer}")


def compressed_frame(opcode: int, payload: bytes, **options) -> bytes:
    return raw.frame(opcode, payload, rsv=4, **options)


MESSAGES = ["hello", "", "grüße " * 100, b"\x00" * 300_000, raw.pattern(70_000), json.dumps({"a": list(range(50))}), "x" * 64]


@OFFER
@MEMORY
async def test_echo(offer, memory):
    async with Gateway(**BUILTINS, defaults={"limits": {"compression": memory}}) as gateway:
        async with compressing(gateway.ws("/echo"), offer) as socket:
            if memory not in ("16KiB",) or "client_max_window_bits" in offer:
                assert names(socket) == ["permessage-deflate"]
            for message in MESSAGES + MESSAGES:
                await socket.send(message)
                assert await socket.recv() == message
            await socket.send(["frag", "", "mented " * 100])
            assert await socket.recv() == "frag" + "mented " * 100


async def test_echo_over_tls():
    async with Gateway(**BUILTINS) as gateway, compressing(gateway.wss("/echo"), OFFERS["browser"]) as socket:
        for message in MESSAGES:
            await socket.send(message)
            assert await socket.recv() == message


async def test_aiohttp():
    async with Gateway(**BUILTINS) as gateway, aiohttp.ClientSession() as session:
        async with session.ws_connect(gateway.ws("/echo"), compress=15) as socket:
            assert socket.compress
            for text in ["hello", "grüße " * 1000, "x" * 100]:
                await socket.send_str(text)
                assert (await socket.receive()).data == text


async def test_off_declines():
    async with Gateway(**BUILTINS) as gateway, compressing(gateway.ws("/plain"), OFFERS["browser"]) as socket:
        assert names(socket) == []
        await socket.send("x" * 1000)
        assert await socket.recv() == "x" * 1000


async def test_off_removes_the_offer_of_a_relay():
    async with WebSocketBackend(compression="deflate") as backend:
        async with peers.relay(backend, {"compression": "off"}) as gateway:
            async with compressing(gateway.ws("/app"), OFFERS["browser"]) as socket:
                assert names(socket) == []
                await socket.send("plain")
                assert await socket.recv() == "plain"


async def test_too_little_memory_declines():
    async with Gateway(**BUILTINS, defaults={"limits": {"compression": "4KiB"}}) as gateway:
        async with compressing(gateway.ws("/echo"), OFFERS["browser"]) as socket:
            assert names(socket) == []


async def test_a_room_mixes_those_who_compress_and_those_who_do_not():
    async with Gateway(**{**BUILTINS, "workers": 2}) as gateway:
        url = gateway.ws("/broadcast/a")
        members = [await compressing(url, offer) for offer in OFFERS.values()] + [await peers.client(url)]
        try:
            for sender in members:
                for message in ["short", "long " * 100, b"\x01" * 100_000]:
                    await sender.send(message)
                    for member in members:
                        assert await within(member.recv()) == message
        finally:
            for member in members:
                await member.close()


@OFFER
async def test_bridge(offer):
    routes = [{"path": "/tcp", "backend": "tcp"}]
    async with TCPBackend() as server, Gateway(routes=routes, backends={"tcp": server.configuration()}) as gateway:
        async with compressing(gateway.ws("/tcp"), offer) as socket:
            assert names(socket) == ["permessage-deflate"]
            for message in [b"hello", b"\x00" * 300_000, raw.pattern(200_000)]:
                await socket.send(message)
                received = b""
                while len(received) < len(message):
                    received += await within(socket.recv())
                assert received == message


async def test_a_bridge_holds_no_more_than_its_queue():
    """64 KiB that inflate to 64 MiB, for a server that does not read."""
    begin = asyncio.Event()
    total = 0

    async def slow(reader, writer):
        nonlocal total
        await begin.wait()
        while data := await reader.read(1 << 20):
            total += len(data)

    routes = [{"path": "/tcp", "backend": "tcp"}]
    async with TCPBackend(slow) as server, Gateway(routes=routes, backends={"tcp": server.configuration()}) as gateway:
        socket = await offering(gateway.plain, "/tcp")
        before = gateway.peak_memory()
        bomb = deflated(bytes(64 * MIB))
        await socket.send(compressed_frame(raw.BINARY, bomb) + raw.frame(raw.PING, b"behind"))
        other = await offering(gateway.plain, "/tcp")
        await other.send(raw.frame(raw.PING, b"alive"))
        assert (await other.frame()).payload == b"alive"
        begin.set()
        assert (await socket.frame()).payload == b"behind"
        await socket.send(raw.close(1000))
        assert (await socket.frame()).opcode == raw.CLOSE
        await server.ended()
        assert total == 64 * MIB
        assert gateway.peak_memory() - before < 8 * MIB


async def test_a_bomb_ends_with_1009_and_bounded_memory():
    async with Gateway(**BUILTINS) as gateway, await offering(gateway.plain) as socket:
        before = gateway.peak_memory()
        # A gigabyte in a megabyte.
        stream = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(stream.compress(bytes(16 * MIB)) for _ in range(64)) + stream.flush(zlib.Z_SYNC_FLUSH)
        assert len(bomb) < 1.1 * MIB
        await socket.send(compressed_frame(raw.BINARY, bomb[:-4]))
        assert (await socket.closing()).code == 1009
        record = await gateway.closed(cause="message-too-big", code=1009)
        assert record["by"] == "client"
        assert gateway.peak_memory() - before < 8 * MIB


async def test_the_limit_is_for_what_a_message_inflates_to():
    async with Gateway(**BUILTINS, defaults={"limits": {"message": "10000"}}) as gateway:
        for message in [bytes(10_000), raw.pattern(10_000)]:
            async with compressing(gateway.ws("/echo"), OFFERS["browser"]) as socket:
                await socket.send(message)
                assert await socket.recv() == message
                await socket.send(message + b"1")
                with pytest.raises(ConnectionClosed) as error:
                    await socket.recv()
                assert error.value.rcvd.code == 1009
        for frames in [[raw.frame(raw.BINARY, bytes(10_001))], [raw.frame(raw.BINARY, bytes(6000), fin=False), raw.frame(raw.CONTINUATION, bytes(4001))]]:
            async with await offering(gateway.plain) as socket:
                await socket.send(b"".join(frames))
                assert (await socket.closing()).code == 1009


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (compressed_frame(raw.BINARY, b"\xff\xff\xff"), 1007),
        (compressed_frame(raw.TEXT, deflated(b"\xff\xfe" * 100)), 1007),
        (compressed_frame(raw.PING, b"x"), 1002),
    ],
    ids=["no-deflate", "no-utf-8", "ping"],
)
async def test_bad_data(frame, code):
    async with Gateway(**BUILTINS) as gateway, await offering(gateway.plain) as socket:
        await socket.send(frame)
        assert (await socket.closing()).code == code


async def test_a_compressed_frame_that_was_not_agreed_on():
    async with Gateway(**BUILTINS) as gateway, await raw.Connection.upgraded(gateway.plain) as socket:
        await socket.send(compressed_frame(raw.TEXT, deflated(b"hello")))
        assert (await socket.closing()).code == 1002


async def test_frames_may_arrive_byte_by_byte():
    async with Gateway(**BUILTINS) as gateway, await offering(gateway.plain) as socket:
        payload = deflated("grüße".encode() * 10)
        for byte in compressed_frame(raw.TEXT, payload[:7], fin=False) + raw.frame(raw.CONTINUATION, payload[7:]):
            await socket.send(bytes([byte]))
        answer = await socket.frame()
        assert (answer.opcode, answer.rsv) == (raw.TEXT, 4)
        assert zlib.decompressobj(-15).decompress(answer.payload + b"\0\0\xff\xff") == "grüße".encode() * 10
