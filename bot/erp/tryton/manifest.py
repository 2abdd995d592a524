"""Registers the vendor ``tryton``."""

from __future__ import annotations

from bot.erp.tryton.options import TrytonOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(title="Tryton 8", options=TrytonOptions, open=opener("bot.erp.tryton.adapter:TrytonErp"))
