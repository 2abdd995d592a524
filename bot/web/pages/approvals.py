"""Approvals: which documents wait or were decided, and the evidence of one: its record, its rule, who saw it."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from aiohttp import web

from bot.chat.parsing import command_line
from bot.web.pages.documents import PERIODS, typed_days
from bot.web.pages.shown import ROWS, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

APPROVALS = "/approvals"
_COMMAND = "decisions"
_STATES = (("waiting", phrase("waiting")), ("settled", phrase("settled")))
_BESIDE = ("why", "audit")
"""What else is known of an order, each for those who may ask it."""
_MOST = 100


async def show_approvals(visit: Visit) -> web.Response:
    """Show the cases that the filters ask for."""
    chosen = {name: " ".join(visit.query.get(name, "").split())[:_MOST] for name in ("state", "text", "days")}
    line = " ".join(filter(None, (command_line(_COMMAND, chosen["state"], chosen["text"]), typed_days(visit.query))))
    offset = visit.query.get("from", "")
    answer = await visit.ask(line, offset=int(offset) if offset.isdecimal() else 0, rows=ROWS)
    periods = [(typed, visit.say(name)) for typed, name in PERIODS]
    states = [(typed, visit.say(name)) for typed, name in _STATES]
    shown = show(visit, answer, row_address=lambda row: visit.address(f"{APPROVALS}/{quote(row.number, safe='')}"))
    return visit.draw("approvals", status=status_of(answer), shown=shown, chosen=chosen, states=states, periods=periods)


async def show_case(visit: Visit) -> web.Response:
    """Show all that is known about how one order was decided."""
    number = visit.request.match_info["number"][:_MOST]
    answer = await visit.ask(command_line(_COMMAND, number), rows=ROWS)
    usable = visit.parts.answers.usable(visit.person)
    beside = [command_line(name, number) for name in _BESIDE if name in usable and answer.outcome == "answered"]
    others = await asyncio.gather(*map(visit.glance, beside))
    return visit.draw(
        "case", status=status_of(answer), shown=[show(visit, each) for each in (answer, *others)], number=number
    )


LIST_OF_CASES = Page(path=APPROVALS, show=show_approvals, title=phrase("Approvals"), needs=_COMMAND)
CASE = Page(path=f"{APPROVALS}/{{number}}", show=show_case)
