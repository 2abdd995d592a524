"""The company's life: with every step of a clock somebody sells, ships, pays, makes, buys, decides, or a day goes by.

Only where it is switched on; else all figures stay as they are. A step is one transaction and depends on nothing but
the seed, its number and the company, so the same steps always lead to the same company. What tutorials and tests speak
of (`KEPT`) is left alone.

While nobody runs the company it sleeps: a clock that was stopped for a week is no reason for a week's news at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from bot.erp.demo import buying, making, selling
from bot.erp.demo import tables as t
from bot.erp.demo.database import writing
from bot.erp.demo.days import pass_day
from bot.erp.demo.sales import ZONE
from bot.erp.demo.scene import Scene

STEPS_PER_DAY = 20
FIRST = timedelta(seconds=5)
"""After so long something happens, for whoever has just started the demo."""
AT_ONCE = 50
"""Steps that are caught up with at once; what is more is slept through."""

_META = t.table(t.MetaRow)
_STEPS = "steps"


class Life:
    """Lets a company live at some pace, seen from one process."""

    def __init__(self, *, seed: int, days_per_hour: float, begins_at: datetime) -> None:
        """``days_per_hour`` is how many of the company's days go by in an hour of ours."""
        self._seed = seed
        self._step = timedelta(hours=1) / (days_per_hour * STEPS_PER_DAY)
        self._next_at = begins_at + min(FIRST, self._step)

    def live(self, connection: Connection, now: datetime) -> None:
        """Do the steps that are due, each by itself."""
        if now < self._next_at:
            return
        first, due = self._next_at, (now - self._next_at) // self._step + 1
        # Before anything can fail: what could not happen is not tried again and again, for questions wait behind it.
        self._next_at += due * self._step
        for number in range(min(due, AT_ONCE)):
            take_step(connection, self._seed, first + number * self._step)


def take_step(connection: Connection, seed: int, now: datetime) -> None:
    """Let the next step happen at ``now``."""
    with writing(connection):
        steps = connection.scalar(select(_META.c.value).where(_META.c.name == _STEPS))
        number = int(steps or "0") + 1
        rng = Random(f"{seed}/{number}")  # noqa: S311  # invented data, no secrets
        act(Scene(connection, rng, now, now.astimezone(ZONE).date()), number)
        count = insert(_META).values(name=_STEPS, value=str(number))
        connection.execute(count.on_conflict_do_update(index_elements=["name"], set_={"value": str(number)}))


def act(scene: Scene, number: int) -> None:
    """Let happen what belongs to a step: the first brings a shortage, some steps later there is enough again."""
    buying.book_approved(scene)
    making.begin_planned(scene)
    match number % 8:
        case 1:
            selling.sell_out(scene, share=0 if number // 8 % 3 == 2 else scene.rng.randrange(2, 8))
        case 4:
            making.replenish(scene)
        case 7:
            making.finish_short(scene)
    if number % 12 == 5:
        buying.submit(scene)
    for chance, happen in (
        (0.35, selling.sell),
        (0.35, selling.ship),
        (0.3, selling.pay),
        (0.25, making.finish),
        (0.15, buying.receive),
        (0.1, buying.decide),
    ):
        if scene.happens(chance):
            happen(scene)
    if number % STEPS_PER_DAY == 0:
        pass_day(scene)
