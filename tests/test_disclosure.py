"""`cut`: the type says what a field tells, and nothing that a reader may not see is left of it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, NamedTuple

import pytest
from structlog.testing import capture_logs

from bot.erp.model import Money
from bot.words.disclosure import (
    ALL_FIELDS,
    FREE_TEXT,
    HIDDEN,
    SHARED_FIELDS,
    WITHHELD,
    ChosenBy,
    ClassedBy,
    FieldClass,
    Stating,
    cut,
    cut_part,
)
from bot.words.phrase import Phrase, phrase

NOTHING: frozenset[FieldClass] = frozenset()
CNY = Money(Decimal("9.50"), "CNY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    sku: str = "SKU123"
    quantity: Annotated[Decimal, FieldClass.QUANTITY] = Decimal(0)
    price: Annotated[Money | None, FieldClass.AMOUNT] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    withheld: Annotated[frozenset[FieldClass], WITHHELD] = frozenset()
    partner: Annotated[str, FieldClass.PARTNER] = ""
    lines: tuple[Line, ...] = ()
    by_sku: Mapping[str, Line] = field(default_factory=dict)
    words: Annotated[tuple[str | Phrase, ...], Stating(FieldClass.COST)] = ()
    extra: Annotated[Mapping[str, str], FREE_TEXT] = field(default_factory=dict)
    figure: Annotated[object, ClassedBy("figure_class")] = None
    figure_class: FieldClass | None = None
    unknown: object = None


class Pair(NamedTuple):
    one: object
    other: object


def test_what_may_be_seen_is_the_same_object() -> None:
    paper = Paper(partner="Acme", lines=(Line(quantity=Decimal(3)),))
    assert cut(paper, SHARED_FIELDS) is paper
    assert cut(paper, ALL_FIELDS) is paper
    assert cut(Paper(), NOTHING) == Paper()


def test_classed_fields_are_hidden_at_any_depth() -> None:
    paper = Paper(partner="Acme", lines=(Line(price=CNY), Line()), by_sku={"A": Line(price=CNY)})
    shown = cut(paper, frozenset({FieldClass.QUANTITY}))
    assert shown.lines == (Line(price=HIDDEN), Line())
    assert shown.lines[1] is paper.lines[1]
    assert shown.by_sku == {"A": Line(price=HIDDEN)}
    assert shown.partner is HIDDEN
    assert shown.withheld == {FieldClass.AMOUNT, FieldClass.PARTNER}


def test_a_part_comes_with_the_classes_that_were_taken_out_of_it() -> None:
    assert cut_part((Line(price=CNY),), frozenset({FieldClass.QUANTITY})) == (
        (Line(price=HIDDEN),),
        {FieldClass.AMOUNT},
    )
    assert cut_part(Line(price=CNY), ALL_FIELDS) == (Line(price=CNY), frozenset())


def test_zero_is_a_figure_and_none_is_not() -> None:
    assert cut(Line(quantity=Decimal(0)), NOTHING) == Line(quantity=HIDDEN, price=None)


def test_cutting_twice_is_cutting_once() -> None:
    once = cut(Paper(partner="Acme", lines=(Line(price=CNY),)), NOTHING)
    assert cut(once, NOTHING) is once
    narrower = cut(cut(Paper(partner="Acme", lines=(Line(price=CNY),)), SHARED_FIELDS), NOTHING)
    assert narrower == once


def test_the_class_of_a_field_may_depend_on_its_record() -> None:
    paper = Paper(figure=CNY, figure_class=FieldClass.COST)
    assert cut(paper, frozenset({FieldClass.AMOUNT})).figure is HIDDEN
    assert cut(paper, frozenset({FieldClass.COST})) is paper
    assert cut(Paper(figure=CNY), NOTHING).figure == CNY


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Records in fields that have a class themselves."""

    parts: Annotated[tuple[Line, ...], FieldClass.MATERIALS] = ()
    first: Annotated[Line | None, ClassedBy("first_class")] = None
    first_class: FieldClass = FieldClass.MATERIALS
    price: Annotated[Money | None, FieldClass.COST] = None


def test_whoever_sees_a_list_sees_of_its_records_what_they_may() -> None:
    line = Line(quantity=Decimal(3), price=CNY)
    recipe = Recipe(parts=(line,), first=line, price=CNY)
    assert cut(recipe, frozenset({FieldClass.MATERIALS, FieldClass.COST})) == Recipe(
        parts=(Line(quantity=HIDDEN, price=HIDDEN),), first=Line(quantity=HIDDEN, price=HIDDEN), price=CNY
    )
    assert cut(recipe, NOTHING) == Recipe(parts=HIDDEN, first=HIDDEN, price=HIDDEN)
    assert cut(recipe, ALL_FIELDS) is recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Dear:
    """What costs more than something."""

    rows: Annotated[tuple[Paper, ...], ChosenBy("compared")]
    compared: frozenset[FieldClass] = frozenset({FieldClass.AMOUNT})


def test_what_figures_were_compared_for_is_hidden_with_them_even_if_it_is_nothing() -> None:
    for rows in ((), (Paper(partner="Acme"),)):
        assert cut(Dear(rows=rows), SHARED_FIELDS).rows is HIDDEN
        assert cut(Dear(rows=rows), ALL_FIELDS).rows is rows
    shown = cut(Dear(rows=(Paper(partner="Acme"),), compared=frozenset()), NOTHING)
    assert shown.rows[0].partner is HIDDEN, "else it is cut as usual"


def test_words_lose_their_figures() -> None:
    limit = phrase("Over %(limit)s at %(vendor)s", limit=CNY, vendor="Vendor 7")
    shown = cut(Paper(words=("Too dear", "12 a piece", limit, phrase("Because: %(why)s", why=limit))), NOTHING)
    assert shown.words[:2] == ("Too dear", HIDDEN)
    assert shown.words[2] == phrase("Over %(limit)s at %(vendor)s", limit=HIDDEN, vendor="Vendor 7")
    assert shown.words[3] == phrase("Because: %(why)s", why=shown.words[2])
    assert shown.withheld == {FieldClass.COST}


def test_free_text_is_dropped_without_a_word() -> None:
    paper = Paper(extra={"discount": "12"})
    shown = cut(paper, ALL_FIELDS - {FieldClass.CONTACT})
    assert shown.extra is HIDDEN
    assert not shown.withheld


@pytest.mark.parametrize(
    "value", [CNY, Decimal(3), (CNY,), [CNY], frozenset({CNY}), {"a": CNY}, phrase("%(a)s", a=CNY), Pair(1, CNY)]
)
def test_figures_without_a_class_are_closed(value: object) -> None:
    shown = cut(Paper(unknown=value), SHARED_FIELDS)
    assert "9.50" not in repr(shown)
    assert "Decimal" not in repr(shown)
    assert FieldClass.COST in shown.withheld


def test_a_list_without_a_record_around_it_is_cut() -> None:
    assert cut((Line(price=CNY),), NOTHING) == (Line(quantity=HIDDEN, price=HIDDEN),)


def test_read_only_mappings_stay_so() -> None:
    shown = cut(Paper(by_sku=MappingProxyType({"A": Line(price=CNY)})), NOTHING)
    assert isinstance(shown.by_sku, MappingProxyType)


def test_a_record_that_stands_in_two_places_is_cut_once() -> None:
    line = Line(price=CNY)
    shown = cut(Paper(lines=(line, line)), NOTHING)
    assert shown.lines[0] is shown.lines[1]


@dataclass(frozen=True)
class Plain:
    """As the author of a plug-in may write it: without slots."""

    total: Annotated[Money, FieldClass.AMOUNT]
    name: str = "a"


@dataclass(frozen=True, slots=True)
class Checked:
    """Its own check runs again."""

    total: Annotated[Money, FieldClass.AMOUNT]
    checked: list[str]

    def __post_init__(self) -> None:
        self.checked.append(repr(self.total))


def test_any_dataclass_is_cut() -> None:
    assert cut(Plain(CNY, "b"), NOTHING) == Plain(HIDDEN, "b")
    assert cut(Checked(CNY, []), NOTHING).checked[-1] == "HIDDEN"


def test_a_type_that_cannot_be_read_is_closed() -> None:
    class Inner:
        pass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Local(Paper):
        name: str = "a"
        inner: Inner | None = None

    with capture_logs() as logs:
        shown = cut(Local(partner="Acme", inner=Inner()), SHARED_FIELDS)
    assert (shown.partner, shown.name) == ("Acme", "a")
    assert shown.inner is HIDDEN
    assert [entry["event"] for entry in logs] == ["disclosure.unreadable_type"]


def test_the_mark_stands_for_anything() -> None:
    assert not HIDDEN
    assert (str(HIDDEN), f"{HIDDEN:>3}", repr(HIDDEN)) == ("🔒", "🔒", "HIDDEN")
    assert HIDDEN.total.amount is HIDDEN
    assert HIDDEN["a"] is HIDDEN
    assert HIDDEN.items() is HIDDEN
    assert (list(HIDDEN), len(HIDDEN), 3 in HIDDEN) == ([], 0, False)
    assert all(made is HIDDEN for made in (HIDDEN + 1, 1 - HIDDEN, HIDDEN * 100 / 3, -HIDDEN, abs(HIDDEN), HIDDEN // 2))
    assert not any((HIDDEN < 1, HIDDEN >= 1, Decimal(1) > HIDDEN))
    assert HIDDEN not in {"", None, 0}
    assert pickle.loads(pickle.dumps(HIDDEN)) is HIDDEN
