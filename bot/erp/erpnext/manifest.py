"""Registers the vendor ``erpnext``."""

from __future__ import annotations

from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: ErpNextOptions) -> Erp:
    # Imported here so that listing the options does not load the HTTP library.
    from bot.erp.erpnext.adapter import ErpNextErp

    return ErpNextErp(context, options)


vendor = Vendor(title="ERPNext", options=ErpNextOptions, open=_open)
