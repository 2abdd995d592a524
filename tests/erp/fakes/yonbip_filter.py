"""Conditions and orders of the platform's lists (docs: platform/erp/yonbip.md#lists)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

_FIELDS = frozenset({"id", "code", "status", "verifystate", "vouchdate", "pubts", "hopeReceiveDate"})
"""Fields that conditions may use: those of the header, without names of referenced records."""
_OF_LINES = "details."
"""What fields of a note's lines begin with."""


class YonBipBadFilter(Exception):
    """A condition that the platform does not understand."""


def holds(head: Row, conditions: Sequence[Row]) -> bool:
    """Return whether all conditions hold for a header."""
    return all(_holds(head, condition) for condition in conditions)


def note_holds(head: Row, lines: Sequence[Row], conditions: Sequence[Row]) -> bool:
    """Return whether conditions hold for a note: those on lines for any of them."""
    of_lines = [each for each in conditions if str(each.get("field")).startswith(_OF_LINES)]
    return holds(head, [each for each in conditions if each not in of_lines]) and all(
        any(str(line.get(each["field"].removeprefix(_OF_LINES))) == each["value1"] for line in lines)
        for each in of_lines
    )


def _holds(head: Row, condition: Row) -> bool:
    logic = condition.get("logicOp")
    if logic:
        # Then only the nested conditions count.
        results = [_holds(head, part) for part in condition.get("conditions", [])]
        return any(results) if logic == "or" else all(results)
    if condition.get("field") not in _FIELDS:
        raise YonBipBadFilter(str(condition.get("field")))
    field_value = head.get(condition["field"])
    if field_value is None:
        return False
    value, operand = str(field_value), str(condition["value1"])
    match condition.get("op"):
        case "eq":
            return value == operand
        case "neq":
            return value != operand
        case "lt":
            return value < operand
        case "gt":
            return value > operand
        case "elt":
            return value <= operand
        case "egt":
            return value >= operand
        case "between":
            return operand <= value <= str(condition["value2"])
        case op:
            raise YonBipBadFilter(str(op))


def in_range(day: str | None, day_range: str | None) -> bool:
    """Return whether a day is in a range of the form from|to; without a range, every day is."""
    if day_range is None:
        return True
    start, _, end = day_range.partition("|")
    return day is not None and start <= day <= end


def ordered(bills: list[tuple[Row, list[Row]]], orders: Sequence[Row]) -> list[tuple[Row, list[Row]]]:
    """Return bills in the requested order."""
    for order in reversed(orders):
        if order["field"] not in _FIELDS:
            raise YonBipBadFilter(str(order["field"]))
        bills = sorted(bills, key=lambda bill: bill[0][order["field"]], reverse=order["order"] == "desc")
    return bills
