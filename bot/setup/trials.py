"""Tries what was entered, at DingTalk and at the ERP, with the checks of the doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bot.access.loader import AccessRuleSet, make_policy
from bot.access.people import Person
from bot.bootstrap.erps import examine_source, open_hub
from bot.bootstrap.factories import make_renderer, open_api
from bot.cards.card import Card
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.parsing import command_line
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands, installed_commands
from bot.dingtalk.directory import DirectoryPerson
from bot.dingtalk.directory_listing import DingTalkDirectoryListing
from bot.dingtalk.openapi import pooled_session
from bot.doctor.dingtalk import check_app
from bot.doctor.results import CheckResult
from bot.erp.hub import ErpHub
from bot.erp.setup import SetupProblem
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.setup.draft import source_name
from bot.words.errors import DingerpError
from bot.words.phrase import Words, phrase

_SAMPLE, _SAMPLE_PRODUCTS = 3, 50
_SECONDS = 60.0
_MOST_PEOPLE = 500
_ROOT_DEPARTMENT = "1"
STOCK = "stock"


@dataclass(frozen=True, slots=True)
class SourceTrial:
    """What an ERP said: what is wrong with it, and the card of one question that it answered."""

    problems: Sequence[SetupProblem] = ()
    failed: Words = ""
    line: str = ""
    card: Card | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it answers."""
        return not self.failed and not any(problem.is_fatal for problem in self.problems)


async def try_app(settings: Settings) -> Sequence[CheckResult]:
    """Return the doctor's checks of DingTalk."""
    async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
        api = open_api(settings, session, Metrics())
        return [finding async for finding in check_app(settings, session, api)]


async def list_people(settings: Settings) -> Sequence[DirectoryPerson]:
    """Return the organisation's people, its administrators first, no more than some hundreds. Raises a `DingerpError`
    where the directory may not be read.
    """
    found: dict[str, DirectoryPerson] = {}
    async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
        listing = DingTalkDirectoryListing(open_api(settings, session, Metrics()))
        waiting = [_ROOT_DEPARTMENT]
        while waiting and len(found) < _MOST_PEOPLE:
            department, start = waiting.pop(0), 0
            waiting += [each for each, _ in await listing.departments_below(department)]
            following: int | None = start
            while following is not None:
                page = await listing.members(department, following)
                found.update((person.user_id, person) for person in page.people)
                following = page.following
    return sorted(found.values(), key=lambda person: (not person.is_admin, person.name))


async def try_source(settings: Settings, language: str) -> SourceTrial:
    """Ask the ERP that is set up what it has, and one question as people ask it."""
    name = source_name(settings)
    try:
        # The demo company makes a file, and nothing is to be written yet.
        with TemporaryDirectory() as folder:
            only = settings.model_copy(update={"erp": {name: settings.erp[name]}, "data_dir": Path(folder)})
            async with asyncio.timeout(_SECONDS):
                report = await examine_source(only, name, sample=_SAMPLE)
                if any(problem.is_fatal for problem in report.problems):
                    return SourceTrial(report.problems)
                line, card = await _ask(only, language)
                return SourceTrial(report.problems, line=line, card=card)
    except TimeoutError:
        return SourceTrial(failed=phrase("The ERP does not answer in time."))
    except DingerpError as error:
        return SourceTrial(failed=error.explain())


async def _ask(settings: Settings, language: str) -> tuple[str, Card | None]:
    """Ask for the stock of the first product that there is."""
    zone = ZoneInfo(settings.zone)

    def now() -> datetime:
        return datetime.now(zone)

    async with AsyncExitStack() as stack:
        hub = await open_hub(stack, settings, Metrics(), now)
        products = (await hub.find_products("", limit=_SAMPLE_PRODUCTS)).value
        if not products:
            return "", None
        # A code without signs reads best.
        sku = next((product.sku for product in products if product.sku.isalnum()), products[0].sku)
        line = command_line(STOCK, sku)
        policy = make_policy([AccessRuleSet(open=True)], {})
        dispatcher = QuestionDispatcher(
            commands=Commands([installed_commands()[STOCK]]),
            policy=lambda: policy,
            collaborators={ErpHub: hub},
            seconds=settings.limits.question_seconds,
        )
        person = Person(user_id="setup", name="", language=language)
        where = Conversation("setup", ConversationKind.DIRECT)
        answer = await dispatcher.view_for(
            QuestionContext(person=person, conversation=where, line=line, now=now(), only_asks=True)
        )
        return line, make_renderer(settings).render(answer.view, language, zone=zone)
