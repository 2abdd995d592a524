"""Documents as the ERP has them now, read for those who decide on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from bot.approvals.case import Case
from bot.approvals.company import Organisation, Snapshot
from bot.approvals.document import Document
from bot.approvals.ruling import Policy
from bot.erp.errors import Unavailable
from bot.erp.model import PurchaseOrder, PurchaseStatus


class Orders(Protocol):
    """The ERPs; implemented by `bot.erp.hub.ErpHub`."""

    async def reread(self, source: str, number: str) -> PurchaseOrder:
        """Return a purchase order as its source has it now; raises the classes of `bot.erp.errors`."""
        ...

    async def categories(self, source: str, skus: Sequence[str]) -> frozenset[str]:
        """Return the categories of products; raises the classes of `bot.erp.errors`."""
        ...


class Reader:
    """Reads fresh; those who ask for the same document while it is being read share the answer."""

    def __init__(self, orders: Orders, organisation: Organisation) -> None:
        self._orders = orders
        self._organisation = organisation
        self._flights: dict[tuple[str, str], asyncio.Task[PurchaseOrder]] = {}

    def company(self) -> Snapshot:
        """Return who has which role and account."""
        return self._organisation.today()

    async def order(self, source: str, number: str) -> PurchaseOrder:
        """Return the order; raises the classes of `bot.erp.errors`."""
        key = (source, number.casefold())
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._orders.reread(source, number))
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    async def glance(self, source: str, number: str, seconds: float) -> Document:
        """Return what a vote is judged by, within a click's time; raises `Unavailable` when that is over."""
        try:
            async with asyncio.timeout(seconds):
                order = await self.order(source, number)
        except TimeoutError:
            raise Unavailable("no answer while somebody waits", source=source) from None
        return document_of(order, self.company())

    async def study(self, source: str, number: str, policy: Policy) -> tuple[Document, Snapshot]:
        """Return all that rules may ask for, with who is who around the requester.

        Raises the classes of `bot.erp.errors`, and those of the directory where rules ask for it.
        """
        order = await self.order(source, number)
        company, department = self.company(), ""
        document = document_of(order, company)
        if policy.asks_directory:
            company, department = await self._organisation.around(document.requester)
        categories: frozenset[str] = frozenset()
        if policy.asks_categories and order.status is PurchaseStatus.WAITING:
            categories = await self._orders.categories(source, [line.sku for line in order.lines if line.sku])
        return document_of(order, company, department, categories), company

    def _landed(self, key: tuple[str, str], flight: asyncio.Task[PurchaseOrder]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # those who waited have it; if nobody does any more, it is of no use


def document_of(
    order: PurchaseOrder, company: Snapshot, department: str = "", categories: frozenset[str] = frozenset()
) -> Document:
    """Return an order as it is decided about, its requester and its editor known by their accounts.

    ERPs tell who changed it last, and nobody before. An account that is nobody's, such as the bot's own, is no editor;
    nor is who wrote to it last when it no longer waits, for they decided or received it.
    """
    waits = order.status is PurchaseStatus.WAITING
    editor = company.person_of(order.source, order.changed_by) if order.changed_by and waits else ""
    return Document(
        order=order,
        company=order.extra.get("company", ""),
        department=department,
        categories=categories,
        requester=company.person_of(order.source, order.requester) if order.requester else "",
        editors=frozenset({editor} - {""}),
    )


def remembered(case: Case) -> Document:
    """Return the document as the case remembers it: enough for lists, not for decisions."""
    order = PurchaseOrder(
        id="",
        number=case.number,
        vendor=case.brief.vendor,
        status=PurchaseStatus.WAITING,
        approval=None,
        requester=case.brief.requested_by,
        ordered_on=None,
        due_on=case.brief.due_on,
        total=case.brief.total,
        received=None,
        version=case.version,
        source=case.source,
    )
    return Document(order=order, requester=case.brief.requester, editors=case.brief.editors)
