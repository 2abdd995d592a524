"""The parts that everything behind the stream uses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.access.membership import Membership
from bot.access.organisation import OwnOrganisation
from bot.access.people import People
from bot.background import BackgroundTasks
from bot.cards.language import Language
from bot.cards.renderer import CardRenderer
from bot.cards.track_ids import TrackIds
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.quota import MonthlyMeter
from bot.dingtalk.reply_addresses import ReplyAddresses
from bot.metrics import Metrics
from bot.outbox.quota import QuotaGuard
from bot.settings import Settings
from bot.store.database import Database
from bot.store.people import StoredPeople


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure:
    """Made once for all packages; ``stack`` closes them."""

    stack: AsyncExitStack
    background: BackgroundTasks
    settings: Settings
    metrics: Metrics
    now: Callable[[], datetime]
    """Gives the present time in the company's zone."""
    database: Database
    api: OpenApi
    meter: MonthlyMeter
    month: QuotaGuard
    reply_addresses: ReplyAddresses
    organisation: OwnOrganisation
    members: Membership
    stored_people: StoredPeople
    people: People
    languages: Mapping[str, Language]
    renderer: CardRenderer
    templates: TemplateChoice
    tracks: TrackIds

    async def run_in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Let ``work`` run as long as the bot does."""
        await self.stack.enter_async_context(self.background.running(work, name))
