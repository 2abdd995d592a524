"""What came in from suppliers, and what went back to them (docs: platform/erp/erpnext.md#goods)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.erp import kinds
from bot.erp.concurrency import gather_or_cancel
from bot.erp.erpnext import documents
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.client import Condition, ErpNextClient, ListRequest, Row, is_exact
from bot.erp.erpnext.lots import numbers_of
from bot.erp.erpnext.mapping import Site
from bot.erp.errors import NotPermitted
from bot.erp.goods import GoodsReceipt
from bot.erp.goods_lists import by_day
from bot.erp.listing import read_page
from bot.erp.model import Slice
from bot.erp.port import ListQuery

RECEIPT, _LINE = "Purchase Receipt", "Purchase Receipt Item"
_ORDER, _LINK = "Purchase Order", "purchase_order"
_BUNDLE, _ENTRY = "Serial and Batch Bundle", "Serial and Batch Entry"
_MOST = 2_000
"""Rows that a question reads at most."""
_CAME_IN: tuple[Condition, ...] = (("docstatus", "=", 1),)
"""A draft did not come in yet."""
_FIELDS = (
    *("name", "docstatus", "status", "company", "modified", "supplier", "supplier_name", "posting_date", "is_return"),
    "set_warehouse",
)

NamesOf = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns what users are called."""


class ErpNextReceipts:
    """Reads Purchase Receipts; ``company`` limits them to that company."""

    def __init__(
        self,
        frappe: ErpNextClient,
        *,
        site: Callable[[], Awaitable[Site]],
        company: str,
        now: Callable[[], datetime],
        names_of: NamesOf,
    ) -> None:
        self._frappe, self._site, self._company = frappe, site, company
        self._now, self._names_of = now, names_of

    async def listed(self, query: ListQuery) -> Slice[GoodsReceipt]:
        """Return receipts, the newest first."""
        site = await self._site()
        filters: list[Condition] = [*_CAME_IN, *queries.of_company(self._company)]
        if query.partner:
            filters.append(("supplier_name", "=", query.partner))
        if query.during is not None:
            filters += queries.within("posting_date", query.during)
        if query.due is not None:
            return Slice(items=(), total=0)  # what came in is not due any more
        texts = await queries.found_by_lines(
            self._frappe, RECEIPT, _LINE, _LINK, query.text, own=("name", "supplier_name"), most=_MOST
        )
        lookup = ListRequest(RECEIPT, _FIELDS, filters, texts, "posting_date desc, name asc")
        if is_exact(query.text):
            page = self._frappe.rows(lookup, start=query.offset, limit=query.limit)
            rows, total = await read_page(query, page, lambda: self._frappe.count(lookup))
            return Slice(items=await self._without_lines(rows, site), total=total)
        found = await self._without_lines(await self._frappe.rows(lookup, limit=_MOST), site)
        return kinds.RECEIPTS.pick(found, query, site.local(self._now()).date())

    async def of_order(self, order: str) -> tuple[GoodsReceipt, ...]:
        """Return the receipts with lines of a Purchase Order, oldest first."""
        request = ListRequest(_LINE, ("parent",), [(_LINK, "=", order), *_CAME_IN], parent=RECEIPT)
        names = sorted({str(row["parent"]) for row in await self._frappe.rows(request, limit=_MOST)})
        return by_day(
            await self.read(await gather_or_cancel(*(self._frappe.document(RECEIPT, name) for name in names)))
        )

    async def read(self, rows: Sequence[Row]) -> tuple[GoodsReceipt, ...]:
        """Return the receipts of whole documents; a document that did not come in is none."""
        site = await self._site()
        came_in = [row for row in rows if documents.docstatus(row) == 1]
        lines = [line for row in came_in for line in row.get("items") or ()]
        lots = await self._lots_of(lines, site)
        return await self._with_owners([site.read(documents.receipt, row, lots) for row in came_in])

    async def _without_lines(self, rows: Sequence[Row], site: Site) -> tuple[GoodsReceipt, ...]:
        names = [str(row["name"]) for row in rows]
        if not names:
            return ()
        orders: dict[str, list[str]] = {}
        for line in await self._frappe.rows(queries.children(RECEIPT, _LINE, _LINK, names)):
            if line.get(_LINK):
                orders.setdefault(str(line["parent"]), []).append(str(line[_LINK]))
        found = [site.read(documents.receipt, row, {}) for row in rows]
        return await self._with_owners(
            [replace(each, order_numbers=tuple(dict.fromkeys(orders.get(each.number, ())))) for each in found]
        )

    async def _with_owners(self, receipts: Sequence[GoodsReceipt]) -> tuple[GoodsReceipt, ...]:
        """Return receipts with the owners of their orders, by account and by name."""
        orders = sorted({number for receipt in receipts for number in receipt.order_numbers})
        if not orders:
            return tuple(receipts)
        rows = await self._frappe.rows(ListRequest(_ORDER, ("name", "owner"), [("name", "in", orders)]))
        owners = {str(row["name"]): str(row["owner"]) for row in rows if row.get("owner")}
        names = await self._names_of(owners.values())
        return tuple(
            replace(
                receipt,
                owners=tuple(
                    dict.fromkeys(
                        known
                        for number in receipt.order_numbers
                        if (owner := owners.get(number))
                        for known in (owner, names[owner])
                    )
                ),
            )
            for receipt in receipts
        )

    async def _lots_of(self, lines: Sequence[Row], site: Site) -> Mapping[str, str]:
        """Return the lots of lines by the lines' names; none if the account may not read them."""
        held = {str(line["name"]): [str(line["batch_no"])] for line in lines if line.get("batch_no")}
        bundles = {
            str(line["serial_and_batch_bundle"]): str(line["name"])
            for line in lines
            if line.get("serial_and_batch_bundle") and not line.get("batch_no")
        }
        try:
            if bundles:
                request = ListRequest(
                    _ENTRY,
                    ("parent", "batch_no"),
                    [("parent", "in", sorted(bundles)), ("batch_no", "is", "set")],
                    order_by="parent asc, idx asc",
                    parent=_BUNDLE,
                )
                for entry in await self._frappe.rows(request, limit=_MOST):
                    held.setdefault(bundles[str(entry["parent"])], []).append(str(entry["batch_no"]))
            numbers = await numbers_of(self._frappe, sorted({batch for batches in held.values() for batch in batches}))
        except NotPermitted:
            return {}
        return {line: documents.joined(numbers[batch] for batch in batches) for line, batches in held.items()}
