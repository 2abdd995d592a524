"""The bot's own database, opened by the settings with its key."""

from __future__ import annotations

from pathlib import Path

from bot.settings import Settings
from bot.store.company_keys import KEY_FILE, CompanyKeySource, GivenKeys, KeyFile
from bot.store.database import Database


def make_database(settings: Settings) -> Database:
    """Return the database, not connected yet. Raises `ConfigurationError`."""
    return Database(settings.database, company_keys(settings))


def company_keys(settings: Settings) -> CompanyKeySource:
    """Return where the company's key comes from: the setting, a configured file, or the bot's own file.

    Raises `bot.sealing.WrongDataKey` for a setting that is no key.
    """
    if given := settings.data_key.get_secret_value():
        return GivenKeys.parse(given)
    if settings.data_key_file is not None:
        return KeyFile(path=settings.data_key_file)
    return KeyFile(path=own_key_file(settings), ours=True)


def own_key_file(settings: Settings) -> Path:
    """Return the file that the bot makes where no key is configured."""
    return settings.data_dir / KEY_FILE
