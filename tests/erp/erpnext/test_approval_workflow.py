"""Levels, states and history of a Workflow (docs: platform/erp/erpnext.md#deciding)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.erp.erpnext import documents
from bot.erp.erpnext.mapping import DocumentComment, StateChange, with_approval, workflow
from bot.erp.errors import Invalid
from bot.erp.model import ReviewState
from tests.erp.erpnext.rows import SITE, purchase_row, the_workflow, workflow_document
from tests.rows import each_row


def test_levels_are_the_approvals_on_the_longest_way() -> None:
    flow = the_workflow()
    assert [(flow.level(state), flow.levels(state)) for state in ("Pending", "Pending Director")] == [(1, 2), (2, 2)]


@each_row(
    ("condition", "total", "levels"),
    [
        ("", 100, 2),
        ("doc.grand_total > 50000", 50_000, 1),
        ("doc.grand_total > 50000", 50_001, 2),
        (" doc.grand_total>=50000.5 ", Decimal("50000.5"), 2),
        ("doc.grand_total <= 50000", 50_001, 1),
        # What cannot be read is not promised.
        ("doc.grand_total > 50000 and doc.supplier_group == 'X'", 60_000, 1),
        ("frappe.db.get_value('X', 'Y') > 1", 60_000, 1),
    ],
)
def test_a_step_counts_if_the_order_surely_takes_it(condition: str, total: Any, levels: int) -> None:
    document = workflow_document()
    director = next(move for move in document["transitions"] if move["next_state"] == "Pending Director")
    director["condition"] = condition
    flow = workflow(document, SITE, "Approve", "Reject")
    order = with_approval(documents.purchase_order(purchase_row(grand_total=total), SITE, flow), flow)
    assert order.review.approval is not None
    assert (order.review.approval.level, order.review.approval.levels) == (1, levels)


def test_a_workflow_that_goes_round_has_levels_too() -> None:
    circle = [("A", "Approve", "B"), ("B", "Approve", "A"), ("B", "Approve", "B")]
    flow = workflow(workflow_document(circle), SITE, "Approve", "Reject")
    assert flow.level("A") == flow.level("B") == 2


def test_an_order_that_is_sent_back_is_not_rejected_for_good() -> None:
    flow = the_workflow()
    assert flow.rejected == {"Rejected"}
    assert documents.purchase_order(purchase_row(workflow_state="Draft"), SITE, flow).status is ReviewState.DRAFT


def test_a_workflow_without_the_configured_action_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"no action '批准'.*Approve, Reject, Submit"):
        workflow(workflow_document(), SITE, "批准", "驳回")


def test_approving_ones_own_order_is_a_matter_of_the_workflow() -> None:
    assert not the_workflow(own=0).may_approve_own("Pending")
    assert the_workflow(own=1).may_approve_own("Pending")


AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_of_a_trail_the_last_decision_since_the_last_submission_counts() -> None:
    flow = the_workflow()
    steps = [
        StateChange("anna", AT + timedelta(hours=3), "Pending", "Approved"),
        StateChange("dora", AT, "Draft", "Pending"),
        StateChange("carla", AT + timedelta(hours=1), "Pending", "Rejected"),
        StateChange("dora", AT + timedelta(hours=2), "Rejected", "Pending"),
    ]
    order = documents.purchase_order(purchase_row(workflow_state="Approved", docstatus=1), SITE, flow)
    approval = with_approval(order, flow, steps=steps).review.approval
    assert approval is not None
    assert (approval.decided_by, approval.level, approval.levels) == ("anna", 1, 2)
    again = documents.purchase_order(purchase_row(), SITE, flow)
    approval = with_approval(again, flow, steps=steps[1:]).review.approval
    assert approval is not None
    assert (approval.decided_by, approval.level) == ("", 1)


def test_a_reason_is_what_the_decider_wrote_at_once_and_not_what_others_or_later_remarks_say() -> None:
    flow = the_workflow()
    steps = [StateChange("carla", AT, "Pending", "Rejected")]
    remarks = [
        DocumentComment("carla", AT - timedelta(seconds=1), "I will look at it"),
        DocumentComment("dora", AT + timedelta(seconds=1), "please"),
        DocumentComment("carla", AT + timedelta(seconds=2), "too dear"),
        DocumentComment("carla", AT + timedelta(seconds=3), "really"),
    ]
    order = documents.purchase_order(purchase_row(workflow_state="Rejected"), SITE, flow)

    def reason(remarks: list[DocumentComment]) -> str:
        approval = with_approval(order, flow, steps=steps, remarks=remarks).review.approval
        assert approval is not None
        return approval.reason

    assert reason(remarks) == "too dear"
    assert reason([DocumentComment("carla", AT + timedelta(hours=1), "arrived")]) == ""
