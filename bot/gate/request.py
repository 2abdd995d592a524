"""A request of a program for leave, and how time changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.approvals.plan import ApprovalPlan, Vote
from bot.chat.program_asks import AskRepository
from bot.gate.verdict import SigningKey
from bot.mechanisms.unit_of_work import Transactions
from bot.words.phrase import Phrase, phrase


class GateState(StrEnum):
    """What has become of a request. What is not allowed is no."""

    PENDING = "pending"
    """People decide."""
    ALLOWED = "allowed"
    """Its verdict may be used, once, until it expires."""
    DENIED = "denied"
    EXPIRED = "expired"
    """Not decided, or not used, in time."""
    WITHDRAWN = "withdrawn"
    """Taken back before it was used, by the program or by people."""
    USED = "used"
    """The program was let through; `GateRequest.outcome` says what came of it, once it does."""
    UNCERTAIN = "uncertain"
    """The program was let through, and did not say in time what came of it."""

    @property
    def called(self) -> Phrase:
        """The state in words."""
        return _CALLED[self]


_CALLED = {
    GateState.PENDING: phrase("not decided yet"),
    GateState.ALLOWED: phrase("allowed already"),
    GateState.DENIED: phrase("denied"),
    GateState.EXPIRED: phrase("expired"),
    GateState.WITHDRAWN: phrase("taken back"),
    GateState.USED: phrase("used already"),
    GateState.UNCERTAIN: phrase("used already"),
}


class GateOutcome(StrEnum):
    """What a program says that came of its action."""

    DONE = "done"
    FAILED = "failed"


TIMED_OUT = phrase("Nobody decided in time.")
NOT_USED = phrase("It was not used in time.")
NO_REPORT = phrase("The program did not say what came of it.")

_LAPSES = {
    GateState.PENDING: (GateState.EXPIRED, TIMED_OUT),
    GateState.ALLOWED: (GateState.EXPIRED, NOT_USED),
    GateState.USED: (GateState.UNCERTAIN, NO_REPORT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """One request. ``facts`` is canonical JSON (`bot.gate.facts`), ``digest`` its SHA-256.

    ``asked_as`` is the program's idempotency key and ``asked`` the hash of all that it asked with it: the same again is
    the same request.
    """

    id: str
    key: str
    """The id of the program's key."""
    owner: str
    """The userId of whose key it is."""
    owner_name: str
    gate_class: str
    action: str
    facts: str
    digest: str
    asked_as: str
    asked: str
    state: GateState
    reason: Phrase
    """Why it is in its state."""
    rule: str
    """The rule that decided; empty for none."""
    policy: str
    """The version of the rules."""
    plan: ApprovalPlan
    votes: tuple[Vote, ...] = ()
    asked_at: datetime
    expires_at: datetime
    report_within: timedelta
    used_at: datetime | None = None
    outcome: GateOutcome | None = None
    note: str = ""
    """The program's own words on the outcome."""
    verdict: str = ""
    """The signed verdict (JWS); empty while there is none."""
    shown_to: tuple[str, ...] = ()
    """The userIds of who has a card of it."""
    revision: int = 1
    """Grows with every change."""

    @property
    def due_at(self) -> datetime | None:
        """When time alone changes it."""
        if self.state in (GateState.PENDING, GateState.ALLOWED):
            return self.expires_at
        if self.state is GateState.USED and self.outcome is None:
            assert self.used_at is not None, "it was used"
            return self.used_at + self.report_within
        return None

    def moved(self, state: GateState, reason: Phrase, **changes: object) -> GateRequest:
        """Return it in another state."""
        return replace(self, state=state, reason=reason, revision=self.revision + 1, **changes)  # type: ignore[arg-type]

    def at(self, now: datetime) -> GateRequest:
        """Return it as it is at a time: what nobody decided, used or reported by then is over. Timeout is no."""
        if self.due_at is None or self.due_at > now:
            return self
        return self.moved(*_LAPSES[self.state])


class GateRepository(AskRepository[GateRequest], Protocol):
    """Requests within one transaction; implemented by `bot.store.gate`."""

    def granted_since(self, key: str, gate_class: str, begin: datetime) -> int:
        """Return how many requests of a class wait, are allowed or were used since then; further ones of the same key
        and class wait until the end of the transaction.
        """
        ...

    def waiting(self, limit: int) -> Sequence[GateRequest]:
        """Return the requests that people decide, those that end first before the others; they are not locked."""
        ...

    def signing_keys(self) -> Sequence[SigningKey]:
        """Return the keys of verdicts, the newest first; one is made where there is none."""
        ...


GateStore = Transactions[GateRepository]
