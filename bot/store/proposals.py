"""Proposals in the bot's database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select, tuple_
from sqlalchemy.engine import Connection

from bot.access.audit import BOT_ACTOR
from bot.chat.answers.ports import InboxMessage
from bot.outbox.delivery import Delivery
from bot.proposals.cards import PROPOSAL_SOURCE, proposal_card
from bot.proposals.proposal import Proposal, ProposalState
from bot.proposals.proposals import ProposalUnit
from bot.store.chat.inbox import insert_new
from bot.store.program_asks import WITH_COLUMNS, StoredAsks
from bot.store.record_codec import PlainCodec, RecordCodec
from bot.store.row_times import from_us, to_us
from bot.store.tables import PROPOSAL

_P = PROPOSAL.c
_WAITING = _P.state == ProposalState.WAITING.value


class StoredProposals(StoredAsks[Proposal]):
    """Implements `bot.proposals.proposal.ProposalRepository`."""

    table = PROPOSAL
    columns = ("owner",)
    states = ProposalState
    source = PROPOSAL_SOURCE
    codec = RecordCodec(Proposal, {datetime: PlainCodec(to_us, from_us)}, skip={*WITH_COLUMNS, "owner"})

    def __init__(
        self, connection: Connection, now: datetime, *, locking: bool = True, replica: str | None = None
    ) -> None:
        """``replica`` answers the lines that are accepted here; None where the bot is alone."""
        super().__init__(connection, now, locking=locking)
        self._replica = replica

    def cards_of(self, ask: Proposal) -> tuple[Delivery, ...]:
        return (proposal_card(ask, self.now),)

    def recent(self, owner: str, begin: datetime) -> Sequence[Proposal]:
        self.lock(owner)
        return self.read(select(PROPOSAL).where(_P.owner == owner, or_(_WAITING, _P.asked_us >= to_us(begin))))

    def waiting(self, owner: str) -> Sequence[Proposal]:
        return self.read(select(PROPOSAL).where(_P.owner == owner, _WAITING).order_by(_P.due_us, _P.id))

    def of_key(self, key: str, after: str, limit: int) -> Sequence[Proposal] | None:
        query = select(PROPOSAL).where(_P.key_id == key).order_by(_P.asked_us.desc(), _P.id.desc()).limit(limit)
        if after:
            last = self._connection.execute(select(_P.asked_us, _P.id).where(_P.key_id == key, _P.id == after)).first()
            if last is None:
                return None
            query = query.where(tuple_(_P.asked_us, _P.id) < tuple_(*last))
        return self.read(query)

    def type(self, message: InboxMessage) -> None:
        insert_new(self._connection, {message.msg_id: message}, self._replica)


def end_proposals(connection: Connection, now: datetime, keys: Collection[str] | None = None) -> None:
    """Take back what waits of these keys, which have ended, or of all: a restored backup may bring back what was
    answered since.
    """
    proposals = StoredProposals(connection, now)
    unit = ProposalUnit(proposals)
    for found in proposals.readable(_WAITING if keys is None else _WAITING & _P.key_id.in_(keys)):
        unit.end(found, ProposalState.WITHDRAWN, BOT_ACTOR)
    proposals.flush()
