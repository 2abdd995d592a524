"""What is asked of the Service Layer: text inside a ``$filter``, entities of documents and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

from bot.erp import listing
from bot.erp.header_lists import Header
from bot.erp.keys import spellings
from bot.erp.listing import Listing
from bot.erp.sap_b1.mapping import Row, day_of
from bot.erp.values import code, text

ITEMS = "Items"
_LONGEST_PART = 50
"""Characters of a searched text that are sent: conditions stand in the address, whose length is limited."""


def literal(text: str) -> str:
    """Return a text as a literal, its quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def equals(field: str, value: str | int) -> str:
    """Return the condition that a field has a value."""
    return f"{field} eq {value if isinstance(value, int) else literal(value)}"


def one_of(field: str, values: Iterable[str | int]) -> str:
    """Return the condition that a field has one of these values: there is no ``in``."""
    return either(*(equals(field, value) for value in values))


def spelled(field: str, text: str) -> str:
    """Return the condition that a field is a code in some case; old releases are always case-sensitive."""
    return one_of(field, spellings(text))


def contains(fields: Iterable[str], text: str) -> str:
    """Return a condition that holds wherever a field contains a text, and perhaps elsewhere.

    Control characters are left out, and what stands between them is looked for by itself.
    """
    parts = [part for part in re.split(r"[\x00-\x1f\x7f\u2028\u2029]+", text[:_LONGEST_PART]) if part.strip()]
    return either(*(all_of(*(f"contains({field},{literal(part)})" for part in parts)) for field in fields))


def either(*conditions: str) -> str:
    """Join conditions that are not empty: one must hold."""
    known = [condition for condition in conditions if condition]
    return known[0] if len(known) == 1 else f"({' or '.join(known)})" if known else ""


def all_of(*conditions: str) -> str:
    """Join conditions that are not empty: all must hold."""
    return " and ".join(filter(None, conditions))


def day_text(day: date, version: str) -> str:
    """Return a day as a literal: quoted in v1 only."""
    return day.isoformat() if version == "v2" else literal(day.isoformat())


def query_text(**options: str) -> str:
    """Return system options as the query of an address; blanks become %20, as not every server reads a plus."""
    given = {f"${name}": value for name, value in options.items() if value}
    return urlencode(given, safe="$(),'", quote_via=quote)


_SPELLED = re.compile(r"([A-Z]?)(?:(\d{1,10})-)?(\d{1,10})", re.ASCII)
_GREATEST = 2**31 - 1
"""Keys and numbers are Edm.Int32."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentEntity:
    """One kind of documents in one entity."""

    name: str
    """The entity at the Service Layer."""
    prefix: str = ""
    """What stands before a number, so that numbers of entities differ."""
    drafts_of: str = ""
    """The kind of document that drafts are to become; empty: these are no drafts."""
    key: str = "DocEntry"
    number_field: str = "DocNum"
    """The field of what people call the number."""
    day: str = "DocDate"
    """The day by which lists are ordered."""
    due: str = "DocDueDate"
    unfinished: str = ""
    """The condition for documents that may be late or overdue; empty: none of them can be."""
    texts: tuple[str, ...] = ("CardName",)
    """What lists are searched by, besides the number."""
    select: tuple[str, ...]
    """What is read of a whole document."""

    @property
    def where(self) -> str:
        """Return the condition that a record of the entity is of this kind."""
        return equals("DocObjectCode", self.drafts_of) if self.drafts_of else ""

    @property
    def current(self) -> str:
        """Return the condition that leaves out drafts that became a document."""
        return equals("DocumentStatus", "bost_Open") if self.drafts_of else ""

    @property
    def head(self) -> tuple[str, ...]:
        """Return the fields by which documents are listed and searched."""
        return tuple(dict.fromkeys((self.key, self.number_field, self.day, *self.texts)))

    def header(self, row: Row) -> Header[DocumentKey]:
        """Return what order and search need, of the fields of `head`."""
        texts = tuple(text(row.get(name)) for name in self.texts)
        return Header(self.key_of(row), self.number(row), day_of(row.get(self.day)), texts)

    def key_of(self, row: Row) -> DocumentKey:
        """Return what finds a document again."""
        return self, int(row[self.key])

    def number(self, row: Row) -> str:
        """Return a document's number."""
        return self.prefix + code(row[self.key if self.drafts_of else self.number_field])

    def exact(self, row: Row) -> str:
        """Return a document's number with its series, which no other document has."""
        return f"{self.prefix}{code(row.get('Series'))}-{code(row.get(self.number_field))}"

    def spelled(self, number: str) -> str:
        """Return the condition for the document of a number, empty where none can have it."""
        found = _SPELLED.fullmatch(number.strip().upper())
        if found is None or found[1] != self.prefix or int(found[3]) > _GREATEST or int(found[2] or 0) > _GREATEST:
            return ""
        series = equals("Series", int(found[2])) if found[2] else ""
        field = self.key if self.drafts_of else self.number_field
        return all_of(equals(field, int(found[3])), series, self.where)


DocumentKey = tuple[DocumentEntity, int]
"""What finds a document again: keys of orders and drafts are counted apart."""

_DOCUMENT = (
    "DocEntry", "DocNum", "Series", "CardName", "DocDate", "DocDueDate", "DocTotal", "DocTotalFc", "DocCurrency",
    "DocumentStatus", "Cancelled", "CancelStatus", "SalesPersonCode", "UserSign", "UpdateDate", "UpdateTime",
    "DocumentLines",
)  # fmt: skip
_OPEN = equals("DocumentStatus", "bost_Open")
_PAID = (*_DOCUMENT, "PaidToDate", "PaidToDateFC")

ORDERS = DocumentEntity(name="Orders", unfinished=_OPEN, select=_DOCUMENT)
ORDER_DRAFTS = DocumentEntity(name="Drafts", prefix="D", drafts_of="oOrders", select=_DOCUMENT)
INVOICES = DocumentEntity(name="Invoices", unfinished=_OPEN, select=_PAID)
CREDIT_NOTES = DocumentEntity(name="CreditNotes", prefix="C", select=_PAID)
INVOICE_DRAFTS = DocumentEntity(name="Drafts", prefix="D", drafts_of="oInvoices", select=_PAID)
PURCHASES = DocumentEntity(name="PurchaseOrders", unfinished=_OPEN, select=_DOCUMENT)
PURCHASE_DRAFTS = DocumentEntity(
    name="Drafts",
    prefix="D",
    drafts_of="oPurchaseOrders",
    # Approved, and not yet made into the order.
    unfinished=equals("AuthorizationStatus", "dasApproved"),
    select=(*_DOCUMENT, "AuthorizationStatus"),
)
_PRODUCTION = (
    "AbsoluteEntry", "DocumentNumber", "Series", "ItemNo", "ProductDescription", "InventoryUOM",
    "ProductionOrderStatus", "PlannedQuantity", "CompletedQuantity", "RejectedQuantity", "StartDate", "DueDate",
    "ProductionOrderOrigin", "ProductionOrderOriginNumber", "ProductionOrderLines",
)  # fmt: skip
PRODUCTION = DocumentEntity(
    name="ProductionOrders",
    key="AbsoluteEntry",
    number_field="DocumentNumber",
    day="StartDate",
    due="DueDate",
    unfinished=one_of("ProductionOrderStatus", ("boposPlanned", "boposReleased")),
    texts=("ItemNo", "ProductDescription"),
    select=_PRODUCTION,
)

ENTITIES: Mapping[Listing[Any], tuple[DocumentEntity, ...]] = {
    listing.SALES_ORDERS: (ORDERS, ORDER_DRAFTS),
    listing.INVOICES: (INVOICES, CREDIT_NOTES, INVOICE_DRAFTS),
    listing.PURCHASE_ORDERS: (PURCHASES, PURCHASE_DRAFTS),
    listing.PRODUCTION_ORDERS: (PRODUCTION,),
}
