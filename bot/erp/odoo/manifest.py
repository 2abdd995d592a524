"""Registers the vendor ``odoo``."""

from __future__ import annotations

from bot.erp.odoo.options import OdooOptions
from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: OdooOptions) -> Erp:
    # Imported here so that listing the options does not load the client.
    from bot.erp.odoo.adapter import OdooErp

    return OdooErp(context, options)


vendor = Vendor(title="Odoo 14 to 19", options=OdooOptions, open=_open)
