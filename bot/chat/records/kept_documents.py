"""Documents out of those that are kept: to list or to add them up costs the ERP no call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Generic, TypeAlias

from bot.erp.answer import Answer
from bot.erp.hub import ErpHub
from bot.erp.kinds import FOLLOWED, D, Kind
from bot.erp.model import ErpRecord, Slice
from bot.erp.port import Filter, ListQuery
from bot.erp.reader_lists import PART_ONLY
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.words.phrase import Phrase, phrase

ReadList: TypeAlias = Callable[[ErpHub, ListQuery], Awaitable[Answer[Slice[D]]]]
"""Reads a part of a list as far as a hub shows it to its reader."""
OF_OPEN = frozenset({Filter.OPEN, Filter.LATE, Filter.OVERDUE, Filter.PENDING})
"""Lists of unfinished documents alone."""


@dataclass(frozen=True, slots=True)
class KeptDocuments(Generic[D]):
    """Documents of one partner: the ``newest`` of those that are kept, and all that are ``still_open``."""

    newest: Answer[Slice[D]]
    still_open: Answer[Slice[D]]


async def read_kept(
    kept: ReadModel, erp: ErpHub, kind: Kind[D], partner: str, *, newest: int, now: datetime
) -> KeptDocuments[D] | None:
    """Return the documents of exactly this partner; None where some may be missing, or what is kept is old.

    Completed documents are kept for a time only: the ``newest`` may be fewer than the ERP has.
    """
    if not (await kept.coverage(kind.followed)).is_current(now):
        return None
    found = await kept.fold(kind.followed, partial(_sort_out, kind, partner, newest, now.date()), partner=partner)
    recent, still_open = found.value
    coverage = found.coverage
    return KeptDocuments(_answer(recent, coverage, erp, kind), _answer(still_open, coverage, erp, kind))


def kept_lists(kept: ReadModel, kind: Kind[D], ask: ReadList[D], *, now: datetime) -> ReadList[D]:
    """Return what lists what is open, or of some days, out of what is kept, and any other list by ``ask``.

    So it does where some documents may be missing, or what is kept is old. A text is the ERP's to search for.
    """

    async def read(erp: ErpHub, query: ListQuery) -> Answer[Slice[D]]:
        span = query.during
        is_few = query.filter in OF_OPEN or (span is not None and query.due is None)
        if query.text or query.partner or query.product or not is_few:
            return await ask(erp, query)
        return await _list_kept(kept, kind, erp, query, now) or await ask(erp, query)

    return read


def whole_lists(kept: ReadModel, kind: Kind[D], ask: ReadList[D], *, now: datetime) -> ReadList[D]:
    """Return what lists by ``ask``, and out of what is kept where the ERP's list was too long to be searched whole.

    So it is for a reader who may see, or wants, the documents of one person: an ERP cannot count those.
    """

    async def read(erp: ErpHub, query: ListQuery) -> Answer[Slice[D]]:
        found = await ask(erp, query)
        is_kept = any(each.capability is kind.capability for each in FOLLOWED)
        if PART_ONLY not in found.notes or query.product or query.partner or not is_kept:
            return found
        whole = await _list_kept(kept, kind, erp, query, now)
        # Of what is completed only so much is kept: an ERP may have found more in the part that was searched.
        return found if whole is None or whole.value.total < found.value.total else whole

    return read


async def _list_kept(
    kept: ReadModel, kind: Kind[D], erp: ErpHub, query: ListQuery, now: datetime
) -> Answer[Slice[D]] | None:
    """Return a list out of what is kept; None where documents of its days may be missing, or what is kept is old."""
    span, seen = query.during, kept.narrowed(erp)
    coverage = await seen.coverage(kind.followed)
    if not coverage.is_current(now) or (span is not None and not coverage.is_complete_from(span.first)):
        return None
    found: KeptAnswer[Slice[D]] = await seen.fold(
        kind.followed,
        partial(_pick, kind, query, now.date()),
        since=span.first if span else None,
        until=span.last if span else None,
        unfinished=query.filter in OF_OPEN,
        text=query.text,
    )
    answer: Answer[Slice[D]] = _answer(found.value, found.coverage, erp, kind)
    return replace(answer, notes=(*answer.notes, *gaps(found.coverage, query)))


def gaps(coverage: Coverage, query: ListQuery) -> Iterator[Phrase]:
    """Yield what of a list may be missing: what is open is kept whatever its age, all else for a time."""
    if coverage.sources_missing:
        yield phrase("without %(sources)s: not all read yet", sources=coverage.sources_missing)
        return
    first = query.during.first if query.during else date.min
    if query.filter not in OF_OPEN and not coverage.is_complete_from(first):
        yield phrase("complete since %(day)s", day=coverage.complete_since)


def _pick(kind: Kind[D], query: ListQuery, today: date, documents: Iterator[ErpRecord]) -> Slice[D]:
    return kind.pick(documents, query, today)  # type: ignore[arg-type]  # they are of this kind


def _answer(found: Slice[D], coverage: Coverage, erp: ErpHub, kind: Kind[D]) -> Answer[Slice[D]]:
    assert coverage.as_of is not None, "it is current"
    sources = erp.visible_sources(kind.followed)
    notes = erp.silences(kind.capability, kind.areas)
    return Answer(erp.addressed_all(found), sources[0] if len(sources) == 1 else "", coverage.as_of, notes=notes)


def _sort_out(
    kind: Kind[D], partner: str, newest: int, today: date, documents: Iterator[ErpRecord]
) -> tuple[Slice[D], Slice[D]]:
    # Names are kept in a folded form, which more than one partner may share.
    theirs: list[D] = [each for each in documents if kind.is_of(each, partner)]  # type: ignore[arg-type, misc]
    is_open, _ = kind.filters[Filter.OPEN]
    still_open = kind.sort([each for each in theirs if is_open(each, today)], Filter.OPEN)
    recent = kind.sort(theirs, Filter.ALL)[:newest]
    return Slice(items=tuple(recent), total=len(theirs)), Slice(items=tuple(still_open), total=len(still_open))
