"""A power cut at any moment: what SQLite had not been told to write through to the disk is lost, and no promise is.

A cut is imitated by a copy of the database whose log ends where it was last synchronised.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bot.alerts.alert import Mute
from bot.alerts.intake.batched_intake import BatchedIntake
from bot.approvals.case import Verdict, Vote
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place
from bot.store.alerts.events import StoredEvents
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from tests.alerts.intake.samples import cloud_event
from tests.store.stored_examples import SMALL_CASE

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
CUTS = 10


@dataclass(slots=True)
class Machine:
    """A bot's database, with what was promised so far and how much of the log is on the disk."""

    file: Path
    database: Database
    intake: BatchedIntake
    alerts: StoredAlertTransactions
    cases: StoredCaseTransactions
    chance: random.Random
    on_disk: int = 0
    """Bytes of the log that the disk certainly has."""
    promised: set[str] = field(default_factory=set)

    async def act(self, number: int) -> None:
        """Do something that is promised to somebody, or something that may be done again."""
        match self.chance.randrange(5):
            case 0:
                events = [cloud_event(id=f"E-{number}-{one}", time=NOW.isoformat()) for one in range(3)]
                receipt = await self.intake.accept("main", events, via="webhook")
                assert receipt.accepted == 3
                self.promised |= {f"E-{number}-{one}" for one in range(3)}
            case 1:
                mute = Mute(
                    id=f"M-{number}",
                    place=Place.parse("group:a"),
                    pattern="stock.*",
                    by="u1",
                    made_at=NOW,
                    until=NOW + timedelta(days=1),
                )
                await self.alerts.transact(lambda repository: repository.put_mute(mute))
                self.promised.add(mute.id)
            case 2:
                vote = Vote(user_id="u1", name="林", level=1, verdict=Verdict.APPROVE, at=NOW)
                voted = replace(SMALL_CASE, id=f"C-{number}", number=f"PO-{number}", votes=(vote,))
                await self.cases.transact(lambda repository: repository.put(voted))
                self.promised.add(f"C-{number}")
            case _:
                words = text("INSERT INTO language VALUES (:user, 'en')")
                await self.database.run(lambda connection: connection.execute(words, {"user": f"u{number}"}))

    async def after_cut(self, folder: Path) -> set[str]:
        """Return which promises a machine would find that lost its power now."""
        database = Database(f"sqlite:///{self._cut(folder)}")
        found = await database.run(_promises)
        await database.close()
        return found

    def _cut(self, folder: Path) -> Path:
        folder.mkdir()
        copy = folder / "bot.sqlite3"
        shutil.copyfile(self.file, copy)
        Path(f"{copy}-wal").write_bytes(Path(f"{self.file}-wal").read_bytes()[: self.on_disk])
        return copy


def _promises(connection: Connection) -> set[str]:
    found = connection.execute(
        text("SELECT event_id FROM event UNION SELECT id FROM mute UNION SELECT case_id FROM approval_vote")
    )
    return set(found.scalars())


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 23))])
async def test_no_promise_is_lost(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
    await database.migrate()
    await database.checkpoint()
    machine = Machine(
        file=tmp_path / "bot.sqlite3",
        database=database,
        intake=BatchedIntake(StoredEvents(database), metrics=Metrics(), now=lambda: NOW),
        alerts=StoredAlertTransactions(database, lambda: NOW),
        cases=StoredCaseTransactions(database, lambda: NOW),
        chance=random.Random(seed),
    )
    run = Database.run_blocking

    def note(self: Database, call: Any, **options: Any) -> Any:
        found = run(self, call, **options)
        if options.get("durable") and self is database:
            machine.on_disk = Path(f"{machine.file}-wal").stat().st_size
        return found

    monkeypatch.setattr(Database, "run_blocking", note)
    cuts = 0
    for number in range(200):
        before = len(machine.promised)
        await machine.act(number)
        # Right after a promise it would be lost the easiest.
        if len(machine.promised) > before and machine.chance.random() < 0.2 and cuts < CUTS // 2:
            cuts += 1
            found = await machine.after_cut(tmp_path / f"cut-{number}")
            assert machine.promised <= found, "a promise was not on the disk"
    assert cuts == CUTS // 2
    await database.close()
