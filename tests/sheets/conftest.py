"""A shared table in a simulated DingTalk, kept by the service on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cards.language import load_languages
from bot.chat.registry import installed_commands
from bot.dingtalk.notable import NotableTable
from bot.dingtalk.openapi import pooled_session
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.notable import SimTable
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.sheets.records import SheetRefused, TableClient
from bot.sheets.sharing import SharingParts, SheetSharing
from bot.sheets.sheet import (
    EditRefused,
    EditWish,
    ListNotRead,
    ReadList,
    SharedSheet,
    WantedRow,
    key_text,
    number_of,
)
from bot.store.database import Database
from bot.store.sheets import StoredSheetStates
from bot.words.phrase import Phrase, phrase
from tests.outbox.conftest import IMPATIENT, api_at
from tests.recording_audit import RecordingAudit

NOW = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
BASE, SHEET, OWNER = "base1", "Orders", "sales01"
KEY, STATUS, DECISION = "Row key", "What became of it", "Decision"
WAITS = phrase("put to the owner, who decides")
ORDERS = SharedSheet(
    name="orders",
    owner=OWNER,
    line="/po",
    every=timedelta(minutes=30),
    edits={DECISION: {"yes": "/approve {number}"}},
    answer_within=timedelta(hours=1),
)
RECORDS = "/v1.0/notable/bases/{baseId}/sheets/{sheet}/records"


@dataclass
class FakeList:
    """The owner's list, as a test sets it."""

    read_list: ReadList = field(default_factory=ReadList)
    silent: bool = False
    defect: bool = False

    async def read(self, sheet: SharedSheet) -> ReadList:
        if self.defect:
            raise RuntimeError("a defect")
        if self.silent:
            raise ListNotRead(phrase("nobody can say at the moment what its owner may see"))
        return self.read_list


@dataclass
class FakeDesk:
    """Takes proposals under their idempotency keys; each ends as a test says."""

    asked: dict[str, EditWish] = field(default_factory=dict)
    refusal: EditRefused | None = None
    end: Phrase = WAITS
    dies: bool = False

    async def propose(self, wish: EditWish) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.asked.setdefault(wish.asked_as, wish)
        if self.dies:
            raise KeyboardInterrupt
        return wish.asked_as

    async def outcome(self, proposal: str) -> Phrase:
        assert proposal in self.asked
        return self.end

    @property
    def lines(self) -> list[str]:
        """Return the lines that were proposed."""
        return [wish.line for wish in self.asked.values()]


@dataclass
class SheetHarness:
    """One shared table and what surrounds it."""

    engine: SimEngine
    there: SimTable
    open: Callable[[], TableClient]
    database: Database
    lists: FakeList = field(default_factory=FakeList)
    desk: FakeDesk = field(default_factory=FakeDesk)
    audit: RecordingAudit = field(default_factory=RecordingAudit)
    metrics: Metrics = field(default_factory=Metrics)
    now: datetime = NOW
    sparing: bool = False
    gone: bool = False
    """Whether the operator is no member any more."""
    sheet: SharedSheet = ORDERS

    def __post_init__(self) -> None:
        self.states = StoredSheetStates(self.database)
        self.restart()

    def restart(self, **changes: Any) -> None:
        """Begin as a new process does, of a sheet with other settings if there are any."""
        self.sheet = replace(self.sheet, **changes)
        parts = SharingParts(
            lists=self.lists,
            desk=self.desk,
            states=self.states,
            commands=installed_commands(),
            language=load_languages()["en"],
            audit=self.audit,
            required=None,
            sparing=lambda: self.sparing,
            metrics=self.metrics,
            now=lambda: self.now,
        )
        self.sharing = SheetSharing(self.sheet, parts, self._table)

    async def _table(self) -> TableClient:
        if self.gone:
            raise SheetRefused(phrase("its operator %(name)s is no member of the organisation (any more)", name=OWNER))
        return self.open()

    def wants(self, *numbers: str, headings: tuple[str, ...] = ("Number", "State"), **more: Any) -> None:
        """Let the list have documents with these numbers."""
        rows = []
        for number in numbers:
            key = key_text(f"erp\0{number}")
            rows.append(WantedRow(key, number_of(key), {KEY: key, "Number": number, "State": "open"}))
        self.lists.read_list = ReadList(headings=headings, rows=tuple(rows), **more)

    async def refresh(self) -> bool:
        """Make one round."""
        return await self.sharing.refresh()

    def rows(self, *columns: str) -> list[tuple[str, ...]]:
        """Return cells of the bot's rows in the table."""
        return [
            tuple(cells.get(column, "") for column in columns or ("Number",))
            for cells in self.there.records.values()
            if cells.get(KEY)
        ]

    def write(self, number: str, **cells: str) -> None:
        """Edit the row of a document in the client."""
        record = next(name for name, each in self.there.records.items() if each.get("Number") == number)
        self.engine.tables.update(self.there, {record: cells})

    async def failure(self) -> str:
        """Return why the last round failed; empty if it did not."""
        return str((await self.states.round_of(self.sheet.name)).failure or "")

    def calls(self) -> dict[str, int]:
        """Return the calls about the table since the last look, by method and the end of the path."""
        found = {
            f"{name.partition(' ')[0]} {name.rpartition('{sheet}/')[2]}": count
            for name, count in self.engine.calls.items()
            if "/notable/" in name
        }
        self.engine.calls.clear()
        return found


@pytest.fixture(params=["sqlite", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[SheetHarness]:
    database = Database(request.getfixturevalue(f"{request.param}_url"))
    await database.migrate()
    async with open_simulator(SimulatorConfig(qps_limit=None)) as simulator, pooled_session() as session:
        engine = simulator.engine
        operator = engine.person(OWNER).union_id
        there = engine.tables.add(BASE, SHEET, editors=[operator])

        def open_table() -> TableClient:
            api = api_at(simulator.url, session, Metrics(), patience=IMPATIENT)
            return NotableTable(api, simulator.url, base=BASE, sheet=SHEET, operator=operator)

        yield SheetHarness(engine, there, open_table, database)
    await database.close()
