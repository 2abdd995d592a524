"""The reference company in the tables of 管家婆 (docs: platform/erp/sql.md#grasp)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import MetaData

from bot.erp.model import (
    Customer,
    OrderStatus,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from tests.erp.fakes.vendor_tables import Rows, VendorTables, table

META = MetaData()

PRODUCTS = table(
    META, "Ptype", "typeId", text="typeId parid UserCode FullName Standard Unit1", whole="sonnum deleted"
)  # fmt: skip
PARTNERS = table(
    META, "Btype", "typeId",
    text="typeId UserCode FullName Person TelAndAddress", whole="sonnum deleted", number="ARTotal APTotal",
)  # fmt: skip
EMPLOYEES = table(META, "Employee", "typeId", text="typeId FullName")
WAREHOUSES = table(META, "Stock", "typeId", text="typeId UserCode FullName")
STOCK = table(
    META, "GoodsStocks", "PtypeId KtypeId GoodsOrder", text="PtypeId KtypeId", whole="GoodsOrder", number="Qty"
)
ORDERS = table(
    META, "DlyNdxOrder", "VchCode",
    whole="VchCode VchType Draft OrderOver", text="Number BtypeId EtypeId", moment="Date",
)  # fmt: skip
ORDER_ROWS = table(
    META, "BakDlyOrder", "DlyOrder",
    whole="DlyOrder VchCode", text="PtypeId", number="Qty ToQty TaxPrice Tax_total", moment="Jhdate",
)  # fmt: skip

_POSTED, _DRAFT = 2, 1


class Grasp(VendorTables):
    """A database of 管家婆."""

    meta = META

    def fixed_rows(self) -> Rows:
        company = self.company
        return [
            *((WAREHOUSES, {"typeId": f"K{code}", "UserCode": code, "FullName": name})
              for code, name in company.warehouses.items()),
            *((PARTNERS, self._partner(partner)) for partner in company.customers.values()),
            *((PARTNERS, self._partner(partner)) for partner in company.vendors.values()),
            (PARTNERS, {"typeId": "all", "UserCode": "all", "FullName": "All of the east", "sonnum": 9, "deleted": 0}),
            *((EMPLOYEES, {"typeId": user.name, "FullName": user.name}) for user in company.users),
            *((PRODUCTS, {"typeId": code, "FullName": name, "sonnum": 9}) for name, code in self.classes().items()),
        ]  # fmt: skip

    def _partner(self, partner: Customer | Supplier) -> dict[str, Any]:
        debt = {"ARTotal": partner.receivable} if isinstance(partner, Customer) else {"APTotal": partner.payable}
        return (
            debt
            | self.told(partner, "id=typeId code=UserCode name=FullName contact=Person address=TelAndAddress")
            | {
                "sonnum": 0,
                "deleted": int(not partner.is_active),
            }
        )

    def links(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"PtypeId": "P{}".format, "ToQty": lambda quantity: quantity or None}

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        item = {
            "typeId": f"P{product.sku}",
            "parid": self.classes()[product.category],
            "sonnum": 0,
            "deleted": int(not product.is_active),
        } | self.told(product, "sku=UserCode name=FullName spec=Standard unit=Unit1")
        places: Rows = [
            (
                STOCK,
                {
                    "PtypeId": f"P{product.sku}",
                    "KtypeId": f"K{place.code}",
                    "GoodsOrder": n,
                    "Qty": (place.quantities.on_hand or 0) / 2,
                },
            )
            for place in level.per_warehouse
            for n in (1, 2)
        ]
        return [(PRODUCTS, item), *places]

    def order(self, order: SalesOrder) -> Rows:
        over = order.status in {OrderStatus.CLOSED, OrderStatus.CANCELLED}
        head = self.told(order, "ordered_on=Date salesperson=EtypeId") | {
            "BtypeId": self.customer(order.customer).id,
            "VchType": 8,
            "Draft": _DRAFT if order.status is OrderStatus.DRAFT else _POSTED,
            "OrderOver": int(over),
        }
        return self._ordered(order, head, "delivered=ToQty due_on=Jhdate")

    def purchase(self, order: PurchaseOrder) -> Rows:
        over = order.status in {ReviewState.DONE, ReviewState.CANCELLED}
        head = self.told(order, "ordered_on=Date buyer=EtypeId") | {
            "BtypeId": self.vendor(order.vendor).id,
            "VchType": 7,
            "Draft": _POSTED if over or order.status is ReviewState.APPROVED else _DRAFT,
            "OrderOver": int(over),
        }
        [first, *rows] = self._ordered(order, head, "received=ToQty")
        return [first, *((table, row | {"Jhdate": order.due_on}) for table, row in rows)]

    def _ordered(self, order: SalesOrder | PurchaseOrder, head: dict[str, Any], shape: str) -> Rows:
        number = int(order.id)
        lines = self.lines(
            ORDER_ROWS,
            order,
            lambda n: {"DlyOrder": 100 * number + n, "VchCode": number},
            f"sku=PtypeId quantity=Qty price=TaxPrice amount=Tax_total {shape}",
        )
        return [(ORDERS, head | {"VchCode": number, "Number": order.number}), *lines]
