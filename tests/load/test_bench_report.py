"""The goal of reports with a fiftieth of the documents: neither the ERP nor the number of documents counts."""

from __future__ import annotations

from pathlib import Path

from .bench_report import REPORT_MS, measure


async def test_a_report_asks_no_erp(tmp_path: Path) -> None:
    measured = await measure(tmp_path, count=2_000, days=400, reports=3)
    assert measured.calls == 0
    # CPU time, because other tests share the machine.
    assert min(measured.report_cpu) * 1e3 <= REPORT_MS
