"""What log and metrics say of plain requests: `log.requests`, `gateway_requests_…`."""

import asyncio
import contextlib

import pytest

import raw
from admin import admin, metrics
from confidential import secret
from gateway_process import Gateway, until, within
from test_pass import OK, Backend, request, rest

ROUTES = [
    {"name": "alive", "path": "/alive", "answer": {"text": "ok"}},
    {"name": "down", "path": "/down", "answer": {"status": 503}},
    {"name": "old", "path": "/old/*", "redirect": "https://new.example.com"},
    {"name": "app", "path": "/*", "backend": "app", "http": "pass"},
]


async def serve(connection: raw.Connection):
    """Answers as the path says: /500, /204, /break, /wait (nothing), or 200."""
    while True:
        path = (await connection.head())[0].split()[1].split("?")[0]
        if path == "/wait":
            await within(connection.reader.read())
        elif path == "/break":
            return await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        elif path[1:].isdigit():
            length = b"" if path == "/204" else b"Content-Length: 5\r\n"
            body = b"" if path == "/204" else b"hello"
            await connection.send(b"HTTP/1.1 %b X\r\n%b\r\n%b" % (path[1:].encode(), length, body))
        else:
            await connection.send(OK)


@contextlib.asynccontextmanager
async def serving(**keys):
    async with Backend(serve) as backend:
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{backend.port}"]}}
        async with Gateway(routes=ROUTES, backends=backends, admin="127.0.0.1:0", **keys) as gateway:
            yield gateway


async def ask(gateway: Gateway, line: str, *fields: str, body: bytes = b"") -> int | None:
    """The status of the answer, once it is read to its end, whole or not."""
    async with await raw.Connection.open(gateway.plain) as client:
        await client.send(request(line, "Connection: close", *fields, body=body))
        with contextlib.suppress(ConnectionResetError):
            status = int((await client.head())[0].split()[1])
            await rest(client)
        return status


async def ask_all(gateway: Gateway):
    for line in [f"GET /a?secret={secret('query')}", "GET /204", "GET /404", "GET /500", "GET /break", "GET /alive?b", "GET /down", "HEAD /old/x"]:
        await ask(gateway, line)


def shown(gateway: Gateway) -> list[tuple]:
    return [(line["path"], line["status"]) for line in gateway.log.matching("request")]


ERRORS = [("/500", 500), ("/break", 200), ("/down", 503)]
ALL = [("/a", 200), ("/204", 204), ("/404", 404), ("/500", 500), ("/break", 200), ("/alive", 200), ("/down", 503), ("/old/x", 308)]


@pytest.mark.parametrize(("requests", "lines"), [(None, ERRORS), ("errors", ERRORS), ("all", ALL), ("off", [])])
async def test_log_requests_chooses_the_lines(requests, lines):
    log = {"format": "json", **({"requests": requests} if requests else {})}
    async with serving(log=log) as gateway:
        await ask_all(gateway)
        # A line that always comes, and comes last.
        await raw.ask(gateway.plain, request("TRACE /alive"))
        await gateway.event("refused", status=405)
        assert shown(gateway) == lines


async def test_the_line_of_a_request_says_what_was_asked_and_answered():
    async with serving(log={"format": "json", "requests": "all"}) as gateway:
        await ask(gateway, "POST /a/b?c=d", "Content-Length: 3", "Origin: https://a.example", body=b"abc")
        line = await gateway.event("request")
        assert (line["method"], line["path"], line["status"], line["bytes"]) == ("POST", "/a/b", 200, 2)
        assert (line["route"], line["backend"], line["client"]) == ("app", "app", "127.0.0.1")
        assert line["endpoint"].startswith("ws://127.0.0.1:") and line["origin"] == "https://a.example"
        assert len(line["session"]) == 16 and 0 <= line["duration"] < 20 and "reason" not in line
        await ask(gateway, "HEAD /alive")
        line = await gateway.event("request", route="alive")
        assert (line["method"], line["path"], line["status"], line["bytes"]) == ("HEAD", "/alive", 200, 0)


async def test_the_line_of_an_answer_that_broke_off_says_why():
    async with serving() as gateway:
        await ask(gateway, "GET /break")
        line = await gateway.event("request", path="/break")
        assert line["bytes"] == 3 and "broke its answer off" in line["reason"]


async def test_a_request_of_a_client_that_left_has_a_line_without_a_status():
    async with serving(log={"format": "json", "requests": "all"}) as gateway:
        async with await raw.Connection.open(gateway.plain) as client:
            await client.send(request("GET /wait"))
        line = await gateway.event("request", path="/wait")
        assert "status" not in line and line["reason"] == "the client left"


async def test_a_reload_changes_log_requests():
    async with serving(log={"format": "json", "requests": "off"}) as gateway:
        await ask(gateway, "GET /500")
        await gateway.reload(log={"format": "json", "requests": "all"})
        await ask(gateway, "GET /a")
        await gateway.event("request")
        assert shown(gateway) == [("/a", 200)]


async def test_metrics_count_requests_and_those_that_are_open():
    async with serving() as gateway, admin(gateway) as session:
        await ask_all(gateway)
        async with await raw.Connection.open(gateway.plain) as client:
            await client.send(request("GET /wait"))

            async def is_open() -> bool:
                return (await metrics(session)).get(("gateway_requests_open", ("route", "app"))) == 1

            await until(is_open)
        async def is_over() -> bool:
            return not await is_open()

        await until(is_over)
        found = await metrics(session)

        def total(route: str, status: str) -> float:
            return found.get(("gateway_requests_total", ("route", route), ("status", status)), 0)

        assert [total("app", status) for status in ("2xx", "3xx", "4xx", "5xx", "none")] == [3, 0, 1, 1, 1]
        assert (total("alive", "2xx"), total("down", "5xx"), total("old", "3xx")) == (1, 1, 1)
        assert found["gateway_requests_open", ("route", "app")] == found["gateway_requests_open", ("route", "alive")] == 0
        # Until the head of the answer: the one that the client did not wait for had none.
        assert found["gateway_request_seconds_count", ("route", "app")] == 5
        assert found["gateway_request_seconds_count", ("route", "alive")] == 1
        assert 0 < found["gateway_request_seconds_sum", ("route", "app")] < 20
        # They are no sessions.
        assert sum(value for key, value in found.items() if key[0] == "gateway_sessions_total") == 0


async def test_metrics_count_a_refusal_in_the_middle_of_an_exchange():
    timeouts = {"response": "100ms"}
    async with serving(defaults={"timeouts": timeouts}) as gateway, admin(gateway) as session:
        assert await ask(gateway, "GET /wait") == 504
        found = await metrics(session)
        assert found["gateway_requests_total", ("route", "app"), ("status", "5xx")] == 1
        assert found["gateway_requests_open", ("route", "app")] == 0
