"""Finds the warehouses whose names are like one that nobody has."""

from __future__ import annotations

from bot.cards.notices import Suggestion
from bot.chat.parsing import command_line
from bot.chat.records.lookup import find_closest
from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods.port import WarehouseQuery
from bot.erp.hub import ErpHub
from bot.erp.port import Capability


async def closest_warehouses(name: str, erp: ErpHub, *words: str) -> tuple[Suggestion, ...]:
    """Return the lines that ask ``words``, a command and what follows it, about the warehouses most like a name."""
    if not erp.offers(Capability.WAREHOUSE_STOCK):
        return ()

    async def search(part: str) -> list[str]:
        try:
            found = (await erp.warehouse_stock(WarehouseQuery(warehouse=part, limit=1))).value
        except (NotFound, Ambiguous):
            return []
        return [found.name or found.code]

    return suggest_warehouses(await find_closest(name, search), *words)


def suggest_warehouses(names: tuple[str, ...], *words: str) -> tuple[Suggestion, ...]:
    """Return the lines that ask ``words`` about warehouses."""
    return tuple(Suggestion(command_line(*words, f"@{each}"), each) for each in names)
