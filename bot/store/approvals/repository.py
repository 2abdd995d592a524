"""Approvals in the bot's database: the case repository, with one transaction per unit of work, and the records of
approvals in DingTalk's own app.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Row, Select, delete, exists, select, tuple_, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.access.audit import AuditEntry
from bot.approvals.absence import Absence
from bot.approvals.case import (
    AuditRow,
    Case,
    CaseCard,
    CaseConflict,
    CaseSearch,
    CaseState,
    possible_voters,
    short_id,
)
from bot.approvals.document import DocumentKey
from bot.approvals.happenings import happening_of
from bot.approvals.oa.forms import OaRecord, OaState
from bot.erp.kinds import Kind
from bot.erp.model import Money
from bot.mechanisms.unit_of_work import WriteConflict
from bot.mechanisms.wakeup import SharedWork
from bot.outbox.delivery import Delivery
from bot.outbox.happenings import Happening, Receiver
from bot.store.announcements import announce
from bot.store.approvals import queries as sql
from bot.store.approvals.rows import (
    audit_of,
    audit_row,
    card_of,
    card_row,
    case_of,
    case_row,
    decision_row,
    make_decision_entry,
    vote_rows,
)
from bot.store.audit.entries import append_entries
from bot.store.chat.standing_answers import redraw_answers
from bot.store.database import Database, Stored
from bot.store.outbox.happenings import tell
from bot.store.outbox.queue import enqueue, withdraw
from bot.store.record_codec import IN_MILLISECONDS, PlainCodec, RecordCodec, pack_body
from bot.store.row_times import from_us, to_us
from bot.store.statements import AT_ONCE, chunks, insert_into
from bot.store.tables import (
    ABSENCE,
    APPROVAL_AUDIT,
    APPROVAL_CARD,
    APPROVAL_CASE,
    APPROVAL_DECISION,
    APPROVAL_PERSON,
    APPROVAL_SOURCE,
    APPROVAL_VOTE,
    OA_APPROVAL,
)
from bot.store.transactions import StoredTransactions, begin_immediate
from bot.store.unreadable_rows import read_readable

_PARTS = (APPROVAL_VOTE, APPROVAL_DECISION, APPROVAL_PERSON, APPROVAL_CARD, OA_APPROVAL)
_FINAL = tuple(state.value for state in CaseState if state.is_final)

_N = OA_APPROVAL.c
_NATIVE_COLUMNS = frozenset({"case", "state", "due_at", "instance", "news", "seen", "stamp"})
_OA_BODY = RecordCodec(
    OaRecord, {datetime: PlainCodec(to_us, from_us)}, names={"started_at": "started"}, skip=_NATIVE_COLUMNS
)
"""The row's JSON: the fields without columns."""
_ABSENCE = RecordCodec(Absence, IN_MILLISECONDS, names={"begins": "begins_ms", "ends": "ends_ms", "due_at": "due_ms"})


class StoredCaseRepository:
    """The case repository within one transaction; `flush` writes the queued cards."""

    def __init__(
        self, connection: Connection, now: datetime, *, receivers: Sequence[Receiver] = (), locking: bool = True
    ) -> None:
        """``receivers`` are told what happens. Without ``locking`` it is read-only."""
        self._receivers = receivers
        self._locking = locking
        self._connection = connection
        self._now = now
        self._stamps: dict[str, int] = {}
        self._known: dict[str, Case] = {}
        self._bodies: dict[str, str] = {}
        """The stored JSON of the known cases."""
        self._deliveries: dict[str, Delivery] = {}
        self._changed: dict[tuple[str, str], datetime] = {}
        """Documents whose answers are to be redrawn, and when."""
        self._cards: list[CaseCard] = []
        self._lines: list[AuditRow] = []
        self._entries: list[AuditEntry] = []
        self._happenings: list[Happening] = []

    def case(self, case_id: str) -> Case | None:
        query = sql.LOCKED_CASE if self._locking else sql.CASE
        return next(iter(self._cases(query, which=case_id)), None)

    def newest(self, key: DocumentKey) -> Case | None:
        query = sql.LOCKED_NEWEST if self._locking else sql.NEWEST
        source, kind, number = key.folded
        return next(iter(self._cases(query, from_source=source, of_kind=kind.command, named=number)), None)

    def revisions(self, word: str) -> Sequence[Case]:
        return self._cases(sql.REVISIONS, which=word, named=word.casefold(), most=100)

    def called(self, short_ids: Sequence[str]) -> Sequence[Case]:
        some = {short.partition("-")[0] for short in short_ids}
        found = {short_id(case.id): case for case in self._cases(sql.BEGINNING_WITH, some=sorted(some))}
        return [found[short] for short in short_ids if short in found]

    def cases_of(self, number: str, source: str = "", limit: int = 100) -> Sequence[Case]:
        if source:
            return self._cases(sql.NAMED_AT, named=number.casefold(), from_source=source, most=limit)
        return self._cases(sql.NAMED, named=number.casefold(), most=limit)

    def open_cases(self, user_id: str = "", limit: int = 500) -> Sequence[Case]:
        if user_id:
            return self._readable_cases(sql.OPEN_CASES_OF, person=user_id, most=limit)
        return self._readable_cases(sql.OPEN_CASES, most=limit)

    def search(self, wanted: CaseSearch) -> Sequence[Case]:
        return self._readable_cases(sql.search(wanted))

    def searches(self) -> Mapping[tuple[str, str], datetime]:
        rows = self._connection.execute(sql.SEARCHES)
        return {(row.source, row.kind): from_us(row.searched_us) for row in rows}

    def mark_searched(self, source: str, kind: Kind[Any], at: datetime) -> None:
        searched = {"searched_us": to_us(at)}
        adding = insert_into(APPROVAL_SOURCE, self._connection.dialect.name).values(
            source=source, kind=kind.command, **searched
        )
        self._connection.execute(adding.on_conflict_do_update(index_elements=["source", "kind"], set_=searched))

    def absences(self) -> Sequence[Absence]:
        return [_ABSENCE.read_row(row) for row in self._connection.execute(sql.ABSENCES)]

    def change_absence(self, before: Absence | None, after: Absence | None) -> None:
        person = ABSENCE.c.user_id
        if before is None:
            assert after is not None, "something is there before or after"
            first = insert_into(ABSENCE, self._connection.dialect.name).values(**_ABSENCE.write(after))
            written = self._connection.scalar(first.on_conflict_do_nothing().returning(person))
        else:
            same = (person == before.user_id, ABSENCE.c.revision == before.revision)
            change = delete(ABSENCE) if after is None else update(ABSENCE).values(**_ABSENCE.write(after))
            written = self._connection.scalar(change.where(*same).returning(person))
        if written is None:
            raise WriteConflict("another process changed the absence")
        announce(self._connection, SharedWork.DECISIONS)

    def put(self, case: Case) -> None:
        before = self._stamps.get(case.id)
        body, known = self._bodies.get(case.id, ""), self._known.get(case.id)
        row = case_row(case, 1 if before is None else before + 1, body, known)
        try:
            self._write(case, row, before)
        except IntegrityError as error:
            raise CaseConflict(case.id) from error
        self._stamps[case.id] = row["stamp"]
        self._known[case.id], self._bodies[case.id] = case, row["body"]
        if case.due_at is not None and case.due_at <= self._now:
            announce(self._connection, SharedWork.DECISIONS)

    def due(self, now: datetime, limit: int) -> Sequence[Case]:
        return self._readable_cases(sql.DUE, at=to_us(now), most=limit)

    def next_due(self, after: datetime) -> datetime | None:
        due: int | None = self._connection.scalar(sql.NEXT_DUE, {"at": to_us(after)})
        return None if due is None else from_us(due)

    def cards_of(self, case_id: str) -> Sequence[CaseCard]:
        """Return the places of a case's cards, oldest first."""
        self._write_cards()
        return [card_of(row) for row in self._connection.execute(sql.CARDS, {"which": case_id})]

    def put_card(self, card: CaseCard) -> None:
        self._cards.append(card)

    def put_apart(self, card: CaseCard) -> None:
        row = card_row(card)
        self._connection.execute(sql.SET_SHARED, {"key": row["card"], "alone": card.shared})

    def approved_on(self, user_id: str, currency: str, begins: datetime, ends: datetime) -> Money:
        """Return the sum approved on a day by a person, or by others in their place; locks the person."""
        if self._locking and self._connection.dialect.name == "postgresql":
            self._connection.execute(sql.LOCK_PERSON, {"area": sql.LOCK_AREA, "person": user_id})
        asked = {
            "person": user_id,
            "money": currency,
            "begins": to_us(begins),
            "ends": to_us(ends),
        }
        amounts = self._connection.execute(sql.APPROVED, asked).scalars()
        return Money(sum(map(Decimal, amounts), Decimal(0)), currency)

    def audit(self, row: AuditRow) -> None:
        """Append a line to the record; decisions also go into the audit log, and programs are told of them."""
        self._lines.append(row)
        case = self._known.get(row.case)
        if case is not None and self._receivers and (happening := happening_of(row, case)):
            self._happenings.append(happening)
        entry = make_decision_entry(row, case) if case is not None else None
        if entry is not None:
            self._entries.append(entry)

    def audit_rows_of(self, case_id: str) -> Sequence[AuditRow]:
        self._write_lines()
        return [audit_of(row) for row in self._connection.execute(sql.AUDIT, {"which": case_id})]

    def deliver(self, delivery: Delivery) -> None:
        """Queue a card's newest state for a place; repeats in one unit of work count once."""
        self._deliveries[delivery.card] = delivery

    def withdraw(self, card: str) -> None:
        self._deliveries.pop(card, None)
        withdraw(self._connection, [card])

    def redraw_answers(self, case: Case, due_at: datetime) -> None:
        self._changed[case.source, case.number.casefold()] = due_at

    def flush(self) -> None:
        """Write the record and the queued cards, always in one order: units do not wait for each other's rows."""
        self._write_cards()
        self._write_lines()
        enqueue(self._connection, *self._deliveries.values(), now=self._now)
        self._deliveries = {}
        tell(self._connection, self._receivers, self._happenings, now=self._now)
        self._happenings = []
        redraw_answers(self._connection, self._changed, self._now)
        self._changed = {}
        if self._entries:
            # Last, since all processes wait for the end of the one chain.
            append_entries(self._connection, self._entries)
            self._entries = []

    def _cases(self, query: Any, **values: Any) -> list[Case]:
        return [self._keep(row) for row in self._connection.execute(query, values).all()]

    def _readable_cases(self, query: Select[Any], **values: Any) -> list[Case]:
        """Return the cases of a list without unreadable ones; a lookup by name fails on an unreadable case."""
        return [self._keep(row) for row in read_readable(self._connection, APPROVAL_CASE, query, values)]

    def _keep(self, row: Any) -> Case:
        self._stamps[row.id], self._bodies[row.id] = row.stamp, row.body
        case = self._known[row.id] = case_of(row)
        return case

    def _write(self, case: Case, row: dict[str, Any], before: int | None) -> None:
        known = self._known.get(case.id)
        if before is None:
            self._connection.execute(sql.INSERT_CASE, row)
        else:
            values = {name: row[name] for name in ("state", "due_us", "stamp", "body")}
            written = self._connection.execute(sql.UPDATE_CASE, {**values, "which": case.id, "before": before})
            if written.rowcount != 1:
                raise CaseConflict(case.id)
        self._write_decision(case, known)
        self._write_rows(case, known)

    def _write_decision(self, case: Case, known: Case | None) -> None:
        before = known.decision if known is not None else None
        if before == case.decision:
            return
        if before is not None:
            self._connection.execute(sql.DELETE_DECISION, {"which": case.id})
        if case.decision is not None:
            self._connection.execute(sql.INSERT_DECISION, decision_row(case.id, case.decision))

    def _write_cards(self) -> None:
        if self._cards:
            adding = insert_into(APPROVAL_CARD, self._connection.dialect.name)
            rows = [card_row(card) for card in self._cards]
            self._connection.execute(adding.on_conflict_do_nothing(index_elements=["card"]), rows)
            self._cards = []

    def _write_lines(self) -> None:
        if self._lines:
            self._connection.execute(sql.INSERT_AUDIT, [audit_row(line) for line in self._lines])
            self._lines = []

    def _write_rows(self, case: Case, known: Case | None) -> None:
        votes, stored = vote_rows(case), vote_rows(known) if known is not None else []
        if votes[: len(stored)] != stored:
            self._connection.execute(sql.DELETE_VOTES, {"which": case.id})
            stored = []
        if new := votes[len(stored) :]:
            self._connection.execute(sql.INSERT_VOTE, new)
        people = possible_voters(case)
        if people != (possible_voters(known) if known is not None else frozenset()):
            self._connection.execute(sql.DELETE_PEOPLE, {"which": case.id})
            rows = [{"case_id": case.id, "user_id": person} for person in sorted(people)]
            if rows:
                self._connection.execute(sql.INSERT_PERSON, rows)


class StoredCaseTransactions(StoredTransactions[StoredCaseRepository]):
    """Transactions on the case repository."""

    def __init__(self, database: Database, now: Callable[[], datetime], receivers: Sequence[Receiver] = ()) -> None:
        """``receivers`` are told what happens."""
        super().__init__(
            database,
            begin=begin_immediate,
            writing=lambda connection: StoredCaseRepository(connection, now(), receivers=receivers),
            reading=lambda connection: StoredCaseRepository(connection, now(), locking=False),
        )


def cases_since(connection: Connection, since: datetime) -> tuple[Case, ...]:
    """Return the newest case of each document opened since then, newest first."""
    opened = APPROVAL_CASE.c.opened_us
    query = select(APPROVAL_CASE).where(opened >= to_us(since)).order_by(opened.desc(), APPROVAL_CASE.c.id)
    newest: dict[tuple[str, str, str], Case] = {}
    for row in connection.execute(query):
        newest.setdefault((row.source, row.kind, row.folded), case_of(row))
    return tuple(newest.values())


def case_states_since(connection: Connection, documents: Sequence[tuple[str, str]], since: datetime) -> frozenset[str]:
    """Return the state names of documents' newest cases with any record since ``since``.

    ``documents`` are sources and lower-cased numbers; see `bot.approvals.case.Case.state_name`.
    """
    case, record = APPROVAL_CASE.c, APPROVAL_AUDIT.c
    later = APPROVAL_CASE.alias()
    is_newest = ~exists().where(
        later.c.source == case.source,
        later.c.kind == case.kind,
        later.c.folded == case.folded,
        later.c.round > case.round,
    )
    recorded = exists().where(record.case_id == case.id, record.at_us >= to_us(since))
    changed = select(APPROVAL_CASE).where(tuple_(case.source, case.folded).in_(documents), is_newest, recorded)
    return frozenset(case_of(row).state_name for row in connection.execute(changed))


async def forget_cases(database: Database, before: datetime) -> int:
    """Delete ended cases opened before then, and return their number. Their record stays.

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


class StoredOaRecords(Stored):
    """Stores the records of DingTalk's own approvals."""

    async def under_way(self) -> Sequence[OaRecord]:
        wanted = select(OA_APPROVAL).where(_N.state != OaState.ENDED.value).order_by(_N.due_us, _N.case_id)
        rows = await self._database.run(lambda connection: read_readable(connection, OA_APPROVAL, wanted))
        return [_oa_record(row) for row in rows]

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        """Return the cases without a record."""
        wanted = sorted(cases)

        def read(connection: Connection) -> set[str]:
            queries = (select(_N.case_id).where(_N.case_id.in_(some)) for some in chunks(wanted))
            return {row.case_id for query in queries for row in connection.execute(query)}

        return frozenset(wanted) - await self._database.run(read) if wanted else frozenset()

    async def begin(self, record: OaRecord) -> bool:
        first = insert_into(OA_APPROVAL, self._database.dialect).values(**_oa_row(record), news=0)
        new = first.on_conflict_do_nothing().returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(new)) is not None

    async def put(self, record: OaRecord) -> OaRecord | None:
        """Store a record and return it; None if another process changed it since it was read."""
        stored = replace(record, stamp=record.stamp + 1)
        # Only `mark_changed` writes ``news``, so that no event arriving meanwhile is lost.
        still = (_N.case_id == record.case, _N.stamp == record.stamp)

        def write(connection: Connection) -> bool:
            row = connection.execute(select(OA_APPROVAL).where(*still)).one_or_none()
            if row is None:
                return False
            values = _oa_row(stored, row.body, _oa_record(row))
            change = update(OA_APPROVAL).where(*still).values(**values)
            return connection.scalar(change.returning(_N.case_id)) is not None

        return stored if await self._database.run(write) else None

    async def mark_changed(self, instance: str) -> bool:
        """Count an event about an approval; False if it is not the bot's, or has ended."""
        ours = (_N.instance == instance, _N.state == OaState.RUNNING.value)
        counted = update(OA_APPROVAL).where(*ours).values(news=_N.news + 1).returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(counted)) is not None


def _oa_row(record: OaRecord, body: str = "", known: OaRecord | None = None) -> dict[str, Any]:
    return {
        "case_id": record.case,
        "instance": record.instance or None,
        "state": record.state.value,
        "due_us": to_us(record.due_at),
        "seen": record.seen,
        "stamp": record.stamp,
        "body": pack_body(_OA_BODY.write(record), body, None if known is None else _OA_BODY.write(known)),
    }


def _oa_record(row: Row[Any]) -> OaRecord:
    return _OA_BODY.read(
        orjson.loads(row.body),
        case=row.case_id,
        state=OaState(row.state),
        due_at=from_us(row.due_us),
        instance=row.instance or "",
        news=row.news,
        seen=row.seen,
        stamp=row.stamp,
    )
