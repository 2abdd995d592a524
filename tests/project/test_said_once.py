"""What a kind of document is stands in one place (`bot.erp.kinds`), and a public class has its name alone."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bot.erp.kinds import KINDS, Kind

from .tree import ROOT

VENDORS = frozenset(
    ROOT / "bot/erp" / name
    for name in ("erpnext", "kingdee", "mapped", "odoo", "rest", "sap_b1", "sql", "tryton", "yonbip")
)
"""Adapters build the records of their kinds, each in its own words."""
MAY_ENUMERATE = {
    "bot/alerts/watch_readings.py": "each kind says in other words what changed",
}
"""Modules that name four kinds of records or more, and why."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for root in ("bot", "commands"):
        for path in sorted((ROOT / root).rglob("*.py")):
            if not VENDORS.intersection(path.parents):
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_no_module_enumerates_the_kinds() -> None:
    records = {kind.record.__name__ for kind in KINDS}
    named = {
        str(path.relative_to(ROOT)): {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & records
        for path, tree in modules()
        if ROOT / "bot/kit" not in path.parents
    }
    assert {name for name, found in named.items() if len(found) > 3} == set(MAY_ENUMERATE)


def test_a_kind_is_small() -> None:
    assert len(Kind.__dataclass_fields__) <= 25


def test_public_classes_have_their_names_alone() -> None:
    places = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
