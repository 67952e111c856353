"""The admin address as its users meet it: a scraper, a script with an HTTP client, a hostile page, and the gateway's own commands."""

import asyncio
import contextlib
import json

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import BINARY, PATIENCE, Gateway
from peers import WebSocketBackend, client

ROUTES = [
    {"name": "echo", "path": "/echo", "backend": "echo"},
    {"name": "app", "path": "/app", "backend": "app", "subprotocols": ["chat"]},
    {"name": "closed", "path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
]
NOBODY = "ffffffffffffffff"


def gateway(backend: WebSocketBackend, **keys) -> Gateway:
    backends = {"echo": {"builtin": "echo"}, "app": backend.configuration()}
    return Gateway(**{"admin": "127.0.0.1:0", "workers": 2, "routes": ROUTES, "backends": backends, **keys})


def url(backend: WebSocketBackend) -> str:
    """The endpoint's name."""
    return f"ws://127.0.0.1:{backend.port}"


async def admin_address(running: Gateway) -> str:
    return (await running.event("admin"))["address"]


@contextlib.asynccontextmanager
async def admin(running: Gateway):
    """An HTTP client of the admin address."""
    async with aiohttp.ClientSession(f"http://{await admin_address(running)}") as session:
        yield session


async def read(session: aiohttp.ClientSession, path: str) -> dict:
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        return await response.json()


async def metrics(session: aiohttp.ClientSession) -> dict[tuple, float]:
    """Each sample by its name and sorted labels, as Prometheus' own parser reads them."""
    async with session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = list(text_string_to_metric_families(await response.text()))
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "a sample occurs twice"
    return found


def key(name: str, **labels) -> tuple:
    return (f"gateway_{name}", *sorted(labels.items()))


async def command(*arguments: str, status: int = 0) -> tuple[str, str]:
    """What a command of the gateway printed, on standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        BINARY, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == status, (arguments, output, errors)
    return output.decode(), errors.decode()


# --- HTTP


async def test_health_and_readiness():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        for path, text in {"/healthz": "ok\n", "/readyz": "ready\n"}.items():
            async with session.get(path) as response:
                assert (response.status, await response.text()) == (200, text)
            async with session.head(path) as response:
                assert (response.status, response.headers["Content-Length"]) == (200, str(len(text)))


async def test_it_is_not_ready_while_it_drains():
    async with WebSocketBackend() as backend, gateway(backend, drain={"delay": "1h"}) as running, admin(running) as session:
        async with session.post("/api/drain") as response:
            assert await response.json() == {"draining": True, "sessions": 0}
        async with session.get("/readyz") as response:
            assert (response.status, await response.text()) == (503, "draining\n")
        async with session.get("/healthz") as response:
            assert response.status == 200


async def test_sessions_are_listed():
    async with WebSocketBackend(subprotocols=["chat"]) as backend, gateway(backend) as running, admin(running) as session:
        assert await read(session, "/api/sessions") == {"sessions": []}
        async with client(running.ws("/echo")) as one, client(
            running.wss("/app?token=secret"), subprotocols=["chat"], origin=running.https("").rstrip("/")
        ) as other:
            for message in ("four", b"abc"):
                await one.send(message)
                await one.recv()
            await other.send("x" * 1000)
            await other.recv()
            async with session.get("/api/sessions") as response:
                text = await response.text()
            assert "secret" not in text
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
    [(None, 1008, ""), ({"code": 4001, "reason": "tidy ü"}, 4001, "tidy ü"), ({"reason": "why"}, 1008, "why")],
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
            assert (await backend.closed())[0] == 1001


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


# --- Commands


async def test_the_table_of_sessions():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        address = await admin_address(running)
        assert await command("sessions", "--admin", address) == ("no sessions\n", "")
        async with client(running.ws("/echo")), client(running.wss("/app")):
            names = {record["session"] for record in await running.events(2, "open")}
            output, _ = await command("sessions", "--admin", address)
            title, *lines = output.splitlines()
            assert title.split()[:4] == ["ID", "CLIENT", "ROUTE", "ENDPOINT"]
            assert {line.split()[0] for line in lines} == names
            assert {len(line) for line in (title, *lines)} == {len(title)}
            output, _ = await command("sessions", "--json", "--admin", address)
            assert {row["id"] for row in json.loads(output)["sessions"]} == names


async def test_a_session_is_closed_by_command():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        address = await admin_address(running)
        async with client(running.ws("/echo")) as socket:
            name = (await running.event("open"))["session"]
            output, _ = await command("sessions", "close", name, "4001", "go away", "--admin", address)
            assert output == f"session {name} is closing with 4001\n"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "go away")
        _, errors = await command("sessions", "close", NOBODY, "--admin", address, status=1)
        assert errors == "gateway: there is no such session\n"
        _, errors = await command("sessions", "close", NOBODY, "1002", "--admin", address, status=1)
        assert "1002" in errors
        await command("sessions", "close", "nobody", "--admin", address, status=64)


async def test_reload_says_what_it_does_and_the_dry_run_does_nothing():
    async with WebSocketBackend() as backend, gateway(backend) as running, contextlib.AsyncExitStack() as stack:
        address = await admin_address(running)
        sockets = [await stack.enter_async_context(client(running.ws(path))) for path in ("/echo", "/echo", "/app")]
        await running.events(3, "open")
        file = running.folder / "gateway.conf"
        assert await command("reload", "--dry-run", "--admin", address) == ("0 of 3 sessions would close\n", "")
        file.write_text(json.dumps({**running.configuration, "routes": ROUTES[1:]}))
        output, _ = await command("reload", "--dry-run", "--admin", address)
        summary, reason = output.splitlines()
        assert summary == "2 of 3 sessions would close"
        assert reason.startswith("  2: ") and "echo" in reason
        await sockets[0].send("still there")
        assert await sockets[0].recv() == "still there"
        output, _ = await command("reload", "--admin", address)
        assert output.splitlines()[0] == "2 of 3 sessions will close"
        for socket in sockets[:2]:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1012
        await sockets[2].send("still there")
        assert await sockets[2].recv() == "still there"
        later = "changes of workers take effect when the gateway starts anew"
        for workers, told in ((7, True), (7, True), (running.configuration["workers"], False)):
            file.write_text(json.dumps({**running.configuration, "routes": ROUTES[1:], "workers": workers}))
            for arguments in (("reload", "--dry-run"), ("reload",)):
                output, _ = await command(*arguments, "--admin", address)
                assert (later in output.splitlines()) == told
        file.write_text("listeners: [")
        _, errors = await command("reload", "--admin", address, status=1)
        assert errors.startswith("gateway: refused, and nothing was changed\n")
        assert "gateway.conf:2:1: " in errors
        async with admin(running) as session:
            counted = await metrics(session)
        assert counted[key("reloads_total", result="applied")] == 4
        assert counted[key("reloads_total", result="refused")] == 1


async def test_a_backend_is_drained_and_put_back():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        address = await admin_address(running)
        async with client(running.ws("/app")) as socket, client(running.ws("/echo")) as other:
            await running.events(2, "open")
            output, _ = await command("drain", "app", url(backend), "--admin", address)
            assert output == f"app {url(backend)} is draining: 1 session will close\n"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1012
            (endpoint,) = next(
                row for row in (await read(session, "/api/backends"))["backends"] if row["name"] == "app"
            )["endpoints"]
            assert endpoint["state"] == "draining"
            assert (await raw.ask(running.plain, raw.upgrade("/app"))).status == 503
            await other.send("still there")
            assert await other.recv() == "still there"
            output, _ = await command("drain", "app", "--undo", "--admin", address)
            assert output == "app gets new sessions again\n"
            async with client(running.ws("/app")) as again:
                await again.send("back")
                assert await again.recv() == "back"
        for arguments, words in {
            ("nobody",): "there is no backend nobody",
            ("echo",): "has no endpoints",
            ("app", "ws://127.0.0.1:1"): "there is no endpoint ws://127.0.0.1:1",
        }.items():
            _, errors = await command("drain", *arguments, "--admin", address, status=1)
            assert words in errors
        await command("drain", "--undo", "--admin", address, status=64)


async def test_drain_ends_the_process():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        async with client(running.ws("/app")) as socket:
            await running.event("open")
            output, _ = await command("drain", "--admin", await admin_address(running))
            assert output == "the gateway is draining: 1 session will close\n"
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 1012
        assert await running.exited() == 0


async def test_the_commands_find_the_address_in_the_configuration(tmp_path):
    socket = tmp_path / "admin.sock"
    async with WebSocketBackend() as backend, gateway(backend, admin=f"unix:{socket}") as running:
        await running.event("admin", address=f"unix:{socket}")
        file = str(running.folder / "gateway.conf")
        assert await command("sessions", "--config", file) == ("no sessions\n", "")
        assert await command("sessions", "--admin", f"unix:{socket}") == ("no sessions\n", "")
        output, _ = await command("reload", "--dry-run", "--config", file)
        assert output == "0 of 0 sessions would close\n"
    assert not socket.exists()


async def test_the_commands_say_why_nobody_answers(tmp_path):
    configuration = {"listeners": [{"address": "127.0.0.1:0"}], "routes": [{"path": "/", "page": "console"}]}
    file = tmp_path / "gateway.conf"
    file.write_text(json.dumps(configuration))
    for name in ("sessions", "reload", "drain"):
        _, errors = await command(name, "--config", str(file), status=1)
        assert errors == f"gateway: {file} has no `admin` address: add one, or name it with --admin ADDRESS\n"
        missing = tmp_path / "nobody.sock"
        _, errors = await command(name, "--admin", f"unix:{missing}", status=1)
        assert errors == f"gateway: nobody answers at the admin address unix:{missing}: No such file or directory\n"
        await command(name, "--admin", "9901", status=64)
        output, _ = await command(name, "--help")
        assert "EXAMPLES" in output
    file.write_text(json.dumps({**configuration, "admin": "127.0.0.1:0"}))
    _, errors = await command("sessions", "--config", str(file), status=1)
    assert "leaves the admin port to the system" in errors
