"""The close table: which side ends a session and how, and what each side and the log see of it.

What happens × the kind of backend × the transport of each leg. Each event is the line of the table, then what is done. In the
columns, in order: the frames (or bytes) that came, and how the connection ended: "end" in good order, which under TLS
includes a close_notify; "over" also without; "-" for a side that left without looking. A peer's answer to a Close has the reason "ok",
the gateway's has none, so that the table shows which side answered. A Close of the gateway's own has the words of `REASONS`.
"""

import asyncio
import re
from collections.abc import Callable

import raw
from closing import Outcome, Row, Scene

ROWS: list[Row] = []

TRANSPORTS = {
    "relay": [(client, backend) for client in ("ws", "wss") for backend in ("ws", "wss")],
    "bridge": [(client, backend) for client in ("ws", "wss") for backend in ("tcp", "tls")],
    **{builtin: [(client, None) for client in ("ws", "wss")] for builtin in ("echo", "broadcast", "clock")},
}

# A frame that takes a while, and where it is cut. On the way to a bridge's backend it loses its header of 14 bytes.
LARGE, CUT = 100_000, 50_000
WHOLE = f"binary {LARGE} bytes"
HALF = "half a frame"


# What the gateway tells the client and the backend, by cause and author.
REASONS = {
    "client-gone by client": ("", "client connection lost"),
    "client-stalled by client": ("", "client not responding"),
    "client-ping-timeout by client": ("no answer to a ping", "client gave no answer to a ping"),
    "backend-gone by backend": ("backend connection lost", ""),
    "backend-stalled by backend": ("backend not responding", ""),
    "backend-ping-timeout by backend": ("backend gave no answer to a ping", "no answer to a ping"),
    "protocol-error by client": ("reserved opcode (RFC 6455 5.2)", "client broke the WebSocket protocol"),
    "protocol-error by backend": ("backend broke the WebSocket protocol", "reserved opcode (RFC 6455 5.2)"),
    "invalid-data by client": ("text that is not UTF-8 (RFC 6455 8.1)", "client sent invalid data"),
    "invalid-data by backend": ("backend sent invalid data", "text that is not UTF-8 (RFC 6455 8.1)"),
    "message-too-big by client": (
        "message of 1025 bytes is over limits.message: 1KiB (1024 bytes)", "client sent a message that is too big"),
    "message-too-big by backend": (
        "backend sent a message that is too big", "message of 1025 bytes is over limits.backend-message: 1KiB (1024 bytes)"),
    "too-many-fragments by client": ("", "client sent a message in too many fragments"),
    "too-many-fragments by backend": ("backend sent a message in too many fragments", ""),
    "idle-timeout by gateway": ("no message for too long", "no message for too long"),
    "session-timeout by gateway": ("longest time of a session reached", "longest time of a session reached"),
    "drain by gateway": ("service restart: connect again", "gateway drains its sessions"),
}
END_OF_BRIDGE = "backend has ended the connection"


def with_reasons(seen: tuple[str, str], kind: str, log: str, rule: str | None) -> tuple[str, str]:
    """What both sides see, with the reason in each Close of the gateway's own."""
    cause = log.split(",")[0]
    reasons = REASONS.get(cause, ("", ""))
    if rule:
        reasons = (rule, reasons[1]) if cause.endswith("by client") else (reasons[0], rule)
    client, backend = (re.sub(r"Close \d+(?=,)", rf"\g<0> {reason}".rstrip(), side) for reason, side in zip(reasons, seen))
    if kind == "bridge" and not cause.startswith("client-closed"):
        client = re.sub(r"Close 1000(?=,)", f"Close 1000 {END_OF_BRIDGE}", client)
    return client, backend


def event(
    name: str, log: str | tuple[str, ...], *, relay: tuple[str, str] | None = None, bridge: tuple[str, str] | None = None,
    builtin: str | None = None, echoing: str | None = None, only: str | None = None,
    rule: str | None = None, **keys,
):
    """A line of the table: what the client and the backend see, by kind of backend (`echoing`: the echo and the broadcast).

    `only`: run it only with TLS on this leg, "client" or "backend". `rule`: the broken rule, if it is not the usual one.
    """
    columns = {"relay": relay, "bridge": bridge}
    if builtin:
        columns |= {"clock": (builtin, "-"), **dict.fromkeys(("echo", "broadcast"), (echoing or builtin, "-"))}
    logs = (log,) if isinstance(log, str) else log

    def add(script: Callable) -> Callable:
        for kind, seen in columns.items():
            for client, backend in TRANSPORTS[kind] if seen else ():
                if only == "client" and client == "ws" or only == "backend" and backend in ("ws", "tcp"):
                    continue
                expected = tuple(Outcome(*with_reasons(seen, kind, log, rule), log) for log in logs)
                legs = "-".join(filter(None, (kind, client, backend)))
                ROWS.append(Row(f"{legs}-{name}", kind, client, backend, script, expected, **keys))
        return script

    return add


BY_CLIENT = "client-closed by client, 4001"
BY_BACKEND = "backend-closed by backend, 4002"

# The client closes


@event("client-closes", BY_CLIENT, relay=("Close 4001 ok, end", "Close 4001 bye, end"), bridge=("Close 4001, end", "end"),
       builtin="Close 4001, end")
async def client_closes(s: Scene):
    await s.client.close(4001, "bye")


@event("client-closes-with-a-code-only", "client-closed by client, 1000", relay=("Close 1000 ok, end", "Close 1000, end"),
       bridge=("Close 1000, end", "end"), builtin="Close 1000, end")
async def client_closes_with_a_code_only(s: Scene):
    await s.client.close(1000)


@event("client-closes-without-a-code", "client-closed by client, none", relay=("Close, end", "Close, end"),
       bridge=("Close, end", "end"), builtin="Close, end")
async def client_closes_without_a_code(s: Scene):
    await s.client.close()


# The backend closes; a bridge's backend ends


@event("backend-closes", BY_BACKEND, relay=("Close 4002 done, end", "Close 4002 ok, end"))
async def backend_closes(s: Scene):
    await s.backend.close(4002, "done")


@event("backend-closes-with-a-code-only", "backend-closed by backend, 1011", relay=("Close 1011, end", "Close 1011 ok, end"))
async def backend_closes_with_a_code_only(s: Scene):
    await s.backend.close(1011)


@event("backend-closes-without-a-code", "backend-closed by backend, none", relay=("Close, end", "Close, end"))
async def backend_closes_without_a_code(s: Scene):
    await s.backend.close()


@event("backend-ends", "backend-closed by backend, 1000", bridge=("Close 1000, end", "end"))
async def backend_ends(s: Scene):
    await s.backend.finish()


# Both close


@event("closes-cross", (BY_CLIENT, BY_BACKEND), relay=("Close 4002 done, end", "Close 4001 bye, end"))
async def closes_cross(s: Scene):
    await asyncio.gather(s.client.close(4001, "bye"), s.backend.close(4002, "done"))


@event("close-crosses-the-end", BY_CLIENT, bridge=("Close 4001, end", "end"))
async def close_comes_before_the_end(s: Scene):
    await s.client.close(4001, "bye")
    await s.backend.hear_end()
    await s.backend.finish()


@event("end-crosses-the-close", "backend-closed by backend, 1000", bridge=("Close 1000, end", "end"))
async def end_comes_before_the_close(s: Scene):
    await s.backend.finish()
    await s.client.fill(4)
    await s.client.close(4001, "bye")


# Half-close: the client's, and the backend's


@event("client-half-closes", "client-gone by client, none", relay=("over", "Close 1001, end"), bridge=("over", "end"),
       builtin="over")
async def client_half_closes(s: Scene):
    await s.client.finish()


@event("client-half-closes-without-close_notify", "client-gone by client, none", only="client",
       relay=("over", "Close 1001, end"), bridge=("over", "end"), builtin="over")
async def client_half_closes_without_close_notify(s: Scene):
    await s.client.finish(notify=False)


@event("client-closes-and-half-closes", BY_CLIENT, relay=("Close 4001 ok, end", "Close 4001 bye, end"),
       bridge=("Close 4001, end", "end"), builtin="Close 4001, end")
async def client_closes_and_half_closes(s: Scene):
    await s.client.close(4001, "bye")
    await s.client.finish()


@event("backend-half-closes", "backend-gone by backend, 1011", relay=("Close 1011, end", "over"))
async def backend_half_closes(s: Scene):
    await s.backend.finish()


@event("backend-half-closes-without-close_notify", "backend-gone by backend, 1011", only="backend",
       relay=("Close 1011, end", "over"), bridge=("Close 1011, end", "over"))
async def backend_half_closes_without_close_notify(s: Scene):
    await s.backend.finish(notify=False)


@event("backend-closes-and-half-closes", BY_BACKEND, relay=("Close 4002 done, end", "Close 4002 ok, end"))
async def backend_closes_and_half_closes(s: Scene):
    await s.backend.close(4002, "done")
    await s.backend.finish()


# RST


@event("client-resets", "client-gone by client, none", relay=("-", "Close 1001, end"), bridge=("-", "end"), builtin="-")
async def client_resets(s: Scene):
    s.client.reset()


@event("backend-resets", "backend-gone by backend, 1011", relay=("Close 1011, end", "-"), bridge=("Close 1011, end", "-"))
async def backend_resets(s: Scene):
    s.backend.reset()


@event("client-closes-and-resets", BY_CLIENT, relay=("-", "Close 4001 bye, end"), bridge=("-", "end"), builtin="-")
async def client_closes_and_resets(s: Scene):
    await s.client.close(4001, "bye")
    # The reset does not overtake the Close.
    await (s.backend.hear(raw.CLOSE) if s.row.kind == "relay" else s.client.hear(raw.CLOSE))
    s.client.reset()


@event("backend-closes-and-resets", BY_BACKEND, relay=("Close 4002 done, end", "-"))
async def backend_closes_and_resets(s: Scene):
    await s.backend.close(4002, "done")
    await s.client.hear(raw.CLOSE)
    s.backend.reset()


# No answer to a Close


@event("client-is-silent", "client-stalled by client, 4002", relay=("Close 4002 done, over", "Close 1001, end"),
       is_impatient=True)
async def client_is_silent(s: Scene):
    s.client.is_silent = True
    await s.backend.close(4002, "done")


@event("client-is-silent", "client-stalled by client, 1000", bridge=("Close 1000, over", "end"), is_impatient=True)
async def client_is_silent_after_the_end(s: Scene):
    s.client.is_silent = True
    await s.backend.finish()


@event("client-is-silent", "protocol-error by client, 1002", builtin="Close 1002, end", is_impatient=True)
async def client_is_silent_after_our_close(s: Scene):
    s.client.is_silent = True
    await s.client.send(s.client.frame(0x3))


@event("backend-is-silent", "backend-stalled by backend, 1011", relay=("Close 1011, end", "Close 4001 bye, over"),
       is_impatient=True)
@event("backend-is-silent", BY_CLIENT, bridge=("Close 4001, end", "end"), is_impatient=True)
async def backend_is_silent(s: Scene):
    s.backend.is_silent = True
    await s.client.close(4001, "bye")


@event("client-answers-with-nonsense", "protocol-error by client, 4002", relay=("Close 4002 done, over", "Close 1001, end"))
async def client_answers_with_nonsense(s: Scene):
    s.client.is_silent = True
    await s.backend.close(4002, "done")
    await s.client.hear(raw.CLOSE)
    await s.client.send(s.client.frame(0x3))


@event("backend-answers-with-nonsense", "protocol-error by backend, 1011", relay=("Close 1011, end", "Close 4001 bye, over"))
async def backend_answers_with_nonsense(s: Scene):
    s.backend.is_silent = True
    await s.client.close(4001, "bye")
    await s.backend.hear(raw.CLOSE)
    await s.backend.send(s.backend.frame(0x3))


@event("client-goes-without-an-answer", "client-gone by client, 4002", relay=("Close 4002 done, over", "Close 1001, end"))
async def client_goes_without_an_answer(s: Scene):
    s.client.is_silent = True
    await s.backend.close(4002, "done")
    await s.client.hear(raw.CLOSE)
    await s.client.finish()


@event("client-goes-without-an-answer", "client-gone by client, 1000", bridge=("Close 1000, over", "end"))
async def client_goes_without_an_answer_to_the_end(s: Scene):
    s.client.is_silent = True
    await s.backend.finish()
    await s.client.hear(raw.CLOSE)
    await s.client.finish()


@event("backend-goes-without-an-answer", "backend-gone by backend, 1011", relay=("Close 1011, end", "Close 4001 bye, over"))
async def backend_goes_without_an_answer(s: Scene):
    s.backend.is_silent = True
    await s.client.close(4001, "bye")
    await s.backend.hear(raw.CLOSE)
    await s.backend.finish()


# What comes behind a Close is ignored, and what comes before it is not


@event("client-sends-data-after-its-close", BY_CLIENT, relay=("Close 4001 ok, end", "text last, Close 4001 bye, end"),
       bridge=("Close 4001, end", "last, end"), builtin="Close 4001, end", echoing="text last, Close 4001, end")
async def client_sends_data_after_its_close(s: Scene):
    last, late = s.client.frame(raw.TEXT, b"last"), s.client.frame(raw.TEXT, b"late")
    await s.client.send(last + s.client.closing(4001, "bye") + late)
    if s.backend:
        await (s.backend.hear(raw.CLOSE) if s.row.kind == "relay" else s.backend.hear_end())
        await s.client.send(late)


@event("client-closes-again", BY_CLIENT, relay=("Close 4001 ok, end", "Close 4001 bye, end"), bridge=("Close 4001, end", "end"),
       builtin="Close 4001, end")
async def client_closes_again(s: Scene):
    await s.client.send(s.client.closing(4001, "bye") + s.client.closing(4003, "again"))


@event("client-pings-after-its-close", BY_CLIENT, relay=("Close 4001 ok, end", "Close 4001 bye, end"),
       bridge=("Close 4001, end", "end"), builtin="Close 4001, end")
async def client_pings_after_its_close(s: Scene):
    await s.client.send(s.client.closing(4001, "bye") + s.client.frame(raw.PING, b"late"))


@event("backend-sends-data-after-its-close", BY_BACKEND, relay=("text last, Close 4002 done, end", "Close 4002 ok, end"))
async def backend_sends_data_after_its_close(s: Scene):
    last, late = s.backend.frame(raw.TEXT, b"last"), s.backend.frame(raw.TEXT, b"late")
    await s.backend.send(last + s.backend.closing(4002, "done") + late)
    await s.client.hear(raw.CLOSE)
    await s.backend.send(late)


@event("backend-closes-again", BY_BACKEND, relay=("Close 4002 done, end", "Close 4002 ok, end"))
async def backend_closes_again(s: Scene):
    await s.backend.send(s.backend.closing(4002, "done") + s.backend.closing(4003, "again"))


@event("backend-pings-after-its-close", BY_BACKEND, relay=("Close 4002 done, end", "Close 4002 ok, end"))
async def backend_pings_after_its_close(s: Scene):
    await s.backend.send(s.backend.closing(4002, "done") + s.backend.frame(raw.PING, b"late"))


@event("backend-sends-data-before-its-answer", BY_CLIENT, relay=("text late, Close 4001 ok, end", "Close 4001 bye, end"))
async def backend_sends_data_before_its_answer(s: Scene):
    await s.client.close(4001, "bye")
    await s.backend.hear(raw.CLOSE)
    await s.backend.send(s.backend.frame(raw.TEXT, b"late"))


@event("backend-sends-data-after-the-clients-close", BY_CLIENT, bridge=("Close 4001, end", "end"))
async def backend_sends_data_after_the_clients_close(s: Scene):
    await s.client.close(4001, "bye")
    await s.backend.hear_end()
    await s.backend.send(b"late")


@event("client-sends-data-before-its-answer", BY_BACKEND, relay=("Close 4002 done, end", "text late, Close 4002 ok, end"))
async def client_sends_data_before_its_answer(s: Scene):
    await s.backend.close(4002, "done")
    await s.client.hear(raw.CLOSE)
    await s.client.send(s.client.frame(raw.TEXT, b"late"))


# In the middle of a message


@event("client-closes-in-a-fragmented-message", BY_CLIENT,
       relay=("Close 4001 ok, end", "unfinished text half, Close 4001 bye, end"), bridge=("Close 4001, end", "half, end"),
       builtin="Close 4001, end")
async def client_closes_in_a_fragmented_message(s: Scene):
    await s.client.send(s.client.frame(raw.TEXT, b"half", fin=False) + s.client.closing(4001, "bye"))


@event("backend-closes-in-a-fragmented-message", BY_BACKEND,
       relay=("unfinished text half, Close 4002 done, end", "Close 4002 ok, end"))
async def backend_closes_in_a_fragmented_message(s: Scene):
    await s.backend.send(s.backend.frame(raw.TEXT, b"half", fin=False) + s.backend.closing(4002, "done"))


# While a large frame is half forwarded


async def half_to_backend(s: Scene) -> bytes:
    """The client sends half of a large frame; returns the rest of it."""
    frame = s.client.frame(raw.BINARY, bytes(LARGE))
    await s.client.send(frame[:CUT])
    if s.backend:
        await s.backend.fill(CUT if s.row.kind == "relay" else CUT - 14)
    return frame[CUT:]


async def half_to_client(s: Scene) -> bytes:
    frame = s.backend.frame(raw.BINARY, bytes(LARGE))
    await s.backend.send(frame[:CUT])
    await s.client.fill(CUT)
    return frame[CUT:]


@event("client-closes-inside-of-the-backends-frame", BY_CLIENT,
       relay=(f"{WHOLE}, Close 4001 ok, end", "Close 4001 bye, end"))
async def client_closes_inside_of_the_backends_frame(s: Scene):
    rest = await half_to_client(s)
    await s.client.close(4001, "bye")
    await s.backend.hear(raw.CLOSE)
    await s.backend.send(rest)


@event("client-closes-inside-of-the-backends-frame-without-end", "backend-stalled by backend, none",
       relay=(f"{HALF}, over", "Close 4001 bye, over"), is_impatient=True)
async def client_closes_inside_of_the_backends_frame_without_end(s: Scene):
    s.backend.is_silent = True
    await half_to_client(s)
    await s.client.close(4001, "bye")


@event("backend-closes-inside-of-the-clients-frame", BY_BACKEND,
       relay=("Close 4002 done, end", f"{WHOLE}, Close 4002 ok, end"))
async def backend_closes_inside_of_the_clients_frame(s: Scene):
    rest = await half_to_backend(s)
    await s.backend.close(4002, "done")
    await s.client.hear(raw.CLOSE)
    await s.client.send(rest)


@event("backend-closes-inside-of-the-clients-frame-without-end", "client-stalled by client, 4002",
       relay=("Close 4002 done, over", f"{HALF}, over"), is_impatient=True)
async def backend_closes_inside_of_the_clients_frame_without_end(s: Scene):
    s.client.is_silent = True
    await half_to_backend(s)
    await s.backend.close(4002, "done")


@event("backend-ends-inside-of-the-clients-frame", "backend-closed by backend, 1000",
       bridge=("Close 1000, end", f"{CUT - 14} bytes, end"))
async def backend_ends_inside_of_the_clients_frame(s: Scene):
    rest = await half_to_backend(s)
    await s.backend.finish()
    await s.client.hear(raw.CLOSE)
    await s.client.send(rest)


@event("client-half-closes-inside-of-its-frame", "client-gone by client, none", relay=("over", f"{HALF}, over"),
       bridge=("over", f"{CUT - 14} bytes, reset"), builtin="over")
async def client_half_closes_inside_of_its_frame(s: Scene):
    await half_to_backend(s)
    await s.client.finish()


@event("client-resets-inside-of-its-frame", "client-gone by client, none", relay=("-", f"{HALF}, over"),
       bridge=("-", f"{CUT - 14} bytes, reset"), builtin="-")
async def client_resets_inside_of_its_frame(s: Scene):
    await half_to_backend(s)
    s.client.reset()


@event("backend-half-closes-inside-of-its-frame", "backend-gone by backend, none", relay=(f"{HALF}, over", "over"))
async def backend_half_closes_inside_of_its_frame(s: Scene):
    await half_to_client(s)
    await s.backend.finish()


@event("backend-resets-inside-of-its-frame", "backend-gone by backend, none", relay=(f"{HALF}, over", "-"))
async def backend_resets_inside_of_its_frame(s: Scene):
    await half_to_client(s)
    s.backend.reset()


@event("client-breaks-a-rule-inside-of-the-backends-frame", "protocol-error by client, 1002",
       relay=(f"{WHOLE}, Close 1002, end", "Close 1001, end"))
async def client_breaks_a_rule_inside_of_the_backends_frame(s: Scene):
    rest = await half_to_client(s)
    await s.client.send(s.client.frame(0x3))
    await s.backend.hear(raw.CLOSE)
    await s.backend.send(rest)


@event("client-breaks-a-rule-inside-of-the-backends-frame-without-end", "protocol-error by client, none",
       relay=(f"{HALF}, over", "Close 1001, over"), is_impatient=True)
async def client_breaks_a_rule_inside_of_the_backends_frame_without_end(s: Scene):
    s.backend.is_silent = True
    await half_to_client(s)
    await s.client.send(s.client.frame(0x3))


@event("backend-breaks-a-rule-inside-of-the-clients-frame", "protocol-error by backend, 1011",
       relay=("Close 1011, end", f"{WHOLE}, Close 1002, end"))
async def backend_breaks_a_rule_inside_of_the_clients_frame(s: Scene):
    rest = await half_to_backend(s)
    await s.backend.send(s.backend.frame(0x3))
    await s.client.hear(raw.CLOSE)
    await s.client.send(rest)


@event("backend-breaks-a-rule-inside-of-the-clients-frame-without-end", "protocol-error by backend, 1011",
       relay=("Close 1011, over", f"{HALF}, over"), is_impatient=True)
async def backend_breaks_a_rule_inside_of_the_clients_frame_without_end(s: Scene):
    s.client.is_silent = True
    await half_to_backend(s)
    await s.backend.send(s.backend.frame(0x3))


# A rule is broken


@event("client-breaks-a-rule", "protocol-error by client, 1002", relay=("Close 1002, end", "Close 1001, end"),
       bridge=("Close 1002, end", "end"), builtin="Close 1002, end")
async def client_breaks_a_rule(s: Scene):
    await s.client.send(s.client.frame(0x3))


@event("client-sends-too-much", "message-too-big by client, 1009", relay=("Close 1009, end", "Close 1001, end"),
       bridge=("Close 1009, end", "end"), builtin="Close 1009, end", route={"limits": {"message": "1KiB"}},
       why="message of 1025 bytes is over limits.message: 1KiB (1024 bytes)")
async def client_sends_too_much(s: Scene):
    await s.client.send(s.client.frame(raw.BINARY, bytes(1025)))


@event("client-sends-bad-text", "invalid-data by client, 1007", relay=("Close 1007, end", "Close 1001, end"),
       bridge=("Close 1007, end", "end"), builtin="Close 1007, end", route={"utf8": "check"})
async def client_sends_bad_text(s: Scene):
    await s.client.send(s.client.frame(raw.TEXT, b"\xff"))


@event("backend-breaks-a-rule", "protocol-error by backend, 1011", relay=("Close 1011, end", "Close 1002, end"),
       rule="frame with a mask from a server (RFC 6455 5.1)")
async def backend_breaks_a_rule(s: Scene):
    await s.backend.send(raw.frame(raw.TEXT, b"masked"))


@event("backend-sends-too-much", "message-too-big by backend, 1011", relay=("Close 1011, end", "Close 1009, end"),
       route={"limits": {"backend-message": "1KiB"}},
       why="message of 1025 bytes is over limits.backend-message: 1KiB (1024 bytes)")
async def backend_sends_too_much(s: Scene):
    await s.backend.send(s.backend.frame(raw.BINARY, bytes(1025)))


@event("client-sends-too-many-fragments", "too-many-fragments by client, 1009",
       relay=("Close 1009, end", "unfinished binary, unfinished continuation, unfinished continuation, Close 1001, end"),
       bridge=("Close 1009, end", "end"), builtin="Close 1009, end", route={"limits": {"message": "1KiB", "fragments": 3}},
       why="message has more frames than limits.fragments: 3", rule="message has more frames than limits.fragments: 3")
async def client_sends_too_many_fragments(s: Scene):
    first, more = s.client.frame(raw.BINARY, fin=False), s.client.frame(raw.CONTINUATION, fin=False)
    await s.client.send(first + 3 * more)


@event("backend-sends-bad-text", "invalid-data by backend, 1011", relay=("Close 1011, end", "Close 1007, end"),
       route={"utf8": "check"})
async def backend_sends_bad_text(s: Scene):
    await s.backend.send(s.backend.frame(raw.TEXT, b"\xff"))


# As bytes: what was no text, and what the end has cut.
REPLACED = "\ufffd".encode().decode("latin-1")


@event("backend-sends-bad-text", "backend-closed by backend, 1000",
       bridge=(f"text {REPLACED}a, text {REPLACED}, Close 1000, end", "end"), settings={"message": "text"})
async def bridged_backend_sends_bad_text(s: Scene):
    await s.backend.send(b"\xffa\xe2\x82")
    await s.backend.finish()


# Silence, and time that is over

# For both legs: time enough for a peer that answers.
HEARTBEAT = {"interval": "200ms", "timeout": "1s"}


@event("client-gives-no-pong", "client-ping-timeout by client, 1001", relay=("Close 1001, over", "Close 1001, end"),
       bridge=("Close 1001, over", "end"), builtin="Close 1001, over", route={"heartbeat": HEARTBEAT})
async def client_gives_no_pong(s: Scene):
    s.client.is_silent = True


@event("backend-gives-no-pong", "backend-ping-timeout by backend, 1011", relay=("Close 1011, end", "Close 1001, over"),
       route={"heartbeat": HEARTBEAT})
async def backend_gives_no_pong(s: Scene):
    s.backend.is_silent = True


@event("backend-gives-no-pong-inside-of-its-frame", "backend-ping-timeout by backend, none",
       relay=(f"{HALF}, over", "Close 1001, over"), route={"heartbeat": HEARTBEAT})
async def backend_gives_no_pong_inside_of_its_frame(s: Scene):
    s.backend.is_silent = True
    await half_to_client(s)


@event("nobody-says-anything", "idle-timeout by gateway, 1001", relay=("Close 1001, end", "Close 1001, end"),
       bridge=("Close 1001, end", "end"), route={"timeouts": {"idle": "300ms", "close": "15s"}}, why="timeouts.idle: 300ms")
async def nobody_says_anything(s: Scene):
    pass


@event("the-session-is-over", "session-timeout by gateway, 1001", relay=("Close 1001, end", "Close 1001, end"),
       bridge=("Close 1001, end", "end"), builtin="Close 1001, end",
       route={"timeouts": {"session": "2s", "close": "15s"}}, why="timeouts.session: 2s")
async def the_session_is_over(s: Scene):
    pass


# Drain


@event("drain-later-codes-unknown", "drain by gateway, 1001", relay=("Close 1001, end", "Close 1001, end"),
       bridge=("Close 1001, end", "end"), builtin="Close 1001, end", route={"close-codes": "rfc6455"}, drains=True)
async def drain_where_later_codes_are_unknown(s: Scene):
    await s.drain()


@event("drain", "drain by gateway, 1012", relay=("Close 1012, end", "Close 1001, end"), bridge=("Close 1012, end", "end"),
       builtin="Close 1012, end", drains=True)
async def drain(s: Scene):
    await s.drain()


@event("drain-client-is-silent", "drain by gateway, 1012", relay=("Close 1012, over", "Close 1001, end"),
       bridge=("Close 1012, over", "end"), builtin="Close 1012, over", drains=True, is_impatient=True)
async def drain_client_is_silent(s: Scene):
    s.client.is_silent = True
    await s.drain()


@event("drain-backend-is-silent", "drain by gateway, 1012", relay=("Close 1012, end", "Close 1001, over"),
       bridge=("Close 1012, end", "end"), drains=True, is_impatient=True)
async def drain_backend_is_silent(s: Scene):
    s.backend.is_silent = True
    await s.drain()


@event("drain-inside-of-the-clients-frame", "drain by gateway, 1012", drains=True,
       relay=("Close 1012, end", f"{WHOLE}, Close 1001, end"), bridge=("Close 1012, end", f"{CUT - 14} bytes, end"),
       builtin="Close 1012, end")
async def drain_inside_of_the_clients_frame(s: Scene):
    rest = await half_to_backend(s)
    await s.drain()
    await s.client.hear(raw.CLOSE)
    await s.client.send(rest)


@event("drain-inside-of-the-clients-frame-without-end", "drain by gateway, 1012", drains=True, is_impatient=True,
       relay=("Close 1012, over", f"{HALF}, over"), bridge=("Close 1012, over", f"{CUT - 14} bytes, end"),
       builtin="Close 1012, over")
async def drain_inside_of_the_clients_frame_without_end(s: Scene):
    s.client.is_silent = True
    await half_to_backend(s)
    await s.drain()


@event("drain-inside-of-the-backends-frame", "drain by gateway, 1012", drains=True,
       relay=(f"{WHOLE}, Close 1012, end", "Close 1001, end"))
async def drain_inside_of_the_backends_frame(s: Scene):
    rest = await half_to_client(s)
    await s.drain()
    await s.backend.hear(raw.CLOSE)
    await s.backend.send(rest)


@event("drain-inside-of-the-backends-frame-without-end", "drain by gateway, none", drains=True, is_impatient=True,
       relay=(f"{HALF}, over", "Close 1001, over"))
async def drain_inside_of_the_backends_frame_without_end(s: Scene):
    s.backend.is_silent = True
    await half_to_client(s)
    await s.drain()


assert len({row.name for row in ROWS}) == len(ROWS)
