"""The demo company's vendors, purchase orders and production orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from types import MappingProxyType

from bot.erp.model import (
    Approval,
    Money,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Review,
    ReviewState,
)
from bot.kit.company.catalogue import Article
from bot.kit.company.sales import ZONE, moment, quantity_for

PURCHASES, PRODUCTIONS = 80, 60

SECOND_LEVEL_ABOVE = Decimal(100_000)
"""In CNY; larger purchase orders need two approvals."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """An account of the demo ERP; ``levels`` are the approval levels it may decide at."""

    id: str
    name: str
    levels: frozenset[int] = frozenset()


USERS = (
    DemoUser("buyer01", "陈立"),
    DemoUser("planner01", "黄蕾"),
    DemoUser("keeper02", "刘建国"),
    DemoUser("sales01", "李娜"),
    DemoUser("salesmanager01", "孙悦"),
    DemoUser("finance02", "吴敏"),
    DemoUser("buymanager01", "赵国强", frozenset({1})),
    DemoUser("boss01", "林明川", frozenset({1, 2})),
    DemoUser("finance01", "周慧", frozenset({2})),
)
"""The ids are those of the same people in the simulated DingTalk."""

NAMES = MappingProxyType({user.id: user.name for user in USERS})

REQUESTERS = ("buyer01", "buyer01", "planner01", "keeper02", "buymanager01")
_FIRST_REQUESTERS = ("buyer01", "buyer01", "buyer01", "buymanager01")
BUYERS = ("陈立", "赵国强")
KEEPER = "keeper02"
"""The person who receives goods."""

VENDORS = (
    "宝钢线材销售（上海）有限公司", "江阴市长江不锈钢制品厂", "株洲有色锌业集团", "宁波电机制造有限公司",
    "慈溪市风扇配件厂", "温州五金标准件总厂", "嘉兴联鑫包装材料有限公司", "东莞市华南电线电缆有限公司",
    "永康市金工量具有限公司", "Shandong|Yantai *Steel* Wire Co., Ltd.", "河北永年紧固件城“老张”商行",
)  # fmt: skip


def pending_for(level: int, requester: str, approved_by: str) -> tuple[str, ...]:
    """Return the accounts that may decide at ``level``: nobody decides their own request or approves twice."""
    return tuple(user.id for user in USERS if level in user.levels and user.id not in {requester, approved_by})


def make_purchases(rng: Random, today: date, articles: Sequence[Article]) -> list[PurchaseOrder]:
    """Return 80 purchase orders of the last 40 days, oldest first.

    PO-1001 waits for its only approval; PO-1002 is above 100 000 CNY and waits for the first of two; PO-1003 has the
    first and waits for the second; PO-1004 was requested by the purchasing manager, who may not approve it.
    """
    bought = [article for article in articles if not article.made]
    return [_purchase(rng, today, place, bought) for place in range(PURCHASES)]


_PURCHASE_STATUSES = (
    *[ReviewState.DONE] * 5, *[ReviewState.APPROVED] * 5, ReviewState.WAITING, ReviewState.REJECTED,
    ReviewState.CANCELLED,
)  # fmt: skip
_RECENT_STATUSES = (
    *[ReviewState.WAITING] * 4, *[ReviewState.APPROVED] * 2, ReviewState.DRAFT,
)  # fmt: skip
_LARGE = frozenset({1, 2, 23, 40, 58, 66, 74})


def _purchase(rng: Random, today: date, place: int, bought: Sequence[Article]) -> PurchaseOrder:
    ordered_on = today - timedelta(days=40 - place * 40 // PURCHASES)
    due_on = ordered_on + timedelta(days=rng.randrange(10, 45))
    recent = ordered_on > today - timedelta(days=10)
    status = rng.choice(_RECENT_STATUSES if recent else _PURCHASE_STATUSES)
    if place < 4:
        status = ReviewState.WAITING
    received = Progress.NONE
    if status is ReviewState.DONE:
        received = Progress.FULL
    elif status is ReviewState.APPROVED:
        received = rng.choice((Progress.NONE, Progress.NONE, Progress.PARTIAL))
    count = 24 if place in {5, 50} else rng.randrange(1, 5)
    value = range(60_000, 90_000) if place in _LARGE else range(1_500, 60_000 // max(count, 3))
    lines = tuple(
        purchase_line(article, rng.choice(value), received, first=number == 0)
        for number, article in enumerate(rng.sample(bought, 2 if place in _LARGE else count))
    )
    total = sum((line.amount.amount for line in lines if line.amount), Decimal(0))
    requester = _FIRST_REQUESTERS[place] if place < 4 else rng.choice(REQUESTERS)
    changed_at = moment(ordered_on + timedelta(days=rng.randrange(max(1, (today - ordered_on).days))), rng)
    approval = _approval(rng, place, status, total, requester, changed_at)
    return PurchaseOrder(
        id=f"PO-{1001 + place}",
        number=f"PO-{1001 + place}",
        vendor=rng.choice(VENDORS),
        review=Review(
            state=status,
            version="1" if approval is None or not approval.decided_by else "2",
            approval=approval,
            requester=requester,
            changed_by=_last_writer(status, requester, approval),
            people=NAMES,
        ),
        buyer=rng.choice(BUYERS),
        ordered_on=ordered_on,
        due_on=due_on,
        total=Money(total, "CNY"),
        received=received,
        lines=lines,
        changed_at=changed_at,
    )


def _last_writer(status: ReviewState, requester: str, approval: Approval | None) -> str:
    if status is ReviewState.DONE:
        return KEEPER
    return (approval.decided_by if approval else "") or requester


def purchase_line(article: Article, value: int, received: Progress, *, first: bool) -> PurchaseLine:
    """Return an order line worth about ``value`` CNY; of a partly received line, ``first`` is the received quantity."""
    quantity = quantity_for(article, value)
    arrived = Decimal(0)
    if received is Progress.FULL:
        arrived = quantity
    elif received is Progress.PARTIAL and first:
        arrived = quantity // 2 if quantity > 1 else Decimal(0)
    return PurchaseLine(
        sku=article.product.sku,
        name=article.product.name,
        unit=article.product.unit,
        quantity=quantity,
        received=arrived,
        price=Money(article.price, "CNY"),
        amount=Money((quantity * article.price).quantize(Decimal("0.01")), "CNY"),
    )


def _approval(
    rng: Random, place: int, status: ReviewState, total: Decimal, requester: str, at: datetime
) -> Approval | None:
    levels = 2 if total > SECOND_LEVEL_ABOVE else 1
    first = "boss01" if requester == "buymanager01" else "buymanager01"
    last = first if levels == 1 else "finance01"
    match status:
        case ReviewState.WAITING:
            begun = levels == 2 and place not in {1, 23}
            return Approval(
                pending_for=pending_for(2 if begun else 1, requester, first if begun else ""),
                level=2 if begun else 1,
                levels=levels,
                decided_by=first if begun else "",
                decided_at=at if begun else None,
            )
        case ReviewState.APPROVED | ReviewState.DONE:
            return Approval(level=levels, levels=levels, decided_by=last, decided_at=at)
        case ReviewState.REJECTED:
            reason = rng.choice(("价格高于上次采购", "请改用合格供应商", "库存足够，暂不采购"))
            return Approval(level=1, levels=levels, decided_by=first, decided_at=at, reason=reason)
        case _:
            return None


_STATUSES_BY_AGE = (
    (10, (ProductionStatus.DONE, ProductionStatus.DONE, ProductionStatus.RUNNING, ProductionStatus.CANCELLED)),
    (0, (ProductionStatus.RUNNING, ProductionStatus.RUNNING, ProductionStatus.RELEASED, ProductionStatus.DONE)),
)


def make_productions(
    rng: Random, today: date, articles: Sequence[Article], open_orders: Sequence[str]
) -> list[ProductionOrder]:
    """Return 60 production orders around today, earliest start first; MO-1 makes SKU123 and is running."""
    made = [article for article in articles if article.made]
    first = next(article for article in made if article.product.sku == "SKU123")
    orders = [_first_production(today, first)]
    for place in range(1, PRODUCTIONS):
        article = rng.choice(made)
        start_on = today + timedelta(days=place // 2 - 20)
        days = rng.randrange(3, 15)
        status = next(
            (rng.choice(choices) for age, choices in _STATUSES_BY_AGE if (today - start_on).days >= age),
            rng.choice((ProductionStatus.PLANNED, ProductionStatus.PLANNED, ProductionStatus.RELEASED)),
        )
        planned = quantity_for(article, rng.randrange(3_000, 40_000))
        produced = {
            ProductionStatus.DONE: planned,
            ProductionStatus.RUNNING: planned * rng.randrange(1, 10) // 10,
        }.get(status, Decimal(0))
        orders.append(
            ProductionOrder(
                id=f"MO-{place + 1}",
                number=f"MO-{place + 1}",
                sku=article.product.sku,
                name=article.product.name,
                unit=article.product.unit,
                planned=planned,
                produced=produced,
                scrapped=produced * rng.randrange(0, 3) // 100,
                status=status,
                start_on=start_on,
                due_on=start_on + timedelta(days=days),
                finished_on=_finished_on(status, today, start_on, days, place),
                material_ready=status is not ProductionStatus.PLANNED or rng.random() < 0.4,
                sales_order=rng.choice(open_orders) if rng.random() < 0.5 else "",
                changed_at=moment(min(start_on, today) - timedelta(days=rng.randrange(1, 4)), rng),
            )
        )
    return orders


def _finished_on(status: ProductionStatus, today: date, start_on: date, days: int, place: int) -> date | None:
    """Return when production was finished: about the due date; yesterday if it is due later."""
    if status is not ProductionStatus.DONE:
        return None
    planned = start_on + timedelta(days=days + place % 4 - 2)
    return planned if planned <= today else max(start_on, today - timedelta(days=place // 3 % 2))


def _first_production(today: date, article: Article) -> ProductionOrder:
    return ProductionOrder(
        id="MO-1",
        number="MO-1",
        sku=article.product.sku,
        name=article.product.name,
        unit=article.product.unit,
        planned=Decimal(20_000),
        produced=Decimal(12_500),
        scrapped=Decimal(180),
        status=ProductionStatus.RUNNING,
        start_on=today - timedelta(days=20),
        due_on=today + timedelta(days=3),
        material_ready=True,
        sales_order="SO-1001",
        changed_at=datetime.combine(today - timedelta(days=1), time(17), tzinfo=ZONE),
    )
