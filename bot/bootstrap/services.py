"""Everything behind the stream. Importing it loads the database library, the templates and the commands, which takes
about half a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import aiohttp

from bot.access.audit import AuditLog, AuditReader
from bot.access.people import PeopleReader
from bot.alerts.service import AlertService
from bot.bootstrap.access import start_access
from bot.bootstrap.accounts import build_accounts, build_keys, search_accounts, start_held_rights
from bot.bootstrap.alerts import (
    AlertServices,
    add_report_composers,
    build_alerts,
    start_outbox,
    start_polling,
    start_queue_readers,
)
from bot.bootstrap.api import build_agent_logins, build_agents, build_api
from bot.bootstrap.approvals import ApprovalServices, build_approvals, join_approvals, start_approvals
from bot.bootstrap.audit import audit_health, open_audit, record_start, start_audit, tell_openings
from bot.bootstrap.creation import start_creation
from bot.bootstrap.database import checkpoint_database, follow_data_keys
from bot.bootstrap.directory import ContactEvents, start_directory
from bot.bootstrap.efficiency import start_efficiency
from bot.bootstrap.erps import build_stock_history, start_erps, start_read_model
from bot.bootstrap.exports import build_charts
from bot.bootstrap.findings import start_findings
from bot.bootstrap.gate import start_gate
from bot.bootstrap.health import start_health
from bot.bootstrap.infrastructure import build_infrastructure
from bot.bootstrap.lost_writes import lost_writes_health, review_lost_writes
from bot.bootstrap.named_questions import open_databases
from bot.bootstrap.names import follow_names
from bot.bootstrap.operations import build_operations
from bot.bootstrap.pages import (
    build_confirmations,
    build_rule_changes,
    build_rule_pages,
    build_sessions,
    build_site,
)
from bot.bootstrap.policy import account_of
from bot.bootstrap.proposals import start_proposals
from bot.bootstrap.questions import (
    AnsweringServices,
    answer_typed,
    build_pipelines,
    open_inbox,
    resume_questions,
    start_reader,
)
from bot.bootstrap.receivers import start_receivers
from bot.bootstrap.rehearsals import Rehearsals
from bot.bootstrap.replicas import Replica
from bot.bootstrap.rules import RuleFiles, start_rules
from bot.bootstrap.sheets import start_sheets
from bot.bootstrap.traces import keep_traces
from bot.bootstrap.wakeups import listen_to_others
from bot.cards.language import Language, choose_language
from bot.chat.accounts.binding import ErpAccounts
from bot.chat.accounts.keys import ErpKeys
from bot.chat.answers.clicks import ClickPipeline
from bot.chat.answers.pipeline import QuestionPipeline
from bot.chat.charts import ChartPictures
from bot.chat.colleagues import Colleagues
from bot.chat.confirmations import Confirmations
from bot.chat.held_rights import HeldRightStore
from bot.chat.languages import LanguageChoice
from bot.chat.operations import Operations
from bot.chat.registry import installed_commands
from bot.chat.rule_changes import RuleChanges
from bot.creation.creations import Creations
from bot.dingtalk.card_wire import TemplateChoice
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.dingtalk.quota import MonthlyMeter
from bot.efficiency.port import EfficiencyReader, FindingReader
from bot.erp.hub import ErpHub
from bot.gate.gate import Gate
from bot.mechanisms.background import BackgroundTasks, Runs
from bot.mechanisms.health import LateReport, PartHealth
from bot.mechanisms.metrics import Metrics
from bot.named_questions.asking import NamedQuestionService
from bot.proposals.proposals import Proposals
from bot.read_model.queries import ReadModel
from bot.read_model.stock_days import StockHistory
from bot.settings import Settings
from bot.store.chat.accounts import StoredErpKeys
from bot.store.database import Database
from bot.web.api.routes import RuleReading
from bot.web.api.site import ApiSite
from bot.web.mcp.endpoint import McpSite
from bot.web.oauth.site import OAuthSite
from bot.web.pages.site import PageSite
from bot.words.phrase import Words


@dataclass(frozen=True, slots=True)
class Services:
    """The services that answer frames, and those that send on their own."""

    database: Database
    hub: ErpHub
    questions: QuestionPipeline
    clicks: ClickPipeline
    templates: TemplateChoice
    alerts: AlertServices
    approvals: ApprovalServices
    rules: RuleFiles
    health: Callable[[], Awaitable[Mapping[str, PartHealth]]]
    """Returns the current state of everything behind the stream."""
    report: LateReport
    """What people are told of the health: to be given once the stream is there."""
    contact_events: ContactEvents
    keys: ErpKeys
    language_of: Callable[[str], Language]
    """Returns a person's language by userId; for unknown people the company's."""
    meter: MonthlyMeter
    site: PageSite | None
    """The pages, where there are any."""
    api: ApiSite
    agents: McpSite
    logins: OAuthSite | None
    """The door for programs, closed while there are no keys."""

    async def read_rules_again(self) -> Sequence[Words]:
        """Reload the rule files, and return the errors; a wrong file's last good rules stay."""
        await asyncio.to_thread(self.rules.read_again)
        return tuple(filter(None, (file.defect for file in self.rules.named.values())))


async def build_services(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    database: Database,
    session: aiohttp.ClientSession,
    metrics: Metrics,
    now: Callable[[], datetime],
    patience: ApiRetryPolicy | None = None,
    *,
    replica: Replica | None = None,
) -> Services:
    """Connect everything behind the stream for the lifetime of ``stack``, and resume the questions of an earlier
    run.
    """
    patience = patience or ApiRetryPolicy()
    base = await build_infrastructure(stack, background, settings, database, session, metrics, now, patience)
    started = now()
    lost = await review_lost_writes(database, base.ledger, started)
    inbox = await open_inbox(base, replica)
    stored_audit = open_audit(settings, base)
    audit = await start_audit(base, stored_audit)
    required_audit = stored_audit if settings.audit.required else None
    await base.run_in_background(partial(checkpoint_database, database), "tidy", Runs.EVERYWHERE)
    await base.run_in_background(partial(follow_data_keys, database, now), "keys", Runs.EVERYWHERE)

    stored_keys = StoredErpKeys(database, settings.access.accounts, is_offered=bool(settings.http.public_url))
    hub = await start_erps(base, stored_keys)
    read_model = await start_read_model(base, hub)
    history = build_stock_history(base)

    commands = installed_commands()
    databases = open_databases(stack, settings, now)
    rules = await start_rules(base, databases)
    if replica is not None:
        replica.rules = rules.digests
    access = await start_access(base, rules.access.current, commands)
    alerts = await build_alerts(base, rules.alerts.current, access.audiences)
    accounts = await build_accounts(base, hub, alerts, audit)
    account = account_of(settings, accounts.bound)
    keys = build_keys(base, hub, alerts, audit, stored_keys, account, required_audit)
    approvals = build_approvals(base, hub, read_model, alerts, rules, accounts, access.audiences, audit)
    alerts = join_approvals(alerts, approvals)
    await base.run_in_background(partial(follow_names, base.names, database), "names", Runs.EVERYWHERE)
    add_report_composers(base, alerts)
    record_start(audit, rules, now)
    tell_openings(base, rules.access, audit, commands, alerts.outbox.poke)

    sessions = await build_sessions(base, audit)
    confirmations = build_confirmations(base, alerts, audit, sessions)
    named_questions = NamedQuestionService(rules.questions.current, databases, account_of=account, metrics=metrics)
    reader, model = await start_reader(base, commands, hub, read_model)
    report = LateReport()
    rehearsals = Rehearsals(
        base=base,
        hub=hub,
        files=rules,
        organisation=approvals.organisation,
        checks=approvals.checks,
        requests=[command.request() for command in commands.values()],
    )
    gate = await start_gate(base, alerts, rules, approvals.organisation)
    proposals = await start_proposals(base, alerts, access, commands, replica)
    creations = await start_creation(base, hub, alerts, rules, account)
    rule_changes = build_rule_changes(base, alerts, rules, audit, required_audit)
    figures = await start_efficiency(base)
    findings = await start_findings(base, figures, rules, rehearsals, hub, read_model)
    traced = await keep_traces(base)
    answering = AnsweringServices(
        base=base,
        commands=commands,
        access=access,
        audit=audit,
        required_audit=required_audit,
        stored_audit=stored_audit,
        alerts=alerts,
        collaborators={
            ErpHub: hub,
            ReadModel: read_model,
            StockHistory: history,
            ChartPictures: build_charts(base),
            LanguageChoice: base.stored_languages,
            AuditLog: audit,
            AuditReader: stored_audit,
            AlertService: AlertService(alerts.units),
            PeopleReader: base.stored_people,
            Colleagues: Colleagues(base.people, settings.access.roles),
            ErpAccounts: accounts,
            HeldRightStore: await start_held_rights(base, alerts),
            ErpKeys: keys,
            Operations: build_operations(base, hub, alerts, report),
            Confirmations: confirmations,
            RuleChanges: rule_changes,
            Gate: gate,
            Proposals: proposals,
            Creations: creations,
            EfficiencyReader: figures,
            FindingReader: findings,
            NamedQuestionService: named_questions,
            **approvals.collaborators,
        },
        account_of=account,
        named=named_questions.line_of,
        reader=reader,
        model=model,
        traced=traced,
    )
    questions, clicks, answers, programs, lists = await build_pipelines(answering, inbox, patience)
    proposals.hand_lines_to(partial(answer_typed, base, questions))
    rule_reading = RuleReading(rule_changes, rehearsals.rehearse)
    api = build_api(base, programs, commands, audit, gate, proposals, rule_reading, alerts, traced)
    rule_pages = build_rule_pages(base, rule_changes, confirmations, rehearsals, findings)
    logins = build_agent_logins(base, api.parts.door.keys, audit)
    more_pages = (*rule_pages.pages, *(logins.pages.pages if logins else ()))
    site = build_site(base, answers, sessions, more_pages, traced)

    await resume_questions(base, inbox, questions, replica)
    await start_queue_readers(base, alerts.intake)
    await start_polling(base, hub, alerts, history)
    accounts.watch(approvals.staff.note_accounts)
    await start_approvals(base, approvals, rules.decides_in_chat)
    await start_outbox(base, alerts)
    await start_receivers(base, programs, audit, alerts.outbox)
    await start_sheets(base, lists, proposals, audit, required_audit)
    health = await start_health(
        base,
        hub,
        alerts,
        rules,
        lambda: audit_health(stored_audit.state, required=settings.audit.required),
        lambda: lost_writes_health(lost, started, now),
        approvals.stuck_orders.find,
        (lambda: model.health) if model else None,
        replica.health if replica is not None else dict,
        await listen_to_others(base, replica),
    )
    search = search_accounts(base, hub, accounts)
    contact_events = await start_directory(
        base, approvals.staff, search, sessions, api.parts.door.keys, approvals.absences
    )
    return Services(
        database=database,
        hub=hub,
        questions=questions,
        clicks=clicks,
        templates=base.templates,
        alerts=alerts,
        approvals=approvals,
        rules=rules,
        health=health,
        report=report,
        contact_events=contact_events,
        keys=keys,
        language_of=lambda user_id: choose_language(base.languages, base.people.language(user_id or None)),
        meter=base.meter,
        site=site,
        api=api,
        agents=build_agents(base, api, logins),
        logins=logins.site if logins else None,
    )
