"""What a list of waiting documents may lack."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bot.approvals.service import ApprovalService
from bot.words.phrase import Phrase, phrase

_RECENT = timedelta(minutes=5)
"""How old a search may be before readers are told: some rounds of a minute may be slow, or fail."""


class SearchGaps:
    """Tells readers of what waits what their list may lack: sources not searched yet, or not for a while."""

    def __init__(self, cases: ApprovalService, decided: Mapping[str, Collection[str]]) -> None:
        """``decided`` are the commands of the kinds of documents that each source lets approve."""
        self._cases = cases
        self._decided = decided

    async def tell(self, user_id: str, now: datetime, shown: Callable[[str], bool]) -> tuple[Phrase, ...]:
        """Return a sentence for each source that a person is shown and whose newest documents may be missing."""
        searches = await self._cases.searches()
        theirs = (each for each in self._decided if shown(each) and self._cases.has_account(user_id, each))
        said = (_say_gap(source, self._searched(source, searches), now) for source in theirs)
        return tuple(each for each in said if each is not None)

    def _searched(self, source: str, searches: Mapping[tuple[str, str], datetime]) -> Sequence[datetime | None]:
        ruled = self._cases.ruled_kinds.intersection(self._decided[source])
        return [searches.get((source, kind)) for kind in ruled]


def _say_gap(source: str, searched: Sequence[datetime | None], now: datetime) -> Phrase | None:
    known = [at for at in searched if at is not None]
    if len(known) < len(searched):
        return phrase("The first search of “%(source)s” has not ended: more may wait there.", source=source)
    oldest = min(known, default=now)
    if now - oldest <= _RECENT:
        return None
    return phrase(
        "“%(source)s” was last searched at %(time)s: what came later may be missing.", source=source, time=oldest
    )
