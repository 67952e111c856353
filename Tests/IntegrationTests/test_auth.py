"""Letting clients in: tokens, passwords, certificates, and what others see of them."""

import asyncio
import contextlib
import json
import pathlib
import re
import signal
import ssl
import time

import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed

import confidential
import raw
from admin import admin
from certificates import Authority
from credentials import BCRYPT, DEAR, SHA512, YESCRYPT, Key, basic, encoded, key_set, replace, user
from gateway_process import Gateway, command, until, within
from peers import WebSocketBackend, client, relay
from test_restart import Successor

PLACES = ["header", "cookie:session", "query:token", "subprotocol"]


def tokens(file, **settings) -> dict:
    return {"jwt": {"keys": str(file), "algorithms": ["ES256", "EdDSA", "HS256"], "audience": "any",
                    "leeway": "0s", "token": PLACES, **settings}}


@pytest.fixture
def keys(tmp_path):
    """A key of each algorithm, and the file with all of them."""
    made = [Key("ES256", "e"), Key("EdDSA", "d"), Key("HS256", "h")]
    file = tmp_path / "keys.json"
    file.write_text(key_set(*made))
    return made, file


def chat(connection, offered) -> str | None:
    """What a backend picks that can do without."""
    return "chat" if "chat" in offered else None


async def status(gateway: Gateway, path: str, *fields: str) -> raw.Response:
    return await raw.ask(gateway.plain, raw.upgrade(path, *fields))


def plain(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *fields, "", ""]).encode()


# Tokens


@pytest.mark.parametrize("index", [0, 1, 2], ids=["ES256", "EdDSA", "HS256"])
async def test_a_token_lets_in_from_each_place(index, keys):
    made, file = keys
    token = made[index].token(sub="alice")
    places = {
        "header": ("/app", [f"Authorization: Bearer {token}"]),
        "cookie": ("/app", [f"Cookie: a=b; session={token}"]),
        "query": (f"/app?a=b&token={token}", []),
        "subprotocol": ("/app", [f"Sec-WebSocket-Protocol: chat, bearer.{token}"]),
    }
    async with WebSocketBackend(select_subprotocol=chat) as backend:
        async with relay(backend, {"auth": tokens(file)}) as gateway:
            for name, (path, fields) in places.items():
                async with await raw.Connection.upgraded(gateway.plain, path, *fields) as socket:
                    await socket.send(raw.frame(raw.TEXT, b"hello"))
                    assert (await socket.frame()).payload == b"hello", name
            opened = await gateway.events(4, "open")
            assert {record["subject"] for record in opened} == {"alice"}
            seen = [request.path for request in backend.requests]
            assert seen == ["/app", "/app", "/app?a=b", "/app"]
            offers = [request.headers.get("Sec-WebSocket-Protocol") for request in backend.requests]
            assert offers == [None, None, None, "chat"]


async def test_without_a_good_token_there_is_no_session(keys):
    made, file = keys
    good = made[0].token()
    other = Key("ES256", "e")
    none = ".".join(["eyJhbGciOiJub25lIn0", good.split(".")[1], ""])
    # The public key of one algorithm as the secret of another.
    confused = Key("HS256", "e")
    confused.key = json.dumps(made[0].public()).encode()
    bad = {
        "no token": None, "garbage": confidential.secret("garbage"), "another key": other.token(), "none": none,
        "confusion": confused.token(), "expired": made[0].token(lasts=-1), "early": made[0].token(nbf=int(time.time()) + 60),
        "cut": good[:-4],
    }
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file)}) as gateway:
            for name, token in bad.items():
                fields = [f"Authorization: Bearer {token}"] if token else []
                answer = await status(gateway, "/app", *fields)
                assert answer.status == 401, name
                assert answer.field("WWW-Authenticate") == "Bearer", name
                assert answer.body in (b"A credential is needed here.\n", b"The credential is not accepted.\n"), name
            refused = await gateway.events(len(bad), "refused")
            assert "expired" in next(r["reason"] for r in refused if "expired" in r["reason"])
            assert not backend.requests


async def test_a_claim_that_is_required_makes_403(keys):
    made, file = keys
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file, require={"scope": "chat"})}) as gateway:
            answer = await status(gateway, "/app", f"Authorization: Bearer {made[0].token(scope='mail')}")
            assert answer.status == 403 and b"scope" not in answer.body
            answer = await status(gateway, "/app", f"Authorization: Bearer {made[0].token(scope='mail chat')}")
            assert answer.status == 101


@pytest.mark.parametrize(
    "offered, answered",
    [
        ("bearer, {token}", "bearer"),
        ("chat, bearer, {token}", "chat"),
        ("other, bearer, {token}", "bearer"),
        ("chat, bearer.{token}", "chat"),
        ("base64url.bearer.authorization.k8s.io.{encoded}, chat", "chat"),
        ("bearer.{token}", 400),
        ("base64url.bearer.authorization.k8s.io.{encoded}", 400),
    ],
)
@pytest.mark.parametrize("kind", ["relay", "echo"])
async def test_a_token_among_subprotocols(offered, answered, kind, keys):
    made, file = keys
    token = made[0].token()
    offered = offered.format(token=token, encoded=encoded(token.encode()))
    async with WebSocketBackend(select_subprotocol=chat) as backend:
        configuration = backend.configuration() if kind == "relay" else {"builtin": "echo"}
        rules = {"auth": tokens(file), **({} if kind == "relay" else {"subprotocols": ["chat"]})}
        async with relay(configuration, rules) as gateway:
            answer = await status(gateway, "/app", f"Sec-WebSocket-Protocol: {offered}")
            if answered == 400:
                assert answer.status == 400 and token.encode() not in answer.body
            else:
                assert answer.status == 101
                assert answer.field("Sec-WebSocket-Protocol") == answered
            for request in backend.requests:
                assert "bearer" not in (request.headers.get("Sec-WebSocket-Protocol") or "").lower()


async def test_a_session_ends_when_its_token_expires(keys):
    made, file = keys
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file)}) as gateway:
            async with client(gateway.ws("/app?token=" + made[1].token(lasts=2))) as socket:
                await socket.send("hello")
                assert await socket.recv() == "hello"
                with pytest.raises(ConnectionClosed):
                    await within(socket.recv())
                assert (socket.close_code, socket.close_reason) == (1008, "credential has expired: sign in again")
            assert await backend.closed() == (1001, "client's credential has expired")
            record = await gateway.closed(cause="credential-expired", code="1008", by="gateway", subject="alice")
            assert 0.9 < record["duration"] < 4


# Keys that change


async def test_other_keys_are_in_force_and_broken_ones_are_not(keys):
    made, file = keys
    later = Key("EdDSA", "later")
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file)}) as gateway:

            async def answer(key: Key) -> int:
                return (await status(gateway, "/app", f"Authorization: Bearer {key.token()}")).status

            assert (await answer(made[0]), await answer(later)) == (101, 401)
            async with client(gateway.ws("/app?token=" + made[0].token())) as socket:
                replace(file, key_set(later))
                started = time.monotonic()
                await gateway.event("credentials-reloaded")
                assert time.monotonic() - started < 2.5
                assert (await answer(made[0]), await answer(later)) == (401, 101)
                # A session stays that its old key let in.
                await socket.send("still")
                assert await within(socket.recv()) == "still"

            replace(file, '{"keys": [')
            refused = await gateway.event("credentials-refused")
            assert str(file) in refused["reason"] and "JWK Set" in refused["reason"]
            assert await answer(later) == 101
            replace(file, key_set(made[0]))
            await gateway.events(2, "credentials-reloaded")
            assert (await answer(made[0]), await answer(later)) == (101, 401)
            assert len(gateway.log.matching("credentials-refused")) == 1


@pytest.mark.parametrize("verb", ["check", "run"])
async def test_broken_files_are_mistakes_with_their_place(verb, tmp_path):
    users, jwks = tmp_path / "users", tmp_path / "keys.json"
    users.write_text("# staff\nalice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n")
    jwks.write_text('{"kty": "oct", "k": "AA"}')
    file = tmp_path / "gateway.conf"
    file.write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1:0"}], "backends": {"e": {"builtin": "echo"}},
        "routes": [
            {"name": "a", "path": "/a", "backend": "e", "auth": {"basic": {"file": str(users)}}},
            {"name": "b", "path": "/b", "backend": "e", "auth": tokens(jwks)},
            {"name": "c", "path": "/c", "backend": "e", "auth": {"basic": {"file": str(tmp_path / "none")}}},
        ]}))
    code, _, errors = await command(verb, "--config", file)
    assert code == 1
    assert f"route a: {users}: line 2: the hash of `alice` is SHA-1 without salt" in errors
    assert f"route b: {jwks}: it is one key and no JWK Set" in errors
    assert f"route c: {tmp_path / 'none'}: cannot be read" in errors


# Passwords


@pytest.mark.parametrize("setting", [BCRYPT, YESCRYPT, SHA512], ids=["bcrypt", "yescrypt", "sha512"])
async def test_a_password_of_each_kind(setting, tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "pässword:1", setting))
    auth = {"basic": {"file": str(users), "realm": "chat", "send": {"X-User": "user"}}}
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": auth}) as gateway:
            for _ in range(2):
                answer = await status(gateway, "/app", basic("ann", "pässword:1"))
                assert answer.status == 101
            for wrong in [basic("ann", "no"), basic("bob", "pässword:1"), "Authorization: Basic !"]:
                answer = await status(gateway, "/app", wrong)
                assert answer.status == 401
                assert answer.field("WWW-Authenticate") == 'Basic realm="chat", charset="UTF-8"'
            assert (await status(gateway, "/app")).status == 401
            assert [request.headers["X-User"] for request in backend.requests] == ["ann", "ann"]
            assert {record["subject"] for record in await gateway.events(2, "open")} == {"ann"}


HTPASSWD = ["htpasswd", "-nb"]
MADE = {
    "htpasswd -B": [*HTPASSWD, "-B", "-C", "4"], "htpasswd -5": [*HTPASSWD, "-5"],
    "mkpasswd": ["mkpasswd"], "mkpasswd -m yescrypt": ["mkpasswd", "-m", "yescrypt"],
    "mkpasswd -m sha512crypt": ["mkpasswd", "-m", "sha512crypt"],
    "mkpasswd -m bcrypt": ["mkpasswd", "-m", "bcrypt", "-R", "5"], "mkpasswd -m bcrypt-a": ["mkpasswd", "-m", "bcrypt-a", "-R", "5"],
}
OTHERS = {
    "htpasswd": ([*HTPASSWD], "is MD5 (`$apr1$`), which is found out fast"),
    "htpasswd -s": ([*HTPASSWD, "-s"], "is SHA-1 without salt, which is found out in no time"),
    "htpasswd -d": ([*HTPASSWD, "-d"], "is DES, of which only eight characters count"),
    "htpasswd -p": ([*HTPASSWD, "-p"], "is of an unknown kind, or no hash"),
    "htpasswd -2": ([*HTPASSWD, "-2"], "is SHA-256 (`$5$`)"),
    "mkpasswd -m md5crypt": (["mkpasswd", "-m", "md5crypt"], "is MD5 (`$1$`), which is found out fast"),
    "mkpasswd -m scrypt": (["mkpasswd", "-m", "scrypt"], "is scrypt (`$7$`)"),
    "mkpasswd -m gost-yescrypt": (["mkpasswd", "-m", "gost-yescrypt"], "is gost-yescrypt (`$gy$`)"),
    "mkpasswd -m sunmd5": (["mkpasswd", "-m", "sunmd5"], "is MD5 (`$md5`), which is found out fast"),
    "mkpasswd -m nt": (["mkpasswd", "-m", "nt"], "is an NT hash, which is found out in no time"),
    "mkpasswd -m bsdicrypt": (["mkpasswd", "-m", "bsdicrypt"], "is of an unknown kind, or no hash"),
}


async def made_by(tool: list[str], name: str, word: str) -> str:
    """A line of the file, as an operator makes it."""
    arguments = [*tool, name, confidential.password(word)] if tool[0] == "htpasswd" else [*tool, confidential.password(word)]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    output, _ = await within(process.communicate())
    assert process.returncode == 0
    # htpasswd writes an empty line behind it.
    return output.decode() if tool[0] == "htpasswd" else f"{name}:{output.decode()}"


@pytest.mark.parametrize("name", MADE)
async def test_passwords_that_debians_tools_made(name, tmp_path):
    users = tmp_path / "users"
    users.write_text("# of Debian's tools\n" + await made_by(MADE[name], "ann", "pass:word 1") + await made_by(MADE[name], "bob", "other"))
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": {"basic": {"file": str(users)}}}) as gateway:
            assert (await status(gateway, "/app", basic("ann", "pass:word 1"))).status == 101
            assert (await status(gateway, "/app", basic("bob", "pass:word 1"))).status == 401
            assert (await status(gateway, "/app", basic("bob", "other"))).status == 101


@pytest.mark.parametrize("name", OTHERS)
async def test_passwords_of_other_kinds_are_refused_with_a_cure(name, tmp_path):
    tool, kind = OTHERS[name]
    users, file = tmp_path / "users", tmp_path / "gateway.conf"
    line = await made_by(tool, "ann", "sesame open")
    users.write_text(line)
    file.write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1:0"}], "backends": {"e": {"builtin": "echo"}},
        "routes": [{"name": "r", "path": "/app", "backend": "e", "auth": {"basic": {"file": str(users)}}}]}))
    code, _, errors = await command("check", "--config", str(file))
    cure = "make one of bcrypt, yescrypt or sha512, such as with `htpasswd -B`"
    assert code == 1 and f"route r: {users}: line 1: the hash of `ann` {kind}: {cure}\n" in errors
    # The hash is not shown.
    assert line.strip().split(":", 1)[1] not in errors


async def test_users_that_change_are_in_force(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "one"))
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": {"basic": {"file": str(users)}}}) as gateway:
            assert (await status(gateway, "/app", basic("ann", "one"))).status == 101
            replace(users, user("ann", "two"))
            await gateway.event("credentials-reloaded")
            # It is remembered, and still it is not right any more.
            assert (await status(gateway, "/app", basic("ann", "one"))).status == 401
            assert (await status(gateway, "/app", basic("ann", "two"))).status == 101


async def test_guessing_delays_nobody_else(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right", DEAR))
    routes = [{"path": "/app", "backend": "e", "auth": {"basic": {"file": str(users)}}},
              {"path": "/open", "backend": "e"}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
        assert (await status(gateway, "/app", basic("ann", "right"))).status == 101
        async with client(gateway.ws("/open")) as good:

            async def guess(number: int) -> tuple[int, str | None]:
                answer = await status(gateway, "/app", basic("ann", f"guess {number}"))
                return answer.status, answer.field("Retry-After")

            guesses = [asyncio.create_task(guess(number)) for number in range(40)]
            slowest = 0.0
            while not all(task.done() for task in guesses):
                started = time.monotonic()
                await good.send("x")
                await within(good.recv())
                slowest = max(slowest, time.monotonic() - started)
                # The one that is remembered needs no hash.
                started = time.monotonic()
                assert (await status(gateway, "/app", basic("ann", "right"))).status == 101
                slowest = max(slowest, time.monotonic() - started)
            results = [task.result() for task in guesses]
            assert {status for status, _ in results} == {401, 429}
            # Four of one address may wait at a time.
            assert all(after == "1" for status, after in results if status == 429)
            assert sum(status == 401 for status, _ in results) >= 4
            assert slowest < 1.0
            # And what hashes is less urgent than what relays.
            threads = list(pathlib.Path(f"/proc/{gateway.process.pid}/task").iterdir())
            niceness = {(thread / "comm").read_text().strip(): int((thread / "stat").read_text().rsplit(")", 1)[1].split()[16])
                        for thread in threads}
            assert niceness["gateway-hash"] == niceness["gateway-0"] + 5


async def test_after_many_wrong_passwords_an_address_waits(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right") + user("bob", "also right"))
    routes = [{"path": "/app", "backend": "e", "auth": {"basic": {"file": str(users)}}}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
        for number in range(10):
            assert (await status(gateway, "/app", basic("ann", f"{number}"))).status == 401
        started = time.monotonic()
        assert (await status(gateway, "/app", basic("bob", "also right"))).status == 101
        assert time.monotonic() - started >= 1
        started = time.monotonic()
        assert (await status(gateway, "/app", basic("bob", "also right"))).status == 101
        assert time.monotonic() - started < 1


async def test_a_client_that_leaves_while_its_password_is_hashed_leaves_nothing(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right", DEAR))
    routes = [{"path": "/app", "backend": "e", "auth": {"basic": {"file": str(users)}}}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}, log={"format": "json", "level": "debug"}) as gateway:
        files = gateway.open_files()
        sockets = [await raw.Connection.open(gateway.plain) for _ in range(4)]
        for number, socket in enumerate(sockets):
            await socket.send(raw.upgrade("/app", basic("ann", f"{number}")))
        await until(lambda: gateway.open_files() >= files + 4)
        for socket in sockets:
            socket.reset()
        await gateway.events(4, "abandoned")
        # Their places are free again.
        await until(lambda: _is_let_in(gateway))


async def _is_let_in(gateway: Gateway) -> bool:
    return (await status(gateway, "/app", basic("ann", "right"))).status == 101


async def test_what_comes_behind_the_head_waits_for_the_password(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right", DEAR))
    bodies = []

    async def collect(request):
        bodies.append(await request.read())
        return web.Response(text="taken")

    application = web.Application(client_max_size=64 << 20)
    application.router.add_post("/app", collect)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    try:
        auth = {"basic": {"file": str(users)}}
        routes = [{"path": "/app", "backend": "app", "http": "pass", "auth": auth},
                  {"path": "/echo", "backend": "echo", "auth": auth}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{port}"]}, "echo": {"builtin": "echo"}}
        body = bytes(range(256)) * 2000
        async with Gateway(routes=routes, backends=backends) as gateway:
            request = plain("/app", basic("ann", "right"), f"Content-Length: {len(body)}", method="POST")
            answer = await raw.ask(gateway.plain, request + body)
            assert (answer.status, answer.body) == (200, b"taken") and bodies == [body]
        async with Gateway(routes=routes, backends=backends) as gateway:
            async with await raw.Connection.open(gateway.plain) as socket:
                await socket.send(raw.upgrade("/echo", basic("ann", "right")) + raw.frame(raw.TEXT, b"early"))
                assert (await socket.response()).status == 101
                assert (await socket.frame()).payload == b"early"
            async with await raw.Connection.open(gateway.plain) as socket:
                await socket.send(plain("/app", basic("ann", "wrong"), "Content-Length: 10", method="POST") + b"0123456789")
                assert (await socket.response()).status == 401
    finally:
        await runner.cleanup()


async def test_keys_that_are_left_out_are_told_of(keys, tmp_path):
    made, _ = keys
    file = tmp_path / "some.json"
    broken = {"kty": "EC", "crv": "P-256", "kid": "short", "x": "AA", "y": "AA"}
    file.write_text(json.dumps({"keys": [made[0].public(), broken]}))
    routes = [{"name": "r", "path": "/app", "backend": "e", "auth": tokens(file)}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}) as gateway:
        warning = await gateway.event("credentials-incomplete")
        assert f"route r: {file}: key 2 (kid short) is left out" in warning["reason"]
        code, _, errors = await command("check", "--config", gateway.file)
        assert code == 0 and f"route r: {file}: key 2 (kid short) is left out" in errors


# Certificates


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_certificate_lets_in_by_its_names(version, authority, tmp_path):
    server = authority.issue("127.0.0.1")
    tls = {"certificates": [server.configuration()], "client-ca": str(authority.file), "client-auth": "optional"}
    auth = {"certificate": {"names": ["device-1.example.com", "*.fleet.example.com"],
                            "send": {"X-Client": "name", "X-Subject": "subject"}}}
    named = authority.issue("7.fleet.example.com", client=True)
    other = authority.issue("laptop.example.com", client=True)
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": auth}, listeners=[{"address": "127.0.0.1:0", "tls": tls}]) as gateway:

            async def answer(identity, *fields: str) -> raw.Response:
                context = authority.client_context(identity)
                context.minimum_version = context.maximum_version = version
                return await raw.ask(gateway.secure, raw.upgrade("/app", *fields), ssl=context)

            assert (await answer(named, "X-Client: forged", "x_client: forged")).status == 101
            request = backend.requests[0]
            assert request.headers.get_all("X-Client") == ["7.fleet.example.com"]
            assert request.headers["X-Subject"] == "CN=7.fleet.example.com"
            assert "forged" not in str(request.headers)
            assert (await answer(other)).status == 403
            assert (await answer(None)).status == 403
            assert len(backend.requests) == 1
            assert (await gateway.event("open"))["subject"] == "7.fleet.example.com"


async def test_a_certificate_of_a_stranger_is_refused_by_tls(authority, tmp_path):
    server = authority.issue("127.0.0.1")
    tls = {"certificates": [server.configuration()], "client-ca": str(authority.file), "client-auth": "optional"}
    stranger = Authority(tmp_path, "Stranger").issue("mallory", client=True)
    routes = [{"path": "/app", "backend": "e", "auth": {"certificate": {}}}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}},
                       listeners=[{"address": "127.0.0.1:0", "tls": tls}]) as gateway:
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await raw.ask(gateway.secure, raw.upgrade("/app"), ssl=authority.client_context(stranger))
        alice = authority.client_context(authority.issue("alice", client=True))
        assert (await raw.ask(gateway.secure, raw.upgrade("/app"), ssl=alice)).status == 101


# What a credential gives


async def test_only_the_credential_says_who_a_client_is(keys):
    made, file = keys
    auth = tokens(file, send={"X-User": "sub", "X-Groups": "groups"})
    token = made[0].token(sub="älice", groups=["a", "b"])
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": auth}) as gateway:
            forged = ["X-User: root", "x_user: root", "X.User: root", "X-Groups: root", "X-Other: kept"]
            assert (await status(gateway, "/app", f"Authorization: Bearer {token}", *forged)).status == 101
            headers = backend.requests[0].headers
            assert "root" not in str(headers) and headers["X-Other"] == "kept"
            assert headers.get_all("X-Groups") == ["a,b"]
            assert headers["X-User"].encode("latin-1").decode() == "älice"
            # A token that says nothing of groups sends no field, and the client's own does not take its place.
            token = made[0].token(sub="bob")
            assert (await status(gateway, "/app", f"Authorization: Bearer {token}", *forged)).status == 101
            assert "X-Groups" not in backend.requests[1].headers


async def test_plain_requests_and_files(keys, tmp_path):
    made, file = keys
    token = made[2].token(sub="alice")
    seen = []

    async def answer(connection, request):
        seen.append(request)
        return connection.respond(200, "from the backend\n")

    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "index.html").write_text("a page")
    auth = tokens(file, send={"X-User": "sub"})
    async with WebSocketBackend(process_request=answer) as backend:
        routes = [
            {"path": "/files/*", "files": str(folder), "auth": auth, "sign-in": "https://login.example.com/start?a=b"},
            {"path": "/answer", "answer": {"text": "hello"}, "auth": auth},
            {"path": "/*", "backend": "app", "http": "pass", "auth": auth},
        ]
        async with Gateway(routes=routes, backends={"app": backend.configuration()}) as gateway:
            for path in ["/files/", "/answer", "/x"]:
                answer = await raw.ask(gateway.plain, plain(path, "Accept: application/json"))
                assert (answer.status, answer.field("WWW-Authenticate")) == (401, "Bearer"), path
                answer = await raw.ask(gateway.plain, plain(path, f"Authorization: Bearer {token}", "x_user: root"))
                assert answer.status == 200, path
                # No cache may give it to others.
                expected = {"/files/": "private", "/answer": "no-store", "/x": None}[path]
                assert answer.field("Cache-Control") == expected, path
            assert len(seen) == 1
            assert seen[0].headers.get_all("X-User") == ["alice"] and "root" not in str(seen[0].headers)

            # A browser goes where it can sign in, and back from there; others do not.
            answer = await raw.ask(gateway.plain, plain("/files/?q=1&token=", "Accept: text/html"))
            assert answer.status == 302
            assert answer.field("Location") == (
                "https://login.example.com/start?a=b&rd=http%3A%2F%2F127.0.0.1%2Ffiles%2F%3Fq%3D1")
            expired = made[2].token(lasts=-1)
            answer = await raw.ask(gateway.plain, plain(f"/files/?token={expired}", "Accept: text/html"))
            assert answer.status == 302 and expired not in answer.field("Location")
            async with await raw.Connection.open(gateway.plain) as socket:
                await socket.send(plain("/files/", "Accept: text/html", method="HEAD"))
                assert (await socket.head())[0] == "HTTP/1.1 401 Unauthorized"


async def test_one_connection_carries_refused_and_good_requests(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right"))
    routes = [{"path": "/answer", "answer": {"text": "hello"}, "auth": {"basic": {"file": str(users)}}}]
    async with Gateway(routes=routes, backends={}) as gateway:
        async with await raw.Connection.open(gateway.plain) as socket:
            request = "GET /answer HTTP/1.1\r\nHost: a\r\n{}\r\n"
            lines = ["", basic("ann", "wrong") + "\r\n", basic("ann", "right") + "\r\n", ""]
            # All at once: the answers come in their order.
            await socket.send("".join(request.format(line) for line in lines).encode())
            assert [(await socket.response()).status for _ in lines] == [401, 401, 200, 401]


# Rooms


async def test_members_that_may_only_listen(keys):
    routes = [{"path": "/news", "backend": "rooms", "listen-only": True}]
    async with Gateway(routes=routes, backends={"rooms": {"builtin": "broadcast"}}) as gateway:
        async with client(gateway.ws("/news")) as listener:
            for compression in [None, "deflate"]:
                async with client(gateway.ws("/news"), compression=compression) as speaker:
                    await speaker.send(["in ", "pieces"])
                    with pytest.raises(ConnectionClosed):
                        await within(speaker.recv())
                    assert (speaker.close_code, speaker.close_reason) == (1008, "only listening is allowed here")
            await gateway.events(2, "close", cause="policy", by="client", code="1008")
            pong = await listener.ping()
            await within(pong)
            with pytest.raises(TimeoutError):
                await within(listener.recv(), 0)


# Operators


async def test_the_sessions_of_a_subject_are_closed(keys):
    made, file = keys
    async with WebSocketBackend() as backend:
        keyed = {"auth": tokens(file)}
        async with relay(backend, keyed, workers=2, admin={"address": "127.0.0.1:0"}) as gateway:
            async with (
                client(gateway.ws("/app?token=" + made[0].token(sub="alice"))) as one,
                client(gateway.ws("/app?token=" + made[1].token(sub="alice"))) as two,
                client(gateway.ws("/app?token=" + made[2].token(sub="bob"))) as other,
                admin(gateway) as session,
            ):
                await gateway.events(3, "open")
                async with session.get("/api/sessions") as response:
                    rows = (await response.json())["sessions"]
                assert sorted(row["subject"] for row in rows) == ["alice", "alice", "bob"]

                async def close(query: str, **body) -> tuple[int, dict]:
                    async with session.post(f"/api/sessions/close{query}", json=body) as response:
                        return response.status, await response.json()

                assert await close("?dry-run=true", subject="alice") == (200, {"matched": 2, "closed": 0})
                assert await close("", subject="alice") == (200, {"matched": 2, "closed": 2})
                for socket in (one, two):
                    with pytest.raises(ConnectionClosed):
                        await within(socket.recv())
                    assert (socket.close_code, socket.close_reason) == (1008, "credential was revoked")
                await gateway.events(2, "close", cause="credential-revoked", subject="alice", code="1008")
                await other.send("still here")
                assert await within(other.recv()) == "still here"
                assert (await close("", subject="carol"))[1] == {"matched": 0, "closed": 0}
                assert (await close("", subjet="alice"))[0] == 400


async def test_a_subject_is_kept_out_for_a_while_also_after_a_takeover(keys):
    made, file = keys
    rules = {"auth": tokens(file), "http": "pass"}
    async with WebSocketBackend() as backend:
        # Twice: the first is kept out for longer than the test takes, the second is not.
        async with relay(backend, rules, workers=2, admin={"address": "127.0.0.1:0"}, drain={"over": "0s"}) as gateway:

            async def answer(subject: str) -> int:
                return (await status(gateway, "/app", f"Authorization: Bearer {made[0].token(sub=subject)}")).status

            async def order(query: str = "", **body) -> tuple[int, dict]:
                async with admin(gateway) as session:
                    async with session.post(f"/api/sessions/close{query}", json=body) as response:
                        return response.status, await response.json()

            async with client(gateway.ws("/app?token=" + made[0].token(sub="alice"))) as socket:
                await gateway.event("open")
                assert await order("?dry-run=true", **{"subject": "alice", "for": "10m"}) == (200, {"matched": 1, "closed": 0})
                assert await answer("alice") == 101
                assert (await order(**{"subject": "alice", "for": "10m"}))[0] == 200
                with pytest.raises(ConnectionClosed):
                    await within(socket.recv())
            assert await answer("alice") == 403
            plain_answer = await raw.ask(gateway.plain, plain("/app", f"Authorization: Bearer {made[0].token(sub='alice')}"))
            assert plain_answer.status == 403
            assert (await gateway.event("refused", status=403))["reason"] == (
                "The credential does not allow this: its subject is kept out for a while.")
            assert await answer("Alice") == await answer("bob") == 101
            assert (await order(**{"subject": "bob", "for": "1s"}))[0] == 200
            assert await answer("bob") == 403
            while await answer("bob") != 101:
                pass
            # Closing alone keeps nobody out.
            assert (await order(subject="carol"))[0] == 200
            assert await answer("carol") == 101
            async with Successor(gateway) as successor:
                assert await successor.serves()
                await gateway.exited()
                for _ in range(10):
                    assert await answer("alice") == 403
                assert await answer("bob") == 101


async def test_the_table_says_of_whom_sessions_are(keys):
    made, file = keys
    # A terminal shows no character that would do something to it.
    subjects = ["alice", "alice", "b&ob=\u00e9 \x1b[2J", "a" * 600]
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file)}, workers=2, admin={"address": "127.0.0.1:0"}) as gateway:
            async with contextlib.AsyncExitStack() as stack:
                for subject in subjects:
                    url = gateway.ws("/app?token=" + made[0].token(sub=subject))
                    await stack.enter_async_context(client(url))
                session = await stack.enter_async_context(admin(gateway))

                async def found(**query) -> list[str]:
                    async with session.get("/api/sessions", params=query) as response:
                        assert response.status == 200
                        return sorted(row["subject"] for row in (await response.json())["sessions"])

                shown = [subject[:510] for subject in subjects[:3]] + ["a" * 512 + "\u2026"]
                assert [text[:500] for text in await found()] == [text[:500] for text in sorted(shown)]
                assert await found(subject="alice") == ["alice", "alice"]
                assert await found(subject=subjects[2]) == [subjects[2]]
                # It is compared as a whole, although it is shown cut.
                assert len(await found(subject=subjects[3])) == 1
                assert await found(subject="a" * 512) == await found(subject="carol") == []

                async def table(*arguments: str) -> list[str]:
                    code, output, errors = await command("sessions", "--admin", (await gateway.event("admin"))["address"], *arguments)
                    assert (code, errors) == (0, "") and "\x1b" not in output
                    return output.splitlines()

                title, *lines = await table()
                assert "SUBJECT" in title.split() and len(lines) == 4
                assert any("b&ob=\u00e9 \\u{1b}[2J" in line for line in lines)
                assert len(await table("--subject", subjects[2])) == len(await table("--subject", "alice")) - 1 == 2
                assert await table("--subject", "carol") == ["no sessions"]


async def test_explain_says_why(keys):
    made, file = keys
    async with WebSocketBackend() as backend:
        async with relay(backend, {"auth": tokens(file, require={"scope": "chat"})}) as gateway:

            async def explain(url: str, *arguments: str) -> tuple[int, str]:
                code, output, errors = await command("explain", "--config", gateway.file, url, *arguments)
                return code, output + errors

            url = "ws://127.0.0.1/app"
            code, text = await explain(url)
            assert code == 1 and "401 Unauthorized: A credential is needed here." in text and "--token" in text
            good = made[0].token(scope="chat")
            code, text = await explain(url, "--token", good)
            assert code == 0 and "good, of alice" in text
            code, text = await explain(f"{url}?token={good}&a=b")
            assert code == 0 and "/app?*\n" in text
            code, text = await explain(url, "--token", made[0].token(lasts=-60))
            assert code == 1 and re.search(r"is not accepted: the token has expired 6\d s ago", text)
            code, text = await explain(url, "--token", made[0].token())
            assert code == 1 and "403 Forbidden" in text and "scope" in text
            code, text = await explain(url, "--header", f"Cookie: session={made[0].token(scope='chat')}")
            assert code == 0


async def test_no_secret_is_written_anywhere(keys, tmp_path):
    made, file = keys
    users = tmp_path / "users"
    users.write_text(user("ann", "right"))
    auth = [tokens(file), {"basic": {"file": str(users)}}]
    good, bad, expired = made[0].token(), Key("ES256", "e").token(), made[0].token(lasts=-60)
    async with WebSocketBackend(select_subprotocol=chat) as backend:
        rules = {"auth": auth, "http": "pass"}
        log = {"format": "json", "level": "debug", "requests": "all"}
        async with relay(backend, rules, admin={"address": "127.0.0.1:0"}, log=log) as gateway:
            held = [await raw.Connection.upgraded(gateway.plain, f"/app?token={good}"),
                    await raw.Connection.upgraded(gateway.plain, "/app", f"Sec-WebSocket-Protocol: bearer, {good}"),
                    await raw.Connection.upgraded(gateway.plain, "/app", f"Sec-WebSocket-Protocol: chat, bearer.{good}"),
                    await raw.Connection.upgraded(gateway.plain, "/app", basic("ann", "right"))]
            written = ""
            for token in (bad, expired):
                for path, fields in [(f"/app?token={token}", []), ("/app", [f"Authorization: Bearer {token}"]),
                                     ("/app", [f"Sec-WebSocket-Protocol: chat, bearer.{token}"]),
                                     ("/app", [f"Sec-WebSocket-Protocol: bearer.{token}"]),
                                     (f"/nowhere?token={token}", []),
                                     (f"/app?token={token}", ["Origin: https://evil.example"])]:
                    written += repr(await status(gateway, path, *fields))
                written += repr(await raw.ask(gateway.plain, plain(f"/app/x?token={token}")))
                _, output, errors = await command("explain", "--config", gateway.file, f"ws://127.0.0.1/app?token={token}")
                written += output + errors
            written += repr(await status(gateway, "/app", basic("ann", "wrong")))
            await raw.ask(gateway.plain, plain(f"/app/x?token={good}"))
            await gateway.search()
            for socket in held:
                socket.writer.transport.abort()
            await gateway.events(4, "close")
            # Not of the log alone, which is searched in the end: of every answer, too.
            confidential.check(written, "an answer")
            confidential.check_queries(written, "an answer")
            assert "alice" in "".join(gateway.log.lines) and "ann" in "".join(gateway.log.lines)
            for request in backend.requests:
                assert good not in request.path and good not in str(request.headers.get("Sec-WebSocket-Protocol"))


async def test_a_reload_puts_rules_and_files_in_force_together(keys, tmp_path):
    made, file = keys
    async with WebSocketBackend() as backend:
        async with relay(backend) as gateway:
            assert (await status(gateway, "/app")).status == 101
            route = {"path": "/app", "backend": "app", "auth": tokens(file)}
            await gateway.reload(routes=[route])
            assert (await status(gateway, "/app")).status == 401
            assert (await status(gateway, "/app", f"Authorization: Bearer {made[0].token()}")).status == 101
            # What is broken refuses the reload as a whole.
            file.write_text("{")
            gateway.write(routes=[{**route, "path": "/*"}])
            gateway.signal(signal.SIGHUP)
            refused = await gateway.event("reload-refused")
            assert str(file) in refused["reason"]
            assert (await status(gateway, "/app", f"Authorization: Bearer {made[0].token()}")).status == 101


async def test_a_drain_does_not_wait_for_passwords(tmp_path):
    users = tmp_path / "users"
    users.write_text(user("ann", "right"))
    routes = [{"path": "/app", "backend": "e", "auth": {"basic": {"file": str(users)}}}]
    async with Gateway(routes=routes, backends={"e": {"builtin": "echo"}}, drain={"over": "10s"}) as gateway:
        for number in range(10):
            await status(gateway, "/app", basic("ann", f"{number}"))
        async with await raw.Connection.open(gateway.plain) as socket:
            # From now on it pauses for a second, so that the signal comes first.
            await socket.send(raw.upgrade("/app", basic("ann", "right")))
            gateway.signal(signal.SIGTERM)
            answer = await socket.response()
            assert (answer.status, answer.field("Retry-After")) == (503, "5")
