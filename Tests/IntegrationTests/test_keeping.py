"""A Node server that closes idle connections after 5 s, and clients that pause for about as long as it, or the gateway, keeps one."""

import asyncio
import collections
import itertools

import pytest

import raw
from gateway_process import Gateway
from peers import node


def passing(port: int) -> Gateway:
    routes = [{"path": "/*", "backend": "node", "http": "pass"}]
    return Gateway(routes=routes, backends={"node": {"websocket": [f"ws://127.0.0.1:{port}"]}}, workers=2)


def request(method: str) -> bytes:
    body = "" if method == "GET" else "Content-Length: 5\r\n\r\nhello"
    return f"{method} / HTTP/1.1\r\nHost: a\r\n{body or chr(13) + chr(10)}".encode()


async def asked(client: raw.Connection, method: str) -> raw.Response:
    await client.send(request(method))
    return await client.response()


# Where the gateway stops to keep a connection for a method, in seconds.
KEPT = {"GET": 4.0, "POST": 1.0}
SPREAD = [0.8, 0.9, 1.2, 3.8, 4.2, *(4.9 + 0.005 * step for step in range(60)), 5.3]


async def test_no_request_meets_a_connection_that_the_server_is_closing():
    async with node("keeping") as port, passing(port) as gateway:

        async def visit(method: str, pause: float) -> tuple[str, float, int, bytes]:
            async with await raw.Connection.open(gateway.plain) as client:
                assert (await asked(client, method)).body == b"1"
                await asyncio.sleep(pause)
                answer = await asked(client, method)
                return method, pause, answer.status, answer.body

        found = await asyncio.gather(*(visit(method, pause) for method in KEPT for pause in SPREAD))
        for method, pause, status, carried in found:
            assert status == 200, (method, pause)
            # It is the same connection if it was still kept.
            assert carried == (b"2" if pause < KEPT[method] else b"1"), (method, pause)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hundred_thousand_requests_with_pauses_around_that_time():
    clients, each, every = 50, 2000, 200
    async with node("keeping") as port, passing(port) as gateway:
        statuses, carried = collections.Counter(), collections.Counter()

        async def visit(number: int):
            pauses = itertools.cycle([1.0, 4.0, 5.0])
            async with await raw.Connection.open(gateway.plain) as client:
                for count in range(1, each + 1):
                    answer = await asked(client, "POST" if (count + number) % 3 == 0 else "GET")
                    statuses[answer.status] += 1
                    carried[int(answer.body) > 1] += 1
                    if count % every == 0:
                        # Around each of the times, from 50 ms before to 50 ms after.
                        await asyncio.sleep(next(pauses) + (number - clients / 2) / 500)

        await asyncio.gather(*(visit(number) for number in range(clients)))
        print(f"    statuses: {dict(statuses)}, over a kept connection: {carried[True]}", flush=True)
        assert statuses == {200: clients * each}
        assert carried[True] > clients * each * 0.98
