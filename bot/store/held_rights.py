"""Rights brought back by a restored backup: moved out of their tables, held, and put back when confirmed.

Readers of accounts, keys, subscriptions or watches see nothing of them until then, so no reader can forget to check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import ColumnElement, Table, delete, func, select, true, update
from sqlalchemy.engine import Connection

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind
from bot.approvals.case import AuditRow, Case, CaseState
from bot.approvals.lifecycle import scheduled
from bot.chat.accounts.binding import AccountState
from bot.chat.held_rights import HELD_CARD, HeldRight, HeldRightKind
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.store.approvals.repository import StoredCaseRepository
from bot.store.audit.entries import append_entries
from bot.store.creations import end_open_creations
from bot.store.database import Stored
from bot.store.gate import end_open_requests
from bot.store.outbox.queue import enqueue
from bot.store.proposals import end_proposals
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import insert_into
from bot.store.tables import (
    ABSENCE,
    AGENT_GRANT,
    API_KEY,
    APPROVAL_CASE,
    ERP_ACCOUNT,
    ERP_KEY,
    ERP_KEY_LINK,
    HELD_RIGHT,
    INBOX,
    MUTE,
    PAGE_CONFIRMATION,
    PAGE_SESSION,
    SUBSCRIPTION,
    WATCH,
)
from bot.store.transactions import begin_immediate
from bot.store.unreadable_rows import read_readable, read_watches
from bot.words.sealing import NotOpened

log = structlog.get_logger(__name__)

RESTORE: Final = "restore"
"""The decider of an account that has been held since a restore."""

_MOST_CASES: Final = 100_000
_A, _H = ERP_ACCOUNT.c, HELD_RIGHT.c


@dataclass(frozen=True, slots=True)
class _HeldTable:
    """A table of rights: the owner of a row, which rows are in force, and their description for the owner."""

    table: Table
    owner: ColumnElement[str]
    about: Callable[[Mapping[str, Any]], str]
    where: ColumnElement[bool] = true()  # noqa: RUF009 - it is never changed


_TABLES: Final[Mapping[HeldRightKind, _HeldTable]] = {
    HeldRightKind.ACCOUNT: _HeldTable(
        ERP_ACCOUNT, _A.user_id, lambda row: f"{row['source']}: {row['account']}", _A.account != ""
    ),
    HeldRightKind.KEY: _HeldTable(ERP_KEY, ERP_KEY.c.user_id, lambda row: f"{row['source']}: {row['account']}"),
    HeldRightKind.SUBSCRIPTION: _HeldTable(
        SUBSCRIPTION,
        SUBSCRIPTION.c.user_id,
        lambda row: f"{row['line']} {row['at']}",
        SUBSCRIPTION.c.ended.is_(False),
    ),
    HeldRightKind.API_KEY: _HeldTable(API_KEY, API_KEY.c.user_id, lambda row: f"{row['id']}: {row['scopes']}"),
    HeldRightKind.WATCH: _HeldTable(WATCH, WATCH.c.user_id, lambda row: str(row["title"] or row["subject"])),
}


def hold_rights(connection: Connection, now: datetime) -> tuple[HeldRight, ...]:
    """Suspend all rights that people have given or received, within the caller's transaction.

    Mutes and absences end, requests at the gate and proposals are taken back, documents that people were about to begin
    are dropped, and votes and forwarded turns of cases not yet written to the ERP are dropped: people mute and vote
    again; questions in progress are not asked again. An unreadable right is deleted, since it can never work again; the
    log names it. Returns what awaits confirmation.
    """
    connection.execute(delete(ERP_KEY_LINK))
    connection.execute(delete(PAGE_SESSION))
    # What a login gave is given again by a login.
    connection.execute(delete(API_KEY).where(API_KEY.c.id.in_(select(AGENT_GRANT.c.id))))
    connection.execute(delete(AGENT_GRANT))
    connection.execute(delete(PAGE_CONFIRMATION))
    connection.execute(delete(MUTE))
    connection.execute(delete(ABSENCE))
    # A question unanswered at the time of the backup would be carried out now.
    connection.execute(delete(INBOX))
    for kind, held in _TABLES.items():
        if kept := [_row(kind, held, row, now) for row in _in_force(connection, kind, held)]:
            adding = insert_into(HELD_RIGHT, connection.dialect.name).on_conflict_do_nothing(index_elements=["id"])
            connection.execute(adding, kept)
        _take_out(connection, kind, held)
    _reopen_cases(connection, now)
    end_open_requests(connection, now)
    end_proposals(connection, now)
    end_open_creations(connection, now)
    return find_held(connection)


def find_held(connection: Connection, user_id: str = "") -> tuple[HeldRight, ...]:
    """Return what awaits confirmation, of everybody or of one person, without unreadable rows."""
    wanted = select(HELD_RIGHT).order_by(_H.user_id, _H.kind, _H.id)
    rows = read_readable(connection, HELD_RIGHT, wanted.where(_H.user_id == user_id) if user_id else wanted)
    return tuple(
        HeldRight(
            id=row.id,
            kind=HeldRightKind(row.kind),
            user_id=row.user_id,
            about=row.about,
            since=from_ms(row.since_ms),
        )
        for row in rows
    )


def confirm_held(connection: Connection, rights: Sequence[HeldRight], *, by: str, now: datetime) -> int:
    """Reinstate rights and record that; returns how many are back, since newer ones may have replaced others."""
    begin_immediate(connection)
    restored = 0
    for right in rights:
        row = connection.scalar(select(_H.content).where(_H.id == right.id))
        if row is None:
            continue
        connection.execute(delete(HELD_RIGHT).where(_H.id == right.id))
        is_back = _put_back(connection, right.kind, orjson.loads(row))
        restored += is_back
        outcome = "confirmed" if is_back else "overtaken"
        append_entries(connection, [_entry(right, by, outcome, now)])
    return restored


def drop_held(connection: Connection, rights: Sequence[HeldRight], *, by: str, now: datetime) -> None:
    """Give rights up, and record that."""
    begin_immediate(connection)
    for right in rights:
        if connection.execute(delete(HELD_RIGHT).where(_H.id == right.id)).rowcount:
            append_entries(connection, [_entry(right, by, "dropped", now)])


class StoredHeldRights(Stored):
    """Stores held rights."""

    async def of(self, user_id: str) -> tuple[HeldRight, ...]:
        return await self._database.read(partial(find_held, user_id=user_id))

    async def count(self) -> int:
        """Return the number of held rights."""
        return len(await self._database.read(find_held))

    async def confirm(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> int:
        return await self._database.run(partial(confirm_held, rights=rights, by=by, now=now), durable=True)

    async def drop(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> None:
        await self._database.run(partial(drop_held, rights=rights, by=by, now=now), durable=True)

    async def tell_owners(self, now: datetime) -> int:
        """Queue one card for each person with held rights, once; returns their number."""

        def tell(connection: Connection) -> int:
            owners = connection.execute(select(_H.user_id, func.max(_H.since_ms).label("since")).group_by(_H.user_id))
            cards = [_card(owner.user_id, owner.since, now) for owner in owners if owner.user_id]
            enqueue(connection, *cards, now=now)
            return len(cards)

        return await self._database.run(tell)


def _in_force(connection: Connection, kind: HeldRightKind, held: _HeldTable) -> list[dict[str, Any]]:
    wanted = select(held.table).where(held.where)
    is_watch = kind is HeldRightKind.WATCH
    found = read_watches(connection, wanted) if is_watch else read_readable(connection, held.table, wanted)
    return [{column.name: getattr(row, column.name) for column in held.table.c} for row in found]


def _row(kind: HeldRightKind, held: _HeldTable, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    key = "\0".join(str(row[column.name]) for column in held.table.primary_key)
    return {
        "id": sha256(f"{kind}\0{key}".encode()).hexdigest()[:20],
        "kind": kind.value,
        "user_id": row[str(held.owner.key)],
        "about": held.about(row),
        "content": orjson.dumps(row).decode(),
        "since_ms": to_ms(now),
    }


def _take_out(connection: Connection, kind: HeldRightKind, held: _HeldTable) -> None:
    if kind is not HeldRightKind.ACCOUNT:
        connection.execute(delete(held.table).where(held.where))
        return
    # A row stays: without one, the next search for accounts would bind it again.
    unbound = {"account": "", "wanted": _A.account, "state": AccountState.UNBOUND.value, "decided_by": RESTORE}
    connection.execute(update(ERP_ACCOUNT).where(held.where).values(**unbound, revision=_A.revision + 1))


def _put_back(connection: Connection, kind: HeldRightKind, row: dict[str, Any]) -> bool:
    """Put a row back unless a newer one replaces it; returns whether it is back."""
    if kind is HeldRightKind.ACCOUNT:
        return _put_back_account(connection, row)
    table = _TABLES[kind].table
    adding = insert_into(table, connection.dialect.name).on_conflict_do_nothing()
    return bool(connection.execute(adding, row).rowcount)


def _put_back_account(connection: Connection, row: dict[str, Any]) -> bool:
    taken = select(_A.user_id).where(
        _A.source == row["source"], func.lower(_A.account) == row["account"].lower(), _A.user_id != row["user_id"]
    )
    if connection.execute(taken).first() is not None:
        return False
    its = (_A.user_id == row["user_id"]) & (_A.source == row["source"]) & (_A.decided_by == RESTORE)
    fresh = {name: row[name] for name in ("account", "wanted", "state", "decided_by")}
    changed = update(ERP_ACCOUNT).where(its).values(**fresh, revision=_A.revision + 1)
    return bool(connection.execute(changed).rowcount)


def _reopen_cases(connection: Connection, now: datetime) -> None:
    """Drop votes and forwarded turns of cases not yet written to the ERP: each may have been taken back since."""
    repository = StoredCaseRepository(connection, now)
    states = (CaseState.OPEN.value, CaseState.WRITING.value)
    ids = connection.scalars(select(APPROVAL_CASE.c.id).where(APPROVAL_CASE.c.state.in_(states)).limit(_MOST_CASES))
    for case_id in list(ids):
        case = _case(repository, case_id)
        if case is None or case.attempted_at is not None or not (case.votes or case.forwards or case.decision):
            continue
        opened = replace(case, state=CaseState.OPEN, votes=(), forwards=(), decision=None, revision=case.revision + 1)
        repository.put(scheduled(opened))
        repository.audit(AuditRow(at=now, case=case.id, what="restored", detail="votes before the backup are void"))
    repository.flush()


def _case(repository: StoredCaseRepository, case_id: str) -> Case | None:
    try:
        return repository.case(case_id)
    except NotOpened as error:  # nobody can decide it either
        log.error("store.unreadable", table=APPROVAL_CASE.name, row=case_id, detail=error.detail)
        return None


def _entry(right: HeldRight, by: str, outcome: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        kind=AuditKind.BINDING,
        at=now,
        actor=by or BOT_ACTOR,
        action=f"restored.{right.kind}",
        outcome=outcome,
        detail=f"of {right.user_id}, {right.id}",
    )


def _card(user_id: str, since_ms: int, now: datetime) -> Delivery:
    return Delivery(
        card=f"{HELD_CARD}:{user_id}:{since_ms}",
        place=Place(PlaceKind.PERSON, user_id),
        kind=HELD_CARD,
        ref=user_id,
        revision=1,
        urgency=Urgency.NOW,
        due_at=now,
    )
