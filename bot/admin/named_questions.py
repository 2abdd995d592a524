"""``dingerp questions check`` and ``dingerp questions try``: reads the company's own questions, and asks them once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.admin.output import at, say_lines, warning
from bot.admin.rules_in_force import name_places, warn_of_unread
from bot.bootstrap.named_questions import open_databases, question_reader
from bot.bootstrap.names import known_names, look_for_facts
from bot.bootstrap.rule_places import refuse_missing
from bot.chat.errors import BadArgument
from bot.erp.errors import ErpError
from bot.erp.named_queries import FoundRows, QueryDatabase
from bot.named_questions.question import NamedQuestion, NamedQuestions
from bot.named_questions.values import read_words, values_of
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import RuleContent, find_files, read_content
from bot.settings import Settings
from bot.words.errors import ConfigurationError
from bot.words.phrase import Say, Words, phrase

_TRIED_ROWS = 20
_ENGLISH = "en"


async def check_questions(settings: Settings, file: Path | None, say: Say = str) -> tuple[bool, list[str]]:
    """Return whether the file is right and each question with a sample has an answer, and lines that say so."""
    path = file or _find(settings)
    if path is None:
        return True, say_lines([at(name_places(settings.question_files), phrase("there are no questions"))], say)
    async with AsyncExitStack() as stack:
        databases = open_databases(stack, settings, lambda: _now(settings))
        try:
            review = await _review(settings, path, databases)
        except RulesError as error:
            return False, say_lines([at(path, wrong.words) for wrong in error.problems], say)
        lines: list[Words] = [at(path, warning(each.words)) for each in review.warnings]
        fine = True
        for question in review.rules.rules.questions:
            was_fine, told = await _try_sample(question, databases[question.source], settings)
            fine = fine and was_fine
            lines.append(at(question.name, told))
        return fine, say_lines([*lines, *([] if file else warn_of_unread(settings.question_files))], say)


async def try_question(settings: Settings, name: str, words: Sequence[str], say: Say = str) -> list[str]:
    """Return the first rows of a question's answer, as an administrator sees them, below the names of its columns.

    Raises `ConfigurationError` where there is no such question or it has no answer.
    """
    path = _find(settings)
    async with AsyncExitStack() as stack:
        databases = open_databases(stack, settings, lambda: _now(settings))
        questions = (await _review(settings, path, databases)).rules.rules if path else NamedQuestions()
        question = questions.named(name)
        if question is None:
            known = ", ".join(each.name for each in questions.questions)
            raise ConfigurationError(
                phrase("there is no question %(name)s; there are: %(known)s", name=f"{name!r}", known=known)
            )
        try:
            found = await _ask(question, " ".join(words), databases[question.source], settings)
        except (BadArgument, ErpError) as error:
            raise ConfigurationError(_reason(error)) from None
    columns = [each.column for each in question.columns]
    rows = [" | ".join("" if row[name] is None else str(row[name]) for name in columns) for row in found.rows]
    more: list[Words] = [phrase("and more")] if found.more else []
    return say_lines([" | ".join(columns), *rows, *more], say)


async def _review(
    settings: Settings, path: Path, databases: Mapping[str, QueryDatabase]
) -> Reviewed[RuleContent[NamedQuestions]]:
    known = known_names(settings, facts=await look_for_facts(settings), is_strict=True)
    return question_reader(databases).review(read_content(path), known, name=str(path))


async def _try_sample(question: NamedQuestion, database: QueryDatabase, settings: Settings) -> tuple[bool, Words]:
    try:
        found = await _ask(question, question.sample, database, settings)
    except BadArgument as error:
        return False, phrase("its sample %(sample)s: %(why)s", sample=f"{question.sample!r}", why=error.tell())
    except ErpError as error:
        return False, _reason(error)
    if not found.rows:
        return True, warning(phrase("fine, but its sample %(sample)s has no rows", sample=f"{question.sample!r}"))
    return True, phrase("fine, rows %(rows)s", rows=f"{len(found.rows)}{'+' if found.more else ''}")


async def _ask(question: NamedQuestion, text: str, database: QueryDatabase, settings: Settings) -> FoundRows:
    values = values_of(question, read_words(question, text, _ENGLISH), _now(settings).date())
    return await database.ask(question.query, values, most=_TRIED_ROWS)


def _reason(error: BadArgument | ErpError) -> Words:
    return error.tell() if isinstance(error, BadArgument) else error.detail


def _find(settings: Settings) -> Path | None:
    refuse_missing("questions.file", settings.questions.file)
    return next(iter(find_files(settings.question_files)), None)


def _now(settings: Settings) -> datetime:
    return datetime.now(ZoneInfo(settings.zone))
