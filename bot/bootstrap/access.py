"""Who may see what: the access policy in force, by the configuration and by the file of rules that is followed while it
is edited; the groups with outsiders; and what follows for each chat.
"""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.access.loader import AccessNames, AccessRuleSet, make_policy, review_access, review_rules
from bot.access.policy import AccessPolicy
from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.audiences import Audiences
from bot.chat.registry import Commands
from bot.errors import ConfigurationError
from bot.phrase import Phrase, phrase
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.positions import Positions, find_positions
from bot.settings import RuleSettings, Settings
from bot.store.people import StoredOutsiders

VARIABLE = "DINGERP_ACCESS__RULES"


class PolicyInForce:
    """Gives the policy as it is now, without touching the disk; `follow` keeps it as new as the file."""

    def __init__(self, rules: FollowedFile[AccessPolicy], *, seconds: float = 1.0) -> None:
        self._rules = rules
        self._seconds = seconds
        self._policy = rules.current()

    def __call__(self) -> AccessPolicy:
        return self._policy

    @property
    def defect(self) -> str:
        """The errors of the file as it is now; empty if there are none."""
        return self._rules.defect

    async def read_again(self) -> None:
        """Read the file now."""
        self._policy = await asyncio.to_thread(self._rules.read_again)

    async def follow(self) -> None:
        """Look at the file for as long as the bot runs; a decision waits for no disk."""
        while True:
            await asyncio.sleep(self._seconds)
            self._policy = await asyncio.to_thread(self._rules.current)


def access_names(settings: Settings, commands: Commands) -> AccessNames:
    """Return the names that rules may use."""
    return AccessNames(
        commands={word.casefold(): command.name for command in commands.values() for word in command.names},
        roles=settings.access.roles,
        directory=bool(settings.access.directory),
        sources=tuple(settings.erp),
        conversations=tuple(
            {*settings.alerts.default_groups, *settings.approval_groups, *settings.access.outsider_groups}
        ),
    )


def make_access_policy(settings: Settings, commands: Commands) -> AccessPolicy:
    """Return who may do what by the configuration and the file. Raises `ConfigurationError` with all that is wrong."""
    return follow_access(settings, commands, monotonic=lambda: 0.0).current()


def follow_access(
    settings: Settings, commands: Commands, *, monotonic: Callable[[], float]
) -> FollowedFile[AccessPolicy]:
    """Return the policy, as new as the file of rules. Raises `ConfigurationError` with all that is wrong."""
    known = access_names(settings, commands)
    configured, _warnings = review_configured(settings, known)
    path = settings.access_rules

    def read(content: bytes) -> AccessPolicy:
        return _chosen_policy(settings, (configured, review_access(content, known, name=str(path)).rule_set))

    def configured_alone() -> AccessPolicy:
        if settings.access.file is not None:
            raise ConfigurationError(f"wrong settings: access.file: there is no file {path}")
        return _chosen_policy(settings, (configured,))

    return FollowedFile(path, read, configured_alone, monotonic=monotonic)


class AccessNotChosen(RulesError):
    """Everybody would see all of a company's own figures, and nobody has said so."""

    def __init__(self, settings: Settings) -> None:
        sources = ", ".join(settings.real_sources)
        self._words = phrase(
            "Nobody has said who may see what of %(sources)s: set access.presets = true (ready rules for the usual"
            " roles), write access rules, or set access.open = true if every member may see everything (in the"
            " environment DINGERP_ACCESS__PRESETS=true or DINGERP_ACCESS__OPEN=true).",
            sources=sources,
        )
        super().__init__(str(settings.file or settings.access_rules), (RuleProblem(1, str(self._words)),))
        self.args, self.detail = (str(self._words),), str(self._words)

    def explain(self) -> Phrase:
        return self._words


def check_choice(settings: Settings, rule_sets: Iterable[AccessRuleSet]) -> None:
    """Raise `AccessNotChosen` where a company's own figures would be open to every member without anybody's word."""
    if settings.real_sources and not any(each.chooses for each in rule_sets):
        raise AccessNotChosen(settings)


def _chosen_policy(settings: Settings, rule_sets: Sequence[AccessRuleSet]) -> AccessPolicy:
    check_choice(settings, rule_sets)
    return make_policy(rule_sets, settings.access.roles)


def review_configured(settings: Settings, known: AccessNames) -> tuple[AccessRuleSet, tuple[RuleProblem, ...]]:
    """Return what the settings say, with warnings. Raises `ConfigurationError` that names each error with its line."""
    access = settings.access
    text = _text_of_rules(settings)
    # Rules that come by the environment have no lines: their numbers stand in place of them.
    numbers = Positions({("access", "rules", number): number + 1 for number in range(len(access.rules))})
    written = [rule.written for rule in access.rules]
    rules, errors = review_rules(written, known, numbers if text is None else find_positions(text))
    if errors.found and text is None:
        wrong = "; ".join(f"rule {problem.line}: {problem.reason}" for problem in errors.found)
        raise ConfigurationError(f"{VARIABLE}: {wrong}")
    if errors.found:
        raise RulesError(str(settings.file), errors.found)
    rule_set = AccessRuleSet(rules=rules, presets=access.presets, open=access.open, read_only=access.read_only)
    return rule_set, errors.warnings if text is not None else ()


def _text_of_rules(settings: Settings) -> str | None:
    """Return the text of the file where the rules stand; None where they come from elsewhere."""
    if settings.file is None:
        return None
    text = _read(settings.file)
    rules = tomllib.loads(text).get("access", {}).get("rules", [])
    return text if tuple(map(RuleSettings.model_validate, rules)) == settings.access.rules else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessServices:
    """What the rest of the bot needs to know who may see what."""

    rules: FollowedFile[AccessPolicy]
    policy: PolicyInForce
    outsiders: StoredOutsiders
    audiences: Audiences


async def start_access(base: Infrastructure, commands: Commands) -> AccessServices:
    """Follow the rules, and the groups in which people of other organisations were seen."""
    rules = follow_access(base.settings, commands, monotonic=time.monotonic)
    policy = PolicyInForce(rules)
    await base.run_in_background(policy.follow(), "access rules")
    outsiders = StoredOutsiders(base.database, now=base.now, named=base.settings.access.outsider_groups)
    await outsiders.load()
    await base.run_in_background(outsiders.run(), "outsiders")
    audiences = Audiences(policy=policy, people=base.people, outsiders=outsiders)
    return AccessServices(rules=rules, policy=policy, outsiders=outsiders, audiences=audiences)
