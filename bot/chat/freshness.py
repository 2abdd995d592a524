"""How old an answer is, and from where: what the tips of every answer about the ERP say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.erp.hub import Found
from bot.phrase import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When the ERP said it. ``stale``: it does not answer now, so this is the last known value.

    ``failures`` name the other sources that did not answer, and what else the reader should know.
    """

    as_of: datetime
    stale: bool
    source: str
    failures: tuple[Phrase, ...] = ()


def freshness(found: Found[Any], as_of: datetime | None = None, *, failures: bool = True) -> Freshness:
    """Return the freshness of one answer; ``as_of`` is when it was true, where the ERP itself says that.

    Without ``failures`` only where the view shows them itself.
    """
    said = (*found.failures, *found.notes) if failures else found.notes
    return Freshness(as_of=as_of or found.as_of, stale=found.stale, source=found.source, failures=said)


def freshness_of_all(founds: Sequence[Found[Any]]) -> Freshness:
    """Return the freshness of answers shown together (at least one): of the oldest, with the source if it is one."""
    sources = {found.source for found in founds}
    return Freshness(
        as_of=min(found.as_of for found in founds),
        stale=any(found.stale for found in founds),
        source=sources.pop() if len(sources) == 1 else "",
        failures=tuple(
            {str(failure): failure for found in founds for failure in (*found.failures, *found.notes)}.values()
        ),
    )
