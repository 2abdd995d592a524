"""Writes the demo company into an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import chain, starmap
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.engine import Connection

from bot.erp.demo import tables as t
from bot.erp.demo.client import writing
from bot.erp.demo.company import SEED, DemoCompany, Holding, make_company
from bot.erp.demo.sales import WAREHOUSES
from bot.erp.demo.settlement_rows import bill_row, customer_row, payment_row, settled_rows, vendor_row
from bot.erp.demo.tables import fold
from bot.erp.goods import ComponentUse, GoodsDelivery, Supply
from bot.erp.model import (
    Approval,
    Area,
    Invoice,
    Money,
    ProductionOrder,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    Verdict,
)

SCHEMA_VERSION = "5"
"""Raised with every change of the tables or of the company: a database of another layout is made anew."""

Row = Mapping[str, Any]


def prepare(connection: Connection, today: date, seed: int = SEED) -> None:
    """Fill an empty database, and make one anew that an older release filled; anything else is left as it is."""
    if _layout(connection) == SCHEMA_VERSION:
        return
    with writing(connection):
        # Asked again under the lock: another process may have filled the file meanwhile.
        if _layout(connection) != SCHEMA_VERSION:
            fill(connection, make_company(today, seed))


def _layout(connection: Connection) -> str | None:
    meta = t.table(t.MetaRow)
    if not inspect(connection).has_table(meta.name):
        return None
    found: str | None = connection.scalar(select(meta.c.value).where(meta.c.name == "layout"))
    return found


def fill(connection: Connection, company: DemoCompany, warehouses: Mapping[str, str] = WAREHOUSES) -> None:
    """Write a company, and names by code of its warehouses, instead of whatever is there."""
    t.DemoTable.metadata.drop_all(connection)
    t.DemoTable.metadata.create_all(connection)
    places = enumerate(warehouses.items())
    _insert(connection, t.WarehouseRow, ({"code": c, "name": name, "position": n} for n, (c, name) in places))
    insert_company(connection, company)
    _insert(connection, t.ChangeRow, _changes(company))
    _insert(connection, t.MetaRow, [{"name": "layout", "value": SCHEMA_VERSION}])


def insert_company(connection: Connection, company: DemoCompany) -> None:
    """Write what a company has, without noting it among the changes."""
    _insert(connection, t.ProductRow, map(_product, company.holdings))
    _insert(connection, t.StockRow, chain.from_iterable(map(_stock, company.holdings)))
    _insert(connection, t.LotRow, chain.from_iterable(map(_lots, company.holdings)))
    _insert(connection, t.OrderRow, map(_order, company.orders))
    _insert(connection, t.OrderLineRow, chain.from_iterable(map(_order_lines, company.orders)))
    _insert(connection, t.InvoiceRow, map(_invoice, company.invoices))
    _insert(connection, t.PurchaseRow, map(_purchase, company.purchases))
    _insert(connection, t.PurchaseLineRow, chain.from_iterable(map(_purchase_lines, company.purchases)))
    _insert(connection, t.DecisionRow, chain.from_iterable(map(_approvals, company.purchases)))
    _insert(connection, t.ProductionRow, map(_production, company.productions))
    _insert(connection, t.GoodsDeliveryRow, map(_delivery, company.deliveries))
    _insert(connection, t.DeliveryLineRow, chain.from_iterable(map(_delivery_lines, company.deliveries)))
    _insert(connection, t.ComponentRow, chain.from_iterable(starmap(_components, company.components.items())))
    _insert(connection, t.SupplyRow, chain.from_iterable(starmap(_supplies, company.supplies.items())))
    _insert(connection, t.CustomerRow, map(customer_row, company.customers))
    _insert(connection, t.VendorRow, map(vendor_row, company.vendors))
    _insert(connection, t.BillRow, map(bill_row, company.bills))
    _insert(connection, t.PaymentRow, map(payment_row, company.payments))
    _insert(connection, t.SettledRow, chain.from_iterable(map(settled_rows, company.payments)))


def _insert(connection: Connection, model: type[t.DemoTable], rows: Iterable[Row]) -> None:
    values = [dict(row) for row in rows]
    if values:
        connection.execute(insert(t.table(model)), values)


def _product(holding: Holding) -> Row:
    article = holding.article
    product = article.product
    return {
        "sku_key": fold(product.sku),
        "sku": product.sku,
        "name": product.name,
        "name_key": fold(product.name),
        "spec": product.spec,
        "unit": product.unit,
        "category": product.category,
        "barcode": product.barcode,
        "initials": article.initials,
        "search": "\n".join((*map(fold, (product.sku, product.name, product.spec)), product.barcode, article.initials)),
        "reorder_point": holding.reorder_point,
        "list_price": article.price,
    }


def _stock(holding: Holding) -> Iterable[Row]:
    for code, quantities in holding.per_warehouse.items():
        yield {
            "sku_key": fold(holding.article.product.sku),
            "warehouse": code,
            "on_hand": quantities.on_hand,
            "reserved": quantities.reserved,
            "incoming": quantities.incoming,
            "outgoing": quantities.outgoing,
        }


def _lots(holding: Holding) -> Iterable[Row]:
    for lot in holding.lots:
        yield {
            "sku_key": fold(holding.article.product.sku),
            "warehouse": lot.warehouse,
            "number": lot.number,
            "quantity": lot.quantity,
            "expires_on": lot.expires_on,
        }


def _amount(money: Money | None) -> Any:
    return None if money is None else money.amount


def _currency(money: Money | None) -> str | None:
    return None if money is None else money.currency


def _order(order: SalesOrder) -> Row:
    return {
        "number_key": fold(order.number),
        "number": order.number,
        "customer": order.customer,
        "customer_key": fold(order.customer),
        "status": order.status,
        "delivery": order.delivery,
        "billing": order.billing,
        "payment": order.payment,
        "ordered_on": order.ordered_on,
        "promised_on": order.promised_on,
        "total": _amount(order.total),
        "currency": _currency(order.total),
        "salesperson": order.salesperson,
        "changed_at": order.changed_at,
    }


def _order_lines(order: SalesOrder) -> Iterable[Row]:
    for position, line in enumerate(order.lines, 1):
        yield {
            "number_key": fold(order.number),
            "position": position,
            "sku": line.sku,
            "name": line.name,
            "unit": line.unit,
            "quantity": line.quantity,
            "delivered": line.delivered,
            "invoiced": line.invoiced,
            "price": _amount(line.price),
            "amount": _amount(line.amount),
            "due_on": line.due_on,
        }


def _invoice(invoice: Invoice) -> Row:
    return {
        "number_key": fold(invoice.number),
        "number": invoice.number,
        "customer": invoice.customer,
        "customer_key": fold(invoice.customer),
        "status": invoice.status,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "total": _amount(invoice.total),
        "open_amount": _amount(invoice.open_amount),
        "currency": _currency(invoice.total),
        "is_credit_note": invoice.is_credit_note,
        "order_number": invoice.order_number,
        "changed_at": invoice.changed_at,
    }


def _purchase(order: PurchaseOrder) -> Row:
    approval = order.approval or Approval()
    return {
        "number_key": fold(order.number),
        "number": order.number,
        "vendor": order.vendor,
        "vendor_key": fold(order.vendor),
        "status": order.status,
        "requester": order.requester,
        "changed_by": order.changed_by,
        "buyer": order.buyer,
        "ordered_on": order.ordered_on,
        "due_on": order.due_on,
        "total": _amount(order.total),
        "currency": _currency(order.total),
        "received": order.received,
        "level": approval.level,
        "levels": approval.levels,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
        "reason": approval.reason,
        "version": int(order.version),
        "changed_at": order.changed_at,
    }


def _purchase_lines(order: PurchaseOrder) -> Iterable[Row]:
    for position, line in enumerate(order.lines, 1):
        yield {
            "number_key": fold(order.number),
            "position": position,
            "sku": line.sku,
            "name": line.name,
            "unit": line.unit,
            "quantity": line.quantity,
            "received": line.received,
            "price": _amount(line.price),
            "amount": _amount(line.amount),
        }


def _approvals(order: PurchaseOrder) -> Iterable[Row]:
    """Yield the last decision; a waiting order was approved at the level before the one that it waits at."""
    if order.approval is not None and order.approval.decided_by:
        yield {
            "number_key": fold(order.number),
            "version": int(order.version) - 1,
            "level": order.approval.level - (order.status is PurchaseStatus.WAITING),
            "verdict": Verdict.REJECT if order.status is PurchaseStatus.REJECTED else Verdict.APPROVE,
            "by": order.approval.decided_by,
            "at": order.approval.decided_at,
            "reason": order.approval.reason,
        }


def _production(order: ProductionOrder) -> Row:
    return {
        "number_key": fold(order.number),
        "number": order.number,
        "sku": order.sku,
        "name": order.name,
        "product_key": fold(f"{order.sku}\n{order.name}"),
        "unit": order.unit,
        "planned": order.planned,
        "produced": order.produced,
        "scrapped": order.scrapped,
        "status": order.status,
        "start_on": order.start_on,
        "due_on": order.due_on,
        "material_ready": order.material_ready,
        "sales_order": order.sales_order,
        "changed_at": order.changed_at,
    }


def _delivery(delivery: GoodsDelivery) -> Row:
    return {
        "number_key": fold(delivery.number),
        "number": delivery.number,
        "order_number": delivery.order_number,
        "order_key": fold(delivery.order_number),
        "customer": delivery.customer,
        "customer_key": fold(delivery.customer),
        "status": delivery.status,
        "planned_on": delivery.planned_on,
        "shipped_on": delivery.shipped_on,
        "carrier": delivery.carrier,
        "tracking": delivery.tracking,
        "is_return": delivery.is_return,
        "salesperson": delivery.salesperson,
        "warehouse": delivery.warehouse,
        "changed_at": delivery.changed_at,
    }


def _delivery_lines(delivery: GoodsDelivery) -> Iterable[Row]:
    for position, line in enumerate(delivery.lines, 1):
        yield {
            "number_key": fold(delivery.number),
            "position": position,
            "sku": line.sku,
            "name": line.name,
            "unit": line.unit,
            "quantity": line.quantity,
        }


def _components(sku: str, components: Iterable[ComponentUse]) -> Iterable[Row]:
    for position, part in enumerate(components, 1):
        yield {
            "sku_key": fold(sku),
            "position": position,
            "part_key": fold(part.sku),
            "quantity": part.quantity,
        }


def _supplies(sku: str, supplies: Iterable[Supply]) -> Iterable[Row]:
    for position, supply in enumerate(supplies, 1):
        yield {
            "sku_key": fold(sku),
            "position": position,
            "vendor": supply.vendor,
            "code": supply.code,
            "lead_days": supply.lead_days,
        }


def _changes(company: DemoCompany) -> Iterable[Row]:
    """Yield the changes in the order of their times, so that revisions and times agree."""
    changes: list[tuple[datetime | None, Area, str]] = []
    for holding in company.holdings:
        changes.append((holding.changed_at, Area.PRODUCTS, holding.article.product.sku))
        changes.append((holding.changed_at, Area.STOCK, holding.article.product.sku))
    changes += [(order.changed_at, Area.SALES, order.number) for order in company.orders]
    changes += [(invoice.changed_at, Area.FINANCE, invoice.number) for invoice in company.invoices]
    changes += [(order.changed_at, Area.PURCHASING, order.number) for order in company.purchases]
    changes += [(order.changed_at, Area.PRODUCTION, order.number) for order in company.productions]
    for changed_at, area, key in sorted(changes, key=lambda change: change[:2]):
        yield {"area": area, "key": key, "changed_at": changed_at}
