"""Groups that get cards about documents which are not for them, so that these tell only a kind, or do not come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from bot.access.areas import EVERY_AREA
from bot.access.policy import AccessPolicy
from bot.alerts.rules.parser import follow_rules
from bot.alerts.subscriptions import Subscription
from bot.approvals.cards.presenter import PURCHASE_COMMAND
from bot.bootstrap.access import make_access_policy
from bot.bootstrap.company import company_of
from bot.bootstrap.database import look_into_database
from bot.bootstrap.names import known_names
from bot.chat.registry import installed_commands
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.database import latest_revision
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase, phrase


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
        return _remedy(self.group, self.commands)


@dataclass(frozen=True, slots=True)
class ClosedSubscription:
    """What somebody subscribed to in a group, not all of whose members may see it."""

    group: str
    line: str
    command: str

    @property
    def words(self) -> Phrase:
        """What does not come."""
        return phrase(
            "The subscription %(line)s of the group %(group)s waits: not everybody there may see its answer.",
            line=self.line,
            group=self.group,
        )

    @property
    def remedy(self) -> Phrase:
        """The rule that shows it."""
        return _remedy(self.group, (self.command,))


def _remedy(group: str, commands: Iterable[str]) -> Phrase:
    named = ", ".join(f'"{command}"' for command in commands)
    rule = f'shared = true, conversations = ["{group}"], commands = [{named}], fields = ["quantity"]'
    return phrase("If they may be seen there, a rule says so: %(rule)s", rule=rule)


async def find_closed(settings: Settings) -> tuple[ClosedGroup | ClosedSubscription, ...]:
    """Return what groups get of which they may see nothing, by the rules as they are written.

    Rules that cannot be read are told by checks of their own. Which alerts a route brings to a group is not looked at.
    """
    return (*find_closed_groups(settings), *_closed_subscriptions(settings, await _subscribed(settings)))


async def _subscribed(settings: Settings) -> tuple[Subscription, ...]:
    """Return what groups subscribed to; nothing where there is no database that can be read."""
    with suppress(DingerpError):
        async with look_into_database(settings) as database:
            if await database.revision() == latest_revision():
                await database.unlock()
                return await StoredSubscriptions(database).of_groups()
    return ()


def _closed_subscriptions(settings: Settings, subscribed: Iterable[Subscription]) -> Iterator[ClosedSubscription]:
    commands = installed_commands()
    try:
        policy = make_access_policy(settings, NamesInForce(known_names(settings, commands), lambda _doubt: None))
    except ConfigurationError:
        return
    for each in subscribed:
        command, group = commands.parse(each.line).command, each.place.id
        if command is None:
            continue
        outsiders = group in settings.access.outsider_groups
        shown = policy.shared_answer(group, command, commands[command].shows, outsiders=outsiders)
        if not shown.scopes:
            yield ClosedSubscription(group, each.line, command)


def find_closed_groups(settings: Settings) -> tuple[ClosedGroup, ...]:
    """Return the groups of the configuration that get alerts or approvals of which they may see nothing."""
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


async def warn_of_closed(settings: Settings) -> list[str]:
    """Return a line for each of them, with the rule that opens it."""
    return [f"warning: {closed.words} {closed.remedy}" for closed in await find_closed(settings)]
