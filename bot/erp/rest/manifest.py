"""Registers the vendor ``rest``."""

from __future__ import annotations

from bot.erp.rest.options import RestOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(title="JSON API", options=RestOptions, open=opener("bot.erp.rest.adapter:RestErp"))
