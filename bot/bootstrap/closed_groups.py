"""Groups of the configuration that get cards about documents which are not for them, so that these tell only a kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.access.areas import EVERY_AREA
from bot.access.policy import AccessPolicy
from bot.alerts.rules.parser import follow_rules
from bot.approvals.cards.presenter import PURCHASE_COMMAND
from bot.bootstrap.access import make_access_policy
from bot.bootstrap.company import company_of
from bot.bootstrap.names import known_names
from bot.chat.registry import installed_commands
from bot.errors import ConfigurationError
from bot.phrase import Phrase, phrase
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class ClosedGroup:
    """A group, and the commands of whose documents its members may not all see any."""

    group: str
    commands: tuple[str, ...]

    @property
    def words(self) -> Phrase:
        """What its cards do not tell."""
        return phrase(
            "Alerts and approvals in the group %(group)s tell only their kind where they are about /%(commands)s: not"
            " everybody there may see more.",
            group=self.group,
            commands=", /".join(self.commands),
        )

    @property
    def remedy(self) -> Phrase:
        """The rule that shows them."""
        named = ", ".join(f'"{command}"' for command in self.commands)
        rule = f'shared = true, conversations = ["{self.group}"], commands = [{named}], fields = ["quantity"]'
        return phrase("If they may be seen there, a rule says so: %(rule)s", rule=rule)


def find_closed_groups(settings: Settings) -> tuple[ClosedGroup, ...]:
    """Return the groups that get alerts or approvals of which they may see nothing, by the rules as they are written.

    Rules that cannot be read are told by checks of their own. Which alerts a route brings to a group is not looked at.
    """
    try:
        # What is doubtful about names is told by the check of the rules.
        names = NamesInForce(known_names(settings, installed_commands()), lambda _doubt: None)
        policy = make_access_policy(settings, names)
        alerted = follow_rules(settings.alert_rules, company_of(settings), names).current().groups
    except ConfigurationError:
        return ()
    return tuple(_closed(settings, policy, alerted))


def _closed(settings: Settings, policy: AccessPolicy, alerted: frozenset[str]) -> Iterator[ClosedGroup]:
    get: dict[str, tuple[str, ...]] = dict.fromkeys(settings.approval_groups, (PURCHASE_COMMAND,))
    get |= dict.fromkeys(sorted(alerted), EVERY_AREA)
    for group, commands in get.items():
        outsiders = group in settings.access.outsider_groups
        closed = tuple(each for each in commands if not policy.shared_grant(group, each, outsiders=outsiders).scopes)
        if closed:
            yield ClosedGroup(group, closed)


def warn_of_closed_groups(settings: Settings) -> list[str]:
    """Return a line for each of the groups, with the rule that opens it."""
    return [f"warning: {closed.words} {closed.remedy}" for closed in find_closed_groups(settings)]
