"""The admin address as its users meet it: a scraper, a script with an HTTP client, a hostile page."""

import asyncio
import contextlib
import email.utils
import json
import os
import signal
import stat
import time

import pytest

import raw
from admin import NOBODY, admin, admin_address, gateway, key, metrics, read, url
from confidential import secret
from gateway_process import PATIENCE, Gateway, command
from peers import WebSocketBackend, client


# --- HTTP


async def test_health_and_readiness():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        for path, text in {"/healthz": "ok\n", "/readyz": "ready\n"}.items():
            async with session.get(path) as response:
                assert (response.status, await response.text()) == (200, text)
            async with session.head(path) as response:
                assert (response.status, response.headers["Content-Length"]) == (200, str(len(text)))


@pytest.mark.parametrize(
    "line, status",
    [
        ("GET /healthz HTTP/1.0", 200), ("GET /readyz HTTP/1.0", 200), ("HEAD /readyz HTTP/1.0", 200),
        ("GET /metrics HTTP/1.0", 200), ("OPTIONS / HTTP/1.0", 200), ("GET /api/sessions HTTP/1.0", 400),
        ("POST /api/drain HTTP/1.0", 400), ("OPTIONS / HTTP/1.1", 400), ("GET /readyz HTTP/1.1", 400),
    ],
)
async def test_plain_probes_need_no_host(line, status):
    async with WebSocketBackend() as backend, gateway(backend) as running:
        host, port = (await admin_address(running)).rsplit(":", 1)
        async with await raw.Connection.open((host, int(port))) as connection:
            await connection.send(f"{line}\r\n\r\n".encode())
            first, *fields = await connection.head()
            assert first.startswith(f"HTTP/1.1 {status} ")
            date = email.utils.parsedate_to_datetime(dict(field.split(": ", 1) for field in fields)["Date"])
            assert abs(date.timestamp() - time.time()) < PATIENCE + 1


async def test_options_says_what_readyz_says():
    async with WebSocketBackend() as backend, gateway(backend, drain={"delay": "1h", "over": "0s"}) as running:
        host, port = (await admin_address(running)).rsplit(":", 1)
        address = (host, int(port))
        probe = b"OPTIONS / HTTP/1.1\r\nHost: localhost:\r\n\r\n"
        assert (await raw.ask(address, probe)).body == b"ready\n"
        running.signal(signal.SIGTERM)
        await running.event("draining")
        for request in (probe, b"OPTIONS / HTTP/1.0\r\n\r\n", b"GET /readyz HTTP/1.0\r\n\r\n"):
            assert (await raw.ask(address, request)).status == 503
        assert (await raw.ask(address, probe.replace(b"\r\n\r\n", b"\r\nOrigin: http://a.example\r\n\r\n"))).status == 403


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"], ids=["nothing", "half a request"])
async def test_silent_connections_make_room_for_whoever_asks(said):
    async with WebSocketBackend() as backend, gateway(backend) as running, contextlib.AsyncExitStack() as stack:
        host, port = (await admin_address(running)).rsplit(":", 1)
        silent = []
        # So many at a time, and as many again in the kernel's queue.
        for _ in range(128):
            connection = await stack.enter_async_context(await raw.Connection.open((host, int(port))))
            await connection.send(said)
            silent.append(connection)
        begun = asyncio.get_running_loop().time()
        async with admin(running) as session:
            async with session.get("/readyz") as response:
                assert (response.status, await response.text()) == (200, "ready\n")
        # Twice the second that a connection keeps its place for in any case; its other limits are 10 s.
        assert asyncio.get_running_loop().time() - begun < 8
        assert (await silent[0].response()).status == 408


async def test_thousands_of_routes_and_backends_are_all_shown():
    numbers = range(3000)
    routes = [{"path": "/*", "hosts": [f"h{number}.example"], "backend": f"b{number}"} for number in numbers]
    backends = {f"b{number}": {"websocket": ["ws://127.0.0.1:1"]} for number in numbers}
    async with Gateway(routes=routes, backends=backends, admin="127.0.0.1:0") as running, admin(running) as session:
        for _ in range(2):
            async with session.get("/metrics") as response:
                lines = (await response.text()).splitlines()
            for name in ("gateway_sessions_open", "gateway_backend_up", "gateway_backend_sessions"):
                assert len({line for line in lines if line.startswith(name + "{")}) == len(numbers)
            async with session.get("/api/backends") as response:
                shown = [backend["name"] for backend in (await response.json())["backends"]]
            assert sorted(shown) == sorted(backends)
            await running.reload()


async def test_the_file_of_a_unix_socket_says_who_may_connect(tmp_path):
    path = tmp_path / "admin.sock"
    for settings, mode in [(f"unix:{path}", 0o600), ({"address": f"unix:{path}", "mode": "0660", "group": str(os.getgid())}, 0o660)]:
        async with WebSocketBackend() as backend, gateway(backend, admin=settings) as running:
            assert await admin_address(running) == f"unix:{path}"
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert path.stat().st_gid == os.getgid()
        assert not path.exists()


async def test_a_group_that_does_not_exist_is_a_mistake(tmp_path):
    settings = {"address": f"unix:{tmp_path}/admin.sock", "mode": "0660", "group": "no-such-group"}
    file = tmp_path / "gateway.conf"
    listeners, routes = [{"address": "127.0.0.1:0"}], [{"path": "/", "page": "console"}]
    file.write_text(json.dumps({"admin": settings, "listeners": listeners, "routes": routes}))
    for name in ("check", "run"):
        status, _, errors = await command(name, "--config", file)
        assert status == 1
        assert errors.endswith("admin: there is no group no-such-group\n")


async def test_it_is_not_ready_while_it_drains():
    async with WebSocketBackend() as backend, gateway(backend, drain={"delay": "1h"}) as running, admin(running) as session:
        async with session.post("/api/drain") as response:
            assert await response.json() == {"draining": True, "sessions": 0}
        async with session.get("/readyz") as response:
            assert (response.status, await response.text()) == (503, "draining\n")
        async with session.get("/healthz") as response:
            assert response.status == 200
        # The first signal behind a command to drain changes nothing, and the second, which the end of the block sends, ends it.
        running.signal(signal.SIGINT)


async def test_sessions_are_listed():
    async with WebSocketBackend(subprotocols=["chat"]) as backend, gateway(backend) as running, admin(running) as session:
        assert await read(session, "/api/sessions") == {"sessions": [], "total": 0, "next": None}
        async with client(running.ws("/echo")) as one, client(
            running.wss(f"/app?token={secret('token')}"), subprotocols=["chat"], origin=running.https("").rstrip("/")
        ) as other:
            for message in ("four", b"abc"):
                await one.send(message)
                await one.recv()
            await other.send("x" * 1000)
            await other.recv()
            async with session.get("/api/sessions") as response:
                text = await response.text()
            rows = {row["route"]: row for row in json.loads(text)["sessions"]}
            opened = {record["route"]: record["session"] for record in await running.events(2, "open")}
            assert {route: row["id"] for route, row in rows.items()} == opened
            echo, app = rows["echo"], rows["app"]
            assert (echo["backend"], echo["endpoint"], echo["phase"], echo["tls"]) == ("echo", None, "serve", None)
            assert (echo["messages_to_backend"], echo["messages_to_client"]) == (2, 2)
            assert (echo["bytes_to_backend"], echo["bytes_to_client"]) == (7, 7)
            assert (app["backend"], app["endpoint"], app["phase"]) == ("app", url(backend), "relay")
            assert (app["subprotocol"], app["tls"], app["client"]) == ("chat", "TLSv1.3", "127.0.0.1")
            assert app["origin"] == running.https("").rstrip("/")
            assert (app["bytes_to_backend"], app["queued_for_client"], app["queued_for_backend"]) == (1000, 0, 0)
            for row in rows.values():
                assert row["age_seconds"] >= row["idle_seconds"] >= 0
            backends = {row["name"]: row for row in (await read(session, "/api/backends"))["backends"]}
            assert (backends["echo"]["kind"], backends["echo"]["sessions"], backends["echo"]["endpoints"]) == ("echo", 1, [])
            assert (backends["app"]["kind"], backends["app"]["sessions"]) == ("websocket", 1)
            (endpoint,) = backends["app"]["endpoints"]
            assert (endpoint["name"], endpoint["state"], endpoint["sessions"]) == (url(backend), "up", 1)
            assert (endpoint["weight"], endpoint["backup"]) == (1, False)


@pytest.mark.parametrize(
    ("order", "code", "reason"),
    [(None, 1008, "closed by an operator"), ({"code": 4001, "reason": "tidy ü"}, 4001, "tidy ü"), ({"reason": "why"}, 1008, "why")],
    ids=["as it is", "code and reason", "reason"],
)
@pytest.mark.parametrize("path", ["/echo", "/app"])
async def test_a_session_is_closed(path, order, code, reason):
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with client(running.ws(path)) as socket, client(running.ws(path)) as other:
            first, _ = await running.events(2, "open")
            async with session.post(f"/api/sessions/{first['session']}/close", json=order) as response:
                assert await response.json() == {"id": first["session"], "code": code}
            done, _ = await asyncio.wait(
                [asyncio.ensure_future(peer.wait_closed()) for peer in (socket, other)],
                return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE,
            )
            assert len(done) == 1
            closed, open_still = (socket, other) if socket.close_code else (other, socket)
            assert (closed.close_code, closed.close_reason) == (code, reason)
            await open_still.send("still there")
            assert await open_still.recv() == "still there"
        record = await running.closed(session=first["session"])
        assert (record["cause"], record["code"], record["by"]) == ("admin", str(code), "gateway")
        if path == "/app":
            # The other client has closed as well by now.
            assert sorted([(await backend.closed())[0], (await backend.closed())[0]]) == [1000, 1001]


async def test_what_cannot_be_closed():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with client(running.ws("/echo")) as socket:
            name = (await running.event("open"))["session"]
            for path, order, status in [
                (NOBODY, None, 404), ("x", None, 404), (name, {"code": 1002}, 400), (name, {"code": "4000"}, 400),
                (name, {"reason": "x" * 124}, 400), (name, [], 400),
            ]:
                async with session.post(f"/api/sessions/{path}/close", json=order) as response:
                    assert response.status == status, (path, order)
                    assert "error" in await response.json()
            await socket.send("still there")
            assert await socket.recv() == "still there"


async def test_metrics_count_what_happened():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        before = await metrics(session)
        assert before[key("sessions_open", route="echo", backend="echo")] == 0
        assert before[key("messages_total", route="app", direction="to-client", type="text")] == 0
        async with client(running.ws("/echo")) as one, client(running.wss("/app")) as other:
            for message in ("four", b"abc", b"d"):
                await one.send(message)
                await one.recv()
            await other.send("x" * 1000)
            await other.recv()
            live = await metrics(session)
            assert live[key("sessions_open", route="echo", backend="echo")] == 1
            assert live[key("backend_sessions", backend="app", endpoint=url(backend))] == 1
            # Those of sessions that are still open.
            assert live[key("messages_total", route="echo", direction="to-backend", type="binary")] == 2
            assert live[key("payload_bytes_total", route="app", direction="to-client")] == 1000
            assert live[key("queue_bytes")] == 0
        assert (await raw.ask(running.plain, raw.upgrade("/nowhere"))).status == 404
        assert (await raw.ask(running.plain, raw.upgrade("/closed", "Origin: https://b.example"))).status == 403
        async with await raw.Connection.upgraded(running.plain, "/echo") as gone:
            gone.reset()
        await running.events(3, "close")
        after = await metrics(session)
        assert after[key("sessions_open", route="echo", backend="echo")] == 0
        assert after[key("sessions_total", route="echo", backend="echo")] == 2
        assert after[key("messages_total", route="echo", direction="to-client", type="binary")] == 2
        assert after[key("messages_total", route="echo", direction="to-client", type="text")] == 1
        assert after[key("payload_bytes_total", route="echo", direction="to-backend")] == 8
        assert after[key("closes_total", route="echo", cause="client-closed", code="1000")] == 1
        assert after[key("closes_total", route="echo", cause="client-gone", code="none")] == 1
        assert after[key("handshakes_total", route="echo", result="accepted")] == 2
        assert after[key("handshakes_total", route="-", result="404")] == 1
        assert after[key("handshakes_total", route="closed", result="403")] == 1
        assert after[key("handshake_seconds_count")] == 3
        assert after[key("session_seconds_count")] == 3
        assert after[key("session_seconds_bucket", le="+Inf")] == 3
        assert after[key("tls_handshakes_total", version="TLSv1.3", resumed="false")] == 1
        listeners = [f"{host}:{port}" for host, port in (running.plain, running.secure)]
        assert [after[key("connections_total", listener=listener)] for listener in listeners] == [4, 1]
        assert after[("process_cpu_seconds_total",)] > 0
        for name, value in after.items():
            if name[0].endswith(("_total", "_count", "_bucket")):
                assert value >= before.get(name, 0), name


# --- Pages of other sites, and worse


async def test_pages_of_other_sites_get_nowhere():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        async with session.get("/api/sessions", headers={"Host": "rebound.example"}) as response:
            assert response.status == 421
        for origin in ("https://evil.example", "null", "http://127.0.0.1", f"http://localhost:{session._base_url.port}"):
            async with session.post("/api/drain", headers={"Origin": origin}) as response:
                assert response.status == 403, origin
        own = f"http://{await admin_address(running)}"
        async with session.post("/api/reload?dry-run=true", headers={"Origin": own}) as response:
            assert response.status == 200
        async with client(running.ws("/echo")) as socket:
            await socket.send("nothing was drained")
            await socket.recv()


async def test_hostile_clients_cost_a_connection_and_no_more():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        host, port = (await admin_address(running)).rsplit(":", 1)
        address = (host, int(port))
        async with contextlib.AsyncExitStack() as stack:
            for beginning in (b"", b"GET /metr", b"POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"):
                connection = await stack.enter_async_context(await raw.Connection.open(address))
                await connection.send(beginning)
            for request, status in {
                b"\x16\x03\x01\x02\x00\x01\x00": 400,
                b"GET / HTTP/1.0\r\n\r\n": 400,
                b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\n": 431,
                b"POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n" + b" " * 65537: 413,
                b"POST /api/drain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
                b"POST /api/drain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60000: 400,
            }.items():
                assert (await raw.ask(address, request)).status == status
            async with session.get("/readyz") as response:
                assert response.status == 200
