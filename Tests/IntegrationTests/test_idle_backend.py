"""A Node server that closes idle connections after 5 s, and clients that pause for about as long as it, or the gateway, keeps one."""

import asyncio
import collections
import itertools
import time

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


# Where the gateway stops to keep a connection for a method, in seconds, and how exact its clock is.
KEPT = {"GET": 4.0, "POST": 1.0}
EXACT = 0.05
SPREAD = [0.7, 0.8, 1.2, 3.5, 3.8, 4.2, *(4.9 + 0.005 * step for step in range(60)), 5.3]


async def test_no_request_meets_a_connection_that_the_server_is_closing():
    async with node("idle") as port, passing(port) as gateway:

        async def visit(method: str, pause: float) -> bytes:
            """Asks, pauses and asks again. Returns how many requests the connection of the second one had carried with it."""
            async with await raw.Connection.open(gateway.plain) as client:
                began = time.monotonic()
                assert (await asked(client, method)).body == b"1"
                answered = time.monotonic()
                await asyncio.sleep(pause)
                asking = time.monotonic()
                second = await asked(client, method)
                assert second.status == 200, (method, pause)
                # The gateway's own pause was between these two, however busy the machine is.
                least, most = asking - answered, time.monotonic() - began
            if most < KEPT[method] - EXACT:
                assert second.body == b"2", (method, least, most)
            if least > KEPT[method] + EXACT:
                assert second.body == b"1", (method, least, most)
            return second.body

        found = await asyncio.gather(*(visit(method, pause) for method in KEPT for pause in SPREAD))
        assert b"1" in found


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hundred_thousand_requests_with_pauses_around_that_time():
    clients, each, every = 50, 2000, 200
    async with node("idle") as port, passing(port) as gateway:
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
