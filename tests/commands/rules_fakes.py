"""Rule files as `/rules` finds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.chat.rule_changes import RulesOfFile
from bot.rulefiles.versions import RuleSubject, RuleVersion


class DefaultRules:
    """A company without rule files of its own; stands for `bot.chat.rule_changes.RuleChanges`."""

    async def in_force(self, subject: RuleSubject) -> RulesOfFile:
        file = Path(f"{subject}.toml")
        return RulesOfFile(
            subject=subject,
            path=file,
            has_file=False,
            target=file,
            sha256="",
            on_disk="",
            base="",
            text="",
            defect="",
            obstacle="",
            unread=None,
            version=None,
        )

    async def open(self) -> Sequence[RuleVersion]:
        return ()
