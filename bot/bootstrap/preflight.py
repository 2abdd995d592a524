"""What `run` makes of the settings alone, made once before anything opens: mistakes end the start while nobody waits.

``dingerp doctor`` goes through the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bot.bootstrap.access import make_access_policy
from bot.bootstrap.alerts import open_hooks, queue_addresses
from bot.bootstrap.rules import follow_alerts, follow_approvals
from bot.chat.registry import installed_commands
from bot.errors import ConfigurationError
from bot.phrase import Phrase, phrase
from bot.queues.brokers import build_connection
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingsPart:
    """A part of the settings; ``check`` raises `ConfigurationError` if it cannot work."""

    what: Phrase
    check: Callable[[Settings], object]


def _check_queues(settings: Settings) -> None:
    for address in queue_addresses(settings):
        build_connection(address, _take_nothing)


async def _take_nothing(_body: bytes | list[Any]) -> None:
    """Take no message: the queue is not read here."""


def _check_access_rules(settings: Settings) -> None:
    make_access_policy(settings, installed_commands())


ACCESS_RULES = SettingsPart(phrase("Access rules"), _check_access_rules)

PARTS: Final = (
    SettingsPart(phrase("Webhooks"), open_hooks),
    SettingsPart(phrase("Message queues"), _check_queues),
    ACCESS_RULES,
    SettingsPart(phrase("Alert rules"), follow_alerts),
    SettingsPart(phrase("Approval rules"), follow_approvals),
)


def check_settings(settings: Settings) -> None:
    """Check every part. Raises the first `ConfigurationError`."""
    for part in PARTS:
        part.check(settings)


def find_mistakes(settings: Settings) -> Iterator[tuple[SettingsPart, ConfigurationError | None]]:
    """Yield every part, with what is wrong with it."""
    for part in PARTS:
        try:
            part.check(settings)
        except ConfigurationError as error:
            yield part, error
        else:
            yield part, None
