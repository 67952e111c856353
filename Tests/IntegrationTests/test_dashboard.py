"""ops/dashboards/grafana.json, with each of its queries asked of a Prometheus that scrapes a gateway."""

import asyncio
import contextlib
import json
import math
import re

import aiohttp
from websockets.asyncio.client import connect

import raw
from admin import admin, admin_address
from gateway_process import ROOT, Gateway, ending, until, within
from peers import WebSocketBackend
from test_metrics import busy, keep_busy

DASHBOARD = json.loads((ROOT / "ops" / "dashboards" / "grafana.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# What Grafana puts in place of its variables, with all values chosen.
VARIABLES = {"$job": ".*", "$instance": ".*", "$route": ".*", "$__rate_interval": "5s"}


def query(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@contextlib.asynccontextmanager
async def prometheus(target: str, folder):
    """A Prometheus that scrapes `target`, and an HTTP client of it."""
    file = folder / "prometheus.json"
    scrape = {"job_name": "gateway", "static_configs": [{"targets": [target]}]}
    file.write_text(json.dumps({"global": {"scrape_interval": "200ms"}, "scrape_configs": [scrape]}))
    process = await asyncio.create_subprocess_exec(
        "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )
    lines: list[bytes] = []
    async with ending(process):
        while not (found := re.search(rb'msg="Listening on" address=(\S+)', lines[-1] if lines else b"")):
            lines.append(await within(process.stderr.readline()))
            assert lines[-1], b"".join(lines).decode()
        reading = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession(f"http://{found[1].decode()}") as session:

            async def ready() -> bool:
                async with session.get("/-/ready") as response:
                    return response.status == 200

            await until(ready)
            yield session
    await reading


async def values(session: aiohttp.ClientSession, expression: str) -> list[float]:
    async with session.get("/api/v1/query", params={"query": query(expression)}) as response:
        answer = await response.json()
    assert answer["status"] == "success", (expression, answer)
    return [float(sample["value"][1]) for sample in answer["data"]["result"]]


def test_the_dashboard_is_whole():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    known = {"$" + variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"$__rate_interval"}
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["title"] and panel["targets"] and panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert set(re.findall(r"\$\w+", target["expr"])) <= known, target["expr"]


async def test_every_query_of_the_dashboard_has_data(tmp_path, authority):
    async with WebSocketBackend() as backend, busy(backend) as gateway, admin(gateway) as session:
        await gateway.event("health", to="down")
        await miss_messages(gateway)

        async def traffic():
            # A silent session, so that both sides are pinged.
            async with connect(gateway.ws("/app/silent"), compression=None):
                while True:
                    await keep_busy(gateway)

        async with prometheus(await admin_address(gateway), tmp_path) as server:
            running = asyncio.create_task(traffic())
            try:
                missing = [target["expr"] for panel in PANELS for target in panel["targets"]]
                assert len(missing) > 40

                async def answered() -> bool:
                    if running.done():
                        running.result()
                    for expression in list(missing):
                        found = await values(server, expression)
                        if found and not any(math.isnan(value) for value in found):
                            missing.remove(expression)
                    return not missing

                with contextlib.suppress(TimeoutError):
                    await until(answered)
                assert missing == []
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running


async def miss_messages(gateway: Gateway):
    """A member of a room reads too slowly, so that it misses some."""
    async with (
        await raw.Connection.upgraded(gateway.plain, "/room/1") as sender,
        await raw.Connection.upgraded(gateway.plain, "/room/1") as sleeper,
    ):
        sleeper.reader._transport.pause_reading()
        for _ in range(400):
            await sender.send(raw.frame(raw.BINARY, bytes(64 << 10)))
            await sender.frame()
