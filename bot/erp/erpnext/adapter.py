"""Adapter for ERPNext.

Docs: platform/erp/erpnext.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp import kinds, listing
from bot.erp.concurrency import gather_or_cancel
from bot.erp.erpnext import documents
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.changes import read_changes
from bot.erp.erpnext.client import Account, ErpNextClient, ListRequest, Row
from bot.erp.erpnext.decisions import DecidedDoctype, DoctypeApprovals, WorkflowActions
from bot.erp.erpnext.goods import ErpNextGoods
from bot.erp.erpnext.lots import read_lots
from bot.erp.erpnext.mapping import Site
from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.erpnext.plans import BARCODES, PLANS, VARIANTS, decided, purchase_orders, reviewed
from bot.erp.erpnext.reads import ErpNextPlan, ErpNextReads
from bot.erp.erpnext.stock import read_places, stock_level
from bot.erp.erpnext.users import read_users
from bot.erp.errors import CompanyNotChosen, Invalid, NotFound, NotPermitted
from bot.erp.expiring import COMPANIES_HOLD, ExpiringValue
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.http import Http
from bot.erp.keys import checked_key
from bot.erp.kinds import Kind, decided_kind
from bot.erp.model import (
    Changes,
    Decision,
    DecisionResult,
    ErpUser,
    Feed,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.plans.planned_erp import PlannedErp
from bot.erp.port import Capability
from bot.erp.setup import SetupProblem, approver_problems, no_company
from bot.erp.vendors import AdapterContext

_SEARCHED = 500
"""How many hits of a search are ranked; an exact code is always included."""

_READING = frozenset(Capability)
_DECIDED = MappingProxyType(
    {
        "workflow": frozenset(Verdict),
        # Without a Workflow, no state of a draft means that it was rejected.
        "submit": frozenset({Verdict.APPROVE}),
    }
)
_DECIDING = frozenset({Capability.APPROVE, Capability.REJECT, Capability.VERSION_CHECK})


class ErpNextErp(PlannedErp[ErpNextPlan]):
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
        accounts = {user: Account(pair.key, pair.secret.get_secret_value()) for user, pair in options.approvers.items()}
        self._approvals = {
            decided_kind(command): DoctypeApprovals(
                self._frappe,
                rule,
                site=self._site,
                source=self.name,
                approvers=accounts,
                keys=context.keys,
                now=context.now,
                sleep=sleep,
            )
            for command, rule in _rules(options).items()
        }
        if Capability.APPROVE in self.capabilities:
            self.decides = {command: _DECIDED[way] for command, way in options.decides.items()}
        self._bought = self._approvals[kinds.PURCHASE_ORDERS]
        self._reads: ErpNextReads = ErpNextReads(
            self._frappe,
            options.company,
            self._bought.names_of,
            site=self._site,
            currencies=self._companies.value,
            now=context.now,
            source=self.name,
        )
        self._goods = ErpNextGoods(self._reads, source=self.name, now=context.now, products=self._whole_products)

    # Products and stock

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products; variant templates and disabled items are left out."""
        site = await self._site()
        rows, codes = await self._hits(text) if text else (await self._frappe.rows(queries.items(), limit=limit), {})
        await VARIANTS(self._reads, [row for row in rows if row.get("variant_of")], False)
        found = [site.read(documents.product, row, codes.get(row["name"], "")) for row in rows]
        shown = listing.find_products(found, text, limit=limit)
        barcodes = await BARCODES.read(self._reads, [product.sku for product in shown])
        return tuple(
            replace(product, barcode=documents.first_barcode(barcodes.get(product.sku, ()))) for product in shown
        )

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return items that are neither disabled nor templates of variants, by their codes."""
        return await self._whole_products(await self._frappe.rows(queries.items(names=list(skus))))

    async def _whole_products(self, rows: Sequence[Row]) -> tuple[Product, ...]:
        """Return Items with what only child tables hold of them: barcodes, and what makes a variant one."""
        site = await self._site()
        await VARIANTS(self._reads, [row for row in rows if row.get("variant_of")], False)
        await BARCODES(self._reads, rows, False)
        return tuple(site.read(documents.product, row) for row in rows)

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
        site, item = await self._site(), await self._reads.document("Item", checked_key(sku, source=self.name))
        level, places = await self._level(item)
        return replace(level, lots=await read_lots(self._frappe, item, places, site))

    async def _level(self, item: Row) -> tuple[StockLevel, Container[str]]:
        """Return the stock of an item without its lots, and the warehouses that count."""
        site = await self._site()
        item, bins, places = await read_places(self._frappe, item, self._options.company)
        return site.read(stock_level, item, bins, places, self._now()), places

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        """Return the master data of an item."""
        item = await self._reads.document("Item", checked_key(sku, source=self.name))
        level, _ = await self._level(item)
        return await self._goods.details(item, level.reorder_point)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        """Return what an item costs."""
        item = await self._reads.document("Item", checked_key(sku, source=self.name))
        return await self._goods.prices(item, customer, await self._bought.workflow())

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        try:
            sku = (await self._reads.document("Item", query.sku))["name"] if query.sku else ""
        except NotFound:
            return Slice(items=(), total=0)
        return await self._goods.arrivals(query, sku, await self._bought.workflow())

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        return await self._goods.warehouse_stock(query)

    async def _plan(self, kind: Kind[Any]) -> ErpNextPlan:
        approvals = self._approvals.get(kind)
        if approvals is None:
            return PLANS[kind]
        flow = await approvals.workflow()
        plan = purchase_orders(flow) if approvals is self._bought else reviewed(PLANS[kind], flow)
        return decided(plan, flow, approvals)

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

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        """Approve or reject, and add the reason as a comment."""
        return await self._approvals[kind].decide(decision, read=partial(self.document, kind))

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
            await gather_or_cancel(*(approvals.check() for approvals in self._approvals.values()))

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


def _rules(options: ErpNextOptions) -> dict[str, DecidedDoctype]:
    """Return how documents are decided, by the command of their kind."""
    actions = WorkflowActions(options.approve_action, options.reject_action)
    bought = kinds.PURCHASE_ORDERS
    rules = {
        bought.command: DecidedDoctype(
            doctype=PLANS[bought].model,
            actions=actions if options.workflow else None,
            workflow="workflow = true",
            submit="workflow = false",
        )
    }
    for command, way in options.decides.items():
        rules[command] = DecidedDoctype(
            doctype=PLANS[decided_kind(command)].model,
            actions=actions if way == "workflow" else None,
            workflow=f'decides.{command} = "workflow"',
            submit=f'decides.{command} = "submit"',
        )
    return rules


def _capabilities(options: ErpNextOptions, *, decides: bool) -> frozenset[Capability]:
    if not decides:
        return _READING - _DECIDING
    # Without a Workflow, no state of a draft means that it was rejected.
    return _READING if options.workflow else _READING - {Capability.REJECT}
