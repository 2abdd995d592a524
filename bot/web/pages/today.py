"""What waits for somebody, is due, late or short: the answer to `/today`, each list a link."""

from __future__ import annotations

from aiohttp import web

from bot.web.pages.ask import draw_answer
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase


async def show_today(visit: Visit) -> web.Response:
    """Show the lists that somebody may see. Opening the page counts as no question."""
    return await draw_answer(visit, await visit.glance("/today"))


TODAY = Page(path="/today", show=show_today, title=phrase("Today"), needs="today")
