"""Endpoints with a host name that moves, and a reload. The system's resolver answers, from the test's hosts file in a mount
namespace."""

import asyncio
import subprocess

import pytest
from websockets.exceptions import InvalidStatus

from gateway_process import Gateway, within
from peers import client

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def needs_namespaces():
    """Skips if this user may not make namespaces, as in some containers."""
    try:
        made = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs unshare(1)")
    if made.returncode != 0:
        pytest.skip(f"needs a mount namespace, which is not allowed here: {made.stderr.strip()}")


class Hosts:
    """A hosts file that a gateway sees instead of /etc/hosts. It has no other source of names."""

    def __init__(self, folder):
        self.file = folder / "hosts"
        self.switch = folder / "nsswitch.conf"
        self.switch.write_text("hosts: files\n")
        self.say("")

    def say(self, line: str):
        # In place: what was mounted is this file, not its name.
        self.file.write_text(line + "\n")

    @property
    def wrapper(self) -> tuple:
        script = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'
        return (*NAMESPACE, "sh", "-c", script, "sh", str(self.file), str(self.switch))


class Greeters:
    """Two TCP servers at one port, on 127.0.0.1 and 127.0.0.2. Each sends its address."""

    async def __aenter__(self):
        self.servers = [await asyncio.start_server(self.greet(b"1"), "127.0.0.1", 0)]
        self.port = self.servers[0].sockets[0].getsockname()[1]
        self.servers.append(await asyncio.start_server(self.greet(b"2"), "127.0.0.2", self.port))
        return self

    @staticmethod
    def greet(name: bytes):
        async def handle(_, writer):
            writer.write(name)
            await writer.drain()
            writer.close()

        return handle

    async def __aexit__(self, *error):
        for server in self.servers:
            server.close()


async def greeting(gateway: Gateway) -> bytes | int:
    """What the server says, or the status of the refusal."""
    try:
        async with client(gateway.ws("/tcp")) as socket:
            return await within(socket.recv())
    except InvalidStatus as refusal:
        return refusal.response.status_code


def bridge(servers: Greeters, hosts: Hosts) -> Gateway:
    # The names are looked up at start. Then for a day only the tested look-ups happen.
    return Gateway(
        routes=[{"path": "/tcp", "backend": "tcp"}], backends={"tcp": {"tcp": [f"greeter.test:{servers.port}"]}},
        names={"refresh": "24h"}, wrapper=hosts.wrapper)


async def test_a_reload_asks_where_a_name_moved(tmp_path):
    needs_namespaces()
    hosts = Hosts(tmp_path)
    hosts.say("127.0.0.2 greeter.test")
    async with Greeters() as servers, bridge(servers, hosts) as gateway:
        assert await greeting(gateway) == b"2"
        hosts.say("127.0.0.1 greeter.test")
        assert await greeting(gateway) == b"2"
        await gateway.reload()
        assert await greeting(gateway) == b"1"


async def test_a_reload_asks_for_a_name_that_was_not_found(tmp_path):
    needs_namespaces()
    hosts = Hosts(tmp_path)
    async with Greeters() as servers, bridge(servers, hosts) as gateway:
        assert await greeting(gateway) == 502
        hosts.say("127.0.0.1 greeter.test")
        await gateway.reload()
        assert await greeting(gateway) == b"1"


async def test_a_name_that_was_not_found_is_asked_for_again(tmp_path):
    needs_namespaces()
    hosts = Hosts(tmp_path)
    async with Greeters() as servers, bridge(servers, hosts) as gateway:
        assert await greeting(gateway) == 502
        hosts.say("127.0.0.1 greeter.test")
        await gateway.event("resolved")
        assert await greeting(gateway) == b"1"
