"""Units: factors are exact or not given."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.erp.units import Units
from bot.words.errors import ConfigurationError
from tests.rows import each_row

TABLE = Units({"千个": "1000 个", "PCS": "1 个", "箱": "24 个", "托": "40箱", "吨": "1000 kg", "oz": "28.349523125 g"})


@each_row(
    ("unit", "into", "factor"),
    [
        ("个", "个", "1"),
        ("千个", "个", "1000"),
        ("pcs", "个", "1"),
        (" Pcs ", "千个", "0.001"),
        ("托", "个", "960"),
        ("托", "箱", "40"),
        ("oz", "g", "28.349523125"),
        ("卷", "卷", "1"),
    ],
)
def test_factors(unit: str, into: str, factor: str) -> None:
    assert TABLE.factor(unit, into) == Decimal(factor)


@each_row(("unit", "into"), [("个", "箱"), ("吨", "个"), ("卷", "个"), ("", "个")])
def test_what_is_unknown_or_not_exact_is_not_given(unit: str, into: str) -> None:
    assert TABLE.factor(unit, into) is None


def test_the_best_unit_takes_most_of_them_in() -> None:
    assert TABLE.best(["千个", "个"]) == "千个"
    assert TABLE.best(["箱", "个"]) == "个"
    assert TABLE.best(["卷", "箱", "个"]) == "个"
    assert TABLE.best(["卷", "吨"]) == "卷"


def test_listed_and_common_units_are_known() -> None:
    assert all(map(TABLE.knows, ("件", "KG", "托", "g")))
    assert not TABLE.knows("扎")
    assert not TABLE.knows("")
    assert TABLE.listed
    assert not Units().listed


@each_row("table", [{"箱": "个"}, {"箱": "0 个"}, {"箱": "24"}, {"a": "2 b", "b": "2 a"}])
def test_a_wrong_table_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Units(table)


def test_factors_go_along_a_chain_of_sixteen() -> None:
    chain = {f"u{number}": f"2 u{number + 1}" for number in range(15)}
    assert Units(chain).factor("u0", "u15") == Decimal(2) ** 15
    with pytest.raises(ConfigurationError) as caught:
        Units(chain | {"u15": "2 u16"})
    assert caught.value.detail == "units: 'u0' is defined by itself"


def test_a_table_is_read_with_blanks_capitals_and_fractions() -> None:
    table = Units({" Box ": "  2.50   PCS ", "pallet": "4 box"})
    assert table.factor("BOX", "pcs") == Decimal("2.5")
    assert table.factor("pallet", "pcs") == Decimal(10)
    assert table.factor("pcs", "pallet") == Decimal("0.1")
    assert table.knows(" pallet ")
    assert table.knows("pcs")
    assert not Units({"crate": "3 gizmo"}).knows("box2")
    assert Units({"crate": "3 gizmo"}).knows("Gizmo")


@each_row("text", ["gizmo", "0 gizmo", "3", "1.2.3 gizmo", "-1 gizmo", "1,000 gizmo", "1，000 个"])
def test_an_entry_that_cannot_be_read_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Units({"crate": text})
    assert caught.value.detail == f"units: 'crate' needs a number and a unit, such as '1000 个', not {text!r}"


def test_a_factor_of_many_digits_stays_exact_or_is_not_given() -> None:
    table = Units({"a": "3 b", "c": "0.000000000000000000000000000001 b", "d": f"1{'0' * 29} b"})
    assert table.factor("d", "c") == Decimal(10) ** 59
    assert table.factor("b", "a") is None
    assert table.factor("a", "a") == Decimal(1)


def test_without_a_table_only_the_same_unit_can_be_added() -> None:
    assert Units().factor(" KG ", "kg") == Decimal(1)
    assert Units().factor("kg", "g") is None
    assert Units().best(["kg", "g", "KG"]) == "kg"
    assert Units().best(iter(["g", "kg", "kg"])) == "kg"
