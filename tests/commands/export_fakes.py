"""A chat that keeps the files that people get."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.cards.card import Card
from bot.words.errors import DingerpError


@dataclass
class MemoryCourier:
    """Implements `bot.chat.exports.FileCourier`."""

    files: list[tuple[str, str, bytes]] = field(default_factory=list)
    written: list[tuple[str, Card]] = field(default_factory=list)
    trouble: DingerpError | None = None
    gate: asyncio.Event | None = None
    """What a file waits for."""

    async def send_file(self, user_id: str, name: str, content: bytes, *, allow: Callable[[], Awaitable[None]]) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        await allow()
        self.files.append((user_id, name, content))

    async def write(self, user_id: str, card: Card) -> None:
        self.written.append((user_id, card))
