"""`forward`: another service decides who is let in."""

import asyncio
import json
import signal
import socket as sockets
import time
import urllib.parse

import pytest
from websockets.exceptions import ConnectionClosed

import raw
from admin import admin
from auth_services import AuthService, Question, answer, authelia, authentik, oauth2_proxy
from browser import chromium, logged, new_page
from certificates import Authority
from confidential import secret
from credentials import Key, basic, key_set, user
from gateway_process import Gateway, command, insecure, until, within
from peers import WebSocketBackend, client, relay

COOKIE = secret("cookie")
ALICE = {COOKIE: "alice"}
HTML = "Accept: text/html,application/xhtml+xml"


def forward(url: str, *send: str, **keys) -> dict:
    return {"forward": {"url": url, **({"send": list(send)} if send else {}), **keys}}


def plain(path: str, *fields: str, method: str = "GET", host: str = "127.0.0.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode()


async def upgrade(gateway: Gateway, path: str, *fields: str) -> raw.Response:
    return await raw.ask(gateway.plain, raw.upgrade(path, *fields))


async def get(gateway: Gateway, path: str, *fields: str, **options) -> raw.Response:
    return await raw.ask(gateway.plain, plain(path, *fields, **options))


async def secure(gateway: Gateway, request: bytes) -> raw.Response:
    return await raw.ask(gateway.secure, request, ssl=insecure())


def page(connection, request):
    """What a backend answers to a plain request."""
    if "Upgrade" not in request.headers:
        return connection.respond(200, "from the backend\n")


def allows(*fields: str):
    """Lets everyone in."""
    return lambda question: answer(200, *fields)


# Services that people use


async def test_authelia():
    seen = []

    def answered(connection, request):
        seen.append(request)
        return page(connection, request)

    forged = ["Remote-User: root", "remote_user: root", "REMOTE.USER: root", "Remote-Groups: root", "X-Other: kept"]
    good = f"Cookie: a=b; authelia_session={COOKIE}"
    async with AuthService(authelia(ALICE)) as service, WebSocketBackend(process_request=answered) as backend:
        auth = forward(service.url("/api/authz/forward-auth"), "Remote-User", "Remote-Groups")
        async with relay(backend, {"auth": auth, "http": "pass"}) as gateway:
            assert (await secure(gateway, raw.upgrade("/app?x=1", good, *forged))).status == 101
            got = await secure(gateway, plain("/app/p", good, *forged, "Connection: close"))
            assert (got.status, got.body) == (200, b"from the backend\n")
            assert len(seen) == 2
            for request in seen:
                assert "root" not in str(request.headers)
                assert request.headers.get_all("Remote-User") == ["alice"]
                assert request.headers.get_all("Remote-Groups") == ["admins,dev"]
                assert request.headers["X-Other"] == "kept" and "X-Internal" not in request.headers
            assert (await gateway.event("open"))["subject"] == "alice"
            asked = service.questions[0]
            host = "127.0.0.1"
            assert (asked["Host"], asked["X-Forwarded-Method"], asked.url) == (
                f"127.0.0.1:{service.port}", "GET", f"https://{host}/app?x=1")
            assert (asked["X-Original-Method"], asked["X-Original-URL"]) == ("GET", f"https://{host}/app?x=1")
            assert (asked["X-Forwarded-For"], asked["X-Real-IP"], asked["X-Forwarded-Port"]) == (host, host, "443")
            assert asked["Cookie"] == f"a=b; authelia_session={COOKIE}"
            # What the client says of the rest goes nowhere.
            assert "root" not in str(asked.fields) and not asked.all("X-Other")

            # A page is sent to the portal, a script and a program are not.
            got = await secure(gateway, plain("/app/p?q=1", HTML, "Connection: close"))
            where = urllib.parse.urlsplit(got.field("Location"))
            assert (got.status, where.netloc) == (302, "auth.example.com")
            assert urllib.parse.parse_qs(where.query) == {"rd": [f"https://{host}/app/p?q=1"], "rm": ["GET"]}
            assert got.body == b"<a href='/'>Found</a>" and got.field("Content-Type") == "text/html"
            got = await secure(gateway, plain("/app/p", HTML, "Content-Length: 0", "Connection: close", method="POST"))
            assert got.status == 303 and "rm=POST" in got.field("Location")
            got = await secure(gateway, plain("/app/p", HTML, "X-Requested-With: XMLHttpRequest", "Connection: close"))
            assert (got.status, got.body) == (401, b"401 Unauthorized\n")
            assert got.field("WWW-Authenticate") == 'Basic realm="Authorization Required"'
            # No browser follows a redirect in a handshake.
            for fields in ([], [HTML]):
                got = await secure(gateway, raw.upgrade("/app", *fields))
                assert got.status == 401 and got.field("Location").startswith("https://auth.example.com/")
                assert got.field("WWW-Authenticate")
            assert len(seen) == 2
            reasons = {record["reason"] for record in await gateway.events(4, "refused")}
            assert reasons <= {"The auth service refused the request with 302.", "The auth service refused the request with 303.",
                               "The auth service refused the request with 401."}
            # The gateway asks by http alone where the client came so, and then Authelia does not know.
            assert (await upgrade(gateway, "/app", good)).status == 503


async def test_oauth2_proxy(tmp_path):
    good = f"Cookie: _oauth2_proxy={COOKIE}"
    refreshed = ["_oauth2_proxy_0=first; Path=/; HttpOnly", "_oauth2_proxy_1=second; Path=/; HttpOnly"]
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "index.html").write_text("a page")

    def cookies(got: raw.Response) -> list[str]:
        return [value for name, value in got.fields if name == "Set-Cookie"]

    async with AuthService(oauth2_proxy(ALICE)) as service, WebSocketBackend(process_request=page) as backend:
        auth = forward(service.url("/oauth2/auth"), "X-Auth-Request-User", "X-Auth-Request-Email")
        signs = {"auth": auth, "sign-in": "https://login.example.com/oauth2/start"}
        routes = [
            {"path": "/oauth2/*", "backend": "proxy", "http": "pass"},
            {"path": "/files/*", "files": str(folder), **signs},
            {"path": "/answer", "answer": {"text": "hello"}, **signs},
            {"path": "/echo", "backend": "echo", **signs},
            {"path": "/down", "backend": "down", "http": "pass", **signs},
            {"path": "/*", "backend": "app", "http": "pass", **signs},
        ]
        backends = {"app": backend.configuration(), "echo": {"builtin": "echo"},
                    "down": {"websocket": ["ws://127.0.0.1:1"]}, "proxy": {"websocket": [f"ws://127.0.0.1:{service.port}"]}}
        async with Gateway(routes=routes, backends=backends) as gateway:
            for path, status in [("/files/", 200), ("/answer", 200), ("/x", 200), ("/down", 502)]:
                got = await get(gateway, path, good)
                assert (got.status, cookies(got)) == (status, refreshed), path
            for path in ["/echo", "/x"]:
                got = await upgrade(gateway, path, good)
                assert (got.status, cookies(got)) == (101, refreshed), path
            assert backend.requests[0].headers["X-Auth-Request-Email"] == "alice@example.com"
            assert (await gateway.events(2, "open"))[0]["subject"] == "alice"

            # A page goes where one signs in, and the service's cookie with it.
            for path in ["/files/", "/answer", "/x?y=z"]:
                got = await get(gateway, path, HTML)
                there = urllib.parse.quote(f"http://127.0.0.1{path}", safe="")
                assert (got.status, got.field("Location")) == (302, f"https://login.example.com/oauth2/start?rd={there}")
                assert cookies(got) == ["_oauth2_proxy=; Max-Age=0; Path=/"]
                got = await get(gateway, path)
                assert (got.status, got.body, got.field("WWW-Authenticate")) == (401, b"Unauthorized\n", "Bearer")
                assert cookies(got) == ["_oauth2_proxy=; Max-Age=0; Path=/"]
            got = await upgrade(gateway, "/x", HTML)
            assert (got.status, got.field("WWW-Authenticate")) == (401, "Bearer")


@pytest.mark.parametrize("kind, refused", [("traefik", 302), ("nginx", 401)])
async def test_authentik(kind, refused):
    good = f"Cookie: authentik_proxy_x={COOKIE}"
    async with AuthService(authentik(ALICE)) as service, WebSocketBackend(process_request=page) as backend:
        auth = forward(service.url(f"/outpost.goauthentik.io/auth/{kind}"), "X-authentik-username", "X-authentik-jwt")
        async with relay(backend, {"auth": auth, "http": "pass"}) as gateway:
            for got in (await upgrade(gateway, "/app", good), await get(gateway, "/app", good)):
                assert got.status in (101, 200)
                assert got.field("Set-Cookie") == f"authentik_proxy_x={'c' * 20_000}; Path=/"
            assert backend.requests[0].headers["X-authentik-jwt"] == "e.y.J"
            got = await get(gateway, "/app/x", HTML)
            assert got.status == refused and len(got.field("Set-Cookie")) > 20_000
            if refused == 302:
                rd = urllib.parse.quote("http://127.0.0.1/app/x", safe="")
                # A path is one of the host that the client asked for.
                assert got.field("Location") == f"/outpost.goauthentik.io/start?rd={rd}"
            assert (await upgrade(gateway, "/app")).status == 401


# What is asked


async def test_the_service_gets_what_was_asked_and_no_token(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(key_set(Key("ES256")))
    jwt = {"jwt": {"keys": str(keys), "algorithms": ["ES256"], "audience": "any", "token": ["query:token"]}}
    async with AuthService(allows()) as service, WebSocketBackend(process_request=page) as backend:
        rules = {"http": "pass", "auth": [jwt, forward(service.url("/a?b=c"), "Authorization")]}
        async with relay(backend, rules, **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
            fields = ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: wss", "X-Forwarded-Host: chat.example.com",
                      "X-Forwarded-Uri: /forged", "X-Original-URL: https://forged/", "X-Forwarded-Method: DELETE",
                      "X-Original-Method: DELETE", "Proxy-Authorization: Basic Zm9yZ2Vk", "Origin: https://a.example",
                      "Authorization: Digest x", "User-Agent: test/1", "Accept: */*"]
            request = plain("/app/%7Ex?a=b&token=&c=%20d", *fields, "Content-Length: 3", method="PATCH") + b"abc"
            # What is here as a backend reads only GET.
            assert (await raw.ask(gateway.plain, request)).status == 502
            (asked,) = await service.asked(1)
            assert asked.target == "/a?b=c"
            assert dict(asked.fields) == {
                "Host": f"127.0.0.1:{service.port}", "Connection": "close",
                "X-Forwarded-For": "192.0.2.7, 127.0.0.1", "X-Real-IP": "192.0.2.7", "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "chat.example.com", "X-Forwarded-Port": "443", "X-Forwarded-Method": "PATCH",
                "X-Forwarded-Uri": "/app/%7Ex?a=b&c=%20d", "X-Original-Method": "PATCH",
                "X-Original-URL": "https://chat.example.com/app/%7Ex?a=b&c=%20d", "Origin": "https://a.example",
                "Authorization": "Digest x", "User-Agent": "test/1", "Accept": "*/*",
            }


async def test_the_first_kind_that_is_sent_decides(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right"))

    def decide(question: Question) -> bytes:
        return answer(200) if question["Cookie"] == "ok=1" else answer(401, "WWW-Authenticate: Negotiate")

    async with AuthService(decide) as service:
        auth = [{"basic": {"file": str(users), "realm": "r"}}, forward(service.url())]
        routes = [{"path": "/app", "backend": "e", "auth": auth}]
        async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
            assert (await upgrade(gateway, "/app", basic("ann", "right"))).status == 101
            assert (await upgrade(gateway, "/app", basic("ann", "wrong"), "Cookie: ok=1")).status == 401
            assert not service.questions
            assert (await upgrade(gateway, "/app", "Cookie: ok=1")).status == 101
            got = await upgrade(gateway, "/app")
            assert [value for name, value in got.fields if name == "WWW-Authenticate"] == [
                "Negotiate", 'Basic realm="r", charset="UTF-8"']


async def test_one_connection_carries_what_is_refused_and_what_is_let_in():
    def decide(question: Question) -> bytes:
        return answer(200) if question["Cookie"] else answer(403, body=b"no")

    async with AuthService(decide) as service, WebSocketBackend(process_request=page) as backend:
        async with relay(backend, {"http": "pass", "auth": forward(service.url())}) as gateway:
            async with await raw.Connection.open(gateway.plain) as socket:
                fields = [[], ["Cookie: a=b"], [], ["Cookie: a=b"]]
                # All at once: the answers come in their order.
                await socket.send(b"".join(plain("/app/x", *more) for more in fields))
                got = [await socket.response() for _ in fields]
                assert [answer.status for answer in got] == [403, 200, 403, 200]
                assert got[0].body == b"no" and got[1].body == b"from the backend\n"
                await socket.send(plain("/app/x", method="HEAD"))
                head = await socket.head()
                assert head[0].startswith("HTTP/1.1 403") and "Content-Length: 2" in head
                await socket.send(raw.upgrade("/app", "Cookie: a=b"))
                assert (await socket.response()).status == 101


# Never open


def raw_answer(text: str):
    return lambda question: text.replace("\n", "\r\n").encode()


BROKEN = {
    "500": raw_answer("HTTP/1.1 500 x\nContent-Length: 0\n\n"),
    "404": raw_answer("HTTP/1.1 404 x\nContent-Length: 0\n\n"),
    "429": raw_answer("HTTP/1.1 429 x\nContent-Length: 0\n\n"),
    "101": raw_answer("HTTP/1.1 101 x\nUpgrade: websocket\nConnection: Upgrade\n\n"),
    "304": raw_answer("HTTP/1.1 304 x\n\n"),
    "nothing": raw_answer(""),
    "half a head": raw_answer("HTTP/1.1 200 OK\nRemote-User: al"),
    "no HTTP": raw_answer("SSH-2.0-x\n"),
    "framed twice": raw_answer("HTTP/1.1 200 OK\nContent-Length: 2\nTransfer-Encoding: chunked\n\nok"),
    "half a body": raw_answer("HTTP/1.1 403 x\nContent-Length: 10\n\nhalf"),
    "a folded field": raw_answer("HTTP/1.1 200 OK\nRemote-User: a\n b\nContent-Length: 0\n\n"),
    "a bare LF": lambda question: b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "two users": raw_answer("HTTP/1.1 200 OK\nRemote-User: a\nRemote-User: b\nContent-Length: 0\n\n"),
    "a long head": raw_answer(f"HTTP/1.1 200 OK\nX: {'a' * (70 << 10)}\n\n"),
    "interim answers": raw_answer("HTTP/1.1 100 Continue\n\n" * 20 + "HTTP/1.1 200 OK\n\n"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_an_answer_that_is_none_lets_nobody_in(name):
    async with AuthService(BROKEN[name]) as service, WebSocketBackend(process_request=page) as backend:
        rules = {"http": "pass", "auth": forward(service.url("/secret?secret"), "Remote-User")}
        async with relay(backend, rules) as gateway:
            for got in (await upgrade(gateway, "/app"), await get(gateway, "/app/x")):
                assert (got.status, got.field("Retry-After")) == (503, "5")
                assert got.body == b"Credentials cannot be verified. Try again soon.\n"
            assert not backend.requests
            for record in await gateway.events(2, "refused"):
                assert f"the auth service http://127.0.0.1:{service.port}: " in record["reason"]
                assert "secret" not in record["reason"] and "alice" not in record["reason"]


async def test_a_service_that_is_not_there_lets_nobody_in():
    # Bound, and does not listen.
    with sockets.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        rules = {"http": "pass", "auth": forward(f"http://localhost:{port}/")}
        async with relay({"websocket": ["ws://127.0.0.1:1"]}, rules) as gateway:
            for got in (await upgrade(gateway, "/app"), await get(gateway, "/app/x", HTML)):
                assert got.status == 503
            assert "refused" in (await gateway.event("refused"))["reason"]


async def test_a_slow_service_is_waited_for_and_holds_back_no_other():
    async with AuthService(lambda question: None) as service, WebSocketBackend() as backend:
        routes = [
            {"path": "/app", "backend": "app", "auth": forward(service.url()), "timeouts": {"connect": "1s"}},
            {"path": "/short", "backend": "app", "auth": forward(service.url()), "timeouts": {"handshake": "1s"}},
            {"path": "/open", "backend": "app"},
        ]
        async with Gateway(routes=routes, backends={"app": backend.configuration()}) as gateway:
            async with client(gateway.ws("/open")) as good:
                # One deadline spans all of an opening handshake.
                started = time.monotonic()
                assert (await upgrade(gateway, "/short")).status == 503
                assert 0.9 < time.monotonic() - started < 4
                started = time.monotonic()
                waiting = [asyncio.create_task(upgrade(gateway, "/app")) for _ in range(50)]
                await service.asked(51)
                slowest = 0.0
                while not all(task.done() for task in waiting):
                    sent = time.monotonic()
                    await good.send("x")
                    await within(good.recv())
                    slowest = max(slowest, time.monotonic() - sent)
                assert 5.9 < time.monotonic() - started < 9
                assert {task.result().status for task in waiting} == {503}
                assert slowest < 1
            # Of many that are alike the log has ten.
            reasons = {record["reason"] for record in await gateway.events(10, "refused", route="/app")}
            assert reasons == {f"Credentials cannot be verified: the auth service {service.url('')}: it did not answer in time."}
            await until(lambda: service.abandoned == 51 and service.open == 0)
            assert len(backend.requests) == 1


async def test_what_comes_behind_an_answer_is_for_nobody():
    behind = answer(200, "Remote-User: mallory")

    def decide(question: Question) -> bytes:
        if question["Cookie"]:
            return answer(200, "Remote-User: alice", body=b"hello") + behind
        return answer(403, body=b"no") + behind

    async with AuthService(decide) as service, WebSocketBackend(process_request=page) as backend:
        async with relay(backend, {"http": "pass", "auth": forward(service.url(), "Remote-User")}) as gateway:
            for _ in range(3):
                assert (await upgrade(gateway, "/app", "Cookie: a=b")).status == 101
                got = await get(gateway, "/app/x")
                assert (got.status, got.body) == (403, b"no")
            assert [request.headers["Remote-User"] for request in backend.requests] == ["alice"] * 3


async def test_a_service_is_verified(authority, tmp_path):
    stranger = Authority(tmp_path, "Stranger")
    context = authority.issue("127.0.0.1").server_context()
    wrong = authority.issue("other.example.com").server_context()
    async with AuthService(allows("Remote-User: alice"), ssl=context) as service, AuthService(allows(), ssl=wrong) as other:
        ca = {"tls": {"ca": str(authority.file)}}
        routes = [
            {"path": "/good", "backend": "e", "auth": forward(service.url(), "Remote-User", **ca)},
            {"path": "/stranger", "backend": "e", "auth": forward(service.url("/"), tls={"ca": str(stranger.file)})},
            {"path": "/system", "backend": "e", "auth": forward(service.url("/"))},
            {"path": "/name", "backend": "e", "auth": forward(other.url("/"), **ca)},
        ]
        async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
            for _ in range(3):
                assert (await upgrade(gateway, "/good")).status == 101
            for path in ["/stranger", "/system", "/name"]:
                assert (await upgrade(gateway, path)).status == 503
            assert all("TLS: " in record["reason"] for record in await gateway.events(3, "refused"))
            assert len(service.questions) == 3 and not other.questions
        broken = tmp_path / "broken.pem"
        broken.write_text("no certificate")
        routes = [{"path": "/", "backend": "e", "auth": forward("https://a.example/", tls={"ca": str(broken)})}]
        file = tmp_path / "gateway.conf"
        file.write_text(json.dumps({"listeners": [{"address": "127.0.0.1:0"}], "routes": routes, "backends": {"e": {"builtin": "echo"}}}))
        code, _, errors = await command("check", "--config", file)
        assert code == 1 and "auth service https://a.example: " in errors and str(broken) in errors


# While it is asked


async def test_a_client_that_leaves_leaves_nothing():
    async with AuthService(allows()) as service, WebSocketBackend() as backend:
        rules = {"http": "pass", "auth": forward(service.url())}
        async with relay(backend, rules, log={"format": "json", "level": "debug"}) as gateway:
            files = gateway.open_files()
            service.hold()
            waiting = [await raw.Connection.open(gateway.plain) for _ in range(6)]
            for number, socket in enumerate(waiting):
                await socket.send(raw.upgrade("/app") if number % 2 else plain("/app"))
            await service.asked(6)
            for socket in waiting:
                socket.reset()
            left = await gateway.events(6, "abandoned")
            assert {record["reason"] for record in left} == {"the client left before its credential was verified"}
            await until(lambda: service.abandoned == 6)
            # Two more may be the ring of the loop, which is made for the first crowd, and the socket for a successor.
            assert await gateway.has_open_files(files + 2)


async def test_what_comes_behind_the_head_waits_for_the_verdict():
    bodies = []

    async def collect(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(collect, "127.0.0.1", 0, limit=1 << 25)
    async with server, AuthService(allows()) as service:
        port = server.sockets[0].getsockname()[1]
        auth = forward(service.url())
        routes = [{"path": "/app", "backend": "app", "http": "pass", "auth": auth, "limits": {"body": 0}},
                  {"path": "/echo", "backend": "echo", "auth": auth}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{port}"]}, "echo": {"builtin": "echo"}}
        async with Gateway(routes=routes, backends=backends) as gateway:
            memory = gateway.memory()
            service.hold()
            body = bytes(range(256)) * (64 << 10)
            async with (
                await raw.Connection.open(gateway.plain) as posting,
                await raw.Connection.open(gateway.plain) as speaking,
            ):
                request = plain("/app", f"Content-Length: {len(body)}", method="POST")
                sending = asyncio.create_task(posting.send(request + body))
                await speaking.send(raw.upgrade("/echo") + raw.frame(raw.TEXT, b"early"))
                await service.asked(2)
                # It is not read meanwhile.
                assert not sending.done() and gateway.memory() - memory < 8 << 20
                service.release()
                got = await posting.response()
                assert (got.status, got.body) == (200, b"taken") and bodies == [body]
                await within(sending)
                assert (await speaking.response()).status == 101
                assert (await speaking.frame()).payload == b"early"


async def test_a_reload_and_a_drain_while_it_is_asked():
    async with AuthService(allows("Remote-User: alice")) as service, AuthService(allows()) as other, WebSocketBackend() as backend:
        routes = [{"path": "/app", "backend": "app", "auth": forward(service.url(), "Remote-User")}]
        async with Gateway(routes=routes, backends={"app": backend.configuration()}) as gateway:
            service.hold()
            waiting = asyncio.create_task(upgrade(gateway, "/app"))
            await service.asked(1)
            await gateway.reload(routes=[{"path": "/app", "backend": "app", "auth": forward(other.url())}])
            assert (await upgrade(gateway, "/app")).status == 101
            service.release()
            assert (await within(waiting)).status == 101
            assert [request.headers.get("Remote-User") for request in backend.requests] == [None, "alice"]
            assert (len(service.questions), len(other.questions)) == (1, 1)
            other.hold()
            waiting = asyncio.create_task(upgrade(gateway, "/app"))
            await other.asked(2)
            gateway.signal(signal.SIGTERM)
            got = await within(waiting)
            assert (got.status, got.body) == (503, b"The gateway is shutting down. Try again soon.\n")
            assert await gateway.exited() == 0
            await until(lambda: other.abandoned == 1)


async def test_limits_come_before_the_service():
    async with AuthService(allows()) as service:
        limits = {"handshakes-per-address": "0.01/s"}
        routes = [{"path": "/app", "backend": "e", "auth": forward(service.url()), "limits": limits, "allow": ["127.0.0.1"]},
                  {"path": "/closed", "backend": "e", "auth": forward(service.url()), "allow": ["192.0.2.1"]},
                  {"path": "/origin", "backend": "e", "auth": forward(service.url())}]
        async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
            assert [(await upgrade(gateway, "/app")).status for _ in range(3)] == [101, 429, 429]
            assert (await upgrade(gateway, "/closed")).status == 403
            assert (await upgrade(gateway, "/origin", "Origin: https://evil.example")).status == 403
            assert len(service.questions) == 1


# Open sessions


async def test_a_session_ends_when_the_service_says_so():
    sessions = dict(ALICE)
    async with AuthService(authelia(sessions)) as service, WebSocketBackend() as backend:
        auth = forward(service.url("/api/authz/forward-auth"), "Remote-User", again="1s")
        async with relay(backend, {"auth": auth}) as gateway:
            fields = {"Cookie": f"authelia_session={COOKIE}"}
            async with client(gateway.wss("/app?a=b"), additional_headers=fields) as socket:
                await service.asked(3)
                await socket.send("still")
                assert await within(socket.recv()) == "still"
                # Each time it is asked the same.
                assert len(set(service.heads)) == 1
                sessions.clear()
                with pytest.raises(ConnectionClosed):
                    await within(socket.recv())
                assert (socket.close_code, socket.close_reason) == (1008, "credential has expired: sign in again")
            assert await backend.closed() == (1001, "client's credential has expired")
            record = await gateway.closed(cause="credential-expired", code="1008", by="gateway", subject="alice")
            assert record["detail"] == "the auth service answered 401"


async def test_a_session_ends_when_the_service_is_gone_for_long():
    async with AuthService(allows("Remote-User: alice")) as service, WebSocketBackend() as backend:
        auth = forward(service.url(), "Remote-User", again="1s")
        async with relay(backend, {"auth": auth}) as gateway:
            async with client(gateway.ws("/app")) as socket:
                started = time.monotonic()
                service.stop()
                with pytest.raises(ConnectionClosed):
                    await within(socket.recv())
                assert 1.8 < time.monotonic() - started < 4
                assert (socket.close_code, socket.close_reason) == (1008, "credential has expired: sign in again")
            record = await gateway.closed(cause="credential-expired", subject="alice")
            assert record["detail"].startswith(f"the auth service http://127.0.0.1:{service.port}: ")


async def test_a_reload_decides_whether_it_is_asked_again_and_where():
    async with AuthService(allows()) as service, AuthService(allows()) as other, WebSocketBackend() as backend:

        def routes(url: str, again: str) -> list[dict]:
            return [{"path": "/app", "backend": "app", "auth": forward(url, again=again)}]

        first = routes(service.url("/a"), "1h")
        async with Gateway(routes=first, backends={"app": backend.configuration()}) as gateway:
            async with client(gateway.ws("/app"), additional_headers={"Cookie": "a=b"}) as socket:
                await gateway.reload(routes=routes(service.url("/a"), "1s"))
                await service.asked(3)
                await gateway.reload(routes=routes(other.url("/b?c"), "1s"))
                asked = (await other.asked(1))[0]
                assert (asked.target, asked["Host"], asked["Cookie"]) == ("/b?c", f"127.0.0.1:{other.port}", "a=b")
                await gateway.reload(routes=[{"path": "/app", "backend": "app"}])
                service.decide = other.decide = lambda question: answer(401)
                await socket.send("still")
                assert await within(socket.recv()) == "still"
            assert (await gateway.event("close"))["cause"] == "client-closed"


async def test_the_sessions_of_a_subject_are_closed():
    def decide(question: Question) -> bytes:
        return answer(200, "Remote-User: " + question["Cookie"], "Remote-Groups: a")

    async with AuthService(decide) as service, WebSocketBackend() as backend:
        auth = forward(service.url(), "Remote-User", "Remote-Groups", again="1s")
        async with relay(backend, {"auth": auth}, workers=2, admin={"address": "127.0.0.1:0"}) as gateway:
            fields = [{"Cookie": name} for name in ("jörg".encode().decode("latin-1"), "bob")]
            async with admin(gateway) as session:
                jörg, bob = [await raw.Connection.upgraded(gateway.plain, "/app", f"Cookie: {f['Cookie']}") for f in fields]
                await gateway.events(2, "open")
                async with session.get("/api/sessions") as response:
                    assert sorted(row["subject"] for row in (await response.json())["sessions"]) == ["bob", "jörg"]
                async with session.post("/api/sessions/close", json={"subject": "jörg"}) as response:
                    assert await response.json() == {"matched": 1, "closed": 1}
                got = await jörg.closing()
                assert (got.code, got.payload[2:]) == (1008, b"credential was revoked")
                await gateway.event("close", cause="credential-revoked", subject="jörg", code="1008")
                await bob.send(raw.frame(raw.TEXT, b"still here"))
                assert (await bob.frame()).payload == b"still here"
                jörg.reset()
                bob.reset()


# What is said of it


async def test_explain_says_what_would_be_asked():
    async with AuthService(allows()) as service, WebSocketBackend() as backend:
        async with relay(backend, {"auth": forward(service.url("/a?secret"), "Remote-User")}) as gateway:
            code, text, errors = await command("explain", "--config", gateway.file, f"wss://chat.example.com/app?x={secret('query')}")
            assert code == 0, errors
            assert f"asks         {service.url('/a')}, about https://chat.example.com/app?*\n" in text
            assert "secret" not in text and "101 Switching Protocols" in text
            assert not service.questions


async def test_check_warns_of_pages_of_others():
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": forward("http://127.0.0.1:1/"), "origins": "any"}) as gateway:
            code, _, errors = await command("check", "--config", gateway.file)
            assert code == 0 and "lets every page use the credential of its visitor" in errors


async def test_no_secret_is_written_anywhere():
    made = {name: secret(name) for name in ("token", "answer", "place", "key")}
    fields = [f"Cookie: session={COOKIE}", f"Authorization: Bearer {made['token']}", HTML]

    def decide(question: Question) -> bytes:
        status = int(question["User-Agent"])
        return answer(status, "Remote-User: alice", f"X-Token: {made['answer']}", f"Set-Cookie: a={COOKIE}",
                      f"Location: /x?{made['place']}", body=made["answer"].encode())

    async with AuthService(decide) as service, WebSocketBackend(process_request=page) as backend:
        auth = forward(service.url(f"/?{made['key']}"), "Remote-User", "X-Token", again="1s")
        log = {"format": "json", "level": "debug", "requests": "all"}
        async with relay(backend, {"http": "pass", "auth": auth}, admin={"address": "127.0.0.1:0"}, log=log) as gateway:
            async with await raw.Connection.upgraded(gateway.plain, "/app", *fields, "User-Agent: 200") as held:
                for status in (200, 302, 401, 403, 404, 500):
                    await get(gateway, "/app/x", *fields, f"User-Agent: {status}")
                    await upgrade(gateway, "/app", *fields, f"User-Agent: {status}")
                await gateway.search()
                service.decide = lambda question: answer(403, body=made["answer"].encode())
                await held.closing()
            await gateway.event("close", cause="credential-expired", subject="alice")


# A browser


LOGIN = """<!doctype html><link rel="icon" href="data:,"><title>sign in</title><h1>Sign in</h1>
<form method="post" action="/login"><input name="user"><input name="rd" type="hidden"><button>Sign in</button></form>
<script>document.forms[0].rd.value = new URLSearchParams(location.search).get("rd")</script>"""

CHAT = """<!doctype html><link rel="icon" href="data:,"><title>chat</title><h1>Chat</h1><pre id="log"></pre><script>
window.log = [];
const note = (what, more) => {
  log.push({ what, ...more });
  document.getElementById("log").textContent += JSON.stringify(log.at(-1)) + "\\n";
};
const socket = new WebSocket("wss://" + location.host + "/chat");
socket.onopen = () => { note("open"); socket.send("hello"); };
socket.onmessage = (event) => note("message", { data: event.data });
socket.onclose = (event) => note("close", { code: event.code, reason: event.reason });
</script>"""


# The stand-in, what it is asked, its cookie, and the field that names the user.
PORTALS = {
    "authelia": (authelia, "/api/authz/forward-auth", "authelia_session", "Remote-User"),
    # It sends nobody anywhere: the route says where one signs in.
    "oauth2-proxy": (lambda sessions, _: oauth2_proxy(sessions), "/oauth2/auth", "_oauth2_proxy", "X-Auth-Request-User"),
    # Its own pages are at a path of the application's host.
    "authentik": (lambda sessions, _: authentik(sessions), "/outpost.goauthentik.io/auth/traefik", "authentik_proxy_x", "X-authentik-username"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", PORTALS)
async def test_a_browser_signs_in_chats_and_is_signed_out(screenshots, name):
    """An application behind a portal: the page is sent there, comes back, and chats until the portal ends its session, or an operator does."""
    make, target, cookie, user = PORTALS[name]
    sessions: dict[str, str] = {}

    async def portal(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET "):
            writer.write(answer(200, "Content-Type: text/html", body=LOGIN.encode()))
        else:
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            form = urllib.parse.parse_qs((await reader.readexactly(length)).decode())
            sessions["of-the-portal"] = form["user"][0]
            # Cookies are of a host, whatever its port.
            writer.write(answer(303, f"Location: {form['rd'][0]}", f"Set-Cookie: {cookie}=of-the-portal; Path=/; HttpOnly"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    where = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, AuthService(make(sessions, where)) as service, WebSocketBackend() as backend, chromium() as browser:
        rules = {"auth": forward(service.url(target), user, again="1s")}
        if name == "oauth2-proxy":
            rules["sign-in"] = where
        own = [{"path": path, "backend": "portal", "http": "pass"} for path in ("/outpost.goauthentik.io/*", "/login")]
        routes = [{"path": "/", "answer": {"text": CHAT, "type": "text/html"}, **rules}, {"path": "/chat", "backend": "app", **rules}]
        backends = {"app": backend.configuration(), "portal": {"websocket": [where.replace("http:", "ws:")]}}
        async with Gateway(routes=own + routes, backends=backends, admin="127.0.0.1:0") as gateway, admin(gateway) as questions:
            page = await new_page(browser, gateway.https("/"))
            signing_in = where if name != "authentik" else gateway.https("/outpost.goauthentik.io/")

            async def sign_in():
                assert page.url.startswith(signing_in) and await page.title() == "sign in"
                await page.fill("input[name=user]", "alice")
                await page.click("button")
                await page.wait_for_url(gateway.https("/"))
                assert await logged(page, "message") == [{"what": "open"}, {"what": "message", "data": "hello"}]
                assert backend.requests[-1].headers[user] == "alice"

            await page.screenshot(path=screenshots / f"{name}-1-sign-in.png")
            await sign_in()
            await page.screenshot(path=screenshots / f"{name}-2-chat.png")
            sessions.clear()
            log = await logged(page, "close")
            assert log[-1] == {"what": "close", "code": 1008, "reason": "credential has expired: sign in again"}
            await page.screenshot(path=screenshots / f"{name}-3-signed-out.png")
            await gateway.closed(cause="credential-expired", subject="alice")
            await page.reload()
            await sign_in()
            async with questions.post("/api/sessions/close", json={"subject": "alice"}) as closed:
                assert await closed.json() == {"matched": 1, "closed": 1}
            log = await logged(page, "close")
            assert log[-1] == {"what": "close", "code": 1008, "reason": "credential was revoked"}
            assert page.problems == []
