"""``dingerp events`` and ``dingerp deliveries``: what came, what became of it, who saw it, what is dead."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.alerts.alert import Mute
from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.outbox.place import Place
from bot.store.database import Database
from tests.admin.conftest import AdminShell, cloud
from tests.admin.running_bot import RunningBot

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 24, 1, tzinfo=UTC)
"""Nine in the morning, where the bot's settings are at home."""

RULES = """
[default]
to = ["group:cidOffice"]

[[routes]]
name = "stock"
types = ["stock.*"]
to = ["group:cidStock"]

[[routes]]
name = "drills"
types = ["custom.drill"]
to = []
"""


class Clock:
    def __init__(self) -> None:
        self.time = NINE

    def __call__(self) -> datetime:
        return self.time.astimezone(SHANGHAI)

    def forward(self, **span: float) -> datetime:
        self.time += timedelta(**span)
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


Work = Callable[[Callable[[RunningBot], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def bot(shell: AdminShell, clock: Clock) -> Work:
    """Let the bot do something."""
    rules = parse_rules(RULES.encode(), AlertRuleContext(zone=SHANGHAI))

    def do(something: Callable[[RunningBot], Coroutine[Any, Any, None]]) -> None:
        async def with_bot(database: Database) -> None:
            await something(RunningBot(database, rules, clock))

        shell.store(with_bot)

    return do


async def _work(bot: RunningBot) -> None:
    await bot.work()


def test_the_history_of_one_event_from_receipt_to_click(shell: AdminShell, bot: Work, clock: Clock) -> None:
    shell.keep(cloud("stock.low", "e1", available=12, warehouse="W1"), at=NINE)

    async def day(at_work: RunningBot) -> None:
        clock.forward(seconds=1)
        await at_work.work()
        clock.forward(minutes=5)
        await at_work.tap("id2", "id1", "keeper01")
        await at_work.work()

    bot(day)
    shell.keep(cloud("stock.low", "e2", available=90, reorder_point=50, warehouse="W1"), at=clock.forward(hours=1))
    shell.keep(cloud("order.late", "e3", "SO-1"), at=clock.time)
    bot(_work)
    assert shell.says("events", "show", "main/e1").splitlines() == [
        "main/e1 (number 1): stock.low SKU1",
        "  done, from /erp",
        "  2026-11-24 09:00:00  stored        –               by webhook",
        "  2026-11-24 09:00:01  received      –               stock.low SKU1",
        "  2026-11-24 09:00:01  opened        –               warning, 1 times",
        "  2026-11-24 09:00:01  routed        –               group:cidStock by stock",
        "  2026-11-24 09:00:01  shown         group:cidStock",
        "  2026-11-24 09:00:01  card sent     group:cidStock",
        "  2026-11-24 09:05:01  acknowledged  –               keeper01",
        "  2026-11-24 09:05:01  card clicked  group:cidStock  by keeper01",
        "  2026-11-24 09:05:01  card updated  group:cidStock",
        "  2026-11-24 10:05:01  resolved      –               warning, 1 times; by main/e2",
        "  2026-11-24 10:05:01  card updated  group:cidStock",
        "  now: alert id1 is resolved, warning, keeper01 has it",
        "  now: card id2 at group:cidStock by stock is closed, delivery done",
    ]
    (story,) = shell.read("events", "show", "1")
    assert story["event"]["received_at"] == "2026-11-24T09:00:00.000+08:00"
    assert [line["what"] for line in story["history"]][-3:] == ["card updated", "resolved", "card updated"]
    assert story["cards"] == [
        {
            "id": "id2",
            "place": "group:cidStock",
            "route": "stock",
            "state": "closed",
            "next": None,
            "delivery": "done",
            "reason": "",
        }
    ]
    assert story["alerts"][0]["acknowledged_by"] == "keeper01"
    cut = shell.says("events", "show", "main/e1", "--limit", "3").splitlines()
    assert "  … 8 more, --limit shows them" in cut


def test_why_nobody_saw_it(shell: AdminShell, bot: Work, clock: Clock) -> None:
    """Nobody wants it; somebody muted it; it cannot be understood; it waits."""

    async def mute(at_work: RunningBot) -> None:
        place, until = Place.parse("group:cidStock"), NINE + timedelta(hours=2)
        await at_work.mute(
            Mute(id="m", place=place, pattern="stock.*", by="keeper01", made_at=clock(), until=until, critical=True)
        )

    bot(mute)
    shell.keep(cloud("custom.drill", "d1", title="A drill"), at=NINE)
    shell.keep(cloud("stock.out", "s1"), cloud("nonsense", "x1"), at=NINE)
    bot(_work)
    shell.keep(cloud("order.late", "o1", "SO-1"), at=NINE)
    drill, muted, wrong, waiting = (shell.says("events", "show", f"main/{one}") for one in ("d1", "s1", "x1", "o1"))
    assert "no_route  –  stock: no, types = stock.*; drills: yes; drills: to nobody" in drill
    assert "  now: no card anywhere; the history says why" in drill
    assert "group:cidStock: stock.* by keeper01" in muted
    assert "muted" in muted
    assert "is open, critical, held back" in muted
    assert "  rejected: type is not known here, from /erp" in wrong
    assert "  now: it waits to be worked on" in waiting


def test_the_event_itself_only_on_request(shell: AdminShell) -> None:
    shell.keep(cloud("invoice.overdue", "i1", "INV-7", amount="12800.10", currency="CNY"), at=NINE)
    shell.keep(cloud("stock.low", "i2", available=0.1), at=NINE)
    assert "12800" not in shell.says("events", "show", "main/i1")
    assert '"amount":"12800.10"' in shell.says("events", "show", "main/i1", "--data")
    (story,) = shell.read("events", "show", "main/i1", "--data")
    assert story["data"]["data"]["amount"] == "12800.10"
    assert '"available":0.1' in shell.says("events", "show", "main/i2", "--data", "--as", "json")


def test_a_search_among_the_events(shell: AdminShell, clock: Clock) -> None:
    assert shell.says("events", "search") == "No such event came in.\n"
    assert shell.read("events", "search") == []
    shell.keep(cloud("stock.low", "e1"), at=NINE)
    shell.keep(cloud("order.late", "e2", "SO-1"), cloud("nonsense", "e3", "螺丝\x1b"), at=clock.forward(minutes=1))
    assert shell.says("events", "search").splitlines() == [
        "2026-11-24 09:01:00  main/e3  nonsense         webhook  rejected: type is not known here",
        "2026-11-24 09:01:00  main/e2  order.late SO-1  webhook  waiting",
        "2026-11-24 09:00:00  main/e1  stock.low SKU1   webhook  waiting",
        "3 events; the history of one: `dingerp events show main/e3`",
    ]

    def ids(*arguments: str) -> list[str]:
        return [row["id"] for row in shell.read("events", "search", *arguments)]

    assert ids("--state", "rejected") == ["e3"]
    assert ids("--type", "stock.*") == ids("--subject", "SKU1") == ["e1"]
    assert ids("--source", "other") == []
    assert ids("--limit", "2") == ["e3", "e2"]
    assert ids("--since", "2026-11-24T09:00:30") == ["e3", "e2"]
    assert "1 event; there may be more, --limit shows them" in shell.says("events", "search", "--limit", "1")


def test_what_an_erp_said_plays_no_tricks_on_a_terminal(shell: AdminShell, bot: Work) -> None:
    event = cloud("custom.news", "e1", "", title="x")
    shell.keep(event | {"subject": "safe"}, at=NINE)
    raw = "UPDATE event SET subject = 'a' || char(27) || '[2Jb'"

    async def spoil(database: Database) -> None:
        await database.run(lambda connection: connection.exec_driver_sql(raw))

    shell.store(spoil)
    for arguments in (("events", "search"), ("events", "show", "main/e1")):
        said = shell.says(*arguments)
        assert "\x1b" not in said
        assert "a\\x1b[2Jb" in said


def test_dead_letters_are_found_told_and_begun_anew(shell: AdminShell, bot: Work, clock: Clock) -> None:
    shell.keep(cloud("stock.low", "e1"), cloud("order.late", "e2", "SO-1"), at=NINE)

    async def refused(at_work: RunningBot) -> None:
        at_work.dingtalk.refuses = "the robot is not in this group"
        await at_work.work()

    with capture_logs():
        bot(refused)
    said = shell.says("deliveries", "search", "--state", "dead", "--place", "group:cidStock").splitlines()
    assert said == [
        "2026-11-24 09:00:00  id2  group:cidStock  main/e1  dead: the robot is not in this group",
        "1 found; the history of one: `dingerp deliveries show id2`",
        "1 dead: `dingerp deliveries replay CARD` sends one again when its reason is mended",
    ]
    assert [row["card"] for row in shell.read("deliveries", "search", "--event", "main/e2")] == ["id4"]
    assert shell.read("deliveries", "search", "--event", "main/e2", "--state", "done") == []
    assert shell.read("deliveries", "search", "--since", "2026-11-24T09:00:01") == []
    clock.forward(hours=1)
    assert shell.says("deliveries", "replay", "id2") == "id2\n1 delivery queued\n"
    line = shell.refuses("deliveries", "replay", "id4", "id2")
    assert "the delivery of card 'id2' is queued: only dead ones are begun anew" in line
    assert shell.read("deliveries", "search", "--state", "dead")[0]["card"] == "id4", "nothing was begun anew by half"
    assert shell.read("deliveries", "replay", "--all") == {"queued": ["id4"]}
    clock.time = datetime.now(UTC) + timedelta(seconds=1)  # the command queued them by the real clock
    bot(_work)
    told = [step["what"] for step in shell.read("deliveries", "show", "id2")["steps"]]
    assert told == ["queued", "dead", "replayed", "sent"]
    lines = shell.says("deliveries", "show", "id2").splitlines()
    assert lines[0] == "card id2 (alert) at group:cidStock: done"
    assert lines[2] == "  2026-11-24 09:00:00  dead      –           the robot is not in this group"
    queued = shell.says("deliveries", "search", "--state", "queued")
    assert queued == "No such delivery.\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("events", "show", "main/e9"), "no event 'main/e9', an example is main/E-1"),
        (("events", "show", "e9"), "no event 'e9', an example is main/E-1"),
        (("events", "show", "77"), "no event '77', an example is main/E-1"),
        (("events", "search", "--state", "lost"), "no state 'lost'; there are: waiting, done, rejected"),
        (("events", "search", "--since", "yesterday"), "'yesterday' is no time, examples are 7d, 12h and"),
        (("deliveries", "search", "--state", "lost"), "no state 'lost'; there are: queued, done, folded, dead"),
        (("deliveries", "search", "--place", "stock"), "'stock' is no place, examples are group:cid… and"),
        (("deliveries", "show", "c9"), "no delivery of a card 'c9'"),
        (("deliveries", "replay", "c9"), "the delivery of card 'c9' is not known: only dead ones"),
        (("deliveries", "replay"), "name the cards whose delivery is dead, or write --all"),
        (("deliveries", "replay", "c9", "--all"), "name the cards whose delivery is dead, or write --all"),
    ],
)
def test_wrong_words_are_one_clear_line(shell: AdminShell, arguments: tuple[str, ...], line: str) -> None:
    shell.has_a_database()
    assert shell.refuses(*arguments).startswith(f"dingerp: {line}")


@pytest.mark.parametrize(
    "arguments",
    [("events", "search"), ("events", "show", "1"), ("deliveries", "search"), ("deliveries", "show", "c"), ("replay",)],
)
def test_a_database_of_another_version_is_one_clear_line(shell: AdminShell, arguments: tuple[str, ...]) -> None:
    shell.has_a_database()
    shell.monkeypatch.setattr("bot.store.revisions.latest_revision", lambda: "9999")
    assert "`dingerp db upgrade` brings it to this one" in shell.refuses(*arguments)
    shell.file.write_bytes(b"no database " * 1_000)
    assert "see `dingerp doctor`" in shell.refuses(*arguments)
