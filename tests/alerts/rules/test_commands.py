"""``dingerp routes check`` and ``dingerp routes test``: the production rules and intake, on files."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.admin.route_check import check_rules, try_routes
from bot.cli import cli
from bot.settings import Settings, load_settings
from bot.words.errors import ConfigurationError

RULES = """
[windows.workhours]
days = "workdays"
from = "08:30"
to = "17:30"

[[severity]]
when = "amount >= 50000 CNY"
severity = "critical"

[[routes]]
name = "finance"
types = ["invoice.*"]
to = ["role:finance"]
window = "workhours"
repeat = "1d"
escalate = [{after = "90m", to = ["person:boss01"]}]

[[routes]]
name = "stock"
types = ["stock.*"]
to = ["group:cidStock"]
group_by = ["warehouse"]
wait = "2m"

[[inhibit]]
name = "closed"
source = {types = ["custom.closed"]}
target = {types = ["stock.*"]}
equal = ["warehouse"]

[[silences]]
name = "holiday"
until = 2026-10-08T00:00:00
types = ["invoice.paid"]
"""


def cloud(kind: str, number: int, **data: object) -> dict[str, object]:
    return {"specversion": "1.0", "id": f"e{number}", "source": "erp", "type": kind, "subject": "X1", "data": data}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alerts.toml").write_text(RULES, encoding="utf-8")
    return load_settings(
        alerts={"default_groups": ["cidOffice"]}, access={"roles": {"finance": ["fin01"]}}, data_dir=tmp_path / "data"
    )


def tried(settings: Settings, events: object, *, form: str = "text", at: str = "2026-10-01T08:00") -> tuple[bool, str]:
    file = Path("event.json")
    file.write_text(events if isinstance(events, str) else json.dumps(events), encoding="utf-8")
    fine, lines = try_routes(settings, file, rules=None, at=at, source="main", form=form)
    return fine, "\n".join(lines)


def test_an_event_is_followed_to_its_cards(settings: Settings) -> None:
    fine, said = tried(settings, cloud("invoice.overdue", 1, amount="1200.50", currency="CNY"))
    assert fine
    assert said.splitlines() == [
        "invoice.overdue X1 (main/e1): opens invoice:main::X1",
        "  severity warning: the event's own",
        "  finance: yes",
        "  finance: to person:fin01",
        "  => person:fin01 by finance: card alert, shown 2026-10-08 08:30, again after 1d,"
        " after 90m also person:boss01",
    ]


def test_thresholds_count_and_what_is_critical_waits_for_no_window(settings: Settings) -> None:
    said = tried(settings, cloud("invoice.overdue", 1, amount="50000", currency="CNY"))[1]
    assert "  severity critical: severity 1" in said
    assert "shown 2026-10-01 08:00" in said


def test_an_event_of_several_items_is_split_and_grouped(settings: Settings) -> None:
    items = [{"sku": "A", "warehouse": "W1"}, {"sku": "B", "warehouse": "W2"}]
    said = tried(settings, cloud("stock.low", 1, items=items))[1]
    assert "stock.low A at W1 (main/e1): opens stock:main::A@W1" in said
    assert "stock.low B at W2 (main/e1, part 2): opens stock:main::B@W2" in said
    assert (
        "  => group:cidStock by stock: card alert_group, shown 2026-10-01 08:02, together with stock|warehouse='W2'"
    ) in said


def test_earlier_events_of_the_file_are_open_when_the_later_come(settings: Settings) -> None:
    closed = cloud("custom.closed", 1, warehouse="W1", title="Closed", resolved=False)
    low = cloud("stock.low", 2, sku="A", warehouse="W1")
    over = cloud("custom.closed", 3, warehouse="W1", title="Closed", resolved=True)
    said = tried(settings, [closed, low, over, {**low, "id": "e4"}])[1]
    first, second = (part.split("\n  =>")[1] for part in said.split("stock.low")[1:])
    assert "held back by closed: while custom.closed X1 is open" in first
    assert "held back" not in second


def test_silences_are_shown(settings: Settings) -> None:
    said = tried(settings, cloud("invoice.paid", 1))[1]
    assert "held back by holiday: until 2026-10-08 00:00" in said


def test_json_says_the_same(settings: Settings) -> None:
    items = [cloud("invoice.paid", 1, due_on="2026-09-01"), cloud("production.late", 2), cloud("nonsense", 3)]
    fine, said = tried(settings, items, form="json")
    shown: dict[str, Any] = json.loads(said)
    assert not fine
    assert shown["rejected"] == [{"id": "e3", "reason": "type is not known here"}]
    paid, late = shown["events"]
    assert paid["effect"] == "resolves"
    assert paid["targets"][0] == {
        "place": "person:fin01",
        "route": "finance",
        "card": "alert",
        "group": "invoice:main::X1",
        "shows_at": "2026-10-08T00:30:00+00:00",
        "held_back": "holiday: until 2026-10-08 00:00",
        "repeat": "1d",
        "escalate": [{"after": "90m", "to": ["person:boss01"]}],
    }
    assert [target["place"] for target in late["targets"]] == ["group:cidOffice"]
    assert late["why"] == [
        "finance: no, types = invoice.*",
        "stock: no, types = stock.*",
        "default: to group:cidOffice",
    ]


def test_rejected_events_say_why(settings: Settings) -> None:
    fine, said = tried(settings, {"id": "e1"})
    assert (fine, said) == (False, "rejected e1: specversion must be 1.0")


@pytest.mark.parametrize(
    ("content", "at", "reason"),
    [("{", "2026-10-01", "event.json: no JSON"), ("{}", "tomorrow", "'tomorrow' is no time, an example is")],
)
def test_what_cannot_be_read(settings: Settings, content: str, at: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        tried(settings, content, at=at)


def test_check_names_every_error(settings: Settings, tmp_path: Path) -> None:
    fine, lines = asyncio.run(check_rules(settings, None))
    assert (fine, lines[:1]) == (
        True,
        ["alerts.toml: fine, routes 2, thresholds 1, inhibitions 1, silences 1"],
    )
    wrong = tmp_path / "new.toml"
    wrong.write_text('revive = 5\n[[routes]]\nwhen = "amont > 5"\n', encoding="utf-8")
    fine, lines = asyncio.run(check_rules(settings, wrong))
    assert not fine
    assert lines == [
        f'{wrong}: line 1: revive: a duration is expected, examples are "30m", "2h", "1d"',
        f"{wrong}: line 3: when: no variable 'amont'; did you mean 'amount'?",
    ]


def test_check_without_rules(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").unlink()
    places = f"alerts.toml or {tmp_path / 'data' / 'alerts.toml'}"
    fine, lines = asyncio.run(check_rules(settings, None))
    assert (fine, lines[:1]) == (True, [f"{places}: there are no rules; every alert goes to group:cidOffice"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        asyncio.run(check_rules(settings, tmp_path / "missing.toml"))


def test_the_command_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "dingerp.toml").write_text('[access.roles]\nfinance = ["fin01"]\n[alerts]\ndefault_groups = ["cidX"]\n')
    Path("event.json").write_text(json.dumps(cloud("order.late", 1)))
    run = CliRunner().invoke
    checked = run(cli, ["routes", "check"])
    tested = run(cli, ["routes", "test", "event.json", "--at", "2026-10-01T09:00", "--as", "json"])
    assert (checked.exit_code, tested.exit_code) == (0, 0), (checked.output, tested.output)
    assert json.loads(tested.stdout)["events"][0]["targets"][0]["place"] == "group:cidX"
    Path("alerts.toml").write_text("x = 1\n")
    assert run(cli, ["routes", "check"]).exit_code == 1
    Path("event.json").write_text("[1]")
    Path("alerts.toml").write_text("")
    assert run(cli, ["routes", "test", "event.json"]).exit_code == 1


def test_a_file_that_is_not_read_is_named(settings: Settings, tmp_path: Path) -> None:
    unread = tmp_path / "data" / "alerts.toml"
    unread.parent.mkdir(exist_ok=True)
    unread.touch()
    fine, lines = asyncio.run(check_rules(settings, None))
    assert fine
    assert f"{unread}: warning: it is not read, since there is alerts.toml" in lines


def test_a_named_file_that_is_not_there_is_an_error(settings: Settings) -> None:
    named = settings.model_copy(update={"alerts": settings.alerts.model_copy(update={"rules": Path("gone.toml")})})
    with pytest.raises(ConfigurationError, match=r"alerts\.rules: there is no file gone\.toml"):
        asyncio.run(check_rules(named, None))


def test_where_the_rules_are_looked_for(settings: Settings, tmp_path: Path) -> None:
    assert settings.alert_rules == (Path("alerts.toml"), tmp_path / "data" / "alerts.toml")
    (tmp_path / "etc").mkdir()
    config = tmp_path / "etc" / "my.toml"
    config.write_text('data_dir = "store"\n')
    assert load_settings(config).alert_rules == (tmp_path / "etc" / "alerts.toml", Path("store/alerts.toml"))
    config.write_text('data_dir = "etc"\n')
    assert load_settings(config).alert_rules == (tmp_path / "etc" / "alerts.toml",), "both are one place"
    config.write_text('[alerts]\nrules = "mine.toml"\n')
    assert load_settings(config).alert_rules == (Path("mine.toml"),)
