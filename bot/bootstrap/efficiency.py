"""Builds the figures of efficiency, and lets the leader keep them up to date."""

from __future__ import annotations

from bot.bootstrap.infrastructure import Infrastructure
from bot.efficiency.working_time import WorkingHours
from bot.mechanisms.background import Runs, repeat
from bot.store.efficiency import StoredEfficiency

_FILLED_EVERY = 60.0


async def start_efficiency(base: Infrastructure) -> StoredEfficiency:
    """Return the figures, which the leader fills from now on."""
    zone = base.now().tzinfo
    assert zone is not None, "the clock is in the company's zone"
    hours = base.settings.hours
    working = WorkingHours(zone, hours.spans, hours.saturdays)
    figures = StoredEfficiency(base.database, working, base.now)

    async def fill() -> None:
        await repeat(figures.fill, every=_FILLED_EVERY, failed="efficiency.not_filled")

    await base.run_in_background(fill, "efficiency", Runs.WITH_LEAD)
    return figures
