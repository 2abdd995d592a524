"""The ERPNext adapter passes the contract, with and without Workflows."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bot.erp.erpnext.manifest import vendor
from bot.erp.kinds import BILLS, QUOTATIONS, SALES_ORDERS
from bot.erp.model import Feed, InvoiceStatus, Verdict
from bot.erp.port import Capability
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.erpnext import KEY, PEOPLE, FakeErpNext
from tests.erp.fakes.erpnext_gaps import GAPS, SUBMIT_GAPS


def _credited(site: FakeErpNext) -> str:
    invoices = site.company.invoices.values()
    paid = next(each for each in invoices if each.status is InvoiceStatus.PAID and not each.is_credit_note)
    note = next(each for each in invoices if each.is_credit_note)
    assert paid.total is not None
    changes: dict[str, dict[str, Any]] = {
        paid.number: {"status": "Credit Note Issued"},
        note.number: {"return_against": paid.number, "grand_total": -float(paid.total.amount)},
    }
    site.alter(
        "Sales Invoice",
        lambda rows: [{"return_against": None, **row, **changes.get(row["name"], {})} for row in rows],
    )
    return paid.number


@pytest.mark.sampled(3)
class TestErpNextContract(ErpContract):
    feeds = frozenset(Feed)
    offers = frozenset(Capability)
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS, QUOTATIONS), frozenset(Verdict)))
    traps = MappingProxyType({"trap.credited": _credited})
    name, vendor = "erpnext", vendor
    gaps = GAPS

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeErpNext:
        return FakeErpNext(company, clock)

    def options(self, installation: FakeErpNext, timeout: float) -> dict[str, Any]:
        return {
            "url": installation.url,
            "key": KEY,
            "secret": SECRET,
            "approvers": {name: {"key": f"{name}-key", "secret": SECRET} for name in PEOPLE},
            "decides": dict.fromkeys(("order", "bill", "quote"), "workflow"),
            "timeout": timeout,
            "write_timeout": timeout,
        }


@pytest.mark.sampled(7)
class TestErpNextSubmitContract(TestErpNextContract):
    name, gaps = "erpnext-submit", SUBMIT_GAPS
    offers = frozenset(Capability) - {Capability.REJECT}
    decides = MappingProxyType(dict.fromkeys((SALES_ORDERS, BILLS, QUOTATIONS), frozenset({Verdict.APPROVE})))

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeErpNext:
        return FakeErpNext(company, clock, workflow=False)

    def options(self, installation: FakeErpNext, timeout: float) -> dict[str, Any]:
        decides = dict.fromkeys(("order", "bill", "quote"), "submit")
        return {**super().options(installation, timeout), "workflow": False, "decides": decides}
