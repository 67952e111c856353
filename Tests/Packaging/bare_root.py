"""Installs, upgrades, removes and purges the Debian package in a Debian 12 root that has never seen Swift.

Usage: bare_root.py PACKAGE

Needs root: the new root is made by debootstrap, in namespaces of its own, so that nothing is left of it.
"""

import asyncio
import contextlib
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

from websockets.asyncio.client import connect as open_session
from websockets.exceptions import ConnectionClosed

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "IntegrationTests"))

from gateway_process import until  # noqa: E402

SESSIONS = 300
PATIENCE = 60
# Where dpkg and its helpers write of every package.
OF_DPKG = re.compile(r"/(var/lib/dpkg|var/log|var/cache|var/lib/systemd|run|proc|dev|tmp)(/|$)|/etc/ld\.so\.cache$")


def run(*command, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def say(text: str):
    print(f"package: {text}", flush=True)


def bootstrap(root: pathlib.Path, package: pathlib.Path):
    """A minimal Debian 12 with what the package depends on."""
    depends = run("dpkg-deb", "--field", package, "Depends")
    names = [part.split()[0] for part in depends.split(",")]
    mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm").split()[0]
    run("debootstrap", "--variant=minbase", f"--include={','.join(names)}", "bookworm", root, mirror)
    assert not list(root.glob("usr/lib/**/libswift*")), "Swift is there already"
    shutil.copy(HERE / "systemctl", root / "usr/bin/systemctl")
    # This is how scripts of packages know systemd.
    (root / "run/systemd/system").mkdir(parents=True)


class Root:
    """The root, from the inside of its namespaces."""

    def __init__(self, path: pathlib.Path):
        self.path = path

    def run(self, *command) -> str:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        return run("chroot", self.path, *command, env=environment)

    def install(self, package: pathlib.Path):
        shutil.copy(package, self.path / "tmp" / package.name)
        self.run("dpkg", "--install", f"/tmp/{package.name}")

    def files(self) -> set[str]:
        found = set()
        for folder, folders, files in os.walk(self.path):
            place = "/" + os.path.relpath(folder, self.path)
            folders[:] = [name for name in folders if not OF_DPKG.search(os.path.join(place, name).replace("/./", "/"))]
            found |= {os.path.normpath(os.path.join(place, name)) for name in files + folders}
        return {path for path in found if not OF_DPKG.search(path)}

    def programs(self) -> dict[int, str]:
        """The gateways that run, with their arguments."""
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if arguments[0] == b"/usr/bin/gateway":
                    found[int(process.name)] = b" ".join(arguments).decode()
        return found

    def log(self) -> str:
        file = self.path / "run/gateway.log"
        return file.read_text() if file.exists() else ""


def connect(is_secure: bool):
    if not is_secure:
        return open_session("ws://127.0.0.1:8080/echo", ping_interval=None)
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return open_session("wss://127.0.0.1:8443/echo", ssl=trust, ping_interval=None)


async def echo(session, text: str):
    await session.send(text)
    assert await session.recv() == text


class Crowd:
    """Sessions that echo all the time until they are closed."""

    def __init__(self):
        self.closes: list[tuple[float, int]] = []
        self.echoes = 0

    async def member(self, number: int, opened: asyncio.Semaphore):
        async with connect(is_secure=number % 2 == 1) as session:
            opened.release()
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await echo(session, f"{number}: {self.echoes}")
                    self.echoes += 1
            await session.wait_closed()
            self.closes.append((time.monotonic(), session.close_code))


async def upgraded_under_load(root: Root, package: pathlib.Path):
    """Installs a newer package while sessions are live and new ones come all the time."""
    crowd, opened = Crowd(), asyncio.Semaphore(0)
    members = [asyncio.create_task(crowd.member(number, opened)) for number in range(SESSIONS)]
    for _ in members:
        async with asyncio.timeout(PATIENCE):
            await opened.acquire()
    newcomers = 0
    is_over = asyncio.Event()

    async def newcomer():
        nonlocal newcomers
        while not is_over.is_set():
            async with connect(is_secure=False) as session:
                await echo(session, "new")
            newcomers += 1

    visits = asyncio.create_task(newcomer())
    before = set(root.programs())
    echoes, start = crowd.echoes, time.monotonic()
    await asyncio.to_thread(root.install, package)
    await until(lambda: set(root.programs()) - before)
    await until(lambda: root.log().count('"event":"serving"') == 2)
    assert not [code for _, code in crowd.closes if code != 1012], crowd.closes
    say(f"the new program serves {time.monotonic() - start:.1f} s after dpkg began; {crowd.echoes - echoes} echoes meanwhile")
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*members)
    is_over.set()
    await visits
    await until(lambda: not before & set(root.programs()))
    times = [at - crowd.closes[0][0] for at, _ in crowd.closes]
    codes = {code for _, code in crowd.closes}
    assert codes == {1012}, codes
    # drain.over is 30 s.
    assert times[-1] > 20 and sum(at < 3 for at in times) < SESSIONS / 4, times
    say(f"{SESSIONS} sessions were closed with 1012 over {times[-1]:.1f} s; {newcomers} new sessions, none refused")


def newer(package: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The same package with a higher version."""
    tree = folder / "newer"
    run("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+1", control.read_text()))
    upgrade = folder / "gateway-newer.deb"
    run("dpkg-deb", "--root-owner-group", "--build", tree, upgrade)
    return upgrade


async def inside(root: Root, package: pathlib.Path):
    run("ip", "link", "set", "lo", "up")
    run("mount", "-t", "proc", "proc", root.path / "proc")
    before = root.files()
    root.install(package)
    await until(lambda: '"event":"serving"' in root.log())
    for is_secure in (False, True):
        async with connect(is_secure) as session:
            await echo(session, "hello")
    say(f"installed and started: {root.run('/usr/bin/gateway', 'version').strip()}; echo over ws and wss")
    with tempfile.TemporaryDirectory() as folder:
        await upgraded_under_load(root, newer(package, pathlib.Path(folder)))
    root.run("dpkg", "--remove", "gateway")
    assert not root.programs(), root.programs()
    left = {path for path in root.files() - before if not (root.path / path[1:]).is_dir()}
    # The link says that the service is enabled, should the package come back.
    enabled = "/etc/systemd/system/multi-user.target.wants/gateway.service"
    assert left == {"/etc/gateway/gateway.conf", "/etc/logrotate.d/gateway", enabled}, left
    say(f"removed: the gateway is stopped, and only configuration is left: {', '.join(sorted(left))}")
    root.run("dpkg", "--purge", "gateway")
    left = {path for path in root.files() - before if path != "/etc/logrotate.d"}
    assert not left, left
    say("purged: nothing is left")


def main():
    if sys.argv[1] == "--inside":
        return asyncio.run(inside(Root(pathlib.Path(sys.argv[2])), pathlib.Path(sys.argv[3])))
    package = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="gateway-root-") as folder:
        root = pathlib.Path(folder) / "root"
        say("making a Debian 12 root")
        bootstrap(root, package)
        # Processes, mounts and ports of its own: all of them end with it.
        spaces = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")
        subprocess.run([*spaces, sys.executable, __file__, "--inside", root, package], check=True)


if __name__ == "__main__":
    main()
