"""The files for those who watch the bot from outside: Prometheus' rules and Grafana's dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bot.mechanisms.metrics import Metrics

from .tree import ROOT

RULES, RULES_TEST = ROOT / "deploy/prometheus/rules.yml", ROOT / "deploy/prometheus/rules_test.yml"
DASHBOARD = ROOT / "deploy/grafana/dashboards/dingerp.json"

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="not installed here: promtool")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def known_names() -> set[str]:
    """Return the names of the bot's series, and of those that the rules record."""
    families = list(Metrics().registry.collect())
    buckets = {f"{family.name}_{end}" for family in families if family.type == "histogram" for end in ("bucket", "sum")}
    counters = {f"{family.name}_total" for family in families if family.type == "counter"}
    gauges = {family.name for family in families if family.type == "gauge"}
    return buckets | counters | gauges | {rule["record"] for rule in rules() if "record" in rule}


def used_names() -> Iterator[tuple[str, str]]:
    places = {
        "rules": [rule["expr"] for rule in rules()],
        "rules_test": re.findall(r"series: '([^']*)'", RULES_TEST.read_text(encoding="utf-8")),
        "dashboard": dashboard_queries(),
    }
    for place, expressions in places.items():
        for name in re.findall(r"\b(?:dingerp|process)[_:][\w:]+", " ".join(expressions)):
            yield place, name


def test_whatever_is_watched_is_told_by_the_bot() -> None:
    used, known = set(used_names()), known_names()
    assert {place for place, _ in used} == {"rules", "rules_test", "dashboard"}
    assert {(place, name) for place, name in used if name not in known} == set()


@needs_promtool
def test_the_rules_wake_for_each_trouble_and_for_nothing_else() -> None:
    told = subprocess.run(["promtool", "test", "rules", RULES_TEST], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_each_alert_is_tried_and_says_what_is_wrong_in_both_languages() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    tried = set(re.findall(r'alertname="(\w+)"', RULES_TEST.read_text(encoding="utf-8")))
    assert tried == {rule["alert"] for rule in alerts}
    for rule in alerts:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "summary_zh"}, rule["alert"]


@pytest.mark.parametrize("folder", ["docs", "docs/zh-CN"])
def test_the_page_says_where_to_look_after_each_alert(folder: str) -> None:
    page = (ROOT / folder / "how-to/read-metrics-and-logs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(Dingerp\w+)`", page)) == {rule["alert"] for rule in rules() if "alert" in rule}
