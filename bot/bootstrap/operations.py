"""Builds what administrators look after in the chat and on pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.quotas import follow_quotas, quotas_now
from bot.chat.operations import Operations, SourceState
from bot.chat.questions.failures import QuestionOutcome
from bot.erp.hub import ErpHub
from bot.mechanisms.health import LateReport
from bot.mechanisms.metrics import Metrics, count_by
from bot.store.erp.read_model import StoredDocuments
from bot.store.erp.records import count_rejected
from bot.store.outbox.deliveries import StoredDeliveries
from bot.store.traces import StoredTraces

_MISREAD = frozenset({QuestionOutcome.UNKNOWN_COMMAND, QuestionOutcome.BAD_ARGUMENT})


def build_operations(base: Infrastructure, hub: ErpHub, alerts: AlertServices, report: LateReport) -> Operations:
    """Return the reads; none of them costs a call of DingTalk or of an ERP."""
    return Operations(
        health=report,
        sources=partial(_sources, base, hub),
        quotas=partial(quotas_now, base, follow_quotas(base)),
        misread=partial(_misread, base.metrics),
        deliveries=StoredDeliveries(base.database),
        owed=alerts.outbox.poke,
        trace=StoredTraces(base.database).find,
        group_name=base.reply_addresses.title,
    )


async def _sources(base: Infrastructure, hub: ErpHub) -> Sequence[SourceState]:
    rejected = await base.database.read(count_rejected)
    followed = (await StoredDocuments(base.database, base.database).positions()).values()
    calls = count_by(base.metrics.erp_calls, "source")
    well = count_by(base.metrics.erp_calls, "source", outcome="ok")
    seconds, timed = (count_by(base.metrics.erp_seconds, "source", of=of) for of in ("_sum", "_count"))
    found = []
    for name in hub.sources:
        synced = [each.synced_at for each in followed if each.source == name and each.synced_at is not None]
        mean = round(seconds[name] * 1000 / timed[name]) if timed.get(name) else None
        made = round(calls.get(name, 0))
        found.append(
            SourceState(
                name=name,
                vendor=base.settings.erp[name].vendor,
                trouble=hub.troubles.get(name, ""),
                calls=made,
                failed=made - round(well.get(name, 0)),
                milliseconds=mean,
                rejected=rejected.get(name, 0),
                synced_at=min(synced, default=None),
            )
        )
    return found


def _misread(metrics: Metrics) -> tuple[int, int]:
    asked = count_by(metrics.questions, "outcome")
    return round(sum(asked.get(each, 0) for each in _MISREAD)), round(sum(asked.values()))
