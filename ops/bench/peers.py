"""The programs that are compared: how to start each, and the services that it offers.

Services: `relay` and `relay-tls` lead to the echo backend, `bridge` leads to the TCP backend, `broadcast` is a room, `idle-tls` accepts a
session and does nothing more.
"""

import dataclasses
import os
import pathlib
import pwd
import shutil
import subprocess
from typing import Callable

from processes import Server, StartFailed, free_ports

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATES = HERE / "peers"
NODE_PATH = "/usr/share/nodejs:/usr/local/lib/node_modules"


@dataclasses.dataclass(frozen=True)
class Programs:
    """The programs that ops/bench/run has built or installed."""

    gateway: pathlib.Path
    load: pathlib.Path
    websocat: pathlib.Path
    references: pathlib.Path  # the folder with the compiled C programs


@dataclasses.dataclass(frozen=True)
class Site:
    """Where and for what to start a peer."""

    programs: Programs
    folder: pathlib.Path
    core: int
    open_files: int
    echo: int
    tcp_echo: int
    certificate: pathlib.Path
    key: pathlib.Path
    combined: pathlib.Path
    # The most bytes that nginx reads from a tunnel at once.
    buffer: str = "16k"

    def with_buffer(self, buffer: str) -> "Site":
        return dataclasses.replace(self, buffer=buffer)

    def configure(self, template: str, plain: int, tls: int) -> pathlib.Path:
        """Writes the peer's configuration with the values of this run."""
        text = (TEMPLATES / template).read_text()
        values = {
            "plain": plain, "tls": tls, "echo": self.echo, "tcp-echo": self.tcp_echo, "folder": self.folder,
            "certificate": self.certificate, "key": self.key, "combined": self.combined, "buffer": self.buffer,
            "open_files": self.open_files, "sessions": (self.open_files - 200) // 2,
            "user": pwd.getpwuid(os.getuid()).pw_name,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        file = self.folder / template
        file.write_text(text)
        return file


def _proxy(
    name: str, template: str, command: Callable, services: Callable = lambda plain, tls: {}, processes: int = 1,
    environment: dict | None = None,
):
    """A peer that gets its two ports from its configuration."""

    def start(site: Site) -> Server:
        plain, tls = free_ports(2)
        file = site.configure(template, plain, tls)
        urls = {"relay": f"ws://127.0.0.1:{plain}/echo", "relay-tls": f"wss://127.0.0.1:{tls}/echo"}
        urls |= services(plain, tls)
        home = {"HOME": str(site.folder), "XDG_DATA_HOME": str(site.folder), "XDG_CONFIG_HOME": str(site.folder)}
        return Server(
            name, command(site, file), core=site.core, folder=site.folder, urls=urls, ports=[plain, tls],
            processes=processes, environment={**home, **(environment or {})})

    return start


def _gateway_services(plain: int, tls: int) -> dict[str, str]:
    return {"broadcast": f"ws://127.0.0.1:{plain}/broadcast/room", "bridge": f"ws://127.0.0.1:{plain}/bridge"}


def _announcing(name: str, command: Callable, urls: dict[str, str], environment: dict | None = None):
    """A peer that chooses its port itself."""

    def start(site: Site) -> Server:
        return Server(name, command(site), core=site.core, folder=site.folder, urls=urls, environment=environment)

    return start


def _bridge(name: str, command: Callable):
    def start(site: Site) -> Server:
        [port] = free_ports(1)
        urls = {"bridge": f"ws://127.0.0.1:{port}/bridge"}
        return Server(name, command(site, port), core=site.core, folder=site.folder, urls=urls, ports=[port])

    return start


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    # A command that prints its version. It is the first line with a digit.
    version: Callable[[Programs], list]
    start: Callable[[Site], Server]


def _no_version(programs: Programs) -> list:
    return []


PEERS = {
    peer.name: peer
    for peer in [
        Peer(
            "gateway", lambda programs: [programs.gateway, "version"],
            _proxy(
                "gateway", "gateway.conf", lambda site, file: [site.programs.gateway, "run", "--config", file],
                _gateway_services)),
        Peer(
            "nginx", lambda programs: ["nginx", "-v"],
            # The master and its worker.
            _proxy("nginx", "nginx.conf", lambda site, file: ["nginx", "-p", site.folder, "-c", file], processes=2)),
        Peer(
            "haproxy", lambda programs: ["haproxy", "-v"],
            _proxy("haproxy", "haproxy.cfg", lambda site, file: ["haproxy", "-db", "-f", file])),
        Peer(
            "caddy", lambda programs: ["caddy", "version"],
            _proxy(
                "caddy", "Caddyfile", lambda site, file: ["caddy", "run", "--config", file, "--adapter", "caddyfile"],
                environment={"GOMAXPROCS": "1"})),
        # The floor: a proxy in C that only copies bytes.
        Peer(
            "floor", _no_version,
            _announcing(
                "floor", lambda site: [site.programs.references / "proxy", site.echo],
                {"relay": "ws://127.0.0.1:{port}/echo"})),
        # The memory that libssl needs, measured in C.
        Peer(
            "libssl", lambda programs: ["openssl", "version"],
            _announcing(
                "libssl", lambda site: [site.programs.references / "idle-tls", site.certificate, site.key],
                {"idle-tls": "wss://127.0.0.1:{port}/"})),
        # Only a loop of send(), in C.
        Peer(
            "send-loop", _no_version,
            _announcing(
                "send-loop", lambda site: [site.programs.references / "broadcast"],
                {"broadcast": "ws://127.0.0.1:{port}/broadcast/room"})),
        Peer(
            "node-ws",
            lambda programs: ["node", "-p", "`ws ${require('ws/package.json').version}, node ${process.version}`"],
            _announcing(
                "node-ws", lambda site: ["node", TEMPLATES / "broadcast.js"],
                {"broadcast": "ws://127.0.0.1:{port}/broadcast/room"}, {"NODE_PATH": NODE_PATH})),
        Peer(
            "websockify", lambda programs: ["dpkg-query", "-W", "-f", "${Version}", "websockify"],
            # It has a process for each connection.
            _bridge("websockify", lambda site, port: ["websockify", f"127.0.0.1:{port}", f"127.0.0.1:{site.tcp_echo}"])),
        Peer(
            "websocat", lambda programs: [programs.websocat, "--version"],
            _bridge(
                "websocat",
                lambda site, port: [
                    site.programs.websocat, "-q", "-b", "-E", f"ws-l:127.0.0.1:{port}", f"tcp:127.0.0.1:{site.tcp_echo}"])),
    ]
}


def version(peer: Peer, programs: Programs) -> str:
    """The version that the program prints; the reference programs have none."""
    command = [str(part) for part in peer.version(programs)]
    if not command:
        return "of this tree"
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20,
            env={**os.environ, "NODE_PATH": NODE_PATH})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    lines = [line for line in result.stdout.splitlines() if any(letter.isdigit() for letter in line)]
    return lines[0].split(" - ")[0].strip() if lines else "unknown"


def make_certificate(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """An ECDSA P-256 certificate for all peers. HAProxy needs chain and key in one file."""
    if not shutil.which("openssl"):
        raise StartFailed("openssl is missing")
    files = {name: folder / f"{name}.pem" for name in ("certificate", "key", "combined")}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", files["key"], "-out", files["certificate"]],
        check=True, capture_output=True)
    files["combined"].write_bytes(files["certificate"].read_bytes() + files["key"].read_bytes())
    return files
