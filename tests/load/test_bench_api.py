"""The goals of the API in a short form: a program that floods is no reason for others to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bench_api import measure


@pytest.mark.process
async def test_a_key_that_floods_costs_no_other_an_answer(tmp_path: Path) -> None:
    measured = await measure(tmp_path, seconds=2.0, per_second=5.0)
    assert (measured.quiet.failed, measured.quiet.refused, len(measured.quiet.answered)) == (0, 0, 10)
    assert (measured.beside.failed, measured.beside.refused, len(measured.beside.answered)) == (0, 0, 10)
    assert measured.flood.answered
    assert measured.unanswered == 0
