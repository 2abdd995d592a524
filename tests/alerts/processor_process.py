"""A desk that works until killed, and writes a line for each batch: ``python -m tests.alerts.processor_process URL
NAME``.
"""

from __future__ import annotations

import asyncio
import sys

from bot.store.database import Database
from tests.alerts.test_processor import ProcessorHarness


async def work(url: str, name: str) -> None:
    office = ProcessorHarness(Database(url))
    office.prefix = name
    desk = office.desk(batch=7)
    while True:
        await desk._take()
        print(flush=True)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
