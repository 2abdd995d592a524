"""`/sim/…`: the HTTP API for tests and for the chat page (see README.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from bot.kit.simulator.approvals import SimApprovalError
from bot.kit.simulator.card_templates import InvalidTemplate, read_template
from bot.kit.simulator.engine import ENGINE_KEY, SimEngine, SimForbidden, SimNotFound
from bot.kit.simulator.faults import InvalidFault
from bot.kit.simulator.media import StoredFile
from bot.kit.simulator.notable import SimTableError
from bot.kit.simulator.push_dispatcher import CALLBACK, MESSAGES, SimPush

Json = dict[str, Any]
Handler = Callable[[SimEngine, web.Request], Awaitable[Any]]

_KEEP_ALIVE = 15.0


class InvalidControlRequest(ValueError):
    """A body that the control API does not understand."""


def add_routes(app: web.Application) -> None:
    """Install the control API."""
    for method, path, handler in _ROUTES:
        app.router.add_route(method, path, _json_handler(handler))
    app.router.add_get("/sim/live", live)
    app.router.add_get("/sim/media", show_media)


async def state(engine: SimEngine, request: web.Request) -> Json:
    """Return people, conversations, robot, faults, quota and connections."""
    config = engine.config
    return {
        "robot": {
            "name": config.robot_name,
            "robotCode": config.client_id,
            "clientId": config.client_id,
            "homePage": engine.home_page,
        },
        "company": engine.enterprise.name,
        "commands": [
            {"name": command.name, "label": {"zh": command.chinese, "en": command.english}}
            for command in config.commands
        ],
        "people": [
            {
                "userId": person.user_id,
                "name": person.name,
                "english": person.english,
                "title": person.title,
                "department": _department_name(engine, person.department),
                "roles": list(person.roles),
                "external": person.external,
                "admin": person.admin,
                "language": person.language,
            }
            for person in engine.enterprise.people.values()
        ],
        "conversations": [conversation.render() for conversation in engine.chat.conversations.values()],
        "faults": engine.faults.render(),
        "quota": engine.flow.render(),
        "readings": _readings(engine),
        "connections": len(engine.pushes.connections),
    }


async def read_messages(engine: SimEngine, request: web.Request) -> Json:
    """Return a conversation as one viewer sees it."""
    query = request.query
    return {"items": engine.items(query.get("conversation", ""), query.get("viewer", ""), _number(query.get("after")))}


async def write_message(engine: SimEngine, request: web.Request) -> Json:
    """Write a message as a person."""
    body = await _body(request)
    raw = body.get("raw") or {}
    if not isinstance(raw, dict):
        raise InvalidControlRequest("raw must be an object")
    message = engine.say(
        _text(body, "conversationId"),
        _text(body, "senderId"),
        str(body.get("text") or ""),
        msgtype=str(body.get("msgtype") or "text"),
        at_bot=body.get("atBot", True) is True,
        content=body.get("content") if isinstance(body.get("content"), dict) else None,
        at_user_ids=[str(user_id) for user_id in body.get("atUserIds") or ()],
        raw=raw,
    )
    return {"msgId": message.msg_id, "seq": message.seq}


async def upload(engine: SimEngine, request: web.Request) -> Json:
    """Send a picture or a file as a person."""
    if not request.content_type.startswith("multipart/"):
        raise InvalidControlRequest("multipart/form-data is expected")
    fields: dict[str, str] = {}
    file: StoredFile | None = None
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.filename is not None:
            kind = part.headers.get("Content-Type", "application/octet-stream")
            file = StoredFile(part.filename, kind, bytes(await part.read()))
        else:
            fields[part.name or ""] = await part.text()
    if file is None:
        raise InvalidControlRequest("file is missing")
    code = engine.media.add_received(file)
    content: Json = {"downloadCode": code}
    if file.content_type.startswith("image/"):
        msgtype, content = "picture", {**content, "pictureDownloadCode": code}
    else:
        msgtype, content = "file", {**content, "fileName": file.name, "spaceId": "1", "fileId": code[-8:]}
    message = engine.say(_text(fields, "conversationId"), _text(fields, "senderId"), msgtype=msgtype, content=content)
    return {"msgId": message.msg_id, "seq": message.seq}


async def click(engine: SimEngine, request: web.Request) -> Json:
    """Press a button as a person, and wait for the bot's answer."""
    body = await _body(request)
    params, fields = body.get("params"), body.get("fields") or {}
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise InvalidControlRequest("fields must map names to texts")
    raw = body.get("raw") or {}
    if not isinstance(raw, dict):
        raise InvalidControlRequest("raw must be an object")
    result = await engine.click(
        _text(body, "outTrackId"),
        _text(body, "userId"),
        str(body["buttonId"]) if body.get("buttonId") is not None else None,
        conversation_id=_text(body, "conversationId"),
        params=params if isinstance(params, dict) else None,
        fields=fields,
        raw=raw,
    )
    return {"ok": result.ok, "toast": result.toast, "elapsedMs": round(result.elapsed_ms)}


async def change_person(engine: SimEngine, request: web.Request) -> Json:
    """Let a member leave the company, or change their roles; both send an event."""
    body = await _body(request)
    user_id, roles = _text(body, "userId"), body.get("roles")
    if body.get("left") is True:
        engine.dismiss(user_id)
    elif isinstance(roles, list):
        engine.change_roles(user_id, [str(role) for role in roles])
    else:
        raise InvalidControlRequest("left or roles is expected")
    return {}


async def timeline(engine: SimEngine, request: web.Request) -> Json:
    """Return the timeline of the wire."""
    limit = request.query.get("limit")
    entries = engine.timeline.after(_number(request.query.get("after")), _number(limit) if limit else None)
    return {"items": [entry.render() for entry in entries]}


async def calls(engine: SimEngine, request: web.Request) -> Json:
    """Return the number of calls per API."""
    flow = engine.flow
    return {"calls": dict(flow.calls), "total": flow.calls.total(), "billed": flow.billed_calls}


async def card(engine: SimEngine, request: web.Request) -> Json:
    """Return a stored card with all its data."""
    found = engine.cards.get(request.query.get("outTrackId"))
    if found is None:
        raise SimNotFound("no such card")
    deliveries = [
        {
            "conversationId": copy.conversation.id,
            "seq": copy.seq,
            "carrierId": copy.carrier_id,
            "recipients": sorted(copy.recipients) if copy.recipients is not None else None,
            "top": copy.top,
            "recalled": copy.recalled,
        }
        for copy in engine.chat.copies(found)
    ]
    return {**found.render(), "deliveries": deliveries}


async def read_faults(engine: SimEngine, request: web.Request) -> Json:
    """Return the switches."""
    return engine.faults.render()


async def set_faults(engine: SimEngine, request: web.Request) -> Json:
    """Change some switches."""
    engine.faults.merge(await _body(request))
    return engine.faults.render()


async def push(engine: SimEngine, request: web.Request) -> Json:
    """Push a frame of any kind, or any text, to one connection."""
    body = await _body(request)
    connection = engine.pushes.any_connection()
    if connection is None:
        raise SimNotFound("no connection")
    if "raw" in body:
        connection.send(str(body["raw"]))
        engine.timeline.record("push", "raw", summary=str(body["raw"])[:80])
        return {"messageId": None}
    data, topic = body.get("data", {}), _text(body, "topic")
    headers = body.get("headers") or {}
    if not isinstance(headers, dict):
        raise InvalidControlRequest("headers must be an object")
    frame = SimPush(
        type=str(body.get("type") or CALLBACK),
        topic=topic,
        data=data if isinstance(data, str) else orjson.dumps(data).decode(),
        headers={str(name): str(value) for name, value in headers.items()},
        redeliver=topic == MESSAGES,
    )
    engine.pushes.send(connection, frame)
    return {"messageId": frame.message_id}


async def expire_tokens(engine: SimEngine, request: web.Request) -> Json:
    """Invalidate all app tokens."""
    engine.credentials.expire_tokens()
    engine.timeline.note("tokens", "all app tokens expired")
    return {}


async def drop_connections(engine: SimEngine, request: web.Request) -> Json:
    """Cut every connection: ``{"how": "reset"}`` (default), ``"close"`` properly, or ``"disconnect"`` by frame."""
    how = (await _body(request)).get("how", "reset") if request.body_exists else "reset"
    dropped = list(engine.pushes.connections.values())
    for connection in dropped:
        if how == "disconnect":
            engine.pushes.disconnect(connection)
        elif how == "close":
            engine.pushes.stop_routing_to(connection)
            connection.finish()
        elif how == "reset":
            engine.pushes.stop_routing_to(connection)
            connection.abort()
        else:
            raise InvalidControlRequest("how is reset, close or disconnect")
    return {"dropped": len(dropped)}


async def set_conversation(engine: SimEngine, request: web.Request) -> Json:
    """Remove the bot from a group, or add it again: ``{conversationId, botMember}``."""
    body = await _body(request)
    conversation = engine.conversation(_text(body, "conversationId"))
    conversation.bot_member = body.get("botMember", True) is True
    return conversation.render()


async def set_quota(engine: SimEngine, request: web.Request) -> Json:
    """Set the month's meters: ``{used?, limit?, uses?, usesLimit?}``; a null limit means none."""
    body = await _body(request)
    flow = engine.flow
    if "limit" in body:
        flow.limit = None if body["limit"] is None else _count(body["limit"])
    if "used" in body:
        flow.render()
        flow.used = _count(body["used"])
    if "usesLimit" in body:
        flow.uses_limit = None if body["usesLimit"] is None else _count(body["usesLimit"])
    if "uses" in body:
        flow.render()
        flow.uses = _count(body["uses"])
    meter = flow.render()
    engine.live.tell("quota", meter)
    return meter


async def set_readings(engine: SimEngine, request: web.Request) -> Json:
    """Choose interpretations of undocumented behaviour: ``{answersPublic?, privateValues?}``."""
    body, readings = await _body(request), engine.readings
    wanted: dict[str, Any] = {**_readings(engine), **body}
    if wanted.keys() - _readings(engine).keys() or not all(isinstance(value, bool) for value in wanted.values()):
        raise InvalidControlRequest("answersPublic and privateValues are true or false")
    readings.answers_public, readings.private_values = wanted["answersPublic"], wanted["privateValues"]
    engine.chat.notify_changed(copy for card in engine.cards for copy in engine.chat.copies(card))
    return _readings(engine)


def _readings(engine: SimEngine) -> Json:
    return {
        "answersPublic": engine.readings.answers_public,
        "privateValues": engine.readings.private_values,
    }


async def register_template(engine: SimEngine, request: web.Request) -> Json:
    """Add or change a card template: see `read_template`."""
    engine.cards.register(read_template(await _body(request)))
    return {}


async def client_code(engine: SimEngine, request: web.Request) -> Json:
    """Return the result of `dd.requestAuthCode` for a page inside the client: ``{userId}`` → ``{code}``."""
    person = engine.person(_text(await _body(request), "userId"))
    return {"code": engine.credentials.client_codes.issue(person)[0]}


async def decide_approval(engine: SimEngine, request: web.Request) -> Json:
    """Decide an OA approval as a person in the client: ``{processInstanceId, userId, result, remark?}``."""
    body = await _body(request)
    instance = engine.approvals.find(body.get("processInstanceId"))
    engine.approvals.decide(instance.id, _text(body, "userId"), _text(body, "result"), str(body.get("remark") or ""))
    return instance.render()


async def todos(engine: SimEngine, request: web.Request) -> Json:
    """Return the to-dos on a person's list, newest first: ``?viewer=userId``."""
    person = engine.person(request.query.get("viewer", ""))
    listed = engine.todos.of(person.union_id)
    return {"todos": [{**todo.render(), "done": person.union_id in todo.done} for todo in listed]}


async def tick_todo(engine: SimEngine, request: web.Request) -> Json:
    """Tick a to-do on or off as a person in the client: ``{id, userId, done}``."""
    body = await _body(request)
    person, done = engine.person(_text(body, "userId")), body.get("done")
    listed = {todo.id for todo in engine.todos.of(person.union_id)}
    if _text(body, "id") not in listed or not isinstance(done, bool):
        raise InvalidControlRequest("a to-do on this person's list, and whether it is done, are expected")
    engine.todos.tick(body["id"], {person.union_id: done})
    return {}


async def tables(engine: SimEngine, request: web.Request) -> Json:
    """Return the AI tables with their records."""
    return {"tables": [table.render() for table in engine.tables]}


async def make_table(engine: SimEngine, request: web.Request) -> Json:
    """Make an AI table with one sheet: ``{base, sheet, editors}``, the editors by userId."""
    body = await _body(request)
    editors = body.get("editors")
    if not isinstance(editors, list):
        raise InvalidControlRequest("a list of editors is expected")
    people = [engine.person(str(user_id)).union_id for user_id in editors]
    return engine.tables.add(_text(body, "base"), _text(body, "sheet"), editors=people).render()


async def edit_table(engine: SimEngine, request: web.Request) -> Json:
    """Edit a record of an AI table in the client: ``{base, sheet, id, fields}``."""
    body = await _body(request)
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise InvalidControlRequest("cells are expected")
    table = engine.tables.find(_text(body, "base"), _text(body, "sheet"))
    engine.tables.update(table, {_text(body, "id"): fields})
    return table.render()


async def reset(engine: SimEngine, request: web.Request) -> Json:
    """Return to the initial state."""
    engine.reset()
    return {}


async def show_media(request: web.Request) -> web.Response:
    """Return the picture or file behind a media id or download code."""
    file = request.app[ENGINE_KEY].media.get(request.query.get("id"))
    if file is None:
        return _answer({"error": "no such file"}, 404)
    return web.Response(body=file.content, headers={"Content-Type": file.content_type})


async def live(request: web.Request) -> web.StreamResponse:
    """Stream server-sent events to one viewer."""
    engine = request.app[ENGINE_KEY]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    with engine.live.watching(request.query.get("viewer", "")) as viewer:
        await response.write(b": connected\n\n")
        closing = asyncio.ensure_future(engine.closing.wait())
        try:
            while not viewer.lost and not closing.done():
                event = asyncio.ensure_future(viewer.events.get())
                await asyncio.wait({event, closing}, timeout=_KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
                if event.done():
                    kind, data = event.result()
                    await response.write(b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(data)))
                else:
                    event.cancel()
                    await response.write(b": still here\n\n")
        except ConnectionError:
            # The viewer closed the page; nobody is left to notify.
            return response
        finally:
            closing.cancel()
    return response


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/sim/state", state),
    ("GET", "/sim/messages", read_messages),
    ("POST", "/sim/messages", write_message),
    ("POST", "/sim/uploads", upload),
    ("POST", "/sim/clicks", click),
    ("GET", "/sim/timeline", timeline),
    ("GET", "/sim/calls", calls),
    ("GET", "/sim/cards", card),
    ("GET", "/sim/faults", read_faults),
    ("PUT", "/sim/faults", set_faults),
    ("POST", "/sim/push", push),
    ("POST", "/sim/tokens/expire", expire_tokens),
    ("POST", "/sim/connections/drop", drop_connections),
    ("PUT", "/sim/conversations", set_conversation),
    ("PUT", "/sim/quota", set_quota),
    ("PUT", "/sim/readings", set_readings),
    ("PUT", "/sim/templates", register_template),
    ("POST", "/sim/auth-codes", client_code),
    ("POST", "/sim/approvals", decide_approval),
    ("GET", "/sim/todos", todos),
    ("POST", "/sim/todos", tick_todo),
    ("GET", "/sim/tables", tables),
    ("PUT", "/sim/tables", make_table),
    ("POST", "/sim/tables", edit_table),
    ("POST", "/sim/people", change_person),
    ("POST", "/sim/reset", reset),
)


def _json_handler(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return _answer(await handler(request.app[ENGINE_KEY], request))
        except SimNotFound as error:
            return _answer({"error": str(error)}, 404)
        except (
            SimForbidden,
            InvalidControlRequest,
            InvalidFault,
            InvalidTemplate,
            SimApprovalError,
            SimTableError,
        ) as error:
            return _answer({"error": str(error)}, 400)

    return handle


def _answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


async def _body(request: web.Request) -> Json:
    try:
        value = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise InvalidControlRequest(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidControlRequest("a JSON object is expected")
    return value


def _text(body: Json, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidControlRequest(f"{key} is missing")
    return value


def _number(text: str | None) -> int:
    if text and not text.isdigit():
        raise InvalidControlRequest("a number is expected")
    return int(text) if text else 0


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidControlRequest("a count is expected")
    return value


def _department_name(engine: SimEngine, number: int) -> str:
    department = engine.enterprise.departments.get(number)
    return department.name if department is not None else ""
