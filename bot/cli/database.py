"""The bot's own database."""

from __future__ import annotations

import asyncio

from bot.cli.options import ConfigOption, command_group, read_settings

commands = command_group("The bot's own database.")


@commands.command("upgrade")
def upgrade_database(config: ConfigOption = None) -> None:
    """Bring the database to this version (``run`` does it by itself)."""
    from bot.store.database import Database, latest_revision

    async def upgrade() -> None:
        database = Database(read_settings(config).database)
        await database.migrate()
        await database.close()

    asyncio.run(upgrade())
    print(f"database is at revision {latest_revision()}")
