"""What a watched gateway shows: events as they happen, and the last closes and refusals."""

import asyncio
import contextlib
import json
import re
import signal

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import raw
from admin import admin, admin_address, gateway, read
from confidential import secret
from gateway_process import Gateway, until, within
from peers import WebSocketBackend, client, refusing_port, relay

KEPT = 1000
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
ECHO = {"routes": [{"path": "/echo", "backend": "echo"}], "backends": {"echo": {"builtin": "echo"}}}


class Events:
    """A listener at /api/events, and all that it was told."""

    def __init__(self, socket):
        self.socket = socket
        self.told: list[dict] = []

    async def next(self, event: str, **fields) -> dict:
        """The next such event."""
        async with asyncio.timeout(20):
            while True:
                told = json.loads(await self.socket.recv())
                self.told.append(told)
                assert re.fullmatch(TIME, told["at"])
                if told["event"] == event and all(told[key] == value for key, value in fields.items()):
                    return told

    async def end(self) -> tuple[int, str]:
        """The code and the reason of the gateway's Close."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(20):
                while True:
                    self.told.append(json.loads(await self.socket.recv()))
        return self.socket.close_code, self.socket.close_reason


@contextlib.asynccontextmanager
async def listening(running: Gateway, **options):
    async with client(f"ws://{await admin_address(running)}/api/events", **options) as socket:
        yield Events(socket)


async def session(running: Gateway, path: str = "/echo", messages: int = 0):
    """A session that says this many messages, and closes."""
    async with client(running.ws(path)) as socket:
        for _ in range(messages):
            await socket.send("four")
            await socket.recv()


# --- Events


async def test_a_session_is_told_of_when_it_opens_and_when_it_closes():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        async with client(running.ws(f"/echo?token={secret('token')}")) as socket:
            opened = await events.next("open")
            await socket.close(4000, "enough")
        closed = await events.next("close")
        assert opened["session"] == closed["session"] and opened["route"] == "echo" and opened["backend"] == "echo"
        assert (closed["cause"], closed["code"], closed["by"]) == ("client-closed", "4000", "client")
        # The fields are those of the log.
        logged = await running.event("close")
        assert closed == {"event": "close", "at": logged.pop("time"), **{key: logged[key] for key in logged if key != "level"}}


async def test_a_refusal_is_told_of():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        await raw.ask(running.plain, raw.upgrade("/none"))
        refused = await events.next("refused")
        assert refused["status"] == 404 and refused["client"] == "127.0.0.1" and refused["reason"]


async def test_a_reload_is_told_of_whether_it_is_applied_or_refused():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        await running.reload()
        applied = await events.next("reload")
        assert (applied["result"], applied["routes"], applied["closing"]) == ("applied", 3, 0)
        running.write(routes=[{"path": "/echo", "backend": "nowhere"}])
        running.signal(signal.SIGHUP)
        refused = await events.next("reload")
        assert refused["result"] == "refused" and "nowhere" in refused["reason"]


async def test_a_change_of_health_is_told_of():
    reservation, port = refusing_port()
    with reservation:
        settings = {"websocket": [f"ws://127.0.0.1:{port}"], "health": {"check": "connect", "fall": 10}}
        async with relay(settings, admin="127.0.0.1:0") as running, listening(running) as events:
            async with admin(running) as http, http.post("/api/drain", json={"backend": "app"}) as response:
                assert response.status == 200
            change = await events.next("health", to="draining")
            assert (change["backend"], change["endpoint"], change["from"]) == ("app", f"ws://127.0.0.1:{port}", "up")


async def test_an_operators_change_is_told_of():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        async with client(running.ws("/echo")) as socket, admin(running) as http:
            opened = await events.next("open")
            async with http.post(f"/api/sessions/{opened['session']}/close", json={"code": 4001}) as response:
                assert response.status == 200
            change = await events.next("admin")
            assert (change["action"], change["count"], change["result"]) == ("close", 1, "done")
            await within(socket.wait_closed())


async def test_a_drain_is_told_of_until_the_gateway_ends():
    async with WebSocketBackend() as backend, gateway(backend, drain={"over": "2s"}) as running:
        async with listening(running) as events, client(running.ws("/echo")):
            await events.next("open")
            running.signal(signal.SIGTERM)
            drain = await events.next("drain")
            assert (drain["reason"], drain["sessions"]) == ("signal", 1)
            closed = await events.next("close")
            assert closed["cause"] == "drain"
            assert (await events.end())[0] == 1012
        assert await running.exited() == 0


async def test_each_second_has_a_summary():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        # What is counted is what comes after the first look.
        first = await events.next("summary")
        assert {**first, "at": ""} == {
            "event": "summary", "at": "", "sessions": 0, "opens": 0, "closes": {}, "refusals": {}, "messages": 0, "bytes": 0,
        }
        await raw.ask(running.plain, raw.upgrade("/none"))
        async with client(running.ws("/echo")) as socket:
            for _ in range(3):
                await socket.send("four")
                await socket.recv()
            # Live sessions count, too.
            await until_sum(events, opens=1, messages=6, bytes=24)
            assert events.told[-1]["sessions"] == 1
            await session(running, "/app", messages=1)
            await until_sum(events, opens=2, messages=8, bytes=32)
        await until_sum(events, opens=2, messages=8, bytes=32, closes={"client-closed": 2}, refusals={"404": 1})
        # What was counted is not counted again.
        quiet = await events.next("summary")
        assert (quiet["opens"], quiet["closes"], quiet["refusals"], quiet["messages"], quiet["sessions"]) == (0, {}, {}, 0, 0)


async def until_sum(events: Events, **wanted):
    """Waits until the summaries together say this."""

    def total(key, value):
        summaries = [told[key] for told in events.told if told["event"] == "summary"]
        return {name: sum(each.get(name, 0) for each in summaries) for name in value} if isinstance(value, dict) else sum(summaries)

    for _ in range(10):
        await events.next("summary")
        if all(total(key, value) == value for key, value in wanted.items()):
            return
    raise AssertionError(f"{wanted}: {events.told}")


async def test_all_listeners_are_told_the_same():
    async with WebSocketBackend() as backend, gateway(backend) as running, contextlib.AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(listening(running)) for _ in range(32)]
        # There is room for no more.
        with pytest.raises(InvalidStatus) as refused:
            async with listening(running):
                pass
        assert refused.value.response.status_code == 503 and refused.value.response.headers["Retry-After"]
        await session(running)
        told = [(await events.next("open"), await events.next("close"), await events.next("summary")) for events in listeners]
        assert all(each == told[0] for each in told)
        await listeners[0].socket.close()
        async with listening(running) as late:
            await session(running)
            await late.next("open")


class Quiet(Gateway):
    """A gateway that logs errors only."""

    async def _listening(self):
        urls = re.findall(r"(wss?)://([0-9.]+):(\d+)", await self.log.first_line())
        self.addresses = [(host, int(port)) for _, host, port in urls]
        self.is_secure = [scheme == "wss" for scheme, _, _ in urls]


async def test_the_level_of_the_log_hides_no_event(tmp_path):
    log = {"format": "json", "level": "error", "file": str(tmp_path / "log")}
    async with Quiet(**ECHO, admin=f"unix:{tmp_path}/admin.sock", log=log) as running:
        async with unix_connect(f"{tmp_path}/admin.sock", "ws://localhost/api/events") as socket:
            events = Events(socket)
            await raw.ask(running.plain, raw.upgrade("/none"))
            await session(running)
            assert (await events.next("refused"))["status"] == 404
            opened, closed = await events.next("open"), await events.next("close")
            assert opened["session"] == closed["session"]
        closes = json.loads(await answered(tmp_path, "/api/closes"))["closes"]
        assert [close["session"] for close in closes] == [closed["session"]]
        assert len(json.loads(await answered(tmp_path, "/api/refusals"))["refusals"]) == 1
    assert (tmp_path / "log").read_text() == ""


async def answered(folder, path: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(f"{folder}/admin.sock")
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    answer = await within(reader.read())
    writer.close()
    return answer.split(b"\r\n\r\n", 1)[1]


async def test_a_slow_listener_misses_events_and_is_told_how_many(tmp_path):
    sessions = 1500
    async with Gateway(**ECHO, admin=f"unix:{tmp_path}/admin.sock") as running:
        async with unix_connect(f"{tmp_path}/admin.sock", "ws://localhost/api/events", max_queue=1, ping_interval=None) as socket:
            limit = asyncio.Semaphore(50)

            async def short():
                async with limit, await raw.Connection.upgraded(running.plain) as connection:
                    await connection.send(raw.close(1000))
                    await connection.closing()

            await asyncio.gather(*(short() for _ in range(sessions)))
            await running.events(sessions, "close")
            # The gateway serves as ever.
            await session(running, messages=1)
            assert await answered(tmp_path, "/readyz") == b"ready\n"
            told, skipped = 0, 0
            async with asyncio.timeout(20):
                while not skipped:
                    event = json.loads(await socket.recv())
                    told += event["event"] in ("open", "close")
                    skipped += event["count"] if event["event"] == "skipped" else 0
            assert told + skipped >= 2 * (sessions + 1) and told > 100
            # From here on it is told everything again.
            await session(running)
            events = Events(socket)
            opened = await events.next("open")
            assert (await events.next("close"))["session"] == opened["session"]


# --- The opening handshake


@pytest.mark.parametrize(
    "without, extra, status",
    [
        ((), (), 101), (("Upgrade",), (), 426), (("Connection",), (), 426),
        (("Sec-WebSocket-Version",), (), 426), (("Sec-WebSocket-Version",), ("Sec-WebSocket-Version: 8",), 426),
        (("Sec-WebSocket-Key",), (), 400), (("Sec-WebSocket-Key",), ("Sec-WebSocket-Key: short",), 400),
        ((), (f"Sec-WebSocket-Key: {raw.KEY}",), 400), ((), ("Content-Length: 2",), 400),
        ((), ("Origin: http://evil.example",), 403), ((), ("Origin: null",), 403), ((), ("Origin: http://OWN",), 101),
        ((), ("Origin: http://OWN", "Origin: http://OWN"), 400), (("Host",), ("Host: evil.example",), 421),
    ],
)
async def test_only_a_whole_handshake_of_an_own_page_opens_a_websocket(without, extra, status):
    async with WebSocketBackend() as backend, gateway(backend) as running:
        own = await admin_address(running)
        host, port = own.rsplit(":", 1)
        extra = [line.replace("OWN", own) for line in extra]
        request = raw.upgrade("/api/events", *extra, host=own, without=without)
        if "Content-Length: 2" in extra:
            request += b"{}"
        async with await raw.Connection.open((host, int(port))) as connection:
            await connection.send(request)
            if status == 101:
                first, *fields = await connection.head()
                assert first.startswith("HTTP/1.1 101 ")
                assert f"Sec-WebSocket-Accept: {raw.ACCEPT}" in fields
                return
            response = await connection.response()
            assert response.status == status
            if status == 426:
                assert response.field("Upgrade") == "websocket" and response.field("Connection") == "Upgrade, close"
                assert "Sec-WebSocket-Version" in without or response.field("Sec-WebSocket-Version") is None
                assert "Sec-WebSocket-Version" not in without or response.field("Sec-WebSocket-Version") == "13"


async def test_a_plain_request_is_told_that_this_is_a_websocket():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as http:
        async with http.get("/api/events") as response:
            assert response.status == 426 and (await response.json())["error"] == "this is a WebSocket"
        async with http.post("/api/events") as response:
            assert response.status == 405 and response.headers["Allow"] == "GET, HEAD"


# --- The connection


async def test_what_a_listener_says_is_ignored_but_for_control_frames():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        async with listening(running) as events:
            await events.socket.send("hello")
            await events.socket.send([b"by", b"tes"])
            await within(await events.socket.ping())
            await session(running)
            await events.next("open")
            await events.socket.close(1000, "enough")
            assert events.socket.close_code == 1000


@pytest.mark.parametrize(
    "frame, code",
    [(raw.frame(raw.TEXT, b"x", mask=None), 1002), (raw.frame(raw.TEXT, b"x" * 5000), 1009), (raw.close(4000), 4000), (raw.close(), None)],
    ids=["without a mask", "too long", "a Close", "a Close without a code"],
)
async def test_the_closing_handshake_of_a_listener(frame, code):
    async with WebSocketBackend() as backend, gateway(backend) as running:
        host, port = (await admin_address(running)).rsplit(":", 1)
        async with await raw.Connection.upgraded((host, int(port)), "/api/events") as connection:
            await connection.send(frame)
            while (answer := await connection.frame()).opcode == raw.TEXT:
                assert json.loads(answer.payload)["event"] == "summary"
            assert (answer.opcode, answer.code) == (raw.CLOSE, code)
            assert await connection.end() == b""


async def test_the_end_of_the_gateway_closes_with_1012():
    async with WebSocketBackend() as backend, gateway(backend) as running, listening(running) as events:
        running.signal(signal.SIGTERM)
        assert await events.end() == (1012, "the gateway ends")
        assert await running.exited() == 0


# --- Looking back


async def test_the_last_closes_are_listed_the_newest_first():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as http:
        assert await read(http, "/api/closes") == {"closes": []}
        await session(running)
        await running.events(1, "close")
        async with client(running.ws("/app"), subprotocols=["chat"]) as socket:
            opened = (await running.events(2, "open"))[-1]
            async with http.post(f"/api/sessions/{opened['session']}/close", json={"code": 4001}) as response:
                assert response.status == 200
            await within(socket.wait_closed())
        logged = await running.events(2, "close")
        shape = ("session", "route", "backend", "endpoint", "client", "cause", "code", "by", "reason", "detail")
        closes = (await read(http, "/api/closes"))["closes"]
        assert [{key: close[key] for key in shape} for close in closes] == [{key: record.get(key) for key in shape} for record in reversed(logged)]
        assert all(abs(close["duration"] - record["duration"]) < 1e-5 for close, record in zip(closes, reversed(logged), strict=True))
        assert all(set(close) == {"at", "duration", *shape} and re.fullmatch(TIME, close["at"]) for close in closes)
        # A reason of the client's own is not shown.
        assert [close["reason"] for close in closes] == ["closed by an operator", None]
        assert (await read(http, "/api/closes?cause=admin"))["closes"] == closes[:1]
        assert (await read(http, "/api/closes?cause=idle-timeout"))["closes"] == []
        for query in ("cause=nothing", "cause=", "cause=admin&cause=admin", "code=x", "client=ten", "session=1", "backend=app"):
            async with http.get(f"/api/closes?{query}") as response:
                assert response.status == 400, query


async def test_the_last_closes_are_found_by_client_session_route_endpoint_and_code():
    """A client whose backend went away is found by its address, and the answer says what it was told."""
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as http:
        async with client(running.ws("/echo")):
            pass
        async with client(running.ws("/app")) as socket:
            await running.events(2, "open")
            backend.connections[0].transport.abort()
            await within(socket.wait_closed())
        echo, gone = await running.events(2, "close")
        assert (gone["cause"], gone["code"], gone["reason"]) == ("backend-gone", "1011", "backend connection lost")
        assert socket.close_reason == gone["reason"] and "reason" not in echo

        async def sessions(query: str) -> list[str]:
            return [close["session"] for close in (await read(http, f"/api/closes?{query}"))["closes"]]

        for query in (f"session={gone['session']}", "route=app", f"endpoint={gone['endpoint']}", "code=1011", "client=127.0.0.0/8&code=1011"):
            assert await sessions(query) == [gone["session"]], query
        assert await sessions("client=127.0.0.1") == [gone["session"], echo["session"]]
        for query in ("client=10.0.0.0/8", "route=nowhere", "endpoint=ws://elsewhere", "code=none", f"session={gone['session']}&route=echo"):
            assert await sessions(query) == [], query


async def test_the_last_refusals_are_listed_the_newest_first():
    """However many come from one address: the log counts them after ten."""
    async with WebSocketBackend() as backend, gateway(backend, workers=1) as running, admin(running) as http:
        for number in range(15):
            await raw.ask(running.plain, raw.upgrade(f"/none/{number}?token={secret('token')}", host="a.example:80"))
        await raw.ask(running.plain, raw.upgrade("/closed", "Origin: http://evil.example"))
        await raw.ask(running.plain, raw.upgrade("http://user:word@127.0.0.1/none"))
        await raw.ask(running.plain, b"not HTTP\r\n\r\n")
        refusals = (await read(http, "/api/refusals"))["refusals"]
        assert all(set(refusal) == {"at", "client", "host", "path", "route", "origin", "status", "reason"} for refusal in refusals)
        assert all(refusal["client"] == "127.0.0.1" and re.fullmatch(TIME, refusal["at"]) for refusal in refusals)
        assert [(refusal["host"], refusal["path"], refusal["status"]) for refusal in refusals] == [
            (None, None, 400), ("127.0.0.1", "/none", 400), ("127.0.0.1", "/closed", 403),
            *(("a.example:80", f"/none/{number}", 404) for number in reversed(range(15))),
        ]
        assert [refusal["origin"] for refusal in refusals[:4]] == [None, None, "http://evil.example", None]
        assert len(running.log.matching("refused", status=404)) == 10


async def test_refusals_of_later_phases_have_their_request():
    reservation, port = refusing_port()
    routes = [{"path": "/app", "backend": "app"}, {"path": "/plain/*", "backend": "app", "http": "pass"}]
    with reservation:
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{port}"]}}
        async with Gateway(routes=routes, backends=backends, admin="127.0.0.1:0") as running, admin(running) as http:
            await raw.ask(running.plain, raw.upgrade("/app"))
            await raw.ask(running.plain, b"GET /plain/a?b HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
            refusals = (await read(http, "/api/refusals"))["refusals"]
            assert [(refusal["host"], refusal["path"], refusal["route"], refusal["status"]) for refusal in refusals] == [
                ("a.example", "/plain/a", "/plain/*", 502), ("127.0.0.1", "/app", "/app", 502),
            ]
            # The client is not to blame: its line is a warning.
            assert [record["level"] for record in running.log.matching("refused")] == ["warning", "warning"]
            await raw.ask(running.plain, raw.upgrade("/nowhere"))
            assert (await running.event("refused", status=404))["level"] == "info"


async def test_a_thousand_are_kept():
    async with Gateway(**ECHO, admin="127.0.0.1:0") as running, admin(running) as http:
        limit = asyncio.Semaphore(50)

        async def short():
            async with limit, await raw.Connection.upgraded(running.plain) as connection:
                await connection.send(raw.close(1000))
                await connection.closing()

        async def refused(number: int):
            async with limit:
                await raw.ask(running.plain, raw.upgrade(f"/none/{number}"))

        await asyncio.gather(*(short() for _ in range(KEPT + 10)), *(refused(number) for number in range(KEPT + 10)))
        logged = await running.events(KEPT + 10, "close")
        closes = (await read(http, "/api/closes"))["closes"]
        assert [close["session"] for close in closes] == [record["session"] for record in reversed(logged)][:KEPT]
        await refused(-1)
        refusals = (await read(http, "/api/refusals"))["refusals"]
        assert len(refusals) == KEPT and refusals[0]["path"] == "/none/-1"
        assert len({refusal["path"] for refusal in refusals}) == KEPT


async def test_the_history_has_a_point_for_each_ten_seconds():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as http:
        assert await read(http, "/api/history") == {"step_seconds": 10, "points": []}
        await session(running, messages=2)
        await raw.ask(running.plain, raw.upgrade("/none"))
        await running.event("close")

        async def points() -> list[dict]:
            return [point for point in (await read(http, "/api/history"))["points"] if point["opens"] or point["closes"] or point["refusals"]]

        # All of it is in one step, unless the machine takes ten seconds for it.
        point, *others = await until(points)
        assert re.fullmatch(TIME, point.pop("at"))
        assert others or point == {
            "sessions": 0, "opens": 1, "closes": {"client-closed": 1}, "refusals": {"404": 1}, "messages": 4, "bytes": 16,
        }
