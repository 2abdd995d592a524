"""The same question a moment later: the whole bot answers it without asking the ERP again, and says how old it is."""

from __future__ import annotations

from bot.settings import ErpSettings
from tests.scenario.conftest import ENGLISH, OpenTown


async def test_the_second_who_asks_is_told_what_the_first_was_with_its_time(open_town: OpenTown) -> None:
    # A minute, so that no busy machine makes it late.
    demo = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 60})
    async with open_town(erp={"demo": demo}) as town:
        first = await town.ask("/stock SKU123")
        again = await town.ask("库存 sku123")
        assert (again.markdown, again.tips) == (first.markdown, first.tips)
        await town.ask("/stock SKU123", ENGLISH)
        await town.settle()
        assert town.count("erp_calls_total", source="demo", call="stock", outcome="ok") == 1
        assert town.count("erp_cached_total", source="demo", call="stock") == 2
        assert (await town.app.hub.stock("SKU123")).as_of == (await town.app.hub.stock("SKU123")).as_of


async def test_zero_seconds_ask_the_erp_every_time(open_town: OpenTown) -> None:
    demo = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 0})
    async with open_town(erp={"demo": demo}) as town:
        for _ in range(2):
            await town.ask("/stock SKU123")
        await town.settle()
        assert town.count("erp_calls_total", source="demo", call="stock", outcome="ok") == 2
        assert town.count("erp_cached_total", source="demo", call="stock") == 0
