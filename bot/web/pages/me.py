"""The first page: who somebody is, what waits for them, and what they may see."""

from __future__ import annotations

from aiohttp import web

from bot.web.pages.sections import draw_sections
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_TITLE = phrase("My page")
_LINES = ("/pending", "/alerts", "/watches", "/subscriptions", "/whoami")


async def show_me(visit: Visit) -> web.Response:
    """Show somebody's own lists."""
    return await draw_sections(visit, _TITLE, _LINES, heading=visit.person.name)


ME = Page(path="/", show=show_me, title=_TITLE)
