"""The commands that ask a running gateway at its admin address."""

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

import gateway_process
import raw
from admin import NOBODY, ROUTES, admin, admin_address, gateway, key, metrics, read, url
from peers import WebSocketBackend, client


async def command(*arguments: str, status: int = 0) -> tuple[str, str]:
    """What a command of the gateway printed, on standard output and standard error."""
    returned, output, errors = await gateway_process.command(*arguments)
    assert returned == status, (arguments, output, errors)
    return output, errors


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


async def test_the_sessions_of_a_route_are_closed_by_command():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        address = await admin_address(running)
        async with client(running.ws("/echo")) as one, client(running.ws("/echo")) as two, client(running.ws("/app")) as other:
            await running.events(3, "open")
            output, _ = await command("close", "--route", "echo", "--dry-run", "--admin", address)
            assert output == "2 sessions would close\n"
            order = ("--code", "4001", "--reason", "go away")
            output, _ = await command("close", "--route", "echo", "--client", "127.0.0.0/8", *order, "--admin", address)
            assert output == "2 sessions are closing with 4001\n"
            for socket in (one, two):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "go away")
            await running.events(2, "close")
            output, _ = await command("close", "--route", "echo", "--admin", address)
            assert output == "0 sessions are closing with 1008\n"
            output, _ = await command("sessions", "close", "--endpoint", url(backend), "--admin", address)
            assert output == "1 session is closing with 1008\n"
            with pytest.raises(ConnectionClosed):
                await other.recv()
        output, _ = await command("close", "--all", "--admin", address)
        assert output.startswith("0 sessions ")
        output, _ = await command("close", "--subject", "alice", "--for", "10m", "--admin", address)
        assert output == "0 sessions are closing with 1008\n"
        for arguments in [
            (), ("--dry-run",), ("--code", "1008"), (NOBODY, "--route", "echo"), (NOBODY, "--dry-run"), (NOBODY, "--code", "1008"),
        ]:
            await command("close", *arguments, "--admin", address, status=64)
        _, errors = await command("close", "--route", "", "--admin", address, status=1)
        assert errors == "gateway: a filter is empty\n"


async def test_a_name_that_there_is_not_is_told_with_those_that_there_are():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        address = await admin_address(running)
        known, bare = url(backend), url(backend).removeprefix("ws://")
        for arguments, words in {
            ("--route", "chat"): "there is no route chat; there are: echo, app, closed",
            ("--backend", "chat"): "there is no backend chat; there are: app, echo",
            ("--backend", "app", "--endpoint", "ws://a:1"): f"backend app has no endpoint ws://a:1; there are: {known}",
            ("--endpoint", bare): f"there is no endpoint {bare}: did you mean {known}?",
        }.items():
            _, errors = await command("close", *arguments, "--admin", address, status=1)
            assert errors == f"gateway: {words}\n"
        for arguments, words in {
            ("chat", known): "there is no backend chat; there are: app, echo",
            ("app", bare): f"backend app has no endpoint {bare}: did you mean {known}?",
            ("echo", known): "echo is a built-in service, which has no endpoints",
        }.items():
            for name, more in (("endpoint", ("down",)), ("drain", ())):
                _, errors = await command(name, *arguments, *more, "--admin", address, status=1)
                assert errors == f"gateway: {words}\n"
        async with session.post("/api/sessions/close", json={"route": "chat", "subject": "alice", "for": "10m"}) as response:
            assert response.status == 404
        async with session.post("/api/sessions/close", json={"route": "closed"}) as response:
            assert (response.status, await response.json()) == (200, {"matched": 0, "closed": 0})


async def test_an_endpoint_is_taken_and_given_back_by_command():
    async with WebSocketBackend() as backend, gateway(backend) as running, admin(running) as session:
        address = await admin_address(running)

        async def ordered() -> str:
            rows = (await read(session, "/api/backends"))["backends"]
            return next(row for row in rows if row["name"] == "app")["endpoints"][0]["order"]

        async with client(running.ws("/app")) as socket:
            for state in ("drain", "down", "up"):
                output, _ = await command("endpoint", "app", url(backend), state, "--admin", address)
                assert output.startswith(f"app {url(backend)} is ordered {state}: ")
                assert await ordered() == state
                if state == "down":
                    assert (await raw.ask(running.plain, raw.upgrade("/app"))).status == 503
            await socket.send("still there")
            assert await socket.recv() == "still there"
        await command("endpoint", "app", url(backend), "off", "--admin", address, status=64)


async def test_the_last_closes_are_listed_by_command():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        address = await admin_address(running)
        assert await command("closes", "--admin", address) == ("no closes\n", "")
        async with client(running.ws("/echo")):
            pass
        await running.event("close", route="echo")
        async with client(running.ws("/app")):
            name = (await running.event("open", route="app"))["session"]
            await command("close", name, "4001", "go away", "--admin", address)
            await running.event("close", route="app")
        output, _ = await command("closes", "--admin", address)
        title, *lines = output.splitlines()
        assert title.split() == ["AT", "ID", "CLIENT", "ROUTE", "ENDPOINT", "LASTED", "CAUSE", "BY", "CODE", "REASON", "DETAIL"]
        first, second = (line.split() for line in lines)
        assert first[1:4] == [name, "127.0.0.1", "app"] and first[6:9] == ["admin", "gateway", "4001"]
        assert second[6:9] == ["client-closed", "client", "1000"]
        output, _ = await command("closes", "--cause", "admin", "--json", "--admin", address)
        (row,) = json.loads(output)["closes"]
        assert row["session"] == name
        for option, value in {
            "--session": name, "--route": "app", "--code": "4001", "--endpoint": url(backend), "--cause": "admin",
        }.items():
            output, _ = await command("closes", option, value, "--client", "127.0.0.1", "--admin", address)
            (line,) = output.splitlines()[1:]
            assert line.split()[1] == name and line.split()[4] == url(backend) and "go away" in line
        assert await command("closes", "--client", "10.0.0.0/8", "--admin", address) == ("no closes\n", "")
        _, errors = await command("closes", "--cause", "nothing", "--admin", address, status=1)
        assert "`cause` is one of" in errors


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
        output, _ = await command("reload", "--dry-run", "--diff", "--admin", address)
        lines = output.splitlines()[2:]
        assert lines and all(line.startswith("- ") for line in lines) and "-   - name: echo" in lines
        await command("reload", "--diff", "--admin", address, status=64)
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
            ("app", "ws://127.0.0.1:1"): "backend app has no endpoint ws://127.0.0.1:1",
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


async def test_a_mistake_in_the_file_keeps_no_command_from_the_gateway_that_runs(tmp_path):
    socket = tmp_path / "admin.sock"
    async with WebSocketBackend() as backend, gateway(backend, admin=f"unix:{socket}") as running:
        await running.event("admin", address=f"unix:{socket}")
        file = running.folder / "gateway.conf"
        for text, place in [
            (json.dumps({**running.configuration, "listners": []}), "gateway.conf:1:"),
            (f"admin: unix:{socket}\nlisteners:\n  - address: a\n   b: c\n", "gateway.conf:4:"),
        ]:
            file.write_text(text)
            assert await command("sessions", "--config", str(file)) == ("no sessions\n", "")
            _, errors = await command("reload", "--config", str(file), status=1)
            assert errors.startswith("gateway: refused, and nothing was changed\n") and place in errors
        file.write_text(json.dumps({**running.configuration, "admin": {"adress": f"unix:{socket}"}}))
        _, errors = await command("sessions", "--config", str(file), status=1)
        assert "unknown key `adress`" in errors and errors.endswith("name the address with --admin ADDRESS\n")


async def test_without_a_file_the_commands_name_both_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (("tail", "--route", "app"), ("sessions",), ("reload",)):
        _, errors = await command(*arguments, status=1)
        assert "--admin ADDRESS" in errors and "--config FILE" in errors


async def test_explain_says_that_it_asks_no_endpoint():
    async with WebSocketBackend() as backend, gateway(backend) as running:
        file = str(running.folder / "gateway.conf")
        output, _ = await command("explain", running.ws("/app"), "--config", file)
        words = "The state of the endpoints is not asked here; Why not? on the dashboard knows it."
        assert output.splitlines()[-1] == words
        output, _ = await command("explain", running.ws("/echo"), "--config", file)
        assert words not in output


async def test_the_commands_say_why_nobody_answers(tmp_path):
    configuration = {"listeners": [{"address": "127.0.0.1:0"}], "routes": [{"path": "/", "page": "console"}]}
    file = tmp_path / "gateway.conf"
    file.write_text(json.dumps(configuration))
    for name in ("sessions", "reload", "drain"):
        _, errors = await command(name, "--config", str(file), status=1)
        assert errors == f"gateway: {file} has no `admin` address: add one, or name it with --admin ADDRESS\n"
        missing = tmp_path / "nobody.sock"
        _, errors = await command(name, "--admin", f"unix:{missing}", status=1)
        assert errors == f"gateway: no answer at the admin address unix:{missing}: No such file or directory\n"
        await command(name, "--admin", "9901", status=64)
        output, _ = await command(name, "--help")
        assert "EXAMPLES" in output
    file.write_text(json.dumps({**configuration, "admin": "127.0.0.1:0"}))
    _, errors = await command("sessions", "--config", str(file), status=1)
    assert "leaves the admin port to the system" in errors
