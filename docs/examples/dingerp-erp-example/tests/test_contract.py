"""The example passes the contract."""

from pathlib import Path
from typing import Any

from bot.testing.company import Clock, ReferenceCompany
from bot.testing.erp_contract import ErpContract
from bot.testing.fake_erp import SECRET
from bot.testing.fakes.plain import USER, FakePlain
from bot.testing.gaps import Gaps
from dingerp_erp_example.adapter import ExampleErp
from dingerp_erp_example.manifest import vendor


class TestExampleContract(ErpContract):
    name, vendor, offers = "example", vendor, ExampleErp.capabilities
    gaps = Gaps(
        fields={
            "Product.spec": "kept short: not mapped",
            "Product.category": "kept short: not mapped",
            "Quantities.reserved": "kept short: not mapped",
            "Quantities.incoming": "kept short: not mapped",
            "Quantities.outgoing": "kept short: not mapped",
            "Quantities.forecast": "kept short: not mapped",
            "StockLevel.reorder_point": "kept short: not mapped",
            "PurchaseOrder.buyer": "kept short: not mapped",
            "PurchaseLine.price": "kept short: not mapped",
            "PurchaseLine.received": "kept short: not mapped",
        }
    )

    def install(self, company: ReferenceCompany, clock: Clock, folder: Path) -> FakePlain:
        return FakePlain(company, clock)

    def options(self, installation: FakePlain, timeout: float) -> dict[str, Any]:
        account = {"user": USER, "password": SECRET}
        return {"url": installation.url, "timeout": timeout, "write_timeout": timeout, **account}
