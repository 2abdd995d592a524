"""The effect of a polled record on a subject, and whether it is news. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.alerts.intake.poll_state import NORMAL, CloudEvent, PolledRecord, PolledSubject

OLDEST = timedelta(days=365)
"""The intake rejects older events (`bot.alerts.intake.envelope.BEHIND`)."""
_UNREADABLE = "version"
"""Shows that a field was edited, but its value cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCircumstances:
    """The circumstances in which records were found. ``now`` is in the company's zone, where its days begin."""

    now: datetime
    by_change: bool
    """The feed reported it, so a change caused it; otherwise time alone may have."""
    quiet: bool = False
    """Open subjects found are not reported."""
    first: bool = False
    """Nobody has checked before: open subjects found have been so for an unknown time."""


@dataclass(frozen=True, slots=True)
class SubjectTransition:
    """The subject's new state (None: nothing to keep), and the event without its id if it is news."""

    subject: PolledSubject | None
    event: CloudEvent | None = None


def apply_record(
    known: PolledSubject | None, finding: PolledRecord, circumstances: PollCircumstances
) -> SubjectTransition:
    """Return the transition that a record causes for its subject."""
    is_open = known is not None and known.is_open
    if not is_open and finding.state == NORMAL:
        return SubjectTransition(None)
    assert known is not None or finding.state != NORMAL
    same = known is not None and is_open and (known.state, known.said) == (finding.state, finding.said)
    if known is not None and same:
        return SubjectTransition(_subject(finding, at=known.at, told=known.told, now=circumstances.now))
    at = _time(known, finding, circumstances)
    is_news = not circumstances.quiet
    if known is not None and is_open:
        # A state that was never reported needs no report of its improvement or end.
        is_news = known.told or (finding.is_worst and finding.state != known.state)
    subject = _subject(finding, at=at, told=is_news, now=circumstances.now)
    if not is_news:
        return SubjectTransition(subject)
    kind, data = finding.type, dict(finding.data)
    if known is not None and is_open and known.state == finding.state:
        kind = finding.change_type or kind
        data["changes"] = describe_changes(known.said, finding.said)
    event = _event(kind, data, finding, at)
    return SubjectTransition(subject, {**event, "standing": True} if circumstances.first and known is None else event)


def describe_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the differences, one line each: ``due_on: 2026-12-05 → 2026-12-12``."""
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return [f"{name}: {old or '–'} → {new or '–'}" for name, old, new in pairs if old != new and name != _UNREADABLE]


def _subject(finding: PolledRecord, *, at: datetime, told: bool, now: datetime) -> PolledSubject:
    return PolledSubject(code=finding.code, state=finding.state, told=told, at=at, said=finding.said, seen_at=now)


def _time(known: PolledSubject | None, finding: PolledRecord, circumstances: PollCircumstances) -> datetime:
    """Return the ERP's time of the event, at most now and at least that of the subject's last event."""
    now = circumstances.now
    at = finding.changed_at or now
    if known is None and finding.since is not None and not circumstances.by_change:
        at = datetime.combine(finding.since, time(), tzinfo=now.tzinfo)
    earliest = now - OLDEST if known is None else known.at
    return min(max(at, earliest), now)


def _event(kind: str, data: Mapping[str, object], finding: PolledRecord, at: datetime) -> CloudEvent:
    event: dict[str, object] = {
        "specversion": "1.0",
        "type": kind,
        "subject": finding.code,
        "time": at.isoformat(timespec="milliseconds"),
        "data": data,
    }
    if finding.severity is not None:
        event["severity"] = finding.severity.value
    return event
