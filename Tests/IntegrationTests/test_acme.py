"""The recipe of ops/docs/certificates.md: uacme and the gateway, with Debian's `pebble` in the place of Let's Encrypt."""

import asyncio
import configparser
import contextlib
import json
import os
import pathlib
import shlex
import ssl
import stat

import aiohttp
import pytest
import yaml
from cryptography import x509
from websockets.asyncio.client import connect

import raw
from gateway_process import ROOT, Gateway, until, within
from pages import blocks, replaced
from peers import WebSocketBackend, program
from test_names import NAMESPACE, needs_namespaces
from test_reload import free_port

PAGE = "ops/docs/certificates.md"
HOME = "/var/lib/acme"
NAME = "chat.example.com"
# Fewer than the 30 days from which on uacme renews: each certificate is due at once.
VALID = 29 * 86400


class Pebble:
    """Let's Encrypt's test server as the page starts it, at ports of the test. It asks the gateway at `port`."""

    def __init__(self, folder: pathlib.Path, port: int):
        self.folder = folder
        self.gateway = port
        self.port, self.management, self.names = free_port(), free_port(), free_port()
        # What its clients have to trust.
        self.certificate = folder / "pebble.crt"
        names = f"127.0.0.1:{self.names}"
        text = replaced(blocks(PAGE, "sh", "Try it with pebble")[0], {"127.0.0.1:8053": names, "127.0.0.1:8055": f"127.0.0.1:{free_port()}"})
        installed, self._certify, trusted, *self._servers = text.splitlines()
        assert installed == "apt-get install pebble" and trusted.startswith("install -m 644 pebble.crt ")

    @contextlib.asynccontextmanager
    async def running(self):
        await within((await asyncio.create_subprocess_shell(self._certify, cwd=self.folder, stderr=asyncio.subprocess.DEVNULL)).wait())
        settings = json.loads(replaced(blocks(PAGE, "json", "Try it with pebble")[0], {
            ":14000": f":{self.port}", ":15000": f":{self.management}", '"pebble.crt"': json.dumps(str(self.certificate)),
            '"pebble.key"': json.dumps(str(self.folder / "pebble.key")),
        }))
        assert (settings["pebble"]["httpPort"], settings["pebble"]["tlsPort"]) == (80, 443)
        settings["pebble"] |= {"httpPort": self.gateway, "tlsPort": 1, "certificateValidityPeriod": VALID}
        (self.folder / "pebble.json").write_text(json.dumps(settings))
        dns, (fast, *server) = (shlex.split(line.removesuffix(" &")) for line in self._servers)
        server[server.index("pebble.json")] = str(self.folder / "pebble.json")
        # Each request is answered at once, and none is refused for the sake of trying.
        environment = {**dict([fast.split("=")]), "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        async with program(*dns, answers=lambda: self._connects(self.names)):
            async with program(*server, answers=lambda: self._connects(self.port), environment=environment):
                await self._connects(self.management)
                yield self

    @staticmethod
    async def _connects(port: int):
        async def listens() -> bool:
            with contextlib.suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return True
            return False

        await until(listens)

    async def root(self) -> ssl.SSLContext:
        """The context of a client that trusts the authority that this is."""
        context = ssl.create_default_context(cafile=self.certificate)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"https://localhost:{self.management}/roots/0", ssl=context) as answer:
                return ssl.create_default_context(cadata=await answer.text())


class Site(Gateway):
    """The gateway with the configuration of the page."""

    def __init__(self, text: str):
        settings = yaml.safe_load(text)
        super().__init__(**settings, log={"format": "json"})


class Recipe:
    """The page's commands and files, with a folder of the test in the place of /var/lib/acme, and as the user of the test."""

    def __init__(self, folder: pathlib.Path):
        self.home = folder / "acme"
        # Where it gets certificates, once there is one.
        self.pebble: Pebble | None = None

    def configuration(self, port: int) -> str:
        (text,) = blocks(PAGE, "yaml")
        return replaced(text, {HOME: str(self.home), ":80": "127.0.0.1:0", ":443": "127.0.0.1:0", "127.0.0.1:3000": f"127.0.0.1:{port}"})

    def commands(self) -> list[str]:
        """The commands of the first block behind those that only root can do."""
        text = blocks(PAGE, "sh", "Set it up")[0]
        lines = replaced(text, {HOME: str(self.home), "-o acme -g acme ": "", "runuser -u acme -- ": ""}).splitlines()
        assert lines[0].startswith("apt-get install uacme") and lines[1].startswith("adduser --system --group")
        assert lines[2] == f"cd {self.home}"
        return lines[3:]

    def unit(self, number: int) -> configparser.ConfigParser:
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read_string(replaced(blocks(PAGE, "ini", "Set it up")[number], {HOME: str(self.home)} if number == 1 else {}))
        return unit

    async def run(self, command: str, mask: str = "0022", **environment) -> int:
        """Runs a command in the folder, with pebble's certificate trusted and no other. Returns its status."""
        script = f'umask {mask} && cd "{self.home}" && '
        if self.pebble:
            script = f'mount --bind "{self.pebble.certificate}" /etc/ssl/certs/ca-certificates.crt && {script}'
            command = command.replace("uacme --confdir", f"uacme --acme-url https://localhost:{self.pebble.port}/dir --confdir", 1)
        script += command
        process = await asyncio.create_subprocess_exec(
            *NAMESPACE, "sh", "-c", script, env={**os.environ, **environment}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await within(process.communicate())
        assert process.returncode in (0, 1), f"{command}:\n{output.decode(errors='replace')}"
        return process.returncode

    async def start_service(self, *options: str) -> int:
        """What `systemctl start acme.service` does. Returns the status."""
        service = self.unit(1)["Service"]
        variable, _, value = service["Environment"].partition("=")
        command = service["ExecStart"].replace(" issue ", " ".join(["", *options, "issue", ""]))
        return await self.run(command, service["UMask"], **{variable: value})

    def mode(self, path: str) -> int:
        return stat.S_IMODE((self.home / path).stat().st_mode)


async def certificate(address: tuple[str, int], context: ssl.SSLContext) -> x509.Certificate:
    """The certificate that a new connection gets, which the context trusts."""
    _, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=NAME)
    data = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(data)


async def test_a_certificate_is_issued_and_renewed_while_sessions_go_on(tmp_path):
    needs_namespaces()
    recipe = Recipe(tmp_path)
    recipe.home.mkdir()
    *before, account = recipe.commands()
    for command in before:
        assert await recipe.run(command) == 0
    async with WebSocketBackend() as backend, Site(recipe.configuration(backend.port)) as gateway:
        async with Pebble(tmp_path, gateway.plain[1]).running() as pebble:
            recipe.pebble = pebble
            assert await recipe.run(account) == 0
            trusted = await pebble.root()
            with pytest.raises(ssl.SSLCertVerificationError):
                await certificate(gateway.secure, trusted)

            assert await recipe.start_service() == 0
            (reloaded,) = await gateway.events(1, "certificates-reloaded")
            first = await certificate(gateway.secure, trusted)
            assert (reloaded["names"], reloaded["not_after"]) == (NAME, first.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
            options = {"host": "127.0.0.1", "ssl": trusted, "compression": None}
            async with connect(f"wss://{NAME}:{gateway.secure[1]}/", **options) as session:
                # The rest of http goes to https, and what is no challenge is not there.
                answer = await raw.ask(gateway.plain, f"GET /page?a=b HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
                assert (answer.status, answer.field("Location")) == (308, f"https://{NAME}/page?a=b")
                challenge = f"GET /.well-known/acme-challenge/none HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
                assert (await raw.ask(gateway.plain, challenge)).status == 404

                assert await recipe.start_service() == 0
                await gateway.events(2, "certificates-reloaded")
                second = await certificate(gateway.secure, trusted)
                assert second.serial_number != first.serial_number and second.public_key() == first.public_key()
                await session.send("still here")
                assert await session.recv() == "still here"
                async with connect(f"wss://{NAME}:{gateway.secure[1]}/", **options) as other:
                    await other.send("and new ones")
                    assert await other.recv() == "and new ones"
            # What is good for longer stays as it is, and that is no failure.
            assert str(await recipe.start_service("--days", "1")) == recipe.unit(1)["Service"]["SuccessExitStatus"]
        assert not gateway.log.matching("certificates-refused")
    # The group of the gateway may read these, and others may not; the account's key is the client's own.
    assert recipe.mode("private/chat.example.com/key.pem") == 0o640
    assert recipe.mode("chat.example.com/cert.pem") == 0o440
    # What the page says about those until now: one for each renewal.
    assert len(list((recipe.home / NAME).glob("cert-*.pem"))) == 2
    assert {recipe.mode(path) for path in ("", "challenges", "chat.example.com", "private", "private/chat.example.com")} == {0o750}
    assert recipe.mode("private/key.pem") == 0o400
    assert list((recipe.home / "challenges").iterdir()) == []


def test_the_units_are_as_systemd_wants_them(tmp_path):
    recipe = Recipe(tmp_path)
    group, service, timer = (recipe.unit(number) for number in range(3))
    assert group["Service"]["SupplementaryGroups"] == service["Service"]["Group"] == "acme"
    assert timer["Timer"]["OnCalendar"] and timer["Install"]["WantedBy"] == "timers.target"
    # The line for cron runs the same command, in the same way.
    (line,) = (line for line in (ROOT / PAGE).read_text().splitlines() if line.startswith("17 3 "))
    _, _, command = replaced(line, {HOME: str(recipe.home)}).partition(" acme ")
    mask, _, command = command.partition("; ")
    variable, *words = shlex.split(command)
    assert int(mask.split()[1], 8) == int(service["Service"]["UMask"], 8) and variable == service["Service"]["Environment"]
    assert ["/usr/bin/uacme", *words[1:]] == shlex.split(service["Service"]["ExecStart"])
