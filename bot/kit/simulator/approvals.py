"""OA approvals: instances, their tasks, and the `bpms_*` events about them.

Docs: platform/dingtalk/approvals.md
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.enterprise import Enterprise

EmitEvent = Callable[[str, dict[str, Any]], None]


class SimApprovalError(Exception):
    """Carries DingTalk's error code, for example `aflowProcessInstNotExist`."""


@dataclass(slots=True)
class SimApprovalTask:
    """One approver's task."""

    id: int
    user_id: str
    created: datetime
    status: str = "RUNNING"
    result: str = "NONE"
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class SimApprovalStep:
    """One step: any of its approvers (`OR`, `NONE`) or all of them (`AND`)."""

    user_ids: tuple[str, ...]
    all_must: bool


@dataclass(slots=True, kw_only=True)
class SimApprovalInstance:
    """One running or completed approval."""

    id: str
    process_code: str
    business_id: str
    title: str
    originator: str
    form: Sequence[Mapping[str, Any]]
    created: datetime
    steps: Sequence[SimApprovalStep]
    step: int = 0
    status: str = "RUNNING"
    result: str = ""
    finished: datetime | None = None
    tasks: list[SimApprovalTask] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def render(self) -> dict[str, Any]:
        """The `result` of GET processInstances."""
        return {
            "title": self.title,
            "status": self.status,
            "result": self.result,
            "businessId": self.business_id,
            "createTime": _minute(self.created),
            "finishTime": _minute(self.finished) if self.finished else None,
            "originatorUserId": self.originator,
            "originatorDeptId": "-1",
            "approverUserIds": [user_id for step in self.steps for user_id in step.user_ids],
            "ccUserIds": [],
            "bizAction": "NONE",
            "bizData": "",
            "formComponentValues": [dict(value) for value in self.form],
            "operationRecords": list(self.records),
            "tasks": [
                {
                    "taskId": task.id,
                    "userId": task.user_id,
                    "status": task.status,
                    "result": task.result,
                    "activityId": f"act_{task.id}",
                    "createTime": _minute(task.created),
                    "finishTime": _minute(task.finished) if task.finished else None,
                    "mobileUrl": "",
                    "pcUrl": "",
                    "processInstanceId": self.id,
                }
                for task in self.tasks
            ],
        }


class SimApprovals:
    """All instances. ``emit`` is called with the event type and its data, once per change."""

    def __init__(self, config: SimulatorConfig, enterprise: Enterprise, rng: random.Random, emit: EmitEvent) -> None:
        self._config, self._enterprise, self._rng, self._emit = config, enterprise, rng, emit
        self._instances: dict[str, SimApprovalInstance] = {}
        self._tasks = 76543210
        self._count = 0

    def __iter__(self) -> Iterator[SimApprovalInstance]:
        return iter(self._instances.values())

    def find(self, instance_id: object) -> SimApprovalInstance:
        """Return the instance or raise `SimApprovalError`."""
        instance = self._instances.get(instance_id) if isinstance(instance_id, str) else None
        if instance is None:
            raise SimApprovalError("aflowProcessInstNotExist")
        return instance

    def start(
        self, process_code: str, originator: str, form: Sequence[Mapping[str, Any]], steps: Sequence[SimApprovalStep]
    ) -> SimApprovalInstance:
        """Start an approval; unless steps are given, the form's approvers decide."""
        if process_code not in self._enterprise.processes:
            raise SimApprovalError("aflowProcessNotExist")
        person = self._enterprise.staff(originator)
        if person is None:
            raise SimApprovalError("processInstanceStartFailed")
        default = [SimApprovalStep((user_id,), all_must=False) for user_id in self._enterprise.processes[process_code]]
        now = self._config.now()
        self._count += 1
        instance = SimApprovalInstance(
            id=base64.urlsafe_b64encode(self._rng.randbytes(16)).decode().rstrip("="),
            process_code=process_code,
            business_id=f"{now:%Y%m%d%H%M%S}{self._count:07d}",
            title=f"{person.name}提交的审批",
            originator=originator,
            form=form,
            created=now,
            steps=list(steps) or default,
        )
        self._instances[instance.id] = instance
        self._record(instance, originator, "START_PROCESS_INSTANCE", "NONE", "")
        self._tell_instance(instance, "start")
        self._open_step(instance)
        return instance

    def decide(self, instance_id: object, user_id: object, result: str, remark: str = "", task_id: Any = None) -> None:
        """Record ``agree`` or ``refuse`` for this person's running task."""
        instance = self.find(instance_id)
        if instance.status != "RUNNING":
            raise SimApprovalError("aflowProcessInstStatusException")
        if result not in {"agree", "refuse"}:
            raise SimApprovalError("aflowProcessInstCanNotBeExecuted")
        task = next(
            (
                task
                for task in instance.tasks
                if task.status == "RUNNING" and task.user_id == user_id and task_id in (None, task.id)
            ),
            None,
        )
        if task is None:
            raise SimApprovalError("aflowProcessInstCanNotBeExecuted")
        self._close_task(instance, task, "COMPLETED", result, remark)
        self._record(instance, task.user_id, "EXECUTE_TASK_NORMAL", result.upper(), remark)
        if result == "refuse":
            self._finish(instance, "COMPLETED", "refuse")
        elif not instance.steps[instance.step].all_must or not _running(instance):
            self._next_step(instance)

    def redirect(self, task_id: object, from_user: object, to_user: str) -> None:
        """Hand a running task over to another person."""
        found = ((instance, task) for instance in self for task in instance.tasks if task.id == task_id)
        instance, task = next(found, (None, None))
        if instance is None or task is None or self._enterprise.staff(to_user) is None:
            raise SimApprovalError("aflowProcessInstCanNotBeExecuted")
        if instance.status != "RUNNING":
            raise SimApprovalError("instance.status.error")
        if task.status != "RUNNING" or task.user_id != from_user:
            raise SimApprovalError("task.status.error")
        self._close_task(instance, task, "COMPLETED", "redirect", "")
        self._open_task(instance, to_user)

    def terminate(self, instance_id: object, user_id: str, remark: str) -> None:
        """Terminate an instance."""
        instance = self.find(instance_id)
        if instance.status != "RUNNING":
            raise SimApprovalError("aflowProcessInstStatusException")
        self._record(instance, user_id, "TERMINATE_PROCESS_INSTANCE", "NONE", remark)
        self._finish(instance, "TERMINATED", "")

    def comment(self, instance_id: object, user_id: str, text: str) -> None:
        """Add a comment to the record."""
        instance = self.find(instance_id)
        self._record(instance, user_id, "ADD_REMARK", "NONE", text)
        self._tell_task(instance, SimApprovalTask(0, user_id, self._config.now()), "comment", remark=text)

    def clear(self) -> None:
        """Remove all instances."""
        self._instances.clear()

    def _open_step(self, instance: SimApprovalInstance) -> None:
        for user_id in instance.steps[instance.step].user_ids:
            self._open_task(instance, user_id)

    def _open_task(self, instance: SimApprovalInstance, user_id: str) -> None:
        self._tasks += 1
        task = SimApprovalTask(self._tasks, user_id, self._config.now())
        instance.tasks.append(task)
        self._tell_task(instance, task, "start")

    def _next_step(self, instance: SimApprovalInstance) -> None:
        for task in _running(instance):
            self._close_task(instance, task, "CANCELED", "", "")
        if instance.step + 1 < len(instance.steps):
            instance.step += 1
            self._open_step(instance)
        else:
            self._finish(instance, "COMPLETED", "agree")

    def _finish(self, instance: SimApprovalInstance, status: str, result: str) -> None:
        for task in _running(instance):
            self._close_task(instance, task, "CANCELED", "", "")
        instance.status, instance.result, instance.finished = status, result, self._config.now()
        self._tell_instance(instance, "finish" if status == "COMPLETED" else "terminate")

    def _close_task(
        self, instance: SimApprovalInstance, task: SimApprovalTask, status: str, result: str, remark: str
    ) -> None:
        names = {"agree": "AGREE", "refuse": "REFUSE", "redirect": "REDIRECTED"}
        task.status, task.result, task.finished = status, names.get(result, "NONE"), self._config.now()
        self._tell_task(instance, task, "cancel" if status == "CANCELED" else "finish", result=result, remark=remark)

    def _record(self, instance: SimApprovalInstance, user_id: str, kind: str, result: str, remark: str) -> None:
        person = self._enterprise.staff(user_id)
        instance.records.append(
            {
                "userId": user_id,
                "date": _minute(self._config.now()),
                "type": kind,
                "result": result,
                "remark": remark,
                "showName": person.name if person else "",
                "activityId": "",
            }
        )

    def _tell_instance(self, instance: SimApprovalInstance, kind: str) -> None:
        data = {
            **self._event("bpms_instance_change", instance, instance.created, instance.finished),
            "businessId": instance.business_id,
            "type": kind,
            "staffId": instance.originator,
            "url": f"https://aflow.dingtalk.com/dingtalk/mobile/homepage.htm#/approval?procInstId={instance.id}",
            "bizCategoryId": "",
            "businessType": "",
        }
        self._emit("bpms_instance_change", {**data, "result": instance.result} if kind == "finish" else data)

    def _tell_task(
        self, instance: SimApprovalInstance, task: SimApprovalTask, kind: str, *, result: str = "", remark: str = ""
    ) -> None:
        data = {
            **self._event("bpms_task_change", instance, task.created, task.finished),
            "taskId": task.id,
            "type": kind,
            "staffId": task.user_id,
            "remark": remark,
        }
        self._emit("bpms_task_change", {**data, "result": result} if result else data)

    def _event(
        self, name: str, instance: SimApprovalInstance, created: datetime, finished: datetime | None
    ) -> dict[str, Any]:
        times = {"createTime": _ms(created)} | ({"finishTime": _ms(finished)} if finished else {})
        return {
            "EventType": name,
            "processInstanceId": instance.id,
            "corpId": self._config.corp_id,
            "title": instance.title,
            "processCode": instance.process_code,
            **times,
        }


def _running(instance: SimApprovalInstance) -> list[SimApprovalTask]:
    return [task for task in instance.tasks if task.status == "RUNNING"]


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
