"""What is still open of invoices and bills whose API tells it only by the payments of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from bot.erp.errors import Invalid, NotPermitted, UnknownRest
from bot.erp.mapped import values
from bot.erp.mapped.builders import unpaid_status
from bot.erp.mapped.values import ValueUnreadable
from bot.erp.model import InvoiceRecord
from bot.erp.rest.mapping import RestRecords
from bot.erp.rest.query import look
from bot.erp.rest.requests import PaidRead

R = TypeVar("R", bound=InvoiceRecord)

_MOST = 50
"""Unpaid documents that one list asks for one by one."""


async def settled(records: RestRecords, paid: PaidRead, place: str, document: R) -> R:
    """Return a document with what is open of it; as it is where its API does not tell the payments of such a one."""
    total = document.total
    # Of a credit note the payments may have either sign.
    if not document.is_open or document.is_credit_note or total is None:
        return document
    try:
        rows = await records.all(paid, f"{place}.paid", id=document.id)
        amount = sum((values.number(look(row, paid.amount)) for row in rows), Decimal(0))
    except (NotPermitted, Invalid, ValueUnreadable) as error:
        context = records.reader.context
        context.bad_values.warn(records.mapped[place].layout.area, "open_amount", f"is unknown: {error}")
        return document
    still_open = type(total)(total.amount - amount, total.currency)
    return replace(document, open_amount=still_open, status=unpaid_status(document.status, total, still_open))


async def all_settled(
    records: RestRecords, paid: PaidRead, place: str, documents: Sequence[R], today: date, *, source: str
) -> list[R]:
    """Return documents with what is open of those that may be overdue; raises `UnknownRest` where nobody can tell it.

    That they are unpaid and due is known of each: too many to be asked for are as good as unknown.
    """
    due = [each for each in documents if _may_be_overdue(each, today)]
    if len(due) > _MOST:
        raise UnknownRest(f"more than {_MOST} unpaid documents are due", source=source)
    asked = await asyncio.gather(*(settled(records, paid, place, each) for each in due))
    if any(each.open_amount is None for each in asked):
        raise UnknownRest("the payments of an unpaid document are not told", source=source)
    known = {each.id: each for each in asked}
    return [known.get(each.id, each) for each in documents]


def _may_be_overdue(document: InvoiceRecord, today: date) -> bool:
    due = document.due_on is not None and document.due_on < today
    return due and document.is_open and not document.is_credit_note
