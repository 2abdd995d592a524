"""Adapter for Odoo.

Docs: platform/erp/odoo.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.erp import deciding, listing
from bot.erp.errors import Ambiguous, ErpError, NotFound, NotPermitted, Unsupported
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.keys import checked_key
from bot.erp.kinds import CUSTOMERS, PURCHASE_ORDERS, SALES_ORDERS, Kind, decided_kind
from bot.erp.model import (
    Changes,
    Decision,
    DecisionResult,
    DocumentDraft,
    ErpUser,
    Feed,
    Followed,
    Product,
    Slice,
    StockLevel,
    Verdict,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.odoo import mapping, stock
from bot.erp.odoo import query as queries
from bot.erp.odoo.changes import read_changes
from bot.erp.odoo.client import Account, OdooClient
from bot.erp.odoo.creating import SalesOrderDrafts
from bot.erp.odoo.decisions import APPROVALS, ModelApprovals, decided
from bot.erp.odoo.goods import OdooGoods
from bot.erp.odoo.mapping import Row
from bot.erp.odoo.options import OdooOptions
from bot.erp.odoo.plans import PLANS
from bot.erp.odoo.products import FIGURES, KIND, PRICE_FIELDS, PRODUCT_FIELDS, PRODUCT_TEXTS, product
from bot.erp.odoo.query import Condition
from bot.erp.odoo.reads import ALSO_DISABLED, PLAIN_NAMES, SAME, OdooPlan, OdooReads
from bot.erp.odoo.users import read_users
from bot.erp.plans.planned_erp import PlannedErp
from bot.erp.port import Capability
from bot.erp.setup import SetupProblem, approver_problems, no_company, no_language
from bot.erp.values import text
from bot.erp.vendors import AdapterContext
from bot.mechanisms.batching import Batcher

_CANDIDATES = 200
"""How many products a search ranks."""
_TOGETHER = 50
"""Products whose stock is read at once."""


class OdooErp(PlannedErp[OdooPlan]):
    """One Odoo database, release 14 to 19."""

    capabilities = frozenset(Capability)
    creates = frozenset({SALES_ORDERS.command})
    feeds = frozenset(Feed)
    narrows_lists = True

    def __init__(self, context: AdapterContext, options: OdooOptions) -> None:
        super().__init__(context.name)
        self._options = options
        self._client = OdooClient(options, now=context.now, source=self.name)
        self.decides = dict.fromkeys(options.decides, frozenset(Verdict))
        more = {decided_kind(command) for command in options.decides}
        self._plans = {**PLANS, **{kind: decided(PLANS[kind], APPROVALS[kind]) for kind in more}}
        self._approvals = {
            kind: ModelApprovals(self._client, options, context.keys, self._plans[kind], APPROVALS[kind])
            for kind in (PURCHASE_ORDERS, *more)
        }
        self._drafts = SalesOrderDrafts(self._client, options, context.keys)
        site = mapping.OdooSite(
            source=self.name,
            url=options.url.rstrip("/"),
            zone=ZoneInfo(options.timezone),
            unnamed=options.user if options.decide_as_bot else "",
        )
        self._reads: OdooReads = OdooReads(self._client, site, options.company, now=context.now)
        self._stock = stock.OdooStock(self._client, site, self._reads.of_company(), now=context.now)
        self._levels: Batcher[str, StockLevel | ErpError] = Batcher(
            self._read_levels, most=_TOGETHER, retry_alone=False
        )
        self._goods = OdooGoods(self._reads, self._stock)

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
        return await self._client.search(model, domain, [field], order="id asc", limit=SAME, context=plain)

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

    async def write_decision(self, kind: Kind[Any], decision: Decision) -> DecisionResult:
        approvals = self._approvals[kind]
        return await deciding.decide(
            decision, read=partial(self.document, kind), write=approvals.write, classify=approvals.outcome
        )

    async def write_draft(self, kind: Kind[Any], draft: DocumentDraft) -> None:
        customer = await self.document(CUSTOMERS, draft.partner)
        products = [await self._product(line.sku, PRODUCT_FIELDS) for line in draft.lines]
        await self._drafts.write(draft, int(customer.id), [row["id"] for row in products])

    async def numbers_marked(self, kind: Kind[Any], mark: str) -> Sequence[str]:
        return await self._drafts.numbers_marked(mark, self._reads.of_company())

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        return await read_changes(self._reads, area, cursor, limit=limit)

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
                return tuple(map(product, named))
        size = max(limit, _CANDIDATES) if text else limit
        rows = await self._products(queries.contains(PRODUCT_TEXTS, text), size)
        if text and len(rows) == size:
            exact = [queries.equals(name, text) for name in ("default_code", "barcode")]
            rows += await self._products(queries.any_of(*exact), SAME)
        products = mapping.told_apart({row["id"]: row for row in rows}.values(), "default_code")
        return listing.find_products(map(product, products), text, limit=limit)

    async def read_products(self, skus: Sequence[str]) -> tuple[Product, ...]:
        """Return active products by their codes, those without a code by their ids."""
        ids = [int(by_id[2]) for sku in skus if (by_id := queries.BY_ID.fullmatch(sku))]
        named: Condition = ["default_code", "in", list(skus)]
        # More than were asked for only where several share a code: almost always a single page.
        rows = await self._products(queries.any_of(named, ["id", "in", ids]), SAME * len(skus), page=2 * len(skus) + 1)
        wanted = frozenset(skus)
        found = [row for row in rows if mapping.sku_of(row) in wanted]
        return tuple(map(product, mapping.told_apart(found, "default_code")))

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
            [
                *self._reads.of_company(shared=True),
                *queries.any_of(*(term for sku in codes for term in queries.named(sku))),
            ],
            (*PRODUCT_FIELDS, *KIND, *FIGURES, "active"),
            order="active desc, id asc",
            limit=SAME * len(codes),
            context={**PLAIN_NAMES, **ALSO_DISABLED},
        )
        rows = mapping.in_use(rows)
        found: dict[str, Row | ErpError] = {}
        for sku in codes:
            try:
                found[sku] = self._reads.pick(rows, "default_code", sku)
            except (NotFound, Ambiguous) as error:
                found[sku] = error
        there = [row for row in found.values() if not isinstance(row, ErpError)]
        levels = dict(zip((row["id"] for row in there), await self._stock.levels(there), strict=True))
        return [row if isinstance(row := found[sku], ErpError) else levels[row["id"]] for sku in skus]

    async def _products(self, domain: Condition, limit: int, *, page: int | None = None) -> list[Row]:
        return await self._client.rows(
            "product.product",
            [*self._reads.of_company(shared=True), *domain],
            PRODUCT_FIELDS,
            order="default_code asc, id asc",
            limit=limit,
            page=page,
            context=PLAIN_NAMES,
        )

    # Goods

    async def product(self, sku: str) -> ProductDetails:
        fields = (*PRODUCT_FIELDS, "product_tmpl_id")
        row, level = await asyncio.gather(self._product(sku, fields), self.stock(sku))
        return await self._goods.details(row, level.reorder_point)

    async def prices(self, sku: str, *, customer: str) -> Prices:
        return await self._goods.prices(await self._product(sku, (*PRODUCT_FIELDS, *PRICE_FIELDS)), customer)

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        try:
            row = await self._product(query.sku, PRODUCT_FIELDS) if query.sku else None
        except NotFound:
            return Slice(items=(), total=0)
        return await self._goods.arrivals(query, row)

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        return await self._goods.shortages(query)

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        return await self._goods.warehouse_stock(query)

    async def _product(self, sku: str, fields: Iterable[str]) -> Row:
        key = checked_key(sku, source=self.name)
        base, context = self._reads.of_company(shared=True), {**PLAIN_NAMES, **ALSO_DISABLED}
        named = await self._reads.called("product.product", "default_code", key, fields, base, context=context)
        return self._reads.pick(mapping.in_use(named), "default_code", key)
