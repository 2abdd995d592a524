"""The errors of the bot's own database."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import ConfigurationError, DingerpError


class StoreUnavailable(DingerpError):
    """The database refused or did not answer; ``detail`` is the class of its error."""

    retry: ClassVar[bool] = True


class DatabaseInUse(ConfigurationError):
    """Another process owns the database."""

    exit_code: ClassVar[int] = 3


class DatabaseIsNewer(ConfigurationError):
    """A newer version of the bot has used the database, and this one does not know what it holds."""
