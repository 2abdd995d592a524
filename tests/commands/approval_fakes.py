"""Approvals of the small company: real rules, cases and answers, with an in-memory case store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.approvals.absences import Absences
from bot.approvals.cards.insights import Insights
from bot.approvals.cards.presenter import ApprovalComposer, CasePresenter, RequesterComposer
from bot.approvals.case import Case
from bot.approvals.document import DocumentKey
from bot.approvals.document_reader import DocumentReader, Organisation
from bot.approvals.plan import Quorum
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.policy.rules import (
    ApprovalRule,
    ApprovalRuleSet,
    ApproverSelector,
    RuleLevel,
    SelectorKind,
)
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import ApprovalOptions, CaseStore, CaseTransactions
from bot.approvals.writeback_worker import WritebackWorker
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.erp.kinds import PURCHASE_ORDERS, Kind, decided_kind
from bot.erp.model import Approval, Decision, DecisionOutcome, DecisionResult, ErpRecord, ReviewState
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from tests.approvals.env import PATIENCE
from tests.bare_records import with_review
from tests.chat.audience_parts import reader_by_kind
from tests.commands.company import NOW, Company
from tests.recording_audit import RecordingAudit

GROUP = Place(PlaceKind.GROUP, "cidGroup==")
ACCOUNTS: Mapping[str, Mapping[str, str]] = {
    user_id: {"main": f"u_{user_id}"} for user_id in ("manager01", "buyer01", "sales01", "keeper01")
}


def any_of(*user_ids: str) -> RuleLevel:
    return RuleLevel(Quorum.ANY, tuple(ApproverSelector(SelectorKind.PERSON, user_id) for user_id in user_ids))


def rules(*steps: RuleLevel, **fields: object) -> ApprovalRuleSet:
    """Return a rule set with one rule, by default for the manager and the buyer."""
    rule = ApprovalRule(name="purchasing", steps=steps or (any_of("manager01", "buyer01"),), **fields)  # type: ignore[arg-type]  # fields of a rule
    return ApprovalRuleSet(version="7", rules=(rule,))


@dataclass
class FakeErp:
    """Stands in for `bot.erp.hub.ErpHub` where approvals read and decide on the
    small company.
    """

    company: Company
    away: bool = False
    decisions: list[Decision] = field(default_factory=list)

    async def reread(self, source: str, kind: Kind[Any], number: str) -> ErpRecord:
        if self.away:
            raise Unavailable("away", source=source)
        # The people for whom the company's ERP waits have no accounts here: approvals hear of none.
        found: ErpRecord = replace(await self.company.document(kind, number), source=source)
        return with_review(found, approval=None) if kind.review(found) else found

    async def categories(self, source: str, skus: Sequence[str]) -> frozenset[str]:
        return frozenset()

    async def decide(self, source: str, decision: Decision) -> DecisionResult:
        self.decisions.append(decision)
        kind = decided_kind(decision.kind)
        found = await self.company.document(kind, decision.number)
        state = ReviewState.APPROVED if decision.verdict == "approve" else ReviewState.REJECTED
        said = Approval(decided_by=decision.by, reason=decision.reason)
        decided = with_review(found, state=state, version=kind.reviewed(found).version + "+", approval=said)
        self.company.put(decided)
        return DecisionResult(outcome=DecisionOutcome.APPLIED, document=replace(decided, source=source))

    def change(self, number: str, *, state: ReviewState = ReviewState.WAITING, **changes: object) -> None:
        """Have a purchase order changed in the ERP."""
        known = next(order for order in self.company.purchases if order.number == number)
        self.company.put(with_review(known, state=state, version=known.review.version + "+", **changes))


class ApprovalFixture:
    """Everything behind the approval commands; ``rules`` and ``now`` may be changed."""

    def __init__(
        self,
        company: Company,
        hub: ErpHub,
        names: Mapping[str, str],
        approval_options: ApprovalOptions,
        store: CaseStore,
    ) -> None:
        self.erp = FakeErp(company)
        self.now: datetime = NOW
        self.rules = rules()
        self._names = names
        reader = DocumentReader(self.erp, Organisation(roles={}, accounts=ACCOUNTS))
        transactions = CaseTransactions(
            store=store,
            reader=reader,
            policy=lambda: RuleBasedPolicy(self.rules),
            groups=lambda document: (GROUP,),
            now=lambda: self.now,
            options=approval_options,
        )
        self.transactions = transactions
        self.service = ApprovalService(transactions, poke=lambda: None, seconds=PATIENCE)
        self.absences = Absences(transactions, show_anew=self.service.show_deciders, record=RecordingAudit().record)
        self.writer = WritebackWorker(transactions, self.erp, follow=self.service.sync_document, metrics=Metrics())
        self.insights = Insights(hub.source_client, now=lambda: self.now, seconds=PATIENCE)
        self.presenter = CasePresenter(
            lambda *key: reader.document(DocumentKey(*key)),
            self.insights,
            self._names_of,
            now=lambda: self.now,
            seconds=PATIENCE,
        )
        self.composer = ApprovalComposer(self.service.find, self.presenter, reader_by_kind)
        self.requester_composer = RequesterComposer(self.service.find, self.presenter, reader_by_kind)

    async def submit(self, number: str = "PO-1001", kind: Kind[Any] = PURCHASE_ORDERS) -> Case:
        """Open the case of a document."""
        case = await self.service.sync_document(DocumentKey("main", kind, number))
        assert case is not None
        return case

    async def case(self, number: str = "PO-1001") -> Case:
        case = await self.service.newest(number)
        assert case is not None
        return case

    async def settle(self, **later: float) -> None:
        """Write decisions to the ERP, after some time."""
        self.now = self.now + timedelta(**later)
        await self.writer.run_once()
        await self.writer.wait_idle()

    async def _names_of(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        return {user_id: self._names[user_id] for user_id in user_ids if user_id in self._names}
