"""/outbox: the cards that are owed to groups and persons, the steps of one, and those that were given up anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.cards.actions import Ask
from bot.cards.tables import Table
from bot.cards.view import Button, Color, ListView, View
from bot.chat.arguments import Keyword, Word
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.operations import Operations
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.chat.view_parts import table_of_lines
from bot.outbox.delivery import DeliveryRecord, DeliveryState, DeliveryStep, DeliveryStepKind
from bot.outbox.place import Place, PlaceKind
from bot.words.columns import Column
from bot.words.phrase import Phrase, phrase

NEWEST = 200
"""Deliveries that are looked at; `dingerp deliveries search` finds all."""
REPLAY = "replay"
"""What begins a delivery anew, as it is typed and as the audit log names it."""


class CardRef(Word):
    """A card as the outbox names it, or an event as ``source/id``."""

    placeholder = phrase("card or event")


class OutboxState(Keyword, changes=False):
    """Which deliveries are listed."""

    DEAD = phrase("dead"), "given up", "失败", "放弃的"
    QUEUED = phrase("queued"), "待发", "排队"
    DONE = phrase("sent"), "done", "已发"
    FOLDED = phrase("folded"), "合并"


class OutboxOperation(Keyword):
    """What is done to a delivery that was given up; alone, to all of them."""

    REPLAY = phrase("replay"), "again", "重发"


STATES: Mapping[DeliveryState, Phrase] = MappingProxyType(
    {
        DeliveryState.QUEUED: phrase("waits to be sent"),
        DeliveryState.DONE: phrase("sent"),
        DeliveryState.FOLDED: phrase("went into another card"),
        DeliveryState.DEAD: phrase("given up"),
    }
)
_STEPS: Mapping[DeliveryStepKind, Phrase] = MappingProxyType(
    {
        DeliveryStepKind.QUEUED: phrase("queued"),
        DeliveryStepKind.SENT: phrase("card created"),
        DeliveryStepKind.UPDATED: phrase("card updated"),
        DeliveryStepKind.WRITTEN: phrase("sent as a message"),
        DeliveryStepKind.KEPT: phrase("nothing to change"),
        DeliveryStepKind.NOTHING: phrase("nothing left to show"),
        DeliveryStepKind.RETRIED: phrase("failed, to be tried again"),
        DeliveryStepKind.NO_CARD: phrase("no card can be shown there, a message follows"),
        DeliveryStepKind.GONE: phrase("the card was gone and is made again"),
        DeliveryStepKind.FOLDED: phrase("went into another card"),
        DeliveryStepKind.SEPARATED: phrase("each place gets a card of its own"),
        DeliveryStepKind.DEAD: phrase("given up"),
        DeliveryStepKind.REPLAYED: phrase("begun anew"),
        DeliveryStepKind.CLICKED: phrase("somebody tapped"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedCard:
    """One delivery; ``place`` is a name where it is known."""

    card: str
    place: str
    kind: str
    state: Phrase
    is_dead: bool
    reason: str
    tries: int
    changed_at: datetime


_COLUMNS = (
    Column(phrase("Card"), "card"),
    Column(phrase("Place"), "place"),
    Column(phrase("State"), "state"),
    Column(phrase("Reason"), "reason"),
    Column(phrase("Tries"), "tries"),
    Column(phrase("Changed"), "changed_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxList(ListView):
    """Deliveries, the last changed first; ``more``: there are others that were not looked at."""

    card: ClassVar[str] = "outbox_list"
    page_size: ClassVar[int] = 6
    tabled: ClassVar[bool] = True

    rows: tuple[OwedCard, ...]
    dead: int
    more: bool = False

    def row_lines(self) -> Sequence[str]:
        return [command_line("outbox", row.card) for row in self.rows]

    def row_buttons(self) -> Sequence[Button]:
        return [Button(row.place, Ask(command_line("outbox", row.card))) for row in self.rows if row.is_dead]

    def buttons(self) -> Sequence[Button]:
        return (*ListView.buttons(self), *([_replay_all()] if self.dead else ()))

    def table(self) -> Table:
        return table_of_lines(_COLUMNS, self, more=self.more)


def _replay_all() -> Button:
    return Button(phrase("Send all again"), Ask(command_line("outbox", OutboxOperation.REPLAY)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStepRow:
    """One step of a delivery."""

    at: datetime
    what: Phrase
    late_minutes: int | None
    detail: str


_STEP_COLUMNS = (
    Column(phrase("Time"), "at"),
    Column(phrase("Action"), "what"),
    Column(phrase("Minutes late"), "late_minutes"),
    Column(phrase("Details"), "detail"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCard(ListView):
    """One delivery with its steps, the oldest first. ``begun``: it was begun anew just now."""

    card: ClassVar[str] = "outbox_card"
    page_size: ClassVar[int] = 8
    tabled: ClassVar[bool] = True
    opens_rows: ClassVar[bool] = False

    rows: tuple[OutboxStepRow, ...]
    delivery: OwedCard
    begun: bool = False

    def buttons(self) -> Sequence[Button]:
        line = command_line("outbox", self.delivery.card, OutboxOperation.REPLAY)
        again = [Button(phrase("Send again"), Ask(line), Color.BLUE)] if self.delivery.is_dead else []
        return (*again, *ListView.buttons(self), Button(phrase("Cards given up"), Ask("/outbox dead")))

    def table(self) -> Table:
        return table_of_lines(_STEP_COLUMNS, self)


@command(
    "outbox",
    aliases=("发件箱", "待发卡片", "fjx"),
    examples=("/outbox", "/outbox dead", "/发件箱 失败"),
    shows=(),
    changes=False,
    summary=phrase("Cards that are owed, and those that were given up: look, and send again"),
    place=89,
    personal=True,
    reserved=True,
)
async def outbox(
    word: CardRef | None = None,
    *,
    state: OutboxState | None = None,
    operation: OutboxOperation | None = None,
    operations: Operations,
    colleagues: Colleagues,
    audit: AuditLog,
    context: QuestionContext,
) -> View:
    """Show deliveries or one of them, or begin those anew that were given up."""
    if operation is None:
        return (
            await _one(word, operations, colleagues, context)
            if word
            else await _list(state, operations, colleagues, context)
        )
    if state is not None:
        raise BadArgument(phrase("Name one card, or none: then all that were given up are sent again."))
    if word and not await operations.deliveries.search(card=word):
        raise NothingFound(word)
    begun = await operations.deliveries.replay(context.now, [word] if word else None)
    _record(audit, begun, context)
    if begun:
        operations.owed()
    if word:
        return await _one(word, operations, colleagues, context, begun=bool(begun))
    return await _list(OutboxState.DEAD if not begun else OutboxState.QUEUED, operations, colleagues, context)


def _record(audit: AuditLog, cards: Collection[str], context: QuestionContext) -> None:
    for card in cards:
        entry = AuditEntry(
            kind=AuditKind.OPERATOR,
            at=context.now,
            actor=context.person.user_id or "",
            action=f"deliveries {REPLAY}",
            conversation=context.conversation.id,
            detail=card,
        )
        audit.record(entry)


async def _list(
    state: OutboxState | None, operations: Operations, colleagues: Colleagues, context: QuestionContext
) -> View:
    wanted = DeliveryState[state.name] if state else None
    found = await operations.deliveries.search(state=wanted, limit=NEWEST)
    page = found[context.offset : context.offset + (context.rows or OutboxList.page_size)]
    return OutboxList(
        rows=await _rows(page, operations, colleagues),
        total=len(found),
        offset=context.offset,
        line=command_line("outbox", state or ""),
        dead=sum(each.state is DeliveryState.DEAD for each in found),
        more=len(found) == NEWEST,
    )


async def _one(
    word: str, operations: Operations, colleagues: Colleagues, context: QuestionContext, *, begun: bool = False
) -> View:
    found = await operations.deliveries.search(card=word)
    if not found:
        return await _caused_by(word, operations, colleagues, context)
    steps = await operations.deliveries.steps_of(word)
    (delivery,) = await _rows(found[:1], operations, colleagues)
    page = steps[context.offset : context.offset + (context.rows or OutboxCard.page_size)]
    return OutboxCard(
        rows=tuple(map(_step, page)),
        total=len(steps),
        offset=context.offset,
        line=command_line("outbox", word),
        delivery=delivery,
        begun=begun,
    )


async def _caused_by(fact: str, operations: Operations, colleagues: Colleagues, context: QuestionContext) -> View:
    """Return the cards that were queued for an event. Raises `NothingFound` for what is none."""
    cards = await operations.deliveries.caused_by(fact)
    if not cards:
        raise NothingFound(fact)
    page = cards[context.offset : context.offset + (context.rows or OutboxList.page_size)]
    found = [each for card in page for each in await operations.deliveries.search(card=card)]
    return OutboxList(
        rows=await _rows(found, operations, colleagues),
        total=len(cards),
        offset=context.offset,
        line=command_line("outbox", fact),
        dead=0,
    )


async def _rows(
    found: Sequence[DeliveryRecord], operations: Operations, colleagues: Colleagues
) -> tuple[OwedCard, ...]:
    people = await colleagues.lookup(
        tuple(dict.fromkeys(each.place.id for each in found if each.place.kind is PlaceKind.PERSON))
    )
    names = {person.user_id or "": person.name for person in people}
    return tuple(
        OwedCard(
            card=each.card,
            place=_name(each.place, names, operations),
            kind=each.kind,
            state=STATES[each.state],
            is_dead=each.state is DeliveryState.DEAD,
            reason=each.reason,
            tries=each.tries,
            changed_at=each.changed_at,
        )
        for each in found
    )


def _name(place: Place, names: Mapping[str, str], operations: Operations) -> str:
    known = names.get(place.id) if place.kind is PlaceKind.PERSON else operations.group_name(place.id)
    return known or str(place)


def _step(step: DeliveryStep) -> OutboxStepRow:
    late = step.late // timedelta(minutes=1)
    return OutboxStepRow(at=step.at, what=_STEPS[step.what], late_minutes=late or None, detail=step.detail)
