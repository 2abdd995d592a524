"""The first page: who somebody is, what waits for them, and what they may see."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.web.pages.shown import show
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_SECTIONS = ("pending", "alerts", "watches", "subscriptions", "whoami")
"""The commands whose answers stand on it, in their order; each for those who may use it."""


async def show_me(visit: Visit) -> web.Response:
    """Show somebody's own lists."""
    usable = visit.parts.answers.usable(visit.person)
    wanted = [name for name in _SECTIONS if name in usable]
    answers = await asyncio.gather(*(visit.glance(f"/{name}") for name in wanted))
    sections = [(name, show(visit, answer)) for name, answer in zip(wanted, answers, strict=True)]
    return visit.draw("me", sections=sections)


ME = Page(path="/", show=show_me, title=phrase("My page"))
