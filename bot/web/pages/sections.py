"""A page of several answers, one below the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from bot.web.pages.shown import show
from bot.web.pages.visit import Visit
from bot.words.phrase import Phrase


async def draw_sections(visit: Visit, title: Phrase, lines: Sequence[str], *, heading: str = "") -> web.Response:
    """Show the answers of fixed lines, of those whose commands the person may use. They count as no questions."""
    usable = visit.parts.answers.usable(visit.person)
    wanted = [line for line in lines if line.removeprefix("/").partition(" ")[0] in usable]
    answers = await asyncio.gather(*map(visit.glance, wanted))
    sections = [(line.removeprefix("/"), show(visit, answer)) for line, answer in zip(wanted, answers, strict=True)]
    return visit.draw("sections", title=title, heading=heading or visit.say(title), sections=sections)
