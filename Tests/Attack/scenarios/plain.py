"""Plain HTTP: too much of it, and such as is none."""

import random

from crowd import Kind

from .scenario import Scenario, clients

CLIENTS = 50


def requests(path: str) -> bytes:
    """Many requests in one write."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return request * ((16 << 10) // len(request))


ANSWERED, PASSED = requests("/answer"), requests("/attack/x")
LINE = b"POST /attack/x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
BROKEN = [
    LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    LINE + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    LINE + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 40_000,
    LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 5000,
    LINE + b"Content-Length: -1\r\n\r\n",
    LINE + b"Content-Length: 18446744073709551617\r\n\r\n",
    LINE + b"X: a\r\n folded\r\n\r\n",
    LINE + b"X : y\r\n\r\n",
    LINE + b"X: \x00\r\n\r\n",
    LINE + b"Host: other\r\n\r\n",
    LINE + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
    LINE + b"X: y\r\n" * 200 + b"\r\n",
    b"GET /attack/../x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /attack/%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://other/x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /x HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET /x\nHost: a\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n" * 2000,
]


def broken() -> bytes:
    return random.choice(BROKEN)


SCENARIOS = [
    Scenario(
        "plain-flood", f"{CLIENTS} clients pipeline plain requests that are answered, or passed to a backend",
        (
            clients(
                *((CLIENTS // 4, Kind(at=at, tls=at == "secure", instead=flood, forever=flood)) for at in ("plain", "secure")
                  for flood in (ANSWERED, PASSED)),
            ),
        ),
    ),
    Scenario(
        "plain-deaf", "300 clients pipeline plain requests and do not read the answers, or those without an end",
        (
            clients(
                *((100, Kind(instead=flood, forever=flood, reads=False, rate=300)) for flood in (ANSWERED, PASSED)),
                (100, Kind(instead=b"GET /hostile/body HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", reads=False, rate=300)),
            ),
        ),
    ),
    Scenario(
        "broken-requests", "50 clients send requests that can be read in two ways, or in none",
        (clients((25, Kind(instead=broken, rate=500)), (25, Kind(at="secure", tls=True, instead=broken, rate=500))),),
    ),
]
