"""Registers the vendor ``kingdee``."""

from __future__ import annotations

from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: KingdeeOptions) -> Erp:
    # Imported here so that listing the options does not load the HTTP client.
    from bot.erp.kingdee.adapter import KingdeeErp

    return KingdeeErp(context, options)


vendor = Vendor(title="Kingdee K/3 Cloud (金蝶云星空)", options=KingdeeOptions, open=_open)
