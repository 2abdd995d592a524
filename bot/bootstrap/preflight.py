"""Everything `run` builds from the settings alone, built once before anything opens: mistakes stop the start before
anybody waits.

``dingerp doctor`` checks the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bot.bootstrap.access import make_access_policy
from bot.bootstrap.alerts import open_hooks, queue_addresses
from bot.bootstrap.names import known_names, review_settings
from bot.bootstrap.receivers import receivers_of
from bot.bootstrap.rules import follow_alerts, follow_approvals
from bot.bootstrap.sheets import sheets_of
from bot.chat.registry import installed_commands
from bot.queues.brokers import build_connection
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings
from bot.words.errors import ConfigurationError
from bot.words.names import KnownNames
from bot.words.phrase import Phrase, Words, join_words, phrase


@dataclass(frozen=True, slots=True)
class SettingsPart:
    """A part of the settings; ``check`` raises `ConfigurationError` if it cannot work, and reports doubtful names."""

    what: Phrase
    check: Callable[[Settings, NamesInForce], object]


def _check_hooks(settings: Settings, _names: NamesInForce) -> None:
    open_hooks(settings)


def _check_receivers(settings: Settings, _names: NamesInForce) -> None:
    receivers_of(settings)


def _check_sheets(settings: Settings, _names: NamesInForce) -> None:
    sheets_of(settings)


def _check_queues(settings: Settings, _names: NamesInForce) -> None:
    for address in queue_addresses(settings):
        build_connection(address, _take_nothing)


async def _take_nothing(_body: bytes | list[Any]) -> None:
    """Ignore a message: the queue is not read here."""


def _check_names(settings: Settings, names: NamesInForce) -> None:
    problems = review_settings(settings, names.known)
    if errors := [problem.words for problem in problems if problem.is_error]:
        raise ConfigurationError(join_words(errors))
    for problem in problems:
        names.tell(problem.words)


def _check_replicas(settings: Settings, _names: NamesInForce) -> None:
    if settings.replicas > 1 and settings.database.startswith("sqlite"):
        raise ConfigurationError(phrase("several replicas need PostgreSQL: set database_url, or replicas = 1"))


ACCESS_RULES = SettingsPart(phrase("Access rules"), make_access_policy)

PARTS: Final = (
    SettingsPart(phrase("Replicas"), _check_replicas),
    SettingsPart(phrase("Webhooks"), _check_hooks),
    SettingsPart(phrase("Message queues"), _check_queues),
    SettingsPart(phrase("Receivers of events"), _check_receivers),
    SettingsPart(phrase("Lists in shared tables"), _check_sheets),
    SettingsPart(phrase("Names in the settings"), _check_names),
    ACCESS_RULES,
    SettingsPart(phrase("Alert rules"), follow_alerts),
    SettingsPart(phrase("Approval rules"), follow_approvals),
)


@dataclass(frozen=True, slots=True)
class PartReview:
    """The errors of a part, and its probable mistakes that still work."""

    part: SettingsPart
    error: ConfigurationError | None
    doubts: tuple[Words, ...]


def check_settings(settings: Settings) -> None:
    """Check every part. Raises the first `ConfigurationError`; `review_parts` also reports doubts."""
    known = known_names(settings, installed_commands())
    for part in PARTS:
        part.check(settings, NamesInForce(known, _ignore))


def review_parts(settings: Settings, known: KnownNames) -> Iterator[PartReview]:
    """Yield the review of every part, given ``known`` names."""
    for part in PARTS:
        doubts: list[Words] = []
        error = None
        try:
            part.check(settings, NamesInForce(known, doubts.append))
        except ConfigurationError as wrong:
            error = wrong
        yield PartReview(part, error, tuple(doubts))


def _ignore(_doubt: Words) -> None:
    """Ignore a doubt."""
