"""A week of a company: hundreds of events of all types, under rules that use everything that rules can do."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 16, tzinfo=SHANGHAI)
SUNDAY = MONDAY + timedelta(days=7)

RULES = """
revive = "3h"

[default]
to = ["group:cidOffice"]
interval = "5m"

[owners]
W1 = "group:cidW1"
W2 = "group:cidW2"
sales01 = "person:sales01"

[windows.workhours]
days = "workdays"
from = "08:30"
to = "17:30"

[[severity]]
types = ["invoice.overdue"]
when = "amount >= 100000 CNY || age > 60"
severity = "critical"

[[severity]]
types = ["order.late"]
min_age = 7
severity = "critical"

[[routes]]
name = "warehouse"
types = ["stock.*"]
to = ["owner"]
group_by = ["warehouse"]
wait = "1m"

[[routes.routes]]
name = "screws"
categories = ["screws"]
digest = ["08:30", "17:00"]
window = "workhours"

[[routes]]
name = "finance"
types = ["invoice.*"]
to = ["group:cidFinance"]
window = "workhours"

[[routes.routes]]
name = "large"
when = "amount >= 50000 CNY"
repeat = "1d"
escalate = [
    {after = "2h", to = ["person:manager01"]},
    {after = "1d", to = ["person:boss01"]},
]

[[routes]]
name = "vip"
types = ["order.late"]
customers = ["VIP*"]
to = ["person:manager01"]
continue = true

[[routes]]
name = "sales"
types = ["order.*"]
to = ["owner", "group:cidSales"]

[[routes]]
name = "drills"
types = ["custom.drill"]
to = []

[[inhibit]]
name = "the warehouse is closed"
source = {types = ["custom.closed"]}
target = {types = ["stock.*"]}
equal = ["warehouse"]

[[silences]]
name = "stocktaking"
from = 2026-11-18T06:00:00
until = 2026-11-19T20:00:00
types = ["stock.*"]
places = ["group:cidW1"]
"""

_TYPES = (
    ("stock.low", 22), ("stock.out", 8), ("invoice.overdue", 14), ("invoice.paid", 6), ("order.created", 8),
    ("order.changed", 6), ("order.late", 10), ("po.submitted", 8), ("po.changed", 3), ("po.decided", 5),
    ("production.late", 6), ("production.done", 4), ("custom.closed", 2), ("custom.drill", 1), ("custom.news", 2),
)  # fmt: skip


def events_of_a_week(count: int, seed: int = 20261116) -> list[tuple[datetime, dict[str, Any]]]:
    """Return when each event comes, in order, and the event: more by day than by night, once 80 orders in a minute.

    There is a matter of each kind for every 25 events.
    """
    draw = random.Random(seed)
    burst = min(80, count // 5)
    storm = MONDAY + timedelta(days=2, hours=10)
    coming = [(_moment(draw), "") for _ in range(count - burst)]
    coming += [(storm + timedelta(milliseconds=draw.randrange(60_000)), "order.created") for _ in range(burst)]
    return [(at, _event(draw, number, at, kind, count // 25)) for number, (at, kind) in enumerate(sorted(coming))]


def _moment(draw: random.Random) -> datetime:
    hour = draw.choice([*range(24), *range(8, 18), *range(8, 18)])
    return MONDAY + timedelta(days=draw.randrange(7), hours=hour, milliseconds=draw.randrange(3_600_000))


def _event(draw: random.Random, number: int, at: datetime, kind: str, matters: int) -> dict[str, Any]:
    kind = kind or draw.choices([name for name, _ in _TYPES], [weight for _, weight in _TYPES])[0]
    late = timedelta(hours=draw.randrange(1, 30)) if draw.random() < 0.05 else timedelta(0)
    subject = "W3" if kind == "custom.closed" else draw.randrange(2 * matters if kind == "order.created" else matters)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/erp/main",
        "type": kind,
        "subject": f"{kind.partition('.')[0].upper()}-{subject}",
        "time": (at - late).isoformat(timespec="milliseconds"),
        "data": _data(draw, kind, at, matters),
    }
    if draw.random() < 0.1:
        event["severity"] = draw.choice(["info", "warning", "critical"])
    return event


def _data(draw: random.Random, kind: str, at: datetime, matters: int) -> dict[str, Any]:
    area = kind.partition(".")[0]
    if area == "stock":
        if draw.random() < 0.1:
            items = [
                _stock(draw, kind) | {"sku": f"STOCK-{draw.randrange(matters)}"} for _ in range(draw.randrange(2, 5))
            ]
            return {"items": items}
        return _stock(draw, kind)
    if area == "custom":
        if kind == "custom.closed":
            return {"title": "The warehouse is closed", "warehouse": "W3", "resolved": draw.random() < 0.5}
        return {"title": kind}
    said = {"decision": draw.choice(["approved", "rejected"])} if kind == "po.decided" else {}
    due = at.date() - timedelta(days=draw.choice([1, 3, 5, 8, 30, 70]))
    return said | {
        "customer": draw.choice(["VIP Pumps", "Ningbo Harbour", "Small & Sons"]),
        "amount": f"{draw.randrange(500, 140_000)}.{draw.randrange(100):02}",
        "currency": "CNY",
        "due_on": due.isoformat(),
        "owner": draw.choice(["sales01", "sales02", ""]),
    }


def _stock(draw: random.Random, kind: str) -> dict[str, Any]:
    return {
        "warehouse": draw.choice(["W1", "W2", "W3"]),
        "available": "0" if kind == "stock.out" else str(draw.randrange(0, 70)),
        "reorder_point": "50",
        "category": draw.choice(["screws", "pumps", "pipes"]),
        "unit": "pcs",
    }
