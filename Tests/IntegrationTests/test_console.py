"""The console page in Chromium, over https and wss, on a desktop and on a phone, in the light and in the dark."""

import contextlib

import pytest
from playwright.async_api import Page

from browser import chromium, new_page
from gateway_process import Gateway

ROUTES = [
    {"path": "/", "page": "console"},
    {"path": "/echo", "backend": "echo"},
    {"path": "/clock", "backend": "clock"},
    {"path": "/broadcast/*", "backend": "rooms"},
    {"path": "/spoken", "backend": "echo", "subprotocols": ["chat.v2", "chat.v1"]},
]
BACKENDS = {
    "echo": {"builtin": "echo"}, "clock": {"builtin": "clock", "every": "100ms"}, "rooms": {"builtin": "broadcast"},
}
DESKTOP = {"viewport": {"width": 1100, "height": 760}}
PHONE = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@contextlib.asynccontextmanager
async def console(**options):
    """Yields the gateway and a way to open the page."""
    async with Gateway(routes=ROUTES, backends=BACKENDS, **options) as gateway, chromium() as browser:

        async def open_page(**look) -> Page:
            return await new_page(browser, gateway.https("/"), **look)

        yield gateway, open_page


async def state(page: Page, expected: str):
    await page.wait_for_selector(f"#state[data-state={expected}]")


async def connect(page: Page, path: str):
    await page.fill("#url", path)
    await page.press("#url", "Enter")
    await state(page, "open")


async def say(page: Page, text: str):
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def shown(page: Page, kind: str, text: str):
    await page.wait_for_selector(f"#log li.{kind} >> text={text}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_echo(device, scheme, screenshots):
    async with console() as (gateway, open_page):
        page = await open_page(color_scheme=scheme, **device)
        await state(page, "closed")
        await connect(page, "/echo")
        await say(page, "grüße, 世界 🌍")
        await shown(page, "out", "grüße, 世界 🌍")
        await shown(page, "in", "grüße, 世界 🌍")
        await page.click("summary")
        await page.fill("#code", "4001")
        await page.fill("#reason", "enough")
        name = f"echo-{'phone' if device is PHONE else 'desktop'}-{scheme}.png"
        await page.screenshot(path=screenshots / name)
        await page.click("#close")
        await shown(page, "note", "Closed 4001")
        await state(page, "closed")
        assert await page.inner_text("#connect") == "Reconnect"
        width, inner = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner and not page.problems
        record = await gateway.closed(cause="client-closed", by="client", code=4001)
        assert record["origin"] == gateway.https("")


async def test_clock(screenshots):
    async with console() as (gateway, open_page):
        page = await open_page(**DESKTOP)
        await page.click("#picks button[value='/clock']")
        await page.wait_for_selector("#log li.in >> nth=2")
        await page.screenshot(path=screenshots / "clock.png")
        await page.click("#connect")
        await shown(page, "note", "Closed 1000")
        assert not page.problems


async def picks(page: Page) -> list[str]:
    """The routes that the page offers: as buttons, and below its field."""
    offered = await page.eval_on_selector_all("#picks button", "buttons => buttons.map((button) => button.value)")
    assert await page.eval_on_selector_all("#routes option", "options => options.map((option) => option.value)") == offered
    return offered


async def test_the_routes_that_there_are_are_offered(screenshots):
    async with console() as (gateway, open_page):
        page = await open_page(**DESKTOP)
        assert await picks(page) == ["/echo", "/clock", "/broadcast/lobby", "/spoken"]
        assert await page.input_value("#url") == "/echo"
        await page.screenshot(path=screenshots / "routes.png")
        assert not page.problems
    routes = [
        {"path": "/", "page": "console"},
        {"path": "/away", "backend": "echo", "hosts": ["other.example"]},
        {"path": "/here&now", "backend": "echo", "hosts": ["127.0.0.1"]},
        {"path": "/hidden/*", "page": "console"},
        {"path": "/hidden/echo", "backend": "echo"},
        {"path": "/deep/*", "backend": "echo"},
        {"path": "/*", "backend": "clock"},
    ]
    async with Gateway(routes=routes, backends=BACKENDS) as gateway, chromium() as browser:
        page = await new_page(browser, gateway.https("/"))
        # What another host or an earlier route has is not to be had here.
        assert await picks(page) == ["/here&now", "/deep/", "/lobby"]
        for path in await picks(page):
            await connect(page, path)
            await page.click("#connect")
            await state(page, "closed")
        assert not page.problems
    async with Gateway(routes=[{"path": "/", "page": "console"}], backends={}) as gateway, chromium() as browser:
        page = await new_page(browser, gateway.https("/"))
        assert await picks(page) == [] and await page.input_value("#url") == ""
        await page.screenshot(path=screenshots / "no-routes.png")
        assert not page.problems


async def test_two_pages_chat(screenshots):
    async with console(workers=2) as (gateway, open_page):
        pages = [await open_page(**DESKTOP), await open_page(color_scheme="dark", **PHONE)]
        for page in pages:
            await connect(page, "/broadcast/lobby")
        await gateway.events(2, "open")
        for number, page in enumerate(pages):
            await say(page, f"hello from {number}")
            for listener in pages:
                await shown(listener, "in", f"hello from {number}")
        for number, page in enumerate(pages):
            await page.screenshot(path=screenshots / f"chat-{number}.png")
            assert not page.problems


async def test_a_subprotocol_can_be_offered():
    async with console() as (gateway, open_page):
        page = await open_page()
        await page.fill("#protocols", "chat.v1, chat.v2")
        await connect(page, "/spoken")
        await shown(page, "note", "chat.v2")


async def test_states_come_in_order_and_a_refusal_is_explained(screenshots):
    async with console() as (gateway, open_page):
        page = await open_page()
        await page.evaluate(
            """() => {
                const state = document.querySelector('#state');
                window.seen = ['closed'];
                new MutationObserver(() => seen.at(-1) === state.dataset.state || seen.push(state.dataset.state))
                    .observe(state, { attributes: true });
            }"""
        )
        await connect(page, "/echo")
        await page.click("#connect")
        await state(page, "closed")
        assert await page.evaluate("seen") == ["closed", "connecting", "open", "closing", "closed"]
        assert not page.problems
        await page.fill("#url", "/nowhere")
        await page.press("#url", "Enter")
        await shown(page, "bad", "Closed 1006")
        await page.screenshot(path=screenshots / "refused.png")


async def test_the_page_loads_nothing_and_says_so():
    async with console() as (gateway, open_page):
        page = await open_page()
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        response = await page.reload()
        assert requests == [gateway.https("/")]
        policy = await response.header_value("content-security-policy")
        assert "default-src 'none'" in policy


async def test_a_flood_is_counted_and_capped():
    async with console() as (gateway, open_page):
        page = await open_page()
        await connect(page, "/echo")
        await page.evaluate("for (let number = 0; number < 2000; number += 1) socket.send(`flood ${number}`)")
        await shown(page, "in", "flood 1999")
        assert await page.evaluate("document.querySelectorAll('#log li').length") == 500
        assert "2,000 in" in await page.inner_text("#counts")
        await page.click("#clear")
        assert await page.evaluate("document.querySelectorAll('#log li').length") == 0
