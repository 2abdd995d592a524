"""A company's own figures are open to nobody before somebody has chosen who may see what."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import cli
from bot.access.areas import AREA_COMMANDS
from bot.access.people import Person
from bot.admin.access import check_access
from bot.bootstrap.access import AccessNotChosen, follow_access, make_access_policy
from bot.bootstrap.names import known_names, names_in_force
from bot.bootstrap.preflight import check_settings
from bot.chat.registry import Commands
from bot.doctor import CheckGrade, describe_results
from bot.doctor.local import check_access_rules
from bot.settings import load_settings
from bot.words.disclosure import FieldClass
from tests.rows import each_row

ODOO = '[erp.main]\nvendor = "odoo"\n'
MIXED = '[erp.demo]\nvendor = "demo"\n' + ODOO
RULE = '[[access.rules]]\ncommands = ["stock"]\nroles = ["*"]\n'
DENIAL = '[[access.rules]]\ncommands = ["invoice"]\nroles = ["*"]\neffect = "deny"\n'
SHARED = '[[access.rules]]\ncommands = ["stock"]\nshared = true\nfields = ["quantity"]\n'
IN_FILE = RULE.replace("access.", "")
ENVIRONMENT = "DINGERP_ACCESS__OPEN=true"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(configuration: str, rules: str | None = None) -> None:
    Path("dingerp.toml").write_text(configuration, encoding="utf-8")
    Path("access.toml").unlink(missing_ok=True)
    if rules is not None:
        Path("access.toml").write_text(rules, encoding="utf-8")


CHOSEN = [
    ('[erp.main]\nvendor = "demo"\n', None),
    (ODOO + "[access]\nopen = true\n", None),
    (ODOO + "[access]\npresets = true\n", None),
    (ODOO + RULE, None),
    (ODOO, IN_FILE),
    (ODOO, "open = true\n"),
    (ODOO, "presets = true\n"),
    (MIXED + "[access]\nopen = true\n", None),
    (ODOO + DENIAL, "open = true\n"),
]


@each_row("configuration, rules", CHOSEN)
def test_what_was_chosen_starts(configuration: str, rules: str | None) -> None:
    write(configuration, rules)
    settings = load_settings()
    check_settings(settings)
    assert asyncio.run(check_access(settings, None))[0]
    assert check_access_rules(settings, known_names(settings, Commands.discover())).grade is CheckGrade.GOOD


UNCHOSEN = [
    (ODOO, None),
    (MIXED, None),
    (ODOO + "[access]\nopen = false\n", None),
    (ODOO + "[access]\nread_only = true\n", None),
    (ODOO + '[access.roles]\nkeeper = ["keeper01"]\n', None),
    (ODOO + DENIAL, None),
    (ODOO + SHARED, None),
    (ODOO, "read_only = true\n"),
]


@each_row("configuration, rules", UNCHOSEN)
def test_what_nobody_chose_is_refused_by_the_same_words_everywhere(configuration: str, rules: str | None) -> None:
    write(configuration, rules)
    settings = load_settings()
    with pytest.raises(AccessNotChosen) as refused:
        check_settings(settings)
    told = str(refused.value)
    assert told.startswith("Nobody has said who may see what of main: set access.presets = true")
    assert ENVIRONMENT in told
    fine, lines = asyncio.run(check_access(settings, None))
    assert not fine
    assert [line for line in lines if told in line]
    found = check_access_rules(settings, known_names(settings, Commands.discover()))
    assert (found.grade, str(found.words)) == (CheckGrade.BAD, told)


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    write(ODOO)
    monkeypatch.setenv(*ENVIRONMENT.split("="))
    check_settings(load_settings())


def test_a_choice_that_is_taken_back_leaves_the_last_rules_in_force() -> None:
    write(ODOO, IN_FILE)
    settings = load_settings()
    rules = follow_access(settings, names_in_force(settings, Commands.discover()))
    Path("access.toml").write_text("read_only = true\n# nobody chose\n", encoding="utf-8")
    rules.look()
    rules.look()
    assert len(rules.current().rules) == 1
    assert "access.open = true" in str(rules.defect)


@each_row(
    "locale, words", [("zh_CN.UTF-8", "还没有人说明"), ("en_US.UTF-8", "Nobody has said who may see what of main")]
)
def test_the_start_is_refused_in_the_language_of_the_terminal(
    locale: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(ODOO)
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"LANG": locale, "DINGTALK_CLIENT_ID": "ding", "DINGTALK_CLIENT_SECRET": "hush"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["dingerp", "run"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("{")]
    assert (ended.value.code, len(said)) == (2, 1)
    assert said[0].startswith(f"dingerp: {words}")
    assert ENVIRONMENT in said[0]


@each_row(
    "locale, rules, words",
    [
        ("zh_CN.UTF-8", "access", "配置：没有问题，0 条规则"),
        ("zh_CN.UTF-8", "routes", "没有规则；所有预警发给：无人"),
        ("zh_CN.UTF-8", "policy", "没有规则；所有采购单都由角色“approver”的成员审批"),
        ("en_US.UTF-8", "access", "configuration: fine, 0 rules"),
        ("en_US.UTF-8", "routes", "there are no rules; every alert goes to nobody"),
        ("en_US.UTF-8", "policy", "there are no rules; members of the role 'approver' decide on every purchase order"),
    ],
)
def test_rules_are_checked_in_the_language_of_the_terminal(
    locale: str, rules: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    monkeypatch.setattr("sys.argv", ["dingerp", rules, "check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    first, running = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    assert (ended.value.code, first.endswith(words)) == (0, True)
    assert ("没有正在运行的机器人" in running) is locale.startswith("zh")


def test_the_doctor_says_it_in_the_language_of_the_settings() -> None:
    write(ODOO)
    settings = load_settings()
    lines = list(
        describe_results([check_access_rules(settings, known_names(settings, Commands.discover()))], settings.language)
    )
    assert lines[0].startswith("[!!] 权限规则: 还没有人说明谁可以看 main")
    assert "docs/how-to/configure-access.md" in lines[1]


def test_with_the_presets_a_keeper_sees_no_amount_of_any_document() -> None:
    write(ODOO + '[access]\npresets = true\n[access.roles]\nkeeper = ["keeper01"]\n')
    policy = make_access_policy(load_settings())
    keeper = Person(user_id="keeper01", name="王仓")
    verdicts = {command: policy.decide_area(keeper, command) for command in AREA_COMMANDS.values()}
    assert {command for command, verdict in verdicts.items() if verdict.allowed} == {"stock", "mo"}
    seen = frozenset[FieldClass]().union(*(verdict.grant.fields for verdict in verdicts.values() if verdict.allowed))
    assert seen == {FieldClass.QUANTITY}


CLOSED = ("invoice", "order", "po", "mo")


@each_row(
    ("configuration", "closed"),
    [
        (ODOO + RULE, CLOSED),
        (MIXED + RULE, CLOSED),
        (ODOO + RULE + DENIAL, CLOSED),
        (ODOO + "[access]\nopen = true\n" + RULE, ()),
        ('[erp.main]\nvendor = "demo"\n' + RULE, ()),
        (ODOO + RULE.replace('"stock"', '"*"'), ()),
        (ODOO + "[access]\npresets = true\n" + RULE, ()),
    ],
)
def test_what_no_rule_is_about_is_closed_with_a_companys_own_figures(
    configuration: str, closed: tuple[str, ...]
) -> None:
    write(configuration)
    settings = load_settings()
    policy = make_access_policy(settings)
    member = Person(user_id="someone01", name="某人", roles=frozenset({"经理"}))
    for command in CLOSED:
        verdict = policy.decide_area(member, command)
        shared = policy.shared_grant("", command, outsiders=False)
        assert verdict.allowed is (command not in closed), command
        assert not closed or not shared.scopes
    if closed:
        assert str(policy.decide_area(member, "po").reason) == "No rule says who may use /po."
    told = f"closed to everybody, since no rule allows them to anybody: /{', /'.join(policy.closed)}"
    assert (told in asyncio.run(check_access(settings, None))[1]) is bool(closed)
    found = check_access_rules(settings, known_names(settings, Commands.discover()))
    assert ("no rule allows /order, /invoice, /po, /mo to anybody" in str(found.words)) is bool(closed)
