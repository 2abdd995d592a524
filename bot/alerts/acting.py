"""What people do to alerts from a chat: the port between buttons or commands and the life of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.alerts.alert import Alert, Mark


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"
    """Somebody was faster, who is in `Acted.first`; nothing has changed."""
    OVER = "over"
    """The matter is closed, or was news only; nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of it, and the alert as it is now."""

    outcome: Outcome
    alert: Alert
    first: Mark | None = None


class AlertActions(Protocol):
    """Each is one transaction, in which all cards of the alert come to owe an update.

    The caller has asked the access policy and knows that the alert is shown where the person is. Doing the same again
    changes nothing. All return None for an alert that does not exist, and raise `bot.errors.DingerpError` when the
    store is away.
    """

    async def acknowledge(self, alert_id: str, by: Mark) -> Acted | None:
        """Note who takes care: escalation ends. `Outcome.ALREADY` when somebody else does."""
        ...

    async def snooze(self, alert_id: str, until: datetime, by: Mark) -> Acted | None:
        """Put the alert off: nothing is escalated or repeated before ``until``; the latest wish counts."""
        ...

    async def assign(self, alert_id: str, to: Mark, by: Mark) -> Acted | None:
        """Say who is to take care (``to.at`` is now); the latest wish counts."""
        ...
