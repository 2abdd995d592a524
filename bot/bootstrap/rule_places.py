"""Where files of rules are looked for."""

from __future__ import annotations

from pathlib import Path

from bot.errors import ConfigurationError


def refuse_missing(setting: str, chosen: Path | None) -> None:
    """Raise `ConfigurationError` where a setting names a file of rules that is not there."""
    if chosen is not None and not chosen.exists():
        raise ConfigurationError(f"wrong settings: {setting}: there is no file {chosen}")
