"""Runs a table of ways in which sessions end: many at once through one gateway. Records what both sides and the log saw of each."""

import asyncio
import contextlib
import dataclasses
import signal
import ssl
from collections.abc import Awaitable, Callable

import raw
from certificates import Authority
from gateway_process import Gateway, insecure, within
from wire import Peer

BUILTINS = {"echo": {"builtin": "echo"}, "broadcast": {"builtin": "broadcast"}, "clock": {"builtin": "clock", "every": "10ms"}}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What both sides and the log saw. A side that left without looking, or is not there, has "-"."""

    client: str
    backend: str
    log: str
    detail: str = ""

    def allows(self, seen: "Outcome") -> bool:
        """Whether this outcome fits the expected one. "over" permits an end without close_notify; {detail} is the log's."""
        return self.log == seen.log and all(
            self._allows(getattr(self, side).replace("{detail}", seen.detail), getattr(seen, side))
            for side in ("client", "backend")
        )

    @staticmethod
    def _allows(expected: str, seen: str) -> bool:
        if expected.endswith("over"):
            return seen in [expected.removesuffix("over") + end for end in ("end", "cut")]
        return expected == seen


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    kind: str
    client: str
    backend: str | None
    # What happens, told the two peers; what they do after that is polite.
    script: Callable[["Scene"], Awaitable]
    # Each of these is a permitted outcome. There are several if the order of two events is not determined.
    expected: tuple[Outcome, ...]
    # The session waits for a peer until `timeouts.close` is over.
    is_impatient: bool = False
    drains: bool = False
    # Words of the log's `detail`.
    why: str = ""
    # Keys of the route and of the backend.
    route: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)
    extensions: str | None = None

    @property
    def path(self) -> str:
        return f"/{self.name}"

    def check(self, outcome: Outcome | Exception):
        if isinstance(outcome, Exception):
            raise outcome
        assert any(expected.allows(outcome) for expected in self.expected), f"{outcome}\nnot {self.expected}"
        assert self.why in outcome.detail


@dataclasses.dataclass
class Scene:
    """An open session with both of its peers."""

    row: Row
    client: Peer
    backend: Peer | None
    # Waits until all sessions of the gateway are ready for it, and has it drained.
    drain: Callable[[], Awaitable]


class Draining:
    """Sends SIGTERM to the gateway when all sessions are ready for it."""

    def __init__(self, gateway: Gateway, count: int):
        self.gateway = gateway
        self.missing = count
        self.begun = asyncio.Event()

    def arrive(self):
        self.missing -= 1
        if self.missing == 0:
            self.gateway.signal(signal.SIGTERM)
            self.begun.set()

    async def __call__(self):
        self.arrive()
        await within(self.begun.wait())


class Endpoint:
    """The server of one row. It accepts one connection."""

    def __init__(self, row: Row, authority: Authority, context: ssl.SSLContext):
        self.row = row
        self.authority = authority
        self.context = context if row.backend in ("wss", "tls") else None
        self.connections: asyncio.Queue = asyncio.Queue()

    async def start(self):
        self.server = await asyncio.start_server(lambda *streams: self.connections.put_nowait(streams), "127.0.0.1", 0)

    def configuration(self) -> dict:
        address = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        tls = {"tls": {"ca": str(self.authority.file)}} if self.context else {}
        scheme = {"ws": "ws://", "wss": "wss://", "tcp": "", "tls": "tls://"}[self.row.backend]
        return {"websocket" if self.row.kind == "relay" else "tcp": [scheme + address], **tls, **self.row.settings}

    async def accept(self) -> Peer:
        peer = Peer(*await within(self.connections.get()), is_client=False)
        if self.context:
            await peer.start_tls(self.context)
        if self.row.kind == "relay":
            fields = dict(line.split(": ", 1) for line in (await peer.head())[1:])
            answer = [
                "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                f"Sec-WebSocket-Accept: {raw.accept_key(fields['Sec-WebSocket-Key'])}",
            ]
            if extensions := fields.get("Sec-WebSocket-Extensions"):
                answer.append(f"Sec-WebSocket-Extensions: {extensions}")
            await peer.send("\r\n".join([*answer, "", ""]).encode())
        return peer


async def connect(row: Row, gateway: Gateway, context: ssl.SSLContext) -> Peer:
    address = gateway.secure if row.client == "wss" else gateway.plain
    peer = Peer(*await asyncio.open_connection(*address), is_client=True)
    if row.client == "wss":
        await peer.start_tls(context)
    extra = [f"Sec-WebSocket-Extensions: {row.extensions}"] if row.extensions else []
    await peer.send(raw.upgrade(row.path, *extra))
    line, *_ = await peer.head()
    assert line.startswith("HTTP/1.1 101 "), line
    return peer


def seen(peer: Peer | None, *, is_clock: bool = False) -> str:
    if not peer:
        return "-"
    items = list(peer.seen)
    while is_clock and items and items[0].startswith("text 20"):
        # The time, until the session begins to end.
        del items[0]
    return ", ".join(items) or "-"


class Table:
    """Runs rows, many at once, through one gateway."""

    # As many sessions at once as leaves everyone's answers in time.
    AT_ONCE = 24

    def __init__(self, rows: list[Row], authority: Authority):
        self.rows = rows
        server_context, self.client_context = authority.issue("127.0.0.1").server_context(), insecure()
        self.endpoints = {row.name: Endpoint(row, authority, server_context) for row in rows if row.backend}
        self.opening = asyncio.Semaphore(self.AT_ONCE)
        # A drain has to find all sessions.
        self.playing = asyncio.Semaphore(len(rows) if rows[0].drains else self.AT_ONCE)

    def configuration(self) -> dict:
        routes = [
            {
                "path": row.path, "name": row.name, "backend": row.name if row.backend else row.kind,
                "timeouts": {"close": "400ms" if row.is_impatient else "15s"}, **row.route,
            }
            for row in self.rows
        ]
        servers = {name: endpoint.configuration() for name, endpoint in self.endpoints.items()}
        return {"routes": routes, "backends": {**BUILTINS, **servers}, "defaults": {"heartbeat": "off"}}

    async def play(self) -> dict[str, Outcome | Exception]:
        async with contextlib.AsyncExitStack() as stack:
            for endpoint in self.endpoints.values():
                await endpoint.start()
                stack.callback(endpoint.server.close)
            self.gateway = await stack.enter_async_context(Gateway(**self.configuration()))
            self.drain = Draining(self.gateway, len(self.rows))
            outcomes = await asyncio.gather(*map(self._outcome, self.rows))
        return {row.name: outcome for row, outcome in zip(self.rows, outcomes)}

    async def _outcome(self, row: Row) -> Outcome | Exception:
        async with self.playing:
            try:
                return await self._play(row)
            except Exception as error:
                if row.drains and not self.drain.begun.is_set():
                    self.drain.arrive()
                return error

    async def _play(self, row: Row) -> Outcome:
        async with contextlib.AsyncExitStack() as stack:
            async with self.opening:
                peers = await self._open(row)
            for peer in peers:
                stack.callback(peer.abort)
            client, backend = (*peers, None)[:2]
            await row.script(Scene(row, client, backend, self.drain))
            following = [client.follow(), *([backend.follow(frames=row.kind == "relay")] if backend else [])]
            record, *_ = await asyncio.gather(self.gateway.closed(route=row.name), *following)
        ending = f"{record['cause']} by {record['by']}, {record['code']}"
        return Outcome(seen(client, is_clock=row.kind == "clock"), seen(backend), ending, record.get("detail", ""))

    async def _open(self, row: Row) -> list[Peer]:
        endpoint = self.endpoints.get(row.name)
        opening = [connect(row, self.gateway, self.client_context), *([endpoint.accept()] if endpoint else [])]
        return await asyncio.gather(*opening)


async def play_all(rows: list[Row], authority: Authority) -> dict[str, Outcome | Exception]:
    """The outcome of each row. Rows that drain share one gateway, the others another."""
    outcomes = {}
    for drains in (False, True):
        if chosen := [row for row in rows if row.drains is drains]:
            outcomes |= await Table(chosen, authority).play()
    return outcomes


def play_asked_for(request, authority: Authority) -> dict[str, Outcome | Exception]:
    """The outcomes of the rows that the selected tests need. For a fixture of a module with tests that have a parameter `row`."""
    rows = [item.callspec.params["row"] for item in request.session.items if item.path == request.path]
    return asyncio.run(play_all(rows, authority))
