"""The benchmark itself works: one second of it, without a goal for speed, because other tests share the machine."""

from __future__ import annotations

import pytest

from tests.load.__main__ import Goal, RunFigures, bars, measure, report

from .contenders import BARE, DINGERP, README, Contender


@pytest.mark.parametrize(
    "contender", [pytest.param(BARE, marks=pytest.mark.soak), DINGERP], ids=lambda contender: contender.name
)
async def test_every_question_costs_one_call_and_gets_one_answer(contender: Contender) -> None:
    figures = await measure(contender, seconds=1.0, in_flight=32, warm_up=0.3)

    assert figures.calls_per_answer == 1.0
    assert figures.unasked == 0
    assert 20 <= figures.p50 <= figures.p99
    assert figures.ack_p99 > 0
    assert figures.resident > 10
    assert figures.first_call > 0
    assert figures.cpu > 0


def test_the_report_names_all_and_the_bars_say_what_was_missed() -> None:
    quick = RunFigures(2000, 60, 80, 15, 1.0, 110, 0.5, 0, 280)
    slow = RunFigures(30, 6000, 7000, 6000, 1.0, 60, 0.3, 0, 900)
    figures = {README.name: slow, BARE.name: quick, DINGERP.name: quick}

    table = report(figures, runs=3, seconds=7, in_flight=256)

    assert all(name in table for name in figures)
    assert all(bar.held for bar in bars(figures))
    missed = [bar.name for bar in bars({**figures, DINGERP.name: slow}) if not bar.held]
    assert missed == [
        "answers/s over the README bot",
        "answers/s over the bare loop",
        "p99 over the bare loop's",
        "ACK p99, ms",
    ]
    assert str(Goal("resident, MB", 121, 120)).startswith("NOT")
