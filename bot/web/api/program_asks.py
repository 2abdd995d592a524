"""What the routes share by which programs ask people: the scope, the idempotency key, and what is told of refusals."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from aiohttp import web

from bot.access.policy import KEY_RULE, Denied
from bot.chat.program_asks import AskRefused, NoSuchAsk, TooManyAsks, UnfitAsk
from bot.web.api.problems import NO_SUCH, ApiProblem, WrongPart
from bot.web.api.records import Json, Schema
from bot.web.api.routes import ApiParts, ApiRequest, answer
from bot.words.phrase import Phrase, phrase

S = TypeVar("S")
T = TypeVar("T")
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
_IDEMPOTENCY = "Idempotency-Key"
IDEMPOTENCY = {_IDEMPOTENCY: "The same again is the same request: 1 to 100 letters, digits and - _ . :"}
_PATIENCE = 300.0
"""Seconds until a program may ask again somebody who has much to answer."""
_NOT_POSSIBLE = phrase("Not possible as things are")
_NO_IDEMPOTENCY = phrase("The header Idempotency-Key is missing: 1 to 100 letters, digits and - _ . :")
_ASKED_AS = re.compile(r"[\w.:-]{1,100}", re.ASCII)

Handle = Callable[[ApiRequest], Awaitable[web.Response]]


class AskDoor(Generic[S]):
    """Lets programs whose keys have a scope come to a service, and tells them what cannot be done."""

    def __init__(
        self, scope: str, closed: Phrase, service: Callable[[ApiParts], S | None], *, unfit: str, example: Any
    ) -> None:
        """``unfit`` is the pointer to what people cannot be asked, and ``example`` what would do."""
        self._scope = scope
        self._closed = closed
        self._service = service
        self._unfit = unfit
        self._example = example

    def enter(self, asked: ApiRequest) -> S:
        """Return the service. Raises `ApiProblem`."""
        service = self._service(asked.parts)
        if self._scope not in asked.program.key.scopes or service is None:
            raise ApiProblem(HTTPStatus.FORBIDDEN, self._closed, rule=KEY_RULE)
        return service

    def opened(self, serve: Callable[[ApiRequest, S], Awaitable[web.Response]]) -> Handle:
        """Return what serves programs with the scope."""

        async def handle(asked: ApiRequest) -> web.Response:
            return await self.told(serve(asked, self.enter(asked)))

        return handle

    async def told(self, work: Awaitable[T]) -> T:
        """Return what ``work`` does. Raises `ApiProblem` for what it refuses."""
        try:
            return await work
        except NoSuchAsk:
            raise ApiProblem(HTTPStatus.NOT_FOUND, NO_SUCH) from None
        except UnfitAsk as unfit:
            wrong = WrongPart(pointer=self._unfit, detail=unfit.reason, example=self._example)
            raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, unfit.reason, errors=[wrong]) from None
        except TooManyAsks as refused:
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, refused.reason, retry_after=_PATIENCE) from None
        except Denied as denied:
            raise ApiProblem(HTTPStatus.FORBIDDEN, denied.verdict.reason, rule=denied.verdict.rule) from None
        except AskRefused as refused:
            raise ApiProblem(HTTPStatus.CONFLICT, refused.reason, title=_NOT_POSSIBLE) from None


def asked_as(asked: ApiRequest) -> str:
    """Return a request's idempotency key. Raises `ApiProblem`."""
    key = asked.request.headers.get(_IDEMPOTENCY, "")
    if not _ASKED_AS.fullmatch(key):
        raise ApiProblem(HTTPStatus.BAD_REQUEST, _NO_IDEMPOTENCY)
    return key


def id_of(asked: ApiRequest) -> str:
    """Return the id in a request's path."""
    return asked.request.match_info["id"]


def told(asked: ApiRequest, body: Mapping[str, Json], status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return an answer with its status."""
    response = answer(asked.request, body)
    if status is not HTTPStatus.OK:
        response.set_status(status)
    return response
