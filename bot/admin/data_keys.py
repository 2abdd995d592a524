"""Changes the key of the bot's database, whether the bot runs or not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.output import count_noun
from bot.bootstrap.database import make_database
from bot.settings import Settings
from bot.settings.sealed_values import seal_value
from bot.store.data_keys import CompanyKeySource, KeyFile, company_key_of
from bot.store.database import Database
from bot.store.rotation import OLD_KEY_STAYS, change_data_key, drop_old_keys
from bot.words.errors import ConfigurationError
from bot.words.sealing import CompanyKey


def seal_setting(settings: Settings, secret: str) -> str:
    """Return a secret sealed with the newest company key, which is created if there is none.

    Raises `ConfigurationError`.
    """
    if not secret:
        raise ConfigurationError("nothing was given to seal; write the secret to standard input")
    return seal_value(secret, make_database(settings, looking=True).keys.source.make()[0])


async def rotate_key(settings: Settings, now: datetime, *, stopped: bool) -> list[str]:
    """Put a new key in force and reseal everything; with ``stopped`` the old data key is removed at once.

    Raises `ConfigurationError`.
    """
    async with open_database(settings, OperatorAction(command="data rotate-key")) as found:
        database = require_database(found)
        source = database.keys.source
        keys = await _with_new_key(database, source)
        count = await change_data_key(database, keys, now)
        if isinstance(source, KeyFile) and source.ours:
            source.write(keys if settings.sealed else keys[:1])
        dropped = await drop_old_keys(database, now, stays=timedelta(0) if stopped else OLD_KEY_STAYS)
    lines = [f"the database opens with key {keys[0].name} now; {count_noun(count, 'row', 'rows')} sealed again"]
    if settings.sealed:
        lines.append(
            f"the old key still opens sealed settings: {', '.join(settings.sealed)}; seal them again with"
            " `dingerp data seal`, and then take the old key away"
        )
    if not dropped:
        lines.append("the running bot drops the old data key in an hour")
    return lines


async def _with_new_key(database: Database, source: CompanyKeySource) -> Sequence[CompanyKey]:
    """Return the company's keys with the new one first: the bot's own file gets one, other sources provide it."""
    keys = source.read()
    if keys[0].name != await database.run(company_key_of):
        return keys
    if not (isinstance(source, KeyFile) and source.ours):
        raise ConfigurationError(
            "there is no new key yet: put one that `dingerp data new-key` prints in front of the old one, restart the"
            " bot with both, and then change the key"
        )
    keys = (CompanyKey.generate(), *keys)
    source.write(keys)
    return keys
