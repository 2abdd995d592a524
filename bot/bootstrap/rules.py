"""Rule files: opened at the start, followed while the bot runs, and compared with the last run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.access.policy import AccessPolicy
from bot.alerts.rules.parser import follow_rules
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.approvals.policy.loader import follow_policy
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.bootstrap.access import follow_access
from bot.bootstrap.company import company_of
from bot.bootstrap.database import look_into_database
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.named_questions import open_questions
from bot.bootstrap.rule_places import refuse_missing
from bot.erp.named_queries import QueryDatabase
from bot.mechanisms.background import Runs, repeat
from bot.named_questions.question import NamedQuestions
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.versions import RuleSubject
from bot.settings import Settings
from bot.store.rule_files import NotedRuleFile, StoredRuleFiles
from bot.store.rule_versions import StoredRuleVersions
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.names import KnownNames
from bot.words.phrase import Words, phrase

ACCESS: Final = "access rules"
ALERTS: Final = "alert rules"
APPROVALS: Final = "approval rules"
QUESTIONS: Final = "questions"
KINDS: Final = (ACCESS, ALERTS, APPROVALS, QUESTIONS)
CONFIGURATION: Final = "configuration"
"""The configuration itself, which is read only at the start."""

_LOOK_EVERY = 1.0
"""Seconds between two checks of the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFiles:
    """The rule files by subject, and the configuration as it was read."""

    access: FollowedFile[AccessPolicy]
    alerts: FollowedFile[AlertRuleSet]
    approvals: FollowedFile[RuleBasedPolicy]
    questions: FollowedFile[NamedQuestions]
    decides_in_chat: Callable[[], bool]
    """Whether purchase orders can be decided from chat now: there are approvers, or rules."""
    configuration: Mapping[str, str]

    @property
    def named(self) -> Mapping[str, FollowedFile[Any]]:
        """The files by their part's name in ``/readyz``."""
        return dict(zip(KINDS, (self.access, self.alerts, self.approvals, self.questions), strict=True))

    @property
    def by_subject(self) -> Mapping[RuleSubject, FollowedFile[Any]]:
        """The files by their subject, as pages show them."""
        return {
            RuleSubject.ACCESS: self.access,
            RuleSubject.ALERTS: self.alerts,
            RuleSubject.APPROVALS: self.approvals,
        }

    def tell(self) -> Mapping[str, Mapping[str, str]]:
        """Return path and SHA-256 of the rules in force, as in ``/readyz``; both are empty for defaults."""
        told = {name: file.in_force for name, file in self.named.items()}
        files = {name: describe_file(found.path, found.sha256) for name, found in told.items()}
        return {CONFIGURATION: self.configuration, **files}

    def digests(self) -> Mapping[str, str]:
        """Return the SHA-256 of the rules in force, by their part's name."""
        return {name: file.in_force.sha256 for name, file in self.named.items()}

    def look(self) -> None:
        """Check all files for changes; like `read_again` this touches the disk."""
        for file in self.named.values():
            file.look()

    def read_again(self) -> None:
        """Read all files now."""
        for file in self.named.values():
            file.read_again()


def describe_file(path: Path | None, digest: str) -> Mapping[str, str]:
    """Return the path and digest of a file; both are empty if there is none."""
    return {"file": "" if path is None else str(path.absolute()), "sha256": digest}


def describe_configuration(settings: Settings) -> Mapping[str, str]:
    """Return the same for the current configuration."""
    file = settings.file
    if file is None or not file.is_file():
        return describe_file(None, "")
    return describe_file(file, sha256(file.read_bytes()).hexdigest())


def follow_alerts(
    settings: Settings, names: NamesInForce, decides_in_chat: Callable[[], bool] | None = None
) -> FollowedFile[AlertRuleSet]:
    """Return the alert rules, as new as their file. Raises `ConfigurationError` with all errors."""
    refuse_missing("alerts.rules", settings.alerts.rules)
    return follow_rules(settings.alert_rules, company_of(settings, decides_in_chat), names)


def follow_approvals(settings: Settings, names: NamesInForce) -> FollowedFile[RuleBasedPolicy]:
    """Return the approval rules, as new as their file. Raises `ConfigurationError` with all errors."""
    refuse_missing("approvals.rules", settings.approvals.rules)
    return follow_policy(settings.approval_rules, ZoneInfo(settings.zone), names)


def open_rules(
    settings: Settings, names: NamesInForce, databases: Mapping[str, QueryDatabase] | None = None
) -> RuleFiles:
    """Read all files; queries are checked against ``databases``, by default those of the settings.

    Raises `ConfigurationError` with all errors of the first wrong one.
    """
    approvals = follow_approvals(settings, names)

    def decides_in_chat() -> bool:
        return bool(settings.approvers) or approvals.in_force.content.decides

    return RuleFiles(
        access=follow_access(settings, names),
        alerts=follow_alerts(settings, names, decides_in_chat),
        approvals=approvals,
        questions=open_questions(settings, names, databases),
        decides_in_chat=decides_in_chat,
        configuration=describe_configuration(settings),
    )


async def start_rules(base: Infrastructure, databases: Mapping[str, QueryDatabase]) -> RuleFiles:
    """Open the files and follow them while the base's stack is open; the company's questions ask ``databases``.

    Raises `ConfigurationError`, also if the rules in force at the last run are gone.
    """
    files = open_rules(base.settings, base.names, databases)
    kept = StoredRuleFiles(base.database)
    known = await kept.all()
    refuse_lost(files, known)
    noted: dict[str, NotedRuleFile | None] = dict(known)
    versions, kept_versions = StoredRuleVersions(base.database), dict[RuleSubject, str]()

    async def follow() -> None:
        await asyncio.to_thread(files.look)
        for subject, file in files.by_subject.items():
            found = file.in_force
            if found.path is not None and found.sha256 != kept_versions.get(subject):
                await versions.note(subject, found.text, base.now())
                kept_versions[subject] = found.sha256
        for name, file in files.named.items():
            source = _source(file)
            if source != noted.get(name):
                await kept.put(name, source, base.now())
                noted[name] = source

    await base.run_in_background(
        partial(repeat, follow, every=_LOOK_EVERY, failed="rules.not_noted"), "rules", Runs.EVERYWHERE
    )
    return files


def _source(file: FollowedFile[Any]) -> NotedRuleFile | None:
    """Return the file whose rules are in force; None if there is none, or if its rules are not."""
    found = file.in_force
    if found.path is None or not found.content.decides:
        return None
    return NotedRuleFile(str(found.path.absolute()), found.text)


async def find_lost(settings: Settings, names: KnownNames, *parts: str) -> Words:
    """Return why a start would be refused because rules in force at the last run are gone.

    Empty if nothing is lost, or if another error is reported by other checks.
    """
    try:
        async with look_into_database(settings) as database:
            known = await StoredRuleFiles(database).all()
        files = open_rules(settings, NamesInForce(names, str))
    except DingerpError:
        return ""
    try:
        refuse_lost(files, {part: known[part] for part in parts if part in known})
    except ConfigurationError as error:
        return error.explain()
    return ""


def refuse_lost(files: RuleFiles, known: Mapping[str, NotedRuleFile]) -> None:
    """Raise `ConfigurationError` if rules were in force before and their removal was not intended.

    ``known`` are the files stored by `StoredRuleFiles`.
    """
    for name, file in files.named.items():
        found = file.in_force
        if name not in known:
            continue
        if found.path is not None and str(found.path.absolute()) == known[name].path:
            file.refuse_cut(found, known[name].content)
        if found.content.decides or found.content.says_none:
            continue
        if found.path is not None:
            lost = phrase("the rules that were in force are gone; %(remedy)s", remedy=file.none.remedy)
            raise ConfigurationError(phrase("%(file)s: %(problems)s", file=str(found.path), problems=lost))
        raise ConfigurationError(
            phrase(
                "%(file)s is gone, and its rules were in force when the bot ran last; put it back, or begin a new one:"
                " %(remedy)s",
                file=known[name].path,
                remedy=file.none.remedy,
            )
        )
