"""The rules in ops/dashboards/alerts.yaml, evaluated on what /metrics says of gateways in the states that they are for."""

import asyncio
import contextlib
import json
import pathlib
import re
import time

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

import raw
from admin import admin, metrics
from gateway_process import BINARY, ROOT, Gateway, ending, until, within
from peers import MIB, refusing_port, reset
from test_memory_bound import attacker, holds
from test_metrics import promtool, scrape

RULES = ROOT / "ops" / "dashboards" / "alerts.yaml"
TARGET = {"instance": "127.0.0.1:9901", "job": "gateway"}
TARGET_LABELS = tuple(sorted(TARGET.items()))
DROPPED = ("gateway_log_dropped_total",)
# How long each state goes on, in minutes: longer than every `for`, and than every range.
LASTS = 90


def samples(text: str) -> dict[tuple, float]:
    """The value of each series, with the labels that Prometheus adds."""
    return {
        (sample.name, *sorted({**sample.labels, **TARGET}.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def written(series: tuple) -> str:
    name, *labels = series
    values = ",".join('%s="%s"' % (label, value.replace("\\", "\\\\").replace('"', '\\"')) for label, value in labels)
    return f"{name}{{{values}}}"


def number(value: float) -> str:
    return format(value, ".9f").rstrip("0").rstrip(".")


async def firing(before: dict, after: dict, folder: pathlib.Path) -> set[str]:
    """The names of the alerts that fire if each minute goes on as it did from `before` to `after`."""
    # promtool's clock begins at 0.
    now = time.time()
    lines = [f"rule_files: [{RULES}]", "evaluation_interval: 1m", "tests:", "  - interval: 1m", "    input_series:"]
    for series, value in after.items():
        first, step = before.get(series, 0), value - before.get(series, 0)
        if series[0].endswith("_timestamp_seconds"):
            first, step = value - now, 0
        elif not series[0].endswith(("_total", "_bucket", "_count", "_sum")):
            first, step = value, 0
        sign = "+" if step >= 0 else ""
        lines += [f"      - series: '{written(series)}'", f"        values: '{number(first)}{sign}{number(step)}x{LASTS}'"]
    # It fails, and says what there is instead.
    lines += [
        "    promql_expr_test:", "      - expr: group by (alertname) (ALERTS{alertstate=\"firing\"})",
        f"        eval_time: {LASTS - 5}m", "        exp_samples: [{labels: '{alertname=\"none of them\"}', value: 1}]",
    ]
    file = folder / "test.yaml"
    file.write_text("\n".join(lines) + "\n")
    status, output = await promtool("test", "rules", file)
    assert status == 1 and "got:" in output, output
    return set(re.findall(r'alertname="(\w+)"', output.split("got:")[1]))


class State:
    """A gateway, and what /metrics said when a minute began and when it ended."""

    def __init__(self):
        self.before: dict = {}
        self.after: dict = {}

    async def minute(self, session: aiohttp.ClientSession, happens=None):
        self.before = samples(await scrape(session))
        if happens:
            await happens()
        self.after = samples(await scrape(session))
        for values in (self.before, self.after):
            values["up", *TARGET_LABELS] = 1.0


ROUTES = [
    {"name": "echo", "path": "/echo", "backend": "echo"}, {"name": "room", "path": "/room", "backend": "rooms"},
    {"name": "closed", "path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
]
BACKENDS = {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}}


def serving(routes: list = [], backends: dict = {}, **keys) -> Gateway:
    return Gateway(routes=ROUTES + routes, backends={**BACKENDS, **backends}, admin="127.0.0.1:0", **keys)


async def echoes(gateway: Gateway, count: int = 20):
    """Sessions as they should be."""
    for _ in range(count):
        async with connect(gateway.ws("/echo"), compression=None) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
    await gateway.events(count, "close", cause="client-closed")


async def refusals(address: tuple[str, int], path: str, status: int, *fields: str, count: int = 30):
    for _ in range(count):
        assert (await raw.ask(address, raw.upgrade(path, *fields))).status == status


# Each makes a state, and says which alerts are for it.


async def healthy(state: State, folder, authority):
    certificates = [authority.issue("127.0.0.1", days=30).configuration()]
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": {"certificates": certificates}}]
    async with serving(listeners=listeners) as gateway, admin(gateway) as session:
        await state.minute(session, lambda: echoes(gateway))
    return set()


async def a_backend_that_checks_find_down(state, folder, authority):
    taken, port = refusing_port()
    backends = {"dead": {"websocket": [f"ws://127.0.0.1:{port}"], "health": {"check": "connect", "interval": "100ms", "timeout": "100ms"}}}
    with taken:
        async with serving([{"name": "dead", "path": "/dead", "backend": "dead"}], backends) as gateway, admin(gateway) as session:
            await gateway.event("health", to="down")
            await state.minute(session, lambda: refusals(gateway.plain, "/dead", 503))
    return {"GatewayBackendDown", "GatewayEndpointDown", "GatewayHandshakesFail"}


async def one_endpoint_of_two_that_is_down(state, folder, authority):
    taken, port = refusing_port()
    other = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    urls = [f"ws://127.0.0.1:{number}" for number in (port, other.sockets[0].getsockname()[1])]
    backends = {"app": {"websocket": urls, "health": {"check": "connect", "interval": "100ms", "timeout": "100ms"}}}
    with taken:
        async with other, serving([{"name": "app", "path": "/app", "backend": "app"}], backends) as gateway, admin(gateway) as session:
            await gateway.event("health", to="down")
            await state.minute(session)
    return {"GatewayEndpointDown"}


async def a_backend_without_checks_that_is_gone(state, folder, authority):
    taken, port = refusing_port()
    backends = {"dead": {"websocket": [f"ws://127.0.0.1:{port}"]}}
    with taken:
        async with serving([{"name": "dead", "path": "/dead", "backend": "dead"}], backends) as gateway, admin(gateway) as session:
            await state.minute(session, lambda: refusals(gateway.plain, "/dead", 502))
    return {"GatewayHandshakesFail"}


async def a_page_of_another_origin(state, folder, authority):
    async with serving() as gateway, admin(gateway) as session:
        await state.minute(session, lambda: refusals(gateway.plain, "/closed", 403, "Origin: https://b.example"))
    return {"GatewayClientsRefused"}


async def a_backend_that_breaks_off(state, folder, authority):
    async def handler(reader, writer):
        await reader.read(1)
        reset(writer)

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    backends = {"tcp": {"tcp": [f"127.0.0.1:{server.sockets[0].getsockname()[1]}"]}}

    async def sessions(gateway):
        for _ in range(5):
            async with await raw.Connection.upgraded(gateway.plain, "/tcp") as client:
                await client.send(raw.frame(raw.BINARY, b"x"))
                await client.end()
        await gateway.events(5, "close", cause="backend-gone")

    async with server, serving([{"name": "tcp", "path": "/tcp", "backend": "tcp"}], backends) as gateway, admin(gateway) as session:
        await state.minute(session, lambda: sessions(gateway))
    return {"GatewayBackendBreaksSessions"}


async def a_member_of_a_room_that_does_not_read(state, folder, authority):
    # A member that takes nothing is waited for as long as for a pong.
    defaults = {"limits": {"queue": "256KiB"}, "heartbeat": {"interval": "500ms", "timeout": "500ms"}}

    async def talk(gateway):
        async with await raw.Connection.upgraded(gateway.plain, "/room") as sender, await raw.Connection.upgraded(gateway.plain, "/room") as sleeper:
            sleeper.reader._transport.pause_reading()
            await gateway.events(2, "open")
            while not gateway.log.matching("close", cause="slow-consumer"):
                await sender.send(raw.frame(raw.BINARY, bytes(64 << 10)))
                await sender.frame()

    async with serving(defaults=defaults) as gateway, admin(gateway) as session:
        await state.minute(session, lambda: talk(gateway))
    return {"GatewaySlowConsumers"}


async def messages_that_never_end(state, folder, authority):
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(serving(memory="8MiB", defaults={"limits": {"message": "2MiB"}}))
        session = await stack.enter_async_context(admin(gateway))

        async def hold():
            for _ in range(40):
                await attacker(stack, gateway, bytes(900 << 10), path="/room")
            await gateway.event("close", cause="memory")
            await holds(session, lambda now: sum(now.values()) > 0.72 * 8 * MIB)

        await state.minute(session, lambda: hold())
    return {"GatewayMemoryScarce", "GatewayMemoryClosesSessions"}


async def hardly_a_descriptor_left(state, folder, authority):
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(serving(wrapper=("prlimit", "--nofile=512:512")))
        session = await stack.enter_async_context(admin(gateway))
        for _ in range(212):
            await stack.enter_async_context(await raw.Connection.upgraded(gateway.plain, "/echo"))
        await state.minute(session)
    return {"GatewayDescriptorsScarce"}


async def a_certificate_that_ends_next_week(state, folder, authority):
    return await certificate(state, authority, 7) | {"GatewayCertificateExpires"}


async def a_certificate_that_ends_tomorrow(state, folder, authority):
    return await certificate(state, authority, 1.5) | {"GatewayCertificateExpires", "GatewayCertificateExpiresNow"}


async def certificate(state: State, authority, days: float) -> set[str]:
    listeners = [{"address": "127.0.0.1:0", "tls": {"certificates": [authority.issue("a.example", days=days).configuration()]}}]
    async with serving(listeners=listeners) as gateway, admin(gateway) as session:
        await state.minute(session)
    return set()


async def a_wrong_configuration(state, folder, authority):
    async def reload():
        gateway.file.write_text("nonsense: [")
        async with session.post("/api/reload") as response:
            assert response.status == 422

    async with serving() as gateway, admin(gateway) as session:
        await state.minute(session, lambda: reload())
    return {"GatewayReloadRefused"}


async def a_server_of_keys_that_is_gone(state, folder, authority):
    taken, port = refusing_port()
    auth = {"jwt": {"keys": f"https://127.0.0.1:{port}/keys", "algorithms": ["ES256"], "audience": "any"}}
    series = "gateway_key_fetches_total", ("result", "failed")
    with taken:
        async with serving([{"name": "app", "path": "/app", "backend": "echo", "auth": auth}]) as gateway, admin(gateway) as session:

            async def fails():
                before = (await metrics(session))[series]

                async def more() -> bool:
                    return (await metrics(session))[series] > before

                await until(more)

            await state.minute(session, fails)
    return {"GatewayKeysNotFetched"}


async def a_full_disk(state, folder, authority):
    file, socket = folder / "gateway.conf", folder / "admin.sock"
    settings = {"listeners": [{"address": "127.0.0.1:0"}], "routes": ROUTES, "backends": BACKENDS, "admin": f"unix:{socket}"}
    file.write_text(json.dumps({**settings, "log": {"file": "/dev/full"}}))
    process = await asyncio.create_subprocess_exec(BINARY, "run", "--config", file, stderr=asyncio.subprocess.PIPE)
    async with ending(process):
        line = await within(process.stderr.readline())
        address = "127.0.0.1", int(re.search(rb"127\.0\.0\.1:(\d+)", line)[1])
        async with aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(path=str(socket))) as session:

            async def lose():
                await refusals(address, "/none", 404, count=1)
                await until(more)

            async def more() -> bool:
                return (await metrics(session))[DROPPED] > state.before[DROPPED + TARGET_LABELS]

            await state.minute(session, lose)
    return {"GatewayLogLinesDropped"}


STATES = [
    healthy, a_backend_that_checks_find_down, one_endpoint_of_two_that_is_down, a_backend_without_checks_that_is_gone, a_page_of_another_origin,
    a_backend_that_breaks_off, a_member_of_a_room_that_does_not_read, messages_that_never_end, hardly_a_descriptor_left,
    a_certificate_that_ends_next_week, a_certificate_that_ends_tomorrow, a_wrong_configuration, a_server_of_keys_that_is_gone,
    a_full_disk,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
async def test_an_alert_fires_in_its_state_and_no_other_one(state, authority, tmp_path):
    found = State()
    expected = await state(found, tmp_path, authority)
    assert await firing(found.before, found.after, tmp_path) == expected


# What no gateway can be brought to from outside.


def no_answer(before: dict, after: dict):
    for values in (before, after):
        values["up", *TARGET_LABELS] = 0.0


def a_mistake_of_the_gateway(before: dict, after: dict):
    labels = {"route": "echo", "cause": "internal-error", "code": "1011", **TARGET}
    after["gateway_closes_total", *sorted(labels.items())] = 1.0


def long_turns(before: dict, after: dict):
    for series in after:
        if series[0] == "gateway_loop_turn_seconds_bucket":
            longer = float(dict(series[1:])["le"]) > 0.1
            after[series] = before[series] + (100 if longer else 0)


@pytest.mark.parametrize("change, alert", [
    (no_answer, "GatewayDown"), (a_mistake_of_the_gateway, "GatewayInternalErrors"), (long_turns, "GatewayTurnsLong"),
])
async def test_alerts_for_what_cannot_be_caused_fire_on_changed_metrics(change, alert, authority, tmp_path):
    state = State()
    await healthy(state, tmp_path, authority)
    change(state.before, state.after)
    assert await firing(state.before, state.after, tmp_path) == {alert}


async def test_promtool_finds_no_mistake_in_the_rules():
    status, output = await promtool("check", "rules", RULES)
    assert status == 0, output
    names = re.findall(r"- alert: (\w+)", RULES.read_text())
    tested = set(re.findall(r'"(Gateway[A-Z]\w+)"', pathlib.Path(__file__).read_text()))
    assert f"{len(names)} rules found" in output and set(names) == tested


async def test_every_metric_of_the_rules_exists_with_its_labels():
    async with serving() as gateway, admin(gateway) as session:
        text = await scrape(session)
    families = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    named = set(re.findall(r"\b(?:gateway|process)_[a-z_]+", " ".join(expressions())))
    assert len(named) > 10
    assert {re.sub("_bucket$", "", name) for name in named} <= families


def expressions() -> list[str]:
    """Those of all rules. A long one is on the lines below its key."""
    text = RULES.read_text()
    return re.findall(r"expr: (\|\n(?: {10}.*\n)+|.*\n)", text)
