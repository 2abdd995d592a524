"""A partner's documents out of those that are kept: to add them up costs the ERP no call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Generic

from bot.erp.answer import Answer
from bot.erp.hub import ErpHub
from bot.erp.listing import D, Listing
from bot.erp.model import Slice
from bot.erp.port import Filter
from bot.read_model.queries import ReadModel
from bot.read_model.records import Document


@dataclass(frozen=True, slots=True)
class KeptDocuments(Generic[D]):
    """Documents of one partner: the ``newest`` of those that are kept, and all that are ``still_open``."""

    newest: Answer[Slice[D]]
    still_open: Answer[Slice[D]]


async def read_kept(
    kept: ReadModel, erp: ErpHub, kind: Listing[D], partner: str, *, newest: int, now: datetime
) -> KeptDocuments[D] | None:
    """Return the documents of exactly this partner; None where some may be missing, or what is kept is old.

    Completed documents are kept for a time only: the ``newest`` may be fewer than the ERP has.
    """
    if not (await kept.coverage(kind.area)).is_current(now):
        return None
    found = await kept.fold(kind.area, partial(_sort_out, kind, partner, newest, now.date()), partner=partner)
    as_of = found.coverage.as_of
    assert as_of is not None, "it is current"
    sources = erp.visible_sources(kind.area)
    source = sources[0] if len(sources) == 1 else ""
    recent, still_open = (Answer(value, source, as_of) for value in found.value)
    return KeptDocuments(recent, still_open)


def _sort_out(
    kind: Listing[D], partner: str, newest: int, today: date, documents: Iterator[Document]
) -> tuple[Slice[D], Slice[D]]:
    # Names are kept in a folded form, which more than one partner may share.
    theirs: list[D] = [each for each in documents if kind.is_of(each, partner)]  # type: ignore[arg-type, misc]
    is_open, _ = kind.filters[Filter.OPEN]
    still_open = kind.sort([each for each in theirs if is_open(each, today)], Filter.OPEN)
    recent = kind.sort(theirs, Filter.ALL)[:newest]
    return Slice(items=tuple(recent), total=len(theirs)), Slice(items=tuple(still_open), total=len(still_open))
