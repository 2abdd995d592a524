"""Rows in Frappe's format, a Workflow and a site, for tests of the mapping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, workflow

SITE = Site(ZoneInfo("Asia/Shanghai"), source="main", url="https://erp.example.com/")

TRANSITIONS = [
    ("Draft", "Submit", "Pending"),
    ("Pending", "Approve", "Pending Director"),
    ("Pending", "Approve", "Approved"),
    ("Pending", "Reject", "Rejected"),
    ("Pending Director", "Approve", "Approved"),
    ("Pending Director", "Reject", "Draft"),
]


def workflow_document(transitions: list[tuple[str, str, str]] = TRANSITIONS, own: int = 0) -> dict[str, Any]:
    return {
        "name": "PO",
        "workflow_state_field": "workflow_state",
        "states": [{"state": "Draft", "doc_status": "0"}],
        "transitions": [
            {"state": s, "action": a, "next_state": n, "allowed": "Purchase Manager", "allow_self_approval": own}
            for s, a, n in transitions
        ],
    }


def the_workflow(own: int = 0) -> ApprovalWorkflow:
    return workflow(workflow_document(own=own), SITE, "Approve", "Reject")


def order_row(**values: Any) -> dict[str, Any]:
    row = {"name": "SO-1", "docstatus": 1, "status": "To Deliver and Bill", "per_delivered": 0.0, "currency": "CNY"}
    return {**row, "grand_total": 100, "customer_name": "Acme", "modified": "2026-11-24 21:56:22.936633", **values}


def invoice_row(**values: Any) -> dict[str, Any]:
    row = {"name": "INV-1", "docstatus": 1, "status": "Unpaid", "grand_total": 100, "outstanding_amount": 100}
    return {**row, "currency": "CNY", "party_account_currency": "CNY", "is_return": 0, **values}


def purchase_row(**values: Any) -> dict[str, Any]:
    row = {"name": "PO-1", "docstatus": 0, "status": "Draft", "workflow_state": "Pending", "currency": "CNY"}
    return {**row, "grand_total": Decimal("100.0"), "modified": "2026-11-24 21:56:22.936633", "owner": "dora", **values}
