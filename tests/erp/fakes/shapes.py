"""How a fake names what it takes over from the company's records as it is; its code tells the rest."""

from __future__ import annotations

from typing import Any


def named(record: Any, shape: str) -> dict[str, Any]:
    """Return fields of a record by the vendor's names.

    ``shape`` is a list of fields such as ``id number=no total.currency=cur``: a path, and the name where it is another.
    Of what is None all parts are None.
    """
    names = (field.partition("=") for field in shape.split())
    return {name or path: _at(record, path) for path, _, name in names}


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = None if record is None else getattr(record, name)
    return record
