"""Bounds of proofs that fail, such as codes of logins and keys of programs: anybody may bring one, and each costs work.

A proof that succeeds costs nothing of the bound, so the people of an office that has one address come in all the same,
and so do those behind a proxy, whose address is all that the server sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from bot.mechanisms.recency import RecentItems

ADDRESSES = 10_000
"""How many addresses are remembered; a stranger with more of them comes to the bound of all."""
_NETWORK_BITS = 64
"""Of IPv6: whoever has one address of such a network has all of them."""


@dataclass(frozen=True, slots=True)
class Bound:
    """So many may fail at once, and one more each time that ``regained`` has passed."""

    most: int
    regained: timedelta


OF_ADDRESS = Bound(most=30, regained=timedelta(seconds=20))
OF_ALL = Bound(most=120, regained=timedelta(seconds=1))
"""A twentieth of the calls that DingTalk takes in a second (docs: platform/dingtalk/limits.md)."""


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a bound at a time."""

    count: float
    at: datetime

    def taken(self, count: int, bound: Bound, now: datetime) -> _Left:
        """Return what is left after ``count`` more; less than nothing where it was not enough."""
        gained = max(0.0, (now - self.at) / bound.regained)
        return _Left(min(float(bound.most), min(float(bound.most), self.count + gained) - count), now)


@dataclass(slots=True)
class ProofBounds:
    """Admits proofs, in memory and per process. ``now`` gives aware times."""

    now: Callable[[], datetime]
    of_address: Bound = OF_ADDRESS
    of_all: Bound = OF_ALL
    _by_address: RecentItems[str, _Left] = field(default_factory=lambda: RecentItems(ADDRESSES), init=False)
    _all: _Left | None = field(default=None, init=False)

    def admit(self, address: str) -> bool:
        """Count a proof from an address as the server sees it; False where too many have failed."""
        key, now = _network(address), self.now()
        own = self._left_of(key, now).taken(1, self.of_address, now)
        everybody = self._left_of_all(now).taken(1, self.of_all, now)
        if own.count < 0 or everybody.count < 0:
            return False
        self._by_address.put(key, own)
        self._all = everybody
        return True

    def succeed(self, address: str) -> None:
        """Take back a proof that was counted: it was no stranger's."""
        key, now = _network(address), self.now()
        self._by_address.put(key, self._left_of(key, now).taken(-1, self.of_address, now))
        self._all = self._left_of_all(now).taken(-1, self.of_all, now)

    def _left_of(self, key: str, now: datetime) -> _Left:
        return self._by_address.get(key) or _Left(self.of_address.most, now)

    def _left_of_all(self, now: datetime) -> _Left:
        return self._all or _Left(self.of_all.most, now)


def _network(address: str) -> str:
    """Return what an address counts as: itself, or its network; something that is none counts with all such."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(int(found) >> (128 - _NETWORK_BITS))
