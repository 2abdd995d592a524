"""Documents that are begun from outside: one transaction that looks for the mark, checks, and writes a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Connection

from bot.erp import kinds
from bot.erp.errors import Invalid, NotFound, NotPermitted
from bot.erp.model import Area, DocumentDraft, DraftLine, OrderLine, OrderStatus, Product, Progress, SalesOrder
from bot.kit.company import tables as t
from bot.kit.company.catalogue import Article
from bot.kit.company.client import writing
from bot.kit.company.company import DemoCompany
from bot.kit.company.decisions import note_change
from bot.kit.company.document_query import by_number
from bot.kit.company.owners import name_of
from bot.kit.company.rows import record_of
from bot.kit.company.sales import ZONE, priced, total_of
from bot.kit.company.seeding import insert_company
from bot.kit.company.tables import fold

_CREATED, _ORDER, _PRODUCT = t.table(t.CreatedRow), t.table(t.OrderRow), t.table(t.ProductRow)


def create(connection: Connection, draft: DocumentDraft, source: str, now: datetime) -> None:
    """Write a draft, unless one with its mark is there. Raises `NotFound`, `NotPermitted` and `Invalid`."""
    with writing(connection):
        if marked(connection, draft.kind, draft.mark):
            return
        number = _WRITERS[draft.kind](connection, draft, source, now)
        connection.execute(insert(_CREATED).values(mark=draft.mark, kind=draft.kind, number=number))


def marked(connection: Connection, kind: str, mark: str) -> Sequence[str]:
    """Return the number of the document with a mark, if there is one."""
    return connection.scalars(select(_CREATED.c.number).where(_CREATED.c.mark == mark, _CREATED.c.kind == kind)).all()


def _sales_order(connection: Connection, draft: DocumentDraft, source: str, now: datetime) -> str:
    seller = name_of(draft.by)
    if not seller:
        raise NotPermitted(f"{draft.by} sells nothing", source=source)
    customer = connection.execute(by_number(t.table(t.CustomerRow)), {"key": fold(draft.partner)}).one_or_none()
    if customer is None:
        raise NotFound(draft.partner, source=source)
    currency = customer.currency or "CNY"
    lines = tuple(_order_line(connection, line, currency, source) for line in draft.lines)
    count = connection.scalar(select(func.count()).select_from(_ORDER)) or 0
    number = f"SO-{1001 + count}"
    order = SalesOrder(
        id=number,
        number=number,
        customer=customer.name,
        status=OrderStatus.DRAFT,
        delivery=Progress.NONE,
        billing=Progress.NONE,
        payment=Progress.NONE,
        ordered_on=now.astimezone(ZONE).date(),
        promised_on=None,
        total=total_of(lines, currency),
        lines=lines,
        salesperson=seller,
        changed_at=now,
    )
    insert_company(connection, DemoCompany(orders=(order,)))
    note_change(connection, Area.SALES, number, now)
    return number


def _order_line(connection: Connection, line: DraftLine, currency: str, source: str) -> OrderLine:
    if line.quantity <= 0:
        raise Invalid("数量必须大于零", source=source)
    found = connection.execute(select(_PRODUCT).where(_PRODUCT.c.sku_key == fold(line.sku))).one_or_none()
    if found is None:
        raise NotFound(line.sku, source=source)
    product = record_of(Product, found)
    article = Article(product, initials="", price=found.list_price, step=Decimal(1), made=False)
    return priced(article, line.quantity, Decimal(0), currency, None)


_WRITERS: Mapping[str, Callable[[Connection, DocumentDraft, str, datetime], str]] = MappingProxyType(
    {kinds.SALES_ORDERS.command: _sales_order}
)
CREATED = frozenset(_WRITERS)
