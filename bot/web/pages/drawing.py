"""Draws pages: the templates, what all of them know, and the files that they bring along."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.cards.language import Language
from bot.web.pages.public_address import PublicAddress
from bot.web.static_files import PAGE_TEMPLATES, read_static_files
from bot.words.phrase import Phrase

STATIC = "/static/"
DINGTALK_SCRIPT = "https://g.alicdn.com/dingding/dingtalk-jsapi/3.1.0/dingtalk.open.js"
"""What gives pages inside DingTalk's client their functions; nothing else is loaded from elsewhere.

The version is that of DingTalk's own page (docs: platform/dingtalk/login.md#in-client-login).
"""


def policy(*, scripts: str = "", forms: str = "") -> str:
    """Return what a page may load, and where its forms lead: besides ourselves to these addresses."""
    of_scripts, of_forms = (" ".join(filter(None, ("'self'", more))) for more in (scripts, forms))
    return (
        f"default-src 'none'; script-src {of_scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        f" form-action {of_forms}; frame-ancestors 'none'; base-uri 'none'"
    )


HEADERS: Mapping[str, str] = MappingProxyType(
    {
        # The next person at a shared computer must not find it by the button that leads back.
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        # Without a referrer browsers tell no origin with a form either.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }
)
IN_CLIENT_POLICY = policy(scripts=DINGTALK_SCRIPT)
"""For the login inside DingTalk's client."""


class PageDrawing:
    """Renders templates for one public address."""

    def __init__(self, address: PublicAddress) -> None:
        self.address = address
        self.files = read_static_files()
        self._environment = Environment(
            loader=FileSystemLoader(PAGE_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(address=address.of, static=self._static)

    def draw(
        self,
        template: str,
        language: Language,
        values: Mapping[str, Any],
        *,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> web.Response:
        """Return a page; ``values`` are what its template sees besides the words."""

        def words(msgid: str, **params: object) -> str:
            return language.say(Phrase(msgid, params))

        text = self._environment.get_template(f"{template}.html.j2").render(
            {
                **values,
                "_": words,
                "say": language.say,
                "show": language.show,
                "colon": language.colon,
                "lang": language.code.replace("_", "-"),
            }
        )
        return web.Response(text=text, status=status, content_type="text/html", headers={**HEADERS, **headers})

    def serve_file(self, request: web.Request) -> web.Response:
        """Answer a request for a file; its address tells its version, so browsers may keep it."""
        file = self.files.get(request.match_info["name"])
        if file is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="not found", headers=dict(HEADERS))
        current = request.query.get("v") == file.version
        kept = {"Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache"}
        return web.Response(body=file.content, headers={**HEADERS, **kept, "Content-Type": file.media})

    def _static(self, name: str) -> str:
        return self.address.of(f"{STATIC}{name}", v=self.files[name].version)
