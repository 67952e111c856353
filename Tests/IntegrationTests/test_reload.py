"""Another configuration while sessions go on: which stay, which are closed, and what is refused."""

import asyncio
import contextlib
import signal
import socket
import ssl

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from certificates import Authority
from gateway_process import Gateway
from peers import TCPBackend, WebSocketBackend, client

ECHO = {"path": "/echo", "backend": "echo"}
OTHER = {"path": "/other", "backend": "echo"}
APP = {"name": "app", "path": "/app", "backend": "app"}
RAW = {"path": "/raw", "backend": "raw"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def lives(connection) -> bool:
    await connection.send("still there?")
    return await connection.recv() in ("still there?", b"still there?")


async def closed_with(connection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await connection.recv()
    return closed.value.rcvd.code


async def test_a_change_of_another_route_closes_no_session():
    async with contextlib.AsyncExitStack() as stack:
        app, raw = await stack.enter_async_context(WebSocketBackend()), await stack.enter_async_context(TCPBackend())
        backends = {"echo": {"builtin": "echo"}, "app": app.configuration(), "raw": raw.configuration()}
        running = await stack.enter_async_context(Gateway(routes=[ECHO, APP, RAW, OTHER], backends=backends, workers=2))
        urls = [url(route["path"]) for url in (running.ws, running.wss) for route in (ECHO, APP, RAW)] * 5
        sessions = [await stack.enter_async_context(client(url)) for url in urls]
        await running.events(len(urls), "open")
        changes = [
            [ECHO, APP, RAW],
            [{**OTHER, "path": "/before"}, ECHO, APP, RAW],
            [ECHO, {**APP, "limits": {"message": "2MiB"}, "timeouts": {"connect": "1s"}}, RAW],
        ]
        for routes in changes:
            record = await running.reload(routes=routes)
            assert (record["closing"], record["kept"]) == (0, len(urls))
            for session in sessions:
                assert await lives(session)
        assert running.log.matching("close") == []


async def test_sessions_of_a_route_that_is_gone_are_closed_with_1012_and_no_others():
    async with WebSocketBackend() as app, contextlib.AsyncExitStack() as stack:
        backends = {"echo": {"builtin": "echo"}, "app": app.configuration()}
        running = await stack.enter_async_context(Gateway(routes=[ECHO, APP, OTHER], backends=backends, workers=2))
        gone = [await stack.enter_async_context(client(running.ws("/app"))) for _ in range(6)]
        kept = [await stack.enter_async_context(client(running.ws("/echo"))) for _ in range(6)]
        await running.events(12, "open")
        record = await running.reload(routes=[ECHO, OTHER])
        assert (record["closing"], record["kept"]) == (6, 6)
        assert (await running.event("reload-closes", sessions=6))["reason"] == "the route app is gone"
        assert {await closed_with(session) for session in gone} == {1012}
        for _ in gone:
            assert (await app.closed())[0] == 1001
        await running.events(6, "close", cause="reload", code=1012, by="gateway", route="app")
        for session in kept:
            assert await lives(session)
        with pytest.raises(InvalidStatus) as refused:
            async with client(running.ws("/app")):
                pass
        assert refused.value.response.status_code == 404


async def test_only_sessions_of_an_endpoint_that_is_gone_are_closed():
    async with WebSocketBackend() as first, WebSocketBackend() as second, contextlib.AsyncExitStack() as stack:
        both = {"app": {"websocket": [f"ws://127.0.0.1:{server.port}" for server in (first, second)]}}
        running = await stack.enter_async_context(Gateway(routes=[APP], backends=both))
        for _ in range(4):
            await stack.enter_async_context(client(running.ws("/app")))
        await running.events(4, "open")
        assert (len(first.connections), len(second.connections)) == (2, 2)
        record = await running.reload(backends={"app": {"websocket": [f"ws://127.0.0.1:{second.port}"]}})
        assert (record["closing"], record["kept"]) == (2, 2)
        for _ in range(2):
            assert (await first.closed())[0] == 1001
        async with client(running.ws("/app")) as session:
            assert await lives(session)
        assert len(second.connections) == 3


@pytest.mark.parametrize(
    ("change", "closing"),
    [
        ({"origins": ["https://a.example"]}, 1),
        ({"origins": ["https://a.example", "https://b.example"]}, 0),
        ({"origins": "any"}, 0),
        ({"require-origin": True}, 0),
        ({"path": "/app2"}, 2),
        ({"backend": "echo"}, 2),
        ({"subprotocols": ["chat"]}, 0),
        ({"subprotocols": ["chat"], "require-subprotocol": True}, 2),
    ],
    ids=str,
)
async def test_rules_that_would_turn_a_session_away_close_it(change, closing):
    async with WebSocketBackend() as app, contextlib.AsyncExitStack() as stack:
        route = {**APP, "origins": ["https://a.example", "https://b.example", "https://c.example"]}
        backends = {"echo": {"builtin": "echo"}, "app": app.configuration()}
        running = await stack.enter_async_context(Gateway(routes=[route], backends=backends))
        for origin in ("https://a.example", "https://b.example"):
            await stack.enter_async_context(client(running.ws("/app"), origin=origin))
        await running.events(2, "open")
        record = await running.reload(routes=[{**route, **change}])
        assert (record["closing"], record["kept"]) == (closing, 2 - closing)


@pytest.mark.parametrize(
    ("change", "closing"),
    [({"subprotocols": ["chat.v1"]}, 1), ({"subprotocols": ["bearer", "chat.v1"]}, 1), ({"origins": "any"}, 0)],
    ids=str,
)
async def test_a_hidden_subprotocol_is_in_no_list(change, closing):
    def credential(connection, subprotocols):
        return subprotocols[1]

    async with WebSocketBackend(select_subprotocol=credential) as app, contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(Gateway(routes=[APP], backends={"app": app.configuration()}))
        await stack.enter_async_context(client(running.ws("/app"), subprotocols=["bearer", "s3cret", "chat.v1"]))
        assert "subprotocol" not in await running.event("open")
        record = await running.reload(routes=[{**APP, **change}])
        assert (record["closing"], record["kept"]) == (closing, 1 - closing)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"routes": [{"path": "/echo", "backend": "ech"}]}, "did you mean `echo`?"),
        ({"routes": [{"path": "no", "backend": "echo"}]}, "gateway.conf:"),
        (
            {"listeners": [{"address": "127.0.0.1:0", "tls": {"certificates": [{"chain": "/none", "key": "/none"}]}}]},
            "cannot read /none",
        ),
        ({"listeners": [{"address": "192.0.2.1:1"}, {"address": "127.0.0.1:0"}]}, "cannot listen on 192.0.2.1:1"),
    ],
    ids=["backend", "path", "certificate", "address"],
)
async def test_a_wrong_file_is_refused_whole(changes, reason):
    async with Gateway(routes=[ECHO], backends={"echo": {"builtin": "echo"}}) as running:
        async with client(running.ws("/echo")) as session:
            running.write(**changes)
            running.signal(signal.SIGHUP)
            assert reason in (await running.event("reload-refused"))["reason"]
            files = running.open_files()
            running.signal(signal.SIGHUP)
            await running.events(2, "reload-refused")
            assert await lives(session)
            async with client(running.wss("/echo")) as another:
                assert await lives(another)
            await running.closed()
            assert await running.has_open_files(files)
        assert running.log.matching("reloaded") == []


async def test_listeners_come_and_go_without_closing_others():
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            Gateway(routes=[ECHO], backends={"echo": {"builtin": "echo"}}, workers=2)
        )
        before = list(running.configuration["listeners"])
        port = free_port()
        old = await stack.enter_async_context(client(running.ws("/echo")))
        await running.reload(listeners=[*before, {"address": f"127.0.0.1:{port}"}])
        new = await stack.enter_async_context(client(f"ws://127.0.0.1:{port}/echo"))
        await running.reload(listeners=before)
        await running.event("listener-closed", address=f"127.0.0.1:{port}")
        with pytest.raises((OSError, InvalidMessage)):
            # Workers close theirs one after the other; what they still accept is served. A connection that comes between the last accept and
            # the close is reset by the kernel.
            while True:
                async with client(f"ws://127.0.0.1:{port}/echo") as session:
                    assert await lives(session)
        for session in (old, new):
            assert await lives(session)


async def peer_certificate(address: tuple[str, int]) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection(*address, ssl=context)
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return certificate


@pytest.mark.parametrize("is_told", [True, False], ids=["on SIGHUP", "by itself"])
async def test_certificates_are_read_again(tmp_path, is_told):
    authority = Authority(tmp_path)
    identity = authority.issue("first.test")
    tls = {"certificates": [identity.configuration()]}
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": tls}]
    async with Gateway(listeners=listeners, routes=[ECHO], backends={"echo": {"builtin": "echo"}}) as running:
        first = await peer_certificate(running.secure)
        async with client(running.wss("/echo")) as session:
            renewed = authority.issue("second.test")
            renewed.key.replace(identity.key)
            renewed.chain.replace(identity.chain)
            if is_told:
                await running.reload()
            else:
                assert (await running.event("certificates-reloaded"))["names"] == "second.test"
            # The workers are told at the same moment as the log.
            while (second := await peer_certificate(running.secure)) == first:
                pass
            assert second != first
            assert await lives(session)


async def test_a_broken_certificate_changes_nothing(tmp_path):
    authority = Authority(tmp_path)
    identity = authority.issue("first.test")
    tls = {"certificates": [identity.configuration()]}
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": tls}]
    async with Gateway(listeners=listeners, routes=[ECHO], backends={"echo": {"builtin": "echo"}}) as running:
        first = await peer_certificate(running.secure)
        identity.chain.write_text("nonsense")
        assert str(identity.chain) in (await running.event("certificates-refused"))["reason"]
        assert await peer_certificate(running.secure) == first


async def test_a_hundred_reloads_leave_nothing_behind():
    async with WebSocketBackend() as app, contextlib.AsyncExitStack() as stack:
        backends = {"echo": {"builtin": "echo"}, "app": app.configuration()}
        running = await stack.enter_async_context(Gateway(routes=[ECHO, APP], backends=backends, workers=2))
        before = list(running.configuration["listeners"])
        urls = [running.ws("/echo"), running.wss("/app")] * 50
        sessions = [await stack.enter_async_context(client(url)) for url in urls]
        await running.events(100, "open")

        async def reload_twice(count: int):
            for number in range(count):
                added = {"address": f"127.0.0.1:{free_port()}", "tls": {"self-signed": ["localhost"]}}
                await running.reload(routes=[ECHO, APP, {**OTHER, "name": f"{number}"}], listeners=[*before, added])
                await running.reload(routes=[ECHO, APP], listeners=before)
            # Workers close a removed listener in turns of their own; each has had several when all its sessions have answered.
            for session in sessions:
                assert await lives(session)

        await reload_twice(25)
        memory, files = running.memory(), running.open_files()
        await reload_twice(25)
        assert running.memory() < memory + (2 << 20)
        assert await running.has_open_files(files)
        assert running.log.matching("close") == []
