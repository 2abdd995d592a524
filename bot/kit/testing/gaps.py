"""What an adapter's vendor cannot do or say: declared with a reason, shown in the table, never left out silently."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A peculiarity: ``change`` returns a record of the company as this vendor shows it, None if it hides it."""

    reason: str
    change: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """The differences between the reference company and what this vendor can hold of it.

    * ``cases``: contract case (``decide.levels``, or one of its rows, ``changes.once[stock]``, or all of a group about
      one value, ``decide[bills]``) → why it cannot be met;
    * ``fields``: field (``SalesOrder.salesperson``, ``Quantities.outgoing``) → why it is always unknown;
    * ``states``: state → what this vendor calls it instead, and why;
    * ``rewrites``: anything else, as functions of the records;
    * ``listed``: what a list tells otherwise than the document alone, as functions of what is told of it alone;
    * ``resolution``: the steps to which its times are cut.
    """

    cases: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[StrEnum, tuple[StrEnum, str]] = field(default_factory=dict)
    rewrites: tuple[Rewrite, ...] = ()
    listed: tuple[Rewrite, ...] = ()
    resolution: timedelta = timedelta(microseconds=1)

    def expected(self, record: Any) -> Any:
        """Return a record of the company as the adapter should tell it, or None if the vendor hides it."""
        for rewrite in self.rewrites:
            record = rewrite.change(record)
            if record is None:
                return None
        return self._expected(record)

    def in_list(self, told: Any) -> Any:
        """Return a document that is told alone as a list tells it, but with its lines."""
        for rewrite in self.listed:
            told = rewrite.change(told)
        return told

    def _expected(self, value: Any) -> Any:
        # Unchanged values stay the same object: copying every record takes longer than many a case.
        if isinstance(value, tuple):
            expected = tuple(map(self._expected, value))
            return value if all(map(operator.is_, expected, value)) else expected
        if isinstance(value, StrEnum):
            return self.states[value][0] if value in self.states else value
        if isinstance(value, datetime):
            beyond = (value - _EPOCH) % self.resolution
            return value - beyond if beyond else value
        if not is_dataclass(value) or isinstance(value, type):
            return value
        kind = type(value).__name__
        changed = {}
        for each in fields(value):
            known = getattr(value, each.name)
            told = unset_value(each) if f"{kind}.{each.name}" in self.fields else self._expected(known)
            if told is not known:
                changed[each.name] = told
        return replace(value, **changed) if changed else value


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def unset_value(each: Any) -> Any:
    """Return what a field reads as when the ERP does not say it: its default, else an empty text, else None."""
    if isinstance(each.default, str | int | tuple | bool):
        return each.default
    return "" if each.type == "str" else None


_ADAPTER_FIELDS = {
    "id",
    "version",
    "url",
    "extra",
    "source",
    "created_by",
    "as_of",
    "task_id",
    "people",
    "taxed",
    "owners",
    "passed_by",
}
"""Fields that are the adapter's own affair; what the contract wants of them it tests by themselves."""


def comparable(value: Any) -> Any:
    """Return a record as plain values that compare exactly: no fields of the adapter's own, times in UTC."""
    if isinstance(value, tuple):
        return [comparable(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: comparable(getattr(value, each.name))
            for each in fields(value)
            if each.name not in _ADAPTER_FIELDS
        }
    return value
