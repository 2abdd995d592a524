"""Registers the vendor ``yonbip``."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor
from bot.erp.yonbip.options import YonBipOptions


async def _open(context: AdapterContext, options: YonBipOptions) -> Erp:
    # Imported here so that listing the options does not load the HTTP client.
    from bot.erp.yonbip.adapter import YonBipErp

    return YonBipErp(context, options)


vendor = Vendor(title="Yonyou YonSuite / YonBIP (用友)", options=YonBipOptions, open=_open)
