"""To-dos over the API (docs: platform/dingtalk/todos.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute
from bot.kit.simulator.todos import SimTodo, SimTodoError

_MAX_SUBJECT = 1024
_MAX_PEOPLE = 100
_MAX_PAGE = 20
_READ, _WRITE = "Todo.Todo.Read", "Todo.Todo.Write"


def create(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/todo/users/{unionId}/tasks`."""
    body = call.body
    subject = body.get("subject")
    if not isinstance(subject, str) or not subject:
        raise SimTodoError("todo.taskCreate.paramError")
    if len(subject) > _MAX_SUBJECT:
        raise SimTodoError("subject is oversize")
    owner = _member(engine, call.path["unionId"])
    if body.get("creatorId", owner) != owner:
        raise SimTodoError("todo.taskCreate.paramError")
    for union_id in _people(body["participantIds"]) if body.get("participantIds") else ():
        _member(engine, union_id)
    due = body.get("dueTime")
    if due is not None and (not isinstance(due, int) or isinstance(due, bool) or due <= 0):
        raise SimTodoError("dueTime is invalid")
    todo = engine.todos.create(
        source_id=str(body.get("sourceId") or ""),
        subject=subject,
        creator=owner,
        executors=[_member(engine, union_id) for union_id in _people(body.get("executorIds"))],
        detail_url=_detail_url(body.get("detailUrl")),
        due_ms=due,
    )
    return todo.render()


def by_source(engine: SimEngine, call: SimApiCall) -> Json:
    """`GET /v1.0/todo/users/{unionId}/tasks/sources/{sourceId}`."""
    todo = engine.todos.by_source(call.path["sourceId"])
    if todo is None:
        raise SimTodoError("task not exist")
    return _own(todo, call).render()


def update(engine: SimEngine, call: SimApiCall) -> Json:
    """`PUT …/tasks/{taskId}`."""
    todo = _own(engine.todos.find(call.path["taskId"]), call)
    done = call.body.get("done")
    if done is not None and not isinstance(done, bool):
        raise SimTodoError("todo.taskUpdate.paramError")
    if isinstance(done, bool):
        engine.todos.tick(todo.id, dict.fromkeys(todo.executors, done))
    return {"result": True}


def set_executors(engine: SimEngine, call: SimApiCall) -> Json:
    """`PUT …/tasks/{taskId}/executorStatus`."""
    todo = _own(engine.todos.find(call.path["taskId"]), call)
    listed = call.body.get("executorStatusList")
    if not isinstance(listed, list) or not listed:
        raise SimTodoError("executorStatusList is empty")
    if len(listed) > _MAX_PEOPLE:
        raise SimTodoError("executors is oversize")
    states: dict[str, bool] = {}
    for entry in listed:
        union_id, done = (entry.get("id"), entry.get("isDone")) if isinstance(entry, dict) else (None, None)
        if union_id not in todo.executors or not isinstance(done, bool):
            raise SimTodoError(f"{union_id} is no executor")
        states[union_id] = done
    engine.todos.tick(todo.id, states)
    return {"result": True}


def delete(engine: SimEngine, call: SimApiCall) -> Json:
    """`DELETE …/tasks/{taskId}`."""
    engine.todos.remove(_own(engine.todos.find(call.path["taskId"]), call).id)
    return {"result": True, "requestId": f"{engine.rng.getrandbits(64):016x}"}


def query(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST …/org/tasks/query`: the to-dos on a person's list."""
    wanted, token = call.body.get("isDone"), str(call.body.get("nextToken") or "0")
    union_id = _member(engine, call.path["unionId"])
    found = [
        todo for todo in engine.todos.of(union_id) if not isinstance(wanted, bool) or (union_id in todo.done) is wanted
    ]
    offset = int(token) if token.isdigit() else 0
    cards = [{**todo.render(), "taskId": todo.id, "isDone": union_id in todo.done} for todo in found]
    page: Json = {"todoCards": cards[offset : offset + _MAX_PAGE], "totalCount": len(cards)}
    if offset + _MAX_PAGE < len(cards):
        page["nextToken"] = str(offset + _MAX_PAGE)
    return page


def _member(engine: SimEngine, union_id: Any) -> str:
    person = engine.enterprise.by_union_id(union_id)
    if person is None or person.external:
        raise SimTodoError("user not exist")
    return person.union_id


def _people(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise SimTodoError("executors is empty")
    if len(value) > _MAX_PEOPLE:
        raise SimTodoError("executors is oversize")
    return value


def _detail_url(value: Any) -> dict[str, str]:
    """Return the page that a to-do opens, which DingTalk requires since 2024."""
    urls = {key: value.get(key) for key in ("appUrl", "pcUrl")} if isinstance(value, dict) else {}
    if not urls or not all(isinstance(url, str) and url for url in urls.values()):
        raise SimTodoError("detailUrl is empty")
    return {key: str(url) for key, url in urls.items()}


def _own(todo: SimTodo, call: SimApiCall) -> SimTodo:
    if call.path["unionId"] not in (todo.creator, *todo.executors):
        raise SimTodoError("task not exist")
    return todo


def _todo_route(
    method: str, path: str, serve: Callable[[SimEngine, SimApiCall], Json], verb: str, scope: str = _WRITE
) -> SimApiRoute:
    def guarded(engine: SimEngine, call: SimApiCall) -> Json:
        try:
            return serve(engine, call)
        except SimTodoError as error:
            raise SimApiError(f"todo.task{verb}.paramError", str(error)) from error

    return SimApiRoute(method=method, path=f"/v1.0/todo/users/{{unionId}}/{path}", serve=guarded, scope=scope)


ROUTES = (
    _todo_route("POST", "tasks", create, "Create"),
    _todo_route("GET", "tasks/sources/{sourceId}", by_source, "Get", _READ),
    _todo_route("PUT", "tasks/{taskId}", update, "Update"),
    _todo_route("PUT", "tasks/{taskId}/executorStatus", set_executors, "ExecutorStatusUpdate"),
    _todo_route("DELETE", "tasks/{taskId}", delete, "Delete"),
    _todo_route("POST", "org/tasks/query", query, "Query", _READ),
)
