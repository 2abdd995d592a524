"""The access policy in force, from the configuration and from the rule file, which is followed while it is edited; the
groups with outsiders; and the consequences for each chat.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from bot.access.loader import NO_ACCESS_RULES, AccessRuleSet, make_policy, review_access, review_rules
from bot.access.policy import AccessPolicy
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.names import names_in_force, read_settings_file
from bot.bootstrap.rule_places import refuse_missing
from bot.chat.audiences import Audiences
from bot.chat.registry import Commands, installed_commands
from bot.mechanisms.background import Runs
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.followed_file import FollowedFile, RuleContent
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.positions import Positions, find_positions
from bot.settings import RuleSettings, Settings
from bot.store.people import StoredOutsiders
from bot.words.errors import ConfigurationError
from bot.words.names import KnownNames
from bot.words.phrase import join_words, phrase

VARIABLE = "DINGERP_ACCESS__RULES"
RULES_IN_SETTINGS = "access.rules"


def make_access_policy(settings: Settings, names: NamesInForce | None = None) -> AccessPolicy:
    """Return the policy of the configuration and the file. Raises `ConfigurationError` with all errors."""
    return follow_access(settings, names or names_in_force(settings, installed_commands())).current()


def follow_access(settings: Settings, names: NamesInForce) -> FollowedFile[AccessPolicy]:
    """Return the policy, as new as the rule file. Raises `ConfigurationError` with all errors."""
    refuse_missing("access.file", settings.access.file)
    configured = review_configured(settings, names.known)
    names.use(RULES_IN_SETTINGS, configured.references)

    def combine(*rule_sets: AccessRuleSet) -> RuleContent[AccessPolicy]:
        return RuleContent(
            rules=choose_policy(settings, rule_sets),
            decides=any(rule_set.decides for rule_set in rule_sets),
            says_none=rule_sets[-1].open,  # a file says so itself, whatever the configuration began with
        )

    def read(content: bytes, name: str, known: KnownNames) -> Reviewed[RuleContent[AccessPolicy]]:
        return review_access(content, known, name=name).become(partial(combine, configured.rules))

    default = partial(combine, configured.rules)
    return FollowedFile(settings.access_rules, read, default, none=NO_ACCESS_RULES, names=names)


class AccessNotChosen(RulesError):
    """Everybody would see all of a company's own figures, and nobody has chosen that."""

    def __init__(self, settings: Settings) -> None:
        sources = ", ".join(settings.real_sources)
        chosen = phrase(
            "Nobody has said who may see what of %(sources)s: set access.presets = true (ready rules for the usual"
            " roles), write access rules, or set access.open = true if every member may see everything (in the"
            " environment DINGERP_ACCESS__PRESETS=true or DINGERP_ACCESS__OPEN=true).",
            sources=sources,
        )
        super().__init__(str(settings.file or settings.access_rules[0]), (RuleProblem(1, chosen),))
        self.args, self.detail, self._words = (str(chosen),), str(chosen), chosen


def _check_choice(settings: Settings, rule_sets: Iterable[AccessRuleSet]) -> None:
    """Raise `AccessNotChosen` if a company's own figures would be open to every member without a decision."""
    if settings.real_sources and not any(each.chooses for each in rule_sets):
        raise AccessNotChosen(settings)


def choose_policy(settings: Settings, rule_sets: Sequence[AccessRuleSet]) -> AccessPolicy:
    """Return the combined policy of all rules. Raises `AccessNotChosen`."""
    _check_choice(settings, rule_sets)
    return make_policy(rule_sets, settings.access.roles, own_figures=bool(settings.real_sources))


def review_configured(settings: Settings, known: KnownNames) -> Reviewed[AccessRuleSet]:
    """Return the rules in the settings, with warnings. Raises `ConfigurationError` naming each error with its line."""
    access = settings.access
    text = _text_of_rules(settings)
    # Rules from the environment have no lines: their numbers replace them.
    numbers = Positions({("access", "rules", number): number + 1 for number in range(len(access.rules))})
    written = [rule.written for rule in access.rules]
    rules, errors = review_rules(written, known, numbers if text is None else find_positions(text))
    if errors.found and text is None:
        wrong = join_words(
            phrase("rule %(num)s: %(reason)s", num=str(problem.line), reason=problem.reason) for problem in errors.found
        )
        raise ConfigurationError(phrase("%(file)s: %(problems)s", file=VARIABLE, problems=wrong))
    if errors.found:
        raise RulesError(str(settings.file), errors.found)
    rule_set = AccessRuleSet(rules=rules, presets=access.presets, open=access.open, read_only=access.read_only)
    file = VARIABLE if text is None else str(settings.file)
    return Reviewed(rule_set, errors.warnings, errors.references(file))


def _text_of_rules(settings: Settings) -> str | None:
    """Return the text of the file that holds the rules; None if they come from elsewhere."""
    if settings.file is None:
        return None
    text = read_settings_file(settings)
    rules = tomllib.loads(text).get("access", {}).get("rules", [])
    return text if tuple(map(RuleSettings.model_validate, rules)) == settings.access.rules else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessServices:
    """The access services for the rest of the bot."""

    policy: Callable[[], AccessPolicy]
    """Returns the current policy, without touching the disk."""
    outsiders: StoredOutsiders
    audiences: Audiences


async def start_access(base: Infrastructure, policy: Callable[[], AccessPolicy], commands: Commands) -> AccessServices:
    """Start following the groups in which outsiders were seen."""
    outsiders = StoredOutsiders(base.database, now=base.now, named=base.settings.access.outsider_groups)
    await outsiders.load()
    await base.run_in_background(outsiders.run, "outsiders", Runs.EVERYWHERE)
    audiences = Audiences(policy=policy, people=base.people, outsiders=outsiders, commands=commands)
    return AccessServices(policy=policy, outsiders=outsiders, audiences=audiences)
