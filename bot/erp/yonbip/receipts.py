"""What came in from vendors: notes of purchase receipt, 采购入库单 (docs: platform/erp/yonbip.md#goods)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.errors import NotFound
from bot.erp.goods.lists import by_day
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.keys import pick_by_key, spellings
from bot.erp.kinds import RECEIPTS
from bot.erp.model import Slice
from bot.erp.model.goods import GoodsReceipt, ReceiptLine
from bot.erp.port import ListQuery
from bot.erp.values import code, number, text
from bot.erp.yonbip.client import YonBipClient
from bot.erp.yonbip.mapping import Row
from bot.erp.yonbip.query import PURCHASE_RECEIPTS, condition

_AUDITED = "1"


class ReceiptReader:
    """Reads notes of purchase receipt, whose lines name their purchase orders in details alone."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client
        self._days = timedelta(days=client.options.list_days)

    async def read(self, key: str) -> GoodsReceipt:
        """Return one note; raises `NotFound`, also before it is audited."""
        rows = await gather_rows(*(self._rows({"code": spelling}) for spelling in spellings(key)))
        distinct = {code(row["id"]): row for row in rows}.values()
        found = pick_by_key(distinct, key, lambda row: code(row.get("code")), source=self._client.source)
        note = await self._client.detail(f"{PURCHASE_RECEIPTS}/detail", code(found["id"]), what=key)
        if not _came_in(note):
            raise NotFound(key, source=self._client.source)
        return self._receipt(note)

    async def of_order(self, order: str) -> tuple[GoodsReceipt, ...]:
        """Return the notes of a purchase order, the earliest first."""
        return by_day(await self._of_order([order]))

    async def list_receipts(self, query: ListQuery, today: date) -> Slice[GoodsReceipt]:
        async def headers() -> Iterable[Header[str]]:
            recent, of_order = await gather_or_cancel(self._recent(query, today), self._headers_of_order(query.text))
            return [*recent, *of_order]

        return await list_by_headers(RECEIPTS, query, today, headers=headers, read=self._read_all)

    async def _recent(self, query: ListQuery, today: date) -> list[Header[str]]:
        start = today - self._days
        if query.during is not None:
            start = min(start, query.during.first)
        return [self._header(row) for row in await self._rows({"open_vouchdate_begin": start.isoformat()})]

    def _header(self, row: Row) -> Header[str]:
        day = self._client.values.day(row.get("vouchdate"))
        return Header(code(row["id"]), code(row["code"]), day, (text(row.get("vendor_name")),))

    async def _headers_of_order(self, order: str) -> list[Header[str]]:
        """Return the headers of an order's notes, which are found by its number, too."""
        found = await self._of_order(spellings(order)) if order.strip() else []
        return [Header(each.id, each.number, each.day, (order, each.vendor)) for each in found]

    async def _of_order(self, spelled: Sequence[str]) -> list[GoodsReceipt]:
        rows = await gather_rows(*(self._rows({"pocode": spelling}) for spelling in spelled))
        notes = await self._read_all([code(row["id"]) for row in rows])
        return [note for note in notes if not {*spelled}.isdisjoint(note.order_numbers)]

    async def _rows(self, body: Row) -> list[Row]:
        audited = [condition("status", "eq", _AUDITED)]
        return await self._client.rows(f"{PURCHASE_RECEIPTS}/list", {**body, "isSum": True, "simpleVOs": audited})

    async def _read_all(self, ids: Sequence[str]) -> list[GoodsReceipt]:
        distinct = tuple(dict.fromkeys(ids))
        notes = await self._client.details(f"{PURCHASE_RECEIPTS}/detail", distinct)
        return [self._receipt(note) for note in notes if _came_in(note)]

    def _receipt(self, row: Row) -> GoodsReceipt:
        """Return a note from its detail; one whose quantities are all negative takes goods back to the vendor."""
        entries: Sequence[Row] = row.get("purInRecords") or ()
        lines = tuple(
            ReceiptLine(
                sku=code(line.get("product_cCode")),
                name=text(line.get("product_cName")),
                unit=text(line.get("unit_name")),
                quantity=number(line["qty"]) or Decimal(0),
                lot=code(line.get("batchno")),
            )
            for line in entries
        )
        buyer = text(row.get("operator_name"))
        return GoodsReceipt(
            number=code(row["code"]),
            order_numbers=tuple(dict.fromkeys(order for line in entries if (order := code(line.get("pocode"))))),
            vendor=text(row.get("vendor_name")),
            received_on=self._client.values.day(row.get("vouchdate")),
            warehouse=text(row.get("warehouse_name")),
            is_return=bool(lines) and all(line.comes_back for line in lines),
            lines=lines,
            # Who asked for the orders is in their workflow, one call for each.
            owners=(buyer,) if buyer else (),
            **self._client.values.origin(row),
        )


def _came_in(note: Row) -> bool:
    return code(note.get("status")) == _AUDITED
