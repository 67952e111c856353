"""Rooms that are the same on several gateways, by a real Redis server."""

import asyncio
import contextlib
import json
import re
import signal
import socket as sockets

import pytest
import yaml
from websockets.exceptions import ConnectionClosed

import raw
from admin import admin, metrics, read
from certificates import Authority
from gateway_process import ROOT, Gateway, tell, until, within
from redis_server import ACL, RedisServer, Way, needs_redis
from test_rooms import LINES, first, join_while_others_talk, member, parted, post, publish, receive

pytestmark = needs_redis


def gateway(server: RedisServer, history: dict | str = {"messages": 50}, *, cluster: dict | None = None, **keys) -> Gateway:
    routes = [
        {"path": "/rooms/*", "backend": "rooms"},
        {"path": "/publish/*", "publish": "rooms", "allow": ["127.0.0.0/8"]},
    ]
    return Gateway(
        **{
            "admin": "127.0.0.1:0",
            "workers": 2,
            "cluster": {"redis": server.url, **(cluster or {})},
            "routes": routes,
            "backends": {"rooms": {"builtin": "broadcast", "history": history}},
            **keys,
        }
    )


@contextlib.asynccontextmanager
async def gateways(count: int, history: dict | str = {"messages": 50}, **keys):
    """The server, and gateways that have a link to it."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(RedisServer())
        running = [await stack.enter_async_context(gateway(server, history, **keys)) for _ in range(count)]
        for one in running:
            await one.event("cluster-up")
        yield server, *running


# Order


@pytest.mark.parametrize("history", [{"messages": 5000}, "off"])
async def test_all_members_of_all_gateways_get_all_messages_in_the_same_order(history):
    members, each = 4, 100
    async with gateways(3, history) as (_, *running), contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(member(one)) for one in running for _ in range(members)]

        async def send(socket, number):
            for message in range(each):
                await socket.send(f"{number} {message}")

        *_, received = await asyncio.gather(
            *(send(socket, number) for number, socket in enumerate(sockets)),
            asyncio.gather(*(receive(socket, len(sockets) * each) for socket in sockets)),
        )
        assert all(messages == received[0] for messages in received)
        for number in range(len(sockets)):
            own = [message for message in received[0] if message.startswith(f"{number} ")]
            assert own == [f"{number} {message}" for message in range(each)]


async def test_senders_that_fill_the_way_to_the_server_go_on():
    async with gateways(2, "off") as (_, one, two), member(one) as sender, member(two) as reader:
        message = "x" * 64 * 1024
        sending = asyncio.create_task(asyncio.wait_for(asyncio.gather(*(sender.send(message) for _ in range(100))), 20))
        for received in await asyncio.gather(receive(sender, 100), receive(reader, 100)):
            assert received == [message] * 100
        await sending


# Joining


async def test_history_is_the_same_by_every_gateway():
    async with gateways(2) as (_, one, two):
        async with member(one, **LINES) as socket:
            line = await first(socket)
            assert (line["recovered"], line["offset"]) == (True, 0)
            for message in ("1", b"2", "3"):
                await socket.send(message)
            await receive(socket, 3)
        async with member(two, query="?last=2") as socket:
            assert await receive(socket, 2) == [b"2", "3"]
        async with member(two, query=f"?since={line['epoch']}:1", **LINES) as socket:
            again = await first(socket)
            assert (again["recovered"], again["epoch"], again["offset"]) == (True, line["epoch"], 3)
            got = [parted(message) for message in await receive(socket, 2)]
            assert [(line["offset"], text) for line, text in got] == [(2, b"2"), (3, "3")]
        for since in (f"{line['epoch']}:9", "another:1"):
            async with member(two, query=f"?since={since}", **LINES) as socket:
                assert (await first(socket))["recovered"] is False


async def test_nothing_is_missing_or_twice_between_history_and_what_comes():
    async with gateways(2, {"messages": 1000}) as (_, one, two), member(one, **LINES) as talker:
        await join_while_others_talk(two, talker)


async def test_listeners_by_events_recover_on_another_gateway():
    async with gateways(2) as (_, one, two):
        answer = await publish(one, "1")
        await publish(one, "2")
        async with await raw.Connection.open(two.plain) as stream:
            await stream.send(
                b"GET /rooms/lobby HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
                + f"Last-Event-ID: {answer['epoch']}:1\r\n\r\n".encode()
            )
            await publish(one, "3")
            said = b""
            while b"data: 3" not in said:
                said += await within(stream.reader.read(4096))
            assert said.index(b"data: 2") < said.index(b"data: 3")
            assert b"data: 1" not in said


# Publishing


@pytest.mark.parametrize("history", [{"messages": 5}, "off"])
async def test_what_is_published_at_one_gateway_comes_to_members_of_all(history):
    async with gateways(2, history) as (_, one, two), member(one) as near, member(two) as far, member(two) as farther:
        answer = await publish(one, "hello")
        assert answer["receivers"] == 1
        assert ("offset" in answer) == (history != "off")
        await publish(two, b"\x00\xff")
        for socket in (near, far, farther):
            assert await receive(socket, 2) == ["hello", b"\x00\xff"]


async def test_a_session_of_another_gateway_is_left_out():
    async with gateways(2) as (_, one, two), member(one, **LINES) as left_out, member(one) as other:
        session = (await first(left_out))["session"]
        await publish(two, "1", f"X-Exclude-Session: {session}")
        await publish(two, "2")
        assert await receive(other, 2) == ["1", "2"]
        assert parted(await within(left_out.recv()))[1] == "2"


@pytest.mark.parametrize("history", [{"messages": 5}, "off"])
async def test_a_key_publishes_once_whichever_gateway_is_asked(history):
    async with gateways(2, history) as (_, one, two), member(two) as socket:
        answer = await publish(one, "1", "Idempotency-Key: k")
        assert await publish(two, "other", "Idempotency-Key: k") == answer
        await publish(two, "2", "Idempotency-Key: l")
        assert await receive(socket, 2) == ["1", "2"]


# Names


async def test_no_name_is_that_of_another_room():
    names = ["a", "a:history", "a%253Ahistory", "%7Brooms%7D:a", "a%20b", "*", "probe:a", "%0Aa"]
    async with gateways(2) as (server, one, two), contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(member(two, name)) for name in names]
        for name in names:
            await publish(one, name, room=name)
        for name, socket in zip(names, sockets, strict=True):
            assert await receive(socket, 1) == [name]
            assert (await publish(one, "again", room=name))["offset"] == 2
        assert int(await server.order("DBSIZE")) == 2 * len(names)


async def test_backends_and_prefixes_have_rooms_of_their_own():
    backends = {name: {"builtin": "broadcast", "history": {}} for name in ("rooms", "rooms:a", "rooms}")}
    routes = [
        {"path": f"/{kind}{number}/*", ("backend" if kind == "rooms" else "publish"): name, **allow}
        for number, name in enumerate(backends)
        for kind, allow in (("rooms", {}), ("publish", {"allow": ["127.0.0.0/8"]}))
    ]
    async with RedisServer() as server, contextlib.AsyncExitStack() as stack:
        for prefix in ("gateway", "gateway:x"):
            one = await stack.enter_async_context(gateway(server, cluster={"prefix": prefix}, backends=backends, routes=routes))
            await one.event("cluster-up")
            for number in range(len(backends)):
                request = post("x").replace(b"/publish/", f"/publish{number}/".encode())
                answer = await raw.ask(one.plain, request)
                assert (answer.status, json.loads(answer.body)["offset"]) == (200, 1)


# The server is away


async def test_a_server_that_comes_back_empty_closes_members_that_may_have_missed_something():
    async with gateways(1) as (server, one), member(one, "old", **LINES) as old, member(one, "quiet", **LINES) as quiet:
        assert (await first(quiet))["offset"] == 0
        await first(old)
        await old.send("1")
        await receive(old, 1)
        await server.kill()
        await one.event("cluster-down")
        await server.start()
        await one.events(2, "cluster-up")
        with pytest.raises(ConnectionClosed) as closed:
            await within(old.recv())
        assert closed.value.rcvd.code == 1012
        await one.event("close", cause="history-lost", code=1012)
        # Nothing was published there, so nothing is missing.
        await quiet.send("2")
        assert parted(await within(quiet.recv()))[0]["offset"] == 1


async def test_members_without_history_stay_and_hear_each_other_meanwhile():
    async with gateways(2, "off") as (server, one, two), member(one) as near, member(one) as by, member(two) as far:
        await server.kill()
        for running in (one, two):
            await running.event("cluster-down")
        await near.send("here")
        for socket in (near, by):
            assert await receive(socket, 1) == ["here"]
        assert (await publish(one, "published"))["receivers"] == 2
        async with member(one) as late:
            await late.send("at once")
            for socket in (near, by):
                assert await receive(socket, 2) == ["published", "at once"]
        async with admin(one) as session:
            assert (await metrics(session))[("gateway_cluster_up", ("server", server.url))] == 0
            assert (await read(session, "/api/status"))["cluster"]["up"] is False
        await server.start()
        for running in (one, two):
            await running.events(2, "cluster-up")

        async def heard() -> bool:
            await near.send("back")
            with contextlib.suppress(TimeoutError):
                return await within(far.recv(), 0.5) == "back"
            return False

        # The other gateway's subscription may not be there yet.
        await until(heard)
        async with admin(one) as session:
            assert (await metrics(session))[("gateway_cluster_up", ("server", server.url))] == 1
            status = (await read(session, "/api/status"))["cluster"]
            assert (status["server"], status["up"]) == (server.url, True)


async def test_what_is_published_meanwhile_is_refused_where_there_is_history():
    async with gateways(1) as (server, one), member(one, **LINES) as socket:
        await first(socket)
        await server.kill()
        await one.event("cluster-down")
        assert (await raw.ask(one.plain, post("x"))).status == 503
        await socket.send("here")
        line, text = parted(await within(socket.recv()))
        assert (text, sorted(line)) == ("here", ["at"])
        async with member(one, query="?since=x:1", **LINES) as late:
            assert (await first(late))["recovered"] is False


@pytest.mark.parametrize("kept", [50, 2])
async def test_members_get_what_they_missed_while_a_link_was_away_or_are_closed(kept):
    history = {"messages": kept}
    async with RedisServer() as server, Way(server) as way, contextlib.AsyncExitStack() as stack:
        one = await stack.enter_async_context(gateway(server, history, cluster={"redis": way.url}))
        two = await stack.enter_async_context(gateway(server, history))
        for running in (one, two):
            await running.event("cluster-up")
        socket = await stack.enter_async_context(member(one, **LINES))
        await first(socket)
        await publish(two, "1")
        assert parted(await within(socket.recv()))[1] == "1"
        await way.close()
        await one.event("cluster-down")
        for text in ("2", "3", "4"):
            await publish(two, text)
        await way.open()
        await one.events(2, "cluster-up")
        if kept == 2:
            with pytest.raises(ConnectionClosed) as closed:
                await within(socket.recv())
            assert closed.value.rcvd.code == 1012
            await one.event("close", cause="history-lost")
            return
        await publish(two, "5")
        got = [parted(message) for message in await receive(socket, 4)]
        assert [(line["offset"], text) for line, text in got] == [(number, str(number)) for number in range(2, 6)]


async def test_links_that_end_again_and_again_change_no_order():
    async with gateways(2, {"messages": 5000}) as (server, one, two), contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(member(running, **LINES)) for running in (one, two) for _ in range(3)]
        for socket in sockets:
            await first(socket)
        sending = True

        async def send(socket, number):
            message = 0
            while sending:
                message += 1
                await socket.send(f"{number} {message}")
                await asyncio.sleep(0)

        async def listen(socket) -> list[tuple[dict, str]]:
            got = [parted(await within(socket.recv()))]
            while got[-1][1] != "the end":
                got.append(parted(await within(socket.recv())))
            return got

        senders = [asyncio.create_task(send(socket, number)) for number, socket in enumerate(sockets)]
        listeners = [asyncio.create_task(listen(socket)) for socket in sockets]
        for round in range(1, 7):
            await server.order("CLIENT", "KILL", "TYPE", "pubsub" if round % 2 else "normal")
            for running in (one, two):
                await running.events(round, "cluster-down")
                await running.events(round + 1, "cluster-up")
        sending = False
        await asyncio.gather(*senders)
        await until(lambda: published(one, "the end"))
        received = await asyncio.gather(*listeners)
        numbered = [[(line["offset"], text) for line, text in messages if "offset" in line] for messages in received]
        assert [offset for offset, _ in numbered[0]] == list(range(1, len(numbered[0]) + 1))
        assert all(messages == numbered[0] for messages in numbered)
        # What was sent without a link came once, at most, to members of its own gateway.
        for messages in received:
            texts = [text for _, text in messages]
            assert len(texts) == len(set(texts))


async def published(running: Gateway, text: str) -> bool:
    return (await raw.ask(running.plain, post(text))).status == 200


async def test_a_client_that_leaves_while_it_waits_for_the_server_is_no_member():
    async with gateways(1) as (server, one), admin(one) as session:
        tell(server.process, signal.SIGSTOP)
        async with await raw.Connection.open(one.plain) as waiting:
            await waiting.send(raw.upgrade("/rooms/lobby"))
            await until(lambda: rooms_open(session, 1))
        await until(lambda: rooms_open(session, 0))
        tell(server.process, signal.SIGCONT)
        async with member(one, **LINES) as socket:
            assert (await first(socket))["recovered"] is True
            await until(lambda: rooms_open(session, 1))


async def rooms_open(session, count: int) -> bool:
    return (await metrics(session))[("gateway_rooms", ("backend", "rooms"))] == count


async def test_a_listener_by_events_is_closed_when_history_is_gone():
    async with gateways(1) as (server, one):
        async with await raw.Connection.open(one.plain) as stream:
            await stream.send(b"GET /rooms/lobby HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
            said = b""
            # It is a member once it is answered.
            while b"\r\n\r\n" not in said:
                said += await within(stream.reader.read(4096))
            await publish(one, "1")
            while b"data: 1" not in said:
                said += await within(stream.reader.read(4096))
            await server.kill()
            await one.event("cluster-down")
            await server.start()
            await one.event("close", cause="history-lost")


async def test_history_stays_when_a_gateway_ends():
    async with gateways(2) as (_, one, two), member(one, **LINES) as near, member(two) as far:
        epoch = (await first(near))["epoch"]
        await near.send("1")
        assert await receive(far, 1) == ["1"]
        one.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            await receive(near, 2)
        async with member(two, query=f"?since={epoch}:0") as again:
            assert await receive(again, 1) == ["1"]


async def test_a_server_that_hangs_is_away_until_it_goes_on():
    async with gateways(1, "off") as (server, one), member(one) as socket:
        tell(server.process, signal.SIGSTOP)
        await socket.send("1")
        await one.event("cluster-down")
        assert await receive(socket, 1) == ["1"]
        tell(server.process, signal.SIGCONT)
        await one.events(2, "cluster-up")
        await socket.send("2")
        assert await receive(socket, 1) == ["2"]


async def test_scripts_that_the_server_has_forgotten_are_sent_again():
    async with gateways(1) as (server, one), member(one, **LINES) as socket:
        await first(socket)
        for offset in range(1, 6):
            await server.order("SCRIPT", "FLUSH")
            await socket.send("x")
            assert parted(await within(socket.recv()))[0]["offset"] == offset


async def test_a_gateway_begins_without_the_server():
    async with RedisServer() as server:
        await server.kill()
        async with gateway(server, "off") as one:
            await one.event("cluster-down")
            async with member(one) as socket:
                await socket.send("1")
                assert await receive(socket, 1) == ["1"]
                await server.start()
                await one.event("cluster-up")


# The user, and TLS


async def test_the_configuration_and_the_user_of_the_readme_work():
    section = (ROOT / "README.md").read_text().split("### On several gateways\n")[1].split("\n## ")[0]
    text, rights = re.findall(r"```(?:yaml)?\n(.*?)```", section, re.DOTALL)
    written = yaml.safe_load(text)
    assert written["cluster"]["redis"] == "redis://10.0.0.5:6379/0"
    async with RedisServer() as server:
        await server.order(*rights.replace("PASSWORD", "secret").split())
        await server.order("ACL", "SETUSER", "default", "resetpass", ">other")
        written["cluster"]["redis"] = server.url
        written["cluster"]["password"] = "secret"
        async with Gateway(**written) as one, Gateway(**written) as two, member(one) as socket:
            for running in (one, two):
                await running.event("cluster-up")
            answer = await publish(two, "1", "Idempotency-Key: k")
            await socket.send("2")
            assert await receive(socket, 2) == ["1", "2"]
            async with member(two, query=f"?since={answer['epoch']}:1") as late:
                assert await receive(late, 1) == ["2"]
            assert one.log.matching("cluster-refused") == two.log.matching("cluster-refused") == []


async def test_the_rights_are_enough_without_history_and_for_operators():
    async with RedisServer() as server:
        await server.order("ACL", "SETUSER", "gateway", *ACL.split())
        await server.order("ACL", "SETUSER", "default", "resetpass", ">other")
        cluster = {"user": "gateway", "password": "a-password-of-redis"}
        backends = {"rooms": {"builtin": "broadcast", "history": {}}, "plain": {"builtin": "broadcast"}}
        routes = [{"path": "/rooms/*", "backend": "plain"}, {"path": "/publish/*", "publish": "rooms", "allow": ["127.0.0.0/8"]}]
        async with gateway(server, cluster=cluster, backends=backends, routes=routes) as one, member(one) as socket, admin(one) as session:
            await socket.send("1")
            assert await receive(socket, 1) == ["1"]
            await publish(one, "x")
            async with session.delete("/api/rooms/rooms/lobby") as response:
                assert response.status == 200
            assert one.log.matching("cluster-refused") == []


async def test_the_server_is_reached_by_tls(tmp_path):
    authority = Authority(tmp_path)
    own, client = authority.issue("127.0.0.1"), authority.issue("gateway", client=True)
    # Debian's redis-server cannot say which port it took.
    with contextlib.closing(sockets.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = (
        "--tls-port", str(port), "--tls-cert-file", str(own.chain), "--tls-key-file", str(own.key), "--tls-ca-cert-file",
        str(authority.file),
    )
    async with RedisServer(*arguments) as server:
        tls = {"ca": str(authority.file), "certificate": client.configuration()}
        cluster = {"redis": f"rediss://127.0.0.1:{port}/2", "tls": tls}
        async with gateway(server, cluster=cluster) as one, member(one, **LINES) as socket:
            await one.event("cluster-up")
            await first(socket)
            await socket.send("1")
            assert parted(await within(socket.recv()))[0]["offset"] == 1


# Operating


async def test_operators_see_and_forget_rooms():
    async with gateways(2) as (_, one, two), member(one, **LINES) as socket, admin(two) as session:
        epoch = (await first(socket))["epoch"]
        async with session.post("/api/rooms/rooms/lobby", data="hello") as response:
            assert await response.json(content_type=None) == {"room": "lobby", "offset": 1, "epoch": epoch, "receivers": 0}
        assert parted(await within(socket.recv()))[1] == "hello"
        room = await read(session, "/api/rooms/rooms/lobby")
        assert (room["offset"], [message["offset"] for message in room["messages"]]) == (1, [1])
        async with admin(one) as near:
            (row,) = (await read(near, "/api/rooms"))["rooms"]
            assert (row["room"], row["members"], row["offset"]) == ("lobby", 1, 1)
        async with session.delete("/api/rooms/rooms/lobby") as response:
            assert response.status == 200
        await publish(two, "new")
        line, text = parted(await within(socket.recv()))
        assert (line["offset"], text) == (1, "new")
        assert line["epoch"] != epoch


async def test_a_reload_takes_rooms_to_the_server_and_back():
    async with RedisServer() as server, RedisServer() as other, gateway(server, "off") as two, gateway(other, "off") as one:
        await two.event("cluster-up")
        await one.event("cluster-up")
        async with member(one) as near, member(two) as far:
            await one.reload(cluster={"redis": server.url})
            await one.event("cluster-up", server=server.url)

            async def heard() -> bool:
                await near.send("x")
                with contextlib.suppress(TimeoutError):
                    return await within(far.recv(), 0.5) == "x"
                return False

            await until(heard)
            del one.configuration["cluster"]
            await one.reload()
            async with admin(one) as session:
                assert (await read(session, "/api/status"))["cluster"] is None
            async with member(one) as by:
                await near.send("alone")
                assert await receive(by, 1) == ["alone"]
                assert (await publish(one, "published"))["receivers"] == 2
                assert await receive(by, 1) == ["published"]
