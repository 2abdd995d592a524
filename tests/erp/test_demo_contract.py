"""The demo ERP passes the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.erp.kinds import CREATED, DECIDED, PURCHASE_ORDERS
from bot.erp.model import Feed
from bot.erp.port import Capability
from bot.kit.company.manifest import vendor
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.gaps import Gaps, Rewrite
from tests.erp.fakes.demo import PEOPLE, DemoInstallation, as_demo


@pytest.mark.sampled(2)
class TestDemoContract(ErpContract):
    name, vendor, embedded = "demo", vendor, True
    feeds = frozenset(Feed)
    offers = frozenset(Capability)
    creates = frozenset(CREATED)
    seller = "sales01"
    approver, colleague, second_approver, requester, outsider = PEOPLE.values()
    gaps = Gaps(
        cases={
            "list.created_by[customers]": "nobody of the demo company entered a customer",
            "list.created_by[vendors]": "nobody of the demo company entered a vendor",
            # The scenarios of approvals decide these.
            **dict.fromkeys(
                (f"refuse.decide[{kind.list_call}]" for kind in DECIDED if kind != PURCHASE_ORDERS),
                "each kind is decided by people of its own",
            ),
        },
        fields={
            "Product.is_active": "the demo company keeps all its products",
            "Customer.receivable": "it is the sum of the open invoices",
            "Supplier.payable": "it is the sum of the open bills",
        },
        rewrites=(Rewrite("it has people of its own, and amounts below ten million millions", as_demo),),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> DemoInstallation:
        return DemoInstallation(company, clock, folder)

    def options(self, installation: DemoInstallation, timeout: float) -> dict[str, Any]:
        return {"database": str(installation.file)}
