"""``dingerp understand``: reads a sentence as the bot would, and shows what it did not understand."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.access.people import Person
from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.output import align_columns, as_json
from bot.bootstrap.access import make_access_policy
from bot.bootstrap.erps import open_hub
from bot.bootstrap.language_model import open_model
from bot.chat.questions.reading import Reading, of_work, settle
from bot.chat.questions.work import kept_on_time, work_of
from bot.chat.registry import Commands
from bot.mechanisms.metrics import Metrics
from bot.settings import ErpSettings, Settings
from bot.store.unread_sentences import StoredUnreadSentences
from bot.understanding.grammar import Grammar
from bot.understanding.language_model.ports import ModelUse
from bot.understanding.learning import learn_vocabulary
from bot.understanding.sentences import Sentences
from bot.words.errors import ConfigurationError


async def understand(
    settings: Settings, sentence: str, *, user_id: str = "", with_model: bool = False
) -> Reading | None:
    """Return the reading of ``sentence``, limited to one person's commands if given; None for none.

    Without an ERP in the settings, the vocabulary is that of the demo company. ``with_model``: the configured language
    model is asked where the bot would ask it. Raises `ConfigurationError`.
    """
    commands = Commands.discover()
    own = settings.understanding.sentences
    sentences = Sentences.load(commands, (own,) if own else ())
    zone = ZoneInfo(settings.zone)

    def now() -> datetime:
        return datetime.now(zone)

    async with AsyncExitStack() as stack:
        if not settings.erp:
            # In a folder of its own: a running demo has the other one.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dingerp-")))
            demo = ErpSettings.model_validate({"vendor": "demo"})
            settings = settings.model_copy(update={"erp": {"demo": demo}, "data_dir": folder})
        hub = await open_hub(stack, settings, Metrics(), now)
        grammar = Grammar(commands, sentences, await learn_vocabulary(hub))
        usable = _usable(settings, commands, user_id) if user_id else None
        reading = grammar.read(sentence, usable)
        if reading and reading.by_work and user_id:
            roles = make_access_policy(settings).configured_roles(_person(user_id))
            reading = of_work(reading, commands, kept_on_time(work_of(roles, ())), frozenset(commands))
        if not with_model or (reading and not reading.unsure):
            return reading
        model = await open_model(stack, settings, commands, lambda: sentences, _UseOfOneRun(), Metrics(), now)
        if model is None:
            raise ConfigurationError("there is no language model in the settings: understanding.model.url is empty")
        asked = await model.read(sentence, "", frozenset(commands) if usable is None else usable)
    return settle(reading, asked, commands) if reading and asked else reading or asked


async def review(settings: Settings, *, in_json: bool) -> list[str]:
    """Return lines on the sentences that many asked and the bot did not understand, the most frequent first."""
    async with open_database(settings, OperatorAction(command="understand review")) as database:
        found = await StoredUnreadSentences(require_database(database)).all()
    if in_json:
        return [as_json(list(map(asdict, found)))]
    rows = [(str(each.number), str(each.people), str(each.weeks), each.text) for each in found]
    return align_columns([("asked", "people", "weeks", "sentence"), *rows])


class _UseOfOneRun:
    """Counts model use for one run of the tool only, not towards the bot's month."""

    def __init__(self) -> None:
        self._calls = 0

    async def add(self, month: str, use: ModelUse) -> ModelUse:
        self._calls += use.calls
        return ModelUse(calls=self._calls)


def describe(reading: Reading) -> dict[str, Any]:
    """Return a reading in its JSON form."""
    return {
        "line": reading.line,
        "by": reading.by.value,
        "alternatives": list(reading.alternatives),
        "understood": [asdict(part) for part in reading.understood],
        **({"wish": reading.change} if reading.change else {}),
        **({"gap": str(reading.unsupported)} if reading.unsupported else {}),
        **({"unknown": list(reading.unknown)} if reading.unknown else {}),
        **({"unheld": list(reading.unheld)} if reading.unheld else {}),
    }


def _usable(settings: Settings, commands: Commands, user_id: str) -> frozenset[str]:
    """Return the commands that a member may use in the chat with the bot, by the configured roles."""
    policy, person = make_access_policy(settings), _person(user_id)
    return frozenset(name for name, command in commands.items() if policy.decide(person, command.request()).allowed)


def _person(user_id: str) -> Person:
    return Person(user_id=user_id, name=user_id)
