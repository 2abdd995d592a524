"""What follows from a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.outbox.delivery import Urgency
from bot.outbox.messenger import NotSent, Trouble
from bot.outbox.record import Owed, Via, What
from bot.outbox.retry import after, pause
from tests.outbox.conftest import GROUP, START


def row(**changes: Any) -> Owed:
    values: dict[str, Any] = {
        "card": "a",
        "place": GROUP,
        "kind": "paper",
        "ref": "a",
        "urgency": Urgency.SOON,
        "wanted": 3,
        "due_at": START,
    }
    return Owed(**{**values, **changes})


CASES = [
    (row(), Trouble.BUSY, What.RETRIED, 2.0),
    (row(tries=1), Trouble.BUSY, What.RETRIED, 8.0),
    (row(tries=6), Trouble.BUSY, What.RETRIED, 3600.0),
    (row(tries=7), Trouble.BUSY, What.DEAD, None),
    (row(), Trouble.UNKNOWN, What.RETRIED, 2.0),
    (row(via=Via.TEXT), Trouble.UNKNOWN, What.WRITTEN, None),
    (row(via=Via.TEXT, tries=7), Trouble.UNKNOWN, What.WRITTEN, None),
    (row(tries=7), Trouble.LIMITED, What.RETRIED, 1.5),
    (row(tries=7), Trouble.SPENT, What.RETRIED, 3600.0),
    (row(), Trouble.SETUP, What.RETRIED, 300.0),
    (row(), Trouble.NO_CARDS, What.NO_CARD, None),
    (row(doubt=2), Trouble.NO_CARDS, What.RETRIED, 2.0),
    (row(shown=2), Trouble.GONE, What.GONE, 2.0),
    (row(), Trouble.HOPELESS, What.DEAD, None),
]


@pytest.mark.parametrize(("owed", "trouble", "what", "wait"), CASES, ids=[f"{c[1]}-{c[2]}-{c[3]}" for c in CASES])
def test_each_trouble_has_its_consequence(owed: Owed, trouble: Trouble, what: What, wait: float | None) -> None:
    result = after(owed, NotSent(trouble, "why"), most=8, chance=1.0, now=START)
    assert (result.what, result.reason[:3] in ("why", "unc")) == (what, True)
    assert result.again_at == (None if wait is None else START + timedelta(seconds=wait))
    assert result.certain is (trouble is not Trouble.UNKNOWN or what is What.WRITTEN)


def test_what_dingtalk_names_is_waited_for_and_chance_spreads_the_rest() -> None:
    assert pause(Trouble.LIMITED, 1, 600.0, 0.5) == 750.0
    assert pause(Trouble.BUSY, 1, 40.0, 0.0) == 40.0
    assert [pause(Trouble.BUSY, 3, None, chance) for chance in (0.0, 0.5, 1.0)] == [16.0, 24.0, 32.0]
