"""Conditions of button rules in Tryton's notation."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from bot.erp.tryton.decisions import may_apply
from tests.rows import each_row

SELF = {"__class__": "Eval", "v": "self", "d": {}}
ORDER = {"total_amount": Decimal("100000.00"), "id": 7, "state": "quotation", "warehouse": 5, "reference": None}


def _field(name: str, default: Any = 0) -> dict[str, Any]:
    return {"__class__": "Get", "v": SELF, "k": name, "d": default}


def _compare(kind: str, a: Any, b: Any, *, equal: bool = False) -> dict[str, Any]:
    return {"__class__": kind, "s1": a, "s2": b, "e": equal}


TOTAL = _field("total_amount")

CONDITIONS = [
    (_compare("Greater", TOTAL, 100000, equal=True), True),
    (_compare("Greater", TOTAL, 100000), False),
    (_compare("Less", TOTAL, 100000), False),
    (_compare("Less", TOTAL, 100000, equal=True), True),
    (_compare("Greater", TOTAL, 99999.99), True),
    ({"__class__": "Equal", "s1": _field("state"), "s2": "quotation"}, True),
    ({"__class__": "Not", "v": {"__class__": "Bool", "v": _field("reference")}}, True),
    ({"__class__": "And", "s": [True, _compare("Greater", TOTAL, 5)]}, True),
    ({"__class__": "Or", "s": [False, _compare("Less", TOTAL, 5)]}, False),
    ({"__class__": "In", "k": _field("warehouse"), "v": [5, 14]}, True),
    ({"__class__": "In", "k": _field("warehouse"), "v": [14]}, False),
    ({"__class__": "If", "c": False, "t": True, "e": _compare("Less", TOTAL, 5)}, False),
    # A condition that cannot be evaluated may hold.
    (_compare("Greater", _field("weight"), 5), True),
    (_compare("Greater", _field("reference"), 5), True),
    ({"__class__": "Date", "y": 2026}, True),
    ({"__class__": "Eval", "v": "context", "d": {}}, True),
    (_compare("Greater", TOTAL, "much"), True),
]


@each_row(("condition", "holds"), CONDITIONS)
def test_conditions(condition: Any, holds: bool) -> None:
    assert may_apply(json.dumps(condition), ORDER) is holds


@each_row("condition", [None, "", "not JSON"])
def test_no_condition_holds_always(condition: str | None) -> None:
    assert may_apply(condition, ORDER)
