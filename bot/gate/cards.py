"""Cards of requests: in the own chats of those who decide, or are told; each copy follows what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.view import Button, Color, Following, ListView, View
from bot.chat.parsing import command_line
from bot.erp.model import DocumentRef
from bot.gate.facts import GateFact, flat
from bot.gate.request import GateRequest, GateState
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.phrase import Phrase, phrase

GATE_CARD = "gate.request"
"""Kind of the deliveries."""
GATE_SOURCE = "gate"
"""What stands for the source of a request where cards follow documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCard(View):
    """A request as those see it who decide it, or decided it, or are told of it."""

    card: ClassVar[str] = "gate_request"
    leads_on: ClassVar[bool] = False

    id: str
    gate_class: str
    key: str
    owner: str
    action: str
    facts: tuple[GateFact, ...]
    rule: str
    state: GateState
    outcome: str
    reason: Phrase
    note: str
    expires_at: datetime

    def following(self) -> Following:
        return _follow([self.id], Ask(command_line("gate", self.id)))

    def buttons(self) -> Sequence[Button]:
        allow, deny = (Ask(command_line("gate", self.id, word)) for word in ("allow", "deny"))
        if self.state is GateState.PENDING:
            return (Button(phrase("Allow"), allow, Color.BLUE), Button(phrase("Deny"), deny, Color.RED))
        if self.state is GateState.ALLOWED:
            return (Button(phrase("Take back"), deny, Color.RED),)
        return ()


def _follow(ids: Sequence[str], again: Ask) -> Following:
    """Return that a card is drawn again when one of these requests changes."""
    return Following(tuple(DocumentRef(GATE_SOURCE, each) for each in ids), again)


def gate_view(request: GateRequest) -> GateCard:
    """Return the card of a request."""
    return GateCard(
        id=request.id,
        gate_class=request.gate_class,
        key=request.key,
        owner=request.owner_name or request.owner,
        action=request.action,
        facts=flat(request.facts),
        rule=request.rule,
        state=request.state,
        outcome="" if request.outcome is None else request.outcome.value,
        reason=request.reason,
        note=request.note,
        expires_at=request.expires_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A request in a list."""

    id: str
    gate_class: str
    owner: str
    action: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GateList(ListView):
    """The requests that wait for a person, those that end first before the others."""

    card: ClassVar[str] = "gate_list"
    page_size: ClassVar[int] = 6

    rows: tuple[GateRow, ...]

    def following(self) -> Following | None:
        ids = [row.id for row in self.rows]
        return _follow(ids, Ask(self.line, self.offset)) if ids else None

    def row_buttons(self) -> Sequence[Button]:
        return tuple(
            Button(f"{number}. {row.gate_class}", Ask(command_line("gate", row.id)))
            for number, row in enumerate(self.rows, self.first)
        )


def list_view(waiting: Sequence[GateRequest], offset: int, count: int) -> GateList:
    """Return the card of what waits for a person: so many rows of it."""
    rows = (
        GateRow(
            id=each.id,
            gate_class=each.gate_class,
            owner=each.owner_name or each.owner,
            action=each.action,
            expires_at=each.expires_at,
        )
        for each in waiting[offset : offset + count]
    )
    return GateList(rows=tuple(rows), total=len(waiting), offset=offset, line=command_line("gate"))


class GateComposer(SingleCardComposer):
    """Composes the card of a request, which is named by its id."""

    def __init__(self, find: Callable[[str], Awaitable[GateRequest | None]]) -> None:
        self._find = find

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing for a request that is forgotten."""
        found = await self._find(ref)
        return ComposedCard(None, 0) if found is None else ComposedCard(gate_view(found), found.revision)


def gate_cards(request: GateRequest, now: datetime) -> Iterator[Delivery]:
    """Yield the deliveries of a request's newest state: a card for each who is shown it.

    Who let a program through that did not report back gets another one: a change of the first would ring nowhere.
    """
    for user_id in request.shown_to:
        yield _card(request, user_id, now)
    if request.state is GateState.UNCERTAIN:
        for user_id in dict.fromkeys(vote.user_id for vote in request.votes):
            yield _card(request, user_id, now, ":uncertain")


def _card(request: GateRequest, user_id: str, now: datetime, suffix: str = "") -> Delivery:
    return Delivery(
        card=f"{GATE_CARD}:{request.id}:{user_id}{suffix}",
        place=Place(PlaceKind.PERSON, user_id),
        kind=GATE_CARD,
        ref=request.id,
        revision=request.revision,
        urgency=Urgency.NOW,
        due_at=now,
    )
