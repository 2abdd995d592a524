"""Which documents count: one rule for the sums of lists, reports, rankings, charts and files."""

from __future__ import annotations

from bot.erp.kinds import kind_of
from bot.erp.model import ErpRecord, InvoiceRecord, Money
from bot.erp.model.goods import GoodsDelivery, GoodsReceipt


def counts(document: ErpRecord) -> bool:
    """Return whether a document counts: it is no draft, and nobody refused it or gave it up."""
    return kind_of(document).counts(document)


def goes_back(document: ErpRecord) -> bool:
    """Return whether goods of a document go back, or its money is set off: it undoes another one, or was undone."""
    if isinstance(document, InvoiceRecord):
        return document.is_credit_note or document.is_reversed
    return isinstance(document, GoodsDelivery | GoodsReceipt) and document.is_return


def signed(document: ErpRecord, amount: Money | None) -> Money | None:
    """Return an amount that is negative for a credit note, whatever its sign is in the ERP."""
    if amount is None or not isinstance(document, InvoiceRecord) or not document.is_credit_note:
        return amount
    return Money(-abs(amount.amount), amount.currency)
