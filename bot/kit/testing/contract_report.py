"""A pytest plugin that writes the outcome of every contract case.

``-p bot.kit.testing.contract_report --contract-report FILE`` on pytest's command line writes JSON: adapter → row of the
contract → ``pass``, ``fail``, or ``gap: `` and its reason. `bot.kit.testing.contract_table` makes the table of it.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from bot.kit.testing.contract_base import ContractBase, ContractCase

_RESULTS = pytest.StashKey[dict[str, dict[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--contract-report", type=Path, help="write the outcome of every contract case to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RESULTS] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, pytest.Function) and (row := _row(item)) is not None:
        adapter, name = row
        results = item.config.stash[_RESULTS].setdefault(adapter, {})
        if report.failed or results.get(name) == "fail":
            results[name] = "fail"
        elif report.skipped:
            results[name] = getattr(report, "wasxfail", "fail").removeprefix("reason: ")
        elif report.when == "call":
            results[name] = "pass"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    file: Path | None = session.config.getoption("--contract-report")
    if file is not None:
        file.write_text(json.dumps(session.config.stash[_RESULTS], ensure_ascii=False, indent=1), encoding="utf-8")


def _row(item: pytest.Function) -> tuple[str, str] | None:
    """Return adapter and row of a test, if it is a case of a contract."""
    known: ContractCase | None = getattr(item.function, "contract_case", None)
    if known is None or item.cls is None or not issubclass(item.cls, ContractBase):
        return None
    value = item.callspec.params[known.over[0]] if known.over else None
    return item.cls.name, known.row(value)
