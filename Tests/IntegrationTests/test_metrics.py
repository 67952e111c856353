"""What /metrics says, judged by Prometheus' own tool, and what it costs."""

import asyncio
import datetime
import pathlib
import time

import aiohttp
from cryptography import x509
from websockets.asyncio.client import connect

import admin
import raw
from admin import key, metrics
from gateway_process import Gateway, insecure, within
from peers import WebSocketBackend


async def promtool(*arguments, text: str = "", cwd: pathlib.Path | None = None) -> tuple[int, str]:
    """Runs Prometheus' tool. Returns its status and its output."""
    process = await asyncio.create_subprocess_exec(
        "promtool", *map(str, arguments), cwd=cwd,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await within(process.communicate(text.encode()))
    return process.returncode, output.decode()


async def scrape(session: aiohttp.ClientSession) -> str:
    async with session.get("/metrics") as response:
        assert response.status == 200
        return await response.text()


def busy(backend: WebSocketBackend, **keys) -> Gateway:
    """A gateway with a route of each kind."""
    routes = [
        {"name": "echo", "path": "/echo", "backend": "echo"},
        {"name": "app", "path": "/app/*", "backend": "app", "http": "pass", "heartbeat": {"interval": "100ms"}},
        {"name": "closed", "path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
        {"name": "few", "path": "/few", "backend": "echo", "limits": {"sessions": 1}},
        {"name": "room", "path": "/room/*", "backend": "room", "limits": {"queue": "16KiB"}},
        {"name": "dead", "path": "/dead", "backend": "dead"},
        {"name": "page", "path": "/page", "answer": {"text": "ok"}},
    ]
    backends = {
        "echo": {"builtin": "echo"}, "room": {"builtin": "broadcast", "slow-consumer": "drop-oldest"},
        "app": {**backend.configuration(), "health": {"check": "websocket", "path": "/app/", "interval": "100ms", "timeout": "100ms"}},
        "dead": {"websocket": ["ws://127.0.0.1:1"], "health": {"check": "connect", "interval": "100ms", "timeout": "100ms"}},
    }
    return Gateway(**{"admin": "127.0.0.1:0", "workers": 2, "routes": routes, "backends": backends, **keys})


async def keep_busy(gateway: Gateway):
    """Traffic of every kind."""
    for uri, options in [(gateway.ws("/echo"), {}), (gateway.wss("/app/x"), {"ssl": insecure()})]:
        async with connect(uri, compression=None, **options) as client:
            for message in ("text", b"binary"):
                await client.send(message)
                assert await client.recv() == message
            await client.ping()
    for path, status, fields in [
        ("/nowhere", 404, []), ("/closed", 403, ["Origin: https://b.example"]), ("/dead", 503, []),
    ]:
        assert (await raw.ask(gateway.plain, raw.upgrade(path, *fields))).status == status
    host, port = gateway.plain
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        for path, status in [("/page", 200), ("/app/plain", 426)]:
            async with session.get(path) as response:
                assert response.status == status
    async with await raw.Connection.upgraded(gateway.plain, "/echo") as gone:
        gone.reset()
    async with await raw.Connection.upgraded(gateway.plain, "/echo") as wrong:
        await wrong.send(b"\xff\xff\xff\xff")
        await wrong.end()
    async with await raw.Connection.upgraded(gateway.plain, "/few"):
        assert (await raw.ask(gateway.plain, raw.upgrade("/few"))).status == 503


async def test_promtool_finds_no_fault_after_traffic_of_every_kind():
    async with WebSocketBackend() as backend, busy(backend) as gateway, admin.admin(gateway) as session:
        await gateway.event("health", to="down")
        await keep_busy(gateway)
        await gateway.events(5, "close")
        await gateway.reload()
        gateway.file.write_text("nonsense: [")
        async with session.post("/api/reload") as response:
            assert response.status == 422
        text = await scrape(session)
        for name in ("limits_reached", "closes", "handshakes", "requests", "health_checks", "messages", "tls_handshakes"):
            assert f"gateway_{name}_total{{" in text, name
        assert await promtool("check", "metrics", text=text) == (0, "")


async def test_what_the_gateway_may_have_is_shown():
    async with WebSocketBackend() as backend, busy(
        backend, workers=3, memory="96MiB", wrapper=("prlimit", "--nofile=1000:1000")
    ) as gateway, admin.admin(gateway) as session:
        found = await metrics(session)
        assert found[key("workers")] == 3
        assert found[key("open_files_limit")] == 1000
        assert found[key("memory_limit_bytes")] == 96 << 20


def ends(chain: pathlib.Path) -> float:
    return x509.load_pem_x509_certificate(chain.read_bytes()).not_valid_after_utc.timestamp()


async def test_the_ends_of_certificates_are_shown_by_name_and_follow_their_files(authority):
    first, hidden, rsa = (
        authority.issue("a.example", "b.example", days=20), authority.issue("a.example", "c.example", days=3),
        authority.issue("b.example", kind="RSA", days=10),
    )
    certificates = [identity.configuration() for identity in (first, hidden, rsa)]
    listeners = [
        {"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": {"certificates": certificates}},
        {"address": "127.0.0.1:0", "tls": {"self-signed": ["localhost", "127.0.0.1"]}},
    ]
    async with WebSocketBackend() as backend, busy(backend, listeners=listeners) as gateway, admin.admin(gateway) as session:
        _, files, own = (f"{host}:{port}" for host, port in gateway.addresses)
        name = "certificate_not_after_timestamp_seconds"

        async def shown() -> dict:
            return {sample: value for sample, value in (await metrics(session)).items() if sample[0] == f"gateway_{name}"}

        before = await shown()
        made = [before.pop(key(name, listener=own, name=host)) for host in ("localhost", "127.0.0.1")]
        assert made[0] == made[1] and abs(made[0] - time.time() - 90 * 86400) < 600
        assert before == {
            key(name, listener=files, name="a.example"): ends(first.chain),
            key(name, listener=files, name="b.example"): ends(rsa.chain),
            key(name, listener=files, name="c.example"): ends(hidden.chain),
        }
        renewed = authority.issue("b.example", kind="RSA", days=40)
        rsa.key.write_bytes(renewed.key.read_bytes())
        rsa.chain.write_bytes(renewed.chain.read_bytes())
        # The log has the one that is new, and none of the others.
        (line,) = await gateway.events(1, "certificates-reloaded")
        end = datetime.datetime.fromtimestamp(ends(renewed.chain), datetime.timezone.utc)
        assert (line["names"], line["not_after"]) == ("b.example", end.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        assert (await shown())[key(name, listener=files, name="b.example")] == ends(first.chain)


async def test_answers_grow_with_routes_and_backends_and_no_faster():
    sizes, answers = (100, 2000), {"/metrics": {}, "/api/backends": {}}
    for count in sizes:
        routes = [{"path": f"/{number}/*", "hosts": [f"h{number}.example"], "backend": f"b{number}"} for number in range(count)]
        backends = {f"b{number}": {"websocket": ["ws://127.0.0.1:1", "ws://127.0.0.1:2"]} for number in range(count)}
        async with Gateway(routes=routes, backends=backends, admin="127.0.0.1:0") as gateway, admin.admin(gateway) as session:
            for path, costs in answers.items():
                measured = []
                for _ in range(4):
                    before = processor_time(gateway)
                    async with session.get(path) as response:
                        size = len(await response.read())
                    measured.append(processor_time(gateway) - before)
                costs[count] = (size, min(measured))
    for path, costs in answers.items():
        (small, quick), (large, slow) = (costs[count] for count in sizes)
        factor = sizes[1] / sizes[0]
        assert large < 1.2 * factor * small
        # An answer of a quarter of a million bytes would cost 20 times more than it does if it grew with the square.
        assert slow < 4 * factor * quick


def processor_time(gateway: Gateway) -> float:
    """That of all its threads so far, in seconds."""
    # clock_getcpuclockid(3), as the kernel numbers these clocks.
    return time.clock_gettime(~gateway.process.pid << 3 | 2)
