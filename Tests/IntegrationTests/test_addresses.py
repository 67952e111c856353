"""How many connections one address may have at a listener: `limits.connections-per-address`."""

import asyncio
import contextlib
import ssl

import pytest

import raw
from admin import admin, metrics
from gateway_process import Gateway, insecure, until, within
from test_pass import request

ROUTES = [{"path": "/alive", "answer": {"text": "ok"}}, {"path": "/echo", "backend": "echo"}]


def gateway(limit, **keys) -> Gateway:
    return Gateway(
        **{
            "routes": ROUTES, "backends": {"echo": {"builtin": "echo"}}, "admin": "127.0.0.1:0",
            "defaults": {"limits": {"connections-per-address": limit}}, **keys,
        }
    )


async def is_served(client: raw.Connection) -> bool:
    """Whether it is answered; otherwise it is closed."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await client.send(request("GET /alive"))
        return (await client.response()).body == b"ok"
    return False


class Clients(contextlib.AsyncExitStack):
    """Connections that stay open until the end."""

    async def open(self, address, **options) -> raw.Connection:
        return await self.enter_async_context(await raw.Connection.open(address, **options))

    async def served(self, address, **options) -> bool:
        return await is_served(await self.open(address, **options))


@pytest.mark.parametrize("workers", [1, 4])
async def test_an_address_has_as_many_connections_as_the_limit(workers):
    async with gateway(5, workers=workers) as running, Clients() as clients:
        assert [await clients.served(running.plain) for _ in range(8)] == [True] * 5 + [False] * 3
        # Another address has its own.
        assert await clients.served(running.plain, local_addr=("127.0.0.2", 0))
        refused = await running.event("refused")
        assert refused["client"] == "127.0.0.1"
        assert refused["reason"] == "its address has as many connections as limits.connections-per-address allows: 5"
        async with admin(running) as session:
            assert (await metrics(session))["gateway_handshakes_total", ("result", "too-many"), ("route", "-")] == 3


@pytest.mark.parametrize("limit", [0, "off"])
async def test_without_a_limit_there_is_none(limit):
    async with gateway(limit) as running, Clients() as clients:
        assert all([await clients.served(running.plain) for _ in range(50)])


async def test_a_connection_that_ends_makes_room():
    async with gateway(1) as running:
        for _ in range(3):
            async with Clients() as clients:
                await until(lambda: clients.served(running.plain))
                assert not await clients.served(running.plain)


async def test_a_session_counts_until_its_end():
    async with gateway(2, workers=2) as running, Clients() as clients:
        first = await clients.enter_async_context(await raw.Connection.upgraded(running.plain))
        second = await clients.open(running.plain)
        assert await is_served(second)
        assert not await clients.served(running.plain)
        await first.send(raw.frame(raw.CLOSE, b"\x03\xe8"))
        assert (await first.closing()).code == 1000
        await within(first.reader.read())
        await running.closed()
        assert await until(lambda: clients.served(running.plain))


async def test_a_connection_over_the_limit_is_closed_before_tls():
    async with gateway(1) as running, Clients() as clients:
        assert await clients.served(running.secure, ssl=insecure())
        with pytest.raises((OSError, ssl.SSLError)):
            await clients.open(running.secure, ssl=insecure())
        # Each listener counts its own.
        assert await clients.served(running.plain)


async def test_a_trusted_proxy_is_not_counted():
    async with gateway(1, **{"trusted-proxies": ["127.0.0.1"]}) as running, Clients() as clients:
        assert all([await clients.served(running.plain) for _ in range(5)])
        assert [await clients.served(running.plain, local_addr=("127.0.0.2", 0)) for _ in range(2)] == [True, False]


async def test_a_listener_has_a_limit_of_its_own():
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "limits": {"connections-per-address": 2}}]
    async with gateway(1, listeners=listeners) as running, Clients() as clients:
        first, second = running.addresses
        assert [await clients.served(first) for _ in range(2)] == [True, False]
        assert [await clients.served(second) for _ in range(3)] == [True, True, False]


async def test_a_reload_counts_the_connections_that_are_there():
    def limits(count):
        return {"limits": {"connections-per-address": count}, "timeouts": {"close": "2s"}}

    async with gateway(0, workers=2) as running, Clients() as clients:
        kept = [await clients.open(running.plain) for _ in range(3)]
        assert all([await is_served(client) for client in kept])
        await running.reload(defaults=limits(3))
        assert not await clients.served(running.plain)
        # Those that are there stay, even over the limit.
        await running.reload(defaults=limits(2))
        assert all([await is_served(client) for client in kept])
        kept[0].reset()
        assert not await clients.served(running.plain)
        await running.reload(defaults=limits(4))
        assert await until(lambda: clients.served(running.plain))
        await running.reload(defaults=limits(0))
        assert all([await clients.served(running.plain) for _ in range(5)])


async def test_a_reload_that_trusts_a_proxy_does_not_lose_count():
    async with gateway(1) as running:
        async with Clients() as clients:
            assert await clients.served(running.plain)
            await running.reload(**{"trusted-proxies": ["127.0.0.1"]})
            assert await clients.served(running.plain)
            await running.reload(**{"trusted-proxies": []})
            assert not await clients.served(running.plain)
        async with Clients() as clients:
            await until(lambda: clients.served(running.plain))
            assert not await clients.served(running.plain)
