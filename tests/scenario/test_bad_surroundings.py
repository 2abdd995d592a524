"""Bad inputs that need their own system: restricted commands, slow sources, frames that end their connection."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.push_dispatcher import MESSAGES
from bot.settings import ErpSettings, RuleSettings
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.scenario.notice_checks import Notice, check, plain_text

FINANCE_ONLY = RuleSettings(commands=frozenset({"invoice"}), roles=frozenset({"finance"}))
DIRECTORY = "/topapi/v2/user/get"


def by_token(card: SimCardView, line: str) -> dict[str, Any]:
    """Return a click whose token none of the card's buttons has."""
    return {"out_track_id": card.out_track_id, "user_id": KEEPER, "params": {"id": f"ask|0|{line}"}}


def see(system: BotSystem, card: SimCardView, who: str = KEEPER) -> SimCardView:
    instance = system.engine.cards.get(card.out_track_id)
    assert instance is not None
    return check(instance, who)


class TestClosedCommand:
    @pytest.fixture
    async def system(self, open_system: OpenSystem) -> Any:
        async with open_system(access={"rules": (FINANCE_ONLY,)}) as opened:
            yield opened

    @pytest.mark.parametrize("line", ["/invoice INV-7", "/发票", "逾期发票", "/invoice"])
    async def test_a_denial_says_why_and_whom_to_ask(self, system: BotSystem, line: str) -> None:
        card = see(system, await system.ask(line))
        assert card.title == Notice.DENIED
        assert "/invoice 仅限以下角色使用：财务。" in plain_text(card)
        assert "可联系：财务" in plain_text(card)

    async def test_a_click_is_denied_like_a_question(self, system: BotSystem) -> None:
        card = await system.ask("/help")
        assert (await system.engine.click(**by_token(card, "/invoice INV-7"))).ok
        for who in (KEEPER, "sales01"):
            shown = system.see(card, who)
            assert (shown.title, shown.markdown) == (card.title, card.markdown)
            assert "INV-7" not in plain_text(shown)
        assert Notice.DENIED in see(system, card).tips

    async def test_what_is_closed_is_neither_found_nor_suggested_nor_listed(self, system: BotSystem) -> None:
        assert see(system, await system.ask("INV-7")).title == Notice.NOT_FOUND
        misspelt = see(system, await system.ask("/invocie INV-7"))
        assert misspelt.title == Notice.UNKNOWN_COMMAND
        assert [button.text for button in misspelt.buttons] == ["帮助"]
        assert "/invoice" not in plain_text(see(system, await system.ask("/help")))
        assert "/invoice" not in plain_text(see(system, await system.ask("/help invoice")))

    async def test_who_has_the_role_may(self, system: BotSystem) -> None:
        chat = system.engine.direct("finance01").id
        assert "INV-7" in (await system.ask("/invoice INV-7", who="finance01", where=chat)).title


async def test_a_command_that_is_open_elsewhere_is_closed_here(open_system: OpenSystem) -> None:
    rule = RuleSettings(commands=frozenset({"*"}), roles=frozenset({"*"}), conversations=frozenset({"cidElsewhere=="}))
    async with open_system(access={"rules": (rule,)}) as system:
        card = see(system, await system.ask("/stock SKU123"))
        assert card.title == Notice.DENIED
        assert "此会话未开放 /stock" in plain_text(card)


class TestSlowErp:
    @pytest.fixture
    async def system(self, open_system: OpenSystem) -> Any:
        # What the bot reads by itself fails too; with a breaker it would be too late to wait for the ERP at all.
        slow = {"vendor": "demo", "latency": 30, "timeout": 0.3, "breaker_failures": 0}
        erp = ErpSettings.model_validate(slow)
        async with open_system(erp={"demo": erp}, limits={"click_seconds": 0.05}) as opened:
            yield opened

    async def test_a_click_is_answered_in_time_and_can_be_repeated(self, system: BotSystem) -> None:
        card = await system.ask("/help", where=system.engine.direct(KEEPER).id)
        result = await system.engine.click(**by_token(card, "/stock SKU123"))
        assert result.ok
        busy = see(system, card)
        assert busy.title == Notice.BUSY
        assert "/stock SKU123" in plain_text(busy)
        assert [button.text for button in busy.buttons] == ["重试", "返回"]
        assert (await system.press(busy, "重试")).ok

    async def test_a_click_that_is_not_answered_in_time_leaves_the_group_its_card(self, system: BotSystem) -> None:
        card = await system.ask("/help")
        assert (await system.engine.click(**by_token(card, "/stock SKU123"))).ok
        for who in (KEEPER, "sales01"):
            seen = see(system, card, who)
            assert (seen.title, seen.markdown, seen.buttons) == (card.title, card.markdown, card.buttons)
        assert "请稍候：请稍后再点一次按钮。" in see(system, card).tips

    async def test_a_question_says_that_the_erp_does_not_answer(self, system: BotSystem) -> None:
        card = see(system, await system.ask("/order late +8"))
        assert card.title == Notice.ERP_DOWN
        assert [button.text for button in card.buttons] == ["重试"]
        assert (await system.ask("/whoami")).title == "王仓"


class TestDirectory:
    async def test_a_click_does_not_wait_for_a_slow_directory(self, open_system: OpenSystem) -> None:
        # Until the directory is asked, a busy machine takes its time as well.
        async with open_system(limits={"click_seconds": 1.0}) as system:
            card = await system.ask("/help")
            system.engine.faults.set("slow_api", on=True, api=DIRECTORY, delay_ms=3000)
            assert (await system.press(card, "/stock", "sales01")).ok
            assert Notice.BUSY in see(system, card, "sales01").tips
            assert see(system, card, "sales01").title == card.title
            await system.engine.wait_for(lambda: system.engine.calls[f"POST {DIRECTORY}"] == 2)

    @pytest.mark.parametrize("fault", ["html_error", "system_busy"])
    async def test_a_silent_directory_makes_nobody_a_member(self, system: BotSystem, fault: str) -> None:
        system.engine.faults.set(fault, on=True, api=DIRECTORY)
        with capture_logs() as lines:
            card = see(system, await system.ask("/stock SKU123"))
        assert card.title == Notice.UNCONFIRMED
        *repeats, last = lines
        assert {line["event"] for line in repeats} <= {"dingtalk_repeats"}
        assert (last["event"], last["log_level"]) == ("directory.silent", "warning")
        system.engine.faults.set(fault, on=False)
        assert (await system.click(card, "重试")).title.startswith("SKU123 ")

    async def test_who_is_known_does_not_wait_for_a_silent_directory(self, system: BotSystem) -> None:
        await system.ask("/help")
        system.engine.faults.set("system_busy", on=True, api=DIRECTORY)
        assert (await system.ask("/stock SKU123")).title.startswith("SKU123 ")

    async def test_without_the_permission_who_has_written_is_a_member(self, system: BotSystem) -> None:
        system.engine.faults.set("scope_denied", on=True, api=DIRECTORY)
        card = await system.ask("/stock SKU123")
        assert card.title.startswith("SKU123 ")
        assert (await system.engine.click(**by_token(card, "/order late"))).ok
        assert "已单独发给你" in see(system, card).tips
        stranger = {**by_token(card, "/order late"), "user_id": "sales01"}
        assert (await system.engine.click(**stranger)).ok
        assert Notice.UNCONFIRMED in see(system, card, "sales01").tips
        assert "请先给我发一条消息" in see(system, card, "sales01").tips
        assert see(system, card, "sales01").title == card.title
        await system.ask("/help", "sales01")
        assert (await system.engine.click(**stranger)).ok
        assert "已单独发给你" in see(system, card, "sales01").tips


async def test_an_unpublished_bot_is_explained(system: BotSystem) -> None:
    system.engine.faults.set("unpublished_bot", on=True, count=1)
    card = see(system, await system.ask("/stock SKU123"))
    assert card.title == Notice.EXTERNAL
    assert "请管理员发布机器人的最新版本" in card.tips
    assert (await system.ask("/stock SKU123")).title.startswith("SKU123 ")


async def test_a_double_click_is_answered_twice_with_the_same_card(system: BotSystem) -> None:
    card = await system.ask("/order late")
    billed = system.engine.flow.used
    results = await asyncio.gather(*(system.press(card, "下一页") for _ in range(2)))
    assert [result.ok for result in results] == [True, True]
    assert see(system, card).markdown != card.markdown
    assert system.engine.flow.used == billed


async def test_a_huge_frame_ends_its_connection_and_nothing_else(system: BotSystem) -> None:
    engine = system.engine
    (connection,) = engine.pushes.connections.values()
    with capture_logs() as lines:
        connection.send(orjson.dumps({"type": "CALLBACK", "headers": {}, "data": "x" * (2 << 20)}).decode())
        await engine.wait_for(lambda: connection.id not in engine.pushes.connections)
        # There is no connection now: the question waits until the bot is back.
        card = await system.ask("/stock SKU123")
    assert card.title.startswith("SKU123 ")
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("stream.ended", "oversize"),
        ("stream.connected", None),
    ]
    assert system.count("errors_total", room="stream", error="oversize") == 1
    assert system.count("stream_opens_total", outcome="ok") == 2


async def test_one_message_id_twice_is_one_message(system: BotSystem) -> None:
    data = {
        "conversationId": system.group,
        "conversationType": "2",
        "senderStaffId": KEEPER,
        "msgtype": "text",
        "text": {"content": "/mo MO-1"},
    }
    headers = {"messageId": "the-same", "topic": MESSAGES}
    frame = orjson.dumps({"type": "CALLBACK", "headers": headers, "data": orjson.dumps(data).decode()}).decode()
    connection = system.engine.pushes.any_connection()
    assert connection is not None
    for _ in range(2):
        connection.send(frame)
    last = system.engine.say(system.group, KEEPER, "/stock SKU123")
    await system.engine.wait_for(
        lambda: any(card.title.startswith("SKU123 ") for card in system.engine.cards_for(last))
    )
    first, second = (item["card"]["title"] for item in system.engine.items(system.group) if item["fromBot"])
    assert "MO-1" in first
    assert "SKU123" in second
    acks = [entry for entry in system.engine.timeline.after() if entry.summary == "for nothing that waits"]
    assert [entry.status for entry in acks] == [200, 200]
