"""A partner's name in pinyin is found wherever a partner may be named, and by nobody who may not see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, RuleEffect
from bot.access.shared_limits import OwnFileLimits
from bot.cards.language import load_languages
from bot.cards.notices import ChoiceNotice
from bot.cards.renderer import CardRenderer
from bot.chat.context import QuestionContext
from bot.chat.exports import Exports
from bot.chat.message import Conversation, ConversationKind
from bot.chat.present_rights import PresentRights
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands
from bot.erp.hub import ErpHub
from bot.erp.vendors import open_source
from bot.kit.testing.commands import NOW
from bot.kit.testing.unfollowed_documents import UnfollowedDocuments
from bot.mechanisms.metrics import Metrics
from bot.read_model.queries import ReadModel
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut
from commands.price import PriceView
from tests.chat.audience_parts import make_people
from tests.commands.export_fakes import MemoryCourier
from tests.membership import EverybodyIsMember
from tests.recording_audit import RecordingAudit
from tests.workbook_cells import read_sheets

HONGDA = "杭州宏达机电设备有限公司"
OWN_CHAT = Conversation("cid1", ConversationKind.DIRECT)
BOSS = Person(user_id="boss01", name="林总", roles=frozenset({"boss"}))
KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"keeper"}))
SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
_DOCUMENTS = frozenset({"order", "invoice", "po"})
POLICY = AccessPolicy(
    [
        AccessRule(commands=_DOCUMENTS, roles=frozenset({"keeper"}), fields=ALL_FIELDS - {FieldClass.PARTNER}),
        AccessRule(commands=_DOCUMENTS, roles=frozenset({"boss"})),
        AccessRule(commands=frozenset({"order", "invoice"}), roles=frozenset({"sales"})),
        AccessRule(commands=frozenset({"po"}), roles=frozenset({"sales"}), effect=RuleEffect.DENY),
    ]
)
_ASKED = ("order", "invoice", "bill", "payment", "customer", "vendor", "find", "price", "delivery", "stock")


@pytest.fixture
def courier() -> MemoryCourier:
    return MemoryCourier()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learnt() -> Vocabulary:
        return vocabulary

    reader = GrammarReader(commands, lambda: Sentences.load(commands), learnt)
    asyncio.run(reader.learn())
    return reader


@pytest.fixture
async def dispatcher(
    commands: Commands, reader: GrammarReader, courier: MemoryCourier, folder: Path
) -> AsyncIterator[QuestionDispatcher]:
    demo = await open_source("demo", "demo", {"today": NOW.date()}, data_dir=folder, now=lambda: NOW)
    hub = ErpHub([demo], metrics=Metrics(), now=lambda: NOW)

    def dispatching(names: tuple[str, ...], **more: object) -> QuestionDispatcher:
        collaborators = {ErpHub: hub, ReadModel: ReadModel(UnfollowedDocuments(), hub)}
        return QuestionDispatcher(
            commands=Commands([commands[name] for name in names]),
            policy=lambda: POLICY,
            collaborators=collaborators | ({Exports: more.pop("exports")} if "exports" in more else {}),
            seconds=60.0,
            **more,  # type: ignore[arg-type]
        )

    languages = load_languages()
    exports = Exports(
        handler=dispatching(_ASKED, spelling=reader),
        commands=commands,
        rights=PresentRights(make_people(EverybodyIsMember(roles=BOSS.roles)), lambda: POLICY, commands),
        courier=courier,
        renderer=CardRenderer(languages=languages),
        languages=languages,
        audit=RecordingAudit(),
        limits=OwnFileLimits(10),
        metrics=Metrics(),
        rows=100,
    )
    yield dispatching((*_ASKED, "export"), exports=exports, reader=reader)
    await exports.close()
    await hub.close()


async def ask(dispatcher: QuestionDispatcher, line: str, person: Person = BOSS) -> PreparedAnswer:
    return await dispatcher.view_for(QuestionContext(person=person, conversation=OWN_CHAT, line=line, now=NOW))


@pytest.mark.parametrize(
    "line", ["/find hongda", "/find hzhd", "/customer hongda", "/delivery hongda", "/order hongda"]
)
async def test_a_partner_is_found_by_pinyin_and_first_letters(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await ask(dispatcher, line)
    assert answer.outcome == "answered"
    assert answer.read_as == f"{line.split()[0]} {HONGDA}"


@pytest.mark.parametrize("customer", ["hongda", "hzhd", "C001", "宏达"])
async def test_prices_of_a_customer(dispatcher: QuestionDispatcher, customer: str) -> None:
    view = (await ask(dispatcher, f"/price SKU123 {customer}")).view
    assert isinstance(view, PriceView)
    assert {point.partner for point in view.prices.sales} == {HONGDA}


@pytest.mark.parametrize("customer", ["Nobody", "xyzzy"])
async def test_prices_of_nobody(dispatcher: QuestionDispatcher, customer: str) -> None:
    assert (await ask(dispatcher, f"/price SKU123 {customer}")).outcome == "not_found"


async def test_a_customer_who_never_bought_it_is_said_to_have_no_price(dispatcher: QuestionDispatcher) -> None:
    view = (await ask(dispatcher, "/price SKU123 前海智造")).view
    assert isinstance(view, PriceView)
    assert view.prices.sales == ()


async def test_a_file_of_a_partner_says_whose_it_is(dispatcher: QuestionDispatcher, courier: MemoryCourier) -> None:
    await ask(dispatcher, "/export order hongda")
    ((_, name, content),) = courier.files
    assert name.startswith("订单-")
    first, about = read_sheets(content)
    assert {row[1] for row in first.values[1:]} == {HONGDA}
    assert f"/order {HONGDA}" in {row[1] for row in about.values}


async def test_several_names_are_a_choice_of_files(dispatcher: QuestionDispatcher, courier: MemoryCourier) -> None:
    view = (await ask(dispatcher, "/export customer yxgs")).view
    assert isinstance(view, ChoiceNotice)
    assert all(pick.line.startswith("/export customer ") for pick in view.suggestions)
    assert courier.files == []


@pytest.mark.parametrize(
    ("name", "nobody"), [("hongda", "qwert"), ("hzhd", "qwer"), ("C003", "C993"), ("宏达", "龘靐")]
)
@pytest.mark.parametrize(
    "line", ["/find {}", "/price SKU123 {}", "/export order {}", "/customer {}", "/delivery {}", "/order late {}"]
)
async def test_who_may_not_see_partners_is_told_what_is_told_of_nobody(
    dispatcher: QuestionDispatcher, courier: MemoryCourier, line: str, name: str, nobody: str
) -> None:
    told = []
    for each in (name, nobody):
        answer = await ask(dispatcher, line.format(each), KEEPER)
        told.append(f"{answer.outcome} {answer.read_as} {cut(answer.view, answer.grant.fields)!r}".replace(each, "*"))
    assert told[0] == told[1]
    assert HONGDA not in told[0]
    assert courier.files == []


@pytest.mark.parametrize(
    ("line", "command"), [("hongda", "find"), ("/find hongda", "find"), ("/payment hongda", "payment")]
)
async def test_a_salesperson_without_purchase_orders_finds_customers(
    dispatcher: QuestionDispatcher, line: str, command: str
) -> None:
    answer = await ask(dispatcher, line, SALES)
    assert (answer.outcome, answer.read_as) == ("answered", f"/{command} {HONGDA}")


@pytest.mark.parametrize("line", ["baogang", "/find baogang", "/payment baogang", "/payment paid baogang"])
async def test_and_learns_no_name_of_a_vendor(dispatcher: QuestionDispatcher, line: str) -> None:
    answer = await ask(dispatcher, line, SALES)
    assert "宝钢" not in f"{answer.read_as} {cut(answer.view, answer.grant.fields)!r}"
