"""What changes in a table so that it shows a list."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sheets.changes import own_records, plan_changes
from bot.sheets.records import TableRecord
from bot.sheets.sheet import WantedRow, key_text, number_of
from tests.rows import each_row

KEY = "Row key"


def row(key: str, **cells: str) -> WantedRow:
    return WantedRow(key, key, {KEY: key, **cells})


def record(name: str, key: str = "", **cells: str) -> TableRecord:
    return TableRecord(name, {**({KEY: key} if key else {}), **cells})


def planned(
    wanted: list[WantedRow], there: list[TableRecord], known: Mapping[str, str] | None = None, *, keep: bool = False
) -> tuple[list[str], dict[str, dict[str, str]], list[str]]:
    changes = plan_changes(wanted, there, own_records(there, known or {}, KEY), keep_others=keep)
    updates = {each.id: dict(each.cells) for each in changes.updates}
    return [each.key for each in changes.inserts], updates, [*changes.deletes]


A, B = row("A", Due="1", State="open"), row("B", Due="2", State="")
A_THERE, B_THERE = record("r1", "A", Due="1", State="open"), record("r2", "B", Due="2")


@each_row(
    "wanted, there, known, inserts, updates, deletes",
    [
        ([A, B], [], {}, ["A", "B"], {}, []),
        ([A, B], [A_THERE, B_THERE], {}, [], {}, []),
        # Only the cells that differ are sent; an empty cell is missing from what is read.
        ([A, B], [record("r1", "A", Due="9", State="open"), B_THERE], {}, [], {"r1": {"Due": "1"}}, []),
        ([A], [A_THERE, B_THERE], {}, [], {}, ["r2"]),
        # People's own rows stay, whatever stands in them.
        ([A], [A_THERE, record("r9", Due="1", Note="mine")], {}, [], {}, []),
        # A copy of a row has its key as well: the first stays.
        ([A], [A_THERE, record("r3", "A", Due="1", State="open")], {}, [], {}, ["r3"]),
        # Whoever empties or changes the key of a row makes it no other row.
        ([A], [record("r1", Due="1", State="open")], {"r1": "A"}, [], {"r1": {KEY: "A"}}, []),
        ([A], [record("r1", "B", Due="1", State="open")], {"r1": "A"}, [], {"r1": {KEY: "A"}}, []),
        ([], [record("r1", Due="1")], {"r1": "A"}, [], {}, ["r1"]),
        # What was inserted while nobody could note it is found by its key.
        ([A], [A_THERE], {"gone": "A"}, [], {}, []),
        # A row whose record was deleted by hand comes again.
        ([A], [], {"r1": "A"}, ["A"], {}, []),
    ],
)
def test_only_what_differs_is_changed(
    wanted: list[WantedRow],
    there: list[TableRecord],
    known: dict[str, str],
    inserts: list[str],
    updates: dict[str, dict[str, str]],
    deletes: list[str],
) -> None:
    assert planned(wanted, there, known) == (inserts, updates, deletes)


def test_a_list_that_is_not_whole_takes_no_row_away() -> None:
    assert planned([A], [A_THERE, B_THERE], keep=True) == ([], {}, [])


def test_a_plan_done_leaves_nothing_to_do() -> None:
    there = [record("r1", "A", Due="9"), record("r2", "C")]
    changes = plan_changes([A, B], there, own_records(there, {}, KEY), keep_others=False)
    assert changes
    done = [TableRecord(each.id, {**each.cells}) for each in there if each.id not in changes.deletes]
    done = [TableRecord("r1", {**done[0].cells, **changes.updates[0].cells}), TableRecord("r3", B.cells)]
    again = plan_changes([A, B], done, own_records(done, {}, KEY), keep_others=False)
    assert not again
    assert again.records == {"r1": "A", "r3": "B"}


@each_row(
    "key, text, number",
    [
        ("erp\0SO-1001", "erp · SO-1001", "SO-1001"),
        ("erp\0North\0SO 1", "erp · North · SO 1", "SO 1"),
        ("7", "7", ""),
    ],
)
def test_keys_can_be_read(key: str, text: str, number: str) -> None:
    assert (key_text(key), number_of(key_text(key))) == (text, number)
