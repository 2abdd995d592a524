"""Queries to the Service Layer: text inside a ``$filter``, document entities and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from bot.erp import kinds
from bot.erp.conditions import all_of, literal
from bot.erp.header_lists import Header
from bot.erp.keys import spellings
from bot.erp.kinds import Kind
from bot.erp.port import Filter, ListQuery
from bot.erp.sap_b1.mapping import Row, day_of
from bot.erp.values import code, text

ITEMS = "Items"
LONGEST_PART = 50
"""Characters of a searched text that are sent: conditions go into the URL, whose length is limited."""


def equals(field: str, value: str | int) -> str:
    """Return the condition that a field has a value."""
    return f"{field} eq {value if isinstance(value, int) else literal(value)}"


def one_of(field: str, values: Iterable[str | int]) -> str:
    """Return the condition that a field has one of these values: there is no ``in``."""
    return either(*(equals(field, value) for value in values))


def spelled(field: str, text: str) -> str:
    """Return the condition that a field is a code in any case; old releases are always case-sensitive."""
    return one_of(field, spellings(text))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that matches at least the records whose field contains a text.

    Control characters are left out; the parts between them are searched separately.
    """
    parts = [part for part in re.split(r"[\x00-\x1f\x7f\u2028\u2029]+", text[:LONGEST_PART]) if part.strip()]
    return either(*(all_of(*(f"contains({field},{literal(part)})" for part in parts)) for field in fields))


def either(*conditions: str) -> str:
    """Join non-empty conditions with OR."""
    known = [condition for condition in conditions if condition]
    return known[0] if len(known) == 1 else f"({' or '.join(known)})" if known else ""


def day_text(day: date, version: str) -> str:
    """Return a day as a literal: quoted in v1 only."""
    return day.isoformat() if version == "v2" else literal(day.isoformat())


def days_of(entity: DocumentEntity, query: ListQuery, version: str) -> Iterator[str]:
    """Yield the conditions for the days that a list is asked for."""
    own = entity.finished_day if query.filter is Filter.DONE else entity.day
    for name, period in ((own, query.during), (entity.due, query.due)):
        if period is not None:
            yield f"{name} ge {day_text(period.first, version)}"
            yield f"{name} le {day_text(period.last, version)}"


_LONGEST_NAME = 100
"""Characters of the longest name of a partner."""


def of_partner(field: str, partner: str) -> str:
    """Return a condition that matches at least the records of a partner with this name."""
    return spelled(field, partner) if field and partner.isprintable() and 0 < len(partner) <= _LONGEST_NAME else ""


def of_lines(entity: str, sku: str, where: str) -> Row:
    """Return the query for documents that have a line of an item, by the keys of the documents, in their order.

    Docs: platform/erp/sap-b1.md#lines
    """
    lines = f"{entity}/DocumentLines"
    joined = f"{entity}/DocEntry eq {lines}/DocEntry"
    return {
        "QueryPath": f"$crossjoin({entity},{lines})",
        "QueryOption": f"$expand={entity}($select=DocEntry)"
        f"&$filter={all_of(joined, where, spelled(f'{lines}/ItemCode', sku))}"
        f"&$orderby={entity}/DocEntry",
    }


def heads_with_lines(entity: DocumentEntity, query: ListQuery, start: date, version: str) -> str:
    """Return a condition for joined heads that matches at least those of a list, which without days begins then."""
    if query.filter is not Filter.ALL:
        return f"{entity.name}/{entity.unfinished}" if entity.unfinished == _OPEN else ""
    if query.due is not None and query.during is None:
        return ""
    return f"{entity.name}/{entity.day} ge {day_text(query.during.first if query.during else start, version)}"


def query_text(**options: str) -> str:
    """Return system options as a query string; spaces become %20, as not every server decodes a plus."""
    parameters = {f"${name}": value for name, value in options.items() if value}
    return urlencode(parameters, safe="$(),'", quote_via=quote)


def parameter_text(**values: str) -> str:
    """Return the parameters of a stored query as a query string."""
    return urlencode({name: literal(value) for name, value in values.items()}, safe="'", quote_via=quote)


_SPELLED = re.compile(r"([A-Z]?)(?:(\d{1,10})-)?(\d{1,10})", re.ASCII)
_GREATEST = 2**31 - 1
"""Keys and numbers are Edm.Int32."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentEntity:
    """One kind of document in one entity."""

    name: str
    """The entity's name in the Service Layer."""
    prefix: str = ""
    """Prefix of numbers, so that numbers of entities differ."""
    drafts_of: str = ""
    """The kind of document that these drafts become; empty if they are not drafts."""
    key: str = "DocEntry"
    number_field: str = "DocNum"
    """The field with the number that people use."""
    day: str = "DocDate"
    """The day that lists are ordered by."""
    due: str = "DocDueDate"
    unfinished: str = ""
    """The condition for documents that may be open; empty if none can be."""
    finished: str = ""
    """The condition for documents that are finished; empty if none can be."""
    finished_day: str = ""
    """The field with the day on which they were."""
    is_credit_note: bool = False
    """Whether these are credit notes, which are never overdue."""
    only: str = ""
    """The condition that a record of the entity is one of these documents, if not all are."""
    partner: str = "CardName"
    """The field with the partner's name; empty if there is none."""
    signature: str = "UserSign"
    """The field with the key of the user who created it; empty if there is none."""
    texts: tuple[str, ...] = ("CardName",)
    """The searched fields besides the number."""
    select: tuple[str, ...]
    """The fields of a whole document."""

    @property
    def where(self) -> str:
        """Return the condition that a record of the entity is of this kind."""
        return all_of(equals("DocObjectCode", self.drafts_of) if self.drafts_of else "", self.only)

    @property
    def current(self) -> str:
        """Return the condition that excludes drafts that became a document."""
        return equals("DocumentStatus", "bost_Open") if self.drafts_of else ""

    @property
    def head(self) -> tuple[str, ...]:
        """Return the fields by which documents are listed and searched."""
        return tuple(dict.fromkeys((self.key, self.number_field, self.day, *self.texts)))

    def header(self, row: Row) -> Header[DocumentKey]:
        """Return what sorting and searching need, from the fields of `head`."""
        texts = tuple(text(row.get(name)) for name in self.texts)
        partner = text(row.get(self.partner)) if self.partner else ""
        return Header(self.key_of(row), self.number(row), day_of(row.get(self.day)), texts, partner)

    def key_of(self, row: Row) -> DocumentKey:
        return self, int(row[self.key])

    def signed_by(self, row: Row) -> str:
        """Return the key of the user who created a document."""
        return code(row.get(self.signature))

    def number(self, row: Row) -> str:
        return self.prefix + code(row[self.key if self.drafts_of else self.number_field])

    def exact(self, row: Row) -> str:
        """Return a document's number with its series, which makes it unique."""
        return f"{self.prefix}{code(row.get('Series'))}-{code(row.get(self.number_field))}"

    def spelled(self, number: str) -> str:
        """Return the condition for the document with a number, empty if none can have it."""
        found = _SPELLED.fullmatch(number.strip().upper())
        if found is None or found[1] != self.prefix or int(found[3]) > _GREATEST or int(found[2] or 0) > _GREATEST:
            return ""
        series = equals("Series", int(found[2])) if found[2] else ""
        field = self.key if self.drafts_of else self.number_field
        return all_of(equals(field, int(found[3])), series, self.where)


DocumentKey = tuple[DocumentEntity, int]
"""The key of a document: orders and drafts are numbered separately."""
Found = tuple[DocumentEntity, Row]
"""A document's record, and the entity that contains it."""

_DOCUMENT = (
    "DocEntry", "DocNum", "Series", "CardName", "DocDate", "DocDueDate", "DocTotal", "DocTotalFc", "DocCurrency",
    "DocumentStatus", "Cancelled", "CancelStatus", "SalesPersonCode", "UserSign", "UpdateDate", "UpdateTime",
    "DocumentLines",
)  # fmt: skip
_OPEN = equals("DocumentStatus", "bost_Open")
_PAID = (*_DOCUMENT, "PaidToDate", "PaidToDateFC")

_ORDER = (*_DOCUMENT, "CardCode")
ORDERS = DocumentEntity(name="Orders", unfinished=_OPEN, select=_ORDER)
ORDER_DRAFTS = DocumentEntity(name="Drafts", prefix="D", drafts_of="oOrders", select=(*_ORDER, "AuthorizationStatus"))
INVOICES = DocumentEntity(name="Invoices", unfinished=_OPEN, select=_PAID)
CREDIT_NOTES = DocumentEntity(name="CreditNotes", prefix="C", unfinished=_OPEN, is_credit_note=True, select=_PAID)
INVOICE_DRAFTS = DocumentEntity(name="Drafts", prefix="D", drafts_of="oInvoices", select=_PAID)
PURCHASES = DocumentEntity(name="PurchaseOrders", unfinished=_OPEN, select=_ORDER)
PURCHASE_DRAFTS = DocumentEntity(
    name="Drafts",
    prefix="D",
    drafts_of="oPurchaseOrders",
    # Approved, but the order was not generated yet.
    unfinished=equals("AuthorizationStatus", "dasApproved"),
    select=(*_DOCUMENT, "AuthorizationStatus"),
)
_BILLED = (*_PAID, "NumAtCard")
_SEARCHED_BILL = ("CardName", "NumAtCard")
BILLS = DocumentEntity(name="PurchaseInvoices", unfinished=_OPEN, texts=_SEARCHED_BILL, select=_BILLED)
VENDOR_CREDITS = DocumentEntity(
    name="PurchaseCreditNotes",
    prefix="C",
    unfinished=_OPEN,
    is_credit_note=True,
    texts=_SEARCHED_BILL,
    select=_BILLED,
)
BILL_DRAFTS = DocumentEntity(
    name="Drafts",
    prefix="D",
    drafts_of="oPurchaseInvoices",
    texts=_SEARCHED_BILL,
    select=(*_BILLED, "AuthorizationStatus"),
)
_PAYMENT = (
    "DocEntry", "DocNum", "Series", "DocType", "CardName", "DocDate", "DocCurrency", "CashSum", "TransferSum",
    "BillOfExchangeAmount", "Cancelled", "CancelStatus", "PaymentChecks", "PaymentCreditCards", "PaymentInvoices",
)  # fmt: skip
_OF_PARTNERS = one_of("DocType", ("rCustomer", "rSupplier"))
RECEIPTS = DocumentEntity(
    name="IncomingPayments", prefix="R", due="DueDate", only=_OF_PARTNERS, signature="", select=_PAYMENT
)
OUTGOING = replace(RECEIPTS, name="VendorPayments", prefix="P")
_DELIVERY = (
    "DocEntry", "DocNum", "Series", "CardName", "DocDate", "DocDueDate", "Cancelled", "CancelStatus", "SalesPersonCode",
    "UserSign", "TransportationCode", "TrackingNumber", "UpdateDate", "UpdateTime", "DocumentLines",
)  # fmt: skip
DELIVERY_NOTES = DocumentEntity(name="DeliveryNotes", select=_DELIVERY)
RETURNS = DocumentEntity(name="Returns", prefix="T", select=_DELIVERY)
_CAME_IN = all_of(
    equals("Cancelled", "tNO"),
    # A cancelled document and the one that cancels it both stay.
    equals("CancelStatus", "csNo"),
    # Services are received, too.
    equals("DocType", "dDocument_Items"),
)
_RECEIPT = (
    "DocEntry",
    "DocNum",
    "Series",
    "CardName",
    "DocDate",
    "UserSign",
    "UpdateDate",
    "UpdateTime",
    "DocumentLines",
)
GOODS_RECEIPTS = DocumentEntity(name="PurchaseDeliveryNotes", only=_CAME_IN, select=_RECEIPT)
GOODS_RETURNS = DocumentEntity(name="PurchaseReturns", prefix="T", only=_CAME_IN, select=_RECEIPT)
_PRODUCTION = (
    "AbsoluteEntry", "DocumentNumber", "Series", "ItemNo", "ProductDescription", "InventoryUOM",
    "ProductionOrderStatus", "PlannedQuantity", "CompletedQuantity", "RejectedQuantity", "StartDate", "DueDate",
    "ClosingDate", "UserSignature", "ProductionOrderOrigin", "ProductionOrderOriginNumber", "ProductionOrderLines",
)  # fmt: skip
PRODUCTION = DocumentEntity(
    name="ProductionOrders",
    key="AbsoluteEntry",
    number_field="DocumentNumber",
    day="StartDate",
    due="DueDate",
    unfinished=one_of("ProductionOrderStatus", ("boposPlanned", "boposReleased")),
    finished=equals("ProductionOrderStatus", "boposClosed"),
    finished_day="ClosingDate",
    partner="",
    signature="UserSignature",
    texts=("ItemNo", "ProductDescription"),
    select=_PRODUCTION,
)

ENTITIES: Mapping[Kind[Any], tuple[DocumentEntity, ...]] = {
    kinds.SALES_ORDERS: (ORDERS, ORDER_DRAFTS),
    kinds.INVOICES: (INVOICES, CREDIT_NOTES, INVOICE_DRAFTS),
    kinds.PURCHASE_ORDERS: (PURCHASES, PURCHASE_DRAFTS),
    kinds.PRODUCTION_ORDERS: (PRODUCTION,),
    kinds.BILLS: (BILLS, VENDOR_CREDITS, BILL_DRAFTS),
    kinds.PAYMENTS: (RECEIPTS, OUTGOING),
    kinds.DELIVERIES: (DELIVERY_NOTES, RETURNS),
    kinds.RECEIPTS: (GOODS_RECEIPTS, GOODS_RETURNS),
}
