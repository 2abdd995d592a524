"""The areas that are polled, one file each: how its records are read, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.alerts.intake.areas.area import PolledArea
from bot.alerts.intake.areas.invoices import INVOICES
from bot.alerts.intake.areas.order_news import ORDER_NEWS
from bot.alerts.intake.areas.orders import ORDERS
from bot.alerts.intake.areas.production import PRODUCTION
from bot.alerts.intake.areas.purchasing import PURCHASING
from bot.alerts.intake.areas.stock import STOCK

AREAS: Mapping[str, PolledArea] = MappingProxyType(
    {area.name: area for area in (PURCHASING, STOCK, INVOICES, ORDERS, PRODUCTION, ORDER_NEWS)}
)
"""By the names that the settings use, in the order in which they are polled: first what somebody waits for."""
