"""Logging in and out: by DingTalk's login page in a browser, and without a password inside DingTalk's client.

Docs: platform/dingtalk/login.md
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import web
from yarl import URL

from bot.access.page_sessions import SPENT_CODE, LoginCodes, LoginIdentity, LoginRefused, Visitor
from bot.web.failed_proofs import ProofBounds
from bot.web.pages.drawing import DINGTALK_SCRIPT, IN_CLIENT_POLICY
from bot.web.pages.forms import read_form
from bot.web.pages.public_address import HOME, local_path
from bot.web.pages.visit import PageParts, redirect
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

LOGIN, CALLBACK, CLIENT = "/login", "/login/callback", "/login/client"
SESSION, ATTEMPT = "session", "login"
_ATTEMPT_SECONDS = 600
"""How long somebody may take on DingTalk's page: its own code is good for five minutes."""
_MOST_CODE = 512
_SCOPE = "openid corpid"

NOT_AGREED = phrase("You did not agree to the login, so nothing was done.")
FOREIGN_ATTEMPT = phrase("This login was not begun in this browser, or took too long. Please log in again.")
TOO_MANY = phrase("Too many logins from here, or in all, have failed just now. Please try again in a minute.")
NO_ANSWER = phrase("DingTalk, or the bot's database, does not answer at the moment. Please try again later.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkApp:
    """What DingTalk's login wants to know. ``page`` is the address of its login page."""

    client_id: str
    page: str
    corp_id: Callable[[], str]
    """The bot's organisation, empty while it is unknown."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A login that was begun in this browser: what comes back with the code, and where to go then."""

    state: str
    path: str

    def write(self) -> str:
        return f"{self.state}.{base64.urlsafe_b64encode(self.path.encode()).decode()}"

    @classmethod
    def read(cls, text: str) -> _Attempt | None:
        state, _, path = text.partition(".")
        try:
            return cls(state, base64.urlsafe_b64decode(path).decode()) if state else None
        except ValueError:
            return None

    def is_of(self, state: str) -> bool:
        return hmac.compare_digest(self.state.encode(), state.encode())


@dataclass(frozen=True, slots=True)
class LoginPages:
    """Serves them. What they set in a browser no script can read, and no other site can use."""

    parts: PageParts
    codes: LoginCodes
    app: DingTalkApp
    bounds: ProofBounds

    def mount(self, app: web.Application) -> None:
        """Add the pages to an application."""
        app.router.add_get(LOGIN, self.show)
        app.router.add_get(CALLBACK, self.come_back)
        app.router.add_post(CLIENT, self.log_in_inside)

    async def visitor(self, request: web.Request) -> Visitor | None:
        """Return who sent a request; None for nobody. Raises a `DingerpError` when the store is away."""
        return await self.parts.sessions.find(self._cookie(request, SESSION))

    async def show(self, request: web.Request) -> web.Response:
        """Show how to log in; who is logged in already goes on."""
        path = local_path(request.query.get("next", HOME))
        if await self._known(request):
            return redirect(self.parts.drawing.address.of("") + path)
        return self._page(request, path)

    async def come_back(self, request: web.Request) -> web.Response:
        """Take the code with which DingTalk sends the browser back."""
        attempt, query = self._attempt(request), request.query
        if attempt is None or not attempt.is_of(query.get("state", "")):
            return self._page(request, HOME, FOREIGN_ATTEMPT)
        # The parameter is authCode (docs: platform/dingtalk/login.md#web-login).
        code = query.get("authCode", "") or query.get("code", "")
        if not code:
            return self._page(request, attempt.path, NOT_AGREED)
        return await self._log_in(request, attempt, self.codes.of_browser, code)

    async def log_in_inside(self, request: web.Request) -> web.Response:
        """Take the code that the client gave the login page itself."""
        fields = await read_form(request)
        attempt = self._attempt(request)
        if attempt is None or fields is None or not attempt.is_of(fields.get("state", "")):
            return self._page(request, HOME, FOREIGN_ATTEMPT)
        return await self._log_in(request, attempt, self.codes.of_client, fields.get("code", ""))

    async def log_out(self, visitor: Visitor, *, everywhere: bool) -> web.Response:
        """Log somebody out, here or everywhere."""
        sessions = self.parts.sessions
        await (sessions.end_everywhere(visitor) if everywhere else sessions.end(visitor))
        response = redirect(self.parts.drawing.address.of(LOGIN))
        self._drop(response, SESSION)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    def ask(self, request: web.Request) -> web.Response:
        """Send somebody to the login who is not logged in; after it they go on where they were."""
        path = request.path_qs if request.method in {"GET", "HEAD"} else HOME
        query = {} if path == HOME else {"next": path}
        response = redirect(self.parts.drawing.address.of(LOGIN, **query))
        if self._cookie(request, SESSION):
            self._drop(response, SESSION)
        return response

    async def _known(self, request: web.Request) -> bool:
        try:
            return await self.visitor(request) is not None
        except DingerpError as error:
            log.warning("login.no_answer", error=type(error).__name__, detail=error.detail)
            return False

    async def _log_in(
        self, request: web.Request, attempt: _Attempt, ask: Callable[[str], Awaitable[LoginIdentity]], code: str
    ) -> web.Response:
        try:
            if not code or len(code) > _MOST_CODE:
                raise LoginRefused(SPENT_CODE)
            if not self.bounds.admit(request.remote or ""):
                log.warning("login.too_many")
                return self._page(request, attempt.path, TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS)
            identity = await ask(code)
            device = request.headers.get("User-Agent", "")
            token = await self.parts.sessions.begin(identity, device=device, ended=self._cookie(request, SESSION))
        except LoginRefused as refused:
            return self._page(request, attempt.path, refused.reason)
        except DingerpError as error:
            log.warning("login.no_answer", error=type(error).__name__, detail=error.detail)
            return self._page(request, attempt.path, NO_ANSWER, HTTPStatus.SERVICE_UNAVAILABLE)
        self.bounds.succeed(request.remote or "")
        response = redirect(self.parts.drawing.address.of("") + local_path(attempt.path))
        self._drop(response, ATTEMPT)
        self._set(response, SESSION, token)
        return response

    def _page(
        self,
        request: web.Request,
        path: str,
        problem: Phrase | None = None,
        status: HTTPStatus = HTTPStatus.FORBIDDEN,
    ) -> web.Response:
        """Show the way to log in; each time it begins anew, so that an old attempt is worth nothing."""
        attempt = _Attempt(secrets.token_urlsafe(24), local_path(path))
        inside = "DingTalk" in request.headers.get("User-Agent", "")
        language = self.parts.language_of(request.query.get("lang", ""))
        response = self.parts.drawing.draw(
            "login",
            language,
            {
                "problem": problem,
                "dingtalk": self._dingtalk_page(attempt),
                "state": attempt.state,
                "app": self.app,
                "corp_id": self.app.corp_id(),
                "script": DINGTALK_SCRIPT if inside else "",
            },
            status=status if problem else HTTPStatus.OK,
            headers={"Content-Security-Policy": IN_CLIENT_POLICY} if inside else {},
        )
        self._set(response, ATTEMPT, attempt.write(), seconds=_ATTEMPT_SECONDS)
        return response

    def _dingtalk_page(self, attempt: _Attempt) -> str:
        corp_id = self.app.corp_id()
        asked = {
            "redirect_uri": self.parts.drawing.address.whole(CALLBACK),
            "response_type": "code",
            "client_id": self.app.client_id,
            "scope": _SCOPE,
            "state": attempt.state,
            "prompt": "consent",
            **({"corpId": corp_id, "org_type": "management"} if corp_id else {}),
        }
        return str(URL(self.app.page).with_query(asked))

    def _attempt(self, request: web.Request) -> _Attempt | None:
        return _Attempt.read(self._cookie(request, ATTEMPT))

    def _cookie(self, request: web.Request, name: str) -> str:
        return request.cookies.get(self.parts.drawing.address.cookie(name), "")

    def _set(self, response: web.Response, name: str, value: str, *, seconds: int | None = None) -> None:
        address = self.parts.drawing.address
        response.set_cookie(
            address.cookie(name),
            value,
            max_age=seconds,
            path=address.cookie_path,
            secure=address.is_secure,
            httponly=True,
            samesite="Lax",
        )

    def _drop(self, response: web.Response, name: str) -> None:
        address = self.parts.drawing.address
        response.del_cookie(
            address.cookie(name), path=address.cookie_path, secure=address.is_secure, httponly=True, samesite="Lax"
        )
