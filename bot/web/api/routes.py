"""A request of a program, and what a route is: see `bot.web.api`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Literal

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.access.api_keys import Program
from bot.access.audit import PROGRAM_PLACE
from bot.access.people import Person
from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import Intake, InvalidJson
from bot.cards.language import Language
from bot.cards.notices import DeniedNotice, LimitNotice
from bot.cards.view import View
from bot.chat.answers.page_answers import CutAnswer, PageAnswer, PageAnswers, PageButton
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.failures import NO_ANSWER_NOW
from bot.chat.rule_changes import RuleChanges
from bot.gate.gate import Gate
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import Trace
from bot.proposals.proposals import Proposals
from bot.rulefiles.followed_file import FileInForce
from bot.rulefiles.rehearsal import Rehearsal
from bot.rulefiles.versions import RuleSubject
from bot.web.api.door import ProgramDoor
from bot.web.api.problems import BAD_REQUEST, HEADERS, JSON, ApiProblem, wrong_request
from bot.web.api.records import Json, Schema, write_view
from bot.web.api.shares import KeyShares
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, phrase

log = structlog.get_logger(__name__)

PREFIX = "/api/v1"
MOST_BYTES = 16_384
"""Of most bodies: the longest line has 400 characters."""
_BODY_SECONDS = 10.0
AGAIN = 5.0
"""Seconds after which a request without an answer may be sent again."""


def _as_whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


AS_WHOLE = BeforeValidator(_as_whole)
"""Takes integers as JSON Schema has them, for which 20.0 is one."""


class RequestModel(BaseModel):
    """What a route takes; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Literal["en", "zh_CN"] | None = Field(
        None, description="Language of the words; that of the key's owner by default.", examples=["en"]
    )


@dataclass(frozen=True, slots=True)
class RuleReading:
    """What tells of rules: those in force, and what others would change, as somebody may see it."""

    changes: RuleChanges
    rehearse: Callable[[RuleSubject, FileInForce[Any], Person], Awaitable[Rehearsal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What all routes work with."""

    answers: PageAnswers
    door: ProgramDoor
    limits: Mapping[str, int]
    """Of each key, by the names of their settings; 0: unlimited."""
    languages: Mapping[str, Language]
    language_of: Callable[[str], Language]
    """The language with a code; the company's for an empty one."""
    metrics: Metrics
    now: Callable[[], datetime]
    gate: Gate | None = None
    proposals: Proposals | None = None
    rules: RuleReading | None = None
    intake: Intake | None = None
    shares: KeyShares = field(default_factory=KeyShares)
    traced: Callable[[Trace], None] = lambda trace: None
    """Gets the trace of each request."""

    def asked(self, request: web.Request, program: Program, values: RequestModel) -> ApiRequest:
        """Return what a program asks for, in the language that it wants."""
        language = self.language_of(values.language or program.person.language)
        asking = Program(program.key, replace(program.person, language=language.code))
        return ApiRequest(request=request, program=asking, language=language, parts=self, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request with its program, and what it asks for."""

    request: web.Request
    program: Program
    language: Language
    parts: ApiParts
    values: Any
    """What the route takes: an instance of its model."""

    @property
    def person(self) -> Person:
        """The owner of the key, in the language of the answer."""
        return self.program.person

    @property
    def _place(self) -> Conversation:
        """Where the key's questions are asked: a place of its own, by which the audit log names it."""
        return Conversation(f"{PROGRAM_PLACE}{self.program.key.id}", ConversationKind.DIRECT)

    async def look_up(self, line: str, *, offset: int = 0, rows: int | None = None) -> CutAnswer:
        """Answer a line. Raises `ApiProblem` for a refusal, and where there is no answer now."""
        found = await self.parts.answers.look_up(self.person, line, place=self._place, offset=offset, rows=rows)
        self._check(found)
        return found

    def draw(self, found: CutAnswer) -> PageAnswer:
        """Return what was looked up with its card."""
        return self.parts.answers.draw(found)

    def write(self, view: View) -> Json:
        """Return a view as JSON."""
        return write_view(view, self.language)

    def choices(self, answer: PageAnswer) -> list[Json]:
        """Return what an answer leads on to: lines that can be asked, and links into the ERP."""
        return [choice for choice in map(self._choice, answer.buttons) if choice]

    def _choice(self, button: PageButton) -> Json | None:
        if button.link:
            return {"text": button.text, "link": button.link}
        if button.asks is None or self.parts.answers.commands.parse(button.asks.line).command is None:
            return None
        return {"text": button.text, "line": button.asks.typed}

    def _check(self, found: CutAnswer) -> None:
        view, outcome = found.view, found.answer.outcome
        if isinstance(view, LimitNotice):
            wait = (view.until - self.parts.now()).total_seconds()
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, view.reason, retry_after=wait)
        if isinstance(view, DeniedNotice):
            raise ApiProblem(HTTPStatus.FORBIDDEN, view.reason, rule=found.answer.rule)
        if outcome == "denied":
            raise ApiProblem(HTTPStatus.FORBIDDEN, NOBODY)
        if outcome in NO_ANSWER_NOW:
            said = getattr(view, "problem", None)
            detail: Words = said if isinstance(said, Phrase) else NO_ANSWER
            raise ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=AGAIN)


def no_answer(error: DingerpError) -> ApiProblem:
    """Return what is told where something of ours, or of the ERPs, is away; it is logged."""
    log.warning("api.no_answer", error=type(error).__name__, detail=error.detail)
    return ApiProblem(HTTPStatus.SERVICE_UNAVAILABLE, NO_ANSWER, retry_after=error.retry_after or AGAIN)


NO_JSON = phrase("The body is no JSON.")
NOBODY = phrase("The owner of this key may not ask.")
NO_ANSWER = phrase("There is no answer at the moment. Please try again later.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """One route. ``takes`` is read from the body of a POST, else from the query; ``path_values`` from the path."""

    method: Literal["GET", "POST"]
    path: str
    """Below `PREFIX`."""
    name: str
    summary: str
    serve: Callable[[ApiRequest], Awaitable[web.Response]]
    takes: type[RequestModel] = RequestModel
    gives: Callable[[Any], Schema]
    """The schema of the answer, by `bot.web.api.records.Schemas`."""
    problems: tuple[HTTPStatus, ...] = ()
    """Problems besides those of every route."""
    path_values: Mapping[str, str] = field(default_factory=dict)
    """The values in the path, and what they are."""
    status: HTTPStatus = HTTPStatus.OK
    """Of an answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers that it needs, and what they are."""
    most_bytes: int = MOST_BYTES
    """Of a body."""
    is_exact: bool = False
    """Whether numbers of the body with a fraction are kept as they are written."""

    common: ClassVar[tuple[HTTPStatus, ...]] = (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )

    @property
    def address(self) -> str:
        """The whole path."""
        return f"{PREFIX}{self.path}"

    async def read(self, request: web.Request) -> RequestModel:
        """Return what a request asks for. Raises `ApiProblem`."""
        in_body = self.method == "POST"
        try:
            if not in_body:
                return self.takes.model_validate_strings(_query(request))
            if request.query:
                raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("Everything is asked for in the body here."))
            body = await read_body(request, self.most_bytes)
            if self.is_exact:
                return self.takes.model_validate(decode_json(body), strict=True)
            return self.takes.model_validate_json(body, strict=True)
        except InvalidJson:
            raise ApiProblem(HTTPStatus.BAD_REQUEST, NO_JSON) from None
        except ValidationError as error:
            if in_body and error.errors()[0]["type"] == "json_invalid":
                raise ApiProblem(HTTPStatus.BAD_REQUEST, NO_JSON) from None
            raise wrong_request(error, self.takes, in_body=in_body) from None


def answer(request: web.Request, body: Mapping[str, Json]) -> web.Response:
    """Return an answer; one without a body where the program has the same already.

    The tag leaves out when the figures were read: what says the same as before is the same.
    """
    tag = f'W/"{_digest(body)}"'
    headers = {**HEADERS, "ETag": tag, "Vary": "Authorization"}
    known = {each.strip() for each in request.headers.get("If-None-Match", "").split(",")}
    if request.method == "GET" and known & {tag, tag.removeprefix("W/"), "*"}:
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(body=orjson.dumps(body), content_type=JSON, headers=headers)


def _digest(body: Mapping[str, Json]) -> str:
    view = body.get("view")
    if isinstance(view, Mapping) and isinstance(view.get("freshness"), Mapping):
        timeless = {name: value for name, value in view["freshness"].items() if name != "as_of"}
        body = {**body, "view": {**view, "freshness": timeless}}
    return hashlib.sha256(orjson.dumps(body)).hexdigest()[:32]


def _query(request: web.Request) -> dict[str, str]:
    names = [*request.query]
    if len(names) != len({*names}):
        raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("A parameter is there twice."))
    return dict(request.query)


async def read_body(request: web.Request, most: int = MOST_BYTES) -> bytes:
    """Return the body of a request, which is JSON. Raises `ApiProblem`."""
    if request.content_type != JSON or "Content-Type" not in request.headers:
        raise ApiProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, phrase("The body has to be JSON, as application/json."))
    return await read_bytes(request, most)


async def read_bytes(request: web.Request, most: int = MOST_BYTES) -> bytes:
    """Return the body of a request, within its bounds of length and time. Raises `ApiProblem`."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, phrase("The body has to come without compression."))
    chunks, size = [], request.content_length or 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while size <= most and (chunk := await request.content.readany()):
                chunks.append(chunk)
                size = max(size, sum(map(len, chunks)))
    except (TimeoutError, ConnectionError, web.RequestPayloadError):
        raise ApiProblem(HTTPStatus.BAD_REQUEST, BAD_REQUEST) from None
    if size > most:
        raise ApiProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, phrase("The body is too long."))
    return b"".join(chunks)


CHOICES_REF: Schema = {"type": "array", "items": {"$ref": "#/components/schemas/Choice"}}
CHOICE_SCHEMA: Schema = {
    "type": "object",
    "description": "What leads on: a line that can be asked, or a link into the ERP.",
    "properties": {"text": {"type": "string"}, "line": {"type": "string"}, "link": {"type": "string"}},
    "required": ["text"],
}
