"""A process that only accepts events, to be killed: ``python -m tests.web.hook_process DATABASE_URL``."""

from __future__ import annotations

import asyncio
import sys

from bot.store.database import Database

from .hook_server import hook_server


async def main() -> None:
    """Print the port, then serve until killed."""
    database = Database(sys.argv[1])
    await database.migrate()
    async with hook_server(database) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
