"""Chromium, driven by playwright, and pages for it to open."""

import asyncio
import contextlib
import json
import shutil

from playwright.async_api import Browser, Page, async_playwright

# What a page does by hand with a plain `new WebSocket`, and the order in which things happen to it.
RECORDER = """
<!doctype html><meta charset="utf-8"><title>page</title>
<script>
  window.log = [];
  window.open_socket = (url, protocols) => {
    const socket = window.socket = new WebSocket(url, protocols ?? []);
    const note = (what, more) => window.log.push({ what, readyState: socket.readyState, ...more });
    note('made');
    socket.onopen = () => note('open', { protocol: socket.protocol, extensions: socket.extensions });
    socket.onmessage = (event) => note('message', { data: event.data });
    socket.onerror = () => note('error');
    socket.onclose = (event) => note('close', { code: event.code, reason: event.reason, wasClean: event.wasClean });
  };
  window.close_socket = (...arguments) => {
    window.socket.close(...arguments);
    window.log.push({ what: 'closing', readyState: window.socket.readyState });
  };
</script>
"""


@contextlib.asynccontextmanager
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def page_server(body: str = RECORDER):
    """Serves one page on loopback and yields its origin. (Chromium does not let a data: page connect there.)"""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            content = body.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + content)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def new_page(browser: Browser, url: str, **options) -> Page:
    """A page in a profile of its own. It accepts any certificate, and an error of its script fails the test."""
    context = await browser.new_context(ignore_https_errors=True, **options)
    page = await context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    return page


async def logged(page: Page, what: str, count: int = 1) -> list[dict]:
    """Waits for `count` events of this kind, and returns all events that the page recorded."""
    script = f"() => log.filter(entry => entry.what === {json.dumps(what)}).length >= {count} && log"
    handle = await page.wait_for_function(script)
    return await handle.json_value()
