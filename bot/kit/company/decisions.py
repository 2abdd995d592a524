"""Approving and rejecting: one transaction that checks, records and changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update
from sqlalchemy.engine import Connection

from bot.erp.errors import Invalid
from bot.erp.model import (
    Approval,
    Area,
    Decision,
    DecisionOutcome,
    DecisionResult,
    Followed,
    PurchaseOrder,
    PurchaseStatus,
    Verdict,
)
from bot.kit.company import tables as t
from bot.kit.company.client import writing
from bot.kit.company.documents import PURCHASE_ORDERS
from bot.kit.company.tables import fold, whole_number

_PURCHASE, _APPROVAL, _CHANGE = t.table(t.PurchaseRow), t.table(t.DecisionRow), t.table(t.ChangeRow)
_NEXT_REVISION = select(func.coalesce(func.max(_CHANGE.c.revision), 0) + 1).scalar_subquery()
# A running company does this six times per step: building it each time would take longer than running it.
_NOTE_CHANGE = insert_or_update(_CHANGE).values(
    revision=_NEXT_REVISION, area=bindparam("area"), key=bindparam("key"), changed_at=bindparam("changed_at")
)
_NOTE_CHANGE = _NOTE_CHANGE.on_conflict_do_update(
    index_elements=["area", "key"],
    set_={"revision": _NOTE_CHANGE.excluded.revision, "changed_at": _NOTE_CHANGE.excluded.changed_at},
)


def decide(connection: Connection, decision: Decision, source: str, now: datetime) -> DecisionResult:
    """Act on one version of a purchase order, once.

    Raises `NotFound`, and `Invalid` for an order that was never submitted. Repeating a recorded decision, by anybody,
    changes nothing and reports the decider.
    """
    with writing(connection):
        return decide_within(connection, decision, source, now)


def decide_within(connection: Connection, decision: Decision, source: str, now: datetime) -> DecisionResult:
    """Decide within the caller's transaction."""
    order = PURCHASE_ORDERS.document(connection, decision.number, source)
    refused = _refusal(connection, order, decision)
    if refused is not None:
        return refused
    outcome = _apply(connection, order, decision, now)
    changed = PURCHASE_ORDERS.document(connection, decision.number, source)
    return DecisionResult(outcome=outcome, order=changed, text=_words(outcome, decision, changed))


def _refusal(connection: Connection, order: PurchaseOrder, decision: Decision) -> DecisionResult | None:
    """Return why nothing is to be done, or None."""
    approval = order.approval or Approval()
    if order.status is not PurchaseStatus.WAITING and order.status is not PurchaseStatus.DRAFT:
        text = f"该采购单已由{order.named(approval.decided_by)}处理" if approval.decided_by else ""
        return DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, order=order, text=text)
    if order.version != decision.version:
        repeated = _recorded_by(connection, order.number, decision.version) == decision.by
        outcome = DecisionOutcome.ALREADY_DECIDED if repeated else DecisionOutcome.CHANGED_SINCE_SHOWN
        return DecisionResult(outcome=outcome, order=order, text="您已审批过" if repeated else "单据已被修改")
    if order.status is PurchaseStatus.DRAFT:
        raise Invalid("采购单尚未提交审批", source=order.source)
    if decision.by not in approval.pending_for:
        return DecisionResult(
            outcome=DecisionOutcome.NOT_PERMITTED, order=order, text=_why_not(order, approval, decision.by)
        )
    return None


def _recorded_by(connection: Connection, number: str, version: str) -> str | None:
    decided = whole_number(version)
    if decided is None:
        return None
    wanted = select(_APPROVAL.c.by).where(_APPROVAL.c.number_key == fold(number), _APPROVAL.c.version == decided)
    found: str | None = connection.scalar(wanted)
    return found


def _why_not(order: PurchaseOrder, approval: Approval, by: str) -> str:
    if by == order.requester:
        return "不能审批自己申请的采购单"
    if by == approval.decided_by:
        return "同一人不能审批两级"
    return "没有该级审批权限"


def _apply(connection: Connection, order: PurchaseOrder, decision: Decision, now: datetime) -> DecisionOutcome:
    assert order.approval is not None
    level, version = order.approval.level, int(order.version)
    connection.execute(
        insert(_APPROVAL).values(
            number_key=fold(order.number),
            version=version,
            level=level,
            verdict=decision.verdict,
            by=decision.by,
            at=now,
            reason=decision.reason,
        )
    )
    status, outcome = PurchaseStatus.APPROVED, DecisionOutcome.APPLIED
    if decision.verdict is Verdict.REJECT:
        status = PurchaseStatus.REJECTED
    elif level < order.approval.levels:
        status, level, outcome = PurchaseStatus.WAITING, level + 1, DecisionOutcome.MORE_APPROVALS_NEEDED
    connection.execute(
        update(_PURCHASE)
        .where(_PURCHASE.c.number_key == fold(order.number))
        .values(
            status=status,
            level=level,
            decided_by=decision.by,
            decided_at=now,
            reason=decision.reason,
            version=version + 1,
            changed_by=decision.by,
            changed_at=now,
        )
    )
    note_change(connection, Area.PURCHASING, order.number, now)
    return outcome


def note_change(connection: Connection, area: Followed, key: str, now: datetime) -> None:
    """Give the record a new revision, greater than all before, in place of its old entry."""
    connection.execute(_NOTE_CHANGE, {"area": area, "key": key, "changed_at": now})


def _words(outcome: DecisionOutcome, decision: Decision, order: PurchaseOrder) -> str:
    """Return the ERP's own message about the result."""
    if outcome is DecisionOutcome.MORE_APPROVALS_NEEDED:
        names = "、".join(map(order.named, order.approval.pending_for)) if order.approval else ""
        return f"第一级审批已记录，等待下一级审批：{names}"
    return "采购单已拒绝" if decision.verdict is Verdict.REJECT else "采购单已同意"
