"""The commands on PostgreSQL, where their statements are others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.store.database import Database
from tests.admin.conftest import AdminShell, cloud
from tests.admin.running_bot import RunningBot
from tests.admin.test_events import RULES, SHANGHAI
from tests.erp.sql.postgres_server import Postgres


def test_every_command_works_on_postgresql(shell: AdminShell, postgres: Postgres) -> None:
    shell.url = postgres.admin_url
    shell.monkeypatch.setenv("DINGERP_DATABASE_URL", postgres.admin_url)
    assert shell.read("events", "search") == [], "no bot has used it yet"
    shell.says("db", "upgrade")
    assert "1 event accepted" in shell.says("send", "--title", "Cold", "--subject", "c2", "--open", "--id", "n1")
    shell.keep(cloud("stock.low", "e1"), cloud("nonsense", "e2"), at=datetime.now(UTC) - timedelta(minutes=1))

    async def work(database: Database) -> None:
        rules = parse_rules(RULES.encode(), AlertRuleContext(zone=SHANGHAI))
        bot = RunningBot(database, rules, lambda: datetime.now(SHANGHAI))
        bot.dingtalk.refuses = "not in this group"
        await bot.work()

    with capture_logs():
        shell.store(work)
    assert [row["state"] for row in shell.read("events", "search")] == ["rejected", "done", "done"]
    (story,) = shell.read("events", "show", "main/n1")
    assert [card["delivery"] for card in story["cards"]] == ["dead"]
    dead = [row["card"] for row in shell.read("deliveries", "search", "--state", "dead")]
    assert len(dead) == 2
    assert shell.read("deliveries", "show", dead[0])["reason"] == "not in this group"
    assert shell.read("deliveries", "replay", "--all")["queued"] == sorted(dead)
    assert shell.read("replay", "--since", "2h")["calls"]["creates"] == 2
