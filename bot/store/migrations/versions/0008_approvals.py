"""Approvals: cases, votes, decisions, their cards, and a record that can only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNDECIDED = sa.text("state IN ('open', 'writing', 'unknown')")
_DUE = sa.text("due_us IS NOT NULL")
_OPEN = sa.text("state = 'open'")

_REFUSE_SQLITE = (
    "CREATE TRIGGER approval_audit_{event} BEFORE {event} ON approval_audit "
    "BEGIN SELECT RAISE(ABORT, 'the record of approvals only grows'); END"
)
_REFUSE_POSTGRESQL = (
    "CREATE FUNCTION approval_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the record of approvals only grows'; END $$"
)
_TRIGGER_POSTGRESQL = (
    "CREATE TRIGGER approval_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION approval_audit_only_grows()"
)


def upgrade() -> None:
    _make_cases()
    _make_parts()
    op.create_table(
        "approval_audit",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_approval_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approval_audit_case_id", "approval_audit", ["case_id"])
    _let_it_only_grow()


def _make_cases() -> None:
    op.create_table(
        "approval_case",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("stamp", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval_case"),
        sa.UniqueConstraint("folded", "source", "round", name="uq_approval_case_folded"),
    )
    op.create_index(
        "uq_approval_case_undecided",
        "approval_case",
        ["source", "folded"],
        unique=True,
        sqlite_where=_UNDECIDED,
        postgresql_where=_UNDECIDED,
    )
    op.create_index("ix_approval_case_due_us", "approval_case", ["due_us"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_index("ix_approval_case_open", "approval_case", ["opened_us"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def _make_parts() -> None:
    op.create_table(
        "approval_vote",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "user_id", name="pk_approval_vote"),
    )
    op.create_index("ix_approval_vote_user_id_at_us", "approval_vote", ["user_id", "at_us"])
    op.create_table(
        "approval_decision",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_approval_decision"),
    )
    op.create_table(
        "approval_person",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "case_id", name="pk_approval_person"),
    )
    op.create_index("ix_approval_person_case_id", "approval_person", ["case_id"])
    op.create_table(
        "approval_card",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("for_user", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_approval_card"),
        sa.UniqueConstraint("card", name="uq_approval_card_card"),
    )
    op.create_index("ix_approval_card_case_id", "approval_card", ["case_id"])


def _let_it_only_grow() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REFUSE_POSTGRESQL)
        op.execute(_TRIGGER_POSTGRESQL)
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(_REFUSE_SQLITE.format(event=event))
