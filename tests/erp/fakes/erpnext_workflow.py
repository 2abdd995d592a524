"""The Workflow of the fake ERPNext's documents, and their timeline."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from bot.erp.model import Review, ReviewState
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


@lru_cache
def workflow(doctype: str, changed_at: datetime) -> Document:
    """Return the Workflow of a DocType."""
    document = head("Workflow", f"审批 {doctype}", changed_at)
    document |= {
        "workflow_name": document["name"],
        "document_type": doctype,
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


def versions(document: Any, doctype: str, workflow: bool) -> list[Document]:
    """Return the timeline of a document: an edit, and every change of its state."""
    approval = document.review.progress
    submitted = document.changed_at or approval.decided_at
    assert submitted is not None
    found = [
        _version(
            document,
            doctype,
            document.review.requester,
            submitted - timedelta(hours=2),
            [["grand_total", "1.00", "2.00"]],
        )
    ]
    decided = approval.decided_at
    if not workflow:
        if document.review.state in {ReviewState.APPROVED, ReviewState.DONE} and decided:
            found.append(_version(document, doctype, approval.decided_by, decided, [["docstatus", 0, 1]]))
        return found
    if document.review.state in {ReviewState.DRAFT, ReviewState.CANCELLED}:
        return found
    passed = ["Draft", *_waiting_states(document.review)]
    if document.review.state is not ReviewState.WAITING:
        passed.append(workflow_state(document.review))
    for n, (before, after) in enumerate(pairwise(passed), 1):
        last = n == len(passed) - 1
        by = document.review.requester if n == 1 else approval.decided_by if last else "anna"
        at = decided if n > 1 and decided else submitted - timedelta(hours=1)
        at = at if last else at - timedelta(seconds=len(passed) - n)
        changed: list[list[Any]] = [["workflow_state", before, after]]
        if after == "Approved":
            changed.append(["docstatus", 0, 1])
        found.append(_version(document, doctype, by, at, changed))
    return found


def _version(document: Any, doctype: str, by: str, at: datetime, changed: list[list[Any]]) -> Document:
    data = {"added": [], "changed": changed, "data_import": None, "removed": [], "row_changed": []}
    return head("Version", f"{document.number}-{stamp(at)}", at, by) | {
        "creation": stamp(at),
        "ref_doctype": doctype,
        "docname": document.number,
        "data": json.dumps(data, indent=1),
    }


def comment(doctype: str, number: str, by: str, at: datetime, content: str) -> Document:
    """Return a comment on a document; ``content`` is HTML."""
    return head("Comment", f"{number}-{by}-{stamp(at)}", at, by) | {
        "creation": stamp(at),
        "comment_type": "Comment",
        "comment_email": by,
        "comment_by": by,
        "reference_doctype": doctype,
        "reference_name": number,
        "content": content,
    }


def open_action(document: Any, doctype: str) -> Document:
    """Return the open action of a person for a waiting document."""
    assert document.changed_at is not None
    return head("Workflow Action", f"wa-{document.number}", document.changed_at) | {
        "status": "Open",
        "reference_doctype": doctype,
        "reference_name": document.number,
        "workflow_state": workflow_state(document.review),
        "user": None,
        "completed_by": None,
    }


def workflow_state(review: Review) -> str:
    """Return a document's state in the Workflow."""
    match review.state:
        case ReviewState.WAITING:
            return _waiting_states(review)[-1]
        case ReviewState.DRAFT | ReviewState.REJECTED | ReviewState.CANCELLED:
            return review.state.capitalize()
        case _:
            return "Approved"


def _waiting_states(review: Review) -> tuple[str, ...]:
    """Return the states in which a document waited, in order, up to its present level."""
    approval = review.progress
    return (ONE,) if approval.levels == 1 else (FIRST, SECOND)[: approval.level]
