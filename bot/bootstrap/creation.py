"""Builds what begins documents: the service, and who writes them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.rules import RuleFiles
from bot.creation.creations import AccountOf, Creations
from bot.creation.writing import CreationWriter
from bot.erp.hub import ErpHub
from bot.mechanisms.background import Runs, repeat
from bot.store.creations import StoredCreations, forget_creations

_PRUNED_EVERY = 24 * 3600.0


async def start_creation(
    base: Infrastructure, hub: ErpHub, alerts: AlertServices, rules: RuleFiles, account_of: AccountOf
) -> Creations:
    """Return the service; what is confirmed is written, and old ones are forgotten."""

    def wake() -> None:
        writer.poke()
        alerts.outbox.poke()

    creations = Creations(
        StoredCreations(base.database, base.now),
        policy=rules.access.current,
        account_of=account_of,
        metrics=base.metrics,
        on_change=wake,
    )
    writer = CreationWriter(
        creations,
        hub,
        read_only=lambda: rules.access.current().read_only,
        metrics=base.metrics,
        look_every=base.wakeups.look_every,
    )
    keep = timedelta(days=base.settings.retention.case_days)

    async def prune() -> None:
        await base.database.run(partial(forget_creations, before=base.now() - keep))

    await base.run_in_background(writer.run, "creations", Runs.EVERYWHERE)
    pruning = partial(repeat, prune, every=_PRUNED_EVERY, failed="creations.not_pruned")
    await base.run_in_background(pruning, "creation keeping", Runs.WITH_LEAD)
    return creations
