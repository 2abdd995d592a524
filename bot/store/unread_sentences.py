"""Sentences that were not understood, with counts: never who asked them, and no text before many have asked the same.

Until then a keyed digest stands for the sentence. Whoever asks it as the last of so many brings its text along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.engine import Connection

from bot.efficiency.folding import LEAST
from bot.efficiency.questions import UnreadSentence
from bot.store.database import Database, Stored
from bot.store.sealed_columns import keys_in_use
from bot.store.statements import insert_into
from bot.store.tables import UNREAD_SENTENCE

_MOST_WAITING = 10_000
"""Sentences that wait for a database that is away; further ones are not counted."""
_U = UNREAD_SENTENCE.c


class _Asked(NamedTuple):
    form: str
    user_id: str
    week: str


class StoredUnreadSentences(Stored):
    """Counts sentences, in batches and never while somebody waits."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._waiting = Counter[_Asked]()

    def note(self, form: str, user_id: str, day: date) -> None:
        """Count with the next `flush` that a person asked a sentence of this general form."""
        if len(self._waiting) < _MOST_WAITING:
            monday = day - timedelta(days=day.weekday())
            self._waiting[_Asked(form, user_id, monday.isoformat())] += 1

    async def flush(self) -> None:
        """Write what waits; raises `StoreUnavailable`, and then it waits on."""
        noted = Counter(self._waiting)
        if noted:
            await self._database.run(partial(_count, noted))
            self._waiting -= noted

    async def prune(self, until: date) -> None:
        """Delete the weeks that began on a day or before."""
        await self._database.execute(delete(UNREAD_SENTENCE).where(_U.week <= until.isoformat()))

    async def all(self) -> Sequence[UnreadSentence]:
        """Return those that many have asked, the most frequent first."""
        return await self._database.read(read_unread_sentences)


def read_unread_sentences(connection: Connection, *wanted: ColumnElement[bool]) -> Sequence[UnreadSentence]:
    """Return the sentences that many have asked in the ``wanted`` weeks, the most frequent first."""
    counted = (
        func.max(_U.text).label("text"),
        func.sum(_U.number).label("number"),
        func.count(_U.asker.distinct()).label("people"),
        func.count(_U.week.distinct()).label("weeks"),
    )
    query = select(*counted).where(*wanted).group_by(_U.form).having(func.max(_U.text) != "")
    found = [
        UnreadSentence(text=row.text, number=int(row.number), people=row.people, weeks=row.weeks)
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda each: (-each.number, -each.people, each.text))


def asker_digests(connection: Connection, user_id: str) -> Sequence[str]:
    """Return what a person may be called in the column ``asker``, one for each sentence."""
    return [_digest(user_id, form) for form in connection.scalars(select(_U.form).distinct())]


def _count(noted: Mapping[_Asked, int], connection: Connection) -> None:
    insert = insert_into(UNREAD_SENTENCE, connection.dialect.name)
    counted = insert.on_conflict_do_update(
        index_elements=[column.name for column in UNREAD_SENTENCE.primary_key],
        set_={"number": _U.number + insert.excluded.number, "text": insert.excluded.text},
    )
    for asked, number in noted.items():
        form = _digest(asked.form)
        asker = _digest(asked.user_id, form)
        others = select(func.count(_U.asker.distinct())).where(_U.form == form, _U.asker != asker)
        text = asked.form if (connection.scalar(others) or 0) >= LEAST else ""
        row = {"form": form, "week": asked.week, "asker": asker, "number": number, "text": text}
        connection.execute(counted, row)


def _digest(text: str, form: str = "") -> str:
    """Return a digest that nobody can make without the keys of the database, and nobody can open with them."""
    sealed = keys_in_use().ring.seal_same(f"{form}\n{text}", UNREAD_SENTENCE.name)
    return sha256(sealed.encode()).hexdigest()[:32]
