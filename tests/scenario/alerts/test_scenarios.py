"""The life of alerts as people in the groups see it; each scenario is a timeline."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pytest

from bot.alerts.alert import UserStamp
from bot.alerts.service import AlertService
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery, SimMessage
from bot.outbox.place import Place, PlaceKind
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, OpenAlertScenario, open_alert_scenario

__all__ = ["open_alert_scenario"]  # pytest finds fixtures in the module

BOSS, KEEPER, BUYER = "boss01", "keeper01", "buyer01"


def rules(routes: str, default: str = "") -> str:
    """Return rules whose cards change at once and go to the warehouse's group unless a route says otherwise."""
    return f'[default]\nto = ["group:{WAREHOUSE}"]\n{default}\n{routes}'


def colour(card: SimCardView) -> str:
    """Return a card's colour: red, orange, blue or green."""
    return {"🔴": "red", "🟠": "orange", "🔵": "blue", "🟢": "green"}.get(card.title[:1], card.title[:1])


def plain_text(card: SimCardView) -> str:
    """Return a card's text without markup."""
    return re.sub(r"<[^>]*>|\\", " ", f"{card.title} {card.markdown} {card.tips}")


async def pressed(scenario: AlertScenario, card: SimCardView, button: str, who: str = KEEPER) -> SimCardView:
    """Press a button, let the bot do all that follows, and return what the clicker is answered."""
    before = scenario.system.cards_of(who)
    await scenario.system.click(card, button, who)
    seen = await scenario.system.answer_to(card, who, before)
    await scenario.settle()
    return seen


async def test_without_rules_a_matter_is_one_card_that_turns_green(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123", "3"))
        assert [colour(card) for card in scenario.cards(WAREHOUSE)] == ["orange"]
        assert scenario.cards(BUYING) == []
        await scenario.at("10m")
        await scenario.post(scenario.low("SKU123", "2"), scenario.low("SKU123", "0"))
        (card,) = scenario.cards(WAREHOUSE)
        assert "可用：0" in plain_text(card)
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU123", "200"))
        (card,) = scenario.cards(WAREHOUSE)
        assert colour(card) == "green"
        assert "库存已恢复" in card.title


async def test_the_same_event_again_is_no_event(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        once = scenario.low("SKU123")
        assert (await scenario.post(once))["accepted"] == 1
        calls = scenario.calls
        assert await scenario.post(once) == {"accepted": 0, "duplicate": 1, "rejected": []}
        assert len(scenario.cards(WAREHOUSE)) == 1
        assert scenario.calls == calls


async def test_it_gets_worse(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("10m")
        await scenario.post(scenario.event("stock.out", "SKU123", sku="SKU123", available="0", reorder_point="10"))
        assert [colour(card) for card in scenario.cards(WAREHOUSE)] == ["red"]


async def test_grouping_gathers_and_then_changes_at_intervals(open_alert_scenario: OpenAlertScenario) -> None:
    route = '[[routes]]\nname = "g"\ntypes = ["stock.*"]\ngroup_by = ["warehouse"]\nwait = "1m"\ninterval = "5m"\n'
    async with open_alert_scenario(rules(route)) as scenario:
        await scenario.post(scenario.low("SKU1", warehouse="W1"), scenario.low("SKU2", warehouse="W2"))
        await scenario.at("30s")
        await scenario.post(scenario.low("SKU3", warehouse="W1"))
        assert scenario.cards(WAREHOUSE) == [], "they gather for a minute"
        await scenario.at("60s")
        cards = scenario.cards(WAREHOUSE)
        assert len(cards) == 2
        first = next(card for card in cards if "SKU1" in plain_text(card))
        assert "SKU3" in plain_text(first)
        assert "SKU2" not in plain_text(first)
        await scenario.at("2m")
        await scenario.post(scenario.low("SKU4", warehouse="W1"))
        assert "SKU4" not in "".join(map(plain_text, scenario.cards(WAREHOUSE))), "not before the interval is over"
        await scenario.at("6m")
        assert "SKU4" in "".join(map(plain_text, scenario.cards(WAREHOUSE)))
        assert len(scenario.cards(WAREHOUSE)) == 2


async def test_inhibition_holds_back_and_lets_go(open_alert_scenario: OpenAlertScenario) -> None:
    inhibit = '[[inhibit]]\nname = "erp down"\nsource = {types = ["custom.erp.down"]}\ntarget = {types = ["stock.*"]}\n'
    async with open_alert_scenario(rules(inhibit)) as scenario:
        await scenario.post(
            scenario.event("custom.erp.down", "erp", title="ERP down", text="no answer", resolved=False)
        )
        await scenario.at("1m")
        await scenario.post(scenario.low("SKU123"))
        assert [card.title for card in scenario.cards(WAREHOUSE) if "SKU123" in card.title] == []
        await scenario.at("10m")
        await scenario.post(scenario.event("custom.erp.down", "erp", title="ERP down", text="back", resolved=True))
        await scenario.at("11m")
        assert len([card for card in scenario.cards(WAREHOUSE) if "SKU123" in card.title]) == 1


async def test_a_silence_ends(open_alert_scenario: OpenAlertScenario) -> None:
    silence = (
        '[[silences]]\nname = "stocktaking"\ntypes = ["stock.*"]\n'
        "from = 2026-11-24T10:00:00\nuntil = 2026-11-24T12:00:00\n"
    )
    async with open_alert_scenario(rules(silence)) as scenario:
        await scenario.post(scenario.low("SKU1"), scenario.low("SKU2"))
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU2", "50"))
        assert scenario.cards(WAREHOUSE) == []
        await scenario.at("121m")
        (card,) = scenario.cards(WAREHOUSE)
        assert "SKU1" in card.title, "what is over by then is not shown"


async def test_repeat_brings_a_new_card_until_somebody_takes_it(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(rules("", 'repeat = "4h"')) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("4h")
        old, new = scenario.cards(WAREHOUSE)
        assert "更新的卡片" in plain_text(old)
        assert old.buttons == () or not any(button.text == "我来跟进" for button in old.buttons)
        await pressed(scenario, new, "我来跟进")
        await scenario.at("9h")
        assert len(scenario.cards(WAREHOUSE)) == 2


async def test_escalation_stops_at_the_first_who_takes_it(open_alert_scenario: OpenAlertScenario) -> None:
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}, {{after = "2h", to = ["group:{BUYING}"]}}]'
    async with open_alert_scenario(rules("", steps)) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("29m")
        assert scenario.cards(BOSS) == []
        await scenario.at("30m")
        (card,) = scenario.cards(BOSS)
        assert "SKU123" in card.title
        await pressed(scenario, card, "我来跟进", BOSS)
        assert all("跟进人" in plain_text(card) for card in (*scenario.cards(WAREHOUSE), *scenario.cards(BOSS))), (
            "in step everywhere"
        )
        await scenario.at("3h")
        assert scenario.cards(BUYING) == []


def dings(scenario: AlertScenario, who: str) -> list[str]:
    """Return what somebody was called with."""
    engine = scenario.system.engine
    items = engine.chat.items(engine.direct(who), "", 0)
    return [item.text for item in items if isinstance(item, SimMessage) and item.msgtype == "ding"]


@pytest.mark.parametrize("ding", ["off", "app"])
async def test_who_an_alert_is_passed_on_to_is_called_once(open_alert_scenario: OpenAlertScenario, ding: str) -> None:
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}, {{after = "2h", to = ["person:{BUYER}"]}}]'
    async with open_alert_scenario(rules("", steps), notify={"ding": ding}) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("30m")
        await scenario.post(scenario.low("SKU123", "7"))
        called = ["SKU123" in text for text in dings(scenario, BOSS)]
        assert called == ([] if ding == "off" else [True]), "once, however often it changes"
        assert scenario.system.engine.flow.used == (5 if ding == "off" else 6), "two cards, three changes"
        await pressed(scenario, scenario.cards(BOSS)[0], "我来跟进", BOSS)
        await scenario.at("3h")
        assert dings(scenario, BUYER) == [], "somebody follows it up"


@pytest.mark.parametrize("setting", ["off", "phone"])
async def test_a_rule_says_how_whoever_an_alert_is_passed_on_to_is_called(
    open_alert_scenario: OpenAlertScenario, setting: str
) -> None:
    route = (
        '[[routes]]\nname = "screws"\nwhen = "subject == \'SKU123\'"\nding = "{way}"\n'
        f'escalate = [{{{{after = "30m", to = ["person:{BOSS}"]}}}}]\n'
    )
    way = "sms" if setting == "off" else "off"
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}]'
    async with open_alert_scenario(rules(route.format(way=way), steps), notify={"ding": setting}) as scenario:
        await scenario.post(scenario.low("SKU123"), scenario.low("SKU155"))
        await scenario.at("30m")
        (called,) = dings(scenario, BOSS)
        assert ("SKU123" if setting == "off" else "SKU155") in called
        sent = [entry for entry in scenario.system.engine.timeline.after() if "robot/ding/send" in entry.name]
        assert [entry.render()["detail"]["request"]["remindType"] for entry in sent] == [2 if setting == "off" else 3]


async def test_whom_an_alert_is_assigned_to_is_called_as_its_rule_says(open_alert_scenario: OpenAlertScenario) -> None:
    route = '[[routes]]\nname = "screws"\nwhen = "subject == \'SKU123\'"\nding = "app"\n'
    async with open_alert_scenario(rules(route)) as scenario:
        await scenario.post(scenario.low("SKU123"))
        service = AlertService(scenario.system.app.alerts.units)
        (alert,) = await service.open_at(Place(PlaceKind.GROUP, WAREHOUSE))
        mark = partial(UserStamp, at=scenario.clock())
        await service.assign(alert.id, mark(BOSS, "王经理"), mark(KEEPER, "老张"))
        await scenario.settle()
        assert len(dings(scenario, BOSS)) == 1


async def test_whose_chat_refuses_an_alert_is_called_in_its_group(open_alert_scenario: OpenAlertScenario) -> None:
    steps = 'escalate = [{after = "30m", to = ["person:silent01"]}]'
    async with open_alert_scenario(rules("", steps)) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("30m")
        assert called(scenario, WAREHOUSE) == [(), ("silent01",)], "the card is shown anew, and calls them"
        await scenario.post(scenario.low("SKU123", "7"))
        await scenario.at("3h")
        assert len(called(scenario, WAREHOUSE)) == 2, "once"


def called(scenario: AlertScenario, place: str) -> list[tuple[str, ...]]:
    """Return whom each card in a group calls, the oldest first."""
    items = scenario.system.engine.chat.conversations[place].items
    return [item.at_user_ids for item in items if isinstance(item, SimDelivery)]


async def test_escalation_goes_on_while_nobody_takes_it(open_alert_scenario: OpenAlertScenario) -> None:
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}, {{after = "2h", to = ["group:{BUYING}"]}}]'
    async with open_alert_scenario(rules("", steps)) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("30m")
        await scenario.at("2h")
        assert [len(scenario.cards(place)) for place in (WAREHOUSE, BOSS, BUYING)] == [1, 1, 1]
        await scenario.post(scenario.low("SKU123", "99"))
        assert {colour(card) for place in (WAREHOUSE, BOSS, BUYING) for card in scenario.cards(place)} == {"green"}


async def test_a_digest_comes_at_its_time(open_alert_scenario: OpenAlertScenario) -> None:
    route = '[[routes]]\nname = "d"\ntypes = ["order.*"]\ndigest = ["14:00"]\n'
    async with open_alert_scenario(rules(route)) as scenario:
        for number in range(1, 4):
            await scenario.post(
                scenario.event("order.late", f"SO-{number}", number=f"SO-{number}", due_on="2026-11-20")
            )
        await scenario.at("3h")
        assert scenario.cards(WAREHOUSE) == []
        await scenario.at("4h")
        (card,) = scenario.cards(WAREHOUSE)
        assert all(f"SO-{number}" in plain_text(card) for number in range(1, 4))


async def test_one_event_is_split_so_that_each_group_sees_its_part(open_alert_scenario: OpenAlertScenario) -> None:
    owners = f'[owners]\nW1 = "group:{WAREHOUSE}"\nW2 = "group:{BUYING}"\n'
    text = f'{owners}[[routes]]\nname = "o"\ntypes = ["stock.*"]\nto = ["owner"]\n'
    async with open_alert_scenario(text) as scenario:
        items = [
            {"sku": "SKU1", "warehouse": "W1", "available": "1"},
            {"sku": "SKU2", "warehouse": "W2", "available": "2"},
        ]
        await scenario.post(scenario.event("stock.low", "", reorder_point="10", items=items))
        assert ["SKU1" in card.title for card in scenario.cards(WAREHOUSE)] == [True]
        assert ["SKU2" in card.title for card in scenario.cards(BUYING)] == [True]


async def test_opened_again_soon_it_is_the_same_card(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario('revive = "4h"\n' + rules("")) as scenario:
        await scenario.post(scenario.low("SKU123"))
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU123", "99"))
        await scenario.at("2h")
        await scenario.post(scenario.low("SKU123", "1"))
        assert [colour(card) for card in scenario.cards(WAREHOUSE)] == ["orange"]
        await scenario.at("3h")
        await scenario.post(scenario.low("SKU123", "99"))
        await scenario.at("10h")
        await scenario.post(scenario.low("SKU123", "1"))
        assert [colour(card) for card in scenario.cards(WAREHOUSE)] == ["green", "orange"], (
            "long after, it is a new matter"
        )


async def test_a_mute_holds_at_one_place_and_ends(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(
        rules("", f'to = ["group:{WAREHOUSE}", "group:{BUYING}"]').replace(f'to = ["group:{WAREHOUSE}"]\n', "", 1)
    ) as scenario:
        reply = await scenario.system.ask("/mute stock.low 2h")
        assert "12:00" in plain_text(reply)
        await scenario.post(scenario.low("SKU123"))
        assert [len(scenario.cards(place)) for place in (WAREHOUSE, BUYING)] == [0, 1]
        await scenario.at("121m")
        assert [len(scenario.cards(place)) for place in (WAREHOUSE, BUYING)] == [1, 1]


async def test_a_mute_can_be_lifted(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.system.ask("/mute stock.low 2h")
        await scenario.post(scenario.low("SKU123"))
        assert scenario.cards(WAREHOUSE) == []
        await scenario.system.ask("/unmute stock.low")
        await scenario.settle()
        assert len(scenario.cards(WAREHOUSE)) == 1


async def test_a_watch_tells_the_one_who_asked(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(rules('[[routes]]\nname = "none"\ntypes = ["stock.*"]\nto = []\n')) as scenario:
        reply = await scenario.system.ask("/watch SKU123 < 50")
        assert "SKU123" in plain_text(reply)
        await scenario.post(scenario.low("SKU123", "49", warehouse=""))
        assert scenario.cards(WAREHOUSE) == [], "no route wants it"
        (card,) = scenario.cards(KEEPER)
        assert "SKU123" in card.title
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU123", "80"))
        assert [colour(card) for card in scenario.cards(KEEPER)] == ["green"]
        listed = await scenario.system.ask("/watches")
        assert "SKU123" in plain_text(listed)
        await scenario.system.ask("/unwatch SKU123")
        await scenario.at("20h")
        await scenario.post(scenario.low("SKU123", "1"))
        assert len(scenario.cards(KEEPER)) == 1


async def test_what_is_wrong_asked_in_ones_own_chat_is_about_all_groups(
    open_alert_scenario: OpenAlertScenario,
) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123", "3"), scenario.low("SKU124", "2"))
        chat = scenario.system.engine.direct(BOSS).id
        card = await scenario.system.ask("/预警", BOSS, where=chat)
        assert "各群的未结束预警 (2)" in plain_text(card)
        assert "延期订单" in plain_text(card)
        assert "colorTokenV2=common_green" not in card.markdown
        (row,) = [button for button in card.buttons if "SKU123" in button.text]
        opened = await scenario.system.click(card, row.text, BOSS)
        assert "请到那些群里处理" in plain_text(opened)
        assert "我来跟进" not in [button.text for button in opened.buttons]


async def test_acknowledged_by_one_seen_by_all(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123"))
        (card,) = scenario.cards(WAREHOUSE)
        calls = scenario.calls
        mine = await pressed(scenario, card, "我来跟进")
        assert "跟进人" in plain_text(mine)
        (theirs,) = scenario.cards(WAREHOUSE, "sales_en")
        assert "跟进人" in plain_text(theirs)
        assert scenario.calls == calls + 1, "one change for the card's one place"


async def test_two_take_it_at_the_same_moment(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123"))
        (card,) = scenario.cards(WAREHOUSE)
        people = (KEEPER, "sales_en")
        seen = await asyncio.gather(*(scenario.system.click(card, "我来跟进", who) for who in people))
        await scenario.settle()
        texts = [plain_text(card) for card in seen]
        assert sum("跟进人" in text for text in texts) >= 1
        assert sum("已在" in text or "took it already" in text for text in texts) == 1, (
            "the later one is told who was first"
        )


async def test_snoozed_it_comes_back(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123"))
        (card,) = scenario.cards(WAREHOUSE)
        asked = await pressed(scenario, card, "稍后")
        (theirs,) = scenario.cards(WAREHOUSE, "sales_en")
        assert {"稍后", "指派"} <= {button.text for button in theirs.buttons}, "nobody else is asked"
        await pressed(scenario, asked, "1 小时")
        (card,) = scenario.cards(WAREHOUSE, "sales_en")
        assert "推迟到" in plain_text(card)
        await scenario.at("61m")
        (card,) = scenario.cards(WAREHOUSE, "sales_en")
        assert "推迟到" not in plain_text(card)


async def test_a_list_of_what_is_open(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(
            scenario.low("SKU1"), scenario.low("SKU2"), scenario.event("order.late", "SO-1", number="SO-1")
        )
        listed = await scenario.system.ask("/alerts")
        assert all(subject in plain_text(listed) for subject in ("SKU1", "SKU2", "SO-1"))
        await scenario.post(scenario.low("SKU1", "99"))
        assert "SKU1" not in plain_text(await scenario.system.ask("/alerts"))


async def test_hostile_text_is_shown_as_text(open_alert_scenario: OpenAlertScenario) -> None:
    evil = "**bold** [x](https://evil.example) <font color=red> {{ 7*7 }} ![](x) \n# h"
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.event("custom.note", "n1", title=evil, text=evil, facts={evil: evil}))
        (card,) = scenario.cards(WAREHOUSE)
        for part in (card.markdown, card.tips):
            assert "](https://evil" not in part
            assert "<font color=red>" not in part
            assert "49" not in part


async def test_digests_a_minute_apart_are_a_card_each(open_alert_scenario: OpenAlertScenario) -> None:
    rules = f'[[routes]]\nname = "shortages"\ndigest = ["10:01", "10:02", "10:03"]\nto = ["group:{WAREHOUSE}"]\n'
    async with open_alert_scenario(rules) as scenario:
        for minute in (1, 2, 3):
            await scenario.post(scenario.low(f"SKU{minute}"))
            assert len(scenario.cards(WAREHOUSE)) == minute - 1
            await scenario.at(f"{minute}m")
            assert [f"SKU{minute}" in card.title for card in scenario.cards(WAREHOUSE)][-1:] == [True]
        assert len(scenario.cards(WAREHOUSE)) == 3
