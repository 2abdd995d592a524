"""Registers the vendor ``sap_b1``."""

from __future__ import annotations

from bot.erp.port import Erp
from bot.erp.sap_b1.options import SapB1Options
from bot.erp.vendors import AdapterContext, Vendor


async def _open(context: AdapterContext, options: SapB1Options) -> Erp:
    # Imported here so that listing the options does not load the HTTP client.
    from bot.erp.sap_b1.adapter import SapB1Erp

    return SapB1Erp(context, options)


vendor = Vendor(title="SAP Business One", options=SapB1Options, open=_open)
