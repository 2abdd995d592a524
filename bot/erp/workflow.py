"""A purchase order's workflow, for ERPs that have tasks for people but no levels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.erp.model import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTask:
    """A task of one person at one step of a workflow run."""

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
    """One run of a workflow: open tasks and completed ones."""

    waiting: tuple[W, ...]
    done: tuple[W, ...]
    requester: str = ""

    @property
    def last(self) -> W | None:
        """Return the task completed last."""
        return max(self.done, key=lambda task: (task.done_at is not None, task.done_at, task.id), default=None)

    def approval(self) -> Approval:
        """Return the state of approval; the number of levels ahead is unknown."""
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
