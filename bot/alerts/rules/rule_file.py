"""The alert rules on disk, followed while they are edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.alerts.routing import Routing, RuleSuppression, Target
from bot.alerts.rules.parser import default_rules, parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext, AlertRuleSet
from bot.outbox.place import Place
from bot.rulefiles.followed_file import FollowedFile
from bot.severity import Severity


class AlertRuleFile:
    """Rules that follow a file; implements `bot.alerts.routing.AlertRules`, asked in the database's thread."""

    def __init__(self, path: Path, company: AlertRuleContext, *, monotonic: Callable[[], float]) -> None:
        """Read the file, or take the default rules if there is none. Raises `RulesError` if it is wrong."""
        read = partial(parse_rules, company=company, name=str(path))
        self._file = FollowedFile(path, read, partial(default_rules, company), monotonic=monotonic)

    @property
    def defect(self) -> str:
        """What is wrong with the file now, for readiness and ``dingerp doctor``; empty if nothing is."""
        return self._file.defect

    @property
    def path(self) -> Path:
        """The file that is followed, whether it is there or not."""
        return self._file.path

    def current(self) -> AlertRuleSet:
        """Return the rules in force, after a look at the file if the last one was a second ago."""
        return self._file.current()

    @property
    def revive(self) -> timedelta:
        """How long after its end a matter that opens again is the same alert on the same cards."""
        return self.current().revive

    def grade(self, event: Event) -> Severity:
        """Return the severity by the company's thresholds, or the event's own."""
        return self.current().grade(event)

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        """Return the places for an event."""
        return self.current().route(event, severity, now)

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        """Return why an open alert among ``others`` makes this one needless."""
        return self.current().inhibited(event, severity, others)

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        """Return the silence that holds the event back at this place."""
        return self.current().silenced(event, severity, place, now)

    def shows_at(self, target: Target, severity: Severity, now: datetime) -> datetime:
        """Return when a card that is due at ``now`` may be shown."""
        return self.current().shows_at(target, severity, now)
