"""Approving and rejecting: one transaction that checks, records and changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update
from sqlalchemy.engine import Connection

from bot.erp import kinds
from bot.erp.errors import Invalid
from bot.erp.kinds import review_of
from bot.erp.kinds.quotations import QuotationStatus
from bot.erp.model import (
    Area,
    Decision,
    DecisionOutcome,
    DecisionResult,
    ErpRecord,
    Feed,
    Followed,
    OrderStatus,
    Review,
    ReviewState,
    Verdict,
)
from bot.kit.company import tables as t
from bot.kit.company.client import writing
from bot.kit.company.document_query import DocumentQuery
from bot.kit.company.documents import QUERIES
from bot.kit.company.tables import fold, whole_number

_REVIEW, _APPROVAL, _CHANGE = t.table(t.ReviewRow), t.table(t.DecisionRow), t.table(t.ChangeRow)
_NEXT_REVISION = select(func.coalesce(func.max(_CHANGE.c.revision), 0) + 1).scalar_subquery()
# A running company does this six times per step: building it each time would take longer than running it.
_NOTE_CHANGE = insert_or_update(_CHANGE).values(
    revision=_NEXT_REVISION, area=bindparam("area"), key=bindparam("key"), changed_at=bindparam("changed_at")
)
_NOTE_CHANGE = _NOTE_CHANGE.on_conflict_do_update(
    index_elements=["area", "key"],
    set_={"revision": _NOTE_CHANGE.excluded.revision, "changed_at": _NOTE_CHANGE.excluded.changed_at},
)


@dataclass(frozen=True, slots=True)
class _Decided:
    """Where the approval of documents of one kind is recorded, and what becomes of them by it."""

    query: DocumentQuery[Any]
    area: Followed
    called: str
    """What the ERP calls such a document."""
    becomes: Mapping[Verdict, str] = field(default_factory=dict)
    """The status of a document after the last approval, and after a rejection; none where it stays as it is."""

    @property
    def own(self) -> bool:
        """Whether its approval is recorded beside the document itself."""
        return self.query.reviewed == ""

    @property
    def table(self) -> Table:
        return self.query.table if self.own else _REVIEW


_DECIDED: Mapping[str, _Decided] = MappingProxyType(
    {
        "po": _Decided(QUERIES[kinds.PURCHASE_ORDERS], Area.PURCHASING, "采购单"),
        "order": _Decided(
            QUERIES[kinds.SALES_ORDERS],
            Area.SALES,
            "销售订单",
            {Verdict.APPROVE: OrderStatus.OPEN, Verdict.REJECT: OrderStatus.CANCELLED},
        ),
        "quote": _Decided(
            QUERIES[kinds.QUOTATIONS],
            Feed.QUOTATIONS,
            "报价单",
            {Verdict.APPROVE: QuotationStatus.SENT, Verdict.REJECT: QuotationStatus.CANCELLED},
        ),
        # What is approved of a bill is its payment: it is owed all the same.
        "bill": _Decided(QUERIES[kinds.BILLS], Feed.BILLS, "应付单"),
    }
)


def decide(connection: Connection, decision: Decision, source: str, now: datetime) -> DecisionResult:
    """Act on one version of a document, once.

    Raises `NotFound`, and `Invalid` for one that was never submitted. Repeating a recorded decision, by anybody,
    changes nothing and reports the decider.
    """
    with writing(connection):
        return decide_within(connection, decision, source, now)


def decide_within(connection: Connection, decision: Decision, source: str, now: datetime) -> DecisionResult:
    """Decide within the caller's transaction."""
    there = _DECIDED[decision.kind]
    document: ErpRecord = there.query.document(connection, decision.number, source)
    review = review_of(document)
    refused = _refusal(connection, there, review, document, decision)
    if refused is not None:
        return refused
    outcome = _apply(connection, there, review, decision, now)
    note_change(connection, there.area, document.number, now)
    changed = there.query.document(connection, decision.number, source)
    return DecisionResult(outcome=outcome, document=changed, text=_words(outcome, there, decision, review_of(changed)))


def _refusal(
    connection: Connection, there: _Decided, review: Review, document: ErpRecord, decision: Decision
) -> DecisionResult | None:
    """Return why nothing is to be done, or None."""
    approval = review.progress
    if not review.waits and review.state is not ReviewState.DRAFT:
        text = f"该{there.called}已由{review.named(approval.decided_by)}处理" if approval.decided_by else ""
        return DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, document=document, text=text)
    if review.version != decision.version:
        repeated = _recorded_by(connection, decision) == decision.by
        outcome = DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN
        return DecisionResult(outcome=outcome, document=document, text="您已审批过" if repeated else "单据已被修改")
    if review.state is ReviewState.DRAFT:
        raise Invalid(f"{there.called}尚未提交审批", source=document.source)
    if decision.by not in approval.pending_for:
        text = _why_not(there, review, decision.by)
        return DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, document=document, text=text)
    return None


def _recorded_by(connection: Connection, decision: Decision) -> str | None:
    decided = whole_number(decision.version)
    if decided is None:
        return None
    found: str | None = connection.scalar(
        select(_APPROVAL.c.by).where(
            _APPROVAL.c.kind == decision.kind,
            _APPROVAL.c.number_key == fold(decision.number),
            _APPROVAL.c.version == decided,
        )
    )
    return found


def _why_not(there: _Decided, review: Review, by: str) -> str:
    if by == review.requester:
        return f"不能审批自己申请的{there.called}"
    if by == review.progress.decided_by:
        return "同一人不能审批两级"
    return "没有该级审批权限"


def _apply(
    connection: Connection, there: _Decided, review: Review, decision: Decision, now: datetime
) -> DecisionOutcome:
    assert review.approval is not None
    level, version, key = review.approval.level, int(review.version), fold(decision.number)
    connection.execute(
        insert(_APPROVAL).values(
            kind=decision.kind,
            number_key=key,
            version=version,
            level=level,
            verdict=decision.verdict,
            by=decision.by,
            at=now,
            reason=decision.reason,
        )
    )
    status, outcome = ReviewState.APPROVED, DecisionOutcome.APPLIED
    if decision.verdict is Verdict.REJECT:
        status = ReviewState.REJECTED
    elif level < review.approval.levels:
        status, level, outcome = ReviewState.WAITING, level + 1, DecisionOutcome.MORE_APPROVALS_NEEDED
    recorded = update(there.table).where(there.table.c.number_key == key)
    if not there.own:
        recorded = recorded.where(_REVIEW.c.kind == decision.kind)
    connection.execute(
        recorded.values(
            status=status,
            level=level,
            decided_by=decision.by,
            decided_at=now,
            reason=decision.reason,
            version=version + 1,
            changed_by=decision.by,
            **({"changed_at": now} if there.own else {}),
        )
    )
    if not there.own:
        becomes = there.becomes.get(decision.verdict) if outcome is DecisionOutcome.APPLIED else None
        document = there.query.table
        moved = update(document).where(document.c.number_key == key)
        connection.execute(moved.values(changed_at=now, **({"status": becomes} if becomes else {})))
    return outcome


def note_change(connection: Connection, area: Followed, key: str, now: datetime) -> None:
    """Give the record a new revision, greater than all before, in place of its old entry."""
    connection.execute(_NOTE_CHANGE, {"area": area, "key": key, "changed_at": now})


def _words(outcome: DecisionOutcome, there: _Decided, decision: Decision, review: Review) -> str:
    """Return the ERP's own message about the result."""
    if outcome is DecisionOutcome.MORE_APPROVALS_NEEDED:
        names = "、".join(review.names(review.progress.pending_for))
        return f"第一级审批已记录，等待下一级审批：{names}"
    return f"{there.called}已{'拒绝' if decision.verdict is Verdict.REJECT else '同意'}"
