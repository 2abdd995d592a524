"""``/keys/{token}``: the page on which somebody enters their own key for an ERP, once.

It is reached by the link of `/bind key` alone. It needs no script, keeps nothing in the browser, and says the same of a
link that was used, is too old, or never was. What is entered goes into no log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from http import HTTPStatus
from types import MappingProxyType
from typing import Protocol

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

_MOST_BYTES = 8_192
_BODY_SECONDS = 10.0
_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
)

_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:26em;margin:3em auto;padding:0 1em}"
    "input,button{font:inherit;width:100%;box-sizing:border-box;padding:.5em;margin:.4em 0}"
)

_OUTCOMES: Mapping[str, tuple[HTTPStatus, Phrase]] = MappingProxyType(
    {
        "stored": (HTTPStatus.OK, phrase("Your key is stored. Your decisions are written with it from now on.")),
        "no_link": (
            HTTPStatus.NOT_FOUND,
            phrase("This link is no longer valid. Get a new one from the bot with /bind key."),
        ),
        "no_key": (
            HTTPStatus.BAD_REQUEST,
            phrase(
                "This is no key: it is empty, too long, or has invisible characters such as line breaks. Copy it again."
            ),
        ),
        "refused": (HTTPStatus.FORBIDDEN, phrase("The ERP refuses this key. Check it, and try again.")),
        "foreign": (HTTPStatus.FORBIDDEN, phrase("This key belongs to another account. Enter one of your own.")),
        "no_answer": (HTTPStatus.SERVICE_UNAVAILABLE, phrase("There is no answer at the moment. Try again later.")),
    }
)
_AGAIN = frozenset({"no_key", "refused", "foreign", "no_answer"})


class OfferedLink(Protocol):
    """What a link is for: `bot.chat.accounts.keys.KeyLink`."""

    @property
    def user_id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def account(self) -> str: ...


class KeyReceiver(Protocol):
    """Takes keys; implemented by `bot.chat.accounts.keys.ErpKeys`. Raises a `DingerpError` when the store is away."""

    async def find_link(self, token: str) -> OfferedLink | None:
        """Return what a link is for; None for one that does not stand."""
        ...

    async def enter(self, token: str, secret: SecretStr) -> str:
        """Take a key, and return what became of it."""
        ...


class PageLanguage(Protocol):
    """The language of a page: `bot.cards.language.Language`."""

    @property
    def code(self) -> str:
        """Its code, such as ``zh_CN``."""
        ...

    def say(self, text: Phrase) -> str:
        """Return a phrase in it."""
        ...


LanguageOf = Callable[[str], PageLanguage]
"""Returns the language of a person, by userId; an empty one has the company's."""


class KeyPage:
    """Serves the page."""

    def __init__(self, desk: KeyReceiver, language_of: LanguageOf) -> None:
        self._desk = desk
        self._language_of = language_of

    def mount(self, app: web.Application) -> None:
        """Add the page to an application."""
        app.router.add_get("/keys/{token}", self._guarded(self._show))
        app.router.add_post("/keys/{token}", self._guarded(self._enter))

    def _guarded(
        self, serve: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                return await serve(request)
            except DingerpError as error:
                log.warning("key_page.no_answer", error=type(error).__name__, detail=error.detail)
                return self._answer("no_answer", None)

        return handle

    async def _show(self, request: web.Request) -> web.Response:
        link = await self._desk.find_link(request.match_info["token"])
        if link is None:
            return self._answer("no_link", None)
        return self._page(link, HTTPStatus.OK, None, form=True)

    async def _enter(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        link = await self._desk.find_link(token)
        if link is None:
            return self._answer("no_link", None)
        size = request.content_length
        if request.content_type != "application/x-www-form-urlencoded" or size is None or size > _MOST_BYTES:
            return self._answer("no_key", link)
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                given = (await request.post()).get("key")
        except (TimeoutError, ValueError, LookupError):  # too slow, or no text in an encoding that there is
            return self._answer("no_key", link)
        outcome = await self._desk.enter(token, SecretStr(given.strip() if isinstance(given, str) else ""))
        return self._answer(str(outcome), link)

    def _answer(self, outcome: str, link: OfferedLink | None) -> web.Response:
        status, words = _OUTCOMES[outcome]
        return self._page(link, status, words, form=link is not None and outcome in _AGAIN)

    def _page(self, link: OfferedLink | None, status: HTTPStatus, words: Phrase | None, *, form: bool) -> web.Response:
        language = self._language_of(link.user_id if link is not None else "")

        def say(text: Phrase) -> str:
            return escape(language.say(text))

        title = say(phrase("Your own ERP key"))
        parts = [f"<h1>{title}</h1>"]
        if words is not None:
            parts.append(f"<p>{say(words)}</p>")
        if form and link is not None:
            about = phrase("For the account %(account)s in %(source)s.", account=link.account, source=link.source)
            label, button = say(phrase("Key")), say(phrase("Store it"))
            hint = phrase("It is kept sealed, shown to nobody, and erased with /unbind.")
            parts += [
                f"<p>{say(about)}</p><p>{say(hint)}</p>",
                '<form method="post" autocomplete="off">',
                f'<label>{label}<input type="password" name="key" required maxlength="1000"'
                ' autocomplete="off" spellcheck="false"></label>',
                f"<button>{button}</button></form>",
            ]
        text = (
            f'<!doctype html><html lang="{escape(language.code.replace("_", "-"))}">'
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><style>{_STYLE}</style>{''.join(parts)}"
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=dict(_HEADERS))
