"""The names and people that approval rules use, from the settings and from DingTalk's directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.access.membership import Membership
from bot.alerts.rules.parser import follow_rules
from bot.approvals.document_reader import Organisation, StaffDirectory, StaffMember
from bot.approvals.policy.loader import follow_policy
from bot.approvals.unit_of_work import ApprovalOptions, GroupCards
from bot.bootstrap.company import company_of
from bot.chat.records.reader_hub import AccountOf
from bot.checks.check import CheckMarks
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.outbox.delivery import DingWay
from bot.rulefiles.errors import RulesError
from bot.rulefiles.names_in_force import NamesInForce
from bot.settings import Settings
from bot.words.names import NOTHING_KNOWN

_NOTHING_BOUND: Mapping[str, Mapping[str, str]] = MappingProxyType({})


def organisation_of(
    settings: Settings,
    staff: StaffDirectory | None = None,
    bound: Callable[[], Mapping[str, Mapping[str, str]]] = lambda: _NOTHING_BOUND,
) -> Organisation:
    """Return the organisation; without ``staff`` nobody has a manager or a department.

    ``bound`` returns the accounts bound from chat.
    """
    return Organisation(roles=settings.access.roles, accounts=settings.access.accounts, staff=staff, bound=bound)


def account_of(settings: Settings, bound: Callable[[], Mapping[str, Mapping[str, str]]]) -> AccountOf:
    """Return the lookup of a person's account at a source: configured, otherwise ``bound`` from chat."""
    configured = settings.access.accounts

    def account(user_id: str, source: str) -> str:
        return configured.get(user_id, {}).get(source) or bound().get(user_id, {}).get(source, "")

    return account


def wants_todos(settings: Settings) -> bool:
    """Return whether the settings or a rule want to-dos; another check reports unreadable rules."""
    if settings.notify.todo:
        return True
    try:
        names = NamesInForce(NOTHING_KNOWN, lambda doubt: None)
        rules = follow_policy(settings.approval_rules, ZoneInfo(settings.zone), names)
    except RulesError:
        return False
    return rules.current().asks_todos


def wants_calls(settings: Settings) -> bool:
    """Return whether the settings or a route call people (DING); another check reports unreadable rules."""
    if DingWay(settings.notify.ding) is not DingWay.OFF:
        return True
    try:
        names = NamesInForce(NOTHING_KNOWN, lambda doubt: None)
        return follow_rules(settings.alert_rules, company_of(settings), names).current().calls_people
    except RulesError:
        return False


def terms_of(settings: Settings) -> ApprovalOptions:
    """Return the operator's settings besides the rules."""
    account = settings.approvals.technical_account
    undo = timedelta(seconds=settings.approvals.undo_seconds)
    return ApprovalOptions(
        undo=undo,
        answer_within=timedelta(hours=settings.approvals.answer_hours),
        technical_account=bool(account),
        own_account=account,
        one_card=settings.approvals.one_card,
        group_cards=GroupCards(settings.approvals.group_cards),
        todos=settings.notify.todo,
    )


def marks_of(settings: Settings) -> CheckMarks:
    """Return from where on the checks of documents flag something."""
    return CheckMarks(price_above=settings.approvals.price_above, split_days=settings.approvals.split_days)


class MemberStaffDirectory:
    """A staff directory from the stored members."""

    def __init__(self, members: Membership) -> None:
        self._members = members

    async def member(self, user_id: str) -> StaffMember | None:
        """Return a member's entry, None for an outsider; raises a `DingerpError` if nothing is known."""
        entry = await self._members.entry_with_manager(user_id)
        if entry is None:
            return None
        return StaffMember(manager=entry.manager or "", department=_oldest(entry.departments))


def _oldest(departments: Iterable[str]) -> str:
    """Return one of several departments: always the oldest."""
    return min(departments, key=lambda number: (len(number), number), default="")


class DingTalkStaffDirectory:
    """A staff directory from DingTalk; a department is known by its id."""

    def __init__(self, directory: DingTalkDirectory) -> None:
        self._directory = directory

    async def member(self, user_id: str) -> StaffMember | None:
        """Return a member's entry, None for an outsider; raises a `DingTalkError`."""
        try:
            person = await self._directory.person(user_id)
        except DingTalkUnknownPerson:
            return None
        return StaffMember(manager=person.manager_id, department=_oldest(person.departments))
