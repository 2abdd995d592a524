"""The reference company in the tables of 管家婆 (docs: platform/erp/sql.md#grasp)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

from bot.erp.model import (
    Customer,
    OrderStatus,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    StockLevel,
    Supplier,
)
from tests.erp.fakes.vendor_tables import Rows, VendorTables, midnight, table

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
        return debt | {
            "typeId": partner.id,
            "UserCode": partner.code,
            "FullName": partner.name,
            "Person": partner.contact,
            "TelAndAddress": partner.address,
            "sonnum": 0,
            "deleted": int(not partner.is_active),
        }

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        item = {
            "typeId": f"P{product.sku}",
            "parid": self.classes()[product.category],
            "UserCode": product.sku,
            "FullName": product.name,
            "Standard": product.spec,
            "Unit1": product.unit,
            "sonnum": 0,
            "deleted": int(not product.is_active),
        }
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
        number = int(order.id)
        head = {
            "VchCode": number,
            "VchType": 8,
            "Number": order.number,
            "Date": midnight(order.ordered_on),
            "BtypeId": next(each.id for each in self.company.customers.values() if each.name == order.customer),
            "EtypeId": order.salesperson,
            "Draft": _DRAFT if order.status is OrderStatus.DRAFT else _POSTED,
            "OrderOver": int(over),
        }
        lines: Rows = [
            (
                ORDER_ROWS,
                {
                    "DlyOrder": 100 * number + n,
                    "VchCode": number,
                    "PtypeId": f"P{line.sku}",
                    "Qty": line.quantity,
                    "ToQty": line.delivered or None,
                    "TaxPrice": line.price,
                    "Tax_total": line.amount,
                    "Jhdate": midnight(line.due_on),
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(ORDERS, head), *lines]

    def purchase(self, order: PurchaseOrder) -> Rows:
        number, status = int(order.id), order.status
        over = status in {PurchaseStatus.DONE, PurchaseStatus.CANCELLED}
        head = {
            "VchCode": number,
            "VchType": 7,
            "Number": order.number,
            "Date": midnight(order.ordered_on),
            "BtypeId": next(each.id for each in self.company.vendors.values() if each.name == order.vendor),
            "EtypeId": order.buyer,
            "Draft": _POSTED if over or status is PurchaseStatus.APPROVED else _DRAFT,
            "OrderOver": int(over),
        }
        lines: Rows = [
            (
                ORDER_ROWS,
                {
                    "DlyOrder": 100 * number + n,
                    "VchCode": number,
                    "PtypeId": f"P{line.sku}",
                    "Qty": line.quantity,
                    "ToQty": line.received or None,
                    "TaxPrice": line.price,
                    "Tax_total": line.amount,
                    "Jhdate": midnight(order.due_on),
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(ORDERS, head), *lines]
