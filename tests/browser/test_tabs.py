"""What one test leaves in a browser tab must not reach the next test."""

from __future__ import annotations

from bot.kit.simulator.server import RunningSimulator
from tests.browser.chat_page import PHONE
from tests.browser.tab_pool import TabPool

WRITE = """() => {
    localStorage.setItem('left', 'here');
    sessionStorage.setItem('left', 'here');
    document.cookie = 'left=here';
}"""
READ = "() => [localStorage.length, sessionStorage.length, document.cookie]"


async def test_a_tab_is_lent_again_without_what_was_left_in_it(tabs: TabPool, simulator: RunningSimulator) -> None:
    address = f"{simulator.url}/static/preview.html"
    async with tabs.tab(PHONE) as first:
        await first.goto(address)
        await first.evaluate(WRITE)
        assert await first.evaluate(READ) == [1, 1, "left=here"]
    assert first.url == "about:blank"
    async with tabs.tab(PHONE) as again:
        assert again is first
        await again.goto(address)
        assert await again.evaluate(READ) == [0, 0, ""]


async def test_who_is_open_at_the_same_time_has_a_profile_of_their_own(
    tabs: TabPool, simulator: RunningSimulator
) -> None:
    address = f"{simulator.url}/static/preview.html"
    async with tabs.tab(PHONE) as one, tabs.tab(PHONE) as other:
        for page in (one, other):
            await page.goto(address)
        await one.evaluate(WRITE)
        assert await other.evaluate(READ) == [0, 0, ""]


async def test_a_tab_that_was_lost_is_not_lent_again(tabs: TabPool, simulator: RunningSimulator) -> None:
    async with tabs.tab(PHONE) as lost:
        await lost.goto(f"{simulator.url}/static/preview.html")
        await lost.close()
    async with tabs.tab(PHONE) as page:
        assert page is not lost
        assert not page.is_closed()
