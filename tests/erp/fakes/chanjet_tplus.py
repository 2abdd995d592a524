"""The reference company in the tables of 畅捷通 T+ (docs: platform/erp/sql.md#chanjet-t)."""

from __future__ import annotations

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
    PurchaseStatus,
    SalesOrder,
    StockLevel,
    Supplier,
)
from bot.erp.model.goods import GoodsReceipt
from bot.kit.testing.reference_goods import order_of_line
from tests.erp.fakes.vendor_tables import Rows, VendorTables, batches, midnight, numbered, share_of, table

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

    def _partner(self, partner: Customer | Supplier, kind: int) -> dict[str, Any]:
        row = {
            "id": int(partner.id),
            "partnerType": kind,
            "disabled": int(not partner.is_active),
            "code": partner.code,
            "name": partner.name,
            "Contact": partner.contact,
            "MobilePhone": "",
            "TelephoneNo": partner.phone,
            "EmailAddr": partner.email,
            "addressJC": "",
            "CheckAddress": partner.address,
            "ShipmentAddress": "",
            "updated": partner.changed_at,
        }
        if isinstance(partner, Customer):
            row |= {"idsaleman": self.person(partner.salesperson), "saleCreditLine": partner.credit_limit}
        return row

    def _payment(self, payment: Payment) -> dict[str, Any]:
        """Return a receipt or payment; what is given back is a red one, with an amount below zero."""
        assert payment.amount is not None
        receipt = payment.partner_kind is PartnerKind.CUSTOMER
        given_back = receipt is (payment.direction is PaymentDirection.SPENT)
        return {
            "id": int(payment.id),
            "code": payment.number,
            "idpartner": self._customer(payment.partner) if receipt else self._vendor(payment.partner),
            "idcurrency": _CURRENCIES[payment.amount.currency],
            "voucherState": _DRAFT if payment.status is PaymentStatus.DRAFT else _VALID,
            "isReceiveFlag": int(receipt),
            "origAmount": -payment.amount.amount if given_back else payment.amount.amount,
            "voucherdate": midnight(payment.paid_on),
            "updated": payment.changed_at,
        }

    def _customer(self, name: str) -> int:
        return next(int(each.id) for each in self.company.customers.values() if each.name == name)

    def _vendor(self, name: str) -> int:
        return next(int(each.id) for each in self.company.vendors.values() if each.name == name)

    def product(self, level: StockLevel) -> Rows:
        product = level.product
        warehouses = numbered(self.company.warehouses)
        item = {
            "id": self.item(product.sku),
            "idunit": int(self.units()[product.unit]),
            "idinventoryclass": int(self.classes()[product.category]),
            "disabled": int(not product.is_active),
            "code": product.sku,
            "name": product.name,
            "specification": product.spec,
            "defaultBarCode": product.barcode,
            "safeQuantity": level.reorder_point,
            "updated": self.company.product_changes[product.sku],
            "createdtime": level.as_of,
        }
        places: Rows = [
            (
                STOCK,
                {
                    "idinventory": self.item(product.sku),
                    "idwarehouse": int(warehouses[place.code]),
                    "batch": batch,
                    "updated": level.as_of,
                    "expiryDate": expires,
                    "baseQuantity": quantity,
                    "forDispatchBaseQuantity": None if batch else place.quantities.reserved,
                    "onWayBaseQuantity": None if batch else place.quantities.incoming,
                },
            )
            for place in level.per_warehouse
            for batch, quantity, expires in batches(level, place)
        ]
        return [(PRODUCTS, item), *places]

    def order(self, order: SalesOrder) -> Rows:
        number = int(order.id)
        states = {OrderStatus.DRAFT: _DRAFT, OrderStatus.CLOSED: _CLOSED, OrderStatus.CANCELLED: _CLOSED}
        head = {
            "id": number,
            "code": order.number,
            "voucherdate": midnight(order.ordered_on),
            "updated": order.changed_at,
            "idcustomer": self._customer(order.customer),
            "idclerk": self.person(order.salesperson),
            "idcurrency": _CURRENCIES[order.total.currency] if order.total else 1,
            "voucherState": states.get(order.status, _VALID),
        }
        lines: Rows = [
            (
                ORDER_ROWS,
                {
                    "id": 100 * number + n,
                    "idSaleOrderDTO": number,
                    "code": f"{n:04}",
                    "idinventory": self.item(line.sku),
                    "idunit": int(self.units()[line.unit]),
                    "deliveryDate": midnight(line.due_on),
                    "quantity": line.quantity,
                    "saleOutQuantity": line.delivered or None,
                    "origTaxPrice": line.price,
                    "origTaxAmount": line.amount,
                },
            )
            for n, line in enumerate(order.lines, 1)
        ]
        return [(ORDERS, head), *lines]

    def bill(self, invoice: Invoice) -> Rows:
        if invoice.status is InvoiceStatus.VOID:
            return []
        head = {
            "ID": int(invoice.id),
            "code": invoice.number,
            "saleOrderCode": invoice.order_number or None,
            "voucherdate": midnight(invoice.issued_on),
            "recivingMaturity": midnight(invoice.due_on),
            "updated": invoice.changed_at,
            "idcustomer": self._customer(invoice.customer),
            "idcurrency": _CURRENCIES[invoice.total.currency] if invoice.total else 1,
            "voucherState": _DRAFT if invoice.status is InvoiceStatus.DRAFT else _VALID,
            "origTaxAmount": invoice.total,
            "origSettleAmount": share_of(invoice.total, _PAID.get(invoice.status, Decimal(0))) or None,
        }
        return [(BILLS, head)]

    def purchase(self, order: PurchaseOrder) -> Rows:
        number, approval, status = int(order.id), order.approval, order.status
        checked = status in {PurchaseStatus.APPROVED, PurchaseStatus.DONE}
        closed = status in {PurchaseStatus.DONE, PurchaseStatus.CANCELLED}
        head = {
            "id": number,
            "code": order.number,
            "voucherdate": midnight(order.ordered_on),
            "updated": order.changed_at,
            "idpartner": self._vendor(order.vendor),
            "idclerk": self.person(order.buyer),
            "idcurrency": _CURRENCIES[order.total.currency] if order.total else 1,
            "voucherState": _CLOSED if closed else _VALID if checked else _DRAFT,
            "maker": order.requester,
            "reviser": order.changed_by,
            "auditor": approval.decided_by if checked and approval else "",
            "auditeddate": approval.decided_at if checked and approval else None,
        }
        rows: Rows = [(PURCHASES, head)]
        for n, line in enumerate(order.lines, 1):
            values = {
                "id": 100 * number + n,
                "idPurchaseOrderDTO": number,
                "code": f"{n:04}",
                "idinventory": self.item(line.sku),
                "idunit": int(self.units()[line.unit]),
                "acceptDate": midnight(order.due_on),
                "quantity": line.quantity,
                "origTaxPrice": line.price,
                "origTaxAmount": line.amount,
            }
            rows.append((PURCHASE_ROWS, values))
            rows += self._arrived(order, line, values)
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
        return {
            "id": int(receipt.id),
            "code": receipt.number,
            "idpartner": self._vendor(receipt.vendor),
            "idwarehouse": warehouses[receipt.warehouse],
            "voucherState": _VALID,
            "voucherdate": midnight(receipt.received_on),
            "updated": receipt.changed_at,
        }
