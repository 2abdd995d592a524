"""Follows DingTalk's monthly quotas: forecasts, reports to administrators, and the state for ``/readyz``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.alerts.rules.schedule import is_workday
from bot.bootstrap.audit import report_places
from bot.bootstrap.infrastructure import Infrastructure
from bot.cards.notices import QuotaReport
from bot.mechanisms.health import PartHealth, degraded
from bot.outbox.month_forecast import MonthForecast
from bot.outbox.place import Place
from bot.outbox.quota_reports import QuotaAdvice, QuotaReports, QuotaUse, build_quota_report
from bot.outbox.spending import Quota, by_conversation, by_purpose
from bot.settings.editions import fitting_plan
from bot.store.outbox.call_counts import StoredDailyCalls, StoredQuotaWarnings
from bot.store.people import find_administrators
from bot.words.phrase import phrase

NEAR_THE_END = 90
"""Per cent of a quota from which the bot counts as degraded."""

_NAMES = {Quota.CALLS: phrase("DingTalk API calls"), Quota.USES: phrase("Webhook & Stream uses")}


def follow_quotas(base: Infrastructure) -> Mapping[Quota, MonthForecast]:
    """Return the forecast of each quota."""
    month = base.settings.limits.month
    calls = MonthForecast(
        StoredDailyCalls(base.database, Quota.CALLS),
        lambda: base.meter.used,
        limit=month.calls,
        works=is_workday,
        gauge=base.metrics.month_forecast,
        warning="month.too_many_calls_ahead",
        now=base.now,
    )
    uses = MonthForecast(
        StoredDailyCalls(base.database, Quota.USES),
        lambda: base.meter.uses,
        limit=month.uses,
        works=is_workday,
        gauge=base.metrics.month_uses_forecast,
        warning="month.too_many_uses_ahead",
        now=base.now,
    )
    return {Quota.CALLS: calls, Quota.USES: uses}


def quota_reporter(base: Infrastructure, owed: Callable[[], None]) -> QuotaReports:
    """Return the reporter to administrators; ``owed`` is called when there is a card to send."""
    return QuotaReports(
        StoredQuotaWarnings(base.database),
        month=lambda: base.meter.month,
        use_of=lambda quota: quota_use(base, quota),
        advise=_advise,
        places=lambda: administrators(base),
        owed=owed,
        now=base.now,
    )


async def quotas_now(base: Infrastructure, forecasts: Mapping[Quota, MonthForecast]) -> Sequence[QuotaReport]:
    """Return what administrators are told of each quota, as it stands now. Raises a `DingerpError`."""
    expected = {quota: await each.expect() for quota, each in forecasts.items()}
    advice = _advise(expected[Quota.CALLS], expected[Quota.USES])
    return [build_quota_report(quota, quota_use(base, quota), ahead, advice) for quota, ahead in expected.items()]


async def administrators(base: Infrastructure) -> Sequence[Place]:
    """Return the administrators' chats for health reports. Raises `bot.words.errors.DingerpError`."""
    return report_places(base.settings, await base.database.read(find_administrators))


def quota_use(base: Infrastructure, quota: Quota) -> QuotaUse:
    """Return the use of a quota."""
    meter, month = base.meter, base.settings.limits.month
    spent = meter.spent_on(quota)
    counted = tuple({key.quota for key in spent})
    groups = {
        base.reply_addresses.title(group) or group: count for group, count in by_conversation(spent, *counted).items()
    }
    calls = quota is Quota.CALLS
    return QuotaUse(
        used=meter.used if calls else meter.uses,
        limit=month.calls if calls else month.uses,
        purposes=by_purpose(spent, *counted),
        groups=groups,
        remark=base.card_trial() if calls else "",
        refused=calls and meter.exhausted,
    )


def _advise(calls: int, uses: int) -> QuotaAdvice:
    plan = fitting_plan(calls, uses)
    return QuotaAdvice(plan.edition, plan.packs, plan.quotas.calls, plan.quotas.uses)


def quota_health(base: Infrastructure) -> PartHealth:
    """Return the quotas about to run out."""
    uses = {quota: quota_use(base, quota) for quota in _NAMES}
    refused = [phrase("DingTalk refuses calls: this month's quota is used up")] if base.meter.exhausted else []
    reasons = refused + [
        phrase(
            "%(percent)d %% of this month's %(quota)s are used (%(used)d of %(limit)d)",
            percent=use.percent,
            quota=_NAMES[quota],
            used=use.used,
            limit=use.limit,
        )
        for quota, use in uses.items()
        if use.percent >= NEAR_THE_END
    ]
    return degraded(phrase("%(text)s", text=tuple(reasons)) if reasons else "")
