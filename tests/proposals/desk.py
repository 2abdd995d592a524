"""Proposals on a database of their own, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import select

from bot.access.api_keys import PROPOSE_SCOPE, ProgramKey, make_key
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.chat.answers.ports import InboxMessage
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import installed_commands
from bot.mechanisms.metrics import Metrics
from bot.proposals.proposal import Proposal
from bot.proposals.proposals import ProposalAsker, Proposals, ProposalWish
from bot.store.api_keys import StoredApiKeys
from bot.store.database import Database
from bot.store.program_asks import StoredAskTransactions
from bot.store.proposals import StoredProposals
from bot.store.tables import AUDIT, DELIVERY, INBOX
from tests.memory_transactions import MemoryTransactions

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
LI, WANG = "li01", "wang01"
OWN_CHAT = Conversation("cidli", ConversationKind.DIRECT)
WRITERS = AccessPolicy([AccessRule(name="buyers", commands=frozenset({"approve", "reject"}), people=frozenset({LI}))])


class NoProposals:
    """A repository in which there is nothing."""

    now = NOW

    def find(self, proposal: str) -> None:
        return None

    def waiting(self, owner: str) -> Sequence[Proposal]:
        return ()


def _typed(proposal: Proposal, where: Conversation) -> InboxMessage:
    return InboxMessage(f"proposal {proposal.id}", proposal.line, NOW, conversation=where.id)


def make_proposals(store: Any, policy: AccessPolicy = WRITERS) -> Proposals:
    """Return the service on a store."""
    return Proposals(
        store,
        commands=installed_commands(),
        policy=lambda: policy,
        typed=_typed,
        metrics=Metrics(),
        on_enqueued=lambda: None,
    )


def quiet_proposals() -> Proposals:
    """Return proposals to which nobody adds."""
    return make_proposals(MemoryTransactions(NoProposals()))


@dataclass
class Desk:
    """Proposals and what surrounds them."""

    database: Database
    now: datetime = NOW
    policy: AccessPolicy = WRITERS
    replica: str | None = None
    answered: list[str] = field(default_factory=list)
    """The ids of the lines that were handed over to be answered."""
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        opened = partial(StoredProposals, replica=self.replica)
        stored = StoredAskTransactions(self.database, lambda: self.now, opened)
        self.proposals = make_proposals(stored, self.policy)
        self.proposals.hand_lines_to(lambda message: self.answered.append(message.msg_id))

    async def key(self, owner: str = LI, days: int = 30) -> ProgramKey:
        """Make a key that may propose."""
        key, _ = make_key(owner, [PROPOSE_SCOPE], now=self.now, expires_at=self.now + timedelta(days=days))
        await StoredApiKeys(self.database).put(key)
        return key

    def wish(self, key: ProgramKey, line: str = "/approve PO-1055", asked_as: str = "", **more: Any) -> ProposalWish:
        """Return a wish with a new idempotency key, unless one is given."""
        wish = {
            "asker": ProposalAsker.of_key(key),
            "owner": Person(user_id=key.user_id, name="Li"),
            "asked_as": asked_as or f"n{next(self._numbers)}",
            "line": line,
            "reason": "It is cheaper",
            "expires_in": timedelta(hours=1),
        }
        return ProposalWish(**{**wish, **more})

    async def propose(self, line: str = "/approve PO-1055", **more: Any) -> Proposal:
        """Propose with a key of its own, unless one is given."""
        key = more.pop("key", None) or await self.key()
        return await self.proposals.propose(self.wish(key, line, **more))

    async def lines(self) -> Sequence[str]:
        """Return the lines in the inbox."""
        return [row.payload for row in await self.database.rows(select(INBOX))]

    async def entries(self, proposal: Proposal) -> Sequence[Any]:
        """Return the entries of the audit log, oldest first, as actor, place and outcome."""
        rows = await self.database.rows(select(AUDIT).where(AUDIT.c.action == "proposal").order_by(AUDIT.c.seq))
        return [(row.actor, row.conversation, row.outcome, row.detail) for row in rows if proposal.id in row.documents]

    async def cards(self) -> Sequence[Any]:
        """Return place and wanted state of each card."""
        return [(row.place, row.wanted) for row in await self.database.rows(select(DELIVERY))]
