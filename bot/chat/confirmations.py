"""A second factor for what a browser asks for: its person confirms it by a tap in their own chat with the bot.

A confirmation is bound to the session that asked and to one matter, is good for some minutes, and is spent by what it
was asked for. Whoever took over a browser, or a session, cannot tap in somebody's chat.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.page_sessions import Visitor
from bot.cards.actions import Ask
from bot.cards.view import Button, Color, View
from bot.chat.parsing import command_line
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, phrase

GOOD_FOR = timedelta(minutes=5)
"""From the question on, and again from the tap on."""
MOST_PER_HOUR = 6
"""Cards per person: each costs a call of DingTalk's."""
CONFIRMATION_CARD = "page.confirmation"
"""Kind of the deliveries."""
_ID_BYTES = 9
IN_OWN_CHAT = phrase("Answer this in your own chat with me, by the buttons of the card.")


class ConfirmationState(StrEnum):
    """What has become of a question."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    SPENT = "spent"
    EXPIRED = "expired"
    """Told, never stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One question. ``session`` is the digest of the session that asked, ``about`` the matter."""

    id: str
    user_id: str
    session: str
    about: str
    state: ConfirmationState
    asked_at: datetime
    words: Words
    device: str = ""

    def at(self, now: datetime) -> Confirmation:
        """Return it as it is now: what was not answered, or not spent, in time has expired."""
        longest = GOOD_FOR if self.state is ConfirmationState.ASKED else 2 * GOOD_FOR
        is_open = self.state in {ConfirmationState.ASKED, ConfirmationState.CONFIRMED}
        return replace(self, state=ConfirmationState.EXPIRED) if is_open and now - self.asked_at > longest else self


class ConfirmationStore(Protocol):
    """Keeps them; implemented by `bot.store.confirmations`. Raises a `DingerpError` when the store is away."""

    async def put(self, confirmation: Confirmation, told: Delivery) -> None:
        """Keep a question and queue its card, in one transaction."""
        ...

    async def find(self, asked: str) -> Confirmation | None: ...

    async def since(self, user_id: str, begin: datetime) -> Sequence[Confirmation]:
        """Return what a person was asked, the newest first."""
        ...

    async def move(self, confirmation: Confirmation, state: ConfirmationState) -> bool:
        """Change the state of one that is still in the given state; False if it is in another one by now."""
        ...

    async def forget(self, before: datetime) -> None:
        """Delete what was asked before."""
        ...


class ConfirmationRefused(DingerpError):
    """Nothing is asked or confirmed; ``reason`` says why."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


class Confirmations:
    """Asks people in their own chats, and spends their answers."""

    def __init__(
        self,
        store: ConfirmationStore,
        *,
        end_sessions: Callable[[Collection[str]], Awaitable[object]],
        audit: AuditLog,
        on_enqueued: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """``end_sessions`` logs people out everywhere: whoever denies a question did not ask it."""
        self._store = store
        self._end_sessions = end_sessions
        self._audit = audit
        self._on_enqueued = on_enqueued
        self._now = now

    async def state(self, visitor: Visitor, about: str) -> ConfirmationState | None:
        """Return what has become of this session's newest question about a matter; None if there is none."""
        found = await self._newest(visitor, about)
        return None if found is None else found.state

    async def ask(self, visitor: Visitor, about: str, words: Words) -> None:
        """Send a card to the person's own chat, unless one stands there already. Raises `ConfirmationRefused`."""
        found, now = await self._newest(visitor, about), self._now()
        if found is not None and found.state in {ConfirmationState.ASKED, ConfirmationState.CONFIRMED}:
            return
        user_id = visitor.session.user_id
        if len(await self._store.since(user_id, now - timedelta(hours=1))) >= MOST_PER_HOUR:
            raise ConfirmationRefused(phrase("You were asked too often within the last hour. Please try again later."))
        asked = Confirmation(
            id=secrets.token_hex(_ID_BYTES),
            user_id=user_id,
            session=visitor.session.digest,
            about=about,
            state=ConfirmationState.ASKED,
            asked_at=now,
            words=words,
            device=visitor.session.device,
        )
        await self._store.forget(now - timedelta(days=1))
        await self._store.put(asked, _card(asked, now))
        self._on_enqueued()

    async def spend(self, visitor: Visitor, about: str) -> bool:
        """Return whether this session may do what was confirmed, once."""
        found = await self._newest(visitor, about)
        if found is None or found.state is not ConfirmationState.CONFIRMED:
            return False
        return await self._store.move(found, ConfirmationState.SPENT)

    async def answer(self, asked: str, user_id: str, *, confirms: bool) -> Confirmation:
        """Take a tap, and return what has become of the question. Raises `ConfirmationRefused` for anybody else's."""
        kept = await self._store.find(asked)
        if kept is None or kept.user_id != user_id:
            raise ConfirmationRefused(phrase("There is no such question to you."))
        found = kept.at(self._now())
        if found.state is not ConfirmationState.ASKED:
            return found
        state = ConfirmationState.CONFIRMED if confirms else ConfirmationState.DENIED
        if not await self._store.move(found, state):
            return await self.answer(asked, user_id, confirms=confirms)
        entry = AuditEntry(
            kind=AuditKind.LOGIN,
            at=self._now(),
            actor=user_id,
            action="confirm",
            outcome=state,
            detail=str(found.words),
        )
        self._audit.record(entry)
        if not confirms:
            await self._end_sessions((user_id,))
        return replace(found, state=state)

    async def _newest(self, visitor: Visitor, about: str) -> Confirmation | None:
        now = self._now()
        recent = await self._store.since(visitor.session.user_id, now - 3 * GOOD_FOR)
        own = (each for each in recent if (each.session, each.about) == (visitor.session.digest, about))
        return next((each.at(now) for each in own), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationRequest(View):
    """A question in somebody's own chat: whether it is them who ask for something in a browser."""

    card: ClassVar[str] = "confirmation"

    id: str
    words: Words
    device: str
    state: ConfirmationState
    minutes: int

    def buttons(self) -> Sequence[Button]:
        if self.state is not ConfirmationState.ASKED:
            return ()
        yes, no = (command_line("confirm", self.id, word) for word in ("yes", "no"))
        return (Button(phrase("Yes, confirm"), Ask(yes), Color.BLUE), Button(phrase("No, not me"), Ask(no), Color.RED))


def confirmation_view(found: Confirmation) -> ConfirmationRequest:
    """Return a question as its person sees it."""
    return ConfirmationRequest(
        id=found.id,
        words=found.words,
        device=found.device,
        state=found.state,
        minutes=int(GOOD_FOR.total_seconds() // 60),
    )


class ConfirmationComposer(SingleCardComposer):
    """Composes the card of a question; cards are named by its id."""

    def __init__(self, store: ConfirmationStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def compose(self, ref: str) -> ComposedCard:
        """Return the card; nothing for one forgotten meanwhile."""
        found = await self._store.find(ref)
        return ComposedCard(None, 0) if found is None else ComposedCard(confirmation_view(found.at(self._now())), 1)


def _card(asked: Confirmation, now: datetime) -> Delivery:
    return Delivery(
        card=f"{CONFIRMATION_CARD}:{asked.id}",
        place=Place(PlaceKind.PERSON, asked.user_id),
        kind=CONFIRMATION_CARD,
        ref=asked.id,
        revision=1,
        urgency=Urgency.NOW,
        due_at=now,
    )
