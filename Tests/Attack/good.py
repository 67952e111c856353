"""The good sessions: they send at a fixed pace and check every byte that comes back.

A round trip is counted from the time at which the message should have been sent, so that what waits is counted in full.
"""

import collections
import dataclasses
import heapq
import itertools
import random
import select
import time
import typing

import configuration
import wire
from children import Orders, Site
from echoes import Echoes, Member, Room, Stream
from wire import Wrong

SMALLEST, LARGEST = 64, 4096
POOL = random.randbytes(1 << 20)
ROOM_OF = 5
# A new session that is not open by then has failed.
OPENING = 15.0
# How long the last messages may take to come back.
RETURNING = 15.0


@dataclasses.dataclass(frozen=True)
class Plan:
    sessions: int = 200
    # Clients that keep a connection for plain requests.
    requesters: int = 20
    # Seconds from one message of a session to its next.
    pace: float = 0.25
    # Seconds from one fresh session to the next.
    fresh: float = 0.2


@dataclasses.dataclass
class Phase:
    """Times in seconds of the messages that were due in it."""

    trips: dict[str, list[float]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    openings: list[float] = dataclasses.field(default_factory=list)
    # How late messages were sent, because of this process or the machine, not of the gateway.
    late: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Report:
    phases: dict[str, Phase]
    messages: int
    lost_messages: int
    lost_sessions: int
    failed_openings: int
    # What happened to the first few failed sessions.
    reasons: list[str]


def payload() -> bytes:
    size = int(SMALLEST * (LARGEST / SMALLEST) ** random.random())
    start = random.randrange(len(POOL) - size)
    return POOL[start : start + size]


class Client:
    """A good client's connection. `listener` is the gateway's; `address` ends the client's own, on which limits count."""

    def __init__(self, kind: str, site: Site, listener: str, address: str, *, due: float, phase: Phase):
        self.kind, self.due, self.phase = f"{kind} {listener}", due, phase
        is_behind = listener == "proxy"
        self.channel = wire.Channel(
            site.address(listener), secure=listener == "secure",
            source=f"{configuration.PROXIES}.1" if is_behind else f"127.0.{address}",
            before=wire.proxy_header(f"198.18.{address}") if is_behind else b"",
        )
        self.events = 0


class Session(Client):
    """A client's side of one session, from connecting to its Close."""

    def __init__(self, kind: str, path: str, *where, fields: str = "", **when):
        super().__init__(kind, *where, **when)
        self.is_open = False
        self.channel.write(wire.upgrade(path, fields))
        self._head = bytearray()
        self._frames = wire.Frames()

    def say(self, data: bytes):
        self.send(wire.BINARY, data)

    def end(self):
        self.send(wire.CLOSE, (1000).to_bytes(2, "big"))

    def send(self, opcode: int, data: bytes):
        self.channel.write(wire.frame(opcode, data, key=random.randbytes(4)))

    def receive(self) -> list[bytes]:
        """The messages that came; EOFError after a Close."""
        data = self.channel.receive()
        if not self.is_open:
            self._head += data
            head, end, data = bytes(self._head).partition(b"\r\n\r\n")
            if not end:
                return []
            if not head.startswith(b"HTTP/1.1 101 "):
                raise Wrong(head.split(b"\r\n")[0].decode("latin-1"))
            self.is_open = True
        self._frames.add(data)
        messages = []
        for first, data in self._frames:
            opcode = first & 0x0F
            if first == wire.FIN | wire.BINARY:
                messages.append(data)
            elif opcode == wire.PING:
                self.send(wire.PONG, data)
            elif opcode == wire.CLOSE:
                raise EOFError(f"Close {int.from_bytes(data[:2], 'big')} {data[2:].decode(errors='replace')}")
            elif opcode != wire.PONG:
                raise Wrong(f"a frame that begins with {first:#x}")
        return messages


class Requester(Client):
    """A client that keeps its connection and posts one body after the other. Each comes back as the body of its answer."""

    is_open = True

    def __init__(self, *where, **when):
        super().__init__("plain", *where, **when)
        self._data = bytearray()

    def say(self, data: bytes):
        self.channel.write(f"POST /plain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

    def end(self):
        """It just leaves."""

    def receive(self) -> list[bytes]:
        """The bodies that came."""
        self._data += self.channel.receive()
        bodies = []
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            status, *lines = bytes(self._data[:end]).decode("latin-1").split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines)
            if status != "HTTP/1.1 200 OK" or "content-length" not in fields:
                raise Wrong(f"the answer {status}")
            start, count = end + 4, int(fields["content-length"])
            if len(self._data) < start + count:
                break
            bodies.append(bytes(self._data[start : start + count]))
            del self._data[: start + count]
        return bodies


def fresh_kinds() -> list[tuple[str, str, str]]:
    """What new sessions ask for: a name, a path, and a line of the head that shows a credential."""
    return [
        ("fresh", "/echo", ""),
        ("fresh with a password", "/password", configuration.basic("good", configuration.PASSWORD)),
        ("fresh with a signed token", "/signed", configuration.bearer(configuration.signed(configuration.KEY))),
        ("fresh with a token", f"/token?token={configuration.TOKEN}", ""),
    ]


class Good:
    def __init__(self, orders: Orders, site: Site, plan: Plan):
        self.orders, self.site, self.plan = orders, site, plan
        self.epoll = select.epoll()
        self.epoll.register(orders.fileno(), select.EPOLLIN)
        self.sessions: dict[int, Client] = {}
        self.checks: dict[Client, Echoes | Member] = {}
        self.fresh: set[Session] = set()
        self.phases = {"warm-up": Phase()}
        self.phase = self.phases["warm-up"]
        self.report = Report(self.phases, 0, 0, 0, 0, [])
        # When a message of a session, or (None) a new session, is due.
        self.due: list[tuple[float, int, Client | None]] = []
        self.turns = itertools.count()
        self.fresh_kinds = fresh_kinds()

    def run(self) -> Report:
        self.open_all()
        self.orders.ready()
        start = time.monotonic()
        for number, session in enumerate(self.checks):
            heapq.heappush(self.due, (start + self.plan.pace * random.random(), number, session))
        heapq.heappush(self.due, (start, -1, None))
        while self.obeys():
            self.act()
            wait = min(self.due[0][0] - time.monotonic(), 0.5) if self.due else 0.5
            # epoll waits for whole milliseconds, so it would be late by half of one on average.
            self.serve(max(0, wait - 0.0005))
        self.finish()
        return self.report

    def open_all(self):
        rooms: list[Room] = []
        for number in range(self.plan.sessions):
            kind, place = ("relay", "bridge", "echo", "room")[number % 4], number // 4
            path = f"/{kind}"
            if kind == "room":
                # Neighbours share one, over different listeners.
                if place % ROOM_OF == 0:
                    rooms.append(Room())
                path += f"/good-{place // ROOM_OF}"
                check = rooms[-1].join()
            else:
                check = Stream() if kind == "bridge" else Echoes()
            self.checks[self.open(place, f"2.{number // 5 + 1}", lambda *where, **when: Session(kind, path, *where, **when))] = check
        for number in range(self.plan.requesters):
            self.checks[self.open(number, f"5.{number + 1}", Requester)] = Echoes()
        end = time.monotonic() + OPENING
        while not all(session.is_open for session in self.checks):
            self.serve(0.1)
            if time.monotonic() > end or self.report.lost_sessions:
                raise Wrong("the good sessions did not open: " + "; ".join(self.report.reasons or ["too slow"]))

    def open(self, number: int, address: str, make: typing.Callable[..., Client], due: float | None = None) -> Client:
        """The client that `make` makes, on a listener that follows from the number."""
        listener = configuration.LISTENERS[number % len(configuration.LISTENERS)]
        client = make(self.site, listener, address, due=time.monotonic() if due is None else due, phase=self.phase)
        client.events = select.EPOLLIN | select.EPOLLOUT
        self.epoll.register(client.channel.fileno(), client.events)
        self.sessions[client.channel.fileno()] = client
        return client

    def act(self):
        """Does what is due."""
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            due, number, session = heapq.heappop(self.due)
            self.phase.late.append(now - due)
            if session is None:
                self.open_fresh(due)
                heapq.heappush(self.due, (due + self.plan.fresh, number, None))
            elif session in self.checks:
                session.say(self.checks[session].sent(due, self.phase, payload()))
                self.report.messages += 1
                self.flush(session)
                heapq.heappush(self.due, (due + self.plan.pace, number, session))
            now = time.monotonic()
        for session in [session for session in self.fresh if not session.is_open and now - session.due > OPENING]:
            self.lose(session, f"not open after {OPENING:g} s")

    def open_fresh(self, due: float):
        turn = next(self.turns)
        kind, path, fields = self.fresh_kinds[turn % len(self.fresh_kinds)]

        def make(*where, **when) -> Session:
            return Session(kind, path, *where, fields=fields, **when)

        try:
            self.fresh.add(self.open(turn // len(self.fresh_kinds), f"4.{turn % 50 + 1}", make, due))
        except OSError as error:
            self.report.failed_openings += 1
            self.say(f"{kind}: {error}")

    def obeys(self) -> bool:
        """Begins the phases that were ordered; false once it has to stop."""
        while order := self.orders.next():
            if order == "stop":
                return False
            self.phase = self.phases.setdefault(order, Phase())
        return True

    def serve(self, seconds: float):
        """Waits for so long and reads what came."""
        for descriptor, _ in self.epoll.poll(seconds):
            if session := self.sessions.get(descriptor):
                self.read(session)
                if descriptor in self.sessions:
                    self.flush(session)

    def read(self, session: Client):
        try:
            was_open = session.is_open
            messages = session.receive()
            now = time.monotonic()
            if session in self.fresh:
                if session.is_open and not was_open:
                    session.phase.openings.append(now - session.due)
                    session.say(b"fresh")
                if messages:
                    if messages != [b"fresh"]:
                        raise Wrong(f"{messages}, but \"fresh\" was sent")
                    # Its Close is the last thing that comes.
                    session.end()
                return
            for data in messages:
                for due, phase in self.checks[session].received(data):
                    phase.trips[session.kind].append(now - due)
        except EOFError as end:
            if session in self.fresh and str(end).startswith("Close 1000"):
                self.fresh.discard(session)
                self.drop(session)
            else:
                self.lose(session, str(end) or "end without a Close")
        except (OSError, Wrong) as error:
            self.lose(session, str(error))

    def flush(self, session: Client):
        try:
            session.channel.send()
        except OSError as error:
            return self.lose(session, str(error))
        events = select.EPOLLIN | (select.EPOLLOUT if session.channel.is_waiting else 0)
        if events != session.events:
            session.events = events
            self.epoll.modify(session.channel.fileno(), events)

    def drop(self, session: Client):
        del self.sessions[session.channel.fileno()]
        session.channel.close()

    def lose(self, session: Client, reason: str):
        self.drop(session)
        if session in self.fresh:
            self.fresh.discard(session)
            self.report.failed_openings += 1
            session.phase.openings.append(time.monotonic() - session.due)
        else:
            self.report.lost_sessions += 1
            self.report.lost_messages += self.checks.pop(session).missing
        self.say(f"{session.kind}: {reason}")

    def say(self, reason: str):
        if len(self.report.reasons) < 5:
            self.report.reasons.append(reason)

    def finish(self):
        """Waits for what was sent, and counts what does not come back."""
        end = time.monotonic() + RETURNING
        while time.monotonic() < end and (self.fresh or any(check.missing for check in self.checks.values())):
            self.serve(0.05)
        self.report.lost_messages += sum(check.missing for check in self.checks.values())
        for session in list(self.checks):
            session.end()
            self.flush(session)


def good(orders: Orders, site: Site, plan: Plan) -> Report:
    report = Good(orders, site, plan).run()
    report.phases.pop("warm-up")
    return report
