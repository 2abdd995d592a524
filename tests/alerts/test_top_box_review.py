"""Boxes at the top of groups are reviewed without a look at every alert where no rule wants any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.alerts import top_boxes
from bot.alerts.alert import Alert
from bot.alerts.repository import AlertUnitOfWork
from tests.alerts.memory_repository import MemoryAlertRepository
from tests.alerts.scenario import StubRules, second
from tests.rows import each_row


class CountingRepository(MemoryAlertRepository):
    """Counts how often all open alerts are read."""

    looks = 0

    def open_alerts(self, limit: int = 1000) -> Sequence[Alert]:
        self.looks += 1
        return super().open_alerts(limit)


@dataclass
class Boxes(StubRules):
    """Rules of which a route may want boxes."""

    wanted: bool = False

    @property
    def has_top_boxes(self) -> bool:
        return self.wanted


@each_row(("by_rule", "by_setting", "looks"), [(False, False, 0), (True, False, 1), (False, True, 1)])
def test_open_alerts_are_read_only_where_a_box_may_be_wanted(by_rule: bool, by_setting: bool, looks: int) -> None:
    repository = CountingRepository()
    unit = AlertUnitOfWork(repository=repository, rules=Boxes(wanted=by_rule), now=second(0), new_id=str)
    assert top_boxes.review(replace(unit, top_boxes=by_setting)) == 0
    assert repository.looks == looks
