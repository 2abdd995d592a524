"""The page on which people read what the routes take, and try them with a key of theirs.

It holds nothing of the company. A key that is typed there stays in that browser's page and is never stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.cards.language import Language
from bot.web.api.problems import HEADERS
from bot.web.api.routes import ApiRoute, RequestModel
from bot.web.static_files import PAGE_TEMPLATES, StaticFile, read_static_files
from bot.words.phrase import Phrase

PAGE_FILES = ("icon.svg", "tokens.css", "pages.css", "api.js")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteField:
    """What a route takes by its path or query."""

    name: str
    is_in_path: bool
    needed: bool
    choices: tuple[str, ...]
    example: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRoute:
    """A route as the page has it: ``path`` is relative to the page, ``body`` an example of JSON, empty for none."""

    name: str
    method: str
    path: str
    summary: str
    fields: tuple[RouteField, ...]
    body: str
    headers: tuple[str, ...]


class ApiPage:
    """Draws the page, and has the files that it brings along."""

    def __init__(self, routes: Sequence[ApiRoute]) -> None:
        self._routes = tuple(map(_tried, routes))
        files = read_static_files()
        self.files: Mapping[str, StaticFile] = MappingProxyType({name: files[name] for name in PAGE_FILES})
        environment = Environment(
            loader=FileSystemLoader(PAGE_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(static=lambda name: f"page/{name}?v={self.files[name].version}")
        self._environment = environment

    def draw(self, language: Language) -> web.Response:
        """Return the page."""

        def words(msgid: str, **params: object) -> str:
            return language.say(Phrase(msgid, params))

        text = self._environment.get_template("api.html.j2").render(
            routes=self._routes, _=words, lang=language.code.replace("_", "-")
        )
        headers = {**HEADERS, "Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    def file(self, name: str) -> web.Response:
        """Return one of the page's files."""
        file = self.files.get(name)
        if file is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="not found", headers=HEADERS)
        return web.Response(body=file.content, headers={**HEADERS, "Content-Type": file.media})


def _tried(route: ApiRoute) -> TriedRoute:
    schema = route.takes.model_json_schema()
    in_path = [
        RouteField(name=name, is_in_path=True, needed=True, choices=(), example="", about=about)
        for name, about in route.path_values.items()
    ]
    has_body = route.method == "POST"
    needed = schema.get("required", ())
    own = [
        _field(name, each, needed=name in needed) for name, each in schema["properties"].items() if name != "language"
    ]
    return TriedRoute(
        name=route.name,
        method=route.method,
        path=route.path.removeprefix("/"),
        summary=route.summary,
        fields=(*in_path, *(() if has_body else own)),
        body=_example_of(schema) if has_body else "",
        headers=tuple(route.headers),
    )


def _field(name: str, schema: Mapping[str, Any], *, needed: bool) -> RouteField:
    choices = next((each["enum"] for each in (schema, *schema.get("anyOf", ())) if "enum" in each), ())
    if schema.get("type") == "boolean":
        choices = ("true",)
    example = next(iter(schema.get("examples", ())), "")
    return RouteField(
        name=name,
        is_in_path=False,
        needed=needed,
        choices=tuple(map(str, choices)),
        example="" if isinstance(example, bool) else str(example),
        about=schema.get("description", ""),
    )


def _example_of(schema: Mapping[str, Any]) -> str:
    """Return a body as it could be: what is needed, with its examples."""
    common = RequestModel.model_fields
    needed = schema.get("required", ())
    body = {
        name: next(iter(each.get("examples", ())), {} if each.get("type") == "object" else "")
        for name, each in schema["properties"].items()
        if name not in common and name in needed
    }
    return json.dumps(body, ensure_ascii=False, indent=2)
