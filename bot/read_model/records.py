"""The stored parts of documents, and the progress of following a source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from bot.erp.model import ErpRecord, Followed, OrderLine, PurchaseLine

VERSION = 7
"""Version of the stored format; documents in another version are read again from the ERP."""

DocumentLine: TypeAlias = OrderLine | PurchaseLine


@dataclass(frozen=True, slots=True)
class DocumentWithLine:
    """A line of an order with its order, whose own ``lines`` are empty; a production order is its own line."""

    document: ErpRecord
    line: DocumentLine | None


@dataclass(frozen=True, slots=True)
class Partner:
    """A customer or vendor, as the newest document of an area names it."""

    area: Followed
    source: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedArea:
    """The following progress of one kind of document of a source.

    ``cursor`` is where the feed of changes continues; ``followed``: its end was reached. A *walk* reads the lists from
    the newest document on, and documents it does not meet are gone; ``place`` is where it continues, ``began_at`` when
    it began. ``complete_since`` is the day from which on all documents are kept, None before the first walk's end;
    ``synced_at``: all changes up to then are known. ``trouble``: the error class that ended the last attempt.
    """

    source: str
    area: Followed
    cursor: str = ""
    followed: bool = False
    walk: int = 1
    walking: bool = True
    place: str = ""
    began_at: datetime | None = None
    walked_at: datetime | None = None
    complete_since: date | None = None
    synced_at: datetime | None = None
    trouble: str = ""
    version: int = VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSelection:
    """Selects the documents that meet every given condition; days include both ends.

    Without ``since`` and ``until``, documents without a day match too. ``partner`` is a folded name. ``unfinished``
    follows `bot.erp.kinds.kind.Kind.is_unfinished`.
    """

    area: Followed
    sources: frozenset[str]
    since: date | None = None
    until: date | None = None
    unfinished: bool = False
    partner: str = ""
