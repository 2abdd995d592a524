"""Units: factors are exact or not given."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.erp.units import Units
from bot.errors import ConfigurationError

TABLE = Units({"千个": "1000 个", "PCS": "1 个", "箱": "24 个", "托": "40箱", "吨": "1000 kg", "oz": "28.349523125 g"})


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(("unit", "into"), [("个", "箱"), ("吨", "个"), ("卷", "个"), ("", "个")])
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


@pytest.mark.parametrize("table", [{"箱": "个"}, {"箱": "0 个"}, {"箱": "24"}, {"a": "2 b", "b": "2 a"}])
def test_a_wrong_table_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Units(table)
