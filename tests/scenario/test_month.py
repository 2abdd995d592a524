"""A month of a company of 200 people on the Standard edition, question by question, on the bot's and DingTalk's meters.

Half of those who ask for a list want a row that stands on the second page, where a page has six: one of the seventh to
the tenth. They turn pages until they see it.

The short month has a twentieth of the people and of the quotas; the long one is as the guide computes it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.engine import Connection

from bot.alerts.rules.schedule import is_workday
from bot.approvals.case import CaseState
from bot.erp.model import ReviewState
from bot.erp.port import Erp
from bot.kit.company import adapter
from bot.kit.simulator.card_templates import SimTemplate, read_template
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.openapi.card_validation import ADVISED_VALUE_BYTES
from bot.outbox.quota_reports import STEPS
from bot.outbox.spending import Purpose, Quota
from bot.settings import CardSettings, ErpSettings, TemplateSettings
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, Clock, open_timeline_in
from tests.scenario.approvals.scenario import (
    ACCOUNTS,
    APPROVERS,
    MANAGER,
    SMALL,
    YES,
    ApprovalScenario,
)
from tests.scenario.approvals.unreliable_erp import UnreliableErp
from tests.scenario.conftest import BotSystem
from tests.scenario.more_documents import PURCHASE, copy_document
from tests.scenario.test_quotas import cost_table, guide_rows, spent, texts
from tests.scenario.traffic import eventually

FIRST = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
"""Nine in the morning in China, on a Sunday."""

CALLS, USES = 5_000, 3_000
"""Of the Standard edition."""

MIDDLE = 15
"""The day of the month from which on forecasts must be right."""

CALL, USE, CLICK = Quota.CALLS.value, Quota.USES.value, Quota.CLICKS.value

ADMINISTRATOR = "it01"


_ROWS = re.compile(r"第 \d+–(\d+) 条")
_PARTS = ("body", "buttons")

IMPORTED = TemplateSettings.model_validate(
    {
        "template_id": "imported.schema",
        "variables": {
            "title": "title",
            "tips": "tips",
            "markdown": "body",
            "markdown2": "body2",
            "markdown3": "body3",
            "btns": "buttons",
            "btns2": "buttons2",
            "btns3": "buttons3",
        },
    }
)
"""The template of the guide, which a company imports."""


def declared(template: TemplateSettings) -> SimTemplate:
    """Return a template as DingTalk knows it."""
    named = {part: [name for name, source in template.variables.items() if source.startswith(part)] for part in _PARTS}
    return read_template({"id": template.template_id, "markdown": named["body"], "buttonGroup": named["buttons"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDay:
    """What happens on a working day, as in the guide's table of what a company needs."""

    questions: int
    pages: int
    alerts: int
    changes: int
    approvals: int

    @classmethod
    def of(cls, people: int, dice: random.Random) -> WorkingDay:
        """Return a day of so many people that is a little more or less busy than others."""
        share = people / 100 * dice.gauss(1.0, 0.05)
        return cls(
            questions=round(50 * share),
            pages=round(25 * share),
            alerts=round(10 * share),
            changes=round(15 * share),
            approvals=round(5 * share),
        )


@dataclass(slots=True)
class CompanyMonth:
    """A company at work; it keeps count of what it did."""

    scenario: AlertScenario
    approvals: ApprovalScenario
    erp: UnreliableErp
    people: int
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    wishes: random.Random = field(default_factory=lambda: random.Random(12))
    """Apart from the other dice, so that the same things happen however many rows a card has."""
    done: Counter[str] = field(default_factory=Counter)
    forecasts: dict[int, Mapping[Quota, int]] = field(default_factory=dict)
    """By the day of the month."""

    async def live(self) -> None:
        """Live through November, and look at the month's quotas at each day's end."""
        for day in range(30):
            self.scenario.clock.now = FIRST + timedelta(days=day)
            await self.settle()
            if is_workday(self.scenario.clock.now.date()):
                await self._work(WorkingDay.of(self.people, self.dice))
            self.scenario.clock.now += timedelta(hours=9)
            await self.settle()
            self.forecasts[day + 1] = await self.look()

    async def look(self) -> Mapping[Quota, int]:
        """Look at the month as the bot does every minute, with the meters of both sides equal."""
        forecasts = await self.scenario.system.app.alerts.housekeeping.look()
        await self.settle()
        spent(self.scenario.system)
        return forecasts

    async def settle(self) -> None:
        """Wait until the bot has no work left."""
        await self.scenario.settle()
        await self.approvals.settle()

    async def _work(self, day: WorkingDay) -> None:
        for number in range(day.questions):
            self.done["question"] += 1
            card = await self.scenario.system.ask("/order late", where=WAREHOUSE)
            if number < day.pages:
                self.done["page"] += await self._turn_to(self.wishes.randint(7, 10), card)
        for _ in range(day.approvals):
            await self._approve()
        skus = [f"SKU{self.done['alert'] + number:04}" for number in range(day.alerts)]
        for number, sku in enumerate(skus):
            await self._alert(sku, worse=number < day.changes - day.alerts)

    async def _turn_to(self, row: int, card: Any) -> int:
        """Turn pages until a row of the list is shown, and return how many.

        A message that came without its text is answered without a list.
        """
        turned = 0
        while (rows := _ROWS.search(card.tips)) and int(rows[1]) < row and card.button("下一页"):
            card = await self.scenario.system.click(card, "下一页")
            turned += 1
        return turned

    async def _alert(self, sku: str, *, worse: bool) -> None:
        self.done["alert"] += 1
        await self.scenario.post(self.scenario.low(sku))
        for available in ("2", "60") if worse else ("60",):
            self.done["change"] += 1
            await self.scenario.post(self.scenario.low(sku, available))

    async def _approve(self) -> None:
        self.done["approval"] += 1
        number = f"PO-{7000 + self.done['approval']}"
        await self.erp.inner._database.run(lambda connection: _another_waits(connection, number))
        await self.approvals.poll_pending()
        await self.approvals.press(self.approvals.card(number, MANAGER), YES, MANAGER)
        await self.approvals.assert_ended(number, CaseState.APPROVED)


def _another_waits(connection: Connection, number: str) -> None:
    copy_document(connection, PURCHASE, SMALL, number, status=ReviewState.WAITING.value)


@asynccontextmanager
async def company_month(folder: Path, people: int, **settings: Any) -> AsyncIterator[CompanyMonth]:
    """Open a company with the quotas of a Standard edition for 200, in proportion to its people."""
    calls, uses = CALLS * people // 200, USES * people // 200
    clock, held, real = Clock(FIRST), [], adapter.open_demo

    async def open_quiet(*args: Any, **kwargs: Any) -> Erp:
        erp = UnreliableErp(await real(*args, **kwargs))
        await erp.only(())
        held.append(erp)
        return erp

    source = ErpSettings.model_validate({"vendor": "demo", "cache_seconds": 0, "breaker_failures": 0})
    changes: dict[str, Any] = {
        "access": {
            "directory": True,
            "roles": {"approver": frozenset(APPROVERS), "admin": frozenset({ADMINISTRATOR})},
            "accounts": {account: {"demo": account} for account in ACCOUNTS},
        },
        "approvals": {"groups": (BUYING,), "backlog": True},
        "limits": {"monthly_calls": calls, "monthly_uses": uses},
        "erp": {"demo": source},
        **settings,
    }
    config = SimulatorConfig(qps_limit=None, quota_limit=calls, uses_limit=uses, now=clock)
    with patch.object(adapter, "open_demo", open_quiet):
        async with open_timeline_in(folder, clock=clock, config=config, **changes) as scenario:
            await scenario.settle()
            approvals = ApprovalScenario(scenario.system, clock, folder)
            yield CompanyMonth(scenario, approvals, held[0], people)


def spent_on(system: BotSystem, purpose: Purpose) -> tuple[int, int]:
    """Return the calls and uses, with the clicks, that the bot's meters have for a purpose."""
    calls, uses, clicks = (
        int(system.count("quota_spent_month", quota=quota, purpose=purpose)) for quota in (CALL, USE, CLICK)
    )
    return calls, uses + clicks


def times(count: int, cost: tuple[int, int]) -> Counter[str]:
    """Return what so many things of this cost come to."""
    return Counter({CALL: count * cost[0], USE: count * cost[1]})


async def assert_costs_as_told(month: CompanyMonth) -> None:
    """Expect each purpose to have spent what the guide's table says for what was done."""
    costs, done, system = cost_table(), month.done, month.scenario.system
    approval = next(cost for what, cost in costs.items() if what.startswith("an approval"))
    expected = {
        Purpose.QUESTION: times(done["question"], costs["a question and its card"]),
        Purpose.PAGE: times(done["page"], costs["a page turn or a drill-down"]),
        Purpose.ALERT: times(done["alert"], costs["an alert's card"])
        + times(done["change"], costs["a change of an alert's card"]),
        Purpose.APPROVAL: times(done["approval"], approval),
    }
    told = {purpose: (sums[CALL], sums[USE]) for purpose, sums in expected.items()}

    def metered() -> Mapping[Purpose, tuple[int, int]]:
        return {purpose: spent_on(system, purpose) for purpose in told}

    # The metrics by purpose follow when the meter is stored.
    await eventually(lambda: metered() == told, hint=lambda: (metered(), told))


def assert_forecasts(month: CompanyMonth) -> None:
    """Expect all forecasts from the middle of the month on to be within five percent of its end.

    Ten people do too little for that: theirs are within ten.
    """
    calls, uses = spent(month.scenario.system)
    near = max(0.05, 1 / month.people)
    for day, forecasts in month.forecasts.items():
        if day >= MIDDLE:
            assert forecasts[Quota.CALLS] == pytest.approx(calls, rel=near), day
            assert forecasts[Quota.USES] == pytest.approx(uses, rel=near), day


def assert_as_told(month: CompanyMonth, rows: str) -> None:
    """Expect the guide to say what the month of the whole company came to, where a card has so many rows."""
    [told] = [row for row in guide_rows() if row[:1] and row[0].startswith(rows)]
    figures = [int(cell.split(":")[0].replace(" ", "")) for cell in told[1:]]
    if month.people == 200:
        assert [month.done["page"], *spent(month.scenario.system)] == figures


def reports(scenario: AlertScenario) -> Counter[str]:
    """Return how often the administrator was told of each quota."""
    told = [card.markdown for card in scenario.cards(ADMINISTRATOR) if "额度" in card.title]
    return Counter(CALL if "API" in report.splitlines()[0] else USE for report in told)


async def run_out_of_calls(month: CompanyMonth) -> list[str]:
    """Raise critical alerts within an hour until more than all calls are needed; return their products.

    The bot looks at the month after each twentieth of them, and so also when no call is left.
    Somebody and the administrator wrote just before, although DingTalk kept what they wrote: else nothing could be
    sent without a call.
    """
    scenario, flow = month.scenario, month.scenario.system.engine.flow
    assert flow.limit is not None
    await scenario.system.ask("/order late", where=WAREHOUSE)
    await scenario.system.ask("/help", ADMINISTRATOR, where=scenario.system.engine.direct(ADMINISTRATOR).id)
    count = flow.limit - flow.used + 12
    pause, part = timedelta(hours=1) / count, count // 20
    skus = [f"SKU8{number:04}" for number in range(count)]
    for start in range(0, count, part):
        for sku in skus[start : start + part]:
            scenario.clock.now += pause
            await scenario.post(scenario.low(sku, available="0", severity="critical"))
        await month.look()
    return skus


@pytest.mark.parametrize("people", [10, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
async def test_a_month_of_a_company(people: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with company_month(tmp_path, people) as month:
        scenario, flow = month.scenario, month.scenario.system.engine.flow
        await month.live()
        await assert_costs_as_told(month)
        assert_forecasts(month)
        assert flow.uses_limit is not None
        assert flow.uses > flow.uses_limit, "DingTalk sent the last messages without their text"
        assert_as_told(month, "about six")

        skus = await run_out_of_calls(month)
        assert flow.used == flow.limit
        # That all calls are used cannot be a card where DingTalk grants no days of grace.
        assert reports(scenario) == {CALL: len(STEPS) - 1, USE: len(STEPS)}
        own_chat = scenario.system.engine.direct(ADMINISTRATOR).id
        assert [text for text in texts(scenario.system.engine, own_chat) if "本月调用额度已全部用完" in text]
        cards = " ".join(card.title + card.markdown for card in scenario.cards(WAREHOUSE))
        shown = " ".join([cards, *texts(scenario.system.engine, WAREHOUSE)])
        assert [sku for sku in skus if sku not in shown] == []


@pytest.mark.parametrize("people", [10, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])])
async def test_a_month_of_a_company_whose_cards_have_a_dozen_rows(
    people: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cards = CardSettings(templates={"default": IMPORTED})
    async with company_month(tmp_path, people, cards=cards) as month:
        engine = month.scenario.system.engine
        engine.cards.register(declared(IMPORTED))
        await month.live()
        await assert_costs_as_told(month)
        assert_forecasts(month)
        assert month.done["page"] == 0, "who wanted a later row saw it at once"
        calls, uses = spent(month.scenario.system)
        assert calls < CALLS * people // 200
        assert uses < USES * people // 200
        assert_as_told(month, "up to twelve")
        assert max(len(value.encode()) for card in engine.cards for value in card.data.values()) <= ADVISED_VALUE_BYTES
