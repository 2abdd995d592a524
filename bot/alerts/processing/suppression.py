"""What holds an alert back from a place: a snooze, an inhibition by another alert, a silence, a mute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from bot.alerts.alert import Alert
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import RuleSuppression
from bot.outbox.place import Place

_CAUSES = 5_000
"""How many open alerts, the newest first, may inhibit others."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """``what`` is the history's word for it; ``until`` is None if it lasts as long as its cause."""

    what: str
    reason: str
    until: datetime | None


class SuppressionLookup:
    """Finds what suppresses one alert, place by place; other open alerts are read only if a rule needs them."""

    def __init__(self, unit: AlertUnitOfWork, alert: Alert) -> None:
        self._unit = unit
        self._alert = alert
        self.everywhere = self._find_everywhere()
        """The suppression that applies at every place."""

    def at(self, place: Place) -> Suppression | None:
        """Return the suppression at a place, if any."""
        return self.everywhere or self._find_silence(place) or self._find_mute(place)

    def _find_everywhere(self) -> Suppression | None:
        unit, alert = self._unit, self._alert
        if alert.snoozed_until is not None and alert.snoozed_until > unit.now:
            snoozed_by = alert.snoozed.user_id if alert.snoozed is not None else ""
            return Suppression("snoozed", snoozed_by, alert.snoozed_until)
        if self._alert.is_watched:
            return None
        others = _OtherOpenAlerts(unit.repository, alert.id)
        return self._in_force("inhibited", unit.rules.inhibited(alert.event, alert.severity, others))

    def _find_silence(self, place: Place) -> Suppression | None:
        if self._alert.is_watched:
            return None
        unit, alert = self._unit, self._alert
        return self._in_force("silenced", unit.rules.silenced(alert.event, alert.severity, place, unit.now))

    def _find_mute(self, place: Place) -> Suppression | None:
        alert, now = self._alert, self._unit.now
        mutes = self._unit.repository.mutes(place, now)
        covering = [mute for mute in mutes if mute.covers(alert.event, alert.severity)]
        last = max(covering, key=lambda mute: mute.until, default=None)
        return None if last is None else Suppression("muted", f"{last.pattern} by {last.by}", last.until)

    def _in_force(self, what: str, suppression: RuleSuppression | None) -> Suppression | None:
        if suppression is None or (suppression.until is not None and suppression.until <= self._unit.now):
            return None
        return Suppression(what, suppression.reason, suppression.until)


class _OtherOpenAlerts(Sequence[Alert]):
    """The open alerts except one, read on first use."""

    def __init__(self, repository: AlertRepository, excluded_id: str) -> None:
        self._repository = repository
        self._excluded_id = excluded_id

    def __iter__(self) -> Iterator[Alert]:
        return (alert for alert in self._repository.open_alerts(_CAUSES) if alert.id != self._excluded_id)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Alert: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Alert]: ...
    def __getitem__(self, index: int | slice) -> Alert | Sequence[Alert]:
        return tuple(self)[index]
