"""What tokens and wrong passwords cost. See `ops/bench/credentials --help`."""

import argparse
import asyncio
import base64
import collections
import json
import multiprocessing
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

import machine
import procfs
from processes import Server, free_ports, raise_open_files

TOKENS = ["token-rs256", "token-es256", "token-eddsa"]
# A ping every so often, in seconds.
PACE = 0.005


def tokens(micro: pathlib.Path):
    cores = machine.cores()
    output = subprocess.run(
        ["taskset", "-c", str(cores.peer), micro, *TOKENS, "--rounds", "25", "--json"], capture_output=True, check=True)
    print("A request's token (median of 25 rounds)")
    for row in json.loads(output.stdout):
        print(f"  {row['name'].removeprefix('token-').upper():6} {row['nanoseconds'] / 1000:8.1f} µs")


def upgrade(path: str, authorization: str = "") -> bytes:
    lines = [
        f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *([f"Authorization: Basic {authorization}"] if authorization else []), "", ""]
    return "\r\n".join(lines).encode()


def basic(password: str) -> str:
    return base64.b64encode(f"ann:{password}".encode()).decode()


class Session(multiprocessing.Process):
    """An open session, which sends small messages and measures their echoes until it is told to end."""

    def __init__(self, port: int):
        super().__init__()
        self.port = port
        self.stop = multiprocessing.Event()
        self.results, self._sender = multiprocessing.Pipe(False)

    def run(self):
        times = []
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(upgrade("/chat", basic("right")))
            assert connection.recv(4096).startswith(b"HTTP/1.1 101")
            while not self.stop.wait(PACE):
                began = time.perf_counter()
                # "ping", masked with zeros.
                connection.sendall(b"\x81\x84\0\0\0\0ping")
                assert connection.recv(64) == b"\x81\x04ping"
                times.append(time.perf_counter() - began)
        self._sender.send(times)

    def measure(self, action=None) -> str:
        self.start()
        action() if action else time.sleep(3)
        self.stop.set()
        times = sorted(self.results.recv())
        self.join()
        p99 = times[len(times) * 99 // 100]
        return f"echo of a session: median {statistics.median(times) * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms, longest {times[-1] * 1000:.1f} ms"


class Guesses:
    """Wrong passwords, each on a connection of its own, all at once."""

    def __init__(self, port: int, count: int, addresses: int, again: bool):
        self.port = port
        self.count = count
        self.addresses = addresses
        self.again = again
        self.statuses: collections.Counter[int] = collections.Counter()
        self.answered = self.judged = 0.0

    def run(self):
        asyncio.run(self._run())

    async def _run(self):
        began = time.monotonic()
        answered = await asyncio.gather(*(self._guess(number) for number in range(self.count)))
        self.answered = max(answered) - began
        self.judged = time.monotonic() - began

    async def _guess(self, number: int) -> float:
        """The time of the first answer."""
        place = number % self.addresses
        source = f"127.1.{place // 250}.{place % 250 + 1}"
        first = None
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
            writer.write(upgrade("/chat", basic(f"wrong {number}")))
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.close()
            status = int(head.split()[1])
            if first is None:
                first = time.monotonic()
                self.statuses[status] += 1
            if status == 401 or not self.again:
                return first
            after = next(line for line in head.splitlines() if line.startswith("Retry-After: "))
            await asyncio.sleep(float(after.split()[1]))


def passwords(gateway: pathlib.Path, count: int, cost: int):
    cores = machine.cores()
    raise_open_files()
    with tempfile.TemporaryDirectory(prefix="gateway-credentials-") as name:
        folder = pathlib.Path(name)
        made = subprocess.run(["htpasswd", "-nbB", "-C", str(cost), "ann", "right"], capture_output=True, check=True)
        (folder / "users").write_bytes(made.stdout)
        port, = free_ports(1)
        (folder / "gateway.conf").write_text(json.dumps({
            "workers": 1, "log": {"file": str(folder / "gateway.log"), "level": "error"},
            "listeners": [{"address": f"127.0.0.1:{port}"}],
            "defaults": {"timeouts": {"handshake": "10m"}},
            "routes": [{"path": "/chat", "backend": "echo", "auth": {"basic": {"file": str(folder / "users")}}}],
            "backends": {"echo": {"builtin": "echo"}}}))
        command = [gateway, "run", "--config", folder / "gateway.conf"]
        with Server("gateway", command, core=cores.peer, folder=folder, urls={}, ports=[port]) as server:
            os.sched_setaffinity(0, {cores.load})
            print(f"{count} wrong passwords at once (bcrypt, cost {cost})")
            print(f"  before: {Session(port).measure()}")
            cases = [("of one address", 1, False), (f"of {count} addresses", count, False), (f"of {count} addresses, each until it is judged", count, True)]
            for title, addresses, again in cases:
                guesses = Guesses(port, count, addresses, again)
                before = procfs.cpu_sum(server.pids())
                latency = Session(port).measure(guesses.run)
                spent = (procfs.cpu_sum(server.pids()) - before).total
                answers = ", ".join(f"{number} × {status}" for status, number in sorted(guesses.statuses.items()))
                print(f"  {title}")
                print(f"    first answers: {answers}, all within {guesses.answered:.2f} s" + (f"; all judged after {guesses.judged:.1f} s" if again else ""))
                print(f"    CPU time of the gateway: {spent:.2f} s, {spent / count * 1000:.2f} ms for each")
                print(f"    {latency}")
                server.check()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateway", type=pathlib.Path, required=True)
    parser.add_argument("--micro", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--cost", type=int, default=5)
    parser.add_argument("--only", choices=["tokens", "passwords"])
    chosen = parser.parse_args()
    print(f"load average before: {machine.load_average()}")
    if chosen.only != "passwords":
        tokens(chosen.micro)
    if chosen.only != "tokens":
        passwords(chosen.gateway, chosen.count, chosen.cost)


if __name__ == "__main__":
    main()
