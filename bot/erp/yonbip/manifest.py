"""What a YonBIP source is."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor
from bot.erp.yonbip.options import YonBipOptions


async def _open(context: AdapterContext, options: YonBipOptions) -> Erp:
    # Imported here, so that the options can be listed without loading the HTTP client.
    from bot.erp.yonbip.adapter import YonBipErp

    return YonBipErp(context, options)


vendor = Vendor(title="Yonyou YonSuite / YonBIP (用友)", options=YonBipOptions, open=_open)
