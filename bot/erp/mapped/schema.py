"""The fields of each record that a configuration may map, the kind of each, and which it must map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bot.erp.kinds.quotations import QuotationStatus
from bot.erp.model import (
    InvoiceStatus,
    OrderStatus,
    PartnerKind,
    PaymentDirection,
    PaymentStatus,
    ProductionStatus,
    Progress,
    ReviewState,
)
from bot.erp.model.goods import DeliveryStatus


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

_OF_KIND = {
    FieldKind.KEY: (
        "barcode changed_by code currency decided_by document id key number order_number reference requester "
        "lot sales_order sku task_id tracking unit url version"
    ),
    FieldKind.TEXT: (
        "address buyer carrier category company contact customer email method name owner partner "
        "payment_terms phone reason salesperson spec vendor warehouse"
    ),
    FieldKind.NUMBER: (
        "amount available credit_limit delivered forecast incoming invoiced lead_days list_price on_hand "
        "open_amount outgoing payable planned price produced quantity receivable received reorder_point reserved "
        "scrapped standard_cost total"
    ),
    FieldKind.COUNT: "level levels",
    FieldKind.DAY: (
        "day due_on expires_on finished_on issued_on ordered_on paid_on planned_on promised_on received_on shipped_on"
        " start_on quoted_on valid_until"
    ),
    FieldKind.MOMENT: "as_of changed_at decided_at",
    FieldKind.FLAG: "is_active is_credit_note is_return material_ready taxed",
    FieldKind.NAMES: "created_by order_numbers owners pending_for",
}
"""What a field is read as wherever it stands; `_schema` is told the few that differ from record to record."""
_KINDS = {name: kind for kind, names in _OF_KIND.items() for name in names.split()}


def _schema(names: str, **others: FieldKind | type[StrEnum]) -> Schema:
    """Return the fields of a record by their names, required ones with an exclamation mark."""
    fields = {name.rstrip("!"): name.endswith("!") for name in names.split()}
    return MappingProxyType(
        {name: FieldSpec(others.get(name) or _KINDS[name], required) for name, required in fields.items()}
    )


_FIGURES = "on_hand reserved available incoming outgoing forecast"
_FIGURES_ON_HAND = _FIGURES.replace("on_hand", "on_hand!")
_PRODUCT = "sku! name! spec unit category barcode is_active"
_PARTNER = "id code! name! contact phone email address payment_terms currency is_active url changed_at"

_REVIEW = "requester changed_by version pending_for level levels decided_by decided_at reason task_id"
"""How far a document is on its way through its approval."""

PRODUCT = _schema(_PRODUCT)
PLACE = _schema(f"code! name {_FIGURES_ON_HAND}")
STOCK = _schema(f"{_FIGURES} reorder_point as_of company")
LOT = _schema("number! quantity! expires_on warehouse", warehouse=FieldKind.KEY)
SALES_ORDER = _schema(
    "id number! customer! status! delivery billing payment ordered_on promised_on total currency salesperson "
    f"created_by url changed_at review {_REVIEW}",
    review=ReviewState,
    status=OrderStatus,
    delivery=Progress,
    billing=Progress,
    payment=Progress,
)
ORDER_LINE = _schema("sku! name unit quantity! delivered invoiced price amount taxed currency due_on")
QUOTATION = _schema(
    "id number! customer! status! quoted_on valid_until total currency salesperson order_number created_by url "
    f"changed_at review {_REVIEW}",
    review=ReviewState,
    status=QuotationStatus,
)
INVOICE = _schema(
    "id number! customer! status! issued_on due_on total open_amount currency is_credit_note order_number created_by "
    "url changed_at",
    status=InvoiceStatus,
)
PURCHASE_ORDER = _schema(
    f"id number! vendor! status! buyer ordered_on due_on total currency received created_by url changed_at {_REVIEW}",
    status=ReviewState,
    received=Progress,
)
PURCHASE_LINE = _schema("sku! name unit quantity! received price amount taxed currency")
PRODUCTION_ORDER = _schema(
    "id number! sku! name unit planned! produced scrapped status! start_on due_on finished_on material_ready "
    "sales_order "
    "created_by url changed_at",
    status=ProductionStatus,
)
CUSTOMER = _schema(f"{_PARTNER} salesperson credit_limit receivable")
VENDOR = _schema(f"{_PARTNER} buyer payable")
BILL = _schema(
    "id number! vendor! status! issued_on due_on total open_amount currency is_credit_note order_number "
    f"reference created_by url changed_at review {_REVIEW}",
    review=ReviewState,
    status=InvoiceStatus,
)
PAYMENT = _schema(
    "id number! partner! partner_kind! direction! status! paid_on amount currency method created_by url changed_at",
    partner_kind=PartnerKind,
    direction=PaymentDirection,
    status=PaymentStatus,
)
SETTLED = _schema("number!")
DELIVERY = _schema(
    "id number! order_number customer! status! planned_on shipped_on carrier tracking is_return salesperson "
    "warehouse created_by url changed_at",
    status=DeliveryStatus,
)
DELIVERY_LINE = _schema("sku! name unit quantity!")
RECEIPT = _schema("id number! order_numbers vendor! received_on warehouse is_return owners created_by url changed_at")
RECEIPT_LINE = _schema("sku! name unit quantity! lot")
SUPPLY = _schema("vendor! code lead_days")
USE = _schema("sku! name unit quantity!")
LIST_PRICE = _schema("list_price standard_cost currency")
PRICE_POINT = _schema("document! day partner! quantity! unit price! currency owner")
ARRIVAL = _schema("document! sku! name unit quantity! received due_on partner category warehouse owners")
WAREHOUSE = _schema("id code! name")
STORED = _schema(f"{_PRODUCT} {_FIGURES_ON_HAND}")
NEEDED = _schema(f"{_PRODUCT} warehouse! {_FIGURES_ON_HAND} reorder_point", warehouse=FieldKind.KEY)
CHANGE = _schema("key! changed_at!")

MONEY = frozenset(
    ("total", "open_amount", "price", "amount", "credit_limit", "receivable", "payable", "list_price", "standard_cost")
)
"""Numbers that are amounts of the record's currency."""
