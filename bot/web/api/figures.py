"""The routes of questions about no single kind of document: stock, prices, what comes, reports, two sides compared.

What a request says becomes words of a line, each meant for one argument of the command. The line is read again before
it is asked: a word that would be taken for another argument is a problem, and never an answer to something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from operator import attrgetter
from typing import Any

from aiohttp import web
from pydantic import Field

from bot.cards.view import ListView
from bot.chat.answers.page_answers import CutAnswer
from bot.chat.arguments import Parameter, Word
from bot.chat.errors import BadArgument
from bot.chat.parsing import in_books, normalise, quote
from bot.chat.records.demand import Demand
from bot.chat.registry import AnyCommand, Commands
from bot.web.api.documents import (
    ALL_LINES,
    MOST_WORD,
    NOT_HERE,
    READ_OTHERWISE,
    OneRequest,
    books_of,
    list_schema,
    not_told,
    one_schema,
    wrong_parts,
)
from bot.web.api.list_pages import PartRequest, read_page
from bot.web.api.problems import ApiProblem
from bot.web.api.records import Schema, Schemas
from bot.web.api.routes import ApiRequest, ApiRoute, RequestModel, answer
from bot.words.phrase import phrase


def _word(description: str, example: str) -> Any:
    return Field("", max_length=MOST_WORD, description=description, examples=[example])


def _needed_word(description: str, example: str) -> Any:
    return Field(min_length=1, max_length=MOST_WORD, pattern=r"\S", description=description, examples=[example])


_WAREHOUSE = _word("The name of one warehouse.", "Main")
QUANTITY = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
"""A quantity as programs write it."""
_PRODUCT = "Its code, or a part of its code or name."


class StockOfRequest(OneRequest):
    """Where, and how much is needed."""

    warehouse: str = _WAREHOUSE
    needed: str = Field("", pattern=f"^$|{QUANTITY}", description="Is so much of it enough?", examples=["500"])


class WarehouseRequest(PartRequest):
    """The contents of which warehouse."""

    warehouse: str = _needed_word("The name of the warehouse.", "Main")
    source: str = OneRequest.model_fields["source"]  # type: ignore[assignment]  # the same field


class PriceRequest(OneRequest):
    """For whom."""

    customer: str = _word("The name of a customer, or a part of it.", "ACME")


class PromiseRequest(OneRequest):
    """How much of it, and by when."""

    quantity: str = Field(pattern=QUANTITY, description="In the product's unit.", examples=["500"])
    by: str = _word("A day, as typed in the chat; now by default.", "2026-12-31")


class ArrivalsRequest(PartRequest):
    """Of what, from whom, and when."""

    text: str = _word("A product's code or name, or a vendor's name.", "SKU-1")
    days: str = _word("The days on which it comes, as typed in the chat.", "this week")
    source: str = OneRequest.model_fields["source"]  # type: ignore[assignment]  # the same field


class ShortageRequest(PartRequest):
    """Where."""

    warehouse: str = _WAREHOUSE
    source: str = OneRequest.model_fields["source"]  # type: ignore[assignment]  # the same field


class FindRequest(PartRequest):
    """What is looked for."""

    text: str = _needed_word("A number, a code or a part of a name.", "1001")


class PeriodRequest(RequestModel):
    """Of which time."""

    period: str = _word("A day, week, month or year as typed in the chat; this month by default.", "last month")


class CompareRequest(RequestModel):
    """Which two, or one in two periods."""

    one: str = _word("A customer, a vendor, a product or a person.", "ACME")
    other: str = _word("Another of the same sort.", "Globex")
    days: str = _word("Days of both, or of the first period; a year by default.", "last month")
    other_days: str = _word("The period to compare with.", "this month")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureQuestion:
    """A question with a route of its own.

    ``words`` returns what was said by the names of the command's arguments; a name such as ``days|which`` says that
    either may take it. ``row_name`` tells the rows of a list from one another, None: the answer is no list.
    """

    command: str
    path: str
    summary: str
    takes: type[RequestModel]
    words: Callable[[Any, str], Mapping[str, str]]
    cards: tuple[str, ...]
    row_name: Callable[[Any], Any] | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)


def _one(command: str, called: str, summary: str, takes: type[RequestModel], **more: Any) -> FigureQuestion:
    """Return a question about one thing, which the path names."""
    return FigureQuestion(
        command=command,
        path=f"/{command}/{{{called}}}",
        summary=summary,
        takes=takes,
        path_values={called: _PRODUCT if called == "product" else "Its number, as the ERP writes it."},
        **more,
    )


FIGURES = (
    _one(
        "stock",
        "product",
        "The stock of a product by warehouse: on hand, reserved, free",
        StockOfRequest,
        words=lambda asked, product: {"skus": product, "warehouse": asked.warehouse, "needed": asked.needed},
        cards=("stock",),
    ),
    FigureQuestion(
        command="stock",
        path="/stock",
        summary="All that is in a warehouse",
        takes=WarehouseRequest,
        words=lambda asked, _: {"warehouse": asked.warehouse},
        cards=("warehouse",),
        row_name=attrgetter("product.sku"),
    ),
    _one(
        "product",
        "product",
        "What a product is, who supplies it, and what it is made of",
        OneRequest,
        words=lambda _, product: {"text": product},
        cards=("product",),
    ),
    _one(
        "price",
        "product",
        "Prices of a product: list, last sales, last purchases",
        PriceRequest,
        words=lambda asked, product: {"product": product, "customer": asked.customer},
        cards=("price",),
    ),
    _one(
        "promise",
        "product",
        "Whether a customer can be promised a quantity, and from when",
        PromiseRequest,
        words=lambda asked, product: {"goods": product, "needed": asked.quantity, "days": asked.by},
        cards=("promise",),
    ),
    FigureQuestion(
        command="arrivals",
        path="/arrivals",
        summary="What is on its way, and when it comes",
        takes=ArrivalsRequest,
        words=lambda asked, _: {"product": asked.text, "days": asked.days},
        cards=("arrivals",),
        row_name=attrgetter("document", "sku", "due_on", "warehouse", "books"),
    ),
    FigureQuestion(
        command="shortage",
        path="/shortage",
        summary="What is short for orders, or below its reorder point",
        takes=ShortageRequest,
        words=lambda asked, _: {"warehouse": asked.warehouse},
        cards=("shortages",),
        row_name=attrgetter("sku", "warehouse", "source"),
    ),
    FigureQuestion(
        command="find",
        path="/find",
        summary="Documents, products, customers and vendors by a number or a part of a name",
        takes=FindRequest,
        words=lambda asked, _: {"text": asked.text},
        cards=("hits",),
        row_name=attrgetter("area", "key", "books"),
    ),
    FigureQuestion(
        command="report",
        path="/report",
        summary="Sales, invoices, purchases and production of a period",
        takes=PeriodRequest,
        words=lambda asked, _: {"days|which": asked.period},
        cards=("report",),
    ),
    FigureQuestion(
        command="compare",
        path="/compare",
        summary="Two partners, products, people or periods side by side",
        takes=CompareRequest,
        words=lambda asked, _: {
            "names": " vs ".join(filter(None, map(normalise, (asked.one, asked.other)))),
            "days": asked.days,
            "other_days": asked.other_days,
        },
        cards=("compare",),
    ),
    _one(
        "why",
        "number",
        "Why a document is not decided, delivered, produced or paid yet",
        RequestModel,
        words=lambda _, number: {"word": number},
        cards=("approval_why", "missing", "unpaid"),
    ),
)


def figure_routes(commands: Commands) -> tuple[ApiRoute, ...]:
    """Return the routes whose command is there."""
    return tuple(_route(each, commands[each.command]) for each in FIGURES if each.command in commands)


def _route(question: FigureQuestion, command: AnyCommand) -> ApiRoute:
    is_list = question.row_name is not None
    whole = "read" if question.path_values else ("list" if is_list else "tell")
    return ApiRoute(
        method="GET",
        path=question.path,
        name=f"{whole}_{question.command}",
        summary=question.summary,
        serve=partial(_answer_list if is_list else _answer_one, question, command),
        takes=question.takes,
        gives=partial(_gives, question),
        problems=(HTTPStatus.CONFLICT, *((HTTPStatus.GONE,) if is_list else ())),
        path_values=question.path_values,
    )


async def _answer_one(question: FigureQuestion, command: AnyCommand, asked: ApiRequest) -> web.Response:
    line = _line(question, command, asked)
    found = await asked.look_up(line, rows=ALL_LINES)
    if found.view.card not in question.cards:
        raise not_told(asked, found)
    links = asked.choices(asked.draw(found))
    return answer(asked.request, {"line": line, "view": asked.write(found.view), "links": links})


async def _answer_list(question: FigureQuestion, command: AnyCommand, asked: ApiRequest) -> web.Response:
    line, row_name = _line(question, command, asked), question.row_name
    assert row_name is not None, "it is a list"

    def check(found: CutAnswer) -> ListView:
        if not isinstance(found.view, ListView) or found.view.card not in question.cards:
            raise not_told(asked, found)
        return found.view

    def name_of(row: Any) -> tuple[str, ...]:
        named = row_name(row)
        return tuple(map(str, named)) if isinstance(named, tuple) else (str(named),)

    page = await read_page(asked, line, check, name_of)
    return answer(asked.request, {"line": line, "view": asked.write(page.view), "next": page.following})


def _line(question: FigureQuestion, command: AnyCommand, asked: ApiRequest) -> str:
    """Return the line that people would type for a request. Raises `ApiProblem`."""
    values = asked.values
    named = next((normalise(asked.request.match_info[name]) for name in question.path_values), "")
    if question.path_values and not 0 < len(named) <= MOST_WORD:
        raise ApiProblem(HTTPStatus.NOT_FOUND, NOT_HERE)
    said = {name: word for name, text in question.words(values, named).items() if (word := normalise(text))}
    line = typed_line(command, said)
    if not reads_as(command, line, said):
        given = [
            name for name in type(values).model_fields if getattr(values, name) and name in values.model_fields_set
        ]
        raise wrong_parts(type(values), given, phrase(READ_OTHERWISE.msgid, line=line))
    return in_books(line, books_of(values) if hasattr(values, "source") else ())


def typed_line(command: AnyCommand, said: Mapping[str, str]) -> str:
    """Return the line of a command with what was said by the names of its arguments."""
    by_name = {parameter.name: parameter for parameter in command.signature.parameters}
    words = [_typed(by_name[name.partition("|")[0]], word) for name, word in said.items()]
    return " ".join([f"/{command.name}", *words])


def _typed(parameter: Parameter, word: str) -> str:
    kind = parameter.type
    if issubclass(kind, Demand):
        return f"×{word}"
    if issubclass(kind, Word) and not kind.anywhere:
        return quote(f"{kind.prefix}{word}")
    return word  # words of time are several


def reads_as(command: AnyCommand, line: str, said: Mapping[str, str]) -> bool:
    """Return whether a command would take each word of a line for the argument that it was said for."""
    try:
        positional, taken = command.signature.parse(normalise(line.partition(" ")[2]))
    except BadArgument:
        return False
    in_order = iter(positional)
    for parameter in command.signature.parameters:
        if not parameter.by_name:
            taken[parameter.name] = " ".join(map(str, in_order)) if parameter.many else next(in_order)
    expected = {part for name in said for part in name.split("|")}
    return taken.keys() - expected <= {name for name, value in taken.items() if not value} and all(
        any(_is_meant(taken[part], word) for part in name.split("|")) for name, word in said.items()
    )


def _is_meant(value: object, word: str) -> bool:
    """Return whether an argument has this word; words of time and quantities are kept in a form of their own."""
    if isinstance(value, Word) and not value.anywhere:
        return value.casefold() == word.casefold()
    return bool(value)


def _gives(question: FigureQuestion, schemas: Schemas) -> Schema:
    if question.row_name is not None:
        return list_schema(question.cards[0], schemas)
    return one_schema(schemas, *question.cards)
