"""Peers behind a cable that is pulled: nothing comes from them any more, no FIN and no reset."""

import asyncio
import os
import pathlib
import socket
import subprocess
import sys

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

import raw
from gateway_process import Gateway, until, within
from peers import TCPBackend

NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")

# The gateway's network and the server's are their own, and so are all addresses and ports in them (RFC 5737).
HERE, THERE, PORT = "192.0.2.1", "192.0.2.2", 7000

# The server's namespace belongs to the gateway's, and both end with it. The far end of the cable is the server's.
CABLE = """
set -e
folder=$1; python=$2; server=$3; shift 3
ip link set lo up
mkfifo "$folder/apart" "$folder/go" "$folder/ready"
setpriv --pdeathsig KILL unshare --net sh -c 'echo > "$0/apart"; read line < "$0/go"; exec "$@"' "$folder" \
    "$python" "$server" {there} {port} "$folder/ready" &
read line < "$folder/apart"
ip link add near type veth peer name far
ip link set far netns $!
nsenter --target $! --net ip link set lo up
nsenter --target $! --net ip address add {there}/30 dev far
nsenter --target $! --net ip link set far up
ip address add {here}/30 dev near
ip link set near up
echo > "$folder/go"
read line < "$folder/ready"
echo $line > "$folder/server"
exec "$@"
""".format(here=HERE, there=THERE, port=PORT)


def needs_namespaces():
    """Skips if this user may not make a network namespace, as in some containers."""
    try:
        made = subprocess.run(
            [*NAMESPACE, "sh", "-c", "ip link add near type veth peer name far && unshare --net true"],
            capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("needs unshare(1)")
    if made.returncode != 0:
        pytest.skip(f"needs network namespaces, which are not allowed here: {made.stderr.strip()}")


class Cable:
    """A gateway with a bridge to a server at the other end of a cable, at /tcp of a Unix socket."""

    def __init__(self, folder: pathlib.Path, heartbeat):
        self.folder = folder
        self.path = str(folder / "front.sock")
        server = pathlib.Path(__file__).with_name("cable_server.py")
        self.gateway = Gateway(
            listeners=[{"address": f"unix:{self.path}"}],
            routes=[{"path": "/tcp", "backend": "tcp", "heartbeat": heartbeat}],
            backends={"tcp": {"tcp": [f"{THERE}:{PORT}"]}},
            wrapper=(*NAMESPACE, "sh", "-c", CABLE, "sh", str(folder), sys.executable, str(server)))

    async def __aenter__(self) -> "Cable":
        await self.gateway.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.gateway.__aexit__(*error)

    def client(self):
        return unix_connect(self.path, "ws://gateway/tcp", compression=None, ping_interval=None)

    def pull(self):
        """Nothing gets from one side to the other from now on."""
        self._inside((self.folder / "server").read_text().strip(), "link", "set", "far", "down")

    def lose_the_neighbour(self):
        """Makes the gateway's system forget the server's link address. It asks in vain, and soon reports that there is no route."""
        gateway = str(self.gateway.process.pid)
        self._inside(gateway, "ntable", "change", "name", "arp_cache", "dev", "near", "retrans", "100")
        self._inside(gateway, "neighbour", "flush", "dev", "near")

    @staticmethod
    def _inside(process: str, *arguments: str):
        inside = ("nsenter", "--target", process, "--user", "--preserve-credentials", "--net")
        subprocess.run([*inside, "ip", *arguments], check=True)


async def code_of_close(client) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await within(client.recv())
    return closed.value.rcvd.code


async def test_a_bridge_notices_that_its_server_is_not_there_any_more(tmp_path):
    needs_namespaces()
    async with Cable(tmp_path, {"interval": "2s", "timeout": "1s"}) as cable, cable.client() as client:
        await client.send(b"are you there")
        assert await client.recv() == b"are you there"
        cable.pull()
        assert await code_of_close(client) == 1011
        assert (await cable.gateway.closed())["cause"] == "backend-gone"


async def test_with_something_undelivered_it_has_stalled(tmp_path):
    needs_namespaces()
    async with Cable(tmp_path, {"interval": "2s", "timeout": "1s"}) as cable, cable.client() as client:
        await client.send(b"are you there")
        assert await client.recv() == b"are you there"
        cable.pull()
        await client.send(b"and now")
        assert await code_of_close(client) == 1011
        closed = await cable.gateway.closed()
        assert (closed["cause"], closed["undelivered_to_backend"]) == ("backend-stalled", 7)


async def test_what_a_router_says_is_no_end_of_the_servers(tmp_path):
    needs_namespaces()
    async with Cable(tmp_path, {"interval": "2s", "timeout": "1s"}) as cable, cable.client() as client:
        await client.send(b"are you there")
        assert await client.recv() == b"are you there"
        cable.pull()
        cable.lose_the_neighbour()
        await client.send(b"and now")
        assert await code_of_close(client) == 1011
        closed = await cable.gateway.closed()
        assert (closed["cause"], closed["detail"]) == ("backend-stalled", "No route to host")


async def test_a_server_that_is_only_quiet_is_left_alone(tmp_path):
    needs_namespaces()
    async with Cable(tmp_path, {"interval": "1s", "timeout": "1s"}) as cable:
        async with raw.Connection(*await asyncio.open_unix_connection(cable.path)) as client:
            await client.send(raw.upgrade("/tcp"))
            assert (await client.response()).status == 101
            # The pings that the client gets show how time goes by: its server is asked as often.
            for _ in range(4):
                ping = await client.frame()
                assert ping.opcode == raw.PING
                await client.send(raw.frame(raw.PONG, ping.payload))
            await client.send(raw.frame(raw.BINARY, b"are you there"))
            assert (await client.frame()).payload == b"are you there"


# What the kernel is told, in any network


async def keepalive(local: int, remote: int) -> float | None:
    """Seconds until the kernel's next keepalive for the connection between these ports (proc(5), /proc/net/tcp); `None`: never."""
    # One timer is shown: while an acknowledgement is awaited, that of TCP.
    kind, ticks = await until(lambda: timer if (timer := shown_timer(local, remote))[0] != "01" else None)
    return int(ticks, 16) / os.sysconf("SC_CLK_TCK") if kind == "02" else None


def shown_timer(local: int, remote: int) -> list[str]:
    """The kind of the timer, and its remaining ticks in hexadecimal."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if tuple(int(address.split(":")[1], 16) for address in fields[1:3]) == (local, remote):
            return fields[5].split(":")
    raise AssertionError("no such connection")


class Asked:
    """A session on a bridge, and the keepalives of its connections."""

    def __init__(self):
        self.ports: asyncio.Queue = asyncio.Queue()
        self.backend = TCPBackend(self.serve)

    async def serve(self, reader, writer):
        self.ports.put_nowait(writer.get_extra_info("peername")[1])
        await reader.read()

    async def open(self, gateway: Gateway):
        self.listener = gateway.plain[1]
        self.client = await raw.Connection.upgraded(gateway.plain, "/tcp")
        await self.barrier()
        self.far, self.near = await self.ports.get(), self.client.writer.get_extra_info("sockname")[1]

    async def barrier(self):
        """Waits until the gateway is done with the previous session."""
        await self.client.send(raw.frame(raw.PING, b"barrier"))
        assert (await self.client.frame()).payload == b"barrier"

    async def of_server(self) -> float | None:
        return await keepalive(self.far, self.backend.port)

    async def of_client(self) -> float | None:
        return await keepalive(self.listener, self.near)


def at_tcp(heartbeat) -> list[dict]:
    return [{"path": "/tcp", "backend": "tcp", "heartbeat": heartbeat}]


async def test_who_takes_no_pings_is_asked_by_the_kernel():
    asked = Asked()
    async with asked.backend as backend, Gateway(
        routes=at_tcp({"interval": "60s"}), backends={"tcp": backend.configuration()}
    ) as gateway:
        await asked.open(gateway)
        async with asked.client:
            assert 50 < await asked.of_server() <= 60
            assert await asked.of_client() is None


async def test_without_a_heartbeat_everybody_is_and_a_reload_changes_it():
    asked = Asked()
    async with asked.backend as backend, Gateway(
        routes=at_tcp("off"), backends={"tcp": backend.configuration()}
    ) as gateway:
        await asked.open(gateway)
        async with asked.client:
            assert 15 < await asked.of_server() <= 25
            assert 15 < await asked.of_client() <= 25
            await gateway.reload(routes=at_tcp({"interval": "60s"}))
            await asked.barrier()
            assert 50 < await asked.of_server() <= 60
            assert await asked.of_client() is None
