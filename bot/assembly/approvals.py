"""The rooms of approvals: the desk, the writer, the rounds, and the cards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.approvals.asking import Approvals, OfficeApprovals
from bot.approvals.case import CardKind
from bot.approvals.composing import ApprovalComposer, ToldComposer
from bot.approvals.document import Document
from bot.approvals.hearing import Listening
from bot.approvals.insights import Insights
from bot.approvals.native.companion import Companion
from bot.approvals.office import Office
from bot.approvals.policy.file import follow_policy
from bot.approvals.policy.rulebook import RuleBook
from bot.approvals.reading import Reader
from bot.approvals.rounds import Rounds
from bot.approvals.service import ApprovalDesk
from bot.approvals.showing import NamesOf, Showing
from bot.approvals.writing import Writer
from bot.assembly.alerts import AlertRooms
from bot.assembly.base import Base
from bot.assembly.native import furnish_native
from bot.assembly.policy import DirectoryStaff, known_of, organisation_of, terms_of
from bot.chat.replies import OpenQuestions
from bot.dingtalk.directory import Directory
from bot.erp.hub import ErpHub
from bot.erp.port import Capability
from bot.outbox.composing import Composer
from bot.outbox.place import Place, PlaceKind
from bot.rulefiles.file import FollowedFile
from bot.store.approvals import StoredApprovalBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRooms:
    """What the rest of the bot needs of them."""

    rules: FollowedFile[RuleBook]
    desk: ApprovalDesk
    writer: Writer
    rounds: Rounds
    showing: Showing
    collaborators: Mapping[type, object]
    """What commands get."""
    composers: Mapping[str, Composer]
    companion: Companion | None
    """Keeps DingTalk's own approvals in step, where the company wants them."""


def furnish_approvals(base: Base, hub: ErpHub, alerts: AlertRooms) -> ApprovalRooms:
    """Make the desk and what belongs to it; nothing works before `decide` says so."""
    settings = base.settings
    rules = follow_policy(settings.approval_rules, known_of(settings), monotonic=time.monotonic)
    staff = DirectoryStaff(Directory(base.api)) if settings.access.directory else None
    groups = tuple(Place(PlaceKind.GROUP, group) for group in settings.approval_groups)

    def groups_of(_document: Document) -> Sequence[Place]:
        return groups

    def owed() -> None:
        alerts.outbox.poke()
        if companion is not None:
            companion.poke()

    books = StoredApprovalBooks(base.database, base.now)
    office = Office(
        books=books,
        reader=Reader(hub, organisation_of(settings, staff)),
        policy=rules.current,
        groups=groups_of,
        now=base.now,
        terms=terms_of(settings),
        owed=owed,
    )
    desk = ApprovalDesk(office, poke=lambda: writer.poke(), seconds=settings.limits.click_seconds / 2)
    writer = Writer(office, hub, follow=desk.submitted, metrics=base.metrics)
    companion = furnish_native(base, desk, books)
    showing = Showing(hub.reread, Insights(hub.at, now=base.now), _names(base), now=base.now)
    approvals = OfficeApprovals(desk, office)
    sources = {name: hub.at(name) for name in hub.sources}
    deciding = {name: one for name, one in sources.items() if Capability.APPROVE in one.capabilities}
    return ApprovalRooms(
        rules=rules,
        desk=desk,
        writer=writer,
        rounds=Rounds(desk, deciding, metrics=base.metrics, backlog=settings.approvals.backlog),
        showing=showing,
        collaborators={
            Approvals: approvals,
            Showing: showing,
            OpenQuestions: OpenQuestions(),
        },
        composers={
            CardKind.APPROVAL.value: ApprovalComposer(approvals.find, showing),
            CardKind.TOLD.value: ToldComposer(approvals.find, showing),
        },
        companion=companion,
    )


async def decide(base: Base, approvals: ApprovalRooms) -> None:
    """Begin to look for what waits, and to tell the ERPs what was decided."""
    await base.keep(approvals.writer.run(), "approvals writer")
    if base.settings.decides_in_chat:
        await base.keep(approvals.rounds.run(), "approvals rounds")
    if approvals.companion is not None:
        await base.keep(approvals.companion.run(), "native approvals")


def listening(alerts: AlertRooms, approvals: ApprovalRooms) -> Listening:
    """Return the door of events that also tells the approvals what it hears."""
    return Listening(alerts.intake, approvals.rounds.hear)


def _names(base: Base) -> NamesOf:
    people = base.people

    async def names_of(user_ids: Sequence[str]) -> Mapping[str, str]:
        found = await asyncio.gather(*(people.identify(one, name="") for one in user_ids))
        return {one: person.name for one, person in zip(user_ids, found, strict=True) if not person.is_external}

    return names_of
