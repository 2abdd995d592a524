"""What has to change in a table so that it shows a list: only what differs, found by the keys of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.sheets.records import CellsOf, TableRecord
from bot.sheets.sheet import WantedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetChanges:
    """The changes; ``records`` are the bot's own records that stay, each with the key of its row."""

    inserts: tuple[WantedRow, ...]
    updates: tuple[CellsOf, ...]
    deletes: tuple[str, ...]
    records: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.deletes)


def own_records(there: Sequence[TableRecord], known: Mapping[str, str], key_column: str) -> dict[str, str]:
    """Return the bot's records among those of a table, each with the key of its row.

    A record is the bot's if it made it, or if its key is filled: that finds what was inserted while nobody could note
    it. All others are rows of people's own, and stay as they are.
    """
    own = {}
    for record in there:
        key = known.get(record.id) or record.cells.get(key_column, "")
        if key:
            own[record.id] = key
    return own


def plan_changes(
    wanted: Sequence[WantedRow], there: Sequence[TableRecord], own: Mapping[str, str], *, keep_others: bool
) -> SheetChanges:
    """Return what makes the bot's ``own`` records show the ``wanted`` rows.

    Of two records with one key the first stays. With ``keep_others`` rows stay that are not wanted, for a list that is
    not whole.
    """
    rows = {row.key: row for row in wanted}
    kept: dict[str, str] = {}
    taken: set[str] = set()
    updates, deletes = [], []
    for record in there:
        key = own.get(record.id)
        if key is None:
            continue
        row = rows.get(key)
        if key in taken or (row is None and not keep_others):
            deletes.append(record.id)
            continue
        taken.add(key)
        kept[record.id] = key
        if row is not None and (cells := _differing(row.cells, record.cells)):
            updates.append(CellsOf(record.id, cells))
    inserts = tuple(row for row in rows.values() if row.key not in taken)
    return SheetChanges(inserts=inserts, updates=tuple(updates), deletes=tuple(deletes), records=kept)


def _differing(wanted: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in wanted.items() if there.get(name, "") != text}
