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

import wire
from children import Orders, Site

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


class Wrong(Exception):
    """Bytes came that were never sent."""


def payload() -> bytes:
    size = int(SMALLEST * (LARGEST / SMALLEST) ** random.random())
    start = random.randrange(len(POOL) - size)
    return POOL[start : start + size]


class Session:
    """A client's side of one session, from connecting to its Close."""

    def __init__(self, kind: str, address: tuple[str, int], path: str, *, secure: bool, due: float, phase: Phase):
        self.kind, self.due, self.phase = kind, due, phase
        self.is_open = False
        self.channel = wire.Channel(address, secure=secure)
        self.channel.write(wire.upgrade(path))
        self.events = 0
        self._head = bytearray()
        self._frames = wire.Frames()

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


class Echoes:
    """The messages that come back to one session: the same ones in the same order."""

    def __init__(self):
        self._awaited = collections.deque()

    def sent(self, due: float, phase: Phase, data: bytes) -> bytes:
        self._awaited.append((due, phase, data))
        return data

    def received(self, data: bytes):
        """For each message that is whole now, when it was due and in which phase."""
        if not self._awaited:
            raise Wrong("a message that was never sent")
        due, phase, expected = self._awaited.popleft()
        if data != expected:
            raise Wrong(f"{len(data)} bytes that differ from the {len(expected)} sent")
        yield due, phase

    @property
    def missing(self) -> int:
        return len(self._awaited)


class Stream(Echoes):
    """A bridge to TCP keeps the bytes, not the ends of messages."""

    def __init__(self):
        super().__init__()
        self._data = bytearray()

    def received(self, data: bytes):
        self._data += data
        while self._awaited and len(self._data) >= len(self._awaited[0][2]):
            size = len(self._awaited[0][2])
            whole = bytes(self._data[:size])
            del self._data[:size]
            yield from super().received(whole)
        if self._data and not self._awaited:
            raise Wrong("bytes that were never sent")


class Room:
    """A room's members; each gets the messages of each member in order."""

    def __init__(self):
        self.members: list["Member"] = []

    def join(self) -> "Member":
        self.members.append(Member(self, len(self.members)))
        return self.members[-1]


class Member:
    def __init__(self, room: Room, number: int):
        self._room, self._number = room, number
        self._from: dict[int, Echoes] = collections.defaultdict(Echoes)

    def sent(self, due: float, phase: Phase, data: bytes) -> bytes:
        data = self._number.to_bytes(4, "big") + data
        for member in self._room.members:
            member._from[self._number].sent(due, phase, data)
        return data

    def received(self, data: bytes):
        yield from self._from[int.from_bytes(data[:4], "big")].received(data)

    @property
    def missing(self) -> int:
        return sum(echoes.missing for echoes in self._from.values())


class Good:
    def __init__(self, orders: Orders, site: Site, plan: Plan):
        self.orders, self.site, self.plan = orders, site, plan
        self.epoll = select.epoll()
        self.epoll.register(orders.fileno(), select.EPOLLIN)
        self.sessions: dict[int, Session] = {}
        self.checks: dict[Session, Echoes | Member] = {}
        self.fresh: set[Session] = set()
        self.phases = {"warm-up": Phase()}
        self.phase = self.phases["warm-up"]
        self.report = Report(self.phases, 0, 0, 0, 0, [])
        # When a message of a session, or (None) a new session, is due.
        self.due: list[tuple[float, int, Session | None]] = []
        self.turns = itertools.count()

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
            kind = ("relay", "bridge", "echo", "room")[number % 4]
            secure = number // 4 % 2 == 1
            path = f"/{kind}"
            if kind == "room":
                # Neighbours share one, with TLS and without.
                place = number // 4
                if place % ROOM_OF == 0:
                    rooms.append(Room())
                path += f"/good-{place // ROOM_OF}"
                check = rooms[-1].join()
            else:
                check = Stream() if kind == "bridge" else Echoes()
            session = self.open(f"{kind} {'wss' if secure else 'ws'}", path, secure, time.monotonic())
            self.checks[session] = check
        end = time.monotonic() + OPENING
        while not all(session.is_open for session in self.checks):
            self.serve(0.1)
            if time.monotonic() > end or self.report.lost_sessions:
                raise Wrong("the good sessions did not open: " + "; ".join(self.report.reasons or ["too slow"]))

    def open(self, kind: str, path: str, secure: bool, due: float) -> Session:
        session = Session(kind, self.site.address(secure), path, secure=secure, due=due, phase=self.phase)
        session.events = select.EPOLLIN | select.EPOLLOUT
        self.epoll.register(session.channel.fileno(), session.events)
        self.sessions[session.channel.fileno()] = session
        return session

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
                session.send(wire.BINARY, self.checks[session].sent(due, self.phase, payload()))
                self.report.messages += 1
                self.flush(session)
                heapq.heappush(self.due, (due + self.plan.pace, number, session))
            now = time.monotonic()
        for session in [session for session in self.fresh if not session.is_open and now - session.due > OPENING]:
            self.lose(session, f"not open after {OPENING:g} s")

    def open_fresh(self, due: float):
        secure = next(self.turns) % 2 == 1
        kind = "fresh wss" if secure else "fresh ws"
        try:
            self.fresh.add(self.open(kind, "/echo", secure, due))
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

    def read(self, session: Session):
        try:
            was_open = session.is_open
            messages = session.receive()
            now = time.monotonic()
            if session in self.fresh:
                if session.is_open and not was_open:
                    session.phase.openings.append(now - session.due)
                    session.send(wire.BINARY, b"fresh")
                if messages:
                    if messages != [b"fresh"]:
                        raise Wrong(f"{messages}, but \"fresh\" was sent")
                    # Its Close is the last thing that comes.
                    session.send(wire.CLOSE, (1000).to_bytes(2, "big"))
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

    def flush(self, session: Session):
        try:
            session.channel.send()
        except OSError as error:
            return self.lose(session, str(error))
        events = select.EPOLLIN | (select.EPOLLOUT if session.channel.is_waiting else 0)
        if events != session.events:
            session.events = events
            self.epoll.modify(session.channel.fileno(), events)

    def drop(self, session: Session):
        del self.sessions[session.channel.fileno()]
        session.channel.close()

    def lose(self, session: Session, reason: str):
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
        for session in self.checks:
            session.send(wire.CLOSE, (1000).to_bytes(2, "big"))
            self.flush(session)


def good(orders: Orders, site: Site, plan: Plan) -> Report:
    report = Good(orders, site, plan).run()
    report.phases.pop("warm-up")
    return report
