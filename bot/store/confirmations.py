"""What people are asked to confirm in their own chats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, desc, insert, select, update
from sqlalchemy.engine import Connection

from bot.chat.confirmations import Confirmation, ConfirmationState
from bot.outbox.delivery import Delivery
from bot.store.database import Stored
from bot.store.outbox.queue import enqueue
from bot.store.row_times import from_ms, to_ms
from bot.store.tables import PAGE_CONFIRMATION
from bot.words.phrase import pack_words, unpack_words

_C = PAGE_CONFIRMATION.c
_MOST = 100


class StoredConfirmations(Stored):
    """Implements `bot.chat.confirmations.ConfirmationStore`."""

    async def put(self, confirmation: Confirmation, told: Delivery) -> None:
        row = {
            "id": confirmation.id,
            "user_id": confirmation.user_id,
            "session": confirmation.session,
            "about": confirmation.about,
            "state": confirmation.state.value,
            "asked_ms": to_ms(confirmation.asked_at),
            "words": orjson.dumps([pack_words(confirmation.words), confirmation.device]).decode(),
        }

        def write(connection: Connection) -> None:
            connection.execute(insert(PAGE_CONFIRMATION).values(**row))
            enqueue(connection, told, now=confirmation.asked_at)

        await self._database.run(write)

    async def find(self, asked: str) -> Confirmation | None:
        rows = await self._database.rows(select(PAGE_CONFIRMATION).where(_C.id == asked))
        return _read(rows[0]) if rows else None

    async def since(self, user_id: str, begin: datetime) -> Sequence[Confirmation]:
        query = select(PAGE_CONFIRMATION).where(_C.user_id == user_id, _C.asked_ms >= to_ms(begin))
        return [_read(row) for row in await self._database.rows(query.order_by(desc(_C.asked_ms)).limit(_MOST))]

    async def move(self, confirmation: Confirmation, state: ConfirmationState) -> bool:
        standing = update(PAGE_CONFIRMATION).where(_C.id == confirmation.id, _C.state == confirmation.state.value)
        moving = standing.values(state=state.value)
        return await self._database.run(lambda connection: connection.execute(moving).rowcount == 1)

    async def forget(self, before: datetime) -> None:
        await self._database.execute(delete(PAGE_CONFIRMATION).where(_C.asked_ms < to_ms(before)))


def _read(row: Any) -> Confirmation:
    words, device = orjson.loads(row.words)
    return Confirmation(
        id=row.id,
        user_id=row.user_id,
        session=row.session,
        about=row.about,
        state=ConfirmationState(row.state),
        asked_at=from_ms(row.asked_ms),
        words=unpack_words(words),
        device=device,
    )
