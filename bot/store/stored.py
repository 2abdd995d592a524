"""The base of what implements a port by the bot's database."""

from __future__ import annotations

from bot.store.database import Database


class Stored:
    """Keeps something in the bot's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
