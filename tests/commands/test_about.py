"""/help, /whoami and /lang."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.grants import Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, RuleEffect
from bot.cards.notices import BadArgumentNotice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.person_rights import Whoami
from bot.chat.registry import Commands
from bot.words.disclosure import FieldClass
from commands.help import CommandHelp, Help
from commands.lang import Lang
from tests.commands.company import Company
from tests.commands.conftest import KEEPER, Ask, FakeLanguageChoice, as_, lines
from tests.commands.goods_company import GoodsCompany


@pytest.fixture
def company() -> Company:
    """A company that can answer every command."""
    return GoodsCompany()


@pytest.mark.parametrize(
    "line", ["", "  ", "/", "/help", "?", "？", "/？", "帮助", "bz", "你好", "Hello!", "您好呀", "谢谢", "/ help"]
)
async def test_help_lists_the_commands(ask: Ask, commands: Commands, line: str) -> None:
    answer = await ask(line)
    view = as_(Help, answer)
    assert answer.command == "help"
    assert [row.name for row in view.rows] == [name for name, command in commands.items() if not command.reserved]
    assert view.rows[0].name == "stock"
    assert "/help stock" in lines(view)


@pytest.mark.parametrize("line", ["/help stock", "/帮助 库存", "/help /stock", "bz KC"])
async def test_help_about_one_command_shows_how_it_is_typed(ask: Ask, line: str) -> None:
    view = as_(CommandHelp, await ask(line))
    assert str(view.usage) == "/stock <SKU…> [@warehouse] [×quantity]"
    assert "库存" in view.aliases
    assert lines(view) == [
        "/stock SKU123",
        "/库存 螺丝 @上海仓",
        "/kc SKU123 SKU124",
        "/库存 @上海仓",
        "/stock SKU123 ×500",
    ]


async def test_help_in_english_shows_what_its_reader_can_type(ask: Ask) -> None:
    view = as_(CommandHelp, await ask("/help stock", person=replace(KEEPER, language="en")))
    assert lines(view) == ["/stock SKU123", "/kc SKU123 SKU124"]
    assert view.aliases == ("kc", "inventory")


async def test_help_about_nothing_we_know_names_the_commands(ask: Ask) -> None:
    problem = as_(BadArgumentNotice, await ask("/help weather")).problem
    assert "/stock" in str(problem)


async def test_every_example_of_every_command_is_answered(ask: Ask, commands: Commands) -> None:
    own_chat, boss = Conversation("cidOwn==", ConversationKind.DIRECT), replace(KEEPER, is_admin=True)
    good = {"answered", "not_found"}
    for command in commands.values():
        assert command.examples
        person = boss if command.reserved else KEEPER
        for example in command.examples:
            assert (await ask(example, person=person, where=own_chat)).outcome in good, example
            assert (await ask(example, person=person)).outcome in good, example


def test_answers_to_administrators_are_for_their_eyes_alone(commands: Commands) -> None:
    assert {command.name for command in commands.values() if command.reserved and not command.personal} == set()


async def test_whoami_shows_what_the_configuration_needs(ask: Ask) -> None:
    view = as_(Whoami, await ask("我是谁"))
    assert (view.name, view.user_id, view.roles) == ("王仓", "keeper01", ("warehouse",))
    assert [str(origin) for origin in view.origins] == ["directory"]
    assert view.rights == (), "no rule restricts anything"
    assert view.conversation_id == "cidGroup=="
    assert "stock" in view.commands
    assert view.writes == ()


class TestAccess:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        return AccessPolicy(rules=(AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"finance"})),))

    async def test_help_and_whoami_show_only_what_the_person_may_use(self, ask: Ask) -> None:
        assert "invoice" not in {row.name for row in as_(Help, await ask("/help")).rows}
        assert "invoice" not in as_(Whoami, await ask("/whoami")).commands
        as_(BadArgumentNotice, await ask("/help invoice"))
        clerk = replace(KEEPER, roles=frozenset({"finance"}))
        assert "invoice" in {row.name for row in as_(Help, await ask("/help", person=clerk)).rows}


class TestRights:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        rule = AccessRule(
            name="north",
            commands=frozenset({"stock", "po"}),
            roles=frozenset({"admin"}),
            people=frozenset({"keeper01"}),
            fields=frozenset({FieldClass.QUANTITY, FieldClass.COST}),
            scope=Scope(warehouses=frozenset({"BJ"})),
        )
        no_costs = AccessRule(
            name="no costs",
            commands=frozenset({"po"}),
            roles=frozenset({"*"}),
            effect=RuleEffect.DENY,
            fields=frozenset({FieldClass.COST}),
        )
        return AccessPolicy([rule, no_costs], {"keeper": frozenset({"keeper01"})})

    async def test_whoami_shows_what_is_seen_of_which_documents_by_which_rule(self, ask: Ask) -> None:
        rights = {right.command: right for right in as_(Whoami, await ask("/whoami")).rights}
        assert rights["stock"].fields == (FieldClass.QUANTITY, FieldClass.COST)
        assert [list(map(str, scope)) for scope in rights["stock"].scopes] == [["warehouse: BJ"]]
        assert rights["stock"].rule == "north"
        assert (rights["po"].fields, rights["po"].rule) == ((FieldClass.QUANTITY,), "north, no costs")
        assert (rights["order"].scopes, rights["order"].rule) == ((), "")

    async def test_whoami_shows_where_roles_come_from(self, ask: Ask) -> None:
        view = as_(Whoami, await ask("/whoami", person=replace(KEEPER, is_admin=True)))
        assert dict(zip(view.roles, map(str, view.origins), strict=True)) == {
            "admin": "administrator",
            "keeper": "configuration",
            "warehouse": "directory",
        }


async def test_lang_shows_the_language_and_the_others(ask: Ask, choices: FakeLanguageChoice) -> None:
    view = as_(Lang, await ask("/lang"))
    assert (str(view.language), view.chosen, lines(view)) == ("中文", False, ["/lang en"])
    assert choices.chosen == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [("/lang en", "en"), ("/语言 中文", "zh_CN"), ("/lang EN-us", "en"), ("/yy 英文", "en"), ("/lang zh", "zh_CN")],
)
async def test_lang_keeps_the_choice_of_the_person(ask: Ask, choices: FakeLanguageChoice, line: str, code: str) -> None:
    assert as_(Lang, await ask(line)).chosen
    assert choices.chosen == {"keeper01": code}


async def test_a_language_that_there_is_not_shows_the_usage(ask: Ask, choices: FakeLanguageChoice) -> None:
    view = as_(BadArgumentNotice, await ask("/lang français"))
    assert str(view.usage) == "/lang [zh|en]"
    assert choices.chosen == {}
