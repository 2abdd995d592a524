"""Tables of approvals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, UniqueConstraint
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import ROW_NUMBER, StoreTable, core_table, partial_index


class ApprovalCaseRow(StoreTable, table=True):
    """A document on its way to a decision (see `bot.approvals.case.Case`).

    At most one case of a document is undecided.
    """

    __tablename__ = "approval_case"
    __table_args__ = (
        UniqueConstraint("folded", "source", "kind", "round"),
        partial_index(
            "uq_approval_case_undecided",
            "source",
            "folded",
            "kind",
            unique=True,
            where="state IN ('open', 'writing', 'unknown')",
        ),
        partial_index("ix_approval_case_due_us", "due_us", where="due_us IS NOT NULL"),
        partial_index("ix_approval_case_open", "opened_us", where="state = 'open'"),
    )

    id: str = Field(primary_key=True)
    source: str
    folded: str
    """The document's number in lower case."""
    round: int
    """Counts the cases of one document."""
    state: str
    opened_us: int = Field(sa_type=BigInteger)
    due_us: int | None = Field(sa_type=BigInteger)
    """When time alone does something next."""
    stamp: int
    """The number of writes of the row."""
    body: str = Field(sa_type=Sealed("approval_case.body"))
    """The rest of the case as JSON."""
    kind: str
    """The command of the document's kind."""


class ApprovalVoteRow(StoreTable, table=True):
    """A person's vote on a case; each person votes once."""

    __tablename__ = "approval_vote"
    __table_args__ = (
        Index("ix_approval_vote_user_id_at_us", "user_id", "at_us"),
        Index("ix_approval_vote_principal_at_us", "principal", "at_us"),
    )

    case_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    verdict: str
    at_us: int = Field(sa_type=BigInteger)
    currency: str
    """The currency of ``amount``; empty for a vote that counts against no limit."""
    amount: str = Field(sa_type=Sealed("approval_vote.amount", String()))
    """The amount counted against daily limits, as exact text."""
    principal: str = Field("", sa_column_kwargs={"server_default": ""})
    """The person in whose place they voted; empty for their own."""


class ApprovalDecisionRow(StoreTable, table=True):
    """The one decision of a case. Taking it back deletes the row and makes room for another."""

    __tablename__ = "approval_decision"

    case_id: str = Field(primary_key=True)
    verdict: str
    user_id: str
    at_us: int = Field(sa_type=BigInteger)


class ApprovalPersonRow(StoreTable, table=True):
    """A person who may come to decide a case."""

    __tablename__ = "approval_person"

    user_id: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True, index=True)


class ApprovalCardRow(StoreTable, table=True):
    """A card of a case (see `bot.approvals.case.CaseCard`)."""

    __tablename__ = "approval_card"

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True)
    card: str = Field(unique=True)
    """The key of its delivery."""
    case_id: str = Field(index=True)
    place: str
    for_user: str
    kind: str
    copy_number: int = Field(sa_column=Column("copy", Integer, nullable=False))
    """The number of the reminder that created it. The column is ``copy``, which is a method of every model."""
    shared: str = Field(sa_column_kwargs={"server_default": ""})
    """The key of the delivery that shows it here and elsewhere; empty for a card of its own."""


class ApprovalAuditRow(StoreTable, table=True):
    """One line in the record of cases (see `bot.approvals.case.AuditRow`). Triggers refuse to change or delete it."""

    __tablename__ = "approval_audit"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: int = Field(sa_type=ROW_NUMBER, primary_key=True, sa_column_kwargs={"autoincrement": True})
    case_id: str = Field(index=True)
    at_us: int = Field(sa_type=BigInteger)
    what: str
    user_id: str
    detail: str = Field(sa_type=Sealed("approval_audit.detail"))
    seen: str
    """The fingerprint that the person was shown."""


class ApprovalSourceRow(StoreTable, table=True):
    """A source that was searched to the end for documents of a kind that wait for a decision."""

    __tablename__ = "approval_source"

    source: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """The command of the kind."""
    searched_us: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """When it last was."""


class AbsenceRow(StoreTable, table=True):
    """When a person is away, and who decides instead of them (see `bot.approvals.absence.Absence`)."""

    __tablename__ = "absence"

    user_id: str = Field(primary_key=True)
    begins_ms: int = Field(sa_type=BigInteger)
    ends_ms: int = Field(sa_type=BigInteger)
    substitute: str
    due_ms: int = Field(sa_type=BigInteger)
    revision: int


class OaApprovalRow(StoreTable, table=True):
    """An approval in DingTalk's own app (see `bot.approvals.oa.forms.OaRecord`)."""

    __tablename__ = "approval_native"

    case_id: str = Field(primary_key=True)
    instance: str | None = Field(unique=True)
    """DingTalk's id of the approval; empty before it is started."""
    state: str = Field(index=True)
    due_us: int = Field(sa_type=BigInteger)
    """When it is checked next."""
    news: int
    """The number of events about it."""
    seen: int
    """The number of events that were checked."""
    stamp: int
    """The number of writes of the row."""
    body: str = Field(sa_type=Sealed("approval_native.body"))
    """The rest of the record as JSON."""


ABSENCE = core_table(AbsenceRow)
APPROVAL_CASE = core_table(ApprovalCaseRow)
APPROVAL_VOTE = core_table(ApprovalVoteRow)
APPROVAL_DECISION = core_table(ApprovalDecisionRow)
APPROVAL_PERSON = core_table(ApprovalPersonRow)
APPROVAL_CARD = core_table(ApprovalCardRow)
APPROVAL_AUDIT = core_table(ApprovalAuditRow)
APPROVAL_SOURCE = core_table(ApprovalSourceRow)
OA_APPROVAL = core_table(OaApprovalRow)
