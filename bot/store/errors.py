"""The error of the bot's own database."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import DingerpError


class StoreUnavailable(DingerpError):
    """The database refused or did not answer; ``detail`` is the class of its error."""

    retry: ClassVar[bool] = True
