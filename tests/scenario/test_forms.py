"""A figure that is missing is asked for by a form, over the wire."""

from __future__ import annotations

from typing import Any

from bot.kit.simulator.card_templates import PUBLIC_FORM
from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.conftest import ENGLISH, KEEPER, BotSystem, OpenSystem

ON: dict[str, Any] = {"cards": {"form_template": PUBLIC_FORM}}


async def asked(system: BotSystem, line: str, who: str = KEEPER) -> CardInstance:
    """Write a line in the group and return the form that answers it."""
    message = system.engine.say(system.group, who, line)

    def forms() -> list[SimDelivery]:
        return [item for item in system.answers(message) if isinstance(item, SimDelivery)]

    (shown,) = await system.engine.wait_for(forms)
    assert shown.card.template.id == PUBLIC_FORM
    assert shown.recipients == frozenset({who})
    return shown.card


async def submitted(system: BotSystem, form: CardInstance, value: str, who: str = KEEPER) -> str:
    """Fill in the form, and return its title and text then."""
    result = await system.engine.click(form.out_track_id, who, "确定", fields={"value": value})
    assert result.ok, result.toast
    view = form.view_for(who)
    return f"{view.title}\n{view.markdown}"


async def test_a_watch_without_its_limit(open_system: OpenSystem) -> None:
    async with open_system(**ON) as system:
        before = system.engine.flow.used
        form = await asked(system, "/watch SKU123")
        await system.settle()
        assert system.engine.flow.used == before + 1
        view = form.view_for(KEEPER)
        assert view.title == "SKU123 低于多少时提醒您？"
        assert [(field.name, field.type) for field in view.fields] == [("value", "TEXT")]
        said = await submitted(system, form, "5,000")
        assert "已关注 SKU123" in said
        assert "低于 5,000" in said
        assert not form.view_for(KEEPER).fields
        watches = await system.ask("/watches")
        assert "5,000" in watches.markdown


NO_FIGURES = ("50 /approve all", "50\n/mute stock.*", "<b>50</b>", "’ or 1=1", "-" * 500)


async def test_what_is_no_figure_changes_nothing(open_system: OpenSystem) -> None:
    async with open_system(**ON) as system:
        form = await asked(system, "/watch SKU123")
        for value in NO_FIGURES:
            said = await submitted(system, form, value)
            assert said.startswith("没太明白\n"), value
            assert "例如" not in said, "a form has its own example"
            assert form.view_for(KEEPER).fields, value
        assert (await system.ask("/watches")).title == "我的关注 (0)"


async def test_in_english(open_system: OpenSystem) -> None:
    async with open_system(**ON) as system:
        form = await asked(system, "/watch SKU123", ENGLISH)
        assert form.view_for(ENGLISH).title == "When do you want to be told of SKU123?"
        assert "below 50" in await submitted(system, form, "50", ENGLISH)


async def test_without_the_setting_it_says_how_to_type_it(open_system: OpenSystem) -> None:
    async with open_system() as system:
        card = await system.ask("/watch SKU123")
        assert "/watch SKU123 ＜ 50" in card.markdown
