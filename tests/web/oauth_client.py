"""A client of the login, by hand: each step can be taken otherwise than it should be."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.web.mcp.tools import TOOLS
from tests.web.page_client import PageClient, Seen

BACK = "https://agent.example/back"
VERIFIER = "verifier-of-the-test-" * 3
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ALL = tuple(tool.name for tool in TOOLS)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def asking(client_id: str, redirect_uri: str = BACK) -> dict[str, str]:
    """Return what a client sends its person with."""
    return {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def authorizing(client_id: str, redirect_uri: str = BACK) -> str:
    """Return where a client sends its person."""
    return _written(asking(client_id, redirect_uri))


def _written(asked: Mapping[str, str]) -> str:
    return f"/oauth/authorize?{urlencode({name: value for name, value in asked.items() if value})}"


@dataclass
class OAuthClient:
    """One client, and the browser of its person."""

    base: str
    browser: PageClient
    id: str = ""
    redirect_uri: str = BACK
    asked: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Send something of the client's own, and return what is answered."""
        async with self.browser.session.request(method, f"{self.base}{path}", **more) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def register(self, **changes: Any) -> tuple[int, Any]:
        """Say what it is called, and remember the id."""
        said = {"client_name": "Agent", "redirect_uris": [self.redirect_uri], **changes}
        status, told = await self.send("POST", "/oauth/register", json=said)
        self.id = told.get("client_id", "")
        return status, told

    def address(self, **changes: str) -> str:
        """Return where it sends its person; what is changed to nothing is left out."""
        self.asked = asking(self.id, self.redirect_uri) | changes
        return _written(self.asked)

    async def ask(self, **changes: str) -> Seen:
        """Send its person to the page."""
        return await self.browser.get(self.address(**changes))

    async def tap(
        self, page: Seen, decision: str = "allow", tools: Collection[str] = ALL, **changes: str
    ) -> tuple[Seen, Mapping[str, str]]:
        """Tap on the page, and return what comes, and what the client gets with it."""
        fields = {name: unescape(value) for name, value in _HIDDEN.findall(page.html) if name != "key"}
        ticked = {f"tool-{name}": "1" for name in tools}
        came = await self.browser.post(
            "/oauth/authorize", {**fields, **ticked, "decision": decision, **changes}, allow_redirects=False
        )
        return came, answered(came)

    async def code(self, **changes: str) -> str:
        """Have somebody who is logged in say yes, and return the code."""
        _, told = await self.tap(await self.ask(**changes))
        return told["code"]

    async def exchange(self, code: str, **changes: str) -> tuple[int, Any]:
        """Show a code."""
        return await self.token(
            grant_type="authorization_code",
            **{"code": code, "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER, **changes},
        )

    async def refresh(self, token: str, **changes: str) -> tuple[int, Any]:
        """Show a refresh token."""
        return await self.token(grant_type="refresh_token", **{"refresh_token": token, **changes})

    async def token(self, **fields: str) -> tuple[int, Any]:
        """Ask for tokens."""
        sent = {"client_id": self.id, **fields}
        return await self.send("POST", "/oauth/token", data={name: value for name, value in sent.items() if value})


def answered(page: Seen) -> Mapping[str, str]:
    """Return what a client gets with the address to which a browser is sent."""
    return {name: value[0] for name, value in parse_qs(urlsplit(page.headers.get("Location", "")).query).items()}
