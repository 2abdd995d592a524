"""A processor that works until killed, and writes a line for each batch: ``python -m tests.alerts.processor_process URL
NAME``.
"""

from __future__ import annotations

import asyncio
import sys

from bot.store.database import Database
from tests.alerts.test_processor import ProcessorHarness


async def work(url: str, name: str) -> None:
    harness = ProcessorHarness(Database(url))
    harness.prefix = name
    processor = harness.processor(batch=7)
    while True:
        await processor._take()
        print(flush=True)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
