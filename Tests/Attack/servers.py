"""The servers behind the gateway: an echo of WebSocket, plain HTTP and TCP for the good, and others for the attackers."""

import asyncio
import base64
import hashlib
import socket

import wire
from children import Orders

STREAM = wire.frame(wire.BINARY, bytes(1 << 16), key=None)


class Bytes(asyncio.Protocol):
    """Sends everything back."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


class WebSocket(asyncio.Protocol):
    """/…/stream sends for as long as the client reads, /…/tiny answers each masked one-byte frame with one; other paths echo, also the bodies
    of plain requests."""

    def connection_made(self, transport):
        self.transport = transport
        self._head = bytearray()
        self._take = self._read_head
        self._frames = wire.Frames()
        self._odd = 0

    def data_received(self, data):
        self._take(data)

    def pause_writing(self):
        if self._take == self._drop:
            self._streaming = False
        else:
            self.transport.pause_reading()

    def resume_writing(self):
        if self._take == self._drop:
            # Not at once: the transport does not expect a failure inside of this callback.
            asyncio.get_running_loop().call_soon(self._stream)
        else:
            self.transport.resume_reading()

    def connection_lost(self, error):
        self._streaming = False

    def _read_head(self, data):
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, rest = bytes(self._head).partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            if "sec-websocket-key" in fields:
                return self._accept(lines[0].split(" ")[1], fields, rest)
            count = int(fields.get("content-length", 0))
            if len(rest) < count:
                return
            self.transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n".encode() + rest[:count])
            self._head = bytearray(rest[count:])

    def _accept(self, path: str, fields: dict[str, str], rest: bytes):
        digest = hashlib.sha1((fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        if path.endswith("/stream"):
            self._take = self._drop
            self._stream()
        elif path.endswith("/tiny"):
            self._take = self._answer
        else:
            self._take = self._echo
        if rest:
            self._take(rest)

    def _echo(self, data):
        self._frames.add(data)
        out = bytearray()
        for first, payload in self._frames:
            opcode = first & 0x0F
            if opcode == wire.PING:
                first = wire.FIN | wire.PONG
            elif opcode == wire.PONG:
                continue
            out += wire.frame(first & 0x0F, payload, first=first & 0xF0, key=None)
            if opcode == wire.CLOSE:
                self.transport.write(bytes(out))
                self.transport.close()
                return
        self.transport.write(bytes(out))

    def _answer(self, data):
        # Seven bytes each. A frame of another size only makes the count less exact.
        count, self._odd = divmod(self._odd + len(data), 7)
        self.transport.write(b"\x82\x01x" * count)

    def _drop(self, data):
        pass

    def _stream(self):
        self._streaming = True
        while self._streaming and not self.transport.is_closing():
            self.transport.write(STREAM)


def serve(orders: Orders, listeners: tuple[socket.socket, socket.socket]):
    """Serves WebSocket on the first and TCP on the second until it is told to stop."""

    async def main():
        loop = asyncio.get_running_loop()
        stop = loop.create_future()
        loop.add_reader(orders.fileno(), lambda: orders.stopping() and not stop.done() and stop.set_result(None))
        for listener, protocol in zip(listeners, (WebSocket, Bytes)):
            await loop.create_server(protocol, sock=listener, backlog=4096)
        orders.ready()
        await stop

    asyncio.run(main())


def listen() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=4096)
