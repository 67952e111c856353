"""Work that TLS lets a client ask for repeatedly."""

import collections
import ctypes
import ctypes.util
import select
import socket

import wire
from children import Orders, Site

from .scenario import Attacker, Scenario

CLIENTS = 5
# In one burst; 27 bytes each. A message after so many makes the session look used.
UPDATES, ROW = 4000, 30
VERSION, TLS13, WRITTEN = 123, 0x0304, 3


class Library:
    """The functions of libssl that Python's ssl does not have."""

    def __init__(self):
        self._ssl = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
        self._crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
        pointer = ctypes.c_void_p
        for library, name, result, arguments in (
            (self._ssl, "TLS_client_method", pointer, ()),
            (self._ssl, "SSL_CTX_new", pointer, (pointer,)),
            (self._ssl, "SSL_CTX_ctrl", ctypes.c_long, (pointer, ctypes.c_int, ctypes.c_long, pointer)),
            (self._ssl, "SSL_new", pointer, (pointer,)),
            (self._ssl, "SSL_free", None, (pointer,)),
            (self._ssl, "SSL_set_bio", None, (pointer, pointer, pointer)),
            (self._ssl, "SSL_connect", ctypes.c_int, (pointer,)),
            (self._ssl, "SSL_key_update", ctypes.c_int, (pointer, ctypes.c_int)),
            (self._ssl, "SSL_do_handshake", ctypes.c_int, (pointer,)),
            (self._ssl, "SSL_write", ctypes.c_int, (pointer, ctypes.c_char_p, ctypes.c_int)),
            (self._crypto, "BIO_s_mem", pointer, ()),
            (self._crypto, "BIO_new", pointer, (pointer,)),
            (self._crypto, "BIO_read", ctypes.c_int, (pointer, ctypes.c_char_p, ctypes.c_int)),
            (self._crypto, "BIO_write", ctypes.c_int, (pointer, ctypes.c_char_p, ctypes.c_int)),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.context = self.SSL_CTX_new(self.TLS_client_method())
        self.SSL_CTX_ctrl(self.context, VERSION, TLS13, None)


class Client:
    """An open session over TLS 1.3 that can ask for new keys."""

    def __init__(self, library: Library, address: tuple[str, int], source: str):
        self._library = library
        self._socket = socket.create_connection(address, 10, (source, 0))
        self._tls = library.SSL_new(library.context)
        self._incoming, self._outgoing = (library.BIO_new(library.BIO_s_mem()) for _ in range(2))
        library.SSL_set_bio(self._tls, self._incoming, self._outgoing)
        while library.SSL_connect(self._tls) != 1:
            self._socket.sendall(self._written())
            data = self._socket.recv(wire.READ)
            if not data:
                raise ConnectionError("the end of TCP in the TLS handshake")
            library.BIO_write(self._incoming, data, len(data))
        request = wire.upgrade()
        library.SSL_write(self._tls, request, len(request))
        self._socket.sendall(self._written())
        self._socket.recv(wire.READ)

    def _written(self) -> bytes:
        data, buffer = bytearray(), ctypes.create_string_buffer(wire.READ)
        while (count := self._library.BIO_read(self._outgoing, buffer, wire.READ)) > 0:
            data += buffer.raw[:count]
        return bytes(data)

    def update(self) -> int:
        """Changes its sending keys (RFC 8446 section 4.6.3) in one burst; returns the bytes sent."""
        message = wire.frame(wire.BINARY, b"x")
        for number in range(UPDATES):
            self._library.SSL_key_update(self._tls, 0)
            self._library.SSL_do_handshake(self._tls)
            if number % ROW == 0:
                self._library.SSL_write(self._tls, message, len(message))
        data = self._written()
        self._socket.sendall(data)
        # The echoes, which are not checked.
        if select.select([self._socket], [], [], 0)[0] and not self._socket.recv(wire.READ):
            raise ConnectionError("the end of TCP")
        return len(data)

    def close(self):
        self._library.SSL_free(self._tls)
        self._socket.close()


def key_update(orders: Orders, site: Site, block: int) -> collections.Counter:
    counts, library = collections.Counter(), Library()
    client = None
    try:
        while not orders.stopping():
            try:
                client = client or Client(library, site.secure, f"127.{block}.1.1")
                if not counts["connections"]:
                    orders.ready()
                    counts["connections"] += 1
                counts["bytes sent"] += client.update()
                counts["updates"] += UPDATES
            except OSError:
                counts["ended"] += 1
                if client:
                    client.close()
                client = None
                if orders.wait(0.1):
                    break
    finally:
        if client:
            client.close()
    return counts


SCENARIOS = [
    Scenario(
        "key-update", f"{CLIENTS} clients change their TLS 1.3 keys, {UPDATES:,} times in a burst, again and again",
        tuple(Attacker(key_update, (block,)) for block in range(1, CLIENTS + 1)),
    ),
]
