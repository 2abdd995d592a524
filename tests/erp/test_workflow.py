"""What the tasks of a workflow say about an approval."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.erp.model import Approval
from bot.erp.workflow import WorkflowRun, WorkflowTask


def task(number: str, step: str, person: str, *, done: int | None = None, comment: str = "") -> WorkflowTask:
    at = None if done is None else datetime(2026, 1, done, tzinfo=UTC)
    return WorkflowTask(id=number, run="r", step=step, person=person, done_at=at, comment=comment)


def test_levels_are_the_steps_that_were_reached() -> None:
    run = WorkflowRun(
        waiting=(task("3", "b", "carl"), task("4", "b", "dora"), task("5", "b", "carl")),
        done=(task("1", "a", "anna", done=2, comment="good"), task("2", "a", "bert", done=1)),
    )
    assert run.approval() == Approval(
        pending_for=("carl", "dora"),
        level=2,
        levels=2,
        decided_by="anna",
        decided_at=datetime(2026, 1, 2, tzinfo=UTC),
        reason="good",
        task_id="3",
    )


def test_a_run_without_tasks_is_at_the_first_level() -> None:
    nothing: WorkflowRun[WorkflowTask] = WorkflowRun(waiting=(), done=())
    assert nothing.approval() == Approval()


def test_a_task_that_does_not_tell_its_time_was_done_before_those_that_do() -> None:
    untold, told, same = task("1", "a", "anna"), task("2", "b", "bert", done=1), task("3", "b", "carl", done=1)
    assert WorkflowRun(waiting=(), done=(told, untold)).last is told
    assert WorkflowRun(waiting=(), done=(untold,)).last is untold
    assert WorkflowRun(waiting=(), done=(same, told)).last is same
