"""Many clients of one kind in one process. A client that is closed comes back."""

import collections
import dataclasses
import itertools
import select
import ssl
import typing
from time import monotonic as now

import wire
from children import Orders, Site

# After so many seconds the attack counts as begun, whether or not the gateway let all clients in.
STARTING = 20.0


@dataclasses.dataclass(frozen=True)
class Kind:
    """What each client does."""

    path: str = "/echo"
    # The gateway's listener, or its admin address, and whether the client speaks TLS there.
    at: str = "plain"
    tls: bool = False
    # What is sent first of all, before TLS.
    before: bytes = b""
    # More lines of its request head.
    fields: str = ""
    # Makes its request head instead of these.
    request: typing.Callable[[], bytes] | None = None
    # What is sent instead of a head; such a client waits for no answer and is open at once.
    instead: typing.Callable[[], bytes] | bytes | None = None
    # Once the client is open: first this, then one byte of that at a time, and in the end that repeatedly.
    first: typing.Callable[[], bytes] | bytes = b""
    drip: typing.Callable[[], bytes] | bytes = b""
    forever: bytes = b""
    # Seconds between two of them; 0: as fast as they are accepted.
    every: float = 0
    # Whether it reads once it is open.
    reads: bool = True
    # Whether it ends as soon as anything was answered, and whether it ends with a reset.
    ends_with_answer: bool = False
    resets: bool = False
    # The first three numbers of the clients' addresses (without it those of the process), and how many addresses they have.
    network: str = ""
    addresses: int = 25
    # New clients per second.
    rate: int = 1000


def made(data: typing.Callable[[], bytes] | bytes) -> bytes:
    return data() if callable(data) else data


class Client:
    def __init__(self, kind: Kind, site: Site, source: str):
        self.kind = kind
        self.channel = wire.Channel(
            site.address(kind.at), secure=kind.tls, source=source, buffer=None if kind.reads else 4096, before=kind.before)
        self.is_open = kind.instead is not None
        if self.is_open:
            self.channel.write(made(kind.instead))
        else:
            self.channel.write(kind.request() if kind.request else wire.upgrade(kind.path, kind.fields))
        self.next = 0.0
        self.events = 0
        self.status = ""
        self._drip = memoryview(made(kind.drip))
        self._head = bytearray()

    def receive(self) -> int:
        """How many bytes came. They are only parsed until the session is open."""
        if self.is_open:
            return self.channel.discard()
        data = self.channel.receive()
        self._head += data
        if b"\r\n\r\n" in self._head:
            self.status = self._head[:12].decode("latin-1")[9:]
            if self.kind.ends_with_answer or self.status != "101":
                raise EOFError
            self.is_open = True
            self.channel.write(made(self.kind.first))
        return len(data)

    def refill(self):
        """Sends again if it is time. A client that has sent all its single bytes ends, unless it has more."""
        if not self.is_open or not (self.kind.forever or self.kind.drip) or self.channel.is_waiting:
            return
        if self.kind.every:
            if now() < self.next:
                return
            self.next = now() + self.kind.every
        if self._drip:
            self.channel.write(bytes(self._drip[:1]))
            self._drip = self._drip[1:]
        elif self.kind.forever:
            self.channel.write(self.kind.forever)
        else:
            raise EOFError

    @property
    def wanted(self) -> int:
        events = select.EPOLLRDHUP
        if self.kind.reads or not self.is_open:
            events |= select.EPOLLIN
        if self.channel.is_waiting or (self.is_open and (self.kind.forever or self.kind.drip) and not self.kind.every):
            events |= select.EPOLLOUT
        return events


def crowd(orders: Orders, site: Site, members: list[tuple[int, Kind]], block: int = 1) -> collections.Counter:
    """Keeps up clients of each kind until it is told to stop; `block` is the second number of their addresses."""
    epoll = select.epoll()
    epoll.register(orders.fileno(), select.EPOLLIN)
    clients: dict[int, Client] = {}
    counts = collections.Counter()
    missing = [[kind, count, 0.0, itertools.count()] for count, kind in members]
    total, is_ready, start, swept = sum(count for count, _ in members), False, now(), 0.0

    def open_some():
        time = now()
        for row in missing:
            kind, count, allowed_at, number = row
            # A few at a time, so that connected ones are served in between.
            for _ in range(min(count, 20)):
                if time < allowed_at:
                    break
                allowed_at = max(allowed_at, time - 0.05) + 1 / kind.rate
                try:
                    client = Client(kind, site, f"{kind.network or f'127.{block}.1'}.{next(number) % kind.addresses + 1}")
                except OSError:
                    break
                row[1] -= 1
                counts["connections"] += 1
                clients[client.channel.fileno()] = client
                client.events = client.wanted
                epoll.register(client.channel.fileno(), client.events)
            row[2] = allowed_at

    def end(client: Client):
        counts["bytes sent"] += client.channel.sent
        del clients[client.channel.fileno()]
        if client.kind.resets:
            client.channel.reset()
        else:
            client.channel.close()
        counts["ended"] += 1
        if client.status:
            counts[f"answered {client.status}"] += 1
        for row in missing:
            if row[0] is client.kind:
                row[1] += 1

    def serve(client: Client, event: int):
        try:
            if event & select.EPOLLIN:
                counts["bytes received"] += client.receive()
            elif event & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR):
                return end(client)
            client.refill()
            client.channel.send()
        except (OSError, EOFError, ssl.SSLError):
            return end(client)
        if (wanted := client.wanted) != client.events:
            client.events = wanted
            epoll.modify(client.channel.fileno(), wanted)

    while not orders.stopping():
        open_some()
        if not is_ready:
            there = sum(client.is_open for client in clients.values())
            if there + counts["ended"] >= total or now() - start > STARTING:
                is_ready = True
                orders.ready()
        wait = 0.005 if any(row[1] for row in missing) else 0.05
        for descriptor, event in epoll.poll(wait):
            if client := clients.get(descriptor):
                serve(client, event)
        if now() - swept > 0.05:
            swept = now()
            for client in [client for client in clients.values() if client.kind.every and client.is_open]:
                serve(client, 0)
    counts["open at the end"] = sum(client.is_open for client in clients.values())
    for client in clients.values():
        counts["bytes sent"] += client.channel.sent
        client.channel.close()
    return counts
