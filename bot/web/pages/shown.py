"""An answer as the pages show it: what the card says, documents as tables, buttons as links and forms."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from bot.cards.card import CardForm
from bot.cards.status_labels import status_colour
from bot.cards.view import ListView
from bot.chat.answers.page_answers import PageAnswer, PageButton
from bot.chat.chart_views import ChartView
from bot.chat.document_views import DocumentListView, DocumentView
from bot.chat.parsing import command_line
from bot.erp.model import Money
from bot.web.pages.markup import as_html, inline_html
from bot.web.pages.visit import Visit
from bot.words.disclosure import HIDDEN

ROWS = 50
"""Rows of a list of documents on one page."""
ASK = "/ask"
_WELL = frozenset({"answered", "hint", "not_found"})


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A value as text; ``tone`` colours a state. Figures stand at the right, and days on one line."""

    text: str
    tone: str = ""
    is_figure: bool = False
    is_day: bool = False
    address: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Rows below headings, and what is said of all of them."""

    headings: tuple[str, ...]
    figures: tuple[bool, ...]
    rows: tuple[tuple[ShownCell, ...], ...]
    facts: tuple[tuple[str, str], ...] = ()
    counted: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A link with an ``address``, or a form with a ``token``."""

    text: str
    address: str = ""
    token: str = ""
    outside: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """All that a template needs."""

    title: Markup
    body: Markup
    picture: str
    """The address of a chart's drawing, which contains it; empty without one."""
    tips: Markup
    table: ShownTable | None
    buttons: tuple[ShownButton, ...]
    form: CardForm | None
    line: str
    """What people type in the chat for the same."""
    is_well: bool


def show(visit: Visit, answer: PageAnswer, *, row_address: Callable[[Any], str] | None = None) -> ShownAnswer:
    """Return an answer as a page shows it; ``row_address`` says where rows lead that lead to a page of their own."""
    table = _table(visit, answer, row_address) if answer.outline else None
    drawn = answer.outline if answer.outline and table else answer.card
    is_list = isinstance(answer.view, ListView) and answer.view.opens_rows
    body = as_html(drawn.body) if not is_list or table is None else Markup()
    return ShownAnswer(
        title=inline_html(answer.card.title),
        body=body,
        picture=_picture(visit, answer),
        tips=inline_html(drawn.tips),
        table=table,
        buttons=tuple(_buttons(visit, answer, with_rows=table is None)),
        form=answer.card.form,
        line=answer.card.line or answer.asked,
        is_well=answer.outcome in _WELL,
    )


def _picture(visit: Visit, answer: PageAnswer) -> str:
    drawing = answer.view.drawing(visit.language) if isinstance(answer.view, ChartView) else ""
    return f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}" if drawing else ""


_STATUSES = MappingProxyType({"denied": HTTPStatus.FORBIDDEN, "not_found": HTTPStatus.NOT_FOUND})


def status_of(answer: PageAnswer, *, missing: bool = False) -> HTTPStatus:
    """Return the status of a page with an answer; ``missing``: where nothing was found, there is no such page."""
    found = _STATUSES.get(answer.outcome, HTTPStatus.OK)
    return HTTPStatus.OK if found is HTTPStatus.NOT_FOUND and not missing else found


def ask_address(visit: Visit, line: str, offset: int = 0) -> str:
    """Return the address of the page that answers a line."""
    return visit.address(ASK, line=line, **({"from": str(offset)} if offset else {}))


def _table(visit: Visit, answer: PageAnswer, row_address: Callable[[Any], str] | None) -> ShownTable | None:
    view, language = answer.view, visit.language
    table = view.table()
    if table is None or not isinstance(view, ListView):
        return None
    links = [row_address(row) for row in view.rows] if row_address else _row_links(visit, view)
    rows = [tuple(_cell(visit, value) for value in row) for row in table.rows]
    if links:
        rows = [(_linked(row[0], link), *row[1:]) for row, link in zip(rows, links, strict=True)]
    return ShownTable(
        headings=tuple(map(language.say, table.headings)),
        figures=tuple(any(row[column].is_figure for row in rows) for column in range(len(table.headings))),
        rows=tuple(rows),
        facts=tuple((language.say(name), language.show(value)) for name, value in table.facts),
        **_pages(visit, view),
    )


def _row_links(visit: Visit, view: ListView) -> Sequence[str]:
    """Return the addresses to which rows lead: documents to themselves, lines to the stock of their products."""
    if isinstance(view, DocumentListView):
        lines = [command_line(view.command, row.number, books=row.books) for row in view.rows]
    elif not isinstance(view, DocumentView):
        lines = list(view.row_lines())
    elif "stock" in view.closed:
        return ()
    else:
        lines = [command_line("stock", row.sku) if row.sku else "" for row in view.rows]
    return [ask_address(visit, line) if line and line is not HIDDEN else "" for line in lines]


def _linked(cell: ShownCell, address: str) -> ShownCell:
    return replace(cell, address=address)


def _cell(visit: Visit, value: object) -> ShownCell:
    if value is HIDDEN:
        return ShownCell(str(HIDDEN))
    if isinstance(value, datetime):
        return ShownCell(visit.language.show(value.astimezone(visit.now.tzinfo)), is_day=True)
    if isinstance(value, date):
        return ShownCell(visit.language.date(value, visit.now.year), is_day=True)
    is_figure = isinstance(value, Money | Decimal) or type(value) is int
    tone = status_colour(value) if isinstance(value, Enum) else ""
    return ShownCell(visit.language.show(value), tone, is_figure)


def _pages(visit: Visit, view: ListView) -> dict[str, str]:
    """Return which rows are shown, and where the others are."""
    if view.line is HIDDEN or len(view.rows) >= view.total:
        return {}
    words = visit.language.gettext("%(first)d–%(last)d of %(total)d")
    pages = {"counted": words % {"first": view.first, "last": view.last, "total": view.total}}
    if view.offset:
        pages["before"] = ask_address(visit, view.line, max(0, view.offset - ROWS))
    if view.last < view.total:
        pages["after"] = ask_address(visit, view.line, view.last)
    return pages


def _buttons(visit: Visit, answer: PageAnswer, *, with_rows: bool) -> Sequence[ShownButton]:
    """Return the buttons; where the rows stand in a table, those of rows and pages stand there."""
    view, buttons = answer.view, answer.buttons
    if not with_rows and isinstance(view, ListView):
        apart = {button.does for button in (*view.row_buttons(), *view.page_buttons())}
        buttons = tuple(button for button in buttons if button.asks not in apart)
    return [_button(visit, button) for button in buttons]


def _button(visit: Visit, button: PageButton) -> ShownButton:
    tone = "danger" if button.is_danger else "main" if button.is_main else ""
    if button.link:
        return ShownButton(button.text, button.link, outside=True, tone=tone)
    if button.file:
        return ShownButton(button.text, visit.address("/file", line=button.file), tone=tone)
    if button.asks is not None:
        return ShownButton(button.text, ask_address(visit, button.asks.line, button.asks.offset), tone=tone)
    return ShownButton(button.text, token=button.does, tone=tone)
