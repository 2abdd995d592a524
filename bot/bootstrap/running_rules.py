"""Whether the running bot has read the current rule files: only the bot itself knows its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.bootstrap.rules import (
    ACCESS,
    ALERTS,
    APPROVALS,
    CONFIGURATION,
    QUESTIONS,
    describe_configuration,
    describe_file,
)
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import find_files, read_content
from bot.settings import Settings
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True)
class RunningRules:
    """A running bot's report on one kind of rules, in words, and whether it matches the disk."""

    agrees: bool
    words: Phrase


def compare_rules(said: Mapping[str, Any] | None, there: Mapping[str, str]) -> RunningRules:
    """Return whether a running bot has read the current file; both arguments come from `describe_file`."""
    said = said or describe_file(None, "")
    if said == there:
        if not there["file"]:
            return RunningRules(True, phrase("the running bot has read no file either"))
        return RunningRules(True, phrase("the running bot has read %(file)s as it is", file=there["file"]))
    if not said.get("file"):
        words = phrase("the running bot has not read %(file)s, and obeys no file", file=there["file"])
    elif said["file"] == there["file"]:
        words = phrase("the running bot obeys %(file)s as it was before", file=there["file"])
    elif there["file"]:
        words = phrase(
            "the running bot has not read %(file)s, and obeys %(other)s", file=there["file"], other=said["file"]
        )
    else:
        words = phrase("the running bot obeys %(file)s, which is not there", file=said["file"])
    return RunningRules(False, words)


def read_on_disk(settings: Settings, name: str) -> Mapping[str, str]:
    """Return the file that a start would read now, and its digest."""
    if name == CONFIGURATION:
        return describe_configuration(settings)
    places: Mapping[str, Sequence[Path]] = {
        ACCESS: settings.access_rules,
        ALERTS: settings.alert_rules,
        APPROVALS: settings.approval_rules,
        QUESTIONS: settings.question_files,
    }
    for path in find_files(places[name])[:1]:
        try:
            return describe_file(path, sha256(read_content(path)).hexdigest())
        except RulesError:  # the check of the rules says why
            return describe_file(path, "")
    return describe_file(None, "")
