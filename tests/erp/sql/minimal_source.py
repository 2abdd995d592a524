"""The smallest source there is: one table of orders."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.erp.sql.adapter import SqlErp

Open = Callable[..., SqlErp]
"""Opens a source with some options; it is closed after the test."""


def tiny(folder: Path, *commands: str, name: str = "tiny.db") -> str:
    """Return the address of a database made of some commands."""
    with sqlite3.connect(folder / name) as connection:
        for command in commands:
            connection.execute(command)
    connection.close()
    return f"sqlite:///{folder / name}"


def sales(url: str, **changed: Any) -> dict[str, Any]:
    """Return options of the smallest source there is."""
    area = {
        "one": "SELECT * FROM o WHERE no = :number",
        "list": "SELECT * FROM o",
        "fields": {"number": "no", "customer": "c", "status": "s", "total": "t", "promised_on": "p"},
    }
    return {"url": url, "zone": "Asia/Shanghai", "currency": "CNY", "sales": area | changed}


ORDERS = "CREATE TABLE o (no TEXT, c TEXT, s TEXT, t, p)"
