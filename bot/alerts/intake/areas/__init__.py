"""The polled areas: how their records are read, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.alerts.intake.areas.area import PolledArea
from bot.alerts.intake.areas.invoices import INVOICES
from bot.alerts.intake.areas.orders import ORDER_NEWS, ORDERS
from bot.alerts.intake.areas.production import PRODUCTION
from bot.alerts.intake.areas.purchasing import PURCHASING, RECEIPTS
from bot.alerts.intake.areas.stock import STOCK

AREAS: Mapping[str, PolledArea] = MappingProxyType(
    {area.name: area for area in (PURCHASING, STOCK, INVOICES, ORDERS, RECEIPTS, PRODUCTION, ORDER_NEWS)}
)
"""By name in the settings, in polling order: first what people wait for."""
