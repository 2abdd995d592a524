"""Writes the demo company into an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import chain, starmap
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.engine import Connection

from bot.erp.kinds import kind_of
from bot.erp.kinds.quotations import Quotation
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    ErpRecord,
    Feed,
    Followed,
    Invoice,
    Money,
    Payment,
    ProductionOrder,
    PurchaseOrder,
    Review,
    ReviewState,
    SalesOrder,
    Verdict,
)
from bot.erp.model.goods import ComponentUse, GoodsDelivery, GoodsReceipt, Supply
from bot.kit.company import tables as t
from bot.kit.company.client import writing
from bot.kit.company.company import SEED, ArticleStock, DemoCompany, make_company
from bot.kit.company.rows import Values, line_rows, row_of
from bot.kit.company.sales import WAREHOUSES
from bot.kit.company.tables import fold

SCHEMA_VERSION = "9"
"""Raised with every change of the tables or the company: a database of another version is rebuilt."""


def prepare(connection: Connection, today: date, seed: int = SEED) -> None:
    """Fill an empty database, and rebuild one filled by an older release; leave any other as it is."""
    if _layout(connection) == SCHEMA_VERSION:
        return
    with writing(connection):
        # Checked again under the lock: another process may have filled the file meanwhile.
        if _layout(connection) != SCHEMA_VERSION:
            fill(connection, make_company(today, seed))


def _layout(connection: Connection) -> str | None:
    meta = t.table(t.MetaRow)
    if not inspect(connection).has_table(meta.name):
        return None
    found: str | None = connection.scalar(select(meta.c.value).where(meta.c.name == "layout"))
    return found


def fill(connection: Connection, company: DemoCompany, warehouses: Mapping[str, str] = WAREHOUSES) -> None:
    """Replace all data by a company, with names for the codes of its warehouses."""
    t.DemoTable.metadata.drop_all(connection)
    t.DemoTable.metadata.create_all(connection)
    places = enumerate(warehouses.items())
    _insert(connection, t.WarehouseRow, ({"code": c, "name": name, "position": n} for n, (c, name) in places))
    insert_company(connection, company)
    _insert(connection, t.ChangeRow, _changes(company))
    _insert(connection, t.MetaRow, [{"name": "layout", "value": SCHEMA_VERSION}])


def insert_company(connection: Connection, company: DemoCompany) -> None:
    """Write a company's records, without adding them to the list of changes."""
    _insert(connection, t.ProductRow, map(_product, company.holdings))
    _insert(connection, t.StockRow, chain.from_iterable(map(_stock, company.holdings)))
    _insert(connection, t.LotRow, chain.from_iterable(map(_lots, company.holdings)))
    _insert(connection, t.OrderRow, _priced(t.OrderRow, company.orders))
    _insert(connection, t.OrderLineRow, _lines(t.OrderLineRow, company.orders))
    _insert(connection, t.QuotationRow, _priced(t.QuotationRow, company.quotations))
    _insert(connection, t.QuotationLineRow, _lines(t.QuotationLineRow, company.quotations))
    _insert(connection, t.InvoiceRow, _priced(t.InvoiceRow, company.invoices))
    _insert(connection, t.PurchaseRow, map(_purchase, company.purchases))
    _insert(connection, t.PurchaseLineRow, _lines(t.PurchaseLineRow, company.purchases))
    _insert(connection, t.DecisionRow, chain.from_iterable(map(_approvals, company.purchases)))
    _insert(connection, t.ProductionRow, map(_production, company.productions))
    _insert(connection, t.GoodsDeliveryRow, map(_delivery, company.deliveries))
    _insert(connection, t.DeliveryLineRow, _lines(t.DeliveryLineRow, company.deliveries))
    _insert(connection, t.GoodsReceiptRow, map(_receipt, company.receipts))
    _insert(connection, t.ReceiptLineRow, _lines(t.ReceiptLineRow, company.receipts))
    _insert(connection, t.ComponentRow, chain.from_iterable(starmap(_components, company.components.items())))
    _insert(connection, t.SupplyRow, chain.from_iterable(starmap(_supplies, company.supplies.items())))
    _insert(connection, t.CustomerRow, map(_customer, company.customers))
    _insert(connection, t.VendorRow, (row_of(t.VendorRow, vendor) for vendor in company.vendors))
    _insert(connection, t.BillRow, _priced(t.BillRow, company.bills))
    _insert(connection, t.PaymentRow, map(_payment, company.payments))
    reviewed: tuple[tuple[ErpRecord, ...], ...] = (company.orders, company.quotations, company.bills)
    _insert(connection, t.ReviewRow, chain.from_iterable(map(_reviews, reviewed)))
    _insert(connection, t.SettledRow, chain.from_iterable(map(_settled, company.payments)))


def _insert(connection: Connection, model: type[t.DemoTable], rows: Iterable[Values]) -> None:
    values = [dict(row) for row in rows]
    if values:
        connection.execute(insert(t.table(model)), values)


def _priced(model: type[t.DemoTable], documents: Iterable[SalesOrder | Quotation | Invoice | Bill]) -> Iterable[Values]:
    return (row_of(model, each, currency=_currency(each.total)) for each in documents)


def _lines(model: type[t.DemoTable], documents: Iterable[Any]) -> Iterable[Values]:
    return chain.from_iterable(line_rows(model, document.number, document.lines) for document in documents)


def _currency(money: Money | None) -> str | None:
    return None if money is None else money.currency


def _product(holding: ArticleStock) -> Values:
    article = holding.article
    product = article.product
    searched = (*map(fold, (product.sku, product.name, product.spec)), product.barcode, article.initials)
    return row_of(
        t.ProductRow,
        product,
        initials=article.initials,
        search="\n".join(searched),
        reorder_point=holding.reorder_point,
        list_price=article.price,
    )


def _stock(holding: ArticleStock) -> Iterable[Values]:
    for code, quantities in holding.per_warehouse.items():
        yield row_of(t.StockRow, quantities, sku_key=fold(holding.article.product.sku), warehouse=code)


def _lots(holding: ArticleStock) -> Iterable[Values]:
    for lot in holding.lots:
        yield row_of(t.LotRow, lot, sku_key=fold(holding.article.product.sku))


def _purchase(order: PurchaseOrder) -> Values:
    return row_of(t.PurchaseRow, order, currency=_currency(order.total), **_reviewed(order.review))


def _reviewed(review: Review) -> Values:
    """Return the columns that say how far a document is on its way through its approval."""
    told = {name: getattr(review, name) for name in ("requester", "changed_by")}
    told |= {name: getattr(review.progress, name) for name in ("level", "levels", "decided_by", "decided_at", "reason")}
    return {"status": review.state, "version": int(review.version), **told}


def _approvals(order: PurchaseOrder) -> Iterable[Values]:
    """Yield the last decision; a waiting order was approved at the previous level."""
    approval = order.review.progress
    if approval.decided_by:
        yield row_of(
            t.DecisionRow,
            approval,
            kind="po",
            number_key=fold(order.number),
            version=int(order.review.version) - 1,
            level=approval.level - (order.status is ReviewState.WAITING),
            verdict=Verdict.REJECT if order.status is ReviewState.REJECTED else Verdict.APPROVE,
            by=approval.decided_by,
            at=approval.decided_at,
        )


def _reviews(documents: Iterable[ErpRecord]) -> Iterable[Values]:
    for document in documents:
        kind = kind_of(document)
        review = kind.review(document)
        if review is not None:
            own = {"kind": kind.command, "number_key": fold(document.number)}
            yield row_of(t.ReviewRow, review, **own, **_reviewed(review))


def _production(order: ProductionOrder) -> Values:
    return row_of(t.ProductionRow, order, product_key=fold(f"{order.sku}\n{order.name}"))


def _delivery(delivery: GoodsDelivery) -> Values:
    return row_of(t.GoodsDeliveryRow, delivery, order_key=fold(delivery.order_number))


def _receipt(receipt: GoodsReceipt) -> Values:
    return row_of(
        t.GoodsReceiptRow,
        receipt,
        orders="\n".join(receipt.order_numbers),
        order_keys=t.one_a_line(map(fold, receipt.order_numbers)),
        owners="\n".join(receipt.owners),
    )


def _components(sku: str, components: Iterable[ComponentUse]) -> Iterable[Values]:
    for position, part in enumerate(components, 1):
        yield row_of(t.ComponentRow, part, sku_key=fold(sku), position=position, part_key=fold(part.sku))


def _supplies(sku: str, supplies: Iterable[Supply]) -> Iterable[Values]:
    for position, supply in enumerate(supplies, 1):
        yield row_of(t.SupplyRow, supply, sku_key=fold(sku), position=position)


def _customer(customer: Customer) -> Values:
    return row_of(t.CustomerRow, customer, currency=_currency(customer.credit_limit) or "")


def _payment(payment: Payment) -> Values:
    return row_of(t.PaymentRow, payment, currency=_currency(payment.amount))


def _settled(payment: Payment) -> Iterable[Values]:
    for position, number in enumerate(payment.settles, 1):
        yield {"number_key": fold(payment.number), "position": position, "document": number}


def _changes(company: DemoCompany) -> Iterable[Values]:
    """Yield the changes in order of time, so that revisions and times agree."""
    changes: list[tuple[datetime | None, Followed, str]] = []
    for holding in company.holdings:
        changes.append((holding.changed_at, Area.PRODUCTS, holding.article.product.sku))
        changes.append((holding.changed_at, Area.STOCK, holding.article.product.sku))
    changes += [(order.changed_at, Area.SALES, order.number) for order in company.orders]
    changes += [(invoice.changed_at, Area.FINANCE, invoice.number) for invoice in company.invoices]
    changes += [(order.changed_at, Area.PURCHASING, order.number) for order in company.purchases]
    changes += [(order.changed_at, Area.PRODUCTION, order.number) for order in company.productions]
    changes += [(bill.changed_at, Feed.BILLS, bill.number) for bill in company.bills]
    changes += [(payment.changed_at, Feed.PAYMENTS, payment.number) for payment in company.payments]
    changes += [(delivery.changed_at, Feed.DELIVERIES, delivery.number) for delivery in company.deliveries]
    changes += [(quotation.changed_at, Feed.QUOTATIONS, quotation.number) for quotation in company.quotations]
    changes += [(receipt.changed_at, Feed.RECEIPTS, receipt.number) for receipt in company.receipts]
    for changed_at, area, key in sorted(changes, key=lambda change: change[:2]):
        yield {"area": area, "key": key, "changed_at": changed_at}
