"""A check: what of a document is compared with the company's other documents, its words, and its name in rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Generic

from bot.checks.evidence import Evidence
from bot.erp.kinds import D, Kind
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMarks:
    """From where on something is flagged."""

    price_above: Decimal = Decimal(5)
    """Per cent by which a price may exceed the last one."""
    split_days: int = 7
    """Days before and after an order in which others may belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What came of a check of one document; its words hold figures and partners."""

    check: str
    """The name of the check."""
    flags: tuple[Phrase, ...] = ()
    looked_at: Phrase
    """What the document was compared with."""
    is_whole: bool = True
    """Whether all of that could be looked at."""
    as_of: datetime

    @property
    def counts_as_flagged(self) -> bool:
        """Whether a rule takes the document for flagged: what could not be looked at is never taken for fine."""
        return bool(self.flags) or not self.is_whole


Looked = tuple[tuple[Phrase, ...], Phrase]
"""What is flagged, and what the document was compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[D]):
    """One check of documents of one kind. ``look`` raises the classes of `bot.erp.errors` where it cannot look."""

    name: str
    title: Phrase
    kind: Kind[D]
    look: Callable[[D, Evidence, CheckMarks], Awaitable[Looked]]

    async def run(self, document: D, evidence: Evidence, marks: CheckMarks) -> CheckOutcome:
        """Return what comes of a document."""
        flags, looked_at = await self.look(document, evidence, marks)
        return replace(self.unread(evidence.as_of), flags=flags, looked_at=looked_at, is_whole=evidence.is_whole)

    def unread(self, as_of: datetime) -> CheckOutcome:
        """Return the result where nothing could be looked at."""
        unread = phrase("%(check)s: could not be checked", check=self.title)
        return CheckOutcome(check=self.name, looked_at=unread, is_whole=False, as_of=as_of)
