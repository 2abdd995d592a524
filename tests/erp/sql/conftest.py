"""One PostgreSQL server for all tests that want one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import Postgres, programs, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    with running(folder) as server:
        yield server
