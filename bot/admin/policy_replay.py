"""``dingerp policy replay``: what new rules would have changed.

Past purchase orders, including decided ones, are planned under the old and the new rules. For orders decided from chat
the recorded plan is the old one. Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from bot.admin.database import OperatorAction, open_database
from bot.admin.inputs import read_since
from bot.admin.output import escape_invisible
from bot.admin.policy_context import PolicyContext, describe_level, open_policy, open_policy_context
from bot.approvals.case import Case
from bot.approvals.document import ApprovalDocument
from bot.approvals.document_reader import CompanySnapshot, build_document, document_from_case
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, VoteContext
from bot.approvals.policy.feasibility import blocked_level
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.unit_of_work import ApprovalOptions
from bot.bootstrap.policy import terms_of
from bot.erp.model import Money, PurchaseOrder, PurchaseStatus, Verdict
from bot.erp.port import Capability, ListQuery
from bot.settings import Settings
from bot.store.approvals.repository import cases_since

_PAGE = 100
_IN_THE_ERP = "no rule, decided in the ERP"
_NOT_SUBMITTED = (PurchaseStatus.DRAFT, PurchaseStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class _NothingSpent:
    """A `bot.approvals.plan.DailySpending` of zero: daily limits are checked as if the day had just begun."""

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return zero."""
        return Money(Decimal(0), currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReplayedDocument:
    document: ApprovalDocument
    recorded: bool
    """Whether the old plan comes from a case."""
    old: ApprovalPlan | None
    new: ApprovalPlan | None
    stuck: str
    """Why nobody could decide it under the new rules; empty if somebody could."""

    @property
    def changed(self) -> bool:
        """Whether other people decide, or another rule does."""
        return _shown(self.old) != _shown(self.new)


async def replay_rules(settings: Settings, rules: Path, *, since: str) -> list[str]:
    """Return a line for each document that would be decided differently, then the counts.

    ``since`` is ``90d`` or a date. Raises `RulesError`, `ConfigurationError`, and the errors of ERPs and the directory.
    """
    old, new = (RuleBasedPolicy(open_policy(settings, file)) for file in (None, rules))
    async with open_policy_context(settings) as context:
        begins = read_since(since, context.now())
        async with open_database(settings, OperatorAction(command="policy replay")) as database:
            cases = () if database is None else await database.run(partial(cases_since, since=begins))
        by_document = {(case.source, case.number.casefold()): case for case in cases}
        replay = _PolicyReplay(context, old, new, terms_of(settings), by_document)
        replayed = [document async for document in replay.all(begins)]
    return [escape_invisible(line) for line in _lines(replayed, context, begins)]


class _PolicyReplay:
    def __init__(
        self,
        context: PolicyContext,
        old: RuleBasedPolicy,
        new: RuleBasedPolicy,
        terms: ApprovalOptions,
        cases: Mapping[tuple[str, str], Case],
    ) -> None:
        self._context = context
        self._old, self._new = old, new
        self._terms = terms
        self._cases = dict(cases)
        self._companies: dict[str, tuple[CompanySnapshot, str]] = {}

    async def all(self, begins: datetime) -> AsyncIterator[_ReplayedDocument]:
        """Return the documents of all ERPs, then those of cases no longer listed by any ERP."""
        for source in self._context.hub.sources:
            if Capability.PURCHASE_ORDERS not in self._context.hub.source_client(source).capabilities:
                continue
            async for order in self._orders(source, begins):
                case = self._cases.pop((source, order.number.casefold()), None)
                yield await self._replayed(order, case)
        for case in self._cases.values():
            document = document_from_case(case)
            company, department = await self._around(document.requester)
            yield self._compared(replace(document, department=department), company, case)

    async def _orders(self, source: str, begins: datetime) -> AsyncIterator[PurchaseOrder]:
        """Return the orders since ``begins``. Lists are newest first, so the first page without a match is the last."""
        erp, offset = self._context.hub.source_client(source), 0
        while True:
            page = await erp.purchase_orders(ListQuery(offset=offset, limit=_PAGE))
            recent = [order for order in page.items if order.ordered_on is None or order.ordered_on >= begins.date()]
            for order in recent:
                if order.status not in _NOT_SUBMITTED:
                    yield order
            offset += len(page.items)
            if not recent or offset >= page.total:
                return

    async def _replayed(self, order: PurchaseOrder, case: Case | None) -> _ReplayedDocument:
        hub = self._context.hub
        requester = build_document(order, self._context.organisation.snapshot()).requester
        company, department = await self._around(requester)
        categories: frozenset[str] = frozenset()
        if self._old.asks_categories or self._new.asks_categories:  # lists have no lines
            order = await hub.source_client(order.source).purchase_order(order.number)
            categories = await hub.categories(order.source, [line.sku for line in order.lines if line.sku])
        return self._compared(build_document(order, company, department, categories), company, case)

    async def _around(self, requester: str) -> tuple[CompanySnapshot, str]:
        if not (self._old.asks_directory or self._new.asks_directory):
            return self._context.organisation.snapshot(), ""
        if requester not in self._companies:
            self._companies[requester] = await self._context.organisation.snapshot_around(requester)
        return self._companies[requester]

    def _compared(self, document: ApprovalDocument, company: CompanySnapshot, case: Case | None) -> _ReplayedDocument:
        old = self._old.plan(document, company).plan if case is None else case.plan
        new = self._new.plan(document, company).plan
        stuck = "" if new is None else self._stuck(new, document, company)
        return _ReplayedDocument(document=document, recorded=case is not None, old=old, new=new, stuck=stuck)

    def _stuck(self, plan: ApprovalPlan, document: ApprovalDocument, company: CompanySnapshot) -> str:
        able = {
            level.number: [user for user in level.approvers if self._is_able(user, plan, level, document, company)]
            for level in plan.levels
        }
        blocked = blocked_level(plan.levels, able)
        if not blocked:
            return ""
        level = plan.levels[blocked - 1]
        if not level.approvers:
            return f"level {blocked} names nobody"
        unable = ", ".join(user for user in level.approvers if user not in able[blocked])
        return f"level {blocked}" + (f", {unable} may not" if unable else ", everybody there is needed before")

    def _is_able(
        self,
        user_id: str,
        plan: ApprovalPlan,
        level: ApprovalLevel,
        document: ApprovalDocument,
        company: CompanySnapshot,
    ) -> bool:
        if not (company.account_of(user_id, document.source) or self._terms.technical_account):
            return False
        alone = replace(plan, levels=(replace(level, number=1),))
        vote_context = VoteContext(
            document=document, plan=alone, votes=(), spending=_NothingSpent(), now=self._context.now()
        )
        return self._new.may(vote_context, user_id, Verdict.APPROVE).allowed


def _lines(replayed: list[_ReplayedDocument], context: PolicyContext, begins: datetime) -> Iterator[str]:
    for document in replayed:
        if document.changed or document.stuck:
            yield _described(document, context)
    changed, stuck = sum(document.changed for document in replayed), sum(bool(document.stuck) for document in replayed)
    recorded = sum(document.recorded for document in replayed)
    yield (
        f"documents since {begins:%Y-%m-%d}: {len(replayed)}, decided about in chat {recorded},"
        f" by others or another rule now {changed}, by nobody {stuck}"
    )
    old = Counter(_rule(document.old) for document in replayed)
    new = Counter(_rule(document.new) for document in replayed)
    yield from (f"  {rule}: {old[rule]} → {new[rule]}" for rule in dict.fromkeys((*old, *new)))


def _described(replayed: _ReplayedDocument, context: PolicyContext) -> str:
    order = replayed.document.order
    text = f"{order.number} of {order.source}, {context.english.money(order.total)}: {_shown(replayed.old)}"
    if replayed.changed:
        text += f" → {_shown(replayed.new)}"
    return text + (f"; nobody could decide: {replayed.stuck}" if replayed.stuck else "")


def _shown(plan: ApprovalPlan | None) -> str:
    if plan is None:
        return _IN_THE_ERP
    return f"“{plan.rule}” {_then(map(describe_level, plan.levels))}" + (", asked twice" if plan.confirm else "")


def _then(levels: Iterable[str]) -> str:
    return ", then ".join(levels)


def _rule(plan: ApprovalPlan | None) -> str:
    return _IN_THE_ERP if plan is None else f"“{plan.rule}”"
