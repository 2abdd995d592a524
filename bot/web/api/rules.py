"""The routes of rules: what is in force, whether a text has errors, and what it would change. None of them writes.

Each asks `/rules` first: who may see the rules, the key's limits and the audit log are those of that line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import Field

from bot.chat.registry import Commands
from bot.rulefiles.document import MAX_BYTES
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.rehearsal import Rehearsal
from bot.rulefiles.versions import RuleSubject
from bot.rulefiles.writing import RuleChangeRefused
from bot.web.api.documents import not_told, one_schema
from bot.web.api.problems import NO_SUCH, ApiProblem
from bot.web.api.records import Json, Schema, Schemas
from bot.web.api.routes import ApiRequest, ApiRoute, RequestModel, RuleReading, answer
from bot.words.phrase import Words, phrase

_COMMAND, _LINE, _CARD = "rules", "/rules", "rules_overview"
_ESCAPED = 2
"""Bytes of JSON for one of the text, at the most: a line break is two."""
_AGAIN = 15.0
"""Seconds after which a rehearsal can be asked for again: as long as one takes at the most."""
NOT_NOW = phrase("Not possible as things are")
TOO_LONG = phrase("The text is too long.")


class RuleTextBody(RequestModel):
    """A whole file."""

    text: str = Field(description=f"All of the file, as TOML, at most {MAX_BYTES} bytes.", examples=["[roles]\n"])


Serve = Callable[[ApiRequest, RuleReading, RuleSubject], Awaitable[dict[str, Json]]]


def rule_routes(commands: Commands) -> tuple[ApiRoute, ...]:
    """Return the routes, where there is the command."""
    return RULE_ROUTES if _COMMAND in commands else ()


async def _admitted(asked: ApiRequest) -> tuple[RuleReading, Json]:
    """Return what tells of rules, and the overview, to who may see it. Raises `ApiProblem`."""
    found = await asked.look_up(_LINE)
    if found.view.card != _CARD or asked.parts.rules is None:
        raise not_told(asked, found)
    return asked.parts.rules, asked.write(found.view)


async def _overview(asked: ApiRequest) -> web.Response:
    _, view = await _admitted(asked)
    return answer(asked.request, {"line": _LINE, "view": view, "links": []})


def _of_one(serve: Serve) -> Callable[[ApiRequest], Awaitable[web.Response]]:
    async def handle(asked: ApiRequest) -> web.Response:
        reading, _ = await _admitted(asked)
        try:
            subject = RuleSubject(asked.request.match_info["subject"])
        except ValueError:
            raise ApiProblem(HTTPStatus.NOT_FOUND, NO_SUCH) from None
        return answer(asked.request, await serve(asked, reading, subject))

    return handle


async def _read(_asked: ApiRequest, reading: RuleReading, subject: RuleSubject) -> dict[str, Json]:
    file = await reading.changes.in_force(subject)
    return {
        "subject": subject.value,
        "has_file": file.has_file,
        "sha256": file.sha256,
        "is_in_force": not file.differs,
        "text": file.text,
    }


async def _check(asked: ApiRequest, reading: RuleReading, subject: RuleSubject) -> dict[str, Json]:
    try:
        found = await reading.changes.check(subject, _text(asked))
    except RulesError as error:
        return {"errors": _problems(asked, error.problems), "warnings": []}
    return {"errors": [], "warnings": _problems(asked, found.review.warnings)}


async def _rehearse(asked: ApiRequest, reading: RuleReading, subject: RuleSubject) -> dict[str, Json]:
    try:
        found = await reading.changes.check(subject, _text(asked))
        rehearsed = await reading.rehearse(subject, found, asked.person)
    except RulesError as error:
        return {"errors": _problems(asked, error.problems), **_rehearsed(asked, Rehearsal())}
    except RuleChangeRefused as refused:
        raise ApiProblem(HTTPStatus.CONFLICT, refused.reason, title=NOT_NOW, retry_after=_AGAIN) from None
    return {"errors": [], **_rehearsed(asked, rehearsed)}


def _text(asked: ApiRequest) -> str:
    text: str = asked.values.text
    if len(text.encode()) > MAX_BYTES:
        raise ApiProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LONG)
    return text


def _problems(asked: ApiRequest, found: Sequence[RuleProblem]) -> list[Json]:
    return [{"line": each.line, "detail": asked.language.say(each.reason)} for each in found]


def _rehearsed(asked: ApiRequest, found: Rehearsal) -> dict[str, Json]:
    def said(words: Words) -> str:
        return asked.language.say(words)

    figures = [{"what": said(what), "now": said(now), "then": said(then)} for what, now, then in found.figures]
    return {
        "figures": figures,
        "headings": [*map(said, found.headings)],
        "rows": [[*map(said, row)] for row in found.rows],
        "notes": [*map(said, found.notes)],
    }


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": [*properties]}


def _list_of(items: Schema, said: str) -> Schema:
    return {"type": "array", "items": items, "description": said}


_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_PROBLEM = _object(line={"type": "integer", "minimum": 0}, detail=_TEXT)
_ERRORS = _list_of(_PROBLEM, "With any, the text could not come into force.")


def _gives_text(_schemas: Schemas) -> Schema:
    return _object(
        subject={"enum": [each.value for each in RuleSubject]},
        has_file={"type": "boolean", "description": "Whether the rules in force are of a file, or the default ones."},
        sha256={**_TEXT, "description": "Of the file whose rules are in force; empty for the default ones."},
        is_in_force={"type": "boolean", "description": "Whether the file as it lies there is the one in force."},
        text={**_TEXT, "description": "The file as it lies there."},
    )


def _gives_check(_schemas: Schemas) -> Schema:
    return _object(errors=_ERRORS, warnings=_list_of(_PROBLEM, "What is probably not meant."))


def _gives_rehearsal(_schemas: Schemas) -> Schema:
    return _object(
        errors=_ERRORS,
        figures=_list_of(_object(what=_TEXT, now=_TEXT, then=_TEXT), "Now, and with the text."),
        headings=_TEXTS,
        rows=_list_of(_TEXTS, "What would be different, by the headings; of documents what the owner may see."),
        notes=_list_of(_TEXT, "What was looked at, and what was left out."),
    )


def _overview_schema(schemas: Schemas) -> Schema:
    return one_schema(schemas, _CARD)


def _one(deed: str, summary: str, serve: Serve, gives: Callable[[Any], Schema]) -> ApiRoute:
    return ApiRoute(
        method="POST" if deed else "GET",
        path=f"/rules/{{subject}}{deed and '/'}{deed}",
        name=f"{deed or 'read'}_rules",
        summary=summary,
        serve=_of_one(serve),
        takes=RuleTextBody if deed else RequestModel,
        gives=gives,
        problems=(HTTPStatus.CONFLICT,) if deed == "rehearse" else (),
        path_values={"subject": "access, alerts or approvals."},
        most_bytes=_ESCAPED * MAX_BYTES,
    )


RULE_ROUTES = (
    ApiRoute(
        method="GET",
        path="/rules",
        name="list_rules",
        summary="Which rules are in force, since when and by whom",
        serve=_overview,
        gives=_overview_schema,
    ),
    _one("", "The text of a rule file", _read, _gives_text),
    _one("check", "Whether a text could come into force as these rules", _check, _gives_check),
    _one(
        "rehearse",
        "What a text would change: who may what, last week's alerts, past decisions",
        _rehearse,
        _gives_rehearsal,
    ),
)
