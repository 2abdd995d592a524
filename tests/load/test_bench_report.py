"""The goal of reports with a fiftieth of the documents: the ERP is not asked."""

from __future__ import annotations

from pathlib import Path

from .bench_report import measure


async def test_a_report_asks_no_erp(tmp_path: Path) -> None:
    measured = await measure(tmp_path, count=2_000, days=400, reports=3)
    assert measured.calls == 0
