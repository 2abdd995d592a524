"""Builds the approvals: service, write-back, pending poller and cards, and the sync with DingTalk's own approvals if
wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from bot.access.audit import AuditLog
from bot.access.policy import AccessPolicy
from bot.approvals.absences import DECLINED_CARD, SUBSTITUTE_CARD, Absences
from bot.approvals.cards.absence_views import DeclinedComposer, SubstituteComposer
from bot.approvals.cards.insights import Insights
from bot.approvals.cards.presenter import (
    ApprovalComposer,
    CallComposer,
    CasePresenter,
    FetchNames,
    InquiryComposer,
    RequesterComposer,
    TodoComposer,
    sees_all,
    sees_any,
)
from bot.approvals.case import ApprovalCardKind, Case
from bot.approvals.discovery import DecidingSource, MentionListener, PendingPoller
from bot.approvals.document import ApprovalDocument
from bot.approvals.document_reader import DocumentReader, Organisation
from bot.approvals.oa.access_checked_voting import AccessCheckedVoting
from bot.approvals.oa.forms import OaFormFields
from bot.approvals.oa.sync import OaSync
from bot.approvals.search_gaps import SearchGaps
from bot.approvals.service import ApprovalService
from bot.approvals.staff_changes import StaffChanges
from bot.approvals.stuck_orders import StuckOrderSearch
from bot.approvals.unit_of_work import CardReach, CaseStore, CaseTransactions
from bot.approvals.writeback_worker import WritebackWorker
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.policy import MemberStaffDirectory, marks_of, organisation_of, terms_of
from bot.bootstrap.receivers import receivers_of
from bot.bootstrap.rules import RuleFiles
from bot.cards.language import choose_language
from bot.chat.accounts.binding import ErpAccounts
from bot.chat.audiences import Audiences
from bot.chat.questions.prompts import OpenPrompts
from bot.chat.revision_cases import RevisionCases
from bot.checks.document_checks import DocumentChecks
from bot.dingtalk.workflow import WorkflowApi
from bot.erp.hub import ErpHub
from bot.erp.kinds import DECIDED, Kind, ruled_by
from bot.erp.model import Verdict
from bot.erp.source_client import SourceClient
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.wakeup import SharedWork
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import Composer
from bot.read_model.queries import ReadModel
from bot.store.approvals.repository import StoredCaseTransactions, StoredOaRecords, forget_cases
from bot.words.phrase import Phrase

_CASES_PRUNED_EVERY = 24 * 3600.0
_RULES_AWAITED_EVERY = 1.0
"""Seconds between two checks whether anybody may decide now."""


def build_oa_sync(
    base: Infrastructure,
    service: ApprovalService,
    cases: CaseStore,
    policy: Callable[[], AccessPolicy],
    audit: AuditLog,
) -> OaSync | None:
    """Return the sync of OA approvals with cases; None if none is wanted."""
    native = base.settings.approvals.native
    if not native.process:
        return None
    language = choose_language(base.languages, base.settings.language)

    def say(words: Phrase) -> str:
        return language.say(words)

    return OaSync(
        AccessCheckedVoting(service, base.people, policy, audit=audit, now=base.now),
        cases,
        WorkflowApi(base.api, process=native.process, case_field=native.fields.case),
        StoredOaRecords(base.database),
        fields=OaFormFields(**native.fields.model_dump()),
        originator=native.originator,
        say=say,
        now=base.now,
        metrics=base.metrics,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalServices:
    """The approval services for the rest of the bot."""

    service: ApprovalService
    writeback: WritebackWorker
    pending_poller: PendingPoller
    showing: CasePresenter
    collaborators: Mapping[type, object]
    """The collaborators of commands."""
    composers: Mapping[str, Composer]
    oa_sync: OaSync | None
    """Keeps OA approvals in step, if the company wants them."""
    staff: StaffChanges
    stuck_orders: StuckOrderSearch
    organisation: Organisation
    checks: DocumentChecks
    absences: Absences


def build_approvals(
    base: Infrastructure,
    hub: ErpHub,
    kept: ReadModel,
    alerts: AlertServices,
    rules: RuleFiles,
    accounts: ErpAccounts,
    audiences: Audiences,
    audit: AuditLog,
) -> ApprovalServices:
    """Build the service and its parts; nothing runs before `start_approvals`."""
    settings = base.settings
    organisation = organisation_of(
        settings, MemberStaffDirectory(base.members) if settings.access.directory else None, accounts.bound
    )
    groups = tuple(Place(PlaceKind.GROUP, group) for group in settings.approval_groups)

    def groups_of(_document: ApprovalDocument) -> Sequence[Place]:
        return groups

    def owed() -> None:
        alerts.outbox.poke()
        if oa_sync is not None:
            oa_sync.poke()

    def arrive() -> bool:
        return base.confirmed().private_values

    def everybody_sees_all(group: Place, case: Case) -> bool:
        # A decider may take it back, and a group's card offers that to nobody.
        return not terms.undo and sees_all(audiences.grant_in(group.id, ruled_by(case.kind)), case)

    def everybody_sees_any(group: Place, case: Case) -> bool:
        return sees_any(audiences.grant_in(group.id, ruled_by(case.kind)), case)

    terms = terms_of(settings)
    reach = CardReach(
        values_arrive=arrive,
        language_of=base.language_at,
        sees_all=everybody_sees_all,
        sees_any=everybody_sees_any,
    )
    sources = {name: hub.source_client(name) for name in hub.sources}
    deciding = {
        name: DecidingSource(client, _decided_at(client)) for name, client in sources.items() if _decided_at(client)
    }
    checks = DocumentChecks(hub, kept, now=base.now, marks=marks_of(settings))
    cases = StoredCaseTransactions(base.database, base.now, receivers_of(settings))
    transactions = CaseTransactions(
        store=cases,
        reader=DocumentReader(hub, organisation, checks),
        policy=rules.approvals.current,
        groups=groups_of,
        now=base.now,
        options=replace(terms, reach=reach),
        read_only=lambda: rules.access.current().read_only,
        decides=lambda source, kind: sources[source].verdicts_on(kind) if source in sources else frozenset(),
        on_enqueued=owed,
    )
    service = ApprovalService(transactions, poke=lambda: writer.poke(), seconds=settings.limits.click_seconds / 2)
    absences = Absences(transactions, show_anew=service.show_deciders, record=audit.record)
    writer = WritebackWorker(
        transactions, hub, follow=service.sync_document, metrics=base.metrics, look_every=base.wakeups.look_every
    )
    oa_sync = build_oa_sync(base, service, cases, rules.access.current, audit)
    base.wakeups.add(SharedWork.DECISIONS, writer.poke, absences.poke, *([oa_sync.poke] if oa_sync is not None else []))
    showing = CasePresenter(hub.reread, Insights(hub.source_client, now=base.now), _names(base), now=base.now)
    return ApprovalServices(
        service=service,
        writeback=writer,
        pending_poller=PendingPoller(service, deciding, metrics=base.metrics, backlog=settings.approvals.backlog),
        showing=showing,
        collaborators={
            ApprovalService: service,
            Absences: absences,
            RevisionCases: service,
            CasePresenter: showing,
            OpenPrompts: OpenPrompts(),
            SearchGaps: SearchGaps(service, {name: each.kinds.keys() for name, each in deciding.items()}),
        },
        composers={
            ApprovalCardKind.APPROVAL.value: ApprovalComposer(
                service.find,
                showing,
                audiences.reader_at,
                separate=service.separate_cards,
                call=service.call_in_groups,
                values_arrive=arrive,
            ),
            ApprovalCardKind.CALL.value: CallComposer(service.find, showing, audiences.reader_at),
            ApprovalCardKind.TOLD.value: RequesterComposer(
                service.find, showing, audiences.reader_at, separate=service.separate_cards
            ),
            ApprovalCardKind.ASKED.value: InquiryComposer(service.find, showing, audiences.reader_at),
            ApprovalCardKind.TO_DO.value: TodoComposer(service.find, showing, audiences.reader_at),
            SUBSTITUTE_CARD: SubstituteComposer(absences.find, showing.name_of, base.now),
            DECLINED_CARD: DeclinedComposer(absences.find, showing.name_of, base.now),
        },
        oa_sync=oa_sync,
        staff=StaffChanges(service, transactions, organisation),
        stuck_orders=StuckOrderSearch(service, _left_among(base), _names(base), base.now),
        organisation=organisation,
        checks=checks,
        absences=absences,
    )


async def start_approvals(
    base: Infrastructure, approvals: ApprovalServices, decides_in_chat: Callable[[], bool]
) -> None:
    """Start finding what waits once they can be decided from chat, and writing decisions to the ERPs."""
    await base.run_in_background(approvals.writeback.run, "approvals writer", Runs.EVERYWHERE)
    await base.run_in_background(approvals.staff.run, "approvals staff", Runs.EVERYWHERE)
    await base.run_in_background(approvals.absences.run, "absences", Runs.WITH_LEAD)
    poller = approvals.pending_poller
    rounds, listening = (partial(_when_decided_in_chat, work, decides_in_chat) for work in (poller.run, poller.listen))
    await base.run_in_background(rounds, "approvals rounds", Runs.WITH_LEAD)
    await base.run_in_background(listening, "approvals reports", Runs.EVERYWHERE)
    if approvals.oa_sync is not None:
        await base.run_in_background(approvals.oa_sync.run, "native approvals", Runs.EVERYWHERE)
    keep = timedelta(days=base.settings.retention.case_days)

    async def prune() -> None:
        await forget_cases(base.database, base.now() - keep)

    pruning = partial(repeat, prune, every=_CASES_PRUNED_EVERY, failed="approvals.not_pruned")
    await base.run_in_background(pruning, "approvals keeping", Runs.WITH_LEAD)


async def _when_decided_in_chat(work: Callable[[], Awaitable[None]], decides_in_chat: Callable[[], bool]) -> None:
    while not decides_in_chat():  # noqa: ASYNC110 - the files tell nobody that they were read
        await asyncio.sleep(_RULES_AWAITED_EVERY)
    await work()


def join_approvals(alerts: AlertServices, approvals: ApprovalServices) -> AlertServices:
    """Let the outbox draw approval cards; return alerts whose intake reports mentioned documents to the approvals."""
    alerts.composers.update(approvals.composers)
    return replace(alerts, intake=MentionListener(alerts.intake, approvals.pending_poller.notify))


def _decided_at(client: SourceClient) -> Mapping[str, Kind[Any]]:
    """Return the kinds of documents that a source lets approve."""
    return {kind.command: kind for kind in DECIDED if Verdict.APPROVE in client.verdicts_on(kind)}


def _names(base: Infrastructure) -> FetchNames:
    people = base.people

    async def names_of(user_ids: Sequence[str]) -> Mapping[str, str]:
        found = await asyncio.gather(*(people.identify(user_id, name="") for user_id in user_ids))
        names = {
            user_id: person.name for user_id, person in zip(user_ids, found, strict=True) if not person.is_external
        }
        for user_id in user_ids:
            if user_id not in names and (known := await base.stored_people.find(user_id)) is not None:
                names[user_id] = known.entry.name  # as they were last known
        return {user_id: name for user_id, name in names.items() if name}

    return names_of


def _left_among(base: Infrastructure) -> Callable[[Iterable[str]], Awaitable[frozenset[str]]]:
    async def left_among(user_ids: Iterable[str]) -> frozenset[str]:
        known = [await base.stored_people.find(user_id) for user_id in user_ids]
        return frozenset(person.user_id for person in known if person is not None and person.is_gone)

    return left_among
