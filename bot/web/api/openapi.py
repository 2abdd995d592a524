"""The OpenAPI file, made from the routes: what they take by their models, what they give by the records' own types."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bot.mechanisms.version import installed_version
from bot.web.api.problems import JSON, PROBLEM, PROBLEM_SCHEMA, TITLES
from bot.web.api.records import Json, Schema, Schemas
from bot.web.api.routes import CHOICE_SCHEMA, PREFIX, ApiRoute, RequestModel

OPENAPI = f"{PREFIX}/openapi.json"

_ABOUT = (
    "What a company's ERP says, with the rights of a key's owner. Nothing here changes an ERP; at the gate a program"
    " asks leave for what it does elsewhere. What the owner may not"
    ' see is `{"hidden": "amount"}` and never missing. A line is what people type in the chat. Whatever a GET answers'
    " is told again when it changes to who accepts text/event-stream."
)
_PROBLEM_REF: Schema = {"$ref": "#/components/schemas/Problem"}


def describe(routes: Sequence[ApiRoute]) -> Json:
    """Return the OpenAPI 3.1 description of routes."""
    schemas = Schemas()
    schemas.made |= {"Problem": PROBLEM_SCHEMA, "Choice": CHOICE_SCHEMA}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.address, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "dingerp", "version": installed_version(), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.made.items())),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "`dingerp api key add`"}},
        },
    }


def taken(route: ApiRoute) -> tuple[str, ...]:
    """Return the names of all that a route takes, those of its own first."""
    common = RequestModel.model_fields
    own = [field.alias or name for name, field in route.takes.model_fields.items() if name not in common]
    return (*route.path_values, *own, *common)


def _operation(route: ApiRoute, schemas: Schemas) -> Json:
    made: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    made["responses"] = _responses(route, schemas)
    model, text = route.takes.model_json_schema(), {"type": "string", "minLength": 1}
    needed = [
        *(_parameter("path", name, text, says) for name, says in route.path_values.items()),
        *({**_parameter("header", name, text, says), "required": True} for name, says in route.headers.items()),
    ]
    if route.method == "POST":
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": model}}}
        return {**made, "parameters": needed} if needed else made
    made["parameters"] = [
        *needed,
        *(
            {**_query_parameter(name, schema), "required": name in model.get("required", ())}
            for name, schema in model["properties"].items()
        ),
        _parameter("header", "If-None-Match", {"type": "string"}, "The ETag of an answer that is there already."),
    ]
    return made


def _query_parameter(name: str, schema: Schema) -> Json:
    """Return a parameter of the address, where what is not there is left out and never null."""
    said = {key: value for key, value in schema.items() if key not in {"title", "description", "default"}}
    if kinds := [kind for kind in said.pop("anyOf", ()) if kind.get("type") != "null"]:
        said |= kinds[0]
    return _parameter("query", name, said, schema.get("description", ""))


def _parameter(place: str, name: str, schema: Schema, about: str) -> Json:
    made = {"name": name, "in": place, "schema": schema, "description": about}
    return {**made, "required": True} if place == "path" else made


def _responses(route: ApiRoute, schemas: Schemas) -> Json:
    headers = {"ETag": {"schema": {"type": "string"}, "description": "Of what the answer says, whenever it was read."}}
    found: dict[str, Any] = {
        str(int(route.status)): {
            "description": "The answer",
            "headers": headers,
            "content": {JSON: {"schema": route.gives(schemas)}},
        }
    }
    if route.method == "GET":
        found["304"] = {"description": "The same as before"}
    problems = {*ApiRoute.common, *route.problems}
    if route.method == "POST":
        problems |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    for status in sorted(problems):
        found[str(int(status))] = _problem(status)
    return found


def _problem(status: HTTPStatus) -> Json:
    made: dict[str, Any] = {
        "description": str(TITLES[status]),
        "content": {PROBLEM: {"schema": _PROBLEM_REF}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        made["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    if status is HTTPStatus.UNAUTHORIZED:
        made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return made
