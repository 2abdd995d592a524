"""Single values as the WebAPI spells them, and the workflow tasks of purchase orders.

Docs: platform/erp/kingdee.md#workflow-tasks, #deciding
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.erp.kingdee.client import Row
from bot.erp.model import Approval
from bot.erp.values import LocalValues


def text(value: Any) -> str:
    """Return a text untouched, an empty one for the single blank that stands for nothing.

    A name in several languages (a list by language) gives its first.
    """
    match value:
        case None:
            return ""
        case [{"Value": first}, *_]:
            return text(first)
        case str():
            return "" if value.isspace() else value
        case _:
            return str(value)


def code(value: Any) -> str:
    """Return a code, status or id as text without the blanks that fixed columns add."""
    return text(value).strip()


@dataclass(frozen=True, slots=True)
class ValueReader(LocalValues):
    """Reads values that depend on the installation: its zone, and what it calls currencies."""

    def time(self, value: Any) -> datetime | None:
        """Return a time; without an offset it is the server's local time. The year 1 stands for none."""
        told = code(value)
        if told in ("", "null") or told.startswith("0001-"):
            return None
        moment = datetime.fromisoformat(told)
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def day(self, value: Any) -> date | None:
        """Return the day of a date, which comes with the time of midnight."""
        moment = self.time(value)
        return moment.date() if moment else None

    def currency(self, row: Row, key: str) -> str:
        """Return the ISO code of a currency, empty where it is not known."""
        return self.iso(code(row.get(f"{key}.FCode")), code(row.get(f"{key}.FName")))


_OPEN, _DONE = "0", "1"
_RUNNING = "2"


@dataclass(frozen=True, slots=True)
class WorkflowTask:
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


def task(row: Row, values: ValueReader) -> WorkflowTask:
    """Return a task from its line."""
    status = code(row["FStatus"])
    return WorkflowTask(
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
class WorkflowRun:
    """The last run of a purchase order's workflow."""

    tasks: tuple[WorkflowTask, ...]

    @classmethod
    def of(cls, tasks: Iterable[WorkflowTask]) -> WorkflowRun:
        """Return the last run among tasks of one order: who submits it again starts another."""
        ordered = sorted(tasks, key=lambda each: (each.created_at is not None, each.created_at, each.id))
        return cls(tuple(each for each in ordered if each.run == ordered[-1].run))

    @property
    def waiting(self) -> tuple[WorkflowTask, ...]:
        """Return the tasks that wait for somebody."""
        return tuple(each for each in self.tasks if each.open)

    @property
    def last(self) -> WorkflowTask | None:
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
