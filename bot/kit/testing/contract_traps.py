"""Contract cases of what ERPs tell so that it is easily taken for something else; each adapter plants its own."""

from __future__ import annotations

from typing import Any

from bot.erp.counting import counts
from bot.erp.goods.port import ArrivalQuery, GoodsReader, WarehouseQuery
from bot.erp.kinds import INVOICES, PURCHASE_ORDERS
from bot.erp.model import InvoiceStatus, Progress
from bot.erp.port import Capability, Erp, Filter, ListQuery
from bot.kit.testing.company import TODAY
from bot.kit.testing.contract_base import ContractBase, case
from bot.kit.testing.erp_checks import numbers, read_list

_ALL = 10_000


class TrapsContract(ContractBase):
    """What `ContractBase.traps` plants; a case without one is a gap that the table names."""

    @case(
        "trap.kit",
        "A kit lies nowhere: told is how many its parts make, and no warehouse holds one",
        needs=(Capability.STOCK,),
        planted=True,
    )
    async def test_kit_is_no_stock(self, erp: Erp, installation: Any) -> None:
        sku = self.traps["trap.kit"](installation)
        level = await erp.stock(sku)
        assert (level.is_kit, level.total.on_hand, level.per_warehouse) == (True, None, ())
        if Capability.WAREHOUSE_STOCK in self.offers:
            assert isinstance(erp, GoodsReader)
            assert (await erp.warehouse_stock(WarehouseQuery(warehouse="MAIN", text=sku))).items == ()

    @case(
        "trap.draft",
        "An invoice that has no number yet is found by what its list calls it, and does not count",
        needs=(Capability.INVOICES,),
        planted=True,
    )
    async def test_draft_without_number(self, erp: Erp, installation: Any) -> None:
        name = self.traps["trap.draft"](installation)
        assert name in numbers(await read_list(erp, INVOICES, ListQuery(limit=_ALL)))
        draft = await erp.document(INVOICES, name)
        assert (draft.number, draft.status, counts(draft)) == (name, InvoiceStatus.DRAFT, False)

    @case(
        "trap.credited",
        "An invoice that credit notes settled alone counts as they do, and no money moved",
        needs=(Capability.INVOICES,),
        planted=True,
    )
    async def test_credited_invoice(self, erp: Erp, installation: Any) -> None:
        number = self.traps["trap.credited"](installation)
        every = (await read_list(erp, INVOICES, ListQuery(limit=_ALL))).items
        (listed,) = [each for each in every if each.number == number]
        for invoice in (listed, await erp.document(INVOICES, number)):
            assert (invoice.is_reversed, counts(invoice), invoice.is_open) == (True, True, False)

    @case(
        "trap.service",
        "An order of services alone is not on its way, not awaited and never late",
        needs=(Capability.PURCHASE_ORDERS,),
        planted=True,
    )
    async def test_ordered_service(self, erp: Erp, installation: Any) -> None:
        number = self.traps["trap.service"](installation)
        order = await erp.document(PURCHASE_ORDERS, number)
        assert (order.received, order.is_open, order.days_late(TODAY)) == (None, False, 0)
        for which in (Filter.OPEN, Filter.LATE):
            assert number not in numbers(await read_list(erp, PURCHASE_ORDERS, ListQuery(filter=which, limit=_ALL)))
        if Capability.ARRIVALS in self.offers:
            assert isinstance(erp, GoodsReader)
            assert number not in {each.document for each in (await erp.arrivals(ArrivalQuery(limit=_ALL))).items}

    @case(
        "trap.dropped",
        "An order whose rest was dropped did not come in full, and nothing more is awaited",
        needs=(Capability.PURCHASE_ORDERS,),
        planted=True,
    )
    async def test_dropped_rest(self, erp: Erp, installation: Any) -> None:
        number = self.traps["trap.dropped"](installation)
        (listed,) = [
            each
            for each in (await read_list(erp, PURCHASE_ORDERS, ListQuery(limit=_ALL))).items
            if each.number == number
        ]
        for order in (listed, await erp.document(PURCHASE_ORDERS, number)):
            assert (order.received, order.is_open) == (Progress.PARTIAL, False)
