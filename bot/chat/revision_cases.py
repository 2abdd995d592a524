"""What is decided here of the document that a card shows, as far as its reader has to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.cards.actions import ApproveCase, ForwardCase, RejectCase
from bot.cards.view import Button, Color
from bot.erp.model import ErpRecord
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionCase:
    """The case of exactly the revision that is shown; ``seen`` begins the fingerprint of what is shown.

    Readers who cannot decide it now get no ``id``.
    """

    id: str = ""
    seen: str = ""
    can_reject: bool = False
    """Whether a rejection of theirs would be accepted, too."""
    progress: Phrase | None = None
    """What is under way in the ERP since somebody decided."""

    def buttons(self, number: str) -> Sequence[Button]:
        """Return the buttons of who may decide the document of this number; without an ``id`` none."""
        return decision_buttons(self.id, self.seen, number, can_reject=self.can_reject) if self.id else ()


class RevisionCases(Protocol):
    """Knows what is decided here; implemented by `bot.approvals.service.ApprovalService`."""

    async def case_of(self, document: ErpRecord, user_id: str) -> RevisionCase | None:
        """Return the case of exactly this revision, None without one; raises a `DingerpError` when unavailable."""
        ...


def decision_buttons(case: str, seen: str, number: str, *, can_reject: bool) -> tuple[Button, ...]:
    """Return the decision buttons for a revision, limited to what its source accepts."""
    reject = Button(phrase("Reject"), RejectCase(case, seen, number=number), Color.RED)
    return (
        Button(phrase("Approve"), ApproveCase(case, seen, number=number), Color.BLUE),
        *((reject,) if can_reject else ()),
        Button(phrase("Pass on"), ForwardCase(case, number=number)),
    )
