"""One request as ASGI has it, and what an application of the SDK sends back."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Exchange:
    """One request (asgi.readthedocs.io, HTTP 2.4), with the headers that its sender would have to send."""

    request: web.Request
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    status: int = field(default=int(HTTPStatus.INTERNAL_SERVER_ERROR), init=False)
    _headers: list[tuple[str, str]] = field(default_factory=list, init=False)
    _sent: list[bytes] = field(default_factory=list, init=False)
    _is_read: bool = field(default=False, init=False)

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """What the application is called with."""
        request = self.request
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.headers],
            "client": None,
            "server": None,
        }

    @property
    def sent(self) -> bytes:
        """The body of the answer."""
        return b"".join(self._sent)

    async def receive(self) -> MutableMapping[str, Any]:
        """Give the body, all of it at once; nothing follows."""
        if self._is_read:
            await asyncio.Event().wait()
        self._is_read = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            self._sent.append(message.get("body", b""))

    def response(self) -> web.Response:
        """Return what was sent."""
        headers = [pair for pair in self._headers if pair[0].lower() != "content-length"]
        return web.Response(status=self.status, headers=headers, body=self.sent)
