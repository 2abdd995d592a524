"""The goal for reading sentences, with a tenth of the names."""

from __future__ import annotations

import pytest

from .bench_understanding import PARTNERS, PRODUCTS, READING_MS, measure, percentile


@pytest.mark.soak
def test_the_bar_holds() -> None:
    figures = measure(PRODUCTS // 10, PARTNERS // 10)
    assert percentile(figures.readings, 0.95) <= READING_MS
    assert figures.megabytes < 20
