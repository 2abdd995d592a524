"""The reader's ports: the model's endpoint, and the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.erp.errors import ErpError, Unavailable
from bot.understanding.language_model.request import ModelRequest


class PassingFailure(Unavailable):
    """No connection, a broken one, or an internal error of the endpoint: an immediate retry may succeed."""


class BadReply(ErpError):
    """The endpoint's answer breaks the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A model's text, and the tokens it cost."""

    text: str
    prompt_tokens: int = 0
    answer_tokens: int = 0


class ModelEndpoint(Protocol):
    """A language model's endpoint."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask once. Raises `Unavailable`, `PassingFailure`, `AuthFailed` or `BadReply`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """The use of a model: calls, and the tokens of questions and answers."""

    calls: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0


class ModelUseStore(Protocol):
    """Counts the use of a month; several processes add to the same month. Raises a `bot.words.errors.DingerpError`."""

    async def add(self, month: str, use: ModelUse) -> ModelUse:
        """Add to the use in ``month`` (as ``2026-11``) and return the total."""
        ...
