"""What the doctor says of the documents kept, and what the settings make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.doctor.documents import check_read_model
from bot.doctor.results import describe_results
from bot.erp.model import Area
from bot.read_model.records import FollowedArea
from bot.settings import ErpSettings, ReadModelSettings, Settings, load_settings
from bot.store.erp.read_model import StoredDocuments
from tests.read_model.ledger import sales_order


def settings_of(database: str, **changes: object) -> Settings:
    return load_settings().model_copy(
        update={"erp": {"main": ErpSettings(vendor="demo")}, "database_url": SecretStr(database), **changes}
    )


async def lines(settings: Settings) -> list[str]:
    return list(describe_results(await check_read_model(settings), "en"))


async def test_each_state_is_said(address: str, store: StoredDocuments) -> None:
    settings = settings_of(address)
    assert await lines(settings) == ["[ok] Documents of “main”: not all read yet, 0 so far"]
    filling = FollowedArea(source="main", area=Area.SALES, cursor="1")
    await store.advance(None, filling, documents=[sales_order("SO-1"), sales_order("SO-2")])
    assert await lines(settings) == ["[ok] Documents of “main”: not all read yet, 2 so far"]
    stopped = replace(filling, trouble="Unavailable")
    await store.advance(filling, stopped)
    assert await lines(settings) == [
        "[--] Documents of “main”: not all read yet, 2 so far",
        "     → The last attempt ended with Unavailable; until it works, reports are of before.",
    ]
    now = datetime.now(UTC)
    whole = replace(
        filling, walking=False, complete_since=date(2026, 1, 1), synced_at=now - timedelta(minutes=3, seconds=5)
    )
    await store.advance(stopped, whole)
    assert await lines(settings) == ["[ok] Documents of “main”: 2 documents, 3 min old"]
    old = replace(whole, synced_at=now - timedelta(hours=2))
    await store.advance(whole, old)
    assert await lines(settings) == [
        "[--] Documents of “main”: 2 documents, 120 min old",
        "     → The running bot brings them up to date; until then, reports are of before.",
    ]
    await store.advance(old, replace(old, trouble="Unsupported"))
    assert await lines(settings) == [
        "[--] Documents of “main”: none, since this ERP does not tell which documents changed"
    ]
    off = ReadModelSettings(enabled=False, seconds=60, keep_days=400)
    assert await lines(settings_of(address, read_model=off)) == []


async def test_a_database_that_cannot_tell_is_not_this_looks_matter(tmp_path: Path) -> None:
    assert await check_read_model(settings_of("mysql://db/bot")) == []
    assert await check_read_model(settings_of(f"sqlite:///{tmp_path / 'empty.sqlite3'}")) == []
