"""Adapter for SAP Business One."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bot.erp import deciding, kinds
from bot.erp.concurrency import gather_or_cancel
from bot.erp.conditions import all_of
from bot.erp.document_erp import ReaderErp
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.goods.lists import arrivals_of
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.header_lists import Header, as_listed, list_by_headers, without_lines
from bot.erp.keys import checked_key
from bot.erp.kinds import D, Kind, review_of
from bot.erp.model import (
    Decision,
    DecisionOutcome,
    DecisionResult,
    ErpRecord,
    Feed,
    Slice,
    Verdict,
)
from bot.erp.model.goods import Arrival, GoodsDelivery, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import COMMON, Capability, Filter, ListQuery
from bot.erp.sap_b1 import query as queries
from bot.erp.sap_b1.changes import ChangeReader
from bot.erp.sap_b1.client import SapB1Client
from bot.erp.sap_b1.decisions import APPROVALS, ApprovalRequest, DraftApprovals
from bot.erp.sap_b1.documents import (
    PURCHASE_ORDER,
    SALES_ORDER,
    DeliveryNames,
    DocumentMapper,
    base_keys,
    has_item,
)
from bot.erp.sap_b1.mapping import Row, day_of
from bot.erp.sap_b1.options import SapB1Options
from bot.erp.sap_b1.partners import PartnerReader
from bot.erp.sap_b1.query import DocumentEntity, DocumentKey, Found
from bot.erp.sap_b1.receipts import ReceiptReader, received_of
from bot.erp.sap_b1.stock import StockReader
from bot.erp.setup import SetupProblem, approver_problems
from bot.erp.values import code, malformed_is_invalid
from bot.erp.vendors import AdapterContext

_OFFERED = COMMON - {Capability.PRICES}

_DIRECTIONS = {Filter.RECEIVED: (queries.RECEIPTS,), Filter.SPENT: (queries.OUTGOING,)}
"""The entities that hold nothing but one list of payments."""


class SapB1Erp(ReaderErp):
    """One company, limited to the rights of one user."""

    # Payments have no time of change.
    feeds = frozenset({Feed.BILLS, Feed.DELIVERIES})
    narrows_lists = True

    def __init__(self, context: AdapterContext, options: SapB1Options) -> None:
        super().__init__(context.name)
        self.capabilities = _OFFERED if options.lots_queries else _OFFERED - {Capability.LOTS}
        self._client = SapB1Client(options, now=context.now, source=self.name)
        self._names = self._client.names
        self._mapper = DocumentMapper(self.name, self._client.values)
        self.decides = dict.fromkeys(options.decides, frozenset(Verdict))
        decided = (kinds.PURCHASE_ORDERS, *map(kinds.decided_kind, options.decides))
        self._approvals = {kind: DraftApprovals(self._client, APPROVALS[kind]) for kind in decided}
        self._stock = self._items = StockReader(self._client)
        self._partners = PartnerReader(self._client)
        self._receipts = ReceiptReader(self._client, self._mapper, self._approvals[kinds.PURCHASE_ORDERS])
        self._changes = ChangeReader(
            self._client, {kind.followed: approvals for kind, approvals in self._approvals.items()}
        )

    async def check(self) -> None:
        """Log in and read one item."""
        await self._client.probe(queries.ITEMS, "ItemCode")

    async def close(self) -> None:
        """Log out and close connections."""
        await self._client.close()

    async def setup_problems(self) -> list[SetupProblem]:
        """Log in as each approver; the bot's own user was tried before."""
        return await approver_problems(list(self._client.options.approvers), self._owner_of_configured, self.name)

    async def _owner_of_configured(self, user: str) -> str:
        await self._client.try_login(user, self._client.options.approvers[user])
        return user

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        """Return one document or draft; the number of a draft that became a document returns that one."""
        if kind in (kinds.CUSTOMERS, kinds.VENDORS):
            return await self._partners.read(kind, number)
        if kind in self._approvals:
            document: Any = (await self._with_request(kind, number))[0]
        else:
            document = (await self._documents(kind, [await self._find(queries.ENTITIES[kind], number)], whole=True))[0]
        found: D = document
        return found

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if kind in (kinds.CUSTOMERS, kinds.VENDORS):
            return await self._partners.list_partners(kind, query)
        entities: Sequence[DocumentEntity] = _DIRECTIONS.get(query.filter, queries.ENTITIES[kind])
        if query.filter in _DIRECTIONS:
            query = replace(query, filter=Filter.ALL)
        today = query.day(self._client.values.local(self._client.now()).date())

        async def headers() -> list[Header[DocumentKey]]:
            if query.product:
                return await self._headers_with_item(self._narrow(entities, query, today), query, today)
            found = await self._headers(self._narrow(entities, query, today))
            return found + (await self._headers_of_order(kind, query.text) if kind.order_call else [])

        async def read(keys: Sequence[DocumentKey]) -> list[Any]:
            return await self._documents(kind, await self._rows(keys))

        if query.filter is Filter.PENDING:
            waiting = await read(await self._approvals[kind].pending())
            picked = kind.pick(waiting, query, today)
            return replace(picked, items=tuple(as_listed(document, query) for document in picked.items))
        if query.filter is not Filter.ALL and not query.text and not query.product:
            # All candidates have to be read whole anyway.
            candidates = await self._documents(kind, await self._candidates(self._narrow(entities, query, today)))
            return kind.pick(map(without_lines, candidates), query, today)
        return await list_by_headers(kind, query, today, headers=headers, read=read)

    def _narrow(
        self, entities: Sequence[DocumentEntity], query: ListQuery, today: date
    ) -> Mapping[DocumentEntity, str]:
        """Return, by entity, conditions that match at least the documents of a list, which without days are recent."""
        version = self._client.version
        if query.filter is Filter.OPEN:
            conditions = {entity: entity.unfinished for entity in entities if entity.unfinished}
        elif query.filter is Filter.DONE:
            conditions = {entity: self._finished(entity, query, today) for entity in entities if entity.finished}
        elif query.filter is not Filter.ALL:
            day = queries.day_text(today, version)
            conditions = {
                entity: all_of(entity.unfinished, f"{entity.due} lt {day}")
                for entity in entities
                if entity.unfinished and not entity.is_credit_note
            }
        elif query.during or query.due:
            conditions = dict.fromkeys(entities, "")
        else:
            since = queries.day_text(today - timedelta(days=self._client.options.list_days), version)
            conditions = {entity: f"{entity.day} ge {since}" for entity in entities}
        return {
            entity: all_of(
                condition,
                *queries.days_of(entity, query, version),
                queries.of_partner(entity.partner, query.partner),
            )
            for entity, condition in conditions.items()
        }

    def _finished(self, entity: DocumentEntity, query: ListQuery, today: date) -> str:
        """Return the condition for what is finished, of which without days that is recent."""
        since = queries.day_text(today - timedelta(days=self._client.options.list_days), self._client.version)
        return all_of(entity.finished, "" if query.during or query.due else f"{entity.finished_day} ge {since}")

    async def _headers(self, conditions: Mapping[DocumentEntity, str]) -> list[Header[DocumentKey]]:
        return [entity.header(row) for entity, row in await self._candidates(conditions, of=lambda entity: entity.head)]

    async def _headers_with_item(
        self, conditions: Mapping[DocumentEntity, str], query: ListQuery, today: date
    ) -> list[Header[DocumentKey]]:
        """Return the headers of documents that have a line of an item; drafts are few, and are read whole."""
        sku, start = query.product, today - timedelta(days=self._client.options.list_days)

        def heads(entity: DocumentEntity) -> str:
            return queries.heads_with_lines(entity, query, start, self._client.version)

        drafts = {entity: condition for entity, condition in conditions.items() if entity.drafts_of}
        others = [entity for entity in conditions if not entity.drafts_of]
        whole = await self._candidates(drafts)
        keys = await gather_or_cancel(
            *(self._client.keys_with_item(each.name, sku, where=heads(each)) for each in others)
        )
        reads = {
            entity: self._client.rows_each(
                entity.name, entity.key, part, select=entity.head, where=all_of(entity.where, conditions[entity])
            )
            for entity, part in zip(others, keys, strict=True)
        }
        holding = [(entity, row) for entity, row in whole if has_item(row, sku)]
        return [entity.header(row) for entity, row in (*await _found(reads), *holding)]

    async def _candidates(
        self,
        conditions: Mapping[DocumentEntity, str],
        *,
        of: Callable[[DocumentEntity], tuple[str, ...]] = lambda entity: entity.select,
    ) -> list[Found]:
        """Return the fields ``of`` entities of the documents that match their conditions."""
        reads = {
            entity: self._client.rows(
                entity.name,
                select=of(entity),
                where=all_of(entity.where, entity.current, condition),
                # An order that stays the same while pages are read.
                order=entity.key,
            )
            for entity, condition in conditions.items()
        }
        return await _found(reads)

    async def _find(self, entities: Sequence[DocumentEntity], number: str, *, generated: bool = False) -> Found:
        """Return the only document with a number; raises `NotFound`.

        With ``generated``, this includes a draft that became a document.
        """
        reads = {
            entity: self._client.rows(
                entity.name, select=entity.select, where=all_of(where, "" if generated else entity.current)
            )
            for entity in entities
            if (where := entity.spelled(number))
        }
        found = await _found(reads)
        if not found:
            raise NotFound(number, source=self.name)
        if len(found) > 1:
            exact = ", ".join(entity.exact(row) for entity, row in found)
            raise Invalid(f"several documents have this number: ask for one of {exact}", source=self.name)
        return found[0]

    async def _rows(self, keys: Sequence[DocumentKey]) -> list[Found]:
        parts: dict[DocumentEntity, list[int]] = {}
        for entity, key in keys:
            parts.setdefault(entity, []).append(key)
        reads = {
            entity: self._client.rows_each(entity.name, entity.key, part, select=entity.select, where=entity.where)
            for entity, part in parts.items()
        }
        return await _found(reads)

    async def _documents(
        self,
        kind: Kind[Any],
        found: Sequence[Found],
        *,
        whole: bool = False,
        requests: Mapping[DocumentKey, ApprovalRequest] | None = None,
    ) -> list[Any]:
        """Return the documents built from records and from related entities; only a single one is read as a whole.

        ``requests`` are those for approval, if they are known.
        """
        documents = await self._built(kind, found, whole=whole)
        if not any(entity.signature for entity, _ in found):
            return documents
        people = await self._names.people()
        signed = [
            replace(document, created_by=people.known(entity.signed_by(row)))
            for document, (entity, row) in zip(documents, found, strict=True)
        ]
        approvals = self._approvals.get(kind)
        if approvals is None:
            return signed
        if requests is None:
            requests = await approvals.requests([entity.key_of(row) for entity, row in found])
        return [
            self._mapper.reviewed(document, entity, row, requests.get(entity.key_of(row)), people)
            for document, (entity, row) in zip(signed, found, strict=True)
        ]

    async def _built(self, kind: Kind[Any], found: Sequence[Found], *, whole: bool) -> list[Any]:
        if kind == kinds.SALES_ORDERS:
            salespersons = await self._names.salespersons()
            return [self._mapper.order(entity, row, salespersons) for entity, row in found]
        if kind == kinds.PURCHASE_ORDERS:
            buyers = await self._names.salespersons()
            return [self._mapper.purchase_order(entity, row, buyers) for entity, row in found]
        if kind == kinds.PRODUCTION_ORDERS:
            return [self._mapper.production_order(row) for _, row in found]
        if kind == kinds.PAYMENTS:
            return list(await self._partners.payments(found, with_settled=whole))
        if kind == kinds.DELIVERIES:
            return list(await self._deliveries(found))
        if kind == kinds.RECEIPTS:
            return list(await self._receipts.read(found))
        if kind == kinds.BILLS:
            numbers = await self._order_numbers(queries.PURCHASES, PURCHASE_ORDER, found)
            return [self._mapper.bill(entity, row, numbers) for entity, row in found]
        numbers = await self._order_numbers(queries.ORDERS, SALES_ORDER, found)
        return [self._mapper.invoice(entity, row, numbers) for entity, row in found]

    async def _order_numbers(self, orders: DocumentEntity, kind: str, found: Sequence[Found]) -> Mapping[str, str]:
        """Return the numbers of the orders that documents were made from, by key; none if they may not be read."""
        keys = dict.fromkeys(key for _, row in found for key in base_keys(row, kind) if key.isdecimal())
        try:
            rows = await self._client.rows_each(
                orders.name, orders.key, [int(key) for key in keys], select=(orders.key, orders.number_field)
            )
        except NotPermitted:
            return {}
        return {code(row[orders.key]): orders.number(row) for row in rows}

    # Goods

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        """Return what was moved for an order, returns included, among what was moved for its partner since its day."""
        if kind == kinds.DELIVERIES:
            return await self._deliveries(await self._delivered(number))
        return await self._receipts.read(await self._received(number))

    async def _deliveries(self, found: Sequence[Found]) -> list[GoodsDelivery]:
        numbers = await self._order_numbers(queries.ORDERS, SALES_ORDER, found)
        sellers, carriers, warehouses = await gather_or_cancel(
            self._names.salespersons(), self._names.carriers(), self._names.warehouses()
        )
        names = DeliveryNames(sellers, carriers, warehouses)
        return [self._mapper.delivery(entity, row, numbers, names) for entity, row in found]

    async def _delivered(self, number: str) -> list[Found]:
        """Return the deliveries that were made from a sales order directly; raises `NotFound` for no such order."""
        made_from, order = await self._find(queries.ENTITIES[kinds.SALES_ORDERS], number)
        if made_from.drafts_of:
            return []
        key = code(order["DocEntry"])
        return [
            (entity, row)
            for entity, row in await self._moved(kinds.DELIVERIES, order)
            if key in base_keys(row, SALES_ORDER)
        ]

    async def _received(self, number: str) -> list[Found]:
        """Return what came in of a purchase order, and what went back; raises `NotFound` for no such order."""
        entity, order, _ = await self._record(kinds.PURCHASE_ORDERS, number)
        if entity.drafts_of:
            return []
        return received_of(code(order["DocEntry"]), await self._moved(kinds.RECEIPTS, order))

    async def _moved(self, kind: Kind[Any], order: Row) -> list[Found]:
        """Return what was moved for the partner of an order since its day."""
        since = day_of(order.get("DocDate"))
        where = all_of(
            queries.equals("CardCode", code(order.get("CardCode"))),
            f"DocDate ge {queries.day_text(since, self._client.version)}" if since else "",
        )
        reads = {
            entity: self._client.rows(entity.name, select=entity.select, where=all_of(entity.where, where))
            for entity in queries.ENTITIES[kind]
        }
        return await _found(reads)

    async def _headers_of_order(self, kind: Kind[Any], number: str) -> list[Header[DocumentKey]]:
        """Return the headers of what was moved for an order, which is found by its number, too."""
        read = self._received if kind == kinds.RECEIPTS else self._delivered
        try:
            found = await read(number) if number.strip() else []
        except (NotFound, NotPermitted, Invalid):
            return []
        return [replace(header, texts=(number,)) for header in (entity.header(row) for entity, row in found)]

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        """Return what is open of purchase orders, due with its order, and of production orders."""
        of_product = queries.spelled("ItemNo", query.sku) if query.sku else ""
        with malformed_is_invalid(self.name):
            bought, made = await gather_or_cancel(
                self._client.rows(
                    queries.PURCHASES.name,
                    select=queries.PURCHASES.select,
                    where=all_of(queries.PURCHASES.unfinished, queries.contains(("CardName",), query.vendor)),
                ),
                self._client.rows(
                    queries.PRODUCTION.name,
                    select=queries.PRODUCTION.select,
                    where=all_of(queries.PRODUCTION.unfinished, of_product),
                ),
            )
            found = [(queries.PURCHASES, row) for row in bought]
            orders = await self._documents(kinds.PURCHASE_ORDERS, found, requests={})
            return arrivals_of(orders, map(self._mapper.production_order, made), query)

    async def product(self, sku: str) -> ProductDetails:
        """Return the master data of an item; raises `NotFound`."""
        with malformed_is_invalid(self.name):
            return await self._items.details(checked_key(sku, source=self.name))

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        with malformed_is_invalid(self.name):
            return await self._items.short(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        with malformed_is_invalid(self.name):
            return await self._items.stored(query)

    # Deciding

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject with `bot.erp.deciding`; the originator generates the document from the approved draft."""
        requests: list[ApprovalRequest | None] = []

        async def read(number: str) -> Any:
            with malformed_is_invalid(self.name):
                document, request = await self._with_request(kind, checked_key(number, source=self.name))
            requests.append(request)
            return document

        def classify(before: ErpRecord, after: ErpRecord, decision: Decision) -> DecisionOutcome | None:
            first, last = requests[0], requests[-1]
            recorded = first is not None and last is not None and last.records(decision, first.stage)
            return outcome_of(before, after, decision, recorded=recorded)

        return await deciding.decide(decision, read=read, write=self._approvals[kind].decide, classify=classify)

    async def _with_request(self, kind: Kind[Any], number: str) -> tuple[Any, ApprovalRequest | None]:
        entity, row, request = await self._record(kind, number)
        requests = {entity.key_of(row): request} if request else {}
        return (await self._documents(kind, [(entity, row)], whole=True, requests=requests))[0], request

    async def _record(self, kind: Kind[Any], number: str) -> tuple[DocumentEntity, Row, ApprovalRequest | None]:
        """Return a document with its approval request; of a draft that became one, that document."""
        approvals = self._approvals[kind]
        entity, row = await self._find(queries.ENTITIES[kind], number, generated=True)
        key = entity.key_of(row)
        request = (await approvals.requests([key])).get(key)
        if request is not None and entity.drafts_of and request.document.isdecimal():
            for found in await self._rows([(approvals.approval.documents, int(request.document))]):
                entity, row = found
        return entity, row, request


async def _found(reads: Mapping[DocumentEntity, Awaitable[list[Row]]]) -> list[Found]:
    """Return the records of several entities, requested concurrently."""
    answers = await gather_or_cancel(*reads.values())
    return [(entity, row) for entity, rows in zip(reads, answers, strict=True) for row in rows]


def outcome_of(before: ErpRecord, after: ErpRecord, decision: Decision, *, recorded: bool) -> DecisionOutcome | None:
    """Return the outcome of a decision; ``recorded`` says that the person's line of the request shows it.

    A stage may require several people, so it may still be waiting after the first.
    """
    review = review_of(after)
    if recorded and review.waits:
        return DecisionOutcome.MORE_APPROVALS_NEEDED
    if recorded:
        # If two decisions share a second, the last one is unknown.
        decided = replace(review, approval=replace(review.progress, decided_by=decision.by))
        after = replace(after, review=decided)  # type: ignore[call-arg]  # a kind that is decided
    return deciding.outcome_of(before, after, decision)
