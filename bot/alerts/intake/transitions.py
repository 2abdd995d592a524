"""What a finding makes of a subject, and whether that is news. Pure: told everything, asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.alerts.intake.poll_state import NORMAL, CloudEvent, PolledRecord, PolledSubject

OLDEST = timedelta(days=365)
"""Events from longer ago are refused at the door (`bot.alerts.intake.envelope.BEHIND`)."""
_UNREADABLE = "version"
"""Tells that there was an edit, in signs that nobody can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCircumstances:
    """How findings came. ``now`` is in the company's zone, whose days begin there."""

    now: datetime
    by_change: bool
    """The feed told of it, so the change made it so; else passing time may have."""
    quiet: bool = False
    """What turns out to be open is taken as known and not told."""


@dataclass(frozen=True, slots=True)
class SubjectTransition:
    """What is known of a subject from now on, None if nothing has to be; and the news, without its id."""

    subject: PolledSubject | None
    event: CloudEvent | None = None


def apply_record(known: PolledSubject | None, finding: PolledRecord, how: PollCircumstances) -> SubjectTransition:
    """Return what a finding makes of what is known."""
    is_open = known is not None and known.is_open
    if not is_open and finding.state == NORMAL:
        return SubjectTransition(None)
    assert known is not None or finding.state != NORMAL
    same = known is not None and is_open and (known.state, known.said) == (finding.state, finding.said)
    if known is not None and same:
        return SubjectTransition(_subject(finding, at=known.at, told=known.told, now=how.now))
    at = _time(known, finding, how)
    is_news = not how.quiet
    if known is not None and is_open:
        # Of what was taken as known nobody has to hear that it is better, or over.
        is_news = known.told or (finding.is_worst and finding.state != known.state)
    subject = _subject(finding, at=at, told=is_news, now=how.now)
    if not is_news:
        return SubjectTransition(subject)
    kind, data = finding.type, dict(finding.data)
    if known is not None and is_open and known.state == finding.state:
        kind = finding.change_type or kind
        data["changes"] = describe_changes(known.said, finding.said)
    return SubjectTransition(subject, _event(kind, data, finding, at))


def describe_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what differs, a line each: ``due_on: 2026-12-05 → 2026-12-12``."""
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return [f"{name}: {old or '–'} → {new or '–'}" for name, old, new in pairs if old != new and name != _UNREADABLE]


def _subject(finding: PolledRecord, *, at: datetime, told: bool, now: datetime) -> PolledSubject:
    return PolledSubject(code=finding.code, state=finding.state, told=told, at=at, said=finding.said, seen_at=now)


def _time(known: PolledSubject | None, finding: PolledRecord, how: PollCircumstances) -> datetime:
    """Return when it happened: as the ERP tells it, never in the future and never before the last event about it."""
    at = finding.changed_at or how.now
    if known is None and finding.since is not None and not how.by_change:
        at = datetime.combine(finding.since, time(), tzinfo=how.now.tzinfo)
    earliest = how.now - OLDEST if known is None else known.at
    return min(max(at, earliest), how.now)


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
