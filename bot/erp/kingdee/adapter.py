"""Adapter for Kingdee K/3 Cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import deciding
from bot.erp.conditions import all_of
from bot.erp.errors import Invalid, NotPermitted
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.keys import pick_by_key, spelled_alike
from bot.erp.kingdee import query as queries
from bot.erp.kingdee.changes import ChangeReader
from bot.erp.kingdee.client import KingdeeClient, response_message
from bot.erp.kingdee.decisions import PurchaseApprovals
from bot.erp.kingdee.documents import PRODUCTION_UNFINISHED, DocumentMapper, Lines, bills
from bot.erp.kingdee.mapping import ValueReader, code
from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.kingdee.query import MATERIALS, PRODUCTION, PURCHASES, RECEIVABLE_SOURCES, RECEIVABLES, SALES, Form
from bot.erp.kingdee.stock import StockReader
from bot.erp.listing import INVOICES, PRODUCTION_ORDERS, PURCHASE_ORDERS, SALES_ORDERS, D, Listing
from bot.erp.model import Decision, DecisionResult, PurchaseOrder, Slice, Verdict
from bot.erp.port import GOODS, PARTNER_READS, Capability, Filter, ListQuery
from bot.erp.reader_erp import ReaderErp
from bot.erp.vendors import AdapterContext

_SETTLE_DELAYS = (0.3, 0.6, 1.2)
"""Seconds to wait for the workflow to move on after a decision."""
_FORMS: Mapping[Listing[Any], Form] = {
    SALES_ORDERS: SALES,
    INVOICES: RECEIVABLES,
    PURCHASE_ORDERS: PURCHASES,
    PRODUCTION_ORDERS: PRODUCTION,
}
_OPEN_BILL = "FDocumentStatus='C' and FCloseStatus='A' and FCancelStatus='A'"


class KingdeeErp(ReaderErp):
    """One data centre, limited to the rights of one account."""

    capabilities = frozenset(Capability) - GOODS - PARTNER_READS - {Capability.LOTS}

    def __init__(self, context: AdapterContext, options: KingdeeOptions) -> None:
        super().__init__(context.name)
        self._now = context.now
        self._options = options
        self._client = KingdeeClient(options, now=context.now, source=self.name)
        self._values = ValueReader(ZoneInfo(options.zone), options.currencies)
        self._mapper = DocumentMapper(self.name, self._values, tuple(word.lower() for word in options.rejections))
        self._workflow = PurchaseApprovals(self._client, self._values)
        self._stock = StockReader(self._client, options, now=context.now)
        self._changes = ChangeReader(self._client, self._workflow, self._values)

    async def check(self) -> None:
        """Log in and read one material."""
        await self._client.probe(MATERIALS)

    async def close(self) -> None:
        """Log out and close connections."""
        await self._client.close()

    # Documents

    async def read_document(self, kind: Listing[D], number: str) -> D:
        """Return one document; a production order is a line of a bill."""
        form = _FORMS[kind]
        rows = await self._client.query(form, form.spelled(number))
        found = spelled_alike(bills(rows, form).values(), number, lambda lines: form.number(lines[0]))
        if len(found) > 1:
            raise Invalid(f"several documents have the number {number}: set the option org", source=self.name)
        lines = pick_by_key(found, number, lambda lines: form.number(lines[0]), source=self.name)
        document: D = (await self._documents(form, [lines]))[0]
        return document

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        form: Form = _FORMS[kind]
        today = self._values.local(self._now()).date()

        async def headers() -> list[Header[str]]:
            where = all_of(await self._narrow(form, query, today), await self._within(form, query))
            matching = queries.contains(("FBillNo", *form.texts), query.text) if query.text else ""
            order = ",".join(dict.fromkeys(("FID", form.key)))
            rows = await self._client.query(form, all_of(where, matching), keys=form.head, order=order)
            return [self._mapper.header(form, row) for row in rows]

        async def read(keys: Sequence[str]) -> list[Any]:
            rows = await self._client.query_each(form, form.key, keys)
            return await self._documents(form, list(bills(rows, form).values()))

        return await list_by_headers(kind, query, today, headers=headers, read=read)

    async def _within(self, form: Form, query: ListQuery) -> str:
        """Return a condition that matches at least the documents of the days that are asked for."""
        during = queries.within(form.dated, query.during) if query.during else ""
        if query.due is None:
            return during
        due = [queries.within(name, query.due) for name in await self._due_fields(form)]
        return all_of(during, f"({' or '.join(due)})")

    async def _due_fields(self, form: Form) -> Sequence[str]:
        if form is PRODUCTION:
            return ("FPlanFinishDate",)
        if form in {SALES, PURCHASES}:
            return ("FDeliveryDate",)
        # An invoice may have several instalments: an earlier one may be due before the last.
        return ("FENDDATE_H", *(["FENDDATE"] if await self._client.has(form, "FENDDATE") else ()))

    async def _narrow(self, form: Form, query: ListQuery, today: date) -> str:
        """Return a condition that matches at least the documents of the filter; of all documents the recent ones."""
        match query.filter:
            case Filter.PENDING:
                return "FDocumentStatus='B' and FCancelStatus='A'"
            case Filter.OVERDUE:
                due = " or ".join(queries.before(name, today) for name in await self._due_fields(form))
                return all_of("FDOCUMENTSTATUS='C' and FWRITTENOFFSTATUS<>'C'", f"({due})")
            case Filter.LATE if form is PRODUCTION:
                unfinished = queries.one_of("FStatus", PRODUCTION_UNFINISHED)
                return all_of(unfinished, queries.before("FPlanFinishDate", today))
            case Filter.LATE:
                return all_of(_OPEN_BILL, queries.before("FDeliveryDate", today))
            case _ if query.during or query.due:
                return ""
            case _:
                return queries.since(form.dated, today - timedelta(days=self._options.list_days))

    async def _documents(self, form: Form, found: Sequence[Lines]) -> list[Any]:
        """Return the documents built from bill lines and from related forms."""
        if form is SALES:
            return [self._mapper.order(lines) for lines in found]
        if form is PRODUCTION:
            return [self._mapper.production_order(lines[0]) for lines in found]
        if form is PURCHASES:
            runs = await self._workflow.runs([lines[0] for lines in found])
            return [self._mapper.purchase_order(lines, runs.get(form.number(lines[0]))) for lines in found]
        rows = []
        if await self._client.has(RECEIVABLE_SOURCES, "FSourceBillNo"):
            ids = [code(lines[0]["FID"]) for lines in found]
            rows = await self._client.query_each(RECEIVABLE_SOURCES, "FID", ids)
        sources = bills(rows, RECEIVABLE_SOURCES)
        return [self._mapper.invoice(lines, sources.get(code(lines[0]["FID"]), ())) for lines in found]

    # Deciding

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject with `bot.erp.deciding`; waits a moment for the workflow to move on."""
        return await deciding.decide(decision, read=self.purchase_order, write=self._write, settle=_SETTLE_DELAYS)

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        waiting = await self._workflow.waiting(order.number)
        own_task = next((task for task in waiting if task.person == decision.by), None)
        if own_task is not None:
            return await self._workflow.decide(own_task, decision)
        if waiting:
            raise NotPermitted("no task of the workflow waits for this person", source=self.name)
        if not self._options.audit_without_workflow:
            raise NotPermitted(
                "no workflow handles this order, and the bot may not audit it by its own account", source=self.name
            )
        name = "Audit" if decision.verdict is Verdict.APPROVE else "CancelAssign"
        data = {"Numbers": [order.number], "InterationFlags": "", "IgnoreInterationFlag": ""}
        return response_message(await self._client.write(name, PURCHASES.id, data, what=order.number))
