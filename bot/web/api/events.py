"""The route by which a program reports events. They go the way of events by webhook, with the same answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import Field

from bot.access.api_keys import events_scope
from bot.access.policy import KEY_RULE
from bot.alerts.intake.port import IntakeFull
from bot.alerts.intake.webhook import MAX_BYTES, MAX_EVENTS
from bot.web.api.problems import ApiProblem
from bot.web.api.program_asks import TEXT, told
from bot.web.api.records import Schema, Schemas
from bot.web.api.routes import ApiRequest, ApiRoute, RequestModel
from bot.words.phrase import phrase

CLOSED = phrase("This key was not made to report events of this source.")
FULL = phrase("Too many events of this source wait already. Please send them again later.")
_MOST_NAME = 60


class EventsBody(RequestModel):
    """What happened, and in which system."""

    source: str = Field(
        min_length=1,
        max_length=_MOST_NAME,
        description="The system, by its name in the configuration: the key has to have the scope `events:` with it.",
        examples=["main"],
    )
    events: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_EVENTS,
        description="CloudEvents 1.0, each as a JSON object. Numbers stay exact.",
        examples=[
            [
                {
                    "specversion": "1.0",
                    "id": "so-1001-late",
                    "source": "/wms",
                    "type": "order.late",
                    "subject": "SO-1001",
                    "data": {"customer": "ACME", "days_late": 3},
                }
            ]
        ],
    )


async def _report(asked: ApiRequest) -> web.Response:
    source: str = asked.values.source
    intake = asked.parts.intake
    if intake is None or events_scope(source) not in asked.program.key.scopes:
        raise ApiProblem(HTTPStatus.FORBIDDEN, CLOSED, rule=KEY_RULE)
    try:
        outcome = await intake.accept(source, asked.values.events, via="api")
    except IntakeFull as full:
        raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, FULL, retry_after=full.retry_after) from None
    rejected = [{"id": each.id, "reason": each.reason} for each in outcome.rejected]
    body = {"accepted": outcome.accepted, "duplicate": outcome.duplicate, "rejected": rejected}
    return told(asked, body, HTTPStatus.ACCEPTED)


def _gives(_schemas: Schemas) -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    wrong: Schema = {"type": "object", "properties": {"id": TEXT, "reason": TEXT}, "required": ["id", "reason"]}
    properties: dict[str, Schema] = {
        "accepted": {**count, "description": "New events. They are committed."},
        "duplicate": {**count, "description": "Events that were there already, by their source and id."},
        "rejected": {"type": "array", "items": wrong, "description": "Events that nobody can read; they are kept."},
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


EVENTS = ApiRoute(
    method="POST",
    path="/events",
    name="report_events",
    summary="Report what happened in a system, as CloudEvents",
    serve=_report,
    takes=EventsBody,
    gives=_gives,
    status=HTTPStatus.ACCEPTED,
    most_bytes=MAX_BYTES,
    is_exact=True,
)
