"""Predictions are kept, begin when their text comes into force, and are counted from what happened since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.approvals.plan import ApprovalPlan
from bot.efficiency.findings import FindingTopic
from bot.efficiency.predictions import Prediction, PredictionOutcome
from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.efficiency import KEPT
from bot.store.predictions import StoredPredictions
from bot.store.rule_versions import StoredRuleVersions
from bot.words.phrase import phrase
from tests.approvals.test_repository import a_case
from tests.store.test_efficiency import SHANGHAI, put_cases, shown_card

BEGAN = datetime(2026, 10, 5, 9, 30, tzinfo=SHANGHAI)
WEEK = timedelta(days=7)
OF_ALERTS = Prediction(
    sha256="a" * 64,
    topic=FindingTopic.ALERTS,
    subject="low stock",
    level=0,
    kinds=frozenset(),
    what=phrase("“%(rule)s” comes once a day", rule="low stock"),
    before=Decimal("61.3"),
    after=Decimal("12.0"),
    made_at=BEGAN - timedelta(hours=1),
)
OF_APPROVALS = replace(
    OF_ALERTS, sha256="b" * 64, topic=FindingTopic.APPROVALS, subject="large", level=2, kinds=frozenset({"po", "order"})
)


class Clock:
    """A time that tests move."""

    now = BEGAN


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def predictions(database: Database, clock: Clock) -> StoredPredictions:
    return StoredPredictions(database, lambda: clock.now)


async def publish(database: Database, sha256: str, at: datetime, state: VersionState = VersionState.PUBLISHED) -> None:
    version = RuleVersion(subject=RuleSubject.ALERTS, state=state, text="", sha256=sha256, made_at=at, published_at=at)
    await StoredRuleVersions(database).add(version)


async def test_they_are_kept_as_they_were_made(predictions: StoredPredictions) -> None:
    later = replace(OF_APPROVALS, made_at=BEGAN)
    for each in (OF_ALERTS, later):
        await predictions.keep(each)
    assert list(await predictions.all()) == [later, OF_ALERTS]


async def test_one_begins_when_its_text_comes_into_force(database: Database, predictions: StoredPredictions) -> None:
    await predictions.keep(OF_ALERTS)
    await publish(database, OF_ALERTS.sha256, BEGAN - timedelta(days=90))
    await publish(database, OF_ALERTS.sha256, BEGAN, VersionState.PROPOSED)
    await publish(database, OF_APPROVALS.sha256, BEGAN)
    await predictions.measure()
    assert (await predictions.all())[0].begins_at is None, "the same text before, a proposal, and another text"
    for days in (0, 9):
        await publish(database, OF_ALERTS.sha256, BEGAN + timedelta(days=days))
        await predictions.measure()
        assert (await predictions.all())[0].begins_at == BEGAN


async def test_cards_of_four_weeks_are_counted_when_they_are_over(
    database: Database, predictions: StoredPredictions, clock: Clock
) -> None:
    """Each second card is of another rule; two began before the change, and two after the four weeks."""
    await predictions.keep(OF_ALERTS)
    await publish(database, OF_ALERTS.sha256, BEGAN)
    hours = [*(12 * number for number in range(56)), -1, -2, 28 * 24, 28 * 24 + 1]

    def write(repository: Any) -> None:
        for number, hour in enumerate(hours, 1):
            repository.put_card(shown_card(number, BEGAN + timedelta(hours=hour)))

    await StoredAlertTransactions(database, lambda: BEGAN).transact(write)
    clock.now = BEGAN + 4 * WEEK - timedelta(seconds=1)
    await predictions.measure()
    assert (await predictions.all())[0].cases is None
    clock.now += timedelta(seconds=1)
    for _ in range(2):
        await predictions.measure()
        (found,) = await predictions.all()
        assert (found.cases, found.all_cases, found.measured) == (28, 56, Decimal("7.0"))
        assert found.outcome is PredictionOutcome.TRUE


async def test_each_document_counts_once_by_the_rule_that_decided_it_last(
    database: Database, predictions: StoredPredictions, clock: Clock
) -> None:
    await predictions.keep(OF_APPROVALS)
    await publish(database, OF_APPROVALS.sha256, BEGAN)

    def opened(number: str, rule: str, days: float, round_: int = 1) -> Any:
        plan = ApprovalPlan(rule=rule, levels=())
        return a_case(number, round_, opened_at=BEGAN + timedelta(days=days), plan=plan)

    await put_cases(
        database,
        replace(opened("PO-1", "small", 1), state=CaseState.SUPERSEDED),
        opened("PO-1", "large", 2, round_=2),
        opened("PO-2", "large", 3),
        opened("PO-3", "small", 4),
        opened("PO-4", "large", -1),
        opened("PO-5", "large", 28),
        at=BEGAN,
    )
    clock.now = BEGAN + 4 * WEEK
    await predictions.measure()
    (found,) = await predictions.all()
    assert (found.cases, found.all_cases, found.outcome) == (2, 3, PredictionOutcome.UNKNOWN)


async def test_only_two_years_are_kept(predictions: StoredPredictions, clock: Clock) -> None:
    await predictions.keep(OF_ALERTS)
    for later, kept in ((KEPT, 1), (KEPT + timedelta(seconds=1), 0)):
        clock.now = OF_ALERTS.made_at + later
        await predictions.measure()
        assert len(await predictions.all()) == kept
