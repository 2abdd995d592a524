"""/efficiency and /deciders: who may see what of the figures, in each way to ask for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.access.people import KeyScope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts.subscriptions import SubscriptionList
from bot.approvals.plan import VoteWay
from bot.cards.language import load_languages
from bot.cards.notices import DeniedNotice
from bot.cards.renderer import CardRenderer
from bot.chat.message import Conversation, ConversationKind
from bot.efficiency.findings import FindingTopic, RuleEdit
from bot.efficiency.predictions import Prediction
from bot.efficiency.questions import QuestionCount, UnreadSentence
from bot.efficiency.speeds import TimeCount, Timed
from bot.efficiency.views import AlertEfficiency, DecisionEfficiency, EfficiencyFindings, QuestionEfficiency
from bot.efficiency.waits import AlertWait
from bot.rulefiles.versions import RuleSubject
from bot.words.disclosure import FieldClass
from bot.words.phrase import phrase
from tests.commands.company import NOW
from tests.commands.conftest import KEEPER, Ask, as_
from tests.commands.efficiency_fakes import MemoryFigures, MemoryFindings
from tests.efficiency.test_findings import asked, received
from tests.efficiency.year import NOVEMBER, SHANGHAI, crowd, decided
from tests.rows import each_row

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)
OCTOBER = NOVEMBER - timedelta(days=20)
BOSS = replace(KEEPER, user_id="boss01", name="赵总", roles=frozenset({"boss"}))
STAFF = replace(KEEPER, user_id="hr01", name="钱人事", roles=frozenset({"hr"}))
BUYER = replace(KEEPER, user_id="buyer01", name="赵采", roles=frozenset({"buyer"}))
ACCOUNTANT = replace(KEEPER, user_id="finance01", name="周", roles=frozenset({"finance"}))
ADMINISTRATOR = replace(KEEPER, user_id="it01", name="孙", is_admin=True)


@pytest.fixture
def policy() -> AccessPolicy:
    def rule(commands: str, role: str, fields: frozenset[FieldClass] | None = None) -> AccessRule:
        return AccessRule(commands=frozenset(commands.split()), roles=frozenset({role}), fields=fields)

    return AccessPolicy(
        [
            rule("po alerts", "boss"),
            rule("po alerts", "admin"),
            rule("po alerts deciders", "hr"),
            rule("quota", "finance"),
            rule("po", "buyer", frozenset({FieldClass.QUANTITY})),
            rule("order", "seller"),
            rule("order", "packer", frozenset({FieldClass.QUANTITY})),
            rule("deciders", "counter"),
        ]
    )


@pytest.fixture(autouse=True)
def a_month(figures: MemoryFigures) -> MemoryFigures:
    """Six decide at level 1, the keeper among them, and one alone at level 2; the month before has four people."""
    figures.decided = [
        *crowd(5, level=1, way=VoteWay.CARD.value, at=OCTOBER),
        decided("keeper01", 6, level=1, at=OCTOBER),
        decided("manager01", 31, level=2, size=3, at=OCTOBER),
        *crowd(4, at=OCTOBER - timedelta(days=20)),
    ]
    figures.shown = [
        AlertWait(
            number=number,
            person=f"p{number % people}" if number % 4 == 0 else "",
            at=OCTOBER,
            rule=rule,
            acknowledged=number * timedelta(hours=1) if number % 4 == 0 else None,
            resolved=None,
            ignored=number % 4 != 0,
            repeated=False,
        )
        for rule, people in (("low stock", 100), ("late orders", 1))
        for number in range(40)
    ]
    figures.asked[date(2026, 10, 1)] = [
        QuestionCount(command="stock", department="1", number=60, people=9),
        QuestionCount(command="stock", department="2", number=3, people=2),
    ]
    figures.spent = {"question": 70, "alert": 5}
    return figures


def named(view: DecisionEfficiency) -> dict[str, int]:
    return {str(row.name): row.figures.count for row in view.rows}


async def test_everybody_sees_their_own_and_nobody_else(ask: Ask) -> None:
    view = as_(DecisionEfficiency, await ask("/efficiency", where=OWN_CHAT))
    assert (named(view), view.own_only, view.beside()) == ({"Yourself": 1}, True, ())
    assert view.rows[0].figures.median == timedelta(hours=6)
    assert as_(DecisionEfficiency, await ask("/效率 2026-09", where=OWN_CHAT)).rows == ()


async def test_who_sees_all_orders_sees_all_decisions_but_nobody_singly(ask: Ask) -> None:
    view = as_(DecisionEfficiency, await ask("/efficiency", person=BOSS, where=OWN_CHAT, rows=50))
    found = named(view)
    assert (found["All"], view.folded) == (7, True)
    assert not {"Month before", "Level 1", "Level 2"} & set(found), "four people; and one, told of by the difference"
    assert view.beside() == ("/efficiency findings", "/efficiency 2026-10 alerts")
    assert str(view.rows[0].median) == "4 h"


async def test_the_right_to_peoples_figures_shows_each_level_and_person(ask: Ask) -> None:
    view = as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=STAFF, where=OWN_CHAT, rows=50))
    found = named(view)
    assert (found["Level 1"], found["Level 2"], found["Month before"], view.folded) == (6, 1, 4, False)
    assert {"From 50,000 CNY", "From 1,000 CNY"} <= set(found)
    assert view.beside() == ("/efficiency findings", "/efficiency 2026-10 alerts", "/deciders 2026-10")
    people = as_(DecisionEfficiency, await ask("/deciders 2026-10", person=STAFF, where=OWN_CHAT, rows=50))
    assert named(people) | {"王仓": 1, "陈经理": 1} == named(people)
    assert (people.of_people, len(people.rows)) == (True, 7)


async def test_who_sees_no_amounts_sees_no_figures_by_amount(ask: Ask) -> None:
    view = as_(DecisionEfficiency, await ask("/efficiency", person=BUYER, where=OWN_CHAT, rows=50))
    assert "All" in named(view)
    assert not any("CNY" in name for name in named(view))


@each_row(
    "roles, count, by_kind, by_amount",
    [
        ("boss", 7, set(), True),
        ("seller", 6, set(), True),
        ("boss seller", 13, {"Orders", "Purchase orders"}, True),
        ("boss packer", 13, {"Orders", "Purchase orders"}, False),
    ],
)
async def test_decisions_on_a_kind_count_for_who_sees_all_of_that_kind(
    ask: Ask, figures: MemoryFigures, roles: str, count: int, by_kind: set[str], by_amount: bool
) -> None:
    bought = [wait for wait in figures.decided if wait.kind == "po"]
    figures.decided = [*bought, *crowd(5, kind="order", at=OCTOBER), decided("manager01", kind="order", at=OCTOBER)]
    reader = replace(BOSS, roles=frozenset({*roles.split(), "counter"}))
    found = named(as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=reader, where=OWN_CHAT, rows=50)))
    assert (found["All"], found.keys() & {"Orders", "Purchase orders"}) == (count, by_kind)
    assert any("CNY" in name for name in found) is by_amount


@each_row(
    "person, line, allowed",
    [
        (KEEPER, "/deciders", False),
        (BOSS, "/deciders", False),
        (STAFF, "/deciders", True),
        (ADMINISTRATOR, "/deciders", True),
        (ACCOUNTANT, "/deciders", False),
        (KEEPER, "/efficiency alerts", False),
        (BOSS, "/efficiency alerts", True),
        (BOSS, "/efficiency questions", False),
        (ACCOUNTANT, "/efficiency questions", True),
        (KEEPER, "/efficiency questions", False),
        (KEEPER, "/efficiency findings", False),
        (ACCOUNTANT, "/efficiency findings", True),
        (BOSS, "/efficiency findings", True),
    ],
)
async def test_each_part_has_its_own_right(ask: Ask, person: object, line: str, allowed: bool) -> None:
    answer = await ask(line, person=person, where=OWN_CHAT)
    assert isinstance(answer.view, DeniedNotice) is not allowed


@each_row(
    "roles, documents, count",
    [
        ("boss seller", None, 7),
        ("boss seller", {"po", "order"}, 7),
        ("boss seller", {"po"}, None),
        ("boss seller", {"order"}, None),
        ("boss", {"po"}, 6),
        ("boss seller counter", {"po"}, 6),
    ],
)
async def test_keys_for_parts_of_what_somebody_sees_do_not_tell_of_the_rest(
    ask: Ask, figures: MemoryFigures, roles: str, documents: set[str] | None, count: int | None
) -> None:
    """One person decides on orders: all decisions, without those that a key for purchase orders shows."""
    figures.decided = [*crowd(6, at=OCTOBER), decided("manager01", kind="order", at=OCTOBER)]
    opened = None if documents is None else frozenset({"efficiency", *documents})
    program = replace(BOSS, roles=frozenset(roles.split()), key=KeyScope("k", opened, opened))
    found = named(as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=program, where=OWN_CHAT)))
    assert found.get("All") == count


async def test_alerts_say_how_many_were_ignored_but_not_how_fast_one_person_is(ask: Ask) -> None:
    view = as_(AlertEfficiency, await ask("/efficiency alerts", person=BOSS, where=OWN_CHAT))
    low, late = sorted(view.rows, key=lambda row: row.rule, reverse=True)
    assert (low.figures.opened, low.figures.ignored, low.figures.acknowledged) == (40, 75, 10)
    assert low.figures.acknowledged_after == timedelta(hours=18)
    assert (late.figures.opened, late.figures.ignored, late.figures.acknowledged_after) == (40, None, None)
    assert view.folded
    seen = as_(AlertEfficiency, await ask("/efficiency 2026-10 alerts", person=STAFF, where=OWN_CHAT))
    assert {row.figures.ignored for row in seen.rows} == {75}


@each_row(
    "handled, ignored, acknowledged",
    [
        ({"known": 6}, 70, 6),
        ({"known": 6, "taken": 1}, 65, None),
        ({"known": 3, "taken": 3}, 70, None),
        ({"known": 6, "taken": 6}, 40, 6),
        ({"known": 1, "taken": 3}, None, None),
        ({"taken": 4}, None, None),
        ({}, 100, 0),
    ],
)
async def test_who_takes_up_an_alert_without_acknowledging_it_is_a_person_as_well(
    ask: Ask, figures: MemoryFigures, handled: dict[str, int], ignored: int | None, acknowledged: int | None
) -> None:
    """All alerts without the ignored ones and the acknowledged ones are those that were taken or snoozed."""
    taken_up = [how for how, count in handled.items() for _ in range(count)]
    figures.shown = [
        AlertWait(
            number=number,
            person=f"p{number}" if how else "",
            at=OCTOBER,
            rule="low stock",
            acknowledged=timedelta(hours=1) if how == "known" else None,
            resolved=None,
            ignored=not how,
            repeated=False,
        )
        for number, how in enumerate(taken_up + [""] * (20 - len(taken_up)))
    ]
    (row,) = as_(AlertEfficiency, await ask("/efficiency alerts", person=BOSS, where=OWN_CHAT)).rows
    assert (row.figures.ignored, row.figures.acknowledged) == (ignored, acknowledged)


async def test_alerts_that_may_still_be_taken_up_tell_nothing_of_people(ask: Ask, figures: MemoryFigures) -> None:
    """Looked at on two days, their figures would tell of who took up one meanwhile."""
    figures.shown = [replace(each, at=NOW - timedelta(days=6)) for each in figures.shown]
    view = as_(AlertEfficiency, await ask("/efficiency 2026-10 alerts", person=BOSS, where=OWN_CHAT))
    assert {(row.figures.opened, row.figures.ignored, row.figures.acknowledged) for row in view.rows} == {
        (40, None, None)
    }
    assert as_(EfficiencyFindings, await ask("/efficiency findings", person=BOSS, where=OWN_CHAT)).rows == ()
    seen = as_(AlertEfficiency, await ask("/efficiency 2026-10 alerts", person=STAFF, where=OWN_CHAT))
    assert {row.figures.ignored for row in seen.rows} == {75}


@each_row(
    "deadlines, in_time",
    [
        (0, {"All": None, "Level 1": None, "Level 2": None}),
        (1, {"All": None, "Level 1": None, "Level 2": None}),
        (6, {"All": 83, "Level 1": 83, "Level 2": None}),
        (7, {"All": 86, "Level 1": None, "Level 2": None}),
        (12, {"All": 50, "Level 1": 83, "Level 2": 17}),
    ],
)
async def test_a_share_of_a_few_peoples_decisions_is_not_shown(
    ask: Ask, figures: MemoryFigures, deadlines: int, in_time: dict[str, int | None]
) -> None:
    """Six decide at each level, of whom some have a deadline: the share of these is about them alone."""
    figures.decided = [
        decided(f"p{number}", at=OCTOBER, level=1 + number // 6, in_time=number % 6 != 5 and number < 7)
        for number in range(12)
    ]
    figures.decided[deadlines:] = [replace(wait, in_time=None) for wait in figures.decided[deadlines:]]
    view = as_(DecisionEfficiency, await ask("/efficiency", person=BOSS, where=OWN_CHAT, rows=50))
    found = {str(row.name): row.figures.in_time for row in view.rows}
    assert {name: found[name] for name in in_time} == in_time
    seen = as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=STAFF, where=OWN_CHAT, rows=50))
    assert any(row.figures.in_time is not None for row in seen.rows) is (deadlines > 0)


async def test_questions_by_department_and_what_they_cost(ask: Ask) -> None:
    view = as_(QuestionEfficiency, await ask("/efficiency questions", person=ACCOUNTANT, where=OWN_CHAT))
    rows = [(row.command, str(row.department), row.number, row.before) for row in view.rows]
    assert rows == [("stock", "All", 63, 0), ("stock", "Others together", 63, None)], "one department would be told of"
    assert (view.folded, view.per_thousand) == (True, 1111)


@each_row(
    "people, shown, number",
    [
        ({"stock": 9, "deciders": 1}, {"": 20}, 20),
        ({"stock": 9, "report": 6, "deciders": 1}, {"stock": 10, "": 20}, 30),
        ({"stock": 9, "deciders": 1, "quota": 7, "sells": 2}, {"stock": 10, "": 30}, 40),
        ({"stock": 9, "report": 6}, {"stock": 10, "report": 10}, 20),
        ({"deciders": 1, "quota": 3}, {}, None),
    ],
)
async def test_how_often_a_few_people_ask_a_command_is_not_told(
    ask: Ask, figures: MemoryFigures, people: dict[str, int], shown: dict[str, int], number: int | None
) -> None:
    """Neither of this month nor of the one before, nor by what a thousand answers cost or how fast they were."""
    figures.times = [TimeCount(timed=Timed.ANSWERS, source="", within=timedelta(seconds=1), number=number or 20)]
    counts = [QuestionCount(command=name, department="1", number=10, people=count) for name, count in people.items()]
    figures.asked = {date(2026, 9, 1): counts, date(2026, 10, 1): counts}
    view = as_(QuestionEfficiency, await ask("/efficiency questions", person=ACCOUNTANT, where=OWN_CHAT))
    assert {row.command: row.number for row in view.rows if row.heads} == shown
    assert all(row.before == (10 if row.command else None) for row in view.rows if row.heads)
    assert view.per_thousand == (None if number is None else round(70_000 / number))
    assert [speed.number for speed in view.speeds] == ([] if number is None else [number])
    assert view.folded is ("deciders" in people)
    figures.asked[date(2026, 10, 1)] = [replace(count, people=9) for count in counts]
    view = as_(QuestionEfficiency, await ask("/efficiency questions", person=ACCOUNTANT, where=OWN_CHAT))
    assert {row.command for row in view.rows if row.heads and row.before} == shown.keys() - {""}


async def test_months_lead_to_the_month_before(ask: Ask) -> None:
    view = as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=STAFF, where=OWN_CHAT))
    lines = [getattr(button.does, "line", "") for button in view.buttons()]
    cases = "/decisions decided 2026-10-01..2026-10-31"
    assert {"/efficiency 2026-09", "/efficiency 2026-10 alerts", "/deciders 2026-10", cases} <= set(lines)
    assert view.month == date(2026, 10, 1)


async def test_a_span_of_days_is_the_month_that_it_begins_in(ask: Ask) -> None:
    """Two spans that differ by a day would tell of what one person did on it."""
    whole = as_(DecisionEfficiency, await ask("/efficiency", person=BOSS, where=OWN_CHAT))
    for days in ("last month", "10月12日", "2026-10-01 to 2026-10-03"):
        assert as_(DecisionEfficiency, await ask(f"/efficiency {days}", person=BOSS, where=OWN_CHAT)).rows == whole.rows


async def test_the_running_month_is_for_those_who_see_single_people(ask: Ask, figures: MemoryFigures) -> None:
    """Looked at day by day, the figures of many would tell of who decided since yesterday."""
    figures.decided = [*crowd(9), decided("keeper01", 6)]
    for days in ("today", "this week", "this month", "2026-11"):
        own = as_(DecisionEfficiency, await ask(f"/efficiency {days}", where=OWN_CHAT))
        assert (named(own), own.own_only, own.running) == ({"Yourself": 1}, True, True)
        assert as_(DecisionEfficiency, await ask(f"/efficiency {days}", person=BOSS, where=OWN_CHAT)).rows == ()
    for person, part in ((BOSS, "alerts"), (ACCOUNTANT, "questions")):
        refused = as_(DeniedNotice, await ask(f"/efficiency 2026-11 {part}", person=person, where=OWN_CHAT))
        assert "has ended" in str(refused.reason)
    seen = as_(DecisionEfficiency, await ask("/efficiency", person=STAFF, where=OWN_CHAT, rows=50))
    assert (seen.month, named(seen)["All"]) == (date(2026, 11, 1), 10)


async def test_the_file_is_cut_as_the_card_is(ask: Ask) -> None:
    renderer = CardRenderer(languages=load_languages(), now=lambda: NOW)
    for person, told in ((BOSS, False), (STAFF, True)):
        view = as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=person, where=OWN_CHAT, rows=50))
        card = renderer.render(view, language="en", zone=SHANGHAI)
        names = [str(row[0]) for row in view.table().rows]
        assert ("Level 2" in names, "Level 2" in card.body) == (told, told)


SLOW = {"hours": 31, "rule": "large", "level": 2}


@each_row(
    "person, decided_before, subjects",
    [
        (STAFF, 0, ["large", "late orders", "low stock"]),
        (BOSS, 0, ["large", "low stock"]),
        (BOSS, 4, ["low stock"]),
        (STAFF, 4, ["large", "late orders", "low stock"]),
        (BUYER, 0, ["large"]),
    ],
)
async def test_each_reader_sees_the_findings_that_tell_of_nobody_singly(
    ask: Ask, figures: MemoryFigures, person: object, decided_before: int, subjects: list[str]
) -> None:
    """One person acknowledges late orders. Four decided in the month before: the sum of both tells of them."""
    figures.decided = [decided(f"p{number % 7}", at=OCTOBER, **SLOW) for number in range(42)]
    figures.decided += [
        decided(f"q{number}", at=OCTOBER - timedelta(days=20), **SLOW) for number in range(decided_before)
    ]
    view = as_(EfficiencyFindings, await ask("/efficiency findings", person=person, where=OWN_CHAT, rows=50))
    told = [str(row.seen) for row in view.rows]
    assert len(told) == len(subjects)
    assert all(any(f"“{subject}”" in each for each in told) for subject in subjects)
    assert view.folded is (len(subjects) < 3 and person is not BUYER)


@each_row(
    "roles, subjects",
    [
        ("boss", {"宏达"}),
        ("finance", {"/report"}),
        ("boss finance", {"宏达", "/report"}),
        ("buyer finance", {"/report"}),
        ("seller", set()),
    ],
)
async def test_slow_vendors_are_for_who_sees_all_purchasing_and_questions_for_who_sees_what_they_cost(
    ask: Ask, figures: MemoryFigures, findings: MemoryFindings, roles: str, subjects: set[str]
) -> None:
    """The buyer sees no names of vendors, and the seller no purchase orders."""
    figures.shown = []
    figures.asked_in_hours = [
        replace(each, day=each.day - timedelta(days=28)) for each in asked("/report", 12, 13, 14, 15)
    ]
    findings.received = received("宏达", *[3] * 10)
    reader = replace(BOSS, roles=frozenset(roles.split()))
    view = as_(EfficiencyFindings, await ask("/efficiency findings", person=reader, where=OWN_CHAT, rows=50))
    assert {subject for subject in ("宏达", "/report") for row in view.rows if subject in str(row.seen)} == subjects
    assert len(view.rows) == len(subjects)


@each_row("roles, told", [("boss finance", True), ("buyer finance", True), ("boss", False), ("seller", False)])
async def test_what_many_ask_in_vain_is_among_the_first_findings_of_who_sees_what_questions_cost(
    ask: Ask, figures: MemoryFigures, roles: str, told: bool
) -> None:
    figures.unread = [UnreadSentence(text="〈product〉的毛重", number=40, people=12, weeks=4)]
    reader = replace(BOSS, roles=frozenset(roles.split()))
    first = as_(DecisionEfficiency, await ask("/efficiency", person=reader, where=OWN_CHAT)).findings
    assert any("〈product〉的毛重" in str(row.seen) for row in first) is told
    whole = as_(EfficiencyFindings, await ask("/efficiency findings", person=reader, where=OWN_CHAT))
    labels = [str(button.label) for button in whole.row_buttons()]
    assert [f"Cases of {row.number}" in labels for row in whole.rows] == [bool(row.evidence) for row in whole.rows]


def predicted(**fields: Any) -> Prediction:
    """Return a prediction whose four weeks were over yesterday."""
    values: dict[str, Any] = {
        "sha256": "a",
        "topic": FindingTopic.ALERTS,
        "subject": "low stock",
        "level": 0,
        "kinds": frozenset(),
        "what": phrase("once a day"),
        "before": Decimal(60),
        "after": Decimal(12),
        "made_at": NOW - timedelta(days=30),
        "begins_at": NOW - timedelta(days=29),
        "cases": 50,
        "all_cases": 90,
    }
    return Prediction(**values | fields)


@each_row(
    "person, decided_by, told",
    [
        (BOSS, 42, ["low stock", "large"]),
        (BOSS, 3, ["low stock"]),
        (BOSS, 0, ["low stock"]),
        (STAFF, 3, ["low stock", "late orders", "large"]),
        (BUYER, 42, ["large"]),
        (ACCOUNTANT, 42, []),
    ],
)
async def test_what_became_of_a_change_is_told_to_who_may_see_its_finding(
    ask: Ask, figures: MemoryFigures, findings: MemoryFindings, person: object, decided_by: int, told: list[str]
) -> None:
    """One person alone acknowledges late orders; of three decisions each is somebody's own."""
    figures.decided = [decided(f"p{number % 7}", at=OCTOBER, **SLOW) for number in range(decided_by)]
    figures.asked_in_hours = [replace(each, day=each.day - timedelta(days=28)) for each in asked("/report", *[12] * 4)]
    of_rule = {"topic": FindingTopic.APPROVALS, "subject": "large", "level": 2, "kinds": frozenset({"po"})}
    findings.predicted = [
        predicted(what=phrase("low stock")),
        predicted(what=phrase("late orders"), subject="late orders"),
        predicted(what=phrase("large"), **of_rule),
    ]
    view = as_(EfficiencyFindings, await ask("/efficiency findings", person=person, where=OWN_CHAT))
    assert [str(each).partition(",")[0] for each in view.predictions] == told
    card = as_(DecisionEfficiency, await ask("/efficiency", person=person, where=OWN_CHAT))
    assert card.outcomes == view.predictions, "as it is news"


async def test_only_news_of_changes_stand_on_the_weekly_card(ask: Ask, findings: MemoryFindings) -> None:
    findings.predicted = [predicted(), predicted(begins_at=NOW - timedelta(days=40)), predicted(cases=None)]
    view = as_(EfficiencyFindings, await ask("/efficiency findings", person=BOSS, where=OWN_CHAT))
    assert len(view.predictions) == 3
    card = as_(DecisionEfficiency, await ask("/efficiency", person=BOSS, where=OWN_CHAT))
    assert [str(each) for each in card.outcomes] == [
        f"once a day, since {NOW - timedelta(days=29):%Y-%m-%d}. Cards a week: 60 before, 12 rehearsed, 12.5 counted."
        " It came true."
    ]


async def test_a_tap_subscribes_to_what_a_finding_proposes(ask: Ask, findings: MemoryFindings) -> None:
    findings.received = received("宁波标准件厂", *[3] * 10)
    view = as_(EfficiencyFindings, await ask("/efficiency findings", person=BOSS, where=OWN_CHAT, rows=50))
    (line,) = [row.line for row in view.rows if row.line]
    listed = as_(SubscriptionList, await ask(line, person=BOSS, where=OWN_CHAT))
    assert [(row.line, str(row.weekday), row.at) for row in listed.rows] == [
        ("/po late 宁波标准件厂", "Mondays", "09:00")
    ]


async def test_only_administrators_get_to_the_draft_of_a_rule(ask: Ask, findings: MemoryFindings) -> None:
    findings.remedy = RuleEdit(subject=RuleSubject.ALERTS, text="", what=phrase("once a day"))
    for person, drafts, by_others in ((BOSS, 0, True), (ADMINISTRATOR, 2, False)):
        view = as_(EfficiencyFindings, await ask("/efficiency findings", person=person, where=OWN_CHAT, rows=50))
        links = [button.does for button in view.buttons() if str(button.does).startswith("https://")]
        assert len(links) == drafts
        assert {row.by_others for row in view.rows} == {by_others}
        assert all((row.remedy is None) is by_others for row in view.rows)


async def test_the_first_card_names_the_first_findings(ask: Ask, findings: MemoryFindings) -> None:
    findings.remedy = RuleEdit(subject=RuleSubject.ALERTS, text="", what=phrase("once a day"))
    view = as_(DecisionEfficiency, await ask("/efficiency 2026-10", person=ADMINISTRATOR, where=OWN_CHAT))
    card = CardRenderer(languages=load_languages(), now=lambda: NOW).render(view, language="en", zone=SHANGHAI)
    assert "Nobody took up 75% of the 40 alerts of “low stock”." in card.body
    assert [button.does for button in view.buttons() if str(button.does).startswith("https://")]
    assert "/efficiency findings" in [getattr(button.does, "line", "") for button in view.buttons()]
