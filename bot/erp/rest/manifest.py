"""What the vendor ``rest`` is."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.rest.options import RestOptions
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: RestOptions) -> Erp:
    # Imported here, so that the options can be listed without loading what talks to the API.
    from bot.erp.rest.adapter import RestErp

    return RestErp(context, options)


vendor = Vendor(title="JSON API", options=RestOptions, open=_open)
