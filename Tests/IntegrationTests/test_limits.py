"""How many come in, and how fast: `limits` of routes, listeners and the gateway, and of sessions; `slow-consumer`."""

import asyncio
import contextlib
import struct
import time

import pytest

import raw
from admin import admin, metrics
from gateway_process import Gateway, command, insecure, until
from peers import TCPBackend, WebSocketBackend
from test_pass import request

ECHO = {"name": "echo", "path": "/echo", "backend": "echo"}
ALIVE = {"name": "alive", "path": "/alive", "answer": {"text": "ok"}}
BACKENDS = {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}}


def gateway(where: str, limits: dict, **keys) -> Gateway:
    """One with `limits` on its route, its listener, or of the whole gateway."""
    listener, routes, defaults = {"address": "127.0.0.1:0"}, [ECHO, ALIVE], {}
    if where == "route":
        # An answer opens no sessions.
        requests = {key: value for key, value in limits.items() if not key.startswith("sessions")}
        routes = [{**ECHO, "limits": limits}, {**ALIVE, "limits": requests}]
    elif where == "listener":
        listener["limits"] = limits
    else:
        defaults = {"limits": limits}
    return Gateway(
        **{
            "routes": routes, "backends": BACKENDS, "admin": "127.0.0.1:0", "listeners": [listener],
            "defaults": defaults, **keys,
        }
    )


class Clients(contextlib.AsyncExitStack):
    """Connections that stay open until the end."""

    async def ask(self, address, bytes: bytes, **options) -> raw.Response:
        connection = await self.enter_async_context(await raw.Connection.open(address, **options))
        await connection.send(bytes)
        return await connection.response()

    async def status(self, address, bytes: bytes | None = None, **options) -> int:
        return (await self.ask(address, bytes or raw.upgrade(), **options)).status


def of(client: str) -> bytes:
    """An upgrade that a proxy passes on for this client."""
    return raw.upgrade("/echo", f"X-Forwarded-For: {client}")


# Sessions


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("where", ["route", "listener", "gateway"])
async def test_sessions_are_limited(where, workers):
    async with gateway(where, {"sessions": 3}, workers=workers) as running, Clients() as clients:
        assert [await clients.status(running.plain) for _ in range(3)] == [101] * 3
        answer = await clients.ask(running.plain, raw.upgrade(), local_addr=("127.0.0.2", 0))
        assert answer.status == 503
        assert answer.field("Retry-After") == "5"
        assert answer.body == b"As many sessions are open as are allowed. Try again later.\n"
        owner = {"route": "the route echo", "gateway": "the gateway"}.get(
            where, f"the listener 127.0.0.1:{running.plain[1]}"
        )
        refused = await running.event("refused", status=503)
        assert refused["reason"] == f"limits.sessions of {owner} is reached: 3."
        assert refused["route"] == "echo"
        # Plain requests are none.
        assert await clients.status(running.plain, request("GET /alive")) == 200
        async with admin(running) as session:
            samples = await metrics(session)
        label = ("limit", "sessions"), ("of", where), ("route", "echo")
        assert samples["gateway_limits_reached_total", *label] == 1
        assert samples["gateway_handshakes_total", ("result", "503"), ("route", "echo")] == 1


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("where", ["route", "listener", "gateway"])
async def test_sessions_of_an_address_are_limited(where, workers):
    async with gateway(where, {"sessions-per-address": 2}, workers=workers) as running, Clients() as clients:
        assert [await clients.status(running.plain) for _ in range(4)] == [101, 101, 429, 429]
        other = {"local_addr": ("127.0.0.2", 0)}
        assert [await clients.status(running.plain, **other) for _ in range(3)] == [101, 101, 429]
        answer = await clients.ask(running.plain, raw.upgrade())
        assert answer.field("Retry-After") == "5"
        assert "limits.sessions-per-address" in (await running.event("refused", status=429))["reason"]


async def test_a_session_that_ends_makes_room_however_it_ends():
    limits = {"sessions": 1, "sessions-per-address": 1}
    async with gateway("gateway", limits, workers=2) as running:
        for end in ["close", "reset", "refused"] * 2:
            async with Clients() as clients:
                if end == "refused":
                    # Not a session: a method that no session has.
                    assert await clients.status(running.plain, raw.upgrade(method="POST")) == 405
                    continue
                connection = await until(lambda: opened(running))
                assert await clients.status(running.plain) in (429, 503)
                if end == "close":
                    await connection.send(raw.close(1000))
                    assert (await connection.closing()).code == 1000
                    connection.writer.close()
                else:
                    connection.reset()


async def opened(running) -> raw.Connection | None:
    connection = await raw.Connection.open(running.plain)
    await connection.send(raw.upgrade())
    if (await connection.response()).status == 101:
        return connection
    connection.writer.close()
    return None


async def test_a_session_that_cannot_be_opened_does_not_count():
    # Nobody listens there.
    backends = {"echo": {"websocket": ["ws://127.0.0.1:1"]}}
    async with gateway("route", {"sessions": 1}, backends=backends) as running, Clients() as clients:
        assert [await clients.status(running.plain) for _ in range(5)] == [502] * 5


async def test_all_limits_hold_at_once():
    async with gateway(
        "gateway", {"sessions": 4},
        listeners=[{"address": "127.0.0.1:0", "limits": {"sessions": 3}}, {"address": "127.0.0.1:0"}],
        routes=[{**ECHO, "limits": {"sessions-per-address": 2}}, {"path": "/other", "backend": "echo"}],
    ) as running, Clients() as clients:
        first, second = running.addresses
        other = raw.upgrade("/other")
        assert [await clients.status(first) for _ in range(3)] == [101, 101, 429]
        assert [await clients.status(first, other) for _ in range(2)] == [101, 503]
        assert [await clients.status(second, other) for _ in range(2)] == [101, 503]


# Whose address


async def test_behind_a_proxy_its_client_counts_and_an_ipv6_address_is_its_64():
    limits = {"sessions-per-address": 1}
    async with gateway("route", limits, **{"trusted-proxies": ["127.0.0.1"]}) as running, Clients() as clients:
        answers = [
            (client, await clients.status(running.plain, of(client)))
            for client in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "203.0.113.7", "203.0.113.8", "203.0.113.7"]
        ]
        assert [status for _, status in answers] == [101, 429, 101, 101, 101, 429]
        # The proxy itself does not count.
        assert [await clients.status(running.plain) for _ in range(3)] == [101] * 3


async def test_what_a_stranger_says_of_its_client_does_not_count():
    async with gateway("route", {"sessions-per-address": 1}) as running, Clients() as clients:
        answers = [await clients.status(running.plain, of(f"203.0.113.{number}")) for number in range(3)]
        assert answers == [101, 429, 429]


# Requests


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("where", ["route", "listener", "gateway"])
async def test_upgrade_requests_of_an_address_are_limited(where, workers):
    # So slow that no second request comes in time.
    async with gateway(where, {"handshakes-per-address": "0.01/s"}, workers=workers) as running, Clients() as clients:
        assert await clients.status(running.plain) == 101
        answer = await clients.ask(running.plain, raw.upgrade())
        assert answer.status == 429
        assert 90 < int(answer.field("Retry-After")) <= 100
        assert await clients.status(running.plain, local_addr=("127.0.0.2", 0)) == 101
        # Other requests are not upgrades.
        assert [await clients.status(running.plain, request("GET /alive")) for _ in range(3)] == [200] * 3
        reason = (await running.event("refused", status=429))["reason"]
        assert reason.startswith("limits.handshakes-per-address of the ") and reason.endswith(" is reached: 0.01/s.")


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("where", ["route", "listener", "gateway"])
async def test_other_requests_of_an_address_are_limited(where, workers):
    async with gateway(where, {"requests-per-address": "0.01/s"}, workers=workers) as running, Clients() as clients:
        alive = request("GET /alive")
        assert [await clients.status(running.plain, alive) for _ in range(3)] == [200, 429, 429]
        assert [await clients.status(running.plain) for _ in range(3)] == [101] * 3
        async with admin(running) as session:
            label = ("limit", "requests-per-address"), ("of", where), ("route", "alive")
            assert (await metrics(session))["gateway_limits_reached_total", *label] == 2


async def test_a_second_s_worth_of_requests_may_come_at_once():
    async with gateway("gateway", {"requests-per-address": "20/s"}, workers=2) as running, Clients() as clients:
        alive = request("GET /alive")
        began = time.monotonic()
        answers = [await clients.status(running.plain, alive) for _ in range(60)]
        served = answers.count(200)
        assert set(answers) == {200, 429}
        assert answers[:20] == [200] * 20
        assert served <= 20 + 20 * (time.monotonic() - began)


async def test_requests_on_one_connection_count_each():
    async with gateway("route", {"requests-per-address": "0.01/s"}) as running:
        async with await raw.Connection.open(running.plain) as connection:
            await connection.send(request("GET /alive") * 2)
            assert (await connection.response()).status == 200
            answer = await connection.response()
            assert (answer.status, answer.field("Connection")) == (429, "close")
            assert await connection.end() == b""


async def test_a_request_that_is_refused_takes_nothing_from_other_limits():
    alive = {**ALIVE, "limits": {"requests-per-address": "0.01/s"}}
    other = {"path": "/other", "answer": {"text": "ok"}}
    listeners = [{"address": "127.0.0.1:0", "limits": {"requests-per-address": "3/s"}}]
    async with gateway("gateway", {}, routes=[alive, other], listeners=listeners) as running, Clients() as clients:
        answers = [await clients.status(running.plain, request("GET /alive")) for _ in range(10)]
        assert answers == [200] + [429] * 9
        # Two of the three are left at least.
        assert [await clients.status(running.plain, request("GET /other")) for _ in range(2)] == [200, 200]


async def test_requests_without_a_route_count_too():
    async with gateway("listener", {"requests-per-address": "0.01/s"}) as running, Clients() as clients:
        nowhere = request("GET /nowhere")
        assert [await clients.status(running.plain, nowhere) for _ in range(2)] == [404, 429]
        head = await clients.enter_async_context(await raw.Connection.open(running.plain))
        await head.send(request("HEAD /nowhere"))
        lines = await head.head()
        assert " 429 " in lines[0]
        assert await head.end() == b""


# Rates of messages

ROUTES = {
    "echo": {"path": "/room", "backend": "echo"},
    "broadcast": {"path": "/room", "backend": "rooms"},
    "relay": {"path": "/room", "backend": "relay"},
    "bridge": {"path": "/room", "backend": "bridge"},
}


class Rated:
    """A gateway with a route of each kind, whose other side sends everything back."""

    def __init__(self, kind: str, limits: dict, **keys):
        self.route = {**ROUTES[kind], "name": kind, "limits": limits}
        self.keys = keys

    async def __aenter__(self) -> Gateway:
        self.stack = contextlib.AsyncExitStack()
        relay = await self.stack.enter_async_context(WebSocketBackend())
        bridge = await self.stack.enter_async_context(TCPBackend())
        backends = {**BACKENDS, "relay": relay.configuration(), "bridge": bridge.configuration()}
        self.gateway = Gateway(
            **{"routes": [self.route], "backends": backends, "admin": "127.0.0.1:0", **self.keys}
        )
        self.gateway.relay = relay
        return await self.stack.enter_async_context(self.gateway)

    async def __aexit__(self, *error):
        await self.stack.aclose()


async def payload(client: raw.Connection, count: int) -> bytes:
    """So many bytes of payload of messages."""
    data = b""
    while len(data) < count:
        data += (await client.frame()).payload
    return data


@pytest.mark.parametrize("kind", ROUTES)
async def test_messages_that_come_too_early_wait(kind):
    async with Rated(kind, {"messages-per-second": 20}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            began = time.monotonic()
            messages = [struct.pack("!I", number) for number in range(40)]
            await client.send(b"".join(raw.frame(raw.BINARY, message) for message in messages))
            got = b""
            while len(got) < 160:
                got += (await client.frame()).payload
                # The bucket, and what flowed in since then.
                assert len(got) // 4 <= 20 + 20 * (time.monotonic() - began), got
            assert got == b"".join(messages)
            assert time.monotonic() - began >= 0.95
            async with admin(running) as session:
                label = ("limit", "messages-per-second"), ("of", "session"), ("route", kind)
                assert (await metrics(session))["gateway_limits_reached_total", *label] == 1


@pytest.mark.parametrize("kind", ["echo", "relay"])
async def test_bytes_that_come_too_early_wait(kind):
    async with Rated(kind, {"bytes-per-second": "10000"}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            began = time.monotonic()
            await client.send(raw.frame(raw.BINARY, raw.pattern(2500)) * 8)
            for number in range(8):
                await payload(client, 2500)
                assert 2500 * (number + 1) <= 10000 + 10000 * (time.monotonic() - began) + 1, number
            assert time.monotonic() - began >= 0.95


@pytest.mark.parametrize("kind", ["echo", "relay"])
async def test_rates_hold_with_tls(kind):
    async with Rated(kind, {"messages-per-second": 20}) as running:
        async with await raw.Connection.upgraded(running.secure, "/room", ssl=insecure()) as client:
            began = time.monotonic()
            message = raw.pattern(20 << 10)
            await client.send(raw.frame(raw.BINARY, message) * 30)
            for number in range(30):
                assert (await client.frame()).payload == message
                assert number + 1 <= 20 + 20 * (time.monotonic() - began), number


async def test_a_message_larger_than_the_bucket_passes_and_is_made_up_for():
    async with Rated("relay", {"bytes-per-second": "1000"}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            began = time.monotonic()
            large = raw.pattern(2500)
            await client.send(raw.frame(raw.BINARY, large) + raw.frame(raw.TEXT, b"x"))
            assert await payload(client, 2500) == large
            assert await payload(client, 1) == b"x"
            assert time.monotonic() - began >= 1.5


@pytest.mark.parametrize("kind", ["echo", "relay"])
async def test_pings_do_not_count_and_do_not_overtake(kind):
    async with Rated(kind, {"messages-per-second": 2}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            await client.send(raw.frame(raw.PING, b"p") * 50 + raw.frame(raw.TEXT, b"m") * 3 + raw.frame(raw.PING, b"q"))
            got = [await client.frame() for _ in range(54)]
            opcodes = [one.opcode for one in got if one.opcode != raw.PING]
            assert opcodes.count(raw.TEXT) == 3
            assert got[-1].payload == b"q" or got[-1].opcode == raw.TEXT


@pytest.mark.parametrize("kind", ROUTES)
async def test_a_client_that_is_too_fast_can_be_closed(kind):
    limits = {"messages-per-second": 5, "over-rate": "close"}
    async with Rated(kind, limits) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            await client.send(raw.frame(raw.TEXT, b"1234") * 6)
            data = b""
            while (got := await client.frame()).opcode != raw.CLOSE:
                data += got.payload
            assert (got.code, got.payload[2:]) == (1008, b"messages were sent too fast")
            # What was within the limit has gone on; an answer may come after the Close, and then is not sent.
            assert len(data) <= 20 and data == b"1234" * (len(data) // 4)
            if kind == "echo":
                assert len(data) == 20
            record = await running.closed(cause="rate-limit", by="gateway", code=1008)
            assert record["detail"] == "more came than limits.messages-per-second: 5 allows"
            if kind in ("relay", "bridge"):
                assert record["messages_to_backend"] == 5


async def test_a_backend_hears_1001_of_a_client_that_is_too_fast():
    async with Rated("relay", {"bytes-per-second": 10, "over-rate": "close"}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            # Both in one message: the second frame is too early.
            await client.send(raw.frame(raw.TEXT, b"12345678", fin=False) + raw.frame(raw.CONTINUATION, b"12345678"))
            assert (await client.closing()).code == 1008
            assert (await running.relay.closed())[0] == 1001


@pytest.mark.parametrize("size", [1, 7])
async def test_frames_in_pieces_count_once(size):
    async with Rated("relay", {"messages-per-second": 3, "over-rate": "close"}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            data = raw.frame(raw.TEXT, b"a" * 200) + raw.frame(raw.PING, b"p") + raw.frame(raw.BINARY, b"b" * 3)
            for start in range(0, len(data), size):
                await client.send(data[start : start + size])
            got = [await client.frame() for _ in range(3)]
            assert sorted(len(one.payload) for one in got) == [1, 3, 200]
            await client.send(raw.frame(raw.TEXT, b"c") * 2)
            assert (await client.closing()).code == 1008


async def test_a_client_that_closes_while_its_messages_wait_is_answered_behind_them():
    async with Rated("relay", {"messages-per-second": 4}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            await client.send(raw.frame(raw.TEXT, b"m") * 6 + raw.close(1000))
            assert (await client.closing()).code == 1000
            record = await running.closed(cause="client-closed", code=1000)
            assert record["messages_to_backend"] == 6


async def test_a_drain_does_not_wait_for_messages_that_wait():
    async with Rated("relay", {"messages-per-second": 1}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            await client.send(raw.frame(raw.TEXT, b"m") * 100 + raw.close(1000))
            await client.frame()
            async with admin(running) as session:
                rows = (await (await session.get("/api/sessions")).json())["sessions"]
                assert len(rows) == 1
                await session.post(f"/api/sessions/{rows[0]['id']}/close")
            assert (await client.closing()).code == 1008
            # Its Close was behind what waited.
            record = await running.closed(cause="admin")
            assert record["messages_to_backend"] < 10


async def test_a_client_that_waits_is_not_read():
    async with Rated("relay", {"messages-per-second": 1}) as running:
        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            sending = asyncio.create_task(client.send(raw.frame(raw.BINARY, bytes(1000)) * (64 << 10)))
            assert await payload(client, 3000) == bytes(3000)
            # Two seconds have passed, and most of it is not even read.
            assert not sending.done()
            async with admin(running) as session:
                queued = (await metrics(session))["gateway_memory_bytes", ("kind", "queued")]
            assert 0 < queued < 1 << 20
            sending.cancel()


@pytest.mark.parametrize("kind", ["relay", "bridge", "broadcast"])
async def test_a_reload_changes_the_rates_of_sessions_that_are_open(kind):
    async with Rated(kind, {}) as running:
        route = running.configuration["routes"][0]

        async def reload(**limits):
            await running.reload(routes=[{**route, "limits": limits}])

        async with await raw.Connection.upgraded(running.plain, "/room") as client:
            # Half a frame before it, half after it.
            data = raw.frame(raw.TEXT, b"first message")
            await client.send(data[:9])
            await client.send(b"")
            await reload(**{"messages-per-second": 2})
            began = time.monotonic()
            await client.send(data[9:] + raw.frame(raw.TEXT, b"m") * 4)
            assert await payload(client, 17) == b"first messagemmmm"
            assert time.monotonic() - began >= 0.9
            # So slow that nothing would come.
            await client.send(raw.frame(raw.TEXT, b"n") * 200)
            got = await payload(client, 1)
            await reload()
            assert got + await payload(client, 200 - len(got)) == b"n" * 200
            await client.send(raw.frame(raw.TEXT, b"o") * 500)
            assert await payload(client, 500) == b"o" * 500
            await reload(**{"messages-per-second": 10, "over-rate": "close"})
            await client.send(raw.frame(raw.TEXT, b"p") * 30)
            assert (await client.closing()).code == 1008


# Reload of counts


async def test_a_reload_counts_the_sessions_that_are_there():
    def routes(**limits):
        return [{**ECHO, "limits": limits}, ALIVE]

    async with gateway("route", {}, workers=2) as running, Clients() as clients:
        assert [await clients.status(running.plain) for _ in range(3)] == [101] * 3
        await running.reload(routes=routes(sessions=3))
        assert await clients.status(running.plain) == 503
        await running.reload(routes=routes(**{"sessions-per-address": 4}))
        assert [await clients.status(running.plain) for _ in range(2)] == [101, 429]
        # A lower limit closes nothing.
        await running.reload(routes=routes(sessions=1))
        assert await clients.status(running.plain) == 503
        async with admin(running) as session:
            rows = (await (await session.get("/api/sessions")).json())["sessions"]
            assert len([row for row in rows if row["phase"] == "serve"]) == 4
        await running.reload(routes=routes())
        assert await clients.status(running.plain) == 101


# Rooms


async def test_a_member_that_reads_too_slowly_misses_the_oldest_messages():
    backends = {"rooms": {"builtin": "broadcast", "slow-consumer": "drop-oldest"}}
    routes = [{"name": "room", "path": "/room", "backend": "rooms"}]
    async with Gateway(
        routes=routes, backends=backends, admin="127.0.0.1:0", defaults={"limits": {"queue": "256KiB"}}
    ) as running:
        async with (
            await raw.Connection.upgraded(running.plain, "/room") as sender,
            await raw.Connection.upgraded(running.plain, "/room") as sleeper,
        ):
            sleeper.reader._transport.pause_reading()
            await running.events(2, "open")
            for number in range(600):
                message = struct.pack("!I", number) + bytes(64 << 10)
                await sender.send(raw.frame(raw.BINARY, message))
                assert (await sender.frame()).payload == message
            async with admin(running) as session:
                dropped = (await metrics(session))["gateway_dropped_messages_total", ("route", "room")]
                queued = (await metrics(session))["gateway_memory_bytes", ("kind", "queued")]
            assert dropped > 0
            assert queued < 1 << 20
            sleeper.reader._transport.resume_reading()
            got = [struct.unpack("!I", (await sleeper.frame()).payload[:4])[0]]
            while got[-1] != 599:
                got.append(struct.unpack("!I", (await sleeper.frame()).payload[:4])[0])
            # In order, each once, with one gap before the newest.
            assert got == sorted(set(got))
            assert len(got) == 600 - dropped
            gaps = [(one, other) for one, other in zip(got, got[1:]) if other != one + 1]
            assert len(gaps) == 1
            await sender.send(raw.frame(raw.TEXT, b"still here"))
            assert (await sleeper.frame()).payload == b"still here"
            assert not running.log.matching("close")


# Explain


async def test_explain_says_which_limits_would_refuse():
    routes = [{**ECHO, "limits": {"sessions": 5, "messages-per-second": 3, "over-rate": "close"}}]
    async with gateway("gateway", {"handshakes-per-address": "10/s", "requests-per-address": 7}, routes=routes) as running:
        status, output, _ = await command(
            "explain", "--config", running.file, f"ws://127.0.0.1:{running.plain[1]}/echo"
        )
        assert status == 0
        assert "  unless       429: limits.handshakes-per-address of the gateway is reached: 10/s\n" in output
        assert "  unless       503: limits.sessions of the route is reached: 5\n" in output
        assert "  rates        messages-per-second: 3, over-rate: close\n" in output
        assert "requests-per-address" not in output
