"""What a client is told when it gets nothing: the errors of OAuth as JSON (RFC 6749, RFC 7591)."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from aiohttp import web

from bot.web.api.problems import JSON

HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class OAuthProblem(Exception):
    """A client's request that comes to nothing. ``words`` are for who writes the client."""

    def __init__(self, code: str, words: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status

    def response(self) -> web.Response:
        """Return the answer."""
        body = orjson.dumps({"error": self.code, "error_description": self.words})
        return web.Response(status=self.status, body=body, content_type=JSON, headers=HEADERS)
