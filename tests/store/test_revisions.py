"""Which versions of the bot can work on one database side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from bot.bootstrap.database import wait_until_unused
from bot.store import revisions
from bot.store.database import Database
from bot.store.errors import DatabaseInUse, DatabaseIsNewer
from bot.store.replicas import Member, StoredReplicas
from bot.store.revisions import check_version, is_current, known_revisions, only_adds, stops_others
from tests.rows import each_row
from tests.store.migrating import migrate_to
from tests.store.test_schema import Schema, schema_of

pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")

KNOWN = frozenset({"0001", "0002", "0002r01", "0003", "0003r01", "0003r02"})


@each_row(
    ("found", "usable", "current", "stops"),
    [
        ("0001", True, False, True),
        ("0002r01", True, False, True),
        ("0003", True, False, False),
        ("0003r01", True, False, False),
        ("0003r02", True, True, False),
        ("0003r03", True, True, False),  # a newer version has added something
        ("0004", False, False, True),
        ("0002r02", False, False, True),  # of a version from which no way leads here
        ("9999", False, False, True),
    ],
)
def test_a_revision_tells_who_can_work_with_it(
    found: str, usable: bool, current: bool, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "known_revisions", lambda: KNOWN)
    if usable:
        check_version(found)
    else:
        with pytest.raises(DatabaseIsNewer, match=found):
            check_version(found)
    assert (is_current(found), stops_others(found)) == (current, stops)


def _breaks(before: Schema, after: Schema) -> list[str]:
    """Return what a version that knows the tables from before cannot work with."""
    found = []
    for name, table in before.items():
        now = after.get(name)
        if now is None:
            found.append(f"{name} is gone")
            continue
        added = [column for column in now["columns"] if column not in table["columns"]]
        found += [
            f"{name}.{column[0]} is gone or changed" for column in table["columns"] if column not in now["columns"]
        ]
        found += [f"{name}.{column} has to be given" for column, _, null, default in added if not null and not default]
        for rule in ("primary_key", "unique", "options"):
            if now[rule] != table[rule]:
                found.append(f"{name}: another {rule}")
        unique = [index for index, (_, is_unique, _) in now["indices"].items() if is_unique]
        found += [f"{name}: {index} forbids rows" for index in unique if index not in table["indices"]]
    return found


@pytest.mark.parametrize("revision", sorted(filter(only_adds, known_revisions())))
async def test_a_revision_that_only_adds_leaves_what_older_versions_use(revision: str, tmp_path: Path) -> None:
    ordered = sorted(known_revisions())
    schemas = []
    for step in (ordered[ordered.index(revision) - 1], revision):
        migrate_to(tmp_path / "bot.sqlite3", step)
        database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
        schemas.append(await database.run(schema_of))
        await database.close()
    assert _breaks(*schemas) == []


async def test_what_a_newer_version_has_added_stays(database: Database) -> None:
    added = f"{max(known_revisions())[:4]}r99"
    await database.execute(text("UPDATE alembic_version SET version_num = :revision"), [{"revision": added}])
    await database.migrate()
    assert await database.revision() == added


OLD = Member(id="old", host="erp01", process=4711, version="0.1.0", settings={}, rules={})


@pytest.mark.process
async def test_an_upgrade_waits_for_replicas_that_could_not_work_with_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, replicas = Database(postgres_url), StoredReplicas(postgres_url, process="old")
    await replicas.beat(OLD, lead=True)
    waits = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def leave(seconds: float) -> None:
        await wait(seconds)
        await replicas.leave(OLD)

    await wait_until_unused(database, wait)
    assert not waits, "there is nothing to upgrade"
    monkeypatch.setattr(revisions, "known_revisions", lambda: frozenset({"0046", "9999"}))
    with pytest.raises(DatabaseInUse, match=r"0\.1\.0 \(process 4711 on erp01\) cannot work with"):
        await wait_until_unused(database, wait)
    waits.clear()
    await wait_until_unused(database, leave)
    assert len(waits) == 1
    await replicas.close()
    await database.close()
