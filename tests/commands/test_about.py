"""/help, /whoami and /lang."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.policy import AccessPolicy, AccessRule
from bot.cards.notices import BadArgumentNotice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import Commands
from commands.help import CommandHelp, Help
from commands.lang import Lang
from commands.whoami import Whoami
from tests.commands.conftest import KEEPER, Ask, FakeLanguageChoice, as_, lines


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
    assert str(view.usage) == "/stock <SKU…> [@warehouse]"
    assert "库存" in view.aliases
    assert lines(view) == ["/stock SKU123", "/库存 螺丝 @上海仓", "/kc SKU123 SKU124"]


async def test_help_about_nothing_we_know_names_the_commands(ask: Ask) -> None:
    problem = as_(BadArgumentNotice, await ask("/help weather")).problem
    assert "/stock" in str(problem)


async def test_every_example_of_every_command_is_answered(ask: Ask, commands: Commands) -> None:
    own_chat, boss = Conversation("cidOwn==", ConversationKind.DIRECT), replace(KEEPER, is_admin=True)
    for command in commands.values():
        assert command.examples
        asked = {"where": own_chat, "person": boss} if command.reserved else {}
        for example in command.examples:
            assert (await ask(example, **asked)).outcome in {"answered", "not_found"}, example


async def test_whoami_shows_what_the_configuration_needs(ask: Ask) -> None:
    view = as_(Whoami, await ask("我是谁"))
    assert (view.name, view.user_id, view.roles) == ("王仓", "keeper01", ("warehouse",))
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


async def test_lang_shows_the_language_and_the_others(ask: Ask, choices: FakeLanguageChoice) -> None:
    view = as_(Lang, await ask("/lang"))
    assert (str(view.language), view.chosen, lines(view)) == ("Chinese", False, ["/lang en"])
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
