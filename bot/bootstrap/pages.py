"""Builds the pages: who is logged in, what they ask, and which pages there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from bot.access.audit import AuditLog, RequiredAudit
from bot.access.page_sessions import PageSessions
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.audit import report_places
from bot.bootstrap.findings import Findings
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.rehearsals import Rehearsals
from bot.bootstrap.rules import RuleFiles
from bot.cards.language import choose_language
from bot.chat.answers.page_answers import PageAnswers
from bot.chat.confirmations import CONFIRMATION_CARD, ConfirmationComposer, Confirmations
from bot.chat.rule_changes import RuleChanges
from bot.chat.rule_proposals import PROPOSAL_CARD, RuleProposalComposer, proposal_cards
from bot.dingtalk.logins import DingTalkLogins
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.tracing import Trace
from bot.outbox.place import PlaceKind
from bot.rulefiles.versions import RuleVersion
from bot.store.confirmations import StoredConfirmations
from bot.store.outbox.queue import StoredBacklog
from bot.store.page_sessions import StoredPageSessions
from bot.store.people import find_administrators
from bot.store.rule_versions import StoredRuleVersions
from bot.web.failed_proofs import ProofBounds
from bot.web.pages.alerts import MUTING, OPEN_ALERTS
from bot.web.pages.approvals import CASE, LIST_OF_CASES
from bot.web.pages.ask import ANSWER, DEED, FILE
from bot.web.pages.documents import LIST, LISTS
from bot.web.pages.drawing import PageDrawing
from bot.web.pages.efficiency import EFFICIENCY
from bot.web.pages.leadtimes import LEAD_TIMES
from bot.web.pages.login import DingTalkApp, LoginPages
from bot.web.pages.me import ME
from bot.web.pages.operations import AUDIT, STATE, TRACE
from bot.web.pages.people import MEMBER, MEMBERS, SEEN
from bot.web.pages.public_address import PublicAddress
from bot.web.pages.questions import QUESTIONS
from bot.web.pages.rules import CHANGE, RulePages
from bot.web.pages.site import PageSite
from bot.web.pages.today import TODAY
from bot.web.pages.visit import Page, PageParts
from bot.web.pages.week import WEEK

PAGES = (
    ME,
    TODAY,
    WEEK,
    LISTS,
    LIST,
    OPEN_ALERTS,
    MUTING,
    LIST_OF_CASES,
    CASE,
    MEMBERS,
    MEMBER,
    SEEN,
    EFFICIENCY,
    LEAD_TIMES,
    QUESTIONS,
    STATE,
    AUDIT,
    TRACE,
    ANSWER,
    FILE,
    DEED,
)
"""In the order of the menu."""

_TIDIED_EVERY = 3600.0


async def build_sessions(base: Infrastructure, audit: AuditLog) -> PageSessions:
    """Return who is logged in."""
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
    return sessions


def build_confirmations(
    base: Infrastructure, alerts: AlertServices, audit: AuditLog, sessions: PageSessions
) -> Confirmations:
    """Return what people confirm in their own chats, and let the outbox show the cards."""
    store = StoredConfirmations(base.database)
    alerts.composers[CONFIRMATION_CARD] = ConfirmationComposer(store, base.now)
    return Confirmations(store, end_sessions=sessions.end_of, audit=audit, on_enqueued=alerts.outbox.poke, now=base.now)


def build_rule_changes(
    base: Infrastructure, alerts: AlertServices, rules: RuleFiles, audit: AuditLog, required: RequiredAudit | None
) -> RuleChanges:
    """Return what shows, checks and publishes rules, and let the outbox show what waits for a second person."""
    settings, store = base.settings, StoredRuleVersions(base.database)
    backlog = StoredBacklog(base.database)

    async def tell(version: RuleVersion) -> None:
        places = report_places(settings, await base.database.read(find_administrators))
        people = [place.id for place in places if place.kind is PlaceKind.PERSON]
        await backlog.enqueue(*proposal_cards(version, people, base.now()), now=base.now())
        alerts.outbox.poke()

    address = PublicAddress(settings.http.public_url) if settings.has_pages else None
    alerts.composers[PROPOSAL_CARD] = RuleProposalComposer(
        store,
        name_of=partial(_name_of, base),
        address=lambda number: address.whole(f"{CHANGE}{number}") if address else "",
    )
    return RuleChanges(
        rules.by_subject,
        store,
        second_person=settings.pages.rules_second_person,
        proposed=tell,
        ready=settings.ready_rules,
        audit=audit,
        required=required,
        now=base.now,
    )


async def _name_of(base: Infrastructure, user_id: str) -> str:
    return (await base.people.identify(user_id, name="")).name or user_id


def build_rule_pages(
    base: Infrastructure,
    changes: RuleChanges,
    confirmations: Confirmations,
    rehearsals: Rehearsals,
    findings: Findings,
) -> RulePages:
    """Return the pages of the rule files."""
    name_of = partial(_name_of, base)
    return RulePages(changes, confirmations, name_of, rehearsals.rehearse, findings.find, findings.note_proposal)


def build_site(
    base: Infrastructure,
    answers: PageAnswers,
    sessions: PageSessions,
    more_pages: Sequence[Page],
    traced: Callable[[Trace], None],
) -> PageSite | None:
    """Return the pages where the settings want any."""
    settings = base.settings
    if not settings.has_pages:
        return None
    parts = PageParts(
        answers=answers,
        sessions=sessions,
        drawing=PageDrawing(PublicAddress(settings.http.public_url)),
        language_of=lambda code: choose_language(base.languages, code or settings.language),
        now=base.now,
        identify=partial(base.people.identify, name=""),
        traced=traced,
    )
    app = DingTalkApp(
        client_id=settings.dingtalk.client_id,
        page=settings.dingtalk.login_page,
        corp_id=lambda: base.organisation.corp_id,
    )
    login = LoginPages(parts, DingTalkLogins(base.api), app, ProofBounds(base.now))
    return PageSite(parts, login, (*PAGES, *more_pages), base.metrics)
