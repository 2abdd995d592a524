"""The routes of documents: for each kind its list with filters, and one document by its number.

A filter becomes words of a line, as people type them, and the answer is checked against what was asked for: a word that
the line took for something else is a problem, and never a list of something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, create_model

from bot.chat.amounts import Amounts
from bot.chat.answers.page_answers import CutAnswer
from bot.chat.arguments import Keyword
from bot.chat.conditions import ListCondition
from bot.chat.days import Days, names_days
from bot.chat.document_views import DocumentListView
from bot.chat.parsing import command_line, in_books, normalise, quote
from bot.chat.records.documents import Documents
from bot.chat.records.own_documents import OWN_WORDS
from bot.chat.registry import AnyCommand, Commands
from bot.erp.kinds import KINDS, PARTNERS, Kind
from bot.erp.list_query import Filter
from bot.web.api.list_pages import PartRequest, read_page
from bot.web.api.problems import ApiProblem, WrongPart
from bot.web.api.records import Schema, Schemas
from bot.web.api.routes import CHOICES_REF, ApiRequest, ApiRoute, RequestModel, answer
from bot.web.api.views import view_of_card
from bot.words.phrase import Words, phrase

MOST_WORD = 100
ALL_LINES = 1_000
_OWN = "mine"
_RESTRICTIONS = Documents.restrictions
_WORDS = ("text", "partner", "product", "days", "due", "amounts", *_RESTRICTIONS, "source")
_OF_EACH = frozenset(PartRequest.model_fields)
"""What says how to answer, and not what is asked."""
_SEVERAL = (HTTPStatus.CONFLICT,)

NOT_HERE = phrase("There is no such document, product or name that the key's owner may see.")
READ_OTHERWISE = phrase("This is read as something else: the line would be %(line)s")
SEVERAL = phrase("The words of this request may mean several things.")
NO_DAYS = phrase("These are no days.")
ONE_TEXT = phrase("Only one of these can be asked for at a time.")


class ListFilters(PartRequest):
    """What every list of documents takes."""

    text: str = Field(
        "", max_length=MOST_WORD, description="A part of a number or name, as typed in the chat.", examples=["1001"]
    )
    source: str = Field(
        "", max_length=MOST_WORD, description="The name of one ERP, where there are several.", examples=["main"]
    )


class OneRequest(RequestModel):
    """What every document takes."""

    source: str = ListFilters.model_fields["source"]  # type: ignore[assignment]  # the same field


def document_routes(commands: Commands) -> tuple[ApiRoute, ...]:
    """Return the routes of all kinds that have a command here."""
    there = [kind for kind in KINDS if kind.command in commands]
    return tuple(route for kind in there for route in _routes(kind, commands[kind.command]))


def _routes(kind: Kind[Any], command: AnyCommand) -> Iterable[ApiRoute]:
    many, called = kind.words.many, kind.command
    lists = named_lists(command, kind)
    yield ApiRoute(
        method="GET",
        path=f"/{called}",
        name=f"list_{called}",
        summary=f"{many}: a list with filters, and what it comes to",
        serve=partial(_answer_list, kind, {str(each): each for each in lists}),
        takes=_list_request(kind, command, lists),
        gives=partial(_gives_list, kind),
        problems=(*_SEVERAL, HTTPStatus.GONE),
    )
    yield ApiRoute(
        method="GET",
        path=f"/{called}/{{number}}",
        name=f"read_{called}",
        summary=f"{many}: one of them, with all that its card tells",
        serve=partial(_answer_one, kind),
        takes=OneRequest,
        gives=partial(_gives_one, kind),
        problems=_SEVERAL,
        path_values={"number": "Its number or code, as the ERP writes it."},
    )


def named_lists(command: AnyCommand, kind: Kind[Any]) -> tuple[Keyword, ...]:
    """Return the words of a command that name lists of its kind."""
    members = [member for each in _types(command) if issubclass(each, Keyword) for member in each]
    return tuple(each for each in members if each.name in Filter.__members__ and Filter[each.name] in kind.filters)


def _list_request(kind: Kind[Any], command: AnyCommand, lists: Sequence[Keyword]) -> type[ListFilters]:
    """Return what the list of a kind takes: only what there is of it."""
    types, fields = _types(command), dict[str, Any]()

    def word(description: str, example: str) -> Any:
        return (str, Field("", max_length=MOST_WORD, description=description, examples=[example]))

    if lists:
        names = tuple(map(str, lists))
        example = Field(None, description="A list that has a name.", examples=[names[0]])
        fields["list"] = (Literal[names] | None, example)
    if kind.partner:
        fields["partner"] = word("The name of a customer or vendor, or a part of it.", "ACME")
    if kind.by_product:
        fields["product"] = word("The code of a product that the documents have a line of.", "SKU-1")
    if kind.has_owners:
        owned = "Only what the key's owner is salesperson, buyer or requester of."
        fields["own"] = (bool, Field(False, description=owned, examples=[True]))
    if any(issubclass(each, Days) for each in types):
        fields["days"] = word("Days of the documents, as typed in the chat.", "2026-11-01..2026-11-30")
        if kind.has_due:
            fields["due"] = word("Days on which they are due.", "this week")
    if any(issubclass(each, Amounts) for each in types):
        fields["amounts"] = word("Bounds of the amount, as typed in the chat.", ">1000")
    for name, restriction in _RESTRICTIONS.items():
        fields[name] = word(f"{restriction.label}: as typed in the chat after `{restriction.prefix}`.", "me")
    return create_model(f"{kind.record.__name__}ListFilters", __base__=ListFilters, **fields)


def _types(command: AnyCommand) -> list[type[Any]]:
    return [parameter.type for parameter in command.signature.parameters]


async def _answer_list(kind: Kind[Any], lists: dict[str, Keyword], asked: ApiRequest) -> web.Response:
    values = asked.values
    line = line_of(kind, values)
    page = await read_page(asked, line, partial(_checked, kind, lists, asked), _name)
    return answer(asked.request, {"line": line, "view": asked.write(page.view), "next": page.following})


async def _answer_one(kind: Kind[Any], asked: ApiRequest) -> web.Response:
    number = normalise(asked.request.match_info["number"])
    if not 0 < len(number) <= MOST_WORD:
        raise ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE)
    line = command_line(kind.command, number, books=books_of(asked.values))
    found = await asked.look_up(line, rows=None if kind in PARTNERS else ALL_LINES)
    drawn, document = asked.draw(found), getattr(found.answer.view, "document", None)
    if found.view.card == kind.card and document is not None and document.number.casefold() == number.casefold():
        return answer(asked.request, {"line": line, "view": asked.write(found.view), "links": asked.choices(drawn)})
    choices = asked.choices(drawn)
    if found.answer.outcome == "hint" and choices:
        raise ApiProblem(HTTPStatus.CONFLICT, phrase("Several ERPs have one with this number."), choices=choices)
    raise ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE, choices=choices)


def books_of(values: Any) -> tuple[str, ...]:
    """Return the books that a request names."""
    return (normalise(values.source),) if values.source else ()


def _name(row: Any) -> tuple[str, ...]:
    return (row.number, *row.books)


def line_of(kind: Kind[Any], values: Any) -> str:
    """Return the line that people would type for what the filters say. Raises `ApiProblem`."""
    named = _named(values)
    if no_days := [name for name in ("days", "due") if not _are_days(normalise(getattr(values, name, "")))]:
        raise wrong_parts(type(values), no_days, NO_DAYS)
    given = {name: word for name in ("days", "due", "amounts") if (word := normalise(getattr(values, name, "")))}
    blank = [name for name in _WORDS if _is_blank(values, name)]
    if blank or len(named) > 1 or len(given.keys() & {"days", "due"}) > 1:
        wrong = blank or [*named, *given]
        said: Words = phrase("is missing") if blank else ONE_TEXT
        raise wrong_parts(type(values), wrong, said)
    line = command_line(kind.command, getattr(values, "list", None) or "", *named.values())
    days = given.get("days") or (f"due {given['due']}" if "due" in given else "")
    restricted = [quote(f"{_RESTRICTIONS[name].prefix}{word}") for name, word in _restricted(values).items()]
    line = " ".join(filter(None, (line, given.get("amounts"), days, *restricted)))
    return in_books(line, books_of(values))


def _named(values: Any) -> dict[str, str]:
    """Return the words that say what is looked for, by the names of their filters."""
    words = {name: normalise(getattr(values, name, "")) for name in ("text", "partner", "product")}
    own = {"own": _OWN} if getattr(values, "own", False) else {}
    return {name: word for name, word in words.items() if word} | own


def _restricted(values: Any) -> dict[str, str]:
    return {name: word for name in _RESTRICTIONS if (word := normalise(getattr(values, name, "")))}


def _are_days(text: str) -> bool:
    return not text or names_days(text)


def _is_blank(values: Any, name: str) -> bool:
    word = getattr(values, name, "")
    return bool(word) and not normalise(word)


def _checked(kind: Kind[Any], lists: dict[str, Keyword], asked: ApiRequest, found: CutAnswer) -> DocumentListView:
    """Return the list that was found, where it is what the filters say. Raises `ApiProblem`."""
    whole, values = found.answer.view, asked.values
    if not isinstance(whole, DocumentListView) or whole.card != kind.list_card:
        raise not_told(asked, found)
    assert isinstance(found.view, DocumentListView)
    wrong = _differing(whole, lists, values)
    if wrong:
        raise wrong_parts(type(values), wrong, phrase(READ_OTHERWISE.msgid, line=found.view.line))
    return found.view


def _differing(view: DocumentListView, lists: dict[str, Keyword], values: Any) -> list[str]:
    """Return the filters that a list was not restricted by, or otherwise than they say."""
    typed = view.typed()
    named, wrong = _named(values), list[str]()
    if typed[ListCondition.LIST] != (lists[values.list] if getattr(values, "list", None) else ""):
        wrong.append("list")
    said = normalise(typed[ListCondition.TEXT]).casefold()
    name, word = next(iter(named.items()), ("text", ""))
    same = said in OWN_WORDS if name == "own" else said == word.casefold()
    if not same or (name == "product") > (view.product is not None) or (name == "partner" and view.product):
        wrong.append(name)
    days = next((name for name in ("days", "due") if getattr(values, name, "")), "")
    if bool(days) != bool(view.days) or (days == "due" and view.days and not view.days.due):
        wrong.append(days or "text")
    if bool(getattr(values, "amounts", "")) != bool(view.amounts):
        wrong.append("amounts" if getattr(values, "amounts", "") else "text")
    restricted = _restricted(values)
    wrong += [name for name, each in _RESTRICTIONS.items() if (name in restricted) != (each.by in typed)]
    return wrong


def not_told(asked: ApiRequest, found: CutAnswer) -> ApiProblem:
    """Return why an answer is not the one that was asked for."""
    outcome, choices = found.answer.outcome, asked.choices(asked.draw(found))
    if outcome == "not_found":
        return ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE, choices=choices)
    if outcome == "bad_argument":
        # The command does not say which of its words is wrong.
        given = [
            name for name in type(asked.values).model_fields if name not in _OF_EACH and getattr(asked.values, name)
        ]
        return wrong_parts(type(asked.values), given, getattr(found.view, "problem", NOT_HERE))
    return ApiProblem(HTTPStatus.CONFLICT, SEVERAL, choices=choices)


def wrong_parts(model: type[BaseModel], names: Iterable[str], detail: Words) -> ApiProblem:
    """Return the problem that these parts of a request have."""
    parts = [_wrong_part(model, name, detail) for name in dict.fromkeys(names)]
    return ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("Parts of the request are wrong."), errors=parts)


def _wrong_part(model: type[BaseModel], name: str, detail: Words) -> WrongPart:
    field = model.model_fields.get(name)
    return WrongPart(parameter=name, detail=detail, example=field.examples[0] if field and field.examples else "")


def _gives_list(kind: Kind[Any], schemas: Schemas) -> Schema:
    return list_schema(kind.list_card, schemas)


def _gives_one(kind: Kind[Any], schemas: Schemas) -> Schema:
    return one_schema(schemas, kind.card)


def list_schema(card: str, schemas: Schemas) -> Schema:
    """Return the schema of a list's answer; ``card`` is that of its view."""
    properties: dict[str, Schema] = {
        "line": {"type": "string", "description": "What people type in the chat for the same."},
        "view": schemas.of_view(view_of_card(card)),
        "next": {"type": ["string", "null"], "description": "The cursor of what follows; null at the end."},
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


def one_schema(schemas: Schemas, *cards: str) -> Schema:
    """Return the schema of the answer about one thing; ``cards`` are those that its view may have."""
    views = [schemas.of_view(view_of_card(card)) for card in cards]
    properties: dict[str, Schema] = {
        "line": {"type": "string", "description": "What people type in the chat for the same."},
        "view": views[0] if len(views) == 1 else {"anyOf": views},
        "links": CHOICES_REF,
    }
    return {"type": "object", "properties": properties, "required": [*properties]}
