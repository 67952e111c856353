"""A TCP server at the other end of a cable, for test_cable.py: it echoes, and is killed with the process that started it.

Usage: cable_server.py ADDRESS PORT READY, in a network namespace of its own. Once it listens, it writes its process id to READY, a FIFO."""

import asyncio
import os
import sys


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main(address: str, port: str, ready: str):
    server = await asyncio.start_server(echo, address, int(port))
    with open(ready, "w") as fifo:
        print(os.getpid(), file=fifo)
    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
