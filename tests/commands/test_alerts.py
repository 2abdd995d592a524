"""/alerts: the list, one alert, and the actions that people type."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest

from bot.access.audit import AuditKind
from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts import labels
from bot.alerts.alert import AlertState, UserStamp
from bot.alerts.event import EventType
from bot.alerts.repository import AlertHistoryEntry
from bot.alerts.timeline import AlertTimeline
from bot.alerts.views import (
    AlertAssignees,
    AlertDigest,
    AlertGroup,
    AlertList,
    AlertRange,
    AlertSnooze,
    AlertView,
    MuteList,
)
from bot.cards.notices import BadArgumentNotice, DeniedNotice, ExternalNotice, NotFoundNotice
from bot.chat.document_views import DocumentListView
from bot.chat.message import Conversation, ConversationKind
from bot.erp.errors import Unavailable
from bot.erp.model import Money
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase
from bot.words.severity import Severity
from tests.commands.alert_fakes import ELSEWHERE, HERE, OWN, InMemoryAlertService, alert
from tests.commands.company import NOW, Company
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.operations_fakes import DEAD, MemoryDesk
from tests.recording_audit import RecordingAudit

BUYER = replace(KEEPER, user_id="buyer01", name="赵采")
DIRECT = Conversation("cidDirect==", ConversationKind.DIRECT)


@pytest.mark.parametrize("line", ["/alerts", "警报", "告警", "/jb", "查一下 警报", "/ALERTS"])
async def test_open_alerts_of_this_conversation_the_worst_first(
    ask: Ask, service: InMemoryAlertService, line: str
) -> None:
    service.show(alert("a1"))
    service.show(alert("a2", "SKU124", severity=Severity.CRITICAL, since=NOW - timedelta(hours=5)))
    service.show(alert("a3", "SKU125", since=NOW - timedelta(hours=1)))
    service.show(alert("a4", state=AlertState.RESOLVED))
    service.show(alert("a5"), place=ELSEWHERE)
    answer = await ask(line)
    view = as_(AlertList, answer)
    assert answer.command == "alerts"
    assert [row.id for row in view.rows] == ["a2", "a3", "a1"]
    assert (view.counts.critical, view.counts.warning, view.counts.open) == (1, 2, 3)
    assert lines(view) == ["/alerts a2", "/alerts a3", "/alerts a1", "/export alerts"]


async def test_nothing_open_is_an_answer_too(ask: Ask) -> None:
    view = as_(AlertList, await ask("/alerts"))
    assert (view.rows, view.total) == ((), 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stock.low", ["a1"]),
        ("低库存", ["a1"]),
        ("invoice", ["a2"]),
        ("sku12", ["a1"]),
        ("螺丝", ["a1"]),
        ("SH", ["a1", "a2"]),
        ("nothing", []),
    ],
)
async def test_the_list_is_narrowed_by_type_subject_name_or_warehouse(
    ask: Ask, service: InMemoryAlertService, text: str, found: list[str]
) -> None:
    service.show(alert("a1", title="M6 螺丝"), alert("a2", "INV-7", kind=EventType.INVOICE_OVERDUE))
    view = as_(AlertList, await ask(f"/alerts {text}"))
    assert [row.id for row in view.rows] == found
    assert view.line == f"/alerts {text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("stock.low", labels.type_label("stock.low")), ("sku12", "sku12"), ("custom.machine", "machine")],
)
async def test_a_list_of_one_type_has_its_word(ask: Ask, text: str, shown: Phrase | str) -> None:
    assert as_(AlertList, await ask(f"/alerts {text}")).text == shown


async def test_a_long_list_is_paged(ask: Ask, service: InMemoryAlertService) -> None:
    for number in range(14):
        service.show(alert(f"a{number:02}", f"SKU{number}", since=NOW - timedelta(minutes=number)))
    first = as_(AlertList, await ask("/alerts"))
    assert (len(first.rows), first.total, lines(first)[-2:]) == (12, 14, ["/alerts +12", "/export alerts"])
    second = as_(AlertList, await ask("/alerts", offset=12))
    assert [row.id for row in second.rows] == ["a12", "a13"]


@pytest.mark.parametrize("line", ["/alerts mine", "/警报 我的"])
async def test_ones_own_alerts_are_those_of_the_chat_with_the_bot(
    ask: Ask, service: InMemoryAlertService, line: str
) -> None:
    service.show(alert("a1"))
    service.show(alert("a2"), place=OWN)
    view = as_(AlertList, await ask(line))
    assert ([row.id for row in view.rows], view.looks_at, view.line) == (["a2"], AlertRange.MINE, "/alerts mine")


class TestInOnesOwnChat:
    """There the alerts of all groups are meant, as far as the rules let the asker see their documents."""

    async def test_the_alerts_of_all_groups_are_listed(self, ask: Ask, service: InMemoryAlertService) -> None:
        service.show(alert("a1"))
        service.show(alert("a2", "SKU124"), place=ELSEWHERE)
        service.show(alert("a3", "SKU125"), place=OWN)
        service.show(alert("a4", "SKU126"), place=Place(PlaceKind.PERSON, "somebody"))
        view = as_(AlertList, await ask("/alerts", where=DIRECT))
        assert {row.id for row in view.rows} == {"a1", "a2", "a3"}
        assert (view.looks_at, view.line) == (AlertRange.ALL, "/alerts all")
        assert as_(AlertList, await ask("/alerts all", clicked=True)) == view, "clicks there look like those in groups"
        as_(BadArgumentNotice, await ask("/alerts all"))

    async def test_each_can_be_looked_at_and_acted_on_at_its_places(
        self, ask: Ask, service: InMemoryAlertService
    ) -> None:
        service.show(alert("a1"), place=ELSEWHERE)
        service.show(alert("a2", "SKU124"), place=Place(PlaceKind.PERSON, "somebody"))
        assert "/alerts a1 all" in lines(as_(AlertList, await ask("/alerts", where=DIRECT)))
        opened = as_(AlertView, await ask("/alerts a1 all", clicked=True))
        assert (opened.elsewhere, lines(opened)) == (True, ["/stock SKU123"])
        assert as_(AlertView, await ask("/alerts a1", where=DIRECT)) == opened
        as_(NotFoundNotice, await ask("/alerts a1 ack", where=DIRECT))
        assert as_(AlertList, await ask("/alerts a2 all", where=DIRECT)).total == 0

    async def test_what_no_rule_sends_anywhere_is_looked_at_and_called_so(
        self, ask: Ask, service: InMemoryAlertService
    ) -> None:
        service.alerts["a1"] = alert("a1")
        opened = as_(AlertView, await ask("/alerts a1 all", where=DIRECT))
        assert str(opened.note) == "No rule sends it to anybody."

    async def test_news_of_no_document_stays_with_its_group(self, ask: Ask, service: InMemoryAlertService) -> None:
        service.show(alert("a1", kind="custom.door"), place=ELSEWHERE)
        view = as_(AlertList, await ask("/alerts", where=DIRECT))
        assert (view.total, view.others, view.left_out, view.is_clear) == (0, True, 0, False)
        assert as_(AlertList, await ask("/alerts a1", where=DIRECT)).total == 0
        as_(NotFoundNotice, await ask("/alerts a1 ack", where=DIRECT))

    async def test_late_and_list_counts_are_counted_with_them(self, ask: Ask, company: Company) -> None:
        view = as_(AlertList, await ask("/alerts", where=DIRECT))
        counts = {each.line: each.count for each in view.overdue}
        assert counts == {
            each.line: as_(DocumentListView, await ask(each.line, where=DIRECT)).total for each in view.overdue
        }
        assert {"/order late", "/invoice overdue", "/po late", "/mo late"} <= counts.keys()
        assert any(counts.values())
        assert [line for line in lines(view) if line in counts] == [line for line, count in counts.items() if count]
        assert not view.is_clear

    async def test_what_could_not_be_read_is_not_clear(self, ask: Ask, company: Company) -> None:
        company.broken = Unavailable("down")
        view = as_(AlertList, await ask("/alerts", where=DIRECT))
        assert (view.is_clear, {each.count for each in view.overdue}) == (False, {None})
        assert all(each.unread for each in view.overdue)

    async def test_it_is_clear_when_nothing_of_all_that_was_looked_at_is_open(self, ask: Ask, company: Company) -> None:
        company.sales = company.issued = company.purchases = company.owed = company.productions = ()
        view = as_(AlertList, await ask("/alerts", where=DIRECT))
        assert (view.is_clear, {each.count for each in view.overdue}) == (True, {0})
        assert not as_(AlertList, await ask("/alerts")).is_clear, "a group has not looked at everything"
        company.broken = Unavailable("down")
        later = as_(AlertList, await ask("/alerts", where=DIRECT))
        assert not later.is_clear, "what it was before is not what it is"


async def test_one_alert_with_its_buttons(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    view = as_(AlertView, await ask("/alerts a1"))
    assert (view.subject, view.alert.severity, str(view.headline)) == ("SKU123", Severity.WARNING, "Low stock")
    assert [(str(fact.label), str(fact.value), fact.unit) for fact in view.facts[:2]] == [
        ("Available", "12", "pcs"),
        ("Reorder point", "50", "pcs"),
    ]
    assert lines(view) == ["/alerts a1 ack", "/alerts a1 snooze", "/alerts a1 assign", "/stock SKU123"]


async def test_an_alert_of_another_place_is_not_found(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"), place=ELSEWHERE)
    assert as_(AlertList, await ask("/alerts a1")).total == 0
    for line in ("/alerts a1 ack", "/alerts a1 1h", "/alerts a1 assign", "/alerts a1 buyer01 assign"):
        as_(NotFoundNotice, await ask(line))
    assert service.actions == []


async def test_ones_own_alert_is_found_from_anywhere(ask: Ask, service: InMemoryAlertService) -> None:
    """A click in the chat with the bot looks like a click in a group of the same id."""
    service.show(alert("a1"), place=OWN)
    as_(AlertView, await ask("/alerts a1"))
    as_(AlertList, await ask("/alerts a1", person=BUYER))


async def test_a_card_of_several_is_paged_and_drilled_into(ask: Ask, service: InMemoryAlertService) -> None:
    several = [alert(f"a{number:02}", f"SKU{number}", since=NOW - timedelta(minutes=number)) for number in range(10)]
    over = alert("a99", "SKU99", state=AlertState.RESOLVED, severity=Severity.CRITICAL)
    card = service.show(over, *several)
    first = as_(AlertGroup, await ask(f"/alerts {card}"))
    assert (first.total, first.rows[0].id, first.counts.over) == (11, "a00", 1)
    last = as_(AlertGroup, await ask(f"/alerts {card}", offset=8))
    assert [row.id for row in last.rows] == ["a08", "a09", "a99"]
    one = as_(AlertView, await ask("/alerts a08"))
    assert one.back == card
    assert f"/alerts {card}" in lines(one)
    assert as_(AlertList, await ask(f"/alerts {card}", where=Conversation("cidOther==", ConversationKind.GROUP)))


async def test_a_card_of_many_is_a_digest_by_type(ask: Ask, service: InMemoryAlertService) -> None:
    low = [alert(f"l{number}", f"SKU{number}") for number in range(18)]
    out = [alert(f"o{number}", f"X{number}", kind=EventType.STOCK_OUT, severity=Severity.CRITICAL) for number in "123"]
    view = as_(AlertDigest, await ask(f"/alerts {service.show(*low, *out)}"))
    assert [(row.type, row.open, row.severity) for row in view.rows] == [
        ("stock.out", 3, Severity.CRITICAL),
        ("stock.low", 18, Severity.WARNING),
    ]
    assert lines(view) == ["/alerts stock.out", "/alerts stock.low"]
    assert as_(AlertList, await ask("/alerts stock.out")).total == 3


@pytest.mark.parametrize("line", ["/alerts a1 ack", "/警报 a1 知道了", "/alerts a1 收到"])
async def test_acknowledging_shows_who_has_it(ask: Ask, service: InMemoryAlertService, line: str) -> None:
    service.show(alert("a1"))
    view = as_(AlertView, await ask(line))
    assert view.alert.acknowledged == UserStamp("keeper01", "王仓", NOW)
    assert view.note is None
    assert "/alerts a1 ack" not in lines(view)
    assert service.actions == ["ack a1 keeper01"]


async def test_who_comes_late_is_told_who_was_first_and_when(ask: Ask, service: InMemoryAlertService) -> None:
    early = NOW - timedelta(minutes=7)
    service.show(replace(alert("a1"), acknowledged=UserStamp("buyer01", "赵采", early)))
    view = as_(AlertView, await ask("/alerts a1 ack"))
    assert view.note is not None
    assert view.note.params == {"name": "赵采", "time": early}
    assert view.alert.acknowledged == UserStamp("buyer01", "赵采", early)
    assert service.actions == []


@pytest.mark.parametrize("action", ["ack", "snooze", "1h", "assign", "buyer01 assign"])
async def test_nothing_is_done_to_what_is_over(ask: Ask, service: InMemoryAlertService, action: str) -> None:
    service.show(alert("a1", state=AlertState.RESOLVED))
    view = as_(AlertView, await ask(f"/alerts a1 {action}"))
    assert "over already" in str(view.note)
    assert service.actions == []


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("1h", NOW + timedelta(hours=1)),
        ("1小时", NOW + timedelta(hours=1)),
        ("4h", NOW + timedelta(hours=4)),
        ("tomorrow", NOW.replace(hour=9, minute=0) + timedelta(days=1)),
        ("明天", NOW.replace(hour=9, minute=0) + timedelta(days=1)),
        ("2026-11-20 until", NOW.replace(day=20, hour=9, minute=0)),
        ("2026-11-20 直到", NOW.replace(day=20, hour=9, minute=0)),
    ],
)
async def test_snoozing(ask: Ask, service: InMemoryAlertService, words: str, until: object) -> None:
    service.show(alert("a1"))
    view = as_(AlertView, await ask(f"/alerts a1 {words}"))
    assert (view.snoozed, view.alert.snoozed_until, view.alert.snoozed) == (
        True,
        until,
        UserStamp("keeper01", "王仓", NOW),
    )


async def test_snoozing_asks_for_how_long(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    view = as_(AlertSnooze, await ask("/alerts a1 稍后"))
    assert lines(view) == [
        "/alerts a1 1h",
        "/alerts a1 4h",
        "/alerts a1 tomorrow",
        "/alerts a1 until",
        "/alerts a1",
    ]
    assert service.actions == []


async def test_snoozing_asks_until_which_day(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    view = as_(BadArgumentNotice, await ask("/alerts a1 until"))
    form = view.form()
    assert form is not None
    assert [(field.name, field.kind) for field in form.fields] == [("value", "date")]
    assert form.does.pack() == "fill|/alerts a1 … until"


@pytest.mark.parametrize("day", ["2026-11-05", "2026-11-04", "2027-11-05", "2026-02-31", "soon"])
async def test_an_alert_is_put_off_for_some_days_at_most(ask: Ask, service: InMemoryAlertService, day: str) -> None:
    service.show(alert("a1"))
    as_(BadArgumentNotice, await ask(f"/alerts a1 {day} until"))
    assert service.actions == []


async def test_assigning_asks_to_whom(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    await ask("/alerts", person=BUYER)
    view = as_(AlertAssignees, await ask("/alerts a1 assign"))
    assert [(row.user_id, row.name, row.is_me) for row in view.rows] == [
        ("keeper01", "王仓", True),
        ("buyer01", "赵采", False),
        ("manager01", "陈经理", False),
    ]
    assert lines(view)[1] == "/alerts a1 buyer01 assign"
    given = as_(AlertView, await ask(lines(view)[1]))
    assert given.alert.assigned == UserStamp("buyer01", "赵采", NOW)
    assert service.actions == ["assign a1 keeper01 buyer01"]


async def test_the_list_of_people_is_paged(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    for number in range(12):
        await ask("/alerts", person=replace(KEEPER, user_id=f"clerk{number:02}"))
    first = as_(AlertAssignees, await ask("/alerts a1 assign"))
    assert (len(first.rows), lines(first)[-2]) == (8, "/alerts a1 assign +8")
    second = as_(AlertAssignees, await ask(lines(first)[-2]))
    assert {row.user_id for row in first.rows}.isdisjoint(row.user_id for row in second.rows)


@pytest.mark.parametrize("user_id", ["stranger", "gone01", "*", "王仓"])
async def test_only_somebody_of_the_list_can_be_chosen(ask: Ask, service: InMemoryAlertService, user_id: str) -> None:
    service.show(alert("a1"))
    problem = as_(BadArgumentNotice, await ask(f"/alerts a1 {user_id} assign")).problem
    assert user_id in str(problem)
    assert service.actions == []


@pytest.mark.parametrize("line", ["/alerts ack", "/alerts 1h", "/alerts a1 buyer01", "/alerts a1 buyer01 ack"])
async def test_what_makes_no_sense_is_told_with_examples(ask: Ask, service: InMemoryAlertService, line: str) -> None:
    service.show(alert("a1"))
    view = as_(BadArgumentNotice, await ask(line))
    assert "/alerts" in view.examples
    assert service.actions == []


async def test_external_people_are_refused(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    as_(ExternalNotice, await ask("/alerts a1 ack", person=replace(KEEPER, user_id=None)))
    assert service.actions == []


class TestAccess:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"alerts"}), roles=frozenset({"finance"})),))

    async def test_the_policy_is_asked_for_every_deed(self, ask: Ask, service: InMemoryAlertService) -> None:
        service.show(alert("a1"), place=HERE)
        as_(DeniedNotice, await ask("/alerts a1 ack"))
        assert service.actions == []
        as_(AlertView, await ask("/alerts a1 ack", person=replace(KEEPER, roles=frozenset({"finance"}))))
        assert service.actions == ["ack a1 keeper01"]


async def test_a_critical_alert_is_put_off_only_with_the_right_to_mute_it(
    ask: Ask, service: InMemoryAlertService, audit: RecordingAudit
) -> None:
    service.show(alert("a1", severity=Severity.CRITICAL))
    for line in ("/alerts a1 snooze", "/alerts a1 1h", "/alerts a1 until", "/alerts a1 2026-11-20 until"):
        refused = as_(DeniedNotice, await ask(line))
        assert refused.ask == ("admin",)
    assert (service.actions, audit.entries) == ([], [])
    boss = Person(user_id="boss01", name="赵总", is_admin=True)
    assert as_(AlertView, await ask("/alerts a1 1h", person=boss)).snoozed
    (entry,) = audit.entries
    assert (entry.kind, entry.actor, entry.detail) == (
        AuditKind.MUTE,
        "boss01",
        "stock.low SKU123 until 2026-11-05T09:30+08:00",
    )


async def test_others_matters_are_not_put_off(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(replace(alert("a1"), acknowledged=UserStamp("buyer01", "赵采", NOW)))
    assert "赵采" in str(as_(DeniedNotice, await ask("/alerts a1 1h")).reason)
    assert as_(AlertView, await ask("/alerts a1 1h", person=BUYER)).snoozed


async def test_an_alert_is_not_put_off_for_other_conversations(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1"))
    service.show(alert("a1"), place=ELSEWHERE, card="theirs")
    as_(DeniedNotice, await ask("/alerts a1 1h"))
    assert service.actions == []


INVOICE = MappingProxyType({"customer": "ACME", "amount": {"amount": "500", "currency": "CNY"}, "due_on": "2026-10-01"})


class TestAlertsOfWhatOneMayNotAskFor:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        rules = (
            AccessRule(name="finance reads", commands=frozenset({"invoice"}), roles=frozenset({"finance"})),
            AccessRule(
                commands=frozenset({"stock"}), roles=frozenset({"*"}), scope=Scope(warehouses=frozenset({"sh"}))
            ),
        )
        return AccessPolicy(rules)

    @pytest.fixture(autouse=True)
    def _shown(self, service: InMemoryAlertService) -> None:
        service.show(alert("a1"))
        service.show(alert("a2", "INV-7", kind=EventType.INVOICE_OVERDUE, data=INVOICE), card="c2")
        service.show(alert("a3"), alert("a4", "INV-8", kind=EventType.INVOICE_OVERDUE, data=INVOICE), card="c3")

    async def test_are_left_out_of_the_list_and_counted(self, ask: Ask) -> None:
        view = as_(AlertList, await ask("/alerts"))
        assert ({row.id for row in view.rows}, view.total, view.left_out) == ({"a1", "a3"}, 2, 2)

    @pytest.mark.parametrize("line", ["/alerts a2", "/alerts a2 ack", "/alerts a2 1h", "/alerts c2"])
    async def test_are_refused_with_the_reason(self, ask: Ask, service: InMemoryAlertService, line: str) -> None:
        view = as_(DeniedNotice, await ask(line))
        assert str(view.reason) == "/invoice is only for: finance."
        assert service.actions == []

    async def test_are_left_out_of_a_card_of_several(self, ask: Ask) -> None:
        view = as_(AlertGroup, await ask("/alerts c3"))
        assert [row.id for row in view.rows] == ["a3"]

    async def test_are_shown_to_whom_the_rule_names(self, ask: Ask) -> None:
        clerk = replace(KEEPER, roles=frozenset({"finance"}))
        assert as_(AlertList, await ask("/alerts", person=clerk)).left_out == 0
        as_(AlertView, await ask("/alerts a2", person=clerk))


class TestAlertsWithoutAmounts:
    """Of an alert nobody sees more than of its document, whichever line shows it."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        seen = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
        return AccessPolicy([AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"warehouse"}), fields=seen)])

    @pytest.fixture(autouse=True)
    def _shown(self, service: InMemoryAlertService) -> None:
        for place, first, second in ((HERE, "a1", "a2"), (ELSEWHERE, "a3", "a4")):
            plain = alert(first, f"INV-{first}", kind=EventType.INVOICE_OVERDUE)
            overdue = replace(plain, event=replace(plain.event, amount=Money(Decimal(500), "CNY")))
            service.show(overdue, alert(second), place=place, card=f"c{first}")

    @pytest.mark.parametrize(
        ("line", "where"),
        [
            ("/alerts", GROUP),
            ("/alerts a1", GROUP),
            ("/alerts ca1", GROUP),
            ("/alerts a1 ack", GROUP),
            ("/alerts", DIRECT),
            ("/alerts a3", DIRECT),
        ],
    )
    async def test_tell_none(self, ask: Ask, line: str, where: Conversation) -> None:
        shown = repr((await ask(line, where=where)).view)
        assert "INV-" in shown
        assert "500" not in shown


class TestAlertsOutsideOnesScope:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        scope = Scope(warehouses=frozenset({"BJ"}))
        return AccessPolicy(
            [AccessRule(name="north", commands=frozenset({"stock"}), roles=frozenset({"*"}), scope=scope)]
        )

    async def test_are_refused(self, ask: Ask, service: InMemoryAlertService) -> None:
        service.show(alert("a1"))
        view = as_(DeniedNotice, await ask("/alerts a1"))
        assert str(view.reason) == "Rule “north” does not let you see this document."
        assert as_(AlertList, await ask("/alerts")).left_out == 1


def _note(what: str, minutes: int, detail: str = "") -> AlertHistoryEntry:
    return AlertHistoryEntry(at=NOW + timedelta(minutes=minutes), what=what, alert="a1", detail=detail)


async def test_what_is_over_is_listed_in_ones_own_chat(ask: Ask, service: InMemoryAlertService) -> None:
    service.show(alert("a1", state=AlertState.RESOLVED))
    service.show(alert("a2"))
    service.show(alert("a3", "SKU125", state=AlertState.RESOLVED), place=ELSEWHERE)
    service.show(alert("a4", "x", kind="custom.door", state=AlertState.RESOLVED), place=ELSEWHERE)
    service.show(alert("a5", "y", kind="custom.door", state=AlertState.RESOLVED), place=OWN)
    view = as_(AlertList, await ask("/alerts ended", where=DIRECT))
    assert [row.id for row in view.rows] == ["a1", "a3", "a5"]
    assert "/alerts a3 all" in lines(view)
    narrowed = as_(AlertList, await ask("/预警 SKU125 历史", where=DIRECT))
    assert [row.id for row in narrowed.rows] == ["a3"]
    as_(BadArgumentNotice, await ask("/alerts ended"))


class TestScopes:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        beijing = Scope(warehouses=frozenset({"BJ"}))
        return AccessPolicy(
            rules=(AccessRule(commands=frozenset({"*"}), people=frozenset({"keeper01"}), scope=beijing),)
        )

    async def test_what_is_over_tells_no_document_that_is_hidden(self, ask: Ask, service: InMemoryAlertService) -> None:
        service.show(alert("a1", state=AlertState.RESOLVED))
        service.show(alert("a2", state=AlertState.RESOLVED), place=OWN)
        assert as_(AlertList, await ask("/alerts ended", where=DIRECT)).rows == ()
        service.show(alert("a3"))
        for alert_id in ("a1", "a2", "a3"):
            answer = await ask(f"/alerts {alert_id} timeline", where=DIRECT)
            assert answer.outcome in {"denied", "not_found"}


async def test_the_timeline_goes_from_the_event_to_the_tap(
    ask: Ask, service: InMemoryAlertService, desk: MemoryDesk
) -> None:
    service.show(alert("a1"), card=DEAD)
    service.notes = [
        _note("received", 0),
        _note("opened", 0, "warning, 1 times"),
        _note("routed", 0, "group:cidOther=="),
        _note("acknowledged", 30, "manager01"),
        _note("snoozed", 31, "manager01 until 2026-12-01"),
    ]
    view = as_(AlertTimeline, await ask("/alerts a1 timeline"))
    told = [(str(row.what), row.who, str(row.where)) for row in view.rows]
    assert ("the card was given up", "", "in a group") in told
    assert [each for each in told if not each[2]] == [
        ("reported for the first time", "", ""),
        ("taken", "陈经理", ""),
        ("put off", "陈经理", ""),
    ]
    assert "cidOther" not in str(view)


async def test_of_an_alert_of_other_groups_the_timeline_is_for_those_who_may_see_it(
    ask: Ask, service: InMemoryAlertService
) -> None:
    service.show(alert("a1"), place=ELSEWHERE)
    service.show(alert("a2", kind="custom.door"), place=ELSEWHERE)
    assert as_(AlertTimeline, await ask("/alerts a1 经过", where=DIRECT)).id == "a1"
    as_(NotFoundNotice, await ask("/alerts a1 timeline"))
    as_(NotFoundNotice, await ask("/alerts a2 timeline", where=DIRECT))
    as_(BadArgumentNotice, await ask("/alerts timeline", where=DIRECT))


async def test_what_is_muted_is_asked_for_without_changing_anything(ask: Ask) -> None:
    await ask("/mute stock.low 2h", where=DIRECT)
    shown = as_(MuteList, await ask("/alerts muted", where=DIRECT, only_asks=True))
    assert [row.mute.pattern for row in shown.rows] == ["stock.low"]
    assert as_(MuteList, await ask("/预警 已静音")).rows == ()
