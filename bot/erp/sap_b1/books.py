"""The books of documents: which entity holds them, and how their numbers are told apart (ERP sheet, 5.3 and 5.5).

A draft has no number of its own yet, so that it is called by its key: ``D17`` is the draft with the key 17. Credit
notes are counted apart from invoices, and are called ``C17``. Numbers restart with each series: where several documents
bear one, the series' key before it (``12-1005``) says which is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.erp.sap_b1 import wording
from bot.erp.sap_b1.values import Row, code

_SPELLED = re.compile(r"([A-Z]?)(?:(\d{1,10})-)?(\d{1,10})", re.ASCII)
_GREATEST = 2**31 - 1
"""Keys and numbers are Edm.Int32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One kind of documents in one entity."""

    entity: str
    prefix: str = ""
    """What stands before a number to tell it from those of other books."""
    drafts_of: str = ""
    """The kind of document that drafts are to become, where the book holds drafts."""
    key: str = "DocEntry"
    count: str = "DocNum"
    """The field of what people call the number."""
    day: str = "DocDate"
    """The day by which lists are ordered."""
    texts: tuple[str, ...] = ("CardName",)
    """What lists are searched by, besides the number."""
    select: tuple[str, ...]
    """What is read of a whole document."""

    @property
    def where(self) -> str:
        """Return the condition that a record of the entity belongs to the book."""
        return wording.equals("DocObjectCode", self.drafts_of) if self.drafts_of else ""

    @property
    def living(self) -> str:
        """Return the condition that leaves out drafts that became a document."""
        return wording.equals("DocumentStatus", "bost_Open") if self.drafts_of else ""

    @property
    def head(self) -> tuple[str, ...]:
        """Return the fields by which documents are listed and searched."""
        return tuple(dict.fromkeys((self.key, self.count, self.day, *self.texts)))

    def number(self, row: Row) -> str:
        """Return a document's number."""
        return self.prefix + code(row[self.key if self.drafts_of else self.count])

    def exact(self, row: Row) -> str:
        """Return a document's number with its series, which no other document has."""
        return f"{self.prefix}{code(row.get('Series'))}-{code(row.get(self.count))}"

    def spelled(self, number: str) -> str:
        """Return the condition for the document of a number, empty where it cannot be one of this book's."""
        found = _SPELLED.fullmatch(number.strip().upper())
        if found is None or found[1] != self.prefix or int(found[3]) > _GREATEST or int(found[2] or 0) > _GREATEST:
            return ""
        series = wording.equals("Series", int(found[2])) if found[2] else ""
        field = self.key if self.drafts_of else self.count
        return wording.all_of(wording.equals(field, int(found[3])), series, self.where)


_DOCUMENT = (
    "DocEntry", "DocNum", "Series", "CardName", "DocDate", "DocDueDate", "DocTotal", "DocTotalFc", "DocCurrency",
    "DocumentStatus", "Cancelled", "CancelStatus", "SalesPersonCode", "UserSign", "UpdateDate", "UpdateTime",
    "DocumentLines",
)  # fmt: skip
_PAID = (*_DOCUMENT, "PaidToDate", "PaidToDateFC")

ORDERS = Book(entity="Orders", select=_DOCUMENT)
ORDER_DRAFTS = Book(entity="Drafts", prefix="D", drafts_of="oOrders", select=_DOCUMENT)
INVOICES = Book(entity="Invoices", select=_PAID)
CREDIT_NOTES = Book(entity="CreditNotes", prefix="C", select=_PAID)
INVOICE_DRAFTS = Book(entity="Drafts", prefix="D", drafts_of="oInvoices", select=_PAID)
PURCHASES = Book(entity="PurchaseOrders", select=_DOCUMENT)
PURCHASE_DRAFTS = Book(
    entity="Drafts", prefix="D", drafts_of="oPurchaseOrders", select=(*_DOCUMENT, "AuthorizationStatus")
)
_PRODUCTION = (
    "AbsoluteEntry", "DocumentNumber", "Series", "ItemNo", "ProductDescription", "InventoryUOM",
    "ProductionOrderStatus", "PlannedQuantity", "CompletedQuantity", "RejectedQuantity", "StartDate", "DueDate",
    "ProductionOrderOrigin", "ProductionOrderOriginNumber", "ProductionOrderLines",
)  # fmt: skip
PRODUCTION = Book(
    entity="ProductionOrders",
    key="AbsoluteEntry",
    count="DocumentNumber",
    day="StartDate",
    texts=("ItemNo", "ProductDescription"),
    select=_PRODUCTION,
)
