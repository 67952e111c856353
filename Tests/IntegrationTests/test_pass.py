"""Plain HTTP beside the upgrade (`http: pass`): requests that are passed to the same backend, byte for byte."""

import asyncio
import contextlib
import signal

import pytest

import raw
from confidential import secret
from gateway_process import Gateway, within
from peers import reset

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Backend:
    """An HTTP server by hand: `handler(connection)` for each connection. `heads` has the heads of all requests it read."""

    def __init__(self, handler=None):
        self.handler = handler or self.always(OK)
        self.heads: list[list[str]] = []
        self.connections = 0
        self.ends: asyncio.Queue = asyncio.Queue()
        self._tasks: set = set()

    def always(self, answer: bytes):
        async def handler(connection: raw.Connection):
            while True:
                await self.request(connection)
                await connection.send(answer)

        return handler

    async def request(self, connection: raw.Connection) -> list[str]:
        head = await connection.head()
        self.heads.append(head)
        return head

    async def _handle(self, reader, writer):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        end = "end"
        try:
            await self.handler(raw.Connection(reader, writer))
        except asyncio.IncompleteReadError:
            pass
        except OSError as error:
            end = type(error).__name__
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()
        await self.ends.put(end)

    async def __aenter__(self) -> "Backend":
        self.server = await asyncio.start_server(self._handle, "127.0.0.1", 0, limit=64 << 20)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()
        for task in list(self._tasks):
            task.cancel()

    async def ended(self) -> str:
        return await within(self.ends.get())


def passing(*backends: Backend, route: dict | None = None, **keys) -> Gateway:
    urls = [f"ws://127.0.0.1:{backend.port}" for backend in backends]
    return Gateway(
        routes=[{"path": "/*", "backend": "app", "http": "pass", **(route or {})}],
        backends={"app": {"websocket": urls}}, **keys,
    )


@contextlib.asynccontextmanager
async def scene(handler=None, **keys):
    """A backend, a gateway in front of it, and a client's connection to that."""
    async with Backend(handler) as backend, passing(backend, **keys) as gateway:
        async with await raw.Connection.open(gateway.plain) as client:
            yield backend, gateway, client


def request(line: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: a", *fields, "", ""]).encode("latin-1") + body


async def rest(connection: raw.Connection) -> bytes:
    return await within(connection.reader.read())


# Heads


async def test_a_request_goes_on_with_what_it_needs_and_no_more():
    async with scene() as (backend, gateway, client):
        await client.send(
            request("GET /a/b?c=d", "Connection: keep-alive, X-Secret", "X-Secret: 1", "Keep-Alive: 5", "TE: trailers",
                    "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Accept: */*", f"Cookie: a={secret('cookie')}", "Origin: http://other")
        )
        answer = await client.response()
        assert (answer.status, answer.body) == (200, b"ok")
        line, *fields = backend.heads[0]
        assert line == "GET /a/b?c=d HTTP/1.1"
        names = {field.split(":")[0].lower() for field in fields}
        assert {"accept", "cookie", "origin", "host", "via", "x-forwarded-for"} <= names
        assert "Via: 1.1 gateway" in fields
        assert not names & {"x-secret", "keep-alive", "upgrade", "http2-settings"}


async def test_a_connection_carries_requests_one_after_the_other_over_one_to_the_backend():
    async with scene() as (backend, gateway, client):
        for number in range(5):
            await client.send(request(f"GET /{number}"))
            assert (await client.response()).body == b"ok"
        assert backend.connections == 1
        assert [head[0].split()[1] for head in backend.heads] == [f"/{number}" for number in range(5)]


async def test_pipelined_requests_are_answered_in_order():
    async def handler(connection):
        while True:
            head = await connection.head()
            path = head[0].split()[1].encode()
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    async with scene(handler) as (backend, gateway, client):
        await client.send(b"".join(request(f"GET /{number}") for number in range(20)))
        for number in range(20):
            assert (await client.response()).body == f"/{number}".encode()


async def test_an_upgrade_follows_a_plain_request_on_the_same_connection():
    async def handler(connection):
        head = await connection.head()
        if head[0].startswith("GET /page"):
            return await connection.send(OK)
        key = next(field.split(": ")[1] for field in head if field.lower().startswith("sec-websocket-key"))
        await connection.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % raw.accept_key(key).encode()
        )
        frame = await connection.frame()
        await connection.send(raw.frame(frame.opcode, frame.payload, mask=None))
        await connection.frame()

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /page"))
        assert (await client.response()).body == b"ok"
        await client.send(raw.upgrade("/socket"))
        assert (await client.response()).status == 101
        await client.send(raw.frame(raw.TEXT, b"hello"))
        assert (await client.frame()).payload == b"hello"


# Bodies


async def test_a_chunked_body_is_framed_anew_and_keeps_its_trailers():
    bodies = []

    async def handler(connection):
        await connection.head()
        data = b""
        while not data.endswith(b"0\r\nX-Sum: 7\r\n\r\n"):
            data += await within(connection.reader.read(65536))
        bodies.append(data)
        await connection.send(OK)

    async with scene(handler) as (backend, gateway, client):
        await client.send(
            request("POST /", "Transfer-Encoding: chunked", "Trailer: X-Sum",
                    body=b"3;name=value\r\nabc\r\n04\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n")
        )
        assert (await client.response()).status == 200
        payload, rest = b"", bodies[0]
        while True:
            size, rest = rest.split(b"\r\n", 1)
            assert b";" not in size
            if int(size, 16) == 0:
                break
            payload, rest = payload + rest[: int(size, 16)], rest[int(size, 16) + 2:]
        assert payload == b"abcdefg"


async def test_a_large_upload_and_a_large_answer_pass_whole():
    size = 20 << 20
    data = bytes(range(256)) * (size // 256)

    async def handler(connection):
        await connection.head()
        body = await within(connection.reader.readexactly(size), 60)
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body)

    async with scene(handler, defaults={"limits": {"body": "0"}}) as (backend, gateway, client):
        async def upload():
            await client.send(request("POST /", f"Content-Length: {size}", body=data))

        sending = asyncio.create_task(upload())
        answer = await within(client.response(), 60)
        await sending
        assert answer.body == data


@pytest.mark.parametrize("answer", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"])
async def test_an_answer_without_a_body_ends_with_its_head(answer):
    async with scene() as (backend, gateway, client):
        backend.handler = backend.always(answer)
        for _ in range(2):
            await client.send(request("GET /"))
            assert (await client.head())[0].split()[1] == answer.split()[1].decode()


async def test_the_answer_to_a_head_has_a_length_and_no_body():
    async with scene() as (backend, gateway, client):
        backend.handler = backend.always(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(2):
            await client.send(request("HEAD /"))
            assert "Content-Length: 1000" in await client.head()
        assert backend.connections == 1


async def test_events_pass_one_by_one():
    step = asyncio.Event()

    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            event = b"data: %d\n\n" % number
            await connection.send(b"%x\r\n%b\r\n" % (len(event), event))
            await within(step.wait())
            step.clear()
        await connection.send(b"0\r\n\r\n")

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /events"))
        assert "Transfer-Encoding: chunked" in await client.head()
        for number in range(3):
            event = b"data: %d\n\n" % number
            assert await client.exactly(len(b"%x" % len(event)) + 2 + len(event) + 2) == b"%x\r\n%b\r\n" % (len(event), event)
            step.set()
        assert await client.exactly(5) == b"0\r\n\r\n"


async def test_informational_answers_go_on_before_the_final_one():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await connection.exactly(3) == b"abc"
        await connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + OK)

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("POST /", "Content-Length: 3", "Expect: 100-continue"))
        assert (await client.head())[0].split()[1] == "100"
        await client.send(b"abc")
        head = await client.head()
        assert head[0].split()[1] == "103" and "Link: </a.css>" in head
        assert (await client.response()).body == b"ok"


# Ends


async def test_an_answer_that_breaks_off_never_looks_whole():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        try:
            data = await rest(client)
        except ConnectionResetError:
            data = b""
        assert b"0\r\n" not in data


async def test_an_answer_until_the_end_is_chunked_for_the_client():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\nabc")

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /"))
        assert "Transfer-Encoding: chunked" in await client.head()
        assert await client.exactly(8) == b"3\r\nabc\r\n"
        assert await client.exactly(5) == b"0\r\n\r\n"
        await client.send(request("GET /"))
        await client.head()


async def test_a_client_that_leaves_ends_its_backends_request():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await within(connection.reader.read())

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        client.writer.close()
        await backend.ended()


async def test_a_kept_connection_that_the_backend_closed_costs_no_answer():
    async def handler(connection):
        await connection.head()
        await connection.send(OK)

    async with scene(handler) as (backend, gateway, client):
        for _ in range(10):
            await client.send(request("GET /"))
            assert (await client.response()).body == b"ok"
        assert backend.connections == 10


async def test_a_backend_that_answers_with_nonsense_is_502():
    async def handler(connection):
        await connection.head()
        await connection.send(b"nonsense\r\n\r\n")

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /"))
        assert (await client.response()).status == 502


async def test_no_backend_is_502():
    async with Backend() as backend:
        port = backend.port
    gateway = Gateway(
        routes=[{"path": "/*", "backend": "app", "http": "pass"}], backends={"app": {"websocket": [f"ws://127.0.0.1:{port}"]}}
    )
    async with gateway, await raw.Connection.open(gateway.plain) as client:
        await client.send(request("GET /"))
        assert (await client.response()).status == 502


async def test_a_backend_that_does_not_answer_is_504():
    async def handler(connection):
        await connection.head()
        await within(connection.reader.read())

    async with scene(handler, defaults={"timeouts": {"response": "100ms"}}) as (backend, gateway, client):
        await client.send(request("GET /"))
        assert (await client.response()).status == 504


# Refusals


@pytest.mark.parametrize(
    ("status", "head"),
    [
        (400, request("POST /", "Content-Length: 3", "Transfer-Encoding: chunked")),
        (400, request("POST /", "Content-Length: 3", "Content-Length: 4")),
        (400, request("POST /", "Content-Length: +3")),
        (501, request("POST /", "Transfer-Encoding: gzip, chunked")),
        (413, request("POST /", "Content-Length: 2000000")),
        (400, request("POST /", "Transfer-Encoding: chunked", body=b"0x3\r\nabc\r\n0\r\n\r\n")),
        (400, request("POST /", "Transfer-Encoding: chunked", body=b"3\nabc\r\n0\r\n\r\n")),
    ],
)
async def test_a_request_in_doubt_is_refused_and_the_connection_ends(status, head):
    async def handler(connection):
        await connection.head()
        await within(connection.reader.read())

    async with scene(handler) as (backend, gateway, client):
        await client.send(head)
        answer = await client.response()
        assert (answer.status, answer.field("Connection")) == (status, "close")
        assert await rest(client) == b""


async def test_a_body_that_grows_over_the_limit_is_413():
    async def handler(connection):
        await connection.head()
        await within(connection.reader.read())

    async with scene(handler, defaults={"limits": {"body": "1KiB"}}) as (backend, gateway, client):
        await client.send(request("POST /", "Transfer-Encoding: chunked", body=b"800\r\n" + bytes(0x800) + b"\r\n"))
        assert (await client.response()).status == 413
        await backend.ended()


async def test_a_client_of_http_1_0_gets_its_answer_and_the_end():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

    async with scene(handler) as (backend, gateway, client):
        await client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        head = await client.head()
        assert "Connection: close" in head and not any(field.startswith("Transfer-Encoding") for field in head)
        assert await rest(client) == b"abc"


# Drain


async def test_a_drain_ends_idle_connections_at_once_and_lets_a_request_finish():
    arrived, go = asyncio.Event(), asyncio.Event()

    async def handler(connection):
        while True:
            head = await connection.head()
            if head[0].startswith("GET /slow"):
                arrived.set()
                await within(go.wait())
            await connection.send(OK)

    async with scene(handler, drain={"over": "5s"}) as (backend, gateway, client):
        async with await raw.Connection.open(gateway.plain) as idle:
            await idle.send(request("GET /"))
            assert (await idle.response()).body == b"ok"
            await client.send(request("GET /slow"))
            await within(arrived.wait())
            gateway.signal(signal.SIGTERM)
            assert await rest(idle) == b""
            go.set()
            answer = await client.response()
            assert (answer.body, answer.field("Connection")) == (b"ok", "close")
            assert await gateway.exited() == 0


async def test_a_reset_backend_in_the_middle_of_an_answer_resets_the_client():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        reset(connection.writer)

    async with scene(handler) as (backend, gateway, client):
        await client.send(request("GET /"))
        await client.head()
        with contextlib.suppress(ConnectionResetError):
            assert len(await rest(client)) < 100


# Upgrades that the backend refuses


def refusing(answer: bytes):
    """A backend that answers every upgrade with `answer`, and plain requests with OK."""

    async def handler(connection):
        while True:
            head = await connection.head()
            is_upgrade = any(field.lower() == "upgrade: websocket" for field in head)
            await connection.send(answer if is_upgrade else OK)

    return handler


async def test_a_refused_upgrade_is_passed_whole_and_the_connection_kept():
    body = bytes(range(256)) * 1024
    answer = (
        b"HTTP/1.1 403 No Entry\r\nX-Theirs: 1\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    async with scene(refusing(answer), route={"headers": {"X-Ours": "2"}}) as (backend, gateway, client):
        for _ in range(2):
            await client.send(raw.upgrade("/x"))
            refused = await client.response()
            assert (refused.status, refused.body == body) == (403, True)
            assert (refused.field("X-Theirs"), refused.field("Set-Cookie"), refused.field("X-Ours")) == ("1", "a=b", "2")
            assert refused.field("Connection") is None
        await client.send(request("GET /"))
        assert (await client.response()).body == b"ok"
        # What an upgrade was sent on gets no other request.
        assert backend.connections == 3
        # Each counts as a refused handshake.
        await gateway.events(2, "refused", status=403, phase="backend-handshake")


async def test_a_refusal_of_an_upgrade_may_be_chunked_and_pause():
    step = asyncio.Event()

    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n")
        await within(step.wait())
        await connection.send(b"3\r\ndef\r\n0\r\n\r\n")
        await connection.reader.read()

    times = {"handshake": "300ms", "request-body": "300ms", "response": "300ms"}
    async with scene(handler, defaults={"timeouts": times}) as (backend, gateway, client):
        await client.send(raw.upgrade("/x") + request("GET /y"))
        head = await client.head()
        assert head[0] == "HTTP/1.1 401 No" and "WWW-Authenticate: Basic" in head
        assert await client.exactly(8) == b"3\r\nabc\r\n"
        await asyncio.sleep(0.5)
        backend.handler = backend.always(OK)
        step.set()
        assert await client.exactly(13) == b"3\r\ndef\r\n0\r\n\r\n"
        assert (await client.response()).body == b"ok"


async def test_a_server_that_ignores_the_upgrade_is_not_in_the_way():
    # RFC 9110 section 7.8: it may answer as if it had not been asked.
    async with scene(refusing(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage")) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        answer = await client.response()
        assert (answer.status, answer.body) == (200, b"page")
        await client.send(request("GET /"))
        assert (await client.response()).body == b"ok"


async def test_a_refusal_with_a_large_head_passes():
    long = "a" * (40 << 10)
    answer = b"HTTP/1.1 404 Not Found\r\nX-Long: %b\r\nContent-Length: 0\r\n\r\n" % long.encode()
    async with scene(refusing(answer)) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        assert (await client.response()).field("X-Long") == long


async def test_a_refusal_until_the_end_is_chunked():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 500 Oops\r\n\r\nabc")

    async with scene(handler) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        assert "Transfer-Encoding: chunked" in await client.head()
        assert await client.exactly(13) == b"3\r\nabc\r\n0\r\n\r\n"
        await client.send(request("GET /"))
        await client.head()


async def test_a_refusal_that_breaks_off_never_looks_whole():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc")

    async with scene(handler) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        await client.head()
        with contextlib.suppress(ConnectionResetError):
            assert len(await rest(client)) < 100
        line = await gateway.event("request", status=403)
        assert "broke its answer off" in line["reason"]


async def test_a_refusal_that_cannot_be_framed_is_502():
    answer = b"HTTP/1.1 403 No\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    async with scene(refusing(answer)) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        answer = await client.response()
        assert (answer.status, answer.field("Connection")) == (502, "close")


async def test_a_client_that_leaves_during_a_refusal_ends_its_backend():
    async def handler(connection):
        await connection.head()
        await connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nabc")
        await connection.reader.read()

    async with scene(handler) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        await client.head()
        client.reset()
        await backend.ended()


async def test_where_only_sessions_are_a_refusal_ends_the_connection():
    body = b"a" * (100 << 10)
    answer = b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with scene(refusing(answer), route={"http": "off"}) as (backend, gateway, client):
        await client.send(raw.upgrade("/x"))
        refused = await client.response()
        assert (refused.status, refused.field("Connection"), len(refused.body)) == (403, "close", 64 << 10)
        assert await rest(client) == b""
