"""Reads of Frappe's documents for plans, and the joins that plans name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bot.erp.concurrency import gather_or_cancel
from bot.erp.erpnext import query as queries
from bot.erp.erpnext.client import Condition, ErpNextClient, ListRequest, Row, is_exact, pattern
from bot.erp.erpnext.mapping import Site
from bot.erp.errors import NotFound
from bot.erp.kinds import Kind
from bot.erp.listing import read_page
from bot.erp.plans.plan import Conditions, Plan
from bot.erp.port import ListQuery, Period

MOST = 2_000
"""Rows that a question reads at most."""
_ALIKE = 5
"""How many names that differ only in case or accents are compared."""
NOWHERE: Condition = ("name", "in", [""])


@dataclass(frozen=True, slots=True)
class FrappeTerms:
    """Conditions as of a day, for documents that begin on the day of a field."""

    today: date
    begins: str

    def known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return names

    def contains(self, names: tuple[str, ...], text: str) -> Conditions:
        """Return none: alternatives are a part of their own of a request."""
        return []

    def is_named(self, names: tuple[str, ...], name: str) -> Conditions:
        return [(each, "=", name) for each in names] or [NOWHERE]

    def within(self, name: str, period: Period) -> Conditions:
        """Return conditions that match at least what is of these days: nothing is due before it begins."""
        if name:
            return queries.within(name, period)
        return [queries.up_to(self.begins, period.last)] if self.begins else []

    def has_product(self, path: str, product: str) -> Conditions:
        """Return the condition that a row of a child table, which is the ``path``, is of an Item."""
        return [(path, "item_code", "=", product)]


def _always(_row: Row) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class OfOrder:
    """The orders that documents move goods for, and the field of their rows that names them."""

    doctype: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpNextPlan(Plan[FrappeTerms, "ErpNextReads"]):
    """A kind of document in one DocType; ``product`` is the child table that has a row for each Item."""

    kind: Kind[Any]
    shared: bool = False
    """Whether such documents belong to no company."""
    is_meant: Callable[[Row], bool] = _always
    """Whether a single document is of this kind, where a DocType holds others, too."""
    order: OfOrder | None = None
    owed: tuple[Condition, ...] = ()
    """What holds besides of what is due."""

    @property
    def read(self) -> tuple[str, ...]:
        """The fields that are read of a list: those of the kind, and of a document whose it is, as on every DocType."""
        return self.fields if self.shared else tuple(dict.fromkeys((*self.fields, "owner")))

    def is_exact(self, query: ListQuery) -> bool:
        """Whether the rows of a request are those of a list, in its order."""
        known_days = (query.during is None or self.days) and (query.due is None or self.due)
        named = self.lists.get(query.filter)
        return is_exact(query.text) and bool(known_days) and (named is None or named.exact)


class ErpNextReads:
    """Reads documents of one company, or of all that the account sees."""

    def __init__(
        self,
        frappe: ErpNextClient,
        company: str,
        names_of: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]],
        *,
        site: Callable[[], Awaitable[Site]],
        currencies: Callable[[], Awaitable[Mapping[str, str]]],
        now: Callable[[], datetime],
        source: str,
    ) -> None:
        self.frappe, self.company, self.names_of = frappe, company, names_of
        self.site, self.currencies, self._now, self._source = site, currencies, now, source

    async def builder(self, plan: ErpNextPlan) -> Callable[[Row], Any]:
        site = await self.site()
        return lambda row: site.read(plan.build, row)

    async def find(self, plan: ErpNextPlan, number: str) -> Row:
        await self.site()
        row = await self.document(plan.model, number)
        if not plan.is_meant(row):
            raise NotFound(number, source=self._source)
        return _whole(plan, row)

    async def find_all(self, plan: ErpNextPlan, numbers: Sequence[str]) -> list[Row]:
        request = ListRequest(plan.model, plan.read, [("name", "in", list(numbers)), *self._of_company(plan)])
        # MariaDB compares without regard to case.
        wanted = frozenset(numbers)
        return [row for row in await self.frappe.rows(request) if row["name"] in wanted and plan.is_meant(row)]

    async def page(self, plan: ErpNextPlan, query: ListQuery) -> tuple[list[Row], int]:
        """Return a part of a list, cut by Frappe or, where its conditions match more, cut here."""
        today = query.day((await self.site()).local(self._now()).date())
        try:
            item = str((await self.document("Item", query.product))["name"]) if query.product else ""
        except NotFound:
            return [], 0
        request = await self._request(plan, replace(query, product=item), today)
        if not plan.is_exact(query):
            rows, total = await self._picked(plan, query, today, await self.frappe.rows(request))
        else:
            read = self.frappe.distinct_rows if item else self.frappe.rows
            page = read(request, start=query.offset, limit=query.limit)
            rows, total = await read_page(query, page, lambda: self.frappe.count(request))
        return await self._with_rows_of(plan, rows, item) if item else rows, total

    async def of_order(self, plan: ErpNextPlan, order_number: str) -> list[Row]:
        assert plan.order is not None
        await self.site()
        order = str((await self.document(plan.order.doctype, order_number))["name"])
        conditions = [(plan.order.link, "=", order), *plan.where(FrappeTerms(date.min, ""))]
        request = ListRequest(f"{plan.model} Item", ("parent",), conditions, parent=plan.model)
        names = sorted({str(row["parent"]) for row in await self.frappe.rows(request, limit=MOST)})
        found = await gather_or_cancel(*(self.frappe.document(plan.model, name) for name in names))
        return [_whole(plan, row) for row in found if plan.is_meant(row)]

    async def document(self, doctype: str, name: str) -> Row:
        """Return a document by its name, ignoring case; raises `NotFound` if it belongs to another company."""
        try:
            document = await self.frappe.document(doctype, name)
        except NotFound:
            spelling = await self._spelling(doctype, name)
            if spelling is None:
                raise
            document = await self.frappe.document(doctype, spelling)
        # Databases match “é” for “e”.
        same = str(document["name"]).casefold() == name.casefold()
        ours = not self.company or document.get("company") in (None, self.company)
        if not same or not ours:
            raise NotFound(name, source=self._source)
        return document

    async def _spelling(self, doctype: str, name: str) -> str | None:
        """Return the exact spelling of a name: MariaDB ignores case, PostgreSQL does not."""
        if not name.strip() or name.upper() == name.lower():
            return None
        lookup = ListRequest(doctype, ("name",), [("name", "like", pattern(name)[1:-1])])
        names = [str(row["name"]) for row in await self.frappe.rows(lookup, limit=_ALIKE)]
        return next((known for known in names if known.casefold() == name.casefold()), None)

    def _of_company(self, plan: ErpNextPlan) -> list[Condition]:
        return [] if plan.shared else queries.of_company(self.company)

    async def _request(self, plan: ErpNextPlan, query: ListQuery, today: date) -> ListRequest:
        terms = FrappeTerms(today, next(iter(plan.days), ""))
        any_of: list[Condition] = [(name, "like", pattern(query.text)) for name in plan.texts if query.text]
        if query.text and plan.order is not None:
            any_of += await self._of_orders(plan, plan.order.link, query.text)
        # Parents and child rows have fields of the same names: those of the order say which are meant.
        field = f"`tab{plan.model}`.`{{}}`" if query.product else "{}"
        order = (f"{field.format(name)} {'desc' if falls else 'asc'}" for name, falls in plan.order_by(query, terms))
        return ListRequest(
            plan.model,
            plan.read,
            [*plan.conditions(query, terms), *(plan.owed if query.due else ()), *self._of_company(plan)],
            any_of,
            ", ".join(order),
            repeats=bool(query.product),
        )

    async def _of_orders(self, plan: ErpNextPlan, link: str, text: str) -> list[Condition]:
        """Return the condition for documents that move goods for orders whose numbers contain a text."""
        lines = ListRequest(f"{plan.model} Item", ("parent",), [(link, "like", pattern(text))], parent=plan.model)
        names = sorted({str(row["parent"]) for row in await self.frappe.rows(lines, limit=MOST)})
        return [("name", "in", names)] if names else []

    async def _picked(
        self, plan: ErpNextPlan, query: ListQuery, today: date, rows: Sequence[Row]
    ) -> tuple[list[Row], int]:
        """Return the rows of the documents that are asked for, of some that may be."""
        distinct = list({row["name"]: row for row in rows}.values())
        if plan.order is not None:
            # The numbers of orders are searched, too.
            await gather_or_cancel(*(join(self, distinct, False) for join in plan.joins))
        built = await self.builder(plan)
        row_of = [(built(row), row) for row in distinct]
        picked = plan.kind.pick((document for document, _ in row_of), replace(query, product=""), today)
        by_document = {id(document): row for document, row in row_of}
        return [by_document[id(document)] for document in picked.items], picked.total

    async def _with_rows_of(self, plan: ErpNextPlan, rows: Sequence[Row], item: str) -> list[Row]:
        """Return documents with their lines of one Item, and no other lines."""
        first, *others = [join for join in plan.joins if isinstance(join, ChildRows) and join.with_lines]
        none: Row = {table.into: [] for table in others}
        lines = await first.read(self, [row["name"] for row in rows], item=item)
        return [{**row, **none, first.into: lines.get(row["name"], [])} for row in rows]


def _whole(plan: ErpNextPlan, document: Row) -> Row:
    """Return a document that was read whole: none of its child tables has to be read."""
    return {**{join.into: [] for join in plan.joins if isinstance(join, ChildRows)}, **document}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRows:
    """Joins the rows of a child table to the documents of a list."""

    of: str
    into: str
    """What the document calls the table, or its field if it is one alone."""
    doctype: str
    fields: tuple[str, ...]
    with_lines: bool = False
    """Whether they are read only for documents that are shown with their lines, and then all of them."""

    async def __call__(self, reads: ErpNextReads, rows: Sequence[Row], whole: bool) -> None:
        lacking = [row for row in rows if self.into not in row]
        if self.with_lines and not whole:
            return
        found = await self.read(reads, [row["name"] for row in lacking])
        for row in lacking:
            row[self.into] = found.get(row["name"], [])

    async def read(self, reads: ErpNextReads, names: Sequence[str], *, item: str = "") -> Mapping[str, list[Row]]:
        """Return the rows of documents in their order, by the documents' names; those of one ``item`` if given."""
        if not names:
            return {}
        filters: list[Condition] = [("parenttype", "=", self.of), ("parent", "in", names)]
        if self.with_lines:
            filters.append(("parentfield", "=", self.into))
        else:
            filters += [(name, "is", "set") for name in self.fields]
        if item:
            filters.append(("item_code", "=", item))
        order = "parent asc, idx asc"
        request = ListRequest(self.doctype, ("parent", *self.fields), filters, order_by=order, parent=self.of)
        found: dict[str, list[Row]] = {}
        for row in await reads.frappe.rows(request):
            found.setdefault(str(row["parent"]), []).append(row)
        return found
