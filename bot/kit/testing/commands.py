"""A chat for tests of commands: type a line as somebody, see the card, tap its buttons.

The bot's own parser, access rules, dispatcher, hub and renderer answer, without DingTalk, network or database server.
``pytest_plugins = "bot.kit.testing.commands"`` in a test module or a ``conftest.py`` brings the fixture `chat`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest_asyncio

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.cards.actions import Action, unpack
from bot.cards.card import Card
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.bound_commands import can_answer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.questions.failures import Failures
from bot.chat.registry import AnyCommand, Commands, installed_commands
from bot.erp.hub import ErpHub
from bot.erp.port import Erp
from bot.erp.vendors import open_source
from bot.kit.testing.unfollowed_documents import UnfollowedDocuments, UnnotedStock
from bot.mechanisms.metrics import Metrics
from bot.read_model.queries import ReadModel
from bot.read_model.stock_days import StockHistory

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
"""What the clock says; the demo company is made for this day, so its figures are always the same."""

SOMEBODY = Person(user_id="somebody01", name="王仓")
"""Who asks unless a test names a person; reads Chinese."""

SECONDS = 30.0
"""What an answer may take: enough to look around in a debugger."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A card as the person who asked sees it.

    ``view`` is what the command returned. ``outcome`` is ``answered``, or what went wrong: ``bad_argument``,
    ``not_found``, ``denied``, ``erp_down``, ``unknown_command``. ``command`` is the name of the command, ``none`` where
    the line named none.
    """

    command: str
    outcome: str
    view: View
    card: Card
    chat: Chat
    context: QuestionContext

    @property
    def title(self) -> str:
        """The card's title."""
        return self.card.title

    @property
    def body(self) -> str:
        """The card's text, in DingTalk's Markdown."""
        return self.card.body

    @property
    def tips(self) -> str:
        """The small line below the text, such as how fresh the figures are."""
        return self.card.tips

    @property
    def text(self) -> str:
        """The same card for places that show no cards, with the buttons as commands to type."""
        return self.card.twin

    @property
    def buttons(self) -> Mapping[str, str]:
        """Labels of the buttons that fit on the card, each with the line that it asks or the address that it opens."""
        return MappingProxyType({button.text: button.url or unpack(button.token).typed for button in self.card.buttons})

    async def click(self, label: str, *, person: Person | None = None) -> Reply:
        """Tap a button, as ``person`` or as who asked, and return the card that it gives.

        Raises `LookupError` when no button has this label, and `ValueError` for one that opens an address.
        """
        button = next((button for button in self.card.buttons if button.text == label), None)
        if button is None:
            raise LookupError(f"no button {label!r}; there are: {', '.join(self.buttons) or 'none'}")
        if button.url:
            raise ValueError(f"{label!r} opens {button.url}")
        asked = replace(self.context, person=person) if person else self.context
        return await self.chat.clicked(unpack(button.token), asked)


class Chat:
    """A group with the bot in it, and everybody's own chat with it; made by `open_chat`."""

    def __init__(
        self, dispatcher: QuestionDispatcher, renderer: CardRenderer, *, now: datetime, group: Conversation
    ) -> None:
        self._dispatcher = dispatcher
        self._renderer = renderer
        self._group = group
        self.now = now
        """The time of the next question; a test may change it."""

    async def says(self, line: str, *, person: Person = SOMEBODY, private: bool = False) -> Reply:
        """Type a line in the group, or with ``private`` in the person's own chat with the bot; return the card.

        An exception that a command did not mean to raise is raised here; the bot shows a card with a reference.
        """
        where = Conversation(f"chat-of-{person.user_id}", ConversationKind.DIRECT) if private else self._group
        return await self._answer(QuestionContext(person=person, conversation=where, line=line, now=self.now))

    async def clicked(self, action: Action, asked: QuestionContext) -> Reply:
        """Answer a tap on a card that ``asked`` gave; called by `Reply.click`."""
        line, offset = action.question
        return await self._answer(replace(asked, line=line, offset=offset, now=self.now, clicked=True, free_text=""))

    async def _answer(self, context: QuestionContext) -> Reply:
        answer = await self._dispatcher.view_for(context)
        zone = self.now.tzinfo
        assert zone is not None, "the chat's time has a zone"
        card = self._renderer.render(answer.view, context.person.language, zone=zone)
        return Reply(
            command=answer.command, outcome=answer.outcome, view=answer.view, card=card, chat=self, context=context
        )


@asynccontextmanager
async def open_chat(
    *commands: AnyCommand,
    erp: Erp | Iterable[Erp] | None = None,
    cards: Path | None = None,
    policy: AccessPolicy | None = None,
    now: datetime = NOW,
    group: str = "cidGroup==",
) -> AsyncIterator[Chat]:
    """Open a chat in which ``commands`` are known besides the installed ones, and close its ERPs at the end.

    ``erp``: one source or several; the demo company by default. ``cards`` is the folder that ``cards.folder`` names in
    the configuration. ``policy``: who may do what; by default members may ask and nobody may write. ``group`` is the
    id of the group. Commands for alerts, approvals and settings need a whole bot and are not known.
    """
    sources = await _sources(erp, now)
    hub = ErpHub(sources, metrics=Metrics(), now=lambda: now)
    no_rules = AccessPolicy()
    collaborators: dict[type, object] = {
        ErpHub: hub,
        ReadModel: ReadModel(UnfollowedDocuments(), hub),
        StockHistory: StockHistory(UnnotedStock(), now=lambda: now, keep=timedelta()),
    }
    try:
        yield Chat(
            QuestionDispatcher(
                commands=Commands(_all_commands(commands, collaborators)),
                policy=lambda: policy or no_rules,
                collaborators=collaborators,
                seconds=SECONDS,
                failures=_StrictFailures,
            ),
            CardRenderer(languages=load_languages(), custom_dir=cards, now=lambda: now),
            now=now,
            group=Conversation(group, ConversationKind.GROUP),
        )
    finally:
        await hub.close()


@pytest_asyncio.fixture
async def chat() -> AsyncIterator[Chat]:
    """A chat with the installed commands and the demo company; define a fixture of this name for another one."""
    async with open_chat() as chat:
        yield chat


class _StrictFailures(Failures):
    """Raises a defect of a command where the bot logs it and shows a card."""

    def _defect(self, error: Exception, command: AnyCommand) -> NoReturn:
        raise error


async def _sources(erp: Erp | Iterable[Erp] | None, now: datetime) -> list[Erp]:
    if erp is None:
        options = {"database": ":memory:", "today": now.date()}
        return [await open_source("demo", "demo", options, data_dir=Path(), now=lambda: now)]
    return [*erp] if isinstance(erp, Iterable) else [erp]


def _all_commands(given: Iterable[AnyCommand], collaborators: Mapping[type, object]) -> Iterable[AnyCommand]:
    """Return the given commands, and the installed ones that need nothing that is not there."""
    named = {command.name: command for command in given}
    installed = installed_commands().values()
    return (
        *named.values(),
        *(command for command in installed if command.name not in named and can_answer(command, collaborators)),
    )
