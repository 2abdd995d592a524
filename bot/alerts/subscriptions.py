"""Subscriptions: a list or report at a time of day, in a person's own chat or a group, with the rights of that time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, time, timedelta, tzinfo
from hashlib import sha256
from typing import ClassVar, Protocol

import structlog

from bot.alerts.rules.schedule import DigestSchedule, TimeWindow
from bot.cards.actions import Ask
from bot.cards.notices import DeniedNotice, ExternalNotice, WithheldNotice
from bot.cards.view import Button, Color, ListView, View
from bot.chat.audiences import Audiences
from bot.chat.conditions import WiderList
from bot.chat.context import QuestionContext, place_of
from bot.chat.message import Conversation, ConversationKind
from bot.chat.parsing import command_line, split
from bot.chat.present_rights import CHANGED, PresentRights
from bot.chat.question_handler import PreparedAnswer, QuestionHandler
from bot.chat.questions.failures import NO_ANSWER_NOW, QuestionOutcome
from bot.chat.report_days import WEEKDAYS
from bot.chat.view_parts import EmptiedList
from bot.erp.books import MARK, Books
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SendFailed, SendFailureKind, SingleCardComposer
from bot.words.disclosure import cut
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

SUBSCRIPTION = "subscription"
"""Kind of the deliveries."""
_ONLY_REVISION = 1
_LOOKED_EVERY = 15.0
_ENDING = frozenset({QuestionOutcome.BAD_ARGUMENT, QuestionOutcome.UNKNOWN_COMMAND})
"""Outcomes that no later attempt changes."""
_WAITS = "waits"
"""The suffix in the key of the card that tells an owner that a subscription waits."""

_WORTH_SENDING = timedelta(hours=20)
"""How long a scheduled card is still worth sending: it shows the state at sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A line answered at a place daily at a fixed time, or on working days, or on one ``weekday`` (Monday is 1).

    ``ended``: its owner left.

    ``conversation`` is where it was created: the rules there apply. ``waits``: the rules currently forbid it, which its
    owner was told; it resumes once they allow it.
    """

    place: Place
    conversation: str
    user_id: str
    line: str
    at: time
    workdays: bool
    next_at: datetime
    ended: bool = False
    waits: bool = False
    weekday: int | None = None

    @property
    def id(self) -> str:
        """The id: the same line at the same place is the same subscription, whoever asks for it."""
        return sha256(f"{self.place}\0{self.line}".encode()).hexdigest()[:20]

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return its next time after a moment."""
        window = TimeWindow(name="working days", zone=zone, workdays=True) if self.workdays else None
        if self.weekday is not None:
            window = TimeWindow(name="weekday", zone=zone, weekdays=frozenset({self.weekday}))
        return DigestSchedule((self.at,), zone, window).comes_at(moment + timedelta(seconds=1))

    def delivery(self, now: datetime, zone: tzinfo) -> Delivery:
        """Return the delivery for the time that has come: one per time, even if the time was changed within a day.

        Its waiting time counts from ``now``: a bot that stood still for days still owes the card.
        """
        return Delivery(
            card=f"{SUBSCRIPTION}:{self.id}:{self.next_at.astimezone(zone):%FT%H:%M}",
            place=self.place,
            kind=SUBSCRIPTION,
            ref=f"{self.id}|{now.isoformat()}",
            revision=_ONLY_REVISION,
            urgency=Urgency.NOW,
            due_at=now,
        )

    def waiting_delivery(self, now: datetime) -> Delivery:
        """Return the delivery that tells its owner, in their own chat, that it waits from ``now`` on."""
        return Delivery(
            card=f"{SUBSCRIPTION}:{self.id}:{_WAITS}:{now:%FT%H:%M}",
            place=Place(PlaceKind.PERSON, self.user_id),
            kind=SUBSCRIPTION,
            ref=f"{self.id}|{now.isoformat()}|{_WAITS}",
            revision=_ONLY_REVISION,
            urgency=Urgency.NOW,
            due_at=now,
        )


class SubscriptionStore(Protocol):
    """Stores subscriptions. Every call is one transaction and raises a `DingerpError` when the store is unavailable."""

    async def put(self, subscription: Subscription) -> None:
        """Store a subscription, replacing the one with its id."""
        ...

    async def find(self, subscription_id: str) -> Subscription | None:
        """Return a subscription, even an ended one."""
        ...

    async def at_place(self, place: Place) -> tuple[Subscription, ...]:
        """Return the active subscriptions of a place, by time of day."""
        ...

    async def drop(self, ids: Sequence[str]) -> None:
        """Delete subscriptions."""
        ...

    async def end(self, subscription_id: str) -> None:
        """End a subscription."""
        ...

    async def wait(self, subscription_id: str, told: Delivery) -> None:
        """Store that a subscription waits, and queue the notice to its owner."""
        ...

    async def go_on(self, subscription_id: str) -> None:
        """Store that a subscription no longer waits."""
        ...

    async def send_due(self, now: datetime, zone: tzinfo) -> int:
        """Queue the cards that are due, each once, and set their next times; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLine:
    """One subscription as the list shows it."""

    line: str
    at: str
    workdays: bool
    weekday: Phrase | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionList(EmptiedList, ListView):
    """The subscriptions of a place, possibly after a change. ``group``: the place is a group; ``elsewhere``: the
    question came from another group, where nothing can be stopped.
    """

    card: ClassVar[str] = "subscriptions"
    command: ClassVar[str] = "subscriptions"
    leads_on: ClassVar[bool] = False

    title: Phrase
    group: bool
    elsewhere: bool = False
    rows: tuple[SubscriptionLine, ...]
    emptied: tuple[WiderList, ...] = ()

    def row_buttons(self) -> Sequence[Button]:
        if self.elsewhere:
            return ()
        stop = (
            Button(
                phrase("Unsubscribe %(line)s", line=row.line), Ask(command_line("unsubscribe", *split(row.line[1:])))
            )
            for row in self.rows
        )
        return [*stop, *self.widening_buttons()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionEnded(View):
    """Tells a place that a subscription has ended, and why."""

    card: ClassVar[str] = "subscription_ended"

    line: str
    reason: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionWaits(View):
    """Says that a group's members, or the owner, may no longer all see an answer, so that it is not sent.

    ``group``: its place is a group. ``refused``: it was never created. ``own`` is the line that subscribes the asker's
    own chat, empty if they may not see the answer either.
    """

    card: ClassVar[str] = "subscription_waits"
    tells_documents: ClassVar[bool] = False

    line: str
    group: bool
    refused: bool
    own: str = ""

    def buttons(self) -> Sequence[Button]:
        return (Button(phrase("To my own chat"), Ask(self.own), Color.BLUE),) if self.own else ()


_ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE_DAYS = "一二三四五六日"
_ON_WEEKDAY = re.compile(
    rf"每(?:个)?(?:周|星期)(?P<chinese>[{_CHINESE_DAYS}天])"
    rf"|(?<![a-z])(?:every |on )?(?P<english>{'|'.join(_ENGLISH_DAYS)})s(?![a-z])"
    rf"|(?<![a-z])every (?P<single>{'|'.join(_ENGLISH_DAYS)})(?![a-z])",
    re.IGNORECASE,
)


def take_weekday(words: str) -> tuple[int | None, str]:
    """Return the day of the week on which something is wanted each week (Monday is 1), and the words without it."""
    found = _ON_WEEKDAY.search(words)
    if found is None:
        return None, words
    if chinese := found["chinese"]:
        number = _CHINESE_DAYS.index(chinese.replace("天", "日"))
    else:
        number = _ENGLISH_DAYS.index((found["english"] or found["single"]).casefold())
    return number + 1, f"{words[: found.start()]} {words[found.end() :]}"


def weekly_line(line: str, weekday: int, at: time, *more: str) -> str:
    """Return the line that subscribes to ``line`` on a weekday (Monday is 1)."""
    return command_line("subscribe", *split(line[1:]), f"{at:%H:%M}", "every", _ENGLISH_DAYS[weekday - 1], *more)


OWN_CHAT = "private"
"""The keyword that sends a line typed in a group to the asker's own chat."""


def own_chat_line(subscription: Subscription) -> str:
    """Return the line that subscribes the asker's own chat to the same answer."""
    if subscription.weekday is not None:
        return weekly_line(subscription.line, subscription.weekday, subscription.at, OWN_CHAT)
    days = () if subscription.workdays else ("daily",)
    return command_line("subscribe", *split(subscription.line[1:]), f"{subscription.at:%H:%M}", *days, OWN_CHAT)


def _asks_about(line: str, books: Books) -> bool:
    words = {word.casefold() for word in split(line)}
    return all(MARK + name.casefold() in words for name in books.names)


def list_view(
    title: Phrase, found: Sequence[Subscription], context: QuestionContext, *, place: Place | None = None
) -> SubscriptionList:
    """Return the list of a place's subscriptions, excluding one to the list itself, for the books it names."""
    found = [each for each in found if _asks_about(each.line, context.books)]
    shown = found[context.offset : context.offset + SubscriptionList.page_size]
    return SubscriptionList(
        title=title,
        group=(place or place_of(context)).kind is PlaceKind.GROUP,
        elsewhere=place not in (None, place_of(context)),
        rows=tuple(
            SubscriptionLine(
                line=each.line,
                at=f"{each.at:%H:%M}",
                workdays=each.workdays,
                weekday=None if each.weekday is None else WEEKDAYS[each.weekday],
                waits=each.waits,
            )
            for each in shown
        ),
        total=len(found),
        offset=context.offset,
        line=command_line("subscriptions"),
    )


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What the commands need: the store, and a preview of read-only lines."""

    store: SubscriptionStore
    handler: QuestionHandler
    audiences: Audiences

    async def preview(self, line: str, context: QuestionContext) -> PreparedAnswer:
        """Return the current answer to a line."""
        return await self.handler.view_for(
            QuestionContext(
                person=context.person,
                conversation=context.conversation,
                line=line,
                now=context.now,
                clicked=context.is_private,
            )
        )

    def is_shown(self, answer: PreparedAnswer, place: Place) -> bool:
        """Return whether an answer may be sent to a place; ``answer`` is what its asker may see."""
        own = cut(answer.view, answer.grant.fields)
        return place.kind is PlaceKind.PERSON or not _is_withheld(self.audiences.share(own, answer, place.id).view)


@dataclass(frozen=True, slots=True)
class SubscriptionComposer(SingleCardComposer):
    """A `bot.outbox.ports.Composer`: the line is answered when the card is sent."""

    store: SubscriptionStore
    _: KW_ONLY
    handler: QuestionHandler
    rights: PresentRights
    audiences: Audiences
    now: Callable[[], datetime]

    async def compose(self, ref: str) -> ComposedCard:
        """Return today's answer, or the notice that the subscription has ended; nothing if it was stopped or waits.

        After a long outage the next day's card is enough.
        """
        subscription_id, queued_at, told = (*ref.split("|"), "", "")[:3]
        found = await self.store.find(subscription_id)
        if found is None:
            return ComposedCard(None, 0)
        if queued_at and self.now() - datetime.fromisoformat(queued_at) > _WORTH_SENDING:
            return ComposedCard(None, 0)
        answer = await self._ask(found)
        if answer.outcome in NO_ANSWER_NOW or answer.view == DeniedNotice(reason=CHANGED):
            raise SendFailed(SendFailureKind.UNCOMPOSED, "there is no answer now")
        in_group = found.place.kind is PlaceKind.GROUP
        language = "" if in_group and not told else self.rights.people.language(found.user_id)
        if found.ended or answer.outcome in _ENDING or isinstance(answer.view, ExternalNotice):
            if not found.ended:
                await self.store.end(found.id)
            return ComposedCard(SubscriptionEnded(line=found.line, reason=_reason(answer)), _ONLY_REVISION, language)
        own = cut(answer.view, answer.grant.fields)
        shown = self.audiences.share(own, answer, found.conversation).view if in_group else own
        is_closed = answer.outcome == QuestionOutcome.DENIED or _is_withheld(shown)
        if told:
            return ComposedCard(_waiting(found, answer) if is_closed else None, _ONLY_REVISION, language)
        if is_closed and not found.waits:
            await self.store.wait(found.id, found.waiting_delivery(self.now()))
        if found.waits and not is_closed:
            await self.store.go_on(found.id)
        return ComposedCard(None if is_closed else shown, _ONLY_REVISION, language)

    async def _ask(self, found: Subscription) -> PreparedAnswer:
        group = found.place.kind is PlaceKind.GROUP
        kind = ConversationKind.GROUP if group else ConversationKind.DIRECT
        context = QuestionContext(
            person=await self.rights.people.identify(found.user_id, name=""),
            conversation=Conversation(found.conversation, kind),
            line=found.line,
            now=self.now(),
        )
        rights = self.rights.note(context)
        answer = await self.handler.view_for(context)
        return await self.rights.find_loss(rights, answer.command) or answer


def _is_withheld(view: View) -> bool:
    return isinstance(view, WithheldNotice)


def _waiting(found: Subscription, answer: PreparedAnswer) -> SubscriptionWaits:
    in_group = found.place.kind is PlaceKind.GROUP
    own = own_chat_line(found) if in_group and answer.outcome != QuestionOutcome.DENIED else ""
    return SubscriptionWaits(line=found.line, group=in_group, refused=False, own=own)


def _reason(answer: PreparedAnswer) -> Phrase:
    if isinstance(answer.view, ExternalNotice):
        return phrase("The subscriber is no longer a member of the organisation.")
    return phrase("It is no list or report: nothing is changed unless somebody types or presses it.")


class SubscriptionClock:
    """Queues due subscriptions while the bot runs; ``owed`` is called when cards were queued."""

    def __init__(self, store: SubscriptionStore, *, now: Callable[[], datetime], owed: Callable[[], None]) -> None:
        self._store = store
        self._now = now
        self._owed = owed

    async def run(self) -> None:
        """Check every few seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOKED_EVERY)

    async def look(self) -> None:
        """Queue what is due now."""
        now = self._now()
        assert now.tzinfo is not None, "the clock gives aware times"
        try:
            if await self._store.send_due(now, now.tzinfo):
                self._owed()
        except DingerpError as error:
            log.warning("subscriptions.not_sent", error=type(error).__name__, detail=error.detail)
