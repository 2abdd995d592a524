"""Registers the vendor ``kingdee``."""

from __future__ import annotations

from bot.erp.kingdee.options import KingdeeOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(
    title="Kingdee K/3 Cloud (金蝶云星空)", options=KingdeeOptions, open=opener("bot.erp.kingdee.adapter:KingdeeErp")
)
