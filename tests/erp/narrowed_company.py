"""A company in memory whose records carry all that scopes ask for, and how many calls it took to read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import ErpError, NotFound
from bot.erp.kinds import D, Kind
from bot.erp.listing import find_products
from bot.erp.model import (
    Invoice,
    Product,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    Quantities,
    SalesOrder,
    Slice,
    StockLevel,
    WarehouseStock,
)
from bot.erp.port import Capability, ListQuery
from tests.bare_records import bare

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)


class CompanyInMemory(DocumentCalls):
    """One source; its documents of each kind are in ``documents_kept``, by the name of the port's call."""

    capabilities = frozenset(Capability)

    def __init__(self, name: str, levels: Sequence[StockLevel] = (), **documents: Sequence[Any]) -> None:
        self.name = name
        self.levels = {level.product.sku: level for level in levels}
        self.documents_kept = documents
        self.calls: list[str] = []
        self.error: ErpError | None = None

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        self._called("find_products")
        return find_products((level.product for level in self.levels.values()), text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        self._called("stock")
        if sku not in self.levels:
            raise NotFound(sku)
        return self.levels[sku]

    async def document(self, kind: Kind[D], number: str) -> D:
        self._called(kind.call)
        for document in self.documents_kept.get(kind.call, ()):
            if document.number.casefold() == number.casefold():
                return document  # type: ignore[no-any-return]
        raise NotFound(number)

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        self._called(f"{kind.list_call} {query.text}+{query.offset}")
        return kind.pick(self.documents_kept.get(kind.call, ()), query, TODAY)

    async def close(self) -> None:
        pass

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


def a_level(
    sku: str, per_warehouse: dict[str, int], *, category: str = "", company: str = "", reorder: int | None = None
) -> StockLevel:
    """Return stock in warehouses, of which each code has the name ``<code> Hall``."""
    places = tuple(
        WarehouseStock(
            code=code, name=f"{code} Hall", quantities=Quantities(on_hand=Decimal(figure), available=Decimal(figure))
        )
        for code, figure in per_warehouse.items()
    )
    total = Decimal(sum(per_warehouse.values()))
    return StockLevel(
        product=Product(sku=sku, name=f"Product {sku}", unit="pcs", category=category),
        total=Quantities(on_hand=total, available=total),
        per_warehouse=places,
        reorder_point=None if reorder is None else Decimal(reorder),
        as_of=NOW,
        company=company,
    )


def an_order(number: str, customer: str, *, salesperson: str = "", company: str = "") -> SalesOrder:
    """Return a sales order."""
    told = {"customer": customer, "salesperson": salesperson, "ordered_on": TODAY}
    return bare(SalesOrder, number, extra=_of(company), **told)


def an_invoice(number: str, customer: str, *, company: str = "") -> Invoice:
    """Return an invoice."""
    return bare(Invoice, number, customer=customer, issued_on=TODAY, extra=_of(company))


def a_purchase(number: str, vendor: str, *, requester: str = "", buyer: str = "", company: str = "") -> PurchaseOrder:
    """Return a purchase order, whose accounts have names: ``anna`` is called Anna."""
    people = {account: account.title() for account in (requester, buyer) if account}
    told = {"vendor": vendor, "requester": requester, "buyer": buyer, "people": people, "ordered_on": TODAY}
    return bare(PurchaseOrder, number, extra=_of(company), **told)


def a_production(number: str, sku: str, *, company: str = "") -> ProductionOrder:
    """Return a production order."""
    told = {"sku": sku, "name": f"Product {sku}", "status": ProductionStatus.PLANNED, "start_on": TODAY}
    return bare(ProductionOrder, number, extra=_of(company), **told)


def _of(company: str) -> dict[str, str]:
    return {"company": company} if company else {}
