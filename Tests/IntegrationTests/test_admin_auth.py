"""Passwords, TLS and `read-only` at the admin address, and what it says of the configuration."""

import asyncio
import contextlib
import json
import re
import ssl
import time

import aiohttp
import pytest

import confidential
import raw
from admin import Searched, admin_address
from certificates import Authority
from confidential import password, secret
from credentials import DEAR, basic, replace, user
from gateway_process import Gateway, command, insecure

ROUTES = [{"path": "/echo", "backend": "echo"}]
ECHO = {"echo": {"builtin": "echo"}}
LOOPBACK = {"address": "127.0.0.1:0"}


def gateway(tmp_path, *users: str, **keys) -> Gateway:
    """A gateway with users at its admin address. `keys` are of `admin`."""
    file = tmp_path / "users"
    file.write_text("".join(users or (user("alice", "right"),)))
    auth = {"basic": {"file": str(file)}}
    return Gateway(admin={**LOOPBACK, "auth": auth, **keys}, routes=ROUTES, backends=ECHO)


@contextlib.asynccontextmanager
async def session(running: Gateway, name: str | None = None, word: str = "right", *, tls: ssl.SSLContext | None = None):
    """An HTTP client of the admin address that shows a password."""
    auth = aiohttp.BasicAuth(name, password(word)) if name else None
    scheme = "http" if tls is None else "https"
    connector = aiohttp.TCPConnector(ssl=tls) if tls else None
    address = await admin_address(running)
    async with aiohttp.ClientSession(f"{scheme}://{address}", auth=auth, connector=connector, response_class=Searched) as client:
        yield client


async def status(client: aiohttp.ClientSession, method: str, path: str, **options) -> int:
    async with client.request(method, path, **options) as response:
        return response.status


def listed(contents: str) -> list[tuple[str, str]]:
    """What the list says that there is."""
    return re.findall(r"^(GET|POST) +(/\S*)", contents, re.MULTILINE)


# --- Passwords


async def test_probes_need_no_password_and_all_else_does(tmp_path):
    async with gateway(tmp_path) as running, session(running) as unknown, session(running, "alice") as alice:
        for method, path in [("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/readyz"), ("HEAD", "/readyz"), ("OPTIONS", "/")]:
            assert await status(unknown, method, path) == 200
        for method, path in [("GET", "/"), ("GET", "/metrics"), ("GET", "/api/sessions"), ("POST", "/api/drain"), ("GET", "/nowhere")]:
            async with unknown.request(method, path) as response:
                assert response.status == 401, path
                assert response.headers["WWW-Authenticate"] == 'Basic realm="gateway", charset="UTF-8"'
        assert await status(alice, "GET", "/api/sessions") == 200
        assert await status(alice, "GET", "/metrics") == 200
        assert await status(alice, "GET", "/nowhere") == 404


async def test_metrics_can_be_open(tmp_path):
    async with gateway(tmp_path, metrics="open") as running, session(running) as unknown:
        assert await status(unknown, "GET", "/metrics") == 200
        assert await status(unknown, "GET", "/api/sessions") == 401


async def test_curl_shows_a_password(tmp_path):
    async with gateway(tmp_path) as running:
        url = f"http://{await admin_address(running)}/api/sessions"
        for word, code in {"right": "200", "wrong": "401"}.items():
            process = await asyncio.create_subprocess_exec(
                "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--user", f"alice:{password(word)}", url,
                stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            assert output.decode() == code


async def test_a_change_is_logged_with_the_user(tmp_path):
    async with gateway(tmp_path) as running, session(running, "alice") as alice:
        assert await status(alice, "POST", "/api/reload") == 200
        record = await running.event("admin", action="reload")
        assert (record["who"], record["result"]) == ("alice", "done")


async def test_guesses_are_slowed_and_a_known_password_is_not(tmp_path):
    async with gateway(tmp_path) as running, session(running, "alice") as alice, session(running, "alice", "wrong") as guesser:
        assert await status(alice, "GET", "/api/backends") == 200
        for _ in range(10):
            assert await status(guesser, "GET", "/api/backends") == 401
        lines = await running.events(10, "admin-refused")
        assert {(line["client"], line["reason"]) for line in lines} == {("127.0.0.1", "the user or the password is wrong")}
        begin = time.monotonic()
        assert await status(guesser, "GET", "/api/backends") == 401
        assert time.monotonic() - begin >= 1
        # Sixteen of an address may wait; the others hear so at once.
        answers = await asyncio.gather(*(status(guesser, "GET", "/api/backends") for _ in range(30)))
        assert set(answers) == {401, 503} and answers.count(401) >= 16
        begin = time.monotonic()
        assert await status(alice, "GET", "/api/backends") == 200
        assert time.monotonic() - begin < 1


async def test_a_password_that_is_dear_to_hash_holds_nothing_up(tmp_path):
    async with gateway(tmp_path, user("alice", "right", DEAR)) as running, session(running, "alice") as alice:
        async with session(running, "alice", "wrong") as guesser, session(running) as unknown:
            guesses = [asyncio.create_task(status(guesser, "GET", "/api/backends")) for _ in range(4)]
            assert await status(unknown, "GET", "/healthz") == 200
            assert set(await asyncio.gather(*guesses)) == {401}
            assert await status(alice, "GET", "/api/backends") == 200


async def test_other_users_are_noticed(tmp_path):
    async with gateway(tmp_path) as running, session(running, "bob", "new") as bob, session(running, "alice") as alice:
        assert await status(alice, "GET", "/api/backends") == 200
        assert await status(bob, "GET", "/api/backends") == 401
        replace(tmp_path / "users", user("bob", "new"))
        await running.event("credentials-reloaded")
        assert await status(bob, "GET", "/api/backends") == 200
        assert await status(alice, "GET", "/api/backends") == 401


async def test_a_reload_never_takes_the_password_away(tmp_path):
    async with gateway(tmp_path) as running, session(running) as unknown, session(running, "alice") as alice:
        await running.reload(admin="127.0.0.1:0")
        assert await status(unknown, "GET", "/api/backends") == 401
        assert await status(alice, "GET", "/api/backends") == 200
        replace(tmp_path / "users", user("alice", "other"))
        await running.event("credentials-reloaded")
        assert await status(alice, "GET", "/api/backends") == 401
        async with session(running, "alice", "other") as other, other.get("/api/configuration") as response:
            assert (await response.json())["awaiting_start"] == ["admin"]


# --- Web pages


async def test_no_web_page_may_use_the_address(tmp_path):
    async with gateway(tmp_path) as running, session(running, "alice") as alice:
        async with alice.get("/", headers={"Accept": "text/plain"}) as response:
            offers = listed(await response.text())
        posts = [path for method, path in offers if method == "POST"]
        assert "/api/drain" in posts and "/api/explain" in posts
        evil = {"Origin": "https://evil.example"}
        for path in posts:
            assert await status(alice, "POST", path.replace("ID", "00000000000000a1"), headers=evil) == 403, path
        upgrade = {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        for method, path in offers:
            path = path.replace("ID", "00000000000000a1")
            headers = {"Host": "evil.example", "Origin": "http://evil.example"}
            assert await status(alice, method, path, headers=headers) == 421, path
            if method == "GET":
                assert await status(alice, method, path, headers={**upgrade, **evil}) == 403, path
        await running.reload()
        assert not running.log.matching("admin", action="drain")


async def test_a_websocket_needs_the_password_too(tmp_path):
    async with gateway(tmp_path) as running, session(running) as unknown, session(running, "alice") as alice:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await unknown.ws_connect("/api/events")
        assert refused.value.status == 401
        async with alice.ws_connect("/api/events") as socket:
            assert json.loads((await socket.receive()).data)["event"] == "summary"


async def test_a_websocket_works_with_tls_and_read_only(tmp_path):
    keys = {"tls": {"self-signed": ["localhost"]}, "read-only": True}
    async with gateway(tmp_path, **keys) as running, session(running, "alice", tls=insecure()) as alice:
        async with alice.ws_connect("/api/events") as socket:
            assert json.loads((await socket.receive()).data)["event"] == "summary"


# --- read-only


async def test_a_read_only_address_changes_nothing(tmp_path):
    async with gateway(tmp_path, **{"read-only": True}) as running, session(running, "alice") as alice:
        async with alice.get("/", headers={"Accept": "text/plain"}) as response:
            offers = listed(await response.text())
        for method, path in offers:
            if method == "POST" and path != "/api/explain":
                async with alice.post(path.replace("ID", "00000000000000a1"), data=b"{}") as response:
                    assert response.status == 403, path
                    assert "read-only" in (await response.json())["error"]
        assert await status(alice, "GET", "/api/sessions") == 200
        record = await running.event("admin", action="close", target="session=00000000000000a1")
        assert (record["who"], record["count"], record["result"]) == ("alice", 0, "refused: read-only")
        assert await status(alice, "DELETE", "/api/sessions") == 403
        assert await status(alice, "POST", "/api/explain", json={"url": "ws://127.0.0.1:1/echo"}) == 200


# --- TLS


async def test_the_address_speaks_tls_with_new_certificates_when_they_come(tmp_path):
    authority = Authority(tmp_path)
    old, new = authority.issue("127.0.0.1"), authority.issue("127.0.0.1", days=30)
    tls = {"certificates": [old.configuration()]}
    async with gateway(tmp_path, tls=tls) as running, session(running, "alice", tls=authority.client_context()) as alice:
        assert await status(alice, "GET", "/healthz") == 200

        async def expiry() -> int:
            async with alice.get("/api/certificates") as response:
                rows = (await response.json())["certificates"]
            row = next(row for row in rows if row["listener"] == "admin")
            assert (row["names"], row["kind"], row["issuer"]) == (["127.0.0.1"], "ECDSA", "CN=Test Authority")
            return row["expires_in_seconds"]

        assert await expiry() > 50 * 86400
        old.chain.write_bytes(new.chain.read_bytes())
        old.key.write_bytes(new.key.read_bytes())
        await running.event("certificates-reloaded")
        assert await expiry() < 40 * 86400
        # What is shown is the new one.
        host, port = (await admin_address(running)).rsplit(":", 1)
        _, writer = await asyncio.open_connection(host, int(port), ssl=authority.client_context())
        shown = writer.get_extra_info("peercert")["notAfter"]
        assert ssl.cert_time_to_seconds(shown) < time.time() + 40 * 86400
        writer.close()


async def test_plain_text_gets_nothing_where_there_is_tls(tmp_path):
    async with gateway(tmp_path, tls={"self-signed": ["localhost"]}) as running:
        host, port = (await admin_address(running)).rsplit(":", 1)
        async with await raw.Connection.open((host, int(port))) as connection:
            await connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP" not in await connection.end()


async def test_slow_clients_with_tls_do_not_keep_others_out(tmp_path):
    async with gateway(tmp_path, tls={"self-signed": ["localhost"]}) as running, contextlib.AsyncExitStack() as stack:
        host, port = (await admin_address(running)).rsplit(":", 1)
        for _ in range(70):
            await stack.enter_async_context(await raw.Connection.open((host, int(port))))
        async with session(running, tls=insecure()) as unknown:
            assert await status(unknown, "GET", "/healthz") == 200


# --- Commands


async def test_commands_show_a_password(tmp_path):
    async with gateway(tmp_path) as running:
        address = await admin_address(running)
        name, known = "GATEWAY_PASSWORD", {"GATEWAY_PASSWORD": password("right")}
        assert await command("sessions", "--admin", address, "--user", "alice", environment=known) == (0, "no sessions\n", "")
        both = f"alice:{password('right')}"
        assert await command("sessions", "--admin", address, "--user", both) == (0, "no sessions\n", "")
        returned, _, errors = await command("sessions", "--admin", address)
        assert (returned, errors) == (
            1, f"gateway: {address} asks for a password: name the user with --user NAME, and set {name}\n")
        for wrong in ({name: password("wrong")}, {name: ""}):
            returned, _, errors = await command("reload", "--admin", address, "--user", "alice", environment=wrong)
            assert (returned, errors) == (1, f"gateway: {address} refuses the user or the password: check --user and {name}\n")
        returned, _, errors = await command("sessions", "--admin", address, "--user", "alice")
        assert returned == 64 and f"set {name}" in errors


async def test_commands_trust_the_certificates_of_the_configuration_and_no_others(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    authority, other = Authority(tmp_path / "a", "A"), Authority(tmp_path / "b", "B")
    # A name that nobody can connect to: it is the certificate that counts.
    identity, stranger = authority.issue("admin.example"), other.issue("127.0.0.1")
    named = authority.issue("127.0.0.1")
    known = {"GATEWAY_PASSWORD": password("right")}
    tls = {"certificates": [identity.configuration()]}

    async def sessions(*options, environment=known):
        return await command("sessions", "--user", "alice", *options, environment=environment)

    async with gateway(tmp_path, tls=tls) as running:
        address = await admin_address(running)
        admin = {**running.configuration["admin"], "address": address}

        def file(name: str, **changes):
            path = tmp_path / name
            path.write_text(json.dumps({**running.configuration, "admin": {**admin, **changes}}))
            return path

        assert (await sessions("--config", file("same.conf")))[0] == 0
        # Of the same authority, and not the one.
        for certificate in (stranger, named):
            wrong = file("other.conf", tls={"certificates": [certificate.configuration()]})
            returned, _, errors = await sessions("--config", wrong)
            assert returned == 1 and "certificate verify failed" in errors
            assert (await sessions("--config", wrong, "--insecure"))[0] == 0
        returned, _, errors = await sessions("--admin", f"https://{address}", "--ca", authority.file)
        assert returned == 1 and "certificate verify failed" in errors, "the name is another one"
        assert (await sessions("--admin", f"https://{address}", "--insecure"))[0] == 0
        returned, _, errors = await sessions("--admin", address)
        assert returned == 1 and "https://" in errors
        assert (await sessions("--admin", address, "--insecure"))[0] == 64
    async with gateway(tmp_path, tls={"certificates": [named.configuration()]}) as running:
        address = await admin_address(running)
        assert (await sessions("--admin", f"https://{address}", "--ca", authority.file))[0] == 0
        assert (await sessions("--admin", f"https://{address}"))[0] == 1
        assert (await sessions("--admin", f"https://{address}", "--ca", other.file))[0] == 1


# --- The configuration


async def test_check_looks_at_the_files_of_the_address_and_warns(tmp_path):
    expiring = Authority(tmp_path).issue("127.0.0.1", days=3)
    file, users = tmp_path / "gateway.conf", tmp_path / "users"

    async def check(status: int, **admin) -> list[str]:
        file.write_text(json.dumps({"listeners": [{"address": "127.0.0.1:0"}], "admin": {"address": "127.0.0.1:9901", **admin}}))
        returned, _, errors = await command("check", "--config", file)
        assert returned == status, errors
        return errors.splitlines()

    auth = {"basic": {"file": str(users)}}
    assert await check(1, auth=auth) == [f"{file}: admin: {users}: cannot be read: No such file or directory"]
    users.write_text("alice:secret\n")
    lines = await check(1, auth=auth)
    assert len(lines) == 1 and lines[0].startswith(f"{file}: admin: {users}: line 1: the hash of `alice` is ")
    users.write_text(user("alice", "right"))
    assert await check(0, auth=auth) == []
    missing = {"chain": str(tmp_path / "no.pem"), "key": str(tmp_path / "no.key")}
    assert await check(1, tls={"certificates": [missing]}) == [
        f"{file}: admin: cannot read {tmp_path}/no.pem: No such file or directory"
    ]
    lines = await check(0, tls={"certificates": [expiring.configuration()]})
    assert len(lines) == 1 and f"warning: {file}: admin: {expiring.chain} expires in " in lines[0]
    assert len(await check(1, address="192.0.2.1:9901", payloads=True)) > 0
    for keys in ({"payloads": True}, {"address": "192.0.2.1:9901"}, {"address": "192.0.2.1:9901", "auth": auth}):
        lines = await check(0, **keys)
        assert lines[0].startswith(f"warning: {file}:1:"), lines


async def test_the_configuration_in_force_is_shown_without_secrets():
    header, key, query, fallback = secret("header"), secret("cookie key"), secret("query"), secret("default")
    backend = {
        "websocket": ["ws://127.0.0.1:1/x"], "balance": "cookie", "cookie": {"key": key},
        "health": {"check": "http", "path": f"/?key={query}", "headers": {"Authorization": f"Bearer {header}", "X-Key": "${HEADER:-" + fallback + "}"}},
    }
    other = {"websocket": ["${BACKEND}"], "balance": "cookie", "cookie": {"key": "${KEY}"}}
    environment = {"BACKEND": "ws://127.0.0.1:1/hidden", "KEY": key}
    forward = {"forward": {"url": f"http://127.0.0.1:1/check?key={query}"}}
    routes = [{"path": "/a", "backend": "a", "auth": forward}, {"path": "/b", "backend": "b"}]
    configuration = {"routes": routes, "backends": {"a": backend, "b": other}}
    async with Gateway(admin=LOOPBACK, environment=environment, **configuration) as running, session(running) as client:
        async with client.get("/api/configuration") as response:
            shown = await response.json()
        assert shown["file"] == str(running.file)
        assert shown["awaiting_start"] == []
        assert all(part in shown["text"] for part in ("http://127.0.0.1:1/check?*\n", "key: (secret)\n", "- ${BACKEND}\n"))
        assert "hidden" not in shown["text"]
        confidential.check(shown["text"], "the configuration")
        # A reload that is refused changes nothing; another one is in force.
        running.write(routes=[{"path": "no"}])
        async with client.post("/api/reload") as response:
            assert response.status == 422
        async with client.get("/api/configuration") as response:
            assert await response.json() == shown
        running.write(routes=[{"path": "/new", "backend": "a"}])
        async with client.post("/api/reload") as response:
            assert response.status == 200
        async with client.get("/api/configuration") as response:
            later = await response.json()
        assert "- path: /new\n" in later["text"] and later["loaded_at"] > shown["loaded_at"]


# --- Explanations


async def test_explain_uses_the_endpoints_as_they_are(tmp_path):
    # Nothing listens there.
    backend = {"websocket": ["ws://127.0.0.1:1"], "health": {"check": "connect", "interval": "50ms", "timeout": "50ms", "fall": 1}}
    users = tmp_path / "members"
    users.write_text(user("bob", "member"))
    routes = [
        {"path": "/app", "backend": "app"}, {"path": "/members", "backend": "echo", "auth": {"basic": {"file": str(users)}}}, *ROUTES,
    ]
    async with Gateway(admin=LOOPBACK, routes=routes, backends={"app": backend, **ECHO}) as running, session(running) as client:

        async def explain(**body) -> dict:
            async with client.post("/api/explain", json=body) as response:
                assert response.status == 200
                return await response.json()

        url = running.ws("/app")
        await running.event("health")
        answer = await explain(url=url)
        assert (answer["admitted"], answer["status"], answer["route"], answer["backend"]) == (False, 503, "/app", "app")
        down = {"name": "ws://127.0.0.1:1", "state": "down", "checked": True, "reason": "check: Connection refused"}
        assert answer["endpoints"] == [down]
        assert "  endpoint     ws://127.0.0.1:1, down: check: Connection refused" in answer["lines"]
        answer = await explain(url=running.ws("/echo"))
        assert (answer["admitted"], answer["status"], answer["reason"], answer["backend"]) == (True, 101, None, "echo")
        answer = await explain(url=running.ws("/echo"), origin="https://evil.example")
        assert (answer["admitted"], answer["status"]) == (False, 403) and answer["cure"]
        answer = await explain(url=running.ws("/nowhere"))
        assert (answer["status"], answer["route"], answer["backend"]) == (404, None, None)
        assert (await explain(url=running.ws("/members")))["status"] == 401
        # It is no way to guess passwords.
        answers = [
            await explain(url=running.ws("/members"), authorization=basic("bob", word).split(": ")[1]) for word in ("member", "guess")
        ]
        assert answers[0] == answers[1] and answers[0]["status"] == 101
