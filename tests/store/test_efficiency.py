"""The figures are filled from what happened: exactly, wherever a fill is interrupted, and for what was before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.access.audit import AuditEntry, AuditKind
from bot.alerts.alert import AlertCard, AlertState, CardState, UserStamp
from bot.approvals.case import AuditRow, Case, CaseState, DocumentSummary, ExternalDecision, Inquiry
from bot.approvals.plan import ApprovalPlan, Vote, VoteWay
from bot.bootstrap.efficiency import SpeedRecorder
from bot.chat.answers.watched_questions import SEEN_AS
from bot.efficiency.figures import measure_alerts, measure_decisions, median
from bot.efficiency.questions import QuestionCount
from bot.efficiency.speeds import TimeCount, Timed
from bot.efficiency.working_time import WorkingHours
from bot.erp.model import Money, ReviewState, Verdict
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import StoredAudit
from bot.store.database import Database
from bot.store.efficiency import StoredEfficiency
from bot.store.errors import StoreUnavailable
from bot.words.phrase import phrase
from tests.alerts.test_repository import alert
from tests.approvals.test_repository import a_case

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 30, 12, tzinfo=SHANGHAI)
NOVEMBER = date(2026, 11, 1)
HOUR = timedelta(hours=1)
MANY = 40


@pytest.fixture
def figures(database: Database) -> StoredEfficiency:
    return StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: NOW)


async def put_cases(database: Database, *cases: Case, at: datetime = NOW - HOUR) -> None:
    """Store cases as if each had just changed."""

    def write(repository: Any) -> None:
        for case in cases:
            repository.put(case)
            repository.audit(AuditRow(at=at, case=case.id, what="vote"))

    await StoredCaseTransactions(database, lambda: at).transact(write)


def voted(*hours: float, opened: datetime, number: str = "PO-1", round_: int = 1, **fields: Any) -> Case:
    """Return a case whose levels were each approved after some hours, by people of their own."""
    votes = tuple(
        Vote(
            user_id=f"p{level}",
            name="",
            level=level,
            verdict=Verdict.APPROVE,
            at=opened + sum(hours[:level]) * HOUR,
            way=VoteWay.CARD,
        )
        for level in range(1, len(hours) + 1)
    )
    plan = ApprovalPlan(rule="r", levels=(), deadline=24 * HOUR)
    values = {"state": CaseState.APPROVED, "opened_at": opened, "votes": votes, "plan": plan} | fields
    return a_case(number, round_, **values)


def a_year() -> list[Case]:
    """Return cases of a year whose times differ by month and by person."""
    return [
        replace(
            voted(
                1 + number * 7 % 90,
                opened=NOW - timedelta(days=3 + 9 * number),
                number=f"PO-{number}",
                summary=DocumentSummary(total=Money(Decimal(number * 5_000), "CNY")),
            )
        )
        for number in range(MANY)
    ]


async def rows(database: Database, statement: str, **values: Any) -> Sequence[Any]:
    def read(connection: Connection) -> Sequence[Any]:
        found = connection.execute(text(statement), values)
        return found.all() if found.returns_rows else ()

    return await database.run(read)


async def all_rows(database: Database) -> list[tuple[Any, ...]]:
    tables = ("decision_wait", "alert_wait", "question_day", "question_hour")
    return [tuple(row) for table in tables for row in await rows(database, f"SELECT * FROM {table} ORDER BY 1, 2, 3")]


async def test_the_figures_of_a_month_equal_those_of_sql_over_the_votes(
    database: Database, figures: StoredEfficiency
) -> None:
    await put_cases(database, *a_year())
    await figures.fill()
    for month in (date(2026, number, 1) for number in range(1, 12)):
        begins = datetime(2026, month.month, 1, tzinfo=SHANGHAI).timestamp() * 1_000_000
        ends = datetime(2026, month.month + 1, 1, tzinfo=SHANGHAI).timestamp() * 1_000_000
        waited = await rows(
            database,
            "SELECT (vote.at_us - opened_us) / 1000000, vote.at_us <= opened_us + 86400000000"
            " FROM approval_vote AS vote JOIN approval_case ON id = case_id"
            " WHERE vote.at_us >= :begins AND vote.at_us < :ends"
            " ORDER BY vote.at_us - opened_us",
            begins=begins,
            ends=ends,
        )
        found = measure_decisions(await figures.decisions(month))
        assert found.count == len(waited) > 0
        seconds = [row[0] for row in waited]
        half = len(seconds) // 2
        middle = seconds[half] if len(seconds) % 2 else (seconds[half - 1] + seconds[half]) / 2
        assert found.median == timedelta(seconds=middle)
        in_nine_of_ten = next(each for number, each in enumerate(seconds, 1) if number >= 0.9 * len(seconds))
        assert found.ninetieth == timedelta(seconds=in_nine_of_ten)
        assert found.in_time == int(100 * sum(row[1] for row in waited) / len(waited) + 0.5)


async def test_each_level_is_waited_for_since_the_one_before(database: Database, figures: StoredEfficiency) -> None:
    opened = datetime(2026, 11, 3, 10, tzinfo=SHANGHAI)
    await put_cases(database, voted(2, 30, opened=opened, summary=DocumentSummary(total=Money(Decimal(60_000), "CNY"))))
    await figures.fill()
    first, second = await figures.decisions(NOVEMBER)
    assert (first.level, first.person, first.waited, first.worked) == (1, "p1", 2 * HOUR, 2 * HOUR)
    assert (second.level, second.waited, second.worked) == (2, 30 * HOUR, 15 * HOUR)
    assert (first.in_time, second.in_time, second.size, second.currency, second.way) == (True, False, 3, "CNY", "card")


async def test_what_changed_after_it_was_approved_and_what_the_erp_decided(
    database: Database, figures: StoredEfficiency
) -> None:
    opened = datetime(2026, 11, 3, 10, tzinfo=SHANGHAI)
    await put_cases(database, voted(1, opened=opened))
    await figures.fill()
    assert [wait.changed for wait in await figures.decisions(NOVEMBER)] == [False]
    there = ExternalDecision(status=ReviewState.REJECTED, by="erp-wang", at=opened + 5 * HOUR)
    at = opened + 3 * HOUR
    later = a_case("PO-1", 2, fingerprint="f2", state=CaseState.DECIDED_ELSEWHERE, elsewhere=there, opened_at=at)
    await put_cases(database, later)
    await figures.fill()
    before, now = await figures.decisions(NOVEMBER)
    assert (before.changed, now.changed) == (True, False)
    assert (now.person, now.way, now.waited, now.approved) == ("", "erp", 2 * HOUR, False)


@pytest.mark.parametrize(("at", "asked"), [(HOUR, True), (timedelta(0), True), (40 * HOUR, False)])
async def test_whether_the_requester_was_asked_before(
    database: Database, figures: StoredEfficiency, at: timedelta, asked: bool
) -> None:
    opened = datetime(2026, 11, 3, 10, tzinfo=SHANGHAI)
    question = Inquiry(by="wang", name="王", text="?", at=opened + at, until=opened + 99 * HOUR)
    await put_cases(database, replace(voted(2, opened=opened), inquiries=(question,)))
    await figures.fill()
    (wait,) = await figures.decisions(NOVEMBER)
    assert wait.asked is asked
    assert measure_decisions([wait]).asked == 100 * asked


async def test_the_next_level_in_the_erp_is_no_change(database: Database, figures: StoredEfficiency) -> None:
    opened = datetime(2026, 11, 3, 10, tzinfo=SHANGHAI)
    first = voted(1, opened=opened)
    second = replace(voted(2, opened=opened + HOUR, round_=2), fingerprint=first.fingerprint, level=2)
    await put_cases(database, first, second)
    await figures.fill()
    assert [(wait.level, wait.changed) for wait in await figures.decisions(NOVEMBER)] == [(1, False), (2, False)]


async def test_a_vote_that_was_taken_back_does_not_count(database: Database, figures: StoredEfficiency) -> None:
    await put_cases(database, voted(1, opened=NOW - 5 * HOUR, state=CaseState.OPEN))
    await figures.fill()
    assert len(await figures.decisions(NOVEMBER)) == 1

    def take_back(repository: Any) -> None:
        case = repository.case("PO-1-1")
        repository.put(replace(case, votes=()))
        repository.audit(AuditRow(at=NOW, case=case.id, what="taken_back"))

    await StoredCaseTransactions(database, lambda: NOW).transact(take_back)
    await figures.fill()
    assert await figures.decisions(NOVEMBER) == []


async def test_only_two_years_are_kept(database: Database) -> None:
    await put_cases(database, voted(1, opened=NOW - timedelta(days=10)))
    now = [NOW]
    figures = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: now[0])
    await figures.fill()
    now[0] += timedelta(days=700)
    await figures.fill()
    assert len(await figures.decisions(NOVEMBER)) == 1
    now[0] += timedelta(days=30)
    await figures.fill()
    assert await figures.decisions(NOVEMBER) == []


def shown_card(number: int, at: datetime) -> AlertCard:
    return AlertCard(
        id=f"card{number}",
        place=Place(PlaceKind.GROUP, "cid=="),
        route="low stock" if number % 2 else "late orders",
        group=f"g{number}",
        alerts=(f"a{number}",),
        state=CardState.SHOWN,
        opened_at=at,
    )


async def put_alerts(database: Database, count: int) -> None:
    """Store alerts, of which each second is acknowledged after as many hours as its number."""

    def write(repository: Any) -> None:
        for number in range(1, count + 1):
            at = NOW - timedelta(days=25) + number * HOUR
            stamp = UserStamp(f"p{number}", "", at + number * HOUR) if number % 2 else None
            over = at + 2 * number * HOUR if number % 3 == 0 else None
            state = AlertState.OPEN if over is None else AlertState.RESOLVED
            each = replace(
                alert(number, key=f"k{number}"),
                id=f"a{number}",
                opened_at=at - timedelta(days=40),
                acknowledged=stamp,
                resolved_at=over,
                state=state,
                count=1 + number % 2,
            )
            repository.put_alert(each, None)
            repository.put_card(shown_card(number, at))

    await StoredAlertTransactions(database, lambda: NOW).transact(write)


async def test_alerts_wait_from_their_first_card_on_and_seven_days_count(
    database: Database, figures: StoredEfficiency
) -> None:
    await put_alerts(database, 200)
    await figures.fill()
    waits = await figures.alerts(NOVEMBER)
    low = measure_alerts([wait for wait in waits if wait.rule == "low stock"])
    quick = [number for number in range(1, 201, 2) if number <= 168]
    assert (low.opened, low.acknowledged, low.repeated) == (100, len(quick), 100)
    assert low.acknowledged_after == median(number * HOUR for number in quick)
    assert low.ignored == 16
    late = measure_alerts([wait for wait in waits if wait.rule == "late orders"])
    assert (late.acknowledged, late.acknowledged_after, late.ignored) == (0, None, 100)
    assert late.resolved == len(range(6, 85, 6))


async def put_questions(database: Database, folder: Path) -> None:
    """Record answers of people of two departments on two days, and what does not count."""
    people = [("a", '["1"]'), ("b", '["1", "2"]'), ("c", '["2"]'), ("d", "[]")]
    for user_id, departments in people:
        await rows(
            database,
            "INSERT INTO person (user_id, name, roles, departments, is_admin, written_us)"
            " VALUES (:user, '', '[]', :departments, false, 0)",
            user=user_id,
            departments=departments,
        )
    audit = StoredAudit(database, AuditWitness(folder))
    evening = datetime(2026, 11, 24, 23, 30, tzinfo=SHANGHAI)
    for user_id, _ in people:
        for number in range(3):
            audit.record(_answered(user_id, "stock", evening + number * HOUR))
        audit.record(_answered(user_id, SEEN_AS, evening))
    audit.record(replace(_answered("a", "stock", evening), kind=AuditKind.REFUSAL))
    await audit.flush()


def _answered(actor: str, action: str, at: datetime) -> AuditEntry:
    return AuditEntry(kind=AuditKind.QUESTION, at=at, actor=actor, action=action)


async def test_questions_are_counted_by_day_of_the_company_and_department(
    database: Database, figures: StoredEfficiency, tmp_path: Path
) -> None:
    await put_questions(database, tmp_path)
    await figures.fill()
    found = await rows(database, "SELECT day, command, department, number, people FROM question_day")
    assert {tuple(row) for row in found} == {
        ("2026-11-24", "stock", "1", 2, 2),
        ("2026-11-24", "stock", "2", 1, 1),
        ("2026-11-24", "stock", "", 1, 1),
        ("2026-11-25", "stock", "1", 4, 2),
        ("2026-11-25", "stock", "2", 2, 1),
        ("2026-11-25", "stock", "", 2, 1),
    }
    assert {
        (each.command, each.department, each.number, each.people) for each in await figures.questions(NOVEMBER)
    } == {
        ("stock", "1", 6, 2),
        ("stock", "2", 3, 1),
        ("stock", "", 3, 1),
    }


async def test_a_month_that_is_over_is_one_row_for_each_department(database: Database, tmp_path: Path) -> None:
    await put_questions(database, tmp_path)
    now = [NOW]
    figures = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: now[0])
    await figures.fill()
    before = await counted(figures)
    now[0] += timedelta(days=1)
    await figures.fill()
    assert len(await rows(database, "SELECT * FROM question_day")) == 6, "yesterday may still be read again"
    now[0] += timedelta(days=1)
    for _ in range(2):
        await figures.fill()
        assert len(await rows(database, "SELECT * FROM question_day")) == 3
        assert await counted(figures) == before


async def counted(figures: StoredEfficiency) -> set[QuestionCount]:
    return set(await figures.questions(NOVEMBER))


async def test_lines_are_counted_by_hour_as_people_asked_them_by_hand(
    database: Database, figures: StoredEfficiency, tmp_path: Path
) -> None:
    audit = StoredAudit(database, AuditWitness(tmp_path))
    morning = datetime(2026, 11, 23, 9, 10, tzinfo=SHANGHAI)
    for person in range(7):
        for line, at in (("/chart ageing", morning), ("/chart ageing", morning + person * HOUR), ("/report", morning)):
            audit.record(replace(_answered(f"p{person}", line[1:].split()[0], at), conversation="cid==", detail=line))
        audit.record(replace(_answered(f"p{person}", "chart", morning), conversation="page", detail="/chart ageing"))
        audit.record(replace(_answered(f"p{person}", "chart", morning), conversation="api:k", detail="key k"))
        audit.record(replace(_answered(f"p{person}", "chart", morning), conversation="cid=="))
    await audit.flush()
    await figures.fill()
    found = {
        (each.day.day, each.hour, each.line): (each.number, each.people)
        for each in await figures.question_hours(NOVEMBER)
    }
    later = {(23, hour, "/chart ageing"): (1, 1) for hour in range(10, 16)}
    assert found == {(23, 9, "/chart ageing"): (8, 7), (23, 9, "/report"): (7, 7), **later}


async def test_hours_are_kept_for_the_last_month_and_the_running_one(database: Database, tmp_path: Path) -> None:
    audit = StoredAudit(database, AuditWitness(tmp_path))
    audit.record(replace(_answered("p", "report", NOW), conversation="cid==", detail="/report"))
    await audit.flush()
    now = [NOW]
    figures = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: now[0])
    for later, kept in ((timedelta(0), 1), (timedelta(days=31), 1), (timedelta(days=32), 0)):
        now[0] = NOW + later
        await figures.fill()
        assert len(await figures.question_hours(NOVEMBER)) == kept


async def test_times_of_two_processes_are_added_and_summed_up_by_month(database: Database) -> None:
    now = [NOW]
    replicas = [StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: now[0]) for _ in range(2)]
    metrics = [Metrics(), Metrics()]
    recorders = [SpeedRecorder(each, one.add_speeds) for each, one in zip(metrics, replicas, strict=True)]
    for later, seconds in ((timedelta(0), 0.3), (timedelta(days=1), 0.3), (timedelta(days=2), 99)):
        now[0] = NOW + later
        for each, recorder in zip(metrics, recorders, strict=True):
            each.answer_seconds.observe(seconds)
            each.erp_seconds.labels("erp", "order").observe(0.04)
            each.erp_calls.labels("erp", "order", "timeout").inc()
            each.erp_calls.labels("erp", "order", "NotFound").inc()
            await recorder.record()
            await recorder.record()
        await replicas[0].fill()
    assert _numbers(await replicas[1].speeds(NOVEMBER)) == {
        (Timed.ANSWERS, "", 0.5): 2,
        (Timed.CALLS, "erp", 0.05): 2,
        (Timed.FAILURES, "erp", None): 2,
    }
    december = _numbers(await replicas[1].speeds(date(2026, 12, 1)))
    assert {key: december[key] for key in ((Timed.ANSWERS, "", 0.5), (Timed.ANSWERS, "", None))} == {
        (Timed.ANSWERS, "", 0.5): 2,
        (Timed.ANSWERS, "", None): 2,
    }
    days = {row.day for row in await rows(database, "SELECT day FROM speed_day")}
    assert days == {"2026-11", "2026-12-01", "2026-12-02"}


async def test_times_that_could_not_be_kept_are_added_with_the_next_ones(figures: StoredEfficiency) -> None:
    metrics, tries = Metrics(), count(1)

    async def add(counts: Sequence[TimeCount]) -> None:
        if next(tries) == 1:
            raise StoreUnavailable(phrase("away"))
        await figures.add_speeds(counts)

    recorder = SpeedRecorder(metrics, add)
    metrics.answer_seconds.observe(0.3)
    with pytest.raises(StoreUnavailable):
        await recorder.record()
    metrics.answer_seconds.observe(0.3)
    await recorder.record()
    assert _numbers(await figures.speeds(NOVEMBER)) == {(Timed.ANSWERS, "", 0.5): 2}


def _numbers(counts: Sequence[TimeCount]) -> dict[tuple[Timed, str, float | None], int]:
    return {(one.timed, one.source, one.within and one.within.total_seconds()): one.number for one in counts}


def killed_at(database: Database, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the transaction of this number be rolled back, as a kill before its commit does, and let none follow."""
    run, begun = database.run, count(1)

    async def failing(call: Callable[[Connection], Any], **options: Any) -> Any:
        def killed(connection: Connection) -> Any:
            call(connection)
            raise StoreUnavailable(phrase("killed"))

        this = next(begun)
        if this > number:
            raise StoreUnavailable(phrase("killed"))
        return await run(killed if this == number else call, **options)

    monkeypatch.setattr(database, "run", failing)


async def test_a_fill_that_is_killed_at_any_moment_ends_at_the_same_rows(
    database: Database, figures: StoredEfficiency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_cases(database, *a_year())
    await put_alerts(database, 30)
    await put_questions(database, tmp_path)
    await figures.fill()
    whole = await all_rows(database)
    assert len(whole) > MANY + 30
    for number in range(1, 1_000):
        for table in ("decision_wait", "alert_wait", "question_day", "question_hour", "efficiency_mark"):
            await database.execute(text(f"DELETE FROM {table}"))
        with monkeypatch.context() as killing:
            killed_at(database, number, killing)
            try:
                await figures.fill()
            except StoreUnavailable:
                ended = False
            else:
                ended = True
        await figures.fill()
        assert await all_rows(database) == whole
        if ended:
            break
    assert ended
    assert number > 10


async def test_what_has_not_changed_is_not_read_again(database: Database, figures: StoredEfficiency) -> None:
    await put_cases(database, *a_year())
    await figures.fill()
    await database.execute(text("DELETE FROM decision_wait"))
    await figures.fill()
    assert await figures.decisions(NOVEMBER) == []
