"""A gateway with an admin address, and questions to it."""

import contextlib

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

import confidential
from gateway_process import Gateway
from peers import WebSocketBackend

ROUTES = [
    {"name": "echo", "path": "/echo", "backend": "echo"},
    {"name": "app", "path": "/app", "backend": "app", "subprotocols": ["chat"]},
    {"name": "closed", "path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
]
NOBODY = "ffffffffffffffff"


def gateway(backend: WebSocketBackend, **keys) -> Gateway:
    backends = {"echo": {"builtin": "echo"}, "app": backend.configuration()}
    return Gateway(**{"admin": "127.0.0.1:0", "workers": 2, "routes": ROUTES, "backends": backends, **keys})


def url(backend: WebSocketBackend) -> str:
    """The endpoint's name."""
    return f"ws://127.0.0.1:{backend.port}"


async def admin_address(running: Gateway) -> str:
    return (await running.event("admin"))["address"]


class Searched(aiohttp.ClientResponse):
    """An answer that has no secret in its body."""

    async def read(self) -> bytes:
        body = await super().read()
        confidential.check(body, f"the answer to {self.method} {self.url.path}")
        return body


@contextlib.asynccontextmanager
async def admin(running: Gateway):
    """An HTTP client of the admin address."""
    async with aiohttp.ClientSession(f"http://{await admin_address(running)}", response_class=Searched) as session:
        yield session


async def read(session: aiohttp.ClientSession, path: str) -> dict:
    async with session.get(path) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        return await response.json()


async def metrics(session: aiohttp.ClientSession) -> dict[tuple, float]:
    """The value of each sample by its name and sorted labels, read by Prometheus' own parser."""
    async with session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = list(text_string_to_metric_families(await response.text()))
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "a sample occurs twice"
    return found


def key(name: str, /, **labels) -> tuple:
    return (f"gateway_{name}", *sorted(labels.items()))
