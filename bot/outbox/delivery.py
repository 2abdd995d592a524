"""A delivery: the intent that one card at one place shows its newest state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.outbox.place import Place


class Urgency(StrEnum):
    """What may be folded into a digest when budgets run out, and what may not."""

    NOW = "now"
    """Escalations, critical alerts, decisions."""
    SOON = "soon"
    LATER = "later"
    """News and digests."""

    @property
    def rank(self) -> int:
        """Return a number that is lower for what goes first."""
        return ("now", "soon", "later").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is asked of the outbox. The card's content is composed when it is sent, so that its newest state wins.

    ``card`` is the stable key of the card (one row of the outbox for each), from which its DingTalk id is derived;
    ``kind`` names who composes it and ``ref`` what that needs to know; ``revision`` is the state that must be shown at
    least.
    """

    card: str
    place: Place
    kind: str
    ref: str
    revision: int
    urgency: Urgency = Urgency.SOON
    due_at: datetime
    """Not before."""
    fact: str = ""
    """What caused it, for the record: an event's ``source/id``."""
