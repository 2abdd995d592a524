"""The way back to the person who asked: a port that `bot.dingtalk.answers` implements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from bot.cards.card import Card
from bot.chat.message import Message
from bot.errors import DingerpError


class Via(StrEnum):
    """How an answer reached the conversation."""

    CARD = "card"
    MARKDOWN = "markdown"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer that stands in the conversation."""

    via: Via


class Unconfirmed(DingerpError):
    """Nobody knows whether the card stands. The same card may be tried again; a text might be a second answer."""

    retry: ClassVar[bool] = True


class AnswerChannel(Protocol):
    """Sends answers; each attempt is bounded in time."""

    async def answer(
        self,
        message: Message,
        card: Card,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> Sent:
        """Make the card appear where ``message`` was written.

        The same ``track_id`` never gives a second card, so a card may be retried. A fallback text has no such
        identity: ``before_fallback`` is awaited before one is sent, so that the caller can note that it must not be
        tried again after a crash, or forbid it by raising. Raises `Unconfirmed` when the card may stand, and another
        `bot.errors.DingerpError` when nothing could be sent; if its ``retry`` is set, nothing certainly stands.
        """
        ...
