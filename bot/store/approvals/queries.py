"""The statements of the case repository, made once: building one costs more than running it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Select, and_, bindparam, delete, func, insert, or_, select, text, update

from bot.approvals.case import SHORT_DIGITS, CaseSearch, CaseState
from bot.store.row_times import to_us
from bot.store.tables import (
    ABSENCE,
    APPROVAL_AUDIT,
    APPROVAL_CARD,
    APPROVAL_CASE,
    APPROVAL_DECISION,
    APPROVAL_PERSON,
    APPROVAL_SOURCE,
    APPROVAL_VOTE,
)

_C, _V, _P = APPROVAL_CASE.c, APPROVAL_VOTE.c, APPROVAL_PERSON.c
_MOST: Final[Any] = bindparam("most", type_=Integer)
_OPEN: Final = text("state = 'open'")
_THIS: Final[Any] = bindparam("which")

CASE: Final = select(APPROVAL_CASE).where(_C.id == _THIS)
ABSENCES: Final = select(ABSENCE)
LOCKED_CASE: Final = CASE.with_for_update()
NEWEST: Final = (
    select(APPROVAL_CASE)
    .where(_C.source == bindparam("from_source"), _C.kind == bindparam("of_kind"), _C.folded == bindparam("named"))
    .order_by(_C.round.desc())
    .limit(1)
)
LOCKED_NEWEST: Final = NEWEST.with_for_update()
NAMED: Final = (
    select(APPROVAL_CASE)
    .where(_C.folded == bindparam("named"))
    .order_by(_C.opened_us.desc(), _C.round.desc())
    .limit(_MOST)
)
NAMED_AT: Final = NAMED.where(_C.source == bindparam("from_source"))
_MEANT: Final = (
    select(_C.source, _C.kind, _C.folded)
    .where(or_(_C.id == _THIS, _C.folded == bindparam("named")))
    .distinct()
    .subquery()
)
REVISIONS: Final = (
    select(APPROVAL_CASE)
    .join(_MEANT, and_(_C.source == _MEANT.c.source, _C.kind == _MEANT.c.kind, _C.folded == _MEANT.c.folded))
    .order_by(_C.opened_us.desc(), _C.round.desc())
    .limit(_MOST)
)
BEGINNING_WITH: Final = select(APPROVAL_CASE).where(
    func.substr(_C.id, 1, SHORT_DIGITS).in_(bindparam("some", expanding=True))
)
SEARCHES: Final = select(APPROVAL_SOURCE)
OPEN_CASES: Final = select(APPROVAL_CASE).where(_OPEN).order_by(_C.opened_us, _C.id).limit(_MOST)
OPEN_CASES_OF: Final = (
    select(APPROVAL_CASE)
    .join(APPROVAL_PERSON, _P.case_id == _C.id)
    .where(_OPEN, _P.user_id == bindparam("person"))
    .order_by(_C.opened_us, _C.id)
    .limit(_MOST)
)
DUE: Final = select(APPROVAL_CASE).where(_C.due_us <= bindparam("at")).order_by(_C.due_us, _C.id).limit(_MOST)
NEXT_DUE: Final = select(func.min(_C.due_us)).where(_C.due_us > bindparam("at"))
INSERT_CASE: Final = insert(APPROVAL_CASE)
UPDATE_CASE: Final = (
    update(APPROVAL_CASE)
    .where(_C.id == _THIS, _C.stamp == bindparam("before"))
    .values({name: bindparam(name) for name in ("state", "due_us", "stamp", "body")})
)

DELETE_VOTES: Final = delete(APPROVAL_VOTE).where(_V.case_id == _THIS)
INSERT_VOTE: Final = insert(APPROVAL_VOTE)
APPROVED: Final = select(_V.amount).where(
    or_(_V.user_id == bindparam("person"), _V.principal == bindparam("person")),
    _V.at_us >= bindparam("begins"),
    _V.at_us < bindparam("ends"),
    _V.currency == bindparam("money"),
)

DELETE_PEOPLE: Final = delete(APPROVAL_PERSON).where(_P.case_id == _THIS)
INSERT_PERSON: Final = insert(APPROVAL_PERSON)

DELETE_DECISION: Final = delete(APPROVAL_DECISION).where(APPROVAL_DECISION.c.case_id == _THIS)
INSERT_DECISION: Final = insert(APPROVAL_DECISION)

CARDS: Final = select(APPROVAL_CARD).where(APPROVAL_CARD.c.case_id == _THIS).order_by(APPROVAL_CARD.c.number)

SET_SHARED: Final = (
    update(APPROVAL_CARD).where(APPROVAL_CARD.c.card == bindparam("key")).values(shared=bindparam("alone"))
)

INSERT_AUDIT: Final = insert(APPROVAL_AUDIT)
AUDIT: Final = select(APPROVAL_AUDIT).where(APPROVAL_AUDIT.c.case_id == _THIS).order_by(APPROVAL_AUDIT.c.number)

LOCK_PERSON: Final = text("SELECT pg_advisory_xact_lock(:area, hashtext(:person))")
LOCK_AREA: Final = 0x61707072
"""Distinguishes the locks of people from other advisory locks in the database."""


def search(wanted: CaseSearch) -> Select[Any]:
    """Return the statement that finds cases."""
    found = select(APPROVAL_CASE).order_by(_C.opened_us.desc(), _C.id).limit(wanted.limit)
    if wanted.waiting is not None:
        found = found.where((_C.state == CaseState.OPEN.value) == wanted.waiting)
    if wanted.number:
        found = found.where(_C.folded.contains(wanted.number.casefold(), autoescape=True))
    if wanted.since is not None:
        found = found.where(_C.opened_us >= to_us(wanted.since))
    if wanted.before is not None:
        found = found.where(_C.opened_us < to_us(wanted.before))
    return found
