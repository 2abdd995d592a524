"""The base of mapped vendors: they say only how rows are fetched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.cursor import TimeCursor
from bot.erp.document_erp import DocumentErp
from bot.erp.errors import UnknownRest
from bot.erp.kinds import D
from bot.erp.mapped import sources
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.reader import MappingContext, RecordMapping
from bot.erp.model import Change, Changes, Followed
from bot.erp.port import UNCHANGING, Capability, Filter, ListQuery

OVERLAP = timedelta(seconds=10)
"""How long a transaction may take: its records bear a time from before its end."""

_FIRST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class MappedErp(DocumentErp):
    """What both mapped vendors share: what values mean, and how changes go on from a cursor."""

    def __init__(self, context: MappingContext) -> None:
        super().__init__(context.source)
        self.context = context

    @property
    def bad_values(self) -> BadValues:
        """Return what could not be read as the configuration says."""
        return self.context.bad_values

    def _check_capability(self, capability: Capability) -> None:
        """Raise `Unsupported` for what is not offered."""
        if capability not in self.capabilities:
            self._refuse(capability)

    def next_changes(
        self, area: Followed, cursor: TimeCursor, seen: Iterable[tuple[str, datetime]], limit: int
    ) -> Changes:
        """Return the changes: ``seen`` are keys and times from `poll_start` on, as many as the cursor needs or all."""
        rows = sorted((Change(area=area, key=key, changed_at=at) for key, at in seen), key=_by_time)
        # One second more than the overlap, for the fraction that `poll_start` cuts off.
        return cursor.next_changes(area, rows, limit=limit, overlap=OVERLAP + timedelta(seconds=1))


def poll_start(cursor: TimeCursor) -> datetime:
    """Return the time from which on to ask for changes.

    It is a whole second: a text such as ``2026-11-24 02:30:00`` then sorts before every fraction of that second,
    however many digits the ERP writes.
    """
    since = cursor.since(OVERLAP)
    return _FIRST if since is None else since.replace(microsecond=0)


def as_stored(moment: datetime, form: str, zone: ZoneInfo) -> datetime | int | str:
    """Return a time as the ERP has it by its ``time_format``, so that the two compare."""
    match form:
        case sources.ZONED:
            return moment
        case sources.NAIVE:
            return moment.astimezone(zone).replace(tzinfo=None)
        case sources.EPOCH:
            return int(moment.timestamp())
        case sources.EPOCH_MS:
            return int(moment.timestamp()) * 1000
        case _:
            return moment.astimezone(zone).strftime(form)


def is_plain(query: ListQuery) -> bool:
    """Whether a list that filters and pages itself can answer: it knows texts and its own filters alone."""
    return query.filter not in UNCHANGING and not query.partner and query.during is None and query.due is None


def searched_text(query: ListQuery) -> str:
    """Return the text with which a list may narrow down: a partner's name holds itself."""
    return query.text or query.partner


def require_rest(mapped: RecordMapping[Any], query: ListQuery, *, source: str) -> None:
    """Raise `UnknownRest` for overdue documents where nothing says what is open of one: unknown is not none."""
    if query.filter is Filter.OVERDUE and "open_amount" not in mapped.fields:
        raise UnknownRest("no open_amount is mapped", source=source)


def once_each(documents: Iterable[D]) -> list[D]:
    """Return documents without those that repeat the number of an earlier one."""
    found: dict[str, D] = {}
    for document in documents:
        found.setdefault(document.number, document)
    return list(found.values())


def is_encodable(text: str) -> bool:
    """Whether a text can be sent to an ERP at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _by_time(change: Change) -> tuple[datetime, str]:
    return change.changed_at, change.key
