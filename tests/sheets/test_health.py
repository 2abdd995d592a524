"""What `/readyz` says of shared tables."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.sheets import sheets_health
from bot.mechanisms.health import WELL, PartStatus
from bot.settings import SheetSettings
from bot.words.phrase import phrase
from tests.sheets.conftest import BASE, OWNER, SheetHarness


def base_of(kept: SheetHarness) -> Infrastructure:
    wanted = {"base": BASE, "sheet": "Orders", "owner": OWNER, "line": "/order", "shared": True}
    settings = SimpleNamespace(sheets={"orders": SheetSettings.model_validate(wanted)})
    parts: dict[str, Any] = {"settings": settings, "database": kept.database, "metrics": kept.metrics}
    return cast(Infrastructure, SimpleNamespace(**parts, now=lambda: kept.now))


async def test_a_table_that_is_not_current_is_told_until_it_is(kept: SheetHarness) -> None:
    base = base_of(kept)
    assert await sheets_health(base) == WELL, "its first round is still to come"
    await kept.states.note_round("orders", kept.now, phrase("the operator may not edit the AI table"))
    found = await sheets_health(base)
    assert (found.status, found.about) == (PartStatus.DEGRADED, frozenset({"orders"}))
    assert "orders was never refreshed (the operator may not edit the AI table)" in str(found.reason)
    await kept.states.note_round("orders", kept.now)
    assert await sheets_health(base) == WELL
    kept.now += timedelta(minutes=91)
    found = await sheets_health(base)
    assert "orders is as of 2026-11-05 09:00 (its rounds do not come)" in str(found.reason)
    assert kept.metrics.registry.get_sample_value("dingerp_sheet_age_seconds", {"sheet": "orders"}) == 91 * 60
