"""Monitors the running bot: the state of everything behind the stream, for ``/readyz``."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from bot.alerts.intake.quota import SourceQuota
from bot.approvals.stuck_orders import StuckOrders
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.quotas import administrators, quota_health
from bot.bootstrap.receivers import receivers_health
from bot.bootstrap.rules import ACCESS, ALERTS, APPROVALS, RuleFiles
from bot.bootstrap.sheets import sheets_health
from bot.bootstrap.unreached import LOOKED_EVERY, UnreachedPlaces
from bot.erp.hub import ErpHub
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.health import CHECK_EVERY, WELL, HealthCheck, HealthMonitor, PartHealth, PartStatus, degraded, down
from bot.mechanisms.metrics import Metrics
from bot.outbox.health_reports import HealthReports
from bot.outbox.ports import SendFailureKind
from bot.rulefiles.followed_file import FollowedFile
from bot.store.alerts.events import EventBacklog, StoredEvents
from bot.store.database import Database
from bot.store.engines import sqlite_file
from bot.store.health import SqlitePages, StoredHealthReports, StoredHeartbeat
from bot.store.held_rights import StoredHeldRights
from bot.store.outbox.queue import OutboxDelay, StoredBacklog
from bot.store.revisions import is_current
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, phrase

SCARCE_BYTES = 200_000_000
"""Free disk space below which the administrator is told: enough for some 100 000 events with their alerts."""
LATE_EVENTS = timedelta(minutes=1)
"""Events wait for milliseconds; a wait this long means a flood, or a stopped processor."""
STUCK_OUTBOX = timedelta(minutes=1)
"""Rows that have been available this long are not being taken at all."""
LATE_CARDS = timedelta(minutes=15)
"""Cards due for this long wait for a budget."""
FAILING_CARDS = timedelta(minutes=1)
"""How long cards may be due after a failed attempt."""

_CAUSES: Mapping[SendFailureKind | None, Phrase] = {
    None: phrase("they wait for their turn, or a budget is used up"),
    SendFailureKind.BUSY: phrase("DingTalk is busy or not reached"),
    SendFailureKind.UNKNOWN: phrase("DingTalk gives no answer, or an unclear one"),
    SendFailureKind.LIMITED: phrase("DingTalk takes no more calls for a moment"),
    SendFailureKind.SPENT: phrase("the month's calls are used up"),
    SendFailureKind.SETUP: phrase("keys, permissions or the console's settings are wrong"),
    SendFailureKind.UNCOMPOSED: phrase("what they show cannot be read: an ERP or the database is away"),
    SendFailureKind.DEFECT: phrase("a defect of the bot, see its log"),
    SendFailureKind.NO_CARDS: phrase("no card can be shown there"),
    SendFailureKind.GONE: phrase("the card is no longer there and is made again"),
    SendFailureKind.HOPELESS: phrase("DingTalk refuses them"),
}
"""The explanations for failures of a card's last attempt."""


async def start_health(
    base: Infrastructure,
    hub: ErpHub,
    alerts: AlertServices,
    rules: RuleFiles,
    audit: Callable[[], PartHealth],
    last_writes: Callable[[], PartHealth],
    approvals: Callable[[], Awaitable[StuckOrders]],
    model: Callable[[], PartHealth] | None = None,
    *others: Callable[[], Mapping[str, PartHealth]],
) -> Callable[[], Awaitable[Mapping[str, PartHealth]]]:
    """Start monitoring the parts; returns the function that reports their state.

    ``audit`` is the state of the audit log, ``last_writes`` the writes lost before the start, ``approvals`` the orders
    that nobody can decide, ``model`` the language model, ``others`` who else works on the database.
    """
    checks = StoreChecks(
        database=base.database,
        heartbeat=StoredHeartbeat(base.database, base.ledger),
        events=StoredEvents(base.database),
        outbox=StoredBacklog(base.database),
        quota=alerts.quota,
        metrics=base.metrics,
        now=base.now,
    )
    file = sqlite_file(base.settings.database)
    looks: dict[str, HealthCheck] = {
        "database": checks.writing,
        "events": checks.backlog,
        "outbox": checks.deliveries,
        "approvals": _orders_health(approvals),
        "restored rights": _waiting_rights(base.database),
    }
    if base.settings.receivers:
        looks["receivers"] = partial(receivers_health, base)
    if base.settings.sheets:
        looks["sheets"] = partial(sheets_health, base)
    if file is not None:
        pages = SqlitePages(file)
        looks |= {"pages": _raising(pages.check), "disk": _disk_of(file)}
    unreached = UnreachedPlaces(base.names, checks.outbox, base.now)
    await base.run_in_background(
        partial(repeat, unreached.look, every=LOOKED_EVERY, failed="places.not_looked_at"), "places", Runs.EVERYWHERE
    )
    monitor = HealthMonitor(looks)
    await base.run_in_background(partial(monitor.run, CHECK_EVERY), "health", Runs.EVERYWHERE)

    async def health() -> Mapping[str, PartHealth]:
        parts = dict(monitor.parts)
        if parts.get("database", WELL) == WELL:
            parts["database"] = await _reached(base.database)
        return {
            **parts,
            "quota": quota_health(base),
            "DingTalk calls": degraded(_failing_calls(base)),
            "card trial": PartHealth(PartStatus.OK, base.card_trial()),
            "audit log": audit(),
            "last writes": last_writes(),
            **({"language model": model()} if model else {}),
            **{f"ERP {source}": _erp_health(source, trouble) for source, trouble in hub.troubles.items()},
            **{name: part for told in others for name, part in told().items()},
            **unreached.parts,
            **{name: _rules_health(name, file, base.settings.ready_rules) for name, file in rules.named.items()},
        }

    reports = HealthReports(
        StoredHealthReports(base.database),
        parts=health,
        places=lambda: administrators(base),
        owed=alerts.outbox.poke,
        now=base.now,
    )
    await base.run_in_background(partial(reports.run, CHECK_EVERY), "health reports", Runs.WITH_LEAD)
    return health


_FAILURES: Mapping[str, SendFailureKind] = {
    "unavailable": SendFailureKind.BUSY,
    "rate_limited": SendFailureKind.LIMITED,
    "auth_failed": SendFailureKind.SETUP,
}
"""Outcomes of calls that have other descriptions as well."""


def _failing_calls(base: Infrastructure) -> Words:
    """Return the failing DingTalk calls, and since when."""
    now = base.now()
    failing = tuple(
        phrase(
            "%(api)s since %(time)s: %(why)s",
            api=name,
            time=f"{now - timedelta(seconds=trouble.seconds):%H:%M:%S}",
            why=_CAUSES[_FAILURES.get(trouble.outcome, SendFailureKind.UNKNOWN)],
        )
        for name, trouble in base.api.troubles.items()
    )
    return phrase("calls of DingTalk fail (%(calls)s)", calls=failing) if failing else ""


def _orders_health(find: Callable[[], Awaitable[StuckOrders]]) -> HealthCheck:
    async def look() -> PartHealth:
        found = await find()
        return degraded(found.told, found.cases)

    return look


_RULES = {ACCESS: phrase("access rules"), ALERTS: phrase("alert rules"), APPROVALS: phrase("approval rules")}
"""The parts that are rule files, and their names."""


def _rules_health(part: str, file: FollowedFile[Any], ready: Container[Path]) -> PartHealth:
    if file.defect:
        why = phrase("the %(rules)s are wrong, older ones are in force: %(why)s", rules=_RULES[part], why=file.defect)
        return degraded(why)
    if (unread := file.unread) is not None and unread not in ready:
        return degraded(
            phrase(
                "%(unread)s is not read: the %(rules)s in force are those of %(file)s",
                unread=str(unread),
                rules=_RULES[part],
                file=str(file.path),
            )
        )
    return WELL


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChecks:
    """Checks whether the database works, and what waits in it."""

    database: Database
    heartbeat: StoredHeartbeat
    events: StoredEvents
    outbox: StoredBacklog
    quota: SourceQuota
    metrics: Metrics
    now: Callable[[], datetime]

    async def writing(self) -> PartHealth:
        """Write a dummy value."""
        await self.heartbeat.beat(self.now())
        return WELL

    async def backlog(self) -> PartHealth:
        """Count the waiting events."""
        waiting = await self.events.backlog()
        self.quota.recount({source: backlog.count for source, backlog in waiting.items()})
        oldest = min((source.oldest_at for source in waiting.values()), default=None)
        age = timedelta(0) if oldest is None else self.now() - oldest
        self.metrics.events_waiting.set(sum(source.count for source in waiting.values()))
        self.metrics.events_age.set(max(0.0, age.total_seconds()))
        return degraded(_late_events(waiting, age) if age > LATE_EVENTS else "")

    async def deliveries(self) -> PartHealth:
        """Check whether due cards are being sent."""
        now = self.now()
        return degraded(_late_cards(await self.outbox.overdue(now), now))


def _late_events(waiting: Mapping[str, EventBacklog], age: timedelta) -> Phrase:
    most = max(waiting, key=lambda source: waiting[source].count)
    count = sum(source.count for source in waiting.values())
    return phrase(
        "%(count)d events wait, the oldest for %(seconds)d s; most are of %(source)s",
        count=count,
        seconds=round(age.total_seconds()),
        source=most,
    )


def _late_cards(delay: OutboxDelay, now: datetime) -> Words:
    has_failed = any(delay.owed)
    stands = not has_failed and delay.free_since is not None and now - delay.free_since > STUCK_OUTBOX
    if stands and delay.free_since is not None:
        free = f"{delay.free_since.astimezone(now.tzinfo):%H:%M:%S}"
        return phrase("the outbox stands still: a card could be sent since %(time)s", time=free)
    if delay.due_since is None or now - delay.due_since <= (FAILING_CARDS if has_failed else LATE_CARDS):
        return ""
    most_first = sorted(delay.owed.items(), key=itemgetter(1), reverse=True)
    return phrase(
        "%(count)d cards are owed, the oldest since %(time)s (%(causes)s)",
        count=sum(delay.owed.values()),
        time=f"{delay.due_since.astimezone(now.tzinfo):%Y-%m-%d %H:%M}",
        causes=tuple(_owed_for(trouble, count) for trouble, count in most_first),
    )


def _owed_for(trouble: str, count: int) -> Phrase:
    return phrase("%(count)d: %(why)s", count=count, why=_CAUSES[SendFailureKind(trouble) if trouble else None])


async def _reached(database: Database) -> PartHealth:
    """Query the database now: it may have gone away since the last check."""
    try:
        revision = await database.revision()
    except DingerpError as error:
        return down(phrase("%(part)s: %(why)s", part="database", why=error.explain()))
    if is_current(revision):
        return WELL
    return down(phrase("the database needs an upgrade, or a newer version has used it"))


def _waiting_rights(database: Database) -> HealthCheck:
    held = StoredHeldRights(database)

    async def look() -> PartHealth:
        if not (count := await held.count()):
            return WELL
        return degraded(
            phrase(
                "a backup was restored: %(num)d accounts, keys, subscriptions and watches wait for their owners, or for"
                " `dingerp db confirm`, which names them",
                num=count,
            )
        )

    return look


def _raising(check: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[PartHealth]]:
    async def look() -> PartHealth:
        await check()
        return WELL

    return look


def _disk_of(file: Path) -> Callable[[], Awaitable[PartHealth]]:
    async def look() -> PartHealth:
        free = shutil.disk_usage(file.parent).free
        if free >= SCARCE_BYTES:
            return WELL
        size = free // 1_000_000
        return degraded(phrase("only %(size)d MB are free on the disk of %(file)s", size=size, file=str(file)))

    return look


def _erp_health(source: str, trouble: str) -> PartHealth:
    return degraded(
        trouble
        and phrase(
            "the ERP %(source)s does not answer (%(error)s); what was read before is shown",
            source=source,
            error=trouble,
        )
    )
