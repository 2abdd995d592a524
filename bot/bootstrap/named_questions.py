"""The company's own questions: the databases that they ask, and their file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.bootstrap.rule_places import refuse_missing
from bot.chat.registry import installed_commands
from bot.erp.named_queries import QueryDatabase
from bot.erp.vendors import database_of, open_query_database
from bot.named_questions.file import LONGEST, QuestionReader, follow_questions
from bot.named_questions.question import NamedQuestions
from bot.rulefiles.followed_file import FollowedFile, find_files
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings


def open_databases(
    stack: AsyncExitStack, settings: Settings, now: Callable[[], datetime]
) -> Mapping[str, QueryDatabase]:
    """Return the databases by name until ``stack`` ends; none is connected before the first question.

    Raises `ConfigurationError` for an address that cannot be used.
    """
    databases = _databases(settings, now)
    for database in databases.values():
        stack.push_async_callback(database.close)
    return databases


def question_reader(databases: Mapping[str, QueryDatabase]) -> QuestionReader:
    """Return the reader of questions, which checks their queries against ``databases``."""
    return QuestionReader(databases, {name for each in installed_commands().values() for name in each.names})


def open_questions(
    settings: Settings, names: NamesInForce, databases: Mapping[str, QueryDatabase] | None = None
) -> FollowedFile[NamedQuestions]:
    """Return the questions, as new as their file. Raises `ConfigurationError` with all errors."""
    refuse_missing("questions.file", settings.questions.file)
    if databases is None:
        zone = ZoneInfo(settings.zone)
        databases = _databases(settings, lambda: datetime.now(zone)) if find_files(settings.question_files) else {}
    return follow_questions(settings.question_files, question_reader(databases), names)


def _databases(settings: Settings, now: Callable[[], datetime]) -> Mapping[str, QueryDatabase]:
    addresses = {
        name: database_of(name, source.vendor, source.options, data_dir=settings.data_dir, now=now)
        for name, source in settings.erp.items()
    }
    addresses |= {name: each.url.get_secret_value() for name, each in settings.questions.databases.items()}
    zone, named = ZoneInfo(settings.zone), {name: url for name, url in addresses.items() if url}
    return {name: open_query_database(url, source=name, zone=zone, seconds=LONGEST) for name, url in named.items()}
