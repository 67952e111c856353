"""Drains: every session is closed with 1012, not all at once, and then the process ends."""

import asyncio
import contextlib
import signal
import time

import pytest
from websockets.exceptions import ConnectionClosed

from admin import admin
from gateway_process import Gateway
from peers import client

ECHO = {"routes": [{"path": "/echo", "backend": "echo"}], "backends": {"echo": {"builtin": "echo"}}}


async def times_of_closing(running: Gateway, count: int) -> list[float]:
    """Drains a gateway with `count` sessions. Returns the seconds after which each was closed, ascending."""
    async with contextlib.AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(client(running.ws("/echo"))) for _ in range(count)]
        await running.events(count, "open")
        begin = time.monotonic()
        running.signal(signal.SIGTERM)

        async def closed(session) -> float:
            with pytest.raises(ConnectionClosed) as closed:
                await session.recv()
            assert closed.value.rcvd.code == 1012
            return time.monotonic() - begin

        times = sorted(await asyncio.gather(*map(closed, sessions)))
        assert await running.exited() == 0
        return times


@pytest.mark.parametrize("workers", [1, 2])
async def test_closes_are_spread_over_the_time_given(workers):
    async with Gateway(**ECHO, workers=workers, drain={"over": "2s"}) as running:
        times = await times_of_closing(running, 40)
        slot = 2 / 40
        # Never early; late by what a busy machine takes.
        for index, at in enumerate(times):
            assert at >= index * slot - 0.01
        assert times[-1] < 2 + 2
        await running.events(40, "close", cause="drain", by="gateway", code=1012)
        assert [record["sessions"] for record in running.log.matching("draining")][0] == 40
        assert {record["reason"] for record in running.log.matching("draining")} == {"signal"}
        assert len(running.log.matching("draining")) >= 2


async def test_no_more_than_so_many_are_closed_per_second():
    async with Gateway(**ECHO, workers=2, drain={"over": "0s", "rate": "20/s"}) as running:
        times = await times_of_closing(running, 20)
        for index, at in enumerate(times):
            assert at >= index / 20 - 0.01


async def test_during_the_delay_new_sessions_are_served():
    async with Gateway(**ECHO, drain={"delay": "1s", "over": "0s"}) as running:
        async with client(running.ws("/echo")) as first:
            running.signal(signal.SIGTERM)
            await running.event("draining")
            async with client(running.ws("/echo")) as second:
                await second.send("hello")
                assert await second.recv() == "hello"
                for session in (first, second):
                    with pytest.raises(ConnectionClosed) as closed:
                        await session.recv()
                    assert closed.value.rcvd.code == 1012
        assert await running.exited() == 0


async def test_the_first_signal_behind_a_command_to_drain_aborts_nothing():
    """Kubernetes sends SIGTERM once the command of `preStop` has ended."""
    async with Gateway(**ECHO, admin="127.0.0.1:0", drain={"over": "1h"}) as running, admin(running) as questions:
        async with client(running.ws("/echo")) as one, client(running.ws("/echo")) as other:
            async with questions.post("/api/drain") as response:
                assert await response.json() == {"draining": True, "sessions": 2}
            ends = {asyncio.ensure_future(session.wait_closed()): session for session in (one, other)}
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            left = other if one in map(ends.get, done) else one
            running.signal(signal.SIGTERM)
            for _ in range(10):
                await left.send("hello")
                assert await left.recv() == "hello"
            # The second one ends what is left.
            running.signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await left.recv()
            assert closed.value.rcvd.code == 1012
        assert await running.exited() == 0
