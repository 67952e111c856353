"""Memory of an idle session."""

import pathlib
import resource

from traffic import ECHO, RELAY, TLS_RELAY, traffic

FEW, MANY = 500, 2500
UNIT = "bytes per idle session (growth of the PSS)"


async def measure() -> dict[str, float]:
    # Both sides of all sessions are in this process.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return {kind: await growth(kind) for kind in (RELAY, TLS_RELAY, ECHO)}


async def growth(kind: str) -> float:
    async with traffic(kind) as sessions:
        await sessions.open(FEW)
        few = proportional_set_size(sessions.gateway.process.pid)
        await sessions.open(MANY - FEW)
        many = proportional_set_size(sessions.gateway.process.pid)
    return (many - few) / (MANY - FEW)


def proportional_set_size(process: int) -> int:
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) << 10
