"""The example passes the contract against a fake server of its ERP."""

from pathlib import Path
from typing import Any

from dingerp_erp_example.adapter import ExampleErp
from dingerp_erp_example.manifest import vendor
from fake_example import USER, FakeExample

from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.erp_contract import ErpContract
from bot.kit.testing.fake_erp import SECRET
from bot.kit.testing.gaps import Gaps

NOT_MAPPED = """
    Product.is_active Product.spec Product.category StockLevel.reorder_point
    Quantities.available Quantities.reserved Quantities.incoming Quantities.outgoing Quantities.forecast
    Review.requester PurchaseOrder.buyer Review.changed_by PurchaseOrder.changed_at
    Approval.decided_at Approval.reason PurchaseLine.received PurchaseLine.price PurchaseLine.amount
"""


class TestExampleContract(ErpContract):
    name, vendor, offers = "example", vendor, ExampleErp.capabilities
    gaps = Gaps(
        cases={"list.created_by": "the example is kept short"},
        fields=dict.fromkeys(NOT_MAPPED.split(), "the example is kept short"),
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakeExample:
        return FakeExample(company, clock)

    def options(self, installation: FakeExample, timeout: float) -> dict[str, Any]:
        account = {"user": USER, "password": SECRET}
        return {"url": installation.url, "timeout": timeout, "write_timeout": timeout, **account}
