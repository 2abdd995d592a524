"""Keys of programs: whose they are, how they end, and what their scopes leave of their owner's rights."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from bot.access.api_keys import ApiKeys, OwnerNotKnownNow, digest_of, make_key
from bot.access.audit import AuditKind
from bot.access.people import MembershipDoubt, Person
from bot.access.policy import KEY_RULE, AccessPolicy, AccessRequest
from bot.store.api_keys import StoredApiKeys
from bot.store.database import Database
from bot.store.tables import API_KEY
from tests.recording_audit import RecordingAudit
from tests.rows import each_row
from tests.store.conftest import database as database

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


class Scene:
    """Keys of amy, whom the directory knows, and a clock."""

    def __init__(self, database: Database) -> None:
        self.store, self.audit, self.now = StoredApiKeys(database), RecordingAudit(), START
        self.people = {"amy": Person(user_id="amy", name="Amy")}

        async def identify(user_id: str) -> Person:
            return self.people.get(user_id) or Person(user_id=None, name="", claimed_id=user_id)

        def documents_of(command: str) -> Collection[str]:
            return {"bill": ("po",), "order": ("order",)}.get(command, ())

        self.keys = ApiKeys(
            self.store, identify=identify, documents_of=documents_of, audit=self.audit, now=lambda: self.now
        )

    async def make(self, *scopes: str) -> str:
        """Make a key for a day, and return its token."""
        key, token = make_key("amy", scopes, now=self.now, expires_at=self.now + timedelta(days=1))
        await self.store.put(key)
        return token


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


async def test_the_database_has_no_token(scene: Scene, database: Database) -> None:
    token = await scene.make("order")
    rows = await database.read(lambda connection: connection.execute(API_KEY.select()).all())
    assert [row.digest for row in rows] == [digest_of(token)]
    assert token not in str(rows)


async def test_a_key_is_good_until_its_end(scene: Scene) -> None:
    token = await scene.make("order")
    scene.now += timedelta(days=1) - timedelta(seconds=1)
    assert await scene.keys.find(token) is not None
    scene.now += timedelta(seconds=1)
    assert await scene.keys.find(token) is None


async def test_the_keys_of_who_left_are_gone_for_good(scene: Scene) -> None:
    token, amy = await scene.make("order"), scene.people.pop("amy")
    assert await scene.keys.find(token) is None
    scene.people["amy"] = amy
    assert await scene.keys.find(token) is None, "whoever comes back does not bring old keys back"
    assert [(entry.kind, entry.actor, entry.outcome) for entry in scene.audit.entries] == [
        (AuditKind.BINDING, "amy", "ended_everywhere")
    ]


async def test_a_silent_directory_ends_no_key(scene: Scene) -> None:
    token, amy = await scene.make("order"), scene.people["amy"]
    scene.people["amy"] = Person(user_id=None, name="", doubt=MembershipDoubt.NO_ANSWER, claimed_id="amy")
    with pytest.raises(OwnerNotKnownNow):
        await scene.keys.find(token)
    scene.people["amy"] = amy
    assert await scene.keys.find(token) is not None


@each_row(
    "scopes, command, asks, sees",
    [
        (("order",), "order", True, True),
        (("order",), "po", False, False),
        (("bill",), "bill", True, True),
        (("bill",), "po", False, True),
        (("*",), "po", True, True),
    ],
)
async def test_scopes_narrow_what_the_owner_may(
    scopes: tuple[str, ...], command: str, asks: bool, sees: bool, scene: Scene
) -> None:
    program = await scene.keys.find(await scene.make(*scopes))
    assert program is not None
    policy = AccessPolicy()
    verdict = policy.decide(program.person, AccessRequest(command=command))
    assert (verdict.allowed, policy.decide_area(program.person, command).allowed) == (asks, sees)
    assert (verdict.rule == KEY_RULE) != asks
    assert policy.decide(scene.people["amy"], AccessRequest(command=command)).allowed
