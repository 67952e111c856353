"""Backends with `tokens`: the token of a request says which TCP server its session leads to."""

import contextlib
import json
import time
import urllib.parse

import pytest
from websockets.exceptions import InvalidStatus

import test_names
from admin import admin
from confidential import secret
from gateway_process import BINARY, Gateway, command, until, within
from peers import TCPBackend, client, program

ANN, BOB = secret("token-of-ann"), secret("token-of-bob")
# A change counts within 2 s. Machines that are busy get a moment more.
SOON = 2.5


class Named(TCPBackend):
    """A server that says its name, and then echoes."""

    def __init__(self, name: bytes, **options):
        async def handle(reader, writer):
            writer.write(name)
            await self.echo(reader, writer)

        super().__init__(handle, **options)

    @property
    def address(self) -> str:
        return f"unix:{self.path}" if self.path else f"127.0.0.1:{self.port}"


@contextlib.asynccontextmanager
async def two():
    async with Named(b"ann") as ann, Named(b"bob") as bob:
        yield ann, bob


def write(file, *lines: str):
    """Replaces a file as editors do."""
    new = file.with_name(".new")
    new.write_text("".join(f"{line}\n" for line in lines))
    new.rename(file)


def by_tokens(path, token: str | None = None, route: dict | None = None, **keys) -> Gateway:
    backend = {"tokens": str(path), **({"token": token} if token else {}), **keys.pop("backend", {})}
    routes = [{"path": "/vnc/*" if token == "path" else "/vnc", "backend": "vnc", **(route or {})}]
    return Gateway(routes=routes, backends={"vnc": backend}, **{"admin": "127.0.0.1:0", **keys})


def url(gateway: Gateway, token: str, *more: str) -> str:
    return gateway.ws("/vnc?" + "&".join(urllib.parse.urlencode({"token": value}) for value in (token, *more)))


async def answer(url: str, **options) -> tuple[int, str]:
    """101 and what the server says first; or the status and the text of a refusal."""
    try:
        async with client(url, **options) as socket:
            return 101, (await within(socket.recv())).decode()
    except InvalidStatus as refused:
        return refused.response.status_code, refused.response.body.decode()


async def becomes(url: str, expected: int | tuple[int, str]) -> float:
    """How long it takes until that is the answer."""
    began = time.monotonic()

    async def is_so():
        status, text = await answer(url)
        return (status == expected) if isinstance(expected, int) else (status, text) == expected

    await until(is_so)
    return time.monotonic() - began


async def test_each_token_leads_to_its_server(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, bob), Named(b"carl", path=str(tmp_path / "carl.sock")) as carl:
        write(file, "# who sits where", f"{ANN}: {ann.address}", "", f"  {BOB}:\t{bob.address}  # upstairs", f"a b:c: {carl.address}")
        async with by_tokens(file) as gateway:
            read = await gateway.event("tokens-read", backend="vnc", tokens=3, endpoints=3)
            assert ANN not in json.dumps(read)
            assert await answer(url(gateway, ANN)) == (101, "ann")
            assert await answer(url(gateway, BOB)) == (101, "bob")
            assert await answer(url(gateway, "a b:c")) == (101, "carl")
            assert await answer(gateway.ws("/vnc?x=1&token=" + ANN.replace("t", "%74") + "&y")) == (101, "ann")
            async with client(url(gateway, BOB)) as socket:
                assert await within(socket.recv()) == b"bob"
                await socket.send(b"to bob")
                assert await within(socket.recv()) == b"to bob"
                async with admin(gateway) as session, session.get("/api/sessions") as response:
                    rows = (await response.json())["sessions"]
                assert [row["endpoint"] for row in rows if row["phase"] == "bridge"] == [bob.address]
            await gateway.events(2, "close", endpoint=ann.address, cause="client-closed")
            await gateway.search()


async def test_what_has_no_such_token_is_refused(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, _):
        write(file, f"{ANN}: {ann.address}")
        async with by_tokens(file) as gateway:
            assert await answer(gateway.ws("/vnc")) == (404, "This address needs a token. Add it to the URL: ?token=TOKEN.\n")
            assert (await answer(gateway.ws("/vnc?token=")))[0] == 404
            assert (await answer(gateway.ws(f"/vnc?Token={ANN}")))[0] == 404
            for unknown in ("no", ANN[:-1], ANN + "x", ANN.upper(), ann.address, "127.0.0.1", "#", "*", "\ufffd", f" {ANN}"):
                assert await answer(url(gateway, unknown)) == (404, "The token is unknown.\n"), unknown
            assert await answer(url(gateway, ANN, ANN)) == (400, "The token is repeated.\n")
            assert (await answer(url(gateway, ANN, "")))[0] == 400
            # Nothing that a client sends names a server.
            for more in ("host", "port", "target", "endpoint"):
                assert await answer(gateway.ws(f"/vnc?token={ANN}&{more}=127.0.0.1:1")) == (101, "ann")
            await gateway.event("refused", status=404, route="/vnc", reason="The token is unknown.", phase="request-head")
            await gateway.event("refused", status=400, reason="The token is repeated.")
            await gateway.search()


async def test_a_change_counts_within_two_seconds_and_ends_no_session(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, bob):
        write(file, f"{ANN}: {ann.address}")
        async with by_tokens(file) as gateway, client(url(gateway, ANN)) as open_socket:
            assert await within(open_socket.recv()) == b"ann"
            assert (await answer(url(gateway, BOB)))[0] == 404
            write(file, f"{ANN}: {bob.address}", f"{BOB}: {bob.address}")
            assert await becomes(url(gateway, BOB), (101, "bob")) < SOON
            assert await answer(url(gateway, ANN)) == (101, "bob")
            # In place, with the same size.
            with open(file, "r+") as stream:
                stream.write(f"{ANN}: {ann.address}\n")
            assert await becomes(url(gateway, ANN), (101, "ann")) < SOON
            write(file, f"{BOB}: {bob.address}")
            assert await becomes(url(gateway, ANN), 404) < SOON
            file.unlink()
            assert await becomes(url(gateway, BOB), 404) < SOON
            await gateway.event("tokens-skipped", reason=f"{file}: it cannot be read: No such file or directory")
            write(file, f"{BOB}: {bob.address}")
            assert await becomes(url(gateway, BOB), (101, "bob")) < SOON
            await open_socket.send(b"still here")
            assert await within(open_socket.recv()) == b"still here"
            await gateway.search()


async def test_files_of_a_folder_are_read_by_name(tmp_path):
    folder = tmp_path / "tokens"
    folder.mkdir()
    async with two() as (ann, bob):
        write(folder / "b", f"{ANN}: {bob.address}", f"{BOB}: {bob.address}")
        write(folder / "a", f"{ANN}: {ann.address}")
        write(folder / ".hidden", f"hidden: {ann.address}")
        (folder / "below").mkdir()
        async with by_tokens(folder) as gateway:
            assert await answer(url(gateway, ANN)) == (101, "ann")
            assert await answer(url(gateway, BOB)) == (101, "bob")
            assert (await answer(url(gateway, "hidden")))[0] == 404
            reasons = {line["reason"] for line in await gateway.events(2, "tokens-skipped", backend="vnc")}
            assert reasons == {
                f"{folder}/b:1: the line has the token of {folder}/a:1, which counts",
                f"{folder}/below: it cannot be read: it is a directory, not a regular file",
            }
            # A file that is gone takes its own lines along, and no others.
            (folder / "a").unlink()
            assert await becomes(url(gateway, ANN), (101, "bob")) < SOON
            assert await answer(url(gateway, BOB)) == (101, "bob")
            # A broken one has no lines.
            write(folder / "0", "nonsense", f"{ANN} {ann.address}", f"{ANN}: tls://127.0.0.1:1", f"c: {ann.address}", f"{BOB}:")
            assert await becomes(url(gateway, "c"), (101, "ann")) < SOON
            assert await answer(url(gateway, ANN)) == (101, "bob")
            skipped = [line["reason"] for line in await gateway.events(6, "tokens-skipped")][2:]
            assert [reason.split(": ", 1)[0] for reason in skipped] == [f"{folder}/0:{line}" for line in (1, 2, 3, 5)]
            # A link to a folder that moves, as Kubernetes mounts its maps.
            (folder / "..data").mkdir()
            write(folder / "..data" / "d", f"d: {ann.address}")
            (folder / "d").symlink_to("..data/d")
            assert await becomes(url(gateway, "d"), (101, "ann")) < SOON
            await gateway.search()


async def test_the_token_may_be_in_the_path(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, bob):
        write(file, f"{ANN}: {ann.address}", f"a/b c+: {bob.address}")
        keys = {"log": {"format": "json", "requests": "all"}}
        async with by_tokens(file, "path", {"hosts": ["127.0.0.1"]}, **keys) as gateway:
            assert await answer(gateway.ws(f"/vnc/{ANN}?token=no")) == (101, "ann")
            assert await answer(gateway.ws("/vnc/a/b%20c+")) == (101, "bob")
            for path in ("/vnc/", "/vnc/no", f"/vnc/{ANN}/", f"/vnc/x/{ANN}"):
                assert (await answer(gateway.ws(path)))[0] == 404, path
            assert (await answer(gateway.ws(f"/vnc?token={ANN}")))[0] == 404
            # The address is shown where it leads nowhere: without the token.
            status, text = await answer(f"ws://localhost:{gateway.plain[1]}/vnc/{ANN}")
            assert (status, text) == (404, "Nothing is served at /vnc/*.\n")
            await gateway.search()


async def test_a_redirect_does_not_show_the_token(tmp_path):
    file = tmp_path / "tokens"
    write(file, f"{ANN}: 127.0.0.1:1")
    routes = [{"path": "/*", "scheme": "http", "redirect": "https"}, {"path": "/vnc/*", "backend": "vnc"}]
    backends = {"vnc": {"tokens": str(file), "token": "path"}}
    keys = {"admin": "127.0.0.1:0", "log": {"format": "json", "requests": "all"}}
    async with Gateway(routes=routes, backends=backends, **keys) as gateway:
        with contextlib.suppress(Exception):
            await answer(gateway.ws(f"/vnc/{ANN}"))
        await gateway.event("request", path="/vnc/*", status=308)
        await gateway.search()


async def test_the_token_may_be_in_a_header(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, bob):
        write(file, f"{ANN}: {ann.address}", f"{BOB}: {bob.address}")
        async with by_tokens(file, "header:X-Token", backend={"message": "text", "source": "127.0.0.1"}) as gateway:
            async with client(gateway.ws("/vnc"), additional_headers={"x-token": BOB}) as socket:
                assert await within(socket.recv()) == "bob"
            assert (await answer(gateway.ws("/vnc")))[0] == 404
            assert (await answer(url(gateway, ANN)))[0] == 404
            repeated = [("X-Token", ANN), ("X-Token", BOB)]
            assert (await answer(gateway.ws("/vnc"), additional_headers=repeated))[0] == 400
            await gateway.search()


async def test_the_server_may_be_told_the_client(tmp_path):
    file = tmp_path / "tokens"

    async def say_header(reader, writer):
        writer.write(await reader.readline())

    async with TCPBackend(say_header) as backend:
        write(file, f"{ANN}: 127.0.0.1:{backend.port}")
        async with by_tokens(file, backend={"send-proxy-protocol": "v1"}) as gateway:
            async with client(url(gateway, ANN)) as socket:
                port = socket.local_address[1]
                assert await within(socket.recv()) == f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {gateway.plain[1]}\r\n".encode()


async def test_a_reload_reads_new_tokens_first(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    async with two() as (ann, bob):
        write(first, f"{ANN}: {ann.address}")
        write(second, f"{ANN}: {bob.address}")
        async with by_tokens(first) as gateway, client(url(gateway, ANN)) as socket:
            assert await within(socket.recv()) == b"ann"
            assert (await gateway.reload(drain={"over": "0s", "rate": 5}))["kept"] == 1
            assert await answer(url(gateway, ANN)) == (101, "ann")
            # What the same request would be led to is not known any more.
            assert (await gateway.reload(backends={"vnc": {"tokens": str(second)}}))["closing"] == 1
            assert await answer(url(gateway, ANN)) == (101, "bob")
            await gateway.closed(cause="reload", endpoint=ann.address)
            # Only the files of the present configuration are looked at.
            write(second, f"{BOB}: {bob.address}")
            assert await becomes(url(gateway, BOB), (101, "bob")) < SOON
            await gateway.reload(backends={"vnc": {"tokens": str(first), "token": "query:t"}})
            assert await answer(gateway.ws(f"/vnc?t={ANN}")) == (101, "ann")
            await gateway.search()


async def test_a_server_that_is_away_is_no_secret(tmp_path):
    """The endpoint is named, and the token is not."""
    file = tmp_path / "tokens"
    async with two() as (ann, _):
        write(file, f"{ANN}: {ann.address}", f"{BOB}: unix:{tmp_path}/none.sock")
        async with by_tokens(file) as gateway:
            assert (await answer(url(gateway, BOB)))[0] == 502
            refused = await gateway.event("refused", status=502, endpoint=f"unix:{tmp_path}/none.sock")
            assert "none.sock" in refused["reason"]
            await gateway.search()


async def test_names_of_servers_are_looked_up(tmp_path):
    test_names.needs_namespaces()
    hosts = test_names.Hosts(tmp_path)
    hosts.say("127.0.0.1 one.test\n127.0.0.2 two.test")
    file = tmp_path / "tokens"
    async with test_names.Greeters() as servers:
        write(file, f"{ANN}: one.test:{servers.port}")
        async with by_tokens(file, wrapper=hosts.wrapper, names={"refresh": "1h"}) as gateway:
            assert await answer(url(gateway, ANN)) == (101, "1")
            # A new name, and one that nobody knows, which holds nothing up.
            write(file, f"{ANN}: one.test:{servers.port}", f"{BOB}: two.test:{servers.port}", f"no: none.test:{servers.port}")
            assert await becomes(url(gateway, BOB), (101, "2")) < SOON
            assert await answer(url(gateway, ANN)) == (101, "1")
            assert (await answer(url(gateway, "no")))[0] == 502
            await gateway.event("resolve-failed", endpoint=f"none.test:{servers.port}")
            await gateway.search()


async def test_ten_thousand_tokens(tmp_path):
    file = tmp_path / "tokens"
    async with two() as (ann, bob):
        lines = [f"token-{number}: {(ann, bob)[number % 2].address}" for number in range(10_000)]
        write(file, *lines)
        async with by_tokens(file) as gateway:
            await gateway.event("tokens-read", tokens=10_000, endpoints=2)
            assert await answer(url(gateway, "token-9998")) == (101, "ann")
            assert await answer(url(gateway, "token-9999")) == (101, "bob")
            write(file, *lines[:-1], *(f"broken {number}" for number in range(1000)))
            await becomes(url(gateway, "token-9999"), 404)
            skipped = await gateway.events(11, "tokens-skipped")
            assert skipped[-1]["reason"] == "and 990 more files and lines" and len(skipped) == 11


@pytest.mark.parametrize("form", ["file", "folder"])
async def test_bridge_needs_no_target(tmp_path, form):
    folder = tmp_path / "tokens"
    folder.mkdir()
    async with two() as (ann, bob):
        write(folder / "ann", f"{ANN}: {ann.address}")
        path = folder if form == "folder" else folder / "ann"
        arguments = (BINARY, "bridge", "127.0.0.1:0", "--tokens", path)
        async with program(*arguments, ready='"serving"') as line:
            address = json.loads(line)["on"].removeprefix("ws://")
            assert await answer(f"ws://{address}/websockify?token={ANN}") == (101, "ann")
            assert (await answer(f"ws://{address}/websockify?token={BOB}"))[0] == 404
            write(folder / "ann", f"{ANN}: {ann.address}", f"{BOB}: {bob.address}")
            assert await becomes(f"ws://{address}/?token={BOB}", (101, "bob")) < SOON


@pytest.mark.parametrize("arguments, words", [
    ((), "TARGET is missing: name a server, or a folder with --tokens"),
    (("localhost:1", "--tokens", "/x"), "--tokens cannot stand beside the target `localhost:1`: leave one out"),
    (("--tokens", ""), "--tokens must be the path of a file, not ``"),
])
async def test_bridge_takes_a_target_or_tokens(arguments, words):
    status, _, errors = await command("bridge", "127.0.0.1:0", *arguments)
    assert status == 64 and words in errors


async def test_check_reads_the_files(tmp_path):
    folder = tmp_path / "tokens"
    file = tmp_path / "gateway.conf"
    configuration = {
        "listeners": [{"address": ":80"}], "routes": [{"path": "/vnc", "backend": "vnc"}],
        "backends": {"vnc": {"tokens": str(folder)}},
    }
    file.write_text(json.dumps(configuration))
    status, _, errors = await command("check", "--config", file)
    assert status == 1
    assert errors == f"{file}: backend vnc: {folder}: it cannot be read: No such file or directory\n"
    folder.mkdir()
    write(folder / "a", f"{ANN}: 127.0.0.1:1", f"{BOB}:127.0.0.1:2", f"{ANN}: 127.0.0.1:3")
    status, output, errors = await command("check", "--config", file)
    assert status == 0 and "1 backend: OK" in output
    assert errors.splitlines() == [
        f"warning: {folder}/a:2: the line has no colon and space between a token and its target",
        f"warning: {folder}/a:3: the line has the token of {folder}/a:1, which counts",
    ]


async def test_explain_looks_tokens_up_and_shows_none(tmp_path):
    tokens, file = tmp_path / "tokens", tmp_path / "gateway.conf"
    write(tokens, f"{ANN}: 127.0.0.1:5901")
    routes = [{"path": "/vnc", "backend": "vnc", "hosts": ["h"]}, {"path": "/p/*", "backend": "p", "hosts": ["h"]}]
    backends = {"vnc": {"tokens": str(tokens)}, "p": {"tokens": str(tokens), "token": "path"}}
    file.write_text(json.dumps({"listeners": [{"address": ":80"}], "routes": routes, "backends": backends}))

    async def explained(url: str) -> tuple[int, str]:
        status, output, _ = await command("explain", url, "--config", file)
        return status, output

    status, output = await explained(f"ws://h/vnc?token={ANN}")
    assert status == 0 and output.startswith("ws://h/vnc?*\n") and "127.0.0.1:5901" in output and "101" in output
    status, output = await explained(f"ws://h/p/{ANN}")
    assert status == 0 and output.startswith("ws://h/p/*\n") and "127.0.0.1:5901" in output
    for unknown in (f"ws://h/vnc?token={BOB}", f"ws://h/p/{BOB}"):
        status, output = await explained(unknown)
        assert status == 1 and "404 Not Found: The token is unknown." in output
    assert "400 Bad Request: The token is repeated." in (await explained(f"ws://h/vnc?token={ANN}&token={BOB}"))[1]
    assert "404 Not Found: This address needs a token." in (await explained("ws://h/vnc"))[1]
    for lost in (
        f"ws://other/vnc?token={ANN}", f"ws://other/p/{ANN}", f"ws://h/./p/{ANN}", f"h/vnc?token={ANN}", f"http://h/p/{ANN}",
        f"ws://h/%70/{ANN}", f"ws://h/p/{ANN}#{BOB}", f"ws://h//p/{ANN}",
    ):
        assert (await explained(lost))[0] == (0 if lost.endswith(BOB) or "%70" in lost else 1), lost
