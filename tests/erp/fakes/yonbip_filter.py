"""Conditions and orders of the platform's lists (docs: platform/erp/yonbip.md#lists)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

_FIELDS = frozenset({"id", "code", "status", "verifystate", "vouchdate", "pubts", "hopeReceiveDate"})
"""Fields that conditions may use: those of the header, without names of referenced records."""


class YonBipBadFilter(Exception):
    """A condition that the platform does not understand."""


def holds(head: Row, conditions: Sequence[Row]) -> bool:
    """Return whether all conditions hold for a header."""
    return all(_holds(head, condition) for condition in conditions)


def _holds(head: Row, condition: Row) -> bool:
    logic = condition.get("logicOp")
    if logic:
        # Then only the nested conditions count.
        results = [_holds(head, part) for part in condition.get("conditions", [])]
        return any(results) if logic == "or" else all(results)
    if condition.get("field") not in _FIELDS:
        raise YonBipBadFilter(str(condition.get("field")))
    told = head.get(condition["field"])
    if told is None:
        return False
    value, wanted = str(told), str(condition["value1"])
    match condition.get("op"):
        case "eq":
            return value == wanted
        case "neq":
            return value != wanted
        case "lt":
            return value < wanted
        case "gt":
            return value > wanted
        case "elt":
            return value <= wanted
        case "egt":
            return value >= wanted
        case "between":
            return wanted <= value <= str(condition["value2"])
        case op:
            raise YonBipBadFilter(str(op))


def in_range(day: str | None, wanted: str | None) -> bool:
    """Return whether a day is in a range of the form from|to; without a range, every day is."""
    if wanted is None:
        return True
    start, _, end = wanted.partition("|")
    return day is not None and start <= day <= end


def ordered(bills: list[tuple[Row, list[Row]]], orders: Sequence[Row]) -> list[tuple[Row, list[Row]]]:
    """Return bills in the requested order."""
    for order in reversed(orders):
        if order["field"] not in _FIELDS:
            raise YonBipBadFilter(str(order["field"]))
        bills = sorted(bills, key=lambda bill: bill[0][order["field"]], reverse=order["order"] == "desc")
    return bills
