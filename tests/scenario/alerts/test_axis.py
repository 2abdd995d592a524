"""The life of alerts, seen by the people in the groups: each scenario is a time axis."""

from __future__ import annotations

import asyncio
import re

from bot.simulator.cards import Face
from tests.scenario.alerts.axis import BUYING, WAREHOUSE, Axis, OpenAxis, open_axis

__all__ = ["open_axis"]  # pytest finds fixtures in the module

BOSS, KEEPER = "boss01", "keeper01"


def rules(routes: str, default: str = "") -> str:
    """Return rules whose cards change at once and go to the warehouse's group unless a route says otherwise."""
    return f'[default]\nto = ["group:{WAREHOUSE}"]\n{default}\n{routes}'


def look(card: Face) -> str:
    """Return how the card looks at first sight: red, orange, blue or green."""
    return {"🔴": "red", "🟠": "orange", "🔵": "blue", "🟢": "green"}.get(card.title[:1], card.title[:1])


def words(card: Face) -> str:
    """Return all that a card says, without markup."""
    return re.sub(r"<[^>]*>|\\", " ", f"{card.title} {card.markdown} {card.tips}")


async def pressed(axis: Axis, card: Face, button: str, who: str = KEEPER) -> Face:
    """Press a button, let everything happen, and return what the clicker sees."""
    seen = await axis.town.click(card, button, who)
    await axis.settle()
    return seen


async def test_without_rules_a_matter_is_one_card_that_turns_green(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU123", "3"))
        assert [look(card) for card in axis.cards(WAREHOUSE)] == ["orange"]
        assert axis.cards(BUYING) == []
        await axis.at("10m")
        await axis.post(axis.low("SKU123", "2"), axis.low("SKU123", "0"))
        (card,) = axis.cards(WAREHOUSE)
        assert "可用：0" in words(card)
        await axis.at("1h")
        await axis.post(axis.low("SKU123", "200"))
        (card,) = axis.cards(WAREHOUSE)
        assert look(card) == "green"
        assert "库存已恢复" in card.title


async def test_the_same_event_again_is_no_event(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        once = axis.low("SKU123")
        assert (await axis.post(once))["accepted"] == 1
        calls = axis.calls
        assert await axis.post(once) == {"accepted": 0, "duplicate": 1, "rejected": []}
        assert len(axis.cards(WAREHOUSE)) == 1
        assert axis.calls == calls


async def test_it_gets_worse(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU123"))
        await axis.at("10m")
        await axis.post(axis.event("stock.out", "SKU123", sku="SKU123", available="0", reorder_point="10"))
        assert [look(card) for card in axis.cards(WAREHOUSE)] == ["red"]


async def test_grouping_gathers_and_then_changes_at_intervals(open_axis: OpenAxis) -> None:
    route = '[[routes]]\nname = "g"\ntypes = ["stock.*"]\ngroup_by = ["warehouse"]\nwait = "1m"\ninterval = "5m"\n'
    async with open_axis(rules(route)) as axis:
        await axis.post(axis.low("SKU1", warehouse="W1"), axis.low("SKU2", warehouse="W2"))
        await axis.at("30s")
        await axis.post(axis.low("SKU3", warehouse="W1"))
        assert axis.cards(WAREHOUSE) == [], "they gather for a minute"
        await axis.at("60s")
        cards = axis.cards(WAREHOUSE)
        assert len(cards) == 2
        first = next(card for card in cards if "SKU1" in words(card))
        assert "SKU3" in words(first)
        assert "SKU2" not in words(first)
        await axis.at("2m")
        await axis.post(axis.low("SKU4", warehouse="W1"))
        assert "SKU4" not in "".join(map(words, axis.cards(WAREHOUSE))), "not before the interval is over"
        await axis.at("6m")
        assert "SKU4" in "".join(map(words, axis.cards(WAREHOUSE)))
        assert len(axis.cards(WAREHOUSE)) == 2


async def test_inhibition_holds_back_and_lets_go(open_axis: OpenAxis) -> None:
    inhibit = '[[inhibit]]\nname = "erp down"\nsource = {types = ["custom.erp.down"]}\ntarget = {types = ["stock.*"]}\n'
    async with open_axis(rules(inhibit)) as axis:
        await axis.post(axis.event("custom.erp.down", "erp", title="ERP down", text="no answer", resolved=False))
        await axis.at("1m")
        await axis.post(axis.low("SKU123"))
        assert [card.title for card in axis.cards(WAREHOUSE) if "SKU123" in card.title] == []
        await axis.at("10m")
        await axis.post(axis.event("custom.erp.down", "erp", title="ERP down", text="back", resolved=True))
        await axis.at("11m")
        assert len([card for card in axis.cards(WAREHOUSE) if "SKU123" in card.title]) == 1


async def test_a_silence_ends(open_axis: OpenAxis) -> None:
    silence = (
        '[[silences]]\nname = "stocktaking"\ntypes = ["stock.*"]\n'
        "from = 2026-11-24T10:00:00\nuntil = 2026-11-24T12:00:00\n"
    )
    async with open_axis(rules(silence)) as axis:
        await axis.post(axis.low("SKU1"), axis.low("SKU2"))
        await axis.at("1h")
        await axis.post(axis.low("SKU2", "50"))
        assert axis.cards(WAREHOUSE) == []
        await axis.at("121m")
        (card,) = axis.cards(WAREHOUSE)
        assert "SKU1" in card.title, "what is over by then is not shown"


async def test_repeat_brings_a_new_card_until_somebody_takes_it(open_axis: OpenAxis) -> None:
    async with open_axis(rules("", 'repeat = "4h"')) as axis:
        await axis.post(axis.low("SKU123"))
        await axis.at("4h")
        old, new = axis.cards(WAREHOUSE)
        assert "更新的卡片" in words(old)
        assert old.buttons == () or not any(button.text == "知道了" for button in old.buttons)
        await pressed(axis, new, "知道了")
        await axis.at("9h")
        assert len(axis.cards(WAREHOUSE)) == 2


async def test_escalation_stops_at_the_first_who_takes_it(open_axis: OpenAxis) -> None:
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}, {{after = "2h", to = ["group:{BUYING}"]}}]'
    async with open_axis(rules("", steps)) as axis:
        await axis.post(axis.low("SKU123"))
        await axis.at("29m")
        assert axis.cards(BOSS) == []
        await axis.at("30m")
        (card,) = axis.cards(BOSS)
        assert "SKU123" in card.title
        await pressed(axis, card, "知道了", BOSS)
        assert all("认领人" in words(one) for one in (*axis.cards(WAREHOUSE), *axis.cards(BOSS))), "in step everywhere"
        await axis.at("3h")
        assert axis.cards(BUYING) == []


async def test_escalation_goes_on_while_nobody_takes_it(open_axis: OpenAxis) -> None:
    steps = f'escalate = [{{after = "30m", to = ["person:{BOSS}"]}}, {{after = "2h", to = ["group:{BUYING}"]}}]'
    async with open_axis(rules("", steps)) as axis:
        await axis.post(axis.low("SKU123"))
        await axis.at("30m")
        await axis.at("2h")
        assert [len(axis.cards(place)) for place in (WAREHOUSE, BOSS, BUYING)] == [1, 1, 1]
        await axis.post(axis.low("SKU123", "99"))
        assert {look(card) for place in (WAREHOUSE, BOSS, BUYING) for card in axis.cards(place)} == {"green"}


async def test_a_digest_comes_at_its_time(open_axis: OpenAxis) -> None:
    route = '[[routes]]\nname = "d"\ntypes = ["order.*"]\ndigest = ["14:00"]\n'
    async with open_axis(rules(route)) as axis:
        for number in range(1, 4):
            await axis.post(axis.event("order.late", f"SO-{number}", number=f"SO-{number}", due_on="2026-11-20"))
        await axis.at("3h")
        assert axis.cards(WAREHOUSE) == []
        await axis.at("4h")
        (card,) = axis.cards(WAREHOUSE)
        assert all(f"SO-{number}" in words(card) for number in range(1, 4))


async def test_one_event_is_split_so_that_each_group_sees_its_part(open_axis: OpenAxis) -> None:
    owners = f'[owners]\nW1 = "group:{WAREHOUSE}"\nW2 = "group:{BUYING}"\n'
    text = f'{owners}[[routes]]\nname = "o"\ntypes = ["stock.*"]\nto = ["owner"]\n'
    async with open_axis(text) as axis:
        items = [
            {"sku": "SKU1", "warehouse": "W1", "available": "1"},
            {"sku": "SKU2", "warehouse": "W2", "available": "2"},
        ]
        await axis.post(axis.event("stock.low", "", reorder_point="10", items=items))
        assert ["SKU1" in card.title for card in axis.cards(WAREHOUSE)] == [True]
        assert ["SKU2" in card.title for card in axis.cards(BUYING)] == [True]


async def test_opened_again_soon_it_is_the_same_card(open_axis: OpenAxis) -> None:
    async with open_axis('revive = "4h"\n' + rules("")) as axis:
        await axis.post(axis.low("SKU123"))
        await axis.at("1h")
        await axis.post(axis.low("SKU123", "99"))
        await axis.at("2h")
        await axis.post(axis.low("SKU123", "1"))
        assert [look(card) for card in axis.cards(WAREHOUSE)] == ["orange"]
        await axis.at("3h")
        await axis.post(axis.low("SKU123", "99"))
        await axis.at("10h")
        await axis.post(axis.low("SKU123", "1"))
        assert [look(card) for card in axis.cards(WAREHOUSE)] == ["green", "orange"], "long after, it is a new matter"


async def test_a_mute_holds_at_one_place_and_ends(open_axis: OpenAxis) -> None:
    async with open_axis(
        rules("", f'to = ["group:{WAREHOUSE}", "group:{BUYING}"]').replace(f'to = ["group:{WAREHOUSE}"]\n', "", 1)
    ) as axis:
        said = await axis.town.ask("/mute stock.low 2h")
        assert "12:00" in words(said)
        await axis.post(axis.low("SKU123"))
        assert [len(axis.cards(place)) for place in (WAREHOUSE, BUYING)] == [0, 1]
        await axis.at("121m")
        assert [len(axis.cards(place)) for place in (WAREHOUSE, BUYING)] == [1, 1]


async def test_a_mute_can_be_lifted(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.town.ask("/mute stock.low 2h")
        await axis.post(axis.low("SKU123"))
        assert axis.cards(WAREHOUSE) == []
        await axis.town.ask("/unmute stock.low")
        await axis.settle()
        assert len(axis.cards(WAREHOUSE)) == 1


async def test_a_watch_tells_the_one_who_asked(open_axis: OpenAxis) -> None:
    async with open_axis(rules('[[routes]]\nname = "none"\ntypes = ["stock.*"]\nto = []\n')) as axis:
        said = await axis.town.ask("/watch SKU123 < 50")
        assert "SKU123" in words(said)
        await axis.post(axis.low("SKU123", "49", warehouse=""))
        assert axis.cards(WAREHOUSE) == [], "no route wants it"
        (card,) = axis.cards(KEEPER)
        assert "SKU123" in card.title
        await axis.at("1h")
        await axis.post(axis.low("SKU123", "80"))
        assert [look(card) for card in axis.cards(KEEPER)] == ["green"]
        listed = await axis.town.ask("/watches")
        assert "SKU123" in words(listed)
        await axis.town.ask("/unwatch SKU123")
        await axis.at("20h")
        await axis.post(axis.low("SKU123", "1"))
        assert len(axis.cards(KEEPER)) == 1


async def test_acknowledged_by_one_seen_by_all(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU123"))
        (card,) = axis.cards(WAREHOUSE)
        calls = axis.calls
        mine = await pressed(axis, card, "知道了")
        assert "认领人" in words(mine)
        (theirs,) = axis.cards(WAREHOUSE, "sales_en")
        assert "认领人" in words(theirs)
        assert axis.calls == calls + 1, "one change for the card's one place"


async def test_two_take_it_at_the_same_moment(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU123"))
        (card,) = axis.cards(WAREHOUSE)
        people = (KEEPER, "sales_en")
        seen = await asyncio.gather(*(axis.town.click(card, "知道了", who) for who in people))
        await axis.settle()
        told = [words(one) for one in seen]
        assert sum("认领人" in one for one in told) >= 1
        assert sum("已在" in one or "took it already" in one for one in told) == 1, (
            "the later one is told who was first"
        )


async def test_snoozed_it_comes_back(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU123"))
        (card,) = axis.cards(WAREHOUSE)
        await axis.town.click(card, "稍后")
        await pressed(axis, card, "1 小时")
        (card,) = axis.cards(WAREHOUSE, "sales_en")
        assert "推迟到" in words(card)
        await axis.at("61m")
        (card,) = axis.cards(WAREHOUSE, "sales_en")
        assert "推迟到" not in words(card)


async def test_a_list_of_what_is_open(open_axis: OpenAxis) -> None:
    async with open_axis() as axis:
        await axis.post(axis.low("SKU1"), axis.low("SKU2"), axis.event("order.late", "SO-1", number="SO-1"))
        listed = await axis.town.ask("/alerts")
        assert all(subject in words(listed) for subject in ("SKU1", "SKU2", "SO-1"))
        await axis.post(axis.low("SKU1", "99"))
        assert "SKU1" not in words(await axis.town.ask("/alerts"))


async def test_hostile_text_is_shown_as_text(open_axis: OpenAxis) -> None:
    evil = "**bold** [x](https://evil.example) <font color=red> {{ 7*7 }} ![](x) \n# h"
    async with open_axis() as axis:
        await axis.post(axis.event("custom.note", "n1", title=evil, text=evil, facts={evil: evil}))
        (card,) = axis.cards(WAREHOUSE)
        for part in (card.markdown, card.tips):
            assert "](https://evil" not in part
            assert "<font color=red>" not in part
            assert "49" not in part
