"""The errors of the bot's own database."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import ConfigurationError, DingerpError
from bot.phrase import Phrase, phrase


class StoreUnavailable(DingerpError):
    """The database refused or did not answer; ``detail`` says why and what to do, with the class of its error."""

    retry: ClassVar[bool] = True

    def tell(self) -> Phrase:
        return phrase(
            "The bot cannot store anything at the moment, so it cannot answer yet. It goes on by itself as soon as it "
            "can; please tell its administrator if that takes long."
        )


class DatabaseInUse(ConfigurationError):
    """Another process owns the database."""

    exit_code: ClassVar[int] = 3


class DatabaseIsNewer(ConfigurationError):
    """A newer version of the bot has used the database, and this one does not know what it holds."""
