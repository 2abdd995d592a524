"""Odoo behind the bot's port: the five areas, approving and rejecting, changes by ``write_date``.

Docs: platform/erp/odoo.md
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.errors import (
    AuthFailed,
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    UnknownOutcome,
    Unsupported,
)
from bot.erp.model import (
    Area,
    Changes,
    Decision,
    DecisionResult,
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.odoo import documents as records
from bot.erp.odoo import mapping
from bot.erp.odoo import query as queries
from bot.erp.odoo.changes import read_changes
from bot.erp.odoo.client import Account, OdooClient, Row
from bot.erp.odoo.manifest import OdooOptions
from bot.erp.odoo.query import Condition, DayStart, DocumentQuery
from bot.erp.odoo.stock import read_places
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.refusing import RefusingErp
from bot.erp.vendors import AdapterContext

_CANDIDATES = 200
"""How many products a search looks at to find the best ones."""
_SAME = 20
"""How many records may differ from a number in nothing but case and accents."""

_NAMELESS = re.compile(r"\*([1-9][0-9]{0,8})")
_PLAIN_NAMES: Mapping[str, Any] = {"display_default_code": False}
"""Context for display names without the code in front."""


class OdooErp(RefusingErp):
    """One Odoo, 14 to 19."""

    capabilities = frozenset(Capability)

    def __init__(self, context: AdapterContext, options: OdooOptions) -> None:
        super().__init__(context.name)
        self._now, self._options = context.now, options
        self._client = OdooClient(options, now=context.now, source=self.name)
        zone = ZoneInfo(options.timezone)
        self._place = mapping.OdooSite(source=self.name, url=options.url.rstrip("/"), zone=zone)
        self._users: dict[int, Row] = {}

    async def check(self) -> None:
        """Log in and ask who the account is."""
        await self._client.call("res.users", "context_get")

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Search code, name, barcode and variant; the exact code is asked for by itself where there are too many."""
        if not queries.is_searchable(text):
            return ()
        size = max(limit, _CANDIDATES) if text else limit
        rows = await self._products(queries.contains(queries.PRODUCT_TEXTS, text), size)
        if text and len(rows) == size:
            exact = [queries.equals(name, text) for name in ("default_code", "barcode")]
            rows += await self._products(queries.any_of(*exact), _SAME)
        products = {row["id"]: records.product(row) for row in rows}
        return listing.find_products(products.values(), text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        """Read the product's own figures, its quants (or each warehouse's figures) and its reordering rules."""
        as_of = self._now()
        fields = (*queries.PRODUCT_FIELDS, *queries.FIGURES)
        row = await self._found("product.product", "default_code", sku, fields, self._of_company(shared=True))
        rules, places = await asyncio.gather(
            self._client.rows(
                "stock.warehouse.orderpoint",
                [["product_id", "=", row["id"]], *self._of_company()],
                ("product_min_qty",),
                order="id asc",
                limit=1_000,
            ),
            read_places(self._client, row, self._of_company()),
        )
        return records.stock_level(row, places, rules, as_of=as_of, place=self._place)

    async def _products(self, domain: Condition, limit: int) -> list[Row]:
        return await self._client.rows(
            "product.product",
            [*self._of_company(shared=True), *domain],
            queries.PRODUCT_FIELDS,
            order="default_code asc, id asc",
            limit=limit,
            context=_PLAIN_NAMES,
        )

    # Documents

    async def order(self, number: str) -> SalesOrder:
        """Read the order, its invoices' states, its lines and their products."""
        row = await self._one(queries.SALES_ORDERS, number)
        bills, (lines, products) = await asyncio.gather(self._bills([row]), self._lines("sale.order.line", row))
        return records.sales_order(row, self._place, lines=lines, products=products, bills=bills)

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Read a page of orders, and their invoices' states at once."""
        rows, total = await self._list(queries.SALES_ORDERS, query)
        bills = await self._bills(rows)
        return Slice(items=tuple(records.sales_order(row, self._place, bills=bills) for row in rows), total=total)

    async def invoice(self, number: str) -> Invoice:
        """Read one invoice or credit note."""
        return records.invoice(await self._one(queries.INVOICES, number), self._place)

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Read a page of invoices and credit notes."""
        rows, total = await self._list(queries.INVOICES, query)
        return Slice(items=tuple(records.invoice(row, self._place) for row in rows), total=total)

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Read the order, its lines, their products, and who made and changed it."""
        row = await self._one(queries.PURCHASE_ORDERS, number)
        users, (lines, products) = await asyncio.gather(self._people([row]), self._lines("purchase.order.line", row))
        return self._purchase(row, users, lines=lines, products=products)

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Read a page of orders."""
        rows, total = await self._list(queries.PURCHASE_ORDERS, query)
        users = await self._people(rows)
        return Slice(items=tuple(self._purchase(row, users) for row in rows), total=total)

    async def production_order(self, number: str) -> ProductionOrder:
        """Read the order, its product, and whether it comes from a sales order."""
        return (await self._productions([await self._one(queries.PRODUCTION_ORDERS, number)]))[0]

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Read a page of orders, and all their products at once."""
        rows, total = await self._list(queries.PRODUCTION_ORDERS, query)
        return Slice(items=await self._productions(rows), total=total)

    def _purchase(self, row: Row, users: Mapping[int, Row], **more: Any) -> PurchaseOrder:
        unnamed = self._options.user if self._options.decide_as_bot else ""
        return records.purchase_order(row, self._place, users=users, unnamed=unnamed, **more)

    async def _productions(self, rows: list[Row]) -> tuple[ProductionOrder, ...]:
        products, orders = await asyncio.gather(self._products_of(rows), self._sales_orders_among(rows))
        return tuple(records.production_order(row, self._place, products=products, orders=orders) for row in rows)

    async def _one(self, documents: DocumentQuery, number: str) -> Row:
        base = [*documents.base, *self._of_company()]
        row = await self._found(documents.model, "name", number, documents.fields, base)
        await self._tell_progress(documents.model, [row])
        return row

    async def _list(self, documents: DocumentQuery, query: ListQuery) -> tuple[list[Row], int]:
        """Return a page and how many there are in all, counted by the ERP only where the page does not tell."""
        there = await self._client.fields(documents.model)
        order = f"{next(name for name in documents.days if name in there)} desc"
        domain = [*documents.base, *self._of_company(), *queries.contains(documents.texts, query.text)]
        if query.filter is not Filter.ALL:
            if query.filter not in documents.filters:
                raise Unsupported(f"no list of {query.filter} here", source=self.name)
            due, condition = documents.filters[query.filter]
            domain, order = [*domain, *condition(there, DayStart.of(self._today(), self._place.zone))], f"{due} asc"
        if not queries.is_searchable(query.text):
            return [], 0
        rows = await self._client.rows(
            documents.model,
            domain,
            documents.fields,
            order=f"{order}, name asc, id asc",
            offset=query.offset,
            limit=query.limit,
        )
        await self._tell_progress(documents.model, rows)
        ended = len(rows) < query.limit and (rows or not query.offset)
        return rows, query.offset + len(rows) if ended else await self._client.count(documents.model, domain)

    async def _found(self, model: str, key: str, text: str, fields: Iterable[str], base: Condition) -> Row:
        """Return the one record with this code or number; raises `NotFound`, and `Invalid` where several have it."""
        if not text or not queries.is_searchable(text):
            raise NotFound(text, source=self.name)
        nameless = _NAMELESS.fullmatch(text)
        wanted = ["id", "=", int(nameless[1])] if nameless else queries.equals(key, text)
        rows = await self._client.rows(
            model, [*base, wanted], fields, order="id asc", limit=_SAME, context=_PLAIN_NAMES
        )
        if nameless:
            same = [row for row in rows if mapping.text(row.get(key)) in {"", "/"}]
        else:
            # Where accents are told to be ignored, LIKE finds more than what was asked for.
            same = [row for row in rows if mapping.text(row.get(key)).casefold() == text.casefold()]
        same = [row for row in same if row.get(key) == text] or same
        if not same:
            raise NotFound(text, source=self.name)
        if len(same) > 1:
            # One code of two products, or one number in two companies: to take either would be a guess.
            raise Invalid(f"{len(same)} records are called {text}", source=self.name)
        return same[0]

    # What belongs to documents

    async def _lines(self, model: str, row: Row) -> tuple[list[Row], Mapping[int, Row]]:
        """Return an order's lines in their order, and their products."""
        wanted = queries.SALES_LINES if model == "sale.order.line" else queries.PURCHASE_LINES
        found = await self._client.read(model, row.get("order_line") or (), wanted)
        lines = [found[key] for key in row.get("order_line") or () if key in found]
        return lines, await self._products_of(lines)

    async def _products_of(self, rows: Iterable[Row]) -> Mapping[int, Row]:
        ids = {mapping.reference(row.get("product_id")) or 0 for row in rows} - {0}
        return (
            await self._client.read("product.product", ids, ("default_code", "name"), context=_PLAIN_NAMES)
            if ids
            else {}
        )

    async def _bills(self, rows: Iterable[Row]) -> Mapping[int, Row] | None:
        """Return the states of orders' invoices, None if the account may not read invoices."""
        ids = {bill for row in rows for bill in row.get("invoice_ids") or ()}
        try:
            return await self._client.read("account.move", ids, ("state", "payment_state")) if ids else {}
        except NotPermitted:
            return None

    async def _people(self, rows: Iterable[Row]) -> Mapping[int, Row]:
        """Return the logins of who made and last changed purchase orders; people are asked for once."""
        users = {mapping.reference(row.get(name)) or 0 for row in rows for name in ("create_uid", "write_uid")}
        unknown = users - {0, *self._users}
        if unknown:
            self._users |= await self._client.read("res.users", unknown, ("login",))
        return self._users

    async def _sales_orders_among(self, rows: Iterable[Row]) -> frozenset[str]:
        """Return which origins of production orders are sales orders: the field holds names of anything."""
        origins = sorted({origin for row in rows for origin in records.origins_of(row)})
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
        return frozenset(mapping.text(row.get("name")) for row in found)

    async def _tell_progress(self, model: str, rows: list[Row]) -> None:
        """Work out from the lines what 14 and 15, or a database without stock, do not say of orders in force."""
        names = _PROGRESS.get(model)
        if names is None or names[0] in await self._client.fields(model):
            return
        status, ordered, done = names
        orders = [row for row in rows if row.get("state") in {"sale", "purchase", "done"}]
        ids = [line for row in orders for line in row.get("order_line") or ()]
        lines = await self._client.read(f"{model}.line", ids, ("display_type", ordered, done)) if ids else {}
        for row in orders:
            own = [lines[key] for key in row.get("order_line") or () if key in lines]
            own = [line for line in own if not line.get("display_type")]
            pairs = [(mapping.number(line.get(ordered)) or 0, mapping.number(line.get(done)) or 0) for line in own]
            if pairs and all(had >= wanted for wanted, had in pairs):
                row[status] = "full"
            else:
                row[status] = "partial" if any(had > 0 for _, had in pairs) else "pending"

    def _of_company(self, *, shared: bool = False) -> Condition:
        return queries.of_company(self._options.company, shared=shared)

    def _today(self) -> date:
        return self._now().astimezone(self._place.zone).date()

    # Decisions

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve with ``button_approve``, reject with a message and ``button_cancel``; what came of it is read."""
        return await deciding.decide(decision, read=self.purchase_order, write=self._write)

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        account = self._account_of(decision.by)
        message = decision.reason if decision.verdict is Verdict.REJECT else ""
        if decision.by != account.login:
            # Odoo will name the bot: who decided stands in the message.
            message = ": ".join(filter(None, (decision.by, str(decision.verdict), decision.reason)))
        if message:
            await self._post(order, message, account)
            # The buttons take an order in any state: look once more, as near to the act as can be.
            await self._compare(order)
        button = "button_approve" if decision.verdict is Verdict.APPROVE else "button_cancel"
        await self._act(order, button, account)
        # The answer is the same for done and for silently left alone; there are no words in it.
        return ""

    def _account_of(self, login: str) -> Account:
        """Return whose key decides: in Odoo the owner of the key is who decided."""
        key = self._options.approvers.get(login)
        if key is not None:
            return Account(login, key)
        if login == self._options.user or self._options.decide_as_bot:
            return self._client.bot
        raise NotPermitted("no API key of this person is configured", source=self.name)

    async def _post(self, order: PurchaseOrder, message: str, account: Account) -> None:
        """Leave the reason before the act, so that it is never lost; without it nothing is done."""
        if await self._client.release() < _PLAIN_BODIES:
            message = html.escape(message, quote=False)
        try:
            await self._act(order, "message_post", account, body=message)
        except UnknownOutcome as error:
            raise Unavailable("the reason could not be left; nothing was decided", source=self.name) from error

    async def _act(self, order: PurchaseOrder, method: str, account: Account, **arguments: Any) -> None:
        try:
            await self._client.call(
                "purchase.order", method, ids=[int(order.id)], account=account, writes=True, **arguments
            )
        except AuthFailed as error:
            if account is self._client.bot:
                raise
            # Keys of people end after three months at most; that says nothing about the bot's own.
            raise NotPermitted("this person's API key is refused", source=self.name) from error

    async def _compare(self, order: PurchaseOrder) -> None:
        rows = await self._client.read("purchase.order", [int(order.id)], queries.PURCHASE_ORDERS.fields)
        if any(records.version(row) != order.version for row in rows.values()) or not rows:
            raise Conflict("the order was changed", source=self.name)

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Follow ``write_date``; stock by its moves, since a place that runs empty is deleted with its time."""
        return await read_changes(self._client, area, cursor, limit=limit, company=self._options.company)


_PLAIN_BODIES = (17, 0)
"""From 17 a message's text is text; before, it was markup."""

_PROGRESS = {
    "sale.order": ("delivery_status", "product_uom_qty", "qty_delivered"),
    "purchase.order": ("receipt_status", "product_qty", "qty_received"),
}
