"""``kill -9`` at any step of publishing rules: the old or the new file is there, whole, and its history agrees."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.rulefiles.versions import RuleSubject, VersionState, as_whole, digest_of_content
from bot.store.database import Database
from bot.store.rule_versions import StoredRuleVersions
from tests.scenario.processes import forked, own_environment
from tests.scenario.publishing_process import NEW, START, changes_of, follow

OLD = '[default]\nto = ["person:old", "person:older"]\n'
AUTHOR = "it01"
FILE, DATABASE = "alerts.toml", "bot.sqlite3"


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_a_kill_at_any_step_leaves_the_old_or_the_new_rules_whole(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    await _propose(prepared)
    ends = []
    for step in count(1):
        folder = tmp_path / str(step)
        shutil.copytree(prepared, folder)
        file = folder / FILE
        arguments = (f"sqlite:///{folder / DATABASE}", str(file), str(step))
        async with forked(
            "tests.scenario.publishing_process", *arguments, env=own_environment(), folder=folder
        ) as process:
            code = (await process.ended()).code
            assert code in {0, -9}, process.err
        ends.append(file.read_text() == as_whole(NEW))
        assert file.read_text() in {OLD, as_whole(NEW)}
        assert file.stat().st_mode & 0o777 == 0o640
        await _assert_history_agrees(folder)
        if code == 0:
            break
        assert step < 60
    assert (ends[0], ends[-1]) == (False, True)
    assert ends == sorted(ends), "once it is in force, it stays"
    assert len(ends) > 12


async def _propose(folder: Path) -> None:
    file = folder / FILE
    file.write_text(OLD)
    file.chmod(0o640)
    database = Database(f"sqlite:///{folder / DATABASE}")
    await database.migrate()
    followed = follow(file)
    await StoredRuleVersions(database).note(RuleSubject.ALERTS, followed.in_force.text, START)
    changes = changes_of(followed, database, lambda: START)
    base = digest_of_content(OLD.encode())
    await changes.propose(RuleSubject.ALERTS, NEW, base=base, reason="why", by=AUTHOR)
    await database.close()


async def _assert_history_agrees(folder: Path) -> None:
    """A start finds what is in force in the history, with its author, and what is not can be published again."""
    file = folder / FILE
    database = Database(f"sqlite:///{folder / DATABASE}")
    versions = StoredRuleVersions(database)
    followed = follow(file)
    later = START + timedelta(minutes=5)
    await versions.note(RuleSubject.ALERTS, followed.in_force.text, later)
    newest, *_ = await versions.published(RuleSubject.ALERTS, limit=5)
    assert newest.sha256 == followed.in_force.sha256
    is_new = file.read_text() == as_whole(NEW)
    assert newest.author == (AUTHOR if is_new else "")
    waiting = await versions.open(5)
    assert len(waiting) == (0 if is_new else 1)
    for version in waiting:
        await changes_of(followed, database, lambda: later).publish(version, by=AUTHOR)
        found = await versions.find(version.number)
        assert found is not None
        assert found.state is VersionState.PUBLISHED
        assert followed.in_force.sha256 == version.sha256
    assert not [*file.parent.glob("*.new")]
    await database.close()
