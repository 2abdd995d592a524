"""Adapter for Odoo.

Docs: platform/erp/odoo.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp import deciding, kinds, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.document_erp import DocumentErp, DocumentReader, read_each
from bot.erp.errors import Ambiguous, ErpError, NotFound, NotPermitted, Unsupported
from bot.erp.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.goods_port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.header_lists import as_listed
from bot.erp.keys import checked_key, pick_by_key
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
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
)
from bot.erp.odoo import documents, mapping, partners, stock
from bot.erp.odoo import query as queries
from bot.erp.odoo.changes import read_changes
from bot.erp.odoo.client import Account, OdooClient, Row
from bot.erp.odoo.decisions import PurchaseApprovals
from bot.erp.odoo.goods import OdooGoods
from bot.erp.odoo.options import OdooOptions
from bot.erp.odoo.query import Condition, DocumentQuery
from bot.erp.odoo.receipts import OdooReceipts
from bot.erp.odoo.users import read_users
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.setup import SetupProblem, approver_problems, no_company, no_language
from bot.erp.values import malformed_is_invalid, text
from bot.erp.vendors import AdapterContext
from bot.mechanisms.batching import Batcher

_CANDIDATES = 200
"""How many products a search ranks."""
_TOGETHER = 50
"""Products whose stock is read at once."""
_SAME = 20
"""How many records with the same number, apart from case and accents, are compared."""

_PLAIN_NAMES: dict[str, Any] = {"display_default_code": False}
"""Context for display names without the product code in front."""
_ALSO_DISABLED: dict[str, Any] = {"active_test": False}
_PROGRESS = {
    "sale.order": ("delivery_status", "product_uom_qty", "qty_delivered"),
    "purchase.order": ("receipt_status", "product_qty", "qty_received"),
}


class OdooErp(DocumentErp):
    """One Odoo database, release 14 to 19."""

    capabilities = frozenset(Capability)
    feeds = frozenset(Feed)
    narrows_lists = True

    def __init__(self, context: AdapterContext, options: OdooOptions) -> None:
        super().__init__(context.name)
        self._now, self._options = context.now, options
        self._client = OdooClient(options, now=context.now, source=self.name)
        self._approvals = PurchaseApprovals(self._client, options, context.keys)
        zone = ZoneInfo(options.timezone)
        self._site = mapping.OdooSite(source=self.name, url=options.url.rstrip("/"), zone=zone)
        self._stock = stock.OdooStock(self._client, self._site, self._of_company(), now=context.now)
        self._levels: Batcher[str, StockLevel | ErpError] = Batcher(
            self._read_levels, most=_TOGETHER, retry_alone=False
        )
        self._users: dict[int, Row] = {}
        self._goods = OdooGoods(
            self._client,
            self._site,
            self._stock,
            self._of_company(),
            products_of=self._products_of,
            productions=lambda rows: self._productions(rows, False),
        )
        self._receipts = OdooReceipts(
            self._client, self._site, self._of_company(), products_of=self._products_of, people=self._people
        )
        self._readers: Mapping[Kind[Any], DocumentReader] = {
            kinds.SALES_ORDERS: self._sales,
            kinds.INVOICES: read_each(documents.invoice, self._site),
            kinds.PURCHASE_ORDERS: self._purchases,
            kinds.PRODUCTION_ORDERS: self._productions,
            kinds.DELIVERIES: self._goods.deliveries,
            kinds.RECEIPTS: self._receipts.read,
            kinds.CUSTOMERS: read_each(partners.customer, self._site),
            kinds.VENDORS: read_each(partners.vendor, self._site),
            kinds.BILLS: read_each(partners.bill, self._site),
            kinds.PAYMENTS: self._payments,
        }

    async def check(self) -> None:
        """Log in and read the account's own context."""
        await self._client.call("res.users", "context_get")

    async def setup_problems(self) -> list[SetupProblem]:
        """Look for the company and the language, and for the owner of each approver's key."""
        found: list[SetupProblem] = []
        company, language = self._options.company, self._options.language
        if language and not await self._there("res.lang", "code", [["code", "=", language]]):
            found.append(no_language(language, self.name))
        if company is not None and not await self._there("res.company", "name", [["id", "=", company]]):
            known = [f"{row['id']} {text(row.get('name'))}" for row in await self._seen("res.company", "name", [])]
            found.append(no_company(company, known, self.name))
        if any(problem.is_fatal for problem in found):
            return found
        return found + await approver_problems(list(self._options.approvers), self._owner_of_configured, self.name)

    async def _there(self, model: str, field: str, domain: Condition) -> bool:
        try:
            return bool(await self._seen(model, field, domain))
        except (NotPermitted, Unsupported):
            return True  # unknown

    async def _seen(self, model: str, field: str, domain: Condition) -> list[Row]:
        """Return what the account sees whatever company and language are configured: a wrong one hides everything."""
        plain = {"lang": "en_US", "allowed_company_ids": []}
        return await self._client.search(model, domain, [field], order="id asc", limit=_SAME, context=plain)

    async def _owner_of_configured(self, login: str) -> str:
        return await self.owner_of_key(login, self._options.approvers[login])

    async def owner_of_key(self, account: str, key: SecretStr) -> str:
        """Return the login that an API key belongs to."""
        login, owner = account, Account(account, key)
        context = await self._client.call("res.users", "context_get", account=owner)
        uid = context.get("uid") if isinstance(context, dict) else None
        users = await self._client.read("res.users", [uid], ("login",)) if isinstance(uid, int) else {}
        # JSON-RPC logs in by name, so that another's key is refused; JSON-2 knows the key alone.
        return text(users[uid].get("login")) if uid in users else login

    async def close(self) -> None:
        await self._client.close()

    async def decide(self, decision: Decision) -> DecisionResult:
        return await deciding.decide(decision, read=self.purchase_order, write=self._approvals.write)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        return await read_changes(self._client, area, cursor, limit=limit, company=self._options.company)

    async def users(self) -> tuple[ErpUser, ...]:
        """Return the internal users, with the numbers of employees where the bot may read them."""
        return await read_users(self._client, own=self._options.user)

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name, barcode or variant matches; an exact code is never cut off."""
        if not queries.is_searchable(text):
            return ()
        if by_id := queries.BY_ID.fullmatch(text):
            named = mapping.called(await self._products([["id", "=", int(by_id[2])]], 1), text, "default_code")
            if named:
                return tuple(map(documents.product, named))
        size = max(limit, _CANDIDATES) if text else limit
        rows = await self._products(queries.contains(queries.PRODUCT_TEXTS, text), size)
        if text and len(rows) == size:
            exact = [queries.equals(name, text) for name in ("default_code", "barcode")]
            rows += await self._products(queries.any_of(*exact), _SAME)
        products = mapping.told_apart({row["id"]: row for row in rows}.values(), "default_code")
        return listing.find_products(map(documents.product, products), text, limit=limit)

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return active products by their codes, those without a code by their ids."""
        ids = [int(by_id[2]) for sku in skus if (by_id := queries.BY_ID.fullmatch(sku))]
        named: Condition = ["default_code", "in", list(skus)]
        # More than were asked for only where several share a code: almost always a single page.
        rows = await self._products(queries.any_of(named, ["id", "in", ids]), _SAME * len(skus), page=2 * len(skus) + 1)
        wanted = frozenset(skus)
        found = [row for row in rows if mapping.sku_of(row) in wanted]
        return tuple(map(documents.product, mapping.told_apart(found, "default_code")))

    async def stock(self, sku: str) -> StockLevel:
        """Read a product's stock, together with those that others ask for at the same moment."""
        level = await self._levels(checked_key(sku, source=self.name))
        if isinstance(level, ErpError):
            raise level
        return level

    async def _read_levels(self, skus: Sequence[str]) -> list[StockLevel | ErpError]:
        """Return the stock of each product, or why there is none."""
        codes = list(dict.fromkeys(skus))
        rows = await self._client.rows(
            "product.product",
            [*self._of_company(shared=True), *queries.any_of(*(term for sku in codes for term in _named(sku)))],
            (*queries.PRODUCT_FIELDS, *queries.KIND, *queries.FIGURES, "active"),
            order="active desc, id asc",
            limit=_SAME * len(codes),
            context=_PLAIN_NAMES | _ALSO_DISABLED,
        )
        rows = mapping.in_use(rows)
        found: dict[str, Row | ErpError] = {}
        for sku in codes:
            try:
                found[sku] = self._pick(rows, "default_code", sku)
            except (NotFound, Ambiguous) as error:
                found[sku] = error
        there = [row for row in found.values() if not isinstance(row, ErpError)]
        levels = dict(zip((row["id"] for row in there), await self._stock.levels(there), strict=True))
        return [row if isinstance(row := found[sku], ErpError) else levels[row["id"]] for sku in skus]

    async def _products(self, domain: Condition, limit: int, *, page: int | None = None) -> list[Row]:
        return await self._client.rows(
            "product.product",
            [*self._of_company(shared=True), *domain],
            queries.PRODUCT_FIELDS,
            order="default_code asc, id asc",
            limit=limit,
            page=page,
            context=_PLAIN_NAMES,
        )

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        fields = (*queries.PRODUCT_FIELDS, "product_tmpl_id")
        row, level = await asyncio.gather(self._product(sku, fields), self.stock(sku))
        return await self._goods.details(row, level.reorder_point)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        return await self._goods.prices(
            await self._product(sku, (*queries.PRODUCT_FIELDS, *queries.PRICE_FIELDS)), customer
        )

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        try:
            row = await self._product(query.sku, queries.PRODUCT_FIELDS) if query.sku else None
        except NotFound:
            return Slice(items=(), total=0)
        return await self._goods.arrivals(query, row)

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[Any]:
        if kind == kinds.DELIVERIES:
            return await self._goods.deliveries_of(await self._order("sale.order", number, ("name",)))
        return await self._receipts.of_order(await self._order("purchase.order", number, ("name", "picking_ids")))

    async def _order(self, model: str, number: str, fields: Iterable[str]) -> Row:
        return await self._found(model, "name", number, fields, self._of_company())

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        return await self._goods.warehouse_stock(query)

    async def _product(self, sku: str, fields: Iterable[str]) -> Row:
        key = checked_key(sku, source=self.name)
        named = await self._rows_called(
            "product.product", "default_code", key, fields, self._of_company(shared=True), _PLAIN_NAMES | _ALSO_DISABLED
        )
        return self._pick(mapping.in_use(named), "default_code", key)

    # Documents

    async def read_document(self, kind: Kind[D], number: str) -> D:
        document_query: DocumentQuery = queries.KINDS[kind]
        available: frozenset[str] = await self._client.fields(document_query.model)
        base = [*document_query.base_of(available), *self._of_company(shared=document_query.shared)]
        context = _ALSO_DISABLED if document_query.shared else _PLAIN_NAMES
        row = await self._found(
            document_query.model, document_query.key, number, document_query.fields, base, context=context
        )
        await self._add_progress(document_query.model, [row])
        found: Sequence[D] = await self._readers[kind]([row], True)
        return found[0]

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return documents with their lines by their numbers, or by their ids if they have no number."""
        kind = kinds.kind_followed(area)
        document_query = queries.KINDS[kind]
        available = await self._client.fields(document_query.model)
        ids = [int(by_id[2]) for number in numbers if (by_id := queries.BY_ID.fullmatch(number))]
        named: Condition = ["name", "in", list(numbers)]
        rows = await self._client.rows(
            document_query.model,
            [*document_query.base_of(available), *self._of_company(), *queries.any_of(named, ["id", "in", ids])],
            document_query.fields,
            order="id asc",
            limit=_SAME * len(numbers),
            context=_PLAIN_NAMES,
        )
        called = {row["id"]: row for number in numbers for row in mapping.called(rows, number, "name")}
        apart = mapping.told_apart(called.values(), "name")
        wanted = [row for row in apart if mapping.number_of(row) in frozenset(numbers)]
        await self._add_progress(document_query.model, wanted)
        with malformed_is_invalid(self.name):
            return tuple(await self._readers[kind](wanted, True))

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if not queries.is_searchable(query.text + query.product):
            return Slice(items=(), total=0)
        document_query = queries.KINDS[kind]
        both = kind == kinds.DELIVERIES and query.filter is Filter.ALL
        rows, total = await (self._deliveries_page(query) if both else self._page(document_query, query))
        rows = mapping.told_apart(rows, document_query.key)
        await self._add_progress(document_query.model, rows)
        found: Sequence[D] = await self._readers[kind](rows, bool(query.product))
        return Slice(items=tuple(as_listed(document, query) for document in found), total=total)

    async def _deliveries_page(self, query: ListQuery) -> tuple[list[Row], int]:
        """Return a page of deliveries, newest first: what left is ordered by one day, what did not by another."""
        first = replace(query, offset=0, limit=query.offset + query.limit)
        kinds = (queries.LEFT, queries.NOT_LEFT)
        parts = await gather_or_cancel(*(self._page(document_query, first) for document_query in kinds))
        days = [document_query.days[0] for document_query in kinds]
        found = mapping.newest_first(zip(days, (rows for rows, _ in parts), strict=True))
        return found[query.offset : query.offset + query.limit], sum(total for _, total in parts)

    async def _page(self, document_query: DocumentQuery, query: ListQuery) -> tuple[list[Row], int]:
        available = await self._client.fields(document_query.model)
        zone = self._site.zone
        today = query.day(self._now().astimezone(zone).date())
        own = self._of_company(shared=document_query.shared)
        domain = [*own, *document_query.domain_of(query, available, today, zone)]
        rows = self._client.rows(
            document_query.model,
            domain,
            document_query.fields,
            order=document_query.order_of(query, available),
            offset=query.offset,
            limit=query.limit,
        )
        return await read_page(query, rows, lambda: self._client.count(document_query.model, domain))

    async def _found(
        self,
        model: str,
        key: str,
        text: str,
        fields: Iterable[str],
        base: Condition,
        *,
        context: Mapping[str, Any] = _PLAIN_NAMES,
    ) -> Row:
        """Return the record with this code or number, or with the id behind it."""
        return self._pick(await self._rows_called(model, key, text, fields, base, context), key, text)

    async def _rows_called(
        self,
        model: str,
        key: str,
        text: str,
        fields: Iterable[str],
        base: Condition,
        context: Mapping[str, Any],
    ) -> list[Row]:
        condition = queries.any_of(*_named(text, key))
        return await self._client.rows(model, [*base, *condition], fields, order="id asc", limit=_SAME, context=context)

    def _pick(self, rows: Iterable[Row], key: str, text: str) -> Row:
        rows = mapping.called(rows, text, key) if queries.BY_ID.fullmatch(text) else rows
        # With `unaccent` enabled, LIKE also matches other spellings.
        return pick_by_key(rows, text, lambda row: mapping.key_of(row, key), source=self.name)

    async def _sales(self, rows: list[Row], with_lines: bool) -> list[SalesOrder]:
        bills, (lines, products) = await asyncio.gather(
            self._bills(rows), self._lines("sale.order.line", queries.SALES_LINES, rows if with_lines else ())
        )
        return [
            documents.sales_order(row, self._site, lines=_lines_of(row, lines), products=products, bills=bills)
            for row in rows
        ]

    async def _purchases(self, rows: list[Row], with_lines: bool) -> list[PurchaseOrder]:
        users, (lines, products) = await asyncio.gather(
            self._people(rows),
            self._lines("purchase.order.line", queries.PURCHASE_LINES, rows if with_lines else ()),
        )
        unnamed = self._options.user if self._options.decide_as_bot else ""
        return [
            documents.purchase_order(
                row, self._site, lines=_lines_of(row, lines), products=products, users=users, unnamed=unnamed
            )
            for row in rows
        ]

    async def _productions(self, rows: list[Row], with_lines: bool) -> list[ProductionOrder]:
        products, orders = await asyncio.gather(self._products_of(rows), self._sales_orders_among(rows))
        return [documents.production_order(row, self._site, products=products, orders=orders) for row in rows]

    async def _payments(self, rows: list[Row], with_lines: bool) -> list[Payment]:
        moves = await self._settled(rows) if with_lines else {}
        return [partners.payment(row, self._site, moves) for row in rows]

    # Related records

    async def _settled(self, rows: Iterable[Row]) -> Mapping[int, Row]:
        """Return the invoices and bills that payments settle; none if the account may not read them."""
        ids = {key for row in rows for key in partners.settled_ids(row)}
        try:
            return await self._client.read("account.move", ids, ("name",)) if ids else {}
        except NotPermitted:
            return {}

    async def _lines(
        self, model: str, fields: Iterable[str], rows: Iterable[Row]
    ) -> tuple[Mapping[int, Row], Mapping[int, Row]]:
        ids = [line for row in rows for line in row.get("order_line") or ()]
        lines = await self._client.read(model, ids, fields) if ids else {}
        return lines, await self._products_of(lines.values())

    async def _products_of(self, rows: Iterable[Row]) -> Mapping[int, Row]:
        ids = {mapping.reference(row.get("product_id")) or 0 for row in rows} - {0}
        return (
            await self._client.read("product.product", ids, ("default_code", "name"), context=_PLAIN_NAMES)
            if ids
            else {}
        )

    async def _bills(self, rows: Iterable[Row]) -> Mapping[int, Row] | None:
        """Return the states of the orders' invoices, None if the account may not read invoices."""
        ids = {bill for row in rows for bill in row.get("invoice_ids") or ()}
        try:
            return await self._client.read("account.move", ids, ("state", "payment_state", "move_type")) if ids else {}
        except NotPermitted:
            return None

    async def _people(self, rows: Iterable[Row]) -> Mapping[int, Row]:
        """Return the logins of creators and last writers; each user is read once."""
        users = {mapping.reference(row.get(name)) or 0 for row in rows for name in ("create_uid", "write_uid")}
        unknown = users - {0, *self._users}
        if unknown:
            self._users |= await self._client.read("res.users", unknown, ("login",))
        return self._users

    async def _sales_orders_among(self, rows: Iterable[Row]) -> frozenset[str]:
        """Return the origins that are sales orders; the field also names other documents."""
        origins = sorted({origin for row in rows for origin in documents.origins_of(row)})
        if not origins:
            return frozenset()
        try:
            found = await self._client.rows(
                "sale.order",
                [["name", "in", origins], *self._of_company()],
                ("name",),
                order="id asc",
                limit=len(origins),
            )
        except (NotPermitted, Unsupported):
            return frozenset()
        return frozenset(text(row.get("name")) for row in found)

    async def _add_progress(self, model: str, rows: list[Row]) -> None:
        """Compute from order lines the progress that 14, 15 and databases without stock do not report.

        Of purchases whose transfers have all ended, compute what was kept of what was ordered.
        """
        if model not in _PROGRESS:
            return
        status, ordered, done = _PROGRESS[model]
        known = await self._client.fields(model)
        told, bought = status in known, model == "purchase.order"
        orders = [row for row in rows if mapping.in_force(row)]
        if told:
            orders = [row for row in orders if bought and row.get(status) == "full"]
        ids = [line for row in orders for line in row.get("order_line") or ()]
        fields = ("display_type", ordered, done, *(["qty_received_method"] if bought else []))
        lines = await self._client.read(f"{model}.line", ids, fields) if ids else {}
        by_moves = bought and "picking_ids" in known
        for row in orders:
            own = [line for line in _lines_of(row, lines) if not line.get("display_type")]
            # Of services nothing is moved: somebody enters what was received.
            goods = [line for line in own if line.get("qty_received_method") != "manual"] if by_moves else own
            found = mapping.delivered([(line.get(done), line.get(ordered)) for line in goods])
            row[documents.KEPT if told else status] = found if goods or not by_moves else False

    def _of_company(self, *, shared: bool = False) -> Condition:
        return queries.of_company(self._options.company, shared=shared)


def _named(text: str, key: str = "default_code") -> list[Condition]:
    """Return alternative conditions for a record with this code or number, or with the id behind it."""
    by_id = queries.BY_ID.fullmatch(text)
    exact = queries.equals(key, text)
    return [exact, ["id", "=", int(by_id[2])]] if by_id else [exact]


def _lines_of(row: Row, lines: Mapping[int, Row]) -> list[Row]:
    return [lines[key] for key in row.get("order_line") or () if key in lines]
