"""The reason in each Close of the gateway's own, and the codes with `close-codes: rfc6455`."""

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed

import raw
from admin import admin, key, metrics
from gateway_process import Gateway
from peers import client

BACKENDS = {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}}


def gateway(**defaults) -> Gateway:
    routes = [{"name": "echo", "path": "/echo", "backend": "echo"}, {"name": "rooms", "path": "/rooms/*", "backend": "rooms"}]
    return Gateway(routes=routes, backends=BACKENDS, admin="127.0.0.1:0", defaults=defaults)


async def close(socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    "order, heard",
    [
        (None, (1008, "closed by an operator")),
        ({"code": 4001}, (4001, "closed by an operator")),
        ({"code": 4001, "reason": "your account was closed"}, (4001, "your account was closed")),
        ({"code": 1012, "reason": "come back"}, (1012, "come back")),
    ],
    ids=["nothing", "a code", "a code and a reason", "a restart"],
)
@pytest.mark.parametrize("codes", ["registered", "rfc6455"])
async def test_an_operators_own_words_come_first(codes, order, heard):
    async with gateway(**{"close-codes": codes}) as running, admin(running) as session:
        async with client(running.ws("/echo")) as socket:
            opened = await running.event("open")
            async with session.post(f"/api/sessions/{opened['session']}/close", json=order) as response:
                assert response.status == 200, await response.text()
            code = 1001 if heard[0] == 1012 and codes == "rfc6455" else heard[0]
            assert await close(socket) == (code, heard[1])
        await running.closed(cause="admin", by="gateway", code=code)
        assert (await metrics(session))[key("closes_total", route="echo", cause="admin", code="4xxx" if code == 4001 else str(code))] == 1


@pytest.mark.parametrize("codes, code", [("registered", 1012), ("rfc6455", 1001)])
async def test_a_session_that_a_reload_has_no_place_for_is_told_to_come_back(codes, code):
    async with gateway(**{"close-codes": codes}) as running, admin(running) as session:
        async with client(running.ws("/echo")) as socket:
            await running.event("open")
            await running.reload(routes=running.configuration["routes"][1:])
            assert await close(socket) == (code, "service was reconfigured: connect again")
        await running.closed(cause="reload", by="gateway", code=code)
        assert (await metrics(session))[key("closes_total", route="echo", cause="reload", code=str(code))] == 1


@pytest.mark.parametrize("codes, code", [("registered", 1013), ("rfc6455", 1008)])
async def test_a_slow_member_hears_that_it_was_slow(codes, code):
    # Enough of it lies in the kernel's buffers for a while.
    limits = {"queue": "256KiB"}
    async with gateway(**{"close-codes": codes, "limits": limits}) as running:
        async with contextlib.AsyncExitStack() as stack:
            sender = await stack.enter_async_context(client(running.ws("/rooms/lobby")))
            sleeper = await stack.enter_async_context(await raw.Connection.upgraded(running.plain, "/rooms/lobby"))
            sleeper.reader._transport.pause_reading()
            await running.events(2, "open")
            message = raw.pattern(256 << 10)
            while len(await open_sessions(running)) == 2:
                await sender.send(message)
                assert await sender.recv() == message
            sleeper.reader._transport.resume_reading()
            while (frame := await sleeper.frame()).opcode != raw.CLOSE:
                pass
            assert (frame.code, frame.payload[2:].decode()) == (code, "messages were not read fast enough: try again later")
        record = await running.closed(cause="slow-consumer", by="gateway", code=code)
        assert record["detail"] == "more waited for it than limits.queue: 256KiB"


async def open_sessions(running: Gateway) -> list:
    """The sessions that are open and not closing."""
    async with admin(running) as session, session.get("/api/sessions") as response:
        return [row for row in (await response.json())["sessions"] if row["phase"] != "closing"]
