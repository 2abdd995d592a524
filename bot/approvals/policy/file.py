"""The approval rules on disk, followed while they are edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.approvals.policy.reading import Known, read_policy
from bot.approvals.policy.rulebook import RuleBook
from bot.rulefiles.file import FollowedFile


def follow_policy(path: Path, known: Known, *, monotonic: Callable[[], float]) -> FollowedFile[RuleBook]:
    """Return the rules in force, as new as the file; without one the members of the role ``approver`` decide.

    ``current`` is what `bot.approvals.office.Office` takes as its ``policy``. Raises `RulesError` if the file is wrong.
    """

    def read(content: bytes) -> RuleBook:
        return RuleBook(read_policy(content, known, name=str(path)))

    return FollowedFile(path, read, RuleBook, monotonic=monotonic)
