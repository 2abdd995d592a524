"""All pages as one site: who may come in, what a form must prove, and what is said when something is wrong."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog
from aiohttp import web

from bot.cards.language import Language
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import PAGE, reference_now, tracing
from bot.web.pages.drawing import STATIC
from bot.web.pages.forms import MOST_BYTES, read_own_form
from bot.web.pages.login import LoginPages
from bot.web.pages.visit import Handler, Page, PageParts, Visit
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

FOREIGN_FORM = phrase("This form is not from your session here, so nothing was done. Please open the page again.")
FOR_ADMINISTRATORS = phrase("This page is for the administrators of the organisation.")
NO_PAGE = phrase("There is no page at this address.")
DEFECT = phrase("Something went wrong here; it is in the log. Please look whether it was done before you repeat it.")
NO_ANSWER = phrase("There is no answer at the moment. Nothing was changed. Please try again later.")


@dataclass(frozen=True, slots=True)
class PageSite:
    """Serves ``pages`` to people who are logged in, and the login to all others."""

    parts: PageParts
    login: LoginPages
    pages: Sequence[Page]
    metrics: Metrics

    def mount(self, app: web.Application) -> None:
        """Add everything to an application. The address of each page is taken as a proxy passes it on: no prefix."""
        app.middlewares.append(self._tell_strays)
        self.login.mount(app)
        app.router.add_get(f"{STATIC}{{name}}", self._file)
        app.router.add_post("/logout", self._guarded("/logout", self._log_out))
        for page in self.pages:
            if page.show is not None:
                app.router.add_get(page.path, self._guarded(page.path, self._for_whom(page, page.show)))
            if page.send is not None:
                sending = self._sending(page.send, page.most_bytes)
                app.router.add_post(page.path, self._guarded(page.path, self._for_whom(page, sending)))

    @web.middleware
    async def _tell_strays(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a person at an address that does not exist with a page; a program is answered without words."""
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if "text/html" not in request.headers.get("Accept", ""):
                raise
            return self._problem(self._language_of(request), NO_PAGE, HTTPStatus.NOT_FOUND)

    async def _file(self, request: web.Request) -> web.Response:
        return self.parts.drawing.serve_file(request)

    def _guarded(self, path: str, serve: Callable[[Visit], Awaitable[web.Response]]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            with tracing(PAGE, self.parts.now(), self.parts.traced) as trace:
                response = await self._answer(request, serve)
                trace.note(path, str(response.status), "")
            self.metrics.pages.labels(path, str(response.status)).inc()
            self.metrics.page_seconds.labels(path).observe(time.perf_counter() - began)
            return response

        return handle

    async def _answer(self, request: web.Request, serve: Callable[[Visit], Awaitable[web.Response]]) -> web.Response:
        language = self._language_of(request)
        try:
            visitor = await self.login.visitor(request)
            if visitor is None:
                return self.login.ask(request)
            # Who wants another language for once says so in the address; who wants it for good, by /lang.
            asked = request.query.get("lang", "")
            language = self.parts.language_of(asked or visitor.person.language)
            person = replace(visitor.person, language=language.code) if asked else visitor.person
            return await serve(
                Visit(
                    request=request,
                    visitor=visitor,
                    person=person,
                    language=language,
                    parts=self.parts,
                    menu=tuple(page for page in self.pages if page.title is not None),
                )
            )
        except DingerpError as error:
            log.warning("page.no_answer", error=type(error).__name__, detail=error.detail)
            return self._problem(language, NO_ANSWER, HTTPStatus.SERVICE_UNAVAILABLE, reference_now())
        except Exception as defect:
            log.error("page.failed", path=request.path, exc_info=defect)
            self.metrics.errors.labels("pages", type(defect).__name__).inc()
            return self._problem(language, DEFECT, HTTPStatus.INTERNAL_SERVER_ERROR, reference_now())

    def _language_of(self, request: web.Request) -> Language:
        return self.parts.language_of(request.query.get("lang", ""))

    def _for_whom(
        self, page: Page, serve: Callable[[Visit], Awaitable[web.Response]]
    ) -> Callable[[Visit], Awaitable[web.Response]]:
        if not page.for_administrators:
            return serve

        async def serve_administrators(visit: Visit) -> web.Response:
            if not self.parts.answers.is_administrator(visit.person):
                return self._problem(visit.language, FOR_ADMINISTRATORS, HTTPStatus.FORBIDDEN)
            return await serve(visit)

        return serve_administrators

    def _sending(
        self, send: Callable[[Visit, Mapping[str, str]], Awaitable[web.Response]], most_bytes: int
    ) -> Callable[[Visit], Awaitable[web.Response]]:
        async def take(visit: Visit) -> web.Response:
            fields = await self._own_form(visit, most_bytes)
            if fields is None:
                return self._problem(visit.language, FOREIGN_FORM, HTTPStatus.FORBIDDEN)
            return await send(visit, fields)

        return take

    async def _log_out(self, visit: Visit) -> web.Response:
        fields = await self._own_form(visit, MOST_BYTES)
        if fields is None:
            return self._problem(visit.language, FOREIGN_FORM, HTTPStatus.FORBIDDEN)
        return await self.login.log_out(visit.visitor, everywhere=fields.get("where") == "everywhere")

    async def _own_form(self, visit: Visit, most_bytes: int) -> Mapping[str, str] | None:
        """Return the fields of a form that was sent from a page of this session; None for any other."""
        origin = self.parts.drawing.address.origin
        return await read_own_form(visit.request, origin, visit.visitor.sent_form, most_bytes)

    def _problem(
        self, language: Language, words: Phrase, status: HTTPStatus, reference: str | None = None
    ) -> web.Response:
        return self.parts.drawing.draw("problem", language, {"problem": words, "reference": reference}, status=status)
