"""A year of decisions and alerts before the demo began, as the figures of efficiency keep them.

The company of the demo is older than its bot. Its first look at `/efficiency` shows what the figures tell: large
orders wait for one person, and one rule's alerts are mostly ignored.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.approvals.plan import DEFAULT_RULE, VoteWay
from bot.efficiency.working_time import WorkingHours
from bot.store.database import Database
from bot.store.row_times import to_ms
from bot.store.tables import ALERT_WAIT, DECISION_WAIT

_SEED = 20_261
_DAYS = 400
_LARGE = 3
"""The class of amounts (`bot.efficiency.waits.AMOUNT_STEPS`) from which the boss decides."""
_DECIDERS = ("buymanager01", "finance01", "finance02", "salesmanager01", "keeper01", "planner01", "workshop01")
_BOSS = "boss01"
_RULES = ("低库存", "延期订单")


async def seed_waits(database: Database, now: datetime) -> None:
    """Store the year before ``now``, a time in the company's zone, unless there are decisions already."""
    assert now.tzinfo is not None, "the clock is in the company's zone"
    hours = WorkingHours(now.tzinfo)

    def write(connection: Connection) -> None:
        if connection.scalar(select(DECISION_WAIT.c.case_id).limit(1)) is None:
            connection.execute(insert(DECISION_WAIT), list(_decisions(hours, now)))
            connection.execute(insert(ALERT_WAIT), list(_alerts(now)))

    await database.run(write)


def _decisions(hours: WorkingHours, now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(_SEED)  # noqa: S311 - nothing secret
    for day in range(_DAYS, 1, -1):
        for number in range(chance.randrange(4)):
            size = chance.choice((0, 1, 1, 2, 2, _LARGE))
            is_large = size >= _LARGE
            waited = timedelta(minutes=chance.randrange(1_200, 3_000) if is_large else chance.randrange(10, 600))
            morning = (now - timedelta(days=day)).replace(hour=8, minute=0)
            at = morning + timedelta(minutes=chance.randrange(600))
            yield {
                "case_id": f"before-{day}-{number}",
                "person": _BOSS if is_large else chance.choice(_DECIDERS),
                "at_ms": to_ms(at),
                "waited_s": waited // timedelta(seconds=1),
                "worked_s": hours.between(at - waited, at) // timedelta(seconds=1),
                "level": 2 if is_large else 1,
                "rule": DEFAULT_RULE,
                "currency": "CNY",
                "size": size,
                "way": chance.choice((VoteWay.CARD, VoteWay.CARD, VoteWay.PAGE, VoteWay.TYPED)).value,
                "in_time": waited < timedelta(days=1),
                "approved": chance.random() < 0.96,
                "changed": False,
                "kind": "po",
                "asked": chance.random() < 0.08,
            }


def _alerts(now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(_SEED)  # noqa: S311 - nothing secret
    for number in range(3 * _DAYS):
        rule = chance.choice(_RULES)
        ignored = chance.random() < (0.84 if rule == _RULES[0] else 0.2)
        yield {
            # Below all numbers that alerts of the bot get.
            "number": -number - 1,
            "person": "" if ignored else chance.choice(_DECIDERS),
            "at_ms": to_ms(now - timedelta(hours=8 * number + 48)),
            "rule": rule,
            "acknowledged_s": None if ignored else chance.randrange(300, 20_000),
            "resolved_s": chance.randrange(3_600, 400_000) if chance.random() < 0.6 else None,
            "ignored": ignored,
            "repeated": chance.random() < 0.3,
        }
