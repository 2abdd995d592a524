"""Three prepared companies of a year each, made of arithmetic alone: who decided, took up and delivered what, and when.

In each of them one level of approvals waits long and changes nothing, one alert rule is noise, and one vendor is late.
What happened is written down twice: as the bot's own records, by `play`, and as plain rows for SQL by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, UserStamp
from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.alerts.rules.schedule import is_holiday, is_workday
from bot.approvals.case import AuditRow, Case, CaseState, DocumentSummary, Inquiry, InquiryEnd
from bot.approvals.document import ApprovalDocument, DocumentKey
from bot.approvals.document_reader import Organisation, StaffMember
from bot.approvals.plan import ApprovalPlan, Vote, VoteWay
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.bootstrap.event_replay import ReplayResult
from bot.efficiency.working_time import OFFICE_HOURS, Shift
from bot.erp.kinds import PURCHASE_ORDERS, RECEIPTS, SALES_ORDERS, Kind
from bot.erp.model import ErpRecord, Money, Progress, PurchaseOrder, Review, ReviewState, Verdict
from bot.erp.model.goods import GoodsReceipt
from tests.approvals.test_repository import a_case
from tests.bare_records import bare
from tests.efficiency.year import SHANGHAI

BEGIN = datetime(2025, 12, 1, 8, tzinfo=SHANGHAI)
NOW = datetime(2026, 12, 1, 12, tzinfo=SHANGHAI)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
POLLED_EVERY, POLLED_AT_ONCE = timedelta(days=7), 6
"""So often, and so many at once, alerts come."""
_WAYS = (*VoteWay, None)
_STORE, _OFFICE = "group:cidStore0000000000000000==", "group:cidOffice000000000000000=="


@dataclass(frozen=True, slots=True)
class OrderSize:
    """A document that comes again and again."""

    amount: int
    currency: str = "CNY"
    kind: Kind[Any] = PURCHASE_ORDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCompany:
    """A company and its habits. ``slow`` decides after a day or more, everybody else within hours.

    ``departments`` are those of who requests; ``away`` is who decides nothing in some time, which others there do.
    ``noise`` says what an event tells that nobody takes up, of something due ``noise_age`` days ago; ``matter`` what
    one tells that somebody does.
    """

    name: str
    approvals: str
    alerts: str
    roles: Mapping[str, frozenset[str]]
    slow: frozenset[str]
    sizes: Sequence[OrderSize]
    event_type: str
    noise: Mapping[str, str] = field(default_factory=dict)
    noise_age: int = 60
    matter: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ("main",)
    shifts: tuple[Shift, ...] = OFFICE_HOURS
    saturdays: bool = False
    departments: Mapping[str, str] = field(default_factory=dict)
    away: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    slow_rule: str
    slow_level: int = 1
    noisy_rule: str
    slow_vendor: str
    orders_every: timedelta = 11 * HOUR

    @property
    def requesters(self) -> Sequence[str]:
        return tuple(self.departments) or ("requester",)

    async def member(self, user_id: str) -> StaffMember | None:
        """Return an entry of the directory (`bot.approvals.document_reader.StaffDirectory`)."""
        return StaffMember(department=self.departments.get(user_id, ""))

    def organisation(self) -> Organisation:
        return Organisation(roles=self.roles, accounts={}, staff=self)


SMALL = PreparedCompany(
    name="one level",
    approvals="""
[[rules]]
name = "大额"
amount = "from 50000 CNY"
levels = [{any = ["role:boss"]}]
deadline = "1d"

[[rules]]
name = "小额"
levels = [{any = ["role:buyer"]}]
""",
    alerts=f"""
[default]
to = ["{_OFFICE}"]

[[routes]]
name = "低库存"
types = ["stock.low"]
to = ["{_STORE}"]

[[routes]]
name = "晚发货"
types = ["order.late"]
to = ["{_OFFICE}"]
""",
    roles={"boss": frozenset({"boss01", "boss02"}), "buyer": frozenset(f"buyer{n:02}" for n in range(6))},
    slow=frozenset({"boss01", "boss02"}),
    sizes=[OrderSize(amount) for amount in (800, 60_000, 7_000, 95_000, 30_000)],
    event_type="stock.low",
    noise={"available": "8", "reorder_point": "10"},
    matter={"available": "2", "reorder_point": "10"},
    slow_rule="大额",
    noisy_rule="低库存",
    slow_vendor="宏达五金",
)

LARGE = PreparedCompany(
    name="two levels in two departments",
    approvals="""
[[rules]]
name = "生产大额"
departments = ["生产部"]
amount = "from 20000 CNY"
levels = [{any = ["role:workshop"]}, {any = ["role:management"]}]
deadline = "2d"

[[rules]]
name = "生产"
departments = ["生产部"]
amount = "below 20000 CNY"
levels = [{any = ["role:workshop"]}]
deadline = "4h"

[[rules]]
name = "销售"
departments = ["销售部"]
amount = "from 20000 CNY"
levels = [{any = ["role:sales"]}, {any = ["role:finance"]}]

[[rules]]
name = "其他"
levels = [{any = ["role:sales"]}]
""",
    alerts=f"""
[default]
to = ["{_OFFICE}"]

[[routes]]
name = "逾期发票"
types = ["invoice.overdue"]
when = "amount >= 1000 CNY"
to = ["{_STORE}"]

[[routes]]
name = "晚发货"
types = ["order.late"]
to = ["{_OFFICE}"]
""",
    roles={
        "workshop": frozenset(f"workshop{n:02}" for n in range(8)),
        "management": frozenset(f"manager{n:02}" for n in range(7)),
        "sales": frozenset(f"sales{n:02}" for n in range(6)),
        "finance": frozenset(f"finance{n:02}" for n in range(5)),
    },
    slow=frozenset(f"manager{n:02}" for n in range(7)),
    sizes=[OrderSize(amount) for amount in (1_500, 21_000, 40_000, 30_000, 6_000, 19_999, 250_000)],
    departments={"requester01": "生产部", "requester02": "销售部"},
    event_type="invoice.overdue",
    noise={"amount": "1200", "currency": "CNY"},
    matter={"amount": "90000", "currency": "CNY"},
    shifts=((time(8), time(12)), (time(13, 30), time(17, 30)), (time(22), time(6))),
    saturdays=True,
    slow_rule="生产大额",
    slow_level=2,
    noisy_rule="逾期发票",
    slow_vendor="苏州包装",
)

MANY_ERPS = PreparedCompany(
    name="two ERPs, two currencies, two kinds, and people who are away",
    approvals="""
[[rules]]
name = "进口"
currencies = ["USD"]
levels = [{any = ["role:buyer"]}]

[[rules]]
name = "大额采购"
amount = "from 100000 CNY"
levels = [{any = ["role:finance"]}]
deadline = "1d"

[[rules]]
name = "采购"
amount = "below 100000 CNY"
levels = [{any = ["role:buyer"]}]

[[rules]]
name = "大额销售"
kinds = ["order"]
amount = "from 100000 CNY"
levels = [{any = ["role:seller"]}]

[[rules]]
name = "销售"
kinds = ["order"]
amount = "below 100000 CNY"
levels = [{any = ["role:seller"]}]
""",
    alerts=f"""
[default]
to = ["{_OFFICE}"]

[[routes]]
name = "生产延期"
types = ["production.late"]
min_age = 10
to = ["{_STORE}"]

[[routes]]
name = "晚发货"
types = ["order.late"]
to = ["{_OFFICE}"]
""",
    roles={
        "finance": frozenset(f"finance{n:02}" for n in range(6)),
        "buyer": frozenset(f"buyer{n:02}" for n in range(6)),
        "seller": frozenset(f"seller{n:02}" for n in range(6)),
    },
    slow=frozenset(f"finance{n:02}" for n in range(6)),
    sizes=[
        OrderSize(120_000),
        OrderSize(3_000, "USD"),
        OrderSize(130_000, kind=SALES_ORDERS),
        OrderSize(700),
        OrderSize(300_000),
        OrderSize(9_000, kind=SALES_ORDERS),
        OrderSize(140_000),
    ],
    event_type="production.late",
    noise_age=12,
    sources=("main", "south"),
    away={
        "finance01": (datetime(2026, 7, 1, tzinfo=SHANGHAI), datetime(2026, 10, 20, tzinfo=SHANGHAI)),
        "buyer02": (datetime(2026, 2, 10, tzinfo=SHANGHAI), datetime(2026, 3, 1, tzinfo=SHANGHAI)),
    },
    slow_rule="大额采购",
    noisy_rule="生产延期",
    slow_vendor="南方轴承",
)

COMPANIES = (SMALL, LARGE, MANY_ERPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCase:
    """A case, with its votes as rows of `VOTES`."""

    case: Case
    facts: Sequence[tuple[object, ...]]


VOTES = (
    "month, person, level, rule, currency, size, weekday, way, kind, waited, worked, in_time, approved, changed, asked"
)
"""The columns of votes; times in seconds."""


async def decide_year(company: PreparedCompany, policy: RuleBasedPolicy) -> list[DecidedCase]:
    """Return the year's cases by some rules. How long somebody takes depends on the document and on them alone."""
    decided: list[DecidedCase] = []
    for number in range((NOW - 5 * DAY - BEGIN) // company.orders_every):
        size = company.sizes[number % len(company.sizes)]
        key = DocumentKey(company.sources[number % len(company.sources)], size.kind, f"D-{number:04}")
        requester = company.requesters[number // 2 % len(company.requesters)]
        directory, department = await company.organisation().snapshot_around(requester)
        document = ApprovalDocument(
            key=key,
            review=Review(state=ReviewState.WAITING, version="1"),
            total=Money(Decimal(size.amount), size.currency),
            requester=requester,
            department=department,
        )
        plan = policy.plan(document, directory).plan
        assert plan is not None
        decided.append(_decide(company, number, size, document, plan))
    return decided


def _decide(
    company: PreparedCompany, number: int, size: OrderSize, document: ApprovalDocument, plan: ApprovalPlan
) -> DecidedCase:
    opened = began = BEGIN + number * company.orders_every
    rejected, changed, asks = number % 29 == 0, number % 31 == 1, number % 13 == 2
    first = _decider(company, number, sorted(plan.level(1).approvers), began)
    question = Inquiry(
        by=first,
        name="",
        text="?",
        at=opened + QUARTER,
        until=opened + 3 * DAY,
        ended=InquiryEnd.ANSWERED,
        ended_at=opened + 3 * QUARTER,
        answer="!",
    )
    counts_from = opened + 2 * QUARTER * asks
    votes, facts = [], []
    for level in plan.levels:
        person = _decider(company, number, sorted(level.approvers), began)
        at = began + _takes(company, number, person)
        approves = not (rejected and level.number == len(plan.levels))
        way = _WAYS[number % len(_WAYS)]
        votes.append(
            Vote(
                user_id=person,
                name="",
                level=level.number,
                verdict=Verdict.APPROVE if approves else Verdict.REJECT,
                at=at,
                way=way,
            )
        )
        facts.append(
            (
                f"{at:%Y-%m}",
                person,
                level.number,
                plan.rule,
                size.currency,
                sum(size.amount >= bound for bound in (1_000, 10_000, 50_000, 100_000, 1_000_000)),
                at.isoweekday(),
                way.value if way else "",
                size.kind.command,
                (at - began).total_seconds(),
                worked_seconds(company, began, at),
                None if plan.deadline is None else at - counts_from <= plan.deadline,
                approves,
                approves and changed,
                asks and level.number == 1,
            )
        )
        began = at
    case = a_case(
        document.number,
        source=document.source,
        kind=document.kind,
        id=f"{document.number}-1",
        fingerprint="changed later" if changed else "f",
        state=CaseState.REJECTED if rejected else CaseState.APPROVED,
        opened_at=opened,
        votes=tuple(votes),
        inquiries=(question,) if asks else (),
        plan=plan,
        summary=DocumentSummary(total=document.total, requester=document.requester),
    )
    return DecidedCase(case=case, facts=facts)


def _decider(company: PreparedCompany, number: int, approvers: Sequence[str], at: datetime) -> str:
    present = [person for person in approvers if not _is_away(company, person, at)]
    return present[number // len(company.sizes) % len(present)]


def _is_away(company: PreparedCompany, person: str, at: datetime) -> bool:
    begins, ends = company.away.get(person, (NOW, NOW))
    return begins <= at < ends


def _takes(company: PreparedCompany, number: int, person: str) -> timedelta:
    own = sum(map(ord, person)) % 5
    if person in company.slow:
        return 26 * HOUR + (number * 7 % 60 + own) * QUARTER
    return HOUR + (number * 11 % 23 + own) * QUARTER


def worked_seconds(company: PreparedCompany, begin: datetime, end: datetime) -> float:
    """Return the working time, counted by quarters of an hour."""

    def is_worked(day: date) -> bool:
        return is_workday(day) or (company.saturdays and day.isoweekday() == 6 and not is_holiday(day))

    def is_in(moment: datetime, opens: time, closes: time) -> bool:
        today, now = moment.date(), moment.time()
        if opens < closes:
            return opens <= now < closes and is_worked(today)
        return (now >= opens and is_worked(today)) or (now < closes and is_worked(today - DAY))

    quarters = (begin + number * QUARTER for number in range((end - begin) // QUARTER))
    return QUARTER.total_seconds() * sum(any(is_in(each, *shift) for shift in company.shifts) for each in quarters)


def store_cases(decided: Sequence[DecidedCase]) -> Callable[[Any], None]:
    """Return what writes cases, and the later revision of those that changed."""

    def write(repository: Any) -> None:
        for each in decided:
            case, last = each.case, each.case.votes[-1].at
            repository.put(case)
            repository.audit(AuditRow(at=last, case=case.id, what="vote"))
            if case.fingerprint == "changed later":
                later = replace(
                    case,
                    id=f"{case.number}-2",
                    fingerprint="f",
                    state=CaseState.OPEN,
                    votes=(),
                )
                repository.put(later)
                repository.audit(AuditRow(at=last, case=later.id, what="opened"))

    return write


def events_of(company: PreparedCompany) -> Iterator[ReceivedEvent]:
    """Yield the year's events: of six at once, nobody takes up three."""
    for number in range(((NOW - BEGIN) // POLLED_EVERY + 1) * POLLED_AT_ONCE):
        at = BEGIN + HOUR + number // POLLED_AT_ONCE * POLLED_EVERY
        kind, told = _tell(company, number, at.date())
        data = {"number": f"N{number:04}", "sku": f"N{number:04}", "unit": "个", **told}
        event = {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "/erp",
            "type": kind,
            "subject": f"N{number:04}",
            "time": at.isoformat(),
            "data": data,
        }
        yield ReceivedEvent(
            source="main",
            origin="/erp",
            id=f"e{number}",
            type=kind,
            subject=f"N{number:04}",
            severity="",
            via="webhook",
            at=at,
            received_at=at,
            raw=json.dumps(event),
            state=EventState.DONE,
        )


def _tell(company: PreparedCompany, number: int, day: date) -> tuple[str, Mapping[str, str]]:
    long_ago = {"due_on": f"{day - 60 * DAY}"}
    match number % POLLED_AT_ONCE:
        case 4 | 5:
            return "order.late", {**long_ago, "customer": "上海宏图机械"}
        case 3:
            return company.event_type, {**long_ago, **company.matter}
        case _:
            return company.event_type, {"due_on": f"{day - company.noise_age * DAY}", **company.noise}


ALERTS = "month, rule, acknowledged, resolved, ignored, repeated"


def take_up(played: ReplayResult) -> tuple[Callable[[Any], None], list[tuple[object, ...]]]:
    """Return what writes the cards that the rules made, as people reacted, and the same as rows of `ALERTS`.

    Noise is ignored; all else is acknowledged, by one of seven people, some of it too late to count.
    """
    writes: list[tuple[Alert, AlertCard]] = []
    facts: list[tuple[object, ...]] = []
    for place, card in enumerate(card for card in played.cards if card.made_at is not None):
        assert card.made_at is not None
        for alert in card.alerts:
            number = int(alert.event.subject[1:])
            shown = card.made_at
            after = None if number % POLLED_AT_ONCE < 3 else (9 * DAY if number % 17 == 0 else (number % 11 + 1) * HOUR)
            over = None if number % 4 else (8 * DAY if number % 16 == 0 else (number % 40 + 1) * HOUR)
            counts = [time for time in (after, over) if time is not None and time <= 7 * DAY]
            writes.append(
                (
                    replace(
                        alert,
                        id=f"a{number}",
                        acknowledged=None if after is None else UserStamp(f"p{number % 7}", "", shown + after),
                        state=AlertState.OPEN if over is None else AlertState.RESOLVED,
                        resolved_at=None if over is None else shown + over,
                        count=1 + number % 3 // 2,
                    ),
                    AlertCard(
                        id=f"c{place}",
                        place=card.place,
                        route=card.route,
                        group=f"g{place}",
                        alerts=tuple(f"a{int(each.event.subject[1:])}" for each in card.alerts),
                        state=CardState.SHOWN,
                        opened_at=shown,
                    ),
                )
            )
            facts.append(
                (
                    f"{shown.astimezone(SHANGHAI):%Y-%m}",
                    card.route,
                    after.total_seconds() if after in counts and after is not None else None,
                    over.total_seconds() if over in counts and over is not None else None,
                    after not in counts,
                    number % 3 == 2,
                )
            )

    def write(repository: Any) -> None:
        for alert, _ in writes:
            repository.put_alert(alert, None)
        for card in {card.id: card for _, card in writes}.values():
            repository.put_card(card)

    return write, facts


VENDORS = ("宁波标准件厂", "大连铸造", "天津涂料")


def receipts_of(company: PreparedCompany) -> tuple[list[ErpRecord], list[tuple[object, ...]]]:
    """Return purchase orders with what was received of them; and vendor, days and delay of each, by month of the end.

    Three of five orders of the slow vendor come late, of others one in seven.
    """
    documents: list[ErpRecord] = []
    facts: list[tuple[object, ...]] = []
    for number in range((NOW.date() - BEGIN.date()).days // 2 - 20):
        source = company.sources[number % len(company.sources)]
        vendor = company.slow_vendor if number % 3 == 0 else VENDORS[number // 3 % len(VENDORS)]
        is_late = number // 3 % 5 < 3 if vendor == company.slow_vendor else number % 7 == 1
        ordered = BEGIN.date() + number * 2 * DAY
        due = ordered + 20 * DAY
        received = due + (3 + number % 9) * DAY if is_late else due - number % 4 * DAY
        documents += [
            bare(
                PurchaseOrder,
                f"P-{number:04}",
                source=source,
                vendor=vendor,
                status=ReviewState.DONE,
                ordered_on=ordered,
                due_on=due,
                received=Progress.FULL,
            ),
            bare(
                GoodsReceipt,
                f"R-{number:04}",
                source=source,
                vendor=vendor,
                order_numbers=(f"P-{number:04}",),
                received_on=received,
            ),
        ]
        facts.append((f"{received:%Y-%m}", vendor, (received - ordered).days, received > due))
    return documents, facts


COMMANDS, DEPARTMENTS = ("stock", "order", "report", "deciders"), ("1", "2", "")


def questions_of(company: PreparedCompany) -> Iterator[tuple[datetime, str, str]]:
    """Yield when who asked what: each command has its own number of people."""
    for day in range((NOW - BEGIN).days):
        for place, command in enumerate(COMMANDS[: 2 + len(company.name) % 3]):
            for person in range((14, 9, 7, 2)[place]):
                if (day + person * place) % 3 == 0:
                    yield BEGIN + day * DAY + person * HOUR / 2, f"p{person}", command


def asked_in_vain() -> Iterator[tuple[date, str, str]]:
    """Yield when who asked what nobody understood, in its general form: one sentence of many, and one of few."""
    for day in range((NOW - BEGIN).days):
        asked_on = (BEGIN + day * DAY).date()
        for sentence, people in (("〈partner〉的合同编号", 9), ("〈product〉的毛重", 5)):
            for person in range(people if asked_on.weekday() in {0, 3} else 0):
                yield asked_on, f"p{person}", sentence


def department_of(person: str) -> str:
    return DEPARTMENTS[int(person[1:]) % len(DEPARTMENTS)]


KINDS_KEPT = (PURCHASE_ORDERS, RECEIPTS)
