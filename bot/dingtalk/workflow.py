"""DingTalk's own approvals (OA 审批) of one form: start, read, vote, terminate.

Docs: platform/dingtalk/approvals.md
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from bot.approvals.oa.forms import (
    OaApplication,
    OaDeclined,
    OaInstance,
    OaInstanceMissing,
    OaStartUncertain,
    OaTask,
)
from bot.approvals.plan import ApprovalLevel, Quorum
from bot.dingtalk.apis import (
    APPROVAL_COMMENT,
    APPROVAL_EXECUTE,
    APPROVAL_HAND_OVER,
    APPROVAL_LIST,
    APPROVAL_READ,
    APPROVAL_START,
    APPROVAL_TERMINATE,
    ApiCall,
)
from bot.dingtalk.errors import DingTalkOutcomeUnknown, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import items, part, text
from bot.erp.model import Verdict

_RUNNING = {"NEW", "RUNNING"}
_OPEN = {"NEW", "RUNNING"}
_VERDICTS = {"agree": Verdict.APPROVE, "refuse": Verdict.REJECT}
_WORDS = {verdict: word for word, verdict in _VERDICTS.items()}
_NOT_THERE = "aflowProcessInstNotExist"
_ROOT_DEPARTMENT = -1
_PAGE = 20
_PAGES = 10
"""The maximum of pages read: one person starts far fewer approvals within minutes."""
_REMARK = 500
"""Characters of a comment; longer ones are cut."""


class WorkflowApi:
    """The approvals of one form; needs the permission points ``Workflow.Instance.Write`` and
    ``Workflow.Instance.Read``.
    """

    def __init__(self, api: OpenApi, *, process: str, case_field: str) -> None:
        """``process`` is the form's code (``PROC-…``), ``case_field`` the name of its field for the case id."""
        self._api = api
        self._process = process
        self._case_field = case_field

    async def start(self, application: OaApplication) -> str:
        body = {
            "originatorUserId": application.originator,
            "processCode": self._process,
            "deptId": _ROOT_DEPARTMENT,
            "approvers": [_step(level) for level in application.levels],
            "formComponentValues": [{"name": name, "value": value} for name, value in application.values.items()],
        }
        try:
            answer = await self._call(APPROVAL_START, body)
        except DingTalkOutcomeUnknown as doubt:
            raise OaStartUncertain(doubt.detail) from doubt
        instance = text(answer.get("instanceId"))
        if not instance:
            raise OaStartUncertain(f"{APPROVAL_START.name}: an answer without an id")
        return instance

    async def find(self, case_id: str, originator: str, since: datetime) -> str:
        """Return the id of the approval with this case id in its form; empty if there is none."""
        async for instance in self._started_since(originator, since):
            if self._case_of(await self._result(instance)) == case_id:
                return instance
        return ""

    async def read(self, instance: str) -> OaInstance:
        result = await self._result(instance)
        status, records = text(result.get("status")), [part(record) for record in items(result.get("operationRecords"))]
        tasks = (_task(part(task), records) for task in items(result.get("tasks")))
        return OaInstance(
            running=status in _RUNNING,
            verdict=_VERDICTS.get(text(result.get("result"))) if status == "COMPLETED" else None,
            tasks=tuple(task for task in tasks if task is not None),
        )

    async def execute(self, instance: str, task: OaTask, verdict: Verdict, remark: str) -> None:
        """Record the verdict of a person whose turn it is, in their name."""
        body = {
            "processInstanceId": instance,
            "taskId": task.id,
            "actionerUserId": task.user_id,
            "result": _WORDS[verdict],
            "remark": remark[:_REMARK],
        }
        await self._call(APPROVAL_EXECUTE, body)

    async def hand_over(self, task: OaTask, to: str, remark: str) -> None:
        """Hand a person's task to another one, as if that person had done it."""
        body = {"taskId": task.id, "operateUserId": task.user_id, "toUserId": to, "remark": remark[:_REMARK]}
        await self._call(APPROVAL_HAND_OVER, body)

    async def terminate(self, instance: str, by: str, remark: str) -> None:
        """Terminate a running approval, as the system and not as the originator."""
        body = {"processInstanceId": instance, "isSystem": True, "operatingUserId": by, "remark": remark[:_REMARK]}
        await self._call(APPROVAL_TERMINATE, body)

    async def comment(self, instance: str, by: str, text: str) -> None:
        await self._call(APPROVAL_COMMENT, {"processInstanceId": instance, "commentUserId": by, "text": text[:_REMARK]})

    async def _started_since(self, originator: str, since: datetime) -> AsyncIterator[str]:
        token: object = 0
        for _ in range(_PAGES):
            body = {
                "processCode": self._process,
                "startTime": int(since.timestamp() * 1000),
                "nextToken": token,
                "maxResults": _PAGE,
                "userIds": [originator],
            }
            result = part((await self._call(APPROVAL_LIST, body)).get("result"))
            for entry in items(result.get("list")):
                if instance := text(entry):
                    yield instance
            token = result.get("nextToken")
            if not token:
                return

    async def _result(self, instance: str) -> Mapping[str, Any]:
        answer = await self._call(APPROVAL_READ, query={"processInstanceId": instance})
        result = part(answer.get("result"))
        if not text(result.get("status")):
            raise DingTalkOutcomeUnknown(f"{APPROVAL_READ.name}: an answer without a status")
        return result

    def _case_of(self, result: Mapping[str, Any]) -> str:
        values = (part(value) for value in items(result.get("formComponentValues")))
        return next((text(value.get("value")) for value in values if text(value.get("name")) == self._case_field), "")

    async def _call(
        self, api: ApiCall, body: Mapping[str, Any] | None = None, *, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            return await self._api.call(api, body, query=query)
        except DingTalkRefused as refusal:
            kind = OaInstanceMissing if refusal.code == _NOT_THERE else OaDeclined
            raise kind(refusal.detail) from refusal


def _step(level: ApprovalLevel) -> dict[str, Any]:
    if len(level.approvers) == 1:
        return {"actionType": "NONE", "userIds": list(level.approvers)}
    return {"actionType": "AND" if level.quorum is Quorum.ALL else "OR", "userIds": list(level.approvers)}


def _task(task: Mapping[str, Any], records: list[Mapping[str, Any]]) -> OaTask | None:
    number, user_id, result = task.get("taskId"), text(task.get("userId")), text(task.get("result"))
    if not isinstance(number, int) or not user_id:
        return None
    verdict = _VERDICTS.get(result.casefold()) if text(task.get("status")) == "COMPLETED" else None
    # The remark is in the operation records, not in the task.
    own = [
        record for record in records if text(record.get("userId")) == user_id and text(record.get("result")) == result
    ]
    said = own[-1] if own and verdict is not None else {}
    return OaTask(
        id=number,
        user_id=user_id,
        open=text(task.get("status")) in _OPEN,
        verdict=verdict,
        name=text(said.get("showName")),
        remark=text(said.get("remark")),
    )
