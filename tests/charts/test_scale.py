"""The scale beside the bars."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.drawing import scale_of


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ("", "0 0.5"),
        ("0", "0 0.5"),
        ("7", "0 2 4 6 8"),
        ("8", "0 2 4 6 8"),
        ("90000", "0 50000 100000"),
        ("76000 -100", "-20000 0 20000 40000 60000 80000"),
        ("-3", "-3 -2 -1 0"),
        ("0.03", "0.00 0.01 0.02 0.03"),
        ("123456789012345678901234567890.12", "0 50000000000000000000000000000 100000000000000000000000000000"
         " 150000000000000000000000000000"),
    ],
)  # fmt: skip
def test_marks_are_few_and_round(values: str, marks: str) -> None:
    scale = scale_of(map(Decimal, values.split()))
    assert list(scale.marks) == [Decimal(mark) for mark in marks.split()]


@given(st.lists(st.decimals(min_value=-(10**15), max_value=10**15, places=2), max_size=40))
def test_every_value_and_nought_lie_on_it(values: list[Decimal]) -> None:
    scale = scale_of(values)
    assert 0 in scale.marks
    assert 2 <= len(scale.marks) <= 6
    assert all(0 <= scale.share(value) <= 1 for value in values)
