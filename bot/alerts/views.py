"""What cards about alerts show. `bot.alerts.view_builder` makes them of alerts; templates see nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.alerts.alert import AlertState, UserStamp, Watch
from bot.alerts.labels import CardFact
from bot.cards.actions import AckAlert, Ask, AssignAlert, SnoozeAlert, SnoozeDuration
from bot.cards.notices import Suggestion
from bot.cards.view import Button, Color, Label, ListView, View
from bot.chat.parsing import command_line
from bot.phrase import Phrase, phrase
from bot.severity import Severity

_LABEL = 12
"""Characters of a subject on a button: several of them share a line."""


def _shows(alert_id: str) -> Ask:
    return Ask(command_line("alerts", alert_id))


def _links(line: str, url: str) -> list[Button]:
    asks = [Button(phrase("Details"), Ask(line))] if line else []
    return [*asks, Button(phrase("Open in the ERP"), url)] if url.startswith("https://") else asks


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView(View):
    """One matter: what, since when, how often, its latest figures, and who takes care of it.

    ``note`` answers a click, such as that somebody was faster. ``told`` are the people to whom it was passed on,
    ``line`` asks the ERP about it, ``back`` is the card of several matters that it stands on. ``moved``: a newer card
    shows it. ``late``: the bot learnt of it long after it happened.
    """

    card: ClassVar[str] = "alert"

    id: str
    headline: Label
    subject: str
    severity: Severity
    state: AlertState
    facts: tuple[CardFact, ...] = ()
    lines: tuple[str, ...] = ()
    opened_at: datetime
    last_at: datetime
    count: int = 1
    acknowledged: UserStamp | None = None
    assigned: UserStamp | None = None
    snoozed_until: datetime | None = None
    snoozed_by: str = ""
    resolved_at: datetime | None = None
    steps: int = 0
    told: tuple[str, ...] = ()
    line: str = ""
    url: str = ""
    note: Phrase | None = None
    back: str = ""
    moved: bool = False
    late: bool = False

    def buttons(self) -> Sequence[Button]:
        back = (Button(phrase("Back"), _shows(self.back)),) if self.back else ()
        return (*self._deeds(), *back, *_links(self.line, self.url))

    def _deeds(self) -> tuple[Button, ...]:
        if self.state is not AlertState.OPEN or self.moved:
            return ()
        take = Button(phrase("Got it"), AckAlert(self.id), Color.BLUE)
        others = (Button(phrase("Later"), SnoozeAlert(self.id)), Button(phrase("Assign"), AssignAlert(self.id)))
        return others if self.acknowledged else (take, *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert among others, with the first of its figures."""

    id: str
    headline: Label
    subject: str
    severity: Severity
    state: AlertState
    facts: tuple[CardFact, ...] = ()
    since: datetime
    count: int = 1
    taken_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How many alerts are open at each severity, and how many are over or were only news."""

    critical: int = 0
    warning: int = 0
    info: int = 0
    over: int = 0

    @property
    def open(self) -> int:
        """How many are open."""
        return self.critical + self.warning + self.info


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows(ListView):
    rows: tuple[AlertRow, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(_short(row.subject) or row.headline, _shows(row.id)) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup(_Rows):
    """Several matters on one card: those that are open first, the worst before the others."""

    card: ClassVar[str] = "alert_group"

    counts: AlertCounts
    moved: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList(_Rows):
    """The open alerts of one place; ``text`` is what was asked for, ``mine`` that it is one's own chat with the bot."""

    card: ClassVar[str] = "alert_list"

    counts: AlertCounts
    text: str = ""
    mine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRow:
    """All alerts of one type: how many, how many of them are open, the worst, and some of the subjects."""

    type: str
    word: Label
    total: int
    open: int
    severity: Severity
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDigest(ListView):
    """Many matters at a glance, by type, the worst first; ``since`` is the oldest."""

    card: ClassVar[str] = "alert_digest"

    rows: tuple[DigestRow, ...]
    counts: AlertCounts
    since: datetime
    moved: bool = False
    late: bool = False

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.word, Ask(command_line("alerts", row.type))) for row in self.rows if row.open]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSnooze(View):
    """For how long an alert is to be put off."""

    card: ClassVar[str] = "alert_snooze"

    id: str
    headline: Label
    subject: str

    def buttons(self) -> Sequence[Button]:
        choices = (Button(label, SnoozeAlert(self.id, pause), Color.BLUE) for pause, label in PAUSES)
        return (*choices, Button(phrase("Back"), _shows(self.id)))


PAUSES = (
    (SnoozeDuration.HOUR, phrase("1 hour")),
    (SnoozeDuration.HOURS, phrase("4 hours")),
    (SnoozeDuration.TOMORROW, phrase("Tomorrow")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssigneeOption:
    """Somebody who can take care of an alert."""

    user_id: str
    name: str
    roles: tuple[str, ...] = ()
    is_me: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAssignees(ListView):
    """Who an alert can be assigned to; ``rows`` are a page of them."""

    card: ClassVar[str] = "alert_people"

    id: str
    headline: Label
    subject: str
    rows: tuple[AssigneeOption, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [
            Button(phrase("Myself") if row.is_me else row.name, AssignAlert(self.id, row.user_id)) for row in self.rows
        ]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), Button(phrase("Back"), _shows(self.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReply(View):
    """The answer to a wish about alerts: what holds from now on, and the lines that may be wanted next."""

    card: ClassVar[str] = "alert_said"

    title: Phrase
    lines: tuple[Label, ...] = ()
    next: tuple[Suggestion, ...] = ()

    def buttons(self) -> Sequence[Button]:
        return tuple(Button(pick.label, Ask(pick.line)) for pick in self.next)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRow:
    """One mute: what it holds back, under which name people know it, until when, and who asked for it."""

    pattern: str
    word: Label
    until: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteList(ListView):
    """What is muted at one place."""

    card: ClassVar[str] = "alert_mutes"

    rows: tuple[MuteRow, ...]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(phrase("Unmute %(what)s", what=row.word), _unmutes(row)) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList(ListView):
    """What one person watches."""

    card: ClassVar[str] = "watches"

    rows: tuple[Watch, ...]

    def row_buttons(self) -> Sequence[Button]:
        subjects = dict.fromkeys(row.subject for row in self.rows)
        return [Button(phrase("Stop %(what)s", what=one), Ask(command_line("unwatch", one))) for one in subjects]


def _unmutes(row: MuteRow) -> Ask:
    return Ask(command_line("mute", row.pattern, "off"))


def _short(text: str) -> str:
    return text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…"
