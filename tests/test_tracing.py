"""Traces: what is in them, how their references are read, and what is said of slow ones."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from bot.bootstrap.traces import reference_on_card, take_trace
from bot.mechanisms.tracing import (
    ANSWER,
    CARD,
    Trace,
    add_reference,
    add_step,
    make_reference,
    read_reference,
    step,
    tracing,
)
from bot.settings import TraceSettings

AT = datetime(2026, 12, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7K0M1QX9", "7K0M1QX9"),
        (" 7komiqx9 ", "7K0M1QX9"),
        ("7kOm-lqX9", "7K0M1QX9"),
        ("7K0M 1QX9", "7K0M1QX9"),
        ("7K0M1QX", None),
        ("7K0M1QX99", None),
        ("7K0M1QXU", None),
        ("", None),
    ],
)
def test_a_reference_is_read_however_it_was_typed(typed: str, read: str | None) -> None:
    assert read_reference(typed) == read


def test_every_reference_is_read_as_it_was_made() -> None:
    made = [make_reference() for _ in range(1_000)]
    assert [read_reference(each.lower()) for each in made] == made


async def test_work_at_the_same_time_keeps_its_steps_apart() -> None:
    ended: list[Trace] = []
    both = asyncio.Barrier(2)

    async def work(name: str) -> None:
        with tracing("question", AT, ended.append), step(name):
            await both.wait()
            add_step("erp order", name, "ok", 0.0)

    await asyncio.gather(work("a"), work("b"))
    assert sorted([(each.name, each.subject) for each in trace.steps] for trace in ended) == [
        [("erp order", "a"), ("a", "")],
        [("erp order", "b"), ("b", "")],
    ]


def test_a_step_that_fails_has_the_errors_class_and_no_words_of_it() -> None:
    ended: list[Trace] = []
    with pytest.raises(ValueError, match="secret"), tracing("question", AT, ended.append), step(CARD):
        raise ValueError("secret")
    assert [(each.name, each.outcome) for each in ended[0].steps] == [(CARD, "ValueError")]


def test_an_ended_trace_takes_no_steps_and_gives_no_reference() -> None:
    ended: list[Trace] = []

    def after(trace: Trace) -> None:
        trace.add("late", "", "ok", 0.0)
        ended.append(trace)

    with tracing("question", AT, after) as trace:
        assert add_reference(None, "info", {"event": "x"})["reference"] == trace.reference
        assert add_reference(None, "info", {"reference": "own"})["reference"] == "own"
    assert ended[0].steps == []
    assert "reference" not in add_reference(None, "info", {"event": "x"})


def test_a_trace_is_bounded() -> None:
    trace = Trace(AT, "question")
    for _ in range(203):
        trace.add("erp order", "demo", "ok", 0.0)
    assert (len(trace.steps), trace.left_out) == (200, 3)


def ended(took: int, outcome: str = "answered") -> Trace:
    trace = Trace(AT, "question", command="order", outcome=outcome)
    trace.add("erp order", "main", "ok", 4.0)
    trace.add("erp linked", "main", "ok", 1.0)
    trace.add(ANSWER, "", "ok", 5.5)
    trace.took = took
    return trace


@pytest.mark.parametrize(
    ("keep", "took", "outcome", "kept"),
    [
        ("all", 10, "answered", 1),
        ("slow and failed", 10, "answered", 0),
        ("slow and failed", 5_000, "answered", 1),
        ("slow and failed", 10, "erp_down", 1),
        ("slow and failed", 10, "not_delivered", 1),
    ],
)
def test_which_traces_are_kept(keep: str, took: int, outcome: str, kept: int) -> None:
    taken: list[Trace] = []
    take_trace(TraceSettings.model_validate({"keep": keep}), taken.append, ended(took, outcome))
    assert len(taken) == kept


@pytest.mark.parametrize(("took", "lines"), [(4_999, 0), (5_000, 1)])
def test_a_slow_question_has_one_line_with_its_longest_call(took: int, lines: int) -> None:
    trace = ended(took)
    with capture_logs() as logged:
        take_trace(TraceSettings(), lambda trace: None, trace)
    assert len(logged) == lines
    for line in logged:
        assert (line["event"], line["reference"]) == ("question.slow", trace.reference)
        assert (line["longest"], line["longest_seconds"]) == ("erp order main", 4.0)


@pytest.mark.parametrize(
    ("on_cards", "outcome", "stands"),
    [
        ("slow and failed", "answered", False),
        ("slow and failed", "erp_down", True),
        ("slow and failed", "failed", False),
        ("all", "answered", True),
        ("all", "failed", False),
    ],
)
def test_on_which_cards_the_reference_stands(on_cards: str, outcome: str, stands: bool) -> None:
    settings = TraceSettings.model_validate({"on_cards": on_cards})
    with tracing("question", AT, lambda trace: None) as trace:
        trace.note("order", outcome, "")
        assert reference_on_card(settings) == (trace.reference if stands else "")
    assert reference_on_card(settings) == ""
