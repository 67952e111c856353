"""The client that the suite's fuzzing server tests, with Python's `websockets`: client.py URL AGENT.

It asks for the number of cases, echoes what it is sent in each of them, and asks for the reports.
"""

import asyncio
import os
import sys

# The suite sends messages of 65,536 frames. Read when the package is imported.
os.environ["WEBSOCKETS_MAX_FRAGMENTS"] = "100000"

from websockets.asyncio.client import connect  # noqa: E402
from websockets.exceptions import WebSocketException  # noqa: E402


def connection(url: str):
    return connect(url, compression="deflate", max_size=64 << 20, ping_interval=None, open_timeout=30, proxy=None)


async def run(url: str):
    """One case. What is wrong with it is the suite's to say."""
    try:
        async with connection(url) as socket:
            async for message in socket:
                await socket.send(message)
    except (WebSocketException, OSError):
        pass


async def main(url: str, agent: str):
    async with connection(f"{url}/getCaseCount") as socket:
        count = int(await socket.recv())
    for number in range(1, count + 1):
        await run(f"{url}/runCase?case={number}&agent={agent}")
    await run(f"{url}/updateReports?agent={agent}")


asyncio.run(main(sys.argv[1], sys.argv[2]))
