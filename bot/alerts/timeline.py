"""The timeline of an alert, from its first event to the last tap, without a word that its card would not show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, ClassVar

from bot.alerts import labels
from bot.alerts.alert import Alert, AlertCard
from bot.alerts.repository import AlertHistoryEntry
from bot.alerts.view_builder import headline
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Label, ListView
from bot.chat.parsing import command_line
from bot.chat.view_parts import table_of_lines
from bot.outbox.delivery import DeliveryStep, DeliveryStepKind
from bot.outbox.place import Place, PlaceKind
from bot.words.columns import Column
from bot.words.disclosure import ClassedBy, FieldClass
from bot.words.phrase import Phrase, phrase

TIMELINE = "timeline"
"""What is typed behind an alert's id."""

_CHANGES: Mapping[str, Phrase] = MappingProxyType(
    {
        "opened": phrase("reported for the first time"),
        "updated": phrase("reported anew, with other figures"),
        "revived": phrase("reported again after its end"),
        "informed": phrase("reported, as news"),
        "resolved": phrase("over"),
        "no_route": phrase("no rule sends it anywhere"),
        "inhibited": phrase("held back: another alert says more"),
        "silenced": phrase("held back by a silence in the rules"),
        "muted": phrase("held back: it was muted"),
        "late": phrase("learnt late"),
        "unseen": phrase("its card was not needed any more"),
        "folded": phrase("went into a summary"),
        "called": phrase("called again in groups, since a chat did not take its card"),
        "escalated": phrase("passed on, since nobody took it"),
        "acknowledged": phrase("taken"),
        "snoozed": phrase("put off"),
        "assigned": phrase("assigned"),
        "back": phrase("back after it was put off"),
    }
)
"""The notes that people are told; the others repeat what cards do."""
_BY_SOMEBODY = frozenset({"acknowledged", "snoozed", "assigned"})
"""Notes that begin with the userId of somebody, whom the alert's card names as well."""
_CARDS: Mapping[DeliveryStepKind, Phrase] = MappingProxyType(
    {
        DeliveryStepKind.SENT: phrase("card shown"),
        DeliveryStepKind.UPDATED: phrase("card updated"),
        DeliveryStepKind.WRITTEN: phrase("sent as a message"),
        DeliveryStepKind.DEAD: phrase("the card was given up"),
        DeliveryStepKind.REPLAYED: phrase("the card was begun anew"),
        DeliveryStepKind.CLICKED: phrase("somebody tapped"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One moment; ``who`` is a name, ``where`` the kind of place, since whose it is concerns nobody else."""

    at: datetime
    what: Phrase
    who: str = ""
    where: Label = ""


_COLUMNS = (
    Column(phrase("Time"), "at"),
    Column(phrase("Action"), "what"),
    Column(phrase("Who"), "who"),
    Column(phrase("Place"), "where"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTimeline(ListView):
    """What happened to one alert, the oldest first."""

    card: ClassVar[str] = "alert_timeline"
    page_size: ClassVar[int] = 10
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    id: str
    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    source: str = ""
    rows: tuple[TimelineRow, ...]

    @property
    def origin(self) -> str:
        return self.source

    def question(self) -> Ask:
        return Ask(self.line, self.offset)

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self)


def people_in(notes: Iterable[AlertHistoryEntry]) -> tuple[str, ...]:
    """Return the userIds of those who took, put off or were assigned an alert."""
    return tuple(dict.fromkeys(_person(note) for note in notes if note.what in _BY_SOMEBODY))


def build_timeline(
    alert: Alert,
    notes: Sequence[AlertHistoryEntry],
    steps: Iterable[tuple[AlertCard, DeliveryStep]],
    *,
    own: Place,
    names: Mapping[str, str],
    offset: int,
    size: int | None,
) -> AlertTimeline:
    """Return the timeline; ``own`` is the reader's chat, ``names`` those of `people_in`."""
    changes = [
        TimelineRow(at=note.at, what=_CHANGES[note.what], who=_named(note, names) if note.what in _BY_SOMEBODY else "")
        for note in notes
        if note.what in _CHANGES
    ]
    shown = [
        TimelineRow(at=step.at, what=_CARDS[step.what], where=_where(card.place, own))
        for card, step in steps
        if step.what in _CARDS
    ]
    rows = sorted((*changes, *shown), key=lambda row: row.at)
    return AlertTimeline(
        id=alert.id,
        headline=headline(alert),
        subject=labels.subject_label(alert.event),
        words_classes=alert.event.words_classes,
        source=alert.event.source,
        rows=tuple(rows[offset : offset + (size or AlertTimeline.page_size)]),
        total=len(rows),
        offset=offset,
        line=command_line("alerts", alert.id, TIMELINE),
    )


def _person(note: AlertHistoryEntry) -> str:
    return note.detail.partition(" ")[0]


def _named(note: AlertHistoryEntry, names: Mapping[str, str]) -> str:
    return names.get(_person(note), _person(note))


def _where(place: Place, own: Place) -> Phrase:
    if place.kind is PlaceKind.GROUP:
        return phrase("in a group")
    return phrase("in your own chat") if place == own else phrase("in somebody's own chat")
