"""Groups that get cards about documents hidden from them, so that these show only a kind, or are not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from bot.access.areas import EVERY_AREA
from bot.access.policy import AccessPolicy
from bot.alerts.rules.parser import follow_rules
from bot.alerts.subscriptions import Subscription
from bot.bootstrap.access import make_access_policy
from bot.bootstrap.company import company_of
from bot.bootstrap.database import look_into_database
from bot.bootstrap.names import known_names
from bot.chat.registry import installed_commands
from bot.erp.kinds import PURCHASE_ORDERS, ruled_by
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.revisions import is_current
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase, Words, phrase


@dataclass(frozen=True, slots=True)
class ClosedGroup:
    """A group, and the commands whose documents some of its members may not see."""

    group: str
    commands: tuple[str, ...]

    @property
    def words(self) -> Phrase:
        """What its cards withhold."""
        return phrase(
            "Alerts and approvals in the group %(group)s tell only their kind, or do not come, where they are about"
            " /%(commands)s: not everybody there may see more.",
            group=self.group,
            commands=", /".join(self.commands),
        )

    @property
    def remedy(self) -> Phrase:
        """The rule that shows them."""
        return _remedy(self.group, self.commands)


@dataclass(frozen=True, slots=True)
class ClosedSubscription:
    """A subscription in a group, some of whose members may not see it."""

    group: str
    line: str
    command: str

    @property
    def words(self) -> Phrase:
        """What is not sent."""
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
    """Return what groups get without being allowed to see it, by the rules as written.

    Unreadable rules are reported by other checks. Which alerts a route brings to a group is not examined.
    """
    return (*find_closed_groups(settings), *_closed_subscriptions(settings, await _subscribed(settings)))


async def _subscribed(settings: Settings) -> tuple[Subscription, ...]:
    """Return the groups' subscriptions; empty if there is no readable database."""
    with suppress(DingerpError):
        async with look_into_database(settings) as database:
            if is_current(await database.revision()):
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
    """Return the configured groups that get alerts or approvals they may not see."""
    try:
        # The check of the rules reports doubtful names.
        names = NamesInForce(known_names(settings, installed_commands()), lambda _doubt: None)
        policy = make_access_policy(settings, names)
        alerted = follow_rules(settings.alert_rules, company_of(settings), names).current().groups
    except ConfigurationError:
        return ()
    return tuple(_closed(settings, policy, alerted))


def _closed(settings: Settings, policy: AccessPolicy, alerted: frozenset[str]) -> Iterator[ClosedGroup]:
    get: dict[str, tuple[str, ...]] = dict.fromkeys(settings.approval_groups, (ruled_by(PURCHASE_ORDERS),))
    get |= dict.fromkeys(sorted(alerted), EVERY_AREA)
    for group, commands in get.items():
        outsiders = group in settings.access.outsider_groups
        closed = tuple(each for each in commands if not policy.shared_grant(group, each, outsiders=outsiders).scopes)
        if closed:
            yield ClosedGroup(group, closed)


async def tell_closed(settings: Settings) -> list[Words]:
    """Return what is to be said of each of them, with the rule that opens it."""
    return [
        phrase("%(words)s %(remedy)s", words=closed.words, remedy=closed.remedy)
        for closed in await find_closed(settings)
    ]
