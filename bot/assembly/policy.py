"""What approval rules take from the settings and from DingTalk's directory."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.approvals.company import Member, Organisation, Staff
from bot.approvals.policy.reading import Known
from bot.approvals.unit import Terms
from bot.dingtalk.directory import Directory, UnknownPerson
from bot.settings import Settings


def known_of(settings: Settings) -> Known:
    """Return what is known when rules are read."""
    return Known(zone=ZoneInfo(settings.zone), roles=tuple(settings.access.roles), sources=tuple(settings.erp))


def organisation_of(settings: Settings, staff: Staff | None = None) -> Organisation:
    """Return who is who; without ``staff`` nobody has a manager or a department."""
    return Organisation(roles=settings.access.roles, accounts=settings.access.accounts, staff=staff)


def terms_of(settings: Settings) -> Terms:
    """Return what the operator sets besides the rules."""
    account = settings.approvals.technical_account
    undo = timedelta(seconds=settings.approvals.undo_seconds)
    return Terms(undo=undo, technical_account=bool(account), own_account=account)


class DirectoryStaff:
    """Implements `bot.approvals.company.Staff` by DingTalk's directory; a department is known by its id."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def member(self, user_id: str) -> Member | None:
        """Return a member's entry, None for somebody outside; raises a `DingTalkError`."""
        try:
            person = await self._directory.person(user_id)
        except UnknownPerson:
            return None
        # Of several departments the one that is oldest in DingTalk: it is the same each time.
        department = min(person.departments, key=lambda one: (len(one), one), default="")
        return Member(manager=person.manager_id, department=department)
