"""Heads, frames, and a socket that does not block, with TLS if it is asked for."""

import base64
import os
import socket
import ssl
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40
READ = 1 << 16


def upgrade(path: str = "/echo", fields: str = "") -> bytes:
    """The head that asks for a session; `fields` are more lines, each with its line end."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
    ).encode()


def masked(payload: bytes, key: bytes) -> bytes:
    """The payload, masked or unmasked (RFC 6455 section 5.3)."""
    count = len(payload)
    stream = (key * (count // 4 + 1))[:count]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")).to_bytes(count, "little")


def frame(opcode: int, payload: bytes, *, first: int = FIN, key: bytes | None = b"\0\0\0\0") -> bytes:
    """A frame with these bits in its first byte; a client's, with this masking key, or a server's, without one."""
    count, bit = len(payload), 0x80 if key is not None else 0
    if count < 126:
        head = bytes([first | opcode, bit | count])
    elif count < 1 << 16:
        head = bytes([first | opcode, bit | 126]) + count.to_bytes(2, "big")
    else:
        head = bytes([first | opcode, bit | 127]) + count.to_bytes(8, "big")
    if key is None:
        return head + payload
    return head + key + (payload if key == b"\0\0\0\0" else masked(payload, key))


class Frames:
    """Splits the bytes of a connection into frames."""

    def __init__(self, data: bytes = b""):
        self._data = bytearray(data)

    def add(self, data: bytes):
        self._data += data

    def __iter__(self):
        """Each whole frame: its first byte, and its payload, unmasked."""
        data, at = self._data, 0
        while len(data) - at >= 2:
            count, key, start = data[at + 1] & 0x7F, data[at + 1] & 0x80, at + 2
            if count >= 126:
                size = 2 if count == 126 else 8
                if len(data) - start < size:
                    break
                count = int.from_bytes(data[start : start + size], "big")
                start += size
            end = start + (4 if key else 0) + count
            if len(data) < end:
                break
            payload = bytes(data[end - count : end])
            if key:
                payload = masked(payload, bytes(data[start : start + 4]))
            yield data[at], payload
            at = end
        del data[:at]


def insecure() -> ssl.SSLContext:
    """A context that accepts a self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


CONTEXT = insecure()
RESETS = struct.pack("ii", 1, 0)


def proxy_header(client: str) -> bytes:
    """The PROXY header, version 1, that names this client."""
    return f"PROXY TCP4 {client} 127.0.0.1 40000 80\r\n".encode()


class Wrong(Exception):
    """Bytes came that were never sent."""


class Channel:
    """A connection that does not block. Written bytes wait until TLS is established and the peer accepts them.

    `address` is one of TCP, or the path of a Unix socket. `before` is sent first, before TLS.
    """

    def __init__(
        self, address: tuple[str, int] | str, *, secure: bool, source: str | None = None, buffer: int | None = None, before: bytes = b""
    ):
        is_local = isinstance(address, str)
        self.socket = socket.socket(socket.AF_UNIX if is_local else socket.AF_INET)
        self.socket.setblocking(False)
        if not is_local:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffer:
            # Set before connecting: the window of the first segments depends on it.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        try:
            if source and not is_local:
                self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
                self.socket.bind((source, 0))
            self.socket.connect(address)
        except BlockingIOError:
            # A Unix socket whose line is full will not be connected later.
            if is_local:
                self.socket.close()
                raise
        except BaseException:
            self.socket.close()
            raise
        self.sent = 0
        self._waiting = bytearray(before)
        self._early = bytearray()
        self._tls = None
        if secure:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = CONTEXT.wrap_bio(self._incoming, self._outgoing)
            self._shaking = True
            self._shake()

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def is_waiting(self) -> bool:
        """Whether the peer has not accepted everything yet."""
        return bool(self._waiting)

    def write(self, data: bytes):
        if not self._tls:
            self._waiting += data
        elif self._shaking:
            self._early += data
        else:
            self._tls.write(data)
            self._waiting += self._outgoing.read()

    def send(self):
        """Sends what the kernel accepts. Raises OSError if the connection failed."""
        while self._waiting:
            try:
                count = self.socket.send(self._waiting)
            except BlockingIOError:
                return
            self.sent += count
            del self._waiting[:count]

    def receive(self) -> bytes:
        """What has come, decrypted, or nothing. Raises EOFError at the end, OSError if the connection failed."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return b""
        if not data:
            raise EOFError
        if not self._tls:
            return data
        self._incoming.write(data)
        if self._shaking:
            self._shake()
        plain = bytearray()
        try:
            while not self._shaking and (part := self._tls.read(READ)):
                plain += part
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError as error:
            if not plain:
                raise EOFError from error
        self._waiting += self._outgoing.read()
        return bytes(plain)

    def discard(self) -> int:
        """Reads and discards what has come; returns how many bytes that was."""
        if self._tls and self._shaking:
            return len(self.receive())
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return 0
        if not data:
            raise EOFError
        return len(data)

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
        self.socket.close()

    def _shake(self):
        try:
            self._tls.do_handshake()
            self._shaking = False
        except ssl.SSLWantReadError:
            pass
        self._waiting += self._outgoing.read()
        if not self._shaking and self._early:
            early, self._early = bytes(self._early), bytearray()
            self.write(early)
