"""Who may not see customers and vendors learns no name of them by a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from datetime import datetime
from pathlib import Path

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.parsing import command_line
from bot.chat.questions.dialogues import DialogueKey, Dialogues, LastQuestion
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.reading import ReadBy, Reading, Understood, named_as_typed
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

HONGDA = "杭州宏达机电设备有限公司"
KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"keeper"}))
SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))
POLICY = AccessPolicy(
    [
        AccessRule(
            commands=frozenset({"order", "invoice", "po"}),
            roles=frozenset({"keeper"}),
            fields=ALL_FIELDS - {FieldClass.PARTNER},
        ),
        AccessRule(commands=frozenset({"order", "invoice", "po"}), roles=frozenset({"sales"})),
    ]
)


class NoDialogues:
    """Keeps nothing across restarts."""

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        return ()

    async def find(self, key: DialogueKey) -> LastQuestion | None:
        return None

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        pass


@pytest.fixture
async def dispatcher(commands: Commands, vocabulary: Vocabulary) -> AsyncIterator[QuestionDispatcher]:
    async def learnt() -> Vocabulary:
        return vocabulary

    options = {"database": ":memory:", "today": NOW.date()}
    hub = ErpHub(
        [await open_source("demo", "demo", options, data_dir=Path(), now=lambda: NOW)],
        metrics=Metrics(),
        now=lambda: NOW,
    )
    reader = GrammarReader(commands, lambda: Sentences.load(commands), learnt)
    await reader.learn()
    known = [
        command
        for command in commands.values()
        if command.name in {"order", "invoice", "bill", "customer", "find", "mo", "stock"}
    ]
    yield QuestionDispatcher(
        commands=Commands(known),
        policy=lambda: POLICY,
        collaborators={ErpHub: hub, ReadModel: ReadModel(UnfollowedDocuments(), hub)},
        seconds=60.0,
        reader=reader,
        dialogues=Dialogues(NoDialogues(), now=lambda: NOW),
    )
    await hub.close()


async def told(dispatcher: QuestionDispatcher, person: Person, *lines: str) -> str:
    """Return all that the answers to some lines tell."""
    words = ""
    for line in lines:
        where = Conversation("cid1", ConversationKind.DIRECT)
        answer = await dispatcher.view_for(QuestionContext(person=person, conversation=where, line=line, now=NOW))
        words += f"{cut(answer.view, answer.grant.fields)!r} {answer.read_as} "
    return words


@pytest.mark.parametrize(
    "lines",
    [
        ("hongda",),
        ("hd的订单",),
        ("hongda的发票",),
        ("长安恒兴的订单",),
        ("SO-1001", "这个客户怎么样"),
        ("SO-1001", "它的发票"),
        ("INV-7", "这个客户的订单"),
        ("洪达机电的订单",),
        ("洪达机电的生产单",),
        ("洪达机电的库存",),
    ],
)
async def test_no_name_is_learnt_by_a_sentence(dispatcher: QuestionDispatcher, lines: tuple[str, ...]) -> None:
    words = await told(dispatcher, KEEPER, *lines)
    assert "公司" not in words
    assert "五金厂" not in words
    assert "宏达" not in words


@pytest.mark.parametrize("lines", [("hongda的发票",), ("SO-1001", "这个客户怎么样")])
async def test_who_may_see_them_reads_the_name(dispatcher: QuestionDispatcher, lines: tuple[str, ...]) -> None:
    assert HONGDA in (await told(dispatcher, SALES, *lines)).rpartition(")")[2]


def test_lines_that_become_the_same_are_no_choice() -> None:
    reading = Reading(
        line="/order 宏图",
        by=ReadBy.GRAMMAR,
        alternatives=("/order 宏达",),
        unsure=True,
        understood=(Understood("partner", "ht", "宏图"), Understood("partner", "ht", "宏达")),
    )
    typed = named_as_typed(reading, "ht的订单")
    assert (typed.line, typed.alternatives, typed.unsure) == ("/order ht", (), False)


def test_a_name_with_quotation_marks_is_shown_as_it_was_typed() -> None:
    name = '宏达 "重型" 机电'
    reading = Reading(
        line=command_line("order", name), by=ReadBy.GRAMMAR, understood=(Understood("partner", "hdzx", name),)
    )
    assert named_as_typed(reading, "hdzx的订单").line == "/order hdzx"


@pytest.mark.parametrize(
    ("line", "name"), [("sz的订单", "前海智造"), ("/customer sz", "前海智造"), ("hongda的应付单", HONGDA)]
)
async def test_a_name_that_was_not_typed_is_hidden_where_all_may_not_see_it(
    dispatcher: QuestionDispatcher, line: str, name: str
) -> None:
    where = Conversation("cid1", ConversationKind.GROUP)
    answer = await dispatcher.view_for(QuestionContext(person=SALES, conversation=where, line=line, now=NOW))
    assert name in repr(cut(answer.view, answer.grant.fields))
    everybody = cut(answer.view, ALL_FIELDS - {FieldClass.PARTNER})
    assert name not in repr(everybody)
    assert name not in repr(everybody.buttons())


async def test_who_may_not_see_names_is_not_told_which_of_them_the_company_has(dispatcher: QuestionDispatcher) -> None:
    where = Conversation("cid1", ConversationKind.DIRECT)
    asked = {
        person.user_id: await dispatcher.view_for(
            QuestionContext(person=person, conversation=where, line="宏达和大疆的订单", now=NOW)
        )
        for person in (KEEPER, SALES)
    }
    assert {user: (answer.unknown, answer.unheld) for user, answer in asked.items()} == {
        "keeper01": ((), ("大疆",)),
        "sales01": (("大疆",), ()),
    }
