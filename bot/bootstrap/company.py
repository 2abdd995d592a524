"""The settings that alert rules need, in a small module for tools that load little."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

from bot.alerts.rules.rule_set import AlertRuleContext
from bot.outbox.place import Place, PlaceKind
from bot.settings import Settings


def company_of(settings: Settings, decides_in_chat: Callable[[], bool] | None = None) -> AlertRuleContext:
    """Return the context of alert rules; ``decides_in_chat`` is set by a running bot."""
    return AlertRuleContext(
        zone=ZoneInfo(settings.zone),
        default=tuple(Place(PlaceKind.GROUP, group) for group in settings.alerts.default_groups),
        roles=settings.access.roles,
        decides_in_chat=decides_in_chat or partial(_will_decide, settings),
        decides_at=tuple(Place(PlaceKind.GROUP, group) for group in settings.approval_groups),
    )


def _will_decide(settings: Settings) -> bool:
    """Return whether purchase orders could be decided from chat if the bot started now: there are approvers, or
    rules.
    """
    return bool(settings.approvers) or any(place.is_file() for place in settings.approval_rules)
