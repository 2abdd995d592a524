"""Logins to the pages: who gets one, how it ends, and that it is worth nothing to anybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.access.audit import AuditKind
from bot.access.organisation import OwnOrganisation
from bot.access.page_sessions import (
    NO_MEMBER,
    NOT_KNOWN_NOW,
    OTHER_ORGANISATION,
    UNKNOWN_ORGANISATION,
    LoginIdentity,
    LoginRefused,
    PageSessions,
    digest_of,
)
from bot.access.people import MembershipDoubt, Person
from bot.store.database import Database
from bot.store.page_sessions import StoredPageSessions
from bot.store.tables import PAGE_SESSION
from bot.words.phrase import Phrase
from tests.recording_audit import RecordingAudit
from tests.rows import each_row
from tests.store.conftest import database as database

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
IDLE, LONGEST = timedelta(hours=4), timedelta(hours=24)
AMY = LoginIdentity(user_id="amy", corp_id="ours")


@dataclass
class Scene:
    """People of an organisation, and a clock."""

    sessions: PageSessions
    store: StoredPageSessions
    audit: RecordingAudit
    people: dict[str, Person]
    time: list[datetime] = field(default_factory=lambda: [START])

    def pass_by(self, time: timedelta) -> None:
        self.time[0] += time

    async def log_in(self, identity: LoginIdentity = AMY, ended: str = "") -> str:
        return await self.sessions.begin(identity, device="phone", ended=ended)

    async def is_in(self, token: str) -> bool:
        return await self.sessions.find(token) is not None


@pytest.fixture
def scene(database: Database) -> Scene:
    return make_scene(database)


def make_scene(database: Database, corp_id: str = "ours") -> Scene:
    audit, store, time = RecordingAudit(), StoredPageSessions(database), [START]
    people = {name: Person(user_id=name, name=name.title()) for name in ("amy", "bob")}

    async def identify(user_id: str) -> Person:
        return people.get(user_id) or Person(user_id=None, name="", claimed_id=user_id)

    sessions = PageSessions(
        store,
        organisation=OwnOrganisation(corp_id),
        identify=identify,
        idle=IDLE,
        longest=LONGEST,
        audit=audit,
        now=lambda: time[0],
    )
    return Scene(sessions, store, audit, people, time)


async def test_a_member_who_logged_in_is_found_by_their_token(scene: Scene) -> None:
    token = await scene.log_in()
    visitor = await scene.sessions.find(token)
    assert visitor is not None
    assert visitor.person == scene.people["amy"]
    assert [(entry.kind, entry.actor, entry.outcome) for entry in scene.audit.entries] == [
        (AuditKind.LOGIN, "amy", "begun")
    ]


async def test_the_database_has_no_token(scene: Scene, database: Database) -> None:
    token = await scene.log_in()
    rows = await database.read(lambda connection: connection.execute(PAGE_SESSION.select()).all())
    assert [row.digest for row in rows] == [digest_of(token)]
    assert token not in str(rows)


@each_row(
    "identity, corp_id, reason",
    [
        (LoginIdentity(user_id="amy", corp_id="theirs"), "ours", OTHER_ORGANISATION),
        (LoginIdentity(user_id="eve", corp_id="ours"), "ours", NO_MEMBER),
        (LoginIdentity(user_id="new", corp_id="ours"), "ours", NOT_KNOWN_NOW),
        (LoginIdentity(user_id="amy", corp_id="ours"), "", UNKNOWN_ORGANISATION),
        (LoginIdentity(user_id="amy"), "", UNKNOWN_ORGANISATION),
    ],
)
async def test_who_is_no_member_gets_no_session(
    identity: LoginIdentity, corp_id: str, reason: Phrase, database: Database
) -> None:
    scene = make_scene(database, corp_id)
    scene.people["new"] = Person(user_id=None, name="", doubt=MembershipDoubt.NO_ANSWER)
    with pytest.raises(LoginRefused) as refused:
        await scene.log_in(identity)
    assert refused.value.reason == reason
    assert [entry.kind for entry in scene.audit.entries] == [AuditKind.REFUSAL]
    assert await database.read(lambda connection: connection.execute(PAGE_SESSION.select()).all()) == []


async def test_a_session_ends_without_use_and_after_its_longest_time(scene: Scene) -> None:
    unused = await scene.log_in()
    scene.pass_by(IDLE + timedelta(seconds=1))
    assert not await scene.is_in(unused)
    used = await scene.log_in()
    for _ in range(LONGEST // IDLE):
        assert await scene.is_in(used)
        scene.pass_by(IDLE - timedelta(minutes=2))
    assert await scene.is_in(used)
    scene.pass_by(timedelta(minutes=15))
    assert not await scene.is_in(used)


async def test_who_leaves_is_out_at_once_and_comes_back_into_no_old_session(scene: Scene) -> None:
    token = await scene.log_in()
    amy = scene.people.pop("amy")
    assert not await scene.is_in(token)
    scene.people["amy"] = amy
    assert not await scene.is_in(token)


async def test_while_nobody_knows_whether_they_are_a_member_they_are_out_but_not_logged_out(scene: Scene) -> None:
    token, amy = await scene.log_in(), scene.people["amy"]
    scene.people["amy"] = Person(user_id=None, name="Amy", doubt=MembershipDoubt.NO_ANSWER)
    assert not await scene.is_in(token)
    scene.people["amy"] = amy
    assert await scene.is_in(token)


async def test_a_login_ends_the_session_that_the_browser_came_with(scene: Scene) -> None:
    planted = await scene.log_in(LoginIdentity(user_id="bob", corp_id="ours"))
    token = await scene.log_in(ended=planted)
    assert token != planted
    assert not await scene.is_in(planted)


async def test_a_session_of_another_organisation_is_worth_nothing(scene: Scene, database: Database) -> None:
    token = await scene.log_in()
    assert not await make_scene(database, "theirs").is_in(token)
    assert not await scene.is_in(token)


async def test_logging_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(scene: Scene) -> None:
    phone, desk = await scene.log_in(), await scene.log_in()
    other = await scene.log_in(LoginIdentity(user_id="bob", corp_id="ours"))
    visitor = await scene.sessions.find(phone)
    assert visitor is not None
    await scene.sessions.end_everywhere(visitor)
    assert [await scene.is_in(token) for token in (phone, desk, other)] == [False, False, True]


async def test_sessions_that_have_ended_by_themselves_are_forgotten(scene: Scene, database: Database) -> None:
    await scene.log_in()
    scene.pass_by(IDLE / 2)
    kept = await scene.log_in()
    scene.pass_by(IDLE / 2 + timedelta(minutes=1))
    await scene.sessions.tidy()
    rows = await database.read(lambda connection: connection.execute(PAGE_SESSION.select()).all())
    assert [row.digest for row in rows] == [digest_of(kept)]


async def test_a_form_of_one_session_is_none_of_another(scene: Scene) -> None:
    first, second = [await scene.sessions.find(await scene.log_in()) for _ in range(2)]
    assert first is not None
    assert second is not None
    assert first.sent_form(first.form_token)
    forged: Mapping[str, str] = {"other": second.form_token, "none": "", "odd": "é"}
    assert [name for name, token in forged.items() if first.sent_form(token)] == []
