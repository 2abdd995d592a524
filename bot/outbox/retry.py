"""The reaction to a failure: a wait, a plain message, a new card, or the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.mechanisms.backoff import BackoffPolicy
from bot.outbox.delivery import DeliveryFormat, DeliveryResult, DeliveryStepKind, OutboxRow
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.outbox.spending import Purpose, purpose_of_kind

_LONGEST = 3600.0
_BACKOFF = BackoffPolicy(first=2.0, factor=4.0, longest=_LONGEST, spread=(0.5, 1.0))
"""Queued rows are retried at least hourly, and at once when DingTalk is back (`bot.outbox.outage`)."""
_UNCOMPOSED_BACKOFF = replace(_BACKOFF, longest=30.0)
"""A retry costs no DingTalk call, and nothing else reveals that the ERP or the database is back."""
_SETUP_BACKOFF = replace(_BACKOFF, first=300.0)
"""An operator has to fix the setup first."""

_OTHER_BACKOFFS = {
    SendFailureKind.SETUP: _SETUP_BACKOFF,
    SendFailureKind.UNCOMPOSED: _UNCOMPOSED_BACKOFF,
}

_TEXT_REPEATS = 2
"""How often an alert's text that may have arrived is sent again."""

_LIMITED = 1.0
"""Seconds if DingTalk gives none: its limits are per second (docs: platform/dingtalk/limits.md#calls-per-second)."""


_FINAL = frozenset({SendFailureKind.SETUP, SendFailureKind.DEFECT, SendFailureKind.GONE, SendFailureKind.NO_CARDS})
"""Failures that end a delivery after some attempts. Failures from an outage never do: an outage ends."""


def counts_as_attempt(trouble: SendFailureKind) -> bool:
    """Whether a failure counts towards giving up; waiting for room does not."""
    return trouble not in (SendFailureKind.LIMITED, SendFailureKind.SPENT)


def retry_delay(trouble: SendFailureKind, tries: int, retry_after: float | None, chance: float) -> float:
    """Return the seconds to wait after ``tries`` attempts; ``chance`` (0 to 1) adds jitter, since many fail
    together.
    """
    match trouble:
        case SendFailureKind.LIMITED:
            return (retry_after or _LIMITED) * (1 + chance / 2)
        case SendFailureKind.SPENT:
            return _LONGEST
        case _:
            backoff = _OTHER_BACKOFFS.get(trouble, _BACKOFF)
            return max(backoff.pause(max(tries, 1), chance), retry_after or 0.0)


def resolve_failure(row: OutboxRow, failure: SendFailed, *, most: int, chance: float, now: datetime) -> DeliveryResult:
    """Return the new state of a row after a failed attempt; after ``most`` counted attempts of its own it is dead."""
    return replace(_resolve(row, failure, most=most, chance=chance, now=now), trouble=failure.trouble.value)


def _resolve(row: OutboxRow, failure: SendFailed, *, most: int, chance: float, now: datetime) -> DeliveryResult:
    trouble, reason = failure.trouble, failure.detail
    if trouble is SendFailureKind.GONE and row.via is DeliveryFormat.STANDING:
        return DeliveryResult(what=DeliveryStepKind.NOTHING, reason=reason)
    if trouble is SendFailureKind.NO_CARDS and not row.doubt and not row.shown:
        return DeliveryResult(what=DeliveryStepKind.NO_CARD, reason=reason)
    if trouble is SendFailureKind.HOPELESS:
        return DeliveryResult(what=DeliveryStepKind.DEAD, reason=reason)
    if trouble is SendFailureKind.UNKNOWN and row.is_message:
        if purpose_of_kind(row.kind) is Purpose.ALERT and row.tries < _TEXT_REPEATS:
            # A lost alert goes unnoticed, while a duplicate does no harm.
            again = now + timedelta(seconds=retry_delay(trouble, row.tries + 1, failure.retry_after, chance))
            return DeliveryResult(what=DeliveryStepKind.RETRIED, reason=f"unconfirmed: {reason}", again_at=again)
        # The message may have arrived, and two might be read as two decisions.
        return DeliveryResult(what=DeliveryStepKind.WRITTEN, revision=row.wanted, reason=f"unconfirmed: {reason}")
    certain = trouble is not SendFailureKind.UNKNOWN
    tries = row.tries + counts_as_attempt(trouble)
    if tries >= most and trouble in _FINAL:
        return DeliveryResult(what=DeliveryStepKind.DEAD, reason=f"{reason} (after {tries} tries)", certain=certain)
    return DeliveryResult(
        what=DeliveryStepKind.GONE if trouble is SendFailureKind.GONE else DeliveryStepKind.RETRIED,
        reason=reason,
        again_at=now + timedelta(seconds=retry_delay(trouble, tries, failure.retry_after, chance)),
        counts=counts_as_attempt(trouble),
        certain=certain,
    )
