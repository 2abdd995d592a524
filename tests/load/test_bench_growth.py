"""The measurement of growth runs through, with few rows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.erp.sql import postgres_server

from .bench_growth import measure, process_of


@pytest.mark.soak
@pytest.mark.process
@pytest.mark.timeout(600)
def test_a_bot_works_on_what_was_multiplied(tmp_path: Path) -> None:
    programs = postgres_server.programs()
    assert programs is not None, "make soak installs it"
    with postgres_server.running(programs) as postgres:
        server = process_of(postgres)
        with postgres_server.new_database(postgres) as made:
            measured = asyncio.run(measure(tmp_path, made.admin_url, server, rows=2_000, work=60))
    assert all(cost > 0 for cost in measured.costs.values())
