"""``dingerp policy check``, ``explain_document`` and ``replay_rules``, on the demo company."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import Connection
from typer.testing import CliRunner

from bot.admin.policy_context import check_policy, open_policy, open_policy_context
from bot.admin.policy_explain import explain_document
from bot.admin.policy_replay import replay_rules
from bot.approvals.document_reader import StaffMember, build_document
from bot.approvals.lifecycle import open_case
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.approvals.voting import VoteRequest, vote
from bot.bootstrap.policy import DingTalkStaffDirectory, organisation_of, terms_of
from bot.cli import cli
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson, DirectoryPerson
from bot.erp.errors import NotFound
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import PurchaseOrder, Verdict
from bot.erp.port import ListQuery
from bot.rulefiles.errors import RulesError
from bot.settings import Settings, load_settings
from bot.store.approvals.repository import StoredCaseRepository
from bot.store.database import Database
from bot.words.errors import ConfigurationError
from tests.rows import each_row

RULES = """
[[rules]]
name = "small"
amount = "below 100000 CNY"
levels = [{any = ["role:purchasing"]}]

[[rules]]
name = "large"
amount = "from 100000 CNY"
levels = [{any = ["role:purchasing"]}, {all = ["role:finance"]}]
confirm_from = "100000 CNY"
daily_limit = ["900000 CNY"]
remind = ["4h", "1d"]
deadline = "2d"
on_expiry = "escalate"
escalate_to = ["person:boss01"]

[[limits]]
who = ["person:boss01"]
up_to = ["1000 CNY"]
"""
NEW = """
[[rules]]
name = "small"
amount = "below 100000 CNY"
levels = [{any = ["role:purchasing"]}]

[[rules]]
name = "large"
amount = "from 100000 to below 150000 CNY"
levels = [{any = ["person:nobody"]}]
"""
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The demo company, which wrote rules; PO-1001 is small, PO-1002 large, PO-1004 of the purchasing manager."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "approvals.toml").write_text(RULES, encoding="utf-8")
    return load_settings(
        erp={"main": {"vendor": "demo"}},
        access={
            "roles": {"purchasing": ["buymanager01", "boss01"], "finance": ["finance01"]},
            "accounts": {user: {"main": user} for user in ("buymanager01", "boss01", "finance01", "buyer01")},
        },
        data_dir=tmp_path / "data",
    )


def explained(settings: Settings, number: str, user: str = "", rules: Path | None = None) -> list[str]:
    return asyncio.run(explain_document(settings, number, user=user, source="", rules=rules))


def with_case(settings: Settings, number: str, *approvals: str) -> PurchaseOrder:
    """Let a case be opened for a document and approved by people, as the running bot does."""
    rules = RuleBasedPolicy(open_policy(settings, None))

    def work(order: PurchaseOrder, connection: Connection) -> None:
        now = datetime.now(SHANGHAI)
        company = organisation_of(settings).snapshot()
        repository = StoredCaseRepository(connection, now)
        unit = CaseUnitOfWork(cases=repository, policy=rules, company=company, now=now, options=terms_of(settings))
        shown = build_document(order, company)
        case = open_case(unit, shown, ())
        assert case is not None
        for user in approvals:
            word = VoteRequest(
                case=case,
                user_id=user,
                name=user,
                verdict=Verdict.APPROVE,
                seen=case.fingerprint,
                confirmed=True,
            )
            assert vote(unit, word, shown).case is not None
        repository.flush()

    async def run() -> PurchaseOrder:
        async with open_policy_context(settings) as ground:
            order = await ground.hub.reread("main", PURCHASE_ORDERS, number)
        database = Database(settings.database)
        await database.migrate()
        await database.run(partial(work, order))
        await database.close()
        return order

    return asyncio.run(run())


def test_a_rule_and_its_people_are_explained(settings: Settings) -> None:
    lines = explained(settings, "po-1002", "boss01")
    assert lines[0].startswith("PO-1002 of main: waiting, CN¥")
    assert lines[1] == "  requested by buyer01 (buyer01)"
    assert lines[2] == "  the ERP itself waits for buymanager01 (赵国强, buymanager01), boss01 (林明川, boss01)"
    assert lines[3] == "  none of those who decide by the rule is among them: the ERP would not take their decision"
    assert lines[4].startswith("rules ")
    assert lines[4].endswith(" (approvals.toml)")
    assert lines[5:] == [
        "  “small” does not apply: it is for amounts below CN¥100,000.00.",
        "  “large” decides.",
        "level 1: any of boss01, buymanager01",
        "level 2: finance01",
        "  not finance01: The ERP does not wait for them.",
        "approving asks once more",
        "in one day each may approve CN¥900,000.00",
        "boss01 may approve up to CN¥1,000.00 in one document",
        "reminders after 4h, 1d",
        "after 2d boss01 may decide as well",
        "boss01, account in main: boss01",
        "  may approve: no. You may approve up to CN¥1,000.00 in one document.",
        "  may reject: yes. “large” names you for level 1.",
    ]


def test_whom_the_erp_waits_for_is_told(settings: Settings) -> None:
    """Of the small one the purchasing manager decides by the rule, for whom the ERP waits as well."""
    lines = explained(settings, "PO-1001")
    assert [line for line in lines if "ERP" in line] == [
        "  the ERP itself waits for buymanager01 (赵国强, buymanager01), boss01 (林明川, boss01)"
    ]
    nobody = settings.access.model_copy(update={"accounts": {"boss01": {"main": "boss01"}}})
    assert "  the ERP itself waits for buymanager01 (赵国强, nobody known here), boss01 (林明川, boss01)" in explained(
        settings.model_copy(update={"access": nobody}), "PO-1001"
    )


def test_who_requested_it_is_left_out(settings: Settings) -> None:
    lines = explained(settings, "PO-1004", "buymanager01")
    assert "level 1: boss01" in lines
    assert "  not buymanager01: They requested it." in lines
    assert "  may approve: no. Nobody decides what they requested themselves." in lines


def test_who_has_no_account_is_told(settings: Settings) -> None:
    lines = explained(settings, "PO-1001", "keeper02")
    assert lines[-3:] == [
        "keeper02, account in main: none",
        "  may approve: no. You have no account in “main”.",
        "  may reject: no. You have no account in “main”.",
    ]


def test_an_open_case_keeps_its_plan(settings: Settings, tmp_path: Path) -> None:
    # The ERP waits for the account boss01, and is told in the name of whom the last level names.
    accounts = {"buymanager01": {"main": "buymanager01"}, "finance01": {"main": "boss01"}}
    settings = settings.model_copy(update={"access": settings.access.model_copy(update={"accounts": accounts})})
    with_case(settings, "PO-1002", "buymanager01")
    version = open_policy(settings, None).version
    (tmp_path / "approvals.toml").write_text(NEW, encoding="utf-8")
    lines = explained(settings, "PO-1002", "finance01")
    assert any(
        line.startswith("case open since ") and line.endswith(f"{version}, “large”: its plan stands") for line in lines
    )
    assert "  buymanager01: approve at level 1" in lines
    assert "  it waits for level 2" in lines
    assert "  may approve: yes. “large” names you for level 2." in lines
    lines = explained(settings, "PO-1002", "finance01", tmp_path / "approvals.toml")
    assert not any(line.startswith("case open") for line in lines), "rules of a file are about a new case"


def test_without_a_rule_there_is_nobody_to_ask(settings: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "new.toml"
    rules.write_text('[[rules]]\nname = "r"\ncurrencies = ["USD"]\nlevels = [{any = ["person:x"]}]\n')
    lines = explained(settings, "PO-1001", "boss01", rules)
    assert lines[-1] == "  No rule is for this document, so it is decided in the ERP."


def test_what_is_not_waiting_is_said(settings: Settings) -> None:
    async def decided() -> str:
        async with open_policy_context(settings) as ground:
            orders = (await ground.hub.purchase_orders(ListQuery(limit=80))).value.items
        return next(one.number for one in orders if one.status.value == "done")

    assert "  it is not waiting in the ERP (done): nothing can be decided now" in explained(
        settings, asyncio.run(decided())
    )


def test_documents_and_sources_that_are_not_there(settings: Settings) -> None:
    with pytest.raises(NotFound):
        explained(settings, "PO-9")
    with pytest.raises(ConfigurationError, match="no ERP source 'x' is configured; there are: main"):
        asyncio.run(explain_document(settings, "PO-1001", user="", source="x", rules=None))


def test_a_replay_compares_old_and_new(settings: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "new.toml"
    rules.write_text(NEW, encoding="utf-8")
    lines = asyncio.run(replay_rules(settings, rules, since="90d"))
    one = next(line for line in lines if line.startswith("PO-1002 "))
    old = "“large” any of boss01, buymanager01, then finance01, asked twice"
    assert one.endswith(f": {old} → no rule, decided in the ERP")
    assert not any(line.startswith("PO-1001 ") for line in lines), "nothing changes for it"
    stuck = [line for line in lines if "nobody could decide: level 1, nobody may not" in line]
    counts = lines[lines.index(next(line for line in lines if line.startswith("documents since"))) :]
    changed = sum(line.startswith("PO-") for line in lines)
    assert counts[0].endswith(
        f", decided about in chat 0, by others or another rule now {changed}, by nobody {len(stuck)}"
    )
    small = next(line for line in counts if line.startswith("  “small”"))
    before, after = small.removeprefix("  “small”: ").split(" → ")
    assert before == after != "0"


def test_a_replay_of_the_same_rules_changes_nothing(settings: Settings) -> None:
    lines = asyncio.run(replay_rules(settings, Path("approvals.toml"), since="90d"))
    assert any(" by others or another rule now 0, by nobody " in line for line in lines)
    documents = [line for line in lines if line.startswith("PO-")]
    assert documents
    assert all("→" not in line and "boss01 may not" in line for line in documents), "their limit is too low"


def test_a_replay_goes_as_far_back_as_it_is_told(settings: Settings) -> None:
    def count(since: str) -> int:
        line = next(
            one for one in asyncio.run(replay_rules(settings, Path("approvals.toml"), since=since)) if "docum" in one
        )
        return int(line.split(": ")[1].split(",")[0])

    today = datetime.now(SHANGHAI).date()
    assert 0 < count((today - timedelta(days=10)).isoformat()) < count("20d") < count("90d")


def test_a_replay_knows_what_was_decided_by_rules_of_its_day(settings: Settings, tmp_path: Path) -> None:
    with_case(settings, "PO-1001", "boss01")
    (tmp_path / "approvals.toml").write_text(NEW, encoding="utf-8")
    (tmp_path / "other.toml").write_text(RULES.replace('"small"', '"little"'), encoding="utf-8")
    lines = asyncio.run(replay_rules(settings, tmp_path / "other.toml", since="90d"))
    one = next(line for line in lines if line.startswith("PO-1001 "))
    assert "“small” any of boss01, buymanager01 → “little” any of boss01, buymanager01" in one
    assert any("decided about in chat 1," in line for line in lines)


def test_recorded_documents_that_the_erp_no_longer_lists_are_replayed(settings: Settings, tmp_path: Path) -> None:
    with_case(settings, "PO-1001")

    def rename(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE approval_case SET folded = 'po-gone', source = 'former'")

    async def run() -> None:
        database = Database(settings.database)
        await database.run(rename)
        await database.close()

    asyncio.run(run())
    (tmp_path / "other.toml").write_text(RULES.replace('"small"', '"little"'), encoding="utf-8")
    lines = asyncio.run(replay_rules(settings, tmp_path / "other.toml", since="90d"))
    one = next(line for line in lines if line.startswith("PO-1001 of former"))
    assert "→ “little”" in one


def test_categories_are_asked_for_where_rules_go_by_them(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(
        '[[rules]]\nname = "none"\ncategories = ["no such"]\nlevels = [{any = ["person:x"]}]\n' + RULES
    )
    lines = asyncio.run(replay_rules(settings, tmp_path / "other.toml", since="5d"))
    assert not any("“none”" in line for line in lines)
    assert any(line.startswith("documents since ") for line in lines)


def test_past_documents_are_checked_where_rules_go_by_flags(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(
        '[[rules]]\nname = "look"\nflags = ["price_above_last"]\nlevels = [{any = ["person:x"]}]\n' + RULES
    )
    lines = asyncio.run(replay_rules(settings, tmp_path / "other.toml", since="90d"))
    # No price of the demo company is above the last; of two orders of 24 products not all could be compared.
    assert [line.split(" ")[0] for line in lines if "→ “look”" in line] == ["PO-1051", "PO-1006"]


def test_wrong_new_rules_are_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("x = 1\n")
    with pytest.raises(RulesError, match="line 1: unknown key 'x'"):
        asyncio.run(replay_rules(settings, tmp_path / "new.toml", since="90d"))
    with pytest.raises(ConfigurationError, match="'soon' is no time"):
        asyncio.run(replay_rules(settings, tmp_path / "approvals.toml", since="soon"))


UNSEEN = "people who have not written to the bot yet, and the directory has not been read completely"


def test_check(settings: Settings, tmp_path: Path) -> None:
    version = open_policy(settings, None).version
    assert asyncio.run(check_policy(settings, None)) == (
        True,
        [
            f"approvals.toml: fine, rules 2, substitutes 0, limits 1, gate 0, version {version}",
            f"approvals.toml: warning: line 16: {UNSEEN}: 'boss01' (line 16), 'boss01' (line 19)",
            "approvals.toml: no rule is for everything: documents that none is for are decided in the ERP",
            f"warning: access.roles: {UNSEEN}: 'boss01', 'buymanager01', 'finance01'",
            f"warning: access.accounts: {UNSEEN}: 'buymanager01', 'boss01', 'finance01', 'buyer01'",
        ],
    )
    (tmp_path / "new.toml").write_text("x = 1\ny = 2\n")
    fine, lines = asyncio.run(check_policy(settings, Path("new.toml")))
    assert not fine
    assert [line[:25] for line in lines] == ["new.toml: line 1: unknown", "new.toml: line 2: unknown"]
    (tmp_path / "new.toml").write_text('[[rules]]\nname = "r"\nlevels = [{any = ["role:x"]}]\n')
    assert asyncio.run(check_policy(settings, Path("new.toml"))) == (
        False,
        ["new.toml: line 3: any: nobody has the role 'x' in access.roles; there are: finance, purchasing"],
    )
    (tmp_path / "new.toml").write_text('[[rules]]\nname = "r"\nlevels = [{any = ["person:boss01"]}]\n')
    assert len(asyncio.run(check_policy(settings, Path("new.toml")))[1]) == 2, "this rule is for everything"
    (tmp_path / "approvals.toml").unlink()
    places = f"approvals.toml or {tmp_path / 'data' / 'approvals.toml'}"
    fine, lines = asyncio.run(check_policy(settings, None))
    assert (fine, lines[:1]) == (
        True,
        [f"{places}: there are no rules; members of the role 'approver' decide on every purchase order"],
    )
    with pytest.raises(ConfigurationError, match="cannot be read"):
        asyncio.run(check_policy(settings, tmp_path / "missing.toml"))


def test_the_command_line(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    monkeypatch.setenv("DINGERP_ACCESS__ROLES", '{"purchasing": ["buymanager01"], "finance": ["finance01"]}')
    monkeypatch.setenv("DINGERP_DATA_DIR", str(tmp_path / "data"))
    run = CliRunner().invoke
    assert run(cli, ["policy", "check"]).exit_code == 0
    told = run(cli, ["policy", "explain", "PO-1002", "--user", "boss01", "--source", "main"])
    assert (told.exit_code, "“large” decides." in told.output) == (0, True), told.output
    replayed = run(cli, ["policy", "replay", "--rules", "approvals.toml", "--since", "30d"])
    assert (replayed.exit_code, "documents since" in replayed.output) == (0, True), replayed.output
    Path("new.toml").write_text("x = 1\n")
    assert run(cli, ["policy", "check", "new.toml"]).exit_code == 1


def test_where_the_rules_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().approval_rules == (Path("approvals.toml"), Path("data/approvals.toml"))
    assert load_settings(approvals={"rules": "x.toml"}).approval_rules == (Path("x.toml"),)


@each_row(("groups", "places"), [(None, ("cidOffice",)), ((), ()), (("cidBuying",), ("cidBuying",))])
def test_groups_of_the_bare_cards(groups: tuple[str, ...] | None, places: tuple[str, ...]) -> None:
    assert (
        load_settings(alerts={"default_groups": ["cidOffice"]}, approvals={"groups": groups}).approval_groups == places
    )


class FakeDirectory(DingTalkDirectory):
    """A directory that knows li alone."""

    def __init__(self) -> None:
        """Ask nobody."""

    async def person(self, user_id: str) -> DirectoryPerson:
        if user_id != "li":
            raise DingTalkUnknownPerson("nobody")
        return DirectoryPerson(user_id="li", name="李", departments=frozenset({"901", "77", "1000"}), manager_id="wu")


def test_managers_and_departments_are_those_of_the_directory() -> None:
    staff = DingTalkStaffDirectory(FakeDirectory())
    assert asyncio.run(staff.member("li")) == StaffMember(manager="wu", department="77")
    assert asyncio.run(staff.member("guest")) is None


@pytest.mark.parametrize(("account", "undo"), [("", 0), ("bot", 30)])
def test_terms(account: str, undo: int) -> None:
    terms = terms_of(load_settings(approvals={"technical_account": account, "undo_seconds": undo}))
    assert terms.technical_account is bool(account)
    assert (terms.own_account, terms.undo) == (account, timedelta(seconds=undo))
