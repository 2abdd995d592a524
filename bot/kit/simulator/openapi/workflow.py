"""OA approvals over the API (docs: platform/dingtalk/approvals.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.kit.simulator.approvals import SimApprovalError, SimApprovalInstance, SimApprovalStep
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute

_DONE: Json = {"success": True, "result": True}
_MAX_PAGE = 20
_MAX_ORIGINATORS = 10
_MAX_LISTED = 10_000
_MAX_SPAN, _OLDEST = timedelta(days=120), timedelta(days=365)
_WRITE, _READ = "Workflow.Instance.Write", "Workflow.Instance.Read"


def start(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/workflow/processInstances`."""
    form = call.body.get("formComponentValues")
    if not isinstance(form, list) or not form:
        raise SimApiError("aflowProcessFormDataIsNull")
    if not all(isinstance(v, dict) and isinstance(v.get("name"), str) and _is_text(v.get("value")) for v in form):
        raise SimApiError("aflowProcessFormContentInvalid")
    originator = call.text("originatorUserId", SimApiError("processInstanceStartFailed"))
    code = call.text("processCode", SimApiError("aflowProcessNotExist"))
    steps = [_step(entry) for entry in call.body.get("approvers") or []]
    return {"instanceId": engine.approvals.start(code, originator, form, steps).id}


def read(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /v1.0/workflow/processInstances?processInstanceId=…`; ``success`` is a string, as observed."""
    return {"success": "true", "result": engine.approvals.find(call.query.get("processInstanceId")).render()}


def execute(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST …/processInstances/execute`."""
    task_id = call.body.get("taskId")
    if not isinstance(task_id, int) or isinstance(task_id, bool):
        raise SimApiError("aflowProcessInstCanNotBeExecuted", "taskId must be a number")
    engine.approvals.decide(
        call.body.get("processInstanceId"),
        call.body.get("actionerUserId"),
        str(call.body.get("result", "")),
        str(call.body.get("remark") or ""),
        task_id,
    )
    return _DONE


def terminate(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST …/processInstances/terminate`."""
    user_id, remark = str(call.body.get("operatingUserId") or ""), str(call.body.get("remark") or "")
    engine.approvals.terminate(call.body.get("processInstanceId"), user_id, remark)
    return _DONE


def comment(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST …/processInstances/comments`."""
    user_id = call.text("commentUserId", SimApiError("param.empty", "commentUserId"))
    text = call.text("text", SimApiError("param.empty", "text"))
    engine.approvals.comment(call.body.get("processInstanceId"), user_id, text)
    return _DONE


def redirect(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/workflow/tasks/redirect`."""
    to_user = call.text("toUserId", SimApiError("param.empty", "toUserId"))
    engine.approvals.redirect(call.body.get("taskId"), call.body.get("operateUserId"), to_user)
    return _DONE


def query_ids(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/workflow/processes/instanceIds/query`."""
    body = call.body
    code = call.text("processCode", SimApiError("aflowProcessNotExist"))
    token, size, people = body.get("nextToken", 0), body.get("maxResults", _MAX_PAGE), body.get("userIds") or []
    if not isinstance(size, int) or not 0 < size <= _MAX_PAGE:
        raise SimApiError("invalidMaxResults")
    if not isinstance(people, list) or len(people) > _MAX_ORIGINATORS:
        raise SimApiError("param.invalid", "userIds")
    begin, end = _range(engine, body)
    offset = int(token) if str(token).isdigit() else 0

    def matches(instance: SimApprovalInstance) -> bool:
        created = int(instance.created.timestamp() * 1000)
        return (
            instance.process_code == code
            and begin <= created
            and created <= end
            and (not people or instance.originator in people)
            and (not body.get("statuses") or instance.status in body["statuses"])
        )

    ids = [instance.id for instance in engine.approvals if matches(instance)][:_MAX_LISTED]
    result: Json = {"list": ids[offset : offset + size]}
    if offset + size < len(ids):
        result["nextToken"] = str(offset + size)
    return {"success": True, "result": result}


def _range(engine: SimEngine, body: Json) -> tuple[int, int]:
    """Return the time range of a list, in milliseconds since 1970; without an end, up to now."""
    now = engine.milliseconds()
    begin, end = body.get("startTime"), body.get("endTime", now)
    if not isinstance(begin, int) or not isinstance(end, int):
        raise SimApiError("param.invalid", "startTime, endTime")
    span, age = timedelta(milliseconds=end - begin), timedelta(milliseconds=now - begin)
    if end < begin or span > _MAX_SPAN or age > _OLDEST:
        raise SimApiError("invalidEndTime")
    return begin, end


def _step(entry: Any) -> SimApprovalStep:
    user_ids = entry.get("userIds") if isinstance(entry, dict) else None
    if not isinstance(user_ids, list) or not user_ids or entry.get("actionType") not in ("AND", "OR", "NONE"):
        raise SimApiError("processInstanceStartFailed", "approvers")
    return SimApprovalStep(tuple(map(str, user_ids)), entry["actionType"] == "AND")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _workflow_route(
    method: str, path: str, serve: Callable[[SimEngine, SimApiCall], Json], scope: str = _WRITE
) -> SimApiRoute:
    def guarded(engine: SimEngine, call: SimApiCall) -> Json:
        try:
            return serve(engine, call)
        except SimApprovalError as error:
            raise SimApiError(str(error)) from error

    return SimApiRoute(method=method, path=f"/v1.0/workflow/{path}", serve=guarded, scope=scope)


ROUTES = (
    _workflow_route("POST", "processInstances", start),
    _workflow_route("GET", "processInstances", read, _READ),
    _workflow_route("POST", "processInstances/execute", execute),
    _workflow_route("POST", "processInstances/terminate", terminate),
    _workflow_route("POST", "processInstances/comments", comment),
    _workflow_route("POST", "tasks/redirect", redirect),
    _workflow_route("POST", "processes/instanceIds/query", query_ids, _READ),
)
