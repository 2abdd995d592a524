"""The table of proposals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table, partial_index


class ProposalTableRow(StoreTable, table=True):
    """A line that a program wants run (see `bot.proposals.proposal.Proposal`)."""

    __tablename__ = "proposal"
    __table_args__ = (
        UniqueConstraint("key_id", "asked_as"),
        Index("ix_proposal_owner", "owner", "asked_us"),
        Index("ix_proposal_asked_us", "asked_us"),
        partial_index("ix_proposal_due_us", "due_us", where="due_us IS NOT NULL"),
    )

    id: str = Field(primary_key=True)
    key_id: str
    """The id of the program's key."""
    asked_as: str
    """The program's idempotency key."""
    owner: str
    """The userId of who answers."""
    state: str
    asked_us: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(sa_type=BigInteger)
    """When time alone changes it."""
    body: str = Field(sa_type=Sealed("proposal.body"))
    """The rest of the proposal as JSON."""


PROPOSAL = core_table(ProposalTableRow)
