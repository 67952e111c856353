"""Applications that others wrote, behind the gateway alone, used by Chromium over https and wss. Their packages are large, so only
`ops/test --only long` installs them (in .venv-long) and runs these."""

import asyncio
import contextlib
import hashlib
import json
import os
import pathlib
import re

import pytest
from playwright.async_api import expect

from browser import chromium, new_page
from confidential import secret
from gateway_process import ROOT, Gateway, until, within
from peers import node, program
from test_reload import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

INSTALLED = ROOT / ".venv-long" / "bin"
APPLICATIONS = pathlib.Path(__file__).with_name("applications")
# How long the start of an application may take, in seconds, and a step of a page, in ms.
PATIENCE = 90
STEP = 60_000


@contextlib.asynccontextmanager
async def behind_the_gateway(
    port: int, *arguments, ready: str, route: dict | None = None, backend: dict | None = None, environment: dict | None = None
):
    """Runs an application. Yields the gateway in front of it, and its https URL. `route` and `backend`: more keys of these."""
    environment = {"PYTHONUNBUFFERED": "1", **(environment or {})}
    async with program(*arguments, ready=ready, environment=environment, patience=PATIENCE):
        routes = [{"path": "/*", "backend": "app", "http": "pass", **(route or {})}]
        backends = {"app": {"websocket": [f"ws://127.0.0.1:{port}"], **(backend or {})}}
        async with Gateway(routes=routes, backends=backends) as gateway:
            # A name of its own: applications trust `localhost` more than others. Chromium finds it on loopback.
            yield gateway, f"https://app.localhost:{gateway.secure[1]}"


async def test_a_button_of_nicegui(screenshots):
    port = free_port()
    # It behaves otherwise where it sees that pytest runs.
    arguments = ("env", "-u", "PYTEST_CURRENT_TEST", INSTALLED / "python", APPLICATIONS / "nicegui_app.py", port)
    async with behind_the_gateway(port, *arguments, ready="ready to go") as (gateway, url), chromium() as browser:
        page = await new_page(browser, url)
        for count in range(1, 4):
            await page.get_by_role("button", name="press").click()
            await expect(page.get_by_text(f"pressed {count} times")).to_be_visible(timeout=STEP)
        await page.screenshot(path=screenshots / "nicegui.png")
        assert not page.problems
        # It did not fall back to polling.
        await gateway.event("open")


async def test_an_upload_and_a_large_table_of_streamlit(tmp_path, screenshots):
    """Streamlit takes and sends up to 200 MB. By default the gateway takes bodies of 1 MiB and messages of 16 MiB."""
    port = free_port()
    file = tmp_path / "data.bin"
    file.write_bytes(os.urandom(3 << 20))
    arguments = (
        INSTALLED / "streamlit", "run", APPLICATIONS / "streamlit_app.py", "--server.headless", "true",
        "--server.address", "127.0.0.1", "--server.port", port, "--browser.gatherUsageStats", "false",
    )
    keys = {"route": {"limits": {"body": "201MiB"}}, "backend": {"limits": {"backend-message": "200MiB"}}}
    async with behind_the_gateway(port, *arguments, ready="URL:", **keys) as (gateway, url), chromium() as browser:
        page = await new_page(browser, url)
        await page.locator("input[type=file]").set_input_files(file, timeout=STEP)
        expected = f"{3 << 20} bytes, {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
        await expect(page.get_by_text(expected)).to_be_visible(timeout=STEP)
        await page.get_by_role("button", name="table").click()
        await expect(page.get_by_text("that is all")).to_be_visible(timeout=STEP)
        await page.screenshot(path=screenshots / "streamlit.png")
        await gateway.event("open")
        assert gateway.log.matching("close") == []
        # Without the limit of its own the upload is refused.
        await gateway.reload(routes=[{"path": "/*", "backend": "app", "http": "pass"}])
        page = await new_page(browser, url)
        async with page.expect_response(re.compile("upload_file"), timeout=STEP) as answer:
            await page.locator("input[type=file]").set_input_files(file, timeout=STEP)
        assert (await answer.value).status == 413


async def test_a_cell_of_jupyterlab(tmp_path, screenshots):
    port = free_port()
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "print(6 * 7, 'is it')"}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    arguments = (
        INSTALLED / "jupyter", "lab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={tmp_path}",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.allow_remote_access=True",
        "--IdentityProvider.token=", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    environment = {"HOME": str(tmp_path), "PATH": f"{INSTALLED}:{os.environ['PATH']}"}
    running = behind_the_gateway(port, *arguments, ready="is running at", environment=environment)
    async with running as (gateway, url), chromium() as browser:
        page = await new_page(browser, f"{url}/lab/tree/a.ipynb")
        await page.locator(".jp-Notebook .jp-CodeCell .cm-content").click(timeout=STEP)
        await page.keyboard.press("Shift+Enter")
        await expect(page.locator(".jp-OutputArea-output", has_text="42 is it")).to_be_visible(timeout=STEP)
        await page.screenshot(path=screenshots / "jupyterlab.png")
        await gateway.event("open")


@pytest.mark.parametrize("by", ["address", "token"])
async def test_a_desktop_in_novnc(tmp_path, screenshots, by):
    """The page is files of a folder, the socket is a bridge to the VNC server, of one address or by a folder of tokens."""
    screen = tmp_path / "vnc.sock"
    vnc = ("Xtigervnc", "-displayfd", "1", "-rfbport", "-1", "-rfbunixpath", screen, "-SecurityTypes", "None", "-geometry", "640x480",
           "-desktop", "a desktop", "-retro")
    routes = [{"path": "/websockify", "backend": "screen"}, {"path": "/*", "files": "/usr/share/novnc"}]
    tokens, token = tmp_path / "tokens", secret("token")
    tokens.mkdir()
    (tokens / "desks").write_text(f"{token}: unix:{screen}\n")
    backends = {"screen": {"tcp": [f"unix:{screen}"]} if by == "address" else {"tokens": str(tokens)}}
    path = "" if by == "address" else f"&path=websockify%3Ftoken%3D{token}"
    async with (
        program(*vnc, answers=lambda: until(screen.exists)),
        Gateway(routes=routes, backends=backends) as gateway, chromium() as browser,
    ):
        page = await new_page(browser, f"https://localhost:{gateway.secure[1]}/vnc.html?autoconnect=true{path}")
        await page.wait_for_selector("html.noVNC_connected", state="attached", timeout=STEP)
        assert "a desktop" in await page.title()
        # The root window's pattern has two colours.
        colours = """() => {
            const canvas = document.querySelector('#noVNC_container canvas');
            const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
            return canvas.width === 640 && canvas.height === 480 && new Set(pixels).size > 1;
        }"""
        await page.wait_for_function(colours, timeout=STEP)
        await page.screenshot(path=screenshots / f"novnc-by-{by}.png")
        await gateway.event("open", route="/websockify", endpoint=f"unix:{screen}")
        assert not [line for line in gateway.log.lines if "s3cret" in line]


async def notes(url: str) -> set[str]:
    """What REDbot, which lints HTTP, says of this page and of the answers to conditional requests and to ranges of it."""
    process = await asyncio.create_subprocess_exec(
        INSTALLED / "redbot", "-o", "text", url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await within(process.communicate(), PATIENCE)
    found = {line.strip(" *") for line in output.decode().splitlines() if line.strip().startswith("*") and not line.endswith(":")}
    assert found, output.decode()
    return found


async def test_redbot_says_of_a_passed_page_what_it_says_of_its_server():
    async with node("page") as port:
        routes = [{"path": "/answer", "answer": {"text": "hello"}}, {"path": "/*", "backend": "app", "http": "pass"}]
        async with Gateway(routes=routes, backends={"app": {"websocket": [f"ws://127.0.0.1:{port}"]}}) as gateway:
            passed = f"http://127.0.0.1:{gateway.plain[1]}"
            for path in ("/", "/script.js"):
                direct = await notes(f"http://127.0.0.1:{port}{path}")
                # Keep-Alive is about the connection, and so does not go on.
                assert await notes(passed + path) == direct - {"The Keep-Alive header is deprecated."}
                assert "If-None-Match conditional requests are supported." in direct
            assert await notes(passed + "/answer") == {
                "The server's clock is correct.", "The Content-Length header is correct.",
                "This response instructs browsers not to 'sniff' its media type.", "This response can't be stored by caches.",
            }
