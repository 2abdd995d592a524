"""Rejecting with the form of a company's own card template: ``dingerp run`` as a process, and clicks over the wire.

The templates are those of docs/how-to/own-card-template.md. Their variables have their own names, so that nothing is
shown that the bot sent for another template.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.erp.model import Verdict
from bot.kit.simulator.card_templates import read_template
from bot.kit.simulator.cards import SimCardView
from bot.store.tables import APPROVAL_AUDIT, APPROVAL_CASE
from tests.scenario.approvals.cluster import APPROVE, GROUP, REJECT, ApprovalCluster, CardPlacement, open_cluster
from tests.scenario.traffic import eventually

pytestmark = [pytest.mark.process, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

BOSS, MANAGER = PEOPLE = ("boss01", "buymanager01")
"""Both are members of the group."""
COPIES = len(PEOPLE) + 2
"""Cards of a decided order: for each of them, in the group, and the requester's."""

OWN = "3f0c9a1b-2d4e-4f60-9182-93a4b5c6d7e8.schema"
PARTS = {"headline": "title", "words": "body", "foot": "tips", "state": "state"}
DRAWN = {"id": OWN, "title": "headline", "markdown": "words", "tips": "foot", "fieldsIf": {"state": "open"}}
SLOTS = range(1, 7)
TEXT = {"name": "reason", "label": "驳回原因", "type": "TEXT", "placeholder": "可不填"}
CHOICE = {
    **TEXT,
    "type": "SELECT",
    "options": [{"value": "needless", "text": "别买"}, {"value": "请重新询价", "text": "要重新询价"}],
}

BACK, PRICE = "返回", "价格过高"


@dataclass(frozen=True, slots=True)
class TemplateStyle:
    """How a template gets its buttons: the bot's configuration, and the way it was built."""

    name: str
    variables: Mapping[str, str]
    built: Mapping[str, Any]


DYNAMIC = TemplateStyle("buttonGroup", {"choices": "buttons"}, {"buttonGroup": "choices"})
STATIC = TemplateStyle(
    "static",
    {f"{part}{slot}": f"button{slot}.{part}" for slot in SLOTS for part in ("text", "token")},
    {
        "buttons": [
            {"text": f"${{text{slot}}}", "params": {"id": f"${{token{slot}}}", "card": "approval"}} for slot in SLOTS
        ]
    },
)
ORDERS = 10
"""Waiting orders for the tests of one style, which decide them one after the other."""


@dataclass(slots=True)
class TemplateScenario:
    """A company whose bot shows orders with its own template, in one of the styles."""

    cluster: ApprovalCluster
    style: TemplateStyle
    waiting: list[str]
    ended: int = 0

    def order(self, **fields: list[dict[str, Any]]) -> str:
        """Give the next order's cards a template with ``fields`` (``form=[…]`` or ``inputs=[…]``); return its
        number."""
        number = self.waiting.pop(0)
        template = read_template({**DRAWN, **self.style.built, **fields})
        for shown in self.cluster.cards()[number]:
            card = self.cluster.engine.cards.get(shown.track)
            assert card is not None
            card.template = template
        return number

    async def wait_for_end(self) -> None:
        """Wait until one more order is decided and all its cards say so."""
        self.ended += 1
        await self.cluster.settled(self.ended)


@asynccontextmanager
async def open_template_scenario(style: TemplateStyle, folder: Path) -> AsyncIterator[TemplateScenario]:
    """Open a company; its bot serves all tests of this style."""
    own = {
        "TEMPLATE_ID": OWN,
        "BUTTON_STYLE": style.name,
        "VARIABLES": orjson.dumps({**PARTS, **style.variables}).decode(),
    }
    configured = {f"DINGERP_CARDS__TEMPLATES__APPROVAL__{name}": value for name, value in own.items()}
    async with open_cluster(folder, PEOPLE) as cluster:
        cluster.engine.cards.register(read_template({**DRAWN, **style.built}))
        numbers = cluster.submit(range(ORDERS))
        async with cluster.bot(**configured) as bot:
            await bot.saying("stream.connected")
            await cluster.shown(numbers, COPIES - 1)
            await cluster.settled(0)
            yield TemplateScenario(cluster, style, numbers)
            ended = await bot.stop()
        assert ended.code == 0
        assert "Traceback" not in bot.err, bot.err


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dynamic_scenario(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemplateScenario]:
    async with open_template_scenario(DYNAMIC, tmp_path_factory.mktemp("dynamic")) as scenario:
        yield scenario


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def static_scenario(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemplateScenario]:
    async with open_template_scenario(STATIC, tmp_path_factory.mktemp("static")) as scenario:
        yield scenario


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> TemplateScenario:
    """Return the company with the test's style. Tests come in any order, and each company opens once."""
    opened: TemplateScenario = request.getfixturevalue(
        "dynamic_scenario" if request.param is DYNAMIC else "static_scenario"
    )
    return opened


def styles(*styles: TemplateStyle) -> pytest.MarkDecorator:
    """Run the test with each of these styles."""
    return pytest.mark.parametrize("scenario", styles, ids=lambda style: style.name, indirect=True)


def of(cluster: ApprovalCluster, number: str, place: str) -> CardPlacement:
    """Return the card at a place: the group, or a person's own chat."""
    return next(card for card in cluster.cards()[number] if card.place == place or (card.reader == place != GROUP))


def labels(view: SimCardView) -> list[str]:
    return [button.text for button in view.buttons]


async def record(cluster: ApprovalCluster, number: str) -> list[tuple[str, str, str]]:
    """Return the record of an order: what happened, by whom, and the details."""
    columns = APPROVAL_AUDIT.c.what, APPROVAL_AUDIT.c.user_id, APPROVAL_AUDIT.c.detail
    own = select(APPROVAL_CASE.c.id).where(APPROVAL_CASE.c.folded == number.casefold())
    query = select(*columns).where(APPROVAL_AUDIT.c.case_id.in_(own)).order_by(APPROVAL_AUDIT.c.number)
    rows = await cluster.database.run(lambda connection: connection.execute(query).all())
    return [(row.what, row.user_id, row.detail) for row in rows]


async def assert_rejected(scenario: TemplateScenario, number: str, who: str, reason: str, *, own: str = "") -> None:
    """Expect one rejection with this reason: in the ERP, on every card, in the record.

    ``own`` is the card by which the bot asked for the reason, which was made as another one.
    """
    cluster = scenario.cluster
    await scenario.wait_for_end()
    assert cluster.verdicts()[number] == [(Verdict.REJECT, f"erp-{who}")]
    assert reasons(cluster, number) == [reason]
    cluster.assert_decided_once([number], COPIES)
    assert {card.track for card in cluster.cards()[number] if card.is_answer} == {own} - {""}
    for card in cluster.cards()[number]:
        assert reason in card.view.markdown, (card.place, card.view)
        assert card.view.fields == (), (card.place, "nothing can be filled in any more")
        asked = (card.reader in PEOPLE or card.in_group) and card.track != own
        assert (card.view.template_id == OWN) is asked, (card.place, card.view.template_id)
    rows = await record(cluster, number)
    assert [what for what, _, _ in rows] == ["opened", "vote", "decided", "writing", "outcome", "rejected"]
    assert [(by, detail) for what, by, detail in rows if what == "vote"] == [(who, f"reject at level 1: {reason}")]


def reasons(cluster: ApprovalCluster, number: str) -> list[str]:
    """Return the reasons that the ERP was given for an order."""
    return [decision.reason for decision in cluster.erp.erp.told if decision.number == number]


@styles(DYNAMIC, STATIC)
@pytest.mark.parametrize("place", [GROUP, MANAGER], ids=["in the group", "in one's own chat"])
async def test_rejecting_with_the_text_of_a_form(scenario: TemplateScenario, place: str) -> None:
    number = scenario.order(form=[TEXT])
    card = of(scenario.cluster, number, place)
    assert [field.name for field in card.view.fields] == ["reason"]
    answer = await scenario.cluster.press(card, REJECT, MANAGER, fields={"reason": "  规格不符，请再谈 "})
    assert answer.result.ok, answer
    assert answer.view.button(REJECT) is None, answer
    await assert_rejected(scenario, number, MANAGER, "规格不符，请再谈")


@pytest.mark.parametrize(
    ("scenario", "where", "value", "reason"),
    [
        pytest.param(STATIC, "form", "请重新询价", "请重新询价", id="static-form-words"),
        pytest.param(DYNAMIC, "inputs", "needless", "不需要", id="buttonGroup-inputs-code"),
    ],
    indirect=["scenario"],
)
async def test_rejecting_with_the_choice_of_a_select_field(
    scenario: TemplateScenario, where: str, value: str, reason: str
) -> None:
    number = scenario.order(**{where: [CHOICE]})
    answer = await scenario.cluster.press(of(scenario.cluster, number, BOSS), REJECT, fields={"reason": value})
    assert answer.result.ok, answer
    await assert_rejected(scenario, number, BOSS, reason)


@styles(STATIC)
async def test_rejecting_with_an_input_that_stands_alone(scenario: TemplateScenario) -> None:
    number = scenario.order(inputs=[TEXT])
    await scenario.cluster.press(of(scenario.cluster, number, BOSS), REJECT, fields={"reason": "规格不符"})
    await assert_rejected(scenario, number, BOSS, "规格不符")


@pytest.mark.parametrize(
    ("scenario", "field"),
    [pytest.param(DYNAMIC, TEXT, id="buttonGroup-text"), pytest.param(STATIC, CHOICE, id="static-select")],
    indirect=["scenario"],
)
async def test_an_empty_form_is_asked_for_the_reason(scenario: TemplateScenario, field: dict[str, Any]) -> None:
    cluster, number = scenario.cluster, scenario.order(form=[field])
    card = of(cluster, number, GROUP)
    await cluster.press(card, REJECT, MANAGER, fields={"reason": "" if field is CHOICE else "  "})
    await eventually(lambda: len(cluster.cards()[number]) == COPIES, hint=lambda: cluster.cards()[number])
    # The question goes to the manager alone; the group keeps its card, and the form on it.
    own = next(shown for shown in cluster.cards()[number] if shown.view.button(PRICE) is not None)
    assert labels(own.view) == [PRICE, "超出预算", "数量有误", "不需要", "其他…", BACK]
    assert own.view.fields == (), "the question has its own answers"
    for who in PEOPLE:
        kept = cluster.view(card, who)
        assert kept.button(APPROVE) is not None
        assert [shown.name for shown in kept.fields] == ["reason"]
    assert reasons(cluster, number) == []
    assert [what for what, _, _ in await record(cluster, number)] == ["opened"]
    await cluster.press(own, PRICE, MANAGER)
    await assert_rejected(scenario, number, MANAGER, PRICE, own=own.track)


@styles(STATIC)
async def test_approving_beside_a_form(scenario: TemplateScenario) -> None:
    cluster, number = scenario.cluster, scenario.order(form=[TEXT])
    await cluster.press(of(cluster, number, BOSS), APPROVE, fields={"reason": ""})
    await scenario.wait_for_end()
    cluster.assert_decided_once([number], COPIES)
    assert cluster.verdicts()[number] == [(Verdict.APPROVE, f"erp-{BOSS}")]
