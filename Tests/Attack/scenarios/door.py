"""Clients that connect and never get a session."""

import collections
import socket
import ssl
import struct

import wire
from children import Orders, Site
from crowd import Kind

from .scenario import Attacker, Scenario, clients

# Connections per second of one client that churns.
HELLOS = 2000


def hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = wire.CONTEXT.wrap_bio(incoming, outgoing)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def hello_reset(orders: Orders, site: Site, block: int) -> collections.Counter:
    counts, data, abort = collections.Counter(), hello(), struct.pack("ii", 1, 0)
    orders.ready()
    # Fifty at a time.
    while not orders.wait(50 / HELLOS):
        for number in range(50):
            with socket.socket() as connection:
                connection.settimeout(2)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort)
                try:
                    connection.bind((f"127.{block}.1.{number + 1}", 0))
                    connection.connect(site.secure)
                    connection.send(data)
                    counts["connections"] += 1
                    counts["bytes sent"] += len(data)
                except OSError:
                    counts["connections refused"] += 1
    return counts


def refused(origin: int, path: int) -> Kind:
    """Asks for a route that refuses its Origin; the sizes of Origin and path in bytes."""
    return Kind(
        path="/private/" + "p" * path, fields=f"Origin: https://{'o' * origin}.example\r\n", ends_with_answer=True, rate=4000
    )


SCENARIOS = [
    Scenario(
        "hello-reset", f"two clients send a ClientHello and reset, each {HELLOS:,} times a second",
        (Attacker(hello_reset, (1,)), Attacker(hello_reset, (2,))),
    ),
    Scenario(
        "tls-handshakes", "100 clients complete a handshake of TLS, ask for a session, and reset",
        (clients((100, Kind(at="secure", tls=True, ends_with_answer=True, resets=True))),),
    ),
    Scenario(
        "churn", "200 clients connect and reset, or get a session of a relay, a bridge, an echo or a room and reset it",
        (
            clients(
                (20, Kind(instead=b"", drip=b"G", every=0.001, resets=True)),
                *((45, Kind(path=path, ends_with_answer=True, resets=True)) for path in ("/attack/tiny", "/bridge", "/echo", "/room/churn")),
            ),
        ),
    ),
    Scenario(
        "origins", "refused handshakes with long Origins and paths",
        (clients((30, refused(400, 10)), (30, refused(20, 6000)), (30, refused(6000, 10))),),
    ),
]
