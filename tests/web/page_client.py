"""A browser without a window: it keeps cookies, follows links and sends the forms of pages as people do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any, Self

import aiohttp
from yarl import URL

_TAG = re.compile(r"<[^>]+>")
_FORM_TOKEN = re.compile(r'name="form" value="([0-9a-f]+)"')
_LOGIN = re.compile(r'href="([^"]+/oauth2/auth[^"]+)"')


@dataclass(frozen=True)
class Seen:
    """A page as it came."""

    status: int
    address: URL
    html: str
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def text(self) -> str:
        """What people read on it, on one line."""
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    @property
    def form_token(self) -> str:
        """What its forms carry."""
        found = _FORM_TOKEN.search(self.html)
        assert found is not None, self.text
        return found[1]

    @property
    def dingtalk(self) -> str:
        """Where its login leads."""
        found = _LOGIN.search(self.html)
        assert found is not None, self.text
        return unescape(found[1])

    def token(self, label: str) -> str:
        """Return the token of the button with a text."""
        pattern = rf'name="token" value="([^"]+)">\s*<button[^>]*>{re.escape(label)}</button>'
        found = re.search(pattern, self.html)
        assert found is not None, self.text
        return unescape(found[1])


@dataclass
class PageClient:
    """One browser; ``base`` is the address of the bot's pages."""

    base: str
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **more: Any) -> Seen:
        """Open a page of the bot, or a whole address."""
        return await self._send("GET", path, **more)

    async def post(self, path: str, fields: Mapping[str, str], **more: Any) -> Seen:
        """Send a form."""
        headers = {"Origin": self.base, **more.pop("headers", {})}
        return await self._send("POST", path, data=fields, headers=headers, **more)

    async def press(self, page: Seen, label: str, **fields: str) -> Seen:
        """Press a button that does something."""
        return await self.post("/do", {"form": page.form_token, "token": page.token(label), **fields})

    async def log_in(self, user_id: str, path: str = "/") -> Seen:
        """Log in with DingTalk's page, on the way to a page."""
        return await self.choose((await self.get(path)).dingtalk, user_id)

    async def choose(self, dingtalk: str, user_id: str, **more: Any) -> Seen:
        """Choose on DingTalk's page who one is."""
        return await self._send("POST", dingtalk, data={"userId": user_id}, **more)

    def cookies(self) -> dict[str, str]:
        """Return the bot's cookies."""
        found = self.session.cookie_jar.filter_cookies(URL(self.base))
        return {name: morsel.value for name, morsel in found.items()}

    async def _send(self, method: str, path: str, **more: Any) -> Seen:
        address = path if path.startswith("http") else f"{self.base}{path}"
        headers = {**self.headers, **more.pop("headers", {})}
        async with self.session.request(method, URL(address, encoded=True), headers=headers, **more) as response:
            content = await response.read()
            is_text = response.content_type.startswith("text/")
            text = content.decode() if is_text else ""
            return Seen(response.status, response.url, text, dict(response.headers), content)


@asynccontextmanager
async def page_client(base: str) -> AsyncIterator[PageClient]:
    """Open a browser."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield PageClient(base, session)


class PageMarkup(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.text = ""

    @classmethod
    def of(cls, html: str) -> Self:
        """Read a page."""
        markup = cls()
        markup.feed(html)
        return markup

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def is_foreign(self) -> bool:
        """Whether there is markup that no template of ours makes: it was in somebody's text."""
        return any(
            tag == "img" or (tag == "script" and "src" not in names) or any(name.startswith("on") for name in names)
            for tag, names in self.tags
        )
