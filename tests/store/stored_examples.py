"""Objects that ``rows/examples.json`` holds as rows, as they have been stored since the first version.

A row that is in somebody's database must still mean the same: change neither these objects nor that file. A new field
gets a new example.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

from bot.alerts.alert import (
    Alert,
    AlertCard,
    AlertState,
    AlertTally,
    CardState,
    Comparator,
    FurtherAlerts,
    Mute,
    UserStamp,
    Watch,
)
from bot.alerts.event import Event
from bot.alerts.repository import AlertHistoryEntry
from bot.approvals.case import (
    ApprovalCardKind,
    AuditRow,
    Case,
    CaseCard,
    CaseDecision,
    CaseState,
    DocumentSummary,
    ExternalDecision,
    Inquiry,
    InquiryEnd,
    Nudge,
)
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, ExpiryAction, Forward, Quorum, Vote
from bot.checks.check import CheckOutcome
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Area, DecisionOutcome, Money, ReviewState, Verdict
from bot.outbox.place import Place, PlaceKind
from bot.words.phrase import phrase
from bot.words.severity import Severity

CHINA = timezone(timedelta(hours=8))
OPENED = datetime(2026, 11, 24, 9, 30, 0, 123_456, tzinfo=CHINA)
LATER = datetime(2026, 11, 24, 2, 0, 1, 1, tzinfo=UTC)
REPORTED = OPENED.replace(microsecond=123_000)
SEEN = LATER.replace(microsecond=1000)
GROUP = Place(PlaceKind.GROUP, "cidAbC+/=")
PERSON = Place(PlaceKind.PERSON, "manager01")

SMALL_CASE = Case(
    id="c1-1",
    source="main",
    kind=PURCHASE_ORDERS,
    number="PO-1",
    fingerprint="f0",
    version="",
    state=CaseState.OPEN,
    plan=ApprovalPlan(rule="all", levels=()),
    policy="v1",
    opened_at=OPENED,
)

FULL_CASE = Case(
    id="c2-3",
    source="erp 二",
    kind=PURCHASE_ORDERS,
    number="Po-Ä/2",
    fingerprint="f1",
    version="2026-11-24 09:00:00.5",
    level=2,
    levels=3,
    waits_for=("amy", "bob"),
    summary=DocumentSummary(
        partner="上海 Schrauben <GmbH>",
        total=Money(Decimal("1234567.8900"), "CNY"),
        due_on=date(2026, 12, 1),
        requester="u9",
        requested_by="requester@erp",
        editors=frozenset({"u9", "u3", "u1"}),
    ),
    checks=(
        CheckOutcome(
            check="price_above_last",
            flags=(
                phrase(
                    "%(dearer)s; best of 12 months %(best)s",
                    dearer=phrase("%(price)s", price=Money(Decimal("1.50"), "CNY")),
                    best=(date(2026, 2, 28), Decimal("20.0"), 3, "PO-1"),
                ),
            ),
            looked_at=phrase("Last price"),
            is_whole=False,
            as_of=LATER,
        ),
    ),
    state=CaseState.APPROVED,
    plan=ApprovalPlan(
        rule="large",
        levels=(
            ApprovalLevel(
                number=1,
                quorum=Quorum.ALL,
                approvers=("u1", "u2"),
                excluded=MappingProxyType({"u9": phrase("They requested it."), "u3": phrase("%(name)s", name="Ann")}),
            ),
            ApprovalLevel(number=2, quorum=Quorum.ANY, approvers=(), excluded=MappingProxyType({})),
        ),
        confirm=True,
        remind_after=(timedelta(hours=4), timedelta(days=1, microseconds=1)),
        deadline=timedelta(days=3),
        on_expiry=ExpiryAction.ESCALATE,
        escalate_to=("boss",),
        single_limits=MappingProxyType({"u1": (Money(Decimal(5000), "CNY"), Money(Decimal("0.10"), "USD"))}),
        daily_limits=(Money(Decimal("1E+5"), "CNY"),),
    ),
    policy="v2",
    votes=(
        Vote(user_id="u1", name="Ann", level=1, verdict=Verdict.APPROVE, at=LATER),
        Vote(user_id="u4", name="", level=2, verdict=Verdict.APPROVE, at=LATER, reason="ok\n", on_behalf_of="u2"),
    ),
    forwards=(Forward(person="u2", to="u4", at=OPENED),),
    refused=("u5",),
    inquiries=(
        Inquiry(
            by="u1",
            name="Ann",
            text="how “so”?",
            at=OPENED,
            until=LATER,
            ended=InquiryEnd.ANSWERED,
            ended_at=LATER,
            answer="so\n",
        ),
        Inquiry(by="u4", name="", text="?", at=OPENED, until=LATER),
    ),
    nudge=Nudge(by="u9", name="Wu", at=OPENED),
    decision=CaseDecision(verdict=Verdict.APPROVE, by="u4", name="Bo", account="bo", reason="ok", at=LATER),
    attempted_at=LATER,
    attempts=3,
    outcome=DecisionOutcome.APPLIED,
    erp_text="done “so”",
    elsewhere=ExternalDecision(status=ReviewState.APPROVED, by="Zoe", at=LATER),
    opened_at=OPENED,
    due_at=LATER,
    reminders=1,
    expired=True,
    revision=7,
)

CASE_CARDS = (
    CaseCard(case="c1-1", place=GROUP),
    CaseCard(case="c1-1", place=PERSON, for_user="manager01", kind=ApprovalCardKind.TOLD, copy=2, shared="told+1"),
)
AUDIT = AuditRow(at=OPENED, case="c1-1", what="vote", user_id="u1", detail="approve", seen="f0")

SMALL_EVENT = Event(
    source="main",
    id="e1",
    type="stock.low",
    subject="SKU-1",
    at=REPORTED,
    received_at=SEEN,
    severity=Severity.INFO,
)
FULL_EVENT = Event(
    source="main",
    id="e2",
    part=3,
    type="invoice.overdue",
    subject="发票 1",
    at=SEEN,
    received_at=REPORTED,
    severity=Severity.CRITICAL,
    resolved=True,
    company="甲",
    warehouse="A1",
    customer="C",
    supplier="S",
    category="K",
    owner="o1",
    amount=Money(Decimal("-12.50"), "EUR"),
    quantity=Decimal("3.000"),
    due_on=date(2026, 2, 28),
    title="T\"'<",
    link="https://erp.example/1?a=b",
    data=MappingProxyType({"lines": [{"sku": "A", "n": 1}], "text": "x", "inner": MappingProxyType({"deep": None})}),
    tags=MappingProxyType({"team": "red"}),
    standing=True,
)
EXACT_EVENT = Event(
    source="main",
    id="e3",
    type="custom.big",
    subject="big",
    at=REPORTED,
    received_at=SEEN,
    severity=Severity.WARNING,
    data=MappingProxyType({"number": 2**70, "half": "\ud83d"}),
)

SMALL_ALERT = Alert(
    id="a1",
    key="stock|SKU-1",
    event=SMALL_EVENT,
    state=AlertState.OPEN,
    severity=Severity.INFO,
    opened_at=SEEN,
    last_at=REPORTED,
)
FULL_ALERT = Alert(
    id="a2",
    key="invoice|发票 1",
    event=FULL_EVENT,
    state=AlertState.RESOLVED,
    severity=Severity.CRITICAL,
    opened_at=REPORTED,
    last_at=SEEN,
    count=9,
    acknowledged=UserStamp("u1", "Ann", REPORTED),
    assigned=UserStamp("u2", "", SEEN),
    snoozed=UserStamp("u3", "陈", REPORTED),
    snoozed_until=SEEN,
    resolved_at=REPORTED,
    step=2,
    escalate_at=SEEN,
    held=True,
    look_at=REPORTED,
    revivals=1,
    revision=12,
)

ALERT_CARDS = (
    AlertCard(
        id="k1", place=GROUP, route="all", group="", alerts=(), state=CardState.WAITING, opened_at=REPORTED, due_at=SEEN
    ),
    AlertCard(
        id="k2",
        place=PERSON,
        route="mine",
        group="stock",
        alerts=("a2", "a1"),
        further=FurtherAlerts((AlertTally("stock.low", Severity.WARNING, open=9, over=1),), REPORTED),
        state=CardState.CLOSED,
        opened_at=SEEN,
        due_at=REPORTED,
        shown_at=REPORTED,
        changed_at=SEEN,
        behind=True,
        late=True,
        next="k3",
        repeats=4,
        revision=5,
    ),
)
MUTE = Mute(id="m1", place=GROUP, pattern="stock.*", by="u1", made_at=REPORTED, until=SEEN)
WATCHES = (
    Watch(
        user_id="u1",
        area=Area.PURCHASING,
        subject="PO-Ä",
        source="north",
        said={"amount": "5 CNY"},
        made_at=SEEN,
    ),
    Watch(
        user_id="u1",
        area=Area.STOCK,
        subject="Sku-1",
        title="螺丝",
        comparison=Comparator.AT_MOST,
        limit=Decimal("10.50"),
        made_at=REPORTED,
    ),
)
NOTE = AlertHistoryEntry(at=REPORTED, what="received", fact="main/e1", alert="a1", card="k1", detail="why")
