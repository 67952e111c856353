"""Applications that others wrote, behind the gateway alone, used by Chromium over https and wss. Their packages are large, so only
`ops/test --only long` installs them (in .venv-long) and runs these."""

import contextlib
import hashlib
import json
import os
import pathlib
import re

import pytest
from playwright.async_api import expect

from browser import chromium, new_page
from gateway_process import ROOT, Gateway
from peers import program
from test_reload import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

INSTALLED = ROOT / ".venv-long" / "bin"
APPLICATIONS = pathlib.Path(__file__).with_name("applications")
# How long the start of an application may take, in seconds, and a step of a page, in ms.
PATIENCE = 90
STEP = 60_000


@contextlib.asynccontextmanager
async def behind_the_gateway(port: int, *arguments, ready: str, route: dict | None = None, environment: dict | None = None):
    """Runs an application. Yields the gateway in front of it, and its https URL."""
    environment = {"PYTHONUNBUFFERED": "1", **(environment or {})}
    async with program(*arguments, ready=ready, environment=environment, patience=PATIENCE):
        routes = [{"path": "/*", "backend": "app", "http": "pass", **(route or {})}]
        async with Gateway(routes=routes, backends={"app": {"websocket": [f"ws://127.0.0.1:{port}"]}}) as gateway:
            yield gateway, f"https://localhost:{gateway.secure[1]}"


async def test_a_button_of_nicegui():
    port = free_port()
    # It behaves otherwise where it sees that pytest runs.
    arguments = ("env", "-u", "PYTEST_CURRENT_TEST", INSTALLED / "python", APPLICATIONS / "nicegui_app.py", port)
    async with behind_the_gateway(port, *arguments, ready="ready to go") as (gateway, url), chromium() as browser:
        page = await new_page(browser, url)
        for count in range(1, 4):
            await page.get_by_role("button", name="press").click()
            await expect(page.get_by_text(f"pressed {count} times")).to_be_visible(timeout=STEP)
        assert not page.problems
        # It did not fall back to polling.
        await gateway.event("open")


async def test_an_upload_to_streamlit(tmp_path):
    """Streamlit takes files of up to 200 MB. By default the gateway takes bodies of up to 1 MiB."""
    port = free_port()
    file = tmp_path / "data.bin"
    file.write_bytes(os.urandom(3 << 20))
    arguments = (
        INSTALLED / "streamlit", "run", APPLICATIONS / "streamlit_app.py", "--server.headless", "true",
        "--server.address", "127.0.0.1", "--server.port", port, "--browser.gatherUsageStats", "false",
    )
    route = {"limits": {"body": "200MiB"}}
    async with behind_the_gateway(port, *arguments, ready="URL:", route=route) as (gateway, url), chromium() as browser:
        page = await new_page(browser, url)
        await page.locator("input[type=file]").set_input_files(file, timeout=STEP)
        expected = f"{3 << 20} bytes, {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
        await expect(page.get_by_text(expected)).to_be_visible(timeout=STEP)
        await gateway.event("open")
        # Without the limit of its own it is refused, and the page says so.
        await gateway.reload(routes=[{"path": "/*", "backend": "app", "http": "pass"}])
        page = await new_page(browser, url)
        async with page.expect_response(re.compile("upload_file"), timeout=STEP) as answer:
            await page.locator("input[type=file]").set_input_files(file, timeout=STEP)
        assert (await answer.value).status == 413


async def test_a_cell_of_jupyterlab(tmp_path):
    port = free_port()
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "print(6 * 7, 'is it')"}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    arguments = (
        INSTALLED / "jupyter", "lab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={tmp_path}", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--IdentityProvider.token=", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    environment = {"HOME": str(tmp_path), "PATH": f"{INSTALLED}:{os.environ['PATH']}"}
    async with behind_the_gateway(port, *arguments, ready="is running at", environment=environment) as (gateway, url), chromium() as browser:
        page = await new_page(browser, f"{url}/lab/tree/a.ipynb")
        await page.locator(".jp-Notebook .jp-CodeCell .cm-content").click(timeout=STEP)
        await page.keyboard.press("Shift+Enter")
        await expect(page.locator(".jp-OutputArea-output", has_text="42 is it")).to_be_visible(timeout=STEP)
        await gateway.event("open")
