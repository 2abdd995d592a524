"""The workflow of bills that are decided: reads its tasks and decides one on behalf of a person.

Docs: platform/erp/kingdee.md#workflow-tasks, #deciding
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.erp.concurrency import gather_rows
from bot.erp.errors import Invalid, NotPermitted
from bot.erp.kingdee import query
from bot.erp.kingdee.client import KingdeeClient, response_message
from bot.erp.kingdee.mapping import Row, ValueReader, code, text
from bot.erp.kingdee.query import PAST_TASKS, RUNNING_TASKS, Form
from bot.erp.model import Decision, Verdict
from bot.erp.values import malformed_is_invalid
from bot.erp.workflow import WorkflowRun, WorkflowTask

AUDITED, CHECKING, AGAIN = "C", "B", "D"
_APPROVE, _REJECT = 1, 2
_OPEN, _DONE, _RUNNING = "0", "1", "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class KingdeeTask(WorkflowTask):
    """A task of a bill's workflow; the comment is the receiver's opinion."""

    bill: str
    post: str = ""
    open: bool
    result: str = ""
    created_at: datetime | None = None


def task(row: Row, values: ValueReader) -> KingdeeTask:
    """Return a task from its line."""
    status = code(row["FStatus"])
    return KingdeeTask(
        id=code(row["FReceiverItem_FRECEIVERITEMID"]),
        bill=code(row["FBILLNUMBER"]),
        run=code(row["FInstCode"]),
        step=code(row["FAssignId"]),
        person=code(row["FReceiverId"]),
        name=text(row["FReceiverId.FName"]),
        post=code(row["FBasePost"]),
        open=(status, code(row["FActivityStatus"]), code(row["FInstStatus"])) == (_OPEN, _OPEN, _RUNNING),
        result=text(row["FResultName"]),
        comment=text(row["FDisposition"]),
        created_at=values.time(row["FCreateTime"]),
        # When one of several receivers decides, the others' tasks end without a result.
        done_at=values.time(row["FCompletedTime"]) if status == _DONE else None,
    )


def last_run(tasks: Iterable[KingdeeTask]) -> WorkflowRun[KingdeeTask]:
    """Return the last run among the tasks of one bill: submitting a bill again starts a new run."""
    ordered = sorted(tasks, key=lambda task: (task.created_at is not None, task.created_at, task.id))
    run = [task for task in ordered if task.run == ordered[-1].run]
    return WorkflowRun(
        waiting=tuple(task for task in run if task.open), done=tuple(task for task in run if task.done_at is not None)
    )


def was_rejected(run: WorkflowRun[KingdeeTask], words: Iterable[str]) -> bool:
    """Return whether a run ended in a rejection, which only the text of its result shows."""
    return run.last is not None and any(word in run.last.result.lower() for word in words)


class BillApprovals:
    """Reads the tasks of many bills of a form at once, and decides one."""

    def __init__(self, client: KingdeeClient, form: Form) -> None:
        self._client = client
        self._form = form
        self.tasks = query.one_of("FObjectTypeId", dict.fromkeys((form.id, form.id.upper())))
        """The condition that a task is of such a bill."""

    async def runs(self, heads: Iterable[Row]) -> dict[str, WorkflowRun[KingdeeTask]]:
        """Return the last run of each bill that has a workflow, by number.

        Without the right to read tasks the result is empty: then approvers are unknown, and nothing can be decided.
        """
        running: list[str] = []
        past: list[str] = []
        for head in heads:
            status = code(head[self._form.status])
            if code(head.get("FCancelStatus")) != "B" and status in (CHECKING, AUDITED, AGAIN):
                (running if status == CHECKING else past).append(code(head["FBillNo"]))
        try:
            found = await gather_rows(self._tasks(RUNNING_TASKS, running), self._tasks(PAST_TASKS, past))
        except NotPermitted:
            return {}
        by_bill: dict[str, list[KingdeeTask]] = {}
        for task in found:
            by_bill.setdefault(task.bill, []).append(task)
        return {bill: last_run(tasks) for bill, tasks in by_bill.items()}

    async def waiting(self, number: str) -> tuple[KingdeeTask, ...]:
        """Return the open tasks of a bill; raises `NotPermitted` if the account may not read them."""
        found = await self._tasks(RUNNING_TASKS, [number])
        return last_run(found).waiting if found else ()

    async def both(self, numbers: Sequence[str]) -> list[KingdeeTask]:
        """Return the tasks of all runs of bills."""
        return await gather_rows(self._tasks(RUNNING_TASKS, numbers), self._tasks(PAST_TASKS, numbers))

    async def decide(self, waiting: KingdeeTask, decision: Decision) -> str:
        """Decide a task on behalf of its receiver and return the ERP's message.

        The call takes no version; if the task no longer exists, only the message says so
        (docs: platform/erp/kingdee.md#deciding).
        """
        if not waiting.person.isdecimal():
            raise Invalid("the workflow names a receiver that is no user", source=self._client.source)
        data = {
            "Numbers": [waiting.bill],
            "UserId": int(waiting.person),
            "UserName": waiting.name,
            "ApprovalType": _APPROVE if decision.verdict is Verdict.APPROVE else _REJECT,
            "Disposition": decision.reason,
        }
        if waiting.post.isdecimal() and int(waiting.post):
            data["PostId"] = int(waiting.post)
        return response_message(await self._client.write("WorkflowAudit", self._form.id, data, what=waiting.bill))

    async def _tasks(self, form: Form, numbers: Sequence[str]) -> list[KingdeeTask]:
        rows = await self._client.query_each(form, "FBILLNUMBER", numbers, where=self.tasks)
        with malformed_is_invalid(self._client.source):
            return [task(row, self._client.values) for row in rows]
