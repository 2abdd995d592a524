"""A bot that only reads a queue into its database: the process that the tests kill.

``python -m tests.queues.consumer_process URL FOLDER READER`` writes ``ready`` when it is reading.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.mechanisms.metrics import Metrics
from bot.queues.consumer import QueueConsumer
from bot.store.alerts.events import StoredEvents
from bot.store.database import Database
from tests.queues.fakes import address


async def main(url: str, folder: Path, reader: str) -> None:
    """Read until killed."""
    database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
    await database.migrate()
    metrics = Metrics()
    intake = BatchedIntake(StoredEvents(database), metrics=metrics, now=lambda: datetime.now(UTC))
    place = address(url, reader=reader, abandoned_after=0.5)
    print("ready", flush=True)
    await QueueConsumer(place, intake, metrics=metrics).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
