"""The living demo company as a whole, while its days go by: a report tells what the lists tell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.kit.company.manifest import DemoOptions
from bot.kit.simulator.cards import SimCardView
from bot.settings import ErpSettings
from tests.scenario.conftest import ENGLISH, BotSystem, OpenSystem
from tests.scenario.traffic import LONGEST_WAIT, eventually

A_DAY = timedelta(hours=1) / DemoOptions().days_per_hour
LIVING = {"demo": ErpSettings.model_validate({"vendor": "demo", "living": True})}


class StoppedClock:
    """It stands still unless a test moves it: nothing happens between two questions."""

    time = datetime(2026, 11, 24, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


async def test_reports_tell_what_lists_tell_after_each_of_three_days(open_system: OpenSystem) -> None:
    clock = StoppedClock()
    told: set[tuple[int, ...]] = set()
    async with open_system(clock=clock.now, erp=LIVING, read_model={"enabled": True, "seconds": 1.0}) as system:
        for _ in range(4):
            await eventually(lambda: age(system) == 0, LONGEST_WAIT, hint=lambda: age(system))
            report = re.sub("<[^>]*>", " ", (await asked(system, "/report today")).markdown)
            orders, invoices = report.split("Invoiced", 1)
            counts = number_after("Late now", orders), number_after("Overdue now", invoices)
            lists = [await asked(system, line) for line in ("/order late", "/invoice overdue")]
            assert counts == tuple([number_after("(", each.title) for each in lists])
            told.add(counts)
            clock.time += A_DAY
            await system.app.hub.stock("SKU123")  # whatever is asked for, the company lives on before it answers
    assert len(told) > 1, "no day has gone by"


def age(system: BotSystem) -> float:
    """Return the seconds since the documents that are kept were last as those of the ERP."""
    return system.count("read_model_age_seconds", source="demo")


async def asked(system: BotSystem, line: str) -> SimCardView:
    return await system.ask(line, ENGLISH, where=system.engine.direct(ENGLISH).id)


def number_after(label: str, text: str) -> int:
    found = re.search(r"\d+", text[text.index(label) :])
    assert found is not None, text
    return int(found[0])
