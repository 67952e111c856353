"""Attacks on the control thread."""

import collections
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

from children import Orders, Site

from .scenario import Attacker, Scenario

CONNECTIONS = 64


def certificate(folder: pathlib.Path) -> dict:
    """A certificate from files."""
    subprocess.run(
        ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "chain.pem"),
        check=True, capture_output=True, timeout=30,
    )
    files = {"chain": str(folder / "chain.pem"), "key": str(folder / "key.pem")}
    return {"certificates": [files]}


def ask_ready(site: Site, counts: collections.Counter):
    """Asks /readyz, and keeps how long the slowest answer took."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection(*site.admin, timeout=10)
    try:
        connection.request("GET", "/readyz")
        if connection.getresponse().status != 200:
            counts["/readyz not ready"] += 1
    except (OSError, http.client.HTTPException):
        counts["/readyz failed"] += 1
    finally:
        connection.close()
    counts["/readyz asked"] += 1
    counts["worst ms of /readyz"] = max(counts["worst ms of /readyz"], round(1000 * (time.monotonic() - begun)))


def fifo(orders: Orders, site: Site) -> collections.Counter:
    """Replaces the certificate by a FIFO without a writer, and has the configuration read again twice a second."""
    counts = collections.Counter()
    chain = pathlib.Path(site.folder) / "chain.pem"
    kept = chain.rename(chain.with_suffix(".kept"))
    os.mkfifo(chain)
    orders.ready()
    reload_at = 0.0
    while not orders.wait(0.02):
        if time.monotonic() >= reload_at:
            reload_at = time.monotonic() + 0.5
            os.kill(site.process, signal.SIGHUP)
            counts["reloads"] += 1
        ask_ready(site, counts)
    kept.replace(chain)
    os.kill(site.process, signal.SIGHUP)
    return counts


def slow_admin(orders: Orders, site: Site) -> collections.Counter:
    """Keeps connections to the admin address that send one byte of a request at a time."""
    counts, connections = collections.Counter(), []
    with contextlib.ExitStack() as stack:
        drip_at, is_ready = 0.0, False
        while not orders.wait(0.02):
            while len(connections) < CONNECTIONS:
                connection = stack.enter_context(socket.create_connection(site.admin, 5))
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
                connection.setblocking(False)
                connections.append(connection)
                counts["connections"] += 1
            if not is_ready:
                is_ready = True
                orders.ready()
            if time.monotonic() >= drip_at:
                drip_at = time.monotonic() + 0.2
                for connection in list(connections):
                    try:
                        connection.send(b"x")
                    except OSError:
                        connections.remove(connection)
                        connection.close()
            ask_ready(site, counts)
    return counts


SCENARIOS = [
    Scenario(
        "fifo", "the certificate file becomes a FIFO, and the configuration is read again",
        (Attacker(fifo, nice=0),), certificate=certificate,
    ),
    Scenario(
        "slow-admin", f"{CONNECTIONS} connections to the admin address that send a byte at a time",
        (Attacker(slow_admin, nice=0),),
    ),
]
