"""The workflow of purchase orders: its tasks, and deciding one in a person's name.

Docs: platform/erp/kingdee.md#workflow-tasks, #deciding
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import Invalid, NotPermitted
from bot.erp.kingdee import query
from bot.erp.kingdee.client import Form, KingdeeClient, Row, response_message
from bot.erp.kingdee.documents import AGAIN, AUDITED, CHECKING
from bot.erp.kingdee.mapping import ValueReader, WorkflowRun, WorkflowTask, code, task
from bot.erp.kingdee.query import PAST_TASKS, PURCHASES, RUNNING_TASKS
from bot.erp.model import Decision, Verdict

_APPROVE, _REJECT = 1, 2
PURCHASE_TASKS = query.one_of("FObjectTypeId", dict.fromkeys((PURCHASES.id, PURCHASES.id.upper())))


class PurchaseApprovals:
    """Reads tasks by the numbers of orders, many at once, and decides one."""

    def __init__(self, client: KingdeeClient, values: ValueReader) -> None:
        self._client = client
        self._values = values

    async def courses(self, heads: Iterable[Row]) -> dict[str, WorkflowRun]:
        """Return the last course of those orders that a workflow handles, by number.

        Without the right to read tasks there is none: then nobody is named and nothing can be decided.
        """
        running, past = [], []
        for head in heads:
            if code(head["FCancelStatus"]) == "B":
                continue
            match code(head["FDocumentStatus"]):
                case status if status == CHECKING:
                    running.append(code(head["FBillNo"]))
                case status if status in (AUDITED, AGAIN):
                    past.append(code(head["FBillNo"]))
        try:
            found = await gather_or_cancel(self._tasks(RUNNING_TASKS, running), self._tasks(PAST_TASKS, past))
        except NotPermitted:
            return {}
        return last_runs([each for part in found for each in part])

    async def waiting(self, number: str) -> tuple[WorkflowTask, ...]:
        """Return the tasks of an order that wait for somebody; raises `NotPermitted` where they may not be read."""
        found = last_runs(await self._tasks(RUNNING_TASKS, [number])).get(number)
        return found.waiting if found else ()

    async def both(self, numbers: Sequence[str]) -> list[WorkflowTask]:
        """Return all tasks of orders, of every run."""
        found = await gather_or_cancel(self._tasks(RUNNING_TASKS, numbers), self._tasks(PAST_TASKS, numbers))
        return [each for part in found for each in part]

    async def decide(self, waiting: WorkflowTask, decision: Decision) -> str:
        """Decide a task in its receiver's name and return the ERP's words.

        The call has no version: a task that is gone is refused in words alone (docs: platform/erp/kingdee.md#deciding).
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
        return response_message(await self._client.write("WorkflowAudit", PURCHASES.id, data, what=waiting.bill))

    async def _tasks(self, form: Form, numbers: Sequence[str]) -> list[WorkflowTask]:
        rows = await self._client.query_each(
            form, lambda some: query.all_of(PURCHASE_TASKS, query.one_of("FBILLNUMBER", some)), numbers
        )
        try:
            return [task(row, self._values) for row in rows]
        except ValueError as error:
            raise Invalid(f"a value that is none in a task: {error}", source=self._client.source) from error


def last_runs(tasks: Iterable[WorkflowTask]) -> dict[str, WorkflowRun]:
    """Return the last course of each order."""
    by_bill: dict[str, list[WorkflowTask]] = {}
    for each in tasks:
        by_bill.setdefault(each.bill, []).append(each)
    return {bill: WorkflowRun.of(found) for bill, found in by_bill.items()}
