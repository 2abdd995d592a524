"""Past cases, for those who look back on decisions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.approvals.case import Case
from bot.store.approval_rows import case_of, microseconds
from bot.store.tables import APPROVAL_CASE


def cases_since(connection: Connection, since: datetime) -> tuple[Case, ...]:
    """Return the newest case of each document that was opened since then, newest first."""
    opened = APPROVAL_CASE.c.opened_us
    query = select(APPROVAL_CASE).where(opened >= microseconds(since)).order_by(opened.desc(), APPROVAL_CASE.c.id)
    newest: dict[tuple[str, str], Case] = {}
    for row in connection.execute(query):
        newest.setdefault((row.source, row.folded), case_of(row))
    return tuple(newest.values())
