"""Values of sealed columns lie sealed in the database, open only with the company's key, and change keys."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine
from sqlmodel import AutoString

from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.store import rotation
from bot.store.alerts.events import StoredEvents, insert_events, take_waiting
from bot.store.data_keys import GivenKeys, KeyFile
from bot.store.database import Database
from bot.store.rotation import OLD_KEY_STAYS, change_data_key, drop_old_keys, sealed_tables
from bot.store.sealed_columns import Sealed
from bot.store.tables import APPROVAL_AUDIT, ERP_COPY, INBOX, METADATA, POLL_UNSENT
from bot.words.sealing import CompanyKey, WrongDataKey, sealed_prefix
from tests.store.migrating import migrate_to

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
SECRET = "甲公司 1280.00"
OLD, NEW = (CompanyKey(bytes([n]) * 32) for n in (1, 2))

PLAIN = {
    "absence": {"user_id", "substitute"},
    "alert": {"id", "state", "severity"},
    "alert_card": {"id", "place", "route", "state", "next_card", "digest"},
    "alert_card_member": {"card", "alert"},
    "alert_note": {"what", "fact", "alert", "card"},
    "alert_note_key": {"key"},
    "api_day": {"day", "quota"},
    "api_month": {"month", "quota", "purpose", "conversation"},
    "approval_audit": {"case_id", "what", "user_id", "seen"},
    "approval_card": {"card", "case_id", "place", "for_user", "kind", "shared"},
    "approval_case": {"id", "source", "kind", "folded", "state"},
    "approval_decision": {"case_id", "verdict", "user_id"},
    "approval_native": {"case_id", "instance", "state"},
    "approval_person": {"user_id", "case_id"},
    "approval_source": {"source", "kind"},
    "approval_vote": {"case_id", "user_id", "principal", "verdict", "currency"},
    "audit": {column.name for column in METADATA.tables["audit"].columns} - {"seq", "at_ms"},
    "audit_document": {"document"},
    "audit_head": {"hash", "purged_hash"},
    "alert_wait": {"person", "rule"},
    "data_key": {"wrapped", "company_key"},
    "delivery": {
        "card",
        "place",
        "also",
        "kind",
        "ref",
        "fact",
        "state",
        "via",
        "lease",
        "made_as",
        "track",
        "reason",
        "standing",
        "trouble",
    },
    "decision_wait": {"case_id", "person", "rule", "currency", "way", "kind"},
    "delivery_spend": {"bucket", "card", "worker"},
    "delivery_step": {"card", "what", "detail"},
    "department": {"id", "name", "parent_id"},
    "dialogue": {"user_id", "conversation_id"},
    "erp_account": {"user_id", "name", "source", "account", "wanted", "state", "decided_by"},
    "erp_copy": {"source", "call"},
    "erp_key": {"user_id", "source", "account"},
    "erp_key_link": {"digest", "user_id", "source", "account"},
    "erp_rejected": {"source", "area", "key", "defect"},
    # What a client says of itself, and hashes.
    "agent_grant": {
        "id",
        "user_id",
        "client_id",
        "client",
        "redirect_uri",
        "resource",
        "scopes",
        "commands",
        "challenge",
        "code",
        "family",
        "refresh",
    },
    "api_key": {"id", "digest", "user_id", "scopes"},
    "card_probe": {"template", "track", "user_id"},
    "event": {"source", "origin", "event_id", "type", "subject", "via", "severity", "state"},
    "followed_area": {"source", "area", "cursor", "place", "trouble"},
    "held_right": {"id", "kind", "user_id"},
    "inbox": {"msg_id", "state", "replica", "conversation"},
    "indexed_product": {column.name for column in METADATA.tables["indexed_product"].columns} - {"walk"},
    "indexed_source": {"source", "cursor", "trouble"},
    "kept_document": {"source", "area", "number"},
    "kept_line": {"source", "area", "number", "sku"},
    "kept_tally": {"source", "area", "kind"},
    "language": {"user_id", "code"},
    "lead": {"holder"},
    "mute": {"id", "place", "pattern", "author"},
    "organisation": {"client_id", "corp_id"},
    "outsider_group": {"conversation_id"},
    "page_confirmation": {"id", "user_id", "session", "about", "state"},
    "page_session": {"digest", "user_id", "corp_id", "device"},
    "creation": {"id", "user_id", "state"},
    "gate_key": {"id"},
    "proposal": {"id", "key_id", "asked_as", "owner", "state"},
    "gate_request": {"id", "key_id", "asked_as", "gate_class", "state"},
    "person": {"user_id", "name", "roles", "departments", "manager"},
    "pinyin": {"sign", "readings"},
    "poll_position": {"source", "area", "cursor", "place"},
    "poll_subject": {"source", "area", "key", "code", "state"},
    "poll_unsent": {"source"},
    "prompt": {"user_id", "places"},
    "reading_use": {"party", "kind", "subject"},
    "replica": {"id", "host", "version", "settings", "rules"},
    "prediction": {"sha256", "topic", "subject", "kinds", "before", "after"},
    "question_day": {"day", "command", "department"},
    "question_hour": {"day", "line"},
    "speed_day": {"day", "timed", "source"},
    "unread_sentence": {"form", "week", "asker"},
    "efficiency_mark": {"records"},
    "rule_file": {"name", "path"},
    "trace": {"reference"},
    "rule_version": {"subject", "state", "sha256", "base", "author", "publisher"},
    "sheet_state": {"name"},
    "stock_day": {"source", "sku", "warehouse"},
    "standing_answer": {"track", "place", "conversation", "user_id", "readers", "made_as"},
    "subscription": {"id", "place", "conversation", "user_id", "at"},
    "standing_document": {"track", "source", "folded"},
    "quota_warning": {"month", "quota"},
    "watch": {"id", "user_id", "area", "subject", "folded", "comparison", "bound", "source"},
    "welcome": {"conversation_id", "msg_id"},
}
"""Text that is searched for or joined: ids, numbers of documents and products, states. Nothing that an ERP said of
prices or partners, and nothing that a person wrote. The audit log holds neither, and is checked as it lies."""


def is_text(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind.dialect_impl(sqlite.dialect()), String) or isinstance(kind, Sealed | AutoString)


def test_all_text_is_sealed_unless_it_is_searched_for() -> None:
    plain = {
        name: {c.name for c in table.columns if is_text(c.type) and not isinstance(c.type, Sealed)}
        for name, table in METADATA.tables.items()
    }
    assert {name: columns for name, columns in plain.items() if columns} == PLAIN


def test_each_sealed_column_says_its_own_place() -> None:
    for table in METADATA.tables.values():
        for column in table.columns:
            if isinstance(column.type, Sealed):
                assert column.type.place == f"{table.name}.{column.name}"


def event(number: int) -> ReceivedEvent:
    return ReceivedEvent(
        source="main",
        origin="/erp",
        id=f"E-{number}",
        type="invoice.overdue",
        subject=f"INV-{number}",
        severity="",
        via="webhook",
        at=NOW,
        received_at=NOW,
        raw=SECRET,
        state=EventState.WAITING,
    )


@asynccontextmanager
async def opened(url: str, *keys: CompanyKey) -> AsyncIterator[Database]:
    database = Database(url, GivenKeys(keys) if keys else None)
    try:
        await database.migrate()
        await database.unlock()
        yield database
    finally:
        await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.process)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    else:
        yield request.getfixturevalue("postgres_url")


async def fill(database: Database) -> None:
    """Store a value in each way that there is of storing: raw statements, Core, and one that is searched for."""
    await StoredEvents(database).keep([event(1)])
    await database.run(lambda c: c.execute(insert(POLL_UNSENT), {"source": "main", "event": SECRET}))
    copy = {"source": "main", "call": "stock", "asked": SECRET, "as_of_ms": 1, "value": SECRET}
    await database.run(lambda c: c.execute(insert(ERP_COPY), copy))
    line = {"case_id": "c1", "at_us": 1, "what": "vote", "user_id": "boss", "detail": SECRET, "seen": ""}
    await database.run(lambda c: c.execute(insert(APPROVAL_AUDIT), line))


async def read(database: Database) -> set[str]:
    """Return all values, as the bot reads them."""

    def found(connection: Connection) -> set[str]:
        copies = connection.execute(select(ERP_COPY.c.value).where(ERP_COPY.c.asked == SECRET)).scalars().all()
        events = [each.raw for each in take_waiting(connection, 10)]
        others = connection.execute(select(POLL_UNSENT.c.event)).scalars().all()
        lines = connection.execute(select(APPROVAL_AUDIT.c.detail)).scalars().all()
        assert copies
        assert events
        assert others
        assert lines
        return {*copies, *events, *others, *lines}

    return await database.run(found)


async def stored(database: Database) -> list[str]:
    """Return the values as they lie in the database."""
    columns = ("bodies FROM event_pack", "value FROM erp_copy", "event FROM poll_unsent", "detail FROM approval_audit")
    found: list[str] = []
    for column in columns:
        found += await database.run(lambda c, what=column: c.execute(text(f"SELECT {what}")).scalars().all())  # type: ignore[misc]
    return found


async def test_values_lie_sealed_and_are_read_as_they_were(url: str) -> None:
    async with opened(url, OLD) as database:
        await fill(database)
        assert await read(database) == {SECRET}
        assert all(value.startswith(sealed_prefix(1)) for value in await stored(database))


async def test_a_changed_or_plain_value_is_refused(url: str) -> None:
    async with opened(url, OLD) as database:
        await fill(database)
        for value in ("1280.00", (await stored(database))[1]):  # that of another column
            await database.run(
                lambda c, put=value: c.execute(text("UPDATE event_pack SET bodies = :put"), {"put": put})  # type: ignore[misc]
            )
            (broken,) = await database.run(lambda c: take_waiting(c, 1))
            assert (broken.raw, broken.is_opened) == ("", False)


async def test_the_wrong_key_opens_nothing_and_says_which_is_wanted(url: str) -> None:
    async with opened(url, OLD) as database:
        await fill(database)
    wrong = Database(url, GivenKeys((NEW,)))
    with pytest.raises(WrongDataKey, match=f"sealed with key {OLD.name}, and the key given is {NEW.name}"):
        await wrong.unlock()
    for work in (lambda c: take_waiting(c, 1), lambda c: insert_events(c, [event(2)])):
        with pytest.raises(WrongDataKey, match=f"sealed with key {OLD.name}"):
            await wrong.run(work)
    assert await wrong.run(lambda c: c.scalar(text("SELECT count(*) FROM event"))) == 1
    await wrong.close()


async def test_a_missing_key_is_never_made_anew(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path / "dingerp.key"
    async with opened(url) as database:
        await fill(database)
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_text()
    file.unlink()
    lost = Database(url)
    with pytest.raises(WrongDataKey, match="the key given is none"):
        await lost.unlock()
    assert not file.exists()
    await lost.close()
    file.write_text(kept)
    async with opened(url) as database:
        assert await read(database) == {SECRET}


@pytest.mark.parametrize(
    ("content", "what"),
    [("", "holds no key"), ("# only\n", "holds no key"), ("password\n", "is no key"), (None, "no key")],
)
def test_a_configured_key_file_is_there_and_holds_a_key(tmp_path: Path, content: str | None, what: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(WrongDataKey, match=what):
        KeyFile(path=file).read()
    assert file.exists() is (content is not None)


def test_of_processes_that_start_together_one_makes_the_key(tmp_path: Path) -> None:
    mine, theirs = (KeyFile(path=tmp_path / "data" / "dingerp.key", ours=True) for _ in range(2))
    assert list(mine.make()) == list(theirs.make()) == list(mine.read())
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["dingerp.key"]


async def test_the_key_changes_while_the_bot_runs(url: str) -> None:
    async with opened(url, OLD, NEW) as bot, opened(url, NEW, OLD) as tool:
        await fill(bot)
        assert await change_data_key(tool, (NEW, OLD), NOW) == 4
        assert all(value.startswith(sealed_prefix(2)) for value in await stored(bot))
        assert await read(bot) == {SECRET}, "it reads the new key when it meets a value of it"
        assert await drop_old_keys(tool, NOW + OLD_KEY_STAYS / 2) == 0, "the bot may still seal by the old key"
        assert await drop_old_keys(bot, NOW + OLD_KEY_STAYS) == 1
        assert await read(bot) == {SECRET}
    async with opened(url, NEW) as database:
        assert await read(database) == {SECRET}
    old = Database(url, GivenKeys((OLD,)))
    with pytest.raises(WrongDataKey):
        await old.unlock()
    await old.close()


async def test_what_a_running_bot_sealed_by_the_old_key_meanwhile_is_not_lost(url: str) -> None:
    async with opened(url, OLD) as bot, opened(url, NEW, OLD) as tool:
        await change_data_key(tool, (NEW, OLD), NOW)
        await fill(bot)
        assert all(value.startswith(sealed_prefix(1)) for value in await stored(tool))
        assert await drop_old_keys(tool, NOW + OLD_KEY_STAYS) == 1
        assert all(value.startswith(sealed_prefix(2)) for value in await stored(tool))
        assert await read(tool) == {SECRET}


async def test_a_change_of_keys_that_was_interrupted_is_done_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    async with opened(url, NEW, OLD) as database:
        for number in range(1, 6):
            await StoredEvents(database).keep([event(number)])
        where = next(each for each in sealed_tables() if each.name == "event_pack")
        await change_data_key(database, (NEW, OLD), NOW)
        assert await change_data_key(database, (NEW, OLD), NOW) == 5
        last: Any = None
        seen = 0
        while True:
            batch = await database.run(lambda c, at=last: rotation.reseal_batch(c, where, database.keys.ring, at))  # type: ignore[misc]
            seen, last = seen + batch.changed, batch.last
            if last is None:
                break
        assert seen == 0
        assert await drop_old_keys(database, NOW, stays=timedelta(0)) == 2


async def test_the_record_of_approvals_still_only_grows_after_a_change_of_keys(url: str) -> None:
    async with opened(url, OLD) as database:
        await fill(database)
        await change_data_key(database, (OLD,), NOW)
        for change in ("UPDATE approval_audit SET detail = ''", "DELETE FROM approval_audit"):
            with pytest.raises(SQLAlchemyError), database._engine.begin() as connection:
                connection.execute(text(change))


PLAIN_ROWS = (
    f"INSERT INTO inbox VALUES ('m1', 'waiting', 1, '{SECRET}')",
    f"INSERT INTO event VALUES (7, 'main', '/erp', 'E-1', 'x', 'INV-1', 'hook', '', 1, 1, 'waiting', '', '{SECRET}')",
    f"INSERT INTO erp_copy VALUES ('main', 'stock', '{SECRET}', 1, '{SECRET}')",
    f"INSERT INTO poll_unsent VALUES (1, 'main', '{SECRET}')",
    f"INSERT INTO approval_audit VALUES (1, 'c1', 1, 'vote', 'boss', '{SECRET}', '')",
    f"INSERT INTO alert_card VALUES (1, 'a', 'group:g', 'r', '{SECRET}', 'shown', 1, NULL, NULL, NULL, 0, 0, '', 0, 1)",
    *(f"INSERT INTO alert_note VALUES ({n}, 1, 'x', 'f', 'a', '', '{SECRET * 40}')" for n in range(300)),
    "DELETE FROM alert_note",
)


async def test_what_an_older_version_stored_is_sealed_and_its_traces_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 10)
    file = tmp_path / "bot.sqlite3"
    migrate_to(file, "0010")
    with closing(sqlite3.connect(file)) as old, old:
        for statement in PLAIN_ROWS:
            old.execute(statement)
    assert SECRET.encode() in file.read_bytes(), "deleted rows are still in the file"
    async with opened(f"sqlite:///{file}", OLD) as database:
        assert await read(database) == {SECRET}
        assert await database.run(lambda c: c.scalar(select(INBOX.c.payload))) == SECRET
        assert all(SECRET.encode() not in each.read_bytes() for each in tmp_path.iterdir())  # noqa: ASYNC240 - a moment


async def test_a_restored_backup_opens_with_the_key_of_its_time(tmp_path: Path) -> None:
    file, backup = tmp_path / "bot.sqlite3", tmp_path / "backup.sqlite3"
    async with opened(f"sqlite:///{file}", OLD) as database:
        await fill(database)
    async with opened(f"sqlite:///{file}", NEW, OLD) as database:
        await database.read(lambda c: c.exec_driver_sql(f"VACUUM INTO '{backup}'"))
        await change_data_key(database, (NEW, OLD), NOW)
    restored = Database(f"sqlite:///{backup}", GivenKeys((NEW,)))
    with pytest.raises(WrongDataKey, match=f"sealed with key {OLD.name}"):
        await restored.unlock()
    await restored.close()
    async with opened(f"sqlite:///{backup}", NEW, OLD) as database:
        assert await read(database) == {SECRET}


def test_outside_a_database_columns_have_no_keys() -> None:
    with pytest.raises(LookupError):
        Sealed("event_pack.bodies").process_bind_param(SECRET, sqlite.dialect())
