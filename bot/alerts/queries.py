"""What people ask of alerts in a chat: what is open here, what is muted, what they watch. Implemented in
`bot.alerts.service`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from bot.alerts.alert import Alert, AlertCard
from bot.alerts.repository import Mute
from bot.erp.model import Area
from bot.outbox.place import Place


class Comparator(StrEnum):
    """How a figure is held against the limit of a watch."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="

    @property
    def sign(self) -> str:
        """The one sign that people read."""
        return {"<=": "≤", ">=": "≥"}.get(self.value, self.value)

    def holds(self, figure: Decimal, limit: Decimal) -> bool:
        """Whether ``figure`` is what somebody waits for."""
        match self:
            case Comparator.BELOW:
                return figure < limit
            case Comparator.AT_MOST:
                return figure <= limit
            case Comparator.ABOVE:
                return figure > limit
            case Comparator.AT_LEAST:
                return figure >= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What one person wants to be told about one thing, in their own chat with the bot.

    With ``comparison`` and ``limit`` it is about what is available of a product (``area`` is `Area.STOCK`, the limit in
    the product's unit), without them about any change of a document's state.
    """

    user_id: str
    area: Area
    subject: str
    """The SKU or document number as the ERP spells it."""
    title: str = ""
    """The name of the product, the customer or the vendor, for the list of watches."""
    comparison: Comparator | None = None
    limit: Decimal | None = None
    made_at: datetime

    @property
    def id(self) -> str:
        """What makes it one watch: asking for another limit changes the limit."""
        return "|".join((self.user_id, self.area, self.subject.casefold(), self.comparison or ""))


@dataclass(frozen=True, slots=True)
class CardWithAlerts:
    """A card and the alerts on it, in the card's order; those that nobody remembers any more are left out."""

    card: AlertCard
    alerts: tuple[Alert, ...]


class AlertQueries(Protocol):
    """All methods read or write in one transaction and raise `bot.errors.DingerpError` when the store is away."""

    async def open_at(self, place: Place) -> tuple[Alert, ...]:
        """Return the open alerts that cards at a place show, newest first."""
        ...

    async def alert(self, alert_id: str) -> Alert | None:
        """Return one alert, open or not."""
        ...

    async def cards_of(self, alert_id: str) -> tuple[AlertCard, ...]:
        """Return all cards that show an alert, oldest first; those that only wait to be shown are among them."""
        ...

    async def card_with_alerts(self, card_id: str) -> CardWithAlerts | None:
        """Return a card with its alerts."""
        ...

    async def mutes(self, place: Place, now: datetime) -> tuple[Mute, ...]:
        """Return the mutes in force at a place, the one that ends first before the others."""
        ...

    async def put_mute(self, mute: Mute) -> None:
        """Keep a mute; one with the same id is replaced."""
        ...

    async def lift_mute(self, mute: Mute) -> None:
        """End a mute: what it held back is looked at again."""
        ...

    async def watches(self, user_id: str) -> tuple[Watch, ...]:
        """Return what a person watches, oldest first."""
        ...

    async def put_watch(self, watch: Watch) -> None:
        """Keep a watch; one with the same id is replaced."""
        ...

    async def drop_watches(self, watch_ids: tuple[str, ...]) -> None:
        """Forget watches, and what they had opened is over; unknown ids don't matter."""
        ...
