"""``dingerp replay``: which cards to list, and the replay of the stored events (`bot.bootstrap.event_replay`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.route_check import open_rules
from bot.alerts.alert import Alert
from bot.bootstrap.event_replay import ReplayedCard, ReplayResult, replay_events
from bot.outbox.place import Place
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFilter:
    """The cards to list; empty fields match all. Totals always cover all cards."""

    source: str = ""
    type: str = ""
    """A type, or a prefix of types with a trailing ``*``."""
    subject: str = ""
    place: Place | None = None

    def matches(self, shown: ReplayedCard) -> bool:
        """Return whether a card is listed."""
        if self.place not in (None, shown.place):
            return False
        return any(self._fits(alert) for alert in shown.alerts)

    def _fits(self, alert: Alert) -> bool:
        event = alert.event
        fits_type = event.type.startswith(self.type[:-1]) if self.type.endswith("*") else self.type in ("", event.type)
        return fits_type and self.source in ("", event.source) and self.subject in ("", event.subject)


async def replay(
    settings: Settings, rules: Path | None, since: datetime, until: datetime, *, before: timedelta
) -> ReplayResult:
    """Return the consequences of the events; the time ``before`` is played first, to know what was open.

    Raises `bot.rulefiles.errors.RulesError` with every error of the rules, and `ConfigurationError` for unreadable
    input.
    """
    rule_set = open_rules(settings, rules)
    async with open_database(settings, OperatorAction(command="replay")) as database:
        return await replay_events(require_database(database), settings, rule_set, since, until, before=before)
