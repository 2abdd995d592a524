"""What new rules would have changed: past documents, planned under the old and the new rules.

For those decided from chat the recorded plan is the old one. Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bot.approvals.case import Case
from bot.approvals.document import ApprovalDocument, DocumentKey
from bot.approvals.document_reader import (
    CompanySnapshot,
    Organisation,
    RunsChecks,
    build_document,
    document_from_case,
    skus_of,
)
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, Quorum, VoteContext
from bot.approvals.policy.feasibility import blocked_level
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.unit_of_work import ApprovalOptions
from bot.erp.hub import ErpHub
from bot.erp.kinds import D, Kind, kind_of
from bot.erp.model import ErpRecord, Money, ReviewState, Verdict
from bot.erp.port import ListQuery
from bot.erp.source_client import SourceClient

_PAGE = 100
_IN_THE_ERP = "no rule, decided in the ERP"
_NOT_SUBMITTED = (ReviewState.DRAFT, ReviewState.CANCELLED)


@dataclass(frozen=True, slots=True)
class _NothingSpent:
    """A `bot.approvals.plan.DailySpending` of zero: daily limits are checked as if the day had just begun."""

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return zero."""
        return Money(Decimal(0), currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedDocument:
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
        return describe_plan(self.old) != describe_plan(self.new)


class PolicyReplay:
    def __init__(
        self,
        hub: ErpHub,
        organisation: Organisation,
        now: Callable[[], datetime],
        old: RuleBasedPolicy,
        new: RuleBasedPolicy,
        terms: ApprovalOptions,
        cases: Mapping[DocumentKey, Case],
        checks: RunsChecks,
    ) -> None:
        self._hub = hub
        self._organisation = organisation
        self._now = now
        self._old, self._new = old, new
        self._terms = terms
        self._cases = dict(cases)
        self._checks = checks
        self._companies: dict[str, tuple[CompanySnapshot, str]] = {}

    async def all(self, begins: datetime) -> AsyncIterator[ReplayedDocument]:
        """Return the documents of all ERPs, then those of cases no longer listed by any ERP."""
        for source in self._hub.sources:
            client = self._hub.source_client(source)
            for kind in client.reviewed_kinds:
                async for record in self._submitted(client, kind, begins):
                    case = self._cases.pop(DocumentKey(source, kind, record.number).folded, None)
                    yield await self._replayed(record, case)
        for case in self._cases.values():
            document = document_from_case(case)
            company, department = await self._around(document.requester)
            yield self._compared(replace(document, department=department), company, case)

    async def _submitted(self, client: SourceClient, kind: Kind[D], begins: datetime) -> AsyncIterator[D]:
        """Return the documents of a kind since ``begins``.

        Lists are newest first, so the first page without a match is the last.
        """
        offset = 0
        while True:
            page = await client.documents(kind, ListQuery(offset=offset, limit=_PAGE))
            recent = [record for record in page.items if (kind.day(record) or begins.date()) >= begins.date()]
            for record in recent:
                review = kind.review(record)
                if review is not None and review.state not in _NOT_SUBMITTED:
                    yield record
            offset += len(page.items)
            if not recent or offset >= page.total:
                return

    async def _replayed(self, record: ErpRecord, case: Case | None) -> ReplayedDocument:
        hub = self._hub
        requester = build_document(record, self._organisation.snapshot()).requester
        company, department = await self._around(requester)
        categories: frozenset[str] = frozenset()
        asks_categories = self._old.asks_categories or self._new.asks_categories
        asks_checks = (self._old.asks_checks or self._new.asks_checks) and (case is None or not case.checks)
        if asks_categories or asks_checks:  # lists have no lines
            record = await hub.source_client(record.source).document(kind_of(record), record.number)
        if asks_categories:
            categories = await hub.categories(record.source, skus_of(record))
        document = build_document(record, company, department, categories)
        checks = () if case is None else case.checks
        if asks_checks:
            checks = await self._checks.of(record, self._new.bounds(document, company))
        return self._compared(replace(document, checks=checks), company, case)

    async def _around(self, requester: str) -> tuple[CompanySnapshot, str]:
        if not (self._old.asks_directory or self._new.asks_directory):
            return self._organisation.snapshot(), ""
        if requester not in self._companies:
            self._companies[requester] = await self._organisation.snapshot_around(requester)
        return self._companies[requester]

    def _compared(self, document: ApprovalDocument, company: CompanySnapshot, case: Case | None) -> ReplayedDocument:
        old = self._old.plan(document, company).plan if case is None else case.plan
        new = self._new.plan(document, company).plan
        stuck = "" if new is None else self._stuck(new, document, company)
        return ReplayedDocument(document=document, recorded=case is not None, old=old, new=new, stuck=stuck)

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
        vote_context = VoteContext(document=document, plan=alone, votes=(), spending=_NothingSpent(), now=self._now())
        return self._new.may(vote_context, user_id, Verdict.APPROVE).allowed


def describe_level(level: ApprovalLevel) -> str:
    """Return the approvers of a level as text."""
    if not level.approvers:
        return "nobody"
    if len(level.approvers) == 1:
        return level.approvers[0]
    return f"{'any' if level.quorum is Quorum.ANY else 'all'} of {', '.join(level.approvers)}"


def describe_plan(plan: ApprovalPlan | None) -> str:
    """Return the rule of a plan, and who decides by it."""
    if plan is None:
        return _IN_THE_ERP
    return f"“{plan.rule}” {_then(map(describe_level, plan.levels))}" + (", asked twice" if plan.confirm else "")


def _then(levels: Iterable[str]) -> str:
    return ", then ".join(levels)


def describe_rule(plan: ApprovalPlan | None) -> str:
    """Return the rule of a plan."""
    return _IN_THE_ERP if plan is None else f"“{plan.rule}”"
