"""People are called by their names on alerts about purchase orders, where the ERP knows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import MappingProxyType

from bot.alerts import labels
from bot.alerts.intake.areas.purchasing import judge
from bot.erp.model import Approval, PurchaseOrder
from tests.alerts.scenario import ZERO, event
from tests.bare_records import bare

ORDER = bare(
    PurchaseOrder,
    "PO-1",
    requester="buyer01",
    buyer="陈立",
    approval=Approval(pending_for=("boss01", "finance01", "nobody")),
    people=MappingProxyType({"buyer01": "陈立", "boss01": "林明川", "finance01": "周慧"}),
)


def told(data: dict[str, object]) -> dict[str, object]:
    happened = replace(event("po.submitted", "PO-1", at=0), received_at=ZERO, data=MappingProxyType(data))
    return {str(fact.label): fact.value for fact in labels.facts(happened, date(2026, 11, 24))}


def test_names_stand_beside_the_accounts_in_the_event() -> None:
    data = dict(judge(ORDER, date(2026, 11, 24)).data)
    assert (data["requester"], data["requester_name"]) == ("buyer01", "陈立")
    assert told(data)["Requested by"] == "陈立"
    assert told(data)["Awaits"] == ("林明川", "周慧", "nobody")


def test_without_names_there_are_accounts() -> None:
    assert told({"requester": "buyer01", "pending_for": ["boss01"]}) == {
        "Requested by": "buyer01",
        "Awaits": ("boss01",),
    }
