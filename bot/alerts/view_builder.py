"""Builds the views of alert cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from bot.alerts import labels
from bot.alerts.alert import Alert, AlertState, AlertTally, CardWithAlerts, FurtherAlerts, Mute
from bot.alerts.views import (
    AlertCounts,
    AlertDigest,
    AlertGroup,
    AlertKind,
    AlertKinds,
    AlertList,
    AlertRange,
    AlertRow,
    AlertTop,
    AlertView,
    DigestRow,
    MuteList,
    MuteRow,
)
from bot.cards.view import Label, View
from bot.chat.parsing import command_line
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity

MANY = 20
"""A card with more alerts shows them by type: a page has room for five to eight."""

_ROW_FACTS = 2
_NAMED = 5
"""How many subjects a digest row names."""


def build_card_view(
    content: CardWithAlerts, now: datetime, *, offset: int = 0, told: tuple[str, ...] = ()
) -> View | None:
    """Return the current view of a card, a list from its ``offset``-th row on; None if there is nothing to show.

    ``told`` are the names of the people to whom the alert was escalated.
    """
    card, alerts = content.card, content.alerts
    if not alerts or (card.is_closed and card.shown_at is None):
        return None
    if len(card.alerts) == 1 and not card.further.total:
        return build_alert_view(alerts[0], now, told=told, moved=bool(card.next), late=card.late)
    ordered = sorted(alerts, key=_worst_first)
    line = command_line("alerts", card.id)
    if len(alerts) > MANY or card.is_digest:
        return _digest(ordered, card.further, line, offset=offset, moved=bool(card.next), late=card.late)
    return AlertGroup(
        rows=tuple(_row(alert, now) for alert in ordered[offset : offset + AlertGroup.page_size]),
        total=len(ordered),
        offset=offset,
        line=line,
        counts=count_by_severity(ordered),
        moved=bool(card.next),
        late=card.late,
    )


def build_alert_view(
    alert: Alert,
    now: datetime,
    *,
    told: tuple[str, ...] = (),
    note: Phrase | None = None,
    back: str = "",
    moved: bool = False,
    late: bool = False,
    elsewhere: bool = False,
) -> AlertView:
    """Return the view of one alert; see `AlertView` for the further arguments."""
    event = alert.event
    question = labels.erp_question(event)
    return AlertView(
        alert=alert,
        headline=headline(alert),
        subject=labels.subject_label(event),
        words_classes=event.words_classes,
        facts=labels.facts(event, _day(alert, now), is_over=_is_over(alert)),
        lines=labels.lines(event),
        lines_classes=labels.lines_classes(event),
        snoozed=alert.snoozed_until is not None and alert.snoozed_until > now,
        told=told,
        line=command_line(*question) if question else "",
        note=note,
        back=back,
        moved=moved,
        late=late,
        elsewhere=elsewhere,
    )


def build_kinds_view(content: CardWithAlerts) -> AlertKinds | None:
    """Return the view of alerts whose documents its readers may not see; None if there is nothing to show."""
    card, alerts = content.card, content.alerts
    if not alerts or (card.is_closed and card.shown_at is None):
        return None
    return AlertKinds(
        id=alerts[0].id if len(card.alerts) == 1 else card.id,
        kinds=kinds_of(alerts),
        since=min((moment for alert in alerts if (moment := alert.known_since)), default=None),
        moved=bool(card.next),
        late=card.late,
    )


def kinds_of(alerts: Iterable[Alert]) -> tuple[AlertKind, ...]:
    """Return the kinds of alerts, the worst open one first."""
    by_type: dict[str, list[Alert]] = {}
    for alert in sorted(alerts, key=_worst_first):
        by_type.setdefault(alert.event.type, []).append(alert)
    return tuple(
        AlertKind(
            word=labels.type_label(event_type),
            severity=max((alert.event.severity for alert in found), key=_rank),
            state=found[0].state,
        )
        for event_type, found in by_type.items()
    )


def build_kind_top(alerts: Sequence[Alert]) -> AlertTop:
    """Return the top box of a group that may not see the documents of these critical alerts."""
    newest = max(alerts, key=lambda alert: alert.opened_at)
    return AlertTop(headline=labels.type_label(newest.event.type), subject="", since=newest.known_since)


def build_top_view(alerts: Sequence[Alert]) -> AlertTop:
    """Return the top box of a group: the latest of these alerts, and the number of the others."""
    newest = max(alerts, key=lambda alert: alert.opened_at)
    return AlertTop(
        headline=headline(newest),
        subject=labels.subject_label(newest.event),
        words_classes=newest.event.words_classes,
        source=newest.event.source,
        since=newest.known_since,
        others=len(alerts) - 1,
    )


def build_list_view(
    alerts: Sequence[Alert],
    now: datetime,
    *,
    line: str,
    offset: int = 0,
    size: int | None = None,
    text: Label = "",
    looks_at: AlertRange = AlertRange.HERE,
) -> AlertList:
    """Return open alerts, the worst first; ``size`` of them if given, otherwise as many as fit a card.

    Those that are over come in the order given.
    """
    ordered = list(alerts) if looks_at is AlertRange.ENDED else sorted(alerts, key=_worst_first)
    return AlertList(
        rows=tuple(_row(alert, now) for alert in ordered[offset : offset + (size or AlertList.page_size)]),
        total=len(ordered),
        offset=offset,
        line=line,
        counts=count_by_severity(ordered),
        text=text,
        looks_at=looks_at,
    )


def build_mute_list(mutes: Sequence[Mute], offset: int) -> MuteList:
    """Return what is muted at a place, from the ``offset``-th mute on."""
    page = mutes[offset : offset + MuteList.page_size]
    return MuteList(
        rows=tuple(MuteRow(mute=mute, word=labels.type_label(mute.pattern)) for mute in page),
        total=len(mutes),
        offset=offset,
        line=command_line("mute", "list"),
    )


def count_by_severity(alerts: Iterable[Alert]) -> AlertCounts:
    ended = {AlertState.RESOLVED: "over", AlertState.INFORMED: "news"}
    counted = Counter(ended.get(alert.state, alert.severity.value) for alert in alerts)
    return AlertCounts(**counted)


def _digest(
    alerts: Sequence[Alert], further: FurtherAlerts, line: str, *, offset: int, moved: bool, late: bool
) -> AlertDigest:
    by_type: dict[str, list[Alert]] = {tally.type: [] for tally in further.tallies}
    for alert in alerts:
        by_type.setdefault(alert.event.type, []).append(alert)
    found = (
        _digest_row(event_type, named, [tally for tally in further.tallies if tally.type == event_type])
        for event_type, named in by_type.items()
    )
    rows = sorted(found, key=lambda row: (-row.severity.rank, -row.open, row.type))
    opened = [moment for alert in alerts if (moment := alert.known_since)]
    return AlertDigest(
        rows=tuple(rows[offset : offset + AlertDigest.page_size]),
        total=len(rows),
        offset=offset,
        line=line,
        counts=_with_further(count_by_severity(alerts), further),
        since=min([*opened, further.since] if further.since else opened, default=None),
        moved=moved,
        late=late,
    )


def _with_further(counts: AlertCounts, further: FurtherAlerts) -> AlertCounts:
    more: Counter[str] = Counter()
    for tally in further.tallies:
        more[tally.severity.value] += tally.open
        more["over"] += tally.over
        more["news"] += tally.news
    return AlertCounts(
        critical=counts.critical + more[Severity.CRITICAL.value],
        warning=counts.warning + more[Severity.WARNING.value],
        info=counts.info + more[Severity.INFO.value],
        over=counts.over + more["over"],
        news=counts.news + more["news"],
    )


def headline(alert: Alert) -> Phrase | str:
    """Return an alert's title in its present state. A person's own limit says nothing about the company's."""
    is_over = _is_over(alert)
    if alert.is_watched and alert.state is not AlertState.INFORMED:
        return phrase("Back within your limit") if is_over else phrase("Your limit is reached")
    return labels.headline(alert.event, is_over=is_over)


def _is_over(alert: Alert) -> bool:
    return alert.state is AlertState.RESOLVED


def _day(alert: Alert, now: datetime) -> date:
    """Return the day up to which delays are counted: today, or the day the alert was resolved."""
    return (alert.resolved_at or now).astimezone(now.tzinfo).date()


def _row(alert: Alert, now: datetime) -> AlertRow:
    event = alert.event
    taken_by = alert.assigned or alert.acknowledged
    return AlertRow(
        id=alert.id,
        headline=headline(alert),
        subject=labels.subject_label(event),
        words_classes=event.words_classes,
        source=event.source,
        severity=alert.severity,
        state=alert.state,
        facts=labels.facts(event, _day(alert, now), is_over=_is_over(alert))[:_ROW_FACTS],
        since=alert.resolved_at or alert.known_since,
        count=alert.count,
        taken_by=taken_by.name if taken_by else "",
    )


def _digest_row(event_type: str, named: Sequence[Alert], counted: Sequence[AlertTally]) -> DigestRow:
    open_alerts = [alert for alert in named if alert.is_open]
    news = [alert for alert in named if alert.state is AlertState.INFORMED]
    severities = [alert.severity for alert in (*open_alerts, *news)]
    severities += [tally.severity for tally in counted if tally.open or tally.news]
    shown = _named(open_alerts or news or named)
    return DigestRow(
        type=event_type,
        word=labels.type_label(event_type),
        total=len(named) + sum(tally.total for tally in counted),
        open=len(open_alerts) + sum(tally.open for tally in counted),
        news=len(news) + sum(tally.news for tally in counted),
        severity=max(severities, key=_rank, default=Severity.INFO),
        subjects=tuple(subject for subject, _ in shown),
        origins=tuple(origin for _, origin in shown),
        subjects_classes=frozenset[FieldClass]().union(*(alert.event.words_classes for alert in named)),
    )


def _named(alerts: Sequence[Alert]) -> tuple[tuple[str, str], ...]:
    """Return the first subjects, each with its source; custom events may have none."""
    events = (alert.event for alert in alerts if alert.event.subject)
    return tuple(dict.fromkeys((event.subject, event.source) for event in events))[:_NAMED]


def _rank(severity: Severity) -> int:
    return severity.rank


def _worst_first(alert: Alert) -> tuple[bool, int, float]:
    return (not alert.is_open, -alert.severity.rank, -alert.opened_at.timestamp())
