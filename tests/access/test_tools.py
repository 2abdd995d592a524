"""``dingerp access check`` and ``dingerp access explain``: no service runs, and no ERP is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from typer.testing import CliRunner, Result

from bot.access.grants import EVERYTHING
from bot.alerts.subscriptions import Subscription
from bot.bootstrap.access import make_access_policy
from bot.bootstrap.database import make_database
from bot.cards.view import View
from bot.chat.registry import installed_commands
from bot.cli import cli
from bot.outbox.place import Place, PlaceKind
from bot.settings import load_settings
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.words.disclosure import HIDDEN, FieldClass
from bot.words.errors import ConfigurationError
from tests.chat.audience_parts import MemoryOutsiders, answer_to, make_audiences

CONFIGURATION = """
[erp.main]
vendor = "demo"

[access]
presets = true

[access.roles]
sales = ["sales01"]

[[access.rules]]
name = "no costs"
commands = ["*"]
roles = ["*"]
effect = "deny"
fields = ["cost"]
"""
SHARING = """
[erp.main]
vendor = "demo"

[[access.rules]]
commands = ["order"]
shared = true
fields = ["quantity", "partner"]

[[access.rules]]
commands = ["invoice"]
people = ["boss01"]
"""
COUNTED, PARTNERS = "quantities / 数量", "customers and vendors / 客户和供应商"
MADE, ALL = "bills of materials / 物料清单", "of all documents"
WRONG = """
[[rules]]
commands = ["invoise"]
roles = ["finanse"]
effekt = "deny"
"""
PROBLEMS = """\
wrong.toml:3: commands: there is no command 'invoise'; did you mean 'invoice'?
wrong.toml:4: roles: there is no role 'finanse'; did you mean 'finance'?
wrong.toml:5: unknown key 'effekt'; did you mean 'effect'?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(View):
    card: ClassVar[str] = "told"

    count: Annotated[int, FieldClass.QUANTITY] = 1
    partner: Annotated[str, FieldClass.PARTNER] = "ACME"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dingerp.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "wrong.toml").write_text(WRONG, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["access", *arguments])


class TestCheck:
    def test_names_every_error_with_file_and_line(self) -> None:
        result = run("check", "wrong.toml")
        assert (result.exit_code, result.stdout) == (1, PROBLEMS)

    def test_reads_what_is_in_force(self, folder: Path) -> None:
        (folder / "access.toml").write_text('[[rules]]\ncommands = ["po"]\nroles = ["出纳", "*"]\n', encoding="utf-8")
        result = run("check")
        assert result.exit_code == 1
        assert result.stdout.splitlines()[0] == "dingerp.toml: fine, 1 rule, presets"
        assert result.stdout.splitlines()[1].startswith(
            "access.toml:3: roles: there is no role '出纳'; there are: admin, "
        )

    def test_reads_a_whole_configuration(self, folder: Path) -> None:
        text = CONFIGURATION.replace('fields = ["cost"]', 'fields = ["costs"]')
        (folder / "other.toml").write_text(text, encoding="utf-8")
        result = run("check", "other.toml")
        assert result.exit_code == 1
        assert (
            result.stdout.splitlines()[0]
            == "other.toml:16: fields: there is no class of fields 'costs'; did you mean 'cost'?"
        )

    def test_warns_of_groups_that_may_see_nothing_of_what_they_get(self, folder: Path) -> None:
        text = f'{CONFIGURATION}\n[alerts]\ndefault_groups = ["cidOffice=="]\n[approvals]\ngroups = ["cidBuyers=="]\n'
        (folder / "dingerp.toml").write_text(text, encoding="utf-8")
        buyers, office = [line for line in run("check").stdout.splitlines() if line.startswith("warning: Alerts")]
        for line, group, commands in (
            (office, "cidOffice==", ("stock", "order", "invoice", "po", "mo")),
            (buyers, "cidBuyers==", ("po",)),
        ):
            told = f"warning: Alerts and approvals in the group {group} tell only their kind, or do not come"
            assert line.startswith(told)
            remedy = line.rpartition("a rule says so: ")[2]
            assert f'conversations = ["{group}"]' in remedy
            assert [word for word in commands if f'"{word}"' not in remedy] == []
            lines = remedy.replace("], ", "]\n").replace("true, ", "true\n")
            with (folder / "access.toml").open("a", encoding="utf-8") as file:
                file.write(f'[[rules]]\nname = "{group}"\n{lines}\n')
        assert "warning: Alerts" not in run("check").stdout

    def test_warns_of_groups_with_outsiders(self, folder: Path) -> None:
        groups = '[alerts]\ndefault_groups = ["cidIn==", "cidOut=="]\n[access]\noutsider_groups = ["cidOut=="]\n'
        (folder / "dingerp.toml").write_text(f'[erp.main]\nvendor = "demo"\n{groups}', encoding="utf-8")
        told = [line for line in run("check").stdout.splitlines() if line.startswith("warning: Alerts")]
        assert len(told) == 1
        assert "in the group cidOut== tell only" in told[0]

    @pytest.mark.parametrize(
        ("outsiders", "closed"), [("", ["/invoice overdue"]), ("cidOffice==", ["/invoice overdue", "/stock low"])]
    )
    async def test_warns_of_what_a_group_subscribed_to_and_may_not_see(
        self, folder: Path, outsiders: str, closed: list[str]
    ) -> None:
        known = f'[access]\noutsider_groups = ["{outsiders}"]\n{SHARING}' if outsiders else SHARING
        (folder / "dingerp.toml").write_text(known, encoding="utf-8")
        database = make_database(load_settings(folder / "dingerp.toml"))
        await database.migrate()
        await database.unlock()
        group = Place(PlaceKind.GROUP, "cidOffice==")
        for line in ("/invoice overdue", "/order late", "/stock low"):
            await StoredSubscriptions(database).put(
                Subscription(
                    place=group,
                    conversation=group.id,
                    user_id="boss01",
                    line=line,
                    at=time(8),
                    workdays=True,
                    next_at=datetime.now(UTC),
                )
            )
        await database.close()
        told = [line for line in (await asyncio.to_thread(run, "check")).stdout.splitlines() if "subscription" in line]
        assert sorted(line.partition(" of the group ")[0].rpartition("subscription ")[2] for line in told) == closed
        invoices = next(line for line in told if "/invoice" in line)
        assert invoices.startswith("warning: The subscription /invoice overdue of the group cidOffice== waits")
        assert invoices.endswith(
            'shared = true, conversations = ["cidOffice=="], commands = ["invoice"], fields = ["quantity"]'
        )

    def test_warns_of_what_is_hardly_meant(self, folder: Path) -> None:
        (folder / "fine.toml").write_text('[[rules]]\ncommands = ["po"]\nroles = ["采购"]\n', encoding="utf-8")
        result = run("check", "fine.toml")
        assert (result.exit_code, result.stdout) == (
            0,
            "fine.toml: fine, 1 rule\nfine.toml:3: warning: roles: nobody has the role '采购' in access.roles\n",
        )

    def test_is_told_of_broken_toml(self, folder: Path) -> None:
        (folder / "broken.toml").write_text("[[rules]\n", encoding="utf-8")
        result = run("check", "broken.toml")
        assert result.exit_code == 1
        assert result.stdout.startswith("broken.toml:1: no TOML")


class TestExplain:
    def test_of_somebody_who_may(self) -> None:
        result = run("explain", "sales01", "/order SO-1001")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:7] == [
            "sales01 may use /order",
            "  why: Your role “sales” allows it. / 您的角色“销售”有此权限。",
            "  decided by: preset sales, no costs",
            "  roles: sales (configuration)",
            "  sees: quantities / 数量, amounts / 金额, customers and vendors / 客户和供应商, contacts / 联系方式, "
            "of own documents / 本人的单据",
            "  a group sees: nothing",
            "  a group with outsiders sees: nothing",
        ]
        assert "  rule “preset finance” allows, to others" in result.stdout.splitlines()

    def test_of_a_command_that_shows_documents_of_others(self) -> None:
        lines = run("explain", "sales01", "/export order late").stdout.splitlines()
        assert lines[:4] == [
            "sales01 may use /export",
            "  why: Every member may ask. / 全体成员都可以查询。",
            "  decided by: no costs",
            "  roles: sales (configuration)",
        ]
        told = [line.removeprefix("  sees of what ") for line in lines[4:9]]
        assert [line.partition(" ")[0] for line in told] == ["/stock", "/order", "/invoice", "/po", "/mo"]
        assert told[0] == "/stock shows: quantities / 数量, of all documents, decided by: preset sales, no costs"
        assert told[1].endswith("of own documents / 本人的单据, decided by: preset sales, no costs")
        assert told[3].startswith("/po shows: nothing, decided by: preset purchasing, preset finance, ")

    def test_of_what_is_reserved(self) -> None:
        lines = run("explain", "sales01", "/audit PO-1").stdout.splitlines()
        assert lines[1] == "  why: /audit is only for: admin. / /audit 仅限以下角色使用：管理员。"
        assert lines[2] == "  ask: admin"

    def test_of_somebody_who_may_not(self) -> None:
        result = run("explain", "keeper01", "发票", "--role", "仓管")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:5] == [
            "keeper01 may not use /invoice",
            "  why: /invoice is only for: admin, manager, finance, sales. / "
            "/invoice 仅限以下角色使用：管理员、经理、财务、销售。",
            "  ask: 管理员, 经理, 财务, 销售",
            "  decided by: preset sales, preset finance, preset manager, preset admin",
            "  roles: 仓管",
        ]

    def test_in_a_conversation(self, folder: Path) -> None:
        rule = '[[rules]]\ncommands = ["order"]\ndepartments = ["7"]\nconversations = ["cidA=="]\nown = true\n'
        (folder / "access.toml").write_text(rule, encoding="utf-8")
        there = run("explain", "clerk01", "order", "--conversation", "cidA==", "--department", "7")
        assert there.stdout.startswith("clerk01 may use /order\n")
        elsewhere = run("explain", "clerk01", "order", "--department", "7")
        assert elsewhere.stdout.startswith("clerk01 may not use /order\n")
        assert "  rule “access.toml rule 1” allows, in other conversations\n" in elsewhere.stdout

    @pytest.mark.parametrize(
        ("line", "members", "outsiders"),
        [
            ("order", f"{COUNTED}, {PARTNERS}, {ALL}", f"{COUNTED}, {ALL}"),
            ("stock", f"{COUNTED}, {PARTNERS}, {MADE}, {ALL}", "nothing"),
            ("invoice", "nothing", "nothing"),
            # It is about no documents.
            ("help", f"{COUNTED}, {PARTNERS}, {MADE}, {ALL}", f"{COUNTED}, {ALL}"),
        ],
    )
    async def test_a_group_is_told_to_see_what_its_cards_show(
        self, folder: Path, line: str, members: str, outsiders: str
    ) -> None:
        (folder / "dingerp.toml").write_text(SHARING, encoding="utf-8")
        told = (await asyncio.to_thread(run, "explain", "boss01", line)).stdout.splitlines()
        assert f"  a group sees: {members}" in told
        assert f"  a group with outsiders sees: {outsiders}" in told
        policy = make_access_policy(load_settings(folder / "dingerp.toml"))
        audiences = make_audiences(policy, outsiders=MemoryOutsiders({"cidOut=="}))
        for group, words in (("cidIn==", members), ("cidOut==", outsiders)):
            shows = installed_commands()[line].shows
            answer = answer_to(line, view=Told(), **({line: (EVERYTHING,)} if shows else {}))
            shown = audiences.share(Told(), answer if shows else replace(answer, reach={}), group).view
            seen = isinstance(shown, Told) and [shown.count, shown.partner]
            assert seen == (words != "nothing" and [1, "ACME" if "customers" in words else HIDDEN])

    def test_of_a_command_that_there_is_not(self) -> None:
        error = run("explain", "sales01", "/ordr SO-1").exception
        assert isinstance(error, ConfigurationError)
        assert error.detail == "there is no command '/ordr'; did you mean 'order'?"
