"""The doctor's look at the local index of products: how many, how fresh, and why a source is searched directly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.doctor.finding import Finding, Grade
from bot.erp.errors import Unsupported
from bot.erp.index.finding import oldest
from bot.erp.index.model import VERSION, Position
from bot.errors import DingerpError
from bot.phrase import Phrase, phrase
from bot.settings import Settings
from bot.store.database import Database
from bot.store.product_index import StoredProductIndex


async def look_at_index(settings: Settings) -> list[Finding]:
    """Read how far each source's index is; nothing where it is off, or where the database cannot tell."""
    if not settings.index.enabled:
        return []
    try:
        database = Database(settings.database)
        try:
            store = StoredProductIndex(database, database)
            positions = await store.positions()
            counts = {source: await store.count(source) for source in settings.erp}
        finally:
            await database.close()
    except DingerpError:
        return []  # the look at the database has said why
    longest = oldest(settings.index.seconds)
    return [_finding(source, positions.get(source), counts[source], longest) for source in settings.erp]


def _finding(source: str, position: Position | None, count: int, longest: timedelta) -> Finding:
    what = phrase("Index of “%(source)s”", source=source)
    if position is not None and position.trouble == Unsupported.__name__:
        return Finding(what, Grade.NOTE, phrase("none, since this ERP does not tell which products changed"))
    if position is None or position.synced_at is None or position.version != VERSION:
        words = phrase("not filled yet, %(count)s products so far", count=count)
        return _graded(what, words, position, well=position is None or not position.trouble)
    age = datetime.now(UTC) - position.synced_at
    words = phrase("%(count)s products, %(minutes)s min old", count=count, minutes=age // timedelta(minutes=1))
    return _graded(what, words, position, well=age <= longest)


def _graded(what: Phrase, words: Phrase, position: Position | None, *, well: bool) -> Finding:
    if well:
        return Finding(what, Grade.GOOD, words)
    if position is not None and position.trouble:
        remedy = phrase(
            "The last attempt ended with %(error)s; until it works the ERP is asked.", error=position.trouble
        )
    else:
        remedy = phrase("The running bot brings it up to date; until then the ERP is asked.")
    return Finding(what, Grade.NOTE, words, remedy)
