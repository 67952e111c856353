"""Rooms of the broadcast backend: one order for all, history, and what members are told of it."""

import asyncio
import contextlib
import json
import re

import pytest

import raw
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


async def test_history_comes_before_what_is_said_meanwhile_without_gap_or_double():
    async with rooms({"messages": 10000}) as gateway, member(gateway, **LINES) as sender:
        epoch = (await first(sender))["epoch"]
        done = asyncio.Event()

        async def talk():
            number = 0
            while not done.is_set():
                number += 1
                await sender.send(str(number))
                await within(sender.recv())

        talking = asyncio.create_task(talk())
        for _ in range(40):
            async with member(gateway, query=f"?since={epoch}:0", **LINES) as socket:
                top = (await first(socket))["offset"]
                got = [parted(message) for message in await receive(socket, top + 3)]
                assert [line["offset"] for line, _ in got] == list(range(1, top + 4))
                assert [text for _, text in got] == [str(number) for number in range(1, top + 4)]
        done.set()
        await talking


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
