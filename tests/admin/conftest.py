"""A bot's database and configuration, as an operator's shell finds them, and the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from bot import cli
from bot.alerts.intake.normalization import normalize
from bot.store.alerts.events import StoredEvents
from bot.store.database import Database

T = TypeVar("T")


@dataclass
class AdminShell:
    """An operator's shell in a folder with a configuration."""

    folder: Path
    url: str
    empty: bytes
    """A database of this version."""
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    _visited: bool = False

    def has_a_database(self) -> None:
        """Let a bot have been here."""
        if not self._visited:
            self._visited = True
            self.file.write_bytes(self.empty)

    @property
    def file(self) -> Path:
        return self.folder / "bot.sqlite3"

    def says(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        """Run a command and return what it prints."""
        result = CliRunner().invoke(cli.cli, arguments, input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout

    def read(self, *arguments: str, code: int = 0, stdin: str = "") -> Any:
        """Run a command as a program does and return what it says."""
        return json.loads(self.says(*arguments, "--as", "json", code=code, stdin=stdin))

    def refuses(self, *arguments: str) -> str:
        """Run a command that cannot be done; return the one line that it writes to standard error."""
        self.monkeypatch.setattr("sys.argv", ["dingerp", *arguments])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        written = self.capsys.readouterr()
        assert written.out == ""
        (line,) = written.err.splitlines()
        return line

    def store(self, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
        """Do something with the bot's database, as the bot would."""

        self.has_a_database()

        async def run() -> T:
            database = Database(self.url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    def keep(self, *events: dict[str, Any], at: datetime, via: str = "webhook") -> None:
        """Let events come in."""
        kept = [normalize("main", event, via=via, now=at) for event in events]
        self.store(lambda database: StoredEvents(database).keep(kept))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a database file of this version; making one takes longer than most tests here."""
    file = tmp_path_factory.mktemp("empty") / "bot.sqlite3"

    async def make() -> None:
        database = Database(f"sqlite:///{file}")
        await database.migrate()
        await database.close()

    asyncio.run(make())
    return file.read_bytes()


@pytest.fixture
def shell(
    tmp_path: Path, empty: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AdminShell:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    monkeypatch.setenv("DINGERP_DATABASE_URL", url)
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    monkeypatch.setenv("DINGERP_ALERTS__DEFAULT_GROUPS", '["cidOffice"]')
    return AdminShell(tmp_path, url, empty, monkeypatch, capsys)


def cloud(kind: str, event_id: str, subject: str = "SKU1", **data: Any) -> dict[str, Any]:
    """Return an event as it is posted."""
    return {"specversion": "1.0", "id": event_id, "source": "/erp", "type": kind, "subject": subject, "data": data}
