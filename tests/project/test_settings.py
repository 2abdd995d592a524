"""Settings: the smallest configurations work, the environment takes precedence, mistakes are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap.access import make_access_policy
from bot.cards.language import choose_language, load_languages
from bot.settings import load_settings
from bot.settings.editions import EditionPlan, MonthlyQuotas, fitting_plan
from bot.words.errors import ConfigurationError
from tests.rows import each_row


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET", "DINGTALK_OPENAPI_ENDPOINT", "DINGTALK_OAPI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_the_smallest_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGTALK_CLIENT_ID", " dingabc ")
    monkeypatch.setenv("DINGTALK_CLIENT_SECRET", "hush")
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    settings = load_settings()
    assert settings.dingtalk.client_id == "dingabc"
    assert settings.erp["main"].vendor == "demo"
    assert settings.database == "sqlite:///data/dingerp.sqlite3"
    assert not settings.keys_missing
    assert "hush" not in repr(settings)


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[http]\nport = 1000\nhost = "0.0.0.0"\n[dingtalk]\nclient_id = "file"\n', encoding="utf-8")
    monkeypatch.setenv("DINGERP_HTTP__PORT", "2000")
    monkeypatch.setenv("DINGTALK_CLIENT_ID", "environment")
    settings = load_settings(file)
    assert (settings.http.port, settings.http.host) == (2000, "0.0.0.0")
    assert settings.dingtalk.client_id == "environment"


def test_the_file_in_the_current_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "dingerp.toml").write_text('[erp.main]\nvendor = "demo"\nlatency = 0.5\n', encoding="utf-8")
    assert load_settings().erp["main"].options == {"latency": 0.5}


def test_roles_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__ROLES", '{"approver": ["u1", "u2"]}')
    assert load_settings().access.roles == {"approver": {"u1", "u2"}}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[http]\nport = 70000", "http.port"),
        ("[http]\nporrt = 1", "http.porrt"),
        ('zone = "Mars/Olympus"', "zone"),
        ("[limits]\nclick_seconds = 3", "limits.click_seconds"),
        ("[erp.main]\ntimeout = 1", "erp.main.vendor"),
        ("this is not toml", "unreadable"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=named.replace(".", r"\.")):
        load_settings(file)


WRONG_VALUES = {
    "[http]\nport = 70000": "配置有误：http.port：不能大于 65535",
    "[http]\nport = 'x'": "配置有误：http.port：要写整数，写的内容不是整数",
    "[http]\nprot = 1": "配置有误：没有 http.prot 这个配置项；是不是 http.port？",
    "[log]\nlevel = 'loud'": "配置有误：log.level：只能是 'debug', 'info', 'warning' or 'error'",
    "[access]\nopen = 'maybe'": "配置有误：access.open：要写 true 或 false，写的内容认不出来",
    "zone = 'Asia/Shangai'": "配置有误：zone：未知的时区 'Asia/Shangai'，例如 \"Asia/Shanghai\"",
    "[access]\nopen = yes": "dingerp.toml 里的配置读不出来：第 2 行：不是有效的 TOML，第 8 列：值的写法不正确",
    "[access]\nrules = 5": "配置有误：access.rules：要写成列表",
}


@each_row("text, said", WRONG_VALUES.items())
def test_mistakes_are_named_in_chinese_too(text: str, said: str) -> None:
    Path("dingerp.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert choose_language(load_languages(), "zh_CN").say(caught.value.explain()).startswith(said)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such configuration file"):
        load_settings(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("DINGERP_ERP_MAIN_VENDOR", "DINGERP_ERP_MAIN_VENDOR is no setting; did you mean DINGERP_ERP?"),
        ("DINGERP_ACESS__ROLES", "DINGERP_ACESS__ROLES is no setting; did you mean DINGERP_ACCESS?"),
        ("DINGERP_ACCESS__PRESET", "access.preset is no setting; did you mean access.presets?"),
        ("DINGERP_HOOKS__SHOP__SECRT", "hooks.shop.secrt is no setting; did you mean hooks.shop.secret?"),
        ("DINGERP_APPROVALS__NATIVE__PROCES", "approvals.native.proces is no setting; did you mean approvals.native.p"),
        ("DINGERP_HTTP__ZZZ", "http.zzz is no setting"),
        ("DINGERP_ERP__MAIN__VENDR", "erp.main.vendr is no setting; did you mean erp.main.vendor?"),
        ("DINGERP_PORT", "DINGERP_PORT is no setting; did you mean DINGERP_"),
        ("DINGERP_TIMEZONE", "DINGERP_TIMEZONE is no setting; did you mean DINGERP_ZONE?"),
    ],
)
def test_a_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, variable: str, said: str) -> None:
    monkeypatch.setenv(variable, "demo")
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_settings()


@each_row(
    "variable, value",
    [
        ("DINGERP", "somebody's own"),
        ("DINGERP_PORT", "tcp://10.0.0.7:8788"),
        ("DINGERP_SERVICE_HOST", "10.0.0.7"),
        ("DINGERP_SERVICE_PORT", "8788"),
        ("DINGERP_SERVICE_PORT_HTTP", "8788"),
        ("DINGERP_PORT_8788_TCP", "tcp://10.0.0.7:8788"),
        ("DINGERP_PORT_8788_TCP_PROTO", "tcp"),
        ("DINGERP_PORT_8788_TCP_PORT", "8788"),
        ("DINGERP_PORT_8788_TCP_ADDR", "10.0.0.7"),
        ("DINGERP_HOOKS_PORT", "udp://10.0.0.7:8788"),
        ("DINGERP_HOOKS_SERVICE_HOST", "10.0.0.7"),
    ],
)
def test_what_kubernetes_tells_of_services_is_no_setting_and_no_mistake(variable: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, value)
        assert load_settings().http.port == 8788


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DINGERP_ERP__MAIN__TIMEOUT", "1", "erp.main.vendor is missing"),
        ("DINGERP_ACCESS__ROLES", '{"boss": "geheim"}', 'access.roles.boss: must be a list, such as ["a", "b"]'),
        ("DINGERP_ACCESS__ROLES", "{boss: [geheim]}", "DINGERP_ACCESS__ROLES is no JSON: Expecting property name"),
        ("DINGERP_ACCESS__ROLES", "[]", 'access.roles: must be a table, such as {"name": "value"}'),
        ("DINGERP_ALERTS__DEFAULT_GROUPS", "cidgeheim", "DINGERP_ALERTS__DEFAULT_GROUPS is no JSON"),
        ("DINGERP_HTTP", "geheim", "DINGERP_HTTP is no JSON"),
    ],
)
def test_a_wrong_value_is_named_in_plain_words_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=re.escape(said)) as error:
        load_settings()
    assert "geheim" not in str(error.value)


RULE = """
[access.roles]
finance = ["finance01"]
[[access.rules]]
commands = ["{command}"]
roles = ["{role}"]
"""


@pytest.mark.parametrize(
    ("command", "role", "wrong"),
    [
        ("invoise", "finance", "line 5: commands: there is no command 'invoise'; did you mean 'invoice'\\?"),
        ("invoice", "finanse", "line 6: roles: there is no role 'finanse'; did you mean 'finance'\\?"),
        ("发票", "finance", "line 5: commands: there is no command '发票'; did you mean 'invoice'\\?"),
    ],
)
def test_a_rule_about_nothing_is_an_error(tmp_path: Path, command: str, role: str, wrong: str) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text(RULE.format(command=command, role=role), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"dingerp.toml: {wrong}"):
        make_access_policy(load_settings(file))


def test_a_rule_by_the_environment_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "DINGERP_ACCESS__RULES",
        '[{"commands": ["po"], "roles": ["*"]}, {"commands": ["po"], "rolls": ["*"], "effect": "refuse"}]',
    )
    with pytest.raises(ConfigurationError) as error:
        make_access_policy(load_settings())
    assert error.value.detail == (
        "DINGERP_ACCESS__RULES: rule 2: effect: 'refuse' is no effect; there are: allow, deny; "
        "rule 2: unknown key 'rolls'; did you mean 'roles'?"
    )


def test_the_file_of_rules_adds_to_those_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text(RULE.format(command="invoice", role="finance"), encoding="utf-8")
    (tmp_path / "access.toml").write_text('[[rules]]\ncommands = ["po"]\nroles = ["finance"]\n', encoding="utf-8")
    policy = make_access_policy(load_settings(file))
    assert [rule.name for rule in policy.rules] == ["rule 1", "access.toml rule 1"]


def test_a_file_of_rules_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DINGERP_ACCESS__FILE", "gone.toml")
    with pytest.raises(ConfigurationError, match=r"access\.file: there is no file gone\.toml"):
        make_access_policy(load_settings())


def test_presets_and_the_switch_come_by_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text("[access]\npresets = true\nread_only = true\n", encoding="utf-8")
    policy = make_access_policy(load_settings(file))
    assert "preset keeper" in {rule.name for rule in policy.rules}
    assert policy.read_only


@pytest.mark.parametrize(("command", "role"), [("invoice", "finance"), ("*", "*"), ("po", "admin")])
def test_a_rule_about_what_exists_is_taken(tmp_path: Path, command: str, role: str) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text(RULE.format(command=command, role=role), encoding="utf-8")
    assert make_access_policy(load_settings(file)).rules[0].commands == {command}


def test_with_the_directory_every_role_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text("[access]\ndirectory = true\n" + RULE.format(command="invoice", role="财务"), encoding="utf-8")
    assert make_access_policy(load_settings(file)).rules[0].roles == {"财务"}


@pytest.mark.parametrize(
    ("limits", "calls", "uses"),
    [
        ({}, 5_000, 3_000),
        ({"edition": "standard-2024"}, 10_000, 5_000),
        ({"edition": "professional"}, 200_000, 50_000),
        ({"edition": "professional", "packs": 2}, 10_200_000, 1_050_000),
        ({"edition": "professional", "monthly_calls": 7}, 7, 50_000),
        ({"monthly_uses": 8}, 5_000, 8),
    ],
)
def test_an_edition_gives_both_quotas(limits: dict[str, Any], calls: int, uses: int) -> None:
    assert load_settings(limits=limits).limits.month == MonthlyQuotas(calls, uses)


def test_an_unknown_edition_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        load_settings(limits={"edition": "gold"})


@pytest.mark.parametrize(
    ("calls", "uses", "plan"),
    [
        (5_000, 3_000, EditionPlan("standard")),
        (5_001, 0, EditionPlan("professional")),
        (0, 50_001, EditionPlan("professional", 1)),
        (6_000_000, 0, EditionPlan("professional", 2)),
    ],
)
def test_the_smallest_plan_that_is_enough(calls: int, uses: int, plan: EditionPlan) -> None:
    assert fitting_plan(calls, uses) == plan
