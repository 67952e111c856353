"""A real server that goes by the addresses of its clients, behind a bridge that tells it whose they are: InspIRCd, with its module haproxy."""

import pathlib
import tempfile

import pytest

from gateway_process import Gateway, until, within
from peers import client, program


def configuration(folder: pathlib.Path) -> pathlib.Path:
    file = folder / "inspircd.conf"
    file.write_text(f"""
<server name="irc.example.com" description="test" id="1AB" network="Test">
<admin name="admin" nick="admin" email="admin@example.com">
<module name="haproxy">
<bind path="{folder}/irc.sock" type="clients" hook="haproxy">
<connect name="main" allow="*" resolvehostnames="no" useident="no">
<files motd="/dev/null">
<log method="file" type="CONNECT" level="default" flush="1" target="{folder}/irc.log">
""")
    return file


@pytest.fixture
def short_folder():
    """The path of InspIRCd's socket has 64 bytes at most."""
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder)


async def welcome(socket, nick: str) -> str:
    """The line in which the server says who a client is."""
    await socket.send(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n")
    text = ""
    while " 376 " not in text:
        text += await within(socket.recv())
    return next(line for line in text.splitlines() if " 001 " in line)


@pytest.mark.parametrize("address", ["127.0.0.9", "203.0.113.7", "2001:db8::7"])
async def test_an_irc_server_behind_a_bridge_sees_its_clients(address, short_folder):
    arguments = ("inspircd", "--nofork", "--nopid", "--runasroot", "--config", configuration(short_folder))
    backends = {"irc": {"tcp": [f"unix:{short_folder}/irc.sock"], "message": "text", "send-proxy-protocol": "v2"}}
    # The first comes from there; the others are named by a proxy in front.
    is_named = not address.startswith("127.")
    options = {"additional_headers": {"X-Forwarded-For": address}} if is_named else {"local_addr": (address, 0)}
    async with program(*arguments, ready="is now running as"):
        async with Gateway(routes=[{"path": "/irc", "backend": "irc"}], backends=backends,
                           **{"trusted-proxies": ["127.0.0.1"]}) as gateway:
            async with client(gateway.ws("/irc"), **options) as socket:
                assert (await welcome(socket, "ann")).endswith(f"ann!ann@{address}")
                log = short_folder / "irc.log"
                await until(lambda: f"ann!ann@{address} ({address})" in log.read_text())
            async with client(gateway.ws("/irc")) as other:
                assert (await welcome(other, "bob")).endswith("bob!bob@127.0.0.1")
