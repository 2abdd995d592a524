"""``dingerp erp rejected`` shows quarantined records, and none of them can play tricks on a terminal."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bot import cli
from bot.erp.errors import Unusable
from bot.erp.hub import ErpHub
from bot.erp.limits import SourceLimits
from bot.erp.model import Area
from bot.erp.validation import QuarantinedRecord
from bot.erp.validation_rules import Defect
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.erp.records import StoredErpRecords
from tests.erp.hub_sources import Source, level

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
"""Noon in Shanghai, the time zone of the bot's settings."""

STOCK = QuarantinedRecord(
    source="main",
    area=Area.STOCK,
    key="SKU1",
    defect=Defect.NEGATIVE,
    why="stock on hand",
    record='{"sku": "SKU1", "name": "\\u87ba\\u4e1d", "on_hand": "-3"}',
    at=NOON,
)
ORDER = replace(
    STOCK, area=Area.SALES, key="SO-1", defect=Defect.TOTAL, why="too much", record="{}", at=NOON + timedelta(hours=1)
)
FORMER = replace(STOCK, source="former", key="OLD", at=NOON - timedelta(days=2))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration with one source, and the address of the bot's database, which does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    monkeypatch.setenv("DINGERP_DATABASE_URL", url)
    return url


def quarantine(url: str, *records: QuarantinedRecord) -> None:
    """Quarantine records as the running bot does, one after the other."""

    async def write() -> None:
        database = Database(url)
        await database.migrate()
        stored = StoredErpRecords(database)
        for record in records:
            stored.add(record)
            await stored.write()
        await database.close()

    asyncio.run(write())


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(cli.cli, ["erp", "rejected", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run the command as from a shell; return the one line on standard error."""
    monkeypatch.setattr("sys.argv", ["dingerp", "erp", "rejected", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    (line,) = written.err.splitlines()
    return line


def test_records_are_shown_the_last_seen_first(database: str) -> None:
    quarantine(database, STOCK, FORMER, ORDER, replace(STOCK, at=NOON + timedelta(minutes=5)))
    assert shown().splitlines() == [
        "main · sales · SO-1 · total does not add up: too much",
        "    first seen 2026-11-24 13:00, last 2026-11-24 13:00",
        "main · stock · SKU1 · negative quantity: stock on hand",
        "    first seen 2026-11-24 12:00, last 2026-11-24 12:05",
        "former · stock · OLD · negative quantity: stock on hand",
        "    first seen 2026-11-22 12:00, last 2026-11-22 12:00",
        "3 of 3 that are kept aside",
    ]


def test_source_area_and_limit_narrow_it_down(database: str) -> None:
    quarantine(database, STOCK, FORMER, ORDER)
    assert "SKU1" not in shown("former")
    assert "SO-1" not in shown("main", "--area", "stock")
    assert shown("main", "--limit", "1").splitlines()[0].startswith("main · sales · SO-1")
    assert shown("main", "--limit", "1").endswith("\n1 of 2 that are kept aside; --limit shows more\n")
    assert shown("former", "--area", "sales") == "Nothing is kept aside: what was read so far could be used.\n"


def test_the_record_itself_only_on_request(database: str) -> None:
    quarantine(database, STOCK)
    assert '"on_hand"' not in shown()
    assert shown("--record").splitlines()[2] == '    {"sku": "SKU1", "name": "螺丝", "on_hand": "-3"}'


def test_as_json_for_programs(database: str) -> None:
    quarantine(database, STOCK, replace(ORDER, record='{"number": "SO-1", "cust'))
    (order, stock) = json.loads(shown("--as", "json", "--record"))
    assert stock == {
        "source": "main",
        "area": "stock",
        "key": "SKU1",
        "defect": "negative quantity",
        "why": "stock on hand",
        "first_seen": "2026-11-24T12:00:00+08:00",
        "last_seen": "2026-11-24T12:00:00+08:00",
        "record": {"sku": "SKU1", "name": "螺丝", "on_hand": "-3"},
    }
    assert order["record"] == '{"number": "SO-1", "cust', "what was too long is the text that is left of it"
    assert json.loads(shown("--as", "json", "--area", "sales"))[0].keys() == stock.keys() - {"record"}
    assert json.loads(shown("--as", "json", "--area", "finance")) == []


def test_a_record_that_was_cut_says_so(database: str) -> None:
    quarantine(database, replace(STOCK, record='{"sku": "SK'))
    assert '    {"sku": "SK … (cut)\n' in shown("--record")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("sign", ["\x1b[2J", "\x00", "\r", "\n", "\u202e", "\u200b", "\u3000", "\ud800"])
def test_signs_that_a_terminal_obeys_are_written_out(database: str, sign: str) -> None:
    # Lone surrogates are escaped before they are stored: no database takes them.
    key = f"SKU{sign}1".encode("utf-8", "backslashreplace").decode()
    quarantine(database, replace(STOCK, key=key, record=json.dumps({"sku": f"SKU{sign}1"})))
    for text in (shown("--record"), shown("--record", "--as", "json")):
        assert not any(character in text.replace("\n", "") for character in sign if not character.isprintable())
        assert all(line.isprintable() for line in text.splitlines())
    assert len(shown("--record").splitlines()) == 4


def test_without_a_database_nothing_is_kept_aside(database: str) -> None:
    assert shown() == shown("main") == "Nothing is kept aside: what was read so far could be used.\n"


def test_what_is_not_there_is_one_clear_line(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine(database, FORMER)
    line = refused(capsys, monkeypatch, "other")
    assert line == "dingerp: no ERP source 'other' is configured; there are: main"
    line = refused(capsys, monkeypatch, "--area", "sale")
    assert line == ("dingerp: no area 'sale'; there are: products, stock, sales, finance, purchasing, production")


def test_a_database_of_another_version_or_none_at_all_is_one_clear_line(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quarantine(database, STOCK)
    with monkeypatch.context() as patch:
        patch.setattr("bot.store.revisions.latest_revision", lambda: "9999")
        assert "dingerp db upgrade" in refused(capsys, patch)
    (tmp_path / "bot.sqlite3").write_bytes(b"no database " * 1_000)
    assert "see `dingerp doctor`" in refused(capsys, monkeypatch)


def test_the_help_names_every_area() -> None:
    command: Any = get_command(cli.cli)
    (area,) = (param for param in command.commands["erp"].commands["rejected"].params if param.name == "area")
    assert all(choice.value in area.help for choice in Area)


def test_what_the_running_bot_rejects_is_shown(database: str) -> None:
    """From an ERP's answer to the operator's screen."""

    async def ask() -> None:
        store = Database(database)
        await store.migrate()
        records = StoredErpRecords(store)
        hub = ErpHub(
            [Source(stock=level(-3))],  # type: ignore[list-item]  # part of the port
            metrics=Metrics(),
            now=lambda: NOON,
            quarantine=records,
            protections={"main": SourceLimits(negative_stock=False)},
        )
        with pytest.raises(Unusable):
            await hub.stock("SKU123")
        await records.write()
        await hub.close()
        await store.close()

    asyncio.run(ask())
    (found,) = json.loads(shown("main", "--as", "json", "--record"))
    assert (found["area"], found["key"], found["defect"]) == ("stock", "SKU123", "negative quantity")
    assert found["record"]["total"]["on_hand"] == "-3"
