"""DingTalk's editions and their monthly allowances.

Docs: platform/dingtalk/limits.md#monthly-quotas
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Literal, TypeAlias

EditionName: TypeAlias = Literal["standard", "standard-2024", "professional"]


@dataclass(frozen=True, slots=True)
class MonthlyQuotas:
    """A monthly allowance: API calls, and uses of Webhook & Stream."""

    calls: int
    uses: int

    def covers(self, calls: int, uses: int) -> bool:
        """Return whether the allowance covers a month with this need."""
        return calls <= self.calls and uses <= self.uses


EDITIONS: Mapping[EditionName, MonthlyQuotas] = MappingProxyType(
    {
        "standard": MonthlyQuotas(5_000, 3_000),
        "standard-2024": MonthlyQuotas(10_000, 5_000),
        "professional": MonthlyQuotas(200_000, 50_000),
    }
)

PACK = MonthlyQuotas(5_000_000, 500_000)
"""The allowance of one add-on pack; several add up."""


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """An edition with a number of add-on packs."""

    edition: EditionName
    packs: int = 0

    @property
    def quotas(self) -> MonthlyQuotas:
        """Its monthly allowance."""
        base = EDITIONS[self.edition]
        return MonthlyQuotas(base.calls + self.packs * PACK.calls, base.uses + self.packs * PACK.uses)


def fitting_plan(calls: int, uses: int) -> EditionPlan:
    """Return the smallest plan on sale that covers a month."""
    return next(plan for plan in _plans_on_sale() if plan.quotas.covers(calls, uses))


def _plans_on_sale() -> Iterator[EditionPlan]:
    yield EditionPlan("standard")
    for packs in count():
        yield EditionPlan("professional", packs)
