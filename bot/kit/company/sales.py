"""The demo company's customers, sales orders and invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from bot.erp.model import Invoice, InvoiceStatus, Money, OrderLine, OrderStatus, Progress, SalesOrder
from bot.kit.company.catalogue import Article

ZONE = ZoneInfo("Asia/Shanghai")
"""The company's own time zone: its days begin and end there."""

RATES = {"CNY": Decimal(1), "USD": Decimal("7.1"), "EUR": Decimal("7.8")}
"""The price of one unit in CNY, for the price lists in other currencies."""

ORDERS, INVOICES, CREDIT_NOTES = 500, 300, 6
WAREHOUSES = {"SH": "上海仓", "SZ": "深圳仓", "CD": "成都仓"}

_HERE = (
    "杭州宏达机电设备有限公司", "上海申力工具贸易有限公司", "苏州精密紧固件有限公司", "宁波港汇五金进出口有限公司",
    "深圳市前海智造科技有限公司", "东莞市长安镇恒兴五金厂", "佛山市顺德区美居电器有限公司", "广州天河装饰材料行",
    "成都蜀都机械配件有限公司", "重庆渝中建材批发部", "西安航天精工有限公司", "武汉光谷自动化设备有限公司",
    "长沙湘江工程机械有限公司", "青岛海润船舶配件有限公司", "济南泉城家电维修中心", "沈阳北方重工配套厂",
    "天津滨海新区安达物流有限公司", "北京中关村电子仪器有限公司", "南京金陵门窗有限公司", "合肥徽商五金机电城",
    "厦门鹭岛户外用品有限公司", "{{ 7*7 }} 模板五金店", "郑州中原电动工具有限公司", "# 一号 ~~五金~~ 城 & 分店",
    "深圳*星_辰|五金<贸易>有限公司", "🔧匠心工具行", "`反引号`与[方括号](https://example.com)贸易",
    "昆明春城园林工具店", "哈尔滨冰城农机配件有限公司",
    "内蒙古自治区呼伦贝尔市海拉尔区经济技术开发区北方五金机电建材综合批发市场第二交易区华联紧固件与手动工具经营有限责任公司第一分公司",
)  # fmt: skip
_ABROAD = (
    ('O\'Neil "Tools" & Sons Ltd.', "EUR"),
    ("Northwind Hardware Inc.", "USD"),
    ("Müller & Söhne Befestigungstechnik GmbH", "EUR"),
    ("Pacific Fasteners LLC", "USD"),
)
CUSTOMERS = (*((name, "CNY") for name in _HERE), *_ABROAD)

SALESPEOPLE = ("李娜", "孙悦")
PERSON_ABROAD = "Emma Clarke"


@dataclass(frozen=True, slots=True)
class Shipment:
    """A sales order and the warehouse it ships from."""

    order: SalesOrder
    warehouse: str


def moment(day: date, rng: Random) -> datetime:
    """Return a time of ``day`` in working hours, on the half hour, so that many records share their times."""
    return datetime.combine(day, time(8 + rng.randrange(10), rng.choice((0, 30))), tzinfo=ZONE)


def quantity_for(article: Article, value: int) -> Decimal:
    """Return a round quantity worth about ``value`` CNY, in multiples of the article's step."""
    exact = Decimal(value) / article.price
    round_to = max(article.step, Decimal(10) ** (exact.adjusted() - 1))
    return max(article.step, (exact // round_to) * round_to)


def make_shipments(rng: Random, today: date, articles: Sequence[Article]) -> list[Shipment]:
    """Return 500 sales orders of the last 60 days, oldest first; the first is SO-1001."""
    # SKU123 is sold in SO-1001 alone, so that a tutorial can explain its figures.
    sold = [a for a in articles if a.product.category != "原材料" and a.product.sku != "SKU123"]
    shipments = [_first_shipment(today, {article.product.sku: article for article in articles})]
    for place in range(1, ORDERS):
        ordered_on = today - timedelta(days=60 - place * 60 // ORDERS)
        promised_on = ordered_on + timedelta(days=rng.randrange(7, 36))
        status = _status(rng, (today - ordered_on).days, promised_on < today)
        customer, currency = rng.choice(CUSTOMERS)
        count = rng.randrange(21, 31) if place % 70 == 3 else rng.randrange(1, 7)
        lines = tuple(
            _line(rng, article, status, currency, promised_on, first=number == 0)
            for number, article in enumerate(rng.sample(sold, count))
        )
        order = SalesOrder(
            id=f"SO-{1001 + place}",
            number=f"SO-{1001 + place}",
            customer=customer,
            status=status,
            delivery=_DELIVERY[status],
            billing=Progress.NONE,
            payment=Progress.NONE,
            ordered_on=ordered_on,
            promised_on=promised_on,
            total=total_of(lines, currency),
            lines=lines,
            salesperson=PERSON_ABROAD if currency != "CNY" else rng.choice(SALESPEOPLE),
            changed_at=moment(_between(rng, ordered_on, today), rng),
        )
        shipments.append(Shipment(order, rng.choice(("SH", "SH", "SZ", "CD"))))
    return shipments


_DELIVERY = {
    OrderStatus.DRAFT: Progress.NONE,
    OrderStatus.OPEN: Progress.NONE,
    OrderStatus.PARTLY_DELIVERED: Progress.PARTIAL,
    OrderStatus.DELIVERED: Progress.FULL,
    OrderStatus.CLOSED: Progress.FULL,
    OrderStatus.CANCELLED: Progress.NONE,
}


def _status(rng: Random, age: int, promise_passed: bool) -> OrderStatus:
    if rng.random() < 0.04:
        return OrderStatus.CANCELLED
    if age <= 5 and rng.random() < 0.3:
        return OrderStatus.DRAFT
    if (promise_passed and rng.random() < 0.9) or (age > 10 and rng.random() < 0.6):
        return rng.choice((OrderStatus.DELIVERED, OrderStatus.CLOSED, OrderStatus.CLOSED))
    return rng.choice((OrderStatus.OPEN, OrderStatus.OPEN, OrderStatus.PARTLY_DELIVERED))


def _line(
    rng: Random, article: Article, status: OrderStatus, currency: str, promised_on: date, *, first: bool
) -> OrderLine:
    quantity = quantity_for(article, rng.randrange(200, 12_000))
    delivered = Decimal(0)
    if _DELIVERY[status] is Progress.FULL:
        delivered = quantity
    elif status is OrderStatus.PARTLY_DELIVERED and (first or rng.random() < 0.4):
        # The first line is certainly begun and not finished.
        share = quantity * (rng.randrange(2, 8) if first else 10) / 10
        delivered = min(max(share // article.step * article.step, article.step), quantity)
    return priced(article, quantity, delivered, currency, promised_on)


def priced(article: Article, quantity: Decimal, delivered: Decimal, currency: str, due_on: date | None) -> OrderLine:
    """Return an order line at the list price."""
    price = (article.price / RATES[currency]).quantize(Decimal("0.0001"))
    return OrderLine(
        sku=article.product.sku,
        name=article.product.name,
        unit=article.product.unit,
        quantity=quantity,
        delivered=delivered,
        invoiced=Decimal(0),
        price=Money(price, currency),
        amount=Money((quantity * price).quantize(Decimal("0.01")), currency),
        due_on=due_on,
    )


def _first_shipment(today: date, articles: dict[str, Article]) -> Shipment:
    """Return SO-1001, used in tutorials and tests: late, partly delivered, billed by INV-7."""
    promised_on = today - timedelta(days=9)
    wanted = (("SKU123", 10_000, 6_000), ("SKU146", 120, 120), ("HT-113", 200, 0), ("FAN-21", 30, 30))
    lines = tuple(
        priced(articles[sku], Decimal(quantity), Decimal(delivered), "CNY", promised_on)
        for sku, quantity, delivered in wanted
    )
    order = SalesOrder(
        id="SO-1001",
        number="SO-1001",
        customer=_HERE[0],
        status=OrderStatus.PARTLY_DELIVERED,
        delivery=Progress.PARTIAL,
        billing=Progress.NONE,
        payment=Progress.NONE,
        ordered_on=today - timedelta(days=60),
        promised_on=promised_on,
        total=total_of(lines, "CNY"),
        lines=lines,
        salesperson=SALESPEOPLE[0],
        changed_at=datetime.combine(today - timedelta(days=2), time(16), tzinfo=ZONE),
    )
    return Shipment(order, "SH")


def total_of(lines: Sequence[OrderLine], currency: str) -> Money:
    """Return the total of lines."""
    return Money(sum((line.amount.amount for line in lines if line.amount), Decimal(0)), currency)


def _between(rng: Random, first: date, today: date) -> date:
    """Return a day from ``first`` to yesterday."""
    return first + timedelta(days=rng.randrange(max(1, (today - first).days)))


def bill(rng: Random, today: date, shipments: Sequence[Shipment]) -> tuple[list[Shipment], list[Invoice]]:
    """Return the shipments with their billed and paid amounts, and the 300 invoices, oldest first; the seventh is
    INV-7.
    """
    first, *others = (shipment.order for shipment in shipments if shipment.order.delivery is not Progress.NONE)
    chosen = (first, *rng.sample(others, INVOICES - CREDIT_NOTES - 1))
    invoices = [_invoice(rng, today, order) for order in chosen]
    billed = {order.number: _after_billing(order, invoice) for order, invoice in zip(chosen, invoices, strict=True)}
    invoices += [_credit_note(rng, today, invoice) for invoice in rng.sample(invoices[20:], CREDIT_NOTES)]
    seventh, *rest = invoices
    rest.sort(key=_issued_on)
    numbered = (*rest[:6], replace(seventh, issued_on=rest[6].issued_on), *rest[6:])
    return (
        [replace(shipment, order=billed.get(shipment.order.number, shipment.order)) for shipment in shipments],
        [replace(invoice, id=f"INV-{n}", number=f"INV-{n}") for n, invoice in enumerate(numbered, 1)],
    )


def _issued_on(invoice: Invoice) -> date:
    assert invoice.issued_on is not None
    return invoice.issued_on


def _invoice(rng: Random, today: date, order: SalesOrder) -> Invoice:
    assert order.total is not None
    assert order.ordered_on is not None
    issued_on = min(order.ordered_on + timedelta(days=rng.randrange(2, 9)), today - timedelta(days=1))
    due_on = issued_on + timedelta(days=30 if order.total.currency == "CNY" else 45)
    currency = order.total.currency
    total = sum(
        (line.price.amount * line.delivered for line in order.lines if line.price and line.delivered), Decimal(0)
    ).quantize(Decimal("0.01"))
    status = _invoice_status(rng, today, issued_on, due_on)
    if order.number == "SO-1001":
        status, due_on = InvoiceStatus.PART_PAID, today - timedelta(days=23)
    match status:
        case InvoiceStatus.PAID | InvoiceStatus.VOID:
            open_amount = Decimal(0)
        case InvoiceStatus.PART_PAID:
            open_amount = (total * 6 / 10).quantize(Decimal("0.01"))
        case _:
            open_amount = total
    return Invoice(
        id="",
        number="",
        customer=order.customer,
        status=status,
        issued_on=issued_on,
        due_on=due_on,
        total=Money(total, currency),
        open_amount=Money(open_amount, currency),
        order_number=order.number,
        changed_at=moment(_between(rng, issued_on, today), rng),
    )


def _invoice_status(rng: Random, today: date, issued_on: date, due_on: date) -> InvoiceStatus:
    if rng.random() < 0.02:
        return InvoiceStatus.VOID
    if due_on < today:
        settled, begun = 0.85, 0.92
    elif (today - issued_on).days <= 2:
        return rng.choice((InvoiceStatus.DRAFT, InvoiceStatus.UNPAID))
    else:
        settled, begun = 0.3, 0.4
    chance = rng.random()
    if chance < settled:
        return InvoiceStatus.PAID
    return InvoiceStatus.PART_PAID if chance < begun else InvoiceStatus.UNPAID


def _credit_note(rng: Random, today: date, invoice: Invoice) -> Invoice:
    assert invoice.total is not None
    issued_on = _between(rng, _issued_on(invoice), today)
    amount = Money(-(invoice.total.amount / 10).quantize(Decimal("0.01")), invoice.total.currency)
    return replace(
        invoice,
        status=InvoiceStatus.UNPAID,
        issued_on=issued_on,
        due_on=issued_on,
        total=amount,
        open_amount=amount,
        is_credit_note=True,
        changed_at=moment(issued_on, rng),
    )


_PAYMENT = {
    InvoiceStatus.PAID: Progress.FULL,
    InvoiceStatus.PART_PAID: Progress.PARTIAL,
    InvoiceStatus.UNPAID: Progress.NONE,
}


def _after_billing(order: SalesOrder, invoice: Invoice) -> SalesOrder:
    if invoice.status in {InvoiceStatus.VOID, InvoiceStatus.DRAFT}:
        return order
    # An order is at most partly paid while goods are still to be billed.
    payment = _PAYMENT[invoice.status]
    if payment is Progress.FULL and order.delivery is Progress.PARTIAL:
        payment = Progress.PARTIAL
    return replace(
        order,
        billing=order.delivery,
        payment=payment,
        lines=tuple(replace(line, invoiced=line.delivered) for line in order.lines),
    )
