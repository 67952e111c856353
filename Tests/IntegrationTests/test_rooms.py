"""Rooms of the broadcast backend: one order for all, history, and what members are told of it."""

import asyncio
import contextlib
import json
import re
import signal
from unittest.mock import ANY

import pytest

import raw
from admin import admin, key, metrics, read
from credentials import Key, key_set
from gateway_process import Gateway, within
from peers import client

KIB = 1 << 10
HISTORY = {"messages": 5}
LINES = {"subprotocols": ["meta.gateway"]}


def rooms(history: dict | str = HISTORY, *, route: dict | None = None, backend: dict | None = None, **keys) -> Gateway:
    routes = [
        {"path": "/rooms/*", "backend": "rooms", **(route or {})},
        {"path": "/news/*", "backend": "rooms"},
        {"path": "/lobby", "backend": "rooms"},
    ]
    backends = {"rooms": {"builtin": "broadcast", "history": history, **(backend or {})}}
    return Gateway(**{"routes": routes, "backends": backends, "workers": 2, **keys})


def member(gateway: Gateway, room: str = "lobby", query: str = "", **options):
    return client(gateway.ws(f"/rooms/{room}{query}"), **options)


async def receive(socket, count: int) -> list:
    return [await within(socket.recv()) for _ in range(count)]


def parted(message: str | bytes) -> tuple[dict, str | bytes]:
    """The line of a message of `meta.gateway`, and what follows it."""
    line, rest = message.split(b"\n" if isinstance(message, bytes) else "\n", 1)
    return json.loads(line), rest


async def first(socket) -> dict:
    line, rest = parted(await within(socket.recv()))
    assert rest == ""
    return line


async def say(gateway: Gateway, *messages, room: str = "lobby") -> tuple[str, int]:
    """Sends messages to a room as a member of its own. Returns the epoch, and the offset of the last one."""
    async with member(gateway, room, **LINES) as socket:
        line = await first(socket)
        for message in messages:
            await socket.send(message)
            line, _ = parted(await within(socket.recv()))
        return line["epoch"], line["offset"]


async def quiet(socket, gateway: Gateway, room: str = "lobby") -> None:
    """Nothing else is on its way to a member of the room."""
    await say(gateway, "the end", room=room)
    assert (await within(socket.recv())).endswith("the end")


# Order


async def test_all_members_get_the_messages_of_all_senders_in_the_same_order():
    members, each = 12, 60
    async with rooms("off") as gateway, contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(member(gateway)) for _ in range(members)]
        await gateway.events(members, "open")

        async def send(socket, number):
            for message in range(each):
                await socket.send(f"{number} {message}")

        *_, received = await asyncio.gather(
            *(send(socket, number) for number, socket in enumerate(sockets)),
            asyncio.gather(*(receive(socket, members * each) for socket in sockets)),
        )
        assert all(messages == received[0] for messages in received)
        for number in range(members):
            own = [message for message in received[0] if message.startswith(f"{number} ")]
            assert own == [f"{number} {message}" for message in range(each)]


async def test_a_room_is_the_same_by_every_route():
    async with rooms("off") as gateway:
        async with (
            client(gateway.ws("/rooms/lobby")) as one,
            client(gateway.ws("/news/l%6fbby?x")) as two,
            client(gateway.ws("/lobby")) as three,
        ):
            await gateway.events(3, "open")
            await one.send("hello")
            for socket in (one, two, three):
                assert await receive(socket, 1) == ["hello"]


@pytest.mark.parametrize("name", ["", "%ff", "a" * 257, "%C3%BC" * 129])
async def test_what_is_no_name_is_answered_with_400(name):
    async with rooms() as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade(f"/rooms/{name}"))).status == 400


# History


async def test_a_member_gets_the_last_messages():
    async with rooms() as gateway:
        await say(gateway, "1", b"2", "3")
        async with member(gateway, query="?last=2") as socket:
            assert await receive(socket, 2) == [b"2", "3"]
            await quiet(socket, gateway)
        async with member(gateway, query="?last=100") as socket:
            assert await receive(socket, 4) == ["1", b"2", "3", "the end"]
        async with member(gateway, query="?last=0") as socket:
            await quiet(socket, gateway)


async def test_a_member_that_comes_back_gets_what_it_missed():
    async with rooms() as gateway:
        epoch, offset = await say(gateway, "1", "2")
        assert (re.fullmatch("[A-Za-z0-9]+", epoch) is not None, offset) == (True, 2)
        await say(gateway, "3", "4")
        async with member(gateway, query=f"?since={epoch}:{offset}", **LINES) as socket:
            line = await first(socket)
            session = line.pop("session")
            assert line == {"recovered": True, "epoch": epoch, "offset": 4}
            assert re.fullmatch("[0-9a-f]{16}", session)
            got = [parted(message) for message in await receive(socket, 2)]
            assert [(line["offset"], line["epoch"], text) for line, text in got] == [(3, epoch, "3"), (4, epoch, "4")]
            await socket.send("5")
            line, text = parted(await within(socket.recv()))
            assert (line["offset"], text) == (5, "5")
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["at"])
        async with member(gateway, query=f"?since={epoch}:5", **LINES) as socket:
            assert (await first(socket))["recovered"]


async def test_a_part_of_what_was_missed_is_not_sent():
    async with rooms() as gateway:
        epoch, _ = await say(gateway, *"1234567")
        for since in (f"{epoch}:1", f"{epoch}:8", "other:3"):
            async with member(gateway, query=f"?since={since}", **LINES) as socket:
                line = await first(socket)
                assert (line["recovered"], line["epoch"], line["offset"]) == (False, epoch, 7)
        # The last five are there.
        async with member(gateway, query=f"?since={epoch}:2") as socket:
            assert await receive(socket, 5) == [*"34567"]


async def test_without_history_there_is_neither_epoch_nor_offset():
    async with rooms("off") as gateway:
        for query, recovered in (("", True), ("?last=3", True), ("?since=a:1", False)):
            async with member(gateway, query=query, **LINES) as socket:
                line = await first(socket)
                assert line == {"recovered": recovered, "session": line["session"]}
                await socket.send(b"x")
                line, rest = parted(await within(socket.recv()))
                assert (list(line), rest) == (["at"], b"x")


@pytest.mark.parametrize("query", ["since=", "since=a", "since=a:b", "since=:1", "since=a:-1", "last=", "last=x", "last=1&last=2"])
async def test_what_is_no_place_in_history_is_answered_with_400(query):
    async with rooms() as gateway:
        assert (await raw.ask(gateway.plain, raw.upgrade(f"/rooms/lobby?{query}"))).status == 400


async def test_messages_are_forgotten_after_their_time():
    async with rooms({"for": "200ms"}) as gateway:
        epoch, _ = await say(gateway, "1", "2")

        async def known() -> bool:
            async with member(gateway, query=f"?since={epoch}:1", **LINES) as socket:
                return (await first(socket))["recovered"]

        async def forgotten():
            while await known():
                pass

        await within(forgotten())
        # Epoch and offset go on.
        assert await say(gateway, "3") == (epoch, 3)


async def test_memory_is_bounded_and_the_largest_room_gives_way():
    async with rooms({"messages": 1000, "memory": "256KiB"}) as gateway:
        small, _ = await say(gateway, "a", "b", room="small")
        large, _ = await say(gateway, *(["x" * 8 * KIB] * 100), room="large")
        async with member(gateway, "small", f"?since={small}:0") as socket:
            assert await receive(socket, 2) == ["a", "b"]
        async with member(gateway, "large", "?last=1000", **LINES) as socket:
            assert (await first(socket))["offset"] == 100
            got = [parted(message)[0]["offset"] for message in await receive(socket, 20)]
            assert got == list(range(got[0], got[0] + 20)) and got[0] > 60


async def join_while_others_talk(gateway: Gateway, talker, times: int = 40):
    """Members join the room again and again while `talker` talks there: each gets what it missed and what comes, without a gap or a double."""
    epoch = (await first(talker))["epoch"]
    said = 0

    async def talk():
        nonlocal said
        while True:
            await talker.send(str(said + 1))
            await within(talker.recv())
            said += 1

    talking = asyncio.create_task(talk())
    for _ in range(times):
        since = max(0, said - 20)
        async with member(gateway, query=f"?since={epoch}:{since}", **LINES) as socket:
            line = await first(socket)
            assert line["recovered"]
            got = [parted(message) for message in await receive(socket, line["offset"] - since + 3)]
            expected = range(since + 1, line["offset"] + 4)
            assert [(message["offset"], text) for message, text in got] == [(number, str(number)) for number in expected]
    talking.cancel()


async def test_history_comes_before_what_is_said_meanwhile_without_gap_or_double():
    async with rooms({"messages": 10000}) as gateway, member(gateway, **LINES) as talker:
        await join_while_others_talk(gateway, talker)


async def test_history_that_fills_the_queue_closes_no_member():
    limits = {"limits": {"queue": "64KiB"}}
    async with rooms({"messages": 100}, defaults=limits) as gateway:
        message = "x" * 32 * KIB
        await say(gateway, *([message] * 50))
        async with await raw.Connection.open(gateway.plain) as slow:
            slow.reader._transport.pause_reading()
            await slow.send(raw.upgrade("/rooms/lobby?last=50"))
            await gateway.events(2, "open")
            await say(gateway, "live")
            slow.reader._transport.resume_reading()
            assert (await slow.response()).status == 101
            for _ in range(50):
                assert (await slow.frame()).payload == message.encode()
            assert (await slow.frame()).payload == b"live"


@pytest.mark.parametrize("offered", [["meta.gateway"], ["chat", "meta.gateway"]])
async def test_lines_are_chosen_wherever_they_are_offered(offered):
    async with rooms() as gateway, member(gateway, subprotocols=offered) as socket:
        assert socket.subprotocol == "meta.gateway"
        assert (await first(socket))["recovered"] is True


async def test_a_route_may_leave_lines_out():
    async with rooms(route={"subprotocols": ["chat"]}) as gateway:
        async with member(gateway, subprotocols=["meta.gateway", "chat"]) as socket:
            assert socket.subprotocol == "chat"
            await socket.send("x")
            assert await receive(socket, 1) == ["x"]


async def test_lines_and_history_are_compressed_too():
    async with rooms() as gateway:
        text = "over and over " * 100
        epoch, _ = await say(gateway, text)
        async with member(gateway, query="?last=1", compression="deflate", **LINES) as socket:
            await first(socket)
            assert parted(await within(socket.recv()))[1] == text
            await socket.send(text)
            line, rest = parted(await within(socket.recv()))
            assert (line["epoch"], line["offset"], rest) == (epoch, 2, text)


async def test_a_reload_keeps_rooms_and_their_history():
    async with rooms() as gateway, member(gateway, **LINES) as socket:
        epoch = (await first(socket))["epoch"]
        await say(gateway, "1", "2", "3")
        await receive(socket, 3)
        await gateway.reload(backends={"rooms": {"builtin": "broadcast", "history": {"messages": 2}}})
        assert await say(gateway, "4") == (epoch, 4)
        async with member(gateway, query="?last=100") as late:
            assert await receive(late, 2) == ["3", "4"]
        # What was said without history would be a gap that cannot be seen.
        await gateway.reload(backends={"rooms": {"builtin": "broadcast"}})
        await socket.send("5")
        await receive(socket, 2)
        await gateway.reload(backends={"rooms": {"builtin": "broadcast", "history": {}}})
        async with member(gateway, query=f"?since={epoch}:4", **LINES) as late:
            line = await first(late)
            assert (line["recovered"], line["offset"]) == (False, 0)
            assert line["epoch"] != epoch


# Publishing


def publishing(history: dict | str = HISTORY, *, publish: dict | None = None, **keys) -> Gateway:
    """A gateway with rooms, and a route to publish by from this machine."""
    routes = [
        {"path": "/rooms/*", "backend": "rooms"},
        {"path": "/publish/*", "publish": "rooms", "allow": ["127.0.0.0/8"], **(publish or {})},
    ]
    return rooms(history, routes=routes, **keys)


def post(body: bytes | str, *fields: str, room: str = "lobby", chunks: list[bytes] | None = None) -> bytes:
    body = body.encode() if isinstance(body, str) else body
    framing = f"Content-Length: {len(body)}"
    if chunks is not None:
        framing = "Transfer-Encoding: chunked"
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    head = [f"POST /publish/{room} HTTP/1.1", "Host: 127.0.0.1", framing, *fields, "", ""]
    return "\r\n".join(head).encode() + body


async def publish(gateway: Gateway, body: bytes | str, *fields: str, **options) -> dict:
    response = await raw.ask(gateway.plain, post(body, *fields, **options))
    assert (response.status, response.field("Content-Type")) == (200, "application/json"), response
    assert response.field("Cache-Control") == "no-store"
    return json.loads(response.body)


async def test_a_body_is_published_to_all_members():
    async with publishing() as gateway:
        assert await publish(gateway, "before") == {"room": "lobby", "offset": 1, "epoch": ANY, "receivers": 0}
        async with contextlib.AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(member(gateway)) for _ in range(5)]
            await gateway.events(5, "open")
            for offset, (body, fields, message) in enumerate(
                [
                    ("hello", [], "hello"),
                    ("grüße", ["Content-Type: application/json"], "grüße"),
                    (b"\xff\x00", [], b"\xff\x00"),
                    ("text", ["Content-Type: application/octet-stream"], b"text"),
                    ("", [], ""),
                ],
                start=2,
            ):
                got = await publish(gateway, body, *fields)
                assert (got["offset"], got["receivers"]) == (offset, 5)
                for socket in sockets:
                    assert await receive(socket, 1) == [message]
            assert (await publish(gateway, "", chunks=[b"in ", b"chunks"]))["offset"] == 7
            for socket in sockets:
                assert await receive(socket, 1) == ["in chunks"]


async def test_without_history_the_answer_has_neither_epoch_nor_offset():
    async with publishing("off") as gateway, member(gateway, "a/b"):
        await gateway.events(1, "open")
        assert await publish(gateway, "x", room="a%2fb".replace("%2f", "/")) == {"room": "a/b", "receivers": 1}


@pytest.mark.parametrize("history", ["off", {}], ids=["off", "on"])
async def test_the_same_key_publishes_once(history):
    async with publishing(history) as gateway, member(gateway) as socket:
        await gateway.events(1, "open")
        one = await publish(gateway, "one", "Idempotency-Key: a")
        # On whichever worker it arrives.
        for _ in range(20):
            assert await publish(gateway, "two", "Idempotency-Key: a") == one
        assert (await publish(gateway, "three", "Idempotency-Key: b"))["receivers"] == 1
        assert (await publish(gateway, "other", "Idempotency-Key: a", room="other"))["receivers"] == 0
        await publish(gateway, "end")
        assert await receive(socket, 3) == ["one", "three", "end"]


async def test_of_many_with_one_key_at_once_one_is_published():
    async with publishing() as gateway, member(gateway) as socket:
        await gateway.events(1, "open")
        answers = await asyncio.gather(*(publish(gateway, str(n), "Idempotency-Key: k") for n in range(20)))
        assert all(answer == answers[0] for answer in answers)
        await publish(gateway, "end")
        assert (await receive(socket, 2))[1] == "end"


async def test_a_session_can_be_left_out():
    async with publishing() as gateway, member(gateway, **LINES) as one, member(gateway, **LINES) as other:
        session = (await first(one))["session"]
        await first(other)
        assert (await publish(gateway, "not for you", f"X-Exclude-Session: {session}"))["receivers"] == 1
        assert (await publish(gateway, "for all", "X-Exclude-Session: nobody"))["receivers"] == 2
        assert [parted(message)[1] for message in await receive(other, 2)] == ["not for you", "for all"]
        line, text = parted(await within(one.recv()))
        assert (line["offset"], text) == (2, "for all")


@pytest.mark.parametrize(
    "request_, status",
    [
        (post("x", room=""), 400),
        (post("x", room="%ff"), 400),
        (post("x", "Idempotency-Key: " + "k" * 257), 400),
        (post("x", "Idempotency-Key: a", "Idempotency-Key: b"), 400),
        (post("x" * (KIB + 1)), 413),
        (post("", chunks=[b"x" * KIB, b"y"]), 413),
        (post("x", "Origin: https://other.example"), 403),
        (b"GET /publish/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405),
        (b"OPTIONS /publish/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 405),
        (raw.upgrade("/publish/lobby"), 405),
    ],
    ids=["empty", "not UTF-8", "long key", "two keys", "too large", "large chunks", "origin", "GET", "OPTIONS", "upgrade"],
)
async def test_what_cannot_be_published_is_refused(request_, status):
    async with publishing(publish={"limits": {"message": "1KiB"}}) as gateway, member(gateway) as socket:
        await gateway.events(1, "open")
        response = await raw.ask(gateway.plain, request_)
        assert response.status == status
        if status == 405:
            assert response.field("Allow") == "POST"
        assert (await publish(gateway, "x" * KIB))["offset"] == 1
        assert await receive(socket, 1) == ["x" * KIB]


async def test_a_connection_publishes_again_and_again():
    async with publishing() as gateway, await raw.Connection.open(gateway.plain) as connection:
        # Three at once, and one whose body waits until it is asked for.
        await connection.send(post("1") + post("2", chunks=[b"2"]) + post("3"))
        for offset in (1, 2, 3):
            assert json.loads((await connection.response()).body)["offset"] == offset
        request = post("late", "Expect: 100-continue")
        head, body = request.split(b"\r\n\r\n")
        await connection.send(head + b"\r\n\r\n")
        assert (await connection.response()).status == 100
        for byte in body:
            await connection.send(bytes([byte]))
        assert json.loads((await connection.response()).body)["offset"] == 4


async def test_a_body_that_does_not_come_is_not_waited_for():
    async with publishing(publish={"timeouts": {"request-body": "100ms"}}) as gateway:
        async with await raw.Connection.open(gateway.plain) as connection:
            await connection.send(post("whole")[:-1])
            assert (await connection.response()).status == 408
        async with await raw.Connection.open(gateway.plain) as connection:
            await connection.send(post("whole")[:-1])
            connection.finish()
            assert await connection.end() == b""
        assert (await publish(gateway, "x"))["offset"] == 1


async def test_a_credential_lets_publish(tmp_path):
    signer = Key("ES256")
    file = tmp_path / "keys.json"
    file.write_text(key_set(signer))
    auth = {"jwt": {"keys": str(file), "algorithms": ["ES256"], "audience": "any"}}
    async with publishing(publish={"auth": auth, "allow": []}) as gateway:
        assert (await raw.ask(gateway.plain, post("x"))).status == 401
        assert (await publish(gateway, "x", f"Authorization: Bearer {signer.token()}"))["offset"] == 1


async def test_a_drain_lets_a_message_be_published_whole():
    async with publishing(drain={"over": "30s"}) as gateway, await raw.Connection.open(gateway.plain) as connection:
        head, body = post("whole", "Expect: 100-continue").split(b"\r\n\r\n")
        await connection.send(head + b"\r\n\r\n")
        assert (await connection.response()).status == 100
        gateway.signal(signal.SIGTERM)
        await gateway.event("draining")
        await connection.send(body)
        assert json.loads((await connection.response()).body)["offset"] == 1


# Operating


async def test_operators_see_rooms_publish_to_them_and_forget_them():
    async with rooms(admin="127.0.0.1:0") as gateway, admin(gateway) as operator, member(gateway, "a/b") as socket:
        epoch, _ = await say(gateway, "1", "22", room="a/b")
        await say(gateway, "x", room="lobby")
        await receive(socket, 2)
        listed = await read(operator, "/api/rooms?backend=rooms")
        assert (listed["total"], listed["next"]) == (2, None)
        assert [room["room"] for room in listed["rooms"]] == ["a/b", "lobby"]
        room = listed["rooms"][0]
        assert (room["backend"], room["members"], room["epoch"], room["offset"], room["remembered"]) == ("rooms", 1, epoch, 2, 2)
        assert room["rate"] == 0 and room["remembered_bytes"] > 0

        page = await read(operator, "/api/rooms?limit=1")
        assert ([room["room"] for room in page["rooms"]], page["total"]) == (["a/b"], 2)
        page = await read(operator, f"/api/rooms?limit=1&after={page['next']}")
        assert ([room["room"] for room in page["rooms"]], page["next"]) == (["lobby"], None)

        async with operator.post("/api/rooms/rooms/a/b", data=b"\xff", headers={"Idempotency-Key": "k"}) as answer:
            assert (answer.status, await answer.json()) == (200, {"room": "a/b", "offset": 3, "epoch": epoch, "receivers": 1})
        async with operator.post("/api/rooms/rooms/a%2Fb", data="again", headers={"Idempotency-Key": "k"}) as answer:
            assert (await answer.json())["offset"] == 3
        assert await receive(socket, 1) == [b"\xff"]

        room = await read(operator, "/api/rooms/rooms/a/b")
        assert [(m["offset"], m["opcode"], m["bytes"]) for m in room["messages"]] == [(1, "text", 1), (2, "text", 2), (3, "binary", 1)]
        assert all(message["at"].endswith("Z") for message in room["messages"])
        assert all("payload" not in field for message in room["messages"] for field in message)

        async with operator.delete("/api/rooms/rooms/a/b") as answer:
            assert (answer.status, await answer.json()) == (200, {"forgotten": True})
        room = await read(operator, "/api/rooms/rooms/a/b")
        assert (room["members"], room["offset"], room["messages"], room["epoch"] == epoch) == (1, 0, [], False)
        await gateway.event("admin", action="forget", target="rooms a/b")
        for path in ("/api/rooms/none/x", "/api/rooms/rooms/none"):
            async with operator.get(path) as answer:
                assert answer.status == 404
        async with operator.get(f"/api/rooms/rooms/{'x' * 257}") as answer:
            assert answer.status == 400


async def test_payloads_are_shown_where_the_admin_address_may():
    async with rooms(admin={"address": "127.0.0.1:0", "payloads": True}) as gateway, admin(gateway) as operator:
        await say(gateway, "text", b"\xff")
        one, two = (await read(operator, "/api/rooms/rooms/lobby"))["messages"]
        assert (one["payload"], two["payload_base64"]) == ("text", "/w==")


async def test_rooms_are_counted():
    async with rooms(admin="127.0.0.1:0") as gateway, admin(gateway) as operator, member(gateway) as one, member(gateway) as two:
        await gateway.events(2, "open")
        await one.send("a")
        await receive(one, 1), await receive(two, 1)
        async with operator.post("/api/rooms/rooms/lobby", data="b") as answer:
            assert (await answer.json())["receivers"] == 2
        async with operator.post("/api/rooms/rooms/empty", data="c") as answer:
            assert (await answer.json())["receivers"] == 0
        await receive(one, 1), await receive(two, 1)

        async def counted():
            while (found := await metrics(operator))[key("room_deliveries_total", backend="rooms")] != 4:
                pass
            return found

        found = await within(counted())
        assert found[key("rooms", backend="rooms")] == 1
        assert found[key("room_messages_total", backend="rooms")] == 3


# Events


def asks(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", *fields, "", ""]).encode()


class Events:
    """A client of server-sent events."""

    def __init__(self, connection: raw.Connection, response: raw.Response):
        self.connection = connection
        self.response = response
        self.text = ""
        self.ended = False

    async def chunk(self) -> None:
        reader = self.connection.reader
        size = int(await within(reader.readuntil(b"\r\n")), 16)
        data = await within(reader.readexactly(size + 2))
        assert data.endswith(b"\r\n")
        self.ended = size == 0
        self.text += data[:-2].decode()

    async def block(self) -> str:
        """The next lines up to an empty one."""
        while "\n\n" not in self.text:
            assert not self.ended
            await self.chunk()
        block, self.text = self.text.split("\n\n", 1)
        return block

    async def event(self) -> tuple[str | None, str]:
        """The id and the data of the next event that has data."""
        while "data:" not in (block := await self.block()):
            pass
        fields = [line.split(": ", 1) for line in block.split("\n")]
        return dict(fields).get("id"), "\n".join(value for name, value in fields if name == "data")


@contextlib.asynccontextmanager
async def events(gateway: Gateway, path: str = "/rooms/lobby", *fields: str):
    async with await raw.Connection.open(gateway.plain) as connection:
        await connection.send(asks(path, *fields))
        response = await connection.response()
        assert response.status == 200, response
        yield Events(connection, response)


async def test_a_member_may_listen_by_events():
    async with rooms() as gateway, events(gateway) as stream, member(gateway) as sender:
        response = stream.response
        assert response.field("Content-Type") == "text/event-stream"
        assert response.field("Cache-Control") == "no-store"
        assert response.field("Transfer-Encoding") == "chunked"
        assert response.field("Access-Control-Allow-Origin") is None
        await gateway.events(2, "open")
        # A binary message cannot be an event.
        for message in ("one", b"two", "a\nb\r\nc\rd\n", "", "grüße"):
            await sender.send(message)
        epoch = (await stream.block()).removeprefix("id: ").removesuffix(":0")
        got = [await stream.event() for _ in range(4)]
        assert got == [(f"{epoch}:1", "one"), (f"{epoch}:3", "a\nb\nc\nd\n"), (f"{epoch}:4", ""), (f"{epoch}:5", "grüße")]
        await sender.close()
        stream.connection.finish()
        record = await gateway.closed(cause="client-closed", by="client", messages_to_client=4)
        assert (record["route"], record["backend"]) == ("/rooms/*", "rooms")


async def test_events_go_on_where_they_were():
    async with rooms() as gateway:
        epoch, _ = await say(gateway, "1", "2", "3")
        async with events(gateway, "/rooms/lobby", f"Last-Event-ID: {epoch}:1") as stream:
            assert [await stream.event() for _ in range(2)] == [(f"{epoch}:2", "2"), (f"{epoch}:3", "3")]
        # It wins over the URL, which is the one of the first time.
        async with events(gateway, f"/rooms/lobby?since={epoch}:0", f"Last-Event-ID: {epoch}:2") as stream:
            assert await stream.event() == (f"{epoch}:3", "3")
        async with events(gateway, "/rooms/lobby?last=1") as stream:
            assert await stream.event() == (f"{epoch}:3", "3")


@pytest.mark.parametrize("last", ["other:1", "nonsense"])
@pytest.mark.parametrize("history", ["off", HISTORY], ids=["off", "on"])
async def test_a_gap_is_an_event(last, history):
    async with rooms(history) as gateway:
        await say(gateway, "1") if history != "off" else None
        async with events(gateway, "/rooms/lobby", f"Last-Event-ID: {last}") as stream:
            block = (await stream.block()).split("\n")
            assert block[0] == "event: gap"
            data = json.loads(block[-1].removeprefix("data: "))
            assert data["recovered"] is False
            if history != "off":
                assert block[1] == f"id: {data['epoch']}:1"


async def test_without_history_events_have_no_id():
    async with rooms("off") as gateway, events(gateway) as stream, member(gateway) as sender:
        await gateway.events(2, "open")
        await sender.send("x")
        assert await stream.event() == (None, "x")


async def test_pages_of_other_sites_may_listen_where_the_route_lets_them():
    other = "https://app.example"
    async with rooms(route={"origins": [other], "require-origin": True}) as gateway:
        async with events(gateway) as stream:
            assert stream.response.field("Access-Control-Allow-Origin") is None
        async with events(gateway, "/rooms/lobby", f"Origin: {other}") as stream:
            assert stream.response.field("Access-Control-Allow-Origin") == other
            assert stream.response.field("Access-Control-Allow-Credentials") == "true"
            assert stream.response.field("Vary") == "Origin"
        assert (await raw.ask(gateway.plain, asks("/rooms/lobby", "Origin: https://evil.example"))).status == 403
        assert (await raw.ask(gateway.plain, raw.upgrade("/rooms/lobby"))).status == 403
    async with rooms(route={"origins": "any"}) as gateway:
        async with events(gateway, "/rooms/lobby", f"Origin: {other}") as stream:
            assert stream.response.field("Access-Control-Allow-Origin") == "*"
            assert stream.response.field("Access-Control-Allow-Credentials") is None


async def test_events_are_a_session_that_operators_see_and_end():
    async with rooms(admin="127.0.0.1:0") as gateway, admin(gateway) as operator, events(gateway) as stream:
        await gateway.event("open")
        listed = (await read(operator, "/api/sessions"))["sessions"]
        assert [(row["route"], row["phase"]) for row in listed] == [("/rooms/*", "serve")]
        found = await metrics(operator)
        assert found[key("sessions_open", route="/rooms/*", backend="rooms")] == 1
        async with operator.post(f"/api/sessions/{listed[0]['id']}/close") as answer:
            assert answer.status == 200
        while not stream.ended:
            await stream.chunk()
        assert await stream.connection.end() == b""
        await gateway.closed(cause="admin", by="gateway")


async def test_events_count_for_limits_of_sessions():
    async with rooms(route={"limits": {"sessions": 1}}) as gateway:
        async with events(gateway):
            assert (await raw.ask(gateway.plain, raw.upgrade("/rooms/lobby"))).status == 503
        await gateway.event("close")
        async with member(gateway):
            assert (await raw.ask(gateway.plain, asks("/rooms/lobby"))).status == 503


async def test_silent_rooms_send_comments_and_end_with_their_time():
    route = {"heartbeat": {"interval": "100ms", "timeout": "1s"}, "timeouts": {"session": "1s"}}
    async with rooms("off", route=route) as gateway, events(gateway) as stream:
        assert [await stream.block() for _ in range(3)] == [":"] * 3
        while not stream.ended:
            await stream.chunk()
        await gateway.closed(cause="session-timeout", by="gateway")


@pytest.mark.parametrize("rule", ["close", "drop-oldest"])
async def test_slow_listeners_are_closed_or_miss_messages(rule):
    limits = {"limits": {"queue": "64KiB"}}
    async with rooms("off", backend={"slow-consumer": rule}, defaults=limits, admin="127.0.0.1:0") as gateway:
        async with events(gateway) as stream, member(gateway) as sender, admin(gateway) as operator:
            stream.connection.reader._transport.pause_reading()
            await gateway.events(2, "open")
            for number in range(400):
                await sender.send(f"{number} " + "x" * 32 * KIB)
                await within(sender.recv())
            if rule == "close":
                await gateway.closed(cause="slow-consumer")
                return
            found = await metrics(operator)
            assert found[key("dropped_messages_total", route="/rooms/*")] > 0
            stream.connection.reader._transport.resume_reading()
            numbers = [-1]
            while numbers[-1] != 399:
                numbers.append(int((await stream.event())[1].split(" ")[0]))
            assert numbers == sorted(set(numbers)) and len(numbers) < 400


async def test_a_drain_ends_events():
    async with rooms() as gateway, events(gateway) as stream:
        gateway.signal(signal.SIGTERM)
        while not stream.ended:
            await stream.chunk()
        await gateway.closed(cause="drain", by="gateway")


async def test_a_reload_keeps_events_or_ends_them():
    async with rooms() as gateway, events(gateway, "/news/lobby") as stays, events(gateway) as ends:
        await gateway.events(2, "open")
        await gateway.reload(routes=[{"path": "/news/*", "backend": "rooms", "timeouts": {"close": "3s"}}])
        while not ends.ended:
            await ends.chunk()
        await gateway.closed(cause="reload", by="gateway", route="/rooms/*")
        async with client(gateway.ws("/news/lobby")) as sender:
            await sender.send("still here")
            assert (await stays.event())[1] == "still here"


async def test_only_those_that_ask_for_events_get_them():
    async with rooms() as gateway:
        request = b"GET /rooms/lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"
        assert (await raw.ask(gateway.plain, request)).status == 426
        assert (await raw.ask(gateway.plain, asks("/rooms/%ff"))).status == 400
        assert (await raw.ask(gateway.plain, asks("/rooms/lobby?last=x"))).status == 400
