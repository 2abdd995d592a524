"""Builds the audit log, the limits, and the wrappers they need between questions and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind, AuditLog, FoldedAuditLog, RequiredAudit, read_detail
from bot.access.limits import Allowance, LimitedParty, LimitReached, ReadingLimits
from bot.access.openings import find_openings
from bot.access.policy import ADMIN, AccessPolicy
from bot.access.presets import with_synonyms
from bot.access.shared_limits import OwnLimits, ReaderLimits, SharedLimits
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.rules import RuleFiles
from bot.cards.status_labels import status_label
from bot.chat.context import QuestionContext
from bot.chat.question_handler import QuestionHandler
from bot.chat.questions.limit_reports import DailyReports, owed_reports
from bot.chat.questions.limits import LimitedQuestions
from bot.chat.registry import Commands
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.health import WELL, PartHealth, degraded
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place, PlaceKind
from bot.outbox.rule_reports import owed_openings
from bot.rulefiles.followed_file import FollowedFile, RulesChange
from bot.settings import AllowanceSettings, Settings
from bot.store.audit.chain import AuditWitness
from bot.store.audit.log import AuditState, StoredAudit
from bot.store.errors import StoreUnavailable
from bot.store.held_rights import hold_rights
from bot.store.outbox.queue import StoredBacklog
from bot.store.people import find_administrators
from bot.store.reading_uses import StoredUses
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

MOST_TOLD = 5
"""Directory administrators told of a limit, if nobody has the role in the settings."""

_FOLDED_EVERY = 60.0
_PURGED_EVERY = 3600.0


def open_audit(settings: Settings, base: Infrastructure) -> StoredAudit:
    """Return the audit log for these settings."""
    folder, metrics = settings.data_dir, base.metrics
    audit = StoredAudit(base.database, AuditWitness(folder), journal=folder, now=base.now, on_older=hold_rights)
    metrics.audit_waiting.set_function(lambda: audit.waiting)
    metrics.audit_lost.set_function(lambda: audit.state.lost)
    metrics.audit_written.set_function(lambda: not audit.state.trouble)
    metrics.audit_broken.set_function(lambda: len(audit.state.broken))
    return audit


async def start_audit(base: Infrastructure, stored: StoredAudit) -> FoldedAuditLog:
    """Keep recording while the base's stack is open, and purge old entries.

    The log is checked first, so that losses are on record before it continues.
    """
    try:
        await stored.inspect()
    except StoreUnavailable as error:
        log.error("audit.not_inspected", error=error.detail)
    folded = FoldedAuditLog(stored, base.now)
    await base.run_in_background(stored.run, "audit", Runs.EVERYWHERE)
    await base.run_in_background(partial(_fold, folded), "refusals", Runs.EVERYWHERE)
    await base.run_in_background(partial(_purge, base, stored), "audit keeping", Runs.WITH_LEAD)
    return folded


def audit_health(state: AuditState, *, required: bool) -> PartHealth:
    """Return the health of the audit log from its own state."""
    if state.trouble:
        stopped = (
            phrase("what must be recorded is not answered, and alerts are still sent")
            if required
            else phrase("answers go on")
        )
        return degraded(
            phrase(
                "the audit log is not written: %(why)s; %(num)d entries wait, %(lost)d are lost; %(rest)s",
                why=state.trouble,
                num=state.waiting,
                lost=state.lost,
                rest=stopped,
            )
        )
    if not state.broken:
        return WELL
    return degraded(
        phrase(
            "the audit log is broken: %(what)s (places: %(num)d); `dingerp audit verify` names them all, `dingerp audit"
            " accept` records that somebody knows",
            what=read_detail(state.broken[0]),
            num=len(state.broken),
        )
    )


def record_start(audit: AuditLog, rules: RuleFiles, now: Callable[[], datetime]) -> None:
    """Record the configuration and rules at the start, and every later change of the rules."""
    read = rules.configuration
    if read["file"]:
        audit.record(_rules_entry(now(), Path(read["file"]), "loaded", read["sha256"]))
    for followed in rules.named.values():
        _record_rules(audit, followed, now)


def _record_rules(audit: AuditLog, file: FollowedFile[Any], now: Callable[[], datetime]) -> None:
    """Record the rules in force at the start, and every change of them; needs a running loop."""
    found = file.in_force
    if found.path is not None:
        audit.record(_rules_entry(now(), found.path, "loaded", found.sha256))
    loop = asyncio.get_running_loop()

    def changed(change: RulesChange) -> None:
        outcome = "wrong" if change.defect else "changed"
        detail = str(change.defect) or f"{change.added} lines added, {change.removed} removed"
        entry = _rules_entry(now(), change.path, outcome, change.sha256, detail)
        # Files are looked at in threads of the database.
        loop.call_soon_threadsafe(audit.record, entry)

    file.listen(changed)


def tell_openings(
    base: Infrastructure,
    file: FollowedFile[AccessPolicy],
    audit: AuditLog,
    commands: Commands,
    owed: Callable[[], None],
) -> None:
    """Record the rights opened by each edit of the access rules, and tell the administrators; needs a running loop."""
    requests = [command.request() for command in commands.values()]
    loop = asyncio.get_running_loop()
    send = _CardSender(base, owed)
    before = file.current()

    def changed(change: RulesChange) -> None:
        nonlocal before
        policy, before = before, file.current()
        openings = find_openings(policy, before, requests, status_label) if policy is not before else ()
        if openings:
            # Files are looked at in threads of the database.
            loop.call_soon_threadsafe(tell, change, openings)

    def tell(change: RulesChange, openings: Sequence[Phrase]) -> None:
        opened = "; ".join(map(str, openings))
        audit.record(_rules_entry(base.now(), change.path, "opened", change.sha256, opened))
        name = change.path.name
        send(lambda places: owed_openings(name, change.sha256, openings, places, base.now()))

    file.listen(changed)


def _rules_entry(at: datetime, file: Path, outcome: str, digest: str, detail: str = "") -> AuditEntry:
    return AuditEntry(
        kind=AuditKind.RULES,
        at=at,
        actor=BOT_ACTOR,
        action=file.name,
        outcome=outcome,
        detail=f"sha256 {digest}; {detail}" if detail else f"sha256 {digest}",
    )


def limit_questions(
    base: Infrastructure,
    handler: QuestionHandler,
    commands: Commands,
    audit: AuditLog,
    owed: Callable[[], None],
    required: RequiredAudit | None,
    *,
    of_keys: bool = False,
) -> LimitedQuestions:
    """Return the handler wrapped by the configured limits; ``owed`` is called when a card is to be sent.

    With ``of_keys`` programs ask: each key has limits of its own, and every answer is recorded.
    """
    settings = base.settings
    send = _CardSender(base, owed)

    def tell(context: QuestionContext, reached: LimitReached) -> None:
        send(lambda places: owed_reports(context, reached, places))

    row = timedelta(minutes=settings.limits.row_minutes)
    asker, whose = settings.limits.person, LimitedParty.PERSON
    if of_keys:
        asker, whose = settings.limits.key, LimitedParty.KEY
    allowances = {"person": _allowance(asker, row), "conversation": _allowance(settings.limits.conversation, row)}
    limits: ReaderLimits
    if settings.replicas == 1:
        limits = OwnLimits(ReadingLimits(**allowances, whose=whose))
    else:
        limits = SharedLimits(StoredUses(base.database), **allowances, whose=whose)
    return LimitedQuestions(
        handler,
        limits=limits,
        writing=frozenset(name for name, command in commands.items() if command.writes),
        audit=audit,
        required=required,
        metrics=base.metrics,
        reached=DailyReports(tell),
        records_all=of_keys,
    )


class _CardSender:
    """Queues cards for the administrators; a failure is logged, and the card is lost."""

    def __init__(self, base: Infrastructure, owed: Callable[[], None]) -> None:
        self._backlog = StoredBacklog(base.database)
        self._database = base.database
        self._settings = base.settings
        self._now = base.now
        self._owed = owed
        self._sending: set[asyncio.Task[None]] = set()

    def __call__(self, made: Callable[[Sequence[Place]], Sequence[Delivery]]) -> None:
        """Queue the cards that ``made`` builds for the administrators' places."""
        task = asyncio.create_task(self._send(made))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, made: Callable[[Sequence[Place]], Sequence[Delivery]]) -> None:
        try:
            places = report_places(self._settings, await self._database.read(find_administrators))
            await self._backlog.enqueue(*made(places), now=self._now())
        except DingerpError as error:
            log.error("administrators.not_told", error=type(error).__name__, detail=error.detail)
            return
        self._owed()


def report_places(settings: Settings, in_directory: Sequence[str]) -> tuple[Place, ...]:
    """Return the chats of the administrators by role, otherwise of some in the directory, otherwise the alert
    groups.
    """
    roles = settings.access.roles
    administrators = sorted(frozenset().union(*(roles.get(role, ()) for role in with_synonyms(frozenset({ADMIN})))))
    administrators = administrators or [*in_directory[:MOST_TOLD]]
    if administrators:
        return tuple(Place(PlaceKind.PERSON, user_id) for user_id in administrators)
    return tuple(Place(PlaceKind.GROUP, group) for group in settings.alerts.default_groups)


def _allowance(allowed: AllowanceSettings, row: timedelta) -> Allowance:
    return Allowance(
        questions_minute=allowed.questions_minute,
        documents_day=allowed.documents_day,
        documents_row=allowed.documents_row,
        row=row,
    )


async def _fold(folded: FoldedAuditLog) -> None:
    try:
        while True:
            await asyncio.sleep(_FOLDED_EVERY)
            folded.fold()
    finally:
        folded.fold(everything=True)


async def _purge(base: Infrastructure, stored: StoredAudit) -> None:
    kept = timedelta(days=base.settings.audit.keep_days)

    async def purge() -> None:
        now = base.now()
        if purged := await stored.purge(now - kept, now):
            log.info("audit.purged", entries=purged)

    await repeat(purge, every=_PURGED_EVERY, failed="audit.not_purged")
