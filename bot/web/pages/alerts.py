"""Alerts: what is open, of all one's groups or one's own, each a tap away from its card with what can be done."""

from __future__ import annotations

from aiohttp import web

from bot.chat.parsing import command_line
from bot.web.pages.shown import ROWS, show
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

ALERTS = "/alerts"
_COMMAND = "alerts"
_SCOPES = (("all", phrase("all groups")), ("mine", phrase("mine")))
_MOST = 100


async def show_alerts(visit: Visit) -> web.Response:
    """Show the open alerts that the filters ask for. What is done to one is a button of its own answer."""
    scope = visit.query.get("scope", "")
    chosen = {
        "scope": scope if scope in dict(_SCOPES) else "all",
        "text": " ".join(visit.query.get("text", "").split())[:_MOST],
    }
    answer = await visit.ask(command_line(_COMMAND, chosen["text"], chosen["scope"]), rows=ROWS)
    scopes = [(typed, visit.say(name)) for typed, name in _SCOPES]
    return visit.draw("alerts", shown=show(visit, answer), chosen=chosen, scopes=scopes)


OPEN_ALERTS = Page(path=ALERTS, show=show_alerts, title=phrase("Alerts"), needs=_COMMAND)
