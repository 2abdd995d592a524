"""Reads alert rules and says what they would do: ``dingerp routes check`` and ``dingerp routes test``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.admin.inputs import read_at, read_content, read_events
from bot.admin.output import as_json
from bot.alerts.event import Event
from bot.alerts.intake.normalization import normalize, split_events
from bot.alerts.intake.port import EventState, ReceivedEvent, StoredEvent
from bot.alerts.rules.explanation import Explanation, PlaceOutcome, explain
from bot.alerts.rules.parser import default_rules, parse_rules
from bot.alerts.rules.route_tree import AlertRoute
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.bootstrap.company import company_of
from bot.rulefiles.errors import RulesError
from bot.rulefiles.values import written_duration
from bot.settings import Settings


def check_rules(settings: Settings, file: Path | None) -> tuple[bool, list[str]]:
    """Return whether the rules can be obeyed, and the lines that say so or name every error."""
    path = file or settings.alert_rules
    try:
        book = open_rules(settings, file)
    except RulesError as error:
        return False, [f"{path}: {wrong}" for wrong in error.problems]
    if not path.is_file():
        where = ", ".join(map(str, book.tree.root.terms.to)) or "nobody"
        return True, [f"{path}: there are no rules; every alert goes to {where}"]
    counts = (
        (_count(book.tree.root) - 1, "routes"),
        (len(book.thresholds), "thresholds"),
        (len(book.inhibitions), "inhibitions"),
        (len(book.silences), "silences"),
    )
    return True, [f"{path}: fine, {', '.join(f'{name} {number}' for number, name in counts)}"]


def open_rules(settings: Settings, file: Path | None) -> AlertRuleSet:
    """Return the rules of ``file``, or those that the bot would obey. Raises `RulesError`, `ConfigurationError`."""
    path = file or settings.alert_rules
    if file is None and not path.is_file():
        return default_rules(company_of(settings))
    return parse_rules(read_content(path), company_of(settings), name=str(path))


def try_routes(
    settings: Settings, file: Path, *, rules: Path | None, at: str, source: str, form: str
) -> tuple[bool, list[str]]:
    """Return whether every event of ``file`` can be understood, and the lines that say where each goes and why.

    ``file`` holds one CloudEvent or a list of them. Raises `ConfigurationError` for what cannot be read at all.
    """
    book = open_rules(settings, rules)
    now = read_at(at, ZoneInfo(settings.zone))
    events, rejected = _normal(read_events(read_content(file), str(file)), source, now)
    explanations = explain(book, events, now)
    if form == "json":
        shown = {"events": [_record(one) for one in explanations], "rejected": rejected}
        return not rejected, [as_json(shown)]
    lines = [line for one in explanations for line in _lines(one, book)]
    return not rejected, [*lines, *(f"rejected {one['id']}: {one['reason']}" for one in rejected)]


def _normal(handed: Iterable[object], source: str, now: datetime) -> tuple[list[Event], list[dict[str, str]]]:
    events: list[Event] = []
    rejected: list[dict[str, str]] = []
    for one in handed:
        kept = normalize(source, one, via="send", now=now)
        if kept.state is EventState.REJECTED:
            rejected.append({"id": kept.id, "reason": kept.reason})
        else:
            events.extend(split_events(_stored(kept)))
    return events, rejected


def _stored(kept: ReceivedEvent) -> StoredEvent:
    return StoredEvent(seq=0, **{one.name: getattr(kept, one.name) for one in fields(kept)})


def _count(route: AlertRoute) -> int:
    return 1 + sum(map(_count, route.inner))


def _lines(one: Explanation, book: AlertRuleSet) -> list[str]:
    event = one.event
    part = f", part {event.part + 1}" if event.part else ""
    at = f" at {event.warehouse}" if event.warehouse else ""
    return [
        f"{event.type} {event.subject}{at} ({event.source}/{event.id}{part}): {one.effect} {one.key}",
        f"  severity {one.severity}: {one.graded_by}",
        *(f"  {why}" for why in one.why),
        *(f"  => {_outcome(outcome, book)}" for outcome in one.outcomes),
        *(("  => nobody",) if not one.outcomes else ()),
    ]


def _outcome(outcome: PlaceOutcome, book: AlertRuleSet) -> str:
    target = outcome.target
    said = [f"{target.place} by {target.route}: card {outcome.card}"]
    if outcome.suppression is not None:
        said.append(f"held back by {outcome.suppression.reason}")
    else:
        said.append(f"shown {outcome.shows_at.astimezone(book.zone):%Y-%m-%d %H:%M}")
    if outcome.card != "alert":
        said.append(f"together with {target.group}")
    if target.repeat is not None:
        said.append(f"again after {written_duration(target.repeat)}")
    said.extend(
        f"after {written_duration(step.after)} also {', '.join(map(str, step.places))}" for step in target.steps
    )
    return ", ".join(said)


def _record(one: Explanation) -> dict[str, Any]:
    event = one.event
    return {
        "source": event.source,
        "id": event.id,
        "part": event.part,
        "type": event.type,
        "subject": event.subject,
        "effect": one.effect.value,
        "matter": one.key,
        "severity": one.severity.value,
        "severity_by": one.graded_by,
        "why": one.why,
        "targets": _targets(one.outcomes),
    }


def _targets(outcomes: Sequence[PlaceOutcome]) -> list[dict[str, Any]]:
    return [
        {
            "place": str(outcome.target.place),
            "route": outcome.target.route,
            "card": outcome.card,
            "group": outcome.target.group,
            "shows_at": outcome.shows_at.isoformat(),
            "held_back": None if outcome.suppression is None else outcome.suppression.reason,
            "repeat": None if outcome.target.repeat is None else written_duration(outcome.target.repeat),
            "escalate": [
                {"after": written_duration(step.after), "to": [str(place) for place in step.places]}
                for step in outcome.target.steps
            ],
        }
        for outcome in outcomes
    ]
