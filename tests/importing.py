"""Imports all tests and collects none: Python's compiled files are then ready for every worker of the first run.

``pytest -p tests.importing --collect-only``
"""

from __future__ import annotations

from pathlib import Path

import pytest


class Imported(pytest.Module):
    """A test module that is imported and yields no tests."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        assert self.obj is not None
        return []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Treat each test file as a plain module."""
    return Imported.from_parent(parent, path=module_path)
