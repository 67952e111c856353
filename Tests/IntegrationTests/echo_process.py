"""A WebSocket server in a process of its own, to be stopped and killed. It echoes.

Usage: echo_process.py [PORT]; it prints the port.
"""

import asyncio
import contextlib
import socket
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def echo(connection):
    # A client may go while it is being answered.
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


async def main():
    sock = socket.socket()
    # Whoever reserves the port for us has it, too, and does not listen.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    async with serve(echo, sock=sock, ping_interval=None) as server:
        print(f"listening on {sock.getsockname()[1]}", flush=True)
        await server.serve_forever()


asyncio.run(main())
