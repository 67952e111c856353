"""What a peer sent before its Close is delivered, however slowly the other side reads; or both sides and the log say that it was not.

The receiving side has a small SO_RCVBUF. It reads nothing for longer than `timeouts.close`, at first and again in the middle.
"""

import asyncio
import contextlib
import dataclasses
import signal
import socket
import ssl
import struct

import pytest

import raw
from admin import admin, read
from gateway_process import Gateway, insecure, until, within

MESSAGE = 64 << 10
MIB = 1 << 20
CLOSE = "300ms"


@dataclasses.dataclass(frozen=True)
class Legs:
    """The kinds of the two legs."""

    kind: str
    client: str
    backend: str | None

    def __str__(self) -> str:
        return "-".join(filter(None, (self.kind, self.client, self.backend)))


ECHOES = [Legs("echo", "ws", None), Legs("echo", "wss", None)]
PAIRS = [
    Legs("relay", "ws", "ws"), Legs("relay", "wss", "wss"), Legs("relay", "unix", "ws"),
    Legs("bridge", "ws", "tcp"), Legs("bridge", "wss", "tls"), Legs("bridge", "unix", "unix"),
]


class Peer:
    """One end of a connection with a small receive buffer, which reads when it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    async def exactly(self, count: int) -> bytes:
        return await within(self.reader.readexactly(count))

    async def head(self) -> list[str]:
        data = await within(self.reader.readuntil(b"\r\n\r\n"))
        return data.decode("latin-1").split("\r\n")

    async def frame(self) -> raw.Frame:
        return await raw.Connection(self.reader, self.writer).frame()

    async def message(self) -> bytes | int | None:
        """The payload of the next data frame, or the code of a Close."""
        while True:
            frame = await self.frame()
            if frame.opcode == raw.CLOSE:
                return frame.code
            if frame.opcode in (raw.TEXT, raw.BINARY):
                return frame.payload

    async def whole(self) -> bytes:
        """The payload of a message, in any number of frames."""
        frames = [await self.frame()]
        while not frames[-1].fin:
            frames.append(await self.frame())
        return b"".join(frame.payload for frame in frames)

    async def end(self) -> bytes:
        """The bytes up to the other side's orderly end."""
        return await within(self.reader.read())

    async def send(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, code: int) -> bool:
        """Answers a Close. False if both sides have ended the connection already, which Python's streams with TLS do by themselves."""
        if self.writer.is_closing():
            return False
        try:
            await self.send(raw.close(code))
        except ConnectionError:
            return False
        return True

    def abort(self):
        if not self.writer.is_closing():
            self.writer.transport.abort()


def small(family: int) -> socket.socket:
    """A socket whose kernel holds little for a peer that does not read."""
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
    sock.setblocking(False)
    return sock


class Scene(contextlib.AsyncExitStack):
    """A session with a peer at each end."""

    def __init__(self, legs: Legs, authority, tmp_path, **keys):
        super().__init__()
        self.legs = legs
        self.authority = authority
        self.folder = tmp_path
        self.keys = keys
        self.waits = 0
        self.accepted: asyncio.Queue = asyncio.Queue()

    async def __aenter__(self) -> "Scene":
        await super().__aenter__()
        backends = {"echo": {"builtin": "echo"}}
        if self.legs.backend:
            backends["app"] = await self._backend()
        listeners = [{"address": "127.0.0.1:0"}]
        if self.legs.client == "wss":
            listeners.append({"address": "127.0.0.1:0", "tls": {"self-signed": ["127.0.0.1"]}})
        routes = [{"path": "/app", "backend": "app" if self.legs.backend else "echo"}, {"path": "/silent", "backend": "echo"}]
        defaults = {"timeouts": {"close": CLOSE}, "limits": {"message": "16MiB"}, **self.keys.pop("defaults", {})}
        if self.legs.client == "unix":
            self.socket_path = str(self.folder / "front.sock")
            listeners.append({"address": f"unix:{self.socket_path}"})
        self.gateway = await self.enter_async_context(
            Gateway(routes=routes, backends=backends, listeners=listeners, defaults=defaults, **self.keys))
        self.client = await self._connect()
        self.callback(self.client.abort)
        if self.legs.backend:
            self.backend = await within(self._accept())
            self.callback(self.backend.abort)
        line, *_ = await self.client.head()
        assert line.startswith("HTTP/1.1 101 "), line
        return self

    async def _backend(self) -> dict:
        context = None
        tls = {}
        if self.legs.backend in ("wss", "tls"):
            context = self.authority.issue("127.0.0.1").server_context()
            tls = {"tls": {"ca": str(self.authority.file)}}
        if self.legs.backend == "unix":
            path = str(self.folder / "back.sock")
            sock = small(socket.AF_UNIX)
            sock.bind(path)
            server = await asyncio.start_unix_server(self._arrived, sock=sock)
            address = f"unix:{path}"
        else:
            sock = small(socket.AF_INET)
            sock.bind(("127.0.0.1", 0))
            server = await asyncio.start_server(self._arrived, sock=sock, ssl=context)
            scheme = {"ws": "ws://", "wss": "wss://", "tcp": "", "tls": "tls://"}[self.legs.backend]
            address = f"{scheme}127.0.0.1:{sock.getsockname()[1]}"
        self.callback(server.close)
        return {"websocket" if self.legs.kind == "relay" else "tcp": [address], **tls}

    async def _arrived(self, reader, writer):
        self.accepted.put_nowait(Peer(reader, writer))

    async def _connect(self) -> Peer:
        context = None
        if self.legs.client == "unix":
            sock = small(socket.AF_UNIX)
            address = self.socket_path
        else:
            sock = small(socket.AF_INET)
            address = self.gateway.secure if self.legs.client == "wss" else self.gateway.plain
            context = insecure() if self.legs.client == "wss" else None
        await asyncio.get_running_loop().sock_connect(sock, address)
        name = {"server_hostname": "127.0.0.1"} if context else {}
        peer = Peer(*await asyncio.open_connection(sock=sock, ssl=context, **name))
        await peer.send(raw.upgrade("/app"))
        return peer

    async def _accept(self) -> Peer:
        peer = await self.accepted.get()
        if self.legs.kind == "relay":
            fields = dict(line.split(": ", 1) for line in (await peer.head())[1:] if line)
            await peer.send((
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {raw.accept_key(fields['Sec-WebSocket-Key'])}\r\n\r\n").encode())
        return peer

    async def wait(self, times: int = 1):
        """Waits for `timeouts.close` this many times, each by a session with a client that does not answer a Close."""
        for _ in range(times):
            self.waits += 1
            async with await raw.Connection.upgraded(self.gateway.plain, "/silent") as silent:
                await silent.send(raw.frame(0x3))
                await self.gateway.events(self.waits, "close", route="/silent")

    async def closed(self) -> dict:
        return await self.gateway.closed(route="/app")


def messages(size: int) -> list[bytes]:
    return [bytes([number % 251]) * MESSAGE for number in range(size // MESSAGE)]


SIZES = pytest.mark.parametrize("size", [4 * MIB, 9 * MIB], ids=["4MiB", "9MiB"])


def expect_all(record: dict, direction: str, sent: list[bytes]):
    assert record[f"bytes_{direction}"] == MESSAGE * len(sent)
    assert not [key for key in record if key.startswith("undelivered")], record


# To the backend


@SIZES
@pytest.mark.parametrize("legs", PAIRS, ids=str)
async def test_a_backend_that_reads_slowly_gets_everything(legs, size, authority, tmp_path):
    sent = messages(size)
    async with Scene(legs, authority, tmp_path) as scene:
        frames = b"".join(raw.frame(raw.BINARY, message) for message in sent) + raw.close(4001, "bye")
        sending = asyncio.create_task(scene.client.send(frames))
        await scene.wait(2)
        for number, message in enumerate(sent):
            if number == len(sent) // 2:
                await scene.wait(2)
            got = await (scene.backend.message() if legs.kind == "relay" else scene.backend.exactly(MESSAGE))
            assert got == message, f"message {number}"
        await sending
        if legs.kind == "relay":
            assert await scene.backend.message() == 4001
            await scene.backend.send(raw.close(4002, mask=None))
            assert await scene.client.message() == 4002
        else:
            assert await scene.backend.end() == b""
            assert await scene.client.message() == 4001
        assert await scene.client.end() == b""
        scene.backend.writer.close()
        record = await scene.closed()
        assert (record["cause"], record["code"]) == ("client-closed", "4001")
        assert record["messages_to_backend"] == len(sent)
        expect_all(record, "to_backend", sent)


@pytest.mark.parametrize("legs", PAIRS, ids=str)
async def test_a_backend_that_takes_nothing_is_not_passed_off_as_one_that_answered(legs, authority, tmp_path):
    sent = messages(4 * MIB)
    defaults = {"heartbeat": {"interval": "500ms", "timeout": "500ms"}, "timeouts": {"close": CLOSE}}
    async with Scene(legs, authority, tmp_path, defaults=defaults) as scene:
        frames = b"".join(raw.frame(raw.BINARY, message) for message in sent) + raw.close(1000)
        sending = asyncio.create_task(scene.client.send(frames))
        assert await scene.client.message() == 1011
        # What it goes on sending is read as long as it comes without a long pause.
        await asyncio.gather(sending, return_exceptions=True)
        record = await scene.closed()
        assert (record["cause"], record["by"], record["code"]) == ("backend-stalled", "backend", "1011")
        assert record["undelivered_to_backend"] > 0
        assert record["messages_to_backend"] <= len(sent)
        # What it gets in the end is cut off where everyone can see it.
        with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
            await scene.backend.exactly(5 * MIB)


# To the client


@SIZES
@pytest.mark.parametrize("legs", PAIRS, ids=str)
async def test_a_client_that_reads_slowly_gets_everything(legs, size, authority, tmp_path):
    sent = messages(size)
    async with Scene(legs, authority, tmp_path) as scene:
        if legs.kind == "relay":
            frames = [raw.frame(raw.BINARY, message, mask=None) for message in sent]
            sending = asyncio.create_task(scene.backend.send(b"".join(frames) + raw.close(4002, "done", mask=None)))
        else:
            sending = asyncio.create_task(send_and_end(scene.backend, b"".join(sent)))
        await scene.wait(2)
        expected = b"".join(sent)
        got = bytearray()
        has_paused = False
        while len(got) < len(expected):
            if not has_paused and len(got) >= len(expected) // 2:
                has_paused = True
                await scene.wait(2)
            payload = await scene.client.message()
            assert isinstance(payload, bytes), f"Close {payload} after {len(got)} bytes"
            got += payload
        assert got == expected
        await sending
        code = 4002 if legs.kind == "relay" else 1000
        assert await scene.client.message() == code
        has_answered = await scene.client.answer(code)
        if legs.kind == "relay":
            assert await scene.backend.message() == code
            scene.backend.writer.close()
        assert await scene.client.end() == b""
        record = await scene.closed()
        assert (record["cause"], record["code"]) == ("backend-closed" if has_answered else "client-gone", str(code))
        expect_all(record, "to_client", sent)


async def send_and_end(peer: Peer, data: bytes):
    await peer.send(data)
    peer.writer.close()


@pytest.mark.parametrize("legs", PAIRS, ids=str)
async def test_a_backend_hears_that_its_client_took_nothing(legs, authority, tmp_path):
    sent = messages(4 * MIB)
    defaults = {"heartbeat": {"interval": "500ms", "timeout": "500ms"}, "timeouts": {"close": CLOSE}}
    async with Scene(legs, authority, tmp_path, defaults=defaults) as scene:
        if legs.kind == "relay":
            frames = [raw.frame(raw.BINARY, message, mask=None) for message in sent]
            sending = asyncio.create_task(scene.backend.send(b"".join(frames) + raw.close(1000, mask=None)))
            assert await scene.backend.message() == 1001
            scene.backend.writer.close()
        else:
            sending = asyncio.create_task(send_and_end(scene.backend, b"".join(sent)))
        # Bytes that no peer is left to accept are not read to their end.
        await asyncio.gather(sending, return_exceptions=True)
        record = await scene.closed()
        assert (record["cause"], record["by"]) == ("client-stalled", "client")
        assert record["undelivered_to_client"] > 0
        assert record["bytes_to_client"] <= MESSAGE * len(sent)
        with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
            await scene.client.exactly(5 * MIB)


# Built-in


@SIZES
@pytest.mark.parametrize("legs", ECHOES, ids=str)
async def test_a_client_that_reads_its_echo_slowly_gets_all_of_it(legs, size, authority, tmp_path):
    sent = messages(size)
    async with Scene(legs, authority, tmp_path) as scene:
        frames = b"".join(raw.frame(raw.BINARY, message) for message in sent) + raw.close(4001)
        sending = asyncio.create_task(scene.client.send(frames))
        await scene.wait(2)
        for number, message in enumerate(sent):
            if number == len(sent) // 2:
                await scene.wait(2)
            assert await scene.client.message() == message, f"message {number}"
        await sending
        assert await scene.client.message() == 4001
        assert await scene.client.end() == b""
        record = await scene.closed()
        assert (record["cause"], record["code"]) == ("client-closed", "4001")
        expect_all(record, "to_client", sent)


@pytest.mark.parametrize("legs", ECHOES, ids=str)
async def test_a_reset_right_behind_a_clients_end_is_noticed(legs, authority, tmp_path):
    """Both have come when the gateway looks. The kernel reports the end only, and part of the echo is never acknowledged."""
    async with Scene(legs, authority, tmp_path) as scene:
        await scene.client.send(raw.frame(raw.BINARY, bytes(80 << 10)) + raw.close(4001))
        await scene.client.exactly(10)
        scene.gateway.signal(signal.SIGSTOP)
        try:
            sock = scene.client.writer.get_extra_info("socket")
            sock.shutdown(socket.SHUT_WR)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            scene.client.abort()
            # The connection is closed in the next turn of the loop.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        finally:
            scene.gateway.signal(signal.SIGCONT)
        record = await scene.closed()
        assert record["by"] == "client"


# A message that is too big


@pytest.mark.parametrize("legs", ECHOES + PAIRS[:2], ids=str)
async def test_a_client_that_reads_after_it_has_sent_all_of_a_message_finds_the_1009(legs, authority, tmp_path):
    defaults = {"limits": {"message": "1MiB"}, "timeouts": {"close": "5s"}}
    async with Scene(legs, authority, tmp_path, defaults=defaults) as scene:
        await within(scene.client.send(raw.frame(raw.BINARY, bytes(30 * MIB))))
        assert await scene.client.message() == 1009
        assert await scene.client.end() == b""
        if legs.kind == "relay":
            assert await scene.backend.message() == 1001
            scene.backend.abort()
        scene.client.writer.close()
        record = await scene.closed()
        assert (record["cause"], record["by"], record["code"]) == ("message-too-big", "client", "1009")


# A drain


LEFT = bytes(range(256)) * (14 * MIB // 16 // 256)


async def draining(scene: Scene) -> None:
    """A session with an echo that the client has not read, while the gateway drains."""
    await scene.client.send(raw.frame(raw.BINARY, LEFT))
    async with admin(scene.gateway) as session:
        async def queued() -> bool:
            return any(row["messages_to_backend"] for row in (await read(session, "/api/sessions"))["sessions"])

        # What came whole was queued.
        await until(queued)
    scene.gateway.signal(signal.SIGTERM)
    await scene.gateway.events(1, "draining")


@pytest.mark.parametrize("legs", ECHOES, ids=str)
async def test_a_drain_leaves_a_client_that_reads_slowly_its_time(legs, authority, tmp_path):
    async with Scene(legs, authority, tmp_path, admin="127.0.0.1:0") as scene:
        await draining(scene)
        # A line a second: far longer than `drain.over` and `timeouts.close`.
        await scene.gateway.events(4, "draining")
        assert await scene.client.whole() == LEFT
        assert await scene.client.message() == 1012
        assert await scene.client.end() == b""
        scene.client.writer.close()
        assert await scene.gateway.exited() == 0
        record = await scene.closed()
        assert (record["cause"], record["code"]) == ("drain", "1012")
        assert record["bytes_to_client"] == len(LEFT) and "undelivered_to_client" not in record


@pytest.mark.parametrize("legs", ECHOES, ids=str)
async def test_a_second_signal_ends_what_is_left_and_says_so(legs, authority, tmp_path):
    async with Scene(legs, authority, tmp_path, admin="127.0.0.1:0") as scene:
        await draining(scene)
        scene.gateway.signal(signal.SIGTERM)
        assert await scene.gateway.exited() == 0
        record = await scene.closed()
        assert (record["cause"], record["by"]) == ("drain", "gateway")
        assert record["undelivered_to_client"] > 0
        with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
            await scene.client.exactly(len(LEFT))


@pytest.mark.parametrize("legs", [PAIRS[3], PAIRS[5]], ids=str)
async def test_an_upload_that_a_drain_cuts_does_not_look_complete(legs, authority, tmp_path):
    """The bridge's server has not accepted all. It gets what was read, and a reset instead of an end."""
    async with Scene(legs, authority, tmp_path) as scene:
        sending = asyncio.create_task(scene.client.send(b"".join(raw.frame(raw.BINARY, one) for one in messages(12 * MIB))))
        await scene.wait(1)
        scene.gateway.signal(signal.SIGTERM)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)) as ended:
            await scene.backend.exactly(12 * MIB)
        # An end in order is an IncompleteReadError, too, on TCP.
        assert legs.backend == "unix" or isinstance(ended.value, ConnectionError)
        await asyncio.gather(sending, return_exceptions=True)
        scene.client.abort()
        assert (await scene.closed())["cause"] == "drain"


# What does not go on


async def test_what_a_client_sends_after_the_end_of_its_session_does_not_count(authority, tmp_path):
    async with Scene(PAIRS[0], authority, tmp_path) as scene:
        for _ in range(3):
            await scene.client.send(raw.frame(raw.TEXT, b"one"))
            assert await scene.backend.message() == b"one"
        await scene.backend.send(raw.frame(0x3, mask=None))
        assert await scene.client.message() == 1011
        await scene.client.send(raw.frame(raw.TEXT, b"late") * 50 + raw.close(1011))
        scene.client.writer.close()
        assert await scene.backend.message() == 1002
        scene.backend.writer.close()
        record = await scene.closed()
        assert (record["messages_to_backend"], record["bytes_to_backend"]) == (3, 9)


@pytest.mark.parametrize("legs", [PAIRS[0], PAIRS[2]], ids=str)
async def test_a_backend_that_streams_is_let_go_when_its_client_has_closed_and_takes_nothing(legs, authority, tmp_path):
    """The backend was not read because the client accepted nothing. Once the client's connection is closed, the backend can end."""
    defaults = {"heartbeat": {"interval": "500ms", "timeout": "500ms"}, "timeouts": {"close": CLOSE}}
    async with Scene(legs, authority, tmp_path, defaults=defaults) as scene:
        stream = raw.frame(raw.BINARY, bytes(MESSAGE), mask=None) * (16 * MIB // MESSAGE)
        sending = asyncio.create_task(scene.backend.send(stream))
        assert await scene.client.message() == bytes(MESSAGE)
        await scene.client.send(raw.close(4001))
        record = await scene.closed()
        assert record["cause"] in ("client-closed", "client-stalled", "client-gone", "client-ping-timeout")
        assert record["undelivered_to_client"] > 0
        await asyncio.gather(sending, return_exceptions=True)


# A client that has gone


@pytest.mark.parametrize("legs", [PAIRS[0], PAIRS[1], PAIRS[3], PAIRS[4]], ids=str)
async def test_a_backend_that_streams_to_a_client_that_has_gone_is_not_read_for_long(legs, authority, tmp_path):
    async with Scene(legs, authority, tmp_path, defaults={"timeouts": {"close": "1s"}}) as scene:
        scene.client.abort()
        piece = raw.frame(raw.BINARY, bytes(MESSAGE), mask=None) if legs.kind == "relay" else bytes(MESSAGE)
        total = 0
        with pytest.raises(OSError):
            while True:
                scene.backend.writer.write(piece)
                await within(scene.backend.writer.drain())
                total += len(piece)
                assert total < 32 * MIB, "it is read on and on"
        record = await scene.closed()
        assert (record["cause"], record["by"]) == ("client-gone", "client")


async def test_a_quiet_backend_whose_client_has_gone_hears_it_and_ends_in_order(authority, tmp_path):
    async with Scene(PAIRS[0], authority, tmp_path, defaults={"timeouts": {"close": "15s"}}) as scene:
        scene.client.abort()
        assert await scene.backend.message() == 1001
        await scene.backend.send(raw.frame(raw.TEXT, b"last", mask=None) + raw.close(1001, mask=None))
        scene.backend.writer.write_eof()
        assert await scene.backend.end() == b""
        assert (await scene.closed())["cause"] == "client-gone"
