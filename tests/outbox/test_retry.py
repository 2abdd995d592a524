"""What follows from a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.outbox.delivery import DeliveryFormat, DeliveryStepKind, OutboxRow, Urgency
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.outbox.retry import resolve_failure, retry_delay
from tests.outbox.conftest import GROUP, START
from tests.rows import each_row


def row(**changes: Any) -> OutboxRow:
    values: dict[str, Any] = {
        "card": "a",
        "place": GROUP,
        "kind": "paper",
        "ref": "a",
        "urgency": Urgency.SOON,
        "wanted": 3,
        "due_at": START,
    }
    return OutboxRow(**{**values, **changes})


CASES = [
    (row(), SendFailureKind.BUSY, DeliveryStepKind.RETRIED, 2.0),
    (row(tries=1), SendFailureKind.BUSY, DeliveryStepKind.RETRIED, 8.0),
    (row(tries=6), SendFailureKind.BUSY, DeliveryStepKind.RETRIED, 3600.0),
    (row(tries=7), SendFailureKind.BUSY, DeliveryStepKind.RETRIED, 3600.0),
    (row(tries=70), SendFailureKind.BUSY, DeliveryStepKind.RETRIED, 3600.0),
    (row(tries=7), SendFailureKind.UNCOMPOSED, DeliveryStepKind.RETRIED, 30.0),
    (row(tries=6), SendFailureKind.DEFECT, DeliveryStepKind.RETRIED, 3600.0),
    (row(tries=7), SendFailureKind.DEFECT, DeliveryStepKind.DEAD, None),
    (row(tries=7), SendFailureKind.SETUP, DeliveryStepKind.DEAD, None),
    (row(), SendFailureKind.UNKNOWN, DeliveryStepKind.RETRIED, 2.0),
    (row(tries=7), SendFailureKind.UNKNOWN, DeliveryStepKind.RETRIED, 3600.0),
    (row(via=DeliveryFormat.TEXT), SendFailureKind.UNKNOWN, DeliveryStepKind.WRITTEN, None),
    (row(via=DeliveryFormat.STANDING, shown=-1), SendFailureKind.GONE, DeliveryStepKind.NOTHING, None),
    (row(via=DeliveryFormat.STANDING, shown=-1), SendFailureKind.HOPELESS, DeliveryStepKind.DEAD, None),
    (row(via=DeliveryFormat.TEXT, tries=7), SendFailureKind.UNKNOWN, DeliveryStepKind.WRITTEN, None),
    (row(tries=7), SendFailureKind.LIMITED, DeliveryStepKind.RETRIED, 1.5),
    (row(tries=7), SendFailureKind.SPENT, DeliveryStepKind.RETRIED, 3600.0),
    (row(), SendFailureKind.SETUP, DeliveryStepKind.RETRIED, 300.0),
    (row(), SendFailureKind.NO_CARDS, DeliveryStepKind.NO_CARD, None),
    (row(doubt=2), SendFailureKind.NO_CARDS, DeliveryStepKind.RETRIED, 2.0),
    (row(shown=2), SendFailureKind.GONE, DeliveryStepKind.GONE, 2.0),
    (row(), SendFailureKind.HOPELESS, DeliveryStepKind.DEAD, None),
]


@each_row(("owed", "trouble", "what", "wait"), CASES)
def test_each_trouble_has_its_consequence(
    owed: OutboxRow, trouble: SendFailureKind, what: DeliveryStepKind, wait: float | None
) -> None:
    result = resolve_failure(owed, SendFailed(trouble, "why"), most=8, chance=1.0, now=START)
    assert (result.what, result.reason[:3] in ("why", "unc")) == (what, True)
    assert result.again_at == (None if wait is None else START + timedelta(seconds=wait))
    gave_up = what is DeliveryStepKind.DEAD and trouble is not SendFailureKind.HOPELESS
    assert ("(after 8 tries)" in result.reason) is gave_up
    assert result.certain is (trouble is not SendFailureKind.UNKNOWN or what is DeliveryStepKind.WRITTEN)


def test_an_alerts_text_that_may_have_arrived_is_sent_again_twice() -> None:
    unknown = SendFailed(SendFailureKind.UNKNOWN, "no answer")
    results = [
        resolve_failure(row(via=DeliveryFormat.TEXT, kind="alert", tries=tries), unknown, most=8, chance=1.0, now=START)
        for tries in (0, 1, 2)
    ]
    assert [result.what for result in results] == [DeliveryStepKind.RETRIED] * 2 + [DeliveryStepKind.WRITTEN]
    assert all(result.certain for result in results), "else the row would count as sent"
    waits = [result.again_at and result.again_at - START for result in results]
    assert waits == [timedelta(seconds=2), timedelta(seconds=8), None]
    decision = row(via=DeliveryFormat.TEXT, kind="approval")
    assert resolve_failure(decision, unknown, most=8, chance=1.0, now=START).what is DeliveryStepKind.WRITTEN


def test_what_dingtalk_names_is_waited_for_and_chance_spreads_the_rest() -> None:
    assert retry_delay(SendFailureKind.LIMITED, 1, 600.0, 0.5) == 750.0
    assert retry_delay(SendFailureKind.BUSY, 1, 40.0, 0.0) == 40.0
    assert retry_delay(SendFailureKind.SPENT, 1, None, 0.0) == 3600.0, "until the month ends, hour by hour"
    assert [retry_delay(SendFailureKind.BUSY, 3, None, chance) for chance in (0.0, 0.5, 1.0)] == [16.0, 24.0, 32.0]
