"""Builds the pages: who is logged in, what they ask, and which pages there are."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.access.audit import AuditLog
from bot.access.page_sessions import PageSessions
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.language import choose_language
from bot.chat.answers.page_answers import PageAnswers
from bot.dingtalk.logins import DingTalkLogins
from bot.mechanisms.background import Runs, repeat
from bot.store.page_sessions import StoredPageSessions
from bot.web.pages.alerts import MUTING, OPEN_ALERTS
from bot.web.pages.approvals import CASE, LIST_OF_CASES
from bot.web.pages.ask import ANSWER, DEED, FILE
from bot.web.pages.documents import LIST, LISTS
from bot.web.pages.drawing import PageDrawing
from bot.web.pages.login import DingTalkApp, LoginPages
from bot.web.pages.login_bounds import LoginBounds
from bot.web.pages.me import ME
from bot.web.pages.operations import AUDIT, STATE
from bot.web.pages.public_address import PublicAddress
from bot.web.pages.site import PageSite
from bot.web.pages.today import TODAY
from bot.web.pages.visit import PageParts

PAGES = (ME, TODAY, LISTS, LIST, OPEN_ALERTS, MUTING, LIST_OF_CASES, CASE, STATE, AUDIT, ANSWER, FILE, DEED)
"""In the order of the menu."""

_TIDIED_EVERY = 3600.0


async def build_pages(
    base: Infrastructure, answers: PageAnswers, audit: AuditLog
) -> tuple[PageSessions, PageSite | None]:
    """Return who is logged in, and the pages where the settings want any."""
    settings = base.settings
    sessions = PageSessions(
        StoredPageSessions(base.database),
        organisation=base.organisation,
        identify=partial(base.people.identify, name=""),
        idle=timedelta(minutes=settings.pages.idle_minutes),
        longest=timedelta(hours=settings.pages.longest_hours),
        audit=audit,
        now=base.now,
    )
    tidy = partial(repeat, sessions.tidy, every=_TIDIED_EVERY, failed="page_sessions.not_tidied")
    await base.run_in_background(tidy, "page sessions", Runs.WITH_LEAD)
    if not settings.has_pages:
        return sessions, None
    parts = PageParts(
        answers=answers,
        sessions=sessions,
        drawing=PageDrawing(PublicAddress(settings.http.public_url)),
        language_of=lambda code: choose_language(base.languages, code or settings.language),
        now=base.now,
    )
    app = DingTalkApp(
        client_id=settings.dingtalk.client_id,
        page=settings.dingtalk.login_page,
        corp_id=lambda: base.organisation.corp_id,
    )
    return sessions, PageSite(
        parts, LoginPages(parts, DingTalkLogins(base.api), app, LoginBounds(base.now)), PAGES, base.metrics
    )
