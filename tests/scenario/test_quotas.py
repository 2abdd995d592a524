"""DingTalk's two monthly quotas: what each thing costs, and what still gets through when they are used up."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.approvals.case import CaseState
from bot.kit.simulator.chat import SimMessage
from bot.kit.simulator.engine import SimEngine
from bot.settings import RuleSettings
from bot.settings.editions import fitting_plan
from tests.scenario.alerts.scenario import (
    BUYING,
    WAREHOUSE,
    AlertScenario,
    OpenAlertScenario,
    open_alert_scenario,
)
from tests.scenario.approvals.scenario import (
    BOSS,
    BUYER,
    MANAGER,
    SMALL,
    YES,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.approvals.test_disclosed_approvals import access
from tests.scenario.conftest import BotSystem
from tests.scenario.test_run import get
from tests.scenario.traffic import eventually

__all__ = ["open_alert_scenario", "open_approval_scenario"]  # pytest finds fixtures in the module

KEEPER = "keeper01"
ASK = "po.ask|"

_PRICES_IN_GROUP = RuleSettings.model_validate(
    {"commands": ["po"], "shared": True, "conversations": [BUYING], "fields": ["quantity", "cost", "partner"]}
)


def spent(system: BotSystem) -> tuple[int, int]:
    """Return the calls and uses so far, after checking that bot and simulator agree about them."""
    flow = system.engine.flow
    metered = (system.count("api_calls_month"), system.count("stream_uses_month"))
    assert metered == (flow.used, flow.uses)
    return flow.used, flow.uses


@asynccontextmanager
async def costing(system: BotSystem, calls: int, uses: int) -> AsyncIterator[None]:
    """Expect that what happens within costs this much."""
    before = spent(system)
    yield
    await system.settle()
    after = spent(system)
    assert (after[0] - before[0], after[1] - before[1]) == (calls, uses)


def texts(engine: SimEngine, group: str) -> list[str]:
    """Return what the bot wrote into a group as plain messages."""
    items = engine.chat.items(engine.conversation(group), "", 0)
    return [item.text for item in items if isinstance(item, SimMessage) and item.sender is None]


async def send(scenario: AlertScenario, *events: Mapping[str, Any]) -> None:
    """Send events without waiting for their cards."""
    body = orjson.dumps(list(events))
    url = f"http://127.0.0.1:{scenario.system.app.port}/hooks/erp"
    async with scenario.session.post(url, data=body, headers=scenario.signed(body)) as response:
        assert response.status == 202


async def kept_waiting(scenario: AlertScenario, count: int) -> None:
    """Wait until so many deliveries are queued for later."""
    file = scenario.folder / "demo" / "dingerp.sqlite3"
    now = int(scenario.clock.now.timestamp() * 1000)
    query = f"SELECT count(*) FROM delivery WHERE state = 'queued' AND next_ms > {now} AND lease = ''"

    def waiting() -> int:
        with closing(sqlite3.connect(file, timeout=5)) as connection:
            found: int = connection.execute(query).fetchone()[0]
            return found

    await eventually(lambda: waiting() == count, hint=waiting)


async def test_what_a_question_a_page_and_an_alert_cost(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        system = scenario.system
        async with costing(system, calls=1, uses=1):
            card = await system.ask("/order late", where=WAREHOUSE)
        async with costing(system, calls=0, uses=1):
            await system.click(card, "下一页")
        async with costing(system, calls=1, uses=0):
            await scenario.post(scenario.low("SKU123"))
        async with costing(system, calls=1, uses=0):
            await scenario.post(scenario.low("SKU123", available="1"))
        system.engine.faults.set("template_unpublished", on=True)
        async with costing(system, calls=2, uses=1):
            system.engine.say(WAREHOUSE, KEEPER, "/stock SKU123")
            await eventually(lambda: texts(system.engine, WAREHOUSE), hint=lambda: "a text")
        system.engine.emit_event("user_leave_org", {"userId": ["nobody"]})
        async with costing(system, calls=0, uses=1):
            system.engine.emit_event("chat_update_title", {})
            await eventually(lambda: system.count("stream_uses_month") == system.engine.flow.uses, hint=lambda: "event")


_SEES_PRICES, _HAS_OUTSIDER = {"rules": (_PRICES_IN_GROUP,)}, {"outsider_groups": (BUYING,)}

APPROVAL_CALLS = [
    # groups, their rights, values arrive, when groups get a card by the settings: calls when it waits and when it is
    # decided, and whether the group has a card while it waits
    ((), {}, False, None, 1, 3, False),
    ((BUYING,), _SEES_PRICES, False, None, 1, 3, True),
    ((BUYING,), {}, True, None, 1, 3, True),
    ((BUYING,), {}, False, None, 1, 3, False),
    ((BUYING,), _HAS_OUTSIDER, False, None, 1, 3, False),
    ((BUYING, WAREHOUSE), _SEES_PRICES, False, None, 1, 3, True),
    ((BUYING,), _SEES_PRICES, False, "decided", 1, 3, False),
    # A card without amounts for the group, and one with them: each is made and brought to its end.
    ((BUYING,), {}, False, "waiting", 2, 5, True),
]
"""The last of the calls at the end is the card of the requester, and of groups that hear of the end alone."""


@pytest.mark.sampled(3)
@pytest.mark.parametrize("deciders", [1, 2])
@pytest.mark.parametrize(("groups", "rights", "arrive", "setting", "waiting", "decided", "shown"), APPROVAL_CALLS)
async def test_what_an_approval_costs(
    open_approval_scenario: OpenApprovalScenario,
    request: pytest.FixtureRequest,
    groups: tuple[str, ...],
    rights: Mapping[str, Any],
    arrive: bool,
    setting: str | None,
    waiting: int,
    decided: int,
    shown: bool,
    deciders: int,
) -> None:
    """As few calls as show nobody too much, and nobody a state that is over."""
    if arrive:
        request.getfixturevalue("confirmed")
    approvers = (MANAGER, BOSS)[:deciders]
    rights = access(roles={"approver": frozenset(approvers)}, **rights)
    async with open_approval_scenario(SMALL, groups=groups, group_cards=setting, access=rights) as scenario:
        system = scenario.system
        system.engine.readings.private_values = arrive
        assert spent(system) == (waiting, 0)
        for decider in approvers:
            assert "¥" in scenario.card(SMALL, decider).markdown
        assert (BUYING in scenario.places(SMALL)) is shown
        if shown:
            assert ("¥" in scenario.card(SMALL, BUYING).markdown) is ("rules" in rights), "nobody else sees a price"
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert spent(system) == (decided, 1)
        # A group that may see nothing of the order hears nothing.
        told = () if "outsider_groups" in rights else groups
        assert scenario.places(SMALL) == sorted([*approvers, *told, BUYER])
        await scenario.assert_ended(SMALL, CaseState.APPROVED)


@pytest.mark.parametrize("groups", [(), (BUYING,)])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("taps", [False, True])
async def test_what_a_question_to_the_requester_costs(
    open_approval_scenario: OpenApprovalScenario, groups: tuple[str, ...], late: bool, taps: bool
) -> None:
    """Two more than without it: the requester's card, and one change of the deciders' card to question and answer; the
    question alone is one more if it stays open, and so is the end of the requester's card if they answer by a line.
    Beside these are the replies to what people type.
    """
    async with open_approval_scenario(SMALL, groups=groups, group_cards=None) as scenario:
        system = scenario.system
        calls, uses = 1, 0
        assert spent(system) == (calls, uses)

        async def say(words: str, who: str) -> None:
            nonlocal uses
            if taps:
                await scenario.press(scenario.card(SMALL, who), ASK, who)
                uses += 1
            await scenario.ask(words if taps else f"/clarify {SMALL} {words}", who)
            uses += 1

        await say("为什么这么急", MANAGER)
        # A card that others share asks for the words on one of the asker's own.
        calls += 1 + taps + 1
        assert spent(system) == (calls, uses)
        assert "为什么这么急" in scenario.card(SMALL, BUYER).markdown
        if late:
            await scenario.at("10m")
            calls += 1
            assert spent(system) == (calls, uses)
            for decider in (MANAGER, BOSS):
                assert "为什么这么急" in scenario.card(SMALL, decider).markdown
        await say("客户催货", BUYER)
        # The requester's card still offers to answer, if they did that by a line.
        calls += 2 + (not taps)
        assert spent(system) == (calls, uses)
        for decider in (MANAGER, BOSS):
            assert "客户催货" in scenario.card(SMALL, decider).markdown
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        replies = 2 + taps
        assert spent(system) == (replies + 5 + late + (not taps), uses + 1)
        assert scenario.places(SMALL) == sorted([MANAGER, BOSS, BUYER, BUYER, *groups])
        for copy in scenario.copies(SMALL):
            assert not copy.decides
            assert "审批通过" in copy.text or copy.place == BUYER


async def test_what_an_approval_costs_where_each_place_has_a_card(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, approvals={"one_card": False}) as scenario:
        assert spent(scenario.system) == (3, 0)
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert spent(scenario.system) == (7, 1)


async def test_groups_that_hear_of_the_end_alone_are_told_no_amount(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, groups=(BUYING, WAREHOUSE), group_cards=None) as scenario:
        assert "¥" in scenario.card(SMALL, MANAGER).markdown
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert spent(scenario.system) == (3, 1)
        assert scenario.places(SMALL) == sorted([MANAGER, BOSS, BUYING, WAREHOUSE, BUYER])
        for place in (BUYING, WAREHOUSE, BUYER):
            told = scenario.card(SMALL, place)
            assert "¥" not in told.markdown
            assert "同意" not in [button.text for button in told.buttons]


async def test_what_each_purpose_spent_is_in_the_metrics_and_survives_a_restart(
    open_alert_scenario: OpenAlertScenario, tmp_path: Path
) -> None:
    for asked in (1, 2):
        async with open_alert_scenario() as scenario:
            await scenario.system.ask("/stock SKU123", where=WAREHOUSE)
            await scenario.post(scenario.low(f"SKU10{asked}", id=f"asked-{asked}"))
    async with open_alert_scenario() as scenario:
        labels = {"quota": "calls", "purpose": "question"}
        assert scenario.system.count("quota_spent_month", **labels) == 2
        assert scenario.system.count("quota_spent_month", quota="calls", purpose="alert") == 2
        assert scenario.system.count("quota_spent_month", quota="uses", purpose="question") == 2
        assert scenario.system.count("api_calls_month") == 4


def critical(scenario: AlertScenario, sku: str) -> dict[str, Any]:
    return scenario.low(sku, available="0", severity="critical")


async def test_a_critical_alert_goes_where_somebody_wrote_when_no_call_is_left(
    open_alert_scenario: OpenAlertScenario,
) -> None:
    async with open_alert_scenario() as scenario:
        engine = scenario.system.engine
        await scenario.system.ask("/stock SKU123", where=WAREHOUSE)
        engine.flow.limit = engine.flow.used
        for number in range(12):
            await send(scenario, critical(scenario, f"SKU1{number:02}"))
        await eventually(lambda: len(texts(engine, WAREHOUSE)) == 12, hint=lambda: texts(engine, WAREHOUSE))
        await send(scenario, scenario.low("SKU150"))
        await kept_waiting(scenario, 1)
        assert len(texts(engine, WAREHOUSE)) == 12, "what is not urgent waits"


async def test_a_critical_alert_waits_for_the_first_who_writes(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        engine = scenario.system.engine
        engine.flow.limit = 0
        await send(scenario, critical(scenario, "SKU123"))
        await kept_waiting(scenario, 1)
        assert texts(engine, WAREHOUSE) == []
        engine.say(WAREHOUSE, KEEPER, "/stock SKU160")
        await eventually(lambda: len(texts(engine, WAREHOUSE)) == 2, hint=lambda: texts(engine, WAREHOUSE))
        assert any("SKU123" in text for text in texts(engine, WAREHOUSE))
        assert any("SKU160" in text for text in texts(engine, WAREHOUSE))


async def test_critical_alerts_are_cards_when_the_uses_are_used_up(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        flow = scenario.system.engine.flow
        flow.uses_limit = flow.uses
        for number in range(12):
            await scenario.post(critical(scenario, f"SKU1{number:02}"))
        assert len(scenario.titles(WAREHOUSE)) == 12


async def test_the_last_calls_are_for_critical_alerts(open_alert_scenario: OpenAlertScenario) -> None:
    limits = {"monthly_calls": 40}
    outbox = {"reserve": 0.5, "urgent_reserve": 0.5, "per_second": 1000, "place_minute": 1000}
    async with open_alert_scenario(limits=limits, outbox=outbox) as scenario:
        system = scenario.system
        for number in range(20):
            await scenario.post(scenario.low(f"SKU1{number:02}"))
        assert system.engine.flow.used == 20
        await send(scenario, scenario.low("SKU190"))
        await kept_waiting(scenario, 1)
        system.engine.say(WAREHOUSE, KEEPER, "/stock SKU160")
        await eventually(lambda: texts(system.engine, WAREHOUSE), hint=lambda: "the answer as a text")
        assert system.engine.flow.used == 20, "neither an answer nor an ordinary alert takes them"
        await send(scenario, *(critical(scenario, f"SKU2{number:02}") for number in range(20)))
        await eventually(lambda: system.engine.flow.used == 40, hint=lambda: system.engine.flow.used)


async def reports(scenario: AlertScenario, look: Callable[[], Any]) -> list[str]:
    await look()
    await scenario.settle()
    return [card.title for card in scenario.cards("it01") if "额度" in card.title]


async def test_administrators_are_told_at_each_step_and_once(open_alert_scenario: OpenAlertScenario) -> None:
    access = {"roles": {"admin": frozenset({"it01"})}}
    async with open_alert_scenario(access=access, limits={"monthly_calls": 60, "monthly_uses": 1000}) as scenario:
        look = scenario.system.app.alerts.housekeeping.look
        told: Mapping[int, list[str]] = {}
        for number in range(57):
            await scenario.post(scenario.low(f"SKU{number}", severity="critical"))
            told = {**told, number + 1: await reports(scenario, look)}
        steps = [calls for calls in told if len(told[calls]) > len(told.get(calls - 1, []))]
        assert [len(told[calls]) for calls in steps] == [1, 2, 3, 4, 5]
        assert steps == [30, 41, 49, 54, 56], "the reports are calls, too"
        card = scenario.cards("it01")[-1]
        assert "专业版" in card.markdown or "标准版" in card.markdown
        assert "预警" in card.markdown
        assert "本月调用额度已全部用完" in card.markdown
        status, text = await get(scenario.system.app.port, "/readyz")
        body = orjson.loads(text)
        assert (status, body["parts"]["quota"]["status"]) == (200, "degraded")
        assert "of this month's DingTalk API calls are used" in body["parts"]["quota"]["reason"]


async def test_administrators_are_told_that_other_apps_used_the_month_up(
    open_alert_scenario: OpenAlertScenario,
) -> None:
    access = {"roles": {"admin": frozenset({"it01"})}}
    async with open_alert_scenario(access=access, limits={"monthly_calls": 1000, "monthly_uses": 1000}) as scenario:
        system, faults = scenario.system, scenario.system.engine.faults
        await system.ask("/stock SKU123", "it01", where=WAREHOUSE)
        faults.set("quota_exhausted", on=True)
        system.engine.say(WAREHOUSE, KEEPER, "/stock SKU123")
        await eventually(lambda: texts(system.engine, WAREHOUSE), hint=lambda: "the answer as a text")
        _, text = await get(system.app.port, "/readyz")
        assert "DingTalk refuses calls" in orjson.loads(text)["parts"]["quota"]["reason"]
        faults.set("quota_exhausted", on=False)
        assert len(await reports(scenario, system.app.alerts.housekeeping.look)) == 1
        assert "本月调用额度已全部用完" in scenario.cards("it01")[-1].markdown


@pytest.mark.parametrize("who", [KEEPER])
async def test_the_uses_have_steps_of_their_own(open_alert_scenario: OpenAlertScenario, who: str) -> None:
    access = {"roles": {"admin": frozenset({"it01"})}}
    async with open_alert_scenario(access=access, limits={"monthly_calls": 1000, "monthly_uses": 4}) as scenario:
        look = scenario.system.app.alerts.housekeeping.look
        for _ in range(3):
            await scenario.system.ask("/stock SKU123", who, where=WAREHOUSE)
        assert len(await reports(scenario, look)) == 1, "of two steps at once only the higher is told"
        assert "Webhook" in scenario.cards("it01")[-1].markdown
        assert len(await reports(scenario, look)) == 1


GUIDE = Path(__file__).parents[2] / "docs" / "explanation" / "limits-and-budgets.md"


def guide_rows() -> list[list[str]]:
    """Return the rows of the guide's tables."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in GUIDE.read_text("utf-8").splitlines()]


def cost_table() -> dict[str, tuple[int, int]]:
    """Return the calls and uses that the guide says each thing costs."""
    return {row[0]: (int(row[1]), int(row[2])) for row in guide_rows() if len(row) == 3 and (row[1] + row[2]).isdigit()}


def test_the_guide_computes_what_a_company_needs() -> None:
    costs = cost_table()
    question, page = costs["a question and its card"], costs["a page turn or a drill-down"]
    alert, change = costs["an alert's card"], costs["a change of an alert's card"]
    approval = next(cost for what, cost in costs.items() if what.startswith("an approval"))
    day = [50 * question[i] + 25 * page[i] + 10 * (alert[i] + 1.5 * change[i]) + 5 * approval[i] for i in (0, 1)]
    needed = {
        people: (round(people / 100 * 22 * day[0]), round(people / 100 * 22 * day[1])) for people in (20, 200, 2_000)
    }
    told = {
        int(row[0].replace(" ", "")): (int(row[1].replace(" ", "")), int(row[2].replace(" ", "")), row[3].split(":")[0])
        for row in guide_rows()
        if len(row) == 4 and row[0].replace(" ", "").isdigit()
    }
    expected = {people: (*need, fitting_plan(*need).edition.capitalize()) for people, need in needed.items()}
    assert told == expected
