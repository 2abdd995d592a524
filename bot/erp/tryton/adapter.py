"""Tryton behind the bot's port: all areas are read, and purchase orders are confirmed or cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.erp import deciding, listing
from bot.erp.errors import ErpError, Invalid, NotFound, NotPermitted
from bot.erp.http import Http
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
)
from bot.erp.port import Capability, ListQuery
from bot.erp.refusing import RefusingErp
from bot.erp.tryton import documents
from bot.erp.tryton.changes import read_changes
from bot.erp.tryton.client import Account, Domain, Row, TrytonClient, TrytonRefusal, at, containing, like
from bot.erp.tryton.decisions import BUTTONS, MODEL, note_for, read_approvals, resource, stamp_of, version_of
from bot.erp.tryton.manifest import TrytonOptions
from bot.erp.tryton.query import INVOICES, OVERDUE, PRODUCTIONS, PURCHASES, SALES, DocumentQuery, unnumbered
from bot.erp.tryton.stock import read_places, read_reorder_point, total_of
from bot.erp.vendors import AdapterContext

P = ParamSpec("P")
T = TypeVar("T")

_TWINS = 50
"""How many records may differ from one another in nothing but the case of their number."""
_RANKED = 200
"""Among how many products a search looks for the best match, besides those that match exactly."""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


def _invalid_if_malformed(
    call: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Turn a value that cannot be Tryton's, such as a state that a module of its own invented, into `Invalid`."""

    @wraps(call)
    async def understood(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(self, *args, **kwargs)
        except _MALFORMED as error:
            text = f"a value that is unknown here in an answer: {type(error).__name__}: {error}"
            raise Invalid(text, source=self.name) from error

    return understood


class TrytonErp(RefusingErp):
    """One database. People decide under their own accounts where the options have them, else under the bot's."""

    capabilities = frozenset(Capability)

    def __init__(self, context: AdapterContext, options: TrytonOptions) -> None:
        super().__init__(context.name)
        self._now = context.now
        self._zone = ZoneInfo(options.timezone)
        self._http = Http(options, now=context.now, source=self.name)
        client = TrytonClient(options, self._http)
        self._account = Account(client, options.user, options.password)
        self._approvers = {user: Account(client, user, password) for user, password in options.approvers.items()}
        self._for_others = options.user if options.decide_as_bot else None
        self._web = f"{options.web_url.rstrip('/')}/#{quote(options.database)}/model" if options.web_url else ""

    # Products and stock

    @_invalid_if_malformed
    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products; the text is looked for in code, name and identifiers."""
        same = ["OR", ["code", "ilike", like(text)], ["identifiers.code", "ilike", like(text)]]
        exact, part = await asyncio.gather(
            self._products([same], _TWINS if text else 0),
            self._products(containing(text, ("code", "template.name", "identifiers.code")), max(limit, _RANKED)),
        )
        found = {row["id"]: documents.product(row) for row in (*exact, *part)}
        return listing.find_products(found.values(), text, limit=limit)

    @_invalid_if_malformed
    async def stock(self, sku: str) -> StockLevel:
        """Return the figures of every warehouse; the available ones are Tryton's forecast for the end of today."""
        rows = await self._products([["code", "ilike", like(sku)]], _TWINS) if sku else []
        row = self._same(rows, sku, [row["code"] for row in rows])
        digits = at(row, "default_uom.digits")
        places, reorder_point = await asyncio.gather(
            read_places(self._account, row["id"], digits, today=self._today()),
            read_reorder_point(self._account, row["id"], digits),
        )
        return StockLevel(
            product=documents.product(row),
            total=total_of(places),
            per_warehouse=places,
            reorder_point=reorder_point,
            as_of=self._now(),
            source=self.name,
        )

    async def _products(self, domain: Domain, limit: int) -> list[Row]:
        domain = [["code", "!=", None], *domain]
        return await self._account.search(
            "product.product", domain, documents.PRODUCT, order=[["code", "ASC"], ["id", "ASC"]], limit=limit
        )

    # Documents

    @_invalid_if_malformed
    async def order(self, number: str) -> SalesOrder:
        """Return a sale."""
        return self._sale(await self._one(SALES, number), lines=True)

    @_invalid_if_malformed
    async def orders(self, query: ListQuery) -> Slice[SalesOrder]:
        """Return sales."""
        rows, total = await self._page(SALES, query)
        return Slice(items=tuple(self._sale(row, lines=False) for row in rows), total=total)

    @_invalid_if_malformed
    async def invoice(self, number: str) -> Invoice:
        """Return a customer invoice."""
        return self._invoice(await self._one(INVOICES, number))

    @_invalid_if_malformed
    async def invoices(self, query: ListQuery) -> Slice[Invoice]:
        """Return customer invoices. An overdue one is no state of Tryton's: it is found by its payments' days."""
        if query.filter in OVERDUE:
            domain = INVOICES.domain_of(query, self._today(), OVERDUE)
            rows = await self._account.search(INVOICES.model, domain, INVOICES.fields)
            return listing.INVOICES.pick([self._invoice(row) for row in rows], query, self._today())
        rows, total = await self._page(INVOICES, query)
        return Slice(items=tuple(map(self._invoice, rows)), total=total)

    @_invalid_if_malformed
    async def purchase_order(self, number: str) -> PurchaseOrder:
        """Return a purchase with its approval."""
        return (await self._purchases([await self._one(PURCHASES, number)], lines=True))[0]

    @_invalid_if_malformed
    async def purchase_orders(self, query: ListQuery) -> Slice[PurchaseOrder]:
        """Return purchases with their approvals."""
        rows, total = await self._page(PURCHASES, query)
        return Slice(items=await self._purchases(rows, lines=False), total=total)

    @_invalid_if_malformed
    async def production_order(self, number: str) -> ProductionOrder:
        """Return a production."""
        return self._production(await self._one(PRODUCTIONS, number))

    @_invalid_if_malformed
    async def production_orders(self, query: ListQuery) -> Slice[ProductionOrder]:
        """Return productions."""
        rows, total = await self._page(PRODUCTIONS, query)
        return Slice(items=tuple(map(self._production, rows)), total=total)

    # Decisions, changes, the source itself

    @_invalid_if_malformed
    async def decide(self, decision: Decision) -> DecisionResult:
        """Confirm or cancel a quotation; the reason goes into a note on it."""
        return await deciding.decide(decision, read=self.purchase_order, write=self._write)

    @_invalid_if_malformed
    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return changes by their time; stock changes with every move of a product."""
        return await read_changes(self._account, area, cursor, limit=limit)

    @_invalid_if_malformed
    async def check(self) -> None:
        """Log in and ask for the account's own preferences."""
        await self._account.read("res.user", "get_preferences", True)

    async def close(self) -> None:
        """Give connections back; Tryton ends idle sessions itself."""
        await self._http.close()

    async def _write(self, order: PurchaseOrder, decision: Decision) -> str:
        account = self._account_of(order, decision)
        button = BUTTONS[decision.verdict]
        try:
            stamp = {"_timestamp": {resource(order.id): stamp_of(decision.version)}}
            await account.write(MODEL, button, [int(order.id)], context=stamp)
        except TrytonRefusal as error:
            # The text is in the person's language; the rights are not.
            if await self._may_press(account, button):
                raise
            raise NotPermitted(error.detail, source=self.name) from None
        return await self._leave_note(account, order, decision)

    def _account_of(self, order: PurchaseOrder, decision: Decision) -> Account:
        if decision.by in self._approvers:
            return self._approvers[decision.by]
        if self._for_others is None:
            raise NotPermitted("there is no account of this person here", source=self.name)
        if order.approval is not None and order.approval.level > 1 and not order.approval.decided_by:
            raise NotPermitted("Tryton wants the word of a second account, and the bot has only one", source=self.name)
        return self._account

    async def _may_press(self, account: Account, button: str) -> bool:
        """Return whether an account has the right to a button, by the rule of Tryton itself.

        A button is open to its groups or, where it has none, to all who may change its model.
        """
        pressed = [["model", "=", MODEL], ["name", "=", button]]
        buttons, preferences, access = await asyncio.gather(
            account.search("ir.model.button", pressed, ["groups"]),
            account.read("res.user", "get_preferences", True),
            account.read("ir.model.access", "get_access", [MODEL]),
        )
        groups = {group for row in buttons for group in row["groups"]}
        return bool(groups & set(preferences["groups"]) if groups else access[MODEL]["write"])

    async def _leave_note(self, account: Account, order: PurchaseOrder, decision: Decision) -> str:
        """Write reason and person down; where that fails the decision stands all the same, and the text says so."""
        message = note_for(decision, for_another=account.user != decision.by)
        if not message:
            return ""
        try:
            await account.write("ir.note", "create", [{"resource": resource(order.id), "message": message}])
        except ErpError as error:
            return f"The note with the reason could not be left: {error.detail}"
        return ""

    # What the areas share

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()

    def _url(self, model: str, row: Row) -> str:
        return f"{self._web}/{model}/{row['id']}" if self._web else ""

    def _sale(self, row: Row, *, lines: bool) -> SalesOrder:
        return documents.sale(row, source=self.name, url=self._url(SALES.model, row), lines=lines)

    def _invoice(self, row: Row) -> Invoice:
        return documents.invoice(row, source=self.name, url=self._url(INVOICES.model, row))

    def _production(self, row: Row) -> ProductionOrder:
        return documents.production(row, source=self.name, url=self._url(PRODUCTIONS.model, row))

    async def _purchases(self, rows: list[Row], *, lines: bool) -> tuple[PurchaseOrder, ...]:
        approvals, people = await read_approvals(self._account, rows, for_others=self._for_others)
        return tuple(
            documents.purchase(
                row,
                approvals[row["id"]],
                people[row["id"]],
                version=version_of(row, approvals[row["id"]]),
                source=self.name,
                url=self._url(MODEL, row),
                lines=lines,
            )
            for row in rows
        )

    async def _one(self, kind: DocumentQuery, number: str) -> Row:
        """Return the document of this number, in any case; one without number is asked for as ``(id)``."""
        if not number:
            raise NotFound(number, source=self.name)
        wanted = unnumbered(number) or [["number", "ilike", like(number)]]
        fields = (*kind.fields, *kind.line_fields)
        rows = await self._account.search(kind.model, [*kind.domain, *wanted], fields, limit=_TWINS)
        return self._same(rows, number, [documents.number_of(row) for row in rows])

    def _same(self, rows: list[Row], wanted: str, keys: list[str]) -> Row:
        """Return the row whose key is ``wanted``, to the letter or else in any case."""
        for spell in (str, str.casefold):
            for row, key in zip(rows, keys, strict=True):
                if spell(key) == spell(wanted):
                    return row
        raise NotFound(wanted, source=self.name)

    async def _page(self, kind: DocumentQuery, query: ListQuery) -> tuple[list[Row], int]:
        """Return the rows of a list that are asked for, and how many there are in all."""
        domain, order = kind.domain_of(query, self._today()), kind.order_of(query)
        rows = await self._account.search(
            kind.model, domain, kind.fields, order=order, offset=query.offset, limit=query.limit
        )
        if len(rows) < query.limit and (rows or not query.offset):
            return rows, query.offset + len(rows)
        return rows, await self._account.count(kind.model, domain)
