"""Answers that show documents to be decided: they are redrawn when one of the documents changes.

A card is stored with its question. It is redrawn by asking that question for the same person under the current rules,
so it never shows more than its reader may see (`bot.chat.answers.redrawing`).
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
"""The most answers kept up to date per document, the newest: each costs a call."""


class CardReaders(StrEnum):
    """The readers of an answer's card."""

    ASKER = "asker"
    """The asker alone."""
    ALL = "all"
    """Everybody in the conversation."""
    ALL_AND_ASKER = "all_and_asker"
    """Everybody, with private values for the asker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAnswer:
    """The card ``track_id`` in a conversation, which answers a person's ``line`` from ``first_row`` on and shows
    ``documents``.

    ``made_as`` is the card's name at its creation. ``at`` is when it was sent, or last clicked.
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
        """The card's place: a group, or the asker's own chat."""
        if self.conversation.kind is ConversationKind.GROUP:
            return Place(PlaceKind.GROUP, self.conversation.id)
        return Place(PlaceKind.PERSON, self.user_id)


class StandingAnswers(Protocol):
    """Stores them; implemented by `bot.store.chat.standing_answers`. Raises a `DingerpError` when unavailable."""

    async def put(self, answer: StandingAnswer) -> None:
        """Keep an answer up to date from now on, starting with its present content."""
        ...

    async def add(self, track_id: str, documents: Sequence[DocumentRef], at: datetime) -> bool:
        """Let a known card also follow these documents; False for an unknown one."""
        ...

    async def find(self, track_id: str) -> StandingAnswer | None:
        """Return an answer without its documents."""
        ...

    async def stands(self, track_id: str, now: datetime) -> bool:
        """Return whether a card is (still) kept up to date."""
        ...

    async def redraw(self, track_id: str, now: datetime) -> None:
        """Redraw a covered card."""
        ...

    async def uncover(self, track_id: str, since: datetime, until: datetime, now: datetime) -> None:
        """Redraw a card changed after ``since`` and by ``until``: a later answer covers that change."""
        ...

    async def catch_up(
        self, track_id: str, since: datetime, shows: Collection[str], now: datetime, *, undrawn: bool = False
    ) -> None:
        """Redraw a card if one of its documents has changed since, to a state not in ``shows``.

        ``undrawn``: unless it is redrawn anyway, or was meanwhile.
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
    """Keeps answers with open decisions up to date: from their sending, or from a click on.

    A failed write is logged and dropped: no answer waits for the store.

    ``own_values``: people who click on a group's card may get private values on it, as on each card for which
    ``interim`` tells that it was another one first.

    ``drawn`` is called when a card may have been queued.
    """

    answers: StandingAnswers
    _: KW_ONLY
    own_values: bool = False
    interim: Callable[[str], bool] = lambda track_id: False
    drawn: Callable[[], None] = lambda: None

    async def keep(self, answer: StandingAnswer) -> None:
        """Keep the card of an answer about to be sent."""
        await self._stored(self.answers.put(answer), None)

    async def clicked(self, clicked: StandingAnswer, following: Following, *, is_answer: bool) -> None:
        """Keep a card on which a click opened a pending decision.

        ``clicked`` is the card as far as the click tells. If it has a single reader, it follows the opened document
        from now on; a card seen by others too follows its own subject, and the clicker's private view is removed,
        unless its asker has changed its subject for all.
        """
        await self._keep_clicked(clicked, following, is_answer=is_answer)
        if is_answer:
            # A change between the read of a document and this call reached no card of it.
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
        """Return whether a person may have private values on an answer's card, which hide the shared ones."""
        if not self._gives_own_values(track_id):
            return False
        known = await self._stored(self.answers.find(track_id), None)
        return known is None or known.user_id == user_id

    def _gives_own_values(self, track_id: str) -> bool:
        return self.own_values or self.interim(track_id)

    async def conversation_of(self, track_id: str) -> Conversation | None:
        """Return the conversation of an answer's card, None if unknown."""
        known = await self._stored(self.answers.find(track_id), None)
        return None if known is None else known.conversation

    async def stands(self, track_id: str, now: datetime) -> bool:
        """Return whether a card is kept up to date; yes while the store does not answer."""
        return await self._stored(self.answers.stands(track_id, now), True)

    async def redraw(self, track_id: str, now: datetime) -> None:
        """Redraw a covered card."""
        await self._stored(self.answers.redraw(track_id, now), None)
        self.drawn()

    async def uncover(self, track_id: str, since: datetime, until: datetime, now: datetime) -> None:
        """Redraw a card changed while a click on it was being answered."""
        await self._stored(self.answers.uncover(track_id, since, until, now), None)
        self.drawn()

    async def sent(self, track_id: str, following: Following, since: datetime, now: datetime) -> None:
        """Redraw a new card if one of its documents has changed during its answer.

        Such a change finds no card that is kept, or none that exists.
        """
        await self._stored(self.answers.catch_up(track_id, since, following.shows, now, undrawn=True), None)
        self.drawn()

    async def _stored(self, call: Awaitable[T], otherwise: T) -> T:
        try:
            return await call
        except DingerpError as error:
            log.warning("answer.not_kept", error=type(error).__name__, detail=error.detail)
            return otherwise
