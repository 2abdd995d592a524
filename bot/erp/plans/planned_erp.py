"""The reads of documents that follow from a vendor's plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from bot.erp.concurrency import gather_or_cancel
from bot.erp.document_erp import DocumentErp
from bot.erp.header_lists import as_listed
from bot.erp.kinds import D, Kind, kind_followed
from bot.erp.model import ErpRecord, Followed, Slice
from bot.erp.plans.plan import Plan, Row
from bot.erp.port import ListQuery
from bot.erp.values import malformed_is_invalid

P = TypeVar("P", bound=Plan[Any, Any])
P_contra = TypeVar("P_contra", bound=Plan[Any, Any], contravariant=True)


class Dialect(Protocol[P_contra]):
    """How the rows of plans are read from one ERP."""

    async def builder(self, plan: P_contra, /) -> Callable[[Row], Any]:
        """Return what builds the documents of rows."""
        ...

    async def find(self, plan: P_contra, number: str, /) -> Row:
        """Return the row with a number, as much of it as a whole document needs; raises `NotFound`."""
        ...

    async def find_all(self, plan: P_contra, numbers: Sequence[str], /) -> list[Row]:
        """Return the rows with these numbers, spelled as the bot tells them; missing ones are left out."""
        ...

    async def page(self, plan: P_contra, query: ListQuery, /) -> tuple[list[Row], int]:
        """Return a part of a list, and how many rows there are in all."""
        ...

    async def of_order(self, plan: P_contra, order_number: str, /) -> list[Row]:
        """Return the rows of what was moved for an order; raises `NotFound` for no such order."""
        ...


async def build(plan: P, rows: list[Row], reads: Dialect[P], *, whole: bool) -> list[Any]:
    """Return the documents of rows, with what the plan joins to them; ``whole`` ones with their lines."""
    built = await reads.builder(plan)
    await gather_or_cancel(*(join(reads, rows, whole) for join in plan.joins))
    return list(await plan.complete(reads, [built(row) for row in rows]))


class PlannedErp(DocumentErp, Generic[P]):
    """Reads each kind of document by its plan."""

    _plans: Mapping[Kind[Any], P]
    _reads: Dialect[P]

    async def _plan(self, kind: Kind[Any]) -> P:
        return self._plans[kind]

    async def read_document(self, kind: Kind[D], number: str) -> D:
        plan = await self._plan(kind)
        found: list[D] = await build(plan, [await self._reads.find(plan, number)], self._reads, whole=True)
        return found[0]

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return documents with their lines by their numbers; missing ones are left out."""
        kind = kind_followed(area)
        self._check_offered(kind)
        with malformed_is_invalid(self.name):
            plan = await self._plan(kind)
            return tuple(await build(plan, await self._reads.find_all(plan, numbers), self._reads, whole=True))

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        plan = await self._plan(kind)
        rows, total = await self._reads.page(plan, query)
        found: list[D] = await build(plan, rows, self._reads, whole=bool(query.product))
        return Slice(items=tuple(as_listed(document, query) for document in found), total=total)

    async def read_of_order(self, kind: Kind[D], order_number: str) -> Sequence[D]:
        plan = await self._plan(kind)
        return await build(plan, await self._reads.of_order(plan, order_number), self._reads, whole=True)
