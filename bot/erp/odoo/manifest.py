"""Registers the vendor ``odoo``."""

from __future__ import annotations

from bot.erp.odoo.options import OdooOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(title="Odoo 14 to 19", options=OdooOptions, open=opener("bot.erp.odoo.adapter:OdooErp"))
