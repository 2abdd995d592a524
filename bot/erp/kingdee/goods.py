"""What Kingdee knows about goods: last prices from the lines of orders, and the stock of warehouses from inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.goods.lists import by_price_day, contents_of, part_of_shortages, pick_warehouse
from bot.erp.goods.port import LAST_PRICES, MOST_USES, ShortageQuery, WarehouseQuery
from bot.erp.kingdee import query as queries
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.documents import product, reorder_point
from bot.erp.kingdee.mapping import Row, code, text
from bot.erp.kingdee.query import BOMS, INVENTORY, MATERIALS, PURCHASES, SALES, WAREHOUSES, Form
from bot.erp.kingdee.stock import distinct_products, figures_of, places_of
from bot.erp.model import Product, Quantities, Slice, StockLevel
from bot.erp.model.goods import (
    ComponentUse,
    PriceKind,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.values import number

_AGREED = "FDocumentStatus='C' and FCancelStatus='A'"
_NEWEST = "FDate desc,FBillNo"
_RECENT = 50
"""The most lines of purchase orders that are looked at for a material's vendors."""
_UNITS = {SALES: "FUnitID.FName", PURCHASES: "FUnitId.FName"}
_OWNERS = {SALES: "FSalerId.FName", PURCHASES: "FPurchaserId.FName"}


class PriceReader:
    """Reads the last prices of a material; price lists are for organisations, customers and days, and left out."""

    def __init__(self, client: KingdeeClient) -> None:
        self._client = client

    async def prices(self, product: Product, customer: str) -> Prices:
        """Return the last prices in audited orders, taxes included."""
        sales, purchases = await gather_or_cancel(
            self._points(SALES, product.sku, customer), self._points(PURCHASES, product.sku, "")
        )
        return Prices(
            product=product,
            customer=customer,
            list_price=None,
            sales=sales,
            purchases=purchases,
            source=self._client.source,
        )

    async def _points(self, form: Form, sku: str, partner: str) -> tuple[PricePoint, ...]:
        where = all_of(
            _AGREED,
            queries.spelled("FMaterialId.FNumber", sku),
            queries.contains((form.partner,), partner) if partner else "",
        )
        # The condition on a name may match more than is asked for.
        limit = None if partner else LAST_PRICES
        rows = await self._client.query(form, where, order=_NEWEST, limit=limit)
        build: Callable[[Row], PricePoint] = partial(self._point, form)
        found = (build(row) for row in rows if code(row["FMaterialId.FNumber"]).casefold() == sku.casefold())
        return by_price_day(each for each in found if partner.casefold() in each.partner.casefold())[:LAST_PRICES]

    def _point(self, form: Form, row: Row) -> PricePoint:
        return PricePoint(
            kind=PriceKind.SALE if form is SALES else PriceKind.PURCHASE,
            day=self._client.values.day(row["FDate"]),
            document=code(row["FBillNo"]),
            partner=text(row[form.partner]),
            quantity=number(row["FQty"]) or Decimal(0),
            unit=text(row[_UNITS[form]]),
            price=self._client.values.money(row["FTaxPrice"], self._client.values.currency(row, "FSettleCurrId")),
            owner=text(row.get(_OWNERS[form])),
            source=self._client.source,
        )


class DetailReader:
    """Reads who sold a material to the company, what it is made of and what it goes into."""

    def __init__(self, client: KingdeeClient) -> None:
        self._client = client

    async def details(self, found: Product, least: Decimal | None) -> ProductDetails:
        """Return a material's details; without the right to bills of material, or their module, there are none."""
        vendors = await self._vendors(found.sku)
        parts, wholes = await gather_or_cancel(self._parts(found.sku), self._wholes(found.sku))
        return ProductDetails(
            product=found,
            reorder_point=least,
            supplies=tuple(Supply(vendor=name) for name in vendors),
            components=parts,
            used_in=wholes[:MOST_USES],
            used_in_total=len(wholes),
            source=self._client.source,
        )

    async def _vendors(self, sku: str) -> list[str]:
        """Return the vendors of the last audited orders, the latest first."""
        where = all_of(_AGREED, queries.spelled("FMaterialId.FNumber", sku))
        rows = await self._client.query(PURCHASES, where, order=_NEWEST, limit=_RECENT)
        own = (row for row in rows if code(row["FMaterialId.FNumber"]) == sku)
        return list(dict.fromkeys(text(row[PURCHASES.partner]) for row in own))

    async def _parts(self, sku: str) -> tuple[ComponentUse, ...]:
        rows = await self._lines("FMATERIALID.FNumber", [sku])
        return tuple(_use(row, "FMATERIALIDCHILD", "FCHILDUNITID") for row in _newest_versions(rows).get(sku, ()))

    async def _wholes(self, sku: str) -> tuple[ComponentUse, ...]:
        containing = await self._lines("FMATERIALIDCHILD.FNumber", [sku])
        wholes = sorted({code(row["FMATERIALID.FNumber"]) for row in containing})
        # An older version may have contained what the newest does not.
        newest = _newest_versions(await self._lines("FMATERIALID.FNumber", wholes))
        return tuple(
            _use(row, "FMATERIALID", "FUNITID")
            for whole in wholes
            for row in newest.get(whole, ())
            if code(row["FMATERIALIDCHILD.FNumber"]) == sku
        )

    async def _lines(self, key: str, skus: Sequence[str]) -> list[Row]:
        try:
            return await self._client.query_each(BOMS, key, skus, where=BOMS.only) if skus else []
        except NotPermitted:
            return []
        except Invalid:
            if await self._client.fields(BOMS.id) is None:
                # Without the module for manufacturing there is no such form.
                return []
            raise


def _newest_versions(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the lines of the highest version of each material's bill, by the material."""
    found: dict[str, list[Row]] = {}
    for sku, lines in _grouped(rows, "FMATERIALID.FNumber").items():
        newest = max(code(line["FNumber"]) for line in lines)
        found[sku] = [line for line in lines if code(line["FNumber"]) == newest]
    return found


def _use(row: Row, material: str, unit: str) -> ComponentUse:
    whole = number(row["FDENOMINATOR"]) or Decimal(1)
    return ComponentUse(
        sku=code(row[f"{material}.FNumber"]),
        name=text(row[f"{material}.FName"]),
        unit=text(row[f"{unit}.FName"]),
        quantity=(number(row["FNUMERATOR"]) or Decimal(0)) / whole,
    )


@dataclass(frozen=True, slots=True)
class _Warehouse:
    """A warehouse of an organisation; those of several may have the same code."""

    code: str
    name: str
    org: str

    @property
    def where(self) -> str:
        """Return the condition for its inventory."""
        return all_of(
            queries.one_of("FStockId.FNumber", (self.code,)), queries.one_of("FStockOrgId.FNumber", (self.org,))
        )


class WarehouseReader:
    """Reads the stock of a warehouse, and what is short; forecasts and goods on order are not known there."""

    def __init__(self, client: KingdeeClient) -> None:
        self._client = client

    async def contents(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse; raises `NotFound` and `Ambiguous`."""
        shown, warehouse = await self._warehouse(query.warehouse)
        rows = await self._client.query(INVENTORY, all_of(warehouse.where, await self._kept()))
        held = {sku: figures for sku, lines in _by_sku(rows).items() if _is_there(figures := figures_of(lines))}
        if query.text:
            found = await self._client.query(MATERIALS, await self._named(query.text))
            known = {each.sku: each for each in distinct_products(found) if each.sku in held}
            items = [
                WarehouseItem(product=known[sku], quantities=held[sku], source=self._client.source) for sku in known
            ]
            return contents_of(items, shown, warehouse.name, query, source=self._client.source)
        page = sorted(held)[query.offset : query.offset + query.limit]
        known = {each.sku: each for each in distinct_products(await self._materials(page))}
        return WarehouseContents(
            code=shown,
            name=warehouse.name,
            items=tuple(
                WarehouseItem(product=known[sku], quantities=held[sku], source=self._client.source)
                for sku in page
                if sku in known
            ),
            total=len(held),
            source=self._client.source,
        )

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short of materials in use; raises `NotFound` for no such warehouse."""
        only = (await self._warehouse(query.warehouse))[1] if query.warehouse else None
        planned, owed = await gather_or_cancel(self._planned(), self._client.query(INVENTORY, await self._owed()))
        known = {code(row["FNumber"]) for row in planned}
        owed_skus = {code(row["FMaterialId.FNumber"]) for row in owed}
        materials = [*planned, *await self._materials(sorted(owed_skus - known))]
        inventory = await self._client.query_each(
            INVENTORY, "FMaterialId.FNumber", sorted(known | owed_skus), where=only.where if only else ""
        )
        of_sku = _by_sku(inventory)
        levels = (
            self._level(rows, of_sku.get(sku, []))
            for sku, rows in _grouped(materials, "FNumber").items()
            if product(rows[0]).is_active
        )
        return part_of_shortages(levels, query, only.code if only else "")

    def _level(self, materials: list[Row], inventory: list[Row]) -> StockLevel:
        return StockLevel(
            product=product(materials[0]),
            total=figures_of(inventory),
            per_warehouse=tuple(places_of(inventory)),
            reorder_point=reorder_point(materials),
            as_of=self._client.now(),
            source=self._client.source,
        )

    async def _warehouse(self, wanted: str) -> tuple[str, _Warehouse]:
        """Return a warehouse with the code that stock shows for it."""
        if not wanted.strip():
            raise NotFound(wanted, source=self._client.source)
        rows = await self._client.query(WAREHOUSES)
        known = [_Warehouse(code(row["FNumber"]), text(row["FName"]), code(row["FUseOrgId.FNumber"])) for row in rows]
        codes = [each.code for each in known]
        shown = {each: each.code if codes.count(each.code) == 1 else f"{each.org}/{each.code}" for each in known}
        found = pick_warehouse(known, wanted, lambda each: (shown[each], each.name), source=self._client.source)
        return shown[found], found

    async def _planned(self) -> list[Row]:
        """Return the materials with a reorder point or a safety stock."""
        figures = [key for key in ("FReOrderGood", "FSafeStock") if await self._client.has(MATERIALS, key)]
        if not figures:
            return []
        return await self._client.query(MATERIALS, f"({' or '.join(f'{key}>0' for key in figures)})")

    async def _owed(self) -> str:
        """Return the condition for inventory that may be short: more promised than in stock there."""
        return f"(FBaseQty<0{' or FBaseLockQty>0' if await self._client.has(INVENTORY, 'FBaseLockQty') else ''})"

    async def _kept(self) -> str:
        """Return the condition for inventory that is not empty."""
        return f"(FBaseQty<>0{' or FBaseLockQty<>0' if await self._client.has(INVENTORY, 'FBaseLockQty') else ''})"

    async def _named(self, search: str) -> str:
        keys = [key for key in ("FNumber", "FName", "FSpecification") if await self._client.has(MATERIALS, key)]
        return all_of(*(queries.contains(keys, word) for word in search.split()))

    async def _materials(self, skus: Sequence[str]) -> list[Row]:
        return await self._client.query_each(MATERIALS, "FNumber", skus) if skus else []


def _by_sku(rows: Iterable[Row]) -> dict[str, list[Row]]:
    return _grouped(rows, "FMaterialId.FNumber")


def _grouped(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(code(row[key]), []).append(row)
    return grouped


def _is_there(quantities: Quantities) -> bool:
    return bool(quantities.on_hand or quantities.reserved)
