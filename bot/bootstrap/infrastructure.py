"""The parts that everything behind the stream uses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.access.membership import DirectoryClosed, Membership
from bot.access.organisation import OwnOrganisation
from bot.access.people import DirectoryEntry, People
from bot.background import BackgroundTasks
from bot.cards.language import Language
from bot.cards.renderer import CardRenderer
from bot.cards.track_ids import TrackIds
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.dingtalk.errors import DingTalkRefused, DingTalkScopeMissing
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.quota import MonthlyMeter
from bot.metrics import Metrics
from bot.outbox.quota import QuotaGuard
from bot.settings import Settings
from bot.store.database import Database


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
    organisation: OwnOrganisation
    members: Membership
    people: People
    languages: Mapping[str, Language]
    renderer: CardRenderer
    templates: TemplateChoice
    tracks: TrackIds

    async def run_in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Let ``work`` run as long as the bot does."""
        await self.stack.enter_async_context(self.background.running(work, name))


_NOT_SHOWN = frozenset({"50002"})
"""Codes for people outside what the app may see (docs: platform/dingtalk/directory.md#errors)."""


class DirectoryAdapter:
    """Implements `bot.access.membership.Directory` by DingTalk's directory."""

    def __init__(self, directory: DingTalkDirectory) -> None:
        self._directory = directory

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        """Return a member's entry as it is now; None for people outside the organisation."""
        self._directory.forget(user_id)
        try:
            person = await self._directory.person(user_id)
        except DingTalkUnknownPerson:
            return None
        except DingTalkScopeMissing as error:
            raise DirectoryClosed(error.detail) from error
        except DingTalkRefused as refusal:
            if refusal.code in _NOT_SHOWN:
                raise DirectoryClosed(refusal.detail) from refusal
            raise
        return DirectoryEntry(
            name=person.name, roles=person.roles, departments=person.departments, is_admin=person.is_admin
        )
