"""Native approvals and their events (docs: platform/dingtalk/approvals.md)."""

from __future__ import annotations

import pytest

PATH = "/v1.0/workflow/processInstances"
START = {
    "originatorUserId": "buyer01",
    "processCode": "PROC-DEMO-PURCHASE",
    "deptId": -1,
    "formComponentValues": [{"name": "采购单", "value": "PO-1001"}],
}


async def started(wire, **changes):
    return (await wire.api("POST", PATH, {**START, **changes}))[1]["instanceId"]


async def read(wire, instance_id):
    return (await wire.api("GET", PATH, params={"processInstanceId": instance_id}))[1]["result"]


async def execute(wire, instance_id, user_id, result="agree", **changes):
    tasks = (await read(wire, instance_id))["tasks"]
    running = [task for task in tasks if task["status"] == "RUNNING" and task["userId"] == user_id]
    body = {"processInstanceId": instance_id, "actionerUserId": user_id, "result": result, "remark": "ok"}
    body["taskId"] = running[0]["taskId"] if running else 1
    return await wire.api("POST", f"{PATH}/execute", {**body, **changes})


async def test_from_start_to_agreement_with_events(wire):
    async with wire.stream(lambda frame: {"status": "SUCCESS", "message": ""}) as stream:
        instance_id = await started(wire)
        assert (await read(wire, instance_id))["status"] == "RUNNING"
        assert await execute(wire, instance_id, "buymanager01") == (200, {"success": True, "result": True})
        frames = await stream.take("*", 4)
    done = await read(wire, instance_id)
    assert (done["status"], done["result"], done["tasks"][0]["result"]) == ("COMPLETED", "agree", "AGREE")
    events = [(frame["headers"]["eventType"], frame["decoded"]["type"]) for frame in frames]
    assert events == [
        ("bpms_instance_change", "start"),
        ("bpms_task_change", "start"),
        ("bpms_task_change", "finish"),
        ("bpms_instance_change", "finish"),
    ]
    assert frames[-1]["decoded"]["result"] == "agree"
    assert frames[-1]["decoded"]["processInstanceId"] == instance_id
    assert "result" not in frames[0]["decoded"]


async def test_a_refusal_ends_it(wire):
    instance_id = await started(wire, processCode="PROC-DEMO-EXPENSE")
    await execute(wire, instance_id, "finance01", "refuse")
    done = await read(wire, instance_id)
    assert (done["status"], done["result"], len(done["tasks"])) == ("COMPLETED", "refuse", 1)


async def test_steps_follow_each_other(wire):
    approvers = [
        {"actionType": "AND", "userIds": ["finance01", "finance02"]},
        {"actionType": "OR", "userIds": ["boss01", "buymanager01"]},
    ]
    instance_id = await started(wire, approvers=approvers)
    await execute(wire, instance_id, "finance01")
    assert {task["userId"] for task in (await read(wire, instance_id))["tasks"]} == {"finance01", "finance02"}
    await execute(wire, instance_id, "finance02")
    await execute(wire, instance_id, "boss01")
    done = await read(wire, instance_id)
    assert done["status"] == "COMPLETED"
    assert [task["status"] for task in done["tasks"]] == ["COMPLETED", "COMPLETED", "COMPLETED", "CANCELED"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"formComponentValues": []}, "aflowProcessFormDataIsNull"),
        ({"formComponentValues": [{"name": "n", "value": 1}]}, "aflowProcessFormContentInvalid"),
        ({"processCode": "PROC-NONE"}, "aflowProcessNotExist"),
        ({"originatorUserId": "nobody"}, "processInstanceStartFailed"),
        ({"approvers": [{"actionType": "SOME", "userIds": ["boss01"]}]}, "processInstanceStartFailed"),
    ],
    ids=str,
)
async def test_bad_starts(wire, change, code):
    status, answer = await wire.api("POST", PATH, {**START, **change})
    assert (status, answer["code"]) == (400, code)


async def test_what_cannot_be_executed(wire):
    instance_id = await started(wire)
    for user_id, changes in (("boss01", {}), ("buymanager01", {"taskId": "1"}), ("buymanager01", {"result": "maybe"})):
        status, answer = await execute(wire, instance_id, user_id, **changes)
        assert (status, answer["code"]) == (400, "aflowProcessInstCanNotBeExecuted")
    await execute(wire, instance_id, "buymanager01")
    assert (await execute(wire, instance_id, "buymanager01"))[1]["code"] == "aflowProcessInstStatusException"
    status, answer = await wire.api("GET", PATH, params={"processInstanceId": "x"})
    assert answer["code"] == "aflowProcessInstNotExist"


async def test_calling_off_and_commenting(wire):
    instance_id = await started(wire)
    comment = {"processInstanceId": instance_id, "commentUserId": "boss01", "text": "急"}
    assert (await wire.api("POST", f"{PATH}/comments", comment))[0] == 200
    body = {"processInstanceId": instance_id, "isSystem": True, "operatingUserId": "", "remark": "changed"}
    assert (await wire.api("POST", f"{PATH}/terminate", body))[0] == 200
    done = await read(wire, instance_id)
    assert done["status"] == "TERMINATED"
    assert "急" in [record["remark"] for record in done["operationRecords"]]
    assert (await wire.api("POST", f"{PATH}/terminate", body))[1]["code"] == "aflowProcessInstStatusException"


async def test_handing_over(wire):
    instance_id = await started(wire)
    task = (await read(wire, instance_id))["tasks"][0]
    body = {"taskId": task["taskId"], "operateUserId": "buymanager01", "toUserId": "boss01"}
    assert (await wire.api("POST", "/v1.0/workflow/tasks/redirect", body))[0] == 200
    assert (await execute(wire, instance_id, "boss01"))[0] == 200


async def test_ids_by_page(wire, clock):
    ids = [await started(wire) for _ in range(3)]
    now = int(clock().timestamp() * 1000)
    body = {"processCode": "PROC-DEMO-PURCHASE", "startTime": now - 1, "nextToken": 0, "maxResults": 2}
    path = "/v1.0/workflow/processes/instanceIds/query"
    first = (await wire.api("POST", path, body))[1]["result"]
    last = (await wire.api("POST", path, {**body, "nextToken": first["nextToken"]}))[1]["result"]
    assert first["list"] + last["list"] == ids
    assert "nextToken" not in last
    assert (await wire.api("POST", path, {**body, "maxResults": 21}))[0] == 400
    assert (await wire.api("POST", path, {**body, "statuses": ["COMPLETED"]}))[1]["result"]["list"] == []


async def test_a_person_decides_in_the_client(wire):
    instance_id = await started(wire)
    body = {"processInstanceId": instance_id, "userId": "buymanager01", "result": "agree"}
    assert (await wire.call("POST", "/sim/approvals", body))[1]["status"] == "COMPLETED"
    assert (await wire.call("POST", "/sim/approvals", body))[0] == 400
