"""The output of ``dingerp replay``: which cards, where by which route, and the number of API calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.admin.output import (
    align_columns,
    as_json,
    count_noun,
    escape_invisible,
    fields_of,
    format_exact,
    format_minute,
)
from bot.admin.replay import CardFilter
from bot.bootstrap.event_replay import ReplayedCard, ReplayResult
from bot.outbox.place import Place
from bot.settings import Settings

_NAMED = 3
"""How many subjects of a card, or unrouted events, are named."""
_COUNTED = {
    "silenced": "silenced",
    "muted": "muted",
    "inhibited": "inhibited",
    "folded": "folded into a digest",
    "escalated": "escalated",
    "shown anew": "shown anew",
    "late": "late",
}
"""Words of the history that the summary counts."""


def describe_replay(
    result: ReplayResult, card_filter: CardFilter, *, limit: int, settings: Settings, form: str
) -> list[str]:
    """Return lines on a replay; ``limit`` is the maximum of cards to list, ``form`` is ``text`` or ``json``."""
    zone = ZoneInfo(settings.zone)
    listed = [card for card in result.cards if card_filter.matches(card)]
    if form == "json":
        return [as_json(_fields(result, listed, zone))]
    return list(_lines(result, listed, limit, zone, settings.limits.month.calls))


def _lines(
    result: ReplayResult, listed: Sequence[ReplayedCard], limit: int, zone: tzinfo, monthly: int
) -> Iterator[str]:
    since, until = format_minute(result.since, zone), format_minute(result.until, zone)
    yield f"{since} to {until}: {count_noun(result.events, 'event', 'events')}"
    if result.rejected or result.failed:
        yield f"{result.rejected} more were rejected when they came, {result.failed} cannot be understood any more"
    if listed:
        yield ""
        yield from align_columns(
            [("when", "place", "route", "changes", "what"), *(_row(card, zone) for card in listed[:limit])]
        )
        if len(listed) > limit:
            yield f"… {len(listed) - limit} more cards, --limit shows them"
    yield ""
    yield from align_columns([("place", "route", "cards", "changes"), *_totals(result)])
    yield from _remarks(result)
    calls = result.creates + result.changes
    pace = (
        "" if result.monthly is None else f"; 30 days like these have about {result.monthly} of the month's {monthly}"
    )
    yield f"API calls: {calls} ({count_noun(result.creates, 'card', 'cards')}, {_changes(result.changes)}){pace}"
    yield "Nobody acknowledges anything in a replay, and questions are not counted."


def _remarks(result: ReplayResult) -> Iterator[str]:
    if result.unrouted:
        some = escape_invisible(", ".join(tuple(dict.fromkeys(result.unrouted))[:_NAMED]))
        yield f"{count_noun(len(result.unrouted), 'event goes', 'events go')} nowhere, such as {some}"
    found = [f"{meaning} {result.notes[what]}" for what, meaning in _COUNTED.items() if result.notes[what]]
    if found:
        yield f"Alerts that were {', '.join(found)}"
    if result.unanswered:
        yield f"Some events did not allow to answer conditions of: {escape_invisible(', '.join(result.unanswered))}"


def _changes(count: int) -> str:
    return count_noun(count, "change", "changes")


def _row(card: ReplayedCard, zone: tzinfo) -> tuple[str, ...]:
    about = list(dict.fromkeys(f"{alert.event.type} {alert.event.subject}".strip() for alert in card.alerts))
    more = f" and {len(about) - _NAMED} more" if len(about) > _NAMED else ""
    stood = "" if card.made_at is not None else " (stood before)"
    what = f"{card.template}: {', '.join(about[:_NAMED])}{more}{stood}"
    return format_minute(card.first_at, zone), str(card.place), card.route, str(len(card.changed_at)), what


def _totals(result: ReplayResult) -> list[tuple[str, str, str, str]]:
    return [
        (str(place), route, str(creates), str(changes))
        for (place, route), (creates, changes) in sorted(_by_route(result).items(), key=lambda item: -sum(item[1]))
    ]


def _by_route(result: ReplayResult) -> dict[tuple[Place, str], tuple[int, int]]:
    found: dict[tuple[Place, str], tuple[int, int]] = {}
    for card in result.cards:
        creates, changes = found.get((card.place, card.route), (0, 0))
        made = int(card.made_at is not None)
        found[card.place, card.route] = creates + made, changes + len(card.changed_at)
    return found


def _fields(result: ReplayResult, listed: Sequence[ReplayedCard], zone: tzinfo) -> dict[str, Any]:
    return {
        "since": format_exact(result.since, zone),
        "until": format_exact(result.until, zone),
        "events": {"played": result.events, "rejected": result.rejected, "failed": result.failed},
        "calls": {"creates": result.creates, "changes": result.changes, "in_30_days": result.monthly},
        "routes": [
            {"place": str(place), "route": route, "creates": creates, "changes": changes}
            for (place, route), (creates, changes) in _by_route(result).items()
        ],
        "nobody": list(result.unrouted),
        "notes": dict(result.notes),
        "unanswered": list(result.unanswered),
        "cards": [_card_fields(card, zone) for card in listed],
    }


def _card_fields(card: ReplayedCard, zone: tzinfo) -> dict[str, Any]:
    return {
        "made_at": None if card.made_at is None else format_exact(card.made_at, zone),
        "changed_at": [format_exact(moment, zone) for moment in card.changed_at],
        "place": str(card.place),
        "route": card.route,
        "card": card.template,
        "alerts": [
            fields_of(alert.event, "source type subject", zone) | fields_of(alert, "severity state", zone)
            for alert in card.alerts
        ],
    }
