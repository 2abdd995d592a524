"""The reference company in the tables of 金蝶 K/3 WISE (docs: platform/erp/sql.md#kingdee-k3-wise)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData

from bot.erp.model import (
    Area,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    StockLevel,
)
from tests.erp.fakes.vendor_tables import Rows, VendorTables, batches, midnight, numbered, share_of, table

META = MetaData()

PRODUCTS = table(
    META, "t_ICItem", "FItemID",
    whole="FItemID FUnitID FParentID FDeleted", text="FNumber FName FModel", number="FSecInv",
)  # fmt: skip
CLASSES = table(META, "t_Item", "FItemID", whole="FItemID", text="FName")
UNITS = table(META, "t_MeasureUnit", "FItemID", whole="FItemID", text="FName")
WAREHOUSES = table(META, "t_Stock", "FItemID", whole="FItemID", text="FNumber FName")
STOCK = table(
    META, "ICInventory", "FItemID FStockID FBatchNo",
    whole="FItemID FStockID", text="FBatchNo", number="FQty FQtyLock",
)  # fmt: skip
CUSTOMERS = table(META, "t_Organization", "FItemID", whole="FItemID", text="FName")
SUPPLIERS = table(META, "t_Supplier", "FItemID", whole="FItemID", text="FName")
EMPLOYEES = table(META, "t_Emp", "FItemID", whole="FItemID", text="FName")
USERS = table(META, "t_User", "FUserID", whole="FUserID", text="FName")
CURRENCIES = table(META, "t_Currency", "FCurrencyID", whole="FCurrencyID", text="FNumber FName")
ORDERS = table(
    META, "SEOrder", "FInterID",
    whole="FInterID FCustID FEmpID FCurrencyID FStatus FClosed FCancellation", text="FBillNo", moment="FDate",
)  # fmt: skip
ORDER_ROWS = table(
    META, "SEOrderEntry", "FInterID FEntryID",
    whole="FInterID FEntryID FItemID FUnitID", moment="FDate",
    number="FAuxQty FAuxStockQty FAuxInvoiceQty FAuxTaxPrice FAllAmount",
)  # fmt: skip
BILLS = table(
    META, "ICSale", "FInterID",
    whole="FInterID FTranType FCustID FCurrencyID FStatus FCancellation FROB", text="FBillNo",
    moment="FDate FSettleDate", number="FCheckAmountFor",
)  # fmt: skip
BILL_ROWS = table(META, "ICSaleEntry", "FInterID", whole="FInterID", text="FOrderBillNo", number="FAllAmount")
PURCHASES = table(
    META, "POOrder", "FInterID",
    whole="FInterID FSupplyID FEmpID FBillerID FCurrencyID FStatus FClosed FCancellation FCheckerID FCurCheckLevel "
    "FMultiCheckLevel1 FMultiCheckLevel2 FMultiCheckLevel3 FMultiCheckLevel4 FMultiCheckLevel5 FMultiCheckLevel6",
    text="FBillNo", moment="FDate FCheckDate",
)  # fmt: skip
PURCHASE_ROWS = table(
    META, "POOrderEntry", "FInterID FEntryID",
    whole="FInterID FEntryID FItemID FUnitID", moment="FDate", number="FAuxQty FAuxStockQty FAuxTaxPrice FAllAmount",
)  # fmt: skip
PRODUCTIONS = table(
    META, "ICMO", "FInterID",
    whole="FInterID FItemID FUnitID FOrderInterID FStatus FSuspend FCancellation", text="FBillNo",
    number="FAuxQty FAuxStockQty FAuxQtyScrap FAuxQtyForItem", moment="FPlanCommitDate FPlanFinishDate",
)  # fmt: skip

_CURRENCIES = {"CNY": 1, "USD": 2, "EUR": 3, "JPY": 4}
_PAID = {InvoiceStatus.PART_PAID: Decimal("0.5"), InvoiceStatus.PAID: Decimal(1)}
_STATUS = {ProductionStatus.PLANNED: 0, ProductionStatus.DONE: 3}


class KingdeeK3(VendorTables):
    """K/3's database of one set of books."""

    meta = META

    def fixed_rows(self) -> Rows:
        company = self.company
        return [
            *((WAREHOUSES, {"FItemID": self._warehouse(code), "FNumber": code, "FName": name})
              for code, name in company.warehouses.items()),
            *((CUSTOMERS, {"FItemID": int(code), "FName": name}) for name, code in self._customers().items()),
            *((SUPPLIERS, {"FItemID": int(code), "FName": name}) for name, code in self._suppliers().items()),
            *((EMPLOYEES, {"FItemID": n, "FName": user.name}) for n, user in enumerate(company.users, 1)),
            *((USERS, {"FUserID": n, "FName": user.id}) for n, user in enumerate(company.users, 1)),
            *((UNITS, {"FItemID": int(code), "FName": name}) for name, code in self._units().items()),
            *((CLASSES, {"FItemID": int(code), "FName": name}) for name, code in self._classes().items()),
            *((CURRENCIES, {"FCurrencyID": n, "FNumber": "RMB" if code == "CNY" else code, "FName": code})
              for code, n in _CURRENCIES.items()),
        ]  # fmt: skip

    def rows(self, area: Area, key: str) -> Rows:
        match self.company.records(area)[key]:
            case StockLevel() as level:
                return self._product(level)
            case SalesOrder() as order:
                return self._order(order)
            case Invoice() as invoice:
                return self._bill(invoice)
            case PurchaseOrder() as order:
                return self._purchase(order)
            case ProductionOrder() as order:
                return self._production(order)
            case other:
                raise TypeError(type(other).__name__)

    def _customers(self) -> dict[str, str]:
        return numbered(self.customers())

    def _suppliers(self) -> dict[str, str]:
        return numbered(self.vendors())

    def _units(self) -> dict[str, str]:
        return numbered(product.unit for product in self.company.products.values())

    def _classes(self) -> dict[str, str]:
        return numbered(product.category for product in self.company.products.values())

    def _item(self, sku: str) -> int:
        return int(numbered(self.company.products)[sku])

    def _warehouse(self, code: str) -> int:
        return int(numbered(self.company.warehouses)[code])

    def _user(self, account: str) -> int:
        return next(n for n, user in enumerate(self.company.users, 1) if user.id == account)

    def _employee(self, name: str) -> int:
        return next(n for n, user in enumerate(self.company.users, 1) if user.name == name)

    def _product(self, level: StockLevel) -> Rows:
        product = level.product
        item = {
            "FItemID": self._item(product.sku),
            "FUnitID": int(self._units()[product.unit]),
            "FParentID": int(self._classes()[product.category]),
            "FDeleted": int(not product.is_active),
            "FNumber": product.sku,
            "FName": product.name,
            "FModel": product.spec,
            "FSecInv": level.reorder_point or 0,
        }
        places: Rows = [
            (
                STOCK,
                {
                    "FItemID": self._item(product.sku),
                    "FStockID": self._warehouse(place.code),
                    "FBatchNo": batch,
                    "FQty": quantity,
                    "FQtyLock": None if batch else place.quantities.reserved,
                },
            )
            for place in level.per_warehouse
            for batch, quantity, _ in batches(level, place)
        ]
        return [(PRODUCTS, item), *places]

    def _order(self, order: SalesOrder) -> Rows:
        number = int(order.id)
        head = {
            "FInterID": number,
            "FBillNo": order.number,
            "FDate": midnight(order.ordered_on),
            "FCustID": int(self._customers()[order.customer]),
            "FEmpID": self._employee(order.salesperson),
            "FCurrencyID": _CURRENCIES[order.total.currency] if order.total else 1,
            "FStatus": 0 if order.status in {OrderStatus.DRAFT, OrderStatus.CANCELLED} else 1,
            "FClosed": int(order.status is OrderStatus.CLOSED),
            "FCancellation": int(order.status is OrderStatus.CANCELLED),
        }
        lines: Rows = [
            (
                ORDER_ROWS,
                {
                    "FInterID": number,
                    "FEntryID": n,
                    "FItemID": self._item(line.sku),
                    "FUnitID": int(self._units()[line.unit]),
                    "FDate": midnight(line.due_on),
                    "FAuxQty": line.quantity,
                    "FAuxStockQty": line.delivered,
                    "FAuxInvoiceQty": line.invoiced,
                    "FAuxTaxPrice": line.price,
                    "FAllAmount": line.amount,
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(ORDERS, head), *lines]

    def _bill(self, invoice: Invoice) -> Rows:
        number = int(invoice.id)
        head = {
            "FInterID": number,
            "FTranType": 80 if number % 2 else 86,
            "FBillNo": invoice.number,
            "FDate": midnight(invoice.issued_on),
            "FSettleDate": midnight(invoice.due_on),
            "FCustID": int(self._customers()[invoice.customer]),
            "FCurrencyID": _CURRENCIES[invoice.total.currency] if invoice.total else 1,
            "FStatus": int(invoice.status is not InvoiceStatus.DRAFT),
            "FCancellation": int(invoice.status is InvoiceStatus.VOID),
            "FROB": -1 if invoice.is_credit_note else 1,
            "FCheckAmountFor": share_of(invoice.total, _PAID.get(invoice.status, Decimal(0))) or None,
        }
        line = {"FInterID": number, "FOrderBillNo": invoice.order_number or None, "FAllAmount": invoice.total}
        return [(BILLS, head), (BILL_ROWS, line)]

    def _purchase(self, order: PurchaseOrder) -> Rows:
        number, approval = int(order.id), order.approval
        checked = order.status in {PurchaseStatus.APPROVED, PurchaseStatus.DONE}
        decided = self._user(approval.decided_by) if approval and approval.decided_by else None
        first = decided if order.status is PurchaseStatus.WAITING else None
        head = {
            "FInterID": number,
            "FBillNo": order.number,
            "FDate": midnight(order.ordered_on),
            "FSupplyID": int(self._suppliers()[order.vendor]),
            "FEmpID": self._employee(order.buyer),
            "FBillerID": self._user(order.requester),
            "FCurrencyID": _CURRENCIES[order.total.currency] if order.total else 1,
            "FStatus": int(checked),
            "FClosed": int(order.status is PurchaseStatus.DONE),
            "FCancellation": int(order.status is PurchaseStatus.CANCELLED),
            "FCheckerID": decided if checked else 0,
            "FCheckDate": approval.decided_at if checked and approval else None,
            "FCurCheckLevel": approval.level if checked and approval else int(first is not None),
            "FMultiCheckLevel1": first,
            **dict.fromkeys(f"FMultiCheckLevel{level}" for level in range(2, 7)),
        }
        lines: Rows = [
            (
                PURCHASE_ROWS,
                {
                    "FInterID": number,
                    "FEntryID": n,
                    "FItemID": self._item(line.sku),
                    "FUnitID": int(self._units()[line.unit]),
                    "FDate": midnight(order.due_on),
                    "FAuxQty": line.quantity,
                    "FAuxStockQty": line.received,
                    "FAuxTaxPrice": line.price,
                    "FAllAmount": line.amount,
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(PURCHASES, head), *lines]

    def _production(self, order: ProductionOrder) -> Rows:
        sold: Any = self.company.orders.get(order.sales_order)
        return [
            (
                PRODUCTIONS,
                {
                    "FInterID": int(order.id),
                    "FBillNo": order.number,
                    "FItemID": self._item(order.sku),
                    "FUnitID": int(self._units()[order.unit]),
                    "FOrderInterID": int(sold.id) if sold else 0,
                    "FStatus": _STATUS.get(order.status, 1),
                    "FSuspend": int(order.status is ProductionStatus.ON_HOLD),
                    "FCancellation": int(order.status is ProductionStatus.CANCELLED),
                    "FAuxQty": order.planned,
                    "FAuxStockQty": order.produced,
                    "FAuxQtyScrap": order.scrapped,
                    "FAuxQtyForItem": None,
                    "FPlanCommitDate": midnight(order.start_on),
                    "FPlanFinishDate": midnight(order.due_on),
                },
            )
        ]
