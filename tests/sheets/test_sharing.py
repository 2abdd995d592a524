"""One table kept as its list: what is written, what is left, and what becomes of edits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.access.audit import AuditKind
from bot.sheets.sheet import EditRefused
from bot.words.phrase import phrase
from tests.sheets.conftest import DECISION, KEY, RECORDS, STATUS, SheetHarness


async def test_the_first_round_makes_columns_and_rows(kept: SheetHarness) -> None:
    kept.wants("PO-1", "PO-2")
    assert await kept.refresh()
    assert kept.rows(KEY, "Number", "State") == [("erp · PO-1", "PO-1", "open"), ("erp · PO-2", "PO-2", "open")]
    assert [*kept.there.fields] == ["标题", KEY, "Number", "State", DECISION, STATUS]
    assert len(kept.there.records) == 3, "the row that was there stays"
    entry = kept.audit.entries[-1]
    assert (entry.kind, entry.action, entry.actor) == (AuditKind.EXPORT, "sheet orders", "sales01")
    assert (entry.documents, entry.detail) == (("PO-1", "PO-2"), "2 new, 0 changed, 0 gone")


async def test_a_round_without_changes_is_one_call_and_no_entry(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.calls()
    kept.audit.entries.clear()
    assert await kept.refresh()
    assert kept.calls() == {"POST records/list": 1}
    assert not kept.audit.entries


async def test_many_rows_go_by_hundreds(kept: SheetHarness) -> None:
    kept.wants(*(f"PO-{number}" for number in range(230)))
    await kept.refresh()
    assert (len(kept.rows()), kept.calls()["POST records"]) == (230, 3)
    kept.wants("PO-7")
    await kept.refresh()
    assert (kept.rows(), kept.calls()["POST records/delete"]) == ([("PO-7",)], 3)


async def test_figures_are_put_back_and_own_columns_stay(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.there.fields["Note"] = "text"
    kept.write("PO-1", State="paid", Note="call them")
    await kept.refresh()
    assert kept.rows("State", "Note") == [("open", "call them")]


async def test_a_closed_list_is_taken_away(kept: SheetHarness) -> None:
    kept.wants("PO-1", "PO-2")
    await kept.refresh()
    kept.wants(closed=True)
    assert await kept.refresh()
    assert kept.rows() == []
    assert kept.audit.entries[-1].outcome == "denied"


async def test_without_an_answer_everything_stays(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.lists.silent = True
    assert not await kept.refresh()
    assert kept.rows() == [("PO-1",)]
    assert "nobody can say" in await kept.failure()
    kept.lists.silent = False
    kept.wants("PO-2", is_whole=False)
    assert await kept.refresh()
    assert kept.rows() == [("PO-1",), ("PO-2",)], "a source that is silent has not lost its documents"


async def test_a_formula_is_text(kept: SheetHarness) -> None:
    kept.wants('=HYPERLINK("https://x.example")')
    await kept.refresh()
    assert kept.rows() == [('=HYPERLINK("https://x.example")',)]
    assert set(kept.there.fields.values()) == {"text"}


@pytest.mark.parametrize("fault", ["lying_timeout", "html_error", "qps_limit", "system_busy"])
@pytest.mark.parametrize(
    "call", [f"POST {RECORDS}", f"PUT {RECORDS}", f"POST {RECORDS}/delete", f"POST {RECORDS}/list"]
)
async def test_after_a_failure_the_next_round_makes_it_right(kept: SheetHarness, fault: str, call: str) -> None:
    kept.wants("PO-1", "PO-2", "PO-3")
    await kept.refresh()
    kept.write("PO-1", State="paid")
    kept.wants("PO-1", "PO-3", "PO-4")
    kept.engine.faults.set(fault, on=True, api=call, delay_ms=0)
    await kept.refresh()
    kept.engine.faults.clear()
    kept.restart()
    assert await kept.refresh()
    assert kept.rows("Number", "State") == [("PO-1", "open"), ("PO-3", "open"), ("PO-4", "open")]
    assert await kept.failure() == ""


async def test_the_months_last_calls_are_not_spent(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    kept.sparing = True
    assert not await kept.refresh()
    assert kept.calls() == {}
    assert "kept for what is urgent" in await kept.failure()


async def test_a_defect_is_told_and_ends_nothing(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    kept.lists.defect = True
    assert not await kept.refresh()
    assert await kept.failure() == "a defect of the bot, see its log"
    kept.lists.defect = False
    assert await kept.refresh()


async def test_a_state_that_nobody_can_read_begins_anew(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: "yes"})
    await kept.refresh()
    await kept.database.run(lambda connection: connection.exec_driver_sql("UPDATE sheet_state SET body = 'dgs1:none'"))
    assert await kept.refresh()
    assert kept.rows("Number", STATUS) == [("PO-1", f"{DECISION}: put to the owner, who decides")]
    assert kept.desk.lines == ["/approve PO-1"] * 2


async def test_an_operator_who_left_is_told(kept: SheetHarness) -> None:
    kept.gone = True
    assert not await kept.refresh()
    assert "no member" in await kept.failure()


async def test_columns_that_do_not_fit_are_told(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    kept.there.fields["State"] = "number"
    assert not await kept.refresh()
    assert await kept.failure() == "the column State has to be one of text"
    del kept.there.fields["State"]
    kept.restart(edits={"Number": {"yes": "/approve {number}"}})
    assert not await kept.refresh()
    assert "two columns are called Number" in await kept.failure()


async def test_the_next_round_is_due_also_after_a_restart(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    assert await kept.sharing.due_in() == timedelta(0)
    await kept.refresh()
    kept.now += timedelta(minutes=10)
    kept.restart()
    assert await kept.sharing.due_in() == timedelta(minutes=20)
    kept.lists.silent = True
    await kept.refresh()
    assert await kept.sharing.due_in() == timedelta(minutes=5)


async def test_an_edit_becomes_one_proposal(kept: SheetHarness) -> None:
    kept.wants("PO-1", "PO-2")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: " YES。"})
    for _ in range(3):
        await kept.refresh()
    assert kept.desk.lines == ["/approve PO-1"]
    assert kept.rows("Number", DECISION, STATUS) == [
        ("PO-1", " YES。", f"{DECISION}: put to the owner, who decides"),
        ("PO-2", "", ""),
    ]
    kept.desk.end = phrase("the owner had it run")
    await kept.refresh()
    assert kept.rows(STATUS)[0] == (f"{DECISION}: the owner had it run",)


async def test_an_edit_is_asked_again_after_its_cell_was_empty(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    for text in ("yes", "", "yes"):
        kept.write("PO-1", **{DECISION: text})
        await kept.refresh()
    assert kept.desk.lines == ["/approve PO-1"] * 2
    kept.write("PO-1", **{DECISION: ""})
    await kept.refresh()
    assert kept.rows(STATUS) == [("",)]


async def test_a_crash_after_the_proposal_asks_for_it_once(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: "yes"})
    kept.desk.dies = True
    with pytest.raises(KeyboardInterrupt):
        await kept.refresh()
    kept.desk.dies = False
    kept.restart()
    await kept.refresh()
    assert len(kept.desk.asked) == 1
    assert kept.rows(STATUS) == [(f"{DECISION}: put to the owner, who decides",)]


async def test_an_edit_of_a_document_that_leaves_the_list_is_not_lost(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: "yes"})
    kept.wants()
    await kept.refresh()
    assert (kept.desk.lines, kept.rows()) == (["/approve PO-1"], [])


async def test_a_row_that_somebody_made_names_no_document_of_its_own_choice(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.engine.tables.insert(kept.there, [{KEY: "erp · PO-9", DECISION: "yes"}])
    await kept.refresh()
    assert kept.desk.lines == []
    assert kept.rows() == [("PO-1",)]


async def test_of_a_closed_list_nothing_is_asked(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: "yes"})
    kept.wants(closed=True)
    await kept.refresh()
    assert kept.desk.lines == []


async def test_what_cannot_be_asked_is_told_in_the_table(kept: SheetHarness) -> None:
    kept.wants("PO-1")
    await kept.refresh()
    kept.write("PO-1", **{DECISION: "perhaps"})
    await kept.refresh()
    assert kept.rows(STATUS) == [(f"{DECISION}: write one of these: yes",)]
    kept.write("PO-1", **{DECISION: "yes"})
    kept.desk.refusal = EditRefused(phrase("Too much was proposed to this person: let them answer first."), later=True)
    await kept.refresh()
    assert kept.rows(STATUS) == [(f"{DECISION}: waits, since so much was asked at once",)]
    kept.desk.refusal = None
    await kept.refresh()
    assert kept.desk.lines == ["/approve PO-1"]
