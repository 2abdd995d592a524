"""To-dos over the API and in the client (docs: platform/dingtalk/todos.md)."""

from __future__ import annotations

import pytest

URLS = {"appUrl": "https://example.com/po", "pcUrl": "https://example.com/po"}


def union(wire, user_id):
    return wire.engine.person(user_id).union_id


def path(wire, user_id, *parts):
    return "/".join(["/v1.0/todo/users", union(wire, user_id).replace("/", "%2F"), "tasks", *parts])


def todo(wire, *user_ids, **changes):
    people = [union(wire, user_id) for user_id in user_ids]
    body = {
        "sourceId": "po-1001",
        "subject": "采购单 PO-1001",
        "creatorId": people[0],
        "executorIds": people,
        "detailUrl": URLS,
    }
    return {key: value for key, value in {**body, **changes}.items() if value is not None}


async def create(wire, *user_ids, **changes):
    return await wire.api("POST", path(wire, user_ids[0]), todo(wire, *user_ids, **changes))


async def control(wire, method, path, body=None, **options):
    return (await wire.call(method, path, body, **options))[1]


async def listed(wire, user_id):
    answer = await control(wire, "GET", "/sim/todos", params={"viewer": user_id})
    return [(entry["subject"], entry["done"]) for entry in answer["todos"]]


async def test_it_stands_on_the_lists_of_its_executors(wire):
    status, created = await create(wire, "buymanager01", "boss01")
    assert (status, created["subject"], created["done"]) == (200, "采购单 PO-1001", False)
    assert await listed(wire, "buymanager01") == await listed(wire, "boss01") == [("采购单 PO-1001", False)]
    assert await listed(wire, "keeper01") == []


async def test_it_is_done_for_some_and_then_for_all(wire):
    _, created = await create(wire, "buymanager01", "boss01")
    states = {"executorStatusList": [{"id": union(wire, "boss01"), "isDone": True}]}
    await wire.api("PUT", path(wire, "buymanager01", created["id"], "executorStatus"), states)
    assert await listed(wire, "boss01") == [("采购单 PO-1001", True)]
    assert await listed(wire, "buymanager01") == [("采购单 PO-1001", False)]
    done = await wire.api("PUT", path(wire, "buymanager01", created["id"]), {"done": True})
    assert done == (200, {"result": True})
    assert await listed(wire, "buymanager01") == [("采购单 PO-1001", True)]


async def test_a_deleted_one_is_on_no_list_and_cannot_be_changed(wire):
    _, created = await create(wire, "buymanager01")
    status, answer = await wire.api("DELETE", path(wire, "buymanager01", created["id"]))
    assert (status, answer["result"]) == (200, True)
    assert await listed(wire, "buymanager01") == []
    for method, more in (("PUT", ()), ("PUT", ("executorStatus",)), ("DELETE", ())):
        status, answer = await wire.api(method, path(wire, "buymanager01", created["id"], *more), {"done": True})
        assert (status, answer["message"]) == (400, "task not exist")


async def test_a_source_id_has_one_todo_which_can_be_looked_up(wire):
    _, created = await create(wire, "buymanager01")
    status, again = await create(wire, "buymanager01")
    assert (status, again["code"]) == (400, "todo.taskCreate.paramError")
    assert again["message"] == "task existed sourceId is po-1001"
    status, found = await wire.api("GET", path(wire, "buymanager01", "sources", "po-1001"))
    assert (status, found["id"]) == (200, created["id"])
    status, missing = await wire.api("GET", path(wire, "buymanager01", "sources", "po-1002"))
    assert (status, missing["message"]) == (400, "task not exist")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detailUrl": None}, "detailUrl is empty"),
        ({"executorIds": []}, "executors is empty"),
        ({"executorIds": ["nobody"]}, "user not exist"),
        ({"executorIds": ["one"] * 101}, "executors is oversize"),
        ({"subject": "长" * 1025}, "subject is oversize"),
        ({"subject": None}, "todo.taskCreate.paramError"),
        ({"creatorId": "somebody else"}, "todo.taskCreate.paramError"),
        ({"dueTime": -1}, "dueTime is invalid"),
    ],
)
async def test_what_is_wrong_is_refused(wire, changes, message):
    status, answer = await create(wire, "buymanager01", **changes)
    assert (status, answer["message"]) == (400, message)
    assert await listed(wire, "buymanager01") == []


async def test_bad_changes_are_refused(wire):
    _, created = await create(wire, "buymanager01")
    one = path(wire, "buymanager01", created["id"])
    assert (await wire.api("PUT", one, {"done": "yes"}))[0] == 400
    for states in ([], [{"id": union(wire, "boss01"), "isDone": True}], ["x"]):
        assert (await wire.api("PUT", f"{one}/executorStatus", {"executorStatusList": states}))[0] == 400
    status, answer = await wire.api("PUT", path(wire, "boss01", created["id"]), {"done": True})
    assert (status, answer["message"]) == (400, "task not exist"), "it is somebody else's"


async def test_lists_come_in_pages(wire, clock):
    for number in range(21):
        clock.advance(seconds=1)
        await create(wire, "buymanager01", sourceId=f"po-{number}", subject=f"PO-{number}")
    query = path(wire, "buymanager01").replace("/tasks", "/org/tasks/query")
    _, first = await wire.api("POST", query, {"isDone": False})
    assert (len(first["todoCards"]), first["todoCards"][0]["subject"], first["nextToken"]) == (20, "PO-20", "20")
    _, rest = await wire.api("POST", query, {"nextToken": first["nextToken"]})
    assert [card["subject"] for card in rest["todoCards"]] == ["PO-0"]
    assert "nextToken" not in rest
    assert (await wire.api("POST", query, {"isDone": True}))[1]["todoCards"] == []


async def test_people_tick_off_what_is_on_their_own_list(wire):
    _, created = await create(wire, "buymanager01")
    await control(wire, "POST", "/sim/todos", {"id": created["id"], "userId": "buymanager01", "done": True})
    assert await listed(wire, "buymanager01") == [("采购单 PO-1001", True)]
    refused = await control(wire, "POST", "/sim/todos", {"id": created["id"], "userId": "boss01", "done": True})
    assert "on this person's list" in refused["error"]


async def test_it_needs_its_permission_and_counts_as_a_call(wire):
    before = wire.engine.flow.used
    await create(wire, "buymanager01")
    assert wire.engine.flow.used == before + 1
    await control(wire, "PUT", "/sim/faults", {"scope_denied": {"on": True}})
    status, answer = await create(wire, "buymanager01", sourceId="po-2")
    assert (status, answer["accessdenieddetail"]) == (403, {"requiredScopes": ["Todo.Todo.Write"]})


async def test_a_reset_empties_the_lists(wire):
    await create(wire, "buymanager01")
    wire.engine.reset()
    assert await listed(wire, "buymanager01") == []
