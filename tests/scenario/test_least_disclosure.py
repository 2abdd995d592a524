"""Nothing on the wire shows a conversation what its members may not see: each command × place × private way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
import pytest

from bot.erp.port import ListQuery
from bot.kit.demo import DEMO_ACCESS, FINANCE_GROUP
from bot.kit.simulator.cards import CardInstance, SimCardView
from bot.kit.simulator.chat import SimMessage
from bot.kit.simulator.enterprise import demo_enterprise
from bot.settings import RuleSettings
from tests.scenario.conftest import ENGLISH, KEEPER, MILD, OUTSIDER, READING, BotSystem, OpenSystem
from tests.scenario.traffic import eventually
from tests.scenario.wire import CREATE, TO_GROUP, TO_PEOPLE, UPDATE, WEBHOOK, WireCall, WireRecorder

ASKER = "boss01"
"""Member of both groups."""
MIXED_GROUP = demo_enterprise().groups[0].id
WAYS = ("recipients", "private_data", "direct")
MONEY = re.compile(r"[¥￥$€£]\s?\d|\b(?:CNY|USD|EUR)\s?\d|\d\s?(?:CNY|USD|EUR)\b")

LINES = (
    "/stock SKU123",
    "/stock 螺丝",
    "/stock @上海仓",
    "/product RM-52",
    "/price SKU146",
    "/price SKU146 {customer}",
    "/arrivals RM-52",
    "/arrivals",
    "/shortage",
    "/delivery SO-1001",
    "/delivery DN-1001",
    "/delivery {customer}",
    "/delivery late",
    "/receipt PO-1005",
    "/receipt GRN-1001",
    "/receipt {vendor}",
    "/receipt",
    "/order SO-1001",
    "/order late",
    "/order {customer}",
    "/order SKU123",
    "/order open SKU123",
    "/invoice INV-7",
    "/invoice overdue",
    "/invoice {customer}",
    "/po PO-1001",
    "/po pending",
    "/po {vendor}",
    "/po RM-42",
    "/arrivals {vendor}",
    "/mo MO-1",
    "SO-1001",
    "INV-7",
    "PO-1001",
    "{customer}",
    "SO-100",
    "/invoice INV-99999",
    "/order",
    "/alerts",
    "/pending",
    "/why PO-1001",
    "/why SO-1001",
    "/why BILL-1",
    "/why MO-1",
    "/promise SKU123 500",
    "/compare {customer} vs 金陵",
    "/compare {vendor} vs 慈溪",
    "/compare 本月 上月",
    "/whoami",
    "/help",
)
PRICED = (
    "/price SKU146",
    "/order SO-1001",
    "/order late",
    "/invoice INV-7",
    "/invoice overdue",
    "/po PO-1001",
    "SO-1001",
    "INV-7",
)


@dataclass(frozen=True, slots=True)
class DisclosureFixture:
    """A running system with its record of the wire, and the names that outsiders must not read."""

    system: BotSystem
    wire: WireRecorder
    partners: frozenset[str]
    customer: str
    vendor: str

    async def asking(self, line: str, where: str, who: str = ASKER) -> list[WireCall]:
        """Ask, and return the calls that the answer was made of."""
        self.wire.take()
        typed = line.format(customer=self.customer, vendor=self.vendor)
        message = self.system.engine.say(where, who, typed)
        await self.system.engine.wait_for(lambda: self._answered(message), timeout=60)
        await self.system.settle()
        return self.wire.take()

    def _answered(self, message: SimMessage) -> bool:
        return any(call.api != WEBHOOK for call in self.wire.calls)


async def open_fixture(system: BotSystem) -> DisclosureFixture:
    hub, query = system.app.hub, ListQuery(limit=500)
    orders, invoices = (await hub.orders(query)).value.items, (await hub.invoices(query)).value.items
    purchases = (await hub.purchase_orders(query)).value.items
    names = {order.customer for order in orders} | {invoice.customer for invoice in invoices}
    return DisclosureFixture(
        system,
        WireRecorder(system.engine),
        frozenset(names | {order.vendor for order in purchases}),
        (await hub.order("SO-1001")).value.customer,
        (await hub.purchase_order("PO-1001")).value.vendor,
    )


@pytest.fixture(params=WAYS)
async def disclosure(request: pytest.FixtureRequest, open_system: OpenSystem) -> AsyncIterator[DisclosureFixture]:
    """One system for each private way; the first group is known to have an outsider."""
    async with open_system(
        cards={"private_way": request.param}, access={"outsider_groups": (MIXED_GROUP,)}, **READING
    ) as system:
        yield await open_fixture(system)


@pytest.mark.sampled(3)
async def test_nothing_forbidden_is_in_any_shared_field(disclosure: DisclosureFixture) -> None:
    direct = disclosure.system.engine.direct(ASKER).id
    for line in LINES:
        for where in (FINANCE_GROUP, MIXED_GROUP, direct):
            calls = await disclosure.asking(line, where)
            assert [call.api for call in calls if call.api != WEBHOOK] == [CREATE], (line, where)
            for call in calls:
                assert call.place.readers <= {ASKER}, (line, where)
                assert call.private_texts.keys() <= {ASKER}, (line, where)
                assert not MONEY.search(call.shared_text), (line, where, call.shared_text)
                if where == MIXED_GROUP:
                    assert not [name for name in disclosure.partners if name in call.shared_text], (line, call)


async def test_what_only_some_may_ask_names_nobody_in_the_group(open_system: OpenSystem) -> None:
    """Also in searches and in lists of alerts, whose own command is open to all."""
    finance = RuleSettings.model_validate({"commands": ["order", "invoice", "po"], "roles": ["finance"]})
    async with open_system(cards={"private_way": "private_data"}, access={"rules": (finance,)}, **READING) as system:
        disclosure = await open_fixture(system)
        for line in LINES:
            for call in await disclosure.asking(line, FINANCE_GROUP, "finance01"):
                assert not MONEY.search(call.shared_text), (line, call)
                assert not [name for name in disclosure.partners if name in call.shared_text], (line, call)


async def test_rows_that_are_hidden_from_their_reader_are_not_remembered(open_system: OpenSystem) -> None:
    async with open_system(access={"file": DEMO_ACCESS, "outsider_groups": (MIXED_GROUP,)}, **READING) as system:
        by_number, by_name = await system.ask("2"), await system.ask("/find 工")
        assert [button.text for button in by_number.buttons] == ["产品", "销售", "财务", "采购", "生产"]
        assert {button.text.partition("-")[0] for button in by_name.buttons} == {"产品", "MO"}
        # Which lines were remembered is stored at the latest when the bot stops.


@pytest.mark.sampled(3)
async def test_who_asks_sees_what_they_may_see(disclosure: DisclosureFixture) -> None:
    """Otherwise the test above would prove nothing."""
    for line in PRICED:
        for where in (FINANCE_GROUP, MIXED_GROUP):
            calls = await disclosure.asking(line, where)
            assert any(MONEY.search(call.private_texts.get(ASKER, "")) for call in calls), (line, where)


async def test_only_the_direct_way_writes_a_line_into_the_group(disclosure: DisclosureFixture) -> None:
    way = disclosure.system.app.settings.cards.private_way
    calls = await disclosure.asking("/order SO-1001", FINANCE_GROUP)
    assert [call.api for call in calls] == ([CREATE, WEBHOOK] if way == "direct" else [CREATE])
    assert "SO-1001" not in "".join(call.shared_text for call in calls if call.api == WEBHOOK)


@pytest.mark.sampled(3)
async def test_texts_in_a_group_hide_what_cards_hide(disclosure: DisclosureFixture) -> None:
    """Where no card can be made, and where not even a text of the robot can be sent."""
    engine = disclosure.system.engine
    for refused in ("/card/", "/v1.0/"):
        engine.faults.clear()
        engine.faults.set("scope_denied", on=True, api=refused)
        for line in PRICED:
            disclosure.wire.take()
            message = engine.say(MIXED_GROUP, ASKER, line)
            await engine.wait_for(lambda message=message: text_arrived(disclosure, message), timeout=60)  # type: ignore[misc]
            await disclosure.system.settle()
            calls = disclosure.wire.take()
            assert {call.api for call in calls} <= {CREATE, TO_GROUP, TO_PEOPLE, WEBHOOK}
            for call in calls:
                assert not MONEY.search(call.shared_text), (line, call)
                assert not [name for name in disclosure.partners if name in call.shared_text], (line, call)


def text_arrived(disclosure: DisclosureFixture, message: SimMessage) -> bool:
    """Whether the answer stands in the group, or in the asker's own chat."""
    own = disclosure.system.engine.direct(ASKER)
    written = [item for item in own.items if item.seq > message.seq]
    return bool(written or disclosure.system.answers(message))


SELLING = ("order", "invoice")
OPEN_TO_SOME = tuple(
    RuleSettings.model_validate({"commands": [*SELLING], **rule})
    for rule in (
        {"roles": ["warehouse"], "fields": ["quantity"]},
        {"people": [ASKER, "sales01"], "fields": ["quantity", "amount", "cost", "partner", "contact"]},
        {"shared": True, "fields": ["quantity"]},
    )
)
"""The keeper's answers are the group's; some of its members may see more."""


def held_by_many(system: BotSystem) -> list[CardInstance]:
    """Return the cards that all members of a group hold."""
    return [
        card
        for card in system.engine.cards
        if any(
            copy.conversation.kind == "group" and copy.recipients is None for copy in system.engine.chat.copies(card)
        )
    ]


def own_cards(system: BotSystem, who: str) -> list[SimCardView]:
    """Return the cards that one person alone got, the newest last."""
    found = []
    for card in system.engine.cards:
        copies = system.engine.chat.copies(card)
        if copies and all(copy.recipients == {who} or copy.conversation.members == (who,) for copy in copies):
            found.append(card.view_for(who))
    return found


def assert_nothing_overheard(system: BotSystem) -> None:
    """Expect no amount in any data, public or private, of a card that a whole group holds, as its viewers see it."""
    for card in held_by_many(system):
        stored = orjson.dumps([card.data, card.private, card.answers]).decode()
        assert not MONEY.search(stored), stored
        for viewer in ("", *system.engine.enterprise.people):
            assert not MONEY.search(str(card.variables_for(viewer).values())), viewer


@pytest.mark.sampled(1)
@pytest.mark.parametrize("way", WAYS)
async def test_no_tap_tells_the_group_more_than_it_may_see(open_system: OpenSystem, way: str) -> None:
    """All who tap get their own view, and everybody's next look at the group's card shows none of it."""
    async with open_system(cards={"private_way": way}, access={"rules": OPEN_TO_SOME}) as system:
        for line in ("/order SO-1001", "/order late", "/invoice overdue", "/order SKU123"):
            first = card = await system.ask(line)
            for wanted in [button.id for button in first.buttons if button.request]:
                for who in (ASKER, "sales01", KEEPER):
                    if system.see(card, who).button(wanted) is None:
                        card = await system.ask(line)  # the group's card has turned to something else
                    assert (await system.press(card, wanted, who)).ok
                    assert_nothing_overheard(system)
        for who in (ASKER, "sales01"):
            await eventually(
                lambda who=who: any(MONEY.search(own.markdown) for own in own_cards(system, who)),  # type: ignore[misc]
                hint=lambda who=who: own_cards(system, who),  # type: ignore[misc]
            )
        assert_nothing_overheard(system)
        assert held_by_many(system)
        assert not [own for own in own_cards(system, KEEPER) if MONEY.search(own.markdown)]


async def test_a_tap_on_the_groups_card_shows_the_clicker_their_own_view_on_one_card(open_system: OpenSystem) -> None:
    async with open_system(access={"rules": OPEN_TO_SOME}) as system:
        card = await system.ask("/order SO-1001")
        calls = system.engine.calls.copy()
        for _ in range(3):
            assert (await system.press(card, "查看完整", ASKER)).ok
            await eventually(lambda: own_cards(system, ASKER), hint=lambda: calls)
        assert "已单独发给你" in system.see(card, ASKER).tips
        assert system.see(card, ASKER).markdown == card.markdown, "the group's card stays as it is"
        [own] = own_cards(system, ASKER)
        assert MONEY.search(own.markdown)
        await eventually(
            lambda: (system.engine.calls - calls)[CREATE] == 1 and 1 <= (system.engine.calls - calls)[UPDATE] <= 2,
            hint=lambda: system.engine.calls - calls,
        )
        turned = await system.click(own, next(button.text for button in own.buttons if button.request), ASKER)
        assert turned.out_track_id == own.out_track_id, "on their own card the answer is in the click"
        assert_nothing_overheard(system)


async def test_a_stranger_takes_nobody_s_card_away(open_system: OpenSystem) -> None:
    async with open_system(access={"rules": OPEN_TO_SOME}) as system:
        card = await system.ask("/order SO-1001")
        assert (await system.press(card, "查看完整", OUTSIDER)).ok
        assert system.see(card, KEEPER).markdown == card.markdown
        assert own_cards(system, OUTSIDER) == []


@pytest.mark.usefixtures("confirmed")
async def test_once_it_is_confirmed_a_tap_costs_no_call(open_system: OpenSystem) -> None:
    async with open_system(MILD, access={"rules": OPEN_TO_SOME}) as system:
        card = await system.ask("/order SO-1001")
        calls = system.engine.calls.copy()
        full = await system.click(card, "查看完整", ASKER)
        assert MONEY.search(full.markdown)
        for other in (KEEPER, ENGLISH, ""):
            assert not MONEY.search(system.see(card, other).markdown)
        assert [system.engine.calls[api] for api in (CREATE, UPDATE)] == [calls[api] for api in (CREATE, UPDATE)]


def is_shown(system: BotSystem, card: SimCardView, who: str) -> bool:
    """Whether a card is there for somebody at all."""
    instance = system.engine.cards.get(card.out_track_id)
    assert instance is not None
    return any(copy.visible_to(who) for copy in system.engine.chat.copies(instance))


@pytest.mark.usefixtures("confirmed")
async def test_an_outsider_who_writes_is_known_from_then_on(open_system: OpenSystem) -> None:
    async with open_system(MILD, cards={"private_way": "private_data"}) as system:
        customer = (await system.app.hub.order("SO-1001")).value.customer
        first = await system.ask("/order SO-1001", who=ASKER)
        assert customer in system.see(first, KEEPER).markdown
        await system.ask("hello", who=OUTSIDER)
        second = await system.ask("/order SO-1001", who=ASKER)
        assert not is_shown(system, second, KEEPER)
        assert customer in system.see(second, ASKER).markdown


@pytest.mark.usefixtures("confirmed")
async def test_an_outsider_who_clicks_is_known_from_then_on(open_system: OpenSystem) -> None:
    async with open_system(MILD, cards={"private_way": "private_data"}) as system:
        card = await system.ask("/order SO-1001", who=ASKER)
        assert is_shown(system, card, KEEPER)
        await system.press(card, "查看完整", OUTSIDER)
        assert not MONEY.search(system.see(card, OUTSIDER).markdown)
        second = await system.ask("/order SO-1001", who=ASKER)
        assert not is_shown(system, second, KEEPER)


async def test_the_demo_shows_who_sees_what_in_a_group_with_an_outsider(open_system: OpenSystem) -> None:
    """The same question by keeper, sales and finance."""
    group = demo_enterprise().groups[-1].id
    async with open_system(access={"file": DEMO_ACCESS, "outsider_groups": (group,)}) as system:
        order = (await system.app.hub.order("SO-1001")).value
        cards = {
            who: await system.ask("/order SO-1001", who=who, where=group) for who in (KEEPER, "sales01", "finance01")
        }
        assert "SO-1001" in cards[KEEPER].title
        shown = {
            who: (order.customer in card.markdown, bool(MONEY.search(card.markdown))) for who, card in cards.items()
        }
        assert shown == {KEEPER: (False, False), "sales01": (True, True), "finance01": (True, True)}
        purchases = [await system.ask("/po PO-1001", who=who, where=group) for who in ("sales01", "finance01")]
        assert [bool(MONEY.search(card.markdown)) for card in purchases] == [False, True]
        for card in (cards["sales01"], cards["finance01"], *purchases):
            assert not is_shown(system, card, OUTSIDER)
