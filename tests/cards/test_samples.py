"""Samples are read by the types of their view and refuse what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pytest

from bot.cards.actions import Ask
from bot.cards.notices import NotFoundNotice, Suggestion
from bot.cards.samples import build_value, load_sample, view_class
from bot.erp.model import Money, OrderStatus, Product, Slice
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase
from tests.rows import each_row


@dataclass(frozen=True, slots=True)
class Pair:
    first: int
    second: str = "two"


class Size(StrEnum):
    SMALL = "small"


@each_row(
    ("hint", "value", "built"),
    [
        (str, "a", "a"),
        (int, 3, 3),
        (bool, True, True),
        (Decimal, "1.50", Decimal("1.50")),
        (date, "2026-11-03", date(2026, 11, 3)),
        (datetime, "2026-11-03T08:00:00+00:00", datetime(2026, 11, 3, 8, tzinfo=UTC)),
        (Size, "small", Size.SMALL),
        (OrderStatus | None, None, None),
        (OrderStatus | None, "open", OrderStatus.OPEN),
        (Money | None, {"amount": "1", "currency": "CNY"}, Money(Decimal(1), "CNY")),
        (tuple[Pair, ...], [{"first": 1}, {"first": 2, "second": "b"}], (Pair(1), Pair(2, "b"))),
        (tuple[int, str], [1, "a"], (1, "a")),
        (frozenset[str], ["a", "b"], frozenset({"a", "b"})),
        (Mapping[str, Decimal], {"a": "1"}, MappingProxyType({"a": Decimal(1)})),
        (Phrase, {"msgid": "%(a)s", "params": {"a": 1}}, Phrase("%(a)s", {"a": 1})),
        (str | Phrase, "Help", "Help"),
        (str | Phrase, {"msgid": "Help"}, Phrase("Help")),
        (Ask | str, {"line": "/po", "offset": 8}, Ask("/po", 8)),
        (Literal["a", "b"], "b", "b"),
        (Slice[Pair], {"items": [], "total": 0}, Slice(items=(), total=0)),
        (Any, {"a": [1]}, {"a": [1]}),
    ],
)
def test_builds(hint: Any, value: object, built: object) -> None:
    assert build_value(hint, value) == built


@each_row(
    ("hint", "value"),
    [
        (str, 1),
        (int, "1"),
        (int, True),
        (bool, 1),
        (Decimal, 1.5),
        (Decimal, "many"),
        (datetime, "2026-11-03T08:00:00"),
        (date, 20261103),
        (Size, "huge"),
        (OrderStatus | None, "huge"),
        (tuple[int, ...], 3),
        (tuple[int, str], [1]),
        (Pair, {}),
        (Pair, {"first": 1, "third": 3}),
        (Pair, []),
        (Phrase, "Help"),
        (Mapping[str, datetime], {"a": "2026-11-03T08:00:00"}),
        (Any, [1.5]),
        (Product, {"sku": "A"}),
        (Literal["a"], "b"),
    ],
)
def test_refuses(hint: Any, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the words are Pydantic's
        build_value(hint, value)


def test_loads_the_view_of_a_card() -> None:
    view = load_sample("not_found")
    assert isinstance(view, NotFoundNotice)
    assert view.closest[0] == Suggestion("/stock SKU123", "SKU123 内六角螺丝 M6×20")
    assert view_class("not_found") is NotFoundNotice


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no usable sample"):
        load_sample("no_such_card")
    (tmp_path / "busy.sample.json").write_text('{"lines": 3}', "utf-8")
    problems = "line: Field required; lines: Unexpected keyword argument"
    with pytest.raises(ConfigurationError, match=f"does not fit BusyNotice: {problems}"):
        load_sample("busy", tmp_path)
    (tmp_path / "nobody.sample.json").write_text("{}", "utf-8")
    with pytest.raises(ConfigurationError, match="0 view classes"):
        load_sample("nobody", tmp_path)
