"""What a scenario is."""

import collections
import dataclasses
import pathlib
import typing

import children
import crowd


@dataclasses.dataclass(frozen=True)
class Attacker:
    """A process: `work(orders, site, *arguments)` says that it is ready once the attack is under way, goes on until it is told to
    stop, and returns counts.

    Those that begin with "worst" are of the worst process, others are added up. "lost messages" and "lost sessions" are those
    of good sessions, which some bring with them.
    """

    work: typing.Callable[..., collections.Counter]
    arguments: tuple = ()
    # Attackers only get the processor time that the gateway and the good sessions leave.
    nice: int = 15

    def start(self, site: children.Site) -> children.Child:
        return children.Child(self.work.__name__, self.work, site, *self.arguments, nice=self.nice)


def clients(*members: tuple[int, crowd.Kind], block: int = 1) -> Attacker:
    """A process with clients of each kind."""
    return Attacker(crowd.crowd, (list(members), block))


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    what: str
    attackers: tuple[Attacker, ...]
    # Keys of the configuration besides those of every scenario, or instead of them.
    configuration: dict = dataclasses.field(default_factory=dict)
    # Makes the TLS listener's certificate in the gateway's folder; returns the listener's keys of `tls`.
    certificate: typing.Callable[[pathlib.Path], dict] | None = None
    # How many descriptors the gateway may have open.
    descriptors: int | None = None
    # What attackers must not count.
    never: tuple[str, ...] = ()
