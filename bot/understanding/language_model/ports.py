"""What the reader needs of a model's endpoint and of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.erp.errors import ErpError, Unavailable
from bot.understanding.language_model.request import ModelRequest


class PassingFailure(Unavailable):
    """No connection, or one that broke, or an error of the endpoint itself: asked at once again, it may answer."""


class BadReply(ErpError):
    """The endpoint answers, but not as agreed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What a model wrote, and the tokens that this cost."""

    text: str
    prompt_tokens: int = 0
    answer_tokens: int = 0


class ModelEndpoint(Protocol):
    """Where a model is asked."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask once. Raises `Unavailable`, `PassingFailure`, `AuthFailed` or `BadReply`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """What was asked of a model: calls, and the tokens of questions and answers."""

    calls: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0


class ModelUseStore(Protocol):
    """Counts the use of a month; several processes add to the same month. Raises a `bot.words.errors.DingerpError`."""

    async def add(self, month: str, use: ModelUse) -> ModelUse:
        """Add to what was used in ``month`` (as ``2026-11``) and return all of it."""
        ...
