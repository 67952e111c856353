"""Tests with thousands of sessions. They take minutes, so only `ops/test --only long` runs them. Each prints what it measured."""

import asyncio
import contextlib
import signal
import time

import pytest

from gateway_process import Gateway, tell, until, within
from herd import Herd
from peers import WebSocketBackend
from test_health import Backend
from test_reload import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ECHO = {"path": "/echo", "backend": "echo"}
APP = {"name": "app", "path": "/app", "backend": "app"}


def say(text: str):
    print(f"    {text}", flush=True)


async def test_a_hundred_reloads_close_none_of_five_thousand_sessions():
    async with WebSocketBackend(ping_interval=None) as app, contextlib.AsyncExitStack() as stack:
        backends = {"echo": {"builtin": "echo"}, "app": app.configuration()}
        running = await stack.enter_async_context(Gateway(routes=[ECHO, APP], backends=backends, workers=2))
        herd = await stack.enter_async_context(Herd(running.plain))
        await herd.open(4000, "/echo")
        await herd.open(1000, "/app")
        listeners = list(running.configuration["listeners"])

        async def reload(number: int):
            added = {"address": f"127.0.0.1:{free_port()}", "tls": {"self-signed": ["localhost"]}}
            other = {"name": "other", "path": f"/other/{number}", "backend": "echo"}
            more = [added] if number % 2 else []
            record = await running.reload(routes=[ECHO, other, APP], listeners=[*listeners, *more])
            assert (record["closing"], record["kept"]) == (0, 5000)

        for number in range(20):
            await reload(number)
        before, start = running.memory(), time.monotonic()
        for number in range(100):
            await reload(number)
        took, grown = time.monotonic() - start, running.memory() - before
        say(f"100 reloads with 5,000 sessions: {took:.1f} s, {len(herd.closes)} closed, memory {grown / 1024:+.0f} KiB")
        assert herd.closes == [] and running.log.matching("close") == []
        assert grown < 1 << 20

        record = await running.reload(routes=[ECHO], drain={"over": "2s"})
        assert (record["closing"], record["kept"]) == (1000, 4000)
        await herd.closed(1000, within=20)
        assert {code for _, code in herd.closes} == {1012}
        assert len(running.log.matching("close", cause="reload", route="app")) == len(running.log.matching("close"))
        say(f"a reload without the route: {len(herd.closes)} closed with 1012, {len(herd.members)} left")
        assert len(herd.members) == 4000
        running.write(drain={"over": "0s"})
        await running.reload()


async def test_two_thousand_sessions_are_drained_over_twenty_seconds():
    async with Gateway(routes=[ECHO], backends={"echo": {"builtin": "echo"}}, workers=2, drain={"over": "20s"}) as running:
        async with Herd(running.plain) as herd:
            await herd.open(2000, "/echo")
            await running.events(2000, "open")
            start = time.monotonic()
            running.signal(signal.SIGTERM)
            await herd.closed(2000, within=40)
            assert await running.exited() == 0
            histogram = [0] * 21
            for at, code in herd.closes:
                assert code == 1012
                histogram[int(at - start)] += 1
            say("closes in each second: " + " ".join(map(str, histogram)))
            # Each second has its hundred; this test may look at the clock late, but not by much.
            assert all(80 <= count <= 120 for count in histogram[:20])
            lines = running.log.matching("draining")
            say(f"progress: {[line['sessions'] for line in lines]}")
            assert len(lines) >= 20


async def test_sessions_of_an_endpoint_that_hangs_or_dies_go_elsewhere():
    check = {"check": "websocket", "interval": "1s", "timeout": "500ms", "fall": 2, "rise": 2}
    beat = {"interval": "1s", "timeout": "1s"}
    async with Backend() as one, Backend() as two, Backend() as three, contextlib.AsyncExitStack() as stack:
        urls = [server.url for server in (one, two, three)]
        backend = {"websocket": urls, "balance": "least-sessions", "health": check, "slow-start": "5s",
                   "rebalance": {"rate": "50/s"}}
        running = await stack.enter_async_context(Gateway(
            routes=[APP], backends={"app": backend}, workers=2, defaults={"heartbeat": beat, "timeouts": {"handshake": "3s"}},
        ))
        herd = await stack.enter_async_context(Herd(running.plain, is_busy=True, comes_back=True))
        await herd.open(500, "/app")

        async def trouble(server: Backend, what: str, begin, end):
            before, start = len(herd.closes), time.monotonic()
            count = len(running.log.matching("health", endpoint=server.url, to="down"))
            await begin()
            await running.events(count + 1, "health", endpoint=server.url, to="down")
            down = time.monotonic() - start
            # All that were on it, about a third, come back elsewhere: the first ones perhaps before the last ones are closed.
            await until(lambda: len(herd.members) == 500 and len(herd.closes) - before >= 100)
            moved, back = len(herd.closes) - before, time.monotonic() - start
            say(f"{what}: down after {down:.2f} s, {moved} sessions moved, all 500 there after {back:.2f} s")
            assert down < 5
            start, ups = time.monotonic(), len(running.log.matching("health", endpoint=server.url, to="up"))
            await end()
            await running.events(ups + 1, "health", endpoint=server.url, to="up")
            rebalanced = len(running.log.matching("rebalanced"))
            up = time.monotonic() - start
            await running.events(rebalanced + 1, "rebalanced")
            spread = time.monotonic() - start
            codes = {code for _, code in herd.closes[before + moved :]}
            say(f"    up after {up:.2f} s, evenly loaded after {spread:.2f} s, by closes with {codes or 'nothing'}")

        async def stop(server):
            tell(server.process, signal.SIGSTOP)

        async def go_on(server):
            tell(server.process, signal.SIGCONT)

        await trouble(one, "SIGSTOP", lambda: stop(one), lambda: go_on(one))
        await trouble(two, "SIGKILL", two.kill, two.start)
        retried = {status: herd.refusals.count(status) for status in set(herd.refusals)}
        say(f"{herd.echoes} echoes, refused: {retried or 'nobody'}")
        assert 0 not in retried and 502 not in retried and 503 not in retried


async def test_nobody_is_refused_while_a_new_process_takes_over():
    from test_restart import Successor

    routes = {"routes": [ECHO], "backends": {"echo": {"builtin": "echo"}}}
    async with Gateway(**routes, workers=2, drain={"over": "3s"}, admin="127.0.0.1:0") as running:
        async with Herd(running.plain, is_busy=True, comes_back=True) as herd, contextlib.AsyncExitStack() as stack:
            await herd.open(300, "/echo")

            async def reconnect() -> int:
                count = 0
                while True:
                    assert await herd._open("/echo") == 101
                    count += 1
                    await asyncio.sleep(0.001)

            loop = asyncio.create_task(reconnect())
            successors = []
            processes = [running.process]
            for _ in range(5):
                successor = await stack.enter_async_context(Successor(running))
                await successor.log.wait(1, "serving")
                successors.append(successor)
                await within(processes[-1].wait(), 30)
                processes.append(successor.process)
            assert not loop.done(), loop.exception()
            loop.cancel()
            codes = {code for _, code in herd.closes}
            say(f"5 takeovers: {len(herd.members)} sessions live, {len(herd.closes)} closed with {codes}, refused: {herd.refusals}")
            assert herd.refusals == [] and codes == {1012}
            herd.comes_back = False
