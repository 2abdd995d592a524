"""The time on which replicas agree, though the clocks of their machines may be minutes apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

_UNNOTICED = timedelta(milliseconds=250)
"""A difference that is as likely the network's as the clock's."""
_QUICK = timedelta(milliseconds=500)
"""The longest answer that tells the time well enough."""


class AgreedClock:
    """This machine's clock, corrected by what another clock says now and then."""

    def __init__(self, zone: tzinfo, *, own: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """``own`` is this machine's clock, and ``zone`` that of the times returned."""
        self._zone = zone
        self._own = own
        self._ahead = timedelta(0)

    def own(self) -> datetime:
        """Return the time of this machine's clock."""
        return self._own()

    def now(self) -> datetime:
        """Return the agreed time, in the zone."""
        return (self._own() + self._ahead).astimezone(self._zone)

    def agree(self, told: datetime, asked: datetime) -> None:
        """Go by a time that another clock told just now; it was ``asked`` at a time of `own`."""
        took = self._own() - asked
        ahead = told - (asked + took / 2)
        if took <= _QUICK and abs(ahead - self._ahead) > _UNNOTICED:
            self._ahead = ahead
