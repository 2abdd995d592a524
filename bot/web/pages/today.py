"""What is late, short or on its way, and what waits for one's decision: a line for each list, with its number.

Which lists there are is said by the kinds of documents: those of what is late or overdue.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from bot.cards.view import ListView
from bot.chat.answers.page_answers import PageAnswer
from bot.chat.parsing import command_line
from bot.erp.kinds import KINDS
from bot.erp.port import Filter
from bot.web.pages.documents import named_lists
from bot.web.pages.markup import inline_html
from bot.web.pages.shown import ask_address
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

_PRESSING = frozenset({Filter.LATE, Filter.OVERDUE})
_OWN, _BESIDE = ("pending",), ("shortage", "arrivals")
_SILENT = frozenset({"denied", "unsupported"})
"""Outcomes of lists that there are none of for this person, or in their ERPs."""


@dataclass(frozen=True, slots=True)
class DayLine:
    """A list of the day. ``total`` is None where it is not known: then the title says why."""

    title: Markup
    address: str
    total: int | None


async def show_today(visit: Visit) -> web.Response:
    """Show the lists that somebody may see, those with something in them first."""
    lines = lines_of_the_day(visit)
    answers = await asyncio.gather(*map(visit.glance, lines))
    found = [_line(visit, line, answer) for line, answer in zip(lines, answers, strict=True)]
    shown = [each for each in found if each is not None]
    # Of which the number is not known comes first: it is no all-clear.
    lines_left, clear = [[each for each in shown if (each.total == 0) is empty] for empty in (False, True)]
    return visit.draw("today", lines=lines_left, clear=clear)


def lines_of_the_day(visit: Visit) -> list[str]:
    """Return the lines of the lists that count for a day, as far as the person may ask for them."""
    usable = visit.parts.answers.usable(visit.person)
    late = [
        command_line(kind.command, member)
        for kind in KINDS
        if kind.command in usable
        for member in named_lists(visit, kind.command)
        if Filter[member.name] in _PRESSING
    ]
    own, beside = [[f"/{name}" for name in names if name in usable] for names in (_OWN, _BESIDE)]
    return [*own, *late, *beside]


def _line(visit: Visit, line: str, answer: PageAnswer) -> DayLine | None:
    if answer.outcome in _SILENT:
        return None
    total = answer.view.total if isinstance(answer.view, ListView) else None
    known = total if isinstance(total, int) else None
    return DayLine(inline_html(answer.card.title), ask_address(visit, line), known)


TODAY = Page(path="/today", show=show_today, title=phrase("Today"))
