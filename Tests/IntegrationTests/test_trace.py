"""`traceparent` (W3C Trace Context): it passes as it came, and names the trace in the log."""

import pytest

import raw
from gateway_process import Gateway
from peers import WebSocketBackend
from test_pass import Backend, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
LATER = f"01-{TRACE}-b7ad6b7169203331-01-more"
MALFORMED = ["00-" + "0" * 32 + "-b7ad6b7169203331-01", PARENT.upper(), "nonsense", "ff" + PARENT[2:], PARENT + "-more"]


@pytest.mark.parametrize("sent", [PARENT, LATER, *MALFORMED])
async def test_an_upgrade_passes_it_and_its_lines_have_the_trace(sent):
    routes = [{"path": "/app", "backend": "app"}, {"path": "/echo", "backend": "echo"}]
    async with WebSocketBackend() as backend:
        backends = {"app": backend.configuration(), "echo": {"builtin": "echo"}}
        async with Gateway(routes=routes, backends=backends) as gateway:
            fields = [f"Traceparent: {sent}", "tracestate: vendor=1,other=2"]
            for path in ("/app", "/echo"):
                async with await raw.Connection.upgraded(gateway.plain, path, *fields) as client:
                    await client.send(raw.close(1000))
                    await client.end()
            assert (await raw.ask(gateway.plain, raw.upgrade("/nowhere", *fields))).status == 404
            headers = backend.requests[0].headers
            assert headers.get_all("traceparent") == [sent] and headers.get_all("tracestate") == ["vendor=1,other=2"]
            lines = [*await gateway.events(2, "open"), *await gateway.events(2, "close"), await gateway.event("refused")]
            trace = None if sent in MALFORMED else TRACE
            assert [line.get("trace_id") for line in lines] == [trace] * 5


async def test_each_request_of_a_connection_has_its_own():
    async with Backend() as backend:
        routes = [{"path": "/*", "backend": "app", "http": "pass"}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{backend.port}"]}}
        log = {"format": "json", "requests": "all"}
        async with Gateway(routes=routes, backends=backends, log=log) as gateway:
            sent = [PARENT, None, "nonsense", LATER]
            async with await raw.Connection.open(gateway.plain) as client:
                for value in sent:
                    await client.send(request("GET /a", *([f"traceparent: {value}"] if value else [])))
                    assert (await client.response()).status == 200
            passed = [[line.split(": ")[1] for line in head if line.lower().startswith("traceparent:")] for head in backend.heads]
            assert passed == [[value] if value else [] for value in sent]
            lines = await gateway.events(4, "request")
            assert [line.get("trace_id") for line in lines] == [TRACE, None, None, TRACE]
