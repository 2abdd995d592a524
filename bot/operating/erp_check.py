"""Opens one source and examines it: what ``dingerp erp check`` does."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.erp.checking import Examiner, Report, describe
from bot.erp.integrity import Inspector
from bot.erp.units import Units
from bot.erp.vendors import open_source
from bot.errors import ConfigurationError
from bot.settings import Settings


def unknown_source(settings: Settings, name: str) -> ConfigurationError:
    """Return the error for a source that is not configured."""
    return ConfigurationError(f"no ERP source {name!r} is configured; there are: {', '.join(settings.erp) or 'none'}")


async def check_source(settings: Settings, name: str, *, sample: int) -> tuple[Report, list[str]]:
    """Return the report on a source and its lines.

    Raises `ConfigurationError` for a source that is not configured, and what a source that is unreachable raises.
    """
    source = settings.erp.get(name)
    if source is None:
        raise unknown_source(settings, name)
    zone = ZoneInfo(settings.zone)

    def now() -> datetime:
        return datetime.now(zone)

    erp = await open_source(
        name, source.vendor, source.options, data_dir=settings.data_dir, now=now, timeout=source.timeout
    )
    try:
        inspector = Inspector(name, now=now, units=Units(settings.units), negative_stock=source.negative_stock)
        report = await Examiner(erp, inspector, sample=sample, timeout=source.timeout).examine()
    finally:
        await erp.close()
    return report, list(describe(report))
