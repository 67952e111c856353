"""The command line, and every reason not to start, each with one clear line."""

import asyncio
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import tempfile

import pytest

import confidential
from gateway_process import BINARY, ROOT, Gateway, Log, command, within
from peers import TCPBackend, client, program


def write(folder, **configuration) -> str:
    file = folder / "gateway.conf"
    complete = {
        "listeners": [{"address": "127.0.0.1:0"}],
        "routes": [{"path": "/echo", "backend": "echo"}],
        "backends": {"echo": {"builtin": "echo"}},
        **configuration,
    }
    file.write_text(json.dumps(complete, indent=1))
    return str(file)


async def fails(file, *mentions) -> str:
    """`gateway run` ends with status 1 and one line that has these texts."""
    status, _, errors = await command("run", "--config", file)
    lines = errors.splitlines()
    assert status == 1 and len(lines) == 1, errors
    for mention in mentions:
        assert str(mention) in lines[0]
    return lines[0]


async def test_a_taken_port(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        error = await fails(write(tmp_path, listeners=[{"address": address}]), address)
        # It is not a gateway that has it: there is nothing to take over.
        assert "--takeover" not in error


async def test_a_port_that_a_gateway_with_the_same_file_has():
    async with Gateway(routes=[{"path": "/", "page": "console"}]) as running:
        address = "127.0.0.1:%d" % running.plain[1]
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            for address, isGateways in ((address, True), ("127.0.0.1:%d" % taken.getsockname()[1], False)):
                running.write(listeners=[{"address": address}])
                error = await fails(running.file, address)
                assert ("--takeover" in error) == isGateways
            # What runs with another configuration is not found, and that is said.
            other = pathlib.Path(running.file).with_name("other.conf")
            other.write_text(pathlib.Path(running.file).read_text())
            for name, words in ((other, "file"), ("-", "text")):
                status, _, errors = await piped(BINARY, "run", "--takeover", "--config", name, text=other.read_text())
                assert status == 1 and f"Address already in use; no gateway that runs with this {words} was found" in errors
        # It was asked, and goes on.
        await speaks(*await asyncio.open_connection(*running.plain))


async def speaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    writer.write(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 404")
    writer.close()


async def test_who_may_connect_to_the_file_of_a_listener(tmp_path):
    path = tmp_path / "front.sock"

    def listeners(**access) -> list[dict]:
        return [{"address": "127.0.0.1:0"}, {"address": f"unix:{path}", **access}]

    def access() -> tuple[int, int]:
        return stat.S_IMODE(path.stat().st_mode), path.stat().st_gid

    # One that this process may give it to, and is not its own where there is another.
    group = max([os.getgid(), *os.getgroups(), *([1] if os.getuid() == 0 else [])])
    pages = [{"path": "/", "page": "console"}]
    async with Gateway(routes=pages, listeners=listeners(mode="0660", group=str(group))) as running:
        assert access() == (0o660, group)
        await speaks(*await asyncio.open_unix_connection(str(path)))
        # A reload says it of the file that is there.
        await running.reload(listeners=listeners(mode="0600"))
        assert access() == (0o600, group)
        await speaks(*await asyncio.open_unix_connection(str(path)))
        running.write(listeners=listeners(mode="0660", group="no-such-group"))
        running.signal(signal.SIGHUP)
        refused = await running.events(1, "reload-refused")
        assert refused[0]["reason"] == f"listener unix:{path}: there is no group no-such-group"
        status, _, errors = await command("check", "--config", running.file)
        assert status == 1
        assert errors.endswith(f"listener unix:{path}: there is no group no-such-group\n")
        assert access() == (0o600, group)
    assert not path.exists()


async def test_abstract_sockets_leave_no_file(tmp_path):
    name = f"gateway-test-{os.getpid()}-{id(tmp_path)}"
    backend = await asyncio.start_unix_server(echo, f"\0{name}-backend")
    async with backend, Gateway(
        admin=f"unix:@{name}-admin", listeners=[{"address": "127.0.0.1:0"}, {"address": f"unix:@{name}"}],
        routes=[{"path": "/tcp", "backend": "tcp", "origins": "any"}], backends={"tcp": {"tcp": [f"unix:@{name}-backend"]}},
    ) as running:
        await running.events(1, "listening", address=f"unix:@{name}")
        await running.events(1, "admin", address=f"unix:@{name}-admin")
        await speaks(*await asyncio.open_unix_connection(f"\0{name}"))
        async with client(running.ws("/tcp")) as session:
            await session.send(b"through")
            assert await session.recv() == b"through"
            status, output, _ = await command("sessions", "--admin", f"unix:@{name}-admin")
            assert (status, "/tcp" in output) == (0, True)
        # The socket goes to a successor as others do.
        running.write()
        successor = await asyncio.create_subprocess_exec(
            BINARY, "run", "--takeover", "--config", running.file, stderr=asyncio.subprocess.PIPE)
        log = Log()
        reader = asyncio.create_task(log.read(successor.stderr))
        await log.wait(1, "serving")
        assert await running.exited() == 0
        await speaks(*await asyncio.open_unix_connection(f"\0{name}"))
        successor.terminate()
        assert await successor.wait() == 0
        await reader
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_unix_connection(f"\0{name}")
    assert not [file for folder in (".", tmp_path, running.folder.parent) for file in os.listdir(folder) if name in file]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def test_an_address_that_is_not_ours(tmp_path):
    await fails(write(tmp_path, listeners=[{"address": "192.0.2.1:8080"}]), "192.0.2.1:8080")


async def test_a_missing_file(tmp_path):
    await fails(tmp_path / "nothing.conf", tmp_path / "nothing.conf")


async def test_a_folder_in_place_of_a_file(tmp_path):
    await fails(tmp_path, tmp_path)


@pytest.mark.parametrize("what", ["missing key", "missing chain", "folder", "garbage", "key of another", "empty chain"])
async def test_a_certificate_that_cannot_be_used(what, tmp_path, authority):
    identity = authority.issue("127.0.0.1")
    files = identity.configuration()
    wrong = tmp_path / "wrong.pem"
    match what:
        case "missing key":
            files["key"] = str(wrong)
        case "missing chain":
            files["chain"] = str(wrong)
        case "folder":
            wrong.mkdir()
            files["key"] = str(wrong)
        case "garbage":
            wrong.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            files["key"] = str(wrong)
        case "key of another":
            wrong = authority.issue("127.0.0.2").key
            files["key"] = str(wrong)
        case "empty chain":
            wrong.write_text("")
            files["chain"] = str(wrong)
    await fails(write(tmp_path, listeners=[{"address": "127.0.0.1:0", "tls": {"certificates": [files]}}]), wrong)


MISTAKES = """\
workers: many
listeners:
  - address: 127.0.0.1:0
    adress: 127.0.0.1:1
routes:
  - {path: /echo, backend: ecco}
  - {path: nowhere, backend: echo}
backends:
  echo: {builtin: echo}
"""


@pytest.mark.parametrize("verb", ["run", "check"])
async def test_a_wrong_configuration_names_every_mistake(verb, tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text(MISTAKES)
    status, _, errors = await command(verb, "--config", file)
    assert status == 1
    for line, column, mention in [(1, 10, "many"), (4, 5, "address"), (6, 28, "ecco"), (7, 12, "nowhere")]:
        found = [text for text in errors.splitlines() if text.startswith(f"{file}:{line}:{column}: ")]
        assert found and mention in found[0], f"{line}:{column} {mention} in\n{errors}"


async def test_check_passes_what_is_right(tmp_path):
    assert (await command("check", "--config", write(tmp_path)))[0] == 0
    status, _, errors = await command("check", "--config", ROOT / "gateway.conf")
    assert (status, errors) == (0, "")


async def test_little_memory_is_a_warning(tmp_path):
    file = write(tmp_path, memory="3MiB")
    status, output, errors = await command("check", "--config", file)
    assert status == 0 and output.endswith("OK\n")
    assert errors.startswith(f"warning: {file}:") and "`memory` is `3MiB`" in errors and "`limits.message`" in errors
    assert (await command("check", "--config", write(tmp_path, memory="4MiB")))[2] == ""


async def test_what_is_allowed_but_not_meant_is_warned_of_at_its_place(tmp_path):
    file = tmp_path / "gateway.conf"
    file.write_text("""listeners: [{address: ":443", tls: {self-signed: [localhost]}}]
routes:
  - {path: "/*", backend: app}
  - {path: /chat, backend: app}
backends:
  app: {builtin: echo}
  old: {builtin: echo}
""")
    status, output, errors = await command("check", "--config", file)
    assert status == 0 and output.endswith("OK\n")
    assert [line for line in errors.splitlines() if not line.startswith(" ")] == [
        f"warning: {file}:1:37: `self-signed` is for trials on this machine: others cannot verify it; use `certificates`",
        f"warning: {file}:4:6: route `/chat` is never reached: route `/*` on line 3 takes all of its requests; move it up, or remove it",
        f"warning: {file}:7:3: no route leads to the backend `old`: name it in one, or remove it",
    ]


async def test_the_file_of_the_working_folder_is_the_default(tmp_path):
    write(tmp_path)
    assert (await command("check", cwd=tmp_path))[0] == 0


async def test_variables_of_the_environment(tmp_path):
    file = write(tmp_path, routes=[{"path": "${GATEWAY_TEST_PATH}", "backend": "echo"}])
    assert (await command("check", "--config", file, environment={"GATEWAY_TEST_PATH": "/echo"}))[0] == 0
    status, _, errors = await command("check", "--config", file)
    assert status == 1 and "GATEWAY_TEST_PATH" in errors


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["check", "--help"], ["bridge", "--help"], ["explain", "--help"]])
async def test_help(arguments):
    status, output, _ = await command(*arguments)
    assert status == 0 and "gateway" in output


async def test_usage_mistakes_are_status_64():
    assert (await command("--nonsense"))[0] == 64
    assert (await command("bridge"))[0] == 64


async def test_version():
    status, output, _ = await command("version")
    assert status == 0 and output.strip()


async def test_explain(tmp_path):
    file = write(
        tmp_path,
        routes=[{"path": "/chat/*", "backend": "chat", "origins": ["https://app.example"], "subprotocols": ["v1"]}],
        backends={"chat": {"websocket": ["ws://10.0.0.1:3000"]}},
    )

    async def explain(*arguments) -> str:
        _, output, errors = await command("explain", *arguments, "--config", file)
        return output + errors

    url = "ws://gateway.example/chat/room"
    text = await explain(url, "--origin", "https://app.example", "--subprotocol", "v1")
    assert "/chat/*" in text and "chat" in text and "ws://10.0.0.1:3000" in text
    assert "403" in await explain(url, "--origin", "https://evil.example")
    assert "404" in await explain("ws://gateway.example/other")
    assert "400" in await explain("ws://gateway.example/chat/../x")


# Configurations that come by a pipe


async def piped(*arguments, text: str, wrapper: tuple = ()) -> tuple[int, str, str]:
    """Runs the gateway to its end with `text` on standard input. Returns status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *wrapper, *map(str, arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await within(process.communicate(text.encode()))
    confidential.check(output + errors, "what the gateway prints")
    return process.returncode, output.decode(), errors.decode()


# A pipe is its maker's: opened again by its name, another user would be refused.
OTHER_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
@pytest.mark.parametrize("wrapper", [(), OTHER_USER], ids=["own", "another's"])
async def test_a_configuration_may_come_by_a_pipe(name, wrapper, tmp_path):
    text = pathlib.Path(write(tmp_path)).read_text()
    # Where another user may run it.
    binary = shutil.copy(BINARY, tempfile.mkdtemp(dir="/tmp")) if wrapper else BINARY
    if wrapper:
        os.chmod(pathlib.Path(binary).parent, 0o755)
    try:
        status, output, errors = await piped(binary, "check", "--config", name, text=text, wrapper=wrapper)
        assert status == 0 and output == f"{'/dev/stdin' if name == '-' else name}: 1 listener, 1 route, 1 backend: OK\n", errors
        status, output, errors = await piped(
            binary, "explain", "ws://gateway.example/echo", "--config", name, text=text, wrapper=wrapper)
        assert status == 0 and "built-in echo" in output, errors
        status, _, errors = await piped(binary, "run", "--config", name, text="workers: many", wrapper=wrapper)
        assert status == 1 and ":1:10: " in errors
    finally:
        if wrapper:
            shutil.rmtree(pathlib.Path(binary).parent)


async def test_a_configuration_may_come_from_a_command(tmp_path):
    file = write(tmp_path)
    status, output, _ = await piped("bash", "-c", f"'{BINARY}' check --config <(cat '{file}')", text="")
    assert status == 0 and ": 1 listener, 1 route, 1 backend: OK" in output
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    checking = asyncio.create_task(command("check", "--config", fifo))
    await asyncio.to_thread(fifo.write_text, pathlib.Path(file).read_text())
    assert (await checking)[1] == f"{fifo}: 1 listener, 1 route, 1 backend: OK\n"


async def test_what_is_not_there_to_be_read_is_said():
    for name in ("/dev/fd/99", "/dev/fd/x"):
        status, _, errors = await command("check", "--config", name)
        assert status == 1 and errors.startswith(f"{name}: cannot be read: ")
    status, _, errors = await command("check", "--config", "-")
    assert status == 1 and "the file is empty" in errors


# Variables


async def test_a_list_may_be_the_value_of_one_variable(tmp_path):
    file = write(
        tmp_path,
        **{"trusted-proxies": "${PROXIES}"},
        routes=[{"path": "/chat", "backend": "chat", "origins": "${ORIGINS:-same-origin}"}],
        backends={"chat": {"websocket": "${SERVERS}"}},
    )
    environment = {"PROXIES": "", "SERVERS": "ws://10.0.0.1:3000, ws://10.0.0.2:3000", "ORIGINS": "https://a.example,https://b.example"}
    url = "ws://gateway.example/chat"
    for origin, answer in (("https://b.example", "101"), ("https://c.example", "403")):
        _, output, errors = await command("explain", url, "--origin", origin, "--config", file, environment=environment)
        assert answer in output and "ws://10.0.0.2:3000" in output or answer == "403" in output, output + errors
    for word, answer in (("any", "101"), ("same-origin", "403"), ("", "403")):
        environment["ORIGINS"] = word
        _, output, errors = await command("explain", url, "--origin", "https://c.example", "--config", file, environment=environment)
        assert f"answer       {answer}" in output or word == "", output + errors
    status, _, errors = await command("check", "--config", file, environment={**environment, "SERVERS": ""})
    assert status == 1 and "`websocket` must not be empty" in errors
    status, _, errors = await command("check", "--config", file, environment={**environment, "SERVERS": "ws://10.0.0.1:3000,"})
    assert status == 1 and "an entry of `websocket`" in errors


# The bridge of one line


@pytest.mark.parametrize("listen, words", [("0", "listens on every address"), ("127.0.0.1:0", "")])
async def test_the_bridge_says_who_gets_in(listen, words):
    async with TCPBackend() as backend:
        target = f"localhost:{backend.port}"
        async with program(BINARY, "bridge", listen, target, ready='"serving"') as line:
            hint = json.loads(line)["hint"]
            assert words in hint and "--origin" in hint and ("every address" in hint) is bool(words)
        async with program(BINARY, "bridge", "127.0.0.1:0", target, "--origin", "any", ready='"serving"') as line:
            assert "hint" not in json.loads(line)


async def test_bridge_needs_no_file(tmp_path):
    async with TCPBackend() as backend:
        arguments = (BINARY, "bridge", "127.0.0.1:0", f"localhost:{backend.port}")
        async with program(*arguments, ready='"listening"', environment={"HOME": str(tmp_path)}) as line:
            async with client(f"ws://{json.loads(line)['address']}/") as socket:
                await socket.send(b"hello")
                assert await within(socket.recv()) == b"hello"


async def test_bridge_with_tls(tmp_path):
    async with TCPBackend() as backend:
        arguments = (BINARY, "bridge", "wss://127.0.0.1:0", f"tcp://127.0.0.1:{backend.port}")
        async with program(*arguments, ready='"listening"') as line:
            async with client(f"wss://{json.loads(line)['address']}/any/path") as socket:
                await socket.send(b"hello")
                assert await within(socket.recv()) == b"hello"
