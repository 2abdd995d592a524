"""The route by which a program learns whose key it holds, and what that opens now."""

from __future__ import annotations

from aiohttp import web

from bot.web.api.records import Schema, Schemas
from bot.web.api.routes import ApiRequest, ApiRoute, answer

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_TIME: Schema = {"type": "string", "format": "date-time"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}


async def tell_whose(asked: ApiRequest) -> web.Response:
    """Tell the key, its owner and its limits; there are no figures in it, so it counts as no question."""
    key, person, commands = asked.program.key, asked.person, asked.parts.answers.commands
    usable = asked.parts.answers.usable(person)
    body = {
        "key": key.id,
        "owner": key.user_id,
        "name": person.name,
        "language": person.language,
        "scopes": sorted(key.scopes),
        "commands": sorted(name for name in usable if commands[name].only_asks),
        "expires_at": key.expires_at.isoformat(),
        "limits": asked.parts.limits,
    }
    return answer(asked.request, body)


def _gives(_schemas: Schemas) -> Schema:
    properties: dict[str, Schema] = {
        "key": {**_TEXT, "description": "Its id: `api:ID` in the audit log."},
        "owner": {**_TEXT, "description": "The userId of whom it asks as."},
        "name": _TEXT,
        "language": _TEXT,
        "scopes": {**_TEXTS, "description": "The commands that it was made for; * is all."},
        "commands": {**_TEXTS, "description": "What it may ask now: its scopes, as far as its owner's rights go."},
        "expires_at": _TIME,
        "limits": {"type": "object", "additionalProperties": _NUMBER, "description": "Of this key; 0 is none."},
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


WHOSE = ApiRoute(
    method="GET",
    path="/whoami",
    name="whose_key",
    summary="Whose key this is, what it may ask now, and until when",
    serve=tell_whose,
    gives=_gives,
)
