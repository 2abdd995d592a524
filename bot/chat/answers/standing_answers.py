"""Answers in a chat that show documents to be decided: they are drawn again when one of the documents changes.

A card is remembered with its question. It is drawn again by asking that question for the same person by the rules of
that moment, so it never shows more than its reader may see (`bot.chat.answers.redrawing`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

import structlog

from bot.cards.view import Following
from bot.chat.message import Conversation, ConversationKind
from bot.erp.model import DocumentRef
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

T = TypeVar("T")

ANSWER_KIND = "answer"
"""The kind of their deliveries (`bot.outbox.delivery.Delivery`)."""

_KEY = "answer:"

MAX_AGE = timedelta(days=1)
"""How long an answer is kept up to date."""

MAX_FOR_DOCUMENT = 20
"""The most answers that are kept up to date for one document, the newest: each costs a call."""


class CardReaders(StrEnum):
    """Who sees the card of an answer."""

    ASKER = "asker"
    """Who asked, alone."""
    ALL = "all"
    """Everybody in the conversation."""
    ALL_AND_ASKER = "all_and_asker"
    """Everybody, and who asked sees values of their own on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAnswer:
    """The card ``track_id`` in a conversation, which answers ``line`` of a person from ``first_row`` on and shows
    ``documents``.

    ``made_as`` is the name of the card that it was created as. ``at`` is when it was sent, or clicked last.
    """

    track_id: str
    conversation: Conversation
    user_id: str
    line: str
    first_row: int = 0
    readers: CardReaders
    made_as: str
    at: datetime
    documents: Sequence[DocumentRef] = ()
    revision: int = 1
    """Grows with every change of one of its documents."""

    @property
    def place(self) -> Place:
        """Where the card stands: a group, or the asker's own chat."""
        if self.conversation.kind is ConversationKind.GROUP:
            return Place(PlaceKind.GROUP, self.conversation.id)
        return Place(PlaceKind.PERSON, self.user_id)


class StandingAnswers(Protocol):
    """Remembers them; implemented by `bot.store.chat.standing_answers`. Raises a `DingerpError` while away."""

    async def put(self, answer: StandingAnswer) -> None:
        """Keep an answer up to date from now on, with what it shows now."""
        ...

    async def add(self, track_id: str, documents: Sequence[DocumentRef], at: datetime) -> bool:
        """Let a card that is known also follow these documents; False for an unknown one."""
        ...

    async def find(self, track_id: str) -> StandingAnswer | None:
        """Return an answer without its documents."""
        ...

    async def stands(self, track_id: str, now: datetime) -> bool:
        """Return whether a card is kept up to date (still)."""
        ...

    async def redraw(self, track_id: str, now: datetime) -> None:
        """Have a card drawn again that something else covers."""
        ...

    async def uncover(self, track_id: str, since: datetime, until: datetime, now: datetime) -> None:
        """Have a card drawn again if it was changed after ``since`` and by ``until``: what came later covers that."""
        ...

    async def catch_up(
        self, track_id: str, since: datetime, shows: Collection[str], now: datetime, *, undrawn: bool = False
    ) -> None:
        """Have a card drawn again of whose documents one has changed since, and is in none of the states ``shows``.

        ``undrawn``: unless it is drawn again anyway, or was meanwhile.
        """
        ...


def answer_card_key(track_id: str) -> str:
    """Return the key of an answer's card in the outbox."""
    return f"{_KEY}{track_id}"


def track_of_answer(card_key: str) -> str | None:
    """Return the DingTalk id of an answer's card, None for the key of another card."""
    return card_key.removeprefix(_KEY) if card_key.startswith(_KEY) else None


@dataclass(frozen=True, slots=True)
class AnswerKeeper:
    """Keeps answers that show something to be decided up to date: from when they are sent, or from a click.

    What cannot be stored is logged and dropped: no answer waits for the store.

    ``own_values``: people who click on a group's card may get values of their own on it, as they may on each of
    which ``interim`` says that it was another card before it was an answer.

    ``drawn`` is called when a card may be owed.
    """

    answers: StandingAnswers
    _: KW_ONLY
    own_values: bool = False
    interim: Callable[[str], bool] = lambda track_id: False
    drawn: Callable[[], None] = lambda: None

    async def keep(self, answer: StandingAnswer) -> None:
        """Keep the card of an answer that is about to be sent."""
        await self._stored(self.answers.put(answer), None)

    async def clicked(self, clicked: StandingAnswer, following: Following, *, is_answer: bool) -> None:
        """Keep a card on which a click led to something that may be decided.

        ``clicked`` is the card as far as the click tells. Where its reader is alone, it follows from now on what they
        clicked on to; where others see it too, it follows its own subject, and the clicker's private view is removed,
        unless its asker has made it another subject for all.
        """
        await self._keep_clicked(clicked, following, is_answer=is_answer)
        if is_answer:
            # What changed between the look at a document and this followed no card of it.
            await self._stored(self.answers.catch_up(clicked.track_id, clicked.at, following.shows, clicked.at), None)

    async def _keep_clicked(self, clicked: StandingAnswer, following: Following, *, is_answer: bool) -> None:
        known = await self._stored(self.answers.find(clicked.track_id), None) if is_answer else None
        is_askers = known is not None and known.user_id == clicked.user_id
        if is_answer and ((known or clicked).readers is CardReaders.ASKER or (following.takes_over and is_askers)):
            card = replace(
                known or clicked,
                line=following.again.line,
                first_row=following.again.offset,
                documents=following.documents,
                at=clicked.at,
            )
            await self._stored(self.answers.put(card), None)
            return
        added = await self._stored(self.answers.add(clicked.track_id, following.documents, clicked.at), True)
        if not added and is_answer:
            readers = CardReaders.ALL_AND_ASKER if self._gives_own_values(clicked.track_id) else CardReaders.ALL
            card = replace(clicked, documents=following.documents, readers=readers)
            await self._stored(self.answers.put(card), None)

    async def has_own_values(self, track_id: str, user_id: str) -> bool:
        """Return whether a person may have values of their own on an answer's card, which hide what others see."""
        if not self._gives_own_values(track_id):
            return False
        known = await self._stored(self.answers.find(track_id), None)
        return known is None or known.user_id == user_id

    def _gives_own_values(self, track_id: str) -> bool:
        return self.own_values or self.interim(track_id)

    async def conversation_of(self, track_id: str) -> Conversation | None:
        """Return where the card of an answer stands, None where that is not known."""
        known = await self._stored(self.answers.find(track_id), None)
        return None if known is None else known.conversation

    async def stands(self, track_id: str, now: datetime) -> bool:
        """Return whether a card is kept up to date; yes while the store cannot say."""
        return await self._stored(self.answers.stands(track_id, now), True)

    async def redraw(self, track_id: str, now: datetime) -> None:
        """Have a card drawn again that something else covers."""
        await self._stored(self.answers.redraw(track_id, now), None)
        self.drawn()

    async def uncover(self, track_id: str, since: datetime, until: datetime, now: datetime) -> None:
        """Have a card drawn again that was changed while a click on it was being answered."""
        await self._stored(self.answers.uncover(track_id, since, until, now), None)
        self.drawn()

    async def sent(self, track_id: str, following: Following, since: datetime, now: datetime) -> None:
        """Have a new card drawn again if one of its documents has changed while the answer was found and sent.

        Such a change finds no card that is kept, or none that stands.
        """
        await self._stored(self.answers.catch_up(track_id, since, following.shows, now, undrawn=True), None)
        self.drawn()

    async def _stored(self, call: Awaitable[T], otherwise: T) -> T:
        try:
            return await call
        except DingerpError as error:
            log.warning("answer.not_kept", error=type(error).__name__, detail=error.detail)
            return otherwise
