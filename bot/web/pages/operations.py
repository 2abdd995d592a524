"""Operations, for administrators: how the bot and its ERPs do, DingTalk's quotas, cards given up, the audit log."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.chat.parsing import command_line
from bot.web.pages.shown import ROWS, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

OPERATIONS = "/operations"
_COMMAND = "status"
_SECTIONS = ("/status", "/quota", "/erps", "/outbox dead")
"""What stands on the page, in its order; each for those who may ask it."""
_MOST = 100


async def show_operations(visit: Visit) -> web.Response:
    """Show how everything does. Nothing of it costs a call of DingTalk or of an ERP."""
    usable = visit.parts.answers.usable(visit.person)
    lines = [line for line in _SECTIONS if line.split()[0].removeprefix("/") in usable]
    if _COMMAND not in usable:
        answer = await visit.ask(f"/{_COMMAND}")
        return visit.draw("operations", status=status_of(answer), sections=[show(visit, answer)], audit=False)
    answers = await asyncio.gather(*(visit.glance(line, rows=ROWS) for line in lines))
    return visit.draw("operations", sections=[show(visit, each) for each in answers], audit="audit" in usable)


async def search_audit(visit: Visit) -> web.Response:
    """Show what the audit log has about a document or a person."""
    word = " ".join(visit.query.get("word", "").split())[:_MOST]
    return visit.go("/ask", line=command_line("audit", word)) if word else visit.go(OPERATIONS)


STATE = Page(path=OPERATIONS, show=show_operations, title=phrase("Operations"), needs=_COMMAND)
AUDIT = Page(path=f"{OPERATIONS}/audit", show=search_audit)
