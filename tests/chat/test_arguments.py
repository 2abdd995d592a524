"""Signatures: what follows a command, as typed values; and which signatures are refused at the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from bot.chat.arguments import DocumentNumber, Keyword, Sku, Term, Warehouse, Word, read_signature, usage
from bot.chat.errors import BadArgument
from bot.chat.parsing import normalise
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from tests.chat.test_line import typed
from tests.rows import each_row


class Which(Keyword):
    LATE = phrase("late"), "晚", "延期"
    OPEN = phrase("open"), "未结"


class Erp:
    """A collaborator."""


async def stock(*skus: Sku, warehouse: Warehouse | None = None, erp: Erp) -> None: ...


async def order(text: Term | None = None, *, which: Which | None = None, erp: Erp) -> None: ...


async def move(number: DocumentNumber, to: Word, *, which: Which) -> None: ...


@each_row(
    ("function", "text", "positional", "named"),
    [
        (stock, "SKU1", ["SKU1"], {"warehouse": None}),
        (stock, "SKU1, SKU2、SKU3", ["SKU1", "SKU2", "SKU3"], {"warehouse": None}),
        (stock, "SKU1 @上海仓", ["SKU1"], {"warehouse": "上海仓"}),
        (stock, "@上海仓 SKU1", ["SKU1"], {"warehouse": "上海仓"}),
        (stock, "SKU1 @ 上海仓", ["SKU1"], {"warehouse": "上海仓"}),
        (stock, 'SKU1 "@North Hall"', ["SKU1"], {"warehouse": "North Hall"}),
        (stock, "SKU1 @上海仓 @李四", ["SKU1"], {"warehouse": "上海仓"}),
        (stock, "SKU1 @", ["SKU1"], {"warehouse": None}),
        (stock, '"M6 Screw" x', ["M6 Screw", "x"], {"warehouse": None}),
        (order, "", [None], {"which": None}),
        (order, "late", [None], {"which": Which.LATE}),
        (order, "LATE", [None], {"which": Which.LATE}),
        (order, "延期 上海 贸易", ["上海 贸易"], {"which": Which.LATE}),
        (order, "Acme, Inc 未结", ["Acme, Inc"], {"which": Which.OPEN}),
        (order, "the late company", ["the late company"], {"which": None}),
        (order, "SO-1 @李四", ["SO-1"], {"which": None}),
        (move, "late PO-1 there", ["PO-1", "there"], {"which": Which.LATE}),
    ],
)
def test_a_text_becomes_typed_arguments(
    function: Callable[..., object], text: str, positional: list[object], named: dict[str, object]
) -> None:
    assert read_signature(function).parse(text) == (positional, named)


def test_arguments_have_the_types_of_the_signature() -> None:
    positional, named = read_signature(stock).parse("SKU1 @SH")
    assert isinstance(positional[0], Sku)
    assert isinstance(named["warehouse"], Warehouse)


@each_row(
    ("function", "text"),
    [
        (stock, ""),
        (stock, '""'),
        (move, "PO-1 there"),
        (move, "late PO-1"),
        (move, "late PO-1 there too"),
    ],
)
def test_too_little_or_too_much_is_refused(function: Callable[..., object], text: str) -> None:
    with pytest.raises(BadArgument):
        read_signature(function).parse(text)


def test_what_is_too_much_is_named_in_short() -> None:
    with pytest.raises(BadArgument, match="…”"):
        read_signature(move).parse("late PO-1 there " + "x" * 150)


@given(typed)
def test_any_text_is_parsed_or_refused_as_a_bad_argument(text: str) -> None:
    for function in (stock, order, move):
        try:
            positional, named = read_signature(function).parse(normalise(text))
        except BadArgument:
            continue
        assert all(value is None or (isinstance(value, str) and value) for value in (*positional, *named.values()))


@each_row(
    ("function", "shown"),
    [
        (stock, "/x <SKU…> [@warehouse]"),
        (order, "/x [search text] [late|open]"),
        (move, "/x <number> <text> <late|open>"),
    ],
)
def test_the_usage_is_read_from_the_signature(function: Callable[..., object], shown: str) -> None:
    assert str(usage("x", read_signature(function))) == shown


def test_collaborators_are_known_by_their_types() -> None:
    assert read_signature(stock).collaborators == {"erp": Erp}


async def no_annotation(sku) -> None: ...  # type: ignore[no-untyped-def]  # that is what is refused


async def two_types(*, sku: Sku | Warehouse) -> None: ...


async def positional_collaborator(erp: Erp) -> None: ...


async def anything(**rest: Sku) -> None: ...


async def many_keywords(*which: Which) -> None: ...


@each_row("function", [no_annotation, two_types, positional_collaborator, anything, many_keywords])
def test_a_signature_that_no_line_can_fill_is_refused(function: Callable[..., object]) -> None:
    with pytest.raises(ConfigurationError, match=function.__qualname__):
        read_signature(function)


def test_a_type_that_is_not_there_is_refused() -> None:
    async def broken(*, erp: Any) -> None: ...

    broken.__annotations__["erp"] = "NotThere"
    with pytest.raises(ConfigurationError, match="NotThere"):
        read_signature(broken)
