"""A SQLite file belongs to one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.store.errors import DatabaseInUse
from bot.store.owner import own_database
from bot.words.errors import ConfigurationError
from tests.scenario.processes import own_environment

_OWNER = """
import sys, time
from pathlib import Path
from bot.store.owner import own_database
with own_database(Path(sys.argv[1])):
    print("owned", flush=True)
    time.sleep(60)
"""


def test_the_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "bot.sqlite3"
    with own_database(file):
        with (
            pytest.raises(DatabaseInUse, match=rf"{file}.*process {os.getpid()} on .* since ") as refused,
            own_database(file),
        ):
            raise AssertionError("two owners")
        assert refused.value.exit_code == 3
    with own_database(file):
        """The first has let go."""


def test_another_path_to_the_file_leads_to_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with (
        own_database(tmp_path / "data" / "bot.sqlite3"),
        pytest.raises(DatabaseInUse),
        own_database(tmp_path / "link" / "bot.sqlite3"),
    ):
        raise AssertionError("two owners")


def test_databases_side_by_side_have_owners_of_their_own(tmp_path: Path) -> None:
    with own_database(tmp_path / "one.sqlite3"), own_database(tmp_path / "other.sqlite3"), own_database(None):
        """A database on a server has no owner at all."""


@pytest.mark.process
def test_a_killed_owner_has_let_go(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(file)], env=own_environment(), stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"owned\n"
        with pytest.raises(DatabaseInUse, match=f"process {owner.pid} "), own_database(file):
            raise AssertionError("two owners")
        owner.kill()
    with own_database(file):
        """Nobody has to delete anything."""


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/data/bot.sqlite3"])
def test_what_cannot_be_owned_is_refused(place: str) -> None:
    with pytest.raises(ConfigurationError, match=place), own_database(Path(place)):
        raise AssertionError("it is owned")
