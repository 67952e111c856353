"""What operators do at the admin address: find sessions, close some, take endpoints from clients; and what the log says of it."""

import asyncio
import contextlib

import pytest

from admin import NOBODY, admin, gateway, read, url
from gateway_process import Gateway, until, within
from peers import WebSocketBackend, client


@contextlib.asynccontextmanager
async def crowd(running: Gateway, paths: dict[str, int]):
    """So many clients of each path, by path."""
    async with contextlib.AsyncExitStack() as stack:
        clients: dict[str, list] = {}
        for path, count in paths.items():
            clients[path] = [await stack.enter_async_context(client(running.ws(path))) for _ in range(count)]
        yield clients


async def walk(session, query: str, limit: int) -> list[dict]:
    """The rows of all pages."""
    rows: list[dict] = []
    after = ""
    while True:
        page = await read(session, f"/api/sessions?limit={limit}{query}{after}")
        assert len(page["sessions"]) <= limit
        rows += page["sessions"]
        if page["next"] is None:
            assert page["total"] == len(rows)
            return rows
        assert len(page["sessions"]) == limit
        after = f"&after={page['next']}"


async def refusal(session, method: str, path: str, body=None) -> str:
    async with session.request(method, path, json=body) as response:
        assert response.status == 400, await response.text()
        return (await response.json())["error"]


async def changes(running: Gateway, count: int) -> list[dict]:
    """The log's lines of what operators changed."""
    return (await running.events(count + 1, "admin"))[1:]


async def test_the_table_comes_in_pages():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with crowd(running, {"/echo": 9, "/app": 4}):
            ids = [record["session"] for record in await running.events(13, "open")]
            for limit in (1, 2, 5, 13, 1000):
                assert [row["id"] for row in await walk(session, "", limit)] == sorted(ids)
            oldest = await walk(session, "&sort=-age", 4)
            assert [row["id"] for row in oldest] == ids
            assert {row["id"] for row in await walk(session, "&sort=-queue", 4)} == set(ids)
            assert {row["id"] for row in await walk(session, "&sort=-rtt", 4)} == set(ids)
            # The page begins behind that id, even if its session is gone.
            await session.post(f"/api/sessions/{sorted(ids)[3]}/close")
            await running.closed(session=sorted(ids)[3])
            page = await read(session, f"/api/sessions?after={sorted(ids)[3]}")
            assert [row["id"] for row in page["sessions"]] == sorted(ids)[4:]
            assert page["total"] == 12


async def test_the_table_is_filtered():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with crowd(running, {"/echo": 3, "/app": 2}):
            await running.events(5, "open")

            async def count(query: str) -> int:
                page = await read(session, f"/api/sessions?{query}")
                assert page["total"] == len(page["sessions"])
                return page["total"]

            assert await count("route=echo") == 3
            assert await count("backend=app") == 2
            assert await count(f"endpoint={url(backend)}") == 2
            assert await count("client=127.0.0.1") == 5
            assert await count("client=127.0.0.0/8&route=app") == 2
            assert await count("client=10.0.0.0/8") == 0
            assert await count("route=echo&backend=app") == 0
            assert await count("subject=alice") == 0
            for query, words in [
                ("rout=echo", "unknown parameter rout: there are route, backend"), ("sort=queue", "`sort` is one of id, -queue"),
                ("limit=1001", "from 1 to 1000"), ("client=ten", "an address or a network"), ("route=", "`route` is empty"),
                ("after=x", "the `next` of the page before"), ("route=a&route=b", "more than one route"),
            ]:
                assert words in await refusal(session, "GET", f"/api/sessions?{query}")


async def test_the_busiest_sessions_come_first():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with crowd(running, {"/echo": 5}) as clients:
            ids = [record["session"] for record in await running.events(5, "open")]
            busy = clients["/echo"][3]

            async def talk():
                while True:
                    await busy.send("x")
                    await busy.recv()

            talking = asyncio.ensure_future(talk())
            try:
                page = await read(session, "/api/sessions?sort=-rate&limit=2")
            finally:
                talking.cancel()
            assert page["sessions"][0]["id"] == ids[3]
            assert page["sessions"][0]["rate"] > 10
            assert page["sessions"][1]["rate"] == 0
            assert page["total"] == 5


async def test_sessions_that_filters_have_are_closed():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with crowd(running, {"/echo": 3, "/app": 2}) as clients:
            await running.events(5, "open")
            order = {"route": "echo", "client": "127.0.0.0/8", "code": 4002, "reason": "moved"}
            async with session.post("/api/sessions/close?dry-run=true", json=order) as response:
                assert await response.json() == {"matched": 3, "closed": 0}
            async with session.post("/api/sessions/close", json=order) as response:
                assert await response.json() == {"matched": 3, "closed": 3}
            for socket in clients["/echo"]:
                await within(socket.wait_closed())
                assert (socket.close_code, socket.close_reason) == (4002, "moved")
            for record in await running.events(3, "close", route="echo"):
                assert (record["cause"], record["code"]) == ("admin", "4002")
            for socket in clients["/app"]:
                await socket.send("still there")
                assert await socket.recv() == "still there"
            async with session.post("/api/sessions/close", json={"all": True}) as response:
                assert await response.json() == {"matched": 2, "closed": 2}
            for socket in clients["/app"]:
                await within(socket.wait_closed())
                assert socket.close_code == 1008
            first, second = await changes(running, 2)
            assert (first["who"], first["action"], first["count"], first["result"]) == ("127.0.0.1", "close", 3, "done")
            assert first["target"] == "route=echo client=127.0.0.0/8"
            assert (second["target"], second["count"]) == ("all", 2)


async def test_an_order_that_is_not_clear_closes_none():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with client(running.ws("/echo")) as socket:
            await running.event("open")
            for body, words in [
                (None, "name the sessions by a filter"), ({}, "name the sessions by a filter"),
                ({"all": False}, "name the sessions by a filter"), ({"rout": "echo"}, "unknown key rout"),
                ({"route": ""}, "a filter is empty"), ({"all": True, "route": "echo"}, "`all` goes with no filter"),
                ({"route": "echo", "for": "10m"}, "`for` goes with a subject"), ({"all": True, "code": 1006}, "the code has to be"),
                ({"client": "300.1.1.1"}, "an address or a network"),
            ]:
                assert words in await refusal(session, "POST", "/api/sessions/close", body)
            assert "unknown parameter dry_run" in await refusal(session, "POST", "/api/sessions/close?dry_run=1", {"all": True})
            await socket.send("still there")
            assert await socket.recv() == "still there"


def sticky(one: WebSocketBackend, other: WebSocketBackend) -> dict:
    return {"backends": {
        "echo": {"builtin": "echo"},
        "app": {"websocket": [url(one), url(other)], "balance": "cookie"},
    }}


async def state(session, endpoint: str) -> tuple[str, str]:
    """An endpoint's state, and what an operator ordered."""
    for backend in (await read(session, "/api/backends"))["backends"]:
        for row in backend["endpoints"]:
            if row["name"] == endpoint:
                return row["state"], row["order"]
    raise AssertionError(endpoint)


def cookie(socket) -> str:
    return socket.response.headers["Set-Cookie"].split(";")[0]


async def order(session, backend: str, endpoint: str, wanted: str) -> None:
    body = {"backend": backend, "endpoint": endpoint, "state": wanted}
    async with session.post("/api/endpoints", json=body) as response:
        assert await response.json() == body


async def test_an_endpoint_is_taken_from_clients_and_given_back():
    async with (
        WebSocketBackend() as one, WebSocketBackend() as other, gateway(one, **sticky(one, other)) as running,
        admin(running) as session, contextlib.AsyncExitStack() as stack,
    ):
        came = 0

        async def come(**headers):
            """A client, and the endpoint that it got."""
            nonlocal came
            socket = await stack.enter_async_context(client(running.ws("/app"), additional_headers=headers))
            came += 1
            return socket, (await running.events(came, "open"))[came - 1]["endpoint"]

        async def place(**headers) -> str:
            return (await come(**headers))[1]

        first, there = await come()
        elsewhere = url(other) if there == url(one) else url(one)
        mine = cookie(first)
        assert await state(session, there) == ("up", "up")

        await order(session, "app", there, "drain")
        assert await state(session, there) == ("draining", "drain")
        assert [await place() for _ in range(4)] == [elsewhere] * 4
        assert await place(Cookie=mine) == there

        await order(session, "app", there, "down")
        assert await state(session, there) == ("down", "down")
        assert await place(Cookie=mine) == elsewhere

        # Sessions stay in both.
        await first.send("still there")
        assert await first.recv() == "still there"

        await order(session, "app", elsewhere, "drain")
        with pytest.raises(Exception, match="503"):
            await come()
        await order(session, "app", there, "up")
        assert await state(session, there) == ("up", "up")
        assert await place() == there

        # What an operator ordered is no trouble.
        assert {record["level"] for record in running.log.matching("health")} == {"info"}
        lines = await changes(running, 4)
        assert [(line["action"], line["target"], line["result"]) for line in lines] == [
            ("drain", f"app {there}", "done"), ("down", f"app {there}", "done"), ("drain", f"app {elsewhere}", "done"),
            ("up", f"app {there}", "done"),
        ]


async def test_an_order_for_no_endpoint_is_refused():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        body = {"backend": "app", "endpoint": "ws://elsewhere", "state": "down"}
        async with session.post("/api/endpoints", json=body) as response:
            assert response.status == 404
            assert (await response.json())["error"] == f"backend app has no endpoint ws://elsewhere; there are: {url(backend)}"
        # Without the scheme it is clear what is meant, and nothing is done all the same.
        for path, more in (("/api/endpoints", {"state": "down"}), ("/api/drain", {})):
            for name, error in [
                (("app", url(backend).removeprefix("ws://")), f"did you mean {url(backend)}?"),
                (("ap", url(backend)), "there is no backend ap; there are: "), (("echo", "ws://a"), "echo is a built-in service, which has no endpoints"),
            ]:
                async with session.post(path, json={"backend": name[0], "endpoint": name[1], **more}) as response:
                    assert response.status == 404 and error in (await response.json())["error"]
        assert await state(session, url(backend)) == ("up", "up")
        assert "`state` is one of up, drain, down" in await refusal(session, "POST", "/api/endpoints", {**body, "state": "off"})
        line = (await changes(running, 7))[0]
        assert line["result"] == f"backend app has no endpoint ws://elsewhere; there are: {url(backend)}"


async def test_a_check_is_shown_with_its_time():
    health = {"check": "connect", "interval": "200ms", "timeout": "200ms"}
    async with WebSocketBackend() as backend:
        backends = {"echo": {"builtin": "echo"}, "app": {**backend.configuration(), "health": health}}
        async with gateway(backend, backends=backends) as running, admin(running) as session:
            async def checked() -> bool:
                (app,) = [row for row in (await read(session, "/api/backends"))["backends"] if row["name"] == "app"]
                (endpoint,) = app["endpoints"]
                assert endpoint["checked"] is True
                if endpoint["last_check_seconds"] is None:
                    return False
                assert 0 <= endpoint["last_check_seconds"] < 60
                assert 0 < endpoint["check_seconds"] < 1
                return True

            await until(checked)


@pytest.mark.parametrize("keys, checked", [({}, False), ({"eject": {}}, True)], ids=["by nothing", "by sessions"])
async def test_an_endpoint_that_nothing_watches_is_marked(keys, checked):
    async with WebSocketBackend() as backend:
        backends = {"echo": {"builtin": "echo"}, "app": {**backend.configuration(), **keys}}
        async with gateway(backend, backends=backends) as running, admin(running) as session:
            (app,) = [row for row in (await read(session, "/api/backends"))["backends"] if row["name"] == "app"]
            assert [(row["state"], row["checked"]) for row in app["endpoints"]] == [("up", checked)]


async def test_the_status_says_what_the_process_does():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with client(running.ws("/echo")):
            await running.event("open")
            status = await read(session, "/api/status")
        assert status["sessions"] == 1
        assert status["workers"] == 2
        assert status["draining"] is False
        assert status["last_reload"]["at"] is None
        assert 0 < status["open_files"] < status["open_files_limit"]
        assert status["memory_bytes"] <= status["memory_limit_bytes"]
        assert status["listeners"]
        running.write(routes=[])
        async with session.post("/api/reload") as response:
            assert response.status in (200, 422)
            applied = response.status == 200
        reload = (await read(session, "/api/status"))["last_reload"]
        assert reload["result"] == ("applied" if applied else "refused")
        assert bool(reload["mistakes"]) is not applied
        assert reload["at"].endswith("Z")


async def test_a_session_that_is_not_there_is_not_closed():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with session.post(f"/api/sessions/{NOBODY}/close") as response:
            assert response.status == 404
        (line,) = await changes(running, 1)
        assert (line["target"], line["count"]) == (f"session={NOBODY}", 0)
