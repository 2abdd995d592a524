"""The API as a whole: which key asks, what is said when something is wrong, and the file that describes it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Protocol

import orjson
import structlog
from aiohttp import web

from bot.cards.language import Language
from bot.mechanisms.tracing import REQUEST, tracing
from bot.web.api.live import LiveAnswers
from bot.web.api.openapi import OPENAPI, describe
from bot.web.api.problems import DEFECT, HEADERS, JSON, NO_SUCH, ApiProblem
from bot.web.api.routes import PREFIX, ApiParts, ApiRequest, ApiRoute, RequestModel, no_answer
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_LOCKED = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}

_NO_ROUTE = "nothing"
"""What requests are counted as that lead to no route."""
_Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageOfRoutes(Protocol):
    """The page on which people read of the routes; implemented by `bot.web.api_page`."""

    def draw(self, language: Language) -> web.Response: ...

    def file(self, name: str) -> web.Response:
        """Return a file that the page brings along."""
        ...


@dataclass(frozen=True, slots=True)
class ApiSite:
    """Serves ``routes`` to programs with keys; without any keys there is no API."""

    parts: ApiParts
    routes: Sequence[ApiRoute]
    live: LiveAnswers
    page: PageOfRoutes

    def mount(self, app: web.Application) -> None:
        """Add everything to an application."""
        for route in self.routes:
            serve = self.handler(route.name, route.read, route.serve)
            if route.method == "GET":
                serve = self.live.serving(serve, self._refused)
            app.router.add_route(route.method, route.address, serve)
        app.on_shutdown.append(self.live.streams.end)
        described = cache(lambda: orjson.dumps(describe(self.routes)))
        app.router.add_get(OPENAPI, self._telling(lambda _: web.Response(body=described(), content_type=JSON)))
        app.router.add_get(f"{PREFIX}/", self._telling(lambda request: self.page.draw(self._language_of(request))))
        app.router.add_get(
            f"{PREFIX}/page/{{name}}", self._telling(lambda request: self.page.file(request.match_info["name"]))
        )
        # What is no route gets a problem as well: in the order of adding, the last.
        app.router.add_route("*", f"{PREFIX}/{{rest:.*}}", self._counted(_NO_ROUTE, self._nothing))

    def handler(
        self,
        name: str,
        read: Callable[[web.Request], Awaitable[RequestModel]],
        serve: Callable[[ApiRequest], Awaitable[web.StreamResponse]],
        *,
        in_turn: bool = True,
    ) -> _Serve:
        """Return what answers requests that show a key, and counts them by ``name``.

        Without ``in_turn`` it is ``serve`` that asks for the key's turns: a stream would keep one.
        """

        async def handle(request: web.Request) -> web.StreamResponse:
            language = self.parts.language_of("")
            try:
                program = await self.parts.door.admit(request)
                language = self.parts.language_of(program.person.language)
                async with self.parts.shares.turn(program.key.id) if in_turn else nullcontext():
                    values = await read(request)
                    language = self.parts.language_of(values.language or language.code)
                    return await serve(self.parts.asked(request, program, values))
            except ApiProblem as problem:
                return problem.response(language, self.parts.languages)
            except DingerpError as error:
                return no_answer(error).response(language, self.parts.languages)
            except web.HTTPException:
                raise
            except Exception as defect:
                log.error("api.failed", route=name, exc_info=defect)
                self.parts.metrics.errors.labels("api", type(defect).__name__).inc()
                failed = ApiProblem(HTTPStatus.INTERNAL_SERVER_ERROR, DEFECT)
                return failed.response(language, self.parts.languages)

        return self._counted(name, handle)

    def _refused(self, problem: ApiProblem) -> web.Response:
        return problem.response(self.parts.language_of(""), self.parts.languages)

    def _counted(self, name: str, serve: _Serve) -> _Serve:
        async def handle(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            with tracing(REQUEST, self.parts.now(), self.parts.traced) as trace:
                response = await serve(request)
                trace.note(name, str(response.status), "")
            self.parts.metrics.program_requests.labels(name, str(response.status)).inc()
            self.parts.metrics.program_seconds.labels(name).observe(time.perf_counter() - began)
            return response

        return handle

    def _language_of(self, request: web.Request) -> Language:
        return self.parts.language_of(request.query.get("lang", ""))

    def _telling(self, make: Callable[[web.Request], web.Response]) -> _Serve:
        """Return what tells of the routes and of nothing else, where there is an API at all."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                there = await self.parts.door.is_there()
            except DingerpError as error:
                log.warning("api.no_answer", error=type(error).__name__, detail=error.detail)
                there = False
            if not there:
                return self._refused(ApiProblem(HTTPStatus.NOT_FOUND, NO_SUCH))
            response = make(request)
            response.headers.update(
                {name: value for name, value in {**HEADERS, **_LOCKED}.items() if name not in response.headers}
            )
            return response

        return handle

    async def _nothing(self, request: web.Request) -> web.Response:
        """Say that there is no such route, or that it takes another method."""
        methods = sorted({route.method for route in self.routes if _leads_to(route, request.path)})
        try:
            there = bool(methods) and await self.parts.door.is_there()
        except DingerpError:
            there = False
        status = HTTPStatus.METHOD_NOT_ALLOWED if there else HTTPStatus.NOT_FOUND
        headers = {"Allow": ", ".join(methods)} if there else {}
        return self._refused(ApiProblem(status, NO_SUCH, headers=headers))


def _leads_to(route: ApiRoute, path: str) -> bool:
    wanted, asked = route.address.split("/"), path.split("/")
    return len(wanted) == len(asked) and all(
        part == there or part.startswith("{") for part, there in zip(wanted, asked, strict=True)
    )
