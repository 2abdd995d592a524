"""Rejecting by the form of a company's own card template: ``dingerp run`` as a process, and clicks over the wire.

The templates are those of docs/how-to/own-card-template.md. Their variables have names of their own, so that nothing
is shown that the bot sent for another template.
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
from bot.simulator.card_templates import read_template
from bot.simulator.cards import SimCardView
from bot.store.tables import APPROVAL_AUDIT, APPROVAL_CASE
from tests.scenario.approvals.cluster import APPROVE, GROUP, REJECT, ApprovalCluster, CardPlacement, cluster

pytestmark = [pytest.mark.process, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

BOSS, MANAGER = PEOPLE = ("boss01", "buymanager01")
"""Both are members of the group."""
COPIES = len(PEOPLE) + 2
"""Cards of a decided order: for each of them, in the group, and the one that tells the requester."""

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
    """How a template takes its buttons: what the configuration says of it, and how it was built."""

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
"""So many wait in each house, for its tests to decide one after the other."""


@dataclass(slots=True)
class TemplateScenario:
    """A company whose bot shows orders by its own template, in one of the styles."""

    scene: ApprovalCluster
    style: TemplateStyle
    waiting: list[str]
    ended: int = 0

    def order(self, **fields: list[dict[str, Any]]) -> str:
        """Let the template of the next order's cards have ``fields`` (``form=[…]`` or ``inputs=[…]``); its number."""
        number = self.waiting.pop(0)
        template = read_template({**DRAWN, **self.style.built, **fields})
        for standing in self.scene.cards()[number]:
            card = self.scene.engine.cards.get(standing.track)
            assert card is not None
            card.template = template
        return number

    async def ends(self) -> None:
        """Wait until one more order is decided and all cards tell that."""
        self.ended += 1
        await self.scene.settled(self.ended, 30)


@asynccontextmanager
async def house_of(style: TemplateStyle, folder: Path) -> AsyncIterator[TemplateScenario]:
    """Open a house; its bot serves all tests of this style."""
    own = {
        "TEMPLATE_ID": OWN,
        "BUTTON_STYLE": style.name,
        "VARIABLES": orjson.dumps({**PARTS, **style.variables}).decode(),
    }
    configured = {f"DINGERP_CARDS__TEMPLATES__APPROVAL__{name}": value for name, value in own.items()}
    async with cluster(folder, PEOPLE) as scene:
        scene.engine.cards.register(read_template({**DRAWN, **style.built}))
        numbers = scene.submit(range(ORDERS))
        async with scene.bot(**configured) as bot:
            await bot.saying("bot.running")
            await scene.shown(numbers, COPIES - 1, 30)
            await scene.settled(0, 30)
            yield TemplateScenario(scene, style, numbers)
            ended = await bot.stop()
        assert ended.code == 0
        assert "Traceback" not in bot.err, bot.err


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_of_dynamic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemplateScenario]:
    async with house_of(DYNAMIC, tmp_path_factory.mktemp("dynamic")) as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house_of_static(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemplateScenario]:
    async with house_of(STATIC, tmp_path_factory.mktemp("static")) as house:
        yield house


@pytest.fixture
def house(request: pytest.FixtureRequest) -> TemplateScenario:
    """Return the house with the style of the test. Tests come in any order, and each house opens once."""
    kept: TemplateScenario = request.getfixturevalue(
        "house_of_dynamic" if request.param is DYNAMIC else "house_of_static"
    )
    return kept


def styles(*styles: TemplateStyle) -> pytest.MarkDecorator:
    """Run in the houses with these styles."""
    return pytest.mark.parametrize("house", styles, ids=lambda style: style.name, indirect=True)


def of(scene: ApprovalCluster, number: str, place: str) -> CardPlacement:
    """Return the card at a place: the group, or a person's own chat."""
    return next(card for card in scene.cards()[number] if card.place == place or (card.reader == place != GROUP))


def labels(face: SimCardView) -> list[str]:
    """Return what the buttons of a card say."""
    return [button.text for button in face.buttons]


async def record(scene: ApprovalCluster, number: str) -> list[tuple[str, str, str]]:
    """Return what happened to an order, by whom, and what was said, as the bot's record has it."""
    columns = APPROVAL_AUDIT.c.what, APPROVAL_AUDIT.c.user_id, APPROVAL_AUDIT.c.detail
    own = select(APPROVAL_CASE.c.id).where(APPROVAL_CASE.c.folded == number.casefold())
    query = select(*columns).where(APPROVAL_AUDIT.c.case_id.in_(own)).order_by(APPROVAL_AUDIT.c.number)
    rows = await scene.database.run(lambda connection: connection.execute(query).all())
    return [(row.what, row.user_id, row.detail) for row in rows]


async def ends_rejected(house: TemplateScenario, number: str, who: str, reason: str) -> None:
    """Expect one rejection with this reason: in the ERP, on every card, in the record."""
    scene = house.scene
    await house.ends()
    assert scene.verdicts()[number] == [(Verdict.REJECT, f"erp-{who}")]
    assert reasons(scene, number) == [reason]
    scene.assert_decided_once([number], COPIES)
    for card in scene.cards()[number]:
        assert reason in card.face.markdown, (card.place, card.face)
        assert card.face.fields == (), (card.place, "nothing can be filled in any more")
        asked = card.reader in PEOPLE or card.in_group
        assert (card.face.template_id == OWN) is asked, (card.place, card.face.template_id)
    rows = await record(scene, number)
    assert [what for what, _, _ in rows] == ["opened", "vote", "decided", "writing", "outcome", "rejected"]
    assert [(by, said) for what, by, said in rows if what == "vote"] == [(who, f"reject at level 1: {reason}")]


def reasons(scene: ApprovalCluster, number: str) -> list[str]:
    """Return the reasons of all that the ERP was told of an order."""
    return [decision.reason for decision in scene.erp.erp.told if decision.number == number]


@styles(DYNAMIC, STATIC)
@pytest.mark.parametrize("place", [GROUP, MANAGER], ids=["in the group", "in one's own chat"])
async def test_rejecting_with_the_text_of_a_form(house: TemplateScenario, place: str) -> None:
    number = house.order(form=[TEXT])
    card = of(house.scene, number, place)
    assert [field.name for field in card.face.fields] == ["reason"]
    answer = await house.scene.press(card, REJECT, MANAGER, fields={"reason": "  规格不符，请再谈 "})
    assert answer.result.ok, answer
    assert answer.face.button(REJECT) is None, answer
    await ends_rejected(house, number, MANAGER, "规格不符，请再谈")


@pytest.mark.parametrize(
    ("house", "where", "value", "reason"),
    [
        pytest.param(STATIC, "form", "请重新询价", "请重新询价", id="static-form-words"),
        pytest.param(DYNAMIC, "inputs", "needless", "不需要", id="buttonGroup-inputs-code"),
    ],
    indirect=["house"],
)
async def test_rejecting_with_the_choice_of_a_select_field(
    house: TemplateScenario, where: str, value: str, reason: str
) -> None:
    number = house.order(**{where: [CHOICE]})
    answer = await house.scene.press(of(house.scene, number, BOSS), REJECT, fields={"reason": value})
    assert answer.result.ok, answer
    await ends_rejected(house, number, BOSS, reason)


@styles(STATIC)
async def test_rejecting_with_an_input_that_stands_alone(house: TemplateScenario) -> None:
    number = house.order(inputs=[TEXT])
    await house.scene.press(of(house.scene, number, BOSS), REJECT, fields={"reason": "规格不符"})
    await ends_rejected(house, number, BOSS, "规格不符")


@pytest.mark.parametrize(
    ("house", "field"),
    [pytest.param(DYNAMIC, TEXT, id="buttonGroup-text"), pytest.param(STATIC, CHOICE, id="static-select")],
    indirect=["house"],
)
async def test_an_empty_form_is_asked_for_the_reason(house: TemplateScenario, field: dict[str, Any]) -> None:
    scene, number = house.scene, house.order(form=[field])
    card = of(scene, number, GROUP)
    asked = await scene.press(card, REJECT, MANAGER, fields={"reason": "" if field is CHOICE else "  "})
    assert asked.face.private_to_viewer
    assert number in asked.face.title
    assert labels(asked.face) == [PRICE, "超出预算", "数量有误", "不需要", BACK, "其他…"]
    assert asked.face.fields == (), "the question has its own answers"
    assert labels(scene.face(card, BOSS)) == labels(card.face), "the question is the clicker's own"
    assert reasons(scene, number) == []
    again = await scene.press(card, BACK, MANAGER)
    assert again.face.button(APPROVE) is not None, "the way back is drawn by the same template"
    assert [shown.name for shown in again.face.fields] == ["reason"]
    assert [what for what, _, _ in await record(scene, number)] == ["opened"]
    await scene.press(card, REJECT, MANAGER)
    await scene.press(card, PRICE, MANAGER)
    await ends_rejected(house, number, MANAGER, PRICE)


@styles(STATIC)
async def test_approving_beside_a_form(house: TemplateScenario) -> None:
    scene, number = house.scene, house.order(form=[TEXT])
    await scene.press(of(scene, number, BOSS), APPROVE, fields={"reason": ""})
    await house.ends()
    scene.assert_decided_once([number], COPIES)
    assert scene.verdicts()[number] == [(Verdict.APPROVE, f"erp-{BOSS}")]
