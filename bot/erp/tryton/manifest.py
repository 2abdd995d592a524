"""Registers the vendor ``tryton``."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.tryton.options import TrytonOptions
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: TrytonOptions) -> Erp:
    # Imported here so that listing the options does not load the client.
    from bot.erp.tryton.adapter import TrytonErp

    return TrytonErp(context, options)


vendor = Vendor(title="Tryton 8", options=TrytonOptions, open=_open)
