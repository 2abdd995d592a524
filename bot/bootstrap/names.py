"""The names that settings and rules may use: from the settings, and from the bot's database."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress

import structlog

from bot.access.presets import ROLE_SYNONYMS
from bot.bootstrap.database import look_into_database
from bot.chat.registry import Commands
from bot.mechanisms.background import repeat
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.positions import Positions, find_positions
from bot.settings import Settings
from bot.settings.naming import SettingPath, named_in
from bot.store.database import Database
from bot.store.people import read_names
from bot.store.revisions import is_current
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.names import (
    NOTHING_SEEN,
    KnownNames,
    NameFacts,
    NameKind,
    NameProblem,
    NameReference,
    check_names,
    find_shared_accounts,
)
from bot.words.phrase import Words, phrase

log = structlog.get_logger(__name__)

_LOOKED_EVERY = 600.0
"""Seconds: nobody waits for the results, and the directory is walked once a day."""


def known_names(
    settings: Settings, commands: Commands | None = None, facts: NameFacts | None = None, *, is_strict: bool = False
) -> KnownNames:
    """Return the known names; without ``commands`` these are not checked."""
    return KnownNames(
        commands=None
        if commands is None
        else {word.casefold(): command.name for command in commands.values() for word in command.names},
        roles=settings.access.roles,
        usual_roles=ROLE_SYNONYMS,
        directory_roles=bool(settings.access.directory),
        sources=tuple(settings.erp),
        event_sources=settings.event_sources,
        conversations=tuple(
            {*settings.alerts.default_groups, *settings.approval_groups, *settings.access.outsider_groups}
        ),
        facts=facts,
        is_strict=is_strict,
    )


def review_settings(settings: Settings, known: KnownNames) -> tuple[NameProblem, ...]:
    """Return the wrong and doubtful names in the settings."""
    lines = _SettingLines(settings)
    accounts = settings.access.accounts
    shared = [
        NameProblem(
            reference := lines.reference(("access", "accounts", person, source), NameKind.PERSON, person),
            phrase(
                "%(key)s: %(name)s has this account already, so that nobody could tell whose decision it was",
                key=reference.key,
                name=f"{first!r}",
            ),
            is_error=True,
        )
        for person, source, first in find_shared_accounts(accounts)
    ]
    return (*check_names(references_of(settings), known), *shared)


def references_of(settings: Settings) -> tuple[NameReference, ...]:
    """Return the names in the settings, each with its line in the file or its environment variable."""
    lines = _SettingLines(settings)
    return tuple(lines.reference(*named) for named in (*named_in(settings), *_people_with_keys(settings)))


def _people_with_keys(settings: Settings) -> Iterator[tuple[SettingPath, NameKind, str]]:
    for name, source in settings.erp.items():
        if isinstance(keys := source.options.get("approvers"), Mapping):
            yield from ((("erp", name, "approvers", person), NameKind.PERSON, person) for person in keys)


class _SettingLines:
    """Finds the position of settings."""

    def __init__(self, settings: Settings) -> None:
        self._file = str(settings.file or "")
        text = read_settings_file(settings)
        self._document = tomllib.loads(text)
        self._positions = find_positions(text) if text else Positions({})

    def reference(self, path: SettingPath, kind: NameKind, name: str) -> NameReference:
        written = _written_at(path, name, self._document)
        return NameReference(
            kind=kind,
            value=name,
            file=_variable(path) if written is None else self._file,
            line=0 if written is None else self._positions.line(*written),
            key=".".join(part for part in path if isinstance(part, str)),
        )


def read_settings_file(settings: Settings) -> str:
    """Return the text of the configuration, empty without a file. Raises `ConfigurationError`."""
    if settings.file is None:
        return ""
    try:
        return settings.file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigurationError(f"{settings.file} cannot be read: {error.strerror}") from None


def _written_at(path: SettingPath, name: str, document: object) -> SettingPath | None:
    """Return the path of a setting in its file; None if the file does not contain it."""
    written: list[str | int] = []
    for part in path:
        if isinstance(document, list) and name in document:
            written.append(document.index(name))
            document = name
        elif isinstance(document, dict) and part in document:
            written.append(part)
            document = document[part]
        else:
            return None
    return tuple(written)


def _variable(path: SettingPath) -> str:
    """Return the environment variable that sets it; if none is set, the setting's name."""
    given = {variable.upper() for variable in os.environ}
    names = [part for part in path if isinstance(part, str)]
    variables = ("DINGERP_" + "__".join(names[:length]).upper() for length in range(len(names), 0, -1))
    return next(filter(given.__contains__, variables), ".".join(names[:-1][:2]))


async def look_for_facts(settings: Settings) -> NameFacts:
    """Return the names known to the bot's database; empty if there is no readable one."""
    with suppress(DingerpError):
        async with look_into_database(settings) as database:
            if is_current(await database.revision()):
                return await database.read(read_names)
    return NOTHING_SEEN


def names_in_force(settings: Settings, commands: Commands) -> NamesInForce:
    """Return the names in use by a bot, including those in the settings."""
    names = NamesInForce(known_names(settings, commands), _log_doubt)
    names.use("settings", references_of(settings))
    return names


def _log_doubt(doubt: Words) -> None:
    log.warning("names.doubtful", reason=str(doubt))


async def follow_names(names: NamesInForce, database: Database) -> None:
    """Check the names in force against the bot's data, for as long as it runs."""

    async def look() -> None:
        names.learn(await database.read(read_names))

    await repeat(look, every=_LOOKED_EVERY, failed="names.not_checked")
