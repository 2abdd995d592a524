"""The page that answers a line, the file of a list, and what buttons and forms do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from bot.cards.actions import Ask
from bot.cards.view import ask_again
from bot.chat.answers.page_answers import PageAnswer
from bot.chat.exports import ExportedFile
from bot.web.pages.documents import document_filters, rows_for
from bot.web.pages.drawing import HEADERS
from bot.web.pages.shown import ASK, show, status_of
from bot.web.pages.visit import Page, Visit

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_LINE = 400
_LOOKS = 5
"""How often a page looks again whether the ERP has confirmed a decision."""


async def answer_line(visit: Visit) -> web.Response:
    """Show the answer of a line: what somebody typed, or what a link stands for."""
    line = visit.query.get("line", "").strip()[:_MOST_LINE]
    if not line:
        return visit.go("/")
    if line.startswith("/") and not visit.parts.answers.commands.only_asks(line):
        return visit.draw("confirm", line=line, token=Ask(line).token)
    offset = _number(visit.query.get("from", ""))
    answer = await visit.ask(line, offset=offset, rows=rows_for(visit, line))
    return await draw_answer(visit, answer, looks=_number(visit.query.get("look", "")))


async def give_file(visit: Visit) -> web.Response:
    """Give a list or report as a file."""
    made = await visit.parts.answers.file(visit.person, visit.query.get("line", "").strip()[:_MOST_LINE])
    if not isinstance(made, ExportedFile):
        return await draw_answer(visit, made)
    named = f"attachment; filename=\"export.xlsx\"; filename*=UTF-8''{quote(made.name)}"
    return web.Response(body=made.content, headers={**HEADERS, "Content-Type": _XLSX, "Content-Disposition": named})


async def carry_out(visit: Visit, fields: Mapping[str, str]) -> web.Response:
    """Do what a button or form stands for, and show what has become of it: read again, not as it was sent."""
    return await show_done(visit, await visit.act(fields.get("token", ""), fields))


async def show_done(visit: Visit, answer: PageAnswer) -> web.Response:
    """Show what has become of something that was done."""
    again = ask_again(answer.view)
    if answer.is_decision and answer.outcome == "answered" and answer.card.form is None and again is not None:
        return visit.go(ASK, line=again.line, look=str(_LOOKS))
    return await draw_answer(visit, answer)


async def draw_answer(visit: Visit, answer: PageAnswer, *, looks: int = 0) -> web.Response:
    """Return the page of an answer; one that is on its way to the ERP is looked at again ``looks`` times."""
    refresh = ""
    if looks and getattr(getattr(answer.view, "state", None), "value", "") == "writing":
        refresh = visit.address(ASK, line=answer.asked, look=str(min(looks, _LOOKS) - 1))
    lines = answer.view.beside() if answer.outcome == "answered" else ()
    others = [each for each in await asyncio.gather(*map(visit.glance, lines)) if each.outcome == "answered"]
    beside = [show(visit, each) for each in others]
    filters = document_filters(visit, answer)
    status = status_of(answer)
    shown = show(visit, answer)
    return visit.draw("ask", shown=shown, beside=beside, filters=filters, refresh=refresh, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0


ANSWER = Page(path=ASK, show=answer_line)
FILE = Page(path="/file", show=give_file)
DEED = Page(path="/do", send=carry_out)
