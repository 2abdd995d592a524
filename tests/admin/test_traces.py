"""``dingerp trace``: what cannot be told is said with the reason."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.mechanisms.tracing import Trace, TracedLine
from bot.store.database import Database
from bot.store.traces import StoredTraces
from tests.admin.conftest import AdminShell


def test_what_is_no_reference_and_what_is_not_kept(shell: AdminShell) -> None:
    shell.has_a_database()
    assert "'3f2a91' is no reference, which has eight letters and digits" in shell.refuses("trace", "3f2a91")
    told = shell.refuses("trace", "7k0m1qx9")
    assert "no trace 7K0M1QX9: traces are kept for 7 days, the newest 200000" in told


def test_a_trace_for_programs_and_the_look_at_it_is_recorded(shell: AdminShell) -> None:
    trace = Trace(datetime(2026, 12, 2, 8, tzinfo=UTC), "question", command="order", outcome="erp_down", rule="sales")
    trace.add_line(TracedLine(trace.at, "/order SO-1", "", "order", "erp_down", "sales"))
    trace.add("erp order", "main", "timeout", 0.0)
    trace.end()

    async def keep(database: Database) -> None:
        stored = StoredTraces(database)
        stored.keep(trace)
        await stored.flush()

    shell.store(keep)
    told = shell.read("trace", trace.reference.lower())
    assert (told["reference"], told["rule"]) == (trace.reference, "sales")
    (line,) = told["lines"]
    assert (line["line"], line["rule"], line["audit"]) == ("/order SO-1", "sales", [])
    assert [(each["name"], each["subject"], each["outcome"]) for each in told["steps"]] == [
        ("erp order", "main", "timeout")
    ]
    (looked,) = (entry for entry in shell.read("audit", "search") if entry["action"] == "trace")
    assert looked["detail"] == trace.reference
