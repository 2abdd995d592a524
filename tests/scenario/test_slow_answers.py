"""A slow ERP: a card says at once that it is being asked, and the same card becomes the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.kit.demo import FINANCE_GROUP
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery, SimMessage
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import ErpSettings
from tests.scenario.conftest import ENGLISH, KEEPER, MILD, BotSystem, OpenSystem
from tests.scenario.processes import NO_INDEX, connected, environment, forked, used_before
from tests.scenario.traffic import eventually

SLOW = {"demo": ErpSettings.model_validate({"vendor": "demo", "latency": 1.0})}
SOON = {"interim_seconds": 0.05}
ASKING = "正在查询 ERP…"
BOSS = "boss01"


async def become(system: BotSystem, message: SimMessage, title: str, who: str = KEEPER) -> SimCardView:
    """Return the message's only card once its title is this."""

    def shown() -> SimCardView | None:
        cards = [system.see(card, who) for card in system.engine.cards_for(message)]
        assert len(cards) <= 1
        return next((card for card in cards if title in card.title), None)

    return await system.engine.wait_for(shown, timeout=120)


@pytest.mark.parametrize(("who", "asking"), [(KEEPER, ASKING), (ENGLISH, "Asking the ERP…")])
async def test_the_card_says_so_and_becomes_the_answer_by_one_more_call(
    open_system: OpenSystem, who: str, asking: str
) -> None:
    async with open_system(erp=SLOW, limits=SOON) as system:
        before = system.engine.flow.used
        message = system.engine.say(system.group, who, "/stock SKU123")
        first = await become(system, message, asking, who)
        assert not first.buttons
        answer = await become(system, message, "SKU123", who)
        await system.settle()
        assert answer.out_track_id == first.out_track_id
        assert "上海仓" in answer.markdown
        assert system.engine.flow.used == before + 2
        assert len(system.answers(message)) == 1
        assert system.count("interim_cards_total") == 1
        arrivals = await system.click(answer, answer.buttons[0].text, who)
        assert arrivals.title != answer.title


async def test_the_list_of_conversations_does_not_stay_with_the_question(open_system: OpenSystem) -> None:
    async with open_system(erp=SLOW, limits=SOON) as system:
        message = system.engine.say(system.group, KEEPER, "/stock SKU123")
        card = await become(system, message, ASKING)
        (copy,) = system.engine.chat.copies(system.engine.cards.get(card.out_track_id))
        assert copy.preview == ASKING
        assert copy.summary == "回复：/stock SKU123", "which a DingTalk that never changes it shows all the time"
        answer = await become(system, message, "SKU123")
        assert copy.preview == answer.title


async def test_a_burst_costs_one_call_for_each_answer(open_system: OpenSystem) -> None:
    async with open_system(erp=SLOW, limits={**SOON, "interim_most": 3}) as system:
        before = system.engine.flow.used
        asked = [system.engine.say(system.group, KEEPER, f"/stock SKU{number}") for number in range(123, 133)]
        for message in asked:
            await become(system, message, "SKU")
        await system.settle()
        assert system.engine.flow.used == before + len(asked)


async def test_with_most_of_the_month_used_an_answer_costs_one_call(open_system: OpenSystem) -> None:
    async with open_system(erp=SLOW, limits={**SOON, "interim_share": 0.0}) as system:
        before = system.engine.flow.used
        await system.ask("/stock SKU123")
        await system.settle()
        assert system.engine.flow.used == before + 1


async def test_a_quick_answer_is_one_card_and_one_call(open_system: OpenSystem) -> None:
    async with open_system(limits={"interim_seconds": 30.0}) as system:
        before = system.engine.flow.used
        await system.ask("/stock SKU123")
        await system.settle()
        assert system.engine.flow.used == before + 1
        assert system.count("interim_cards_total") == 0


async def test_what_only_the_asker_may_see_is_on_a_card_of_their_own(open_system: OpenSystem) -> None:
    async with open_system(erp=SLOW, limits=SOON) as system:
        message = system.engine.say(FINANCE_GROUP, BOSS, "/po PO-1001")
        first = await become(system, message, ASKING, "finance01")

        def shown() -> SimDelivery | None:
            return next((copy for copy in answers() if "¥" in copy.card.view_for(BOSS).markdown), None)

        def answers() -> list[SimDelivery]:
            return [item for item in system.answers(message) if isinstance(item, SimDelivery)]

        delivered = await system.engine.wait_for(shown, timeout=120)
        assert delivered.recipients == {BOSS}
        own = delivered.card.view_for(BOSS)
        assert "PO-1001" in own.title
        await system.settle()
        (shared,) = [copy.card for copy in answers() if copy.recipients is None]
        assert len(answers()) == 2
        assert shared.out_track_id == first.out_track_id
        for viewer in ("", BOSS, "buyer01", "finance01"):
            assert "PO-1001" in shared.view_for(viewer).title
            assert "¥" not in str(shared.variables_for(viewer).values())
        product = await system.click(own, next(button.text for button in own.buttons if button.text != "返回"), BOSS)
        assert product.markdown != own.markdown


@pytest.mark.usefixtures("confirmed")
async def test_what_only_the_asker_may_see_is_theirs_on_the_groups_card_where_somebody_saw_that_it_holds(
    open_system: OpenSystem,
) -> None:
    cards = {"private_way": "private_data"}
    async with open_system(erp=SLOW, limits=SOON, cards=cards, config=MILD) as system:
        message = system.engine.say(FINANCE_GROUP, BOSS, "/po PO-1001")
        await become(system, message, ASKING, "finance01")
        own = await become(system, message, "PO-1001", BOSS)
        shared = await become(system, message, "PO-1001", "buyer01")
        assert "¥" in own.markdown
        assert "¥" not in shared.markdown
        product = await system.click(own, next(button.text for button in own.buttons if button.text != "返回"), BOSS)
        assert product.markdown != own.markdown


async def test_questions_of_one_conversation_are_announced_and_answered_in_order(open_system: OpenSystem) -> None:
    async with open_system(erp=SLOW, limits=SOON) as system:
        first, *_ = [system.engine.say(system.group, KEEPER, f"/stock SKU{number}") for number in (123, 124, 125)]

        def titles() -> list[str]:
            return [card.title[:6] for card in system.engine.cards_for(first)]

        await system.engine.wait_for(lambda: "SKU125" in titles(), timeout=120)
        assert titles() == ["SKU123", "SKU124", "SKU125"]


@pytest.mark.process
async def test_a_bot_that_is_killed_meanwhile_finishes_the_card_after_its_next_start(tmp_path: Path) -> None:
    config = SimulatorConfig(qps_limit=None)
    async with simulator_running(config) as simulator:
        engine, folder = simulator.engine, used_before(tmp_path / "data")
        slow = {"DINGERP_ERP__MAIN__LATENCY": "60", "DINGERP_LIMITS__QUESTION_SECONDS": "60", **NO_INDEX}
        env = environment(config, simulator.url, folder, DINGERP_LIMITS__INTERIM_SECONDS="0.1", **slow)
        group = next(place.id for place in engine.chat.conversations.values() if place.kind == "group")
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await connected(engine)
            message = engine.say(group, KEEPER, "/stock SKU123")
            card = await engine.wait_for(lambda: next(iter(engine.cards_for(message)), None), timeout=120)
            assert card.title == ASKING
            await bot.kill()
        env = environment(config, simulator.url, folder, **NO_INDEX)
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await eventually(lambda: "SKU123" in engine.cards_for(message)[0].title, hint=lambda: bot.err)
            assert [card.out_track_id for card in engine.cards_for(message)] == [card.out_track_id]
            await bot.stop()
