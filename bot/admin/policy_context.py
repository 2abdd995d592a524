"""The basis of the approval-rule tools: the rules, the configured ERPs, and the company's people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from bot.admin.inputs import read_content
from bot.admin.output import at, describe_names, say_lines, warning
from bot.admin.rules_in_force import name_places, warn_of_lost, warn_of_unread
from bot.approvals.document_reader import DocumentReader, Organisation
from bot.approvals.policy.loader import review_policy
from bot.approvals.policy.rule_policy import DEFAULT_ROLE, DEFAULT_RULES
from bot.approvals.policy.rules import ApprovalRuleSet, RuleScope
from bot.bootstrap.erps import open_hub
from bot.bootstrap.factories import open_api
from bot.bootstrap.names import known_names, look_for_facts, review_settings
from bot.bootstrap.policy import DingTalkStaffDirectory, marks_of, organisation_of
from bot.bootstrap.rule_places import refuse_missing
from bot.bootstrap.rules import APPROVALS
from bot.cards.language import Language, choose_language, load_languages
from bot.checks.document_checks import DocumentChecks
from bot.dingtalk.directory import DingTalkDirectory
from bot.erp.hub import ErpHub
from bot.mechanisms.metrics import Metrics
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import find_files
from bot.settings import Settings
from bot.words.names import KnownNames
from bot.words.phrase import Say, Words, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContext:
    """``now`` is in the company's zone; reasons are given in ``english``."""

    hub: ErpHub
    organisation: Organisation
    reader: DocumentReader
    checks: DocumentChecks
    now: Callable[[], datetime]
    english: Language


@asynccontextmanager
async def open_policy_context(
    settings: Settings, now: Callable[[], datetime] | None = None
) -> AsyncIterator[PolicyContext]:
    """Open the ERPs, and DingTalk's directory if the settings use it; both are closed at the end."""
    zone = ZoneInfo(settings.zone)
    clock = now or (lambda: datetime.now(zone))
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        hub = await open_hub(stack, settings, metrics, clock)
        staff = None
        if settings.access.directory and not settings.keys_missing:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            staff = DingTalkStaffDirectory(DingTalkDirectory(open_api(settings, session, metrics)))
        organisation = organisation_of(settings, staff)
        checks = DocumentChecks(hub, now=clock, marks=marks_of(settings))
        yield PolicyContext(
            hub=hub,
            organisation=organisation,
            reader=DocumentReader(hub, organisation, checks),
            checks=checks,
            now=clock,
            english=choose_language(load_languages(), "en"),
        )


async def check_policy(settings: Settings, file: Path | None, say: Say = str) -> tuple[bool, list[str]]:
    """Return whether the rules are valid, and lines with confirmation, warnings, or every error."""
    fine, lines = await _check_all(settings, file)
    return fine, say_lines(lines, say)


async def _check_all(settings: Settings, file: Path | None) -> tuple[bool, list[Words]]:
    known = known_names(settings, facts=await look_for_facts(settings), is_strict=True)
    fine, lines = _check_policy(settings, file, known)
    if file is not None:
        return fine, lines
    lost = await warn_of_lost(settings, known, APPROVALS) if fine else []
    names_fine, told = describe_names(review_settings(settings, known))
    return fine and names_fine and not lost, [*lines, *lost, *told]


def _check_policy(settings: Settings, file: Path | None, known: KnownNames) -> tuple[bool, list[Words]]:
    path = file or find_policy(settings)
    try:
        review = _review_policy(settings, path, known)
    except RulesError as error:
        return False, [at(path, wrong.words) for wrong in error.problems]
    if path is None:
        none = phrase(
            "there are no rules; members of the role '%(role)s' decide on every purchase order", role=DEFAULT_ROLE
        )
        return True, [at(name_places(settings.approval_rules), none)]
    lines: list[Words] = [at(path, line) for line in _lines(review)]
    return True, lines if file is not None else [*lines, *warn_of_unread(settings.approval_rules)]


def find_policy(settings: Settings) -> Path | None:
    """Return the file that the bot would read. Raises `ConfigurationError` if a configured file does not exist."""
    refuse_missing("approvals.rules", settings.approvals.rules)
    return next(iter(find_files(settings.approval_rules)), None)


def open_policy(settings: Settings, file: Path | None) -> ApprovalRuleSet:
    """Return the rules of ``file``, or those the bot would use. Raises `RulesError`, `ConfigurationError`."""
    return _review_policy(settings, file or find_policy(settings), known_names(settings)).rules


def _review_policy(settings: Settings, path: Path | None, known: KnownNames) -> Reviewed[ApprovalRuleSet]:
    if path is None:
        return Reviewed(DEFAULT_RULES)
    return review_policy(read_content(path), ZoneInfo(settings.zone), known, name=str(path))


def _lines(review: Reviewed[ApprovalRuleSet]) -> Iterator[Words]:
    rules = review.rules
    yield phrase(
        "fine, rules %(rules)s, substitutes %(substitutes)s, limits %(limits)s, gate %(gate)s, version %(version)s",
        rules=len(rules.rules),
        substitutes=len(rules.substitutes),
        gate=len(rules.gate),
        limits=len(rules.limits),
        version=rules.version,
    )
    for each in review.warnings:
        yield warning(each.words)
    if not any(rule.scope == RuleScope() for rule in rules.rules):
        yield phrase("no rule is for everything: documents that none is for are decided in the ERP")
