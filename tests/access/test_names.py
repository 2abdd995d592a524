"""Names that lead nowhere: the same words by the checks, the doctor, the start, and an edit while the bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from bot.admin import access, policy_context, route_check
from bot.bootstrap.names import known_names, names_in_force
from bot.bootstrap.preflight import check_settings
from bot.bootstrap.rules import open_rules
from bot.chat.registry import installed_commands
from bot.doctor import CheckGrade
from bot.doctor.local import check_access_rules, check_parts
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings, load_settings
from bot.words.errors import ConfigurationError
from bot.words.names import NOTHING_SEEN, NameFacts
from bot.words.phrase import Words
from tests.rows import each_row

SEEN, OTHER = "cidKp3Lr+9x/WhSales0001Aa==", "cidXz81Qw/22cYtNobody0009Zz=="
ALIKE = SEEN.replace("Aa==", "Ab==")
FACTS = NameFacts(
    people={"boss01": "周慧", "finance01": "李娜", "keeper01": "王仓"},
    departments={"12": "采购部", "13": "仓储部"},
    roles={"财务"},
    conversations={SEEN},
    read_at=datetime(2026, 11, 27, tzinfo=UTC),
)
SETTINGS = f"""
[erp.main]
vendor = "demo"
[alerts]
default_groups = ["{SEEN}"]
[access.roles]
approver = ["boss01"]
finance = ["finance01"]
"""


class Found(Enum):
    """What a name that leads nowhere does: ``(the checks call it an error, the start and an edit are refused)``."""

    REFUSED = (True, True)
    TOLD = (True, False)
    """An error for who checks; the bot starts and tells the log."""
    WARNED = (False, False)


R, T, W = Found


def access_rule(line: str, *, also: str = 'roles = ["finance"]') -> str:
    return f'[[rules]]\ncommands = ["order"]\n{also}\n{line}\n'


def route(line: str) -> str:
    return f'[default]\nto = ["group:{SEEN}"]\n[[routes]]\n{line}\n'


def approval_rule(line: str = "", *, levels: str = '{any = ["role:approver"]}') -> str:
    return f'[[rules]]\nname = "r"\nlevels = [{levels}]\n{line}\n'


GROUP_ID = "is no id of a conversation; /whoami tells it, cid… with its capitals"
BOS = "the directory knows no member 'bos01'; did you mean 'boss01' (周慧)?"
UNWRITTEN = f"conversations in which nobody has written to the bot yet: '{OTHER}'"
MIAN = "no ERP is called 'mian'; did you mean 'main'?"
MIAN_SENDS = "no ERP is called 'mian', whose events would come here; did you mean 'main'?"
SECRET = "whsec_" + "QQ" * 20 + "=="
CONFIGURED: list[tuple[str, Found, str]] = [
    ('[access]\noutsider_groups = ["客户项目群"]', R, f"line 10: access.outsider_groups: '客户项目群' {GROUP_ID}"),
    (f'[access]\noutsider_groups = ["{OTHER}"]', W, f"line 10: {UNWRITTEN} (line 10)"),
    (f'[access]\noutsider_groups = ["{ALIKE}"]', T, f"there is no conversation '{ALIKE}'; did you mean '{SEEN}'?"),
    (f'[approvals]\ngroups = ["group:{SEEN}"]', R, f"approvals.groups: 'group:{SEEN}' {GROUP_ID}"),
    ('[approvals]\ngroups = ["采购群"]', R, f"approvals.groups: '采购群' {GROUP_ID}"),
    ('[approvals]\ngroups = [" "]', R, f"approvals.groups: '' {GROUP_ID}"),
    (f'[approvals]\ngroups = ["{OTHER}"]', W, UNWRITTEN),
    ('[understanding.model]\nexcluded_conversations = ["人事群"]', R, f"excluded_conversations: '人事群' {GROUP_ID}"),
    ('[access.roles]\nboard = ["bos01"]', T, f"line 9: access.roles.board: {BOS}"),
    ('[access.roles]\nboard = ["周慧"]', T, "the directory knows no member '周慧'; did you mean 'boss01' (周慧)?"),
    ('[access.roles]\nboard = ["qqq"]', T, "the directory knows no member 'qqq'; /whoami tells everybody's own"),
    ('[access.roles]\nboard = ["person:boss01"]', R, "access.roles.board: 'person:boss01' is no user id; it stands"),
    ('[access.roles]\nboard = ["boss 01"]', R, "access.roles.board: 'boss 01' is no user id"),
    ('[access.roles]\nboard = ["*"]', R, "access.roles.board: '*' is no user id"),
    ('[access.roles]\nboard = [""]', R, "access.roles.board: '' is no user id"),
    ('[access.accounts]\nboss01 = {mian = "zhou"}', R, f"line 10: access.accounts.boss01.mian: {MIAN}"),
    ('[access.accounts]\nmain = {boss01 = "zhou"}', R, "access.accounts.main.boss01: no ERP is called 'boss01'"),
    ('[access.accounts]\nbos01 = {main = "zhou"}', T, f"access.accounts.bos01: {BOS}"),
    (
        '[access.accounts]\nboss01 = {main = "bot"}\nkeeper01 = {main = "bot"}',
        R,
        "line 11: access.accounts.keeper01.main: 'boss01' has this account already",
    ),
    ('[languages]\nbos01 = "en"', T, f"languages.bos01: {BOS}"),
    ('[approvals.native]\noriginator = "bos01"', T, f"approvals.native.originator: {BOS}"),
    ('[approvals.native]\noriginator = "person:boss01"', R, "originator: 'person:boss01' is no user id"),
    ('[products]\n"A-1" = {mian = "B-1"}', R, f"products.A-1.mian: {MIAN}"),
    ('[erp.main.approvers]\nbos01 = "hush"', T, f"erp.main.approvers.bos01: {BOS}"),
    (f'[hooks.mian]\nsecret = "{SECRET}"', W, f"line 9: hooks.mian: {MIAN_SENDS}"),
    ('[queues.mian]\nurl = "redis://localhost"\nname = "x"', W, f"line 9: queues.mian: {MIAN_SENDS}"),
    ('[access]\nfile = "acces.toml"', R, "access.file: there is no file acces.toml"),
    ("[alerts_]\nx = 1", R, "alerts_ is no setting; did you mean alerts?"),
    ('[approvals]\nrules = "aproval.toml"', R, "approvals.rules: there is no file aproval.toml"),
    ("[access]\noutsidr_groups = []", R, "access.outsidr_groups is no setting; did you mean access.outsider_groups?"),
    ('[access.roles]\nboard = "boss01"', R, "access.roles.board: must be a list"),
    ('[erp.plant]\nvendor = "odoo"', R, "Nobody has said who may see what of plant: set access.presets = true"),
    (access_rule("conversations = []").replace("[[", "[[access."), R, "conversations: the list is empty, which would"),
    (access_rule('people = ["bos01"]').replace("[[", "[[access."), T, f"people: {BOS}"),
    (access_rule("", also='roles = ["finanse"]').replace("[[", "[[access."), R, "there is no role 'finanse'; did you"),
]
IN_ACCESS: list[tuple[str, Found, str]] = [
    (access_rule('people = ["person:boss01"]'), R, "line 4: people: 'person:boss01' is no user id"),
    (access_rule('people = ["bos01"]'), T, f"line 4: people: {BOS}"),
    (access_rule('departments = ["采购布"]'), T, "the directory knows no department '采购布'; did you mean '采购部'?"),
    (
        access_rule("", also='roles = ["finanse"]'),
        R,
        "line 3: roles: there is no role 'finanse'; did you",
    ),
    (access_rule("", also='roles = ["production"]'), W, "roles: nobody has the role 'production' in access.roles"),
    (access_rule("", also="roles = []"), R, "line 3: roles: the list is empty, so that nothing would fit"),
    (access_rule('conversations = ["仓库群"]'), R, f"line 4: conversations: '仓库群' {GROUP_ID}"),
    (access_rule("conversations = []"), R, "line 4: conversations: the list is empty, which would mean everywhere"),
    (access_rule(f'conversations = ["{OTHER}"]'), W, UNWRITTEN),
    (access_rule(f'conversations = ["{ALIKE}"]'), R, f"there is no conversation '{ALIKE}'; did you mean '{SEEN}'?"),
    (access_rule('sources = ["mian"]'), R, f"line 4: sources: {MIAN}"),
    ('[[rules]]\ncommands = []\nroles = ["*"]\n', R, "line 2: commands: the list is empty"),
    ('[[rules]]\ncommands = ["ordr"]\nroles = ["*"]\n', R, "there is no command 'ordr'; did you mean 'order'?"),
]
IN_ALERTS: list[tuple[str, Found, str]] = [
    (route('to = ["group:仓库群"]'), R, f"line 4: to: '仓库群' {GROUP_ID}"),
    (route(f'to = ["group:{OTHER}"]'), W, UNWRITTEN),
    (route('to = ["person:bos01"]'), T, f"line 4: to: {BOS}"),
    (route('to = ["role:finanse"]'), R, "line 4: to: nobody has the role 'finanse' in access.roles; did you mean 'fin"),
    (route('escalate = [{after = "30m", to = ["person:bos01"]}]'), T, f"to: {BOS}"),
    (route('sources = ["mian"]'), W, "sources: no ERP, webhook or queue is called 'mian'; did you mean 'main'?"),
    (f'[default]\nto = ["group:{SEEN}"]\n[owners]\nW1 = "group:仓库群"\n', R, f"line 4: W1: '仓库群' {GROUP_ID}"),
    (
        f'[default]\nto = ["group:{SEEN}"]\n[[silences]]\nuntil = 2027-01-01\nplaces = []\n',
        R,
        "line 5: places: the list is empty, which would mean all of them",
    ),
    (
        f'[default]\nto = ["group:{SEEN}"]\n[[inhibit]]\nsource = {{min_age = 1}}\ntarget = {{min_age = 2}}\n'
        "equal = []\n",
        R,
        "line 6: equal: the list is empty, which would mean all of them",
    ),
]
IN_APPROVALS: list[tuple[str, Found, str]] = [
    (approval_rule(levels='{any = ["person:bos01"]}'), T, f"line 3: any: {BOS}"),
    (
        approval_rule(levels='{any = ["role:finanse"]}'),
        R,
        "any: nobody has the role 'finanse' in access.roles",
    ),
    (approval_rule('requesters = ["person:bos01"]'), T, f"line 4: requesters: {BOS}"),
    (approval_rule('sources = ["mian"]'), R, f"line 4: sources: {MIAN}"),
    (approval_rule('departments = ["采购部"]'), T, "it is known by its id here, write '12'"),
    (
        approval_rule('deadline = "1d"\non_expiry = "escalate"\nescalate_to = ["person:bos01"]'),
        T,
        f"line 6: escalate_to: {BOS}",
    ),
    (
        'default = true\n[[substitutes]]\nperson = "boss01"\nby = "bos01"\nfrom = 2026-10-01\nuntil = 2026-10-07\n',
        T,
        f"line 4: by: {BOS}",
    ),
    ('[[limits]]\nwho = ["role:x"]\nup_to = ["5 CNY"]\n', R, "line 2: who: nobody has the role 'x' in access.roles"),
]
FILES = {"access.toml": IN_ACCESS, "alerts.toml": IN_ALERTS, "approvals.toml": IN_APPROVALS}
ROWS = [
    *(("dingerp.toml", SETTINGS + text, found, words) for text, found, words in CONFIGURED),
    *((file, text, found, words) for file, rows in FILES.items() for text, found, words in rows),
]


@pytest.fixture(autouse=True)
def _seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database has seen."""
    monkeypatch.chdir(tmp_path)

    async def look(_settings: Settings) -> NameFacts:
        return FACTS

    for module in (access, policy_context, route_check):
        monkeypatch.setattr(module, "look_for_facts", look)


def write(file: str, text: str) -> None:
    for each in FILES:
        Path(each).unlink(missing_ok=True)
    Path("dingerp.toml").write_text(merged(text) if file == "dingerp.toml" else SETTINGS, encoding="utf-8")
    if file != "dingerp.toml":
        Path(file).write_text(text, encoding="utf-8")


def merged(text: str) -> str:
    """Return settings with further roles in the table that they have already."""
    first, header, further = text.rpartition("[access.roles]\n")
    return first + further if header in first else text


def checked(settings: Settings) -> tuple[bool, str]:
    checks: tuple[Callable[..., Any], ...] = (
        access.check_access,
        route_check.check_rules,
        policy_context.check_policy,
    )
    told: list[tuple[bool, list[str]]] = []
    for check in checks:
        try:
            told.append(asyncio.run(check(settings, None)))
        except ConfigurationError as error:
            told.append((False, [error.detail]))
    return all(fine for fine, _ in told), "\n".join(line for _, lines in told for line in lines)


def diagnosed(settings: Settings) -> tuple[bool, str]:
    known = known_names(settings, installed_commands(), FACTS, is_strict=True)
    results = [check_access_rules(settings, known), *check_parts(settings, known)]
    well = not any(result.grade is CheckGrade.BAD for result in results)
    return well, "\n".join(str(result.words) for result in results)


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 54


@each_row("file, text, found, words", ROWS)
def test_a_name_that_leads_nowhere_is_said_by_the_same_words_everywhere(
    file: str, text: str, found: Found, words: str
) -> None:
    write(file, text)
    is_error, is_refused = found.value
    if refusal := refusal_of(load_settings):  # nothing that needs settings goes further
        assert (found, words in refusal) == (R, True), refusal
        return
    settings = load_settings()
    for way, (well, told) in {"check": checked(settings), "doctor": diagnosed(settings)}.items():
        assert spaced(words) in spaced(told), f"{way}: {told}"
        assert well is not is_error, f"{way}: {told}"
    assert spaced(words) in spaced(started(settings, is_refused=is_refused))


def refusal_of(work: Callable[[], object]) -> str:
    try:
        work()
    except ConfigurationError as error:
        return error.detail
    return ""


def spaced(text: str) -> str:
    """Return a text as `access check` writes lines, too: ``access.toml:4:``."""
    return text.replace(".toml: line ", ".toml:").replace("line ", "")


def started(settings: Settings, *, is_refused: bool) -> str:
    """Return what the start says, and the log when the database was looked at."""
    refusal = refusal_of(lambda: check_settings(settings))
    assert bool(refusal) is is_refused, refusal
    if refusal:
        return refusal
    told: list[Words] = []
    names = NamesInForce(known_names(settings, installed_commands()), told.append)
    names.use("settings", names_in_force(settings, installed_commands()).references)
    followed(settings, names)
    names.learn(FACTS)
    names.learn(FACTS)
    return "\n".join(map(str, told))


def followed(settings: Settings, names: NamesInForce) -> dict[str, FollowedFile[Any]]:
    return dict(zip((*FILES, "questions.toml"), open_rules(settings, names).named.values(), strict=True))


GOOD = {"access.toml": access_rule(""), "alerts.toml": route('name = "a"'), "approvals.toml": approval_rule()}


@each_row("file, text, found, words", [row for row in ROWS if row[0] != "dingerp.toml"])
def test_an_edit_is_refused_or_told_by_the_same_words(file: str, text: str, found: Found, words: str) -> None:
    write(file, GOOD[file])
    settings = load_settings()
    told: list[Words] = []
    names = NamesInForce(known_names(settings, installed_commands(), FACTS), told.append)
    rules = followed(settings, names)[file]
    before = rules.in_force.sha256
    Path(file).write_text(text, encoding="utf-8")
    rules.look()
    rules.look()
    assert (rules.in_force.sha256 == before) is found.value[1]
    assert words in (str(rules.defect) if found is R else "\n".join(map(str, told)))


def test_names_are_told_when_the_bot_has_seen_more_and_each_once() -> None:
    write("access.toml", access_rule('people = ["bos01"]'))
    settings = load_settings()
    told: list[Words] = []
    names = NamesInForce(known_names(settings, installed_commands()), told.append)
    followed(settings, names)
    assert told == []
    names.learn(FACTS)
    names.learn(FACTS)
    assert [*map(str, told)] == [f"access.toml: line 4: people: {BOS}"]


def test_names_not_seen_yet_are_told_at_the_second_look_alone() -> None:
    write("access.toml", access_rule('people = ["boss01", "bos01"]'))
    settings = load_settings()
    told: list[Words] = []
    names = NamesInForce(known_names(settings, installed_commands()), told.append)
    followed(settings, names)
    names.learn(NOTHING_SEEN)
    assert told == [], "the directory is being read"
    names.learn(NOTHING_SEEN)
    assert "people who have not written" in str(told[0])
    names.learn(FACTS)
    assert [BOS in str(each) for each in told] == [False, True]


REFUSED_NAMES = [
    ("emptied", "access.toml", '[[rules]]\neffect = "deny"\ncommands = ["order"]\npeople = ["bos01"]\n'),
    ("cut off", "access.toml", access_rule('people = ["bos01"]')),
    ("wrong beside it", "alerts.toml", route(f'to = ["person:bos01", "{SEEN}"]\nunknown = 1')),
]


@each_row("why, file, text", REFUSED_NAMES)
def test_the_names_of_a_file_that_is_refused_are_not_in_force(why: str, file: str, text: str) -> None:
    two = access_rule('people = ["boss01"]') + "\n" + access_rule('people = ["keeper01"]\nname = "b"')
    write(file, two if file == "access.toml" else GOOD[file])
    settings = load_settings()
    told: list[Words] = []
    names = NamesInForce(known_names(settings, installed_commands(), FACTS), told.append)
    rules = followed(settings, names)[file]
    before = names.references
    Path(file).write_text(text, encoding="utf-8")
    rules.look()
    rules.look()
    assert str(rules.defect), why
    assert names.references == before, why
    names.learn(FACTS)
    assert told == [], "of names that nothing obeys"


def test_a_file_in_an_earlier_place_takes_the_names_of_the_one_before_out_of_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("dingerp.toml", "")
    monkeypatch.setenv("DINGERP_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    beside, inside = settings.access_rules
    inside.parent.mkdir()
    inside.write_text(access_rule('people = ["boss01"]'), encoding="utf-8")
    names = NamesInForce(known_names(settings, installed_commands(), FACTS), lambda doubt: None)
    rules = followed(settings, names)["access.toml"]
    beside.write_text(access_rule('people = ["keeper01"]'), encoding="utf-8")
    rules.look()
    rules.look()
    people = [each.value for each in names.references if each.key == "people"]
    assert (rules.path, people) == (beside, ["keeper01"])
