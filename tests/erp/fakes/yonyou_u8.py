"""The reference company in the tables of 用友 U8+ (docs: platform/erp/sql.md#yonyou-u8)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData

from bot.erp.model import (
    Area,
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
    PurchaseStatus,
    SalesOrder,
    StockLevel,
    Supplier,
    WarehouseStock,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.vendor_tables import (
    Rows,
    VendorTables,
    batches,
    currency_name,
    midnight,
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

    def rows(self, area: Area, key: str) -> Rows:
        match self.company.records(area)[key]:
            case StockLevel() as level:
                return _product(level)
            case SalesOrder() as order:
                return self._order(order)
            case Invoice() as invoice:
                return _bill(invoice)
            case PurchaseOrder() as order:
                return self._purchase(order)
            case ProductionOrder() as order:
                return _production(order)
            case other:
                raise TypeError(type(other).__name__)

    def _person(self, name: str) -> str:
        return next(user.id for user in self.company.users if user.name == name)

    def _order(self, order: SalesOrder) -> Rows:
        closed = order.status in {OrderStatus.CLOSED, OrderStatus.CANCELLED}
        head = {
            "ID": int(order.id),
            "cSOCode": order.number,
            "cCusName": order.customer,
            "cPersonCode": self._person(order.salesperson),
            "cexch_name": currency_name(order.total),
            "cMaker": "dora",
            "cVerifier": None if order.status is OrderStatus.DRAFT else "anna",
            "cCloser": "anna" if closed else "",
            "cLocker": "anna" if order.status is OrderStatus.ON_HOLD else None,
            "dDate": midnight(order.ordered_on),
            "dcreatesystime": order.changed_at,
            "dmodifysystime": None,
            "dverifysystime": None,
            "dclosesystime": order.changed_at if closed else None,
        }
        paid = _SHARES[order.payment or Progress.NONE]
        lines: Rows = [
            (
                ORDER_ROWS,
                {
                    "ID": int(order.id),
                    "iRowNo": n,
                    "iSOsID": 100 * int(order.id) + n,
                    "cInvCode": line.sku,
                    "cInvName": line.name,
                    "dPreDate": midnight(line.due_on),
                    "iQuantity": line.quantity,
                    "iFHQuantity": line.delivered or None,
                    "iKPQuantity": line.invoiced or None,
                    "iTaxUnitPrice": line.price,
                    "iSum": line.amount,
                    "iExchSum": share_of(line.amount, paid),
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(ORDERS, head), *lines]

    def _purchase(self, order: PurchaseOrder) -> Rows:
        status, approval = order.status, order.approval
        approved = status in {PurchaseStatus.APPROVED, PurchaseStatus.DONE}
        states = {PurchaseStatus.WAITING: 1, PurchaseStatus.REJECTED: -1, PurchaseStatus.DRAFT: 0}
        head = {
            "POID": int(order.id),
            "iverifystateex": states.get(status, 2),
            "iswfcontrolled": 1,
            "cPOID": order.number,
            "cVenCode": self._vendor(order.vendor),
            "cPersonCode": self._person(order.buyer),
            "cexch_name": currency_name(order.total),
            "cMaker": order.requester,
            "cReviser": order.changed_by,
            "cVerifier": approval.decided_by if approved and approval else "",
            "cCloser": "dora" if status in {PurchaseStatus.DONE, PurchaseStatus.CANCELLED} else None,
            "dPODate": midnight(order.ordered_on),
            "cmaketime": order.changed_at,
            "cModifyTime": None,
            "cAuditTime": approval.decided_at if approved and approval else None,
        }
        lines: Rows = [
            (
                PURCHASE_ROWS,
                {
                    "POID": int(order.id),
                    "ivouchrowno": n,
                    "ID": 100 * int(order.id) + n,
                    "cInvCode": line.sku,
                    "dArriveDate": midnight(order.due_on),
                    "iQuantity": line.quantity,
                    "iReceivedQTY": line.received or None,
                    "iTaxPrice": line.price,
                    "iSum": line.amount,
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(PURCHASES, head), *lines]

    def _vendor(self, name: str) -> str:
        return next(vendor.code for vendor in self.company.vendors.values() if vendor.name == name)

    def _terms(self) -> dict[str, None]:
        company = self.company
        return dict.fromkeys(each.payment_terms for each in (*company.customers.values(), *company.vendors.values()))

    def _styles(self) -> dict[str, None]:
        return dict.fromkeys(payment.method for payment in self.company.payments.values())

    def _customer(self, customer: Customer) -> dict[str, Any]:
        return {
            "cCusCode": customer.code,
            "cCusName": customer.name,
            "cCusPerson": customer.contact,
            "cCusHand": "",
            "cCusPhone": customer.phone,
            "cCusEmail": customer.email,
            "cCusAddress": customer.address,
            "cCusPPerson": self._person(customer.salesperson),
            "cCusPayCond": customer.payment_terms,
            "iCusCreLine": customer.credit_limit,
            "iARMoney": customer.receivable,
            "dEndDate": None if customer.is_active else customer.changed_at,
        }

    def _supplier(self, vendor: Supplier) -> dict[str, Any]:
        return {
            "cVenCode": vendor.code,
            "cVenName": vendor.name,
            "cVenPerson": vendor.contact,
            "cVenHand": vendor.phone,
            "cVenPhone": "the fax",
            "cVenEmail": vendor.email,
            "cVenAddress": vendor.address,
            "cVenPPerson": self._person(vendor.buyer),
            "cVenPayCond": vendor.payment_terms,
            "iAPMoney": vendor.payable,
            "dEndDate": None if vendor.is_active else vendor.changed_at,
        } | ({} if vendor.phone else {"cVenPhone": ""})

    def _vendor_bill(self, bill: Bill) -> Rows:
        if bill.status is InvoiceStatus.VOID:
            return []
        head = {
            "PBVID": int(bill.id),
            "cPBVCode": bill.number,
            "cVenCode": self._vendor(bill.vendor),
            "cexch_name": currency_name(bill.total),
            "cOrderCode": bill.order_number or None,
            "cVerifier": None if bill.status is InvoiceStatus.DRAFT else "anna",
            "bNegative": bill.is_credit_note,
            "dPBVDate": midnight(bill.issued_on),
            "dGatheringDate": midnight(bill.due_on),
            "cmaketime": bill.changed_at,
        }
        settled = share_of(bill.total, _PAID.get(bill.status, Decimal(0)))
        line = {"ID": int(bill.id), "PBVID": int(bill.id), "iOriSum": bill.total, "iOriTotal": settled or None}
        return [(VENDOR_BILLS, head), (VENDOR_BILL_ROWS, line)]

    def _payment(self, payment: Payment) -> Rows:
        if payment.status is PaymentStatus.CANCELLED:
            return []
        of_customer = payment.partner_kind is PartnerKind.CUSTOMER
        partners: Any = self.company.customers if of_customer else self.company.vendors
        kind = "48" if payment.direction is PaymentDirection.RECEIVED else "49"
        head = {
            "iID": int(payment.id),
            "cVouchType": kind,
            "cVouchID": payment.number,
            "cFlag": "AR" if of_customer else "AP",
            "cDwCode": next(each.code for each in partners.values() if each.name == payment.partner),
            "cexch_name": currency_name(payment.amount),
            "cSSCode": f"S-{payment.method}",
            "cCheckMan": None if payment.status is PaymentStatus.DRAFT else "anna",
            "iAmount_f": payment.amount,
            "dVouchDate": midnight(payment.paid_on),
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
        head = {
            "DLID": number,
            "cVouchType": "05",
            "cDLCode": delivery.number,
            "cCusName": delivery.customer,
            "cPersonCode": self._person(delivery.salesperson),
            "cVerifier": "anna" if delivery.status in {DeliveryStatus.READY, DeliveryStatus.SHIPPED} else None,
            "cCloser": "anna" if delivery.status is DeliveryStatus.CANCELLED else None,
            "bReturnFlag": delivery.is_return,
            "dDate": midnight(delivery.planned_on),
            "dcreatesystime": delivery.changed_at,
        }
        rows: Rows = [(DISPATCHES, head)]
        if shipped:
            rows.append((ISSUES, {"ID": number, "dDate": midnight(delivery.shipped_on)}))
        places = {line.sku: n for n, line in enumerate(order.lines, 1)}
        for n, line in enumerate(delivery.lines, 1):
            row = {
                "iDLsID": 100 * number + n,
                "DLID": number,
                "iSOsID": 100 * int(order.id) + places[line.sku],
                "cInvCode": line.sku,
                "cInvName": line.name,
                "cWhCode": "MAIN",
                "iQuantity": line.quantity,
                "fOutQuantity": line.quantity if shipped else None,
            }
            rows.append((DISPATCH_ROWS, row))
            if shipped:
                rows.append((ISSUE_ROWS, {"ID": number, "iDLsID": row["iDLsID"]}))
        return rows

    def _receipt(self, receipt: GoodsReceipt, **changed: Any) -> Rows:
        head: dict[str, Any] = {
            "ID": int(receipt.id),
            "cCode": receipt.number,
            "cVenCode": self._vendor(receipt.vendor),
            "cWhCode": "MAIN",
            "cHandler": "anna",
            "bredvouch": int(receipt.is_return),
            "bpufirst": 0,
            "dDate": midnight(receipt.received_on),
            "dnmaketime": receipt.changed_at,
        } | changed
        rows: Rows = [(RECEIPTS, head)]
        for n, line in enumerate(receipt.lines, 1):
            order = order_of_line(receipt, line, self.company.purchases)
            place = next(n for n, each in enumerate(order.lines, 1) if each.sku == line.sku)
            row = {
                "AutoID": 100 * head["ID"] + n,
                "ID": head["ID"],
                "iPOsID": 100 * int(order.id) + place,
                "cInvCode": line.sku,
                "cBatch": line.lot or None,
                "iQuantity": line.quantity,
            }
            rows.append((RECEIPT_ROWS, row))
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


def _product(level: StockLevel) -> Rows:
    product = level.product
    item = {
        "cInvCode": product.sku,
        "cInvName": product.name,
        "cInvStd": product.spec or None,
        "cBarCode": product.barcode,
        "cInvCCode": f"C-{product.category}",
        "cComUnitCode": f"U-{product.unit}",
        "iSafeNum": level.reorder_point,
        "dEDate": None if product.is_active else level.as_of,
    }
    places: Rows = [
        (STOCK, _batch(product.sku, place, batch)) for place in level.per_warehouse for batch in batches(level, place)
    ]
    return [(INVENTORY, item), *places]


def _batch(sku: str, place: WarehouseStock, batch: tuple[str, Decimal, datetime | None]) -> dict[str, Any]:
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


def _bill(invoice: Invoice) -> Rows:
    head = {
        "SBVID": int(invoice.id),
        "cSBVCode": invoice.number,
        "cCusName": invoice.customer,
        "cexch_name": currency_name(invoice.total),
        "cSOCode": invoice.order_number or None,
        "cChecker": None if invoice.status is InvoiceStatus.DRAFT else "anna",
        "cInvalider": "anna" if invoice.status is InvoiceStatus.VOID else None,
        "bReturnFlag": invoice.is_credit_note,
        "dDate": midnight(invoice.issued_on),
        "dGatheringDate": midnight(invoice.due_on),
        "dcreatesystime": invoice.changed_at,
        "dmodifysystime": None,
        "dverifysystime": None,
    }
    received = share_of(invoice.total, _PAID.get(invoice.status, Decimal(0)))
    return [(BILLS, head), (BILL_ROWS, {"SBVID": int(invoice.id), "iSum": invoice.total, "iExchSum": received or None})]


def _production(order: ProductionOrder) -> Rows:
    number = int(order.id)
    row = {
        "MoDId": number,
        "MoId": number,
        "SortSeq": 1,
        "Status": _STATUS[order.status],
        "InvCode": order.sku,
        "OrderCode": order.sales_order,
        "SoCode": None,
        "Qty": order.planned,
        "QualifiedInQty": order.produced or None,
        "RelsTime": None,
        "CloseTime": order.changed_at if order.status is ProductionStatus.CANCELLED else midnight(order.finished_on),
    }
    return [
        (PRODUCTIONS, {"MoId": number, "MoCode": order.number, "CreateTime": order.changed_at, "ModifyTime": None}),
        (PRODUCTION_ROWS, row),
        (
            PRODUCTION_DAYS,
            {"MoDId": number, "StartDate": midnight(order.start_on), "DueDate": midnight(order.due_on)},
        ),
    ]
