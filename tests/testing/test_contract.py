"""The contract itself: it finds every defect, and no case hides another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.kit.testing.contract_base import contract_cases, name_of
from bot.kit.testing.contract_changes import ChangesContract
from bot.kit.testing.contract_creating import CreatingContract
from bot.kit.testing.contract_decisions import DecisionsContract
from bot.kit.testing.contract_faults import FaultsContract
from bot.kit.testing.contract_goods import GoodsContract
from bot.kit.testing.contract_lists import ListsContract
from bot.kit.testing.contract_reads import ReadsContract
from bot.kit.testing.contract_traps import TrapsContract
from bot.kit.testing.erp_contract import ErpContract

PARTS = (
    ReadsContract,
    ListsContract,
    GoodsContract,
    TrapsContract,
    ChangesContract,
    FaultsContract,
    DecisionsContract,
    CreatingContract,
)
HERE = Path(__file__).parent


def test_no_case_hides_another() -> None:
    alone = [case for part in PARTS for case in contract_cases(part)]
    together = contract_cases(ErpContract)
    assert [case.id for case in together] == [case.id for case in alone]
    assert max(Counter(case.id for case in together).values()) == 1
    assert max(Counter(case.title for case in together).values()) == 1


def test_every_test_of_the_contract_is_a_case() -> None:
    tests = [name for name in dir(ErpContract) if name.startswith("test_")]
    assert len(tests) == len(contract_cases(ErpContract))


def test_every_broken_adapter_is_noticed(tmp_path: Path) -> None:
    from tests.testing.broken_adapters import WRONG

    report = tmp_path / "report.json"
    tests = {row: test for name in dir(ErpContract) for row, test in _tests(name)}
    chosen = [f"{HERE / 'broken_adapters.py'}::Test{broken.__name__}::{tests[row]}" for broken, row in WRONG]
    spared = ("-p", "no:randomly", "-p", "no:schemathesis")
    command = [sys.executable, "-m", "pytest", "-q", *spared, "-p", "bot.kit.testing.contract_report"]
    run = subprocess.run(
        [*command, "--contract-report", str(report), *chosen],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    results = json.loads(report.read_text(encoding="utf-8"))
    unnoticed = [(broken.__name__, row) for broken, row in WRONG if results[broken.__name__].get(row) != "fail"]
    assert unnoticed == []


def _tests(name: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of a test method, each with the test's name as pytest spells it."""
    case = getattr(getattr(ErpContract, name), "contract_case", None)
    if case is not None:
        for value in case.values():
            yield case.row(value), name if case.over is None else f"{name}[{name_of(value)}]"
