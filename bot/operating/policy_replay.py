"""What new rules would have changed: what ``dingerp policy replay`` does.

Past purchase orders, decided ones too, are planned once by the old and once by the new rules. The old plan of what was
decided from chat is the one that stands in its record. Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from bot.approvals.case import Case
from bot.approvals.company import Snapshot
from bot.approvals.document import Document
from bot.approvals.policy.passable import blocked_level
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.reading import document_of, remembered
from bot.approvals.ruling import Ballot, Level, Plan
from bot.approvals.unit import Terms
from bot.assembly.policy import terms_of
from bot.erp.model import Money, PurchaseOrder, PurchaseStatus, Verdict
from bot.erp.port import Capability, ListQuery
from bot.operating.opening import opened
from bot.operating.policy_check import open_policy
from bot.operating.policy_ground import Ground, stand, told
from bot.operating.reading import read_since
from bot.operating.writing import visible
from bot.settings import Settings
from bot.store.approval_history import cases_since

_PAGE = 100
_IN_THE_ERP = "no rule, decided in the ERP"
_NOT_SUBMITTED = (PurchaseStatus.DRAFT, PurchaseStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class _Spent:
    """Implements `bot.approvals.ruling.Spending`: a limit per day is looked at as if the day had just begun."""

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return nothing."""
        return Money(Decimal(0), currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replayed:
    document: Document
    recorded: bool
    """Whether the old plan is that of a case."""
    old: Plan | None
    new: Plan | None
    stuck: str
    """Why nobody could decide it by the new rules; empty if somebody could."""

    @property
    def changed(self) -> bool:
        """Whether other people decide, or by another rule."""
        return _shown(self.old) != _shown(self.new)


async def replay(settings: Settings, rules: Path, *, since: str) -> list[str]:
    """Return a line for each document that would be decided otherwise, then the counts.

    ``since`` is ``90d`` or a date. Raises `RulesError`, `ConfigurationError`, and what ERPs and the directory raise.
    """
    old, new = (RuleBook(open_policy(settings, file).rules) for file in (None, rules))
    async with stand(settings) as ground:
        begins = read_since(since, ground.now())
        async with opened(settings) as database:
            cases = () if database is None else await database.run(partial(cases_since, since=begins))
        by_document = {(case.source, case.number.casefold()): case for case in cases}
        rehearsal = _Rehearsal(ground, old, new, terms_of(settings), by_document)
        replayed = [one async for one in rehearsal.all(begins)]
    return [visible(line) for line in _lines(replayed, ground, begins)]


class _Rehearsal:
    def __init__(
        self, ground: Ground, old: RuleBook, new: RuleBook, terms: Terms, cases: Mapping[tuple[str, str], Case]
    ) -> None:
        self._ground = ground
        self._old, self._new = old, new
        self._terms = terms
        self._cases = dict(cases)
        self._companies: dict[str, tuple[Snapshot, str]] = {}

    async def all(self, begins: datetime) -> AsyncIterator[_Replayed]:
        """Return the documents of all ERPs, then those of cases that no ERP lists any more."""
        for source in self._ground.hub.sources:
            if Capability.PURCHASE_ORDERS not in self._ground.hub.at(source).capabilities:
                continue
            async for order in self._orders(source, begins):
                case = self._cases.pop((source, order.number.casefold()), None)
                yield await self._replayed(order, case)
        for case in self._cases.values():
            document = remembered(case)
            company, department = await self._around(document.requester)
            yield self._compared(replace(document, department=department), company, case)

    async def _orders(self, source: str, begins: datetime) -> AsyncIterator[PurchaseOrder]:
        """Return the orders since then. Lists are newest first, so the first page without any is the last."""
        erp, offset = self._ground.hub.at(source), 0
        while True:
            page = await erp.purchase_orders(ListQuery(offset=offset, limit=_PAGE))
            recent = [one for one in page.items if one.ordered_on is None or one.ordered_on >= begins.date()]
            for order in recent:
                if order.status not in _NOT_SUBMITTED:
                    yield order
            offset += len(page.items)
            if not recent or offset >= page.total:
                return

    async def _replayed(self, order: PurchaseOrder, case: Case | None) -> _Replayed:
        hub = self._ground.hub
        requester = document_of(order, self._ground.organisation.today()).requester
        company, department = await self._around(requester)
        categories: frozenset[str] = frozenset()
        if self._old.asks_categories or self._new.asks_categories:  # lists have no lines
            order = await hub.at(order.source).purchase_order(order.number)
            categories = await hub.categories(order.source, [line.sku for line in order.lines if line.sku])
        return self._compared(document_of(order, company, department, categories), company, case)

    async def _around(self, requester: str) -> tuple[Snapshot, str]:
        if not (self._old.asks_directory or self._new.asks_directory):
            return self._ground.organisation.today(), ""
        if requester not in self._companies:
            self._companies[requester] = await self._ground.organisation.around(requester)
        return self._companies[requester]

    def _compared(self, document: Document, company: Snapshot, case: Case | None) -> _Replayed:
        old = self._old.plan(document, company).plan if case is None else case.plan
        new = self._new.plan(document, company).plan
        stuck = "" if new is None else self._stuck(new, document, company)
        return _Replayed(document=document, recorded=case is not None, old=old, new=new, stuck=stuck)

    def _stuck(self, plan: Plan, document: Document, company: Snapshot) -> str:
        able = {
            level.number: [one for one in level.approvers if self._is_able(one, plan, level, document, company)]
            for level in plan.levels
        }
        blocked = blocked_level(plan.levels, able)
        if not blocked:
            return ""
        level = plan.levels[blocked - 1]
        if not level.approvers:
            return f"level {blocked} names nobody"
        unable = ", ".join(one for one in level.approvers if one not in able[blocked])
        return f"level {blocked}" + (f", {unable} may not" if unable else ", everybody there is needed before")

    def _is_able(self, user_id: str, plan: Plan, level: Level, document: Document, company: Snapshot) -> bool:
        if not (company.account_of(user_id, document.source) or self._terms.technical_account):
            return False
        alone = replace(plan, levels=(replace(level, number=1),))
        ballot = Ballot(document=document, plan=alone, votes=(), spending=_Spent(), now=self._ground.now())
        return self._new.may(ballot, user_id, Verdict.APPROVE).allowed


def _lines(replayed: list[_Replayed], ground: Ground, begins: datetime) -> Iterator[str]:
    for one in replayed:
        if one.changed or one.stuck:
            yield _described(one, ground)
    changed, stuck = sum(one.changed for one in replayed), sum(bool(one.stuck) for one in replayed)
    recorded = sum(one.recorded for one in replayed)
    yield (
        f"documents since {begins:%Y-%m-%d}: {len(replayed)}, decided about in chat {recorded},"
        f" by others or another rule now {changed}, by nobody {stuck}"
    )
    old, new = Counter(_rule(one.old) for one in replayed), Counter(_rule(one.new) for one in replayed)
    yield from (f"  {rule}: {old[rule]} → {new[rule]}" for rule in dict.fromkeys((*old, *new)))


def _described(one: _Replayed, ground: Ground) -> str:
    order = one.document.order
    said = f"{order.number} of {order.source}, {ground.english.money(order.total)}: {_shown(one.old)}"
    if one.changed:
        said += f" → {_shown(one.new)}"
    return said + (f"; nobody could decide: {one.stuck}" if one.stuck else "")


def _shown(plan: Plan | None) -> str:
    if plan is None:
        return _IN_THE_ERP
    return f"“{plan.rule}” {_then(map(told, plan.levels))}" + (", asked twice" if plan.confirm else "")


def _then(levels: Iterable[str]) -> str:
    return ", then ".join(levels)


def _rule(plan: Plan | None) -> str:
    return _IN_THE_ERP if plan is None else f"“{plan.rule}”"
