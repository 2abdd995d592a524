"""Publishes a change of rules, and kills itself at one of the steps: ``… DATABASE_URL FILE STEP``.

Each call that leaves something behind, in the file or in the database, is two steps: just before it, and just after.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

from bot.access.audit import AuditEntry
from bot.alerts.rules.parser import follow_rules
from bot.alerts.rules.rule_set import AlertRuleContext
from bot.chat.rule_changes import RuleChanges
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.versions import RuleSubject, RuleVersion
from bot.store.database import Database
from bot.store.rule_versions import StoredRuleVersions
from bot.words.names import NOTHING_KNOWN

NEW = '[default]\nto = ["person:new"]\n'
START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@dataclass
class Recorded:
    """An audit log in memory."""

    entries: list[AuditEntry] = field(default_factory=list)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def follow(file: Path) -> FollowedFile[Any]:
    return follow_rules((file,), AlertRuleContext(zone=UTC), NamesInForce(NOTHING_KNOWN, str))


async def _nobody(version: RuleVersion) -> None:
    raise AssertionError("no second person is asked for")


def changes_of(file: FollowedFile[Any], database: Database, now: Callable[[], datetime]) -> RuleChanges:
    return RuleChanges(
        {RuleSubject.ALERTS: file},
        StoredRuleVersions(database),
        second_person=False,
        proposed=_nobody,
        ready=(),
        audit=Recorded(),
        required=None,
        now=now,
    )


async def publish(url: str, path: Path) -> None:
    """Publish what is proposed."""
    database = Database(url)
    file = follow(path)
    changes = changes_of(file, database, lambda: START)
    (version,) = await changes.open()
    await changes.publish(version, by="it01")
    await database.close()


def _kill_at(step: int, owners: Sequence[tuple[Any, str]]) -> None:
    steps = count(1)

    def reach() -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def stepped(call: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(call):

            @wraps(call)
            async def wait(*args: Any, **more: Any) -> Any:
                reach()
                try:
                    return await call(*args, **more)
                finally:
                    reach()

            return wait

        @wraps(call)
        def do(*args: Any, **more: Any) -> Any:
            reach()
            try:
                return call(*args, **more)
            finally:
                reach()

        return do

    for owner, name in owners:
        setattr(owner, name, stepped(getattr(owner, name)))


STEPS = (
    (StoredRuleVersions, "claim"),
    (os, "open"),
    (os, "fdopen"),
    (os, "fchmod"),
    (os, "fsync"),
    (Path, "replace"),
    (FollowedFile, "read_again"),
    (StoredRuleVersions, "settle"),
)

if __name__ == "__main__":
    _kill_at(int(sys.argv[3]), STEPS)
    asyncio.run(publish(sys.argv[1], Path(sys.argv[2])))
