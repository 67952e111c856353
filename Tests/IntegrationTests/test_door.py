"""Connections that do not become sessions: silent ones, those that end at once, and those that are refused again and again."""

import asyncio
import contextlib
import socket
import ssl

import pytest

import raw
from admin import admin, metrics, read
from gateway_process import Gateway, insecure, within
from peers import reset

ECHO = {
    "admin": "127.0.0.1:0",
    "routes": [
        {"path": "/echo", "backend": "echo", "origins": "any"},
        {"path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
        {"path": "/", "page": "console"},
    ],
    "backends": {"echo": {"builtin": "echo"}},
}


class ByHand:
    """A TLS client that sends each flight of its handshake by a call."""

    def __init__(self):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = insecure().wrap_bio(self.incoming, self.outgoing)

    def flight(self, received: bytes = b"") -> bytes:
        """The next flight of the handshake, after these bytes were received."""
        self.incoming.write(received)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()

    async def last_flight(self, connection: raw.Connection) -> bytes:
        """Makes the handshake up to the last flight, and returns that unsent."""
        await connection.send(self.flight())
        last = b""
        while not last:
            data = await within(connection.reader.read(1 << 16))
            assert data, "it was sent away"
            last = self.flight(data)
        return last

    def encrypt(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.outgoing.read()

    def decrypt(self, received: bytes) -> bytes:
        self.incoming.write(received)
        plain = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := self.tls.read(1 << 16):
                plain += data
        return plain


# Hanging up in the TLS handshake


async def test_connections_that_are_reset_leave_the_line_of_handshakes():
    async with Gateway(**ECHO) as gateway:
        hello = ByHand().flight()
        for _ in range(20):
            # More than have their turn at once.
            crowd = [await raw.Connection.open(gateway.secure) for _ in range(50)]
            for connection in crowd:
                connection.writer.write(hello)
            for connection in crowd:
                connection.reset()
        async with await raw.Connection.upgraded(gateway.secure, ssl=insecure()) as client:
            await client.send(raw.frame(raw.TEXT, b"hello"))
            assert await client.frame() == raw.Frame(raw.TEXT, b"hello")
        async with admin(gateway) as session:
            assert (await read(session, "/api/sessions"))["sessions"] == []
            counted = await metrics(session)
        assert counted[("gateway_handshakes_total", ("result", "abandoned"), ("route", "-"))] == 1000
        assert counted[("gateway_handshakes_waiting",)] == 0
        assert counted[("gateway_handshake_wait_seconds_count",)] >= 2


async def test_a_hello_and_an_end_is_no_handshake():
    async with Gateway(**ECHO, log={"format": "json", "level": "debug"}) as gateway:
        async with await raw.Connection.open(gateway.secure) as connection:
            connection.writer.write(ByHand().flight())
            connection.finish()
            await connection.lost()
        assert (await gateway.event("abandoned"))["phase"] == "tls-handshake"


async def test_an_end_right_behind_the_handshake_and_a_request_is_heard_after_them():
    async with Gateway(**ECHO) as gateway, await raw.Connection.open(gateway.secure) as connection:
        client = ByHand()
        last = await client.last_flight(connection)
        connection.writer.write(last + client.encrypt(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
        connection.finish()
        answer = b""
        while data := await within(connection.reader.read(1 << 16)):
            answer += client.decrypt(data)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"</html>\n")


@pytest.mark.parametrize("how", ["alert", "end", "reset"])
async def test_a_backend_that_hangs_up_in_its_tls_handshake(how):
    async def hang_up(reader, writer):
        await reader.read(1 << 16)
        if how == "alert":
            # Fatal, handshake_failure.
            writer.write(bytes([21, 3, 3, 0, 2, 2, 40]))
        if how == "reset":
            return reset(writer)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backends = {"app": {"websocket": [f"wss://127.0.0.1:{port}"], "tls": {"verify": False}}}
    async with server, Gateway(routes=[{"path": "/app", "backend": "app"}], backends=backends) as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
        reason = (await gateway.event("refused"))["reason"]
        assert "TLS:" in reason and ("alert" in reason) == (how == "alert"), reason


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("tls", [False, True])
async def test_whoever_leaves_in_the_middle_of_a_request_is_gone_at_once(tls, how):
    async with Gateway(**ECHO, log={"format": "json", "level": "debug"}) as gateway:
        address = gateway.secure if tls else gateway.plain
        async with await raw.Connection.open(address, ssl=insecure() if tls else None) as connection:
            await connection.send(raw.upgrade()[:-2])
            transport = connection.writer.transport
            if how == "reset":
                connection.reset()
            else:
                transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
            assert (await gateway.event("abandoned"))["phase"] == "request-head"
            async with admin(gateway) as session:
                assert (await read(session, "/api/sessions"))["sessions"] == []


# Silence


class Flood:
    """Silent connections from one address. When one is closed, another is opened."""

    def __init__(self, address: tuple[str, int], count: int, *, source: str):
        self.address, self.count, self.source = address, count, source
        self.ended = 0
        self._changed = asyncio.Condition()

    async def _silence(self, connected: asyncio.Semaphore):
        while True:
            reader, writer = await asyncio.open_connection(*self.address, local_addr=(self.source, 0))
            connected.release()
            with contextlib.suppress(OSError):
                await reader.read()
            writer.transport.abort()
            async with self._changed:
                self.ended += 1
                self._changed.notify_all()

    async def more(self, count: int):
        """Waits until this many more of them were closed."""
        goal = self.ended + count
        async with self._changed:
            await within(self._changed.wait_for(lambda: self.ended >= goal))

    async def __aenter__(self):
        connected = asyncio.Semaphore(0)
        self._tasks = [asyncio.create_task(self._silence(connected)) for _ in range(self.count)]
        for _ in self._tasks:
            await within(connected.acquire())
        return self

    async def __aexit__(self, *error):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def paced(flood: Flood, address: tuple[str, int], *, tls: bool):
    """Plays a client that is far away: before each of its flights the flood opens more connections. Returns when it has its echo."""
    async with await raw.Connection.open(address, local_addr=("127.0.0.2", 0)) as connection:
        client = ByHand() if tls else None
        if client:
            await flood.more(20)
            last = await client.last_flight(connection)
            await flood.more(20)
            await connection.send(last)
        request = raw.upgrade()
        for part in (request[:40], request[40:]):
            await flood.more(20)
            await connection.send(client.encrypt(part) if client else part)
        await connection.send(client.encrypt(raw.frame(raw.TEXT, b"hello")) if client else raw.frame(raw.TEXT, b"hello"))
        got = b""
        while b"hello" not in got:
            data = await within(connection.reader.read(1 << 16))
            assert data, "it was sent away"
            got += client.decrypt(data) if client else data
        assert got.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("tls", [False, True])
async def test_silent_connections_keep_nobody_out(tls, workers):
    wrapper = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
    timeouts = {"defaults": {"timeouts": {"handshake": "60s"}}}
    async with Gateway(**ECHO, **timeouts, workers=workers, wrapper=wrapper) as gateway:
        address = gateway.secure if tls else gateway.plain
        async with await raw.Connection.upgraded(gateway.plain) as old:
            before = gateway.open_files()
            async with Flood(address, 250, source="127.0.0.1") as flood:
                await paced(flood, address, tls=tls)
                # A quarter of the descriptors are the flood's, and those of the three connections here.
                assert gateway.open_files() <= before + 64 + 3
                await old.send(raw.frame(raw.TEXT, b"still here"))
                assert await old.frame() == raw.Frame(raw.TEXT, b"still here")
            async with admin(gateway) as session:
                counted = await metrics(session)
            evicted = counted[("gateway_handshakes_total", ("result", "evicted"), ("route", "-"))]
            assert evicted >= 60
        paused = await gateway.event("accept-paused")
        assert "share" in paused["reason"] and paused["open_files_limit"] == 256
        assert 64 <= paused.get("open_files", 64) <= 256
        assert all(record["client"] == "127.0.0.1" for record in gateway.log.matching("evicted"))


async def test_silent_connections_make_room_where_sessions_have_nearly_all():
    wrapper = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
    timeouts = {"defaults": {"timeouts": {"handshake": "60s"}}}
    async with Gateway(**ECHO, **timeouts, wrapper=wrapper) as gateway, contextlib.AsyncExitStack() as stack:
        # 64 descriptors are reserved, and there are two for each of 96.
        for _ in range(93):
            await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain))
        for _ in range(3):
            await stack.enter_async_context(await raw.Connection.open(gateway.plain))
        async with await raw.Connection.upgraded(gateway.plain):
            evicted = await gateway.event("evicted")
            assert evicted["phase"] == "request-head" and evicted["age"] > 1
        paused = await gateway.event("accept-paused")
        assert "two legs" in paused["reason"] and paused.get("open_files", 96) < paused["open_files_limit"] == 256


# Being refused


async def refusals(gateway: Gateway, count: int, path="/closed", *fields: str, source="127.0.0.1", status=403):
    """Sends this many requests that are refused, each with another Origin."""
    for number in range(count):
        async with await raw.Connection.open(gateway.plain, local_addr=(source, 0)) as connection:
            await connection.send(raw.upgrade(path, f"Origin: https://{number}.example", *fields))
            assert (await connection.response()).status == status


async def test_refusals_that_are_alike_are_summed_up():
    async with Gateway(**ECHO) as gateway:
        await refusals(gateway, 35)
        await refusals(gateway, 12, "/nowhere", status=404)
        await refusals(gateway, 3, source="127.0.0.2")
        async with admin(gateway) as session:
            counted = await metrics(session)
        assert counted[("gateway_handshakes_total", ("result", "403"), ("route", "/closed"))] == 38
        assert counted[("gateway_handshakes_total", ("result", "404"), ("route", "-"))] == 12
    refused = gateway.log.matching("refused")
    whole = [record for record in refused if "more" not in record]
    assert len(whole) == 10 + 10 + 3
    compared = "is not allowed here: `origins` of the route are [https://a.example]."
    assert whole[0]["reason"] == f"The Origin https://0.example {compared}"
    assert len({record["session"] for record in whole}) == len(whole)
    more = [{key: value for key, value in record.items() if key != "time"} for record in refused if "more" in record]
    line = {"level": "info", "event": "refused", "client": "127.0.0.1"}
    assert more == [
        {**line, "route": "/closed", "status": 403, "reason": f"The Origin … {compared}", "more": 25},
        {**line, "route": "-", "status": 404, "reason": "Nothing is served at ….", "more": 2},
    ]


async def test_refusals_behind_a_trusted_proxy_are_those_of_its_clients():
    async with Gateway(**ECHO, **{"trusted-proxies": ["127.0.0.0/8"]}) as gateway:
        for number in range(12):
            await refusals(gateway, 1, "/closed", f"X-Forwarded-For: 192.0.2.{number}")
        await refusals(gateway, 12, "/closed", "X-Forwarded-For: 2001:db8::1")
        await refusals(gateway, 12, "/closed", "X-Forwarded-For: 2001:db8::2")
    refused = gateway.log.matching("refused")
    assert {f"192.0.2.{number}" for number in range(12)} <= {record["client"] for record in refused}
    (more,) = [record for record in refused if "more" in record]
    assert (more["client"], more["more"]) == ("2001:db8::/64", 14)


async def test_an_origin_that_none_can_be_is_refused_and_makes_no_long_line():
    async with Gateway(**ECHO) as gateway:
        origin = "https://" + "é" * 7000
        for path in ("/echo", "/nowhere"):
            response = await raw.ask(gateway.plain, raw.upgrade(path, f"Origin: {origin}"))
            assert response.status == 400 and b"an Origin of more than 512 bytes" in response.body
        (record, _) = await gateway.events(2, "refused")
        assert record["route"] == "-" and record["origin"].endswith("…")
        assert len(record["origin"].encode()) <= 512 + len("…".encode())
        # The longest that there is is looked at whole, also by a reload.
        longest = "https://" + ".".join(["x" * 62] * 4) + ":65535"
        async with await raw.Connection.upgraded(gateway.plain, "/echo", f"Origin: {longest}") as client:
            routes = [{"path": "/echo", "backend": "echo", "origins": [longest]}]
            await gateway.reload(routes=routes)
            await client.send(raw.frame(raw.TEXT, b"still here"))
            assert await client.frame() == raw.Frame(raw.TEXT, b"still here")


async def test_what_a_client_chose_is_cut_where_it_is_shown():
    async with Gateway(**ECHO) as gateway:
        name = "x" * 5000
        async with await raw.Connection.upgraded(gateway.plain, "/echo", f"Sec-WebSocket-Protocol: {name}"):
            shown = name[:512] + "…"
            assert (await gateway.event("open"))["subprotocol"] == shown
            async with admin(gateway) as session:
                (row,) = (await read(session, "/api/sessions"))["sessions"]
                assert row["subprotocol"] == shown
            # What is decided by it is decided by the whole.
            await gateway.reload(routes=[{"path": "/echo", "backend": "echo", "subprotocols": [name]}])
            assert not gateway.log.matching("close")
        await raw.ask(gateway.plain, raw.upgrade("/" + "y" * 9000))
        reason = (await gateway.event("refused"))["reason"]
        assert "…" in reason and len(reason) < 512
