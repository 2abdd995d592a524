"""Browser tabs that tests use one after the other.

A new profile, with its renderer that loads the Chinese fonts again, costs more than most tests that use it. So a tab is
kept when its test ends, and the next test gets it empty: no page, nothing in its storage, nothing under the mouse.
Pages that are open at the same time each have a tab, and so a profile, of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Error, Page

from tests.browser.chat_page import DESK

PATIENCE_MS = 60_000

# The page itself navigates: on the browser's own navigation it would start another renderer.
_EMPTY = """async () => {
    for (const storage of [localStorage, sessionStorage]) storage.clear();
    location.replace('about:blank');
}"""

_Kind = tuple[tuple[int, int], bool]


@dataclass(slots=True)
class TabPool:
    """The tabs of one browser, with the idle ones sorted by size and colour scheme."""

    browser: Browser
    _free: dict[_Kind, list[Page]] = field(default_factory=dict)

    @asynccontextmanager
    async def tab(self, viewport: tuple[int, int], *, dark: bool = False) -> AsyncIterator[Page]:
        """Lend an empty tab; pages and listeners are removed when the block ends."""
        free = self._free.setdefault((viewport, dark), [])
        page = free.pop() if free else await self._new(viewport, dark)
        empty = False
        try:
            yield page
            empty = await _emptied(page)
        finally:
            if empty:
                free.append(page)
            else:
                await page.context.close()

    async def _new(self, viewport: tuple[int, int], dark: bool) -> Page:
        width, height = viewport
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=width < DESK[0] / 2,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        return await context.new_page()


async def _emptied(page: Page) -> bool:
    """Empty a tab; False where it cannot be used again, as after a crash."""
    if len(page.context.pages) > 1:
        return False
    try:
        if page.url != "about:blank":
            await page.evaluate(_EMPTY)
            await page.wait_for_url("about:blank")
        await page.context.clear_cookies()
        await page.mouse.move(0, 0)
    except Error:
        return False
    return True
