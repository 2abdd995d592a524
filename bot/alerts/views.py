"""Views of alert cards; `bot.alerts.view_builder` builds them, and templates see nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Annotated, ClassVar

from bot.alerts.alert import Alert, AlertState, Mute, Watch
from bot.alerts.labels import CardFact
from bot.cards.actions import AckAlert, Ask, AssignAlert, SnoozeAlert, SnoozeDuration
from bot.cards.notices import Suggestion
from bot.cards.tables import Table
from bot.cards.view import Button, Color, Label, ListView, View
from bot.cards.withholding import SEE_ALL
from bot.chat.conditions import ListCondition, WiderList
from bot.chat.parsing import command_line
from bot.chat.records.list_counts import ListCount
from bot.chat.view_parts import EmptiedList, ExportedListView, button_label, erp_link_buttons
from bot.words.columns import Column
from bot.words.disclosure import ClassedBy, FieldClass, Stating
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity

_LABEL = 12
"""Characters of a subject on a button: several of them share a line."""


def _show(alert_id: str) -> Ask:
    return Ask(command_line("alerts", alert_id))


def _show_anywhere(alert_id: str) -> Ask:
    """Return the action that shows an alert which may be visible only at other places."""
    return Ask(command_line("alerts", alert_id, AlertRange.ALL.value))


def _links(line: str, url: str) -> list[Button]:
    return [*([Button(phrase("Details"), Ask(line))] if line else []), *erp_link_buttons(url)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView(View):
    """One alert with its texts: ``headline`` and ``subject``, its latest figures, and the sender's own lines.

    ``snoozed``: it is snoozed now; ``told`` names the people to whom it was escalated. ``note`` answers a click, such
    as that another person was faster. ``line`` queries the ERP about it, ``back`` is the card that it shares with other
    alerts. ``moved``: a newer card shows it. ``late``: the bot learnt of it long after it happened. ``elsewhere``: only
    other places show it, where people act on it.
    """

    card: ClassVar[str] = "alert"

    alert: Alert
    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    """The field classes of headline and subject, which may be a sender's own words."""
    facts: tuple[CardFact, ...] = ()
    lines: Annotated[tuple[Phrase | str, ...], ClassedBy("lines_classes")] = ()
    lines_classes: frozenset[FieldClass] = frozenset()
    snoozed: bool = False
    told: tuple[str, ...] = ()
    line: str = ""
    note: Phrase | None = None
    back: str = ""
    moved: bool = False
    late: bool = False
    elsewhere: bool = False

    @property
    def origin(self) -> str:
        return self.alert.event.source

    def question(self) -> Ask:
        return _show_anywhere(self.alert.id) if self.elsewhere else _show(self.alert.id)

    def is_for_all(self) -> bool:
        return True

    def beside(self) -> Sequence[str]:
        return (command_line("alerts", self.alert.id, "timeline"),)

    def buttons(self) -> Sequence[Button]:
        back = (Button(phrase("Back"), _show(self.back)),) if self.back else ()
        return (*self._action_buttons(), *back, *_links(self.line, self.alert.event.link))

    def _action_buttons(self) -> tuple[Button, ...]:
        if not self.alert.is_open or self.moved or self.elsewhere or self.alert.is_unreadable:
            return ()
        alert_id = self.alert.id
        take = Button(phrase("I'll take it"), AckAlert(alert_id), Color.BLUE)
        others = (Button(phrase("Later"), SnoozeAlert(alert_id)), Button(phrase("Assign"), AssignAlert(alert_id)))
        return others if self.alert.acknowledged else (take, *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKind:
    """Alerts of one type. ``severity`` is the worst that an event itself stated: a graded one would reveal figures."""

    word: Label
    severity: Severity
    state: AlertState


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKinds(View):
    """Stands in for alerts about documents that some readers may not see: only their kinds, and since when. ``id`` is
    the alert, or the card of several.
    """

    card: ClassVar[str] = "alert_kinds"

    id: str
    kinds: tuple[AlertKind, ...]
    since: datetime | None
    moved: bool = False
    late: bool = False

    def question(self) -> Ask:
        return _show(self.id)

    def buttons(self) -> Sequence[Button]:
        return (Button(SEE_ALL, self.question(), Color.BLUE),) if self.shared else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTop(View):
    """The top box of a group while something critical is open: the latest alert, and the number of ``others``."""

    card: ClassVar[str] = "alert_top"

    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    since: datetime | None
    others: int = 0
    source: str = ""

    @property
    def origin(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert in a list, with the first of its figures."""

    id: str
    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    source: str = ""
    severity: Severity
    state: AlertState
    facts: tuple[CardFact, ...] = ()
    since: datetime | None
    count: int = 1
    taken_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """The numbers of open alerts by severity, of resolved ones, and of mere news."""

    critical: int = 0
    warning: int = 0
    info: int = 0
    over: int = 0
    news: int = 0

    @property
    def open(self) -> int:
        """The number of open alerts."""
        return self.critical + self.warning + self.info


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlertRows(ListView):
    rows: tuple[AlertRow, ...]

    @property
    def of_several(self) -> bool:
        """Whether there are several sources: one number may then mean two documents."""
        return self.apart or len({row.source for row in self.rows}) > 1

    def row_buttons(self) -> Sequence[Button]:
        return [Button(self._name(row) or row.headline or phrase("Details"), self.shows(row)) for row in self.rows]

    def shows(self, row: AlertRow) -> Ask:
        """Return the question for the alert of a row."""
        return _show(row.id)

    def _name(self, row: AlertRow) -> str:
        named = isinstance(row.subject, str) and row.subject and self.of_several
        return button_label(row.subject, (row.source,)) if named else _short(row.subject)


def _own_view(view: ListView, unseen: tuple[AlertKind, ...]) -> tuple[Button, ...]:
    """Return the button that shows each reader the alerts visible to them, where some readers may not see all.

    A card that withholds anything of its other alerts has this button anyway.
    """
    question = view.question() if unseen and view.shared and not view.withheld else None
    return (Button(SEE_ALL, question, Color.BLUE),) if question else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup(_AlertRows):
    """Several alerts on one card: open ones first, the worst before the others.

    ``unseen`` are the kinds of alerts that some readers may not see.
    """

    card: ClassVar[str] = "alert_group"

    counts: AlertCounts
    unseen: tuple[AlertKind, ...] = ()
    moved: bool = False
    late: bool = False

    def buttons(self) -> Sequence[Button]:
        return (*_AlertRows.buttons(self), *_own_view(self, self.unseen))


def _figures(row: AlertRow) -> tuple[Phrase, ...]:
    """Return the figures of an alert as text."""
    return tuple(
        phrase("%(what)s: %(value)s %(unit)s", what=fact.label, value=fact.value, unit=fact.unit)
        if fact.unit
        else phrase("%(what)s: %(value)s", what=fact.label, value=fact.value)
        for fact in row.facts
    )


_COLUMNS = (
    Column(phrase("Severity"), "severity"),
    Column(phrase("Alert"), "headline"),
    Column(phrase("Subject"), "subject"),
    Column(phrase("Figures"), _figures),
    Column(phrase("Since"), "since"),
    Column(phrase("Times"), "count"),
    Column(phrase("Taken by"), "taken_by"),
)


class AlertRange(StrEnum):
    """The scope of a list of alerts: one group, one's own chat, all groups and one's own chat, or what is over in
    those.
    """

    HERE = "here"
    MINE = "mine"
    ALL = "all"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList(EmptiedList, _AlertRows, ExportedListView):
    """The alerts in the range ``looks_at``; ``text`` narrows it. ``more``: there are others that were not looked at.

    ``left_out`` counts those at its place about documents hidden from the asker. The list of all groups also counts the
    documents that are late or ``overdue``, and says that groups have ``others`` about no document.
    """

    card: ClassVar[str] = "alert_list"
    command: ClassVar[str] = "alerts"

    counts: AlertCounts
    text: Label = ""
    looks_at: AlertRange
    emptied: tuple[WiderList, ...] = ()
    left_out: int = 0
    overdue: tuple[ListCount, ...] = ()
    others: bool = False
    more: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether all is well: everything was checked, and nothing is open."""
        more = self.total or self.text or self.others or self.left_out
        return not more and bool(self.overdue) and all(each.count == 0 and not each.unread for each in self.overdue)

    def shows(self, row: AlertRow) -> Ask:
        return _show_anywhere(row.id) if self.looks_at in {AlertRange.ALL, AlertRange.ENDED} else _show(row.id)

    def buttons(self) -> Sequence[Button]:
        lists = (Button(each.what, Ask(each.line)) for each in self.overdue if each.count)
        return (*ExportedListView.buttons(self), *self.widening_buttons(), *lists)

    def typed(self) -> Mapping[ListCondition, str]:
        return {ListCondition.TEXT: str(self.text)}

    def called(self) -> Mapping[ListCondition, Label]:
        return {ListCondition.TEXT: self.text}

    def line_without(self, by: frozenset[ListCondition]) -> str:
        # Only text and books can be missing from it.
        return command_line(self.command, "" if self.looks_at is AlertRange.HERE else self.looks_at.value)

    def table(self) -> Table:
        columns = (*_COLUMNS, Column(phrase("Company"), "source")) if self.of_several else _COLUMNS
        return Table.of_rows(columns, self.rows, total=self.total, key_of=attrgetter("id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRow:
    """All alerts of one type: total, open and mere news, the worst severity of both, and some of the subjects."""

    type: str
    word: Label
    total: int
    open: int
    news: int = 0
    severity: Severity
    subjects: Annotated[tuple[str, ...], ClassedBy("subjects_classes")]
    subjects_classes: frozenset[FieldClass] = frozenset()
    origins: tuple[str, ...] = ()
    """The source of each of the subjects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDigest(ListView):
    """Many alerts at a glance, by type, the worst first; ``since`` is when the oldest opened, if known.

    ``unseen`` are the kinds of alerts that some readers may not see.
    """

    card: ClassVar[str] = "alert_digest"

    rows: tuple[DigestRow, ...]
    counts: AlertCounts
    since: datetime | None
    unseen: tuple[AlertKind, ...] = ()
    moved: bool = False
    late: bool = False

    def subjects_of(self, row: DigestRow) -> Sequence[str]:
        """Return the subjects of a row; with their sources if there are several. Custom events may have none."""
        of_several = self.apart or len({origin for each in self.rows for origin in each.origins}) > 1
        if not of_several or len(row.origins) != len(row.subjects):
            return row.subjects
        return [" · ".join(named) for named in zip(row.subjects, row.origins, strict=True)]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *_own_view(self, self.unseen))

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.word, Ask(command_line("alerts", row.type))) for row in self.rows if row.open]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSnooze(View):
    """Asks how long to snooze an alert."""

    card: ClassVar[str] = "alert_snooze"

    id: str
    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    """The field classes of headline and subject, which may be a sender's own words."""
    source: str = ""

    @property
    def origin(self) -> str:
        return self.source

    def buttons(self) -> Sequence[Button]:
        choices = (Button(label, SnoozeAlert(self.id, pause)) for pause, label in PAUSES)
        day = Button(phrase("Another day…"), Ask(command_line("alerts", self.id, "until")))
        return (*choices, day, Button(phrase("Back"), _show(self.id)))


PAUSES = (
    (SnoozeDuration.HOUR, phrase("1 hour")),
    (SnoozeDuration.HOURS, phrase("4 hours")),
    (SnoozeDuration.TOMORROW, phrase("Tomorrow")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigneeOption:
    """A person who can take care of an alert."""

    user_id: str
    name: str
    roles: tuple[str, ...] = ()
    is_me: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAssignees(ListView):
    """The people to whom an alert can be assigned; ``rows`` are one page of them."""

    card: ClassVar[str] = "alert_people"

    id: str
    headline: Annotated[Label, ClassedBy("words_classes")]
    subject: Annotated[str, ClassedBy("words_classes")]
    words_classes: frozenset[FieldClass] = frozenset()
    """The field classes of headline and subject, which may be a sender's own words."""
    rows: tuple[AssigneeOption, ...]
    source: str = ""

    @property
    def origin(self) -> str:
        return self.source

    def row_buttons(self) -> Sequence[Button]:
        return [
            Button(phrase("Myself") if row.is_me else row.name, AssignAlert(self.id, row.user_id)) for row in self.rows
        ]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), Button(phrase("Back"), _show(self.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReply(View):
    """The answer to a mute or a watch: the new state, and lines to type next.

    ``title`` and ``lines`` name documents by number only; partners' names are in ``watches``.
    """

    card: ClassVar[str] = "alert_reply"

    title: Phrase
    watches: tuple[Watch, ...] = ()
    lines: Annotated[tuple[Label, ...], Stating(FieldClass.QUANTITY)] = ()
    next: tuple[Suggestion, ...] = ()

    def buttons(self) -> Sequence[Button]:
        return tuple(Button(suggestion.label, Ask(suggestion.line)) for suggestion in self.next)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRow:
    """One mute, and the display name of its pattern."""

    mute: Mute
    word: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteList(ListView):
    """The mutes of one place."""

    card: ClassVar[str] = "alert_mutes"

    rows: tuple[MuteRow, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(phrase("Unmute %(what)s", what=row.word), _unmute(row.mute)) for row in self.rows]


def _watched_for(watch: Watch) -> Phrase:
    """Return a watch's condition as text."""
    if watch.comparison is None or watch.limit is None:
        return phrase("any change")
    return phrase("available stock %(limit)s", limit=watch.comparison.describe(watch.limit))


_WATCH_COLUMNS = (
    Column(phrase("Area"), "area"),
    Column(phrase("Subject"), lambda watch: button_label(watch.subject, watch.books.names)),
    Column(phrase("Name"), "title"),
    Column(phrase("Condition"), _watched_for),
    Column(phrase("Since"), "made_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList(EmptiedList, ExportedListView):
    """One person's watches."""

    card: ClassVar[str] = "watches"
    command: ClassVar[str] = "watches"

    rows: tuple[Watch, ...]
    emptied: tuple[WiderList, ...] = ()

    def row_buttons(self) -> Sequence[Button]:
        watched = dict.fromkeys((row.subject, row.books.names) for row in self.rows)
        stop = (
            Button(
                phrase("Stop watching %(what)s", what=button_label(subject, books)),
                Ask(command_line("unwatch", subject, books=books)),
            )
            for subject, books in watched
        )
        return [*stop, *self.widening_buttons()]

    def table(self) -> Table:
        return Table.of_rows(_WATCH_COLUMNS, self.rows, total=self.total, key_of=attrgetter("id"))


def _unmute(mute: Mute) -> Ask:
    return Ask(command_line("mute", mute.pattern, "off"))


def _short(text: str) -> str:
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…"
