"""The chat page in Debian's Chromium.

Every ``async`` test of this folder is marked ``browser`` and runs on one event loop for the whole session, so that
simulator, bot and browser can live side by side in it. The fixtures:

``simulator``     a `bot.kit.simulator.server.RunningSimulator` of the test's own (``.url``, ``.engine``)
``echo_bot``      an `EchoBot` connected to it; script its ``answer`` and ``on_click``
``browser_page``  opens a page: ``await browser_page("keeper01", viewport=PHONE, dark=True, language="en", url=…)``
                  → `ChatPage`; ``url`` is another simulator's origin where it is not the fixture's. A page that threw
                  an error or hurt its content-security policy fails the test.

Stable marks in the page: ``data-testid`` everywhere; conversations carry ``data-conversation-id``, ``data-kind`` and
``data-unread``; messages ``data-seq``; cards ``data-track-id``, ``data-version``, ``data-private`` and inside them
``card-title``, ``card-body``, ``card-tips``, ``card-private`` and ``card-button`` (``data-button-id``, ``data-color``);
faults ``data-name``; timeline rows ``data-direction``, ``data-name``, ``data-tone``; ``#app`` has ``data-ready`` with
the person's userId once their messages are loaded.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from inspect import iscoroutinefunction

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Error, async_playwright, expect

from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.answers.probe_results import ProbeResults
from bot.kit.simulator.server import RunningSimulator, open_simulator
from tests.browser.chat_page import DESK, ChatPage
from tests.browser.echo_bot import EchoBot, connected_bot
from tests.browser.tab_pool import PATIENCE_MS, TabPool
from tests.scenario.conftest import BotSystem

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Above its limit Chromium still gives each profile a renderer, but starts no spares; half of the renderers were
    # spares.
    "--renderer-process-limit=1",
)

OpenPage = Callable[..., Awaitable[ChatPage]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.nodeid.startswith("tests/browser/"):
            continue
        if isinstance(item, pytest.Function) and iscoroutinefunction(item.function):
            item.add_marker("browser")
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the headless Chromium, or of the full one; skips where there is neither.

    The full one takes half as much time again for the same pages: it is ready to open windows, though it never does.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium-headless-shell")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield chrome
        await chrome.close()


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> TabPool:
    """Tabs of that browser, each with its own profile; see `tests.browser.tab_pool`."""
    return TabPool(browser)


@pytest.fixture(scope="session")
def pixel() -> bytes:
    """A PNG of one pixel."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )


@pytest_asyncio.fixture(loop_scope="session")
async def simulator() -> AsyncIterator[RunningSimulator]:
    async with open_simulator() as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="session")
async def echo_bot(simulator: RunningSimulator) -> AsyncIterator[EchoBot]:
    """A bot that answers each text with a card."""
    async with connected_bot(simulator.url) as bot:
        yield bot


@pytest_asyncio.fixture(loop_scope="session")
async def browser_page(tabs: TabPool, request: pytest.FixtureRequest) -> AsyncIterator[OpenPage]:
    """Opens pages; see the top of this module."""
    pages: list[ChatPage] = []
    async with AsyncExitStack() as stack:

        async def open_page(
            person: str,
            *,
            viewport: tuple[int, int] = DESK,
            dark: bool = False,
            language: str = "zh",
            url: str = "",
        ) -> ChatPage:
            tab = await stack.enter_async_context(tabs.tab(viewport, dark=dark))
            page = ChatPage(tab, url or request.getfixturevalue("simulator").url)
            _listen(stack, page)
            pages.append(page)
            await page.visit(person, language)
            return page

        yield open_page
    assert [mistake for page in pages for mistake in page.mistakes] == []


def _listen(stack: AsyncExitStack, page: ChatPage) -> None:
    """Collect the errors of a page while its test lasts: the tab is used again."""

    def threw(error: Error) -> None:
        page.mistakes.append(str(error))

    def wrote(line: ConsoleMessage) -> None:
        # Some tests take the server away; the page is not to blame for that.
        if line.type == "error" and "net::ERR_" not in line.text:
            page.mistakes.append(f"{line.text} {line.location.get('url', '')}")

    page.page.on("pageerror", threw)
    page.page.on("console", wrote)
    stack.callback(page.page.remove_listener, "pageerror", threw)
    stack.callback(page.page.remove_listener, "console", wrote)


@pytest.fixture(params=[False, True], ids=["harsh", "mild"])
def mild(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the platform shows a click's answer and private values to one person alone, as somebody has seen.

    Ask for it before the system, then call `read_as`.
    """
    if request.param:
        seen = ProbeResults(private_values=True, own_answers=True)
        monkeypatch.setattr(Infrastructure, "confirmed", lambda base: seen)
    return bool(request.param)


def read_as(system: BotSystem, *, mild: bool) -> None:
    """Have the simulator play this reading of the platform."""
    system.engine.readings.answers_public, system.engine.readings.private_values = not mild, mild
