"""What follows from a failure, by what went wrong: a wait, a plain message, a new card, or the end."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.outbox.messenger import NotSent, Trouble
from bot.outbox.record import Owed, Result, Via, What

_LONGEST = 3600.0
_FIRST = {Trouble.BUSY: 2.0, Trouble.UNKNOWN: 2.0, Trouble.GONE: 2.0, Trouble.NO_CARDS: 2.0, Trouble.SETUP: 300.0}
"""Seconds before the second try; further pauses are four times as long, up to an hour: eight tries take two hours."""

_LIMITED = 1.0
"""Seconds where DingTalk names none: its limits are per second (DingTalk sheet, 7.6)."""


def counts(trouble: Trouble) -> bool:
    """Whether a failure brings the dead letter nearer; waiting for room does not."""
    return trouble not in (Trouble.LIMITED, Trouble.SPENT)


def pause(trouble: Trouble, tries: int, retry_after: float | None, chance: float) -> float:
    """Return the seconds to wait after ``tries`` tries; ``chance`` (0 to 1) spreads them, for many fail together."""
    match trouble:
        case Trouble.LIMITED:
            return (retry_after or _LIMITED) * (1 + chance / 2)
        case Trouble.SPENT:
            return _LONGEST
        case _:
            ceiling = min(_LONGEST, _FIRST.get(trouble, 2.0) * 4.0 ** max(0, tries - 1))
            return max(ceiling * (1 + chance) / 2, retry_after or 0.0)


def after(row: Owed, failure: NotSent, *, most: int, chance: float, now: datetime) -> Result:
    """Return what becomes of a row whose try failed; after ``most`` tries that count it is dead."""
    trouble, reason = failure.trouble, failure.detail
    if trouble is Trouble.NO_CARDS and not row.doubt and not row.shown:
        return Result(what=What.NO_CARD, reason=reason)
    if trouble is Trouble.HOPELESS:
        return Result(what=What.DEAD, reason=reason)
    if trouble is Trouble.UNKNOWN and row.via is Via.TEXT:
        # A second message might be one too many.
        return Result(what=What.WRITTEN, revision=row.wanted, reason=f"unconfirmed: {reason}")
    certain = trouble is not Trouble.UNKNOWN
    tries = row.tries + counts(trouble)
    if tries >= most:
        return Result(what=What.DEAD, reason=f"{reason} (after {tries} tries)", certain=certain)
    return Result(
        what=What.GONE if trouble is Trouble.GONE else What.RETRIED,
        reason=reason,
        again_at=now + timedelta(seconds=pause(trouble, tries, failure.retry_after, chance)),
        counts=counts(trouble),
        certain=certain,
    )
