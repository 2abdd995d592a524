"""Builds single parts from the settings, also for tools on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from bot.cards.budget import Budget
from bot.cards.language import Language, load_languages
from bot.cards.renderer import CardRenderer
from bot.dingtalk.apis import DEPARTMENTS_BELOW, ROLES, USERS_OF_DEPARTMENT, USERS_WITH_ROLE, AppKeys, Endpoints
from bot.dingtalk.card_wire import ButtonStyle, CardTemplate, TemplateChoice, own_template
from bot.dingtalk.openapi import ApiRates, ApiRetryPolicy, OpenApi
from bot.dingtalk.quota import MonthlyMeter
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings

_WALKS = tuple(call.name for call in (DEPARTMENTS_BELOW, ROLES, USERS_OF_DEPARTMENT, USERS_WITH_ROLE))
"""Calls of directory walks, which must leave room for others."""


def open_api(
    settings: Settings,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    meter: MonthlyMeter | None = None,
    patience: ApiRetryPolicy | None = None,
) -> OpenApi:
    """Return the client for DingTalk's calls."""
    dingtalk, limits = settings.dingtalk, settings.limits
    # Replicas share DingTalk's limit, and no more of them join than the settings say: each has its part, and none waits
    # for a count of all.
    qps, walks = limits.qps / settings.replicas, min(limits.qps, limits.directory_qps) / settings.replicas
    return OpenApi(
        session,
        AppKeys(dingtalk.client_id, dingtalk.client_secret, dingtalk.robot_code),
        metrics=metrics,
        endpoints=Endpoints(api=dingtalk.openapi_endpoint, oapi=dingtalk.oapi_endpoint),
        meter=meter,
        patience=patience,
        proxy=dingtalk.proxy or None,
        rates=ApiRates(default=qps, by_api=dict.fromkeys(_WALKS, walks)),
    )


def make_renderer(
    settings: Settings,
    languages: Mapping[str, Language] | None = None,
    *,
    budget: Budget | None = None,
    now: Callable[[], datetime] | None = None,
) -> CardRenderer:
    """Return the renderer of cards; ``languages`` are loaded unless passed in.

    ``budget`` holds for all cards, by default that of each card's template.
    """
    cards, chosen = settings.cards, templates(settings)
    return CardRenderer(
        languages=languages or load_languages(),
        budget_of=lambda card: budget or chosen.of(card).budget,
        custom_dir=cards.folder,
        now=now,
        sources=settings.erp,
    )


def templates(settings: Settings) -> TemplateChoice:
    """Return the mapping of cards to DingTalk templates."""
    cards = settings.cards
    public = CardTemplate(body_bytes=cards.body_bytes, buttons_bytes=cards.buttons_bytes)
    chosen = {
        name: own_template(
            template.template_id,
            ButtonStyle(template.button_style),
            template.variables,
            body_bytes=cards.body_bytes,
            buttons_bytes=cards.buttons_bytes,
        )
        for name, template in cards.templates.items()
    }
    return TemplateChoice(default=chosen.pop("default", public), by_card=chosen)
