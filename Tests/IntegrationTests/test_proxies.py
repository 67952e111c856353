"""nginx, Caddy and HAProxy in front of the gateway, each configured as README.md says: a page, its uploads and its socket in Chromium."""

import asyncio
import contextlib
import pathlib
import re

import pytest

from browser import chromium, logged, new_page
from gateway_process import ROOT, Gateway, until
from peers import node, program
from test_reload import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


def block(language: str, **replaced: str) -> str:
    """The block of this language in README.md, with what has to be different here."""
    text = re.search(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[1]
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: pathlib.Path, port: int, gateway: int) -> tuple:
    text = block("nginx", **{"listen 443 ssl": f"listen 127.0.0.1:{port}", "127.0.0.1:8080": f"127.0.0.1:{gateway}"})
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; error_log stderr; pid {folder}/pid; events {{}} http {{ access_log off; {paths}\n{text} }}")
    return "nginx", "-p", folder, "-c", file


def caddy(folder: pathlib.Path, port: int, gateway: int) -> tuple:
    text = block("caddyfile", **{"chat.example.com": f"http://127.0.0.1:{port}", "127.0.0.1:8080": f"127.0.0.1:{gateway}"})
    file = folder / "Caddyfile"
    file.write_text(f"{{\n    admin off\n}}\n{text}")
    return "caddy", "run", "--config", file, "--adapter", "caddyfile"


def haproxy(folder: pathlib.Path, port: int, gateway: int) -> tuple:
    certificate = ":443 ssl crt /etc/haproxy/site.pem"
    text = block("haproxy", **{certificate: f"127.0.0.1:{port}", "127.0.0.1:8080": f"127.0.0.1:{gateway}"})
    file = folder / "haproxy.cfg"
    file.write_text(f"defaults\n    timeout connect 5s\n    timeout client 120s\n{text}")
    return "haproxy", "-db", "-f", file


@contextlib.asynccontextmanager
async def behind(proxy, folder: pathlib.Path):
    """Yields the gateway and the URL of the proxy in front of it."""
    async with node("page") as server:
        routes = [{"path": "/alive", "answer": {"text": "ok"}}, {"path": "/*", "backend": "app", "http": "pass"}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{server}"]}}
        listeners = [{"address": "127.0.0.1:0", "timeouts": {"keep-alive": "130s"}}]
        keys = {"trusted-proxies": ["127.0.0.1"], "listeners": listeners}
        async with Gateway(routes=routes, backends=backends, **keys) as gateway:
            port = free_port()
            arguments = proxy(folder, port, gateway.plain[1])

            async def listens() -> bool:
                with contextlib.suppress(ConnectionRefusedError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                return False

            async with program(*arguments, answers=lambda: until(listens)):
                yield gateway, f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy])
async def test_a_page_and_its_socket_pass_both(proxy, tmp_path):
    async with behind(proxy, tmp_path) as (gateway, url), chromium() as browser:
        page = await new_page(browser, url)
        assert (await logged(page, "message"))[0]["data"] == "visitor=one"
        for size in (0, 1000, 900_000):
            assert await page.evaluate("size => upload(size)", size) == {"length": size, "cookie": "visitor=one", "protocol": "http"}
        answers = await page.evaluate("Promise.all(Array.from({length: 200}, (_, number) => upload(number)))")
        assert [answer["length"] for answer in answers] == list(range(200))
        await page.evaluate("socket.send('still here')")
        assert (await logged(page, "message", 2))[1]["data"] == "still here"
        await page.evaluate("socket.close(1000)")
        assert (await logged(page, "close"))[-1]["code"] == 1000
        assert not page.problems
        assert (await gateway.event("open"))["origin"] == url
        assert gateway.log.matching("refused") == []
