"""For all tests: one Hypothesis profile; in CI a skipped test is a failed one, so that nothing is left out unseen."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from typing import TypeVar

import pytest
import structlog
from hypothesis import settings

# Deadlines would fail tests on a busy machine; in CI the same commit always has the same examples.
settings.register_profile("dingerp", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("dingerp")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        default=os.environ.get("CI") == "true",
        help="fail every test that skips; the default where the environment says CI=true",
    )


@pytest.fixture(autouse=True)
def _own_log() -> Generator[None, None, None]:
    """Give the log back as it was: what a test of the command line configures ends with its captured stream."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _refuse_skip((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield), collector.config)


def _refuse_skip(report: Report, config: pytest.Config) -> Report:
    """Turn a skip into a failure where skips are not allowed. An expected failure is no skip."""
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped here. {reason}"
    return report
