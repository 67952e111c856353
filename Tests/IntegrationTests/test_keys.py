"""Keys of tokens that come from an https URL."""

import asyncio
import contextlib
import json
import time

import pytest

import raw
from admin import admin, metrics
from certificates import Authority
from credentials import Key, key_set
from gateway_process import Gateway, command, until, within
from key_server import KeyServer, answer
from peers import client
from test_restart import Successor

ECHO = {"e": {"builtin": "echo"}}
OPEN = {"path": "/open", "backend": "e"}


def gateway(server: KeyServer, *routes: dict, **keys) -> Gateway:
    return Gateway(routes=[{"path": "/app", "backend": "e", "auth": server.auth()}, *routes, OPEN], backends=ECHO, **keys)


async def status(running: Gateway, token: str, path: str = "/app") -> int:
    response = await raw.ask(running.plain, raw.upgrade(path, f"Authorization: Bearer {token}"))
    if response.status == 503:
        assert response.field("Retry-After") == "5"
    return response.status


async def fetches(running: Gateway) -> tuple[float, float]:
    """Those that succeeded, and those that failed."""
    async with admin(running) as session:
        samples = await metrics(session)
        return tuple(samples["gateway_key_fetches_total", ("result", result)] for result in ("fetched", "failed"))


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_keys_are_there_when_the_gateway_serves(name, authority):
    key = Key("ES256")
    async with KeyServer(authority, key, name=name) as server:
        async with gateway(server, admin="127.0.0.1:0") as running:
            assert await status(running, key.token()) == 101
            assert await status(running, Key("ES256").token()) == 401
            fetched = await running.event("keys-fetched")
            assert (fetched["url"], fetched["keys"]) == (server.url, 1)
            assert await fetches(running) == (1, 0)
            assert server.requests[0].startswith(f"GET /keys HTTP/1.1\r\nHost: {name}:{server.port}\r\n")
            # The commands ask nothing.
            code, _, errors = await command("check", "--config", running.file)
            assert (code, errors) == (0, "")
            code, output, _ = await command("explain", "--config", running.file, "ws://127.0.0.1/app", "--token", key.token())
            assert code == 0 and f"not verified here: its keys come from {server.url}" in output
            assert len(server.requests) == 1


async def test_without_keys_tokens_are_503_until_the_url_has_them(authority):
    key = Key("ES256")
    async with KeyServer(authority, key) as server:
        good, server.answer = server.answer, answer("gone", "500 Internal Server Error")
        async with gateway(server) as running:
            failed = await running.event("keys-not-fetched")
            assert (failed["level"], failed["keys"], failed["reason"]) == ("error", 0, "it answered 500")
            assert await status(running, key.token()) == 503
            assert (await running.event("refused"))["reason"] == "Credentials cannot be verified: there are no keys yet."
            server.answer = good
            await running.event("keys-fetched")
            assert await status(running, key.token()) == 101
            # It was asked more often than it was written of.
            assert len(running.log.matching("keys-not-fetched")) == 1



REFUSED = {
    "a redirect": (lambda other: answer("", "302 Found", f"Location: {other}"), "answered 302, and redirects are not followed"),
    "too much": (lambda other: answer('{"keys": [], "x": "' + "x" * (256 << 10) + '"}'), "more than 262144 bytes"),
    "a page": (lambda other: answer("<html>", type="text/html"), "it is called text/html"),
    "garbage": (lambda other: answer("{]"), "is no JWK Set"),
    "no HTTP": (lambda other: b"220 mail.example.com ESMTP\r\n", "malformed answer"),
    "half of it": (lambda other: answer('{"keys": []}')[:-4], "malformed answer"),
    "a secret": (lambda other: answer(key_set(Key("HS256"))), "is a secret, which no URL may give away"),
    "a short key": (lambda other: answer(key_set(Key("RS256", bits=1024))), "has a modulus of 1024 bits"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_answer_that_is_no_key_set_is_refused(name, authority):
    make, reason = REFUSED[name]
    key = Key("ES256")
    async with KeyServer(authority, key) as other, KeyServer(authority, key) as server:
        server.answer = make(other.url)
        async with gateway(server) as running:
            assert reason in (await running.event("keys-not-fetched"))["reason"]
            assert await status(running, key.token()) == 503
        assert not other.requests


@pytest.mark.parametrize("kind", ["another authority", "another name", "no TLS"])
async def test_a_server_that_cannot_prove_its_name_is_not_asked(kind, authority, tmp_path):
    key = Key("ES256")
    server = KeyServer(authority, key)
    match kind:
        case "another authority":
            server.tls = Authority(tmp_path, "Other").issue("127.0.0.1").server_context()
        case "another name":
            server.tls = authority.issue("localhost").server_context()
        case "no TLS":
            server.tls = None
    async with server:
        async with gateway(server) as running:
            assert "TLS" in (await running.event("keys-not-fetched"))["reason"]
            assert await status(running, key.token()) == 503
        assert not server.requests


async def test_a_token_cannot_say_where_its_keys_are(authority):
    key, own = Key("ES256"), Key("ES256", "own")
    async with KeyServer(authority, own) as strange, KeyServer(authority, key) as server:
        async with gateway(server) as running:
            for header in [{"jku": strange.url}, {"x5u": strange.url}, {"jwk": own.public()}]:
                assert await status(running, own.token(header)) == 401
                assert await status(running, own.token({**header, "kid": key.name})) == 401
        assert not strange.requests and len(server.requests) == 1


async def test_a_server_that_hangs_holds_nobody_up(authority):
    key = Key("ES256")
    async with KeyServer(authority, key) as server:
        good, server.answer = server.answer, None
        async with gateway(server) as running:
            async with client(running.ws("/open")) as socket:
                # The question is still open, and sessions go on.
                for number in range(200):
                    await socket.send(str(number))
                    assert await within(socket.recv(), 2) == str(number)
                assert await status(running, key.token()) == 503
                assert not running.log.matching("keys-not-fetched")
                failed = await running.event("keys-not-fetched")
                assert failed["reason"] == "no whole answer within 5s"
                server.answer = good
                await running.event("keys-fetched")
                assert await status(running, key.token()) == 101


async def test_a_reload_keeps_the_keys_and_waits_for_those_of_another_url(authority):
    key, other = Key("ES256"), Key("ES256", "other")
    async with KeyServer(authority, key) as server, KeyServer(authority, other) as second:
        async with gateway(server) as running:
            server.answer = answer("gone", "500 Internal Server Error")
            for number in range(3):
                await running.reload(defaults={"timeouts": {"idle": f"{number + 60}s"}})
                assert await status(running, key.token()) == 101
            assert len(server.requests) == 1
            await running.reload(routes=[{"path": "/app", "backend": "e", "auth": second.auth()}, OPEN])
            assert await status(running, other.token()) == 101
            assert await status(running, key.token()) == 401
            # Nothing of a refused reload stays.
            running.write(routes=[{"path": "/app", "backend": "none", "auth": server.auth()}])
            _, _, errors = await command("check", "--config", running.file)
            assert "none" in errors
            assert await status(running, other.token()) == 101


async def test_a_successor_has_the_keys_before_it_serves(authority):
    key = Key("ES256")
    async with KeyServer(authority, key) as server:
        async with gateway(server, drain={"over": "0s"}) as running:
            statuses = set()

            async def ask():
                while True:
                    with contextlib.suppress(OSError, EOFError):
                        statuses.add(await status(running, key.token()))

            asking = asyncio.create_task(ask())
            async with Successor(running) as successor:
                assert await successor.serves()
                await running.exited()
                asking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asking
                assert await status(running, key.token()) == 101
                assert successor.log.matching("keys-fetched")
            assert statuses == {101} and len(server.requests) == 2


async def test_other_authorities_are_in_force_without_a_reload(authority, tmp_path):
    key = Key("ES256")
    file = tmp_path / "ca.pem"
    (tmp_path / "other").mkdir()
    file.write_bytes(Authority(tmp_path / "other", "Other").file.read_bytes())
    async with KeyServer(authority, key) as server:
        auth = server.auth(tls={"ca": str(file)})
        async with Gateway(routes=[{"path": "/app", "backend": "e", "auth": auth}], backends=ECHO) as running:
            await running.event("keys-not-fetched")
            assert await status(running, key.token()) == 503
            file.write_bytes(authority.file.read_bytes())
            await running.event("credentials-reloaded")
            await running.event("keys-fetched")
            assert await status(running, key.token()) == 101


@pytest.mark.parametrize("verb", ["check", "run"])
async def test_authorities_that_cannot_be_read_are_a_mistake(verb, authority, tmp_path):
    async with KeyServer(authority) as server:
        file = tmp_path / "gateway.conf"
        auth = server.auth(tls={"ca": str(tmp_path / "none.pem")})
        file.write_text(json.dumps({
            "listeners": [{"address": "127.0.0.1:0"}], "backends": ECHO,
            "routes": [{"path": "/app", "backend": "e", "auth": auth}]}))
        code, _, errors = await command(verb, "--config", str(file))
        assert code == 1 and "none.pem: cannot be read: No such file or directory" in errors
        assert not server.requests


@pytest.mark.long
async def test_an_unknown_key_is_fetched_once_in_30_s_and_old_keys_stay(authority):
    """It takes as long as the gateway waits between two fetches."""
    old, new = Key("ES256", "old"), Key("ES256", "new")
    async with KeyServer(authority, old) as server:
        began = time.monotonic()
        async with gateway(server, workers=2) as running:
            server.answer = answer("gone", "500 Internal Server Error")

            # Not one for each request: all tokens of a test are looked for in what the gateway wrote.
            unknown, good = [Key("ES256", f"unknown {number}").token() for number in range(100)], old.token()

            async def flood():
                while True:
                    for token in unknown:
                        assert await status(running, token) == 401

            async with asyncio.TaskGroup() as group:
                floods = [group.create_task(flood()) for _ in range(4)]
                async with asyncio.timeout(60):
                    while len(server.requests) < 2:
                        assert await status(running, good) == 101
                # Only the clock let it ask again, and hundreds of tokens made no difference.
                assert 29 < time.monotonic() - began < 45
                failed = await running.event("keys-not-fetched")
                assert (failed["level"], failed["keys"], failed["reason"]) == ("warning", 1, "it answered 500")
                assert await status(running, old.token()) == 101
                for task in floods:
                    task.cancel()
            assert len(server.requests) == 2
            assert len(running.log.matching("refused", status=401)) > 20
            server.has(new)
            await running.event("keys-fetched", url=server.url)
            await until(lambda: len(running.log.matching("keys-fetched")) == 2)
            assert await status(running, new.token()) == 101
            assert await status(running, old.token()) == 401
