"""``dingerp replay``: what it lists and counts, and what was open before. That it is right says `test_agreement`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from bot.admin.replay import CardFilter, replay
from bot.admin.replay_report import describe_replay
from bot.alerts.alert import Mute, Watch
from bot.alerts.repository import AlertRepository
from bot.bootstrap.event_replay import ReplayResult
from bot.erp.model import Area
from bot.outbox.place import Place
from bot.settings import Settings, load_settings
from bot.store.alerts.repository import StoredAlertTransactions
from bot.store.database import Database
from bot.store.tables import EVENT
from tests.admin.conftest import AdminShell, cloud

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)
WEEK = timedelta(days=7)

RULES = """
[default]
to = ["group:cidOffice"]

[[routes]]
name = "stock"
types = ["stock.*"]
to = ["group:cidStock", "person:keeper01"]

[[routes]]
name = "invoices"
types = ["invoice.*"]
to = ["group:cidFinance"]
repeat = "1d"
when = "amount >= 100 CNY"

[[routes]]
name = "drills"
types = ["custom.drill"]
to = []

[[silences]]
name = "stocktaking"
until = 2026-11-21T00:00:00
types = ["stock.out"]
"""


@pytest.fixture
def settings(shell: AdminShell) -> Settings:
    Path("new.toml").write_text(RULES)
    return load_settings()


def ago(**span: float) -> datetime:
    return (NOON - timedelta(**span)).astimezone(UTC)


def again(settings: Settings, rules: Path | None, *, before: timedelta = WEEK) -> ReplayResult:
    return asyncio.run(replay(settings, rules, NOON - WEEK, NOON, before=before))


def played(
    settings: Settings, *, form: str = "text", before: timedelta = WEEK, limit: int = 50, **sieve: Any
) -> list[str]:
    result = again(settings, Path("new.toml"), before=before)
    return describe_replay(result, CardFilter(**sieve), limit=limit, settings=settings, form=form)


@pytest.fixture
def week(shell: AdminShell, settings: Settings) -> Settings:
    """An invoice is overdue since before the week; in it things run low, are drilled, and cannot be understood."""
    shell.keep(cloud("invoice.overdue", "i1", "INV-1", amount="500", currency="CNY"), at=ago(days=9, hours=1))
    shell.keep(cloud("stock.low", "s1", available=9), cloud("custom.drill", "d1", "D1", title="Drill"), at=ago(days=6))
    shell.keep(cloud("stock.out", "s2", "SKU2"), cloud("nonsense", "x1"), at=ago(days=5))
    shell.keep(cloud("stock.low", "s3", available=4), at=ago(days=2))
    shell.keep(cloud("invoice.paid", "i2", "INV-1"), at=ago(days=1))
    shell.keep(cloud("invoice.overdue", "i3", "INV-2"), at=ago(hours=2))
    return settings


def test_it_lists_cards_and_counts_calls(week: Settings) -> None:
    with capture_logs():
        said = played(week, before=timedelta(0))
    assert said == [
        "2026-11-17 12:00 to 2026-11-24 12:00: 6 events",
        "1 more were rejected when they came, 0 cannot be understood any more",
        "",
        "when              place            route    changes  what",
        "2026-11-18 12:00  group:cidStock   stock    1        alert: stock.low SKU1",
        "2026-11-18 12:00  person:keeper01  stock    1        alert: stock.low SKU1",
        "2026-11-21 00:00  group:cidStock   stock    0        alert: stock.out SKU2",
        "2026-11-21 00:00  person:keeper01  stock    0        alert: stock.out SKU2",
        "2026-11-23 12:00  group:cidOffice  default  0        alert: invoice.paid INV-1",
        "2026-11-24 10:00  group:cidOffice  default  0        alert: invoice.overdue INV-2",
        "",
        "place            route    cards  changes",
        "group:cidStock   stock    2      1",
        "person:keeper01  stock    2      1",
        "group:cidOffice  default  2      0",
        "1 event goes nowhere, such as custom.drill D1",
        "Alerts that were silenced 2",
        "Some events did not allow to answer conditions of: invoices",
        "API calls: 8 (6 cards, 2 changes); 30 days like these have about 34 of the month's 5000",
        "Nobody acknowledges anything in a replay, and questions are not counted.",
    ]


@pytest.mark.parametrize(
    ("sieve", "places"),
    [
        ({"place": Place.parse("group:cidStock")}, {"group:cidStock"}),
        ({"type": "stock.*"}, {"group:cidStock", "person:keeper01"}),
        ({"type": "stock.out", "place": Place.parse("person:keeper01")}, {"person:keeper01"}),
        ({"subject": "INV-1"}, {"group:cidFinance"}),
        ({"source": "other"}, set()),
    ],
)
def test_a_sieve_lists_less_and_counts_all(week: Settings, sieve: dict[str, Any], places: set[str]) -> None:
    shown = json.loads("".join(played(week, form="json", **sieve)))
    assert {card["place"] for card in shown["cards"]} == places
    assert (shown["calls"], shown["events"]) == (
        {"creates": 11, "changes": 9, "in_30_days": 86},
        {"played": 6, "rejected": 1, "failed": 0},
    )
    assert shown["nobody"] == ["custom.drill D1"]
    assert {"place": "group:cidFinance", "route": "invoices", "creates": 6, "changes": 7} in shown["routes"]


def test_a_limit_says_how_many_more(week: Settings) -> None:
    assert "… 10 more cards, --limit shows them" in played(week, limit=2)


def test_what_was_open_before_is_known_if_it_is_played(week: Settings) -> None:
    with capture_logs():
        known = again(week, Path("new.toml"))
        unknown = again(week, Path("new.toml"), before=timedelta(0))
    shown_anew = [card for card in known.cards if card.route == "invoices"]
    assert known.notes["shown anew"] == 6, "every day from the 18th up to when it was paid"
    assert len(shown_anew) == 7
    assert [card.made_at is None for card in shown_anew] == [True, *[False] * 6]
    assert unknown.notes["shown anew"] == 0
    assert known.events == unknown.events == 6


def test_mutes_and_watches_hold_as_they_did(shell: AdminShell, settings: Settings) -> None:
    place = Place.parse("group:cidStock")

    def wish(repository: AlertRepository) -> None:
        repository.put_mute(
            Mute(id="m", place=place, pattern="stock.*", by="boss", made_at=ago(days=6), until=ago(days=5))
        )
        repository.put_watch(Watch(user_id="me", area=Area.STOCK, subject="SKU9", made_at=ago(days=3)))

    async def ask(database: Database) -> None:
        await StoredAlertTransactions(database, lambda: NOON).transact(wish)

    shell.store(ask)
    shell.keep(cloud("stock.low", "s1", "SKU9"), at=ago(days=6, hours=1))
    shell.keep(cloud("stock.low", "s2", "SKU8"), at=ago(days=5, hours=12))
    shell.keep(cloud("stock.low", "s3", "SKU9", available=1), at=ago(days=2))
    result = again(settings, Path("new.toml"))
    made = [(card.made_at, str(card.place), card.alerts[0].event.subject) for card in result.cards]
    assert made == [
        (ago(days=6, hours=1), "group:cidStock", "SKU9"),
        (ago(days=6, hours=1), "person:keeper01", "SKU9"),
        (ago(days=5, hours=12), "person:keeper01", "SKU8"),
        (ago(days=5), "group:cidStock", "SKU8"),  # when the mute ended
        (ago(days=2), "person:me", "SKU9"),  # watched only since the day before
    ]
    assert result.notes["muted"] == 1


def test_a_replay_changes_nothing_but_the_audit_log(shell: AdminShell, week: Settings) -> None:
    before = rows_of(shell)
    played(week)
    assert rows_of(shell) == before
    (entry,) = shell.read("audit", "search")
    assert (entry["kind"], entry["action"]) == ("operator", "replay")


def rows_of(shell: AdminShell) -> list[str]:
    with closing(sqlite3.connect(shell.file)) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "audit')]


def test_the_command_line(shell: AdminShell, week: Settings) -> None:
    shell.keep(cloud("stock.low", "s9", "SKU5"), at=datetime.now(UTC) - timedelta(hours=1))
    said = shell.says("replay", "--rules", "new.toml", "--since", "2h", "--before", "0")
    assert "API calls: 2 (2 cards, 0 changes)\n" in said
    shown = shell.read("replay", "--since", "2h", "--before", "0", "--place", "group:cidOffice")
    assert [card["place"] for card in shown["cards"]] == ["group:cidOffice"], "the rules in force: none"


def test_wrong_rules_are_told_with_their_lines(shell: AdminShell, week: Settings) -> None:
    Path("wrong.toml").write_text('revive = 5\n[[routes]]\nwhen = "amont > 5"\n')
    line = shell.refuses("replay", "--rules", "wrong.toml")
    assert line.startswith("dingerp: wrong.toml: line 1: revive: a duration is expected")
    assert "; line 3: when: no variable 'amont'; did you mean 'amount'?" in line
    assert "missing.toml cannot be read" in shell.refuses("replay", "--rules", "missing.toml")
    assert "'soon' is no time, examples are 7d" in shell.refuses("replay", "--since", "soon")
    assert "'soon' is no span, examples are 7d" in shell.refuses("replay", "--before", "soon")
    assert "'x' is no place" in shell.refuses("replay", "--place", "x")


def test_without_a_database_there_is_nothing_to_replay(shell: AdminShell) -> None:
    assert "there is no database yet" in shell.refuses("replay")


def test_an_event_that_a_newer_version_no_longer_understands_is_counted(shell: AdminShell, settings: Settings) -> None:
    shell.keep(cloud("stock.low", "s1"), cloud("stock.low", "s2", "SKU2"), at=ago(days=1))

    async def forget(database: Database) -> None:
        changed = update(EVENT).where(EVENT.c.event_id == "s1").values(raw="{}")
        await database.run(lambda connection: connection.execute(changed))

    shell.store(forget)
    with capture_logs():
        result = again(settings, None)
    assert (result.events, result.failed, result.creates) == (2, 1, 1)


def test_when_the_month_runs_out_a_replay_spares_calls_too(shell: AdminShell, settings: Settings) -> None:
    for number in range(30):
        event = cloud("order.created", f"o{number}", f"SO-{number}")
        shell.keep(event, at=ago(hours=30 - number))
    plenty = again(settings, None)
    scarce = load_settings(limits={"monthly_calls": 20}, outbox={"reserve": 0.55})
    with capture_logs():
        spared = again(scarce, None)
    assert plenty.creates == 30
    assert 9 <= spared.creates < 20, "from 9 on one card in four hours, and that one is a digest"
    assert spared.notes["folded"] > 0
