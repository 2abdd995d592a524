"""The goals of the figures of efficiency with a tenth of the people and a quarter of the year."""

from __future__ import annotations

from pathlib import Path

from .bench_efficiency import TABLES_MB, measure


async def test_a_small_year_is_found_on_the_page_and_its_tables_are_small(tmp_path: Path) -> None:
    measured = await measure(tmp_path, people=100, days=100, pages=1)
    assert measured.tables < TABLES_MB * 1e6 / 10
    assert all(measured.rows.values())
    for reader, told in (("keeper", False), ("manager", True), ("admin", True)):
        assert ("“大额采购”的第 2 级审批" in measured.told[reader]) is told
