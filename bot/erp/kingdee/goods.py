"""What Kingdee tells about goods: what materials were sold and bought for, from the lines of orders by material."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.goods import PriceKind, PricePoint, Prices
from bot.erp.goods_port import LAST_PRICES
from bot.erp.goods_sorting import by_price_day
from bot.erp.kingdee import query as queries
from bot.erp.kingdee.client import KingdeeClient
from bot.erp.kingdee.mapping import Row, ValueReader, code, text
from bot.erp.kingdee.query import PURCHASES, SALES, Form
from bot.erp.model import Product
from bot.erp.values import number

_AGREED = "FDocumentStatus='C' and FCancelStatus='A'"
_NEWEST = "FDate desc,FBillNo"
_UNITS = {SALES: "FUnitID.FName", PURCHASES: "FUnitId.FName"}
_OWNERS = {SALES: "FSalerId.FName", PURCHASES: "FPurchaserId.FName"}


class PriceReader:
    """Reads the last prices of a material; price lists are for organisations, customers and days, and left out."""

    def __init__(self, client: KingdeeClient, values: ValueReader) -> None:
        self._client = client
        self._values = values

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
            day=self._values.day(row["FDate"]),
            document=code(row["FBillNo"]),
            partner=text(row[form.partner]),
            quantity=number(row["FQty"]) or Decimal(0),
            unit=text(row[_UNITS[form]]),
            price=self._values.money(row["FTaxPrice"], self._values.currency(row, "FSettleCurrId")),
            owner=text(row.get(_OWNERS[form])),
            source=self._client.source,
        )
