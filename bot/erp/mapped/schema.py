"""The fields of each record that a configuration may map, the kind of each, and which it must map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bot.erp.goods import DeliveryStatus
from bot.erp.model import (
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    PaymentStatus,
    ProductionStatus,
    Progress,
    PurchaseStatus,
)


class FieldKind(StrEnum):
    """How a value is read; an enumeration of the domain stands for its own words."""

    KEY = "key"
    """A code or number: text without the blanks with which fixed-width columns fill it up."""
    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a shape."""

    kind: FieldKind | type[StrEnum]
    required: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words of an enumeration, else none."""
        return () if isinstance(self.kind, FieldKind) else tuple(self.kind)


Schema = Mapping[str, FieldSpec]


def _schema(required: str, **kinds: FieldKind | type[StrEnum]) -> Schema:
    needed = required.split()
    return MappingProxyType({name: FieldSpec(kind, name in needed) for name, kind in kinds.items()})


_FIGURES = dict.fromkeys(("on_hand", "reserved", "available", "incoming", "outgoing", "forecast"), FieldKind.NUMBER)

_PRODUCT = {
    "sku": FieldKind.KEY,
    "name": FieldKind.TEXT,
    "spec": FieldKind.TEXT,
    "unit": FieldKind.KEY,
    "category": FieldKind.TEXT,
    "barcode": FieldKind.KEY,
    "is_active": FieldKind.FLAG,
}

PRODUCT = _schema("sku name", **_PRODUCT)
PLACE = _schema("code on_hand", code=FieldKind.KEY, name=FieldKind.TEXT, **_FIGURES)
STOCK = _schema("", **_FIGURES, reorder_point=FieldKind.NUMBER, as_of=FieldKind.MOMENT, company=FieldKind.TEXT)
LOT = _schema(
    "number quantity",
    number=FieldKind.KEY,
    quantity=FieldKind.NUMBER,
    expires_on=FieldKind.DAY,
    warehouse=FieldKind.KEY,
)
SALES_ORDER = _schema(
    "number customer status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    customer=FieldKind.TEXT,
    status=OrderStatus,
    delivery=Progress,
    billing=Progress,
    payment=Progress,
    ordered_on=FieldKind.DAY,
    promised_on=FieldKind.DAY,
    total=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    salesperson=FieldKind.TEXT,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
ORDER_LINE = _schema(
    "sku quantity",
    sku=FieldKind.KEY,
    name=FieldKind.TEXT,
    unit=FieldKind.KEY,
    quantity=FieldKind.NUMBER,
    delivered=FieldKind.NUMBER,
    invoiced=FieldKind.NUMBER,
    price=FieldKind.NUMBER,
    amount=FieldKind.NUMBER,
    taxed=FieldKind.FLAG,
    currency=FieldKind.KEY,
    due_on=FieldKind.DAY,
)
INVOICE = _schema(
    "number customer status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    customer=FieldKind.TEXT,
    status=InvoiceStatus,
    issued_on=FieldKind.DAY,
    due_on=FieldKind.DAY,
    total=FieldKind.NUMBER,
    open_amount=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    is_credit_note=FieldKind.FLAG,
    order_number=FieldKind.KEY,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
PURCHASE_ORDER = _schema(
    "number vendor status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    vendor=FieldKind.TEXT,
    status=PurchaseStatus,
    requester=FieldKind.KEY,
    changed_by=FieldKind.KEY,
    buyer=FieldKind.TEXT,
    ordered_on=FieldKind.DAY,
    due_on=FieldKind.DAY,
    total=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    received=Progress,
    version=FieldKind.KEY,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
    pending_for=FieldKind.NAMES,
    level=FieldKind.COUNT,
    levels=FieldKind.COUNT,
    decided_by=FieldKind.KEY,
    decided_at=FieldKind.MOMENT,
    reason=FieldKind.TEXT,
    task_id=FieldKind.KEY,
)
PURCHASE_LINE = _schema(
    "sku quantity",
    sku=FieldKind.KEY,
    name=FieldKind.TEXT,
    unit=FieldKind.KEY,
    quantity=FieldKind.NUMBER,
    received=FieldKind.NUMBER,
    price=FieldKind.NUMBER,
    amount=FieldKind.NUMBER,
    taxed=FieldKind.FLAG,
    currency=FieldKind.KEY,
)
PRODUCTION_ORDER = _schema(
    "number sku planned status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    sku=FieldKind.KEY,
    name=FieldKind.TEXT,
    unit=FieldKind.KEY,
    planned=FieldKind.NUMBER,
    produced=FieldKind.NUMBER,
    scrapped=FieldKind.NUMBER,
    status=ProductionStatus,
    start_on=FieldKind.DAY,
    due_on=FieldKind.DAY,
    material_ready=FieldKind.FLAG,
    sales_order=FieldKind.KEY,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
_PARTNER = {
    "id": FieldKind.KEY,
    "code": FieldKind.KEY,
    "name": FieldKind.TEXT,
    "contact": FieldKind.TEXT,
    "phone": FieldKind.TEXT,
    "email": FieldKind.TEXT,
    "address": FieldKind.TEXT,
    "payment_terms": FieldKind.TEXT,
    "currency": FieldKind.KEY,
    "is_active": FieldKind.FLAG,
    "url": FieldKind.KEY,
    "changed_at": FieldKind.MOMENT,
}
CUSTOMER = _schema(
    "code name",
    **_PARTNER,
    salesperson=FieldKind.TEXT,
    credit_limit=FieldKind.NUMBER,
    receivable=FieldKind.NUMBER,
)
VENDOR = _schema("code name", **_PARTNER, buyer=FieldKind.TEXT, payable=FieldKind.NUMBER)
BILL = _schema(
    "number vendor status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    vendor=FieldKind.TEXT,
    status=InvoiceStatus,
    issued_on=FieldKind.DAY,
    due_on=FieldKind.DAY,
    total=FieldKind.NUMBER,
    open_amount=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    is_credit_note=FieldKind.FLAG,
    order_number=FieldKind.KEY,
    reference=FieldKind.KEY,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
PAYMENT = _schema(
    "number partner partner_kind direction status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    partner=FieldKind.TEXT,
    partner_kind=PartnerKind,
    direction=PaymentDirection,
    status=PaymentStatus,
    paid_on=FieldKind.DAY,
    amount=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    method=FieldKind.TEXT,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
SETTLED = _schema("number", number=FieldKind.KEY)
DELIVERY = _schema(
    "number customer status",
    id=FieldKind.KEY,
    number=FieldKind.KEY,
    order_number=FieldKind.KEY,
    customer=FieldKind.TEXT,
    status=DeliveryStatus,
    planned_on=FieldKind.DAY,
    shipped_on=FieldKind.DAY,
    carrier=FieldKind.TEXT,
    tracking=FieldKind.KEY,
    is_return=FieldKind.FLAG,
    salesperson=FieldKind.TEXT,
    warehouse=FieldKind.TEXT,
    url=FieldKind.KEY,
    changed_at=FieldKind.MOMENT,
)
DELIVERY_LINE = _schema(
    "sku quantity", sku=FieldKind.KEY, name=FieldKind.TEXT, unit=FieldKind.KEY, quantity=FieldKind.NUMBER
)
SUPPLY = _schema("vendor", vendor=FieldKind.TEXT, code=FieldKind.KEY, lead_days=FieldKind.NUMBER)
USE = _schema("sku quantity", sku=FieldKind.KEY, name=FieldKind.TEXT, unit=FieldKind.KEY, quantity=FieldKind.NUMBER)
LIST_PRICE = _schema("", list_price=FieldKind.NUMBER, standard_cost=FieldKind.NUMBER, currency=FieldKind.KEY)
PRICE_POINT = _schema(
    "document partner quantity price",
    document=FieldKind.KEY,
    day=FieldKind.DAY,
    partner=FieldKind.TEXT,
    quantity=FieldKind.NUMBER,
    unit=FieldKind.KEY,
    price=FieldKind.NUMBER,
    currency=FieldKind.KEY,
    owner=FieldKind.TEXT,
)
ARRIVAL = _schema(
    "document sku quantity",
    document=FieldKind.KEY,
    sku=FieldKind.KEY,
    name=FieldKind.TEXT,
    unit=FieldKind.KEY,
    quantity=FieldKind.NUMBER,
    received=FieldKind.NUMBER,
    due_on=FieldKind.DAY,
    partner=FieldKind.TEXT,
    category=FieldKind.TEXT,
    warehouse=FieldKind.TEXT,
    owners=FieldKind.NAMES,
)
WAREHOUSE = _schema("code", id=FieldKind.KEY, code=FieldKind.KEY, name=FieldKind.TEXT)
STORED = _schema("sku name on_hand", **_PRODUCT, **_FIGURES)
NEEDED = _schema(
    "sku name warehouse on_hand",
    **_PRODUCT,
    warehouse=FieldKind.KEY,
    **_FIGURES,
    reorder_point=FieldKind.NUMBER,
)
CHANGE = _schema("key changed_at", key=FieldKind.KEY, changed_at=FieldKind.MOMENT)

MONEY = frozenset(
    ("total", "open_amount", "price", "amount", "credit_limit", "receivable", "payable", "list_price", "standard_cost")
)
"""Numbers that are amounts of the record's currency."""
