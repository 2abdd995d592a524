"""What the tools for approval rules rest on: the configured ERPs, and who is who."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import aiohttp

from bot.approvals.document_reader import DocumentReader, Organisation
from bot.approvals.plan import ApprovalLevel, Quorum
from bot.bootstrap.erps import open_hub
from bot.bootstrap.factories import open_api
from bot.bootstrap.policy import DingTalkStaffDirectory, organisation_of
from bot.cards.language import Language, choose_language, load_languages
from bot.dingtalk.directory import DingTalkDirectory
from bot.erp.hub import ErpHub
from bot.metrics import Metrics
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContext:
    """``now`` is in the company's zone; reasons are said in ``english``."""

    hub: ErpHub
    organisation: Organisation
    reader: DocumentReader
    now: Callable[[], datetime]
    english: Language


@asynccontextmanager
async def open_policy_context(
    settings: Settings, now: Callable[[], datetime] | None = None
) -> AsyncIterator[PolicyContext]:
    """Open the ERPs, and DingTalk's directory where the settings take it; both are closed at the end."""
    zone = ZoneInfo(settings.zone)
    clock = now or (lambda: datetime.now(zone))
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        hub = await open_hub(stack, settings, metrics, clock)
        staff = None
        if settings.access.directory and not settings.keys_missing:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            staff = DingTalkStaffDirectory(DingTalkDirectory(open_api(settings, session, metrics)))
        organisation = organisation_of(settings, staff)
        yield PolicyContext(
            hub=hub,
            organisation=organisation,
            reader=DocumentReader(hub, organisation),
            now=clock,
            english=choose_language(load_languages(), "en"),
        )


def describe_level(level: ApprovalLevel) -> str:
    """Return who has to agree at a level."""
    if not level.approvers:
        return "nobody"
    if len(level.approvers) == 1:
        return level.approvers[0]
    return f"{'any' if level.quorum is Quorum.ANY else 'all'} of {', '.join(level.approvers)}"
