"""From a typed line to a preview: what is resolved, and what is refused, with its reason and an example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from bot.access.grants import Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, CreationRight, RuleEffect
from bot.cards.actions import Ask
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands
from bot.creation.cards import CreationCard
from bot.creation.creation import CreationState
from bot.creation.creations import Creations
from bot.erp.hub import ErpHub
from bot.words.disclosure import FieldClass
from commands.new import new
from tests.creation.counter import OTHER, RULE, SELLER, Counter
from tests.rows import each_row

CHAT = Conversation("cidA==", ConversationKind.DIRECT)
LINE = "/new order C001 SKU123×20 SKU146×2.5"
HONGDA = "杭州宏达机电设备有限公司"


async def ask(counter: Counter, line: str, person: Person = SELLER) -> PreparedAnswer:
    dispatcher = QuestionDispatcher(
        commands=Commands([new]),
        policy=lambda: AccessPolicy(counter.rules, read_only=counter.read_only),
        collaborators={ErpHub: counter.hub, Creations: counter.creations},
        seconds=30,
    )
    context = QuestionContext(person=person, conversation=CHAT, line=line, now=counter.now)
    return await dispatcher.view_for(context)


def told(counter: Counter, answer: PreparedAnswer) -> str:
    renderer = CardRenderer(languages=load_languages(), now=lambda: counter.now)
    card = renderer.render(answer.view, "en", zone=UTC)
    return f"{card.title}\n{card.body}"


@each_row(
    "line",
    [
        LINE,
        f"/new order {HONGDA} SKU123×20 SKU146×2.5",
        "/new order 宏达机电 sku123*20 sku146x2.5千个",
        "/新建 订单 宏达机电，SKU123×20，SKU146×2.5",
        "/xj 销售订单 宏达机电 SKU123✕20个 SKU146×2.50",
        "/new C001 SKU123×20 SKU146×2.5 order",
    ],
)
async def test_a_line_is_resolved_to_what_the_erp_has(counter: Counter, line: str) -> None:
    view = (await ask(counter, line)).view
    assert isinstance(view, CreationCard)
    assert (view.partner_code, view.partner_name, view.source, view.account) == ("C001", HONGDA, "demo", "sales01")
    assert [(each.sku, each.quantity, each.unit) for each in view.lines] == [
        ("SKU123", Decimal(20), "个"),
        ("SKU146", Decimal("2.5"), "千个"),
    ]
    assert view.state is CreationState.PREVIEW
    assert counter.erp.told == []


async def test_the_buttons_create_or_drop_it(counter: Counter) -> None:
    for button, state in ((0, CreationState.WRITING), (1, CreationState.DROPPED)):
        view = (await ask(counter, LINE)).view
        does = view.buttons()[button].does
        assert isinstance(does, Ask)
        answered = (await ask(counter, does.line)).view
        assert isinstance(answered, CreationCard)
        assert answered.state is state
        assert (await ask(counter, does.line, OTHER)).outcome == "denied"
        again = (await ask(counter, answered.following().again.line)).view
        assert again == answered


@each_row(
    ("line", "reason"),
    [
        ("/new", "Something is missing"),
        ("/new C001 SKU123×20", "What is to be created?"),
        ("/new order SKU123×20", "For whom?"),
        ("/new order C001", "Which products, and how many of each?"),
        ("/new order C001 SKU123×20 SKU146", "How much of “SKU146”? An example is SKU123×20."),
        ("/new order C001 SKU123×0", "“SKU123×0” has no quantity above zero"),
        ("/new order C001 SKU123×-5", "“SKU123×-5” has no quantity above zero"),
        ("/new order C001 SKU123×1.1234567", "has no quantity above zero with at most six decimals"),
        ("/new order C001 SKU123×1,000", "How much of “000”?"),
        ("/new order C001 SKU123×2.5", "SKU123 is counted in whole 个: SKU123×20."),
        ("/new order C001 SKU123×2kg", "SKU123 is counted in 个: SKU123×20."),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_an_example(counter: Counter, line: str, reason: str) -> None:
    answer = await ask(counter, line)
    assert answer.outcome == "bad_argument"
    assert reason in told(counter, answer)


@each_row(
    ("line", "outcome", "instead"),
    [
        ("/new order NOBODY SKU123×20", "not_found", ""),
        ("/new order C0011 SKU123×20", "not_found", ""),
        ("/new order C001 SKU1239×20", "not_found", "/new order C001 SKU123×20"),
        ("/new order 有限公司 SKU123×20", "hint", "/new order C002 SKU123×20"),
        ("/new order C001 螺丝×20", "hint", "/new order C001 SKU123×20"),
    ],
)
async def test_what_is_unknown_or_several_is_told_with_whole_lines_to_choose(
    counter: Counter, line: str, outcome: str, instead: str
) -> None:
    answer = await ask(counter, line)
    assert answer.outcome == outcome, told(counter, answer)
    asked = [button.does.line for button in answer.view.buttons() if isinstance(button.does, Ask)]
    assert not instead or instead in asked
    assert await counter.log() == []


def no_account(counter: Counter) -> None:
    counter.accounts.clear()


def no_kind(counter: Counter) -> None:
    counter.rules = (replace(RULE, creates=CreationRight(kinds=frozenset({"receipt"}))),)


def small(counter: Counter) -> None:
    counter.rules = (replace(RULE, creates=CreationRight(kinds=frozenset({"order"}), most_quantity=Decimal(19))),)


def read_only(counter: Counter) -> None:
    counter.read_only = True


def no_names(counter: Counter) -> None:
    fields = frozenset({FieldClass.PARTNER})
    deny = AccessRule(
        commands=frozenset({"order"}), roles=frozenset({"*"}), effect=RuleEffect.DENY, fields=fields, name="no names"
    )
    counter.rules = (RULE, deny)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (no_account, "You have no account of your own in “demo”"),
        (no_kind, "No rule lets you create such documents (/order)."),
        (small, "That is more than rule “sellers” allows"),
        (read_only, "The bot only reads at present"),
        (no_names, "You may not see names and quantities of these documents"),
    ],
)
async def test_who_may_not_create_sees_no_preview(
    counter: Counter, change: Callable[[Counter], None], reason: str
) -> None:
    change(counter)
    answer = await ask(counter, LINE)
    assert answer.outcome == "denied"
    assert reason in told(counter, answer)
    assert await counter.log() == []


async def test_customers_outside_the_scope_are_not_found(counter: Counter) -> None:
    other_partners(counter)
    assert (await ask(counter, LINE)).outcome == "not_found"


def other_partners(counter: Counter) -> None:
    counter.rules = (replace(RULE, scope=Scope(partners=frozenset({"Somebody else"}))),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_partners, "The customer or vendor is no longer found among those you may see"),
        (no_names, "You may not see names and quantities of these documents"),
        (small, "That is more than rule “sellers” allows"),
        (no_account, "You have no account of your own in “demo”"),
    ],
)
async def test_who_may_not_see_it_any_more_does_not_create_it(
    counter: Counter, change: Callable[[Counter], None], reason: str
) -> None:
    shown = await counter.preview()
    change(counter)
    answer = await ask(counter, f"/new {shown.id} create")
    assert answer.outcome == "denied"
    assert reason in told(counter, answer)
    assert (await counter.look(shown)).state is CreationState.PREVIEW
    dropped = await ask(counter, f"/new {shown.id} drop")
    assert "You dropped it" in told(counter, dropped)


async def test_a_customer_that_was_disabled_meanwhile_is_not_written_for(counter: Counter) -> None:
    shown = await counter.preview()
    counter.erp.disabled.add("C001")
    assert "is disabled in the ERP" in told(counter, await ask(counter, f"/new {shown.id} create"))
    assert (await counter.look(shown)).state is CreationState.PREVIEW


async def test_what_does_not_fit_a_card_is_not_confirmed_unseen(counter: Counter) -> None:
    hits = await counter.hub.find_products("SKU1", limit=30)
    many = " ".join(f"{product.sku}×1000000" for product in hits.value[:25])
    answer = await ask(counter, f"/new order C001 {many}")
    assert answer.outcome in ("denied", "bad_argument")
    assert await counter.log() == []


@pytest.mark.parametrize("line", ["/new 000000000000", "/new 000000000000 create"])
async def test_an_unknown_id_is_not_found(counter: Counter, line: str) -> None:
    assert (await ask(counter, line)).outcome == "not_found"
