"""People's answers to probe cards."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from bot.chat.answers.card_probes import CardProbe
from bot.store.database import Database, Stored
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.statements import replace_into
from bot.store.tables import CARD_PROBE

_PROBE = RecordCodec(
    CardProbe, IN_MILLISECONDS, names={"track_id": "track", "sent_at": "sent_ms", "looked_at": "looked_ms"}
)


class StoredCardProbes(Stored):
    """Stores answers to probe cards. Raises `bot.store.errors.StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._known: Mapping[str, CardProbe] = {}

    def known(self) -> Mapping[str, CardProbe]:
        return self._known

    async def load(self) -> None:
        rows = await self._database.rows(select(CARD_PROBE))
        self._known = {row.template: _PROBE.read_row(row) for row in rows}

    async def put(self, probe: CardProbe) -> None:
        values = _PROBE.write(probe)
        await self._database.execute(replace_into(CARD_PROBE, self._database.dialect).values(values))
        self._known = {**self._known, probe.template: probe}
