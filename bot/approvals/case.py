"""A case: one revision of one purchase order on its way from being shown to being decided in the ERP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.approvals.elsewhere import Elsewhere
from bot.approvals.ruling import Forward, Plan, Vote
from bot.erp.model import Money, Outcome, Verdict
from bot.outbox.place import Place


class CaseState(StrEnum):
    """Where a case is. Only `OPEN` takes votes."""

    OPEN = "open"
    WRITING = "writing"
    """Decided in chat; the ERP is being told, or asked whether it knows already."""
    UNKNOWN = "unknown"
    """The ERP may or may not have been changed: it is read until that is known, and not written again before."""
    APPROVED = "approved"
    REJECTED = "rejected"
    DECIDED_ELSEWHERE = "decided_elsewhere"
    """The ERP knew a decision that did not come from here."""
    FAILED = "failed"
    """The ERP cannot be told: it says why in `Case.said`."""
    SUPERSEDED = "superseded"
    """The document changed: there is a case for its new revision."""
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """It is no longer waiting, without a decision: deleted, cancelled, back to draft."""

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self not in {CaseState.OPEN, CaseState.WRITING, CaseState.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the votes came to: the first valid one that completes the plan, or any valid rejection. There is one."""

    verdict: Verdict
    by: str
    """userId of the last voter, in whose name the ERP is told."""
    name: str
    account: str
    """Their account in the ERP."""
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What is remembered of the document, for lists, limits and duties; cards show what the ERP says now."""

    vendor: str = ""
    total: Money | None = None
    due_on: date | None = None
    requester: str = ""
    """userId; empty where nobody in DingTalk is known behind the ERP's account."""
    requested_by: str = ""
    """The requester's account in the ERP."""
    editors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``id`` is derived from source, number, fingerprint and round: the same revision never has two open cases."""

    id: str
    source: str
    number: str
    fingerprint: str
    version: str
    """The ERP's version when it was read last; the write checks it. A document that still has it was not touched."""
    level: int = 1
    """The ERP's own level at that version."""
    waits_for: tuple[str, ...] = ()
    """The accounts that the ERP itself waited for at that version; empty where it does not tell."""
    brief: Brief = Brief()
    state: CaseState
    plan: Plan
    policy: str
    """Version of the rules that the plan was made by."""
    votes: tuple[Vote, ...] = ()
    forwards: tuple[Forward, ...] = ()
    refused: tuple[str, ...] = ()
    """userIds whom the ERP itself refused: others have to decide."""
    decision: Decision | None = None
    attempted_at: datetime | None = None
    """When the ERP was last told; set before the call, so that after a crash it is known that it may have happened."""
    attempts: int = 0
    outcome: Outcome | None = None
    said: str = ""
    """The ERP's own words about the write, or why it could not be told, as the message id of what people read."""
    elsewhere: Elsewhere | None = None
    """What became of it in the ERP itself; None where that is not how it ended, or nothing is known of it."""
    opened_at: datetime
    due_at: datetime | None = None
    """When time alone does something next: a reminder, the deadline, another look at the ERP.

    A final case that still has one waits for its successor: the document has to be read again.
    """
    reminders: int = 0
    expired: bool = False
    """Whether the deadline has passed and what the plan says about it was done."""
    revision: int = 1
    """Grows with every change that a card shows."""


class CardKind(StrEnum):
    """What a card is for; also the kind of its deliveries, which says who composes them."""

    APPROVAL = "approval"
    """For those who decide."""
    TOLD = "approval_told"
    """For the requester: what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard:
    """A place where the case's card stands; ``for_user`` is set for a one-to-one card with prices."""

    case: str
    place: Place
    for_user: str = ""
    kind: CardKind = CardKind.APPROVAL
    copy: int = 0
    """Number of the reminder that made it: an update of a card that stands already tells nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One line of the record that is never changed: who did what, when, seen what, by which rule."""

    at: datetime
    case: str
    what: str
    """A short fixed word: opened, shown, vote, refused, decided, written, outcome, reminded, forwarded …"""
    user_id: str = ""
    detail: str = ""
    seen: str = ""
    """Fingerprint of what was shown to them."""
