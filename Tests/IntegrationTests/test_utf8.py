"""`utf8: check`: a relay checks text in both directions."""

import pytest
from websockets.frames import Frame, Opcode

import raw
from gateway_process import insecure
from peers import WebSocketBackend, client, relay

CHECK = {"utf8": "check"}

BROKEN = {
    "whole": [raw.frame(raw.TEXT, b"abc\xff")],
    "cut off": [raw.frame(raw.TEXT, "né".encode()[:-1])],
    "surrogate": [raw.frame(raw.TEXT, b"\xed\xa0\x80")],
    "behind a good message": [raw.frame(raw.TEXT, b"good") + raw.frame(raw.TEXT, b"\xc0\xaf")],
    "second fragment": [raw.frame(raw.TEXT, "é".encode()[:1], fin=False), raw.frame(raw.CONTINUATION, b"x")],
}


@pytest.mark.parametrize("frames", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("scheme", ["plain", "secure"])
async def test_a_clients_broken_text(scheme, frames):
    async with WebSocketBackend() as backend, relay(backend, CHECK) as gateway:
        context = insecure() if scheme == "secure" else None
        async with await raw.Connection.upgraded(getattr(gateway, scheme), "/app", ssl=context) as socket:
            for frame in frames:
                await socket.send(frame)
            assert (await socket.closing()).code == 1007
        assert (await backend.closed())[0] == 1001
        await gateway.closed(cause="invalid-data", by="client", code=1007)


async def test_a_frame_that_has_begun_to_go_on_is_cut():
    async with WebSocketBackend() as backend, relay(backend, CHECK) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            frame = raw.frame(raw.TEXT, b"a" * 100_000 + b"\xff" + b"a" * 1000)
            await socket.send(frame[:50_000])
            await socket.send(frame[50_000:])
            assert (await socket.closing()).code == 1007
        # A Close inside of that frame would be taken for text.
        assert (await backend.closed())[0] in (1001, 1006)
        await gateway.closed(cause="invalid-data", by="client")


async def test_a_backends_broken_text():
    async def speak(connection):
        connection.protocol.send_frame(Frame(Opcode.TEXT, b"caf\xe9"))
        connection.send_data()
        await connection.wait_closed()

    async with WebSocketBackend(speak) as backend, relay(backend, CHECK) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            assert (await socket.closing()).code == 1011
        assert (await backend.closed())[0] == 1007
        await gateway.closed(cause="invalid-data", by="backend", code=1011)


async def test_good_text_passes_however_it_is_cut():
    text = "aé世🌍" * 20_000
    async with WebSocketBackend() as backend, relay(backend, CHECK) as gateway, client(gateway.ws("/app")) as socket:
        await socket.send(text)
        assert await socket.recv() == text
        # Fragments that end between any two bytes of a character.
        data = "aé世🌍".encode() * 4
        for size in range(1, 5):
            await socket.send([data[start : start + size] for start in range(0, len(data), size)], text=True)
            assert await socket.recv() == data.decode()
        await socket.send(b"\xff\xfe")
        assert await socket.recv() == b"\xff\xfe"


async def test_without_the_check_text_is_the_backends_to_judge():
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            await socket.send(raw.frame(raw.TEXT, b"\xff"))
            assert (await socket.closing()).code == 1007
            await socket.send(raw.close(1007))
        await gateway.closed(cause="backend-closed", by="backend", code=1007)
