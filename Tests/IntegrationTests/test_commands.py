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
        assert errors == f"gateway: no answer at the admin address unix:{missing}: No such file or directory\n"
        await command(name, "--admin", "9901", status=64)
        output, _ = await command(name, "--help")
        assert "EXAMPLES" in output
    file.write_text(json.dumps({**configuration, "admin": "127.0.0.1:0"}))
    _, errors = await command("sessions", "--config", str(file), status=1)
    assert "leaves the admin port to the system" in errors
