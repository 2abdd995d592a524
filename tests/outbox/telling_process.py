"""Tells programs what happens, as a process of its own, to be killed.

``python -m tests.outbox.telling_process DATABASE NAME EVENTS ADDRESSES``: it goes on where it was killed, and ends when
nothing is owed to anybody. Its clock is that of `tests.outbox.worker_process`, so that leases and pauses end soon.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from functools import partial

import orjson
from sqlalchemy import func, select
from yarl import URL

from bot.alerts.intake.signatures import StandardWebhooksSignature
from bot.mechanisms.metrics import Metrics
from bot.outbox.happenings import Happening, HappeningType, Receiver
from bot.outbox.receiver_lane import EventMessage, ReceiverLane
from bot.store.database import Database
from bot.store.outbox.happenings import StoredReceiverBacklog, tell
from bot.store.tables import DELIVERY
from bot.web.receivers import EventAddress, WebhookSender, cloud_event
from tests.outbox.worker_process import SPEED, fast_clock
from tests.web.receiving_program import SECRET

SUBJECTS = 20
HIDDEN = "0"
"""The last digit of the subjects that no receiver's owner may see."""
_TIMEOUT = 0.5


class PlainLetters:
    """Writes events without asking what they are about."""

    async def write(self, _receiver: Receiver, event_id: str, happening: Happening) -> EventMessage | None:
        if happening.subject.endswith(HIDDEN):
            return None
        body = cloud_event(event_id, happening, {"number": int(happening.line)})
        return EventMessage(event_id, orjson.dumps(body), happening.subject)


def happening(name: str, number: int) -> Happening:
    """Return what happens as the process's ``number``th event."""
    subject = f"po/{name}-{random.Random(number).randrange(SUBJECTS)}"
    changed = HappeningType.DOCUMENT_CHANGED
    return Happening(type=changed, at=fast_clock(), source="main", subject=subject, line=str(number), card="po")


async def run(url: str, name: str, events: int, addresses: dict[str, str]) -> None:
    database, backlog_of = Database(url), StoredReceiverBacklog
    backlog, metrics = backlog_of(database), Metrics()
    signer = StandardWebhooksSignature([SECRET])
    sender = WebhookSender(
        {
            each: EventAddress(url=URL(address), signer=signer, is_private=True, timeout=_TIMEOUT)
            for each, address in addresses.items()
        },
        fast_clock,
    )
    receivers = [Receiver(name=each, owner="boss01", types=("*",)) for each in addresses]
    lanes = [
        ReceiverLane(
            *(receiver, backlog, PlainLetters(), sender),
            worker=database.worker(receiver.name),
            metrics=metrics,
            now=fast_clock,
            draw=random.random,
        )
        for receiver in receivers
    ]
    running = [asyncio.create_task(lane.run()) for lane in lanes]
    print("works", flush=True)
    for number in range(await _told(database, name, receivers), events):
        await database.run(partial(tell, receivers=receivers, happenings=[happening(name, number)], now=fast_clock()))
        for lane in lanes:
            lane.poke()
    owed = select(DELIVERY.c.card).where(DELIVERY.c.state == "queued").limit(1)
    while await database.rows(owed):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(30 / SPEED)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await sender.close()
    await database.close()


async def _told(database: Database, name: str, receivers: Sequence[Receiver]) -> int:
    """Return how many events it has told before: each is there for all receivers, or for none."""
    mine = DELIVERY.c.fact.like(f"main/po/{name}-%")
    (row,) = await database.rows(select(func.count().label("events")).select_from(DELIVERY).where(mine))
    return int(row.events) // len(receivers)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), orjson.loads(sys.argv[4])))
