"""The week of the company: what was sold, came in and is owed, with its trend, and what is late, short or waits."""

from __future__ import annotations

from aiohttp import web

from bot.web.pages.sections import draw_sections
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_TITLE = phrase("The week")
_LINES = ("/report week", "/today", "/chart sales", "/chart ageing", "/chart payables")


async def show_week(visit: Visit) -> web.Response:
    """Show the lists and reports of a week, each with what somebody may see of it."""
    return await draw_sections(visit, _TITLE, _LINES)


WEEK = Page(path="/week", show=show_week, title=_TITLE, needs="report")
