"""Sends every message back, with Python's `websockets`. Prints its port."""

import asyncio
import logging
import os

# The suite sends messages of 65,536 frames. Read when the package is imported.
os.environ["WEBSOCKETS_MAX_FRAGMENTS"] = "100000"

from websockets.asyncio.server import ServerConnection, serve  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402


async def echo(connection: ServerConnection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosed:
        pass


async def main():
    logging.disable(logging.CRITICAL)
    async with serve(echo, "127.0.0.1", 0, compression="deflate", max_size=64 << 20, ping_interval=None) as server:
        print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
