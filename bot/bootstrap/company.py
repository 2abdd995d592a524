"""What alert rules need of the settings, in a small module for tools that load little."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.alerts.rules.rule_set import AlertRuleContext
from bot.outbox.place import Place, PlaceKind
from bot.settings import Settings


def company_of(settings: Settings) -> AlertRuleContext:
    """Return the context of alert rules."""
    return AlertRuleContext(
        zone=ZoneInfo(settings.zone),
        default=tuple(Place(PlaceKind.GROUP, group) for group in settings.alerts.default_groups),
        roles=settings.access.roles,
        decides_in_chat=settings.decides_in_chat,
        decides_at=tuple(Place(PlaceKind.GROUP, group) for group in settings.approval_groups),
    )
