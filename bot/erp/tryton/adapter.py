"""Adapter for Tryton.

Docs: platform/erp/tryton.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp import deciding, kinds, listing
from bot.erp.document_erp import DocumentErp, DocumentReader, read_each
from bot.erp.errors import NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.header_lists import as_listed
from bot.erp.http import Http
from bot.erp.keys import checked_key, escape_like, pick_by_key, spelled_alike
from bot.erp.kinds import D, Kind
from bot.erp.listing import read_page
from bot.erp.model import (
    Changes,
    Decision,
    DecisionResult,
    ErpRecord,
    ErpUser,
    Feed,
    Followed,
    Payment,
    Product,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import COMMON, ListQuery
from bot.erp.setup import SetupProblem, approver_problems, no_company, no_language
from bot.erp.tryton import documents, goods, partners
from bot.erp.tryton.changes import read_changes
from bot.erp.tryton.client import Account, Domain, Row, TrytonClient, at, containing
from bot.erp.tryton.decisions import APPROVALS, ModelApprovals
from bot.erp.tryton.lots import LotReader
from bot.erp.tryton.options import TrytonOptions
from bot.erp.tryton.query import KINDS, DocumentQuery, decided
from bot.erp.tryton.receipts import TrytonGoodsReceipts
from bot.erp.tryton.stock import read_places, read_reorder_point, total_of
from bot.erp.tryton.users import read_users
from bot.erp.values import malformed_is_invalid
from bot.erp.vendors import AdapterContext

_TWINS = 50
"""How many records whose numbers differ only in case are compared."""
_RANKED = 200
"""How many products a search ranks, in addition to those that match exactly."""


class TrytonErp(DocumentErp):
    """One database. People decide with their own accounts if configured, else with the bot's."""

    capabilities = COMMON
    feeds = frozenset({Feed.BILLS, Feed.PAYMENTS, Feed.DELIVERIES})
    narrows_lists = True

    def __init__(self, context: AdapterContext, options: TrytonOptions) -> None:
        super().__init__(context.name)
        self._now, self._options = context.now, options
        self._zone = ZoneInfo(options.timezone)
        self._http = Http(options, now=context.now, source=self.name)
        client = TrytonClient(options, self._http)
        self._client, self._keys = client, context.keys
        self._account = Account(client, options.user, options.password)
        self._configured = {user: Account(client, user, password) for user, password in options.approvers.items()}
        self._own: dict[str, Account] = {}
        self.decides = dict.fromkeys(options.decides, frozenset(Verdict))
        more = map(kinds.decided_kind, options.decides)
        self._approvals = {
            kind: ModelApprovals(
                self._account,
                APPROVALS[kind],
                self._approvers,
                for_others=options.user if options.decide_as_bot else None,
                source=self.name,
            )
            for kind in (kinds.PURCHASE_ORDERS, *more)
        }
        self._queries = {**KINDS, **{kind: decided(KINDS[kind], APPROVALS[kind]) for kind in self._approvals}}
        web = f"{options.web_url.rstrip('/')}/#{quote(options.database)}/model" if options.web_url else ""
        self._site = documents.TrytonSite(source=self.name, web=web)
        self._goods = goods.TrytonGoods(self._account, self._site, now=context.now, today=self._today)
        self._lots = LotReader(self._account, now=context.now)
        self._receipts = TrytonGoodsReceipts(self._account, self._site, self._lots)
        self._readers: dict[Kind[Any], DocumentReader] = {
            kinds.SALES_ORDERS: self._sales,
            kinds.INVOICES: read_each(documents.invoice, self._site),
            kinds.PURCHASE_ORDERS: self._purchases,
            kinds.PRODUCTION_ORDERS: read_each(documents.production, self._site),
            kinds.CUSTOMERS: read_each(partners.customer, self._site),
            kinds.VENDORS: read_each(partners.vendor, self._site),
            kinds.BILLS: read_each(partners.bill, self._site),
            kinds.PAYMENTS: self._payments,
        }
        self._readers |= {
            kind: partial(self._reviewed, self._readers[kind], self._approvals[kind])
            for kind in self._approvals
            if kind != kinds.PURCHASE_ORDERS
        }

    async def check(self) -> None:
        """Log in and read the account's preferences."""
        with malformed_is_invalid(self.name):
            await self._account.read("res.user", "get_preferences", True)

    async def setup_problems(self) -> list[SetupProblem]:
        """Look for the company and the language, and log in as each approver."""
        with malformed_is_invalid(self.name):
            found = await self._company_problems() or await self._language_problems()
        if found:
            return found
        return await approver_problems(list(self._configured), self._owner_of_configured, self.name)

    async def _company_problems(self) -> list[SetupProblem]:
        company, shown = self._options.company, await self._account.companies()
        if company is None or company in shown:
            return []
        return [no_company(company, [str(each) for each in shown], self.name)]

    async def _language_problems(self) -> list[SetupProblem]:
        language = self._options.language
        loaded: Domain = [["code", "=", language], ["translatable", "=", True]]
        if not language or await self._account.search("ir.lang", loaded, ("code",), limit=1):
            return []
        return [no_language(language, self.name)]

    async def _owner_of_configured(self, login: str) -> str:
        await self._configured[login].read("res.user", "get_preferences", True)
        return login

    async def owner_of_key(self, account: str, key: SecretStr) -> str:
        """Return the login that a password opens; it opens no other."""
        with malformed_is_invalid(self.name):
            await Account(self._client, account, key).read("res.user", "get_preferences", True)
        return account

    async def _approvers(self) -> Mapping[str, Account]:
        """Return the accounts of those who decide: with their own passwords, or else the configured ones."""
        own = await self._keys.keys_of(self.name)
        # An account with the same password keeps its session.
        self._own = {
            user: known
            if (known := self._own.get(user)) is not None and known.is_of(password)
            else Account(self._client, user, password)
            for user, password in own.items()
        }
        return {**self._configured, **self._own}

    async def close(self) -> None:
        """Close connections; Tryton ends idle sessions itself."""
        await self._http.close()

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Press a button of a document; the reason becomes a note on it."""
        return await deciding.decide(decision, read=partial(self.document, kind), write=self._approvals[kind].write)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return changes by time; the stock of a product changes with each of its moves."""
        with malformed_is_invalid(self.name):
            return await read_changes(self._account, area, cursor, limit=limit)

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the active users."""
        with malformed_is_invalid(self.name):
            return await read_users(self._account)

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name or identifiers contain the text."""
        same = ["OR", ["code", "ilike", escape_like(text)], ["identifiers.code", "ilike", escape_like(text)]]
        with malformed_is_invalid(self.name):
            exact, part = await asyncio.gather(
                self._products([same], _TWINS if text else 0),
                self._products(containing(text, ("code", "template.name", "identifiers.code")), max(limit, _RANKED)),
            )
            found = {row["id"]: documents.product(row) for row in (*exact, *part)}
        return listing.find_products(found.values(), text, limit=limit)

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return active products by their codes."""
        with malformed_is_invalid(self.name):
            rows = await self._products([["code", "in", list(skus)]], _TWINS * len(skus))
            return tuple(map(documents.product, rows))

    async def stock(self, sku: str) -> StockLevel:
        """Return the figures of every warehouse; the available quantity is Tryton's forecast for the end of today."""
        sku = checked_key(sku, source=self.name)
        with malformed_is_invalid(self.name):
            row = await self._product_row(sku, documents.PRODUCT)
            digits = at(row, "default_uom.digits")
            found, reorder_point, in_lots = await asyncio.gather(
                read_places(self._account, row["id"], digits, today=self._today()),
                read_reorder_point(self._account, row["id"], digits),
                self._lots.has_lots(row["id"]),
            )
            places = tuple(found.values())
            return StockLevel(
                product=replace(documents.product(row), is_active=bool(row["active"])),
                total=total_of(places),
                per_warehouse=places,
                reorder_point=reorder_point,
                as_of=self._now(),
                source=self.name,
                lots=await self._lots.read(row["id"], found, digits) if in_lots else (),
            )

    async def _products(self, domain: Domain, limit: int, fields: Sequence[str] = documents.PRODUCT) -> list[Row]:
        domain = [["code", "!=", None], *domain]
        return await self._account.search(
            "product.product", domain, fields, order=[["code", "ASC"], ["id", "ASC"]], limit=limit
        )

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        with malformed_is_invalid(self.name):
            row = await self._product_row(sku)
            digits = at(row, "default_uom.digits")
            return await self._goods.details(row, await read_reorder_point(self._account, row["id"], digits))

    async def prices(self, sku: str, *, customer: str) -> Prices:
        with malformed_is_invalid(self.name):
            return await self._goods.prices(await self._product_row(sku), customer)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        with malformed_is_invalid(self.name):
            try:
                row = await self._product_row(query.sku) if query.sku else None
            except NotFound:
                return Slice(items=(), total=0)
            return await self._goods.arrivals(query, row)

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        if kind == kinds.DELIVERIES:
            return await self._goods.deliveries_of(number)
        return await self._receipts.receipts_of(number)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        with malformed_is_invalid(self.name):
            return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        with malformed_is_invalid(self.name):
            return await self._goods.warehouse_stock(query)

    async def _product_row(self, sku: str, fields: Sequence[str] = goods.PRODUCT) -> Row:
        """Return a product, in use rather than not, with what is told of goods; raises `NotFound`."""
        sku = checked_key(sku, source=self.name)
        named: Domain = [["code", "ilike", escape_like(sku)], ["active", "in", [True, False]]]
        rows = sorted(await self._products(named, _TWINS, fields), key=lambda row: not row["active"])
        return self._first(rows, sku, lambda row: str(row["code"]))

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        """Return the document with this number, ignoring case; ``(id)`` names one without a number."""
        if kind == kinds.DELIVERIES:
            shipment: Any = await self._goods.delivery(number)
            return shipment  # type: ignore[no-any-return]  # what this kind is
        if kind == kinds.RECEIPTS:
            receipt: Any = await self._receipts.receipt(number)
            return receipt  # type: ignore[no-any-return]  # what this kind is
        document_query: DocumentQuery = self._queries[kind]
        fields = (*document_query.fields, *document_query.line_fields)
        domain: Domain = document_query.domain_called(number)
        if kind in partners.SIDES:
            domain = [*domain, ["active", "in", [True, False]]]
        rows = await self._account.search(document_query.model, domain, fields, limit=_TWINS)
        row = (
            self._payment_line(rows, number)
            if kind == kinds.PAYMENTS
            else self._first(rows, number, document_query.called)
        )
        if kind in partners.SIDES and not await partners.is_on(self._account, partners.SIDES[kind], row["id"]):
            raise NotFound(number, source=self.name)
        found: Sequence[D] = await self._readers[kind]([row], True)
        return found[0]

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return documents with their lines by their numbers, those without a number by their ids."""
        kind = kinds.kind_followed(area)
        self._check_offered(kind)
        if kind == kinds.DELIVERIES:
            with malformed_is_invalid(self.name):
                return await self._goods.deliveries_named(numbers)
        if kind not in self._queries:
            self._refuse(kind.capability)
        document_query, wanted = self._queries[kind], frozenset(numbers)
        fields = (*document_query.fields, *document_query.line_fields)
        with malformed_is_invalid(self.name):
            rows = await self._account.search(document_query.model, document_query.domain_of_all(numbers), fields)
            called = {document_query.called(row): row for row in reversed(rows)}
            return tuple(await self._readers[kind]([row for name, row in called.items() if name in wanted], True))

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if kind == kinds.DELIVERIES:
            shipments: Slice[Any] = await self._goods.deliveries(query)
            return shipments
        if kind == kinds.RECEIPTS:
            received: Slice[Any] = await self._receipts.receipts(query)
            return received
        document_query: DocumentQuery = self._queries[kind]
        if not document_query.has(query):
            return Slice(items=(), total=0)
        domain: Domain = document_query.domain_of(query, query.day(self._today()))
        if kind in partners.SIDES:
            domain = [*domain, ["id", "in", await partners.read_parties(self._account, partners.SIDES[kind])]]
        if not document_query.is_exact(query):
            rows = await self._account.search(document_query.model, domain, document_query.fields)
            candidates: Sequence[D] = await self._readers[kind](rows, False)
            return kind.pick(candidates, query, query.day(self._today()))
        page, total = await self._page(document_query, query, domain)
        found: Sequence[D] = await self._readers[kind](page, bool(query.product))
        return Slice(items=tuple(as_listed(document, query) for document in found), total=total)

    async def _page(self, document_query: DocumentQuery, query: ListQuery, domain: Domain) -> tuple[list[Row], int]:
        if query.filter in document_query.unsorted:
            return await self._page_by_days(document_query, query, domain)
        order = document_query.order_of(query)
        fields = (*document_query.fields, *(document_query.line_fields if query.product else ()))
        rows = self._account.search(
            document_query.model, domain, fields, order=order, offset=query.offset, limit=query.limit
        )
        return await read_page(query, rows, lambda: self._account.count(document_query.model, domain))

    async def _page_by_days(
        self, document_query: DocumentQuery, query: ListQuery, domain: Domain
    ) -> tuple[list[Row], int]:
        """Return a page, newest first, for which the days of all are read, and of what it shows the rest."""
        day = document_query.day_in(query.filter)
        heads = await self._account.search(document_query.model, domain, (document_query.number, day))
        heads.sort(key=document_query.called)
        heads.sort(key=lambda head: head[day] or date.min, reverse=True)
        shown = [head["id"] for head in heads[query.offset : query.offset + query.limit]]
        if not shown:
            return [], len(heads)
        rows = await self._account.search(document_query.model, [["id", "in", shown]], document_query.fields)
        return sorted(rows, key=lambda row: shown.index(row["id"])), len(heads)

    def _first(self, rows: list[Row], number: str, key: Callable[[Row], str]) -> Row:
        """Return the row whose key equals ``number``, preferably in the same case; raises `NotFound`."""
        found = spelled_alike(rows, number, key)
        if not found:
            raise NotFound(number, source=self.name)
        return found[0]

    def _payment_line(self, rows: list[Row], number: str) -> Row:
        """Return a payment's line. Moves are numbered anew each fiscal year: one of several would be a guess."""
        if rows and partners.line_of_several(number):
            return rows[0]
        return pick_by_key(rows, number, partners.payment_number, source=self.name)

    async def _sales(self, rows: list[Row], with_lines: bool) -> list[SalesOrder]:
        return [documents.sale(row, self._site, lines=with_lines) for row in rows]

    async def _purchases(self, rows: list[Row], with_lines: bool) -> list[PurchaseOrder]:
        reviews = await self._approvals[kinds.PURCHASE_ORDERS].read(rows)
        return [documents.purchase(row, self._site, reviews[row["id"]], lines=with_lines) for row in rows]

    async def _reviewed(
        self, reader: DocumentReader, approvals: ModelApprovals, rows: list[Row], with_lines: bool
    ) -> list[Any]:
        """Return documents as ``reader`` does, with their reviews."""
        found, reviews = await asyncio.gather(reader(rows, with_lines), approvals.read(rows))
        return [replace(document, review=reviews[row["id"]]) for document, row in zip(found, rows, strict=True)]

    async def _payments(self, rows: list[Row], with_lines: bool) -> list[Payment]:
        invoices = await self._reconciled(rows) if with_lines else {}
        return [partners.payment(row, self._site, settled=with_lines, invoices=invoices) for row in rows]

    async def _reconciled(self, rows: list[Row]) -> Mapping[int, str]:
        """Return the numbers of the invoices that payments were reconciled with, by their ids."""
        ids = sorted({key for row in rows for key in partners.reconciled_invoices(row)})
        if not ids:
            return {}
        return partners.numbers_by_id(await self._account.search("account.invoice", [["id", "in", ids]], ("number",)))

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()
