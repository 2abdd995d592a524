"""What a record shows, for the audit log."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

import commands
from bot.access.shown import find_shown
from bot.cards.samples import CARDS, load_sample
from bot.words.disclosure import FieldClass
from tests.rows import each_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    price: Annotated[Decimal | None, FieldClass.COST] = None
    quantity: Annotated[Decimal | None, FieldClass.QUANTITY] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    number: str = "SO-1"
    customer: Annotated[str, FieldClass.PARTNER] = ""
    total: Annotated[Decimal | None, FieldClass.AMOUNT] | None = None
    lines: tuple[Line, ...] = ()
    extra: Mapping[str, Line] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    rows: tuple[Document, ...]
    number: int = 7
    subject: str = ""


class Cut:
    """A mark in place of a value."""

    def __bool__(self) -> bool:
        return False


@each_row(
    ("record", "classes"),
    [
        (Document(), set()),
        (Document(customer="ACME"), {FieldClass.PARTNER}),
        (Document(customer=Cut()), set()),  # type: ignore[arg-type]  # the mark takes the place of every type
        (Document(total=Decimal(0)), {FieldClass.AMOUNT}),
        (Document(lines=(Line(price=Decimal(1)),)), {FieldClass.COST}),
        (Document(extra={"a": Line(price=Decimal(1))}), {FieldClass.COST}),
        (Document(lines=(Line(quantity=Decimal(1)),)), set()),
    ],
)
def test_the_sensitive_classes_that_are_shown(record: object, classes: set[FieldClass]) -> None:
    assert find_shown(record).classes == classes


def test_the_numbers_of_documents_once_each_in_their_order() -> None:
    page = Page(rows=(Document(number="SO-2"), Document(), Document(number="SO-2")), subject="SKU1")
    assert find_shown(page).documents == ("SO-2", "SO-1", "SKU1")


@each_row("words", ["SKU1 M6 螺丝", "ACME", "", "上海 仓库 3"])
def test_words_of_an_alert_are_no_number(words: str) -> None:
    assert find_shown(Page(rows=(), subject=words)).documents == ()


for module in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"commands.{module.name}")


@each_row("card", sorted(path.name.partition(".")[0] for path in CARDS.glob("*.sample.json")))
def test_of_every_view_can_be_said_what_it_shows(card: str) -> None:
    assert isinstance(find_shown(load_sample(card)).documents, tuple)


@each_row(
    ("card", "number"),
    [("order", "SO-1001"), ("invoice", "INV-7"), ("po", "PO-1001"), ("mo", "MO-1"), ("approval", "PO-1001")],
)
def test_documents_of_answers(card: str, number: str) -> None:
    assert number in find_shown(load_sample(card)).documents
