"""Where endpoints are and what they are asked for: Unix sockets, paths, certificates, what their checks send."""

import contextlib
import json
import pathlib
import ssl
import tempfile

import pytest
from websockets.asyncio.server import unix_serve

from admin import admin, key, metrics
from confidential import secret
from gateway_process import BINARY, Gateway, command, until, within
from peers import TCPBackend, WebSocketBackend, client, program


class UnixBackend(WebSocketBackend):
    """The same server on a Unix socket."""

    def __init__(self, path: pathlib.Path, handler=None, **options):
        super().__init__(handler, **options)
        self.path = path

    async def __aenter__(self) -> "UnixBackend":
        self.server = await unix_serve(self._handle, str(self.path), **self.options)
        return self


@pytest.fixture
def folder():
    """Short: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="gw-") as folder:
        yield pathlib.Path(folder)


APP = {"path": "/app/*", "backend": "app"}


# Unix sockets


@pytest.mark.parametrize("suffix, asked", [("", "/app/x?q"), (":/chat", "/chat?q"), (":/base/*", "/base/x?q")])
async def test_a_websocket_server_on_a_unix_socket(suffix, asked, folder):
    async with UnixBackend(folder / "app.sock") as server:
        name = f"ws+unix:{server.path}{suffix}"
        async with Gateway(routes=[APP], backends={"app": {"websocket": [name]}}, admin="127.0.0.1:0") as running:
            async with client(running.ws("/app/x?q")) as session, admin(running) as http:
                for size in (1, 100_000):
                    await session.send(b"x" * size)
                    assert await session.recv() == b"x" * size
                [request] = server.requests
                assert request.path == asked
                assert request.headers["Host"] == f"127.0.0.1:{running.plain[1]}"
                assert (await metrics(http))[key("backend_sessions", backend="app", endpoint=name)] == 1
                await session.close(1000, "enough")
            assert await server.closed() == (1000, "enough")
            record = await running.closed()
            assert (record["endpoint"], record["cause"], record["code"]) == (name, "client-closed", "1000")
            _, explained, _ = await command("explain", "ws://localhost:1/app/x?q", "--config", running.file)
            assert name + (", asked for /base/x?*" if suffix.endswith("*") else "") + "\n" in explained


async def test_the_host_of_a_unix_socket_is_localhost_where_it_is_the_endpoints(folder):
    async with UnixBackend(folder / "app.sock") as server:
        backend = {"websocket": [f"ws+unix:{server.path}"], "host": "endpoint", "source": "127.0.0.1"}
        async with Gateway(routes=[APP], backends={"app": backend}) as running:
            async with client(running.ws("/app/")):
                pass
        assert server.requests[0].headers["Host"] == "localhost"


async def test_a_missing_socket_is_502_and_another_endpoint_takes_over(folder):
    async with UnixBackend(folder / "here.sock") as server:
        missing, here = f"ws+unix:{folder}/missing.sock", f"ws+unix:{server.path}"
        async with Gateway(routes=[APP], backends={"app": {"websocket": [missing, here]}}) as running:
            for _ in range(3):
                async with client(running.ws("/app/")) as session:
                    await session.send("x")
                    assert await session.recv() == "x"
            await running.reload(backends={"app": {"websocket": [missing]}})
            with pytest.raises(Exception, match="502"):
                async with client(running.ws("/app/")):
                    pass
            refused = await running.event("refused", status=502)
            assert f"{missing}: " in refused["reason"] and "No such file or directory" in refused["reason"]


async def test_health_checks_go_through_the_socket(folder):
    async with contextlib.AsyncExitStack() as stack:
        path = folder / "app.sock"
        name = f"ws+unix:{path}:/base/*"
        health = {"check": "websocket", "interval": "100ms", "rise": 1, "fall": 1}
        running = Gateway(
            routes=[APP], backends={"app": {"websocket": [name], "health": health}}, admin="127.0.0.1:0")
        async with UnixBackend(path) as server:
            await stack.enter_async_context(running)
            await within(server.closes.get())
            assert server.requests[0].path == "/base/"
            assert server.requests[0].headers["Host"] == "localhost"
            assert server.requests[0].headers["User-Agent"] == "gateway-health-check"
        assert (await running.event("health", to="down"))["endpoint"] == name
        path.unlink(missing_ok=True)
        async with UnixBackend(path):
            assert (await running.event("health", to="up"))["endpoint"] == name
            http = await stack.enter_async_context(admin(running))
            assert (await metrics(http))[key("backend_up", backend="app", endpoint=name)] == 1


async def test_one_line_puts_a_server_on_a_unix_socket_on_a_port(folder):
    async with UnixBackend(folder / "app.sock") as server:
        arguments = (BINARY, "bridge", "127.0.0.1:0", f"ws+unix:{server.path}")
        async with program(*arguments, ready='"listening"') as line:
            async with client(f"ws://{json.loads(line)['address']}/any/path?q") as session:
                await session.send("x")
                assert await within(session.recv()) == "x"
        assert server.requests[0].path == "/any/path?q"


# Paths


@pytest.mark.parametrize("path, asked, prefix", [
    ("/app/x/y?q", "/base/x/y?q", "/app"), ("/app/", "/base/", "/app"), ("/a%70p/%78//y%2D?q=/app/", "/base/%78//y%2D?q=/app/", "/app"),
    ("/exact?q", "/base/?q", "/exact"), ("/elsewhere/x", "/base/elsewhere/x", None),
])
async def test_a_star_stands_for_what_the_routes_star_matched(path, asked, prefix):
    async with WebSocketBackend() as server:
        routes = [APP, {"path": "/exact", "backend": "app"}, {"path": "/*", "backend": "app"}]
        backend = {"websocket": [f"ws://127.0.0.1:{server.port}/base/*"]}
        async with Gateway(routes=routes, backends={"app": backend}) as running:
            forged = {"X-Forwarded-Prefix": "/forged"}
            async with client(running.ws(path), additional_headers=forged) as session:
                await session.send("x")
                assert await session.recv() == "x"
        [request] = server.requests
        assert request.path == asked
        assert request.headers.get_all("X-Forwarded-Prefix") == ([prefix] if prefix else [])


# Certificates


def who(connection) -> str:
    """The name in the client's certificate."""
    subject = connection.transport.get_extra_info("ssl_object").getpeercert()["subject"]
    return dict(part[0] for part in subject)["commonName"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_endpoint_is_shown_the_certificate_and_the_new_one_once_its_files_change(version, authority, tmp_path):
    context = authority.issue("127.0.0.1").server_context(authority)
    context.minimum_version = context.maximum_version = version
    chain, private_key = tmp_path / "client.pem", tmp_path / "client.key"

    def install(name: str):
        identity = authority.issue(name, client=True)
        private_key.write_bytes(identity.key.read_bytes())
        chain.write_bytes(identity.chain.read_bytes())

    install("alice")
    async with WebSocketBackend(ssl=context) as server:
        tls = {"ca": str(authority.file), "certificate": {"chain": str(chain), "key": str(private_key)}}
        health = {"check": "websocket", "interval": "100ms", "path": "/health"}
        backend = server.configuration(tls=tls, health=health)
        async with Gateway(routes=[APP], backends={"app": backend}) as running:

            async def seen() -> str:
                async with client(running.ws("/app/")) as session:
                    await session.send("x")
                    assert await session.recv() == "x"
                return next(who(each) for each in reversed(server.connections) if each.request.path == "/app/")

            assert await seen() == "alice"
            assert running.log.matching("health") == []
            async with client(running.ws("/app/")) as session:
                install("bob")
                # Clients are not shown it.
                assert "names" not in await running.event("certificates-reloaded")
                # A live session keeps what it has.
                await session.send("x")
                assert await session.recv() == "x"
            assert await seen() == "bob"
            await until(lambda: any(each.request.path == "/health" and who(each) == "bob" for each in server.connections))
            # A key that is not that of the chain changes nothing.
            private_key.write_bytes(authority.issue("carol", client=True).key.read_bytes())
            refused = await running.event("certificates-refused")
            assert refused["reason"].startswith("backend app: ") and "does not match" in refused["reason"]
            assert await seen() == "bob"
            assert running.log.matching("health") == []


async def test_a_bridge_shows_its_certificate_too(authority):
    seen = []

    async def echo(reader, writer):
        seen.append(dict(part[0] for part in writer.get_extra_info("peercert")["subject"])["commonName"])
        await TCPBackend.echo(reader, writer)

    identity = authority.issue("alice", client=True)
    async with TCPBackend(echo, ssl=authority.issue("127.0.0.1").server_context(authority)) as server:
        tls = {"ca": str(authority.file), "certificate": identity.configuration()}
        async with Gateway(routes=[APP], backends={"app": server.configuration(tls=tls)}) as running:
            async with client(running.ws("/app/")) as session:
                await session.send(b"x")
                assert await session.recv() == b"x"
    assert seen == ["alice"]


async def test_check_reads_the_certificate_for_endpoints(authority, tmp_path):
    one, other = authority.issue("alice", client=True), authority.issue("bob", client=True)
    pair = {"chain": str(one.chain), "key": str(other.key)}
    file = tmp_path / "gateway.conf"
    file.write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1:0"}], "routes": [APP],
        "backends": {"app": {"websocket": ["wss://127.0.0.1:1"], "tls": {"certificate": pair}}},
    }))
    status, _, errors = await command("check", "--config", file)
    assert status == 1
    assert f"backend app: {other.key}: the key does not match the first certificate of {one.chain}" in errors


# What checks send


@pytest.mark.parametrize("check", ["websocket", "http"])
async def test_the_fields_of_a_check_are_sent_and_shown_nowhere(check):
    token = secret("token")
    headers = {"Authorization": "Bearer ${TOKEN}", "User-Agent": "probe/1"}
    requests = []

    def answer(connection, request):
        requests.append(request)
        return connection.respond(200, "fine\n") if check == "http" else None

    async with WebSocketBackend(process_request=answer) as server:
        backend = server.configuration(health={"check": check, "path": "/health", "interval": "100ms", "headers": headers})
        log = {"format": "json", "level": "debug"}
        running = Gateway(
            routes=[APP], backends={"app": backend}, environment={"TOKEN": token}, admin="127.0.0.1:0", log=log)
        async with running, admin(running) as http:
            await running.event("health-check", result="passed")
            assert requests[0].headers.get_all("Authorization") == [f"Bearer {token}"]
            assert requests[0].headers.get_all("User-Agent") == ["probe/1"]
            await running.search()
            explained = await command(
                "explain", "ws://localhost:1/app/", "--config", running.file, environment={"TOKEN": token})
            assert explained[0] == 0
