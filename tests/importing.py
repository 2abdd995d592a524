"""Imports all tests and collects none, for what Python compiles then is there for every worker of the first run.

``pytest -p tests.importing --collect-only``
"""

from __future__ import annotations

from pathlib import Path

import pytest


class Imported(pytest.Module):
    """A module of tests that is imported and shows none of them."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Import it."""
        assert self.obj is not None
        return []


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Take each file of tests for no more than a module."""
    return Imported.from_parent(parent, path=module_path)
