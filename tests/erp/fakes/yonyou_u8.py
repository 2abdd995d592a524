"""The reference company in the tables of 用友 U8+ (docs: platform/erp/sql.md#yonyou-u8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData

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
    Progress,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
    WarehouseStock,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.vendor_tables import (
    CURRENCY_NAMES,
    Rows,
    VendorTables,
    batches,
    share_of,
    table,
)

META = MetaData()

INVENTORY = table(
    META, "Inventory", "cInvCode",
    text="cInvCode cInvName cInvStd cBarCode cInvCCode cComUnitCode", number="iSafeNum", moment="dEDate",
)  # fmt: skip
CLASSES = table(META, "InventoryClass", "cInvCCode", text="cInvCCode cInvCName")
UNITS = table(META, "ComputationUnit", "cComunitCode", text="cComunitCode cComUnitName")
WAREHOUSES = table(META, "Warehouse", "cWhCode", text="cWhCode cWhName")
STOCK = table(
    META, "CurrentStock", "AutoID",
    text="AutoID cWhCode cInvCode cBatch",
    moment="dVDate",
    number="iQuantity fStopQuantity fOutQuantity fTransOutQuantity fInQuantity fTransInQuantity",
)  # fmt: skip
CUSTOMERS = table(
    META, "Customer", "cCusCode",
    text="cCusCode cCusName cCusPerson cCusHand cCusPhone cCusEmail cCusAddress cCusPPerson cCusPayCond",
    number="iCusCreLine iARMoney", moment="dEndDate",
)  # fmt: skip
VENDORS = table(
    META, "Vendor", "cVenCode",
    text="cVenCode cVenName cVenPerson cVenHand cVenPhone cVenEmail cVenAddress cVenPPerson cVenPayCond",
    number="iAPMoney", moment="dEndDate",
)  # fmt: skip
TERMS = table(META, "PayCondition", "cPayCode", text="cPayCode cPayName")
STYLES = table(META, "SettleStyle", "cSSCode", text="cSSCode cSSName")
PERSONS = table(META, "Person", "cPersonCode", text="cPersonCode cPersonName")
ORDERS = table(
    META, "SO_SOMain", "ID",
    whole="ID", text="cSOCode cCusCode cCusName cPersonCode cexch_name cMaker cVerifier cCloser cLocker",
    moment="dDate dcreatesystime dmodifysystime dverifysystime dclosesystime",
)  # fmt: skip
ORDER_ROWS = table(
    META, "SO_SODetails", "ID iRowNo",
    whole="ID iRowNo iSOsID", text="cInvCode cInvName", moment="dPreDate",
    number="iQuantity iFHQuantity iKPQuantity iTaxUnitPrice iSum iExchSum",
)  # fmt: skip
BILLS = table(
    META, "SaleBillVouch", "SBVID",
    whole="SBVID", text="cSBVCode cCusCode cCusName cexch_name cSOCode cChecker cInvalider", flag="bReturnFlag",
    moment="dDate dGatheringDate dcreatesystime dmodifysystime dverifysystime",
)  # fmt: skip
BILL_ROWS = table(META, "SaleBillVouchs", "SBVID", whole="SBVID", number="iSum iExchSum")
PURCHASES = table(
    META, "PO_Pomain", "POID",
    whole="POID iverifystateex iswfcontrolled",
    text="cPOID cVenCode cPersonCode cexch_name cMaker cReviser cVerifier cCloser",
    moment="dPODate cmaketime cModifyTime cAuditTime",
)  # fmt: skip
PURCHASE_ROWS = table(
    META, "PO_Podetails", "POID ivouchrowno",
    whole="POID ivouchrowno ID", text="cInvCode", moment="dArriveDate",
    number="iQuantity iReceivedQTY iTaxPrice iSum",
)  # fmt: skip
PRODUCTIONS = table(META, "mom_order", "MoId", whole="MoId", text="MoCode", moment="CreateTime ModifyTime")
PRODUCTION_ROWS = table(
    META, "mom_orderdetail", "MoDId",
    whole="MoDId MoId SortSeq Status", text="InvCode OrderCode SoCode", number="Qty QualifiedInQty",
    moment="RelsTime CloseTime",
)  # fmt: skip
PRODUCTION_DAYS = table(META, "mom_morder", "MoDId", whole="MoDId", moment="StartDate DueDate")

VENDOR_BILLS = table(
    META, "PurBillVouch", "PBVID",
    whole="PBVID", text="cPBVCode cVenCode cexch_name cOrderCode cVerifier", flag="bNegative",
    moment="dPBVDate dGatheringDate cmaketime cmodifytime cAuditTime",
)  # fmt: skip
VENDOR_BILL_ROWS = table(META, "PurBillVouchs", "ID", whole="ID PBVID", number="iOriSum iOriTotal")
PAYMENTS = table(
    META, "Ap_CloseBill", "iID",
    whole="iID", text="cVouchType cVouchID cFlag cDwCode cexch_name cSSCode cCheckMan", number="iAmount_f",
    moment="dVouchDate",
)  # fmt: skip
_SETTLED = "cVouchType cVouchID cCoVouchType cCoVouchID cProcStyle"
RECEIVED = table(META, "Ar_Detail", "Auto_ID", whole="Auto_ID", text=_SETTLED)
SPENT = table(META, "Ap_Detail", "Auto_ID", whole="Auto_ID", text=_SETTLED)
DISPATCHES = table(
    META, "DispatchList", "DLID",
    whole="DLID", text="cVouchType cDLCode cCusCode cCusName cPersonCode cVerifier cCloser", flag="bReturnFlag",
    moment="dDate dcreatesystime dmodifysystime dverifysystime",
)  # fmt: skip
DISPATCH_ROWS = table(
    META, "DispatchLists", "iDLsID",
    whole="iDLsID DLID iSOsID", text="cInvCode cInvName cWhCode", number="iQuantity fOutQuantity",
)  # fmt: skip
ISSUES = table(META, "rdrecord32", "ID", whole="ID", moment="dDate")
ISSUE_ROWS = table(META, "rdrecords32", "ID iDLsID", whole="ID iDLsID")
RECEIPTS = table(
    META, "rdrecord01", "ID",
    whole="ID bredvouch bpufirst", text="cCode cVenCode cWhCode cHandler",
    moment="dDate dnmaketime dnmodifytime dnverifytime",
)  # fmt: skip
RECEIPT_ROWS = table(
    META, "rdrecords01", "AutoID", whole="AutoID ID iPOsID", text="cInvCode cBatch", number="iQuantity"
)
PARTS = table(META, "bas_part", "PartId", whole="PartId", text="InvCode")
WHOLES = table(META, "bom_bom", "BomId", whole="BomId Status")
PARENTS = table(META, "bom_parent", "BomId", whole="BomId ParentId")
COMPONENTS = table(
    META, "bom_opcomponent", "BomId SortSeq", whole="BomId SortSeq ComponentId", number="BaseQtyN BaseQtyD"
)

_SHARES = {Progress.NONE: Decimal(0), Progress.PARTIAL: Decimal("0.5"), Progress.FULL: Decimal(1)}
_PAID = {InvoiceStatus.PART_PAID: Decimal("0.5"), InvoiceStatus.PAID: Decimal(1)}
_LINE = "sku=cInvCode quantity=iQuantity amount=iSum"
_STATUS = {
    ProductionStatus.PLANNED: 1,
    ProductionStatus.RELEASED: 3,
    ProductionStatus.RUNNING: 3,
    ProductionStatus.DONE: 4,
    ProductionStatus.CANCELLED: 4,
}


class YonyouU8(VendorTables):
    """U8's database of one set of books."""

    meta = META

    def fixed_rows(self) -> Rows:
        company = self.company
        units = dict.fromkeys(product.unit for product in company.products.values())
        classes = dict.fromkeys(product.category for product in company.products.values())
        return [
            *((WAREHOUSES, {"cWhCode": code, "cWhName": name}) for code, name in company.warehouses.items()),
            *((CUSTOMERS, self._customer(customer)) for customer in company.customers.values()),
            *((VENDORS, self._supplier(vendor)) for vendor in company.vendors.values()),
            *((TERMS, {"cPayCode": name, "cPayName": name}) for name in self._terms()),
            *((STYLES, {"cSSCode": f"S-{name}", "cSSName": name}) for name in self._styles()),
            *(row for bill in company.bills.values() for row in self._vendor_bill(bill)),
            *(row for payment in company.payments.values() for row in self._payment(payment)),
            *(row for delivery in company.deliveries.values() for row in self._dispatch(delivery)),
            *(row for receipt in company.receipts.values() for row in self._receipt(receipt)),
            *self._no_receipts(),
            *self._materials(),
            *((PERSONS, {"cPersonCode": user.id, "cPersonName": user.name}) for user in company.users),
            *((UNITS, {"cComunitCode": f"U-{name}", "cComUnitName": name}) for name in units),
            *((CLASSES, {"cInvCCode": f"C-{name}", "cInvCName": name}) for name in classes),
        ]

    def _person(self, name: str) -> str:
        return next(user.id for user in self.company.users if user.name == name)

    def links(self) -> Mapping[str, Callable[[Any], Any]]:
        by_name = dict.fromkeys(("cPersonCode", "cCusPPerson", "cVenPPerson"), self._person)
        nothing = dict.fromkeys(
            ("iFHQuantity", "iKPQuantity", "iReceivedQTY", "QualifiedInQty", "cSOCode", "cOrderCode", "cBatch"),
            lambda value: value or None,
        )
        numbers = dict.fromkeys(("ID", "SBVID", "POID", "PBVID", "MoDId", "iID", "DLID"), int)
        return (
            by_name
            | nothing
            | numbers
            | {
                "cexch_name": CURRENCY_NAMES.get,
                "cVenCode": lambda name: self.vendor(name).code,
                "cSSCode": "S-{}".format,
            }
        )

    def order(self, order: SalesOrder) -> Rows:
        closed = order.status in {OrderStatus.CLOSED, OrderStatus.CANCELLED}
        shape = (
            "id=ID customer=cCusName salesperson=cPersonCode total.currency=cexch_name ordered_on=dDate "
            "changed_at=dcreatesystime"
        )
        head = self.told(order, shape) | {
            "cSOCode": order.number,
            "cMaker": "dora",
            "cVerifier": None if order.status is OrderStatus.DRAFT else "anna",
            "cCloser": "anna" if closed else "",
            "cLocker": "anna" if order.status is OrderStatus.ON_HOLD else None,
            "dclosesystime": order.changed_at if closed else None,
        }
        paid = _SHARES[order.payment or Progress.NONE]
        lines = self.lines(
            ORDER_ROWS,
            order,
            lambda n: {"ID": int(order.id), "iRowNo": n, "iSOsID": 100 * int(order.id) + n},
            f"{_LINE} name=cInvName due_on=dPreDate delivered=iFHQuantity invoiced=iKPQuantity price=iTaxUnitPrice",
        )
        for _, row in lines:
            row["iExchSum"] = share_of(row["iSum"], paid)
        return [(ORDERS, head), *lines]

    def purchase(self, order: PurchaseOrder) -> Rows:
        status, approval = order.status, order.review.approval
        approved = status in {ReviewState.APPROVED, ReviewState.DONE}
        states = {ReviewState.WAITING: 1, ReviewState.REJECTED: -1, ReviewState.DRAFT: 0}
        shape = (
            "id=POID number=cPOID vendor=cVenCode buyer=cPersonCode total.currency=cexch_name review.requester=cMaker "
            "review.changed_by=cReviser ordered_on=dPODate changed_at=cmaketime"
        )
        head = self.told(order, shape) | {
            "iverifystateex": states.get(status, 2),
            "iswfcontrolled": 1,
            "cVerifier": approval.decided_by if approved and approval else "",
            "cCloser": "dora" if status in {ReviewState.DONE, ReviewState.CANCELLED} else None,
            "cAuditTime": approval.decided_at if approved and approval else None,
        }
        rows = self.lines(
            PURCHASE_ROWS,
            order,
            lambda n: {
                "POID": int(order.id),
                "ivouchrowno": n,
                "ID": 100 * int(order.id) + n,
                "dArriveDate": order.due_on,
            },
            f"{_LINE} received=iReceivedQTY price=iTaxPrice",
        )
        return [(PURCHASES, head), *rows]

    def _terms(self) -> dict[str, None]:
        company = self.company
        return dict.fromkeys(each.payment_terms for each in (*company.customers.values(), *company.vendors.values()))

    def _styles(self) -> dict[str, None]:
        return dict.fromkeys(payment.method for payment in self.company.payments.values())

    def _customer(self, customer: Customer) -> dict[str, Any]:
        shape = (
            "code=cCusCode name=cCusName contact=cCusPerson phone=cCusPhone email=cCusEmail address=cCusAddress "
            "salesperson=cCusPPerson payment_terms=cCusPayCond credit_limit=iCusCreLine receivable=iARMoney"
        )
        return self.told(customer, shape) | {
            "cCusHand": "",
            "dEndDate": None if customer.is_active else customer.changed_at,
        }

    def _supplier(self, vendor: Supplier) -> dict[str, Any]:
        shape = (
            "name=cVenName contact=cVenPerson phone=cVenHand email=cVenEmail address=cVenAddress buyer=cVenPPerson "
            "payment_terms=cVenPayCond payable=iAPMoney"
        )
        return self.told(vendor, shape) | {
            "cVenCode": vendor.code,
            "cVenPhone": "the fax" if vendor.phone else "",
            "dEndDate": None if vendor.is_active else vendor.changed_at,
        }

    def _vendor_bill(self, bill: Bill) -> Rows:
        if bill.status is InvoiceStatus.VOID:
            return []
        shape = (
            "id=PBVID number=cPBVCode vendor=cVenCode total.currency=cexch_name order_number=cOrderCode "
            "is_credit_note=bNegative issued_on=dPBVDate due_on=dGatheringDate changed_at=cmaketime"
        )
        head = self.told(bill, shape) | {"cVerifier": None if bill.status is InvoiceStatus.DRAFT else "anna"}
        settled = share_of(bill.total, _PAID.get(bill.status, Decimal(0)))
        line = {"ID": int(bill.id), "PBVID": int(bill.id), "iOriSum": bill.total, "iOriTotal": settled or None}
        return [(VENDOR_BILLS, head), (VENDOR_BILL_ROWS, line)]

    def _payment(self, payment: Payment) -> Rows:
        if payment.status is PaymentStatus.CANCELLED:
            return []
        of_customer = payment.partner_kind is PartnerKind.CUSTOMER
        partners: Any = self.company.customers if of_customer else self.company.vendors
        kind = "48" if payment.direction is PaymentDirection.RECEIVED else "49"
        shape = "id=iID number=cVouchID amount.currency=cexch_name method=cSSCode amount=iAmount_f paid_on=dVouchDate"
        head = self.told(payment, shape) | {
            "cVouchType": kind,
            "cFlag": "AR" if of_customer else "AP",
            "cDwCode": next(each.code for each in partners.values() if each.name == payment.partner),
            "cCheckMan": None if payment.status is PaymentStatus.DRAFT else "anna",
        }
        details: Rows = [
            (
                RECEIVED if of_customer else SPENT,
                {
                    "Auto_ID": 10 * int(payment.id) + n,
                    "cVouchType": kind,
                    "cVouchID": payment.number,
                    "cCoVouchType": "26" if of_customer else "01",
                    "cCoVouchID": number,
                    "cProcStyle": style,
                },
            )
            for settled in payment.settles
            for n, (style, number) in enumerate((("9P", settled), ("48", payment.number)))
        ]
        return [(PAYMENTS, head), *details]

    def _dispatch(self, delivery: GoodsDelivery) -> Rows:
        number, order = int(delivery.id), self.company.orders[delivery.order_number]
        shipped = delivery.status is DeliveryStatus.SHIPPED
        shape = (
            "id=DLID number=cDLCode customer=cCusName salesperson=cPersonCode is_return=bReturnFlag "
            "planned_on=dDate changed_at=dcreatesystime"
        )
        head = self.told(delivery, shape) | {
            "cVouchType": "05",
            "cVerifier": "anna" if delivery.status in {DeliveryStatus.READY, DeliveryStatus.SHIPPED} else None,
            "cCloser": "anna" if delivery.status is DeliveryStatus.CANCELLED else None,
        }
        rows: Rows = [(DISPATCHES, head)]
        if shipped:
            rows.append((ISSUES, {"ID": number, "dDate": delivery.shipped_on}))
        places = {line.sku: n for n, line in enumerate(order.lines, 1)}
        moved = self.lines(
            DISPATCH_ROWS,
            delivery,
            lambda n: {"iDLsID": 100 * number + n, "DLID": number, "cWhCode": "MAIN"},
            "sku=cInvCode name=cInvName quantity=iQuantity",
        )
        for _, row in moved:
            sold = {"iSOsID": 100 * int(order.id) + places[row["cInvCode"]]}
            rows.append((DISPATCH_ROWS, row | sold | {"fOutQuantity": row["iQuantity"] if shipped else None}))
            if shipped:
                rows.append((ISSUE_ROWS, {"ID": number, "iDLsID": row["iDLsID"]}))
        return rows

    def _receipt(self, receipt: GoodsReceipt, **changed: Any) -> Rows:
        shape = "id=ID number=cCode vendor=cVenCode received_on=dDate changed_at=dnmaketime"
        fixed = {"cWhCode": "MAIN", "cHandler": "anna", "bredvouch": int(receipt.is_return), "bpufirst": 0}
        head = self.told(receipt, shape) | fixed | changed
        rows: Rows = [(RECEIPTS, head)]
        moved = self.lines(
            RECEIPT_ROWS,
            receipt,
            lambda n: {"AutoID": 100 * head["ID"] + n, "ID": head["ID"]},
            "sku=cInvCode lot=cBatch quantity=iQuantity",
        )
        for (_, row), line in zip(moved, receipt.lines, strict=True):
            order = order_of_line(receipt, line, self.company.purchases)
            place = next(n for n, each in enumerate(order.lines, 1) if each.sku == line.sku)
            rows.append((RECEIPT_ROWS, row | {"iPOsID": 100 * int(order.id) + place}))
        return rows

    def _no_receipts(self) -> Rows:
        """Return notes of receipt that are not checked, and one of what was there when U8 was introduced."""
        [receipt, *_] = self.company.receipts.values()
        others: list[dict[str, Any]] = [{"cHandler": None}, {"cHandler": ""}, {"bpufirst": 1}]
        return [
            row for n, other in enumerate(others) for row in self._receipt(receipt, ID=1 + n, cCode=f"GRN-{n}", **other)
        ]

    def _materials(self) -> Rows:
        """Return the bills of material, and one that is out of use."""
        ids = {sku: n for n, sku in enumerate(self.company.products, 1)}
        rows: Rows = [(PARTS, {"PartId": n, "InvCode": sku}) for sku, n in ids.items()]
        components = self.company.components
        made_of = [(3, sku, [(each.sku, each.quantity) for each in parts]) for sku, parts in components.items()]
        for bom, (status, sku, parts) in enumerate((*made_of, (4, "SKU128", [("SKU124", Decimal(9))])), 1):
            rows += [(WHOLES, {"BomId": bom, "Status": status}), (PARENTS, {"BomId": bom, "ParentId": ids[sku]})]
            for n, (part, quantity) in enumerate(parts, 1):
                uses = {"BaseQtyN": quantity * 2, "BaseQtyD": Decimal(2)}
                rows.append((COMPONENTS, {"BomId": bom, "SortSeq": 10 * n, "ComponentId": ids[part], **uses}))
        return rows

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        item = self.told(product, "sku=cInvCode name=cInvName barcode=cBarCode") | {
            "cInvStd": product.spec or None,
            "cInvCCode": f"C-{product.category}",
            "cComUnitCode": f"U-{product.unit}",
            "iSafeNum": level.reorder_point,
            "dEDate": None if product.is_active else level.as_of,
        }
        places: Rows = [
            (STOCK, _batch(product.sku, place, batch))
            for place in level.per_warehouse
            for batch in batches(level, place)
        ]
        return [(INVENTORY, item), *places]

    def bill(self, invoice: Invoice) -> Rows:
        shape = (
            "id=SBVID number=cSBVCode customer=cCusName total.currency=cexch_name order_number=cSOCode "
            "is_credit_note=bReturnFlag issued_on=dDate due_on=dGatheringDate changed_at=dcreatesystime"
        )
        head = self.told(invoice, shape) | {
            "cChecker": None if invoice.status is InvoiceStatus.DRAFT else "anna",
            "cInvalider": "anna" if invoice.status is InvoiceStatus.VOID else None,
        }
        received = share_of(invoice.total, _PAID.get(invoice.status, Decimal(0)))
        line = {"SBVID": int(invoice.id), "iSum": invoice.total, "iExchSum": received or None}
        return [(BILLS, head), (BILL_ROWS, line)]

    def production(self, order: ProductionOrder) -> Rows:
        shape = "id=MoDId sku=InvCode sales_order=OrderCode planned=Qty produced=QualifiedInQty finished_on=CloseTime"
        row = self.told(order, shape) | {"MoId": int(order.id), "SortSeq": 1, "Status": _STATUS[order.status]}
        if order.status is ProductionStatus.CANCELLED:
            row["CloseTime"] = order.changed_at
        head = {"MoId": int(order.id), "MoCode": order.number, "CreateTime": order.changed_at}
        days = self.told(order, "id=MoDId start_on=StartDate due_on=DueDate")
        return [(PRODUCTIONS, head), (PRODUCTION_ROWS, row), (PRODUCTION_DAYS, days)]


def _batch(sku: str, place: WarehouseStock, batch: tuple[str, Decimal, date | None]) -> dict[str, Any]:
    """Return the row of one batch; what has no number has all that is not free."""
    number, quantity, expires = batch
    rest = Decimal(not number)
    reserved, incoming = place.quantities.reserved or Decimal(0), place.quantities.incoming or Decimal(0)
    return {
        "AutoID": f"{sku}/{place.code}/{number}",
        "cWhCode": place.code,
        "cInvCode": sku,
        "cBatch": number,
        "dVDate": expires,
        "iQuantity": quantity,
        "fStopQuantity": reserved * rest / 4,
        "fOutQuantity": reserved * rest / 2,
        "fTransOutQuantity": reserved * rest / 4,
        "fInQuantity": incoming * rest / 2,
        "fTransInQuantity": incoming * rest / 2,
    }
