"""The company's activity: each step sells, ships, pays, produces, buys or decides, or ends a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from bot.kit.company import ageing, production_activity, purchasing_activity, sales_activity, settlement_activity
from bot.kit.company import tables as t
from bot.kit.company.activity_step import ActivityStep
from bot.kit.company.client import writing
from bot.kit.company.sales import ZONE

STEPS_PER_DAY = 20
FIRST_STEP_AFTER = timedelta(seconds=5)
"""The time until the first step, so that a new demo shows activity soon."""
MAX_STEPS_AT_ONCE = 50
"""Steps caught up with at once; further missed ones are skipped."""

_META = t.table(t.MetaRow)
_STEPS = "steps"


class CompanyActivity:
    """Runs a company at a given pace, from one process."""

    def __init__(self, *, seed: int, days_per_hour: float, begins_at: datetime) -> None:
        """``days_per_hour`` is the number of company days per real hour."""
        self._seed = seed
        self._step = timedelta(hours=1) / (days_per_hour * STEPS_PER_DAY)
        self._next_at = begins_at + min(FIRST_STEP_AFTER, self._step)

    def run_due_steps(self, connection: Connection, now: datetime) -> None:
        """Run the steps that are due, one by one."""
        if now < self._next_at:
            return
        first, due = self._next_at, (now - self._next_at) // self._step + 1
        # Before anything can fail: a failed step is not retried for ever, as questions wait behind it.
        self._next_at += due * self._step
        for number in range(min(due, MAX_STEPS_AT_ONCE)):
            take_step(connection, self._seed, first + number * self._step)


def take_step(connection: Connection, seed: int, now: datetime) -> None:
    """Run the next step at ``now``."""
    with writing(connection):
        steps = connection.scalar(select(_META.c.value).where(_META.c.name == _STEPS))
        number = int(steps or "0") + 1
        rng = Random(f"{seed}/{number}")  # noqa: S311  # invented data, no secrets
        perform_step(ActivityStep(connection, rng, now, now.astimezone(ZONE).date()), number)
        count = insert(_META).values(name=_STEPS, value=str(number))
        connection.execute(count.on_conflict_do_update(index_elements=["name"], set_={"value": str(number)}))


def perform_step(step: ActivityStep, number: int) -> None:
    """Run the actions of a step: the first causes a shortage, which ends some steps later."""
    purchasing_activity.book_approved(step)
    production_activity.begin_planned(step)
    match number % 8:
        case 1:
            sales_activity.sell_out(step, share=0 if number // 8 % 3 == 2 else step.rng.randrange(2, 8))
        case 4:
            production_activity.replenish(step)
        case 7:
            production_activity.finish_short(step)
    if number % 12 == 5:
        purchasing_activity.submit(step)
    for chance, happen in (
        (0.35, sales_activity.sell),
        (0.35, sales_activity.ship),
        (0.3, sales_activity.pay),
        (0.25, production_activity.finish),
        (0.15, purchasing_activity.receive),
        (0.1, purchasing_activity.decide),
        (0.2, settlement_activity.pay_bill),
    ):
        if step.happens(chance):
            happen(step)
    if number % STEPS_PER_DAY == 0:
        ageing.advance_day(step)
