"""Further documents of the demo company: copies of its own under other numbers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.kit.company import tables as t

PURCHASE = (t.PurchaseRow, t.PurchaseLineRow)
ORDER = (t.OrderRow, t.OrderLineRow)
INVOICE = (t.InvoiceRow,)


def copy_document(
    connection: Connection, models: Sequence[type[t.DemoTable]], like: str, number: str, **values: str
) -> None:
    """Write a copy of the document ``like``, header and lines, with some values of its own."""
    own = {"number_key": number.casefold(), "number": number, **values}
    for model in models:
        table = t.table(model)
        columns = [f'"{column.name}"' for column in table.columns]
        chosen = [f":{column.name}" if column.name in own else f'"{column.name}"' for column in table.columns]
        copied = (
            f"INSERT INTO {table.name} ({', '.join(columns)})"
            f" SELECT {', '.join(chosen)} FROM {table.name} WHERE number_key = :like"
        )
        given = {name: value for name, value in own.items() if name in table.columns}
        connection.execute(text(copied), {**given, "like": like.casefold()})
