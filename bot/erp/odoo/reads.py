"""Reads of Odoo's records for plans, and the joins that plans name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import ErpError
from bot.erp.keys import pick_by_key
from bot.erp.listing import read_page
from bot.erp.odoo import mapping
from bot.erp.odoo import query as queries
from bot.erp.odoo.client import OdooClient
from bot.erp.odoo.mapping import OdooSite, Row
from bot.erp.odoo.query import BY_ID, Condition, OdooTerms
from bot.erp.plans.plan import Join, Plan
from bot.erp.port import Filter, ListQuery

PLAIN_NAMES: Mapping[str, Any] = {"display_default_code": False}
"""Context for display names without the product code in front."""
ALSO_DISABLED: Mapping[str, Any] = {"active_test": False}
MOST = 2_000
"""Lines, orders or moves that a question reads at most."""
SAME = 20
"""How many records with the same number, apart from case and accents, are compared."""


@dataclass(frozen=True, slots=True)
class OfOrder:
    """How what was moved for an order is found: by these fields of the order, of a model."""

    model: str
    fields: tuple[str, ...]
    moved: Callable[[Row, OdooTerms], Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooPlan(Plan[OdooTerms, "OdooReads"]):
    """A kind of document in one model."""

    partners: tuple[str, ...] = ("partner_id.name", "partner_id.parent_id.name")
    """Also the name of the company that somebody works for."""
    shared: bool = False
    """Whether a record may belong to no company, and whether disabled ones are found by their code."""
    halves: tuple[OdooPlan, ...] = ()
    """Plans that list parts of these documents, each by another day."""
    order: OfOrder | None = None
    followed: Callable[[OdooTerms], Condition] | None = None
    """What holds for documents whose changes are told, if it is less: others were of the kind before."""

    @property
    def read(self) -> tuple[str, ...]:
        """The fields that are read: those of the kind, and who created it, as on every model."""
        return tuple(dict.fromkeys((*self.fields, "create_uid")))


class OdooReads:
    """Reads records of one company, or of all that the account sees."""

    def __init__(self, client: OdooClient, site: OdooSite, company: int | None, *, now: Callable[[], datetime]) -> None:
        self.client, self.site = client, site
        self._company, self._now = company, now
        self._kept: dict[str, dict[int, Row]] = {}

    def of_company(self, *, shared: bool = False) -> Condition:
        """Return the condition that a record belongs to the company or, if ``shared``, to none."""
        return queries.of_company(self._company, shared=shared)

    async def terms(self, model: str, query: ListQuery | None = None) -> OdooTerms:
        """Return the terms for a model; raises `Unsupported` where the database lacks it."""
        own = self._now().astimezone(self.site.zone).date()
        available = await self.client.fields(model)
        return OdooTerms(available, query.day(own) if query else own, self.site.zone)

    # Documents

    async def builder(self, plan: OdooPlan) -> Callable[[Row], Any]:
        return lambda row: plan.build(row, self.site)

    async def find(self, plan: OdooPlan, number: str) -> Row:
        base = [*plan.where(await self.terms(plan.model)), *self.of_company(shared=plan.shared)]
        context = ALSO_DISABLED if plan.shared else PLAIN_NAMES
        return await self.record(plan.model, plan.number, number, plan.read, base, context=context)

    async def find_all(self, plan: OdooPlan, numbers: Sequence[str]) -> list[Row]:
        """Return the rows with these numbers, or with these ids if they have no number."""
        ids = [int(by_id[2]) for number in numbers if (by_id := BY_ID.fullmatch(number))]
        called: Condition = queries.any_of([plan.number, "in", list(numbers)], ["id", "in", ids])
        rows = await self.client.rows(
            plan.model,
            [*plan.where(await self.terms(plan.model)), *self.of_company(), *called],
            plan.read,
            order="id asc",
            limit=SAME * len(numbers),
            context=PLAIN_NAMES,
        )
        found = {row["id"]: row for number in numbers for row in mapping.called(rows, number, plan.number)}
        apart = mapping.told_apart(found.values(), plan.number)
        return [row for row in apart if mapping.key_of(row, plan.number) in frozenset(numbers)]

    async def page(self, plan: OdooPlan, query: ListQuery) -> tuple[list[Row], int]:
        if not queries.is_searchable(query.text + query.product):
            return [], 0
        halved = plan.halves and query.filter is Filter.ALL
        rows, total = await (self._halves(plan.halves, query) if halved else self._page(plan, query))
        return mapping.told_apart(rows, plan.number), total

    async def of_order(self, plan: OdooPlan, order_number: str) -> list[Row]:
        assert plan.order is not None
        by = plan.order
        order = await self.record(by.model, "name", order_number, by.fields, self.of_company())
        terms = await self.terms(plan.model)
        domain = [*self.of_company(), *plan.where(terms), *by.moved(order, terms)]
        return await self.client.rows(plan.model, domain, plan.read, order="id asc", limit=MOST)

    async def _page(self, plan: OdooPlan, query: ListQuery) -> tuple[list[Row], int]:
        terms = await self.terms(plan.model, query)
        domain = [*self.of_company(shared=plan.shared), *plan.conditions(query, terms)]
        order = [
            f"{name} {'desc' if falls else 'asc'}" for name, falls in (*plan.order_by(query, terms), ("id", False))
        ]
        rows = self.client.rows(
            plan.model, domain, plan.read, order=", ".join(order), offset=query.offset, limit=query.limit
        )
        return await read_page(query, rows, lambda: self.client.count(plan.model, domain))

    async def _halves(self, halves: Sequence[OdooPlan], query: ListQuery) -> tuple[list[Row], int]:
        """Return a page of documents, newest first, some of which are dated by one day and the rest by another."""
        first = replace(query, offset=0, limit=query.offset + query.limit)
        parts = await gather_or_cancel(*(self._page(half, first) for half in halves))
        found = mapping.newest_first((half.days[0], rows) for half, (rows, _) in zip(halves, parts, strict=True))
        return found[query.offset : query.offset + query.limit], sum(total for _, total in parts)

    # Records

    async def record(
        self,
        model: str,
        key: str,
        text: str,
        fields: Iterable[str],
        base: Condition,
        *,
        context: Mapping[str, Any] = PLAIN_NAMES,
    ) -> Row:
        """Return the record with this code or number, or with the id behind it; raises `NotFound`, `Ambiguous`."""
        return self.pick(await self.called(model, key, text, fields, base, context=context), key, text)

    async def called(
        self, model: str, key: str, text: str, fields: Iterable[str], base: Condition, *, context: Mapping[str, Any]
    ) -> list[Row]:
        """Return records with a code or number, or with the id behind it, and some that are spelled like it."""
        condition = queries.any_of(*queries.named(text, key))
        return await self.client.rows(model, [*base, *condition], fields, order="id asc", limit=SAME, context=context)

    def pick(self, rows: Iterable[Row], key: str, text: str) -> Row:
        """Return the record that is called ``text``; raises `NotFound` and `Ambiguous`."""
        rows = mapping.called(rows, text, key) if BY_ID.fullmatch(text) else rows
        # With `unaccent` enabled, LIKE also matches other spellings.
        return pick_by_key(rows, text, lambda row: mapping.key_of(row, key), source=self.site.source)

    async def kept(self, model: str, ids: Iterable[int], fields: tuple[str, ...]) -> Mapping[int, Row]:
        """Return records that hardly change, each of which is read once."""
        known = self._kept.setdefault(model, {})
        if unknown := set(ids) - known.keys():
            known |= await self.client.read(model, unknown, fields)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Joins the records that rows name by their ids, as ``{id: record}`` in the order of the ids."""

    into: str
    by: tuple[str, ...]
    model: str
    fields: tuple[str, ...]
    with_lines: bool = False
    """Whether they are read only for documents that are shown with their lines."""
    closed: tuple[type[ErpError], ...] = ()
    """The errors by which the account may not read them; the rows get None then."""
    is_kept: bool = False
    """Whether each record is read once."""
    context: Mapping[str, Any] | None = None
    joins: tuple[Join[OdooReads], ...] = ()

    async def __call__(self, reads: OdooReads, rows: Sequence[Row], whole: bool = False) -> None:
        if self.with_lines and not whole:
            return
        ids = {row["id"]: list(self._ids_of(row)) for row in rows}
        try:
            found = await self._read(reads, {key for keys in ids.values() for key in keys})
        except self.closed:
            found = None
        for row in rows:
            row[self.into] = found if found is None else {key: found[key] for key in ids[row["id"]] if key in found}
        for join in self.joins:
            await join(reads, list((found or {}).values()), whole)

    def _ids_of(self, row: Row) -> Iterable[int]:
        return (key for name in self.by for key in mapping.references(row.get(name)))

    async def _read(self, reads: OdooReads, ids: set[int]) -> Mapping[int, Row]:
        if not ids:
            return {}
        if self.is_kept:
            return await reads.kept(self.model, ids, self.fields)
        return await reads.client.read(self.model, ids, self.fields, context=self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Joins the records that name a row, as ``{id: record}``, for documents that are shown with their lines."""

    into: str
    model: str
    by: str
    fields: tuple[str, ...]
    where: Condition = field(default_factory=list)
    joins: tuple[Join[OdooReads], ...] = ()

    async def __call__(self, reads: OdooReads, rows: Sequence[Row], whole: bool) -> None:
        if not rows or not whole:
            return
        domain = [[self.by, "in", [row["id"] for row in rows]], *self.where]
        found = await reads.client.rows(self.model, domain, (self.by, *self.fields), order="id asc", limit=MOST)
        for row in rows:
            row[self.into] = {each["id"]: each for each in found if mapping.reference(each.get(self.by)) == row["id"]}
        for join in self.joins:
            await join(reads, found, whole)


PRODUCTS = Linked(
    into="product", by=("product_id",), model="product.product", fields=("default_code", "name"), context=PLAIN_NAMES
)
"""The products of lines, moves and production orders."""
PEOPLE = Linked(into="people", by=("create_uid", "write_uid"), model="res.users", fields=("login",), is_kept=True)
"""The logins of those who created a record and wrote it last."""
