"""What the vendor ``sql`` is."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.sql.options import SqlOptions
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: SqlOptions) -> Erp:
    # Imported here, so that the options can be listed without loading the database library.
    from bot.erp.sql.adapter import SqlErp

    return SqlErp(context, options)


vendor = Vendor(title="SQL database", options=SqlOptions, open=_open)
