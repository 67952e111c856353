"""The pages for operators, in ops/docs and README.md: what they say is done, and what comes of it."""

import asyncio
import collections
import contextlib
import os
import pathlib
import signal

import yaml

import raw
from admin import admin
from auth_services import AuthService, authelia
from confidential import secret
from credentials import Key, basic, key_set, user
from gateway_process import Gateway, tell, until, within
from pages import blocks, replaced
from peers import WebSocketBackend, program
from test_bridge import MQTTClient
from test_reload import free_port

QUICK_START = "ops/docs/quick-start.md"
HOW_TO = "ops/docs/how-to.md"
NODE = {"NODE_PATH": "/usr/share/nodejs"}


def configuration(text: str, changes: dict[str, str]) -> dict:
    """A configuration of a page, with what has to be different here."""
    return yaml.safe_load(replaced(text, changes))


def only(found: list[str]) -> str:
    (one,) = found
    return one


class QuickStart:
    """The files of the page, at ports of the test."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.port = free_port()
        server = replaced(only(blocks(QUICK_START, "js", "A server")), {"port: 3000": f"port: {self.port}"})
        (folder / "server.js").write_text(server)
        text = only(blocks(QUICK_START, "yaml", "The configuration"))
        self.configuration = configuration(text, {":8443": ":0", ":3000": f":{self.port}"})

    def server(self, seen: list[str] | None = None):
        return program("node", self.folder / "server.js", ready="listening", environment=NODE, seen=seen)

    @contextlib.asynccontextmanager
    async def client(self, gateway: Gateway, stays: bool):
        """The page's client, which closes or stays; yields its lines so far, and what waits for all of them."""
        text = replaced(only(blocks(QUICK_START, "js", "A client")), {":8443": f":{gateway.secure[1]}"})
        if stays:
            text = "\n".join(line for line in text.splitlines() if "close(1000)" not in line)
        (self.folder / "client.js").write_text(text)
        process = await asyncio.create_subprocess_exec(
            "node", self.folder / "client.js", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, **NODE},
        )
        lines: list[str] = []

        async def read() -> list[str]:
            async for line in process.stdout:
                lines.append(line.decode().rstrip())
            await process.wait()
            return lines

        reading = asyncio.create_task(read())
        try:
            yield lines, reading
        finally:
            tell(process, signal.SIGKILL)
            await reading


async def test_the_quick_start_gets_to_wss(tmp_path):
    start = QuickStart(tmp_path)
    printed = only([block for block in blocks(QUICK_START, "", "A client")]).splitlines()
    async with start.server(), Gateway(**start.configuration) as gateway:
        async with start.client(gateway, stays=False) as (_, all_lines):
            assert await within(all_lines) == printed
        closed = await gateway.closed()
        assert (closed["cause"], closed["code"]) == ("client-closed", "1000")


async def test_the_quick_start_shows_what_is_different(tmp_path):
    start = QuickStart(tmp_path)
    async with Gateway(**start.configuration) as gateway:
        process = await asyncio.create_subprocess_exec("node", tmp_path / "server.js", env={**os.environ, **NODE}, stdout=asyncio.subprocess.PIPE)
        assert b"listening" in await within(process.stdout.readline())
        async with start.client(gateway, stays=True) as (lines, all_lines):
            await until(lambda: "it works" in lines)
            tell(process, signal.SIGKILL)
            await process.wait()
            assert (await within(all_lines))[-1] == "closed with 1011"
        assert (await gateway.closed())["cause"] == "backend-gone"
        async with start.server(), start.client(gateway, stays=True) as (lines, all_lines):
            await until(lambda: "it works" in lines)
            gateway.signal(signal.SIGINT)
            assert (await within(all_lines))[-1] == "closed with 1012"
            assert await gateway.exited() == 0


# How to


def recipe(heading: str, changes: dict[str, str]) -> dict:
    """The configuration below a heading."""
    return configuration(only(blocks(HOW_TO, "yaml", heading)), changes)


def at(*backends: WebSocketBackend) -> dict[str, str]:
    """Each of the page's endpoints, and a server of the test in its place."""
    return {f"127.0.0.1:300{number}": f"127.0.0.1:{backend.port}" for number, backend in enumerate(backends, 1)}


async def reached(gateway: Gateway, backends: list[WebSocketBackend], *fields: str) -> tuple[WebSocketBackend, str | None]:
    """The server that an upgrade with these fields reaches, and the cookie that the client is given."""
    before = [len(backend.requests) for backend in backends]
    answer = await raw.ask(gateway.plain, raw.upgrade("/", *fields))
    assert answer.status == 101, answer
    (backend,) = [backend for backend, count in zip(backends, before) if len(backend.requests) == count + 1]
    return backend, (answer.field("Set-Cookie") or "").split(";")[0] or None


async def test_behind_a_clouds_balancer():
    async with WebSocketBackend() as one, WebSocketBackend() as other:
        changes = {
            "10.0.1.1:3000": f"127.0.0.1:{one.port}", "10.0.1.2:3000": f"127.0.0.1:{other.port}", "10.0.0.0/24": "127.0.0.0/8",
            "10.0.0.5:8080": "127.0.0.1:0", "10.0.0.5:9901": "127.0.0.1:0", "delay: 20s, over: 60s": "over: 0s",
        }
        async with Gateway(**recipe("Behind a cloud's balancer", changes)) as gateway, admin(gateway) as session:
            async with session.get("/readyz") as answer:
                assert answer.status == 200
            for _ in range(2):
                fields = ("X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "Origin: https://app.example.com")
                request = raw.upgrade("/", *fields, host="app.example.com")
                connection = await raw.Connection.open(gateway.plain)
                await connection.send(request)
                assert (await connection.response()).status == 101
            assert [len(backend.requests) for backend in (one, other)] == [1, 1]
            assert (await gateway.event("open"))["client"] == "203.0.113.7"


async def test_several_applications_at_one_address():
    async with WebSocketBackend() as grafana, WebSocketBackend() as wiki, WebSocketBackend() as chat:
        async with Gateway(**recipe("Several applications at one address", at(grafana, wiki, chat))) as gateway:
            for host, path, status in [
                ("tools.example.com", "/grafana/live?x=1", 101), ("tools.example.com", "/page", 101), ("chat.example.com", "/room", 101),
                ("a.chat.example.com", "/room", 101), ("www.example.com", "/", 404),
            ]:
                assert (await raw.ask(gateway.plain, raw.upgrade(path, host=host))).status == status, host
    assert [request.path for request in grafana.requests] == ["/live?x=1"]
    assert grafana.requests[0].headers["X-Forwarded-Prefix"] == "/grafana"
    assert [request.path for request in wiki.requests] == ["/page"] and [request.path for request in chat.requests] == ["/room"] * 2


async def test_a_new_version_for_a_few_clients_first():
    async with WebSocketBackend() as old, WebSocketBackend() as new:
        changes = {"10.0.0.1:3000": f"127.0.0.1:{old.port}", "10.0.0.2:3000": f"127.0.0.1:{new.port}"}
        async with Gateway(**recipe("A new version for a few clients first", changes)) as gateway:
            seen = collections.Counter()
            for _ in range(40):
                first, cookie = await reached(gateway, [old, new])
                # It stays with the version that it began with.
                assert await reached(gateway, [old, new], f"Cookie: {cookie}") == (first, None)
                seen[first] += 1
            assert (seen[old], seen[new]) == (38, 2)


async def test_closed_for_maintenance():
    async with WebSocketBackend() as backend:
        settings = recipe("Closed for maintenance", {"10.0.0.0/8": "127.0.0.0/8", "127.0.0.1:3000": f"127.0.0.1:{backend.port}"})
        async with Gateway(routes=[{"path": "/*", "backend": "app"}], backends=settings["backends"]) as gateway:
            async with await raw.Connection.upgraded(gateway.plain, "/") as session:
                await gateway.reload(routes=settings["routes"])
                assert (await session.closing()).code == 1012
                await session.send(raw.close(1012))
            for request in (raw.upgrade("/"), b"GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
                answer = await raw.ask(gateway.plain, request)
                assert (answer.status, answer.body, answer.field("Retry-After")) == (503, b"Back at 14:00.", "600")
            assert (await raw.ask(gateway.plain, raw.upgrade("/", host="preview.example.com"))).status == 101


async def test_a_service_that_strangers_may_use():
    heading = "A service that strangers may use"
    async with WebSocketBackend() as backend:
        settings = recipe(heading, {":8080": "127.0.0.1:0", "127.0.0.1:3000": f"127.0.0.1:{backend.port}"})
        async with Gateway(**settings) as gateway:
            statuses = [(await raw.ask(gateway.plain, raw.upgrade("/feed"))) for _ in range(3)]
            assert [answer.status for answer in statuses] == [101, 101, 429] and statuses[2].field("Retry-After")
            assert "handshakes-per-address" in (await gateway.event("refused", status=429))["reason"]
            await gateway.events(2, "close")
        # The other bounds, without that one.
        del settings["routes"][0]["limits"]["handshakes-per-address"]
        async with Gateway(**settings) as gateway, contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                session = await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, "/feed"))
            assert (await raw.ask(gateway.plain, raw.upgrade("/feed"))).status == 429
            await session.send(raw.frame(raw.TEXT, b"x" * 4097))
            assert (await session.closing()).code == 1009
            await session.send(raw.close(1009))


async def test_a_channel_that_only_servers_send_to():
    settings = recipe("A channel that only your servers send to", {"10.0.0.0/8": "127.0.0.0/8"})
    async with Gateway(**settings) as gateway:
        async with await raw.Connection.upgraded(gateway.plain, "/news/sports") as listener:
            request = b"POST /publish/sports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\nnews"
            assert (await raw.ask(gateway.plain, request)).status == 200
            assert (await listener.frame()).payload == b"news"
            await listener.send(raw.frame(raw.TEXT, b"me too"))
            assert (await listener.closing()).code == 1008
            await listener.send(raw.close(1008))


async def test_tls_to_the_servers_behind(tmp_path, authority):
    context = authority.issue("app.internal").server_context(authority)
    shown = authority.issue("gateway", client=True)
    async with WebSocketBackend(ssl=context) as one, WebSocketBackend(ssl=context) as other:
        changes = {
            "10.0.0.1:3443": f"127.0.0.1:{one.port}", "10.0.0.2:3443": f"127.0.0.1:{other.port}", "/etc/gateway/ca.pem": str(authority.file),
            "/etc/gateway/client.pem": str(shown.chain), "/etc/gateway/client.key": str(shown.key),
        }
        async with Gateway(**recipe("TLS to the servers behind", changes)) as gateway:
            async with await raw.Connection.upgraded(gateway.plain, "/") as session:
                await session.send(raw.frame(raw.TEXT, b"hello"))
                assert (await session.frame()).payload == b"hello"


async def test_two_gateways_find_the_same_endpoint():
    async with WebSocketBackend() as one, WebSocketBackend() as other:
        changes = {"10.0.0.1:3000": f"127.0.0.1:{one.port}", "10.0.0.2:3000": f"127.0.0.1:{other.port}"}
        settings = recipe("Two gateways", changes)
        for backend in settings["backends"].values():
            del backend["health"]
        async with Gateway(**settings) as first, Gateway(**settings) as second:
            for _ in range(5):
                chosen, cookie = await reached(first, [one, other])
                assert await reached(second, [one, other], f"Cookie: {cookie}") == (chosen, None)


# The README


async def test_the_readme_lets_clients_in(tmp_path, authority):
    site, key = authority.issue("localhost", "127.0.0.1"), Key("ES256")
    for name, text in {"jwks.json": key_set(key), "users": user("alice", "right")}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/index.html").write_text("signed in")
    cookie = secret("cookie")
    async with WebSocketBackend() as backend, AuthService(authelia({cookie: "alice"})) as service:
        changes = {
            ":443": "127.0.0.1:0", "/etc/gateway/site.pem": str(site.chain), "/etc/gateway/site.key": str(site.key),
            "/etc/gateway/devices.pem": str(authority.file), "/etc/gateway/jwks.json": str(tmp_path / "jwks.json"),
            "/etc/gateway/users": str(tmp_path / "users"), "http://127.0.0.1:9091/": service.url("/"), "/srv/app": str(tmp_path / "app"),
            "127.0.0.1:3000": f"127.0.0.1:{backend.port}",
        }
        (text,) = blocks("README.md", "yaml", "Letting clients in")
        async with Gateway(**configuration(text, changes)) as gateway:
            device = authority.client_context(authority.issue("d1.devices.example.com", client=True))
            claims = {"iss": "https://login.example.com", "aud": "chat", "scope": "chat"}
            good, other = key.token(**claims), key.token(**{**claims, "scope": "mail"})

            async def answer(path: str, *fields: str, context=authority.client_context()) -> raw.Response:
                return await raw.ask(gateway.secure, raw.upgrade(path, *fields, host="localhost"), ssl=context)

            for path, fields, status in [
                ("/chat", [], 401), ("/chat", [f"Authorization: Bearer {good}"], 101), ("/chat", [f"Cookie: session={good}"], 101),
                ("/chat", [f"Sec-WebSocket-Protocol: bearer, {good}"], 101), ("/chat", [f"Authorization: Bearer {other}"], 403),
                ("/tools/x", [basic("alice", "right")], 101), ("/tools/x", [basic("alice", "wrong")], 401),
                ("/devices", [], 403), ("/wiki/x", [f"Cookie: authelia_session={cookie}"], 101), ("/wiki/x", [], 401),
            ]:
                assert (await answer(path, *fields)).status == status, (path, status)
            assert (await answer("/devices", context=device)).status == 101
            sent = [{name: request.headers.get(name) for name in ("X-User", "X-Device", "Remote-User")} for request in backend.requests]
            assert sent == [
                *[{"X-User": "alice", "X-Device": None, "Remote-User": None}] * 4,
                {"X-User": None, "X-Device": None, "Remote-User": "alice"},
                {"X-User": None, "X-Device": "d1.devices.example.com", "Remote-User": None},
            ]
            page = "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
            anonymous = await raw.ask(gateway.secure, f"{page}\r\n".encode(), ssl=authority.client_context())
            assert anonymous.status == 302 and anonymous.field("Location").startswith("https://login.example.com/?rd=")
            request = f"{page}{basic('alice', 'right')}\r\n\r\n".encode()
            assert (await raw.ask(gateway.secure, request, ssl=authority.client_context())).body == b"signed in"


async def test_the_readme_bridges_mqtt(tmp_path):
    path, file = tmp_path / "mosquitto.sock", tmp_path / "mosquitto.conf"
    file.write_text(f"listener 0 {path}\nallow_anonymous true\nuser root\npersistence false\nlog_dest stderr\n")
    text = only([block for block in blocks("README.md", "yaml", "In front of applications") if "/mqtt" in block])

    def talk(port: int) -> list:
        listener, speaker = MQTTClient(port, "listener"), MQTTClient(port, "speaker")
        try:
            listener.client.subscribe("gateway/#", qos=1)
            assert listener.subscribed.wait(20)
            speaker.client.publish("gateway/test", b"hello", qos=1).wait_for_publish(20)
            assert listener.received.wait(20)
            return listener.messages
        finally:
            speaker.stop()
            listener.stop()

    async with program("mosquitto", "-c", file, ready="running"):
        async with Gateway(**configuration(text, {"127.0.0.1:1883": f"unix:{path}"})) as gateway:
            assert await asyncio.to_thread(talk, gateway.plain[1]) == [("gateway/test", b"hello")]
