"""Each piece of background work has said where it runs, if several replicas work together."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bot.mechanisms.background import Runs

_BOT = Path(__file__).parents[2] / "bot"
_STARTS = frozenset({"run_in_background", "running"})

EVERYWHERE = {
    "accounts",
    "alerts",
    "announcements",
    "approvals reports",
    "approvals staff",
    "approvals writer",
    "audit",
    "creations",
    "dialogues",
    "directory",
    "erp_records",
    "findings",
    "health",
    "inbox",
    "index",
    "keys",
    "meter",
    "names",
    "native approvals",
    "outbox",
    "outsiders",
    "people",
    "places",
    "probes",
    "questions of others",
    "queue {address.source}",
    "receiver {receiver.name}",
    "refusals",
    "replica",
    "rules",
    "speeds",
    "stream",
    "tidy",
    "understanding",
    "traces",
    "unread sentences",
}
WITH_LEAD = {
    "absences",
    "approvals keeping",
    "approvals rounds",
    "audit keeping",
    "creation keeping",
    "deliveries of others",
    "efficiency",
    "events",
    "gate deadlines",
    "gate keeping",
    "proposal deadlines",
    "proposal keeping",
    "health reports",
    "old unread sentences",
    "outbox keeping",
    "page sessions",
    "poll",
    "predictions",
    "prune",
    "old traces",
    "read_model",
    "sheet {sheet.name}",
    "stock_days",
    "subscriptions",
}


def _started() -> Iterator[tuple[str, str]]:
    """Yield name and place of all background work; a place that is not spelled out is empty."""
    for file in (_BOT / "app.py", *(_BOT / "bootstrap").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _STARTS
                and len(node.args) == 3
                and isinstance(node.args[1], ast.Constant | ast.JoinedStr)
            ):
                yield ast.unparse(node.args[1]).removeprefix("f").strip("'\""), ast.unparse(node.args[2])


def test_all_background_work_is_known_with_its_place() -> None:
    started = list(_started())
    assert dict(started) == {
        **dict.fromkeys(EVERYWHERE, str(Runs.EVERYWHERE)),
        **dict.fromkeys(WITH_LEAD, str(Runs.WITH_LEAD)),
    }
    assert len(started) == len(EVERYWHERE) + len(WITH_LEAD), "no name is used twice"
