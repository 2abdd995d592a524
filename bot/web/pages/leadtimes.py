"""Lead times: in how many days orders lead to goods, bills and money, and the vendors that deliver late."""

from __future__ import annotations

from aiohttp import web

from bot.efficiency.lead_views import COMMAND
from bot.web.pages.sections import draw_sections
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_TITLE = phrase("Lead times")
_LINES = (f"/{COMMAND}", f"/{COMMAND} po")


async def show_lead_times(visit: Visit) -> web.Response:
    """Show all steps, and that of purchase orders by vendor."""
    return await draw_sections(visit, _TITLE, _LINES)


LEAD_TIMES = Page(path="/leadtimes", show=show_lead_times, title=_TITLE, needs=COMMAND)
