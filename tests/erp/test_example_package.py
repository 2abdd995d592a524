"""The example package of the documentation passes the contract, is short, and is found through its entry point."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from bot.erp import vendors
from bot.erp.vendors import GROUP, open_source

PACKAGE = Path(__file__).parents[2] / "docs" / "examples" / "dingerp-erp-example"
LONGEST = 150

sys.path[:0] = [str(PACKAGE), str(PACKAGE / "tests")]
_spec = importlib.util.spec_from_file_location("example_contract", PACKAGE / "tests" / "test_contract.py")
assert _spec is not None
assert _spec.loader is not None
_contract: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_contract)

TestExampleContract = _contract.TestExampleContract


def test_the_whole_adapter_is_short() -> None:
    files = [*(PACKAGE / "dingerp_erp_example").glob("*.py")]
    assert len(files) == 5
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) <= LONGEST


async def test_it_is_a_source_like_any_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = EntryPoints(EntryPoint(*item, GROUP) for item in project["entry-points"][GROUP].items())
    monkeypatch.setattr(vendors, "entry_points", lambda **wanted: entries.select(**wanted))
    options = {"url": "https://erp.example.com", "user": "bot", "password": "x"}
    erp = await open_source("main", "example", options, data_dir=tmp_path, now=lambda: datetime.now(UTC), timeout=1.5)
    assert erp.name == "main"
    assert erp._options.timeout == 1.5  # type: ignore[attr-defined]  # a field of the example's own class
    await erp.close()
