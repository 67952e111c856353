"""Files of a folder (`files`), beside a backend and without one."""

import asyncio
import contextlib
import ctypes
import gzip
import mmap
import os
import pathlib
import signal
import socket
import tempfile
import time

import pytest
import websockets

import admin
import raw
from browser import chromium, new_page
from gateway_process import BINARY, Gateway, Log, command, insecure, until, within
from peers import reset


class Folder:
    """A folder with some files, and another one beside it that nothing leads to."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="gateway-files-")
        self.outside = pathlib.Path(self._folder.name) / "outside"
        self.path = pathlib.Path(self._folder.name) / "www"
        self.outside.mkdir()
        self.path.mkdir()
        (self.outside / "secret.txt").write_text("secret")
        self.write("index.html", b"<p>root</p>")
        self.write("a.js", b"1+1")
        self.write("sub/index.html", b"<p>sub</p>")
        self.write("sub/empty", b"")

    def write(self, name: str, content: bytes) -> pathlib.Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._folder.cleanup()


@contextlib.asynccontextmanager
async def scene(files=None, path="/*", **keys):
    """A folder, a gateway that serves it, and a client's connection to that."""
    with Folder() as folder:
        route = {"path": path, "files": files(folder) if files else str(folder.path), **keys.pop("route", {})}
        async with Gateway(routes=[route, *keys.pop("more", [])], backends=keys.pop("backends", {}), **keys) as gateway:
            async with await raw.Connection.open(gateway.plain) as client:
                yield folder, gateway, client


def request(line: str, *fields: str, version="HTTP/1.1") -> bytes:
    return "\r\n".join([f"{line} {version}", "Host: a", *fields, "", ""]).encode("latin-1")


async def get(client: raw.Connection, path: str, *fields: str, method="GET") -> raw.Response:
    await client.send(request(f"{method} {path}", *fields))
    return await client.response()


async def head(client: raw.Connection, path: str, *fields: str) -> raw.Response:
    """The answer to a HEAD: its Content-Length is that of a body that does not come."""
    await client.send(request(f"HEAD {path}", *fields))
    line, *lines = await client.head()
    return raw.Response(int(line.split(" ")[1]), [tuple(field.split(": ", 1)) for field in lines])


# Which file


async def test_files_come_one_after_the_other_on_one_connection():
    async with scene() as (folder, gateway, client):
        for path, body, kind in [
            ("/a.js", b"1+1", "text/javascript; charset=utf-8"),
            ("/", b"<p>root</p>", "text/html; charset=utf-8"),
            ("/sub/", b"<p>sub</p>", "text/html; charset=utf-8"),
            ("/sub/index.html?v=1", b"<p>sub</p>", "text/html; charset=utf-8"),
            ("/%61.js", b"1+1", "text/javascript; charset=utf-8"),
            ("/sub/empty", b"", "application/octet-stream"),
        ]:
            answer = await get(client, path)
            assert (answer.status, answer.body, answer.field("Content-Type")) == (200, body, kind), path
            assert answer.field("X-Content-Type-Options") == "nosniff"
            assert answer.field("Connection") is None
            assert answer.field("Date") and answer.field("Last-Modified") and answer.field("ETag")


async def test_a_folder_is_led_to_with_a_slash_and_the_query():
    async with scene(path="/app/*") as (folder, gateway, client):
        for path, location in [("/app/sub", "/app/sub/"), ("/app/s%75b?x=%2F&y", "/app/s%75b/?x=%2F&y")]:
            answer = await get(client, path)
            assert (answer.status, answer.field("Location")) == (308, location)
        assert (await get(client, "/app/sub/")).body == b"<p>sub</p>"


async def test_what_is_no_file_is_404_and_the_connection_goes_on():
    async with scene() as (folder, gateway, client):
        folder.write(".hidden", b"x")
        folder.write(".git/config", b"x")
        folder.write("sub/.well-known/x", b"x")
        os.mkfifo(folder.path / "fifo")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as unix:
            unix.bind(str(folder.path / "socket"))
            for path in ["/no", "/.hidden", "/.git/config", "/sub/.well-known/x", "/%2Egit/config", "/fifo", "/socket",
                         "/sub//index.html", "/a.js/", "/a.js/x", "/" + "n" * 300, "/%FF%C0%AF"]:
                answer = await get(client, path)
                assert (answer.status, answer.field("Connection")) == (404, None), path
        assert (await get(client, "/a.js")).status == 200


async def test_a_name_is_decoded_once():
    async with scene() as (folder, gateway, client):
        folder.write("100%25.txt", b"twice")
        folder.write("100%.txt", b"once")
        folder.write("a b;c.txt", b"space")
        (folder.path / os.fsdecode(b"\xff.txt")).write_bytes(b"bytes")
        assert (await get(client, "/100%25.txt")).body == b"once"
        assert (await get(client, "/100%2525.txt")).body == b"twice"
        assert (await get(client, "/a%20b;c.txt")).body == b"space"
        assert (await get(client, "/%FF.txt")).body == b"bytes"


async def test_well_known_files_are_served_at_the_root_only():
    async with scene() as (folder, gateway, client):
        folder.write(".well-known/acme-challenge/token", b"proof")
        folder.write(".well-known/.secret", b"x")
        assert (await get(client, "/.well-known/acme-challenge/token")).body == b"proof"
        assert (await get(client, "/.well-known/.secret")).status == 404


@pytest.mark.parametrize("path", ["/../outside/secret.txt", "/%2e%2e/outside/secret.txt", "/sub/..%2f..%2fa", "/a%00.js",
                                  "/..%5coutside", "/sub/..;/a.js"])
async def test_a_path_that_could_lead_out_is_400(path):
    async with scene() as (folder, gateway, client):
        assert (await raw.ask(gateway.plain, request(f"GET {path}"))).status == 400


async def test_links_count_while_they_lead_to_the_folder_itself():
    async with scene() as (folder, gateway, client):
        links = {
            "inside": ("a.js", 200), "deep": ("sub/../a.js", 200), "out": ("../outside/secret.txt", 404),
            "absolute": (str(folder.outside / "secret.txt"), 404), "absolute-inside": (str(folder.path / "a.js"), 404),
            "circle": ("circle", 404), "process": ("/proc/self/environ", 404), "outside": ("../outside", 404),
        }
        for name, (target, _) in links.items():
            (folder.path / name).symlink_to(target)
        for name, (_, status) in links.items():
            assert (await get(client, f"/{name}")).status == status, name
        assert (await get(client, "/outside/secret.txt")).status == 404
        assert (await get(client, "/outside/")).status == 404


async def test_a_link_to_the_folder_may_move():
    async with scene(lambda folder: str(folder.path / "current")) as (folder, gateway, client):
        folder.write("one/x", b"one")
        folder.write("two/x", b"two")
        link = folder.path / "current"
        assert (await get(client, "/x")).status == 404
        link.symlink_to("one")
        assert (await get(client, "/x")).body == b"one"
        (folder.path / "next").symlink_to("two")
        os.rename(folder.path / "next", link)

        async def moved():
            while (await get(client, "/x")).body != b"two":
                pass

        await within(moved())


async def test_an_exact_path_is_one_file():
    async with scene(lambda folder: str(folder.path / "a.js"), path="/script") as (folder, gateway, client):
        answer = await get(client, "/script")
        assert (answer.body, answer.field("Content-Type")) == (b"1+1", "text/javascript; charset=utf-8")


async def test_no_later_route_is_tried():
    async with scene(path="/a/*", more=[{"path": "/*", "answer": {"text": "later"}}]) as (folder, gateway, client):
        assert (await get(client, "/a/b")).status == 404
        assert (await get(client, "/b")).body == b"later"


async def test_a_page_answers_where_no_file_does():
    files = lambda folder: {"folder": str(folder.path), "fallback": "/index.html"}
    async with scene(files) as (folder, gateway, client):
        page = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
        for path, fields, status in [
            ("/users/7", [page], 200), ("/users/", [page], 200), ("/users/7.png", [page], 404), ("/users/7", [], 404),
            ("/users/7", ["Accept: */*"], 404), ("/users/7", ["Accept: text/html;q=0"], 404), ("/.git/x", [page], 404),
        ]:
            answer = await get(client, path, *fields)
            assert answer.status == status, (path, fields)
            if status == 200:
                assert (answer.body, answer.field("Content-Type")) == (b"<p>root</p>", "text/html; charset=utf-8")
        assert (await get(client, "/a.js", page)).body == b"1+1"


# Methods and versions


async def test_only_get_and_head_are_taken():
    async with scene() as (folder, gateway, client):
        for method in ["POST", "PUT", "DELETE", "OPTIONS"]:
            answer = await get(client, "/a.js", method=method)
            assert (answer.status, answer.field("Allow"), answer.field("Connection")) == (405, "GET, HEAD", None)
        assert (await get(client, "/a.js")).body == b"1+1"


async def test_head_says_the_length_and_sends_nothing():
    async with scene() as (folder, gateway, client):
        for path, status, length in [("/a.js", 200, "3"), ("/no", 404, None), ("/sub", 308, None)]:
            answer = await head(client, path)
            assert answer.status == status
            assert length in (None, answer.field("Content-Length"))
        assert (await get(client, "/a.js")).body == b"1+1"


async def test_http_1_0_gets_one_file():
    async with scene() as (folder, gateway, client):
        await client.send(request("GET /a.js", version="HTTP/1.0"))
        answer = await client.response()
        assert (answer.body, answer.field("Connection")) == (b"1+1", "close")
        assert await client.end() == b""


async def test_a_connection_ends_where_the_client_or_a_body_says_so():
    async with scene() as (folder, gateway, client):
        for more in [["Connection: close"], ["Content-Length: 4"]]:
            async with await raw.Connection.open(gateway.plain) as other:
                await other.send(request("GET /a.js", *more) + b"body")
                answer = await other.response()
                assert (answer.body, answer.field("Connection")) == (b"1+1", "close")
                other.finish()
                assert await other.end() == b""


async def test_pipelined_requests_are_answered_in_order():
    async with scene() as (folder, gateway, client):
        for number in range(30):
            folder.write(f"{number}.txt", str(number).encode())
        await client.send(b"".join(request(f"GET /{number}.txt") for number in range(30)))
        for number in range(30):
            assert (await client.response()).body == str(number).encode()


async def test_headers_of_the_route_are_on_every_answer():
    async with scene(route={"headers": {"Cache-Control": "no-cache", "X-A": "1"}}) as (folder, gateway, client):
        for path in ["/a.js", "/no", "/sub"]:
            answer = await get(client, path)
            assert (answer.field("Cache-Control"), answer.field("X-A")) == ("no-cache", "1")


# Beside a backend


async def test_upgrades_go_to_the_backend_and_the_rest_are_files():
    backend = {"backends": {"echo": {"builtin": "echo"}}, "route": {"backend": "echo", "origins": "any"}}
    async with scene(**backend) as (folder, gateway, client):
        async with websockets.connect(gateway.ws("/a.js")) as socket:
            await socket.send("hello")
            assert await within(socket.recv()) == "hello"
        assert (await get(client, "/a.js")).body == b"1+1"
        # On the same connection.
        await client.send(raw.upgrade("/x"))
        assert (await client.response()).status == 101


async def test_an_upgrade_without_a_backend_is_the_get_that_it_also_is():
    async with scene() as (folder, gateway, client):
        await client.send(raw.upgrade("/a.js"))
        answer = await client.response()
        assert (answer.status, answer.body) == (200, b"1+1")


async def test_over_tls():
    async with scene() as (folder, gateway, client):
        content = raw.pattern(3 << 20)
        folder.write("large", content)
        async with await raw.Connection.open(gateway.secure, ssl=insecure()) as secure:
            assert (await get(secure, "/a.js")).body == b"1+1"
            assert (await get(secure, "/large")).body == content
            assert (await get(secure, "/a.js")).body == b"1+1"


async def test_a_browser_gets_page_and_script_and_opens_its_socket_on_the_same_route():
    backend = {"backends": {"echo": {"builtin": "echo"}}, "route": {"backend": "echo"}}
    async with scene(**backend) as (folder, gateway, client), chromium() as browser:
        folder.write("app/index.html", b"<!doctype html><script src=app.js></script>")
        folder.write("app/app.js", b"document.title = 'plain'")
        folder.write("app/app.js.gz", gzip.compress(b"""
            const socket = new WebSocket(location.href.replace('http', 'ws').replace('app/', 'socket'))
            socket.onopen = () => socket.send('title')
            socket.onmessage = (event) => document.title = event.data
        """))
        # By the path without its slash: `app.js` is found only below the one with it.
        page = await new_page(browser, f"http://127.0.0.1:{gateway.plain[1]}/app")
        await page.wait_for_function("document.title == 'title'")
        assert page.url.endswith("/app/")


# Parts, conditions, codings


async def test_a_part_of_a_file():
    async with scene() as (folder, gateway, client):
        content = raw.pattern(300_000)
        folder.write("large", content)
        tag = (await head(client, "/large")).field("ETag")
        for value, start, end in [("0-0", 0, 1), ("100000-250000", 100_000, 250_001), ("299999-", 299_999, 300_000),
                                  ("-7", 299_993, 300_000), ("0-99999999999999999999", 0, 300_000)]:
            answer = await get(client, "/large", f"Range: bytes={value}", f"If-Range: {tag}")
            assert (answer.status, answer.body) == (206, content[start:end]), value
            assert answer.field("Content-Range") == f"bytes {start}-{end - 1}/300000"
        for fields in [["Range: bytes=0-1,5-6"], ["Range: lines=1-2"], ["Range: bytes=0-1", 'If-Range: "other"'],
                       ["Range: bytes=0-1", "Range: bytes=2-3"]]:
            assert (await get(client, "/large", *fields)).status == 200
        answer = await get(client, "/large", "Range: bytes=300000-")
        assert (answer.status, answer.field("Content-Range"), answer.field("Connection")) == (416, "bytes */300000", None)


async def test_a_file_that_the_client_has_is_not_sent_again():
    async with scene() as (folder, gateway, client):
        answer = await get(client, "/a.js")
        tag, date = answer.field("ETag"), answer.field("Last-Modified")
        for fields in [[f"If-None-Match: {tag}"], [f'If-None-Match: "x", W/{tag}'], [f"If-Modified-Since: {date}"]]:
            answer = await get(client, "/a.js", *fields)
            assert (answer.status, answer.field("ETag"), answer.field("Content-Length")) == (304, tag, None)
        folder.write("a.js", b"2+2")
        answer = await get(client, "/a.js", f"If-None-Match: {tag}", f"If-Modified-Since: {date}")
        assert (answer.status, answer.body) == (200, b"2+2")
        assert (await get(client, "/a.js", f"If-Match: {tag}")).status == 412


async def test_a_coding_beside_the_file_is_sent_to_those_who_accept_it():
    async with scene() as (folder, gateway, client):
        packed = gzip.compress(b"1+1")
        folder.write("a.js.gz", packed)
        folder.write("a.js.br", b"not really")
        folder.write("b.js", b"2")
        tags = set()
        for value, body, coding in [("", b"1+1", None), ("gzip", packed, "gzip"), ("gzip, br", b"not really", "br"),
                                    ("gzip;q=1, br;q=0.5", packed, "gzip"), ("*", b"not really", "br"),
                                    ("gzip;q=0, br;q=0", b"1+1", None), ("identity, gzip;q=0.5", b"1+1", None)]:
            answer = await get(client, "/a.js", f"Accept-Encoding: {value}")
            assert (answer.body, answer.field("Content-Encoding")) == (body, coding), value
            assert answer.field("Content-Type") == "text/javascript; charset=utf-8"
            assert answer.field("Vary") == "Accept-Encoding"
            tags.add(answer.field("ETag"))
        assert len(tags) == 3
        assert (await get(client, "/b.js", "Accept-Encoding: gzip")).field("Vary") is None
        (folder.path / "b.js.gz").symlink_to("../outside/secret.txt")
        assert (await get(client, "/b.js", "Accept-Encoding: gzip")).body == b"2"


# What is cached


def read_by_threads(gateway) -> int:
    """How many bytes the threads that may wait for a disk have read so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{gateway.process.pid}/task").iterdir():
        if (task / "comm").read_text() == "gateway-files\n":
            total += int((task / "io").read_text().split()[1])
    return total


async def test_what_is_cached_is_read_by_the_worker_and_the_rest_by_a_thread():
    async with scene() as (folder, gateway, client):
        content = raw.pattern(64 << 10)
        path = folder.write("a.bin", content)
        # So that the file system need not note reads: read after its last change.
        os.utime(path, (time.time() + 60, 1000))

        async def read_for(requests: int) -> int:
            before = read_by_threads(gateway)
            for _ in range(requests):
                assert (await get(client, "/a.bin")).body == content
            return read_by_threads(gateway) - before

        # A thread looks for the codings beside it.
        assert await read_for(1) >= len(content)
        if file_system(folder.path) in ("ext4", "xfs", "btrfs"):
            # A thread opens the folder anew each second, and has one of these requests then.
            assert await read_for(20) < 10 * len(content)
        await until(lambda: is_dropped(path))
        assert await read_for(1) >= len(content)


def is_dropped(path: pathlib.Path) -> bool:
    """Asks the kernel to drop what it has cached of a file, and whether nothing is left. Pages that were just read may stay at first."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.fstat(file.fileno()).st_size
        # Writable, because ctypes takes nothing else; nothing is written.
        with mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
            start = (ctypes.c_char * size).from_buffer(mapped)
            pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
            assert ctypes.CDLL(None).mincore(start, ctypes.c_size_t(size), pages) == 0
            del start
            return not any(page & 1 for page in pages)


def file_system(path: pathlib.Path) -> str:
    """The kind of the one that a path is on."""
    mounts = [line.split(" - ") for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    points = {mount.split(" ")[4]: rest.split(" ")[0] for mount, rest in mounts}
    return next(points[str(parent)] for parent in path.parents if str(parent) in points)


# Large files


async def open_small(address) -> raw.Connection:
    """A connection whose kernel holds little for a client that does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, address)
    return raw.Connection(*await asyncio.open_connection(sock=client, limit=64 << 10))


async def test_a_hundred_megabytes_for_a_slow_reader_take_no_memory():
    async with scene() as (folder, gateway, client):
        block = raw.pattern(1 << 20)
        with open(folder.path / "large", "wb") as file:
            for _ in range(100):
                file.write(block)
        before = gateway.peak_memory()
        async with await open_small(gateway.plain) as slow:
            await slow.send(request("GET /large"))
            fields = await slow.head()
            assert f"Content-Length: {100 << 20}" in fields
            total = 0
            while total < 100 << 20:
                total += len(await within(slow.reader.read(64 << 10)))
            assert total == 100 << 20
            assert (await get(slow, "/a.js")).body == b"1+1"
        assert gateway.peak_memory() - before < 8 << 20


async def test_a_client_that_leaves_in_the_middle_costs_nothing():
    async with scene() as (folder, gateway, client):
        folder.write("large", b"\0" * (50 << 20))
        assert (await get(client, "/a.js")).status == 200
        files = gateway.open_files()
        for _ in range(10):
            other = await open_small(gateway.plain)
            await other.send(request("GET /large"))
            await other.head()
            reset(other.writer)
        assert await gateway.has_open_files(files)
        await gateway.events(10, "request", reason="the client left")
        assert (await get(client, "/a.js")).body == b"1+1"


async def test_a_client_that_takes_nothing_is_aborted():
    async with scene(route={"timeouts": {"request-body": "300ms"}}) as (folder, gateway, client):
        folder.write("large", b"\0" * (50 << 20))
        async with await open_small(gateway.plain) as other:
            await other.send(request("GET /large"))
            await gateway.event("request", reason="the client took nothing of the answer")
            await other.lost()


async def test_a_file_that_shrinks_ends_the_connection_uncleanly():
    async with scene() as (folder, gateway, client):
        path = folder.write("large", b"\0" * (50 << 20))
        async with await open_small(gateway.plain) as other:
            await other.send(request("GET /large"))
            await other.head()
            os.truncate(path, 1000)
            with pytest.raises(OSError):
                while await within(other.reader.read(1 << 16)):
                    pass
        line = await gateway.event("request", reason="the file has become shorter", status=200, path="/large", method="GET")
        assert 0 < line["bytes"] < 50 << 20


async def test_a_file_that_was_replaced_is_sent_to_its_end():
    async with scene() as (folder, gateway, client):
        old, new = raw.pattern(20 << 20), b"new"
        folder.write("large", old)
        async with await open_small(gateway.plain) as other:
            await other.send(request("GET /large"))
            await other.head()
            folder.write("next", new)
            os.rename(folder.path / "next", folder.path / "large")
            assert await within(other.reader.readexactly(len(old))) == old
            assert (await get(other, "/large")).body == new


# Reload, drain


async def test_a_reload_changes_the_folder_and_not_a_file_on_its_way():
    async with scene() as (folder, gateway, client):
        content = raw.pattern(20 << 20)
        folder.write("large", content)
        (folder.outside / "a.js").write_bytes(b"other")
        async with await open_small(gateway.plain) as other:
            await other.send(request("GET /large"))
            await other.head()
            await gateway.reload(routes=[{"path": "/*", "files": str(folder.outside)}])
            assert (await get(client, "/a.js")).body == b"other"
            assert await within(other.reader.readexactly(len(content))) == content
            assert (await get(other, "/a.js")).body == b"other"


async def test_requests_while_the_configuration_is_loaded_again_and_again():
    async with scene() as (folder, gateway, client):
        stop = asyncio.Event()

        async def ask():
            count = 0
            async with await raw.Connection.open(gateway.plain) as connection:
                while not stop.is_set():
                    assert (await get(connection, "/a.js")).body == b"1+1"
                    count += 1
            return count

        clients = [asyncio.create_task(ask()) for _ in range(4)]
        for number in range(5):
            await gateway.reload(routes=[{"path": "/*", "files": str(folder.path), "headers": {"X-A": str(number)}}])
        stop.set()
        assert all(count > 0 for count in await within(asyncio.gather(*clients)))


async def test_a_drain_ends_a_file_that_nobody_takes():
    async with scene() as (folder, gateway, client):
        folder.write("large", b"\0" * (50 << 20))
        assert (await get(client, "/a.js")).status == 200
        async with await open_small(gateway.plain) as other:
            await other.send(request("GET /large"))
            await other.head()
            gateway.signal(signal.SIGTERM)
            assert await gateway.exited() == 0
            await other.lost()


# What watches


async def test_requests_are_counted_and_what_succeeds_is_not_logged():
    async with scene(admin="127.0.0.1:0") as (folder, gateway, client):
        for path in ["/a.js", "/no", "/sub", "/a.js"]:
            await get(client, path)
        async with admin.admin(gateway) as session:
            samples = await admin.metrics(session)
        for status, count in [("2xx", 2), ("3xx", 1), ("4xx", 1)]:
            assert samples[admin.key("requests_total", route="/*", status=status)] == count
        assert samples[admin.key("requests_open", route="/*")] == 0
        assert not gateway.log.matching("request")


# The command line


async def test_check_names_a_folder_that_is_not_there():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        (folder / "file").write_text("x")
        (folder / "www").mkdir()

        async def check(route: str) -> tuple[int, str]:
            file = folder / "gateway.conf"
            file.write_text(f'listeners: [{{address: "127.0.0.1:0"}}]\nroutes: [{route}]\n')
            status, _, errors = await command("check", "--config", file)
            return status, errors

        assert await check(f"{{path: /*, files: {folder}/www}}") == (0, "")
        assert await check(f"{{path: /a, files: {folder}/file}}") == (0, "")
        for route, words in [
            (f"{{path: /*, files: {folder}/no}}", f"route /*: cannot serve {folder}/no: No such file or directory"),
            (f"{{path: /*, files: {folder}/file}}", f"route /*: cannot serve {folder}/file: Not a directory"),
            (f"{{path: /a, files: {folder}/www}}",
             f"route /a: cannot serve {folder}/www: it is a directory: the path must end with `/*`"),
        ]:
            status, errors = await check(route)
            assert status == 1 and words in errors, errors


async def test_explain_says_which_file():
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "gateway.conf"
        file.write_text('listeners: [{address: ":8080"}]\nroutes: [{path: /app/*, files: {folder: /srv, fallback: /i.html}}]\n')
        status, output, _ = await command("explain", "http://h:8080/app/a%20b/", "--config", file)
        assert status == 0
        assert "a?b/index.html below /srv" in output
        status, output, _ = await command("explain", "http://h:8080/app/.git/x", "--config", file)
        assert "404 Not Found" in output


async def test_a_bridge_serves_pages_beside_its_target():
    with Folder() as folder:
        log = Log()
        process = await asyncio.create_subprocess_exec(
            BINARY, "bridge", "127.0.0.1:0", "localhost:1", "--web", folder.path, stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        reader = asyncio.create_task(log.read(process.stderr))
        try:
            (listening,) = await log.wait(1, "listening")
            port = int(listening["address"].rsplit(":", 1)[1])
            async with await raw.Connection.open(("127.0.0.1", port)) as client:
                assert (await get(client, "/")).body == b"<p>root</p>"
                await client.send(raw.upgrade("/websockify"))
                assert (await client.response()).status == 502
        finally:
            process.send_signal(signal.SIGTERM)
            await within(process.wait())
            await reader
