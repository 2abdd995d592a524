"""Lines without a command: a bare SKU, number or name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.notices import NotFoundNotice, NotUnderstoodNotice
from bot.erp.errors import Unavailable
from bot.erp.model import Area
from bot.erp.port import Capability
from bot.kit.testing.commands import open_chat
from bot.words.disclosure import ALL_FIELDS, HIDDEN, FieldClass, cut
from commands.find import Hits
from tests.commands.company import Company, level, product
from tests.commands.conftest import Ask, as_, lines


@pytest.mark.parametrize(
    ("line", "command", "number"),
    [
        ("SKU123", "stock", "SKU123"),
        ("sku124", "stock", "SKU124"),
        ("查 SKU123", "stock", "SKU123"),
        ("so-1001", "order", "SO-1001"),
        ("ＳＯ－１００１", "order", "SO-1001"),
        ("INV-7", "invoice", "INV-7"),
        ("po-1002", "po", "PO-1002"),
        ("MO-1", "mo", "MO-1"),
        ("/SO-1001", "order", "SO-1001"),
        ("六角螺母", "stock", "SKU1234"),
        ("宁波", "po", "PO-1001"),
    ],
)
async def test_a_bare_number_or_name_opens_what_has_it(ask: Ask, line: str, command: str, number: str) -> None:
    answer = await ask(line)
    assert (answer.command, answer.outcome) == (command, "answered")
    assert number in str(answer.view)


async def test_several_hits_give_a_choice_and_many_of_one_area_a_list(ask: Ask) -> None:
    view = as_(Hits, await ask("/find 上海"))
    assert lines(view)[:5] == ["/customer C001", "/order SO-1001", "/order SO-1002", "/invoice INV-7", "/invoice INV-8"]
    assert view.total == 6
    assert as_(Hits, await ask("深圳创新")).rows[0].count == 14
    assert lines((await ask("深圳创新")).view)[0] == "/order 深圳创新"


async def test_words_that_are_in_a_partners_name_are_classed_as_one(ask: Ask) -> None:
    for text in ("上海", "深圳创新"):
        asked = as_(Hits, await ask(f"/find {text}"))
        hidden = cut(asked, ALL_FIELDS - {FieldClass.PARTNER})
        assert (hidden.asked, hidden.line) == (HIDDEN, HIDDEN)


@pytest.mark.parametrize(
    ("line", "command", "code"),
    [
        ("/find C003", "customer", "C003"),
        ("/find Acme, Inc East", "customer", "C003"),
        ("/find v002", "vendor", "V002"),
    ],
)
async def test_whoever_alone_is_called_so_is_opened(ask: Ask, line: str, command: str, code: str) -> None:
    answer = await ask(line)
    assert (answer.command, answer.outcome) == (command, "answered")
    assert code in str(answer.view)


async def test_partners_are_not_asked_for_where_one_document_has_the_number(ask: Ask, company: Company) -> None:
    await ask("/find SO-1001")
    assert not [call for call in company.calls if call.startswith(("customers", "vendors"))]


async def test_a_barcode_opens_its_product_and_not_those_that_contain_it(ask: Ask, company: Company) -> None:
    carton = replace(product("BOX-1", "纸箱"), barcode="16901234567892")
    piece = replace(product("BOX-2", "纸盒"), barcode="6901234567892")
    company.levels = (level(carton), level(piece))
    answer = await ask("/find 6901234567892")
    assert (answer.command, "BOX-2" in str(answer.view)) == ("stock", True)


async def test_small_talk_is_no_search(ask: Ask, company: Company) -> None:
    answer = await ask("今天天气真好我们下班以后一起去吃饭怎么样啊要不要叫上采购部的同事们然后再去唱歌好不好呢各位")
    assert (answer.outcome, answer.command) == ("unknown_command", "none")
    assert company.calls == []


async def test_a_bare_word_that_nobody_has_is_not_understood(ask: Ask) -> None:
    answer = await ask("天气")
    assert answer.outcome == "unknown_command"
    assert as_(NotUnderstoodNotice, answer).typed == "天气"


async def test_a_search_that_was_asked_for_says_that_there_is_nothing(ask: Ask) -> None:
    assert as_(NotFoundNotice, await ask("/find 天气")).what == "天气"


async def test_a_bare_number_while_the_erp_is_down_says_so(ask: Ask, company: Company) -> None:
    company.broken = Unavailable("gone")
    assert (await ask("SO-1001")).outcome == "erp_down"


class TestAreas:
    """Only areas that the person may see and that the ERP has are searched."""

    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"finance"})),))

    @pytest.fixture
    def company(self) -> Company:
        return Company(capabilities=frozenset(Capability) - {Capability.PRODUCTION_ORDERS})

    async def test_closed_areas_are_left_out(self, ask: Ask, company: Company) -> None:
        view = as_(Hits, await ask("上海"))
        assert lines(view) == ["/customer C001", "/order SO-1001", "/order SO-1002"]
        assert not any("invoice" in call or "production" in call for call in company.calls)


@pytest.mark.parametrize(
    ("line", "command", "number"),
    [
        ("SO1001", "order", "SO-1001"),
        ("so 1001", "order", "SO-1001"),
        ("/order SO1001", "order", "SO-1001"),
        ("/发票 inv7", "invoice", "INV-7"),
        ("INV7", "invoice", "INV-7"),
        ("/po PO 1002", "po", "PO-1002"),
        ("SKU 123", "stock", "SKU123"),
        ("/stock SKU-123", "stock", "SKU123"),
    ],
)
async def test_a_number_is_found_however_its_signs_are_typed(ask: Ask, line: str, command: str, number: str) -> None:
    answer = await ask(line)
    assert (answer.command, answer.outcome) == (command, "answered")
    assert number in str(answer.view)


async def test_many_products_are_counted_up_to_a_limit() -> None:
    async with open_chat() as chat:
        reply = await chat.says("/find 螺丝")
    row = next(row for row in reply.view.rows if row.area is Area.PRODUCTS)  # type: ignore[attr-defined]
    assert (row.count, row.more) == (40, True)
    assert "产品：40 多条结果" in reply.card.body
