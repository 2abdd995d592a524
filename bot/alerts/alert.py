"""An alert, the cards that show it, and what people set up: mutes and watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from bot.alerts.event import UNREADABLE, Event
from bot.erp.books import Books
from bot.erp.kinds import RULED_BY, area_followed, kind_followed
from bot.erp.model import Area, Followed, Quantity
from bot.outbox.place import Place
from bot.words.disclosure import MONEY_FIELDS, ClassedBy, FieldClass
from bot.words.phrase import Phrase, phrase
from bot.words.severity import Severity


class AlertState(StrEnum):
    """Whether an alert is still open."""

    OPEN = "open"
    RESOLVED = "resolved"
    INFORMED = "informed"
    """News that was never open."""


@dataclass(frozen=True, slots=True)
class UserStamp:
    """Who acted on an alert, and when. ``name`` is the display name."""

    user_id: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A problem with one subject, from its start to its end.

    If it recurs soon enough (`AlertRules.revive`), it is the same alert.
    """

    id: str
    key: Annotated[str, ClassedBy("key_classes")]
    event: Event
    """The latest event, whose figures the cards show."""
    state: AlertState
    severity: Severity
    opened_at: datetime
    last_at: datetime
    count: int = 1
    """How often it has been reported since it opened."""
    acknowledged: UserStamp | None = None
    assigned: UserStamp | None = None
    """The assignee; ``at`` is the time of assignment."""
    snoozed: UserStamp | None = None
    """Who snoozed it last, and when."""
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    step: int = 0
    """Escalation steps taken so far."""
    escalate_at: datetime | None = None
    held: bool = False
    """Suppressed at some place by an inhibition, a silence, a mute or a snooze."""
    look_at: datetime | None = None
    """When the earliest of these ends; None also if they only end with their cause."""
    revivals: int = 0
    """How often it was resolved and reopened."""
    revision: int = 1
    """Grows with every visible change."""

    @property
    def key_classes(self) -> frozenset[FieldClass]:
        """The field classes of the key, which is built from the event's subject."""
        return self.event.words_classes

    @property
    def known_since(self) -> datetime | None:
        """When it began; None if it predates the bot's first look and the ERP gives no time."""
        return None if self.event.began_unknown else self.opened_at

    @property
    def is_critical(self) -> bool:
        """Whether it is critical now."""
        return self.severity is Severity.CRITICAL

    @property
    def is_open(self) -> bool:
        return self.state is AlertState.OPEN

    @property
    def is_unreadable(self) -> bool:
        """Whether its event data cannot be read back from the database."""
        return self.event.type == UNREADABLE

    @property
    def is_watched(self) -> bool:
        """Whether a person's watch created it: company rules do not hold it back, only that person's own mute."""
        return self.key.startswith(_WATCH_KEY)


class CardState(StrEnum):
    """The state of a card."""

    WAITING = "waiting"
    """Not yet at its place: it gathers alerts, or waits for a time of day or for the end of a silence."""
    SHOWN = "shown"
    CLOSED = "closed"
    """All its alerts are resolved; if one of them reopens soon enough, the card is `SHOWN` again."""


@dataclass(frozen=True, slots=True)
class AlertTally:
    """Counts of the alerts of one type and severity: open, resolved, and mere news."""

    type: str
    severity: Severity
    open: int = 0
    over: int = 0
    news: int = 0

    @property
    def total(self) -> int:
        """The total."""
        return self.open + self.over + self.news


@dataclass(frozen=True, slots=True)
class FurtherAlerts:
    """The alerts that a digest only counts, beside those it names, and when the oldest of them opened."""

    tallies: tuple[AlertTally, ...] = ()
    since: datetime | None = None

    def of_types(self, wanted: Callable[[str], bool]) -> FurtherAlerts:
        """Return the counts of the wanted types."""
        return replace(self, tallies=tuple(tally for tally in self.tallies if wanted(tally.type)))

    @property
    def open(self) -> int:
        """The number of open alerts."""
        return sum(tally.open for tally in self.tallies)

    @property
    def total(self) -> int:
        """The total."""
        return sum(tally.total for tally in self.tallies)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    """One card at one place: it shows one alert, or all alerts of a group where the route groups them."""

    id: str
    place: Place
    route: str
    """The route that brought it here: its times in the rules are found by this name."""
    group: str
    """The common key of the alerts on this card; unique among the open cards of a place."""
    alerts: tuple[str, ...]
    """All alerts on the card; on a digest only the newest, which it names."""
    state: CardState
    opened_at: datetime
    further: FurtherAlerts = FurtherAlerts()
    """The alerts that a digest only counts."""
    due_at: datetime | None = None
    """When to show, change or repeat it."""
    shown_at: datetime | None = None
    changed_at: datetime | None = None
    """When the outbox was last asked for its newest state."""
    behind: bool = False
    """The place has not seen the latest change yet: it is sent when the interval or the silence is over."""
    late: bool = False
    """The bot learnt of it long after it happened."""
    next: str = ""
    """The card that took over, a repeat or a digest; this card points to it."""
    repeats: int = 0
    revision: int = 1
    """Grows with every change that has to reach the place."""

    @property
    def is_closed(self) -> bool:
        """Whether the card is closed."""
        return self.state is CardState.CLOSED

    @property
    def is_digest(self) -> bool:
        """Whether it replaces many cards."""
        return self.group.startswith(_DIGEST_GROUP)


@dataclass(frozen=True, slots=True)
class CardWithAlerts:
    """A card and its alerts, in the card's order; alerts no longer stored are left out."""

    card: AlertCard
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A silence at one place that a person requested in chat: ``/mute stock.low 2h``.

    ``pattern`` is a type, optionally with a trailing ``*``, or one subject. Critical alerts are shown anyway, unless
    ``critical``, which needs the right to do so.
    """

    id: str
    place: Place
    pattern: str
    by: str
    made_at: datetime
    until: datetime
    critical: bool = False

    def covers(self, event: Event, severity: Severity) -> bool:
        """Return whether the mute concerns an alert of this severity about this event."""
        if severity is Severity.CRITICAL and not self.critical:
            return False
        if self.pattern.endswith("*"):
            return event.type.startswith(self.pattern[:-1])
        return self.pattern == event.type or self.pattern.casefold() == event.subject.casefold()


class Comparator(StrEnum):
    """How a figure is compared with the limit of a watch."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="

    def describe(self, limit: Decimal, unit: str = "") -> Phrase:
        """Return the limit in words, such as “below 50 pcs”."""
        match self:
            case Comparator.BELOW:
                return phrase("below %(limit)s %(unit)s", limit=limit, unit=unit)
            case Comparator.AT_MOST:
                return phrase("at most %(limit)s %(unit)s", limit=limit, unit=unit)
            case Comparator.ABOVE:
                return phrase("above %(limit)s %(unit)s", limit=limit, unit=unit)
            case Comparator.AT_LEAST:
                return phrase("at least %(limit)s %(unit)s", limit=limit, unit=unit)

    def holds(self, figure: Decimal, limit: Decimal) -> bool:
        """Whether ``figure`` has reached the limit."""
        match self:
            case Comparator.BELOW:
                return figure < limit
            case Comparator.AT_MOST:
                return figure <= limit
            case Comparator.ABOVE:
                return figure > limit
            case Comparator.AT_LEAST:
                return figure >= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A person's request to be told about one subject in their own chat with the bot.

    With ``comparison`` and ``limit`` it is about a product's available stock (``area`` is `Area.STOCK`, the limit in
    the product's unit); without them, about any change of a document's state.
    """

    user_id: str
    area: Followed
    subject: str
    """The SKU or document number as the ERP spells it."""
    title: Annotated[str, ClassedBy("title_class")] = ""
    """The name of the product, customer or vendor, for the list of watches."""
    comparison: Comparator | None = None
    limit: Quantity | None = None
    source: str = ""
    """The source of a document, if there are several."""
    said: Annotated[Mapping[str, str], ClassedBy("said_classes")] = field(default_factory=dict)
    """The owner's knowledge of a document (`WatchReading.said`): anything different is a change. Empty for stock."""
    made_at: datetime

    @property
    def books(self) -> Books:
        """The books to watch; empty for all."""
        return Books(self.source)

    @property
    def commands(self) -> frozenset[str]:
        """The commands whose rules bind the subject: that of its area, and its own."""
        own = () if self.area is Area.STOCK else (kind_followed(self.area).command,)
        return frozenset({RULED_BY[area_followed(self.area)], *own})

    @property
    def title_class(self) -> FieldClass | None:
        """The field class of ``title``."""
        return None if self.area in {Area.STOCK, Area.PRODUCTION} else FieldClass.PARTNER

    @property
    def said_classes(self) -> frozenset[FieldClass]:
        """The field classes of ``said``, which includes the amount."""
        return MONEY_FIELDS

    @property
    def id(self) -> str:
        """The watch's identity: a new limit for the same subject replaces the old one."""
        return "|".join((self.user_id, self.area, self.subject.casefold(), self.comparison or "", *self.books.names))

    def alert_key(self, event: Event) -> str:
        """Return the key of the watch's alert for an event: one alert per warehouse."""
        return f"{watch_key_prefix(self.id)}{event.warehouse}"


_WATCH_KEY = "watch:"
_DIGEST_GROUP = "digest:"


def watch_key_prefix(watch_id: str) -> str:
    """Return the common prefix of the keys of a watch's alerts."""
    return f"{_WATCH_KEY}{watch_id}#"


STANDING_GROUP = f"{_DIGEST_GROUP}standing"
"""The group of the digest of alerts that predate the bot's first look: one at each place."""


def digest_group(card_id: str) -> str:
    """Return the group of a card that stands in for many."""
    return f"{_DIGEST_GROUP}{card_id}"
