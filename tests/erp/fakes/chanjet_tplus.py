"""The reference company in the tables of 畅捷通 T+ (docs: platform/erp/sql.md#chanjet-t)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import MetaData

from bot.erp.model import (
    Customer,
    Invoice,
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    PurchaseLine,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import GoodsReceipt
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.vendor_tables import Rows, VendorTables, batches, numbered, share_of, table

META = MetaData()

PRODUCTS = table(
    META, "AA_Inventory", "id",
    whole="id idunit idinventoryclass disabled", text="code name specification defaultBarCode", number="safeQuantity",
    moment="updated createdtime",
)  # fmt: skip
CLASSES = table(META, "AA_InventoryClass", "id", whole="id", text="name")
UNITS = table(META, "AA_Unit", "id", whole="id", text="name")
WAREHOUSES = table(META, "AA_Warehouse", "id", whole="id", text="code name")
PARTNERS = table(
    META, "AA_Partner", "id",
    whole="id partnerType idsaleman disabled", number="saleCreditLine", moment="updated",
    text="code name Contact MobilePhone TelephoneNo EmailAddr addressJC CheckAddress ShipmentAddress",
)  # fmt: skip
PERSONS = table(META, "AA_Person", "id", whole="id", text="name")
CURRENCIES = table(META, "AA_Currency", "id", whole="id", text="code")
STATES = table(META, "eap_EnumItem", "id", whole="id", text="Name")
STOCK = table(
    META, "ST_CurrentStock", "idinventory idwarehouse batch",
    whole="idinventory idwarehouse", text="batch", moment="updated expiryDate",
    number="baseQuantity forDispatchBaseQuantity onWayBaseQuantity",
)  # fmt: skip
ORDERS = table(
    META, "SA_SaleOrder", "id",
    whole="id idcustomer idclerk idcurrency voucherState", text="code", moment="voucherdate updated",
)  # fmt: skip
ORDER_ROWS = table(
    META, "SA_SaleOrder_b", "id",
    whole="id idSaleOrderDTO idinventory idunit", text="code", moment="deliveryDate",
    number="quantity saleOutQuantity origTaxPrice origTaxAmount",
)  # fmt: skip
BILLS = table(
    META, "SA_SaleDelivery", "ID",
    whole="ID idcustomer idcurrency voucherState", text="code saleOrderCode", number="origTaxAmount origSettleAmount",
    moment="voucherdate recivingMaturity updated",
)  # fmt: skip
PURCHASES = table(
    META, "PU_PurchaseOrder", "id",
    whole="id idpartner idclerk idcurrency voucherState", text="code maker reviser auditor",
    moment="voucherdate auditeddate updated",
)  # fmt: skip
PURCHASE_ROWS = table(
    META, "PU_PurchaseOrder_b", "id",
    whole="id idPurchaseOrderDTO idinventory idunit", text="code", moment="acceptDate",
    number="quantity origTaxPrice origTaxAmount",
)  # fmt: skip
RECEIPTS = table(
    META, "PU_PurchaseArrival", "id",
    whole="id idpartner idwarehouse voucherState", text="code", moment="voucherdate updated",
)  # fmt: skip
ARRIVALS = table(
    META, "PU_PurchaseArrival_b", "id",
    whole="id idPurchaseArrivalDTO sourceVoucherDetailId idinventory idunit", text="code", number="quantity",
)  # fmt: skip
PAYMENTS = table(
    META, "ARAP_ReceivePayment", "id",
    whole="id idpartner idcurrency voucherState isReceiveFlag", text="code", number="origAmount",
    moment="voucherdate updated",
)  # fmt: skip

_CURRENCIES = {"CNY": 1, "USD": 2, "EUR": 3, "JPY": 4}
_DRAFT, _VALID, _CLOSED = 181, 189, 190
_STATES = {_DRAFT: "未审", _VALID: "生效", _CLOSED: "中止"}
_CUSTOMER, _VENDOR, _BOTH = 211, 226, 228
_KINDS = {_CUSTOMER: "客户", _VENDOR: "供应商", _BOTH: "客户/供应商"}
BOTH = "BOTH-1"
"""The code of a partner out of use who was customer and vendor, which nobody of the reference company is."""
_ORDER = "id number=code ordered_on=voucherdate changed_at=updated total.currency=idcurrency"
_LINE = "sku=idinventory unit=idunit quantity price=origTaxPrice amount=origTaxAmount"
_PAID = {InvoiceStatus.PART_PAID: Decimal("0.5"), InvoiceStatus.PAID: Decimal(1)}


class ChanjetTplus(VendorTables):
    """T+'s database of one set of books."""

    meta = META

    def fixed_rows(self) -> Rows:
        company = self.company
        return [
            *((WAREHOUSES, {"id": n, "code": code, "name": name})
              for n, (code, name) in enumerate(company.warehouses.items(), 1)),
            *((PARTNERS, self._partner(each, _CUSTOMER)) for each in company.customers.values()),
            *((PARTNERS, self._partner(each, _VENDOR)) for each in company.vendors.values()),
            (PARTNERS, {"id": 9999, "code": BOTH, "name": "Both sides", "partnerType": _BOTH, "disabled": 1}),
            *((PAYMENTS, self._payment(each)) for each in company.payments.values()
              if each.status is not PaymentStatus.CANCELLED),
            (PAYMENTS, {"id": 9998, "code": "EMPLOYEE-1", "idpartner": None, "voucherState": _VALID, "isReceiveFlag": 0,
                        "origAmount": Decimal(5), "updated": company.payments["PAY-1001"].changed_at}),
            *((RECEIPTS, self._receipt(each)) for each in company.receipts.values()),
            (RECEIPTS, self._receipt(next(iter(company.receipts.values())))
             | {"id": 1, "code": "GRN-0", "voucherState": _DRAFT}),
            *((PERSONS, {"id": n, "name": user.name}) for n, user in enumerate(company.users, 1)),
            *((UNITS, {"id": int(code), "name": name}) for name, code in self.units().items()),
            *((CLASSES, {"id": int(code), "name": name}) for name, code in self.classes().items()),
            *((CURRENCIES, {"id": n, "code": "RMB" if code == "CNY" else code}) for code, n in _CURRENCIES.items()),
            *((STATES, {"id": n, "Name": name}) for n, name in (_STATES | _KINDS).items()),
        ]  # fmt: skip

    def links(self) -> Mapping[str, Callable[[Any], Any]]:
        return {
            "ID": int,
            "id": int,
            "idcustomer": lambda name: int(self.customer(name).id),
            "idpartner": lambda name: int(self.vendor(name).id),
            "idclerk": self.person,
            "idsaleman": self.person,
            "idcurrency": lambda code: _CURRENCIES.get(code, 1),
            "idinventory": self.item,
            "idunit": lambda name: int(self.units()[name]),
            "idinventoryclass": lambda name: int(self.classes()[name]),
            "saleOutQuantity": lambda quantity: quantity or None,
            "saleOrderCode": lambda number: number or None,
        }

    def _partner(self, partner: Customer | Supplier, kind: int) -> dict[str, Any]:
        shape = "id code name contact=Contact phone=TelephoneNo email=EmailAddr address=CheckAddress changed_at=updated"
        if isinstance(partner, Customer):
            shape += " salesperson=idsaleman credit_limit=saleCreditLine"
        empty = dict.fromkeys(("MobilePhone", "addressJC", "ShipmentAddress"), "")
        return self.told(partner, shape) | {"partnerType": kind, "disabled": int(not partner.is_active), **empty}

    def _payment(self, payment: Payment) -> dict[str, Any]:
        """Return a receipt or payment; what is given back is a red one, with an amount below zero."""
        assert payment.amount is not None
        receipt = payment.partner_kind is PartnerKind.CUSTOMER
        given_back = receipt is (payment.direction is PaymentDirection.SPENT)
        partner = self.customer(payment.partner) if receipt else self.vendor(payment.partner)
        return self.told(
            payment, "id number=code amount.currency=idcurrency paid_on=voucherdate changed_at=updated"
        ) | {
            "idpartner": int(partner.id),
            "voucherState": _DRAFT if payment.status is PaymentStatus.DRAFT else _VALID,
            "isReceiveFlag": int(receipt),
            "origAmount": -payment.amount.amount if given_back else payment.amount.amount,
        }

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        warehouses = numbered(self.company.warehouses)
        shape = "sku=code name spec=specification barcode=defaultBarCode unit=idunit category=idinventoryclass"
        item = self.told(product, shape) | {
            "id": self.item(product.sku),
            "disabled": int(not product.is_active),
            "safeQuantity": level.reorder_point,
            "updated": self.company.product_changes[product.sku],
            "createdtime": level.as_of,
        }
        places: Rows = []
        for place in level.per_warehouse:
            for batch, quantity, expires in batches(level, place):
                row = {
                    "idinventory": self.item(product.sku),
                    "idwarehouse": int(warehouses[place.code]),
                    "batch": batch,
                    "updated": level.as_of,
                    "expiryDate": expires,
                    "baseQuantity": quantity,
                    "forDispatchBaseQuantity": None if batch else place.quantities.reserved,
                    "onWayBaseQuantity": None if batch else place.quantities.incoming,
                }
                places.append((STOCK, row))
        return [(PRODUCTS, item), *places]

    def order(self, order: SalesOrder) -> Rows:
        states = {OrderStatus.DRAFT: _DRAFT, OrderStatus.CLOSED: _CLOSED, OrderStatus.CANCELLED: _CLOSED}
        head = self.told(order, f"{_ORDER} customer=idcustomer salesperson=idclerk")
        lines = self.lines(
            ORDER_ROWS,
            order,
            lambda n: _entry(order, n, "idSaleOrderDTO"),
            f"{_LINE} due_on=deliveryDate delivered=saleOutQuantity",
        )
        return [(ORDERS, head | {"voucherState": states.get(order.status, _VALID)}), *lines]

    def bill(self, invoice: Invoice) -> Rows:
        if invoice.status is InvoiceStatus.VOID:
            return []
        shape = (
            "id=ID number=code order_number=saleOrderCode issued_on=voucherdate due_on=recivingMaturity "
            "changed_at=updated customer=idcustomer total.currency=idcurrency total=origTaxAmount"
        )
        head = self.told(invoice, shape) | {
            "voucherState": _DRAFT if invoice.status is InvoiceStatus.DRAFT else _VALID,
            "origSettleAmount": share_of(invoice.total, _PAID.get(invoice.status, Decimal(0))) or None,
        }
        return [(BILLS, head)]

    def purchase(self, order: PurchaseOrder) -> Rows:
        approval, status = order.review.approval, order.status
        checked = status in {ReviewState.APPROVED, ReviewState.DONE}
        closed = status in {ReviewState.DONE, ReviewState.CANCELLED}
        people = "buyer=idclerk review.requester=maker review.changed_by=reviser"
        head = self.told(order, f"{_ORDER} vendor=idpartner {people}") | {
            "voucherState": _CLOSED if closed else _VALID if checked else _DRAFT,
            "auditor": approval.decided_by if checked and approval else "",
            "auditeddate": approval.decided_at if checked and approval else None,
        }
        lines = self.lines(
            PURCHASE_ROWS,
            order,
            lambda n: _entry(order, n, "idPurchaseOrderDTO") | {"acceptDate": order.due_on},
            _LINE,
        )
        rows: Rows = [(PURCHASES, head)]
        for (_, values), line in zip(lines, order.lines, strict=True):
            rows += [(PURCHASE_ROWS, values), *self._arrived(order, line, values)]
        return rows

    def _arrived(self, order: PurchaseOrder, line: PurchaseLine, row: dict[str, Any]) -> Rows:
        """Return the lines by which an order's line came in; what it says beyond its receipts came without a head."""
        rows: Rows = []
        rest = line.received or Decimal(0)
        for receipt in self.company.receipts.values():
            if order.number not in receipt.order_numbers:
                continue
            for n, moved in enumerate(receipt.lines, 1):
                if moved.sku == line.sku and order_of_line(receipt, moved, self.company.purchases) is order:
                    rows.append(self._arrival(int(receipt.id), n, row, moved.quantity))
                    rest -= moved.quantity
        return rows + ([self._arrival(0, row["id"], row, rest)] if rest else [])

    def _arrival(self, head: int, n: int, row: dict[str, Any], quantity: Decimal) -> tuple[Any, dict[str, Any]]:
        values = {
            "id": 100 * head + n,
            "idPurchaseArrivalDTO": head or None,
            "sourceVoucherDetailId": row["id"],
            "idinventory": row["idinventory"],
            "idunit": row["idunit"],
            "code": f"{n:04}",
            "quantity": quantity,
        }
        return ARRIVALS, values

    def _receipt(self, receipt: GoodsReceipt) -> dict[str, Any]:
        warehouses = {name: n for n, name in enumerate(self.company.warehouses.values(), 1)}
        shape = "id number=code vendor=idpartner received_on=voucherdate changed_at=updated"
        return self.told(receipt, shape) | {"idwarehouse": warehouses[receipt.warehouse], "voucherState": _VALID}


def _entry(order: SalesOrder | PurchaseOrder, n: int, head: str) -> dict[str, Any]:
    return {"id": 100 * int(order.id) + n, head: int(order.id), "code": f"{n:04}"}
