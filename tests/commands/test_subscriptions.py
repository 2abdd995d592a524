"""/subscribe, /subscriptions, /unsubscribe, and what comes at the time: with the rights of then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.alerts.subscriptions import (
    Subscription,
    SubscriptionClock,
    SubscriptionComposer,
    SubscriptionEnded,
    SubscriptionList,
    Subscriptions,
    SubscriptionWaits,
    own_chat_line,
)
from bot.cards.actions import Ask as AskAction
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice, UnknownCommandNotice
from bot.chat.document_views import view_of_list
from bot.chat.message import Conversation, ConversationKind
from bot.chat.present_rights import PresentRights
from bot.chat.report_days import WEEKDAYS
from bot.erp.errors import Unavailable
from bot.erp.kinds import INVOICES, Kind
from bot.erp.model import Slice
from bot.erp.port import ListQuery
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import SendFailed
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from commands.report import ReportView
from tests.chat.audience_parts import make_audiences
from tests.commands.company import NOW, Company
from tests.commands.conftest import GROUP, KEEPER, Ask, as_, lines
from tests.commands.subscription_fakes import MemorySubscriptions
from tests.membership import EverybodyIsMember
from tests.rows import each_row

InvoiceListView = view_of_list(INVOICES)

OWN_CHAT = Conversation("cidKeeper==", ConversationKind.DIRECT)
OWN_PLACE, GROUP_PLACE = Place(PlaceKind.PERSON, "keeper01"), Place(PlaceKind.GROUP, GROUP.id)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def composer(
    subscribed: MemorySubscriptions, subscriptions: Subscriptions, policy: AccessPolicy, rights: PresentRights
) -> SubscriptionComposer:
    return SubscriptionComposer(
        subscribed,
        handler=subscriptions.handler,
        rights=rights,
        audiences=make_audiences(policy, people=rights.people),
        now=lambda: NOW,
    )


def only(subscribed: MemorySubscriptions) -> Subscription:
    (found,) = subscribed.kept.values()
    return found


@pytest.mark.parametrize(
    ("line", "wanted", "at", "workdays"),
    [
        ("/subscribe report yesterday 08:30", "/report yesterday", time(8, 30), True),
        ("/订阅 日报 18:00", "/report day", time(18), True),
        ("/subscribe order late 9:00 daily", "/order late", time(9), False),
        ("/subscribe order open W-3 9:00", "/order open W-3", time(9), True),
        ("/订阅 逾期发票 每天 8点半", "/invoice 逾期", time(8, 30), False),
        ("/subscribe 08:30 invoice overdue", "/invoice overdue", time(8, 30), True),
        ("/订阅 发票 9点 工作日", "/invoice", time(9), True),
    ],
)
async def test_a_line_and_a_time(
    ask: Ask, subscribed: MemorySubscriptions, line: str, wanted: str, at: time, workdays: bool
) -> None:
    view = as_(SubscriptionList, await ask(line, where=OWN_CHAT))
    found = only(subscribed)
    assert (found.line, found.at, found.workdays, found.place) == (wanted, at, workdays, OWN_PLACE)
    assert found.next_at > NOW
    assert found.next_at.astimezone(ZONE).time() == at
    assert (view.total, view.group) == (1, False)


async def test_in_a_group_it_comes_to_the_group(ask: Ask, subscribed: MemorySubscriptions) -> None:
    assert as_(SubscriptionList, await ask("/subscribe report 18:00")).group
    assert only(subscribed).place == GROUP_PLACE
    assert as_(SubscriptionList, await ask("/subscriptions")).total == 1
    assert as_(SubscriptionList, await ask("/subscriptions", where=OWN_CHAT)).total == 0


async def test_another_time_replaces_the_first(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe report 08:30")
    await ask("/subscribe report 09:00")
    assert only(subscribed).at == time(9)


@pytest.mark.parametrize(
    "line", ["/subscribe", "/subscribe report", "/subscribe 08:30 report 25:00", "/subscribe report 25:00"]
)
async def test_what_is_missing_is_said(ask: Ask, subscribed: MemorySubscriptions, line: str) -> None:
    answer = await ask(line)
    assert isinstance(answer.view, BadArgumentNotice), answer.view
    assert not subscribed.kept


@pytest.mark.parametrize("line", ["approve PO-1001", "export invoice", "subscribe report", "nothing at all"])
async def test_only_what_asks_can_be_subscribed_to(ask: Ask, subscribed: MemorySubscriptions, line: str) -> None:
    answer = await ask(f"/subscribe {line} 08:30")
    assert isinstance(answer.view, UnknownCommandNotice | NotFoundNotice | BadArgumentNotice), answer.view
    assert not subscribed.kept


async def test_so_many(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe invoice 08:30")
    first = only(subscribed)
    for number in range(9):
        await subscribed.put(replace(first, line=f"/order {number}"))
    as_(BadArgumentNotice, await ask("/subscribe po late 08:30"))
    as_(SubscriptionList, await ask("/subscribe invoice 09:00"))


async def test_it_is_stopped(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe report yesterday 08:30")
    await ask("/subscribe order late 09:00")
    view = as_(SubscriptionList, await ask("/subscriptions"))
    assert lines(view) == ["/unsubscribe report yesterday", "/unsubscribe order late"]
    as_(NotFoundNotice, await ask("/unsubscribe po"))
    assert as_(SubscriptionList, await ask("/unsubscribe report yesterday")).total == 1
    assert as_(SubscriptionList, await ask("/取消订阅 全部")).total == 0
    assert not subscribed.kept
    as_(BadArgumentNotice, await ask("/unsubscribe"))


async def test_it_comes_once_and_then_the_next_working_day(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe report 18:00")
    poked: list[None] = []
    moment = [NOW]
    clock = SubscriptionClock(subscribed, now=lambda: moment[0], owed=lambda: poked.append(None))
    await clock.look()
    assert not poked
    friday = datetime(2026, 11, 6, 18, 0, 5, tzinfo=ZONE)
    moment[0] = friday
    await clock.look()
    await clock.look()
    assert [delivery.card.split(":", 2)[2] for delivery in subscribed.owed] == ["2026-11-05T18:00"]
    assert (len(poked), only(subscribed).next_at) == (1, datetime(2026, 11, 9, 18, tzinfo=ZONE))


async def test_a_late_start_sends_one_card_and_not_one_for_each_day(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe report 18:00 daily")
    assert await subscribed.send_due(NOW + timedelta(days=30), ZONE) == 1
    assert only(subscribed).next_at > NOW + timedelta(days=30)


async def test_the_answer_of_then_is_shown(
    ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer
) -> None:
    await ask("/subscribe invoice overdue 08:30", where=OWN_CHAT)
    card = await composer.compose(only(subscribed).id)
    assert isinstance(card.view, InvoiceListView)
    assert (card.revision, card.view.total, card.view.withheld) == (1, 2, frozenset())


class TestWhatSomebodyCreated:
    @pytest.fixture
    def company(self) -> Company:
        company = Company()
        first, *others = company.issued
        company.issued = (replace(first, created_by=("李娜", "sales01")), *others)
        return company

    async def test_it_is_subscribed_to(
        self, ask: Ask, company: Company, subscribed: MemorySubscriptions, composer: SubscriptionComposer
    ) -> None:
        await ask("/订阅 发票 制单人:李娜 8点半", where=OWN_CHAT)
        view = (await composer.compose(only(subscribed).id)).view
        assert isinstance(view, InvoiceListView)
        assert ([row.number for row in view.rows], view.line) == ([company.issued[0].number], "/invoice by:李娜")


async def test_a_group_sees_what_everybody_there_may_see(
    ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer
) -> None:
    await ask("/subscribe invoice overdue 08:30")
    view = (await composer.compose(only(subscribed).id)).view
    assert isinstance(view, InvoiceListView)
    assert view.rows[0].total is HIDDEN
    assert FieldClass.AMOUNT in view.withheld
    assert FieldClass.AMOUNT not in SHARED_FIELDS


async def test_one_that_was_stopped_shows_nothing(composer: SubscriptionComposer) -> None:
    assert (await composer.compose("gone")).view is None


async def test_an_erp_that_is_down_is_asked_again(
    ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer, company: Company
) -> None:
    await ask("/subscribe invoice overdue 08:30")
    company.broken = Unavailable("gone")
    await subscribed.put(replace(only(subscribed), line="/po late"))
    with pytest.raises(SendFailed):
        await composer.compose(list(subscribed.kept)[-1])


async def test_what_else_comes_to_the_own_chat_is_not_told_in_a_group(
    ask: Ask, subscribed: MemorySubscriptions
) -> None:
    await ask("/subscribe invoice overdue 08:30", where=OWN_CHAT)
    began = as_(SubscriptionList, await ask("/订阅 日报 18:00 单聊"))
    assert [row.line for row in began.rows] == ["/report day"]
    assert {each.place for each in subscribed.kept.values()} == {OWN_PLACE}


async def test_who_left_ends_it(
    ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer, staff: EverybodyIsMember
) -> None:
    await ask("/subscribe report 08:30")
    assert isinstance((await composer.compose(only(subscribed).id)).view, ReportView)
    staff.left.add("keeper01")
    ended = (await composer.compose(only(subscribed).id)).view
    assert isinstance(ended, SubscriptionEnded)
    assert "member" in str(ended.reason)
    assert only(subscribed).ended
    assert (await composer.compose(only(subscribed).id)).view == ended, "the same again after a failure"
    assert await subscribed.send_due(NOW + timedelta(days=9), ZONE) == 0
    assert as_(SubscriptionList, await ask("/subscriptions")).total == 0


async def test_who_leaves_while_it_is_answered_gets_nothing(
    ask: Ask,
    subscribed: MemorySubscriptions,
    composer: SubscriptionComposer,
    company: Company,
    staff: EverybodyIsMember,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await ask("/subscribe invoice overdue 08:30", where=OWN_CHAT)
    read = company.documents

    async def leaving(kind: Kind[Any], query: ListQuery) -> Slice[Any]:
        staff.left.add("keeper01")
        return await read(kind, query)

    monkeypatch.setattr(company, "documents", leaving)
    assert isinstance((await composer.compose(only(subscribed).id)).view, SubscriptionEnded)


class TestLostRight:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        rule = AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"warehouse"}), fields=ALL_FIELDS)
        return AccessPolicy(rules=(rule,))

    async def test_it_waits_and_goes_on_and_its_owner_is_told_once(
        self, ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer, staff: EverybodyIsMember
    ) -> None:
        await ask("/subscribe invoice 08:30", where=OWN_CHAT)
        roles, staff.roles = staff.roles, frozenset()
        for _ in range(3):
            assert (await composer.compose(only(subscribed).id)).view is None
        assert not only(subscribed).ended
        (told,) = subscribed.owed
        assert told.place == OWN_PLACE
        waits = (await composer.compose(told.ref)).view
        assert waits == SubscriptionWaits(line="/invoice", group=False, refused=False)
        assert as_(SubscriptionList, await ask("/subscriptions", where=OWN_CHAT)).rows[0].waits
        staff.roles = roles
        assert (await composer.compose(told.ref)).view is None, "it is not so any more"
        assert isinstance((await composer.compose(only(subscribed).id)).view, InvoiceListView)
        staff.roles = frozenset()
        await composer.compose(only(subscribed).id)
        assert len(subscribed.owed) == 2, "a loss of its own"

    async def test_a_group_that_may_not_see_it_is_refused_and_the_own_chat_offered(
        self, ask: Ask, subscribed: MemorySubscriptions
    ) -> None:
        refused = as_(SubscriptionWaits, await ask("/subscribe invoice overdue 08:30 daily"))
        assert (refused.refused, refused.line) == (True, "/invoice overdue")
        assert not subscribed.kept
        ((offered,),) = [[button.does for button in refused.buttons()]]
        assert offered == AskAction("/subscribe invoice overdue 08:30 daily private")
        began = as_(SubscriptionList, await ask(offered.line))
        assert (began.group, [row.line for row in began.rows]) == (False, ["/invoice overdue"])
        assert not began.buttons(), "in the group /unsubscribe is about what comes to the group"
        found = only(subscribed)
        assert (found.place, found.conversation, found.workdays) == (OWN_PLACE, "", False)

    async def test_what_a_group_may_no_longer_see_waits(
        self, ask: Ask, subscribed: MemorySubscriptions, composer: SubscriptionComposer
    ) -> None:
        await ask("/subscribe invoice overdue 08:30", where=OWN_CHAT)
        await subscribed.drop(list(subscribed.kept))
        await ask("/subscribe order late 08:30")
        await subscribed.put(replace(only(subscribed), line="/invoice overdue"))
        closed = list(subscribed.kept)[-1]
        for _ in range(2):
            assert (await composer.compose(closed)).view is None, "nothing comes to the group"
        (told,) = subscribed.owed
        assert told.place == OWN_PLACE
        waits = (await composer.compose(told.ref)).view
        assert isinstance(waits, SubscriptionWaits)
        assert [button.does for button in waits.buttons()] == [AskAction("/subscribe invoice overdue 08:30 private")]

    async def test_nobody_subscribes_to_what_is_closed(self, ask: Ask, subscribed: MemorySubscriptions) -> None:
        clerk = Person(user_id="clerk01", name="职员1")
        as_(DeniedNotice, await ask("/subscribe invoice 08:30", person=clerk))
        assert not subscribed.kept


async def test_whose_it_is(ask: Ask, subscribed: MemorySubscriptions) -> None:
    await ask("/subscribe report 08:30", person=KEEPER)
    assert only(subscribed).user_id == "keeper01"


@each_row(
    "line, wanted, weekday",
    [
        ("/subscribe report week every monday 9:00", "/report week", 1),
        ("/订阅 延期订单 每周五 17:00", "/order 延期", 5),
        ("/订阅 日报 每个星期天 8点", "/report day", 7),
        ("/subscribe order late Thursdays 9:00", "/order late", 4),
    ],
)
async def test_what_comes_once_a_week(line: str, wanted: str, weekday: int, ask: Ask) -> None:
    view = as_(SubscriptionList, await ask(line, where=OWN_CHAT))
    (row,) = [row for row in view.rows if row.line == wanted]
    assert (str(row.weekday), row.workdays) == (str(WEEKDAYS[weekday]), False)


def test_a_weekly_one_comes_on_its_day_also_on_a_holiday() -> None:
    weekly = Subscription(
        place=OWN_PLACE, conversation="", user_id="keeper01", line="/efficiency", at=time(9), workdays=False,
        next_at=NOW, weekday=4,
    )  # fmt: skip
    comes = weekly.after(datetime(2026, 9, 30, 12, tzinfo=ZONE), ZONE)
    assert comes == datetime(2026, 10, 1, 9, tzinfo=ZONE)
    assert weekly.after(comes, ZONE) == comes + timedelta(days=7)
    assert own_chat_line(weekly) == "/subscribe efficiency 09:00 every thursday private"
