"""Connects the bot's data on people to DingTalk's directory and its events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.access.api_keys import ApiKeys
from bot.access.directory_sync import DirectorySync
from bot.access.membership import Membership
from bot.access.organisation import OwnOrganisation
from bot.access.page_sessions import PageSessions
from bot.access.staff_keys import StaffKeys
from bot.approvals.absences import Absences
from bot.approvals.staff_changes import StaffChanges
from bot.bootstrap.directory_adapters import DirectoryListingAdapter
from bot.bootstrap.infrastructure import Infrastructure
from bot.dingtalk.contact_events import ContactChange, ContactNews
from bot.dingtalk.directory_listing import DingTalkDirectoryListing
from bot.mechanisms.background import Runs

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ContactEvents:
    """Records the directory's events about people."""

    organisation: OwnOrganisation
    membership: Membership
    sync: DirectorySync | None
    staff: StaffChanges
    sessions: PageSessions
    api_keys: ApiKeys
    absences: Absences

    async def take(self, change: ContactChange) -> None:
        """Apply a change. Raises a `DingerpError` if it cannot be stored: then the event comes again."""
        own = self.organisation
        if change.corp_id and own.is_known and not own.is_own(change.corp_id):
            log.warning("contact_event.foreign_organisation", corp_id=change.corp_id)
            return
        log.info("contact_event.taken", news=change.news, people=len(change.user_ids))
        match change.news:
            case ContactNews.LEFT:
                await self.membership.record_left(change.user_ids)
                self.staff.note((), change.user_ids)
                await self.sessions.end_of(change.user_ids)
                await self.api_keys.end_of(change.user_ids)
                await self.absences.end_of(change.user_ids)
            case ContactNews.CHANGED if change.user_ids:
                await self.membership.record_changed(change.user_ids)
                self.staff.note(change.user_ids)
            case ContactNews.CHANGED | ContactNews.ROLES_CHANGED:
                await self.membership.record_roles_changed()
            case ContactNews.DEPARTMENTS_CHANGED if self.sync is not None:
                self.sync.note_departments_changed()


async def start_directory(
    base: Infrastructure,
    staff: StaffChanges,
    search: Callable[[Sequence[StaffKeys]], Awaitable[None]] | None,
    sessions: PageSessions,
    api_keys: ApiKeys,
    absences: Absences,
) -> ContactEvents:
    """Start keeping the database in step with the directory, and return the receiver of its events.

    ``search`` receives everybody's keys after each walk through the directory, and ``staff`` is told of it. People who
    leave are logged out of ``sessions``, and their ``api_keys`` and ``absences`` end.
    """

    async def walked(people: Sequence[StaffKeys]) -> None:
        staff.note_all()
        if search is not None:
            await search(people)

    access, sync = base.settings.access, None
    if base.database.dialect != "sqlite":  # a SQLite file belongs to one process
        await base.run_in_background(base.stored_people.follow, "people", Runs.EVERYWHERE)
    if access.reads_directory and access.sync_hours:
        listing = DirectoryListingAdapter(DingTalkDirectoryListing(base.api))
        every = timedelta(hours=access.sync_hours)
        sync = DirectorySync(listing, base.stored_people, base.members, every=every, now=base.now, walked=walked)
        await base.run_in_background(sync.run, "directory", Runs.EVERYWHERE)
    return ContactEvents(base.organisation, base.members, sync, staff, sessions, api_keys, absences)
