"""The demo company as a whole: the same seed and day always yield the same company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from bot.erp.kinds.quotations import Quotation
from bot.erp.model import (
    Bill,
    Customer,
    Invoice,
    Lot,
    OrderStatus,
    Payment,
    ProductionOrder,
    ProductionStatus,
    PurchaseOrder,
    Quantities,
    ReviewState,
    SalesOrder,
    Supplier,
)
from bot.erp.model.goods import ComponentUse, GoodsDelivery, GoodsReceipt, Supply
from bot.kit.company.catalogue import MADE_TO_ORDER, Article, articles, make_components, make_supplies
from bot.kit.company.deliveries import make_deliveries
from bot.kit.company.lots import lots_of
from bot.kit.company.quotations import make_quotations
from bot.kit.company.receipts import make_receipts
from bot.kit.company.reviews import review_bills, review_orders, review_quotations
from bot.kit.company.sales import WAREHOUSES, Shipment, bill, make_shipments, moment, quantity_for
from bot.kit.company.settlement import settle
from bot.kit.company.supply import make_productions, make_purchases

SEED = 20_240_901

_OWED = {OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED}
_BEING_MADE = {ProductionStatus.RELEASED, ProductionStatus.RUNNING}

_FIRST_STOCK = {"SH": Decimal(8_600), "SZ": Decimal(2_450), "CD": Decimal(320)}
_FIRST_REORDER_POINT = Decimal(15_000)

Place = tuple[str, str]
"""SKU and warehouse code."""

Amounts = Mapping[Place, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleStock:
    """The stock of one article: its figures per warehouse code, and the time of their last change."""

    article: Article
    per_warehouse: dict[str, Quantities]
    reorder_point: Decimal | None
    changed_at: datetime
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCompany:
    """The demo ERP's records on its first day, or added later, each kind oldest first."""

    holdings: tuple[ArticleStock, ...] = ()
    orders: tuple[SalesOrder, ...] = ()
    quotations: tuple[Quotation, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    purchases: tuple[PurchaseOrder, ...] = ()
    productions: tuple[ProductionOrder, ...] = ()
    deliveries: tuple[GoodsDelivery, ...] = ()
    receipts: tuple[GoodsReceipt, ...] = ()
    components: Mapping[str, Sequence[ComponentUse]] = field(default_factory=dict)
    supplies: Mapping[str, Sequence[Supply]] = field(default_factory=dict)
    """Both by product code."""
    customers: tuple[Customer, ...] = ()
    vendors: tuple[Supplier, ...] = ()
    bills: tuple[Bill, ...] = ()
    payments: tuple[Payment, ...] = ()


def make_company(today: date, seed: int = SEED) -> DemoCompany:
    """Return the company as of the morning of ``today``; nothing in it happened after the previous day."""
    rng = Random(seed)  # noqa: S311  # invented data, no secrets
    known = tuple(articles())
    traded = [article for article in known if article.product.sku != MADE_TO_ORDER]
    shipments, invoices = bill(rng, today, make_shipments(rng, today, traded))
    purchases = make_purchases(rng, today, traded)
    open_orders = [shipment.order.number for shipment in shipments if shipment.order.status in _OWED]
    productions = make_productions(rng, today, traded, open_orders)
    # With a random source of its own: the other figures stay as they are, whatever is settled.
    settlement = settle(Random(f"{seed}/settlement"), today, invoices, purchases)  # noqa: S311  # invented data
    owed = _owed(shipments)
    coming = _coming(rng, purchases, productions)
    return DemoCompany(
        holdings=tuple(_holding(rng, today, article, owed, coming) for article in known),
        orders=review_orders(shipment.order for shipment in shipments),
        quotations=review_quotations(
            make_quotations(Random(f"{seed}/quotations"), today, [each.order for each in shipments])  # noqa: S311
        ),
        invoices=tuple(invoices),
        purchases=tuple(purchases),
        productions=tuple(productions),
        # With a random source of its own, so that nothing else changes.
        deliveries=tuple(make_deliveries(Random(f"{seed}/deliveries"), today, shipments)),  # noqa: S311
        receipts=tuple(make_receipts(Random(f"{seed}/receipts"), today, purchases)),  # noqa: S311
        components=make_components(known),
        supplies=make_supplies(purchases),
        customers=settlement.customers,
        vendors=settlement.vendors,
        bills=review_bills(settlement.bills, today),
        payments=settlement.payments,
    )


def _owed(shipments: Sequence[Shipment]) -> Amounts:
    """Return the quantities owed to customers."""
    owed: defaultdict[Place, Decimal] = defaultdict(Decimal)
    for shipment in shipments:
        if shipment.order.status in _OWED:
            for line in shipment.order.lines:
                owed[line.sku, shipment.warehouse] += line.quantity - (line.delivered or Decimal(0))
    return owed


def _coming(rng: Random, purchases: Sequence[PurchaseOrder], productions: Sequence[ProductionOrder]) -> Amounts:
    """Return the quantities due from vendors and the workshop."""
    coming: defaultdict[Place, Decimal] = defaultdict(Decimal)
    for purchase in purchases:
        if purchase.status is ReviewState.APPROVED:
            for bought in purchase.lines:
                coming[bought.sku, "SH"] += bought.quantity - (bought.received or Decimal(0))
    for production in productions:
        if production.status in _BEING_MADE:
            warehouse = "SH" if production.number == "MO-1" else rng.choice(tuple(WAREHOUSES))
            coming[production.sku, warehouse] += production.planned - (production.produced or Decimal(0))
    return coming


def _holding(rng: Random, today: date, article: Article, owed: Amounts, coming: Amounts) -> ArticleStock:
    sku = article.product.sku
    typical = quantity_for(article, rng.randrange(3_000, 30_000))
    scarce, gone = rng.random() < 0.08, rng.random() < 0.04
    kept_in = [code for code in WAREHOUSES if code == "SH" or rng.random() < 0.85]
    per_warehouse: dict[str, Quantities] = {}
    for code in WAREHOUSES:
        demand, supply = owed.get((sku, code), Decimal(0)), coming.get((sku, code), Decimal(0))
        if code not in kept_in and not demand and not supply and sku != "SKU123":
            continue
        spare = typical * rng.randrange(20, 180) // 100 // article.step * article.step
        on_hand = spare + (Decimal(0) if scarce else demand)
        if gone or code not in kept_in:
            on_hand = Decimal(0)
        on_hand = _FIRST_STOCK[code] if sku == "SKU123" else on_hand
        per_warehouse[code] = _quantities(on_hand, demand, supply)
    if sku == MADE_TO_ORDER:
        per_warehouse.clear()
    reorder_point: Decimal | None = typical
    if sku == "SKU123":
        reorder_point = _FIRST_REORDER_POINT
    elif sku.startswith("ODD"):
        reorder_point = None
    changed_at = moment(today - timedelta(days=rng.randrange(1, 4)), rng)
    return ArticleStock(
        article=article,
        per_warehouse=per_warehouse,
        reorder_point=reorder_point,
        changed_at=changed_at,
        lots=lots_of(article, per_warehouse, today),
    )


def _quantities(on_hand: Decimal, owed: Decimal, coming: Decimal) -> Quantities:
    """Return all figures: reserved is the owed quantity in stock, so that available is never negative."""
    reserved = min(on_hand, owed)
    return Quantities(
        on_hand=on_hand,
        reserved=reserved,
        available=on_hand - reserved,
        incoming=coming,
        outgoing=owed,
        forecast=on_hand + coming - owed,
    )
