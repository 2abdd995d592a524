"""A document that somebody begins from the chat, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.access.audit import AuditEntry
from bot.erp.model import DocumentDraft, DraftLine, PartnerName, Quantity
from bot.mechanisms.unit_of_work import Transactions
from bot.words.phrase import Phrase, phrase

GOOD_FOR = timedelta(minutes=30)
"""How long a preview can be confirmed."""


class CreationState(StrEnum):
    """What has become of it."""

    PREVIEW = "preview"
    """Shown to its person, and nowhere else."""
    WRITING = "writing"
    """Confirmed: it is being written, once."""
    UNKNOWN = "unknown"
    """It may have been written: the ERP is asked, and nothing is written again."""
    WRITTEN = "written"
    REFUSED = "refused"
    """It was not written; the reason says why."""
    LOST = "lost"
    """It may have been written, and cannot be found in the ERP: nothing more is done."""
    DROPPED = "dropped"
    EXPIRED = "expired"


EXPIRED = phrase("Nobody confirmed it in time, so nothing was created.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationLine:
    """How much of a product, in the product's own unit, and how the ERP calls it."""

    sku: str
    name: str
    unit: str
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """One of them. It is its person's alone, written under their ``account`` at ``source``.

    ``partner`` is the code of the customer or vendor, ``kind`` the command of the document's kind.
    """

    id: str
    user_id: str
    conversation: str
    """Where it was asked for."""
    source: str
    account: str
    kind: str
    partner: str
    partner_name: PartnerName
    lines: tuple[CreationLine, ...]
    made_at: datetime
    due_at: datetime | None
    """When the preview ends, or when the ERP is to be told or asked; None once nothing is to be done."""
    state: CreationState = CreationState.PREVIEW
    reason: Phrase | None = None
    """Why it is in its state, where there is more to say."""
    attempts: int = 0
    attempted_at: datetime | None = None
    """When a write began whose outcome is not known (yet)."""
    number: str = ""
    """The number that the ERP gave it."""
    books: tuple[str, ...] = ()
    """The books that the number is in, where there are several."""

    @property
    def mark(self) -> str:
        """What stands in the document's reference."""
        return f"dingerp-{self.id}"

    @property
    def draft(self) -> DocumentDraft:
        """What the ERP is told."""
        lines = tuple(DraftLine(sku=line.sku, quantity=line.quantity) for line in self.lines)
        return DocumentDraft(kind=self.kind, partner=self.partner, lines=lines, mark=self.mark, by=self.account)

    def moved(self, state: CreationState, reason: Phrase | None = None, **changes: object) -> Creation:
        """Return it in another state, in which nothing is due unless ``changes`` say so."""
        return replace(self, state=state, reason=reason, **{"due_at": None, **changes})  # type: ignore[arg-type]

    def at(self, now: datetime) -> Creation:
        """Return it as it is at a time: what was not confirmed in time has expired."""
        is_over = self.state is CreationState.PREVIEW and self.due_at is not None and self.due_at <= now
        return self.moved(CreationState.EXPIRED, EXPIRED) if is_over else self


class CreationRepository(Protocol):
    """They within one transaction; implemented by `bot.store.creations`. What is found is locked until its end."""

    @property
    def now(self) -> datetime:
        """The time of the transaction, in the company's zone."""
        ...

    def find(self, creation: str) -> Creation | None: ...

    def put(self, creation: Creation) -> None: ...

    def redraw(self, creation: Creation) -> None:
        """Have the cards drawn again that show it."""
        ...

    def due(self, limit: int) -> Sequence[str]:
        """Return the ids of those with something to do now, the oldest first."""
        ...

    def next_due(self) -> datetime | None:
        """Return when the next of the others has something to do."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """Append an entry to the audit log, in the same transaction."""
        ...


CreationStore = Transactions[CreationRepository]
