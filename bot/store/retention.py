"""How long what is over stays known, table by table, where no package of its own sees to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.approvals.case import CaseState
from bot.store.database import Database
from bot.store.row_times import to_us
from bot.store.statements import AT_ONCE
from bot.store.tables import (
    APPROVAL_CARD,
    APPROVAL_CASE,
    APPROVAL_DECISION,
    APPROVAL_NATIVE,
    APPROVAL_PERSON,
    APPROVAL_VOTE,
)

_PARTS = (APPROVAL_VOTE, APPROVAL_DECISION, APPROVAL_PERSON, APPROVAL_CARD, APPROVAL_NATIVE)
_FINAL = tuple(state.value for state in CaseState if state.is_final)


async def forget_cases(database: Database, before: datetime) -> int:
    """Delete the cases that ended and were opened before then, and return their number. Their record stays.

    Raises `StoreUnavailable`.
    """

    def forget(connection: Connection) -> int:
        over = (APPROVAL_CASE.c.state.in_(_FINAL), APPROVAL_CASE.c.opened_us < to_us(before))
        ids = connection.execute(select(APPROVAL_CASE.c.id).where(*over).limit(AT_ONCE)).scalars().all()
        for part in _PARTS:
            connection.execute(delete(part).where(part.c.case_id.in_(ids)))
        connection.execute(delete(APPROVAL_CASE).where(APPROVAL_CASE.c.id.in_(ids)))
        return len(ids)

    count = 0
    while gone := await database.run(forget):
        count += gone
    return count
