"""A program: it asks the API with a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson


@dataclass(frozen=True)
class Told:
    """What the API answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def view(self) -> Any:
        """The record of the answer."""
        assert self.status == 200, self.body
        return self.body["view"]


@dataclass
class ApiClient:
    """One program; ``base`` is where the bot listens."""

    base: str
    session: aiohttp.ClientSession
    token: str = ""

    async def ask(self, line: str, **more: Any) -> Told:
        """Ask a line."""
        return await self.send("POST", "/questions", json={"line": line, **more})

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **query: str) -> Told:
        """Ask for what is at a path."""
        return await self.send("GET", path, params=query, headers=headers)

    async def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Told:
        """Send a request, with the key if there is one."""
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = f"{self.base}/api/v1{path}"
        async with self.session.request(method, address, headers={**own, **(headers or {})}, **more) as answer:
            body = await answer.read()
            said = answer.headers
            return Told(answer.status, orjson.loads(body) if "json" in answer.content_type else body.decode(), said)


@asynccontextmanager
async def api_client(base: str, token: str = "") -> AsyncIterator[ApiClient]:
    """Open a program's connection."""
    async with aiohttp.ClientSession() as session:
        yield ApiClient(base, session, token)
