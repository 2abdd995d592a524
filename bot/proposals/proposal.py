"""A line that a program or an edit of a shared table wants run, and how its owner and time change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.chat.answers.ports import InboxMessage
from bot.chat.program_asks import AskRepository
from bot.mechanisms.unit_of_work import Transactions

SHEET_ASKER = "sheet:"
"""How the id of a shared table begins among the keys of programs, which have no colon; its name follows."""


class ProposalState(StrEnum):
    """What has become of a proposal. All but the first are ends."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    """Its owner has had the line run, as if they had typed it."""
    DECLINED = "declined"
    EXPIRED = "expired"
    """Its owner did not answer in time."""
    WITHDRAWN = "withdrawn"
    """Taken back by the program, or its key ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposal. ``asked_as`` is the program's idempotency key, ``reason`` its own words, which prove nothing."""

    id: str
    key: str
    """The id of the program's key; for a shared table `SHEET_ASKER` and its name."""
    owner: str
    """The userId of whose key or table it is, who alone answers."""
    line: str
    """As it is run: one command with its words."""
    command: str
    """The command's name."""
    reason: str
    asked_as: str
    state: ProposalState = ProposalState.WAITING
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    """When it was answered, taken back or too late."""

    @property
    def sheet(self) -> str:
        """The shared table that it was written in; empty for one of a program."""
        return self.key.removeprefix(SHEET_ASKER) if self.key.startswith(SHEET_ASKER) else ""

    @property
    def due_at(self) -> datetime | None:
        """When time alone changes it."""
        return self.expires_at if self.state is ProposalState.WAITING else None

    @property
    def revision(self) -> int:
        """Of its cards."""
        return 1 if self.state is ProposalState.WAITING else 2

    def ended(self, state: ProposalState, now: datetime) -> Proposal:
        """Return it with an end; the first one counts."""
        return replace(self, state=state, ended_at=now) if self.state is ProposalState.WAITING else self

    def at(self, now: datetime) -> Proposal:
        """Return it as it is at a time: without an answer by then it is over."""
        return self if self.due_at is None or now < self.due_at else self.ended(ProposalState.EXPIRED, self.due_at)


class ProposalRepository(AskRepository[Proposal], Protocol):
    """Proposals within one transaction; implemented by `bot.store.proposals`."""

    def recent(self, owner: str, begin: datetime) -> Sequence[Proposal]:
        """Return an owner's proposals that wait or are not older than ``begin``; new ones to the same person wait until
        the end of the transaction.
        """
        ...

    def waiting(self, owner: str) -> Sequence[Proposal]:
        """Return those that wait for a person, those that end first before the others; they are not locked."""
        ...

    def of_key(self, key: str, after: str, limit: int) -> Sequence[Proposal] | None:
        """Return a key's proposals, the newest first, from the one that follows the id ``after`` on.

        None if there is no such id.
        """
        ...

    def type(self, message: InboxMessage) -> None:
        """Store a line as a message that its owner has just written to the bot."""
        ...


ProposalStore = Transactions[ProposalRepository]
