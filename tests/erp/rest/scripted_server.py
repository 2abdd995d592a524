"""A server that answers what a test tells it to, and the smallest source that asks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

from aiohttp import web

from bot.erp.rest.adapter import RestErp
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import FakeServer, ParsedRequest, RequestKind, exact_json

Open = Callable[..., RestErp]
"""Opens a source with some options; it is closed after the test."""
Start = Callable[[FakeServer], Awaitable[FakeServer]]
"""Starts a server; it is stopped after the test."""


class ScriptedServer(FakeServer):
    """Answers what it is told to, and remembers what it was asked."""

    login_needed = False

    def __init__(self, reply: Callable[[web.Request], Any]) -> None:
        super().__init__(ReferenceCompany(), Clock())
        self.reply = reply
        self.asked: list[tuple[str, str, Any]] = []

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (web.route("*", "/{tail:.*}", self._any),)

    async def understand(self, request: web.Request) -> ParsedRequest:
        return ParsedRequest(RequestKind.OTHER)

    async def _any(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.raw_path, body))
        said = self.reply(request)
        return said if isinstance(said, web.StreamResponse) else exact_json(said)


def sales(url: str, *, of_source: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """Return options of the smallest source there is."""
    area = {
        "one": "/orders/{number}",
        "list": "/orders",
        "fields": {"number": "no", "customer": "c", "status": "s", "total": "t"},
    }
    return {"url": url, "zone": "UTC", "currency": "CNY", "sales": area | changed} | (of_source or {})


SALE = {"no": "1", "c": "Acme", "s": "open", "t": Decimal("12345678901234.56789")}
