"""What good clients wait for: each message that was sent, in its order, byte by byte."""

import collections

from wire import Wrong


class Echoes:
    """The messages that come back to one session: the same ones in the same order."""

    def __init__(self):
        self._awaited = collections.deque()

    def sent(self, due: float, phase, data: bytes) -> bytes:
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

    def sent(self, due: float, phase, data: bytes) -> bytes:
        data = self._number.to_bytes(4, "big") + data
        for member in self._room.members:
            member._from[self._number].sent(due, phase, data)
        return data

    def received(self, data: bytes):
        yield from self._from[int.from_bytes(data[:4], "big")].received(data)

    @property
    def missing(self) -> int:
        return sum(echoes.missing for echoes in self._from.values())
