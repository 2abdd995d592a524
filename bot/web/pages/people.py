"""People, for administrators: the members, who one of them is to the bot, why they may do what, and what they see."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from bot.access.people import Person
from bot.chat.answers.page_answers import PageAnswer
from bot.chat.parsing import command_line
from bot.web.pages.shown import ROWS, ShownAnswer, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase

PEOPLE = "/people"
_COMMAND = "people"
_MOST, _MOST_LINE = 100, 400
_USUAL = ("/pending", "/order", "/po", "/stock SKU123", "/alerts", "/whoami")
"""Lines that are tried first."""


async def show_people(visit: Visit) -> web.Response:
    """Show the members that a text fits."""
    text = " ".join(visit.query.get("text", "").split())[:_MOST]
    offset = visit.query.get("from", "")
    start = int(offset) if offset.isdecimal() and len(offset) <= 6 else 0
    answer = await visit.ask(command_line(_COMMAND, text), offset=start, rows=ROWS)
    shown = show(visit, answer, row_address=lambda row: _address(visit, row.user_id))
    return visit.draw("people", status=status_of(answer, missing=True), shown=shown, text=text)


async def show_person(visit: Visit) -> web.Response:
    """Show one member, and where asked why they may use a command."""
    user_id, about = _asked_id(visit), " ".join(visit.query.get("command", "").split())[:_MOST]
    answer = await visit.ask(command_line(_COMMAND, user_id))
    person = await _person(visit, answer, user_id)
    beside = [show(visit, await visit.glance(command_line(_COMMAND, user_id, about)))] if person and about else []
    usual = [(line, visit.address(f"{_local(user_id)}/sees", line=line)) for line in _USUAL]
    return visit.draw(
        "person",
        status=status_of(answer, missing=True),
        shown=show(visit, answer),
        person=person,
        beside=beside,
        usual=usual,
        about=about,
        sees=_local(user_id),
    )


async def show_as_seen(visit: Visit) -> web.Response:
    """Show what a member would see of a line: nothing on it acts, and it is recorded before it is drawn."""
    user_id, line = _asked_id(visit), visit.query.get("line", "").strip()[:_MOST_LINE]
    allowed = await visit.ask(command_line(_COMMAND, user_id))  # each look counts as a question of the visitor's
    person = await _person(visit, allowed, user_id)
    if person is None:
        return visit.draw(
            "seen", status=status_of(allowed, missing=True), shown=show(visit, allowed), person=None, line="", sees=""
        )
    answer = await visit.parts.answers.as_seen_by(person, line or "/help", viewer=visit.person)
    shown = _without_links(show(visit, answer))
    return visit.draw(
        "seen", status=status_of(answer, missing=True), shown=shown, person=person, line=line, sees=_local(user_id)
    )


async def _person(visit: Visit, allowed: PageAnswer, user_id: str) -> Person | None:
    """Return the member with exactly this id, where the visitor may look after members."""
    who = getattr(allowed.view, "who", None)
    if allowed.outcome != "answered" or getattr(who, "user_id", "") != user_id:
        return None
    found = await visit.parts.identify(user_id)
    return None if found.is_external else found


def _without_links(shown: ShownAnswer) -> ShownAnswer:
    """Return an answer without what leads on: it would lead the visitor, and not the person, there."""
    if shown.table is None:
        return shown
    rows = tuple(tuple(replace(cell, address="") for cell in row) for row in shown.table.rows)
    return replace(shown, table=replace(shown.table, rows=rows, before="", after=""))


def _asked_id(visit: Visit) -> str:
    return visit.request.match_info["user"][:_MOST]


def _local(user_id: str) -> str:
    return f"{PEOPLE}/{quote(user_id, safe='')}"


def _address(visit: Visit, user_id: str) -> str:
    return visit.address(_local(user_id))


MEMBERS = Page(path=PEOPLE, show=show_people, title=phrase("People"), needs=_COMMAND)
MEMBER = Page(path=f"{PEOPLE}/{{user}}", show=show_person)
SEEN = Page(path=f"{PEOPLE}/{{user}}/sees", show=show_as_seen)
