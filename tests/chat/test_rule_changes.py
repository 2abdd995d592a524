"""Rules that nobody edits, such as the demo's own, stay as they are: what is published goes beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.alerts.rules.parser import follow_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.chat.rule_changes import RuleChanges
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.versions import RuleSubject, RuleVersion, VersionState, as_whole
from bot.rulefiles.writing import RuleChangeRefused
from bot.store.database import Database
from bot.store.rule_versions import CLAIMED_FOR, StoredRuleVersions
from bot.words.names import NOTHING_KNOWN
from tests.recording_audit import RecordingAudit
from tests.scenario.publishing_process import NEW, START
from tests.store.conftest import database as database

READY = '[default]\nto = ["person:ready"]\n'


class Scene:
    """Alert rules of two places, of which the last one is ready."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.own, self.ready = folder / "alerts.toml", folder / "ready.toml"
        self.ready.write_text(READY)
        self.file = follow_rules(
            (self.own, self.ready),
            AlertRuleContext(zone=START.tzinfo),
            NamesInForce(NOTHING_KNOWN, str),  # type: ignore[arg-type]  # it has one
        )
        self.store, self.time, self.told = StoredRuleVersions(database), START, list[RuleVersion]()
        self.changes = self.service()

    def service(self, *, second_person: bool = False) -> RuleChanges:
        async def tell(version: RuleVersion) -> None:
            self.told.append(version)

        return RuleChanges(
            {RuleSubject.ALERTS: self.file},
            self.store,
            second_person=second_person,
            proposed=tell,
            ready=(self.ready,),
            audit=RecordingAudit(),
            required=None,
            now=lambda: self.time,
        )

    async def proposed(self, text: str = NEW) -> RuleVersion:
        base = (await self.changes.in_force(RuleSubject.ALERTS)).base
        return await self.changes.propose(RuleSubject.ALERTS, text, base=base, reason="why", by="amy")


@pytest.fixture
def scene(tmp_path: Path, database: Database) -> Scene:
    return Scene(tmp_path, database)


async def test_ready_rules_are_read_and_a_file_of_ones_own_is_written(scene: Scene) -> None:
    rules = await scene.changes.in_force(RuleSubject.ALERTS)
    assert (rules.path, rules.target, rules.text, rules.base) == (scene.ready, scene.own, READY, "")
    await scene.changes.publish(await scene.proposed(), by="amy")
    assert scene.ready.read_text() == READY
    assert scene.own.read_text() == as_whole(NEW)
    rules = await scene.changes.in_force(RuleSubject.ALERTS)
    assert (rules.path, rules.differs, rules.defect) == (scene.own, False, "")


async def test_two_publications_of_one_subject_do_not_cross(scene: Scene) -> None:
    first, second = await scene.proposed(), await scene.proposed(READY.replace("ready", "second"))
    assert await scene.store.claim(first, "amy", START)
    with pytest.raises(RuleChangeRefused):
        await scene.changes.publish(second, by="bob")
    assert not scene.own.exists()
    # Whoever began it is gone: after a while it counts as not begun.
    scene.time += 2 * CLAIMED_FOR
    await scene.changes.publish(second, by="bob")
    found = await scene.store.find(first.number)
    assert found is not None
    assert (found.state, found.publisher) == (VersionState.PROPOSED, "")


async def test_what_says_the_same_is_nothing_to_publish(scene: Scene) -> None:
    await scene.changes.publish(await scene.proposed(), by="amy")
    with pytest.raises(RuleChangeRefused):
        await scene.proposed()


async def test_the_author_is_no_second_person(scene: Scene) -> None:
    scene.changes = scene.service(second_person=True)
    version = await scene.proposed()
    assert scene.told == [version]
    with pytest.raises(RuleChangeRefused):
        await scene.changes.publish(version, by="amy")
    await scene.changes.publish(version, by="bob")
    assert scene.own.read_text() == as_whole(NEW)
