"""ERPNext behind the bot's port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.cursor import TimeCursor
from bot.erp.erpnext import documents
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.client import Account, ErpNextClient, ListRequest, Row, pattern
from bot.erp.erpnext.decisions import PurchaseApprovals, WorkflowActions, gather_all
from bot.erp.erpnext.manifest import ErpNextOptions
from bot.erp.erpnext.mapping import Site
from bot.erp.erpnext.query import DocumentQuery
from bot.erp.errors import ErpError, Invalid, NotFound, Unsupported
from bot.erp.http import Http
from bot.erp.model import (
    Area,
    Change,
    Changes,
    Decision,
    DecisionOutcome,
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
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.vendors import AdapterContext

D = TypeVar("D", SalesOrder, Invoice, PurchaseOrder, ProductionOrder)

_SEARCHED = 500
"""How many hits of a search are ranked; an exact code is always among them."""

_ALIKE = 5
"""How many names that differ in case or accents only are looked through."""

_DECIDING = frozenset({Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK})


class ErpNextErp:
    """A source of the vendor ``erpnext``."""

    def __init__(
        self,
        context: AdapterContext,
        options: ErpNextOptions,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = context.name
        self.capabilities = _capabilities(options)
        self._now = context.now
        self._options = options
        self._http = Http(options, now=context.now, source=self.name)
        self._frappe = ErpNextClient(self._http, Account(options.key, options.secret.get_secret_value()))
        self._approvals = PurchaseApprovals(
            self._frappe,
            source=self.name,
            approvers={user: Account(k.key, k.secret.get_secret_value()) for user, k in options.approvers.items()},
            actions=WorkflowActions(options.approve_action, options.reject_action) if options.workflow else None,
            now=context.now,
            sleep=sleep,
        )
        self._known_site: Site | None = None

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products; templates of variants and disabled items are no products."""
        site = await self._site()
        rows, codes = await self._hits(text) if text else (await self._frappe.rows(queries.items(), limit=limit), {})
        found = [site.read(documents.product, row, codes.get(row["name"], "")) for row in rows]
        ranked = listing.find_products(found, text, limit=limit)
        barcodes = await self._children("Item", "Item Barcode", "barcode", [product.sku for product in ranked])
        return tuple(replace(product, barcode=next(iter(barcodes.get(product.sku, ())), "")) for product in ranked)

    async def _hits(self, text: str) -> tuple[list[Row], dict[str, str]]:
        """Return items by code, name, spec or barcode, and the barcodes that were hit by their items."""
        rows, coded = await gather_all(
            self._frappe.rows(queries.items(text), limit=_SEARCHED),
            self._frappe.rows(queries.barcodes(text), limit=_SEARCHED),
        )
        codes = {str(row["parent"]): str(row["barcode"]) for row in coded if row.get("barcode")}
        missing = sorted(codes.keys() - {row["name"] for row in rows})
        if len(rows) == _SEARCHED:
            missing.append(text)
        if missing:
            rows += await self._frappe.rows(queries.items(names=missing))
        return list({row["name"]: row for row in rows}.values()), codes

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock."""
        site = await self._site()
        item = await self._document("Item", sku)
        bins = await self._frappe.rows(queries.bins(item["name"]))
        levels = item.get("reorder_levels") or []
        names = {str(row["warehouse"]) for row in (*bins, *levels) if row.get("warehouse")}
        places = await self._warehouses(sorted(names))
        if self._options.company:
            bins, item = _only(bins, places), item | {"reorder_levels": _only(levels, places)}
        return site.read(documents.stock_level, item, bins, places, self._now())

    async def _warehouses(self, names: Sequence[str]) -> dict[str, Row]:
        rows = await self._frappe.rows(queries.warehouses(names, self._options.company)) if names else []
        return {str(row["name"]): row for row in rows}

    # Sales

    async def order(self, number: str) -> SalesOrder:
        """Return one Sales Order."""
        site = await self._site()
        return site.read(documents.sales_order, await self._document("Sales Order", number))

    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return Sales Orders."""
        found = await self._list(queries.SALES_ORDERS, query, documents.sales_order)
        numbers = [order.number for order in found.items]
        people = await self._children("Sales Order", "Sales Team", "sales_person", numbers)
        return replace(
            found,
            items=tuple(
                replace(order, salesperson=documents.joined(people.get(order.number, ()))) for order in found.items
            ),
        )

    async def invoice(self, number: str) -> Invoice:
        """Return one Sales Invoice."""
        site = await self._site()
        return site.read(documents.invoice, await self._document("Sales Invoice", number))

    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return Sales Invoices."""
        found = await self._list(queries.INVOICES, query, documents.invoice)
        numbers = [invoice.number for invoice in found.items]
        orders = await self._children("Sales Invoice", "Sales Invoice Item", "sales_order", numbers)
        return replace(
            found,
            items=tuple(
                replace(invoice, order_number=documents.joined(orders.get(invoice.number, ())))
                for invoice in found.items
            ),
        )

    # Purchasing

    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return one Purchase Order."""
        site = await self._site()
        workflow = await self._approvals.workflow(site)
        document = await self._document("Purchase Order", number)
        (order,) = await self._approvals.complete([site.read(documents.purchase_order, document, workflow)], site)
        return order

    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return Purchase Orders."""
        site = await self._site()
        workflow = await self._approvals.workflow(site)
        found = await self._list(queries.purchase_orders(workflow), query, documents.purchase_order, workflow)
        return replace(found, items=await self._approvals.complete(found.items, site))

    async def decide(self, decision: Decision) -> DecisionResult:
        """Approve or reject, and leave the reason as a comment."""
        wanted = Capability.APPROVE if decision.verdict is Verdict.APPROVE else Capability.REJECT
        if wanted not in self.capabilities:
            return DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, order=None)
        result = await deciding.decide(decision, read=self.purchase_order, write=self._write)
        if decision.reason and result.outcome in {DecisionOutcome.APPLIED, DecisionOutcome.MORE_APPROVALS_NEEDED}:
            return await self._explained(result, decision)
        return result

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        return await self._approvals.write(order, decision, read=self.purchase_order, site=await self._site())

    async def _explained(self, result: DecisionResult, decision: Decision) -> DecisionResult:
        try:
            await self._approvals.explain(decision)
            return replace(result, order=await self.purchase_order(decision.number))
        except ErpError as error:
            # The decision stands; only its reason is missing there.
            return replace(result, text=f"{result.text} The reason was not stored: {error.detail}".strip())

    # Production

    async def production_order(self, number: str) -> ProductionOrder:
        """Return one Work Order."""
        site = await self._site()
        return site.read(documents.production_order, await self._document("Work Order", number))

    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return Work Orders."""
        return await self._list(queries.PRODUCTION_ORDERS, query, documents.production_order)

    # Changes

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes, by ``modified``."""
        site = await self._site()
        place = TimeCursor.parse(cursor)
        overlap = timedelta(0) if place.at is None else site.overlap(place.at)
        doctype, key = queries.CHANGE_SOURCES[area]
        lookup = queries.changes(doctype, key, place.since(overlap), site)
        length = place.fetch_size(limit)
        while True:
            # From the beginning each time: a record that changes between two pages would make another one slip.
            rows = await self._frappe.rows(lookup, limit=length)
            found = dict.fromkeys(site.read(_change, row, area, key) for row in rows)
            if len(rows) < length or len(found) >= place.fetch_size(limit):
                break
            length *= 2
        overlap = max([overlap, *(site.overlap(change.changed_at) for change in list(found)[-1:])])
        return place.next_changes(area, found, limit=limit, overlap=overlap, more=len(rows) == length)

    async def check(self) -> None:
        """Ask who the account is, and read what the configuration relies on."""
        await self._frappe.call("frappe.auth.get_logged_user")
        site = await self._site()
        if Capability.APPROVE in self.capabilities:
            await self._approvals.check(site)

    async def close(self) -> None:
        """Give connections back."""
        await self._http.close()

    # Parts

    async def _site(self) -> Site:
        """Return the site, with the zone of its times, which any user may ask for."""
        if self._known_site is None:
            name = self._options.time_zone or await self._zone_name()
            try:
                zone = ZoneInfo(name)
            except (KeyError, ValueError, OSError) as error:
                raise Invalid(f"the site's time zone {name!r} is unknown: set time_zone", source=self.name) from error
            self._known_site = Site(self.name, self._options.url, zone)
        return self._known_site

    async def _zone_name(self) -> str:
        said = await self._frappe.call("frappe.client.get_time_zone")
        return str(said.get("time_zone") or "") if isinstance(said, dict) else ""

    async def _document(self, doctype: str, name: str) -> Row:
        """Return a document by its name in any case; raises `NotFound` for one of another company too."""
        try:
            document = await self._frappe.document(doctype, name)
        except NotFound:
            spelling = await self._spelling(doctype, name)
            if spelling is None:
                raise
            document = await self._frappe.document(doctype, spelling)
        # Databases take “é” for “e”.
        same = str(document["name"]).casefold() == name.casefold()
        if not same or not self._is_ours(document):
            raise NotFound(name, source=self.name)
        return document

    async def _spelling(self, doctype: str, name: str) -> str | None:
        """Return how a name is really spelled: MariaDB does not mind the case, PostgreSQL does."""
        if not name.strip() or name.upper() == name.lower():
            return None
        lookup = ListRequest(doctype, ("name",), [("name", "like", pattern(name)[1:-1])])
        names = [str(row["name"]) for row in await self._frappe.rows(lookup, limit=_ALIKE)]
        return next((known for known in names if known.casefold() == name.casefold()), None)

    def _is_ours(self, document: Row) -> bool:
        company = document.get("company")
        return not self._options.company or company is None or company == self._options.company

    async def _list(self, kind: DocumentQuery[D], query: ListQuery, read: Callable[..., D], *more: object) -> Slice[D]:
        """Return a part of a list: as Frappe cuts it, or cut here where it cannot filter that exactly."""
        if query.filter is not Filter.ALL and query.filter not in kind.restrictions:
            raise Unsupported(f"no list of {query.filter} here", source=self.name)
        site = await self._site()
        today = self._now().astimezone(site.zone).date()
        lookup = kind.lookup(query, today, self._options.company)
        if not kind.is_exact(query):
            rows = await self._frappe.rows(lookup)
            return kind.listing.pick([site.read(read, row, *more) for row in rows], query, today)
        rows = await self._frappe.rows(lookup, start=query.offset, limit=query.limit)
        last = len(rows) < query.limit and (rows or query.offset == 0)
        total = query.offset + len(rows) if last else await self._frappe.count(lookup)
        return Slice(items=tuple(site.read(read, row, *more) for row in rows), total=total)

    async def _children(self, doctype: str, child: str, field: str, names: Sequence[str]) -> dict[str, list[str]]:
        """Return a field of the child table of several documents, which a list of these does not tell."""
        found: dict[str, list[str]] = {}
        if names:
            for row in await self._frappe.rows(queries.children(doctype, child, field, names)):
                # A field that the account's role may not see is left out.
                if row.get(field):
                    found.setdefault(str(row["parent"]), []).append(str(row[field]))
        return found


def _capabilities(options: ErpNextOptions) -> frozenset[Capability]:
    if not options.approvers:
        return frozenset(Capability) - _DECIDING
    # A draft that is submitted without a Workflow has no state in which it would be rejected.
    return frozenset(Capability) if options.workflow else frozenset(Capability) - {Capability.REJECT}


def _change(row: Row, site: Site, area: Area, key: str) -> Change:
    at = site.moment(row["modified"])
    if at is None:
        raise ValueError("a record without a time of change")
    return Change(area=area, key=str(row[key]), changed_at=at)


def _only(rows: Iterable[Row], places: dict[str, Row]) -> list[Row]:
    """Return those rows whose warehouse is one of ``places``."""
    return [row for row in rows if row.get("warehouse") in places]
