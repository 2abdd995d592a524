"""Who supplies an item, and what it is made of (docs: platform/erp/sap-b1.md#areas)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.erp.errors import NotPermitted
from bot.erp.model.goods import ComponentUse, Supply
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.mapping import Row, rows_of
from bot.erp.sap_b1.query import ITEMS
from bot.erp.values import code, number, text

SUPPLIED = ("Mainsupplier", "SupplierCatalogNo", "LeadTime", "ItemPreferredVendors")
"""The fields of an item by which `DetailReader.supplies` knows its vendors."""


class DetailReader:
    """Reads the details of an item beyond its stock; what the user may not read is left out."""

    def __init__(self, client: SapB1Client) -> None:
        self._client = client

    async def supplies(self, item: Row) -> tuple[Supply, ...]:
        """Return the preferred vendors, the main one first; only it has a code of its own for the item."""
        main, days = code(item.get("Mainsupplier")), number(item.get("LeadTime"))
        preferred = (code(each.get("BPCode")) for each in rows_of(item, "ItemPreferredVendors"))
        codes = [each for each in dict.fromkeys((main, *preferred)) if each]
        names = await self._names(codes)
        return tuple(
            Supply(
                vendor=names[each],
                code=text(item.get("SupplierCatalogNo")) if each == main else "",
                lead_days=int(days) if days else None,
            )
            for each in codes
            if each in names
        )

    async def _names(self, codes: Sequence[str]) -> dict[str, str]:
        try:
            rows = await self._client.rows_each("BusinessPartners", "CardCode", codes, select=("CardCode", "CardName"))
        except NotPermitted:
            return {}
        return {code(row["CardCode"]): text(row.get("CardName")) for row in rows}

    async def components(self, sku: str) -> tuple[ComponentUse, ...]:
        """Return what one unit is made of, without labour and machines."""
        try:
            trees = await self._client.rows(
                "ProductTrees",
                select=("TreeCode", "Quantity", "ProductTreeLines"),
                where=queries.equals("TreeCode", sku),
            )
        except NotPermitted:
            return ()
        parts = [(code(line.get("ItemCode")), _share(line, tree)) for tree in trees for line in _material(tree)]
        rows = await self._client.rows_each(
            ITEMS,
            "ItemCode",
            sorted({each for each, _ in parts}),
            select=("ItemCode", "ItemName", "InventoryUOM"),
        )
        known = {code(row["ItemCode"]): row for row in rows}
        return tuple(
            ComponentUse(
                sku=each,
                name=text(known.get(each, {}).get("ItemName")),
                unit=text(known.get(each, {}).get("InventoryUOM")),
                quantity=quantity,
            )
            for each, quantity in parts
        )


def _material(tree: Row) -> list[Row]:
    # Old releases have neither resources nor kinds of lines.
    return [line for line in rows_of(tree, "ProductTreeLines") if line.get("ItemType") in (None, "pit_Item")]


def _share(line: Row, tree: Row) -> Decimal:
    """Return how much of a component goes into one unit."""
    return (number(line.get("Quantity")) or Decimal(0)) / (number(tree.get("Quantity")) or Decimal(1))
