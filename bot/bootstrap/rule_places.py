"""The search places of rule files."""

from __future__ import annotations

from pathlib import Path

from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase


def refuse_missing(setting: str, chosen: Path | None) -> None:
    """Raise `ConfigurationError` if a setting names a rule file that does not exist."""
    if chosen is not None and not chosen.exists():
        missing = phrase("there is no file %(file)s", file=str(chosen))
        reason = phrase("%(key)s: %(reason)s", key=setting, reason=missing)
        raise ConfigurationError(phrase("wrong settings: %(wrong)s", wrong=reason))
