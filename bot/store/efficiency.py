"""The figures of efficiency, filled from what happened and read by month.

Filling reads each kind of record from where it ended last; records are read again for a while, since another process
may commit a lower number later. Every batch replaces what it makes, in one transaction with its mark: wherever a fill
is killed, the next one ends at the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Table, delete, func, insert, select
from sqlalchemy.engine import Connection

from bot.access.audit import AuditKind
from bot.alerts.alert import AlertState
from bot.approvals.case import Case
from bot.chat.answers.page_answers import PAGE
from bot.chat.answers.watched_questions import SEEN_AS
from bot.efficiency.figures import month_before
from bot.efficiency.questions import QuestionCount, QuestionHour, UnreadSentence
from bot.efficiency.speeds import TimeCount, Timed
from bot.efficiency.waits import SETTLED_AFTER, AlertWait, DecisionWait, alert_wait, decision_waits
from bot.efficiency.working_time import WorkingHours
from bot.outbox.spending import Quota
from bot.store.alerts.rows import stamps_of
from bot.store.approvals.rows import case_of
from bot.store.database import Database
from bot.store.row_times import from_ms, from_us, to_ms
from bot.store.statements import AT_ONCE, chunks, insert_into, replace_into
from bot.store.tables import (
    ALERT,
    ALERT_CARD,
    ALERT_CARD_MEMBER,
    ALERT_WAIT,
    APPROVAL_AUDIT,
    APPROVAL_CASE,
    AUDIT,
    DECISION_WAIT,
    DEPARTMENT,
    EFFICIENCY_MARK,
    PERSON,
    QUESTION_DAY,
    QUESTION_HOUR,
    QUOTA_MONTH,
    SPEED_DAY,
    UNREAD_SENTENCE,
)
from bot.store.unread_sentences import read_unread_sentences
from bot.store.unreadable_rows import read_readable

KEPT = timedelta(days=2 * 366)
"""Two years, so that each month of the last one has that of the year before beside it."""

_LATE = timedelta(minutes=10)
"""Longer than a transaction takes: what is older than this is complete."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_MONTH = len("2026-11")
_DECISIONS, _ALERTS, _QUESTIONS = "decisions", "alerts", "questions"
_D, _A, _Q, _H, _S = DECISION_WAIT.c, ALERT_WAIT.c, QUESTION_DAY.c, QUESTION_HOUR.c, SPEED_DAY.c
_HOUR_MS = 3_600_000


class StoredEfficiency:
    """Fills the tables, and reads them as `bot.efficiency.port.EfficiencyReader`."""

    def __init__(self, database: Database, hours: WorkingHours, now: Callable[[], datetime]) -> None:
        self._database = database
        self._hours = hours
        self._now = now

    async def fill(self) -> None:
        """Bring the tables up to date, and delete what is older than `KEPT`. Raises `StoreUnavailable`."""
        now = self._now()
        since = now - KEPT
        await self._fill_decisions(now, since)
        await self._fill_alerts(now)
        await self._fill_questions(now, since)
        for table, column in ((DECISION_WAIT, _D.at_ms), (ALERT_WAIT, _A.at_ms)):
            await self._database.execute(delete(table).where(column < to_ms(since)))
        oldest = since.astimezone(self._hours.zone).date()
        for days in (QUESTION_DAY, SPEED_DAY):
            await self._database.execute(delete(days).where(days.c.day < f"{oldest:%Y-%m}"))

    async def _fill_decisions(self, now: datetime, since: datetime) -> None:
        after: int | None = await self._database.run(partial(_mark, _DECISIONS))
        while after is not None:
            after = await self._database.run(partial(_fill_cases, self._hours, after, now - _LATE, since))

    async def _fill_alerts(self, now: datetime) -> None:
        first: int = await self._database.run(partial(_mark, _ALERTS))
        part = _AlertPart(after=first, unsettled=None)
        while part.after is not None:
            part = await self._database.run(partial(_fill_alerts, part, now - SETTLED_AFTER))

    async def _fill_questions(self, now: datetime, since: datetime) -> None:
        today = now.astimezone(self._hours.zone).date()
        mark = await self._database.run(partial(_mark, _QUESTIONS))
        first = date.fromordinal(mark) - _DAY if mark else await self._first_question(since)
        while first is not None and first <= today:
            await self._database.run(partial(_fill_day, first, self._starts(first), self._starts(first + _DAY)))
            first += _DAY
        ended = (today - _DAY).replace(day=1)
        await self._database.run(partial(_sum_up_months, ended))
        await self._database.run(partial(_sum_up_speeds, ended))
        await self._database.execute(delete(QUESTION_HOUR).where(_H.day < month_before(today).isoformat()))

    async def _first_question(self, since: datetime) -> date | None:
        query = select(func.min(AUDIT.c.at_ms)).where(AUDIT.c.at_ms >= to_ms(since))
        oldest = (await self._database.rows(query))[0][0]
        return None if oldest is None else from_ms(int(oldest)).astimezone(self._hours.zone).date()

    def _starts(self, day: date) -> int:
        return to_ms(datetime.combine(day, time(), self._hours.zone))

    def _within(self, month: date) -> tuple[int, int]:
        return self._starts(month), self._starts(month_before(month, -1))

    async def decisions(self, month: date) -> Sequence[DecisionWait]:
        begins, ends = self._within(month)
        query = select(DECISION_WAIT).where(_D.at_ms >= begins, _D.at_ms < ends).order_by(_D.at_ms)
        return [
            DecisionWait(
                case=row.case_id,
                person=row.person,
                at=from_ms(row.at_ms),
                waited=row.waited_s * _SECOND,
                worked=row.worked_s * _SECOND,
                level=row.level,
                rule=row.rule,
                currency=row.currency,
                size=row.size,
                way=row.way,
                in_time=row.in_time,
                approved=row.approved,
                changed=row.changed,
                kind=row.kind,
                asked=row.asked,
            )
            for row in await self._read(query)
        ]

    async def alerts(self, month: date) -> Sequence[AlertWait]:
        begins, ends = self._within(month)
        query = select(ALERT_WAIT).where(_A.at_ms >= begins, _A.at_ms < ends).order_by(_A.at_ms)
        return [
            AlertWait(
                number=row.number,
                person=row.person,
                at=from_ms(row.at_ms),
                rule=row.rule,
                acknowledged=None if row.acknowledged_s is None else row.acknowledged_s * _SECOND,
                resolved=None if row.resolved_s is None else row.resolved_s * _SECOND,
                ignored=row.ignored,
                repeated=row.repeated,
            )
            for row in await self._read(query)
        ]

    async def questions(self, month: date) -> Sequence[QuestionCount]:
        counted = func.sum(_Q.number).label("number"), func.max(_Q.people).label("people")
        of_month = _Q.day.startswith(f"{month:%Y-%m}", autoescape=True)
        query = select(_Q.command, _Q.department, *counted).where(of_month).group_by(_Q.command, _Q.department)
        return [
            QuestionCount(command=row.command, department=row.department, number=int(row.number), people=row.people)
            for row in await self._read(query)
        ]

    async def question_hours(self, month: date) -> Sequence[QuestionHour]:
        rows = await self._read(select(QUESTION_HOUR).where(_H.day.startswith(f"{month:%Y-%m}", autoescape=True)))
        return [
            QuestionHour(
                day=date.fromisoformat(row.day),
                hour=row.hour,
                line=row.line,
                number=row.number,
                people=row.people,
            )
            for row in rows
        ]

    async def unread_sentences(self, month: date) -> Sequence[UnreadSentence]:
        first, after = ((day - 6 * _DAY).isoformat() for day in (month, month_before(month, -1)))
        ended = UNREAD_SENTENCE.c.week >= first, UNREAD_SENTENCE.c.week < after
        return await self._database.read(lambda connection: read_unread_sentences(connection, *ended))

    async def calls(self, month: date) -> Mapping[str, int]:
        spent = func.sum(QUOTA_MONTH.c.spent)
        query = select(QUOTA_MONTH.c.purpose, spent).group_by(QUOTA_MONTH.c.purpose)
        wanted = QUOTA_MONTH.c.month == f"{month:%Y-%m}", QUOTA_MONTH.c.quota == Quota.CALLS.value
        return {purpose: int(count) for purpose, count in await self._read(query.where(*wanted))}

    async def speeds(self, month: date) -> Sequence[TimeCount]:
        of_month = _S.day.startswith(f"{month:%Y-%m}", autoescape=True)
        summed = select(_S.timed, _S.source, _S.within_ms, func.sum(_S.number).label("number")).where(of_month)
        return [
            TimeCount(
                timed=Timed(row.timed),
                source=row.source,
                within=row.within_ms * _MILLISECOND or None,
                number=int(row.number),
            )
            for row in await self._read(summed.group_by(_S.timed, _S.source, _S.within_ms))
        ]

    async def add_speeds(self, counts: Iterable[TimeCount]) -> None:
        """Add what a process counted to today's. Raises `StoreUnavailable`."""
        day = self._now().astimezone(self._hours.zone).date().isoformat()
        rows = [
            {
                "day": day,
                "timed": count.timed.value,
                "source": count.source,
                "within_ms": (count.within or timedelta(0)) // _MILLISECOND,
                "number": count.number,
            }
            for count in counts
        ]
        await self._database.run(partial(_add_speeds, rows))

    async def departments(self) -> Mapping[str, str]:
        return {row.id: row.name for row in await self._read(select(DEPARTMENT.c.id, DEPARTMENT.c.name))}

    async def _read(self, query: Any) -> Sequence[Any]:
        return await self._database.read(lambda connection: connection.execute(query).all())


def _mark(records: str, connection: Connection) -> int:
    query = select(EFFICIENCY_MARK.c.reached).where(EFFICIENCY_MARK.c.records == records)
    return connection.scalar(query) or 0


def _put_mark(connection: Connection, records: str, reached: int) -> None:
    _replace(connection, EFFICIENCY_MARK, [{"records": records, "reached": reached}])


def _replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(replace_into(table, connection.dialect.name), rows)


def _fill_cases(
    hours: WorkingHours, after: int, complete: datetime, since: datetime, connection: Connection
) -> int | None:
    """Write the decisions about documents with lines after a number in the record of cases.

    Returns the number to go on from, None at the end. Lines that are newer than ``complete`` are read again next time.
    """
    line = APPROVAL_AUDIT.c
    query = select(line.number, line.case_id, line.at_us).where(line.number > after).order_by(line.number)
    lines = connection.execute(query.limit(AT_ONCE)).all()
    waits: list[DecisionWait] = []
    touched: list[str] = []
    for revisions in _documents(connection, {row.case_id for row in lines}):
        touched += [case.id for case in revisions]
        waits += (wait for wait in decision_waits(revisions, hours) if wait.at >= since)
    for some in chunks(touched):
        connection.execute(delete(DECISION_WAIT).where(_D.case_id.in_(some)))
    if waits:
        connection.execute(insert(DECISION_WAIT), [_decision_row(wait) for wait in waits])
    if done := [row.number for row in lines if from_us(row.at_us) < complete]:
        _put_mark(connection, _DECISIONS, max(done))
    return lines[-1].number if len(lines) == AT_ONCE else None


def _documents(connection: Connection, case_ids: Collection[str]) -> Iterable[Sequence[Case]]:
    """Return all cases of the documents of some cases, by document, the oldest first."""
    case = APPROVAL_CASE.c
    documents: set[tuple[str, str, str]] = set()
    for some in chunks(case_ids):
        found = connection.execute(select(case.source, case.kind, case.folded).where(case.id.in_(some)))
        documents.update((row.source, row.kind, row.folded) for row in found)
    for source, kind, folded in sorted(documents):
        named = case.source == source, case.kind == kind, case.folded == folded
        of_document = select(APPROVAL_CASE).where(*named).order_by(case.round)
        if rows := read_readable(connection, APPROVAL_CASE, of_document):
            yield [case_of(row) for row in rows]


def _decision_row(wait: DecisionWait) -> dict[str, Any]:
    return {
        "case_id": wait.case,
        "person": wait.person,
        "at_ms": to_ms(wait.at),
        "waited_s": wait.waited // _SECOND,
        "worked_s": wait.worked // _SECOND,
        "level": wait.level,
        "rule": wait.rule,
        "currency": wait.currency,
        "size": wait.size,
        "way": wait.way,
        "in_time": wait.in_time,
        "approved": wait.approved,
        "changed": wait.changed,
        "kind": wait.kind,
        "asked": wait.asked,
    }


class _AlertPart(NamedTuple):
    """Where a fill goes on: after which number, None at the end; and the first alert that may still change."""

    after: int | None
    unsettled: int | None


def _fill_alerts(part: _AlertPart, settled: datetime, connection: Connection) -> _AlertPart:
    """Write what became of the alerts after a number. What began before ``settled`` is final, once it was shown."""
    alert = ALERT.c
    columns = select(
        alert.number, alert.id, alert.state, alert.hands, alert.resolved_ms, alert.reported, alert.revivals
    )
    wanted = alert.number > part.after, alert.state != AlertState.INFORMED.value
    rows = read_readable(connection, ALERT, columns.where(*wanted).order_by(alert.number).limit(AT_ONCE))
    shown = _first_cards(connection, [row.id for row in rows])
    waits = [
        alert_wait(
            number=row.number,
            rule=shown[row.id].route,
            shown_at=from_ms(shown[row.id].opened_ms),
            resolved_at=from_ms(row.resolved_ms),
            stamps=stamps_of(row.hands),
            repeated=row.reported > 1 or row.revivals > 0,
        )
        for row in rows
        if row.id in shown
    ]
    _replace(connection, ALERT_WAIT, [_alert_row(wait) for wait in waits])
    changing = {wait.number for wait in waits if wait.at > settled}
    changing.update(row.number for row in rows if row.id not in shown and row.state == AlertState.OPEN.value)
    unsettled = part.unsettled if part.unsettled is not None else min(changing, default=None)
    if rows:
        _put_mark(connection, _ALERTS, rows[-1].number if unsettled is None else unsettled - 1)
    return _AlertPart(rows[-1].number if len(rows) == AT_ONCE else None, unsettled)


def _first_cards(connection: Connection, alerts: Collection[str]) -> Mapping[str, Any]:
    """Return the card that first showed each alert."""
    member, card = ALERT_CARD_MEMBER.c, ALERT_CARD.c
    found: dict[str, Any] = {}
    for some in chunks(alerts):
        query = select(member.alert, card.route, card.opened_ms).join(ALERT_CARD, card.id == member.card)
        for row in connection.execute(query.where(member.alert.in_(some)).order_by(card.number)):
            found.setdefault(row.alert, row)
    return found


def _alert_row(wait: AlertWait) -> dict[str, Any]:
    return {
        "number": wait.number,
        "person": wait.person,
        "at_ms": to_ms(wait.at),
        "rule": wait.rule,
        "acknowledged_s": None if wait.acknowledged is None else wait.acknowledged // _SECOND,
        "resolved_s": None if wait.resolved is None else wait.resolved // _SECOND,
        "ignored": wait.ignored,
        "repeated": wait.repeated,
    }


def _fill_day(day: date, begins: int, ends: int, connection: Connection) -> None:
    """Write how often what was asked on a day."""
    departments = _first_departments(connection)
    entry = AUDIT.c
    wanted = entry.at_ms >= begins, entry.at_ms < ends, entry.kind == AuditKind.QUESTION.value, entry.action != SEEN_AS
    query = select(entry.action, entry.actor, func.count().label("number")).where(*wanted)
    counts: dict[tuple[str, str], list[int]] = {}
    for row in connection.execute(query.group_by(entry.action, entry.actor)):
        counts.setdefault((row.action, departments.get(row.actor, "")), []).append(row.number)
    rows = [
        {"day": day.isoformat(), "command": command, "department": of, "number": sum(each), "people": len(each)}
        for (command, of), each in counts.items()
    ]
    connection.execute(delete(QUESTION_DAY).where(_Q.day == day.isoformat()))
    if rows:
        connection.execute(insert(QUESTION_DAY), rows)
    _fill_hours(day, begins, wanted, connection)
    _put_mark(connection, _QUESTIONS, day.toordinal())


def _fill_hours(day: date, begins: int, asked: Sequence[ColumnElement[bool]], connection: Connection) -> None:
    """Write how many people asked which line in which hour of a day; those of pages are no questions by hand."""
    entry = AUDIT.c
    hour = ((entry.at_ms - begins) // _HOUR_MS).label("hour")
    by_hand = *asked, entry.detail.startswith("/"), entry.conversation != PAGE.id
    counted = func.count().label("number"), func.count(entry.actor.distinct()).label("people")
    query = select(hour, entry.detail.label("line"), *counted).where(*by_hand).group_by(hour, entry.detail)
    rows = [{"day": day.isoformat(), **row._mapping} for row in connection.execute(query)]
    connection.execute(delete(QUESTION_HOUR).where(_H.day == day.isoformat()))
    if rows:
        connection.execute(insert(QUESTION_HOUR), rows)


def _sum_up_months(since: date, connection: Connection) -> None:
    """Put the days of each month before ``since`` together: a month takes as much space as one of its days."""
    of_days = func.length(_Q.day) > _MONTH, _Q.day < since.isoformat()
    month = func.substr(_Q.day, 1, _MONTH).label("day")
    counted = func.sum(_Q.number).label("number"), func.max(_Q.people).label("people")
    query = select(month, _Q.command, _Q.department, *counted).where(*of_days)
    sums = [dict(row._mapping) for row in connection.execute(query.group_by(month, _Q.command, _Q.department))]
    connection.execute(delete(QUESTION_DAY).where(*of_days))
    if sums:
        connection.execute(insert(QUESTION_DAY), [{**row, "number": int(row["number"])} for row in sums])


def _sum_up_speeds(since: date, connection: Connection) -> None:
    """Put the days of each month before ``since`` together."""
    of_days = func.length(_S.day) > _MONTH, _S.day < since.isoformat()
    month = func.substr(_S.day, 1, _MONTH).label("day")
    named = month, _S.timed, _S.source, _S.within_ms
    sums = connection.execute(select(*named, func.sum(_S.number).label("number")).where(*of_days).group_by(*named))
    rows = [{**row._mapping, "number": int(row.number)} for row in sums]
    connection.execute(delete(SPEED_DAY).where(*of_days))
    _add_speeds(rows, connection)


def _add_speeds(rows: Sequence[dict[str, Any]], connection: Connection) -> None:
    """Add counts to those that are there."""
    adding = insert_into(SPEED_DAY, connection.dialect.name)
    key = [column.name for column in SPEED_DAY.primary_key]
    upsert = adding.on_conflict_do_update(index_elements=key, set_={"number": _S.number + adding.excluded.number})
    if rows:
        # In the same order everywhere, so that no two processes wait for each other's rows.
        connection.execute(upsert, sorted(rows, key=lambda row: [row[name] for name in key]))


def _first_departments(connection: Connection) -> Mapping[str, str]:
    """Return the first department of each person who has one."""
    people = connection.execute(select(PERSON.c.user_id, PERSON.c.departments).where(PERSON.c.departments != "[]"))
    return {row.user_id: str(orjson.loads(row.departments)[0]) for row in people}
