"""The dashboard in Chromium, as somebody on call meets it: on a desktop and on a phone, in the light and in the dark."""

import asyncio
import contextlib
import json
import re
import socket

import pytest
from playwright.async_api import Page, expect

import raw
from admin import admin, admin_address, read, url
from browser import chromium, new_page
from confidential import password, secret
from credentials import user
from gateway_process import PATIENCE, Gateway, within
from herd import Herd
from peers import WebSocketBackend, client, refusing_port

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
LAPTOP = {"viewport": {"width": 1024, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
DEVICES = {"desktop": DESKTOP, "laptop": LAPTOP, "phone": PHONE}
VIEWS = ("overview", "sessions", "why", "operate")
CHECK = {"check": "connect", "interval": "200ms", "timeout": "200ms", "fall": 1, "rise": 1}
ROUTES = [
    {"name": "echo", "path": "/echo", "backend": "echo", "origins": "any"},
    {"name": "app", "path": "/app", "backend": "app"},
    {"name": "rooms", "path": "/rooms/*", "backend": "rooms"},
    {"name": "closed", "path": "/closed", "backend": "echo", "origins": ["https://a.example"]},
]
SHOWING = {"address": "127.0.0.1:0", "payloads": True}
expect.set_options(timeout=PATIENCE * 1000)
# What would show if it became markup.
MARKUP = "<img/src=x/onerror=window.ran=1>"


def gateway(backend: WebSocketBackend | None = None, *refusing: int, **keys) -> Gateway:
    """A gateway with the backend `app`: the given one, and ports that refuse."""
    urls = [url(backend)] if backend else []
    urls += [f"ws://127.0.0.1:{port}" for port in refusing]
    backends = {
        "echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"},
        "app": {"websocket": urls, "health": CHECK} if urls else {"builtin": "echo"},
    }
    return Gateway(**{"admin": "127.0.0.1:0", "routes": ROUTES, "backends": backends, **keys})


@contextlib.asynccontextmanager
async def dashboard(running: Gateway, place: str = "overview", **look):
    """The page, once it hears events. An error of its script, or in its console, fails the test."""
    async with chromium() as browser:
        page = await new_page(browser, f"http://{await admin_address(running)}/#/{place}", **(look or DESKTOP))
        await expect(page.locator("#live")).to_have_text("live")
        yield page
        assert not page.problems
        assert await page.evaluate("window.ran") is None


async def lies_within(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    width, inner = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return width <= inner


async def colour(page: Page, selector: str, name: str) -> str:
    return await page.eval_on_selector(selector, f"(element) => getComputedStyle(element).getPropertyValue('{name}')")


async def variable(page: Page, name: str) -> str:
    """A colour of the style, in the form of computed ones."""
    return await page.evaluate(
        f"""() => {{
            const element = document.createElement('i');
            element.style.color = 'var({name})';
            document.body.append(element);
            const value = getComputedStyle(element).color;
            element.remove();
            return value;
        }}"""
    )


# --- The page itself


async def test_browsers_get_a_page_that_loads_nothing_from_elsewhere():
    async with gateway() as running, chromium() as browser:
        origin = f"http://{await admin_address(running)}"
        page = await new_page(browser, "about:blank")
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        response = await page.goto(f"{origin}/")
        for view in VIEWS:
            await page.goto(f"{origin}/#/{view}")
            await expect(page.locator(f"#{view}")).to_be_visible()
        await expect(page.locator("#live")).to_have_text("live")
        assert asked and all(address.startswith(f"{origin}/") for address in asked)
        policy = await response.header_value("content-security-policy")
        assert re.search(r"default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'", policy)
        for part in ("connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert not page.problems
        # What a page injects does not run.
        injected = "() => { const made = document.createElement('script'); made.textContent = 'window.ran = 1'; document.body.append(made); }"
        with pytest.raises(Exception, match="TrustedScript"):
            await page.evaluate(injected)
        assert await page.evaluate("window.ran") is None


async def test_programs_get_the_list():
    async with gateway() as running, admin(running) as session:
        for accept, kind in {"*/*": "text/plain", "application/json": "text/plain", "text/html;q=0.9, */*": "text/html"}.items():
            async with session.get("/", headers={"Accept": accept}) as response:
                assert response.status == 200 and response.content_type == kind
        async with session.get("/api/sessions") as response:
            assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", DEVICES)
async def test_a_screen_with_faults(device, scheme, screenshots):
    reservation, port = refusing_port()
    with reservation:
        async with WebSocketBackend() as backend, faulty(backend, port) as running:
            async with dashboard(running, **DEVICES[device], color_scheme=scheme) as page, crowd(running):
                await expect(page.locator("#sentence")).to_contain_text("1 backend has none left: payments")
                await expect(page.locator("#refusals li").first).to_be_visible()
                await expect(page.locator("#closes tbody tr").first).to_be_visible()
                await expect(page.locator("#limits li").first).to_be_visible()
                await expect(page.locator("[data-rate=sessions] .value")).to_have_text("11")
                await expect(page.locator("[data-rate=messages] .label")).to_contain_text("max")
                for view in VIEWS:
                    await page.evaluate(f"location.hash = '/{view}'")
                    await expect(page.locator(f"#{view}")).to_be_visible()
                    if view == "sessions":
                        await expect(page.locator("#session-table tbody tr").first).to_be_visible()
                    assert await lies_within(page), view
                    await page.screenshot(path=screenshots / f"admin-{view}-{device}-{scheme}.png")
                await page.evaluate("location.hash = '/sessions?route=chat'")
                await expect(page.locator("#sessions-said")).to_have_text("8 sessions match")
                await page.locator("#session-table tbody a").first.click()
                await expect(page.locator("#session-facts dd").first).not_to_have_text("–")
                await expect(page.locator("#frames li").first).to_be_visible()
                assert await lies_within(page)
                await page.screenshot(path=screenshots / f"admin-session-{device}-{scheme}.png")


def faulty(backend: WebSocketBackend, port: int) -> Gateway:
    """One endpoint of two is down, and one backend has none left."""
    backends = {
        "chat": {"websocket": [url(backend), f"ws://127.0.0.1:{port}"], "health": CHECK},
        "payments": {"websocket": [f"ws://127.0.0.1:{port}"], "health": CHECK},
        "rooms": {"builtin": "broadcast"},
        "echo": {"builtin": "echo"},
    }
    routes = [
        {"name": "chat", "path": "/chat", "backend": "chat"}, {"name": "pay", "path": "/pay", "backend": "payments"},
        {"name": "rooms", "path": "/rooms/*", "backend": "rooms"},
        {"name": "echo", "path": "/echo", "backend": "echo", "origins": ["https://app.example.com"]},
    ]
    return Gateway(admin=SHOWING, routes=routes, backends=backends)


@contextlib.asynccontextmanager
async def crowd(running: Gateway):
    """Sessions that talk, sessions that have closed, and requests that were refused."""
    async with contextlib.AsyncExitStack() as stack:
        await running.event("health", to="down")
        talkers = [await stack.enter_async_context(client(running.ws("/chat"))) for _ in range(8)]
        for name in ("lobby", "lobby", "games"):
            await stack.enter_async_context(client(running.ws(f"/rooms/{name}")))
        for code in (1000, 1001, 4000):
            async with client(running.ws("/echo")) as socket:
                await socket.close(code)
        await raw.ask(running.plain, raw.upgrade("/pay"))
        await raw.ask(running.plain, raw.upgrade("/nowhere"))
        await raw.ask(running.plain, raw.upgrade("/echo", "Origin: https://evil.example"))

        async def talk():
            for number in range(1_000_000):
                for socket in talkers:
                    await socket.send(json.dumps({"number": number, "text": "grüße, 世界"}))
                    await socket.recv()
                await asyncio.sleep(0.1)

        talking = asyncio.create_task(talk())
        try:
            yield
        finally:
            talking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await talking


# --- The overview


async def test_numbers_change_when_sessions_open_and_close():
    async with gateway() as running, dashboard(running) as page:
        value = page.locator("[data-rate=sessions] .value")
        await expect(value).to_have_text("0")
        async with client(running.ws("/echo")) as socket, client(running.ws("/echo")):
            await expect(value).to_have_text("2")
            await expect(page.locator("[data-rate=opens] .label")).to_contain_text("max")
            await socket.send("x")
            await expect(page.locator("[data-rate=messages] .label")).to_contain_text("max")
        await expect(value).to_have_text("0")
        await expect(page.locator("[data-rate=closes] .label")).to_contain_text("max")


async def test_an_endpoint_that_goes_down_is_red_and_says_why():
    reservation, port = refusing_port()
    with reservation:
        async with WebSocketBackend() as backend, WebSocketBackend() as other:
            async with gateway(backend, other.port) as running, dashboard(running) as page:
                await expect(page.locator("#sentence")).to_have_text("Both endpoints are up.")
                other.server.close()
                await other.server.wait_closed()
                await expect(page.locator("#sentence")).to_have_text("1 of 2 endpoints is down. Every backend has one left.")
                row = f'tr[data-endpoint="ws://127.0.0.1:{other.port}"]'
                await expect(page.locator(f"{row} .word")).to_have_text("down")
                await expect(page.locator(f"{row} .reason")).to_contain_text("refused")
                assert await colour(page, f"{row} .word", "color") == await variable(page, "--bad")
                up = f'tr[data-endpoint="{url(backend)}"] .word'
                await expect(page.locator(up)).to_have_text("up")
                assert await colour(page, up, "color") == await variable(page, "--text")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_everything_down_is_red_on_the_first_screen(device, screenshots):
    reservation, port = refusing_port()
    with reservation:
        async with gateway(None, port) as running, dashboard(running, **DEVICES[device]) as page:
            sentence = page.locator("#sentence")
            await expect(sentence).to_have_text("Everything is down: the only endpoint does not answer.")
            await expect(sentence).to_be_in_viewport()
            assert await colour(page, "#verdict > div", "background-color") == await variable(page, "--bad-solid")
            assert (await page.title()).startswith("✖ Everything is down")
            await page.screenshot(path=screenshots / f"admin-all-down-{device}.png")


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_what_nothing_checks_is_not_said_to_be_up(device, screenshots):
    reservation, port = refusing_port()
    with reservation:
        backends = {"echo": {"builtin": "echo"}, "rooms": {"builtin": "broadcast"}, "app": {"websocket": [f"ws://127.0.0.1:{port}", "ws://127.0.0.1:9"]}}
        async with gateway(backends=backends) as running, dashboard(running, **DEVICES[device]) as page:
            sentence, row = page.locator("#sentence"), f'tr[data-endpoint="ws://127.0.0.1:{port}"]'
            await expect(sentence).to_have_text("2 endpoints, none is checked: set health.")
            await expect(page.locator(f"{row} .word")).to_have_text("not checked")
            await expect(page.locator(f"{row} .since")).to_have_text("")
            assert await colour(page, f"{row} .dot", "background-color") == await variable(page, "--soft")
            # What clients meet is said, whatever is known of the endpoints.
            for _ in range(2):
                await raw.ask(running.plain, raw.upgrade("/app"))
            await expect(sentence).to_have_text("In the last minute 2 clients got 502, and no session opened. 2 endpoints, none is checked: set health.")
            assert await colour(page, "#sentence", "color") == await variable(page, "--bad")
            assert await lies_within(page)
            await page.screenshot(path=screenshots / f"admin-unchecked-{device}.png")
            async with client(running.ws("/echo")):
                await expect(sentence).to_contain_text("In the last minute 2 clients got 502. 2 endpoints")
            await page.evaluate(f"location.hash = '/why?url=' + encodeURIComponent('{running.ws('/app')}')")
            headline = page.locator("#answer h3")
            await expect(headline).to_have_text(re.compile(r"The rules let it in, but at \d\d:\d\d:\d\d a client got 502"))
            await expect(page.locator("#answer")).to_contain_text("Connection refused")
            await expect(page.locator("#answer [data-state=unchecked]").first).to_contain_text("not checked")
            await expect(page.locator("#answer .cure")).to_contain_text("set health for the backend")
            await page.screenshot(path=screenshots / f"admin-why-lately-{device}.png")


async def test_sessions_whose_backend_went_away_colour_the_sentence():
    async with WebSocketBackend() as backend, gateway(backend) as running, dashboard(running) as page:
        await expect(page.locator("#sentence")).to_have_text("The endpoint is up.")
        async with client(running.ws("/app")) as socket:
            await running.event("open")
            backend.connections[-1].transport.abort()
            await within(socket.wait_closed())
        await expect(page.locator("#sentence")).to_have_text("In the last minute 1 session ended with backend-gone.")
        assert await colour(page, "#sentence", "color") == await variable(page, "--warn")


async def test_a_gateway_that_does_not_answer_is_red():
    async with chromium() as browser:
        async with gateway() as running:
            page = await new_page(browser, f"http://{await admin_address(running)}/", **DESKTOP)
            await expect(page.locator("#live")).to_have_text("live")
        # What is polled next fails.
        await expect(page.locator("#sentence")).to_contain_text("The gateway does not answer")
        await expect(page.locator("#live")).to_contain_text("no events for")


async def test_a_drain_shows_how_many_are_left():
    async with gateway(drain={"over": "1h"}) as running, client(running.ws("/echo")), client(running.ws("/echo")):
        await running.events(2, "open")
        async with dashboard(running, "operate") as page:
            await page.click("#drain")
            await expect(page.locator("#confirm")).to_contain_text("2 sessions will be closed")
            # Enter alone does nothing: the focus is on Cancel.
            await page.keyboard.press("Enter")
            await expect(page.locator("#confirm")).to_be_hidden()
            await page.click("#drain")
            await page.click("#confirm-yes")
            await expect(page.locator("#sentence")).to_contain_text(re.compile("Draining: [12] sessions? left, ends in"))
            await expect(page.locator("#drain-progress")).to_be_visible()
            await expect(page.locator("#changes")).to_contain_text("drain")
        # The second signal ends it.
        running.signal(15)


@pytest.mark.parametrize("device", ["desktop", "phone"])
async def test_who_closed_is_shown_over_time_and_as_a_table(device, screenshots):
    async with gateway() as running, dashboard(running, **DEVICES[device]) as page, admin(running) as session:
        async with client(running.ws("/echo")) as socket:
            await socket.close(4000, "enough")
        async with client(running.ws("/echo")) as socket:
            identifier = (await running.events(2, "open"))[1]["session"]
            async with session.post(f"/api/sessions/{identifier}/close", json={"code": 4001}) as response:
                assert response.status == 200
            await socket.wait_closed()
        # A row opens the list of its sessions, with what the cause means; from there it is one step to a session.
        await page.locator("#closes button", has_text="admin").click()
        ended = page.locator("#ended")
        await expect(page.locator("#ended-title")).to_have_text("admin, 4001")
        await expect(page.locator("#ended-meaning")).to_have_text("An operator closed it.")
        await expect(ended.locator("tbody tr")).to_have_count(1)
        await expect(ended.locator("tbody tr")).to_contain_text("told the client “closed by an operator”")
        await expect(ended.locator("tbody a")).to_have_text(identifier)
        assert await lies_within(page)
        await page.screenshot(path=screenshots / f"admin-ended-{device}.png")
        await ended.locator("tbody a").click()
        await expect(ended).to_be_hidden()
        await expect(page.locator("#session-said")).to_have_text(re.compile("^Ended at .* after .*: admin, code 4001, by the gateway. The client was told"))
        await page.evaluate("location.hash = '/overview'")
        for texts in (["client", "client-closed", "4000", "1"], ["gateway", "admin", "4001", "1"]):
            row = page.locator("#closes tbody tr", has_text=texts[2])
            for index, text in enumerate(texts):
                await expect(row.locator("td").nth(index)).to_have_text(text)
        said = page.locator("#strip-said")
        await expect(said).to_have_text(re.compile("In 15 minutes: 2 closes – (admin 1, client-closed 1|client-closed 1, admin 1)"))
        # By the keyboard, bin by bin.
        await page.focus("#strip")
        for _ in range(30):
            text = await said.inner_text()
            # Not the sentence about all of them.
            if re.search(r":\d\d to .*client-closed", text):
                break
            await page.keyboard.press("ArrowLeft")
        assert re.search(r"\d\d:\d\d:\d\d to \d\d:\d\d:\d\d: [12] closes? .*client-closed 1.*codes .*4000", text)


async def test_a_slow_consumer_is_listed_with_what_comes_of_it():
    async with gateway() as running, admin(running) as session, contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(deaf_member(running))
        speaker = await stack.enter_async_context(client(running.ws("/rooms/lobby")))
        await running.events(2, "open")

        async def queue() -> int:
            (row,) = (await read(session, "/api/sessions?sort=-queue&limit=1"))["sessions"]
            return row["queued_for_client"]

        async with dashboard(running) as page:
            await expect(page.locator("#slow .empty")).to_be_visible()
            while await queue() < 100 << 10:
                await speaker.send(bytes(32 << 10))
            row = page.locator("#slow tbody tr")
            await expect(row).to_have_count(1)
            await expect(row).to_contain_text("of 1.00 MiB")
            await expect(row).to_contain_text("client reads slowly")
            await expect(row).to_contain_text("no growth")
            while not re.search(r"closed \(1013\) in \d+ ", await row.inner_text()):
                await speaker.send(bytes(2 << 10))
                await page.wait_for_timeout(100)
            await expect(row).to_contain_text("+")


@contextlib.asynccontextmanager
async def deaf_member(running: Gateway):
    """A member of a room that reads nothing behind the 101."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    with sock:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, running.plain)
        await loop.sock_sendall(sock, raw.upgrade("/rooms/lobby"))
        assert (await within(loop.sock_recv(sock, 12))) == b"HTTP/1.1 101"
        yield


async def test_a_refusal_leads_to_why_not():
    async with gateway() as running, dashboard(running) as page:
        await raw.ask(running.plain, raw.upgrade("/nowhere", "Origin: https://page.example", host="app.example"))
        item = page.locator("#refusals li", has_text="app.example/nowhere")
        await expect(item.locator(".status")).to_have_text("404")
        # What sent no whole request asked for nothing that could be explained.
        await raw.ask(running.plain, b"not HTTP\r\n\r\n")
        await expect(page.locator("#refusals li", has_text="400")).to_be_visible()
        await expect(page.locator("#refusals a")).to_have_count(1)
        await item.locator("a").click()
        await expect(page.locator("#why-url")).to_have_value(re.compile("^wss?://app.example/nowhere$"))
        await expect(page.locator("#why-origin")).to_have_value("https://page.example")
        await expect(page.locator("#why-client")).to_have_value("127.0.0.1")


async def test_an_endpoint_is_drained_from_the_page():
    async with WebSocketBackend() as backend, gateway(backend) as running, dashboard(running) as page:
        row = page.locator(f'tr[data-endpoint="{url(backend)}"]')
        await row.locator("select").select_option("drain")
        await expect(page.locator("#confirm")).to_contain_text(url(backend))
        await page.click("#confirm-yes")
        await expect(row.locator(".word")).to_have_text("draining")
        await running.event("admin", action="drain")
        # Not confirmed: nothing changes. No order for ever is spoken of where one is taken back.
        await row.locator("select").select_option("up")
        await expect(page.locator("#confirm")).to_contain_text("Clients come to it again")
        await expect(page.locator("#confirm")).not_to_contain_text("until")
        await page.keyboard.press("Escape")
        await row.locator("select").select_option("down")
        await page.keyboard.press("Escape")
        await expect(row.locator("select")).to_have_value("drain")
        await row.locator("select").select_option("up")
        await page.click("#confirm-yes")
        await expect(row.locator(".word")).to_have_text("up")


# --- Markup


async def test_what_a_client_chose_is_text():
    async with gateway(admin=SHOWING) as running, dashboard(running) as page:
        await raw.ask(running.plain, raw.upgrade(f"/{MARKUP}", f"Origin: https://{MARKUP}"))
        await raw.ask(running.plain, raw.upgrade("/echo", f"Sec-WebSocket-Protocol: {MARKUP}"))
        async with client(running.ws("/echo"), additional_headers={"Origin": f"https://{MARKUP}"}) as socket:
            identifier = (await running.event("open"))["session"]
            await page.evaluate(f"location.hash = '/sessions/{identifier}'")
            await expect(page.locator("#session-facts")).to_contain_text(MARKUP)
            await expect(page.locator("#tail-state")).to_have_text("live")
            await socket.send(MARKUP)
            await expect(page.locator("#frames .text").last).to_have_text(MARKUP)
        await page.evaluate("location.hash = '/overview'")
        await expect(page.locator("#refusals")).to_contain_text(MARKUP)
        assert await page.evaluate("document.querySelectorAll('img').length") == 0


# --- Sessions


async def test_a_session_is_closed_from_the_page():
    async with gateway() as running, dashboard(running, "sessions") as page:
        async with client(running.ws("/echo")) as socket:
            row = page.locator("#session-table tbody tr")
            await expect(row).to_have_count(1)
            await row.click()
            await expect(page.locator("#session-facts")).to_contain_text("echo")
            await page.fill("#close-code", "4001")
            await page.fill("#close-reason", "enough")
            await page.click("#close-session button")
            await within(socket.wait_closed())
            assert (socket.close_code, socket.close_reason) == (4001, "enough")
            await expect(page.locator("#session-said")).to_contain_text("admin, code 4001, by the gateway")
        await expect(page.locator("#sessions .list .empty")).to_have_text("There are no sessions.")


async def test_a_code_that_cannot_be_sent_is_explained():
    async with gateway() as running, client(running.ws("/echo")) as socket, dashboard(running, "sessions") as page:
        await page.locator("#session-table tbody tr").click()
        await page.fill("#close-code", "1006")
        await page.click("#close-session button")
        await expect(page.locator("#close-said")).to_contain_text("not 1006")
        await socket.send("x")
        assert await within(socket.recv()) == "x"
        # The browser itself reports the status.
        page.problems.clear()


async def test_sessions_are_filtered_and_those_that_match_are_closed():
    async with gateway() as running, contextlib.AsyncExitStack() as stack:
        sockets = {
            path: [await stack.enter_async_context(client(running.ws(path))) for _ in range(3)] for path in ("/echo", "/app")
        }
        async with dashboard(running, "sessions") as page:
            await expect(page.locator("#sessions-said")).to_have_text("6 sessions")
            await expect(page.locator("#close-matching")).to_be_disabled()
            await page.fill("#filter-route", "app")
            await expect(page.locator("#sessions-said")).to_have_text("3 sessions match")
            assert page.url.endswith("#/sessions?route=app")
            await page.click("#close-matching")
            await expect(page.locator("#close-all-said")).to_have_text("3 sessions will be closed.")
            await page.fill("#all-code", "1012")
            await page.keyboard.press("Tab")
            await expect(page.locator("#close-all-yes")).to_be_enabled()
            await page.click("#close-all-yes")
            for socket in sockets["/app"]:
                await within(socket.wait_closed())
                assert socket.close_code == 1012
            await expect(page.locator("#sessions .list .empty")).to_have_text("No session matches these filters.")
            await page.click("#show-ended")
            await expect(page.locator("#ended tbody tr")).to_have_count(3)
            await expect(page.locator("#ended tbody tr").first).to_contain_text("admin, 1012, by the gateway")
            await page.click("#ended-done")
            await page.fill("#filter-route", "")
            await expect(page.locator("#sessions-said")).to_have_text("3 sessions")
            await page.fill("#filter-client", "nonsense")
            await expect(page.locator("#sessions-said")).to_contain_text("400")
            page.problems.clear()


async def test_the_list_stays_while_it_is_read():
    async with gateway() as running, client(running.ws("/echo")), dashboard(running, "sessions?sort=-age") as page:
        rows = page.locator("#session-table tbody tr")
        await expect(rows).to_have_count(1)
        await rows.first.hover()
        async with client(running.ws("/app")):
            await expect(page.locator("#newer")).to_have_text("1 newer")
            await expect(page.locator("#sessions-said")).to_have_text("2 sessions")
            await expect(rows).to_have_count(1)
            await page.click("#newer")
            await expect(rows).to_have_count(2)
            await page.click("#session-table th button[data-sort='-queue']")
            await expect(page.locator("#session-table th[aria-sort]")).to_have_text("Queue")
            assert "sort=-queue" in page.url
            await rows.first.hover()
        await expect(page.locator("#newer")).to_have_text("1 gone")
        await expect(rows).to_have_count(2)
        await page.mouse.move(5, 5)
        await expect(rows).to_have_count(1)


async def test_frames_are_shown_and_the_list_stays_where_it_was_paused():
    async with gateway() as running, client(running.ws("/echo")) as socket:
        identifier = (await running.event("open"))["session"]
        async with dashboard(running, f"sessions/{identifier}") as page:
            await expect(page.locator("#tail-state")).to_have_text("live")
            await socket.send("first")
            await socket.recv()
            frames = page.locator("#frames li")
            await expect(frames).to_have_count(2)
            for frame, direction in ((frames.first, "to-backend"), (frames.last, "to-client")):
                await expect(frame).to_have_class(direction)
                await expect(frame).to_contain_text("text")
                await expect(frame).to_contain_text("5 B")
            await expect(frames.last).to_contain_text("+")
            await expect(frames.last).to_contain_text("not shown: set admin.payloads")
            await page.keyboard.press("p")
            await expect(page.locator("#tail-pause")).to_have_attribute("aria-pressed", "true")
            await socket.send("second")
            await socket.recv()
            await expect(page.locator("#tail-newer")).to_have_text("2 newer")
            await expect(frames).to_have_count(2)
            await page.click("#tail-newer")
            await expect(frames).to_have_count(4)
            await page.fill("#tail-filter", "to-client")
            await expect(frames).to_have_count(2)
            async with page.expect_download() as download:
                await page.click("#tail-export")
            saved = await (await download.value).path()
            kept = [json.loads(line) for line in saved.read_text().splitlines()]
            assert [frame["direction"] for frame in kept] == ["to-backend", "to-client"] * 2
            assert all(frame["session"] == identifier and frame["size"] in (5, 6) for frame in kept)


async def test_a_payload_is_shown_as_text_as_json_and_in_hex():
    async with gateway(admin=SHOWING) as running, client(running.ws("/echo")) as socket:
        identifier = (await running.event("open"))["session"]
        async with dashboard(running, f"sessions/{identifier}") as page:
            await expect(page.locator("#tail-state")).to_have_text("live")
            await socket.send('{"a":  1}')
            await socket.send(b"\x00\x01AB")
            payload = page.locator("#frames .to-backend .text")
            await expect(payload).to_have_text(['{"a":  1}', "00 01 41 42"])
            await page.select_option("#tail-view", "json")
            await expect(payload.first).to_have_text('{"a":1}')
            await payload.first.click()
            assert await payload.first.inner_text() == '{\n  "a": 1\n}'
            await page.select_option("#tail-view", "hex")
            await payload.last.click()
            await expect(payload.last).to_have_text(re.compile(r"^0000  00 01 41 42 +\.\.AB$"))


# --- Why not?


async def test_why_not_says_what_to_change_and_can_be_linked():
    async with gateway() as running, dashboard(running, "why") as page:
        answer = page.locator("#answer")
        await page.fill("#why-url", running.ws("/closed"))
        await page.fill("#why-origin", "https://evil.example")
        token = secret("token")
        await page.fill("#why-token", token)
        await page.keyboard.press("Enter")
        await expect(answer.locator("h3")).to_have_text("No: 403")
        await expect(answer.locator(".cure")).to_contain_text("origins")
        assert await colour(page, "#answer h3", "color") == await variable(page, "--bad")
        assert "closed" in page.url and "evil.example" in page.url and token not in page.url
        await page.reload()
        await expect(answer.locator("h3")).to_have_text("No: 403")
        await page.fill("#why-origin", "https://a.example")
        await page.keyboard.press("Enter")
        await expect(answer.locator("h3")).to_have_text("Yes: it would be let in now")
        await expect(answer.locator("pre")).to_contain_text("101")
        await page.fill("#why-url", running.ws("/nowhere"))
        await page.keyboard.press("Enter")
        await expect(answer.locator("h3")).to_have_text("No: 404")


async def test_why_not_shows_the_endpoints_as_they_are():
    reservation, port = refusing_port()
    with reservation:
        async with gateway(None, port) as running:
            await running.event("health", to="down")
            async with dashboard(running, f"why?url={running.ws('/app')}") as page:
                await expect(page.locator("#answer h3")).to_have_text("No: 503")
                await expect(page.locator("#answer [data-state=down]")).to_contain_text(f"ws://127.0.0.1:{port} – check: ")
                await expect(page.locator("#answer .cure")).to_contain_text("up by itself once it answers")


async def test_why_not_says_that_nothing_listens_on_the_port():
    async with gateway() as running, dashboard(running, "why?url=ws://127.0.0.1:1/echo") as page:
        await expect(page.locator("#answer h3")).to_have_text("Yes, if something in front forwards it to a listener")
        assert await colour(page, "#answer h3", "color") == await variable(page, "--text")


# --- Operating


async def test_a_reload_says_first_what_it_does_and_then_does_it():
    async with gateway() as running, client(running.ws("/app")), client(running.ws("/echo")):
        await running.events(2, "open")
        async with dashboard(running, "operate") as page:
            await expect(page.locator("#apply")).to_be_disabled()
            await expect(page.locator("#apply")).to_have_attribute("title", "Only after a dry run without mistakes")
            running.write(routes=[{"path": "/echo", "backend": "nowhere"}])
            await page.click("#dry-run")
            await expect(page.locator("#reload-said .mistakes")).to_contain_text(re.compile(r":\d+:\d+: .*nowhere"))
            await expect(page.locator("#apply")).to_be_disabled()
            running.write(routes=ROUTES[:1])
            await page.click("#dry-run")
            await expect(page.locator("#reload-said")).to_contain_text("1 session would close with 1012, 1 stay")
            await expect(page.locator("#reload-said .gone", has_text="path: /app")).to_have_count(1)
            await page.click("#apply")
            await expect(page.locator("#confirm")).to_contain_text("1 session would close")
            await page.click("#confirm-yes")
            await expect(page.locator("#reload-said")).to_contain_text("Applied.")
            await running.closed(cause="reload", route="app")
            await expect(page.locator("#reload-last")).to_contain_text("applied")
            page.problems.clear()


async def test_nothing_can_be_changed_where_the_address_is_read_only():
    admin_keys = {"address": "127.0.0.1:0", "read-only": True}
    async with WebSocketBackend() as backend, gateway(backend, admin=admin_keys) as running, client(running.ws("/echo")):
        async with dashboard(running) as page:
            await expect(page.locator("#read-only")).to_be_visible()
            await expect(page.locator(f'tr[data-endpoint="{url(backend)}"] .word')).to_have_text("up")
            await expect(page.locator("#backends select")).to_be_hidden()
            await page.evaluate("location.hash = '/sessions'")
            await page.locator("#session-table tbody a").click()
            await expect(page.locator("#session-facts")).to_contain_text("echo")
            await page.evaluate("location.hash = '/operate'")
            await expect(page.locator("#configuration")).to_contain_text("routes")
            for name in ("close-matching", "close-session", "dry-run", "apply", "drain"):
                await expect(page.locator(f"#{name}")).to_be_hidden()


async def test_the_page_works_behind_a_password(tmp_path):
    file = tmp_path / "users"
    file.write_text(user("alice", "right"))
    keys = {"address": "127.0.0.1:0", "auth": {"basic": {"file": str(file)}}}
    async with gateway(admin=keys) as running, client(running.ws("/echo")) as socket:
        credentials = {"username": "alice", "password": password("right")}
        async with dashboard(running, "sessions", http_credentials=credentials, **DESKTOP) as page:
            await page.locator("#session-table tbody a").click()
            await expect(page.locator("#tail-state")).to_have_text("live")
            await page.fill("#close-code", "4001")
            await page.click("#close-session button")
            await within(socket.wait_closed())
            assert socket.close_code == 4001
            await page.evaluate("location.hash = '/operate'")
            await expect(page.locator("#changes")).to_contain_text("by alice")


async def test_a_certificate_that_ends_soon_is_on_the_first_screen(authority):
    identity = authority.issue("chat.example", days=5)
    listeners = [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": {"certificates": [identity.configuration()]}}]
    async with gateway(listeners=listeners) as running, dashboard(running) as page:
        await expect(page.locator("#notices")).to_contain_text("chat.example: certificate ends in 4 d 23 h")
        await expect(page.locator("#certificates li")).to_contain_text("4 d 23 h left")
        assert await colour(page, "#certificates .warn", "color") == await variable(page, "--warn")


# --- By keyboard, and on a phone


async def test_everything_is_reached_by_keyboard():
    async with gateway() as running, contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(client(running.ws("/echo")))
        async with dashboard(running) as page:
            focused = "document.activeElement.id"
            await page.keyboard.press("/")
            await page.wait_for_function(f"{focused} === 'filter-route'")
            await expect(page.locator("#sessions")).to_be_visible()
            await page.keyboard.type("echo")
            await expect(page.locator("#sessions-said")).to_have_text("2 sessions match")
            await page.keyboard.press("Escape")
            await page.keyboard.press("j")
            await page.keyboard.press("j")
            second = page.locator("#session-table tbody a").nth(1)
            await expect(second).to_be_focused()
            assert await colour(page, "#session-table tbody tr:nth-child(2) a", "outline-style") == "solid"
            await page.keyboard.press("Enter")
            await expect(page.locator("#session")).to_be_visible()
            await expect(page.locator("#session-title")).to_have_text(await second.inner_text())
            await page.keyboard.press("Escape")
            await expect(page.locator("#session")).to_be_hidden()
            await expect(second).to_be_focused()
            await page.keyboard.press("?")
            await expect(page.locator("#keys")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator("#keys")).to_be_hidden()
            for key, view in enumerate(VIEWS, 1):
                await page.keyboard.press(str(key))
                await expect(page.locator(f"#{view}")).to_be_visible()
                await expect(page.locator("nav [aria-current=page]")).to_have_attribute("href", f"#/{view}")


async def test_each_field_and_button_has_a_name():
    async with gateway() as running, client(running.ws("/echo")), dashboard(running) as page:
        for view in VIEWS:
            await page.evaluate(f"location.hash = '/{view}'")
            if view == "sessions":
                await page.locator("#session-table tbody a").click()
            nameless = await page.evaluate(
                """() => [...document.querySelectorAll('input, select, button, [tabindex="0"]')].filter((element) =>
                    !element.labels?.length && !element.getAttribute('aria-label') && !element.textContent.trim()
                    && element.offsetParent !== null).map((element) => element.outerHTML)"""
            )
            assert nameless == []


@pytest.mark.long
async def test_thousands_of_sessions_are_a_page_at_a_time(screenshots):
    count = 9000
    async with gateway() as running, Herd(running.plain) as herd:
        await herd.open(count, "/echo")
        async with dashboard(running, "sessions") as page:
            await expect(page.locator("#sessions-said")).to_have_text("9,000 sessions")
            await page.screenshot(path=screenshots / "admin-thousands.png")
            assert await page.locator("#session-table tbody tr").count() == 50
            await page.click("#next-page")
            await expect(page.locator("#page-said")).to_have_text("51 to 100 of 9,000")
            await page.click("#previous-page")
            await expect(page.locator("#page-said")).to_have_text("1 to 50 of 9,000")
