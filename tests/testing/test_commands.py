"""The kit for authors of commands: the results of a line and of a tap, the company, and the messages of a failed
test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from bot.api import erps
from bot.api.commands import (
    AccessPolicy,
    AccessRule,
    Ask,
    BadArgument,
    Button,
    Capability,
    ErpHub,
    ListQuery,
    ListView,
    Person,
    QuestionContext,
    Sku,
    Term,
    View,
    command,
    phrase,
)
from bot.erp.kinds import D, Kind
from bot.kit.testing.commands import NOW, Chat, open_chat

pytest_plugins = "bot.kit.testing.commands"

READER = Person(user_id="reader01", name="Ann", language="en")


@dataclass(frozen=True)
class Greeting(View):
    card: ClassVar[str] = "greeting"

    name: str
    private: bool
    where: str

    def buttons(self) -> Sequence[Button]:
        return (Button("again", Ask("/greet")), Button("ERP", "https://erp.example.com/"))


@command("greet", summary=phrase("Greets"))
async def greet(*, context: QuestionContext) -> Greeting:
    return Greeting(name=context.person.name, private=context.is_private, where=context.conversation.kind.value)


@command("restock", writes=True, summary=phrase("Orders more"))
async def restock(sku: Sku, *, erp: ErpHub) -> View:
    raise BadArgument(phrase("Nothing to order."))


@command("broken", summary=phrase("Fails"))
async def broken() -> View:
    raise ZeroDivisionError


@dataclass(frozen=True)
class Numbers(ListView):
    card: ClassVar[str] = "numbers"


@command("numbers", summary=phrase("Counts"))
async def numbers(*, context: QuestionContext) -> Numbers:
    return Numbers(rows=tuple(range(20))[context.offset :], total=20, offset=context.offset, line="/numbers")


class SmallErp(erps.RefusingErp):
    """An ERP that needs no network."""

    async def check(self) -> None:
        pass

    async def close(self) -> None:
        pass


class OneProduct(SmallErp):
    """An ERP with a single product."""

    capabilities = frozenset({Capability.STOCK})

    async def find_products(self, text: str, *, limit: int) -> tuple[erps.Product, ...]:
        return erps.find_products([erps.Product(sku="ONE-1", name="唯一", unit="pcs")], text, limit=limit)

    async def stock(self, sku: str) -> erps.StockLevel:
        (product,) = await self.find_products(sku, limit=1) or (None,)
        if product is None:
            raise erps.NotFound(sku)
        return erps.StockLevel(
            product=product,
            total=erps.Quantities(on_hand=erps.number("7")),
            per_warehouse=(),
            reorder_point=None,
            as_of=NOW,
            source=self.name,
        )


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    (tmp_path / "greeting.md.j2").write_text(
        "{% block title %}{{ view.name }}{% endblock %}{% block body %}{{ view.where }}{% endblock %}", "utf-8"
    )
    (tmp_path / "numbers.md.j2").write_text(
        "{% block title %}{{ view.total }}{% endblock %}\n"
        "{% block body %}{% for row in view.rows %}row {{ row }}\n{% endfor %}{% endblock %}",
        "utf-8",
    )
    return tmp_path


async def test_the_demo_company_answers(chat: Chat) -> None:
    card = await chat.says("/order late")

    assert card.command == "order"
    assert card.outcome == "answered"
    assert card.title.startswith("延期订单")
    number = next(iter(card.buttons))
    assert card.buttons[number] == f"/order {number}"
    assert number in card.body
    assert f"/order {number}" in card.text
    order = await card.click(number)
    assert number in order.title


async def test_its_figures_are_always_the_same(chat: Chat) -> None:
    async with open_chat() as other:
        assert (await other.says("/stock SKU123")).body == (await chat.says("/stock SKU123")).body


async def test_people_read_their_language(chat: Chat) -> None:
    assert "Newest orders" in (await chat.says("/order", person=READER)).title


async def test_where_and_by_whom_it_is_typed(cards: Path) -> None:
    async with open_chat(greet, cards=cards) as chat:
        group, own = await chat.says("/greet"), await chat.says("/greet", person=READER, private=True)

        assert (group.title, group.body) == ("王仓", "group")
        assert (own.title, own.body) == ("Ann", "direct")
        clicked = await group.click("again", person=READER)
        assert clicked.title == "Ann"
        assert isinstance(clicked.view, Greeting)
        assert clicked.view.private, "the clicker alone sees the answer to a tap"


async def test_buttons_that_ask_nothing(cards: Path) -> None:
    async with open_chat(greet, cards=cards) as chat:
        card = await chat.says("/greet")
        assert card.buttons == {"again": "/greet", "ERP": "https://erp.example.com/"}
        with pytest.raises(ValueError, match="opens https://erp"):
            await card.click("ERP")
        with pytest.raises(LookupError, match="no button 'more'; there are: again, ERP"):
            await card.click("more")


async def test_pages_are_turned(cards: Path) -> None:
    async with open_chat(numbers, cards=cards) as chat:
        card = await chat.says("/numbers", person=READER)
        assert "row 0" in card.body
        assert card.buttons == {"Next": "/numbers +8"}
        following = await card.click("Next")
        assert "row 8" in following.body
        assert list(following.buttons) == ["Previous", "Next"]
        assert (await chat.says("/numbers +8", person=READER)).body == following.body


async def test_an_erp_of_the_authors_own() -> None:
    async with open_chat(erp=OneProduct("mine")) as chat:
        card = await chat.says("/stock ONE-1")
        assert card.title == "ONE-1 唯一"
        assert "mine" in card.tips
        assert (await chat.says("/stock TWO-2")).outcome == "not_found"
        assert (await chat.says("/order late")).outcome == "erp_down"


async def test_several_sources() -> None:
    async with open_chat(erp=[OneProduct("north"), OneProduct("south")]) as chat:
        card = await chat.says("/stock ONE-1")
        assert "north" in card.body
        assert "south" in card.body


async def test_failures_are_cards_and_defects_are_raised(cards: Path) -> None:
    async with open_chat(restock, broken, cards=cards) as chat:
        assert (await chat.says("/restock ONE-1")).outcome == "denied"
        assert (await chat.says("/stock")).outcome == "bad_argument"
        assert (await chat.says("/nonsuch at all, whatever it may be")).outcome == "unknown_command"
        with pytest.raises(ZeroDivisionError):
            await chat.says("/broken")


async def test_writing_can_be_granted() -> None:
    rules = (AccessRule(commands=frozenset({"restock"}), roles=frozenset({"*"})),)
    async with open_chat(restock, policy=AccessPolicy(rules=rules)) as chat:
        card = await chat.says("/restock ONE-1", person=READER)
        assert card.outcome == "bad_argument"
        assert "Nothing to order." in card.body


async def test_a_broken_template_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "greeting.md.j2").write_text("{% block body %}{{ view.nam }}{% endblock %}", "utf-8")
    async with open_chat(greet, cards=tmp_path) as chat:
        with pytest.raises(erps.ConfigurationError) as raised:
            await chat.says("/greet")
    causes, error = [], raised.value.__cause__
    while error is not None:
        causes.append(str(error))
        error = error.__context__
    assert any("nam" in cause for cause in causes), causes


async def test_an_own_command_goes_before_an_installed_one(cards: Path) -> None:
    @command("order", summary=phrase("Greets too"))
    async def order(*, context: QuestionContext) -> Greeting:
        return await greet(context=context)  # type: ignore[return-value]  # a command may also answer another line

    async with open_chat(order, cards=cards) as chat:
        assert (await chat.says("/order")).title == "王仓"


async def test_a_command_that_is_not_there_is_unknown(chat: Chat) -> None:
    assert (await chat.says("/approve PO-1")).outcome == "unknown_command"


async def test_a_query_reaches_the_erp() -> None:
    asked: list[ListQuery] = []

    class Listens(SmallErp):
        capabilities = frozenset({Capability.SALES_ORDERS})

        async def documents(self, kind: Kind[D], query: ListQuery) -> erps.Slice[D]:
            asked.append(query)
            return kind.pick((), query, NOW.date())

    @command("count", summary=phrase("Counts orders"))
    async def count(name: Term, *, erp: ErpHub) -> Ask:
        await erp.orders(ListQuery(text=name))
        return Ask("/help")

    async with open_chat(count, erp=Listens("mine")) as chat:
        assert (await chat.says("/count 华东 机械")).outcome == "answered"
    assert [query.text for query in asked] == ["华东 机械"]
