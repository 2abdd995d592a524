"""Whether a bill was entered before: the same paper of the vendor, or the same total at about the same time."""

from __future__ import annotations

from datetime import timedelta

from bot.checks.check import Check, CheckMarks, Looked
from bot.checks.evidence import Evidence, counts
from bot.erp.concurrency import gather_or_cancel
from bot.erp.kinds import BILLS
from bot.erp.list_query import ListQuery, Period
from bot.erp.model import Bill
from bot.words.phrase import Phrase, phrase

_NEAR = timedelta(days=10)
"""Less than from one month's bill to the next one's."""


async def _look(bill: Bill, evidence: Evidence, marks: CheckMarks) -> Looked:
    day = bill.issued_on or evidence.today
    near = ListQuery(partner=bill.vendor, during=Period(day - _NEAR, day + _NEAR))
    queries = [near]
    if bill.reference:
        queries.append(ListQuery(partner=bill.vendor, text=bill.reference))
    found = await gather_or_cancel(*(evidence.documents(BILLS, query) for query in queries))
    others = {other.number: other for each in found for other in each if other.number != bill.number and counts(other)}
    alike = [(other, words) for other in others.values() if (words := _same(other, bill)) is not None]
    flags = tuple(
        phrase("%(same)s as %(number)s of %(day)s", same=words, number=other.number, day=other.issued_on)
        for other, words in sorted(alike, key=lambda each: each[0].number)
    )
    looked_at = phrase(
        "Entered twice: bills of the vendor from %(first)s to %(last)s", first=day - _NEAR, last=day + _NEAR
    )
    if bill.reference:
        looked_at = phrase("%(looked_at)s, and those with its number", looked_at=looked_at)
    return flags, looked_at


def _same(other: Bill, bill: Bill) -> Phrase | None:
    """Return what two bills have in common that none should; a credit note takes a bill back."""
    if other.vendor != bill.vendor or other.is_credit_note != bill.is_credit_note:
        return None
    if bill.reference and _folded(other) == _folded(bill):
        return phrase("The vendor's number %(reference)s is the same", reference=bill.reference)
    near = other.issued_on and bill.issued_on and abs(other.issued_on - bill.issued_on) <= _NEAR
    if near and bill.total is not None and other.total == bill.total:
        return phrase("The total %(total)s is the same", total=bill.total)
    return None


def _folded(bill: Bill) -> str:
    return "".join(filter(str.isalnum, bill.reference)).casefold()


DUPLICATE = Check(name="duplicate", title=phrase("Entered twice"), kind=BILLS, look=_look)
