"""/people: members, one of them, and why they may use a command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.grants import Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule, RuleEffect
from bot.cards.notices import BadArgumentNotice, DeniedNotice, NotFoundNotice
from bot.chat.message import Conversation, ConversationKind
from bot.words.disclosure import FieldClass
from commands.people import ExplainedAccess, PeopleList, PersonProfile
from tests.commands.conftest import KEEPER, Ask, as_, lines

BOSS = replace(KEEPER, user_id="boss01", name="赵总", is_admin=True)
OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)


@pytest.mark.parametrize("line", ["/people", "/people keeper01", "/people keeper01 order"])
async def test_only_administrators_look_after_members(ask: Ask, line: str) -> None:
    assert as_(DeniedNotice, await ask(line, where=OWN_CHAT)).ask == ("admin",)


async def test_members_are_found_by_a_part_of_their_name(ask: Ask) -> None:
    everybody = as_(PeopleList, await ask("/people", person=BOSS, where=OWN_CHAT))
    assert everybody.total == 24
    clerks = as_(PeopleList, await ask("/人员 职员1", person=BOSS, where=OWN_CHAT))
    assert clerks.total == 11
    assert "/people clerk10" in lines(clerks)
    assert as_(PersonProfile, await ask("/people 王仓", person=BOSS, where=OWN_CHAT)).who.user_id == "keeper01"
    as_(NotFoundNotice, await ask("/people nobody", person=BOSS, where=OWN_CHAT))
    as_(BadArgumentNotice, await ask("/people 职员 order", person=BOSS, where=OWN_CHAT))


class TestRights:
    @pytest.fixture
    def policy(self) -> AccessPolicy:
        keepers = AccessRule(
            name="keepers",
            commands=frozenset({"stock", "order"}),
            people=frozenset({"keeper01"}),
            fields=frozenset({FieldClass.QUANTITY}),
            scope=Scope(warehouses=frozenset({"SH"})),
        )
        none = AccessRule(
            name="no orders",
            commands=frozenset({"order"}),
            people=frozenset({"keeper01"}),
            effect=RuleEffect.DENY,
        )
        return AccessPolicy((keepers, none), {"keeper": frozenset({"keeper01"})})

    async def test_somebody_is_shown_as_they_are_to_the_bot(self, ask: Ask) -> None:
        view = as_(PersonProfile, await ask("/people keeper01", person=BOSS, where=OWN_CHAT))
        assert (view.who.name, view.who.roles) == ("王仓", ("keeper",))
        (right,) = [each for each in view.who.rights if each.command == "stock"]
        assert (right.fields, right.rule) == ((FieldClass.QUANTITY,), "keepers")
        assert "status" not in view.who.commands

    async def test_why_somebody_may_use_a_command_or_not(self, ask: Ask) -> None:
        stock = as_(ExplainedAccess, await ask("/people keeper01 /stock", person=BOSS, where=OWN_CHAT))
        assert (stock.allowed, stock.rule, stock.fields) == (True, "keepers", (FieldClass.QUANTITY,))
        assert [list(map(str, scope)) for scope in stock.scopes] == [["warehouse: SH"]]
        order = as_(ExplainedAccess, await ask("/people keeper01 订单", person=BOSS, where=OWN_CHAT))
        assert (order.allowed, order.fields) == (False, ())
        assert [(row.rule, str(row.effect)) for row in order.rows] == [
            ("keepers", "allows it"),
            ("no orders", "takes the command"),
        ]
        as_(BadArgumentNotice, await ask("/people keeper01 weather", person=BOSS, where=OWN_CHAT))
