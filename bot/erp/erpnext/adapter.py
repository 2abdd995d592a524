"""Adapter for ERPNext.

Docs: platform/erp/erpnext.md
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp import kinds, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.document_erp import DocumentErp
from bot.erp.erpnext import documents, partners
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.changes import read_changes
from bot.erp.erpnext.client import Account, ErpNextClient, ListRequest, Row, pattern
from bot.erp.erpnext.decisions import PurchaseApprovals, WorkflowActions
from bot.erp.erpnext.goods import ErpNextGoods
from bot.erp.erpnext.lots import read_lots
from bot.erp.erpnext.mapping import Site, number
from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.erpnext.query import DocumentQuery
from bot.erp.erpnext.receipts import RECEIPT, ErpNextReceipts
from bot.erp.erpnext.stock import read_places, stock_level
from bot.erp.erpnext.users import read_users
from bot.erp.errors import CompanyNotChosen, Invalid, NotFound, NotPermitted
from bot.erp.expiring import COMPANIES_HOLD, ExpiringValue
from bot.erp.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.goods_port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.http import Http
from bot.erp.keys import checked_key
from bot.erp.kinds import D, Kind
from bot.erp.listing import read_page
from bot.erp.model import (
    Changes,
    Customer,
    Decision,
    DecisionOutcome,
    DecisionResult,
    ErpRecord,
    ErpUser,
    Feed,
    Followed,
    InvoiceRecord,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.port import Capability, ListQuery
from bot.erp.setup import SetupProblem, approver_problems, no_company
from bot.erp.vendors import AdapterContext

_SEARCHED = 500
"""How many hits of a search are ranked; an exact code is always included."""

_ALIKE = 5
"""How many names that differ only in case or accents are compared."""

_READING = frozenset(Capability)
_DECIDING = frozenset({Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK})


class ErpNextErp(DocumentErp):
    """One ERPNext site."""

    feeds = frozenset(Feed)
    narrows_lists = True

    def __init__(
        self,
        context: AdapterContext,
        options: ErpNextOptions,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(context.name)
        self.capabilities = _capabilities(options, decides=bool(options.approvers) or context.keys.is_offered)
        self._now = context.now
        self._options = options
        self._http = Http(options, now=context.now, source=self.name)
        self._frappe = ErpNextClient(self._http, Account(options.key, options.secret.get_secret_value()))
        self._known_site = ExpiringValue(self._read_site, now=context.now)
        self._companies = ExpiringValue(self._read_companies, now=context.now, holds=COMPANIES_HOLD)
        self._approvals = PurchaseApprovals(
            self._frappe,
            site=self._site,
            source=self.name,
            approvers={
                user: Account(pair.key, pair.secret.get_secret_value()) for user, pair in options.approvers.items()
            },
            keys=context.keys,
            actions=WorkflowActions(options.approve_action, options.reject_action) if options.workflow else None,
            now=context.now,
            sleep=sleep,
        )

        self._goods = ErpNextGoods(
            self._frappe,
            site=self._site,
            company=options.company,
            source=self.name,
            now=context.now,
            complete=self._whole_products,
        )
        self._receipts = ErpNextReceipts(
            self._frappe,
            site=self._site,
            company=options.company,
            now=context.now,
            names_of=self._approvals.names_of,
        )

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products; variant templates and disabled items are left out."""
        site = await self._site()
        rows, codes = await self._hits(text) if text else (await self._frappe.rows(queries.items(), limit=limit), {})
        found = [site.read(documents.product, row, codes.get(row["name"], "")) for row in rows]
        found = await self._with_variants(rows, found)
        return await self._with_barcodes(listing.find_products(found, text, limit=limit))

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return items that are neither disabled nor templates of variants, by their codes."""
        site = await self._site()
        rows = await self._frappe.rows(queries.items(names=list(skus)))
        found = await self._with_variants(rows, [site.read(documents.product, row) for row in rows])
        return await self._with_barcodes(found)

    async def _with_variants(self, rows: Sequence[Row], found: Sequence[Product]) -> list[Product]:
        """Return products with the values that make some of them a variant, such as their colour."""
        names = [str(row["name"]) for row in rows if row.get("variant_of")]
        values = await self._children("Item", "Item Variant Attribute", "attribute_value", names)
        return [
            replace(product, spec=documents.with_variant(product.spec, documents.joined(values.get(product.sku, ()))))
            for product in found
        ]

    async def _whole_products(self, rows: Sequence[Row], found: Sequence[Product]) -> Sequence[Product]:
        return await self._with_barcodes(await self._with_variants(rows, found))

    async def _with_barcodes(self, products: Sequence[Product]) -> tuple[Product, ...]:
        barcodes = await self._children("Item", "Item Barcode", "barcode", [product.sku for product in products])
        return tuple(replace(product, barcode=next(iter(barcodes.get(product.sku, ())), "")) for product in products)

    async def _hits(self, text: str) -> tuple[list[Row], dict[str, str]]:
        """Return items by code, name, spec or barcode, and the matching barcodes by item."""
        rows, barcode_rows, variant_rows = await gather_or_cancel(
            self._frappe.rows(queries.items(text), limit=_SEARCHED),
            self._frappe.rows(queries.barcodes(text), limit=_SEARCHED),
            self._frappe.rows(queries.variants(text), limit=_SEARCHED),
        )
        codes = {str(row["parent"]): str(row["barcode"]) for row in barcode_rows if row.get("barcode")}
        hits = codes.keys() | {str(row["parent"]) for row in variant_rows}
        missing = sorted(hits - {row["name"] for row in rows})
        if len(rows) == _SEARCHED:
            missing.append(text)
        if missing:
            rows += await self._frappe.rows(queries.items(names=missing))
        return list({row["name"]: row for row in rows}.values()), codes

    async def stock(self, sku: str) -> StockLevel:
        site, item = await self._site(), await self._document("Item", checked_key(sku, source=self.name))
        level, places = await self._level(item)
        return replace(level, lots=await read_lots(self._frappe, item, places, site))

    async def _level(self, item: Row) -> tuple[StockLevel, Container[str]]:
        """Return the stock of an item without its lots, and the warehouses that count."""
        site = await self._site()
        item, bins, places = await read_places(self._frappe, item, self._options.company)
        return site.read(stock_level, item, bins, places, self._now()), places

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        if kind == kinds.DELIVERIES:
            delivered: Any = (await self._site()).read(
                documents.delivery, await self._document("Delivery Note", number)
            )
            return cast(D, delivered)
        if kind == kinds.RECEIPTS:
            receipt: Any = await self._receipts.read([await self._document(RECEIPT, number)])
            if not receipt:
                raise NotFound(number, source=self.name)
            return cast(D, receipt[0])
        site, document_query = await self._site(), await self._kind(kind)
        row = await self._document(document_query.doctype, number)
        if not document_query.is_meant(row):
            raise NotFound(number, source=self.name)
        found: Sequence[D] = await self._completed(kind, [site.read(document_query.read, row)])
        return found[0]

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return documents with their lines, in a few requests however many there are."""
        kind = kinds.kind_followed(area)
        if kind == kinds.DELIVERIES:
            return await self._goods.deliveries_named(numbers)
        site, document_query, wanted = await self._site(), await self._kind(kind), frozenset(numbers)
        # MariaDB compares without regard to case.
        named = await self._frappe.rows(document_query.named(list(numbers), self._options.company))
        rows = [row for row in named if row["name"] in wanted and document_query.is_meant(row)]
        whole = await self._with_tables(document_query, rows)
        found = [site.read(document_query.read, row) for row in whole]
        return await self._completed(kind, await self._with_child(document_query, found))

    async def _with_tables(self, document_query: DocumentQuery[Any], rows: Sequence[Row]) -> list[Row]:
        """Return documents with their lines, which lists do not contain."""
        if not rows:
            return []
        names = [row["name"] for row in rows]
        asked = [self._frappe.rows(table.rows_of(document_query.doctype, names)) for table in document_query.tables]
        read = await gather_or_cancel(*asked)
        lines: dict[tuple[str, str], list[Row]] = {}
        for table, found in zip(document_query.tables, read, strict=True):
            for line in found:
                lines.setdefault((line["parent"], table.name), []).append(line)
        return [
            {**row, **{table.name: lines.get((row["name"], table.name), []) for table in document_query.tables}}
            for row in rows
        ]

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if kind == kinds.DELIVERIES:
            listed: Any = await self._goods.deliveries(query)
            return cast(Slice[D], listed)
        if kind == kinds.RECEIPTS:
            received: Any = await self._receipts.listed(query)
            return cast(Slice[D], received)
        found = await self._slice(await self._kind(kind), query)
        return replace(found, items=await self._completed(kind, found.items))

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        """Return the master data of an item."""
        item = await self._document("Item", checked_key(sku, source=self.name))
        level, _ = await self._level(item)
        return await self._goods.details(item, level.reorder_point)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        """Return what an item costs."""
        item = await self._document("Item", checked_key(sku, source=self.name))
        return await self._goods.prices(item, customer, await self._approvals.workflow())

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        try:
            sku = (await self._document("Item", query.sku))["name"] if query.sku else ""
        except NotFound:
            return Slice(items=(), total=0)
        return await self._goods.arrivals(query, sku, await self._approvals.workflow())

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        """Return the Delivery Notes of a Sales Order, or the Purchase Receipts of a Purchase Order."""
        if kind == kinds.DELIVERIES:
            return await self._goods.deliveries_of(str((await self._document("Sales Order", number))["name"]))
        return await self._receipts.of_order(str((await self._document("Purchase Order", number))["name"]))

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        return await self._goods.warehouse_stock(query)

    async def _kind(self, kind: Kind[D]) -> DocumentQuery[D]:
        document_query: DocumentQuery[Any] = (
            queries.purchase_orders(await self._approvals.workflow())
            if kind == kinds.PURCHASE_ORDERS
            else queries.KINDS[kind]
        )
        return document_query

    async def _slice(self, document_query: DocumentQuery[Any], query: ListQuery) -> Slice[Any]:
        """Return part of a list, cut by Frappe or, for filters that Frappe lacks, cut here."""
        site = await self._site()
        today = query.day(site.local(self._now()).date())
        lookup = document_query.lookup(query, today, self._options.company)
        if query.product:
            return await self._of_product(document_query, lookup, query, site)
        if not document_query.is_exact(query):
            rows = await self._frappe.rows(lookup)
            found = document_query.listing.pick([site.read(document_query.read, row) for row in rows], query, today)
        else:
            page = self._frappe.rows(lookup, start=query.offset, limit=query.limit)
            rows, total = await read_page(query, page, lambda: self._frappe.count(lookup))
            found = Slice(items=tuple(site.read(document_query.read, row) for row in rows), total=total)
        return replace(found, items=await self._with_child(document_query, found.items))

    async def _of_product(
        self, document_query: DocumentQuery[Any], lookup: ListRequest, query: ListQuery, site: Site
    ) -> Slice[Any]:
        """Return part of the list of documents with a row of one Item, with these rows."""
        try:
            item = str((await self._document("Item", query.product))["name"])
        except NotFound:
            return Slice(items=(), total=0)
        lookup = document_query.of_product(lookup, item)
        if document_query.is_exact(query):
            rows, total = await read_page(
                query,
                self._frappe.distinct_rows(lookup, start=query.offset, limit=query.limit),
                lambda: self._frappe.count(lookup),
            )
        else:
            every = {str(row["name"]): row for row in await self._frappe.rows(lookup)}
            read = [site.read(document_query.read, row) for row in every.values()]
            picked = document_query.listing.pick(
                read, replace(query, product=""), query.day(site.local(self._now()).date())
            )
            rows, total = [every[document.number] for document in picked.items], picked.total
        table, lines = document_query.tables[0], dict[str, list[Row]]()
        if rows:
            asked = table.rows_of(document_query.doctype, [str(row["name"]) for row in rows], item=item)
            for line in await self._frappe.rows(asked):
                lines.setdefault(str(line["parent"]), []).append(line)
        whole = [{**row, table.name: lines.get(str(row["name"]), [])} for row in rows]
        found = [site.read(document_query.read, row) for row in whole]
        return Slice(items=await self._with_child(document_query, found), total=total)

    async def _with_child(self, document_query: DocumentQuery[Any], found: Sequence[Any]) -> tuple[Any, ...]:
        """Return documents completed from their child table."""
        child = document_query.child
        if child is None:
            return tuple(found)
        values = await self._children(
            document_query.doctype, child.doctype, child.field, [document.number for document in found]
        )
        return tuple(
            replace(document, **{child.into: documents.joined(values.get(document.number, ()))}) for document in found
        )

    async def _completed(self, kind: Kind[Any], found: Sequence[Any]) -> tuple[Any, ...]:
        """Return documents with what others tell of them: approvals, credit notes, credit limits."""
        if kind == kinds.PURCHASE_ORDERS:
            return await self._approvals.complete(found)
        if kind in (kinds.INVOICES, kinds.BILLS):
            return await self._with_reversals(queries.KINDS[kind].doctype, found)
        return await self._with_credit_limits(found) if kind == kinds.CUSTOMERS else tuple(found)

    async def _with_reversals(self, doctype: str, found: Sequence[InvoiceRecord]) -> tuple[InvoiceRecord, ...]:
        """Return invoices, those that credit notes settled alone marked; their status only says that some did."""
        credited = [invoice.number for invoice in found if documents.is_credited(invoice)]
        if not credited:
            return tuple(found)
        taken_off: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in await self._frappe.rows(queries.credit_notes(doctype, credited)):
            taken_off[str(row["return_against"])] += abs(number(row.get("grand_total")) or Decimal(0))
        return tuple(
            replace(invoice, is_reversed=documents.is_reversed_by(invoice, taken_off[invoice.number]))
            for invoice in found
        )

    async def _with_credit_limits(self, customers: Sequence[Customer]) -> tuple[Customer, ...]:
        if not customers:
            return ()
        currencies = await self._companies.value()
        if not currencies:
            return tuple(customers)
        limits: dict[str, list[Row]] = {}
        for row in await self._frappe.rows(queries.credit_limits([customer.code for customer in customers])):
            limits.setdefault(str(row["parent"]), []).append(row)
        return tuple(
            replace(
                customer,
                credit_limit=partners.credit_limit(limits.get(customer.code, ()), self._options.company, currencies),
            )
            for customer in customers
        )

    async def _read_companies(self) -> Mapping[str, str]:
        """Return the currency of each company that the account sees, unknown where it may not read companies."""
        try:
            rows = await self._frappe.rows(queries.companies())
        except NotPermitted:
            return dict.fromkeys(await self._companies_of_warehouses(), "")
        return {str(row["name"]): str(row.get("default_currency") or "") for row in rows}

    async def _companies_of_warehouses(self) -> list[str]:
        """Return the companies of the warehouses, which the bot may read for their stock."""
        if self._options.company:
            return []
        try:
            rows = await self._frappe.rows(ListRequest("Warehouse", ("company",)))
        except NotPermitted as error:
            raise Invalid("the account may not read what companies there are: set one", source=self.name) from error
        return [str(row["company"]) for row in rows]

    # Decisions, changes, the source itself

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject, and add the reason as a comment."""
        capability = Capability.APPROVE if decision.verdict is Verdict.APPROVE else Capability.REJECT
        if capability not in self.capabilities:
            return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, order=None)
        return await self._approvals.decide(decision, read=self.purchase_order)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        site, company = await self._site(), self._options.company
        return await read_changes(self._frappe, site, company, area, cursor, limit=limit)

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the users of the desk, with the numbers of employees where the bot may read them."""
        return await read_users(self._frappe)

    async def check(self) -> None:
        """Read the account's own name and whatever the configuration relies on."""
        await self._frappe.call("frappe.auth.get_logged_user")
        await self._site()
        if Capability.APPROVE in self.capabilities:
            await self._approvals.check()

    async def setup_problems(self) -> list[SetupProblem]:
        """Look for the company, and for the owner of each approver's key."""
        found: list[SetupProblem] = []
        if self._options.company and not await self._company_exists():
            found.append(no_company(self._options.company, (), self.name))
            return found
        return await approver_problems(list(self._options.approvers), self._owner_of_configured, self.name)

    async def _company_exists(self) -> bool:
        company = self._options.company
        try:
            return bool(await self._frappe.rows(ListRequest("Company", ("name",), [("name", "=", company)]), limit=1))
        except NotPermitted:
            # Each company has its warehouses, which the bot may read for their stock.
            request = ListRequest("Warehouse", ("name",), [("company", "=", company)])
            return bool(await self._frappe.rows(request, limit=1))

    async def _owner_of_configured(self, user: str) -> str:
        pair = self._options.approvers[user]
        return await self._owner(Account(pair.key, pair.secret.get_secret_value()))

    async def owner_of_key(self, account: str, key: SecretStr) -> str:
        """Return the user that a key pair belongs to, ``key:secret``."""
        return await self._owner(Account.of_pair(key))

    async def _owner(self, account: Account) -> str:
        return str(await self._frappe.call("frappe.auth.get_logged_user", account))

    async def close(self) -> None:
        await self._http.close()

    # Parts

    async def _site(self) -> Site:
        """Return the site, of which one company is told.

        Raises `CompanyNotChosen` where the settings name none of several.
        """
        if not self._options.company and len(companies := await self._companies.value()) > 1:
            raise CompanyNotChosen({name: name for name in companies}, source=self.name)
        return await self._known_site.value()

    async def _read_site(self) -> Site:
        """Return the site with its time zone, which any user may read."""
        name = self._options.time_zone or await self._zone_name()
        try:
            zone = ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise Invalid(f"the site's time zone {name!r} is unknown: set time_zone", source=self.name) from error
        return Site(zone, source=self.name, url=self._options.url)

    async def _zone_name(self) -> str:
        answer = await self._frappe.call("frappe.client.get_time_zone")
        return str(answer.get("time_zone") or "") if isinstance(answer, dict) else ""

    async def _document(self, doctype: str, name: str) -> Row:
        """Return a document by its name, ignoring case; raises `NotFound` if it belongs to another company."""
        try:
            document = await self._frappe.document(doctype, name)
        except NotFound:
            spelling = await self._spelling(doctype, name)
            if spelling is None:
                raise
            document = await self._frappe.document(doctype, spelling)
        # Databases match “é” for “e”.
        same = str(document["name"]).casefold() == name.casefold()
        if not same or not self._is_ours(document):
            raise NotFound(name, source=self.name)
        return document

    async def _spelling(self, doctype: str, name: str) -> str | None:
        """Return the exact spelling of a name: MariaDB ignores case, PostgreSQL does not."""
        if not name.strip() or name.upper() == name.lower():
            return None
        lookup = ListRequest(doctype, ("name",), [("name", "like", pattern(name)[1:-1])])
        names = [str(row["name"]) for row in await self._frappe.rows(lookup, limit=_ALIKE)]
        return next((known for known in names if known.casefold() == name.casefold()), None)

    def _is_ours(self, document: Row) -> bool:
        company = document.get("company")
        return not self._options.company or company is None or company == self._options.company

    async def _children(self, doctype: str, child: str, field: str, names: Sequence[str]) -> dict[str, list[str]]:
        """Return a field of the child table of several documents, which lists do not contain."""
        found: dict[str, list[str]] = {}
        if names:
            for row in await self._frappe.rows(queries.children(doctype, child, field, names)):
                # Frappe leaves out fields that the account's role may not read.
                if row.get(field):
                    found.setdefault(str(row["parent"]), []).append(str(row[field]))
        return found


def _capabilities(options: ErpNextOptions, *, decides: bool) -> frozenset[Capability]:
    if not decides:
        return _READING - _DECIDING
    # Without a Workflow, no state of a draft means that it was rejected.
    return _READING if options.workflow else _READING - {Capability.REJECT}
