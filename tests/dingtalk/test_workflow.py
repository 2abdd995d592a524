"""Calls about DingTalk's own approvals, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from dingtalk_stream import EventMessage

from bot.approvals.oa.forms import (
    OaApplication,
    OaDeclined,
    OaInstance,
    OaInstanceMissing,
    OaStartUncertain,
    OaTask,
)
from bot.approvals.plan import ApprovalLevel, Quorum
from bot.dingtalk.callbacks import changed_instance
from bot.dingtalk.errors import DingTalkOutcomeUnknown, DingTalkScopeMissing
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.workflow import WorkflowApi
from bot.erp.model import Verdict
from tests.dingtalk.conftest import API, FakeDingTalk
from tests.rows import each_row

URL = f"{API}/v1.0/workflow/processInstances"
READ_URL = f"{URL}?processInstanceId=i-1"
LIST_URL = f"{API}/v1.0/workflow/processes/instanceIds/query"
DONE = {"success": True, "result": True}
SINCE = datetime(2026, 1, 31, 9, 20, tzinfo=UTC)


@pytest.fixture
def workflow(api: OpenApi, dingtalk: FakeDingTalk) -> WorkflowApi:
    dingtalk.token()
    return WorkflowApi(api, process="PROC-1", case_field="单据标识")


def level(need: Quorum, *approvers: str) -> ApprovalLevel:
    return ApprovalLevel(number=1, quorum=need, approvers=approvers, excluded=MappingProxyType({}))


APPLICATION = OaApplication(
    originator="buyer01",
    values={"单据标识": "c-1", "金额": "3000"},
    levels=(level(Quorum.ANY, "wang"), level(Quorum.ANY, "wang", "li"), level(Quorum.ALL, "sun", "zhou")),
)


def instance(**changes: Any) -> dict[str, Any]:
    return {"success": "true", "result": {"status": "RUNNING", "result": "", "tasks": [], **changes}}


def refused(code: str) -> dict[str, Any]:
    return {"status": 400, "payload": {"code": code, "message": code, "requestid": "r-1"}}


def body(dingtalk: FakeDingTalk, url: str) -> Any:
    return orjson.loads(dingtalk.asked(url)[-1]["data"])


async def test_start(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, payload={"instanceId": "i-1"})
    assert await workflow.start(APPLICATION) == "i-1"
    assert body(dingtalk, URL) == {
        "originatorUserId": "buyer01",
        "processCode": "PROC-1",
        "deptId": -1,
        "approvers": [
            {"actionType": "NONE", "userIds": ["wang"]},
            {"actionType": "OR", "userIds": ["wang", "li"]},
            {"actionType": "AND", "userIds": ["sun", "zhou"]},
        ],
        "formComponentValues": [{"name": "单据标识", "value": "c-1"}, {"name": "金额", "value": "3000"}],
    }


async def test_a_start_without_an_answer_is_not_repeated(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, exception=TimeoutError())
    with pytest.raises(OaStartUncertain):
        await workflow.start(APPLICATION)
    assert len(dingtalk.asked(URL)) == 1


async def test_a_start_without_an_id_is_in_doubt(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, payload={})
    with pytest.raises(OaStartUncertain):
        await workflow.start(APPLICATION)


async def test_a_form_that_is_not_there(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(URL, **refused("aflowProcessNotExist"))
    with pytest.raises(OaDeclined, match="aflowProcessNotExist"):
        await workflow.start(APPLICATION)


async def test_a_missing_permission_is_named(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    denied = {
        "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "message": "no",
        "accessdenieddetail": {"requiredScopes": ["qyapi_aflow"]},
    }
    dingtalk.post(URL, status=403, payload=denied)
    with pytest.raises(DingTalkScopeMissing, match="qyapi_aflow"):
        await workflow.start(APPLICATION)


async def test_read(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    tasks = [
        {"taskId": 1, "userId": "wang", "status": "COMPLETED", "result": "REDIRECTED"},
        {"taskId": 2, "userId": "li", "status": "COMPLETED", "result": "AGREE"},
        {"taskId": 3, "userId": "sun", "status": "RUNNING", "result": "NONE"},
        {"taskId": 4, "userId": "zhou", "status": "CANCELED", "result": "NONE"},
        {"taskId": "5", "userId": "odd"},
    ]
    records = [
        {"userId": "li", "type": "ADD_REMARK", "result": "NONE", "remark": "?", "showName": "李"},
        {"userId": "li", "type": "EXECUTE_TASK_NORMAL", "result": "AGREE", "remark": "好", "showName": "李"},
    ]
    dingtalk.get(READ_URL, payload=instance(tasks=tasks, operationRecords=records))
    assert await workflow.read("i-1") == OaInstance(
        running=True,
        verdict=None,
        tasks=(
            OaTask(id=1, user_id="wang", open=False),
            OaTask(id=2, user_id="li", open=False, verdict=Verdict.APPROVE, name="李", remark="好"),
            OaTask(id=3, user_id="sun", open=True),
            OaTask(id=4, user_id="zhou", open=False),
        ),
    )


@pytest.mark.parametrize(
    ("status", "result", "running", "verdict"),
    [
        ("NEW", "", True, None),
        ("COMPLETED", "agree", False, Verdict.APPROVE),
        ("COMPLETED", "refuse", False, Verdict.REJECT),
        ("TERMINATED", "", False, None),
        ("CANCELED", "agree", False, None),
    ],
)
async def test_what_it_came_to(
    workflow: WorkflowApi, dingtalk: FakeDingTalk, status: str, result: str, running: bool, verdict: Verdict | None
) -> None:
    dingtalk.get(READ_URL, payload=instance(status=status, result=result))
    assert await workflow.read("i-1") == OaInstance(running=running, verdict=verdict, tasks=())


async def test_reads_that_tell_nothing(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.get(READ_URL, **refused("aflowProcessInstNotExist"))
    with pytest.raises(OaInstanceMissing):
        await workflow.read("i-1")
    dingtalk.get(READ_URL, payload={"success": True})
    with pytest.raises(DingTalkOutcomeUnknown):
        await workflow.read("i-1")


async def test_a_turn_is_handed_over_in_its_holders_name(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    url = f"{API}/v1.0/workflow/tasks/redirect"
    dingtalk.post(url, payload=DONE)
    await workflow.hand_over(OaTask(id=7, user_id="wang", open=True), "qian", "now you")
    assert body(dingtalk, url) == {"taskId": 7, "operateUserId": "wang", "toUserId": "qian", "remark": "now you"}


async def test_execute_terminate_and_comment(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    for call in ("execute", "terminate", "comments"):
        dingtalk.post(f"{URL}/{call}", payload=DONE)
    task = OaTask(id=76543210, user_id="wang", open=True)
    await workflow.execute("i-1", task, Verdict.REJECT, "价" * 600)
    assert body(dingtalk, f"{URL}/execute") == {
        "processInstanceId": "i-1",
        "taskId": 76543210,
        "actionerUserId": "wang",
        "result": "refuse",
        "remark": "价" * 500,
    }
    await workflow.terminate("i-1", "wang", "done")
    assert body(dingtalk, f"{URL}/terminate") == {
        "processInstanceId": "i-1",
        "isSystem": True,
        "operatingUserId": "wang",
        "remark": "done",
    }
    await workflow.comment("i-1", "buyer01", "why")
    assert body(dingtalk, f"{URL}/comments") == {
        "processInstanceId": "i-1",
        "commentUserId": "buyer01",
        "text": "why",
    }


async def test_find_reads_page_by_page_until_the_case_is_there(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(LIST_URL, payload={"success": True, "result": {"list": ["i-0"], "nextToken": "1"}})
    dingtalk.post(LIST_URL, payload={"success": True, "result": {"list": ["i-1"]}})
    for name, case in (("i-0", "c-0"), ("i-1", "c-1")):
        form = [{"name": "单据标识", "value": case}, {"name": "金额", "value": "c-1"}]
        dingtalk.get(f"{URL}?processInstanceId={name}", payload=instance(formComponentValues=form))
    assert await workflow.find("c-1", "buyer01", SINCE) == "i-1"
    assert body(dingtalk, LIST_URL) == {
        "processCode": "PROC-1",
        "startTime": 1769851200000,
        "nextToken": "1",
        "maxResults": 20,
        "userIds": ["buyer01"],
    }


async def test_what_is_not_there_is_not_found(workflow: WorkflowApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(LIST_URL, payload={"success": True, "result": {"list": []}})
    assert await workflow.find("c-1", "buyer01", SINCE) == ""


@each_row(
    ("header", "data", "found"),
    [
        ("bpms_task_change", {"processInstanceId": "i-1", "processCode": "PROC-1"}, "i-1"),
        ("bpms_instance_change", {"processInstanceId": "i-1"}, "i-1"),
        (None, {"EventType": "bpms_task_change", "processInstanceId": "i-1"}, "i-1"),
        ("bpms_task_change", {"processInstanceId": "i-1", "processCode": "PROC-2"}, ""),
        ("bpms_task_change", {"processInstanceId": ["i-1"]}, ""),
        ("user_add_org", {"processInstanceId": "i-1"}, ""),
        (None, {}, ""),
    ],
)
def test_which_approval_an_event_is_about(header: str | None, data: dict[str, Any], found: str) -> None:
    event = EventMessage()
    event.headers.event_type, event.data = header, data
    assert changed_instance(event, "PROC-1") == found
