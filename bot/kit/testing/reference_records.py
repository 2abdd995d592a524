"""What the reference company owns, sells, buys and makes on its first day: few records, each awkward in its own way.

Everything is written down or computed, nothing drawn by lot, so that the same day always gives the same company.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import cycle
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.erp.model import (
    Approval,
    Invoice,
    InvoiceStatus,
    Lot,
    Money,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
    WarehouseStock,
)

Numbering = Callable[[str, int], str]
"""Makes a document's number of its kind (``SO``, ``INV``, ``PO``, ``MO``, ``BILL``, ``PAY``) and a count.

It spells numbers as the vendor does."""

HUGE = Decimal("12345678901234.56789")
"""Nineteen digits: what a float cannot hold."""
TINY = Decimal("0.000001")

WAREHOUSES: Mapping[str, str] = MappingProxyType(
    {"MAIN": "Main store", "SH": "上海仓 *A|B*", "WEST": "West “annex” <2>"}
)


@dataclass(frozen=True, slots=True)
class CompanyUser:
    """A person with an account at the ERP; ``levels`` are the approval levels at which they decide."""

    id: str
    name: str
    levels: frozenset[int] = frozenset()


USERS = (
    CompanyUser("anna", "Anna 安娜", frozenset({1})),
    CompanyUser("carla", "Carla O'Neil", frozenset({1})),
    CompanyUser("boris", "Борис", frozenset({2})),
    CompanyUser("dora", "Dora"),
    CompanyUser("guest", "Guest"),
)

_LONG = "Very long name " + "长" * 200 + " end"

_PRODUCTS = (
    ("SKU123", "Hex bolt M6×20", "M6×20 12.9", "PCS", "Fasteners", "6901234000245"),
    ("SKU124", "Hex bolt M8×25", "M8×25", "PCS", "Fasteners", "6901234000252"),
    ("SKU125", "Cable, copper", "2.5 mm²", "m", "Cables", "0012345678905"),
    ("SKU126", "Paint *RAL_9010* | white", "1 l <tin>", "l", "Paint", "4006381333931"),
    ("SKU127", 'He said "no", didn\'t he?', "a \"b\" 'c'", "PCS", "Books", "ABC-abc-1"),
    ("SKU128", "风扇 🌀 静音", "16寸", "台", "Fans", "6901234000269"),
    ("SKU129", "Two\nlines", "first\nsecond", "PCS", "Odd", "LINE-129"),
    ("SKU130", "שלום مرحبا", "RTL", "PCS", "Odd", "RTL-130"),
    ("SKU131", _LONG, "x" * 120, "PCS", "Odd", "LONG-131"),
    ("SKU132", "100% _wool_ \\ {{ 7*7 }} ${x}", "50%_off", "kg", "Odd", "PCT-132"),
    ("A/B 50%#1", "Slash & hash?", "a=b&c=d", "PCS", "Odd", "URL-1"),
    ('O\'NEIL-"2"', "Robert'); DROP TABLE items;--", "", "PCS", "Odd", ""),
    ("零件-07", "中文编码", "七号", "个", "Odd", "6901234000276"),
)


def products() -> Iterator[Product]:
    """Yield 32 products, the odd ones first."""
    for sku, name, spec, unit, category, barcode in _PRODUCTS:
        yield Product(sku=sku, name=name, spec=spec, unit=unit, category=category, barcode=barcode)
    for n in range(200, 219):
        yield Product(sku=f"SKU{n}", name=f"Screw type {n}", spec=f"S{n}", unit="PCS", category="Fasteners",
                      barcode=f"69012340{n:05}")  # fmt: skip


def quantities(on_hand: str, reserved: str = "0", incoming: str = "0", outgoing: str = "0") -> Quantities:
    """Return all figures of a place: available is what is not reserved, forecast what will be there in the end."""
    figures = Decimal(on_hand), Decimal(reserved), Decimal(incoming), Decimal(outgoing)
    return Quantities(
        on_hand=figures[0],
        reserved=figures[1],
        available=figures[0] - figures[1],
        incoming=figures[2],
        outgoing=figures[3],
        forecast=figures[0] + figures[2] - figures[3],
    )


_STOCK: dict[str, tuple[dict[str, Quantities], str | None]] = {
    "SKU123": (
        {"MAIN": quantities("8600", "4000", "500", "4000"), "SH": quantities("2450"), "WEST": quantities("320", "20")},
        "15000",
    ),
    "SKU124": ({"MAIN": quantities("0"), "SH": quantities("0", incoming="12.5")}, "0"),
    "SKU125": (
        {"MAIN": quantities("1234.567891", "0.000001"), "WEST": quantities("0.1"), "SH": quantities("0.2")},
        "5",
    ),
    "SKU126": ({"WEST": quantities(str(TINY))}, None),
    "SKU127": ({}, None),
    "SKU128": ({"MAIN": quantities("99999999.999999", "1.5", "0.25", "2.75")}, "100000000"),
    "SKU129": ({"MAIN": quantities("-3")}, "1"),
}


def stock_levels(today: date) -> Iterator[StockLevel]:
    """Yield the stock of every product; ``as_of`` is when it last changed, the total what the warehouses add up to."""
    times = change_times(today - timedelta(days=20))
    for n, product in enumerate(products()):
        places, reorder = _STOCK.get(product.sku, ({"MAIN": quantities(str(n * 10)), "SH": quantities(str(n))}, "50"))
        level = stock_level(
            product,
            tuple(WarehouseStock(code=code, name=WAREHOUSES[code], quantities=kept) for code, kept in places.items()),
            None if reorder is None else Decimal(reorder),
            next(times),
        )
        yield replace(level, lots=lots(product.sku, today))


_LOTS = {
    "SKU123": (("L-2511", "600", "MAIN", -9), ("L-2603", "8000", "MAIN", 128), ("L-2603", "450", "SH", 128)),
    "SKU126": (("色批 *7*", str(TINY), "WEST", None),),
}
"""Number, quantity, warehouse, and the days until a lot expires."""


def lots(sku: str, today: date) -> tuple[Lot, ...]:
    """Return the lots of a product; what is in none of them has no number."""
    return tuple(
        Lot(
            number=number,
            quantity=Decimal(quantity),
            warehouse=warehouse,
            expires_on=None if days is None else today + timedelta(days=days),
        )
        for number, quantity, warehouse, days in _LOTS.get(sku, ())
    )


def stock_level(
    product: Product, places: tuple[WarehouseStock, ...], reorder_point: Decimal | None, changed_at: datetime
) -> StockLevel:
    """Return a product's stock with its total."""
    total = Quantities(
        **{
            name: sum((getattr(place.quantities, name) for place in places), Decimal(0))
            for name in Quantities.__dataclass_fields__
        }
    )
    return StockLevel(product=product, total=total, per_warehouse=places, reorder_point=reorder_point, as_of=changed_at)


_ZONES = (
    UTC,
    timezone(timedelta(hours=5, minutes=45)),
    ZoneInfo("Asia/Shanghai"),
    timezone(-timedelta(hours=3, minutes=30)),
)


def change_times(start: date) -> Iterator[datetime]:
    """Yield times in odd zones, never going back, with runs of five equal ones and one of microseconds in each run."""
    zones = cycle(_ZONES)
    at = datetime(start.year, start.month, start.day, 1, 59, 58, tzinfo=UTC)
    while True:
        for _ in range(5):
            yield at.astimezone(next(zones))
        yield (at + timedelta(microseconds=123456)).astimezone(next(zones))
        at += timedelta(minutes=61)


PARTNERS = (
    "Acme Ltd.",
    "上海|*贸易*_公司_",
    'O\'Reilly & "Sons" <GmbH>',
    "Ünïcode Café 🚀",
    "شركة الاختبار",
    "Line\nBreak Inc.",
    "Percent 100% \\ Co.",
    _LONG,
)

_DAYS = (
    date(2024, 2, 29),
    date(2025, 3, 30),
    date(2025, 10, 26),
    date(2025, 12, 31),
    date(2026, 1, 1),
    date(2026, 1, 31),
    date(2026, 2, 28),
    date(2026, 3, 29),
    date(2026, 4, 30),
    date(2026, 10, 25),
)
"""Leap day, days on which clocks change, ends of months and years."""

CURRENCIES = ("CNY", "USD", "EUR", "JPY")

_DELIVERY = {
    OrderStatus.DRAFT: Progress.NONE,
    OrderStatus.OPEN: Progress.NONE,
    OrderStatus.PARTLY_DELIVERED: Progress.PARTIAL,
    OrderStatus.DELIVERED: Progress.FULL,
    OrderStatus.CLOSED: Progress.FULL,
    OrderStatus.CANCELLED: Progress.NONE,
}
"""The states that every ERP has, and what was delivered in each."""
_PRODUCTION_STATES = tuple(status for status in ProductionStatus if status is not ProductionStatus.ON_HOLD)
_SHARE = {Progress.NONE: Decimal(0), Progress.PARTIAL: Decimal("0.5"), Progress.FULL: Decimal(1)}


def document_day(today: date, n: int) -> date:
    """Return the day of the n-th document: odd days first, then two on each of the last days."""
    return _DAYS[n] if n < len(_DAYS) else today - timedelta(days=30 - n // 2)


def _figures(n: int) -> tuple[Decimal, Decimal]:
    """Return quantity and price; the first two are as great and as small as they come."""
    if n == 1:
        return Decimal(1), HUGE
    if n == 2:
        return TINY, Decimal(1)
    return Decimal(2 * n + 2), Decimal("0.125") * (n + 1)


def sales_orders(today: date, number: Numbering) -> Iterator[SalesOrder]:
    """Yield 30 sales orders of every state; the first is late and partly delivered."""
    states, known, times = cycle(_DELIVERY), tuple(products()), change_times(today - timedelta(days=9))
    for n in range(30):
        status = OrderStatus.PARTLY_DELIVERED if n == 0 else next(states)
        delivery = _DELIVERY[status]
        billing = delivery if n % 3 else Progress.NONE
        payment = billing if n % 2 else Progress.NONE
        currency = CURRENCIES[n % 4]
        promised_on = None if n % 10 == 9 else today + timedelta(days=(n % 8 - 5) * 3)
        lines = tuple(
            _order_line(known[(n + k) % len(known)], n + k, currency, delivery, billing, promised_on)
            for k in range(1 + n % 3)
        )
        yield SalesOrder(
            id=str(5001 + n),
            number=number("SO", 1001 + n),
            customer=PARTNERS[n % len(PARTNERS)],
            status=status,
            delivery=delivery,
            billing=billing,
            payment=payment,
            ordered_on=document_day(today, n),
            promised_on=promised_on,
            total=_total(line.amount for line in lines),
            lines=lines,
            salesperson=USERS[n % 5].name,
            changed_at=next(times),
        )


def _order_line(
    product: Product, n: int, currency: str, delivery: Progress, billing: Progress, due_on: date | None
) -> OrderLine:
    quantity, price = _figures(n)
    return OrderLine(
        sku=product.sku,
        name=product.name,
        unit=product.unit,
        quantity=quantity,
        delivered=_part(quantity, delivery),
        invoiced=_part(quantity, billing),
        price=Money(price, currency),
        amount=Money(quantity * price, currency),
        due_on=due_on,
    )


def _part(quantity: Decimal, progress: Progress) -> Decimal:
    # Part of a quantity that is too small to halve is one of its smallest steps.
    return max(quantity * _SHARE[progress], TINY) if progress is Progress.PARTIAL else quantity * _SHARE[progress]


def _total(amounts: Iterator[Money | None]) -> Money:
    known = [amount for amount in amounts if amount is not None]
    return Money(sum((amount.amount for amount in known), Decimal(0)), known[0].currency)


OPEN_SHARE = {  # of the total
    InvoiceStatus.DRAFT: Decimal(1),
    InvoiceStatus.UNPAID: Decimal(1),
    InvoiceStatus.PART_PAID: Decimal("0.5"),
    InvoiceStatus.PAID: Decimal(0),
    InvoiceStatus.VOID: Decimal(0),
}


def invoices(today: date, number: Numbering) -> Iterator[Invoice]:
    """Yield 26 invoices of every state, two of them credit notes with negative amounts; INV-7 is part paid, overdue."""
    states, times = cycle(InvoiceStatus), change_times(today - timedelta(days=8))
    for n, order in zip(range(26), sales_orders(today, number), strict=False):
        status = InvoiceStatus.PART_PAID if n == 0 else next(states)
        credit = n in (12, 17)
        total = Decimal(-1 if credit else 1) * (HUGE if n == 1 else TINY * 2 if n == 2 else Decimal("100.25") * (n + 1))
        currency = CURRENCIES[n % 4]
        issued_on = document_day(today, n)
        yield Invoice(
            id=str(6001 + n),
            number=number("INV", 7 if n == 0 else 1001 + n),
            customer=order.customer,
            status=InvoiceStatus.UNPAID if credit else status,
            issued_on=issued_on,
            due_on=today - timedelta(days=23) if n == 0 else None if n == 24 else issued_on + timedelta(days=15 + n),
            total=Money(total, currency),
            open_amount=Money(total if credit else total * OPEN_SHARE[status], currency),
            is_credit_note=credit,
            order_number=order.number if n % 4 else "",
            changed_at=next(times),
        )


_PURCHASES = (
    *[(ReviewState.WAITING, 1)] * 5,
    *[(ReviewState.WAITING, 2)] * 3,
    *[(ReviewState.DRAFT, 1), (ReviewState.APPROVED, 1), (ReviewState.APPROVED, 2), (ReviewState.DONE, 1)],
    *[(ReviewState.REJECTED, 1), (ReviewState.CANCELLED, 1), (ReviewState.APPROVED, 1)] * 4,
)


def purchase_orders(today: date, number: Numbering) -> Iterator[PurchaseOrder]:
    """Yield 24 purchase orders of every state.

    The first five wait for their only approval, the next three for the first of two, except the eighth, which has it
    and waits for the second. Dora requests them all; who decided on one changed it last.
    """
    known, times = tuple(products()), change_times(today - timedelta(days=7))
    received = cycle((Progress.NONE, Progress.PARTIAL, Progress.FULL))
    for n, (status, levels) in enumerate(_PURCHASES):
        changed_at = next(times)
        progress = Progress.FULL if status is ReviewState.DONE else Progress.NONE
        if status is ReviewState.APPROVED:
            progress = next(received)
        currency = CURRENCIES[n % 4]
        lines = tuple(
            _purchase_line(known[(2 * n + k) % len(known)], n + k, currency, progress) for k in range(1 + n % 2)
        )
        yield PurchaseOrder(
            id=str(7001 + n),
            number=number("PO", 1001 + n),
            vendor=PARTNERS[(n + 3) % len(PARTNERS)],
            review=review_in(status, 2 if n == 7 else 1, levels, changed_at),
            buyer="Борис" if n % 2 else "Carla O'Neil",
            ordered_on=document_day(today, n),
            due_on=None if n == 20 else today + timedelta(days=(n % 5 - 3) * 4),
            total=_total(line.amount for line in lines),
            received=progress,
            lines=lines,
            changed_at=changed_at,
        )


def _purchase_line(product: Product, n: int, currency: str, progress: Progress) -> PurchaseLine:
    quantity, price = _figures(n)
    return PurchaseLine(
        sku=product.sku,
        name=product.name,
        unit=product.unit,
        quantity=quantity,
        received=_part(quantity, progress),
        price=Money(price, currency),
        amount=Money(quantity * price, currency),
    )


def review_in(state: ReviewState, level: int, levels: int, at: datetime) -> Review:
    """Return how far a document is that Dora requested; who decided on it, at a time, changed it last."""
    approval = _approval(state, levels, level, at)
    changed_by = (approval.decided_by if approval else "") or "dora"
    return Review(state=state, version="1", approval=approval, requester="dora", changed_by=changed_by)


def _approval(status: ReviewState, levels: int, level: int, at: datetime) -> Approval | None:
    match status:
        case ReviewState.WAITING if level == 2:
            return Approval(pending_for=deciders(2), level=2, levels=2, decided_by="anna", decided_at=at)
        case ReviewState.WAITING:
            return Approval(pending_for=deciders(1), level=1, levels=levels)
        case ReviewState.APPROVED | ReviewState.DONE:
            by = "anna" if levels == 1 else "boris"
            return Approval(level=levels, levels=levels, decided_by=by, decided_at=at)
        case ReviewState.REJECTED:
            return Approval(level=1, levels=levels, decided_by="carla", decided_at=at, reason="too dear, *really* <b>")
        case _:
            return None


def deciders(level: int, *, but: str = "") -> tuple[str, ...]:
    """Return who may decide at a level; nobody decides twice."""
    return tuple(user.id for user in USERS if level in user.levels and user.id != but)


def production_orders(today: date, number: Numbering) -> Iterator[ProductionOrder]:
    """Yield 24 production orders of every state; MO-1 runs and is late."""
    states, known, times = cycle(_PRODUCTION_STATES), tuple(products()), change_times(today - timedelta(days=6))
    for n in range(24):
        status = ProductionStatus.RUNNING if n == 0 else next(states)
        product = known[n]
        planned = Decimal(100 + n) if n != 1 else Decimal("99999999.999999")
        begun = {ProductionStatus.RUNNING: Decimal("0.5"), ProductionStatus.DONE: Decimal(1)}
        start_on = document_day(today, n)
        yield ProductionOrder(
            id=str(8001 + n),
            number=number("MO", 1 if n == 0 else 1001 + n),
            sku=product.sku,
            name=product.name,
            unit=product.unit,
            planned=planned,
            produced=(planned * begun.get(status, 0)).quantize(TINY),
            scrapped=Decimal(n % 3) if status in begun else Decimal(0),
            status=status,
            start_on=start_on,
            due_on=today - timedelta(days=4) if n == 0 else None if n == 22 else start_on + timedelta(days=20 + n),
            finished_on=start_on + timedelta(days=1 + n % 3) if status is ProductionStatus.DONE else None,
            material_ready=n % 2 == 0,
            sales_order=number("SO", 1001 + n) if n % 3 else "",
            changed_at=next(times),
        )
