"""Orders that nobody can decide, because people left or the ERP would refuse: administrators are told why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.approvals.cards.view_builders import people_in_reason, with_names
from bot.approvals.reassigning import people_in
from bot.approvals.service import ApprovalService
from bot.words.phrase import Words, phrase

_EVERY = timedelta(minutes=5)
_NAMED = 5
"""The number of orders named; there may be more."""


@dataclass(frozen=True, slots=True)
class StuckOrders:
    """The orders that nobody can decide, as plain text, and the ids of their cases; both empty for none."""

    told: Words = ""
    cases: frozenset[str] = frozenset()


NONE_STUCK = StuckOrders()


class StuckOrderSearch:
    """Searches for such orders every few minutes while it is being asked."""

    def __init__(
        self,
        service: ApprovalService,
        left_among: Callable[[Iterable[str]], Awaitable[frozenset[str]]],
        names_of: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]],
        now: Callable[[], datetime],
    ) -> None:
        """``left_among`` returns which people left the company; ``names_of`` their names, also former ones."""
        self._service = service
        self._left_among = left_among
        self._names_of = names_of
        self._now = now
        self._known = NONE_STUCK
        self._looked_at: datetime | None = None

    async def find(self) -> StuckOrders:
        """Return these orders; raises a `bot.words.errors.DingerpError` if they cannot be read."""
        if self._looked_at is None or self._now() - self._looked_at >= _EVERY:
            self._known = await self._look()
            self._looked_at = self._now()
        return self._known

    async def _look(self) -> StuckOrders:
        cases = await self._service.open_cases()
        left = await self._left_among(frozenset().union(*map(people_in, cases)))
        found = await self._service.dead_ends(cases, left)
        if not found:
            return NONE_STUCK
        names = await self._names_of([person for _, why in found for person in people_in_reason(why)])
        waiting = tuple(
            phrase("%(order)s (%(reason)s)", order=case.number, reason=with_names(why, names))
            for case, why in found[:_NAMED]
        )
        told = phrase(
            "Documents that nobody can decide from here (%(count)s): %(orders)s. Name others in the approval "
            "rules, or decide them in the ERP.",
            count=len(found),
            orders=waiting,
        )
        return StuckOrders(told, frozenset(case.id for case, _ in found))
