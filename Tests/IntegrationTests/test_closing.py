"""How sessions end: closing handshakes through the relay, and ends without one."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import Gateway, insecure, within
from peers import WebSocketBackend, client, relay

@pytest.mark.parametrize("code, reason", [(1000, "done"), (1001, ""), (3001, "grüße"), (4999, "x" * 123), (1005, "")])
async def test_a_clients_close_reaches_the_backend(code, reason):
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            await socket.send(raw.close(None if code == 1005 else code, reason))
            answer = await socket.closing()
            assert (answer.code or 1005) == code
            assert await socket.end() == b""
        assert await backend.closed() == (code, reason)
        await gateway.closed(cause="client-closed", by="client", code="none" if code == 1005 else code)


@pytest.mark.parametrize("code, reason", [(1000, "done"), (1011, "oops"), (1012, ""), (4000, "grüße")])
async def test_a_backends_close_reaches_the_client(code, reason):
    async def leave(connection):
        await connection.recv()
        await connection.close(code, reason)

    async with WebSocketBackend(leave) as backend, relay(backend) as gateway, client(gateway.ws("/app")) as socket:
        await socket.send("go")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)
        await gateway.closed(cause="backend-closed", by="backend", code=code)


@pytest.mark.parametrize("how", ["reset", "finish"])
@pytest.mark.parametrize("scheme", ["plain", "secure"])
async def test_a_client_that_vanishes(how, scheme):
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        context = insecure() if scheme == "secure" else None
        async with await raw.Connection.upgraded(getattr(gateway, scheme), "/app", ssl=context) as socket:
            await socket.send(raw.frame(raw.TEXT, b"hello"))
            await socket.frame()
            if how == "reset":
                socket.reset()
            else:
                socket.writer.close()
            assert (await backend.closed())[0] == 1001
        await gateway.closed(cause="client-gone", by="client")


async def test_a_backend_that_vanishes():
    async def vanish(connection):
        await connection.recv()
        connection.transport.abort()

    async with WebSocketBackend(vanish) as backend, relay(backend) as gateway, client(gateway.ws("/app")) as socket:
        await socket.send("go")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1011
        await gateway.closed(cause="backend-gone", by="backend", code=1011)


async def test_a_protocol_error_of_the_client_is_not_passed_on():
    async with WebSocketBackend() as backend, relay(backend) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            await socket.send(raw.frame(0x3, b"a"))
            assert (await socket.closing()).code == 1002
            await socket.send(raw.close(1002))
            await socket.lost()
        assert (await backend.closed())[0] == 1001
        await gateway.closed(cause="protocol-error", by="client", code=1002)


@pytest.mark.parametrize(
    "bytes_sent, cause, code",
    [
        (raw.frame(raw.TEXT, b"a"), "protocol-error", 1002),
        (raw.frame(0x4, b"a", mask=None), "protocol-error", 1002),
        (raw.frame(raw.TEXT, b"a", rsv=4, mask=None), "protocol-error", 1002),
        (raw.frame(raw.BINARY, b"a" * 2000, mask=None), "message-too-big", 1009),
    ],
    ids=["masked", "reserved opcode", "RSV1", "too big"],
)
async def test_a_rule_broken_by_the_backend_is_no_fault_of_the_client(bytes_sent, cause, code):
    heard = asyncio.Future()

    async def backend(reader, writer):
        connection = raw.Connection(reader, writer)
        fields = dict(line.split(": ", 1) for line in (await connection.head())[1:])
        key = raw.accept_key(fields["Sec-WebSocket-Key"])
        answer = f"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
        await connection.send(answer.encode() + bytes_sent)
        heard.set_result((await connection.closing()).code)
        writer.close()

    server = await asyncio.start_server(backend, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, relay({"websocket": [f"ws://127.0.0.1:{port}"]}, {"limits": {"backend-message": "1KiB"}}) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as socket:
            assert (await socket.closing()).code == 1011
            await socket.send(raw.close(1011))
            await socket.lost()
        assert await within(heard) == code
        await gateway.closed(cause=cause, by="backend", code=1011)


async def test_a_room_hears_nothing_of_what_comes_after_a_close():
    async with Gateway(routes=[{"path": "/room", "backend": "rooms"}], backends={"rooms": {"builtin": "broadcast"}}) as gateway:
        async with client(gateway.ws("/room")) as member:
            async with await raw.Connection.upgraded(gateway.plain, "/room") as socket:
                await socket.send(raw.frame(raw.TEXT, b"last") + raw.close(1000) + raw.frame(raw.TEXT, b"late"))
                assert (await socket.closing()).code == 1000
                assert await socket.end() == b""
            await member.send("own")
            assert [await member.recv(), await member.recv()] == ["last", "own"]
