"""A purchase order's way through a workflow, for ERPs that have tasks of people but no levels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.erp.model import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTask:
    """What one person was asked at one step of one run of a workflow."""

    id: str
    run: str
    step: str
    person: str
    """The ERP user's id."""
    name: str = ""
    done_at: datetime | None = None
    comment: str = ""


W = TypeVar("W", bound=WorkflowTask)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun(Generic[W]):
    """One run of a workflow: the tasks that wait for somebody, and those that somebody did."""

    waiting: tuple[W, ...]
    done: tuple[W, ...]
    requester: str = ""

    @property
    def last(self) -> W | None:
        """Return the task that was done last."""
        return max(self.done, key=lambda task: (task.done_at is not None, task.done_at, task.id), default=None)

    def approval(self) -> Approval:
        """Return the state of approval; the levels still to come are not known."""
        level, last = max(1, len({task.step for task in (*self.waiting, *self.done)})), self.last
        return Approval(
            pending_for=tuple(dict.fromkeys(task.person for task in self.waiting)),
            level=level,
            levels=level,
            decided_by=last.person if last else "",
            decided_at=last.done_at if last else None,
            reason=last.comment if last else "",
            task_id=self.waiting[0].id if self.waiting else "",
        )
