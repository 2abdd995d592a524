"""How a fake names what it takes over from the company's records as it is; its code tells the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def named(record: Any, shape: str) -> dict[str, Any]:
    """Return fields of a record by the vendor's names.

    ``shape`` is a list of fields such as ``id number=no total.currency=cur``: a path, and the name where it is another.
    Of what is None all parts are None.
    """
    return {name: _at(record, path) for path, name in fields_of(shape)}


def fields_of(shape: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of each field."""
    for field in shape.split():
        path, _, name = field.partition("=")
        yield path, name or path


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = None if record is None else getattr(record, name)
    return record
