"""Registers the vendor ``erpnext``."""

from __future__ import annotations

from bot.erp.erpnext.options import ErpNextOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(title="ERPNext", options=ErpNextOptions, open=opener("bot.erp.erpnext.adapter:ErpNextErp"))
