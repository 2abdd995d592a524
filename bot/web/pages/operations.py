"""Operations, for administrators: how the bot and its ERPs do, DingTalk's quotas, cards given up, the audit log."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from bot.chat.parsing import command_line
from bot.web.pages.shown import ROWS, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

OPERATIONS = "/operations"
_COMMAND = "status"
_SECTIONS = ("/status", "/quota", "/erps", "/outbox dead")
"""What stands on the page, in its order; each for those who may ask it."""
_LOOKED_UP = ("audit", "trace")
_MOST = 100


async def show_operations(visit: Visit) -> web.Response:
    """Show how everything does. Nothing of it costs a call of DingTalk or of an ERP."""
    usable = visit.parts.answers.usable(visit.person)
    lines = [line for line in _SECTIONS if line.split()[0].removeprefix("/") in usable]
    if _COMMAND not in usable:
        answer = await visit.ask(f"/{_COMMAND}")
        return visit.draw("operations", status=status_of(answer), sections=[show(visit, answer)], looks_up=())
    answers = await asyncio.gather(*(visit.glance(line, rows=ROWS) for line in lines))
    looks_up = [name for name in _LOOKED_UP if name in usable]
    return visit.draw("operations", sections=[show(visit, each) for each in answers], looks_up=looks_up)


async def _look_up(command: str, visit: Visit) -> web.Response:
    """Show what a command tells of a word: the audit log of a document or a person, or the trace of a reference."""
    word = " ".join(visit.query.get("word", "").split())[:_MOST]
    return visit.go("/ask", line=command_line(command, word)) if word else visit.go(OPERATIONS)


STATE = Page(path=OPERATIONS, show=show_operations, title=phrase("Operations"), needs=_COMMAND)
AUDIT, TRACE = (Page(path=f"{OPERATIONS}/{name}", show=partial(_look_up, name)) for name in _LOOKED_UP)
