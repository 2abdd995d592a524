"""``dingerp routes check`` and ``dingerp routes test``: reads alert rules and shows what they would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.admin.inputs import read_at, read_content, read_events
from bot.admin.output import as_json, at, describe_names, say_lines, warning
from bot.admin.rules_in_force import name_places, warn_of_lost, warn_of_unread
from bot.alerts.event import Event
from bot.alerts.intake.normalization import normalize, split_events
from bot.alerts.intake.port import EventState
from bot.alerts.rules.explanation import Explanation, PlaceOutcome, explain
from bot.alerts.rules.parser import default_rules, review_routes
from bot.alerts.rules.route_tree import AlertRoute
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.bootstrap.closed_groups import tell_closed
from bot.bootstrap.company import company_of
from bot.bootstrap.names import known_names, look_for_facts, review_settings
from bot.bootstrap.rule_places import refuse_missing
from bot.bootstrap.rules import ALERTS
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import find_files
from bot.rulefiles.values import written_duration
from bot.settings import Settings
from bot.words.names import KnownNames
from bot.words.phrase import Say, Words, phrase


async def check_rules(settings: Settings, file: Path | None, say: Say = str) -> tuple[bool, list[str]]:
    """Return whether the rules are valid, and lines with confirmation, warnings, or every error."""
    fine, lines = await _check_all(settings, file)
    return fine, say_lines(lines, say)


async def _check_all(settings: Settings, file: Path | None) -> tuple[bool, list[Words]]:
    known = known_names(settings, facts=await look_for_facts(settings), is_strict=True)
    fine, lines = await _check_rules(settings, file, known)
    if file is not None:
        return fine, lines
    lost = await warn_of_lost(settings, known, ALERTS) if fine else []
    names_fine, told = describe_names(review_settings(settings, known))
    return fine and names_fine and not lost, [*lines, *lost, *told]


async def _check_rules(settings: Settings, file: Path | None, known: KnownNames) -> tuple[bool, list[Words]]:
    path = file or find_rules(settings)
    try:
        review = _review_rules(settings, path, known)
    except RulesError as error:
        return False, [at(path, wrong.words) for wrong in error.problems]
    rules = review.rules
    if path is None:
        places = tuple(map(str, rules.tree.root.terms.to)) or phrase("nobody")
        none = phrase("there are no rules; every alert goes to %(places)s", places=places)
        return True, [at(name_places(settings.alert_rules), none)]
    counted = phrase(
        "fine, routes %(routes)s, thresholds %(thresholds)s, inhibitions %(inhibitions)s, silences %(silences)s",
        routes=_count(rules.tree.root) - 1,
        thresholds=len(rules.thresholds),
        inhibitions=len(rules.inhibitions),
        silences=len(rules.silences),
    )
    lines: list[Words] = [at(path, counted), *(at(path, warning(each.words)) for each in review.warnings)]
    if file is None:
        lines += [*map(warning, await tell_closed(settings)), *warn_of_unread(settings.alert_rules)]
    return True, lines


def find_rules(settings: Settings) -> Path | None:
    """Return the file that the bot would read. Raises `ConfigurationError` if a configured file does not exist."""
    refuse_missing("alerts.rules", settings.alerts.rules)
    return next(iter(find_files(settings.alert_rules)), None)


def open_rules(settings: Settings, file: Path | None) -> AlertRuleSet:
    """Return the rules of ``file``, by default those of the bot. Raises `RulesError`, `ConfigurationError`."""
    return _review_rules(settings, file or find_rules(settings), known_names(settings)).rules


def _review_rules(settings: Settings, path: Path | None, known: KnownNames) -> Reviewed[AlertRuleSet]:
    if path is None:
        return Reviewed(default_rules(company_of(settings)))
    reviewed = review_routes(read_content(path), company_of(settings), known, name=str(path))
    return Reviewed(reviewed.rules.rules, reviewed.warnings, reviewed.references)


def try_routes(
    settings: Settings, file: Path, *, rules: Path | None, at: str, source: str, form: str
) -> tuple[bool, list[str]]:
    """Return whether every event of ``file`` is understood, and lines on where each goes and why.

    ``file`` holds one CloudEvent or a list of them. Raises `ConfigurationError` if it cannot be read at all.
    """
    rule_set = open_rules(settings, rules)
    now = read_at(at, ZoneInfo(settings.zone))
    events, rejected = _normalize_all(read_events(read_content(file), str(file)), source, now)
    explanations = explain(rule_set, events, now)
    if form == "json":
        records = [_record(explanation) for explanation in explanations]
        return not rejected, [as_json({"events": records, "rejected": rejected})]
    lines = [line for explanation in explanations for line in _lines(explanation, rule_set.zone)]
    return not rejected, [*lines, *(f"rejected {event['id']}: {event['reason']}" for event in rejected)]


def _normalize_all(bodies: Iterable[object], source: str, now: datetime) -> tuple[list[Event], list[dict[str, str]]]:
    events: list[Event] = []
    rejected: list[dict[str, str]] = []
    for body in bodies:
        received = normalize(source, body, via="send", now=now)
        if received.state is EventState.REJECTED:
            rejected.append({"id": received.id, "reason": received.reason})
        else:
            events.extend(split_events(received))
    return events, rejected


def _count(route: AlertRoute) -> int:
    return 1 + sum(map(_count, route.inner))


def _lines(explanation: Explanation, zone: tzinfo) -> list[str]:
    event = explanation.event
    part = f", part {event.part + 1}" if event.part else ""
    at = f" at {event.warehouse}" if event.warehouse else ""
    return [
        f"{event.type} {event.subject}{at} ({event.ref}{part}): {explanation.effect} {explanation.key}",
        f"  severity {explanation.severity}: {explanation.graded_by}",
        *(f"  {why}" for why in explanation.why),
        *(f"  => {_outcome(outcome, zone)}" for outcome in explanation.outcomes),
        *(("  => nobody",) if not explanation.outcomes else ()),
    ]


def _outcome(outcome: PlaceOutcome, zone: tzinfo) -> str:
    target = outcome.target
    parts = [f"{target.place} by {target.route}: card {outcome.card}"]
    if outcome.suppression is not None:
        parts.append(f"held back by {outcome.suppression.reason}")
    else:
        parts.append(f"shown {outcome.shows_at.astimezone(zone):%Y-%m-%d %H:%M}")
    if outcome.card != "alert":
        parts.append(f"together with {target.group}")
    if target.repeat is not None:
        parts.append(f"again after {written_duration(target.repeat)}")
    parts.extend(
        f"after {written_duration(step.after)} also {', '.join(map(str, step.places))}" for step in target.steps
    )
    return ", ".join(parts)


def _record(explanation: Explanation) -> dict[str, Any]:
    event = explanation.event
    return {
        "source": event.source,
        "id": event.id,
        "part": event.part,
        "type": event.type,
        "subject": event.subject,
        "effect": explanation.effect.value,
        "matter": explanation.key,
        "severity": explanation.severity.value,
        "severity_by": explanation.graded_by,
        "why": explanation.why,
        "targets": _targets(explanation.outcomes),
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
