"""Three prepared companies of a year: figures as by hand in SQL, planted findings first, and what was rehearsed comes
true when the year is replayed by the changed rules.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from bot.alerts.intake.port import EventState
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.bootstrap.dry_run import DryRunInput
from bot.bootstrap.event_replay import ReplayInputs, play_events
from bot.bootstrap.findings import Findings
from bot.bootstrap.rehearsals import Rehearsals
from bot.bootstrap.rules import RuleFiles, open_rules
from bot.checks.document_checks import DocumentChecks
from bot.efficiency.figures import month_before
from bot.efficiency.findings import PURCHASING, Finding, FindingTopic, LineToSend, RuleEdit, weekly
from bot.efficiency.lead_times import StepCases, by_partner, measure_cases, read_step
from bot.efficiency.predictions import Prediction, PredictionOutcome, predict
from bot.efficiency.reports import FigureReader, report_alerts, report_decisions, report_questions
from bot.efficiency.views import AlertLine, DecisionLine, QuestionLine
from bot.efficiency.working_time import WorkingHours
from bot.erp.hub import ErpHub
from bot.mechanisms.metrics import Metrics
from bot.read_model.queries import ReadModel
from bot.read_model.records import FollowedArea
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState
from bot.settings import Settings, load_settings
from bot.store.alerts.events import StoredEvents
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from bot.store.efficiency import StoredEfficiency
from bot.store.erp.read_model import StoredDocuments
from bot.store.predictions import StoredPredictions
from bot.store.row_times import to_ms
from bot.store.rule_versions import StoredRuleVersions
from bot.store.tables import AUDIT, PERSON
from bot.store.unread_sentences import StoredUnreadSentences
from bot.words.names import NOTHING_KNOWN
from tests.efficiency.prepared import (
    ALERTS,
    BEGIN,
    COMPANIES,
    DAY,
    KINDS_KEPT,
    NOW,
    VOTES,
    DecidedCase,
    PreparedCompany,
    asked_in_vain,
    decide_year,
    department_of,
    events_of,
    questions_of,
    receipts_of,
    store_cases,
    take_up,
)
from tests.efficiency.year import SHANGHAI
from tests.read_model.ledger import Ledger, LedgerClock

MONTHS = tuple(month_before(NOW.date(), number) for number in range(12, 0, -1))
LAST_THREE = tuple(f"{month:%Y-%m}" for month in MONTHS[-3:])
FOUR_WEEKS = timedelta(days=28)
EVERYTHING = FigureReader(
    user_id="",
    settled_before=NOW,
    people=True,
    decisions=frozenset({"po", "order"}),
    amounts=frozenset({"po", "order"}),
    alerts=True,
    spending=True,
)
WEEKDAYS = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"]
SIZES = "Below 1,000", "From 1,000", "From 10,000", "From 50,000", "From 100,000", "From 1,000,000"
WAYS = {
    "card": "On a card",
    "typed": "Typed",
    "page": "On a page",
    "app": "In DingTalk's approvals",
    "": "Way not noted",
}
DIVISIONS: Mapping[str, Callable[[Any], str]] = {
    "'All'": str,
    "level": lambda level: f"Level {level}",
    "rule": str,
    "size || ' ' || currency": lambda size: f"{SIZES[int(size.split()[0])]} {size.split()[1]}",
    "weekday": lambda day: WEEKDAYS[day - 1],
    "way": lambda way: WAYS[way],
    "kind": lambda kind: {"po": "Purchase orders", "order": "Orders"}[kind],
}
"""What divides votes, with the names that the product has for it."""


@dataclass(frozen=True, kw_only=True)
class LivedYear:
    """A year as the bot recorded it, and as plain rows for SQL."""

    decided: Sequence[DecidedCase]
    cards: Sequence[tuple[Any, str]]
    """When each card was made, and its route."""
    facts: sqlite3.Connection
    decisions: Mapping[date, Sequence[DecisionLine]]
    alerts: Mapping[date, Sequence[AlertLine]]


@dataclass(frozen=True, kw_only=True)
class PreparedYear:
    """What a company's year told, and the same year by the rules that its findings propose."""

    company: PreparedCompany
    before: LivedYear
    after: LivedYear
    questions: Mapping[date, Sequence[QuestionLine]]
    purchases: StepCases
    findings: Sequence[Finding]
    predictions: Sequence[Prediction]


def facts_of(votes: Sequence[tuple[object, ...]], alerts: Sequence[tuple[object, ...]]) -> sqlite3.Connection:
    facts = sqlite3.connect(":memory:")
    for table, columns, rows in (("vote", VOTES, votes), ("alert", ALERTS, alerts)):
        facts.execute(f"CREATE TABLE {table} ({columns})")
        facts.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns.split(', ')))})", rows)
    return facts


async def open_database(stack: AsyncExitStack, place: Path) -> Database:
    database = Database(f"sqlite+aiosqlite:///{place}")
    stack.push_async_callback(database.close)
    await database.migrate()
    return database


async def live(
    company: PreparedCompany, database: Database, settings: Settings, policy: RuleBasedPolicy, routes: AlertRuleSet
) -> LivedYear:
    """Let the year pass by some rules: the policy plans each document, and the alert engine makes the cards."""
    decided = await decide_year(company, policy)
    events = list(events_of(company))
    await StoredEvents(database).keep(events)
    given = [DryRunInput(event.received_at, replace(event, state=EventState.WAITING)) for event in events]
    played = await play_events(ReplayInputs(given, 0), settings, routes, BEGIN, NOW)
    write, alerts = take_up(played)
    await StoredCaseTransactions(database, lambda: NOW).transact(store_cases(decided))
    await StoredAlertTransactions(database, lambda: NOW).transact(write)
    figures = StoredEfficiency(database, WorkingHours(SHANGHAI, company.shifts, company.saturdays), lambda: NOW)
    await figures.fill()
    wanted = {each: await figures.decisions(each) for month in MONTHS for each in (month, month_before(month, 12))}
    wanted[month_before(MONTHS[0])] = ()
    return LivedYear(
        decided=decided,
        cards=[(card.made_at, card.route) for card in played.cards if card.made_at],
        facts=facts_of([fact for each in decided for fact in each.facts], alerts),
        decisions={month: report_decisions(wanted, month, EVERYTHING, SHANGHAI).lines for month in MONTHS},
        alerts={month: report_alerts(await figures.alerts(month), EVERYTHING)[0] for month in MONTHS},
    )


async def ask_questions(company: PreparedCompany, database: Database) -> None:
    """Record what was asked, without the chain of the audit log."""
    asked = list(questions_of(company))
    staff = [
        {
            "user_id": person,
            "name": "",
            "roles": "[]",
            "departments": f'["{department}"]' if (department := department_of(person)) else "[]",
            "is_admin": False,
            "written_us": 0,
        }
        for person in sorted({person for _, person, _ in asked})
    ]
    entry = dict.fromkeys(("conversation", "rule", "detail", "previous", "hash"), "")
    rows = [
        {
            **entry,
            "seq": number,
            "at_ms": to_ms(at),
            "kind": "question",
            "actor": person,
            "action": command,
            "documents": "[]",
            "shown": "[]",
            "outcome": "answered",
        }
        for number, (at, person, command) in enumerate(asked, 1)
    ]

    def write(connection: Any) -> None:
        connection.execute(insert(PERSON), staff)
        connection.execute(insert(AUDIT), rows)

    await database.run(write)
    unread = StoredUnreadSentences(database)
    for day, person, sentence in asked_in_vain():
        unread.note(sentence, person, day)
    await unread.flush()


async def read_purchases(company: PreparedCompany, database: Database) -> StepCases:
    """Keep the vendors' orders and receipts, and read them as findings do."""
    store = StoredDocuments(database, database)
    documents, _ = receipts_of(company)
    for source in company.sources:
        for kind in KINDS_KEPT:
            area = FollowedArea(
                source=source,
                area=kind.followed,
                walking=False,
                complete_since=BEGIN.date(),
                synced_at=NOW,
            )
            of_kind = [each for each in documents if each.source == source and isinstance(each, kind.record)]
            await store.advance(None, area, documents=of_kind)
    hub = ErpHub(
        [Ledger(LedgerClock(), name=source) for source in company.sources],  # type: ignore[list-item]  # part of a port
        metrics=Metrics(),
        now=lambda: NOW,
    )
    try:
        return await read_step(
            ReadModel(store, hub),
            PURCHASING,
            sources=hub.visible_sources(PURCHASING.start.followed),
            hides=hub.hides_documents,
        )
    finally:
        await hub.close()


def read_rules(company: PreparedCompany, folder: Path, edits: Mapping[RuleSubject, str]) -> tuple[Settings, RuleFiles]:
    """Write a company's rule files, some of them in another text, and open them."""
    folder.mkdir()
    texts = {RuleSubject.APPROVALS: company.approvals, RuleSubject.ALERTS: company.alerts, **edits}
    files = {subject: folder / f"{subject.value}.toml" for subject in texts}
    for subject, text in texts.items():
        files[subject].write_text(text, encoding="utf-8")
    settings = load_settings(
        alerts={"rules": files[RuleSubject.ALERTS]},
        approvals={"rules": files[RuleSubject.APPROVALS], "technical_account": "bot"},
        access={"roles": company.roles, "open": True},
        erp={source: {"vendor": "demo"} for source in company.sources},
        data_dir=folder,
    )
    return settings, open_rules(settings, NamesInForce(NOTHING_KNOWN, str))


async def live_twice(company: PreparedCompany, folder: Path) -> PreparedYear:
    """Let the year pass, find what costs time, change the rules as proposed, and let the same year pass again."""
    async with AsyncExitStack() as stack:
        database = await open_database(stack, folder / "before.sqlite3")
        settings, files = read_rules(company, folder / "before", {})
        await ask_questions(company, database)
        before = await live(company, database, settings, files.approvals.current(), files.alerts.current())
        purchases = await read_purchases(company, database)
        nothing_there = ErpHub([], metrics=Metrics(), now=lambda: NOW)
        stack.push_async_callback(nothing_there.close)

        async def kept() -> StepCases:
            return purchases

        figures = StoredEfficiency(database, WorkingHours(SHANGHAI), lambda: NOW)
        found = await Findings(
            figures=figures,
            purchases=kept,
            files=files,
            rehearsals=Rehearsals(
                base=SimpleNamespace(database=database, settings=settings, now=lambda: NOW),  # type: ignore[arg-type]
                hub=nothing_there,
                files=files,
                organisation=company.organisation(),
                checks=DocumentChecks(nothing_there, now=lambda: NOW),
                requests=(),
            ),
            kept=StoredPredictions(database, lambda: NOW),
            now=lambda: NOW,
            pages=None,
        ).found()
        asked = {month: await figures.questions(month) for month in (month_before(MONTHS[0]), *MONTHS)}
        edits = {each.remedy.subject: each.remedy.text for each in found.findings if isinstance(each.remedy, RuleEdit)}
        changed = await open_database(stack, folder / "after.sqlite3")
        settings, files = read_rules(company, folder / "after", edits)
        after = await live(company, changed, settings, files.approvals.current(), files.alerts.current())
        return PreparedYear(
            company=company,
            before=before,
            after=after,
            questions={
                month: report_questions(asked[month], asked[month_before(month)], {}, EVERYTHING).lines
                for month in MONTHS
            },
            purchases=purchases,
            findings=found.findings,
            predictions=await come_true(changed, found.findings),
        )


async def come_true(database: Database, findings: Sequence[Finding]) -> Sequence[Prediction]:
    """Publish what findings propose four weeks ago, and count what happened since."""
    predictions = StoredPredictions(database, lambda: NOW)
    for finding in findings:
        if not isinstance(finding.remedy, RuleEdit):
            continue
        prediction = predict(finding, finding.remedy.text, NOW - FOUR_WEEKS)
        assert prediction is not None
        await predictions.keep(prediction)
        await StoredRuleVersions(database).add(
            RuleVersion(
                subject=finding.remedy.subject,
                state=VersionState.PUBLISHED,
                text=finding.remedy.text,
                sha256=prediction.sha256,
                made_at=NOW - FOUR_WEEKS,
                published_at=NOW - FOUR_WEEKS,
            )
        )
    await predictions.measure()
    return await predictions.all()


@pytest.fixture(scope="module", params=COMPANIES, ids=lambda company: company.name)
def year(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PreparedYear:
    return asyncio.run(live_twice(request.param, tmp_path_factory.mktemp("year")))


def measure_by_hand(
    facts: sqlite3.Connection, month: date, by: str, name: Callable[[Any], str]
) -> Iterator[tuple[Any, ...]]:
    query = f"""
        WITH one AS (SELECT *, {by} AS name FROM vote WHERE month = :month),
        placed AS (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY name ORDER BY waited) AS place,
                ROW_NUMBER() OVER (PARTITION BY name ORDER BY worked) AS worked_place,
                COUNT(*) OVER (PARTITION BY name) AS number
            FROM one
        )
        SELECT name, COUNT(*),
            AVG(CASE WHEN place IN ((number + 1) / 2, (number + 2) / 2) THEN waited END),
            MIN(CASE WHEN 10 * place >= 9 * number THEN waited END),
            AVG(CASE WHEN worked_place IN ((number + 1) / 2, (number + 2) / 2) THEN worked END),
            MIN(CASE WHEN 10 * worked_place >= 9 * number THEN worked END),
            CAST(100.0 * SUM(in_time) / COUNT(in_time) + 0.5 AS INT),
            CAST(100.0 * SUM(approved) / COUNT(*) + 0.5 AS INT),
            CAST(100.0 * SUM(changed) / SUM(approved) + 0.5 AS INT),
            CAST(100.0 * SUM(asked) / COUNT(*) + 0.5 AS INT)
        FROM placed GROUP BY name"""
    for found, *figures in facts.execute(query, {"month": f"{month:%Y-%m}"}):
        yield name(found), *figures


def shown_figures(line: DecisionLine) -> tuple[Any, ...]:
    figures = line.figures
    times = (figures.median, figures.ninetieth, figures.worked_median, figures.worked_ninetieth)
    seconds = (None if each is None else each.total_seconds() for each in times)
    return str(line.name), figures.count, *seconds, figures.in_time, figures.approved, figures.changed, figures.asked


def test_the_figures_of_decisions_are_those_of_sql(year: PreparedYear) -> None:
    facts = year.before.facts
    for month in MONTHS:
        by_hand = Counter[tuple[Any, ...]]()
        for by, name in DIVISIONS.items():
            groups = list(measure_by_hand(facts, month, by, name))
            if by != "kind" or len(groups) > 1:
                by_hand.update(groups)
        by_hand.update(measure_by_hand(facts, month_before(month), "'Month before'", str))
        shown = Counter(map(shown_figures, year.before.decisions[month]))
        assert shown == by_hand
        assert len(shown) > 12


def test_the_figures_of_alerts_are_those_of_sql(year: PreparedYear) -> None:
    for month in MONTHS:
        of_month = f"(SELECT * FROM alert WHERE month = '{month:%Y-%m}')"
        median = """(
            SELECT AVG({0}) FROM (
                SELECT {0}, ROW_NUMBER() OVER (ORDER BY {0}) AS place, COUNT(*) OVER () AS number
                FROM {1} AS one WHERE one.rule = whole.rule AND {0} IS NOT NULL
            ) WHERE place IN ((number + 1) / 2, (number + 2) / 2)
        )"""
        by_hand = year.before.facts.execute(f"""
            SELECT rule, COUNT(*), COUNT(acknowledged), {median.format("acknowledged", of_month)}, COUNT(resolved),
                {median.format("resolved", of_month)}, CAST(100.0 * SUM(ignored) / COUNT(*) + 0.5 AS INT),
                CAST(100.0 * SUM(repeated) / COUNT(*) + 0.5 AS INT)
            FROM {of_month} AS whole GROUP BY rule""").fetchall()
        shown = [
            (
                line.rule,
                line.figures.opened,
                line.figures.acknowledged,
                None if line.figures.acknowledged_after is None else line.figures.acknowledged_after.total_seconds(),
                line.figures.resolved,
                None if line.figures.resolved_after is None else line.figures.resolved_after.total_seconds(),
                line.figures.ignored,
                line.figures.repeated,
            )
            for line in year.before.alerts[month]
        ]
        assert sorted(shown) == sorted(by_hand)
        assert len(shown) == 2


def test_the_figures_of_questions_are_those_of_what_was_asked(year: PreparedYear) -> None:
    asked = Counter[tuple[str, str, str]]()
    for at, person, command in questions_of(year.company):
        for department in ("All", department_of(person) or "Department not known"):
            asked[f"{at:%Y-%m}", command, department] += 1
    for month in MONTHS:
        shown = {(line.command, str(line.department)): line.number for line in year.questions[month]}
        assert shown == {
            key: number for (of, *key_), number in asked.items() if of == f"{month:%Y-%m}" for key in [tuple(key_)]
        }
        for line in year.questions[month]:
            if line.heads:
                assert line.before == asked[f"{month_before(month):%Y-%m}", line.command, "All"]


def test_lead_times_of_vendors_are_those_of_sql(year: PreparedYear) -> None:
    facts = sqlite3.connect(":memory:")
    facts.execute("CREATE TABLE receipt (month, vendor, days, late)")
    facts.executemany("INSERT INTO receipt VALUES (?, ?, ?, ?)", receipts_of(year.company)[1])
    for month in MONTHS[1:]:
        by_hand = facts.execute(
            """
            SELECT vendor, COUNT(*), AVG(CASE WHEN place IN ((number + 1) / 2, (number + 2) / 2) THEN days END),
                MIN(CASE WHEN 10 * place >= 9 * number THEN days END),
                CAST(100.0 * SUM(late) / COUNT(*) + 0.5 AS INT)
            FROM (
                SELECT *, ROW_NUMBER() OVER (PARTITION BY vendor ORDER BY days) AS place,
                    COUNT(*) OVER (PARTITION BY vendor) AS number
                FROM receipt WHERE month = ?
            ) GROUP BY vendor""",
            [f"{month:%Y-%m}"],
        ).fetchall()
        measured = {
            vendor: measure_cases(cases, NOW.date())
            for vendor, cases in by_partner(year.purchases.of_month(month)).items()
        }
        assert {
            (vendor, each.count, each.median and each.median / DAY, each.ninetieth and each.ninetieth / DAY, each.late)
            for vendor, each in measured.items()
        } == set(by_hand)


def test_the_planted_bottleneck_vendor_noise_and_unread_sentence_are_the_findings(year: PreparedYear) -> None:
    company = year.company
    found = [(each.topic, each.subject, each.level) for each in year.findings]
    assert found == [
        (FindingTopic.APPROVALS, company.slow_rule, company.slow_level),
        (FindingTopic.VENDORS, company.slow_vendor, 0),
        (FindingTopic.QUESTIONS, "〈partner〉的合同编号", 0),
        (FindingTopic.ALERTS, company.noisy_rule, 0),
    ]
    bottleneck, vendor, _, noise = year.findings
    assert bottleneck.rehearsed is not None
    assert noise.rehearsed is not None
    assert isinstance(vendor.remedy, LineToSend)


def test_the_sentence_in_vain_is_told_as_often_as_it_was_asked(year: PreparedYear) -> None:
    """In the weeks that ended in the last month, by so many people; that of few people is not told at all."""
    unread = year.findings[2]
    weeks = [date(2026, 10, 26) + week * timedelta(weeks=1) for week in range(5)]
    asked = [
        (day, person)
        for day, person, sentence in asked_in_vain()
        if sentence == unread.subject and weeks[0] <= day < weeks[-1] + timedelta(weeks=1)
    ]
    assert (unread.seen.params["people"], unread.seen.params["count"], unread.seen.params["weeks"]) == (
        str(len({person for _, person in asked})),
        str(len(asked)),
        str(len(weeks)),
    )


def test_as_many_documents_take_the_slow_rule_as_was_rehearsed(year: PreparedYear) -> None:
    """The same documents, by the changed rules, of the same days: exactly."""
    rehearsed, rule = year.findings[0].rehearsed, year.company.slow_rule
    assert rehearsed is not None
    for lived, expected in ((year.before, rehearsed.before), (year.after, rehearsed.after)):
        of_rule = [
            each.case
            for each in lived.decided
            if each.case.plan.rule == rule and each.case.opened_at >= NOW - rehearsed.days * DAY
        ]
        assert weekly(len(of_rule), rehearsed.days) == expected
    assert rehearsed.after < rehearsed.before


def test_only_documents_of_the_raised_limit_are_decided_otherwise(year: PreparedYear) -> None:
    changed = [
        (old.case.plan.rule, old.case.kind, new.case.summary.total)
        for old, new in zip(year.before.decided, year.after.decided, strict=True)
        if old.case.plan != new.case.plan
    ]
    assert changed
    assert {rule for rule, _, _ in changed} == {year.company.slow_rule}


def test_decisions_take_less_time_with_the_raised_limit(year: PreparedYear) -> None:
    def hours(lived: LivedYear) -> float:
        query = "SELECT SUM(waited) / 3600 FROM vote WHERE month IN (?, ?, ?)"
        return float(lived.facts.execute(query, LAST_THREE).fetchone()[0])

    assert hours(year.after) < 0.8 * hours(year.before)


def test_as_many_cards_come_of_the_noisy_rule_as_was_rehearsed(year: PreparedYear) -> None:
    """Of the events of the rehearsed days, played within the whole year: exactly."""
    rehearsed, rule = year.findings[3].rehearsed, year.company.noisy_rule
    assert rehearsed is not None
    for lived, expected in ((year.before, rehearsed.before), (year.after, rehearsed.after)):
        of_rule = [at for at, route in lived.cards if route == rule and at >= NOW - timedelta(days=rehearsed.days + 1)]
        assert weekly(len(of_rule), rehearsed.days) == expected


def test_what_was_predicted_is_told_to_have_come_true(year: PreparedYear) -> None:
    """Counted by the bot itself, four weeks after the change: a third of the time that was rehearsed on."""
    assert {each.subject: each.outcome for each in year.predictions} == {
        year.company.slow_rule: PredictionOutcome.TRUE,
        year.company.noisy_rule: PredictionOutcome.TRUE,
    }
