"""Builds the gate: what programs ask leave for, and the cards of who decides."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from random import SystemRandom

from bot.approvals.document_reader import Organisation
from bot.approvals.plan import CompanyDirectory
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.rules import RuleFiles
from bot.gate.cards import GATE_CARD, GateComposer
from bot.gate.gate import LONGEST, Gate
from bot.mechanisms.background import Runs, repeat
from bot.store.gate import StoredGateRequests, drop_signing_keys
from bot.store.program_asks import StoredAskTransactions, forget_asks
from bot.store.tables import GATE_REQUEST

_SWEPT_EVERY = 1.0
_PRUNED_EVERY = 24 * 3600.0


async def start_gate(base: Infrastructure, alerts: AlertServices, rules: RuleFiles, organisation: Organisation) -> Gate:
    """Return the gate, let the outbox draw its cards, and let time close what nobody decided, used or reported."""

    async def company_around(user_id: str) -> CompanyDirectory:
        company, _ = await organisation.snapshot_around(user_id)
        return company

    gate = Gate(
        StoredAskTransactions(base.database, base.now, StoredGateRequests),
        policy=rules.approvals.current,
        company=organisation.snapshot,
        company_around=company_around,
        read_only=lambda: rules.access.current().read_only,
        issuer=base.settings.http.public_url or "dingerp",
        chance=SystemRandom().random,
        metrics=base.metrics,
        on_enqueued=alerts.outbox.poke,
    )
    alerts.composers[GATE_CARD] = GateComposer(gate.find)
    keep = timedelta(days=base.settings.retention.case_days)

    async def prune() -> None:
        now = base.now()
        await base.database.run(partial(forget_asks, before=now - keep, table=GATE_REQUEST))
        await base.database.run(partial(drop_signing_keys, replaced_before=now - LONGEST))

    sweeping = partial(repeat, gate.sweep, every=_SWEPT_EVERY, failed="gate.not_swept")
    await base.run_in_background(sweeping, "gate deadlines", Runs.WITH_LEAD)
    pruning = partial(repeat, prune, every=_PRUNED_EVERY, failed="gate.not_pruned")
    await base.run_in_background(pruning, "gate keeping", Runs.WITH_LEAD)
    return gate
