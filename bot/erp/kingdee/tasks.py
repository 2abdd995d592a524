"""Workflow tasks of purchase orders: who is waited for, who decided what (ERP sheet, 1.8 and 1.9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.erp.kingdee.client import Row
from bot.erp.kingdee.values import Values, code, text
from bot.erp.model import Approval

_OPEN, _DONE = "0", "1"
_RUNNING = "2"


@dataclass(frozen=True, slots=True)
class Task:
    """What one person was asked at one node of one run of a workflow."""

    id: str
    bill: str
    run: str
    node: str
    person: str
    """The ERP user's id."""
    name: str
    post: str
    open: bool
    result: str
    opinion: str
    created_at: datetime | None
    done_at: datetime | None


def task(row: Row, values: Values) -> Task:
    """Return a task from its line."""
    status = code(row["FStatus"])
    return Task(
        id=code(row["FReceiverItem_FRECEIVERITEMID"]),
        bill=code(row["FBILLNUMBER"]),
        run=code(row["FInstCode"]),
        node=code(row["FAssignId"]),
        person=code(row["FReceiverId"]),
        name=text(row["FReceiverId.FName"]),
        post=code(row["FBasePost"]),
        open=(status, code(row["FActivityStatus"]), code(row["FInstStatus"])) == (_OPEN, _OPEN, _RUNNING),
        result=text(row["FResultName"]),
        opinion=text(row["FDisposition"]),
        created_at=values.time(row["FCreateTime"]),
        # Of several who could decide, one did; the tasks of the others end without a word.
        done_at=values.time(row["FCompletedTime"]) if status == _DONE else None,
    )


@dataclass(frozen=True, slots=True)
class Course:
    """The last run of a purchase order's workflow."""

    tasks: tuple[Task, ...]

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> Course:
        """Return the last run among tasks of one order: who submits it again starts another."""
        ordered = sorted(tasks, key=lambda each: (each.created_at is not None, each.created_at, each.id))
        return cls(tuple(each for each in ordered if each.run == ordered[-1].run))

    @property
    def waiting(self) -> tuple[Task, ...]:
        """Return the tasks that wait for somebody."""
        return tuple(each for each in self.tasks if each.open)

    @property
    def last(self) -> Task | None:
        """Return the task that was done last."""
        done = [each for each in self.tasks if each.done_at is not None]
        return max(done, key=lambda each: (each.done_at, each.id), default=None)

    def rejected(self, words: Sequence[str]) -> bool:
        """Return whether it ended in a rejection, told by the words that its result holds."""
        last = self.last
        return last is not None and any(word in last.result.lower() for word in words)

    def approval(self) -> Approval:
        """Return the state of approval. How many levels are to come, the tasks do not tell."""
        reached = {each.node for each in self.tasks if each.open or each.done_at is not None}
        level, last, waiting = max(1, len(reached)), self.last, self.waiting
        return Approval(
            pending_for=tuple(dict.fromkeys(each.person for each in waiting)),
            level=level,
            levels=level,
            decided_by=last.person if last else "",
            decided_at=last.done_at if last else None,
            reason=last.opinion if last else "",
            task_id=waiting[0].id if waiting else "",
        )
