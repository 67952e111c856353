"""Bridge: WebSocket clients to TCP servers."""

import asyncio
import contextlib
import threading

import paho.mqtt.client as mqtt
import pytest
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import Gateway, until, within
from peers import MIB, TCPBackend, client, program, refusing_port, reset


def bridge(backend: TCPBackend | dict, **keys) -> Gateway:
    settings = backend if isinstance(backend, dict) else backend.configuration()
    return Gateway(routes=[{"path": "/tcp", "backend": "tcp"}], backends={"tcp": settings}, **keys)


async def gather(socket, count: int) -> bytes:
    """The next bytes, in any number of messages."""
    data = bytearray()
    while len(data) < count:
        message = await within(socket.recv())
        assert isinstance(message, bytes) and message
        data += message
    assert len(data) == count
    return bytes(data)


@pytest.mark.parametrize("kind", ["tcp", "unix", "tls"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_every_byte_there_and_back(kind, scheme, authority, tmp_path):
    options = {
        "tcp": {}, "unix": {"path": str(tmp_path / "echo.sock")},
        "tls": {"ssl": authority.issue("127.0.0.1").server_context() if kind == "tls" else None},
    }[kind]
    async with TCPBackend(**options) as backend:
        settings = backend.configuration(**({"tls": {"ca": str(authority.file)}} if kind == "tls" else {}))
        async with bridge(settings) as gateway, client(getattr(gateway, scheme)("/tcp")) as socket:
            for size in (1, 125, 126, 65535, 65536, 5 * MIB):
                message = raw.pattern(size)
                _, received = await asyncio.gather(socket.send(message), gather(socket, size))
                assert received == message
            await socket.send("text is bytes, too")
            assert await gather(socket, 18) == b"text is bytes, too"
            await socket.send([b"frag", b"", b"mented"])
            assert await gather(socket, 10) == b"fragmented"
        await gateway.closed(cause="client-closed", code=1000, by="client", backend="tcp")
        assert await backend.ended() == "end"


async def test_the_servers_end_is_a_normal_close_after_all_its_bytes():
    data = raw.pattern(3 * MIB)

    async def send(reader, writer):
        writer.write(data)
        await writer.drain()

    async with TCPBackend(send) as backend, bridge(backend) as gateway, client(gateway.ws("/tcp")) as socket:
        assert await gather(socket, len(data)) == data
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1000
        await gateway.closed(cause="backend-closed", by="backend", code=1000)


async def test_the_servers_reset_is_1011():
    async def fall(reader, writer):
        await reader.read(1)
        reset(writer)

    async with TCPBackend(fall) as backend, bridge(backend) as gateway, client(gateway.ws("/tcp")) as socket:
        await socket.send(b"a")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1011
        await gateway.closed(cause="backend-gone", by="backend", code=1011)


@pytest.mark.parametrize("ends_well", [True, False])
async def test_over_tls_an_end_without_close_notify_is_no_end(ends_well, authority):
    async def end(reader, writer):
        writer.write(b"last words")
        await writer.drain()
        if not ends_well:
            writer.transport.abort()

    backend = TCPBackend(end, ssl=authority.issue("127.0.0.1").server_context())
    async with backend, bridge(backend.configuration(tls={"ca": str(authority.file)})) as gateway:
        async with client(gateway.ws("/tcp")) as socket:
            assert await gather(socket, 10) == b"last words"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == (1000 if ends_well else 1011)


async def test_a_clients_close_is_a_half_close_after_all_its_bytes():
    received = asyncio.Future()

    async def read_all(reader, writer):
        received.set_result(await reader.read())
        writer.write(b"dropped")

    data = raw.pattern(2 * MIB)
    async with TCPBackend(read_all) as backend, bridge(backend, defaults={"limits": {"message": "4MiB"}}) as gateway:
        async with client(gateway.ws("/tcp")) as socket:
            await socket.send(data)
            await socket.close(4000, "that is all")
            assert socket.close_code == 4000
        assert await within(received) == data
        assert await backend.ended() == "end"
        await gateway.closed(cause="client-closed", by="client", code=4000)


async def test_a_client_that_vanishes_with_everything_delivered_is_an_end():
    async with TCPBackend() as backend, bridge(backend) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/tcp") as socket:
            await socket.send(raw.frame(raw.BINARY, b"hello"))
            assert await socket.frame() == raw.Frame(raw.BINARY, b"hello")
            socket.reset()
        assert await backend.ended() == "end"
        await gateway.closed(cause="client-gone", by="client")


async def test_a_client_that_vanishes_with_bytes_undelivered_is_a_reset():
    async def never_read(reader, writer):
        writer.transport.pause_reading()
        await go.wait()
        writer.transport.resume_reading()
        while await reader.read(65536):
            pass

    go = asyncio.Event()
    impatient = {"heartbeat": {"interval": "1s", "timeout": "1s"}, "timeouts": {"close": "2s"}}
    defaults = {"limits": {"message": "64MiB"}, **impatient}
    async with TCPBackend(never_read) as backend, bridge(backend, defaults=defaults) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/tcp") as socket:
            flood = asyncio.create_task(socket.send(raw.frame(raw.BINARY, bytes(48 * MIB))))
            # Blocked: what the kernel and the queue take is far less.
            _, pending = await asyncio.wait([flood], timeout=1)
            assert pending
            socket.reset()
            await asyncio.gather(flood, return_exceptions=True)
        record = await gateway.closed(cause="client-gone", by="client")
        assert record["undelivered_to_backend"] > 0
        go.set()
        assert await backend.ended() == "ConnectionResetError"


async def test_text_is_whole_characters_wherever_tcp_cuts():
    text = "aé世🌍" * 50
    encoded = text.encode()

    async def send(reader, writer):
        for byte in encoded:
            writer.write(bytes([byte]))
            await writer.drain()
            # Lets the gateway have it before the next.
            await asyncio.sleep(0)
        await reader.read(1)

    async with TCPBackend(send) as backend, bridge(backend.configuration(message="text")) as gateway:
        async with client(gateway.ws("/tcp")) as socket:
            got = ""
            while len(got) < len(text):
                message = await within(socket.recv())
                assert isinstance(message, str) and message
                got += message
            assert got == text
            await socket.send(b"x")


async def test_what_is_not_utf_8_is_replaced():
    async def send(reader, writer):
        # Two parts that are no text, and a character that the end cuts (Unicode 3.9).
        writer.write(b"good \xff \xe0\x80 \xe2\x82")
        writer.close()

    async with TCPBackend(send) as backend, bridge(backend.configuration(message="text")) as gateway:
        async with client(gateway.ws("/tcp")) as socket:
            assert "".join([text async for text in socket]) == "good \ufffd \ufffd\ufffd \ufffd"
        await gateway.closed(cause="backend-closed", by="backend", code=1000)


async def test_a_server_that_is_down_is_502():
    sock, port = refusing_port()
    with sock:
        async with bridge({"tcp": [f"127.0.0.1:{port}"]}) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/tcp"))).status == 502
    async with bridge({"tcp": ["unix:/nonexistent/server.sock"]}) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/tcp"))).status == 502


async def test_a_tls_server_that_is_not_trusted_is_502(authority):
    async with TCPBackend(ssl=authority.issue("127.0.0.1").server_context()) as backend, bridge(backend) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/tcp"))).status == 502


# Servers of others


def resp(*words: bytes) -> bytes:
    """A Redis command."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


async def answers(path) -> bool:
    """Whether a Redis server answers. What it prints at start differs between versions."""
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_unix_connection(path)
        with contextlib.closing(writer):
            writer.write(resp(b"PING"))
            return await reader.read(7) == b"+PONG\r\n"
    return False


async def test_redis(tmp_path):
    path = tmp_path / "redis.sock"
    arguments = ["--port", 0, "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", tmp_path]
    async with program("redis-server", *arguments, answers=lambda: until(lambda: answers(path))):
        defaults = {"limits": {"message": "16MiB"}}
        async with bridge({"tcp": [f"unix:{path}"]}, defaults=defaults) as gateway:
            async with client(gateway.wss("/tcp")) as socket:

                async def ask(command: bytes, answer: bytes):
                    _, received = await asyncio.gather(socket.send(command), gather(socket, len(answer)))
                    assert received == answer

                await ask(resp(b"PING"), b"+PONG\r\n")
                await ask(resp(b"SET", b"key", b"value"), b"+OK\r\n")
                await ask(resp(b"GET", b"key"), b"$5\r\nvalue\r\n")
                value = raw.pattern(5_000_000)
                await ask(resp(b"SET", b"large", value), b"+OK\r\n")
                await ask(resp(b"GET", b"large"), b"$5000000\r\n" + value + b"\r\n")
                await ask(resp(b"PING") * 1000, b"+PONG\r\n" * 1000)
                await socket.send(resp(b"QUIT"))
                assert await gather(socket, 5) == b"+OK\r\n"
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd.code == 1000
            await gateway.closed(cause="backend-closed", by="backend", code=1000)


class MQTTClient:
    """paho-mqtt over WebSocket, with what happens on its thread as events to wait for."""

    def __init__(self, port: int, name: str):
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, transport="websockets")
        self.client.ws_set_options(path="/mqtt")
        self.subscribed = threading.Event()
        self.received = threading.Event()
        self.messages: list[tuple[str, bytes]] = []
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._receive
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _receive(self, client, data, message):
        self.messages.append((message.topic, message.payload))
        self.received.set()

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


async def test_mqtt(tmp_path):
    path = tmp_path / "mosquitto.sock"
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener 0 {path}\nallow_anonymous true\nuser root\npersistence false\nlog_dest stderr\n")
    payload = raw.pattern(200_000)

    def talk(port: int) -> list:
        listener, speaker = MQTTClient(port, "listener"), MQTTClient(port, "speaker")
        try:
            listener.client.subscribe("gateway/#", qos=1)
            assert listener.subscribed.wait(20)
            speaker.client.publish("gateway/test", payload, qos=1).wait_for_publish(20)
            assert listener.received.wait(20)
            return listener.messages
        finally:
            speaker.stop()
            listener.stop()

    routes = [{"path": "/mqtt", "backend": "broker", "subprotocols": ["mqtt"], "require-subprotocol": True}]
    async with program("mosquitto", "-c", configuration, ready="running"):
        async with Gateway(routes=routes, backends={"broker": {"tcp": [f"unix:{path}"]}}) as gateway:
            assert await asyncio.to_thread(talk, gateway.plain[1]) == [("gateway/test", payload)]
            opened = await gateway.events(2, "open", route="/mqtt", backend="broker")
            assert all(record["subprotocol"] == "mqtt" for record in opened)
