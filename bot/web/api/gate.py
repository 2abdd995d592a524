"""The routes of the gate: a program asks for leave, uses it once, and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

import orjson
from aiohttp import web
from pydantic import Field

from bot.access.api_keys import GATE_SCOPE
from bot.gate.gate import LONGEST, MOST_ACTION, SHORTEST, Gate, GateWish
from bot.gate.request import GateOutcome, GateRequest, GateState
from bot.web.api.program_asks import IDEMPOTENCY, TEXT, TIME, AskDoor, asked_as, id_of, told
from bot.web.api.records import Json, Schema, Schemas
from bot.web.api.routes import AS_WHOLE, ApiRequest, ApiRoute, RequestModel, answer
from bot.words.phrase import phrase

_SECONDS = (int(SHORTEST.total_seconds()), int(LONGEST.total_seconds()))
_MOST_NOTE = 300


class LeaveBody(RequestModel):
    """What a program wants to do."""

    gate_class: str = Field(
        alias="class",
        max_length=60,
        pattern=r"^[a-z0-9][a-z0-9._-]*$",
        description="The class by which the rules know such requests.",
        examples=["refund"],
    )
    action: str = Field(
        min_length=1,
        max_length=MOST_ACTION,
        pattern=r"\S",
        description="What it would do, in one sentence for people.",
        examples=["Refund order SO-1001 to the customer"],
    )
    facts: dict[str, Any] = Field(
        description="What it would be done with, as JSON without fractions: amounts are texts.",
        examples=[{"order": "SO-1001", "amount": "120.50"}],
    )
    expires_in: Annotated[int, Field(ge=_SECONDS[0], le=_SECONDS[1]), AS_WHOLE] = Field(
        3600, description="Seconds until it is no if nobody decides, and until an answer can no longer be used."
    )


class UseBody(RequestModel):
    """With what a program is let through."""

    facts_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="The hash of the facts as they are now: of their canonical JSON (RFC 8785).",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    verdict: str = Field(
        max_length=2000, description="The verdict, as it was told.", examples=["eyJhbGciOiJFZERTQSIs…"]
    )


class ReportBody(RequestModel):
    """What came of it."""

    outcome: Literal["done", "failed"] = Field(description="done or failed.", examples=["done"])
    note: str = Field("", max_length=_MOST_NOTE, description="More, for people.", examples=["refund 4711"])


_DOOR: AskDoor[Gate] = AskDoor(
    GATE_SCOPE,
    phrase("This key was not made for the gate."),
    lambda parts: parts.gate,
    unfit="/facts",
    example={"amount": "120.50"},
)


async def _ask(asked: ApiRequest, gate: Gate) -> web.Response:
    key, wanted = asked.program.key, asked.values
    wish = GateWish(
        key=key.id,
        owner=key.user_id,
        owner_name=asked.person.name,
        asked_as=asked_as(asked),
        gate_class=wanted.gate_class,
        action=wanted.action,
        facts=wanted.facts,
        expires_in=timedelta(seconds=wanted.expires_in),
    )
    return _told(asked, await gate.ask(wish), HTTPStatus.ACCEPTED)


async def _read(asked: ApiRequest, gate: Gate) -> web.Response:
    return _told(asked, await gate.read(id_of(asked), asked.program.key.id))


async def _withdraw(asked: ApiRequest, gate: Gate) -> web.Response:
    return _told(asked, await gate.withdraw(id_of(asked), asked.program.key.id))


async def _use(asked: ApiRequest, gate: Gate) -> web.Response:
    key, values = asked.program.key.id, asked.values
    return _told(asked, await gate.use(id_of(asked), key, values.facts_sha256, values.verdict))


async def _report(asked: ApiRequest, gate: Gate) -> web.Response:
    key, values = asked.program.key.id, asked.values
    return _told(asked, await gate.report(id_of(asked), key, GateOutcome(values.outcome), values.note))


async def _keys(_asked: ApiRequest, gate: Gate) -> web.Response:
    return answer(_asked.request, {"keys": [dict(key) for key in await gate.public_keys()]})


def _told(asked: ApiRequest, request: GateRequest, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    body: dict[str, Json] = {
        "id": request.id,
        "state": request.state.value,
        "reason": asked.language.say(request.reason),
        "rule": request.rule,
        "class": request.gate_class,
        "action": request.action,
        "facts": orjson.loads(request.facts),
        "facts_sha256": request.digest,
        "verdict": request.verdict or None,
        "outcome": None if request.outcome is None else request.outcome.value,
        "asked_at": request.asked_at.isoformat(),
        "expires_at": request.expires_at.isoformat(),
    }
    return told(asked, body, status)


def _gives(_schemas: Schemas) -> Schema:
    maybe: Schema = {"type": ["string", "null"]}
    properties: dict[str, Schema] = {
        "id": TEXT,
        "state": {"enum": [state.value for state in GateState]},
        "reason": {**TEXT, "description": "Why, in words."},
        "rule": {**TEXT, "description": "The rule that decided; empty for none."},
        "class": TEXT,
        "action": TEXT,
        "facts": {"type": "object"},
        "facts_sha256": TEXT,
        "verdict": {**maybe, "description": "The signed answer (JWS, EdDSA), once there is one."},
        "outcome": {**maybe, "description": "What the program said that came of it."},
        "asked_at": TIME,
        "expires_at": TIME,
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


def _gives_keys(_schemas: Schemas) -> Schema:
    keys: Schema = {"type": "array", "items": {"type": "object"}, "description": "Public keys as JWKs (RFC 8037)."}
    return {"type": "object", "properties": {"keys": keys}, "required": ["keys"]}


def _of_one(
    deed: str,
    summary: str,
    serve: Callable[[ApiRequest, Gate], Awaitable[web.Response]],
    takes: type[RequestModel] = RequestModel,
) -> ApiRoute:
    return ApiRoute(
        method="POST",
        path=f"/gate/requests/{{id}}/{deed}",
        name=f"gate_{deed}",
        summary=summary,
        serve=_DOOR.opened(serve),
        takes=takes,
        gives=_gives,
        problems=(HTTPStatus.CONFLICT,),
        path_values={"id": "Its id."},
    )


GATE_ROUTES = (
    ApiRoute(
        method="POST",
        path="/gate/requests",
        name="gate_ask",
        summary="Ask whether something may be done",
        serve=_DOOR.opened(_ask),
        takes=LeaveBody,
        gives=_gives,
        problems=(HTTPStatus.CONFLICT,),
        status=HTTPStatus.ACCEPTED,
        headers=IDEMPOTENCY,
    ),
    ApiRoute(
        method="GET",
        path="/gate/requests/{id}",
        name="gate_read",
        summary="What has become of a request",
        serve=_DOOR.opened(_read),
        gives=_gives,
        path_values={"id": "Its id."},
    ),
    _of_one("withdraw", "Take a request back before it is used", _withdraw),
    _of_one("use", "Be let through, once", _use, UseBody),
    _of_one("report", "Say what came of it", _report, ReportBody),
    ApiRoute(
        method="GET",
        path="/gate/jwks.json",
        name="gate_keys",
        summary="The public keys of verdicts",
        serve=_DOOR.opened(_keys),
        gives=_gives_keys,
    ),
)
