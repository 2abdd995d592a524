"""The Workflow of the fake ERPNext's Purchase Orders, and their timeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bot.erp.model import Approval, PurchaseOrder, ReviewState
from bot.kit.testing.reference_records import deciders
from tests.bare_records import with_review
from tests.erp.fakes.erpnext_doctypes import Document, head, rows, stamp

PURCHASE_MANAGER, DIRECTOR, CLERK = "Purchase Manager", "Purchase Director", "Purchase User"
LEVELS = {PURCHASE_MANAGER: 1, DIRECTOR: 2}
"""The roles that approve, with their level in the company."""

ONE, FIRST, SECOND = "Pending Approval", "Pending Manager Approval", "Pending Director Approval"

_TRANSITIONS = (
    ("Draft", "Submit for Approval", ONE, CLERK),
    ("Draft", "Submit for Two Approvals", FIRST, CLERK),
    (ONE, "Approve", "Approved", PURCHASE_MANAGER),
    (ONE, "Reject", "Rejected", PURCHASE_MANAGER),
    (FIRST, "Approve", SECOND, PURCHASE_MANAGER),
    (FIRST, "Reject", "Rejected", PURCHASE_MANAGER),
    (SECOND, "Approve", "Approved", DIRECTOR),
    (SECOND, "Reject", "Rejected", DIRECTOR),
    ("Approved", "Cancel", "Cancelled", PURCHASE_MANAGER),
)
_STATES = {"Draft": "0", ONE: "0", FIRST: "0", SECOND: "0", "Approved": "1", "Rejected": "0", "Cancelled": "2"}


@lru_cache(maxsize=1)
def workflow(changed_at: datetime) -> Document:
    """Return the Workflow of Purchase Orders."""
    document = head("Workflow", "采购订单审批", changed_at)
    document |= {
        "workflow_name": document["name"],
        "document_type": "Purchase Order",
        "is_active": 1,
        "workflow_state_field": "workflow_state",
    }
    states = [{"state": state, "doc_status": docstatus} for state, docstatus in _STATES.items()]
    transitions = [
        {
            "state": state,
            "action": action,
            "next_state": after,
            "allowed": role,
            "allow_self_approval": 0,
            "condition": None,
        }
        for state, action, after, role in _TRANSITIONS
    ]
    document["states"] = rows(document, "states", "Workflow Document State", states)
    document["transitions"] = rows(document, "transitions", "Workflow Transition", transitions)
    return document


def versions(order: PurchaseOrder, workflow: bool) -> list[Document]:
    """Return the timeline of an order: an edit, and every change of its state."""
    approval = order.review.progress
    submitted = order.changed_at or approval.decided_at
    assert submitted is not None
    found = [_version(order, order.review.requester, submitted - timedelta(hours=2), [["grand_total", "1.00", "2.00"]])]
    decided = approval.decided_at
    if not workflow:
        if order.status in {ReviewState.APPROVED, ReviewState.DONE} and decided:
            found.append(_version(order, approval.decided_by, decided, [["docstatus", 0, 1]]))
        return found
    if order.status in {ReviewState.DRAFT, ReviewState.CANCELLED}:
        return found
    passed = ["Draft", *_waiting_states(order)]
    if order.status is not ReviewState.WAITING:
        passed.append(workflow_state(order))
    for n, (before, after) in enumerate(pairwise(passed), 1):
        last = n == len(passed) - 1
        by = order.review.requester if n == 1 else approval.decided_by if last else "anna"
        at = decided if n > 1 and decided else submitted - timedelta(hours=1)
        at = at if last else at - timedelta(seconds=len(passed) - n)
        changed: list[list[Any]] = [["workflow_state", before, after]]
        if after == "Approved":
            changed.append(["docstatus", 0, 1])
        found.append(_version(order, by, at, changed))
    return found


def _version(order: PurchaseOrder, by: str, at: datetime, changed: list[list[Any]]) -> Document:
    data = {"added": [], "changed": changed, "data_import": None, "removed": [], "row_changed": []}
    return head("Version", f"{order.number}-{stamp(at)}", at, by) | {
        "creation": stamp(at),
        "ref_doctype": "Purchase Order",
        "docname": order.number,
        "data": json.dumps(data, indent=1),
    }


def comment(number: str, by: str, at: datetime, content: str) -> Document:
    """Return a comment on an order; ``content`` is HTML."""
    return head("Comment", f"{number}-{by}-{stamp(at)}", at, by) | {
        "creation": stamp(at),
        "comment_type": "Comment",
        "comment_email": by,
        "comment_by": by,
        "reference_doctype": "Purchase Order",
        "reference_name": number,
        "content": content,
    }


def open_action(order: PurchaseOrder) -> Document:
    """Return the open action of a person for a waiting order."""
    assert order.changed_at is not None
    return head("Workflow Action", f"wa-{order.number}", order.changed_at) | {
        "status": "Open",
        "reference_doctype": "Purchase Order",
        "reference_name": order.number,
        "workflow_state": workflow_state(order),
        "user": None,
        "completed_by": None,
    }


def workflow_state(order: PurchaseOrder) -> str:
    """Return an order's state in the Workflow."""
    match order.status:
        case ReviewState.WAITING:
            return _waiting_states(order)[-1]
        case ReviewState.DRAFT | ReviewState.REJECTED | ReviewState.CANCELLED:
            return order.status.capitalize()
        case _:
            return "Approved"


def _waiting_states(order: PurchaseOrder) -> tuple[str, ...]:
    """Return the states in which an order waited, in order, up to its present level."""
    approval = order.review.progress
    return (ONE,) if approval.levels == 1 else (FIRST, SECOND)[: approval.level]


def as_drafts(orders: Mapping[str, PurchaseOrder]) -> dict[str, PurchaseOrder]:
    """Return purchase orders as on a site without a Workflow: drafts wait for a single approval."""
    waiting = Approval(pending_for=deciders(1))
    unsubmitted = {ReviewState.DRAFT, ReviewState.WAITING, ReviewState.REJECTED}
    return {
        number: with_review(order, state=ReviewState.WAITING, approval=waiting)
        if order.status in unsubmitted
        else with_review(order, approval=order.review.approval and replace(order.review.approval, level=1, levels=1))
        for number, order in orders.items()
    }
