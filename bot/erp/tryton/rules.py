"""Conditions of Tryton's button rules: the little language PYSON, as far as such conditions use it.

A rule says how many users must press a button on which records; its condition is JSON such as
``{"__class__": "Greater", "s1": {"__class__": "Get", "v": {"__class__": "Eval", "v": "self", …}, "k": "total_amount",
"d": 0}, "s2": 100000, "e": true}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


class _Unknown(Exception):
    """The condition uses what is not known here."""


def may_apply(condition: str | None, record: Mapping[str, Any]) -> bool:
    """Return whether a rule applies to a record; True where that cannot be told from the fields at hand."""
    if not condition:
        return True
    try:
        return bool(_value(json.loads(condition, parse_float=Decimal), record))
    except (_Unknown, ValueError, TypeError, KeyError):
        return True


def _value(node: Any, record: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_value(item, record) for item in node]
    if not isinstance(node, dict):
        return node
    if "__class__" not in node:
        return {name: _value(item, record) for name, item in node.items()}

    def part(name: str) -> Any:
        return _value(node[name], record)

    match node["__class__"]:
        case "Eval" if node["v"] == "self":
            return record
        case "Get":
            # A field that was not read may well have a value: its default would be a guess.
            whole, key = part("v"), part("k")
            if whole is record and key not in record:
                raise _Unknown
            return whole.get(key, part("d"))
        case "Greater":
            return part("s1") >= part("s2") if part("e") else part("s1") > part("s2")
        case "Less":
            return part("s1") <= part("s2") if part("e") else part("s1") < part("s2")
        case "Equal":
            return part("s1") == part("s2")
        case "Not":
            return not part("v")
        case "Bool":
            return bool(part("v"))
        case "And":
            return all(part("s"))
        case "Or":
            return any(part("s"))
        case "If":
            return part("t") if part("c") else part("e")
        case "In":
            return part("k") in part("v")
        case _:
            raise _Unknown
