"""Tryton's values on the wire, and its domains (ERP sheet, 7.1).

Amounts, dates and times come as objects with a ``__class__``; quantities are JSON numbers; a field of a related record
that was asked for as ``party.name`` comes back in an object under the name ``party.``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

Row = dict[str, Any]
Domain = list[Any]
"""A list of conditions that all hold, or one that starts with ``"OR"``."""
Order = list[list[str]]


def encode(value: Any) -> Any:
    """Return a value as Tryton takes it; times become UTC, which is what its databases hold."""
    match value:
        case datetime():
            utc = value.astimezone(UTC)
            clock = {name: getattr(utc, name) for name in ("hour", "minute", "second", "microsecond")}
            return {"__class__": "datetime", "year": utc.year, "month": utc.month, "day": utc.day, **clock}
        case date():
            return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case Mapping():
            return {name: encode(item) for name, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case _:
            return value


def decode(value: Any) -> Any:
    """Return a value of an answer as Python has it; raises `ValueError` for one that is out of shape."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        match value.get("__class__"):
            case "Decimal":
                return Decimal(value["decimal"])
            case "date":
                return date(value["year"], value["month"], value["day"])
            case "datetime":
                day = date(value["year"], value["month"], value["day"])
                clock = time(value["hour"], value["minute"], value["second"], value["microsecond"], tzinfo=UTC)
                return datetime.combine(day, clock)
            case _:
                return {name: decode(item) for name, item in value.items()}
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"not a value of Tryton: {type(error).__name__}") from error


def at(row: Row, path: str) -> Any:
    """Return a field of a record or, by a path such as ``party.name``, of the one it refers to; None if there is none.

    Raises `KeyError` for a field that was not asked for.
    """
    *relations, name = path.split(".")
    for relation in relations:
        row = row[f"{relation}."]
        if row is None:
            return None
    return row[name]


def some(row: Row, relation: str) -> list[Row]:
    """Return the records of a relation to many of which fields were asked for."""
    return row[f"{relation}."] or []


def like(text: str) -> str:
    """Return ``text`` as a pattern of `ilike` that means just this text: ``%`` and ``_`` stand for nothing else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def containing(text: str, fields: Iterable[str]) -> Domain:
    """Return the conditions of records with ``text`` in one of ``fields``, in any case; none for an empty text."""
    return [["OR", *([field, "ilike", f"%{like(text)}%"] for field in fields)]] if text else []
