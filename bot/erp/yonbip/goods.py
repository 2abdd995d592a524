"""What left for customers: notes of goods issue, 销售出库单 (docs: platform/erp/yonbip.md#goods)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from bot.erp.concurrency import gather_rows
from bot.erp.goods.lists import by_day
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.keys import pick_by_key, spellings
from bot.erp.kinds import DELIVERIES
from bot.erp.model import Slice
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery
from bot.erp.port import Filter, ListQuery
from bot.erp.values import code, number, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.query import ISSUES, condition

_AUDITED, _BACK = "1", "1"


class DeliveryReader:
    """Reads notes of goods issue, which name their order as the source of their lines."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        self._days = timedelta(days=client.options.list_days)

    async def read(self, key: str) -> GoodsDelivery:
        """Return one note; raises `NotFound`."""
        rows = await gather_rows(*(self._headers({"code": spelling}) for spelling in spellings(key)))
        distinct = {code(row["id"]): row for row in rows}.values()
        found = pick_by_key(distinct, key, lambda row: code(row.get("code")), source=self._client.source)
        return self._delivery(await self._client.detail(f"{ISSUES}/detail", code(found["id"]), what=key))

    async def of_order(self, order: str) -> tuple[GoodsDelivery, ...]:
        """Return the notes of a sales order, the earliest first."""
        rows = await self._headers({"simpleVOs": [condition("details.firstupcode", "eq", order)]})
        return by_day(await self._read_all([code(row["id"]) for row in rows]))

    async def list_deliveries(self, query: ListQuery, today: date) -> Slice[GoodsDelivery]:
        async def headers() -> Iterable[Header[str]]:
            return self._found(await self._client.rows(f"{ISSUES}/list", self._asked(query, today)))

        return await list_by_headers(DELIVERIES, query, today, headers=headers, read=self._read_all)

    async def _headers(self, body: Row) -> list[Row]:
        return await self._client.rows(f"{ISSUES}/list", {**body, "isSum": True})

    async def _read_all(self, ids: Sequence[str]) -> list[GoodsDelivery]:
        distinct = tuple(dict.fromkeys(ids))
        return [self._delivery(row) for row in await self._client.details(f"{ISSUES}/detail", distinct)]

    def _asked(self, query: ListQuery, today: date) -> Row:
        """Return the query for the rows of a list; only those of lines name their orders."""
        start, end = today - self._days, today + self._days
        if query.during is not None:
            start = min(start, query.during.first)
        body: Row = {"isSum": False}
        if query.filter is Filter.LATE:
            end, body["simpleVOs"] = today - timedelta(days=1), [condition("status", "neq", _AUDITED)]
        return {**body, "vouchdate": f"{start}|{end} 23:59:59"}

    def _found(self, rows: Sequence[Row]) -> list[Header[str]]:
        lines: dict[str, list[Row]] = {}
        for row in rows:
            lines.setdefault(code(row["id"]), []).append(row)
        return [self._header(key, of_note) for key, of_note in lines.items()]

    def _header(self, key: str, lines: Sequence[Row]) -> Header[str]:
        head = lines[0]
        customer, day = text(head.get("cust_name")), self._client.values.day(head.get("vouchdate"))
        return Header(key, code(head["code"]), day, (customer, *(code(line.get("firstupcode")) for line in lines)))

    def _delivery(self, row: Row) -> GoodsDelivery:
        """Return a note from its detail; its only day is when goods left or, before it is audited, are to leave."""
        lines: Sequence[Row] = row.get("details") or ()
        shipped = code(row.get("status")) == _AUDITED
        day = self._client.values.day(row.get("vouchdate"))
        orders = dict.fromkeys(order for line in lines if (order := code(line.get("firstupcode"))))
        return GoodsDelivery(
            number=code(row["code"]),
            order_number=", ".join(orders),
            customer=text(row.get("cust_name")),
            status=DeliveryStatus.SHIPPED if shipped else DeliveryStatus.PLANNED,
            planned_on=None if shipped else day,
            shipped_on=day if shipped else None,
            carrier=text(row.get("iLogisticId_name")),
            tracking=code(row.get("cLogisticsBillNo")),
            is_return=code(row.get("stockDirection")) == _BACK,
            lines=tuple(
                DeliveryLine(
                    sku=code(line.get("product_cCode")),
                    name=text(line.get("product_cName")),
                    unit=text(line.get("unitName")),
                    quantity=number(line["qty"]) or Decimal(0),
                )
                for line in lines
            ),
            salesperson=text(row.get("operator_name")),
            warehouse=text(row.get("warehouse_name")),
            **self._client.values.origin(row),
        )
