"""Alerts: what is open or over, of all one's groups or one's own, each a tap away from its card with what can be done
and from its timeline; and what is muted in one's own chat.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.cards.actions import Ask
from bot.chat.parsing import command_line
from bot.web.pages.ask import show_done
from bot.web.pages.shown import ROWS, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

ALERTS = "/alerts"
_COMMAND, _MUTE = "alerts", "mute"
_SCOPES = (("all", phrase("all groups")), ("mine", phrase("mine")), ("ended", phrase("over")))
_SPANS = (("30m", phrase("30 minutes")), ("2h", phrase("2 hours")), ("1d", phrase("1 day")), ("7d", phrase("7 days")))
_MOST = 100


async def show_alerts(visit: Visit) -> web.Response:
    """Show the alerts that the filters ask for. What is done to one is a button of its own answer."""
    scope = visit.query.get("scope", "")
    chosen = {
        "scope": scope if scope in dict(_SCOPES) else "all",
        "text": " ".join(visit.query.get("text", "").split())[:_MOST],
    }
    answer = await visit.ask(command_line(_COMMAND, chosen["text"], chosen["scope"]), rows=ROWS)
    scopes = [(typed, visit.say(name)) for typed, name in _SCOPES]
    spans = [(typed, visit.say(name)) for typed, name in _SPANS]
    muted = None
    if _MUTE in visit.parts.answers.usable(visit.person):
        muted = show(visit, await visit.glance(command_line(_COMMAND, "muted")))
    shown, status = show(visit, answer), status_of(answer)
    return visit.draw("alerts", status=status, shown=shown, chosen=chosen, scopes=scopes, spans=spans, muted=muted)


async def mute_alerts(visit: Visit, fields: Mapping[str, str]) -> web.Response:
    """Hold back what the form names in the person's own chat, as ``/mute`` does there, and show what came of it."""
    what = " ".join(fields.get("what", "").split())[:_MOST]
    span = fields.get("span", "")
    token = Ask(command_line(_MUTE, what, span if span in dict(_SPANS) else "")).token
    return await show_done(visit, await visit.act(token or "", {}))


OPEN_ALERTS = Page(path=ALERTS, show=show_alerts, title=phrase("Alerts"), needs=_COMMAND)
MUTING = Page(path=f"{ALERTS}/mute", send=mute_alerts)
