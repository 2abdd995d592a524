"""The routes of what the bot and people do: alerts, approvals, cards that are owed, the audit log. They only read."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from bot.cards.view import ListView
from bot.chat.answers.page_answers import CutAnswer
from bot.chat.days import names_days
from bot.chat.parsing import command_line, normalise
from bot.chat.registry import Commands
from bot.web.api.documents import NO_DAYS, NOT_HERE, list_schema, not_told, one_schema
from bot.web.api.list_pages import PartRequest, read_page
from bot.web.api.problems import ApiProblem, WrongPart
from bot.web.api.records import Schemas
from bot.web.api.routes import ApiRequest, ApiRoute, RequestModel, answer

_MOST_WORD = 100
_ALL_LINES = 1_000


class AlertFilters(PartRequest):
    """Which open alerts."""

    range: Literal["all", "mine"] = Field(
        "all", description="Of all groups of the key's owner, or their own.", examples=["all"]
    )


class CaseFilters(PartRequest):
    """Which cases of approvals."""

    state: Literal["waiting", "settled"] | None = Field(
        None, description="Those that wait, or those that are decided.", examples=["waiting"]
    )
    days: str = Field(
        "", max_length=_MOST_WORD, description="When they came, as typed in the chat.", examples=["last week"]
    )


class OutboxFilters(PartRequest):
    """Which cards."""

    state: Literal["dead", "queued", "sent", "folded"] | None = Field(
        None, description="What became of them: dead are those that were given up.", examples=["dead"]
    )


class AuditFilters(PartRequest):
    """Whose entries, or about what."""

    about: str = Field(
        min_length=1,
        max_length=_MOST_WORD,
        pattern=r"\S",
        description="The number of a document, or a person's userId.",
        examples=["PO-1001"],
    )


def oversight_routes(commands: Commands) -> tuple[ApiRoute, ...]:
    """Return those routes whose command is there."""
    return tuple(route for name, route in _ROUTES if name in commands)


async def _list_alerts(asked: ApiRequest) -> web.Response:
    return await _answer_list(asked, f"/alerts {asked.values.range}", "alert_list")


async def _list_waiting(asked: ApiRequest) -> web.Response:
    return await _answer_list(asked, "/pending", "approval_list")


async def _list_cases(asked: ApiRequest) -> web.Response:
    days = normalise(asked.values.days)
    if asked.values.days and not names_days(days):
        wrong = WrongPart(parameter="days", detail=NO_DAYS, example="last week")
        raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, NO_DAYS, errors=[wrong])
    line = " ".join(filter(None, ("/decisions", asked.values.state, days)))
    return await _answer_list(asked, line, "approval_history")


async def _list_cards(asked: ApiRequest) -> web.Response:
    return await _answer_list(asked, command_line("outbox", asked.values.state or ""), "outbox_list")


async def _list_entries(asked: ApiRequest) -> web.Response:
    return await _answer_list(asked, command_line("audit", normalise(asked.values.about)), "audit")


async def _answer_list(asked: ApiRequest, line: str, card: str) -> web.Response:
    def check(found: CutAnswer) -> ListView:
        if not isinstance(found.view, ListView) or found.view.card != card:
            raise not_told(asked, found)
        return found.view

    page = await read_page(asked, line, check, _name)
    return answer(asked.request, {"line": line, "view": asked.write(page.view), "next": page.following})


def _name(row: Any) -> tuple[str, ...]:
    """Return what tells a row from others: its id, or for entries of the audit log all that they say."""
    known = next(filter(None, (getattr(row, name, "") for name in ("id", "case", "card"))), "")
    return (known,) if known else (row.at.isoformat(), str(row.who), str(row.deed), *row.what, str(row.detail))


async def _read_one(words: tuple[str, ...], command: str, card: str, asked: ApiRequest) -> web.Response:
    name = normalise(asked.request.match_info["number"])
    if not 0 < len(name) <= _MOST_WORD:
        raise ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE)
    line = " ".join((command_line(command, name), *words))
    found = await asked.look_up(line, rows=_ALL_LINES)
    drawn = asked.draw(found)
    if found.view.card != card:
        raise ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE, choices=asked.choices(drawn))
    return answer(asked.request, {"line": line, "view": asked.write(found.view), "links": asked.choices(drawn)})


def _list(path: str, summary: str, serve: Any, takes: type[RequestModel], card: str) -> ApiRoute:
    return ApiRoute(
        method="GET",
        path=path,
        name=f"list_{path.strip('/')}",
        summary=summary,
        serve=serve,
        takes=takes,
        gives=lambda schemas: list_schema(card, schemas),
        problems=(HTTPStatus.CONFLICT, HTTPStatus.GONE),
    )


def _one(path: str, summary: str, serve: Any, card: str, called: str) -> ApiRoute:
    def gives(schemas: Schemas) -> Any:
        return one_schema(schemas, card)

    return ApiRoute(
        method="GET",
        path=f"{path}/{{number}}",
        name=f"read_{path.strip('/')}",
        summary=summary,
        serve=serve,
        gives=gives,
        path_values={"number": called},
    )


_ALERT = partial(_read_one, ("all",), "alerts", "alert")
_CASE = partial(_read_one, (), "decisions", "approval_record")
_CARD = partial(_read_one, (), "outbox", "outbox_card")
_ROUTES = (
    ("alerts", _list("/alerts", "Open alerts", _list_alerts, AlertFilters, "alert_list")),
    ("alerts", _one("/alerts", "One alert", _ALERT, "alert", "Its id.")),
    ("pending", _list("/pending", "Orders that wait for the owner", _list_waiting, PartRequest, "approval_list")),
    ("decisions", _list("/approvals", "Cases of approvals", _list_cases, CaseFilters, "approval_history")),
    ("decisions", _one("/approvals", "What became of one", _CASE, "approval_record", "The document's number.")),
    ("outbox", _list("/outbox", "Cards that are owed or were sent", _list_cards, OutboxFilters, "outbox_list")),
    ("outbox", _one("/outbox", "What became of one card", _CARD, "outbox_card", "Its name in the list.")),
    ("audit", _list("/audit", "Who saw, decided or was refused", _list_entries, AuditFilters, "audit")),
)
"""Each with the command whose rules say who may ask."""
