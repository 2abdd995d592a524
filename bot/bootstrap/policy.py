"""The names and people that approval rules use, from the settings and from DingTalk's directory."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.approvals.document_reader import Organisation, StaffDirectory, StaffMember
from bot.approvals.policy.loader import KnownNames
from bot.approvals.unit_of_work import ApprovalOptions
from bot.chat.reader_hub import AccountOf
from bot.dingtalk.directory import DingTalkDirectory, DingTalkUnknownPerson
from bot.settings import Settings


def known_of(settings: Settings) -> KnownNames:
    """Return the names that rules may use."""
    return KnownNames(zone=ZoneInfo(settings.zone), roles=tuple(settings.access.roles), sources=tuple(settings.erp))


def organisation_of(settings: Settings, staff: StaffDirectory | None = None) -> Organisation:
    """Return the organisation; without ``staff`` nobody has a manager or a department."""
    return Organisation(roles=settings.access.roles, accounts=settings.access.accounts, staff=staff)


def account_of(settings: Settings) -> AccountOf:
    """Return what finds a person's account at a source."""
    accounts = settings.access.accounts
    return lambda user_id, source: accounts.get(user_id, {}).get(source, "")


def terms_of(settings: Settings) -> ApprovalOptions:
    """Return the operator's settings besides the rules."""
    account = settings.approvals.technical_account
    undo = timedelta(seconds=settings.approvals.undo_seconds)
    return ApprovalOptions(undo=undo, technical_account=bool(account), own_account=account)


class DingTalkStaffDirectory:
    """Implements `bot.approvals.document_reader.StaffDirectory` by DingTalk's directory; a department is known by
    its id.
    """

    def __init__(self, directory: DingTalkDirectory) -> None:
        self._directory = directory

    async def member(self, user_id: str) -> StaffMember | None:
        """Return a member's entry, None for somebody outside; raises a `DingTalkError`."""
        try:
            person = await self._directory.person(user_id)
        except DingTalkUnknownPerson:
            return None
        # Of several departments the oldest, so that it is the same each time.
        department = min(person.departments, key=lambda number: (len(number), number), default="")
        return StaffMember(manager=person.manager_id, department=department)
