"""Relay: other people's clients through the gateway to other people's servers, byte for byte."""

import asyncio
import contextlib

import aiohttp
import pytest

import raw
from gateway_process import within
from peers import MIB, WebSocketBackend, client, node, relay

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, MIB - 1, MIB + 1, 16 * MIB]
# Limits count bytes on the wire, and what cannot be compressed grows a little when it is.
LARGE = {"limits": {"message": "17MiB", "backend-message": "17MiB"}}


async def exchange_sizes(send, receive):
    for size in SIZES:
        message = raw.pattern(size)
        await send(message)
        assert await receive() == message
    text = "aé世🌍" * 100_000
    await send(text)
    assert await receive() == text


# Messages


@pytest.mark.parametrize("compression", [None, "deflate"], ids=["plain", "deflate"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_websockets_to_websockets(scheme, compression):
    async with WebSocketBackend(compression=compression) as backend, relay(backend, defaults=LARGE) as gateway:
        async with client(getattr(gateway, scheme)("/app"), compression=compression) as socket:
            extensions = [extension.name for extension in socket.protocol.extensions]
            assert extensions == (["permessage-deflate"] if compression else [])
            await exchange_sizes(socket.send, socket.recv)
            await socket.send(["frag", "", "mented"])
            assert await socket.recv() == "fragmented"
            assert await (await socket.ping()) >= 0
    record = await gateway.closed(cause="client-closed", code=1000, by="client")
    assert record["endpoint"].endswith(f"127.0.0.1:{backend.port}")


@pytest.mark.parametrize("compress", [0, 15], ids=["plain", "deflate"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_aiohttp_to_websockets(scheme, compress):
    async with WebSocketBackend(compression="deflate") as backend, relay(backend, defaults=LARGE) as gateway:
        async with aiohttp.ClientSession() as session:
            url = getattr(gateway, scheme)("/app")
            async with session.ws_connect(url, compress=compress, ssl=False, max_msg_size=0) as socket:
                assert bool(socket.compress) == bool(compress)

                async def send(message):
                    await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)

                async def receive():
                    return (await socket.receive(timeout=20)).data

                await exchange_sizes(send, receive)
                await socket.close(code=4000, message=b"enough")
        assert await backend.closed() == (4000, "enough")


async def test_websockets_to_node():
    async with node("echo") as port, relay({"websocket": [f"ws://127.0.0.1:{port}"]}, defaults=LARGE) as gateway:
        async with client(gateway.wss("/app"), compression="deflate") as socket:
            await exchange_sizes(socket.send, socket.recv)
        record = await gateway.closed(cause="client-closed")
        assert record["messages_to_backend"] == record["messages_to_client"] == len(SIZES) + 1


async def test_fragments_are_relayed_as_they_are():
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            await socket.send(raw.frame(raw.TEXT, b"one ", fin=False))
            await socket.send(raw.frame(raw.PING, b"between"))
            assert await socket.frame() == raw.Frame(raw.PONG, b"between")
            await socket.send(raw.frame(raw.CONTINUATION, b"", fin=False) + raw.frame(raw.CONTINUATION, b"two"))
            assert await socket.frame() == raw.Frame(raw.TEXT, b"one two")


async def test_an_echo_keeps_up_with_a_flood_in_both_directions():
    async with WebSocketBackend() as backend, relay(backend, workers=2) as gateway, client(gateway.ws("/app")) as socket:
        messages = [raw.pattern(size % 5000) for size in range(0, 60_000, 7)]

        async def send():
            for message in messages:
                await socket.send(message)

        sender = asyncio.create_task(send())
        for message in messages:
            assert await within(socket.recv()) == message
        await sender


async def test_a_thousand_sessions_at_once():
    count = 1000
    # Nothing here is about time: both ends of all sessions are this one process, which others may keep from its work.
    times = {"timeouts": {"handshake": "10m", "close": "10m"}, "heartbeat": "off"}
    patient = {"open_timeout": None, "close_timeout": None}
    async with WebSocketBackend(open_timeout=None) as backend, relay(backend, defaults=times, workers=2) as gateway:
        async with contextlib.AsyncExitStack() as stack:
            sockets = []
            for start in range(0, count, 100):
                urls = [gateway.wss("/app") if start % 200 else gateway.ws("/app")] * 100
                sockets += await asyncio.gather(*(stack.enter_async_context(client(url, **patient)) for url in urls))
            await gateway.events(count, "open")

            async def talk(number, socket):
                for size in (1, 1000 + number):
                    message = raw.pattern(size)
                    await socket.send(message)
                    assert await socket.recv() == message
                await socket.send(f"I am {number}")
                assert await socket.recv() == f"I am {number}"

            await asyncio.gather(*(talk(number, socket) for number, socket in enumerate(sockets)))
            await asyncio.gather(*(socket.close(4000 + number % 900) for number, socket in enumerate(sockets)))
        records = await gateway.events(count, "close", cause="client-closed", by="client")
        assert len({record["session"] for record in records}) == count


# Subprotocols and Origin


@pytest.mark.parametrize(
    "allowed, offered, spoken, chosen",
    [
        (None, ["b", "a"], ["a", "b"], "b"),
        (None, ["a"], None, None),
        (["a", "b"], ["x", "b", "a"], ["b", "a", "x"], "a"),
        (["a", "b"], ["x"], ["x"], None),
        (["a", "b"], None, ["a"], None),
    ],
)
async def test_subprotocols(allowed, offered, spoken, chosen):
    """The backend picks one of those that the route permits, which are in the route's order."""

    def pick(connection, offers):
        return next((offer for offer in offers if offer in (spoken or [])), None)

    route = {"subprotocols": allowed} if allowed else {}
    async with WebSocketBackend(subprotocols=spoken, select_subprotocol=pick) as backend:
        async with relay(backend, route) as gateway, client(gateway.ws("/app"), subprotocols=offered) as socket:
            assert socket.subprotocol == chosen
            assert (await gateway.event("open")).get("subprotocol") == chosen


async def test_a_required_subprotocol():
    async with WebSocketBackend() as backend:
        async with relay(backend, {"subprotocols": ["a"], "require-subprotocol": True}) as gateway:
            response = await raw.ask(gateway.plain, raw.upgrade("/app", "Sec-WebSocket-Protocol: b"))
            assert response.status == 400 and not backend.requests
            response = await raw.ask(gateway.plain, raw.upgrade("/app", "Sec-WebSocket-Protocol: a"))
            assert response.status == 502


@pytest.mark.parametrize(
    "policy, origin, status",
    [
        ("same-origin", None, 101),
        ("same-origin", "http://127.0.0.1", 101),
        ("same-origin", "https://127.0.0.1", 403),
        ("same-origin", "http://127.0.0.1:81", 403),
        ("same-origin", "http://evil.example", 403),
        ("same-origin", "null", 403),
        ("any", "null", 101),
        ("any", "http://evil.example", 101),
        (["https://app.example.com"], "https://app.example.com", 101),
        (["https://app.example.com"], "https://app.example.com:443", 101),
        (["https://app.example.com"], "https://app.example.com.evil.example", 403),
        (["https://app.example.com"], "http://app.example.com", 403),
        (["https://*.example.com"], "https://a.b.example.com", 101),
        (["https://*.example.com"], "https://example.com", 403),
        (["https://*.example.com"], "https://evilexample.com", 403),
    ],
)
async def test_origin(policy, origin, status):
    async with WebSocketBackend() as backend, relay(backend, {"origins": policy}) as gateway:
        fields = [f"Origin: {origin}"] if origin else []
        response = await raw.ask(gateway.plain, raw.upgrade("/app", *fields))
        assert response.status == status
        if status == 403:
            assert (await gateway.event("refused", status=403))["origin"] == origin
            assert not backend.requests
        else:
            assert backend.requests[0].headers.get("Origin") == origin


async def test_an_origin_can_be_required():
    async with WebSocketBackend() as backend, relay(backend, {"require-origin": True}) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 403
        assert (await raw.ask(gateway.plain, raw.upgrade("/app", "Origin: http://127.0.0.1"))).status == 101
