"""The mapping of 用友 U8+ passes the contract on tables of U8's shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus
from bot.testing.gaps import Gaps, Rewrite
from tests.erp.fakes.yonyou_u8 import YonyouU8
from tests.erp.sql.mapping_contract import (
    NO_TIME_OF_PRODUCTS,
    NO_TIME_OF_STOCK,
    READS,
    ReadyMappingContract,
    given_up_is_closed,
    unfollowed,
)


def _as_checked(record: Any) -> Any:
    """Return an order with what its head says of the decision: who checked it, and when."""
    if not isinstance(record, PurchaseOrder):
        return record
    if record.status in {PurchaseStatus.APPROVED, PurchaseStatus.DONE} and record.approval:
        told = Approval(decided_by=record.approval.decided_by, decided_at=record.approval.decided_at)
        return replace(record, approval=told)
    return replace(record, approval=Approval() if record.status is PurchaseStatus.WAITING else None)


class TestYonyouU8Contract(ReadyMappingContract):
    """On PostgreSQL."""

    name, installed, offers = "yonyou-u8", YonyouU8, READS
    gaps = Gaps(
        cases=unfollowed("products", NO_TIME_OF_PRODUCTS) | unfollowed("stock", NO_TIME_OF_STOCK),
        fields={
            "Quantities.outgoing": "what is promised is one figure, which reserved tells",
            "Quantities.forecast": "U8 works it out in its reports",
            "ProductionOrder.scrapped": "the line of a production order has no scrap",
            "ProductionOrder.material_ready": "the line of a production order says nothing of its material",
        },
        rewrites=(
            Rewrite("an order that is given up is closed", given_up_is_closed),
            Rewrite("only the workflow's own tables know levels, whose turn it is, and reasons", _as_checked),
        ),
        resolution=timedelta(milliseconds=1),
    )
