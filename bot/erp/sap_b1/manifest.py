"""Registers the vendor ``sap_b1``."""

from __future__ import annotations

from bot.erp.sap_b1.options import SapB1Options
from bot.erp.vendors import Vendor, opener

vendor = Vendor(title="SAP Business One", options=SapB1Options, open=opener("bot.erp.sap_b1.adapter:SapB1Erp"))
