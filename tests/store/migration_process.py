"""A process that migrates a database and ends: ``python -m tests.store.migration_process URL``."""

from __future__ import annotations

import asyncio
import sys

from bot.store.database import Database

if __name__ == "__main__":
    asyncio.run(Database(sys.argv[1]).migrate())
