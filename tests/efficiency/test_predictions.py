"""Predictions: what was rehearsed of a published change, and whether it came true four weeks later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.efficiency.findings import Finding, FindingTopic, LineToSend, Rehearsed, RuleEdit
from bot.efficiency.predictions import Prediction, PredictionOutcome, predict, tell_prediction
from bot.rulefiles.versions import RuleSubject, as_whole
from bot.words.phrase import phrase
from tests.efficiency.year import NOVEMBER, SHANGHAI
from tests.rows import each_row

TEXT = "[default]\nto = []\n"
FINDING = Finding(
    id="f",
    topic=FindingTopic.ALERTS,
    seen=phrase("noise"),
    reason=phrase("noise"),
    cost=timedelta(hours=1),
    subject="low stock",
    remedy=RuleEdit(subject=RuleSubject.ALERTS, text=TEXT, what=phrase("“low stock” comes once a day")),
    rehearsed=Rehearsed(before=Decimal("61.3"), after=Decimal("12.0"), days=30),
)


@pytest.fixture
def prediction() -> Prediction:
    found = predict(FINDING, TEXT, NOVEMBER)
    assert found is not None
    return found


@each_row(
    "before, after, cases, all_cases, outcome",
    [
        ("61.3", "12.0", 48, 90, PredictionOutcome.TRUE),
        ("60", "10", 80, 90, PredictionOutcome.TRUE),
        ("60", "10", 82, 90, PredictionOutcome.FALSE),
        ("60", "10", 300, 300, PredictionOutcome.FALSE),
        ("60", "10", 0, 10, PredictionOutcome.TRUE),
        ("60", "10", 0, 9, PredictionOutcome.UNKNOWN),
        ("2.4", "1", 0, 90, PredictionOutcome.UNKNOWN),
        ("2.5", "1", 0, 90, PredictionOutcome.TRUE),
        ("60", "10", None, None, None),
    ],
)
def test_it_came_true_if_nearly_as_much_was_saved_as_rehearsed(
    prediction: Prediction,
    before: str,
    after: str,
    cases: int | None,
    all_cases: int | None,
    outcome: PredictionOutcome | None,
) -> None:
    found = replace(prediction, before=Decimal(before), after=Decimal(after), cases=cases, all_cases=all_cases)
    assert found.outcome is outcome


def test_only_the_text_that_was_rehearsed_is_predicted(prediction: Prediction) -> None:
    assert predict(FINDING, as_whole(TEXT), NOVEMBER) == prediction, "as it is written"
    line = LineToSend(line="/subscribe report 9:00", what=phrase("by itself"))
    for finding, text in (
        (FINDING, TEXT + "# and one thing more\n"),
        (replace(FINDING, rehearsed=None), TEXT),
        (replace(FINDING, remedy=line), TEXT),
    ):
        assert predict(finding, text, NOVEMBER) is None


def test_it_is_told_from_the_day_on_which_the_change_came_into_force(prediction: Prediction) -> None:
    assert tell_prediction(prediction, SHANGHAI) is None
    begun = replace(prediction, begins_at=NOVEMBER)
    what = "“low stock” comes once a day, since 2026-11-02. Cards a week: 61.3 before, 12.0 rehearsed"
    assert str(tell_prediction(begun, SHANGHAI)) == f"{what}. It is counted on 2026-11-30."
    over = replace(begun, cases=54, all_cases=100)
    assert str(tell_prediction(over, SHANGHAI)) == f"{what}, 13.5 counted. It came true."


def test_an_outcome_is_news_for_one_weekly_card(prediction: Prediction) -> None:
    over = replace(prediction, begins_at=NOVEMBER, cases=54, all_cases=100)
    week = timedelta(days=7)
    assert over.is_news(NOVEMBER + 4 * week)
    assert over.is_news(NOVEMBER + 5 * week - timedelta(seconds=1))
    assert not over.is_news(NOVEMBER + 5 * week)
    assert not replace(over, cases=None).is_news(NOVEMBER + 4 * week)
