"""Thousands of WebSocket clients in one process. They hold sessions, answer pings and Closes, and reconnect if they should."""

import asyncio
import os
import time

REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame with at most 125 bytes of payload."""
    key = os.urandom(4)
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


class Member(asyncio.Protocol):
    """One client. In a busy herd it sends `x`, waits for the echo, and sends the next."""

    def __init__(self, herd: "Herd", path: str):
        self.herd = herd
        self.path = path
        self.buffer = bytearray()
        self.status: int | None = None
        self.code: int | None = None
        self.opened: asyncio.Future = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(REQUEST.format(path=self.path).encode())

    def data_received(self, data: bytes):
        self.buffer += data
        if self.status is None:
            if (end := self.buffer.find(b"\r\n\r\n")) < 0:
                return
            self.status = int(self.buffer[9:12])
            del self.buffer[: end + 4]
            if not self.opened.done():
                self.opened.set_result(self.status)
            if self.herd.is_busy:
                self.say()
        while len(self.buffer) >= 2 and len(self.buffer) >= 2 + self.buffer[1]:
            opcode, payload = self.buffer[0] & 0x0F, bytes(self.buffer[2 : 2 + self.buffer[1]])
            del self.buffer[: 2 + len(payload)]
            self.received(opcode, payload)

    def say(self):
        self.transport.write(masked(TEXT, b"x"))

    def received(self, opcode: int, payload: bytes):
        if opcode == PING:
            self.transport.write(masked(PONG, payload))
        elif opcode == CLOSE:
            self.code = int.from_bytes(payload[:2], "big") if payload else 1005
            self.transport.write(masked(CLOSE, payload))
        elif opcode == TEXT:
            self.herd.echoes += 1
            if self.herd.is_busy and self.code is None:
                asyncio.get_running_loop().call_later(self.herd.pause, self.say_if_open)

    def say_if_open(self):
        if self.code is None and not self.transport.is_closing():
            self.say()

    def connection_lost(self, error):
        if not self.opened.done():
            self.opened.set_result(self.status or 0)
        self.herd.lost(self)


class Herd:
    """The clients. `closes` has the time and the code of each session that ended (`None`: without a Close)."""

    def __init__(self, address: tuple[str, int], *, is_busy=False, comes_back=False, pause=0.02):
        self.address = address
        self.is_busy = is_busy
        self.comes_back = comes_back
        self.pause = pause
        self.members: set[Member] = set()
        self.closes: list[tuple[float, int | None]] = []
        # Statuses other than 101 that a client was answered; 0 is a connection that was lost before.
        self.refusals: list[int] = []
        self.echoes = 0
        self.tasks: set[asyncio.Task] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> "Herd":
        return self

    async def __aexit__(self, *error):
        self.comes_back = self.is_busy = False
        for task in self.tasks:
            task.cancel()
        for member in list(self.members):
            member.transport.abort()

    async def open(self, count: int, path: str):
        """Opens this many sessions, a hundred at a time."""
        for start in range(0, count, 100):
            statuses = await asyncio.gather(*(self._open(path) for _ in range(min(100, count - start))))
            assert set(statuses) == {101}, statuses

    async def _open(self, path: str) -> int:
        loop = asyncio.get_running_loop()
        try:
            _, member = await loop.create_connection(lambda: Member(self, path), *self.address)
        except OSError:
            self.refusals.append(0)
            return 0
        status = await member.opened
        if status == 101:
            self.members.add(member)
        else:
            self.refusals.append(status)
        return status

    def lost(self, member: Member):
        if member not in self.members:
            return
        self.members.discard(member)
        self.closes.append((time.monotonic(), member.code))
        self._changed.set()
        if self.comes_back:
            task = asyncio.get_running_loop().create_task(self._open(member.path))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def closed(self, count: int, within: float):
        """Waits until so many sessions have ended."""
        async with asyncio.timeout(within):
            while len(self.closes) < count:
                self._changed.clear()
                await self._changed.wait()
