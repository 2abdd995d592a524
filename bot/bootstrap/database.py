"""The bot's own database, opened by the settings with its key."""

from __future__ import annotations

from bot.settings import Settings
from bot.store.company_keys import CompanyKeySource, GivenKeys, KeyFile
from bot.store.database import Database


def make_database(settings: Settings, *, looking: bool = False) -> Database:
    """Return the database, not connected yet; ``looking``: to read it alone. Raises `ConfigurationError`."""
    return Database(settings.database, _configured_keys(settings), folder=settings.data_dir, looking=looking)


def _configured_keys(settings: Settings) -> CompanyKeySource | None:
    """Return where the company's key comes from; None for the file that the bot makes itself."""
    if given := settings.data_key.get_secret_value():
        return GivenKeys.parse(given)
    if settings.data_key_file is not None:
        return KeyFile(path=settings.data_key_file)
    return None
