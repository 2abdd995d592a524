"""Registers the vendor ``yonbip``."""

from __future__ import annotations

from bot.erp.vendors import Vendor, opener
from bot.erp.yonbip.options import YonBipOptions

vendor = Vendor(
    title="Yonyou YonSuite / YonBIP (用友)", options=YonBipOptions, open=opener("bot.erp.yonbip.adapter:YonBipErp")
)
