"""What the tools for approval rules stand on: the configured ERPs, and who is who."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import aiohttp

from bot.approvals.company import Organisation
from bot.approvals.reading import Reader
from bot.approvals.ruling import Level, Need
from bot.assembly.erps import open_hub
from bot.assembly.parts import open_api
from bot.assembly.policy import DirectoryStaff, organisation_of
from bot.cards.language import Language, choose, load_languages
from bot.dingtalk.directory import Directory
from bot.erp.hub import ErpHub
from bot.metrics import Metrics
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``now`` is in the company's zone; reasons are said in ``english``."""

    hub: ErpHub
    organisation: Organisation
    reader: Reader
    now: Callable[[], datetime]
    english: Language


@asynccontextmanager
async def stand(settings: Settings, now: Callable[[], datetime] | None = None) -> AsyncIterator[Ground]:
    """Open the ERPs, and DingTalk's directory where the settings take it; both are closed at the end."""
    zone = ZoneInfo(settings.zone)
    clock = now or (lambda: datetime.now(zone))
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        hub = await open_hub(stack, settings, metrics, clock)
        staff = None
        if settings.access.directory and not settings.keys_missing:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            staff = DirectoryStaff(Directory(open_api(settings, session, metrics)))
        organisation = organisation_of(settings, staff)
        yield Ground(
            hub=hub,
            organisation=organisation,
            reader=Reader(hub, organisation),
            now=clock,
            english=choose(load_languages(), "en"),
        )


def told(level: Level) -> str:
    """Return who has to agree at a level."""
    if not level.approvers:
        return "nobody"
    if len(level.approvers) == 1:
        return level.approvers[0]
    return f"{'any' if level.need is Need.ANY else 'all'} of {', '.join(level.approvers)}"
