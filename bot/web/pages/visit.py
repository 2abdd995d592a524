"""A request of somebody who is logged in, and what pages are: see `bot.web.pages`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeAlias

from aiohttp import web

from bot.access.page_sessions import PageSessions, Visitor
from bot.access.people import Person
from bot.cards.language import Language
from bot.chat.answers.page_answers import PageAnswer, PageAnswers
from bot.mechanisms.tracing import Trace
from bot.web.pages.drawing import HEADERS, PageDrawing, policy
from bot.web.pages.forms import MOST_BYTES
from bot.words.phrase import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. ``send`` takes its forms; ``title`` is its name in the menu, for users of the command it ``needs``.

    A page ``for_administrators`` is shown, and does something, for nobody else. ``most_bytes`` bounds its forms.
    """

    path: str
    show: Callable[[Visit], Awaitable[web.Response]] | None = None
    send: Callable[[Visit, Mapping[str, str]], Awaitable[web.Response]] | None = None
    title: Phrase | None = None
    needs: str = ""
    for_administrators: bool = False
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """What all pages work with."""

    answers: PageAnswers
    sessions: PageSessions
    drawing: PageDrawing
    language_of: Callable[[str], Language]
    """The language with a code, as people may write it; the company's for an empty one."""
    now: Callable[[], datetime]
    identify: Callable[[str], Awaitable[Person]]
    """Returns a member by userId, as they are now."""
    traced: Callable[[Trace], None] = lambda trace: None
    """Gets the trace of each page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request with its person."""

    request: web.Request
    visitor: Visitor
    person: Person
    """In the language of this page."""
    language: Language
    parts: PageParts
    menu: Sequence[Page] = ()

    @property
    def query(self) -> Mapping[str, str]:
        """What follows the path; of repeated names the first."""
        return {name: self.request.query[name] for name in self.request.query}

    @property
    def now(self) -> datetime:
        """The time in the company's zone."""
        return self.parts.now()

    def say(self, words: Phrase) -> str:
        """Return words in the reader's language."""
        return self.language.say(words)

    def address(self, path: str, **query: str) -> str:
        """Return an address of ours."""
        return self.parts.drawing.address.of(path, **query)

    async def ask(self, line: str, *, offset: int = 0, rows: int | None = None) -> PageAnswer:
        """Answer a line for this person; it counts as a question of theirs."""
        return await self.parts.answers.ask(self.person, line, offset=offset, rows=rows)

    async def glance(self, line: str, *, rows: int | None = None) -> PageAnswer:
        """Answer a fixed line beside others; it counts as no question."""
        return await self.parts.answers.glance(self.person, line, rows=rows)

    async def act(self, token: str, fields: Mapping[str, str]) -> PageAnswer:
        """Do what a button stands for, as if it had been tapped on a card."""
        return await self.parts.answers.act(self.person, token, fields)

    def draw(
        self,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        refresh: str = "",
        forms_lead_to: str = "",
        **values: Any,
    ) -> web.Response:
        """Return a page of this person. ``refresh`` is an address that the browser goes on to in some seconds.

        ``forms_lead_to`` is where else the answer of its forms may lead, as policies of content name it.
        """
        usable = self.parts.answers.usable(self.person)
        is_administrator = self.parts.answers.is_administrator(self.person)
        known = {
            "visit": self,
            "usable": usable,
            "menu": [
                page
                for page in self.menu
                if (not page.needs or page.needs in usable) and (is_administrator or not page.for_administrators)
            ],
            "here": self.request.path,
            "when": self.language.datetime,
        }
        headers = {"Refresh": f"{REFRESH_SECONDS}; url={refresh}"} if refresh else {}
        if forms_lead_to:
            headers["Content-Security-Policy"] = policy(forms=forms_lead_to)
        return self.parts.drawing.draw(template, self.language, {**known, **values}, status=status, headers=headers)

    def go(self, path: str, **query: str) -> web.Response:
        """Send the browser to a page of ours."""
        return redirect(self.address(path, **query))


REFRESH_SECONDS = 2
"""After which a page that shows something under way is shown again."""

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def redirect(address: str) -> web.Response:
    """Send the browser on, to be asked for with GET."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": address})
