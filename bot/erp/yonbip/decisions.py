"""The workflow of purchase orders: open tasks, past decisions, and deciding.

Tasks and history are read for many orders at once. Everyone whose turn it is has a separate task.

Docs: platform/erp/yonbip.md#deciding
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.erp.concurrency import gather_or_cancel, gather_rows
from bot.erp.errors import Invalid, NotPermitted, Unsupported
from bot.erp.http import words
from bot.erp.keys import batches
from bot.erp.model import Decision, Verdict
from bot.erp.values import code, malformed_is_invalid, number, text
from bot.erp.workflow import WorkflowRun, WorkflowTask
from bot.erp.yonbip.client import WORKFLOW, YonBipClient
from bot.erp.yonbip.mapping import Row

_RUNTIME = "yonbip/digitalModel/openapi/runtime/ext"
_TODO = "yonbip/digitalModel/openapi/task/querytaskstodo/page"
_HISTORY = "yonbip/digitalModel/openapi/query/ext/historic-process-instances"
_TODO_PAGE, _HISTORY_PAGE = 10, 20
"""The service's maximum page sizes."""
_KEYS = 20
"""How many orders one request names."""
_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class YonBipTask(WorkflowTask):
    """A task of a purchase order's workflow; ``source`` is the application that owns it."""

    source: str = ""


Run = WorkflowRun[YonBipTask]


class PurchaseApprovals:
    """Reads workflow runs by the ids of orders, and decides a task."""

    def __init__(self, client: YonBipClient) -> None:
        self._client = client

    async def runs(self, orders: Sequence[Row]) -> dict[str, Run]:
        """Return the last run of each order that has a workflow, by id.

        Without the right to read the workflow the result is empty: then approvers are unknown, and nothing can be
        decided.
        """
        ids = [code(order["id"]) for order in orders if _was_submitted(order)]
        undecided = {code(order["id"]) for order in orders if code(order.get("status")) in ("0", "3")}
        try:
            history, tasks = await gather_or_cancel(
                self._history(ids), self._todo([order for order in ids if order in undecided])
            )
        except (NotPermitted, Unsupported):
            return {}
        found = {order: self._run(self._key(order), history, tasks) for order in ids}
        return {order: run for order, run in found.items() if run is not None}

    async def waiting(self, order: str) -> tuple[YonBipTask, ...]:
        """Return the open tasks of an order; raises `NotPermitted` if the app may not read them."""
        key = self._key(order)
        with malformed_is_invalid(self._client.source):
            return tuple(self._task(row) for row in await self._todo([order]) if _business_key(row) == key)

    async def decide(self, task: YonBipTask, decision: Decision) -> str:
        """Decide a task on behalf of its person and return the workflow's message, if any.

        The call takes no version: a task that no longer exists is refused.
        """
        source = task.source or self._client.options.workflow_source
        if decision.verdict is Verdict.APPROVE:
            path = f"{_RUNTIME}/tasks/{task.id}"
            body: Row = {"source": source, "action": "complete"}
            opinion = {"message": decision.reason}
        else:
            path = f"{_RUNTIME}/procesInstances/reject"
            body = {"taskId": task.id, "processInstanceId": task.run, "source": source, "action": "rejectToStart"}
            opinion = {"jumpOrigin": decision.reason}
        # Empty fields are left out: the platform would pass them on (docs: platform/erp/yonbip.md#pitfalls).
        body |= {key: value for key, value in opinion.items() if value}
        data = await self._client.write(path, body, by=decision.by, what=decision.number)
        answer = data if isinstance(data, dict) else {}
        message = words(text(answer.get("errmsg")))
        if (number(answer.get("errcode")) or 0) != 0:
            raise Invalid(message or "the workflow refused", source=self._client.source)
        return "" if message == "ok" else message

    def _key(self, order: str) -> str:
        return self._client.options.business_key.replace("{id}", order)

    async def _todo(self, orders: Sequence[str]) -> list[Row]:
        body = {"sort": "createTime", "order": "asc", "returnParticipants": True, "returnProcessInstance": True}
        return await self._each(_TODO, _TODO_PAGE, body, "processBusinessKeyIds", orders)

    async def _history(self, orders: Sequence[str]) -> list[Row]:
        body = {
            "appSource": self._client.options.workflow_source,
            "returnBusinessActivityRules": False,
            "returnAttachmentList": False,
            "sort": "startTime",
            "order": "asc",
        }
        return await self._each(_HISTORY, _HISTORY_PAGE, body, "businessKeyList", orders)

    async def _each(self, path: str, size: int, body: Row, field: str, orders: Sequence[str]) -> list[Row]:
        """Return the rows of many orders, in batches."""
        parts = batches(list(map(self._key, orders)), _KEYS)
        return await gather_rows(*(self._pages(path, {**body, field: part}, size) for part in parts))

    async def _pages(self, path: str, body: Row, size: int) -> list[Row]:
        rows: list[Row] = []
        for _ in range(_PAGES):
            request = {**body, "start": len(rows), "size": size}
            data = await self._client.read("POST", path, body=request, headers=WORKFLOW)
            found = data.get("data") if isinstance(data, dict) else None
            if not isinstance(found, list):
                raise Invalid("the workflow did not answer with a list", source=self._client.source)
            rows += found
            if not found or len(rows) >= (number(data.get("total")) or 0):
                break
        return rows

    def _run(self, key: str, history: Sequence[Row], tasks: Sequence[Row]) -> Run | None:
        runs = [run for run in history if code(run.get("businessKey")) == key]
        waiting = tuple(self._task(row) for row in tasks if _business_key(row) == key)
        if not runs and not waiting:
            return None
        # Submitting an order again starts a new run.
        last = max(runs, key=lambda run: (self._stamp(run.get("startTime")), code(run.get("id"))), default=Row())
        steps = last.get("historicTasks") or ()
        done = tuple(self._task(row) for row in (steps if isinstance(steps, list) else ()) if _was_decided(row))
        return WorkflowRun(waiting=waiting, done=done, requester=code(last.get("startUserId")))

    def _stamp(self, value: Any) -> float:
        moment = self._client.values.time(value)
        return moment.timestamp() if moment else 0.0

    def _task(self, row: Row) -> YonBipTask:
        person, comments = row.get("assigneeParticipant") or {}, row.get("taskComments") or ()
        last: Row = comments[-1] if comments else {}
        return YonBipTask(
            id=code(row.get("id")),
            run=code(row.get("processInstanceId")),
            step=code(row.get("taskDefinitionKey")),
            person=code(row.get("assignee")),
            name=text(person.get("name")),
            source=code(row.get("source")),
            done_at=self._client.values.time(row.get("endTime")),
            comment=text(last.get("fullMessage") or last.get("message")),
        )


def _was_submitted(order: Row) -> bool:
    return code(order.get("status")) != "0" or code(order.get("verifystate")) not in ("", "0")


def _was_decided(row: Row) -> bool:
    """Return whether a task was decided; when one person decides for all, the others' tasks just end."""
    return bool(row.get("endTime")) and (
        code(row.get("deleteReason")) in ("completed", "rejectToStart", "rejectToActivity")
        or bool(row.get("taskComments"))
    )


def _business_key(row: Row) -> str:
    return code((row.get("processInstance") or {}).get("businessKey"))
