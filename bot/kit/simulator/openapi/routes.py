"""Every call of both APIs, in one list."""

from __future__ import annotations

from aiohttp import web

from bot.kit.simulator.openapi import (
    cards,
    contacts,
    login,
    media,
    messages,
    notable,
    registration,
    todos,
    webhooks,
    workflow,
)
from bot.kit.simulator.openapi.dispatch import SimApiRoute, answer_unknown, handler_for

ROUTES: tuple[SimApiRoute, ...] = (
    *cards.ROUTES,
    *messages.ROUTES,
    *webhooks.ROUTES,
    *media.ROUTES,
    *contacts.ROUTES,
    *login.ROUTES,
    *registration.ROUTES,
    *workflow.ROUTES,
    *todos.ROUTES,
    *notable.ROUTES,
)


def add_routes(app: web.Application) -> None:
    """Install every call, and the answer for unknown paths. Call it last."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, handler_for(route))
    media.add_download(app)
    login.add_pages(app)
    registration.add_pages(app)
    app.router.add_route("*", "/{unknown:.*}", answer_unknown)
