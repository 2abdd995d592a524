"""What happens at the bot and is told to programs of the company: the types of happenings, and who is told of which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from bot.outbox.place import Place, PlaceKind

EVENT_KIND = "event"
"""The kind of deliveries to receivers (`bot.outbox.delivery.Delivery`)."""


class HappeningType(StrEnum):
    """What happened; the value is the CloudEvents type without `TYPE_PREFIX`."""

    ALERT_OPENED = "alert.opened"
    ALERT_CHANGED = "alert.changed"
    ALERT_REOPENED = "alert.reopened"
    ALERT_NEWS = "alert.news"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_ASSIGNED = "alert.assigned"
    ALERT_SNOOZED = "alert.snoozed"
    ALERT_MUTED = "alert.muted"
    ALERT_ESCALATED = "alert.escalated"
    DECISION_ASKED = "decision.asked"
    DECISION_QUESTIONED = "decision.questioned"
    DECISION_ANSWERED = "decision.answered"
    DECISION_VOTED = "decision.voted"
    DECISION_MADE = "decision.made"
    DECISION_TAKEN_BACK = "decision.taken_back"
    DECISION_WRITTEN = "decision.written"
    DECISION_REFUSED = "decision.refused"
    DECISION_UNKNOWN = "decision.unknown"
    DECISION_CLOSED = "decision.closed"
    DOCUMENT_CHANGED = "document.changed"


TYPE_PREFIX = "dingerp."

MEANINGS: Mapping[HappeningType, str] = MappingProxyType(
    {
        HappeningType.ALERT_OPENED: "An alert was reported for the first time.",
        HappeningType.ALERT_CHANGED: "It was reported anew, with other figures.",
        HappeningType.ALERT_REOPENED: "It was reported again soon after its end.",
        HappeningType.ALERT_NEWS: "Something was reported that never stays open.",
        HappeningType.ALERT_RESOLVED: "An alert is over.",
        HappeningType.ALERT_ACKNOWLEDGED: "Somebody took it.",
        HappeningType.ALERT_ASSIGNED: "It was assigned to somebody.",
        HappeningType.ALERT_SNOOZED: "Somebody put it off.",
        HappeningType.ALERT_MUTED: "A place that would be shown it has muted it.",
        HappeningType.ALERT_ESCALATED: "It was passed on, since nobody took it.",
        HappeningType.DECISION_ASKED: "A document waits for a decision.",
        HappeningType.DECISION_QUESTIONED: "Somebody who decides asked the requester; no vote counts before the answer,"
        " unless the voter insists.",
        HappeningType.DECISION_ANSWERED: "The requester answered.",
        HappeningType.DECISION_VOTED: "Somebody voted.",
        HappeningType.DECISION_MADE: "It is decided; the ERP is not told yet.",
        HappeningType.DECISION_TAKEN_BACK: "Who decided took it back before the ERP was told.",
        HappeningType.DECISION_WRITTEN: "The ERP has confirmed the decision.",
        HappeningType.DECISION_REFUSED: "The ERP has refused the decision or the person who made it.",
        HappeningType.DECISION_UNKNOWN: "The ERP was told and its answer is unknown: it is being checked.",
        HappeningType.DECISION_CLOSED: "The case ended without a decision of ours: changed, withdrawn, expired,"
        " or decided in the ERP.",
        HappeningType.DOCUMENT_CHANGED: "A document is new in its ERP or has changed there, as far as the bot follows"
        " that ERP's documents.",
    }
)
"""What the types mean, for the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened to one subject. It holds no content: that is read when it is told.

    ``source`` is the ERP, ``subject`` the path of the same thing in the API, ``line`` what its reader would type to see
    it, and ``card`` the name of the view that answers the line.
    """

    type: HappeningType
    at: datetime
    source: str
    subject: str
    line: str
    card: str

    def to_text(self) -> str:
        """Return it as text, for `from_text`."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @classmethod
    def from_text(cls, text: str) -> Happening:
        """Return the happening of a text."""
        read = cls(**json.loads(text))
        return replace(read, type=HappeningType(read.type), at=datetime.fromisoformat(str(read.at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A program that is told what happens, as far as its ``owner`` (a userId) may see it.

    ``types`` are patterns such as ``alert.*``; without ``sources`` it is told of all of them.
    """

    name: str
    owner: str
    types: tuple[str, ...]
    sources: frozenset[str] = frozenset()

    @property
    def place(self) -> Place:
        """Where its deliveries go."""
        return Place(PlaceKind.RECEIVER, self.name)

    def wants(self, happening: Happening) -> bool:
        """Return whether it is told of this."""
        is_wanted = any(fnmatchcase(happening.type, pattern) for pattern in self.types)
        return is_wanted and (not self.sources or happening.source in self.sources)
