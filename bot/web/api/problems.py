"""What a program is told when it gets no answer: problem details (RFC 9457), in both languages.

``title`` and ``detail`` are in the language of the request, ``words`` has both in each language. Of what was wrong with
a request ``errors`` name each place, by a JSON pointer into the body or by the name of a parameter, with an example of
what would do. ``choices`` are lines that may have been meant. No problem repeats what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.cards.language import Language
from bot.mechanisms.tracing import current_trace
from bot.words.phrase import Phrase, Words, phrase
from bot.words.wrong_values import explain_wrong_value

JSON, PROBLEM = "application/json", "application/problem+json"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

NO_KEY = phrase("A key is needed: send it as “Authorization: Bearer …”.")
BAD_REQUEST = phrase("The request cannot be read as it was sent.")
DEFECT = phrase("Something went wrong here. Please look whether it was done before you send it again.")
NO_SUCH = phrase("There is nothing at this address.")
TITLES: Mapping[HTTPStatus, Phrase] = {
    HTTPStatus.BAD_REQUEST: phrase("Not readable"),
    HTTPStatus.UNAUTHORIZED: phrase("No valid key"),
    HTTPStatus.FORBIDDEN: phrase("Not allowed"),
    HTTPStatus.NOT_FOUND: phrase("Not found"),
    HTTPStatus.METHOD_NOT_ALLOWED: phrase("Nothing like that can be done here"),
    HTTPStatus.CONFLICT: phrase("Several things may be meant"),
    HTTPStatus.GONE: phrase("The list has changed too much"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: phrase("Too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: phrase("Not JSON"),
    HTTPStatus.UNPROCESSABLE_ENTITY: phrase("Not understood"),
    HTTPStatus.TOO_MANY_REQUESTS: phrase("Too many requests"),
    HTTPStatus.INTERNAL_SERVER_ERROR: phrase("A defect"),
    HTTPStatus.SERVICE_UNAVAILABLE: phrase("No answer at the moment"),
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457) in both languages.",
    "properties": {
        "type": {"const": "about:blank"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "words": {
            "type": "object",
            "description": "Title and detail by language.",
            "additionalProperties": {
                "type": "object",
                "properties": {"title": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["title", "detail"],
            },
        },
        "rule": {"type": "string", "description": "The rule that refused."},
        "reference": {"type": "string", "description": "Of a failure: where the log and the bot's traces have it."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "Name of a parameter of the address."},
                    "detail": {"type": "string"},
                    "example": {"description": "What would do."},
                },
                "required": ["detail", "example"],
            },
        },
        "choices": {"type": "array", "items": {"$ref": "#/components/schemas/Choice"}},
    },
    "required": ["type", "status", "title", "detail", "words"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongPart:
    """What is wrong with one part of a request: a ``pointer`` into the body, or the name of a ``parameter``."""

    detail: Words
    example: Any
    pointer: str = ""
    parameter: str = ""


class ApiProblem(Exception):
    """A request that gets no answer."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: Words,
        *,
        rule: str = "",
        errors: Sequence[WrongPart] = (),
        choices: Sequence[Mapping[str, Any]] = (),
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        title: Words = "",
    ) -> None:
        """``title`` stands in place of that of the status."""
        super().__init__(str(detail))
        self.status = status
        self.detail = detail
        self.rule = rule
        self.errors = errors
        self.choices = choices
        self.retry_after = retry_after
        self.headers = headers or {}
        self.title = title or TITLES.get(status, status.phrase)

    def response(self, language: Language, languages: Mapping[str, Language]) -> web.Response:
        """Return the answer for a reader of a language."""
        headers = {**HEADERS, **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after)))
        body = orjson.dumps(self.body(language, languages))
        return web.Response(status=self.status, body=body, content_type=PROBLEM, headers=headers)

    def body(self, language: Language, languages: Mapping[str, Language]) -> dict[str, Any]:
        """Return what the answer says."""
        words = {code: self._words(each) for code, each in languages.items()}
        body: dict[str, Any] = {"type": "about:blank", "status": int(self.status), **self._words(language)}
        body["words"] = words
        if self.rule:
            body["rule"] = self.rule
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and (trace := current_trace()):
            body["reference"] = trace.reference
        if self.errors:
            body["errors"] = [_written(each, language) for each in self.errors]
        if self.choices:
            body["choices"] = list(self.choices)
        return body

    def _words(self, language: Language) -> dict[str, str]:
        return {"title": language.say(self.title), "detail": language.say(self.detail)}


def wrong_request(error: ValidationError, model: type[BaseModel], *, in_body: bool) -> ApiProblem:
    """Return what is wrong with the values of a request, each with the example of its field."""
    wrong = []
    for problem in error.errors(include_url=False, include_input=False):
        place = tuple(map(str, problem["loc"]))
        name = place[0] if place else ""
        pointer = "".join(f"/{_pointed(part)}" for part in place) if in_body else ""
        parameter = "" if in_body else name
        detail, example = explain_wrong_value(problem), _example(model, name)
        wrong.append(WrongPart(detail=detail, example=example, pointer=pointer, parameter=parameter))
    return ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("Parts of the request are wrong."), errors=wrong)


def _written(wrong: WrongPart, language: Language) -> dict[str, Any]:
    place = {"parameter": wrong.parameter} if wrong.parameter else {"pointer": wrong.pointer}
    return {**place, "detail": language.say(wrong.detail), "example": wrong.example}


def _example(model: type[BaseModel], name: str) -> Any:
    """Return an example of a field; of one that there is not, the names that there are."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field = fields.get(name)
    return field.examples[0] if field is not None and field.examples else [*fields]


def _pointed(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
