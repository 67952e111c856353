"""PROXY headers: read on listeners with `proxy-protocol`, sent to backends with `send-proxy-protocol`; and `allow`, by address."""

import asyncio
import contextlib
import pathlib
import re
import socket
import struct

import pytest

import raw
import wire
from admin import admin, metrics, read
from gateway_process import ROOT, Gateway, command, insecure, until, within
from peers import WebSocketBackend, client, program
from proxy_protocol import LOCAL, PROXY, SIGNATURE, Header, HeaderBackend, addresses, binary, echo, http, line, websocket
from test_door import ByHand
from test_pass import Backend
from test_reload import free_port

TLVS = b"\x01\0\x02h2" + b"\x02\0\x0bexample.com" + b"\x04\0\0"


def proxied(*, trusted=("127.0.0.0/8",), listener: dict | None = None, route: dict | None = None, **keys) -> Gateway:
    """A gateway that demands headers, in clear and before TLS."""
    listener = {"address": "127.0.0.1:0", "proxy-protocol": True, **(listener or {})}
    return Gateway(**{
        "admin": "127.0.0.1:0",
        "log": {"format": "json", "level": "debug"},
        "trusted-proxies": list(trusted),
        "listeners": [listener, {**listener, "tls": {"self-signed": ["localhost"]}}],
        "routes": [{"path": "/echo", "backend": "echo", "origins": "any", **(route or {})}],
        "backends": {"echo": {"builtin": "echo"}},
        **keys,
    })


@contextlib.asynccontextmanager
async def opened(gateway: Gateway, header: bytes, *fields: str, tls: bool = False, path: str = "/echo"):
    """An open WebSocket behind this header."""
    address = gateway.secure if tls else gateway.plain
    async with await raw.Connection.open(address) as connection:
        await connection.send(header)
        if tls:
            await connection.writer.start_tls(insecure())
        await connection.send(raw.upgrade(path, *fields))
        response = await connection.response()
        assert response.status == 101, response
        yield connection


async def answer(gateway: Gateway, header: bytes, request: bytes) -> raw.Response:
    async with await raw.Connection.open(gateway.plain) as connection:
        await connection.send(header + request)
        return await connection.response()


async def results(gateway: Gateway) -> dict[str, float]:
    """How many connections without a route had which result."""
    async with admin(gateway) as session:
        counted = await metrics(session)
    return {
        dict(labels)["result"]: value
        for (name, *labels), value in counted.items()
        if name == "gateway_handshakes_total" and ("route", "-") in labels
    }


async def ends_unanswered(connection: raw.Connection):
    """The connection ends, and not a byte came."""
    with contextlib.suppress(ConnectionResetError):
        assert await within(connection.reader.read()) == b""


# Clients in headers


CLIENTS = {
    "v1-ipv4": (line("192.0.2.1"), "192.0.2.1"),
    "v1-ipv6": (line("2001:db8::1", "2001:db8::2"), "2001:db8::1"),
    "v2-ipv4": (addresses("192.0.2.1"), "192.0.2.1"),
    "v2-ipv6": (addresses("2001:db8::1", "2001:db8::2"), "2001:db8::1"),
    "v2-tlvs": (addresses("192.0.2.1", tlvs=TLVS), "192.0.2.1"),
    "v2-many-tlvs": (addresses("192.0.2.1", tlvs=b"\xea" + struct.pack("!H", 60000) + b"x" * 60000), "192.0.2.1"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v1-unknown-with-addresses": (b"PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n", "127.0.0.1"),
    "v2-local": (binary(LOCAL), "127.0.0.1"),
    "v2-local-with-addresses": (binary(LOCAL, 0x11, bytes(12)), "127.0.0.1"),
    "v2-unspec": (binary(PROXY), "127.0.0.1"),
    "v2-unix": (binary(PROXY, 0x31, bytes(216)), "unix"),
}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_client_in_the_header_is_the_peer(kind, tls):
    header, name = CLIENTS[kind]
    async with proxied() as gateway:
        async with opened(gateway, header, tls=tls) as connection:
            await connection.send(raw.frame(raw.TEXT, b"hello"))
            assert await connection.frame() == raw.Frame(raw.TEXT, b"hello")
            assert (await gateway.event("open"))["client"] == name
            async with admin(gateway) as session:
                (row,) = (await read(session, "/api/sessions"))["sessions"]
            assert row["client"] == name
            await connection.send(raw.close(1000))
            assert (await connection.closing()).code == 1000
        assert (await gateway.closed(cause="client-closed"))["client"] == name


@pytest.mark.parametrize("kind", ["v1-ipv4", "v2-ipv6", "v2-tlvs"])
async def test_a_header_comes_byte_by_byte_and_the_tls_behind_it(kind):
    header, name = CLIENTS[kind]
    async with proxied() as gateway:
        async with await raw.Connection.open(gateway.secure) as connection:
            connection.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header:
                await connection.send(bytes([byte]))
            await connection.writer.start_tls(insecure())
            await connection.send(raw.upgrade("/echo"))
            assert (await connection.response()).status == 101
        assert (await gateway.event("open"))["client"] == name


@pytest.mark.parametrize("kind", ["v1-ipv4", "v2-ipv4", "v1-unknown"])
async def test_header_and_hello_come_in_any_two_pieces(kind):
    header, name = CLIENTS[kind]
    async with proxied() as gateway:
        for cut in (1, 6, 12, 15, 16, len(header) - 1, len(header), len(header) + 1, len(header) + 40):
            async with await raw.Connection.open(gateway.secure) as connection:
                hand = ByHand()
                data = header + hand.flight()
                await connection.send(data[:cut])
                await connection.send(data[cut:])
                flight = b""
                while not flight:
                    flight = hand.flight(await within(connection.reader.read(1 << 16)))
                await connection.send(flight + hand.encrypt(raw.upgrade("/echo")))
                plain = b""
                while b"\r\n\r\n" not in plain:
                    plain += hand.decrypt(await within(connection.reader.read(1 << 16)))
                assert plain.startswith(b"HTTP/1.1 101 "), plain
        assert {record["client"] for record in await gateway.events(9, "open")} == {name}


async def test_a_proxy_on_a_unix_socket(tmp_path):
    path = tmp_path / "front.sock"
    listeners = [{"address": f"unix:{path}", "proxy-protocol": True}]
    async with proxied(trusted=("unix",), listeners=listeners) as gateway:
        async with raw.Connection(*await asyncio.open_unix_connection(str(path))) as connection:
            await connection.send(addresses("192.0.2.1") + raw.upgrade("/echo"))
            assert (await connection.response()).status == 101
        assert (await gateway.event("open"))["client"] == "192.0.2.1"


# What is not let in


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "sent, reason",
    [
        (raw.upgrade("/echo"), "does not begin with a PROXY header"),
        (ByHand().flight(), "does not begin with a PROXY header"),
        (b"\r\n\r\n", None),
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n", "malformed"),
        (b"PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", "malformed"),
        (b"PROXY UNKNOWN " + b"x" * 200, "more than 107 bytes"),
        (SIGNATURE + b"\x11\x11\0\x0c" + bytes(12), "version 1"),
        (SIGNATURE + b"\x22\x11\0\x0c" + bytes(12), "command 2"),
        (SIGNATURE + b"\x21\x51\0\x0c" + bytes(12), "address family 5"),
        (SIGNATURE + b"\x21\x21\0\x0c" + bytes(12), "too short for its addresses"),
    ],
)
async def test_garbage_is_closed_without_an_answer(sent, reason, tls):
    async with proxied() as gateway:
        async with await raw.Connection.open(gateway.secure if tls else gateway.plain) as connection:
            await connection.send(sent)
            if reason is None:
                connection.finish()
            await ends_unanswered(connection)
        if reason is None:
            record = await gateway.event("abandoned")
            assert record["reason"] == "the proxy left before its PROXY header was whole"
            assert record["phase"] == "proxy-header"
            return
        record = await gateway.event("refused")
        assert reason in record["reason"] and record["client"] == "127.0.0.1" and record["level"] == "info"
        assert await results(gateway) == {"bad-proxy-header": 1}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_stranger_is_closed_whatever_it_says(tls):
    async with proxied(trusted=("10.0.0.9",)) as gateway:
        for header in (addresses("10.0.0.9"), line("10.0.0.9"), binary(LOCAL), raw.upgrade("/echo")):
            async with await raw.Connection.open(gateway.secure if tls else gateway.plain) as connection:
                with contextlib.suppress(ConnectionError):
                    await connection.send(header)
                await ends_unanswered(connection)
        record = (await gateway.events(4, "refused"))[0]
        assert record["reason"] == "the listener has proxy-protocol, and the peer is not in trusted-proxies"
        assert record["client"] == "127.0.0.1"
        assert await results(gateway) == {"not-trusted": 4}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("sent", [b"", b"PROXY TCP4 192.0", addresses("192.0.2.1", tlvs=bytes(50))[:-1]])
async def test_half_a_header_has_the_time_of_a_handshake(sent, tls):
    async with proxied(defaults={"timeouts": {"handshake": "300ms"}}) as gateway:
        async with await raw.Connection.open(gateway.secure if tls else gateway.plain) as connection:
            await connection.send(sent)
            await ends_unanswered(connection)
        record = await gateway.event("abandoned")
        assert record["reason"] == "the proxy took too long for its PROXY header" and record["phase"] == "proxy-header"


async def test_the_time_of_a_handshake_begins_before_the_header():
    async with proxied(defaults={"timeouts": {"handshake": "300ms"}}) as gateway:
        async with await raw.Connection.open(gateway.plain) as connection:
            await connection.send(line("192.0.2.1"))
            assert (await connection.response()).status == 408
        assert (await gateway.event("refused", status=408))["client"] == "192.0.2.1"


async def test_a_drain_closes_what_waits_for_a_header():
    async with proxied() as gateway:
        async with await raw.Connection.open(gateway.plain) as connection:
            await connection.send(b"PROXY ")

            async def is_there() -> bool:
                async with admin(gateway) as session:
                    rows = (await read(session, "/api/sessions"))["sessions"]
                return [row["phase"] for row in rows] == ["proxy-header"]

            await until(is_there)
            gateway.signal(15)
            await ends_unanswered(connection)
        assert await gateway.exited() == 0


async def test_without_the_key_a_header_is_no_request():
    async with Gateway(routes=[], backends={}, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
        assert (await raw.ask(gateway.plain, line("192.0.2.1"))).status == 400
        assert (await raw.ask(gateway.plain, addresses("192.0.2.1"))).status == 400


# What follows from the client in the header


async def test_forwarded_fields_are_believed_by_the_address_in_the_header():
    async with WebSocketBackend() as backend:
        routes = [{"path": "/app", "backend": "app", "origins": "any"}]
        backends = {"app": backend.configuration()}
        async with proxied(trusted=("127.0.0.1", "10.0.0.9"), routes=routes, backends=backends) as gateway:
            for header, expected, name in (
                (addresses("203.0.113.9"), "203.0.113.9", "203.0.113.9"),
                (addresses("10.0.0.9"), "192.0.2.7, 10.0.0.9", "192.0.2.7"),
                # The proxy's own.
                (binary(LOCAL), "192.0.2.7, 127.0.0.1", "192.0.2.7"),
            ):
                async with opened(gateway, header, "X-Forwarded-For: 192.0.2.7", path="/app"):
                    assert backend.requests[-1].headers.get_all("X-Forwarded-For") == [expected]
                    assert (await gateway.events(len(backend.requests), "open"))[-1]["client"] == name


async def test_connections_are_counted_for_the_client_in_the_header():
    async with proxied(listener={"limits": {"connections-per-address": 2}}, workers=2) as gateway:
        async with contextlib.AsyncExitStack() as stack:
            for header in [addresses("192.0.2.1"), line("192.0.2.1"), addresses("192.0.2.2")]:
                await stack.enter_async_context(opened(gateway, header))
            # One /64.
            for last in "12":
                await stack.enter_async_context(opened(gateway, addresses(f"2001:db8::{last}", "2001:db8::ff")))
            # The proxy's own are not counted.
            for _ in range(4):
                await stack.enter_async_context(opened(gateway, binary(LOCAL)))
            for header in (line("192.0.2.1"), addresses("2001:db8::3", "2001:db8::ff")):
                async with await raw.Connection.open(gateway.plain) as connection:
                    await connection.send(header + raw.upgrade("/echo"))
                    await ends_unanswered(connection)
            first, second = await gateway.events(2, "refused")
            assert (first["client"], second["client"]) == ("192.0.2.1", "2001:db8::3")
            assert "connections-per-address" in first["reason"]
            assert await results(gateway) == {"too-many": 2}
            # Another /64.
            await stack.enter_async_context(opened(gateway, addresses("2001:db8:0:1::1", "2001:db8::ff")))
        await gateway.events(10, "close")
        async with opened(gateway, line("192.0.2.1")), opened(gateway, line("192.0.2.1")):
            pass


async def test_silent_connections_of_a_client_behind_the_proxy_displace_only_each_other():
    wrapper = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
    async with proxied(wrapper=wrapper, defaults={"timeouts": {"handshake": "60s"}}) as gateway, contextlib.AsyncExitStack() as stack:
        slow = await stack.enter_async_context(await raw.Connection.open(gateway.plain))
        request = raw.upgrade("/echo")
        await slow.send(line("192.0.2.1") + request[:40])
        # Connections without a request have a quarter of the descriptors.
        for _ in range(80):
            connection = await stack.enter_async_context(await raw.Connection.open(gateway.plain))
            await connection.send(line("192.0.2.9"))
        # The eleventh that is like them only counts.
        evicted = await gateway.events(10, "evicted")
        assert {record["client"] for record in evicted} == {"192.0.2.9"}
        await slow.send(request[40:])
        assert (await slow.response()).status == 101


# allow


async def test_a_listener_looks_at_the_peer_of_tcp():
    keys = {"listener": {"allow": ["127.0.0.0/8"]}, "route": {"allow": ["192.0.2.0/24", "2001:db8::/32"]}}
    async with proxied(**keys) as gateway:
        for header, status in (
            (addresses("192.0.2.1"), 101), (line("2001:db8::1", "2001:db8::2"), 101), (addresses("203.0.113.9"), 403),
            (binary(LOCAL), 403), (binary(PROXY, 0x31, bytes(216)), 403),
        ):
            assert (await answer(gateway, header, raw.upgrade("/echo"))).status == status
        refused = await gateway.event("refused", client="203.0.113.9")
        rule = "`allow` of the route is [192.0.2.0/24, 2001:db8::/32]"
        assert refused["reason"] == f"The address 203.0.113.9 is not let in here: {rule}."


@pytest.mark.parametrize("header", [False, True])
async def test_a_peer_that_a_listener_does_not_allow_is_closed_at_accept(header):
    listener = {"allow": ["10.0.0.0/8", "::1"], "proxy-protocol": header}
    async with proxied(trusted=("127.0.0.1", "10.0.0.9"), listener=listener) as gateway:
        for address in (gateway.plain, gateway.secure):
            async with await raw.Connection.open(address) as connection:
                await ends_unanswered(connection)
        (record, _) = await gateway.events(2, "refused")
        assert record["reason"] == "its address is not in allow of the listener"
        assert await results(gateway) == {"not-allowed": 2}


async def test_a_route_looks_at_the_client_that_a_trusted_proxy_names():
    routes = [
        {"path": "/echo", "backend": "echo"},
        {"path": "/all", "answer": {"text": "all"}, "allow": []},
        {"path": "/few", "answer": {"text": "few"}, "allow": ["203.0.113.9"]},
    ]
    keys = {"trusted-proxies": ["127.0.0.1"], "routes": routes, "backends": {"echo": {"builtin": "echo"}}}
    async with Gateway(defaults={"allow": ["192.0.2.0/24"]}, **keys) as gateway:
        for path, client_address, status in (
            ("/echo", "192.0.2.1", 101), ("/echo", "203.0.113.9", 403), ("/few", "203.0.113.9", 200),
            ("/few", "192.0.2.1", 403), ("/all", "203.0.113.9", 200),
        ):
            field = f"X-Forwarded-For: {client_address}"
            request = raw.upgrade(path, field) if path == "/echo" else f"GET {path} HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n".encode()
            assert (await raw.ask(gateway.plain, request)).status == status, (path, client_address)
        # From the peer itself.
        assert (await raw.ask(gateway.plain, raw.upgrade("/echo"))).status == 403
        # 403 of a request on a route that serves plain HTTP keeps the connection.
        async with await raw.Connection.open(gateway.plain) as connection:
            for client_address, status in (("192.0.2.1", 403), ("203.0.113.9", 200)):
                await connection.send(f"GET /few HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client_address}\r\n\r\n".encode())
                assert (await connection.response()).status == status


async def test_a_reload_drains_the_sessions_of_clients_that_are_not_let_in_any_more():
    async with proxied() as gateway:
        async with opened(gateway, addresses("192.0.2.1")) as kept, opened(gateway, addresses("203.0.113.9")) as other:
            await gateway.events(2, "open")
            routes = [{**gateway.configuration["routes"][0], "allow": ["192.0.2.0/24"]}]
            await gateway.reload(routes=routes)
            assert (await other.closing()).code == 1012
            await other.send(raw.close(1012))
            assert (await gateway.closed(client="203.0.113.9"))["cause"] == "reload"
            await kept.send(raw.frame(raw.TEXT, b"still"))
            assert await kept.frame() == raw.Frame(raw.TEXT, b"still")


async def test_a_reload_changes_who_may_connect():
    async with proxied() as gateway:
        assert (await answer(gateway, line("192.0.2.1"), raw.upgrade("/echo"))).status == 101
        listeners = [{**listener, "allow": ["10.0.0.0/8"]} for listener in gateway.configuration["listeners"]]
        # The first address again: its port is chosen, so it is the same listener.
        await gateway.reload(listeners=[{key: value for key, value in listeners[0].items() if key != "proxy-protocol"}])
        async with await raw.Connection.open(gateway.plain) as connection:
            await ends_unanswered(connection)
        await gateway.reload(listeners=[{"address": "127.0.0.1:0"}])
        assert (await raw.ask(gateway.plain, raw.upgrade("/echo"))).status == 101


# To backends


def backend_url(kind: str, port: int) -> dict:
    scheme = {"tcp": "", "tls": "tls://", "ws": "ws://", "wss": "wss://"}[kind]
    return {"tcp" if kind in ("tcp", "tls") else "websocket": [f"{scheme}127.0.0.1:{port}"]}


def telling(backend: HeaderBackend, kind: str, version: str, *, route: dict | None = None, more: dict | None = None, **keys) -> Gateway:
    settings = {**backend_url(kind, backend.port), "send-proxy-protocol": version, **(more or {})}
    if kind in ("tls", "wss"):
        settings["tls"] = {"verify": False}
    routes = [{"path": "/*", "backend": "app", "origins": "any", **(route or {})}]
    return Gateway(routes=routes, backends={"app": settings}, **keys)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("kind", ["tcp", "tls", "ws", "wss"])
async def test_a_backend_is_told_the_client_before_anything_else(kind, version, authority):
    tls = authority.issue("localhost").server_context() if kind in ("tls", "wss") else None
    handler = echo if kind in ("tcp", "tls") else websocket
    async with HeaderBackend(handler, tls=tls) as backend, telling(backend, kind, version) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/app") as connection:
            own = connection.writer.get_extra_info("sockname")
            await connection.send(raw.frame(raw.BINARY, b"hello"))
            if handler is echo:
                assert (await connection.frame()).payload == b"hello"
            await connection.send(raw.close(1000))
            await connection.closing()
        assert backend.headers == [Header("proxy", own, gateway.plain)]
        assert (await gateway.event("close"))["cause"] == "client-closed"


@pytest.mark.parametrize("handler", [echo, websocket])
async def test_a_backend_on_a_unix_socket_is_told_the_client(handler, tmp_path):
    path = str(tmp_path / "app.sock")
    settings = {"tcp": [f"unix:{path}"]} if handler is echo else {"websocket": [f"ws+unix:{path}"]}
    routes = [{"path": "/*", "backend": "app"}]
    async with HeaderBackend(handler, path=path) as backend:
        async with Gateway(routes=routes, backends={"app": {**settings, "send-proxy-protocol": "v2"}}) as gateway:
            async with await raw.Connection.upgraded(gateway.plain, "/app") as connection:
                own = connection.writer.get_extra_info("sockname")
                await until(lambda: backend.headers)
        assert backend.headers == [Header("proxy", own, gateway.plain)]


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_what_the_header_in_front_says_goes_on(version):
    async with HeaderBackend(echo) as backend:
        listener = {"address": "127.0.0.1:0", "proxy-protocol": True}
        keys = {"listeners": [listener], "trusted-proxies": ["127.0.0.1"]}
        async with telling(backend, "tcp", version, **keys) as gateway:
            for header in (
                addresses("192.0.2.1"), line("2001:db8::1", "2001:db8::2"), addresses("192.0.2.1", ports=(0, 0)),
                binary(PROXY, 0x31, bytes(216)), binary(LOCAL),
            ):
                async with opened(gateway, header, path="/app") as connection:
                    await connection.send(raw.frame(raw.BINARY, b"hello"))
                    assert (await connection.frame()).payload == b"hello"
        first, second, third, unix, own = backend.headers
        assert first == Header("proxy", ("192.0.2.1", 56324), ("198.51.100.2", 443))
        assert second == Header("proxy", ("2001:db8::1", 56324), ("2001:db8::2", 443))
        assert third == Header("proxy", ("192.0.2.1", 0), ("198.51.100.2", 0))
        assert unix == Header("unknown")
        assert own.kind == "proxy" and own.source[0] == "127.0.0.1" and own.destination == gateway.plain


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_listener_of_both_families_names_each_in_its_own(version):
    async with HeaderBackend(echo) as backend:
        async with telling(backend, "tcp", version, listeners=[{"address": "[::]:0"}]) as gateway:
            port = gateway.addresses[0][1]
            for number, host in enumerate(("127.0.0.1", "::1"), 1):
                async with await raw.Connection.upgraded((host, port), "/app") as connection:
                    own = connection.writer.get_extra_info("sockname")[:2]
                    await until(lambda: len(backend.headers) == number)
                assert backend.headers[-1] == Header("proxy", own, (host, port))


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_client_on_a_unix_socket_is_unknown_and_one_behind_a_proxy_there_is_not(version, tmp_path):
    path = tmp_path / "front.sock"
    keys = {"listeners": [{"address": f"unix:{path}"}], "trusted-proxies": ["unix"]}
    async with HeaderBackend(websocket) as backend, telling(backend, "ws", version, **keys):
        for fields in ([], ["X-Forwarded-For: 192.0.2.1"], ["X-Forwarded-For: 2001:db8::1"]):
            async with raw.Connection(*await asyncio.open_unix_connection(str(path))) as connection:
                await connection.send(raw.upgrade("/app", *fields))
                assert (await connection.response()).status == 101
        assert backend.headers == [
            Header("unknown"), Header("proxy", ("192.0.2.1", 0), ("0.0.0.0", 0)),
            Header("proxy", ("2001:db8::1", 0), ("::", 0)),
        ]


def get(*fields: str) -> bytes:
    return "\r\n".join(["GET /app HTTP/1.1", "Host: a", *fields, "", ""]).encode()


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_requests_of_one_client_share_a_connection_and_those_of_two_do_not(version):
    async with HeaderBackend(http) as backend:
        keys = {"trusted-proxies": ["127.0.0.1"], "route": {"http": "pass"}}
        async with telling(backend, "ws", version, **keys) as gateway, await raw.Connection.open(gateway.plain) as proxy:
            own = proxy.writer.get_extra_info("sockname")
            names = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.1", "2001:db8::1"]
            for name in names:
                await proxy.send(get(f"X-Forwarded-For: {name}"))
                assert (await proxy.response()).body == b"ok"
            for _ in range(3):
                await proxy.send(get())
                assert (await proxy.response()).body == b"ok"
        # A destination of IPv4 is written as IPv6 beside a source of IPv6.
        port = gateway.plain[1]
        assert [header.source for header in backend.headers] == [
            ("192.0.2.1", 0), ("192.0.2.2", 0), ("192.0.2.1", 0), ("2001:db8::1", 0), own,
        ]
        assert {header.destination for header in backend.headers} == {("127.0.0.1", port), ("::ffff:127.0.0.1", port)}
        forwarded = [next((field for field in head if field.startswith("X-Real-IP")), "") for head in backend.heads]
        assert forwarded == [f"X-Real-IP: {name}" for name in [*names, *["127.0.0.1"] * 3]]


async def test_pipelined_requests_of_two_clients_have_a_connection_each():
    async with HeaderBackend(http) as backend:
        keys = {"trusted-proxies": ["127.0.0.1"], "route": {"http": "pass"}}
        async with telling(backend, "ws", "v2", **keys) as gateway, await raw.Connection.open(gateway.plain) as proxy:
            names = ["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"]
            await proxy.send(b"".join(get(f"X-Forwarded-For: {name}") for name in names))
            for _ in names:
                assert (await proxy.response()).body == b"ok"
        assert [header.source[0] for header in backend.headers] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        assert len(backend.heads) == 4


async def test_without_the_key_one_connection_has_the_requests_of_all_clients():
    async with Backend() as backend:
        routes = [{"path": "/*", "backend": "app", "http": "pass"}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{backend.port}"]}}
        async with Gateway(routes=routes, backends=backends, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
            async with await raw.Connection.open(gateway.plain) as proxy:
                for name in ("192.0.2.1", "192.0.2.2"):
                    await proxy.send(get(f"X-Forwarded-For: {name}"))
                    assert (await proxy.response()).status == 200
        assert backend.connections == 1


@pytest.mark.parametrize("version, kind", [("v1", "unknown"), ("v2", "local")])
@pytest.mark.parametrize("check", ["connect", "http", "websocket"])
async def test_health_checks_say_that_they_are_the_gateways_own(check, version, kind):
    handler = {"connect": echo, "http": http, "websocket": websocket}[check]
    more = {"health": {"check": check, "interval": "50ms", "timeout": "50ms", "rise": 1, "fall": 1}}
    async with HeaderBackend(handler) as backend:
        scheme = "tcp" if check == "connect" else "ws"
        async with telling(backend, scheme, version, more=more, admin="127.0.0.1:0") as gateway:

            async def has_passed() -> bool:
                async with admin(gateway) as session:
                    counted = await metrics(session)
                return any(name == "gateway_health_checks_total" and ("result", "passed") in labels and value > 1
                           for (name, *labels), value in counted.items())

            await until(has_passed)
        assert backend.headers and set(map(lambda header: header.kind, backend.headers)) == {kind}


async def test_a_reload_changes_the_header():
    async with HeaderBackend(http) as backend:
        async with telling(backend, "ws", "v1", route={"http": "pass"}) as gateway, await raw.Connection.open(gateway.plain) as user:
            await user.send(get())
            assert (await user.response()).status == 200
            backends = {"app": {**gateway.configuration["backends"]["app"], "send-proxy-protocol": "v2"}}
            await gateway.reload(backends=backends)
            await user.send(get())
            assert (await user.response()).status == 200
            assert len(backend.headers) == 2 and backend.headers[0] == backend.headers[1]


# check and explain


async def test_check_names_the_mistake_and_its_cure(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text('listeners:\n  - {address: ":80", proxy-protocol: true}\n')
    status, _, errors = await command("check", "--config", file)
    assert status == 1
    assert errors.startswith(f"{file}:2:22: `proxy-protocol` needs the address of the proxy in front in `trusted-proxies`")


async def test_explain_asks_for_a_client_in_a_header(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(
        'trusted-proxies: [10.0.0.9]\nlisteners:\n  - {address: ":80", proxy-protocol: true, allow: [10.0.0.0/8]}\n'
        "routes:\n  - {path: /few, answer: {text: few}, allow: [192.0.2.0/24]}\n"
    )
    for address, status, words in (("192.0.2.1", 0, "200 OK"), ("203.0.113.9", 1, "403 Forbidden: The address 203.0.113.9")):
        result, text, _ = await command("explain", "http://a/few", "--config", file, "--address", address)
        assert result == status and words in text and "behind a proxy that sends PROXY headers" in text


# Real ones


async def listens(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


@contextlib.asynccontextmanager
async def haproxy(folder: pathlib.Path, text: str, port: int):
    file = folder / "haproxy.cfg"
    file.write_text(f"defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n{text}")
    async with program("haproxy", "-db", "-f", file, answers=lambda: until(lambda: listens(port))):
        yield


def recipe(**replaced: str) -> str:
    """HAProxy's configuration in README.md for TLS that ends here, with what has to be different."""
    text = re.findall(r"^```haproxy\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[1]
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("option", ["send-proxy-v2", "send-proxy", "send-proxy-v2 proxy-v2-options ssl,authority,unique-id"])
async def test_haproxy_in_front_passes_tls_on_and_names_the_client(option, tmp_path):
    async with proxied() as gateway:
        port = free_port()
        check = f"127.0.0.1:{gateway.secure[1]} check inter 50ms rise 1 fall 1"
        text = recipe(**{"bind :443": f"bind 127.0.0.1:{port}", "10.0.0.2:443 check": check, "send-proxy-v2": option})
        async with haproxy(tmp_path, text, port):
            # Its checks are connections, and no refusals.
            await gateway.events(2, "abandoned")
            for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
                url = f"wss://127.0.0.1:{port}/echo"
                async with client(url, local_addr=(address, 0)) as connection:
                    await connection.send("hello")
                    assert await within(connection.recv()) == "hello"
                assert (await gateway.event("open", client=address))["route"] == "/echo"
            assert gateway.log.matching("refused") == []


CHECKS = {
    "http": "    option httpchk GET /alive\n",
    "tcp": (
        "    option tcp-check\n    tcp-check connect send-proxy\n"
        "    tcp-check send GET\\ /alive\\ HTTP/1.1\\r\\nHost:\\ a\\r\\n\\r\\n\n    tcp-check expect string ok\n"
    ),
}


@pytest.mark.parametrize("kind", CHECKS)
async def test_a_check_of_haproxy_is_local_and_may_ask_for_a_page(tmp_path, kind):
    async with proxied(routes=[{"path": "/alive", "answer": {"text": "ok"}}], log={"format": "json", "requests": "all"}) as gateway:
        port, stats = free_port(), tmp_path / "stats.sock"
        text = (
            f"global\n    stats socket {stats}\nfrontend web\n    mode tcp\n    bind 127.0.0.1:{port}\n    default_backend gateway\n"
            f"backend gateway\n    mode tcp\n{CHECKS[kind]}"
            f"    server one 127.0.0.1:{gateway.plain[1]} check inter 50ms rise 1 fall 1 check-send-proxy\n"
            f"    server two 127.0.0.1:{gateway.plain[1]} send-proxy-v2 check inter 50ms rise 1 fall 1\n"
        )
        async with haproxy(tmp_path, text, port):
            records = await gateway.events(6, "request", path="/alive", status=200)
            # LOCAL, or what stands for it in version 1: the peer is the proxy.
            assert {record["client"] for record in records} == {"127.0.0.1"}
            reader, writer = await asyncio.open_unix_connection(str(stats))
            writer.write(b"show servers state gateway\n")
            lines = (await within(reader.read())).decode().split("\n")
            writer.close()
            # srv_op_state: 2 is up.
            assert [entry.split()[5] for entry in lines if " gateway " in entry] == ["2", "2"]
            assert gateway.log.matching("refused") == []


def nginx(folder: pathlib.Path, port: int) -> pathlib.Path:
    """Says which address it takes for the client's, and how many requests its connection had."""
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = folder / "nginx.conf"
    file.write_text(f"""daemon off; error_log stderr; pid {folder}/pid; events {{}}
        http {{ access_log off; {paths} keepalive_timeout 60s;
            server {{
                listen 127.0.0.1:{port} proxy_protocol;
                set_real_ip_from 127.0.0.1;
                real_ip_header proxy_protocol;
                location / {{ return 200 "$remote_addr $proxy_protocol_addr $connection_requests"; }}
            }}
        }}""")
    return file


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_haproxy_behind_a_bridge_sees_the_client(kind, version, tmp_path, authority):
    port = free_port()
    identity = authority.issue("localhost")
    pem = tmp_path / "both.pem"
    pem.write_text(identity.chain.read_text() + identity.key.read_text())
    tls = f" ssl crt {pem}" if kind == "tls" else ""
    text = (
        f"frontend web\n    mode http\n    bind 127.0.0.1:{port} accept-proxy{tls}\n"
        '    http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"\n'
    )
    settings = {**backend_url(kind, port), "send-proxy-protocol": version, "tls": {"verify": False}, "health": "connect"}
    if kind == "tcp":
        del settings["tls"]
    async with haproxy(tmp_path, text, port):
        async with Gateway(routes=[{"path": "/*", "backend": "app"}], backends={"app": settings}) as gateway:
            async with await raw.Connection.upgraded(gateway.plain, "/app") as connection:
                host, own = connection.writer.get_extra_info("sockname")
                await connection.send(raw.frame(raw.BINARY, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
                answer_bytes = b""
                while (frame := await connection.frame()).opcode != raw.CLOSE:
                    answer_bytes += frame.payload
        assert answer_bytes.endswith(f"\r\n\r\n{host} {own} {gateway.plain[0]} {gateway.plain[1]}".encode())


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_two_users_behind_haproxys_kept_connection_have_their_own_addresses_at_nginx(version, tmp_path):
    server, port = free_port(), free_port()
    arguments = ("nginx", "-p", tmp_path, "-c", nginx(tmp_path, server))
    async with program(*arguments, answers=lambda: until(lambda: listens(server))):
        routes = [{"path": "/*", "backend": "app", "http": "pass"}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{server}"], "send-proxy-protocol": version, "health": "http"}}
        keys = {"trusted-proxies": ["127.0.0.9"], "admin": "127.0.0.1:0"}
        async with Gateway(routes=routes, backends=backends, **keys) as gateway:
            text = (
                f"global\n    nbthread 1\nfrontend web\n    mode http\n    bind 127.0.0.1:{port}\n    default_backend gateway\n"
                "backend gateway\n    mode http\n    option forwardfor\n    http-reuse always\n    source 127.0.0.9\n"
                f"    server gateway 127.0.0.1:{gateway.plain[1]} pool-max-conn 1\n"
            )
            async with haproxy(tmp_path, text, port):
                for round_number in range(3):
                    for address in ("127.0.0.2", "127.0.0.3"):
                        async with await raw.Connection.open(("127.0.0.1", port), local_addr=(address, 0)) as user:
                            for request in (1, 2):
                                await user.send(get())
                                body = (await user.response()).body.decode()
                                assert body == f"{address} {address} {request}"
                async with admin(gateway) as session:
                    counted = await metrics(session)
                accepted = [value for (name, *_), value in counted.items() if name == "gateway_connections_total"]
                assert sum(accepted) == 1, "HAProxy keeps one connection"
