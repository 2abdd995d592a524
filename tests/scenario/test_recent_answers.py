"""The same question a moment later: the bot answers without asking the ERP again, and says how old the answer is."""

from __future__ import annotations

from bot.settings import ErpSettings
from tests.scenario.conftest import ENGLISH, OpenSystem


async def test_the_second_who_asks_is_told_what_the_first_was_with_its_time(open_system: OpenSystem) -> None:
    # A minute, so that it does not expire on a busy machine.
    demo = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 60})
    async with open_system(erp={"demo": demo}, understanding={"enabled": False}) as system:
        first = await system.ask("/stock SKU123")
        again = await system.ask("库存 sku123")
        assert (again.markdown, again.tips) == (first.markdown, first.tips)
        await system.ask("/stock SKU123", ENGLISH)
        await system.settle()
        assert system.count("erp_calls_total", source="demo", call="stock", outcome="ok") == 1
        assert system.count("erp_cached_total", source="demo", call="stock") == 2
        assert (await system.app.hub.stock("SKU123")).as_of == (await system.app.hub.stock("SKU123")).as_of


async def test_zero_seconds_ask_the_erp_every_time(open_system: OpenSystem) -> None:
    demo = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 0})
    async with open_system(erp={"demo": demo}, understanding={"enabled": False}) as system:
        for _ in range(2):
            await system.ask("/stock SKU123")
        await system.settle()
        assert system.count("erp_calls_total", source="demo", call="stock", outcome="ok") == 2
        assert system.count("erp_cached_total", source="demo", call="stock") == 0
