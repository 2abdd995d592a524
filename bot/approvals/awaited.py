"""Whom the ERP itself waits for, beside those whom the rules ask.

The two are settled in two places and may not meet. Then the ERP refuses what is decided here: it takes a decision only
from those whom it waits for (ERP sheet, 11.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.approvals.case import Case
from bot.approvals.ruling import Plan
from bot.approvals.unit import Unit
from bot.erp.model import PurchaseOrder


@dataclass(frozen=True, slots=True)
class Awaited:
    """Somebody whom the ERP waits for; ``user_id`` is empty where nobody in DingTalk is known behind the account."""

    account: str
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Whom the ERP waits for; ``people`` is empty where it does not tell."""

    people: tuple[Awaited, ...] = ()
    unmet: bool = False
    """Whether the ERP would be told of an approval by none of them."""

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Return the userIds of those who are known here."""
        return tuple(one.user_id for one in self.people if one.user_id)

    def called(self, names: Mapping[str, str], order: PurchaseOrder | None) -> tuple[str, ...]:
        """Return what they are called: in DingTalk where they are known there, else in the ERP, else by account."""
        return tuple(
            names.get(one.user_id) or (order.named(one.account) if order is not None else one.account)
            for one in self.people
        )


NOBODY = Expected()
"""Where the ERP names nobody, or nothing waits."""


def expected(unit: Unit, source: str, accounts: Iterable[str], plan: Plan | None, case: Case | None = None) -> Expected:
    """Return whom the ERP waits for by their ``accounts``, and whether those meet who complete a plan."""
    people = tuple(Awaited(one, unit.company.person_of(source, one)) for one in accounts)
    return Expected(people, unmet=plan is not None and _is_unmet(unit, source, people, plan, case))


def _is_unmet(unit: Unit, source: str, people: Sequence[Awaited], plan: Plan, case: Case | None) -> bool:
    # The ERP is told in the name of the last one who agrees, and knows nothing of the levels before.
    ours = (unit.account_of(one, source) for one in _last(unit, plan, case))
    return bool(people) and {one.account for one in people}.isdisjoint(ours)


def _last(unit: Unit, plan: Plan, case: Case | None) -> tuple[str, ...]:
    """Return who may be the last to agree: the approvers of the last level, and who may decide in their place."""
    named = plan.levels[-1].approvers if plan.levels else ()
    substitutes = (one for person in named for one in unit.policy.substitutes_of(person, unit.now))
    passed_on = (one.to for one in case.forwards if one.person in named) if case is not None else ()
    refused = case.refused if case is not None else ()
    return tuple(one for one in (*named, *substitutes, *passed_on) if one not in refused)
