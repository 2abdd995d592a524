"""The reference company in the tables of 金蝶 K/3 WISE (docs: platform/erp/sql.md#kingdee-k3-wise)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData, Table

from bot.erp.model import (
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.vendor_tables import Rows, VendorTables, batches, numbered, share_of, table

META = MetaData()

PRODUCTS = table(
    META, "t_ICItem", "FItemID",
    whole="FItemID FUnitID FParentID FDeleted", text="FNumber FName FModel", number="FSecInv",
)  # fmt: skip
CLASSES = table(META, "t_Item", "FItemID", whole="FItemID FDeleted", text="FName")
UNITS = table(META, "t_MeasureUnit", "FItemID", whole="FItemID", text="FName")
WAREHOUSES = table(META, "t_Stock", "FItemID", whole="FItemID", text="FNumber FName")
STOCK = table(
    META, "ICInventory", "FItemID FStockID FBatchNo",
    whole="FItemID FStockID", text="FBatchNo", number="FQty FQtyLock",
)  # fmt: skip
_PARTNER = "FNumber FName FContact FPhone FEmail FAddress"
CUSTOMERS = table(META, "t_Organization", "FItemID", whole="FItemID FEmployee", text=_PARTNER)
SUPPLIERS = table(META, "t_Supplier", "FItemID", whole="FItemID FEmployee", text=_PARTNER)
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
    number="FAuxQty FAuxStockQty FAuxQtyScrap FAuxQtyForItem", moment="FPlanCommitDate FPlanFinishDate FFinishDate",
)  # fmt: skip

VENDOR_BILLS = table(
    META, "ICPurchase", "FInterID",
    whole="FInterID FTranType FSupplyID FCurrencyID FStatus FCancellation FROB", text="FBillNo",
    moment="FDate FSettleDate", number="FCheckAmountFor",
)  # fmt: skip
VENDOR_BILL_ROWS = table(
    META, "ICPurchaseEntry", "FInterID", whole="FInterID", text="FOrderBillNo", number="FAllAmount"
)
ISSUES = table(
    META, "ICStockBill", "FInterID",
    whole="FInterID FTranType FSupplyID FEmpID FCheckerID FCancellation FROB", text="FBillNo", moment="FDate",
)  # fmt: skip
ISSUE_ROWS = table(
    META, "ICStockBillEntry", "FInterID FEntryID",
    whole="FInterID FEntryID FItemID FUnitID FOrderInterID FDCStockID", text="FBatchNo", number="FAuxQty",
)  # fmt: skip
PAYMENTS = table(
    META, "t_RP_NewReceiveBill", "FBillID",
    whole="FBillID FRP FPre FCustomer FCurrencyID FSettle FChecker FDelete", text="FNumber", moment="FDate",
    number="FAmountFor",
)  # fmt: skip
PAYMENT_ROWS = table(META, "t_rp_ARBillOfSH", "FBillID FEntryID", whole="FBillID FEntryID", text="FBillNo_SRC")
SETTLE_WAYS = table(META, "t_Settle", "FItemID", whole="FItemID", text="FName")
WHOLES = table(META, "ICBOM", "FInterID", whole="FInterID FItemID FStatus FUseStatus", number="FAuxQty")
PARTS = table(META, "ICBOMChild", "FInterID FEntryID", whole="FInterID FEntryID FItemID FUnitID", number="FAuxQty")

_CURRENCIES = {"CNY": 1, "USD": 2, "EUR": 3, "JPY": 4}
_PAID = {InvoiceStatus.PART_PAID: Decimal("0.5"), InvoiceStatus.PAID: Decimal(1)}
_ORDER = "id=FInterID number=FBillNo ordered_on=FDate total.currency=FCurrencyID"
_LINE = "sku=FItemID unit=FUnitID quantity=FAuxQty price=FAuxTaxPrice amount=FAllAmount"
_STATUS = {ProductionStatus.PLANNED: 0, ProductionStatus.DONE: 3}


class KingdeeK3(VendorTables):
    """K/3's database of one set of books."""

    meta = META

    def fixed_rows(self) -> Rows:
        company = self.company
        return [
            *((WAREHOUSES, {"FItemID": self._warehouse(code), "FNumber": code, "FName": name})
              for code, name in company.warehouses.items()),
            *((CUSTOMERS, self._partner(partner, "salesperson")) for partner in company.customers.values()),
            *((SUPPLIERS, self._partner(partner, "buyer")) for partner in company.vendors.values()),
            *((CLASSES, {"FItemID": int(each.id), "FName": each.name, "FDeleted": int(not each.is_active)})
              for each in (*company.customers.values(), *company.vendors.values())),
            *(row for bill in company.bills.values() for row in self._vendor_bill(bill)),
            *(row for payment in company.payments.values() for row in self._payment(payment)),
            *((SETTLE_WAYS, {"FItemID": int(code), "FName": name}) for name, code in self._settle_ways().items()),
            (PAYMENTS, {"FBillID": 1, "FNumber": "EMPLOYEE-1", "FRP": 0, "FPre": 0, "FCustomer": 77}),
            *(row for delivery in company.deliveries.values() for row in self._issue(delivery)),
            *(row for receipt in company.receipts.values() for row in self._receipt(receipt)),
            *self._no_receipts(),
            *self._materials(),
            *((EMPLOYEES, {"FItemID": n, "FName": user.name}) for n, user in enumerate(company.users, 1)),
            *((USERS, {"FUserID": n, "FName": user.id}) for n, user in enumerate(company.users, 1)),
            *((UNITS, {"FItemID": int(code), "FName": name}) for name, code in self.units().items()),
            *((CLASSES, {"FItemID": int(code), "FName": name}) for name, code in self.classes().items()),
            *((CURRENCIES, {"FCurrencyID": n, "FNumber": "RMB" if code == "CNY" else code, "FName": code})
              for code, n in _CURRENCIES.items()),
        ]  # fmt: skip

    def links(self) -> Mapping[str, Callable[[Any], Any]]:
        return {
            "FBillID": int,
            "FInterID": int,
            "FCustID": lambda name: int(self.customer(name).id),
            "FSupplyID": lambda name: int(self.vendor(name).id),
            "FEmpID": self.person,
            "FEmployee": self.person,
            "FItemID": self.item,
            "FUnitID": lambda name: int(self.units()[name]),
            "FCurrencyID": lambda code: _CURRENCIES.get(code, 1),
            "FSettle": lambda name: int(self._settle_ways()[name]),
            "FOrderBillNo": lambda number: number or None,
        }

    def _partner(self, partner: Customer | Supplier, person: str) -> dict[str, Any]:
        shape = (
            f"code=FNumber name=FName contact=FContact phone=FPhone email=FEmail address=FAddress {person}=FEmployee"
        )
        return self.told(partner, shape) | {"FItemID": int(partner.id)}

    def _settle_ways(self) -> dict[str, str]:
        return numbered(payment.method for payment in self.company.payments.values())

    def _payment(self, payment: Payment) -> Rows:
        number, of_customer = int(payment.id), payment.partner_kind is PartnerKind.CUSTOMER
        given_back = of_customer is (payment.direction is PaymentDirection.SPENT)
        partner = self.customer(payment.partner) if of_customer else self.vendor(payment.partner)
        shape = "number=FNumber paid_on=FDate amount=FAmountFor amount.currency=FCurrencyID method=FSettle"
        head = self.told(payment, shape) | {
            "FBillID": number,
            "FRP": int(of_customer),
            "FPre": -1 if given_back else number % 2,
            "FCustomer": int(partner.id),
            "FChecker": int(payment.status is not PaymentStatus.DRAFT),
            "FDelete": int(payment.status is PaymentStatus.CANCELLED),
        }
        sources = [*payment.settles, "SO-1001"]
        lines: Rows = [
            (PAYMENT_ROWS, {"FBillID": number, "FEntryID": n, "FBillNo_SRC": source})
            for n, source in enumerate([*sources, *sources], 1)
        ]
        return [(PAYMENTS, head), *lines]

    def _vendor_bill(self, bill: Bill) -> Rows:
        kind = 75 if int(bill.id) % 2 else 76
        return self._owed(bill, (VENDOR_BILLS, VENDOR_BILL_ROWS), kind, "vendor=FSupplyID")

    def bill(self, invoice: Invoice) -> Rows:
        kind = 80 if int(invoice.id) % 2 else 86
        return self._owed(invoice, (BILLS, BILL_ROWS), kind, "customer=FCustID")

    def _owed(self, invoice: Invoice | Bill, tables: tuple[Table, Table], kind: int, partner: str) -> Rows:
        shape = f"id=FInterID number=FBillNo issued_on=FDate due_on=FSettleDate total.currency=FCurrencyID {partner}"
        head = self.told(invoice, shape) | {
            "FTranType": kind,
            "FStatus": int(invoice.status is not InvoiceStatus.DRAFT),
            "FCancellation": int(invoice.status is InvoiceStatus.VOID),
            "FROB": -1 if invoice.is_credit_note else 1,
            "FCheckAmountFor": share_of(invoice.total, _PAID.get(invoice.status, Decimal(0))) or None,
        }
        return [
            (tables[0], head),
            (tables[1], self.told(invoice, "id=FInterID order_number=FOrderBillNo total=FAllAmount")),
        ]

    def _issue(self, delivery: GoodsDelivery) -> Rows:
        head = self.told(delivery, "id=FInterID number=FBillNo day=FDate salesperson=FEmpID") | {
            "FTranType": 21,
            "FSupplyID": int(self.customer(delivery.customer).id),
            "FCheckerID": int(delivery.status is DeliveryStatus.SHIPPED),
            "FCancellation": int(delivery.status is DeliveryStatus.CANCELLED),
            "FROB": -1 if delivery.is_return else 1,
        }
        order = int(self.company.orders[delivery.order_number].id)
        return [(ISSUES, head), *self._moved(delivery, head, lambda _line: {"FOrderInterID": order})]

    def _moved(
        self, note: GoodsDelivery | GoodsReceipt, head: dict[str, Any], more: Callable[[Any], dict[str, Any]]
    ) -> Rows:
        """Return the lines of what was moved, with ``more`` of each."""
        common = {"FInterID": head["FInterID"], "FDCStockID": self._warehouse("MAIN")}
        shape = "sku=FItemID unit=FUnitID quantity=FAuxQty"
        rows = self.lines(ISSUE_ROWS, note, lambda n: common | {"FEntryID": n}, shape)
        return [(table, row | more(line)) for (table, row), line in zip(rows, note.lines, strict=True)]

    def _receipt(self, receipt: GoodsReceipt, **changed: Any) -> Rows:
        shape = "id=FInterID number=FBillNo received_on=FDate vendor=FSupplyID"
        head = self.told(receipt, shape) | {
            "FTranType": 1,
            "FCheckerID": 1,
            "FCancellation": 0,
            "FROB": -1 if receipt.is_return else 1,
            **changed,
        }
        purchases = self.company.purchases

        def more(line: ReceiptLine) -> dict[str, Any]:
            return {"FBatchNo": line.lot, "FOrderInterID": int(order_of_line(receipt, line, purchases).id)}

        return [(ISSUES, head), *self._moved(receipt, head, more)]

    def _no_receipts(self) -> Rows:
        """Return notes that are not checked, or void, and one of what production made."""
        [receipt, *_] = self.company.receipts.values()
        others: list[dict[str, Any]] = [{"FCheckerID": 0}, {"FCancellation": 1}, {"FTranType": 2}]
        return [
            row
            for n, other in enumerate(others)
            for row in self._receipt(receipt, FInterID=1 + n, FBillNo=f"GRN-{n}", **other)
        ]

    def _materials(self) -> Rows:
        """Return the bills of material, and one that is out of use."""
        rows: Rows = []
        known = [(1072, sku, parts) for sku, parts in self.company.components.items()]
        for bom, (use, sku, parts) in enumerate((*known, (1073, "SKU123", known[0][2])), 1):
            head = {"FInterID": bom, "FItemID": self.item(sku), "FStatus": 1, "FUseStatus": use, "FAuxQty": Decimal(2)}
            rows.append((WHOLES, head))
            for n, part in enumerate(parts, 1):
                ids = {"FItemID": self.item(part.sku), "FUnitID": int(self.units()[part.unit])}
                rows.append((PARTS, {"FInterID": bom, "FEntryID": n, **ids, "FAuxQty": part.quantity * 2}))
        return rows

    def _warehouse(self, code: str) -> int:
        return int(numbered(self.company.warehouses)[code])

    def _user(self, account: str) -> int:
        return next(n for n, user in enumerate(self.company.users, 1) if user.id == account)

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        item = self.told(product, "sku=FNumber name=FName spec=FModel unit=FUnitID") | {
            "FItemID": self.item(product.sku),
            "FParentID": int(self.classes()[product.category]),
            "FDeleted": int(not product.is_active),
            "FSecInv": level.reorder_point or 0,
        }
        places: Rows = [
            (
                STOCK,
                {
                    "FItemID": self.item(product.sku),
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

    def order(self, order: SalesOrder) -> Rows:
        shape = f"{_ORDER} customer=FCustID salesperson=FEmpID"
        head = self.told(order, shape) | {
            "FStatus": 0 if order.status in {OrderStatus.DRAFT, OrderStatus.CANCELLED} else 1,
            "FClosed": int(order.status is OrderStatus.CLOSED),
            "FCancellation": int(order.status is OrderStatus.CANCELLED),
        }
        lines = f"{_LINE} due_on=FDate delivered=FAuxStockQty invoiced=FAuxInvoiceQty"
        return [(ORDERS, head), *self.lines(ORDER_ROWS, order, lambda n: self._entry(order, n), lines)]

    def _entry(self, order: SalesOrder | PurchaseOrder, n: int) -> dict[str, Any]:
        return {"FInterID": int(order.id), "FEntryID": n}

    def purchase(self, order: PurchaseOrder) -> Rows:
        approval = order.review.approval
        checked = order.status in {ReviewState.APPROVED, ReviewState.DONE}
        decided = self._user(approval.decided_by) if approval and approval.decided_by else None
        first = decided if order.status is ReviewState.WAITING else None
        head = self.told(order, f"{_ORDER} vendor=FSupplyID buyer=FEmpID") | {
            "FBillerID": self._user(order.review.requester),
            "FStatus": int(checked),
            "FClosed": int(order.status is ReviewState.DONE),
            "FCancellation": int(order.status is ReviewState.CANCELLED),
            "FCheckerID": decided if checked else 0,
            "FCheckDate": approval.decided_at if checked and approval else None,
            "FCurCheckLevel": approval.level if checked and approval else int(first is not None),
            "FMultiCheckLevel1": first,
            **dict.fromkeys(f"FMultiCheckLevel{level}" for level in range(2, 7)),
        }
        rows = self.lines(
            PURCHASE_ROWS,
            order,
            lambda n: self._entry(order, n) | {"FDate": order.due_on},
            f"{_LINE} received=FAuxStockQty",
        )
        return [(PURCHASES, head), *rows]

    def production(self, order: ProductionOrder) -> Rows:
        sold: Any = self.company.orders.get(order.sales_order)
        shape = (
            "id=FInterID number=FBillNo sku=FItemID unit=FUnitID planned=FAuxQty produced=FAuxStockQty "
            "scrapped=FAuxQtyScrap start_on=FPlanCommitDate due_on=FPlanFinishDate finished_on=FFinishDate"
        )
        row = self.told(order, shape) | {
            "FOrderInterID": int(sold.id) if sold else 0,
            "FStatus": _STATUS.get(order.status, 1),
            "FSuspend": int(order.status is ProductionStatus.ON_HOLD),
            "FCancellation": int(order.status is ProductionStatus.CANCELLED),
            "FAuxQtyForItem": None,
        }
        return [(PRODUCTIONS, row)]
