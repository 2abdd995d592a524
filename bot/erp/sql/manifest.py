"""Registers the vendor ``sql``."""

from __future__ import annotations

from bot.erp.sql.options import SqlOptions
from bot.erp.vendors import Vendor, opener

vendor = Vendor(
    title="SQL database",
    options=SqlOptions,
    open=opener("bot.erp.sql.adapter:SqlErp"),
    database=lambda _context, options: options.url.get_secret_value(),
)
