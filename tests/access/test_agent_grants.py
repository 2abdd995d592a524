"""What people let agents ask: codes and refresh tokens are good once, and a grant is a key as any other."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256

import pytest

from bot.access.agent_grants import (
    CODE_LASTS,
    GRANT_LASTS,
    MOST_OF_PERSON,
    TOKEN_LASTS,
    AgentGrants,
    Tokens,
    Wanted,
)
from bot.store.agent_grants import StoredAgentGrants
from bot.store.database import Database
from bot.store.tables import AGENT_GRANT, API_KEY
from tests.access.test_api_keys import Scene
from tests.rows import each_row
from tests.store.conftest import database as database

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
MCP, BACK = "https://erp.example/mcp", "https://agent.example/back?x=1"
PROOF = {"client_id": "client", "redirect_uri": BACK, "verifier": VERIFIER}


class GrantScene(Scene):
    """What amy lets agents ask."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.keys._resource = MCP
        self.grants = AgentGrants(
            StoredAgentGrants(database), identify=self.keys._identify, audit=self.audit, now=lambda: self.now
        )

    async def give(self, **changes: object) -> str:
        wanted = {
            "client_id": "client",
            "client": "Agent",
            "redirect_uri": BACK,
            "resource": MCP,
            "scopes": ("stock", "why"),
            "commands": frozenset({"stock", "why"}),
            "challenge": CHALLENGE,
        }
        return await self.grants.give("amy", Wanted(**{**wanted, **changes}))  # type: ignore[arg-type]

    async def given(self) -> Tokens:
        tokens = await self.grants.exchange(await self.give(), **PROOF)
        assert tokens is not None
        return tokens

    async def opens(self, tokens: Tokens) -> bool:
        return await self.keys.find(tokens.access) is not None

    @property
    def outcomes(self) -> list[str]:
        return [entry.outcome for entry in self.audit.entries]


@pytest.fixture
def scene(database: Database) -> GrantScene:
    return GrantScene(database)


async def test_a_code_becomes_a_key_of_the_person(scene: GrantScene) -> None:
    tokens = await scene.given()
    assert tokens.scopes == ("stock", "why")
    program = await scene.keys.find(tokens.access)
    assert program is not None
    assert (program.key.user_id, program.key.scopes) == ("amy", {"stock", "why"})
    assert program.key.login is not None
    assert (program.key.login.client, program.key.ends_at) == ("Agent", scene.now + GRANT_LASTS)
    entry = scene.audit.entries[0]
    assert (entry.actor, entry.outcome) == ("amy", "granted")
    assert f"key {program.key.id} of a client at agent.example, opens stock, why" in entry.detail


async def test_the_database_has_no_code_and_no_token(scene: GrantScene, database: Database) -> None:
    code = await scene.give()
    tokens = await scene.grants.exchange(code, **PROOF)
    assert tokens is not None
    rows = str([*await database.rows(AGENT_GRANT.select()), *await database.rows(API_KEY.select())])
    assert not any(part in rows for part in (code, tokens.access, tokens.refresh[13:56], tokens.refresh[56:]))


@each_row(
    "wrong",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://agent.example/back"},
        {"verifier": "w" * 43},
        {"verifier": CHALLENGE},
        {"verifier": ""},
    ],
)
async def test_a_code_is_for_who_can_prove_that_it_was_asked_for_by_them(
    wrong: dict[str, str], scene: GrantScene
) -> None:
    code = await scene.give()
    assert await scene.grants.exchange(code, **(PROOF | wrong)) is None
    assert await scene.grants.exchange(code, **PROOF) is None, "who has shown it wrongly has spoilt it"
    assert scene.outcomes[-2:] == ["granted", "ended_code_refused"]


async def test_a_code_is_good_for_a_minute(scene: GrantScene) -> None:
    code = await scene.give()
    scene.now += CODE_LASTS
    assert await scene.grants.exchange(code, **PROOF) is None


async def test_a_code_used_twice_ends_what_it_gave(scene: GrantScene) -> None:
    code = await scene.give()
    tokens = await scene.grants.exchange(code, **PROOF)
    assert tokens is not None
    assert await scene.grants.exchange(code, **PROOF) is None
    assert not await scene.opens(tokens)
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is None
    assert scene.outcomes == ["granted", "ended_code_used_twice"]


async def test_a_guessed_code_ends_nothing(scene: GrantScene) -> None:
    code = await scene.give()
    assert await scene.grants.exchange(f"{code[:-1]}{'a' if code[-1] != 'a' else 'b'}", **PROOF) is None
    assert await scene.grants.exchange(code, **PROOF) is not None


async def test_tokens_are_renewed_until_the_grant_ends(scene: GrantScene) -> None:
    tokens, ends = await scene.given(), scene.now + GRANT_LASTS
    while scene.now + timedelta(days=1) < ends:
        scene.now += timedelta(days=1)
        assert not await scene.opens(tokens), "a token is good for an hour"
        renewed = await scene.grants.refresh(tokens.refresh, client_id="client")
        assert renewed is not None
        tokens = renewed
        assert await scene.opens(tokens)
    scene.now = ends - TOKEN_LASTS / 2
    last = await scene.grants.refresh(tokens.refresh, client_id="client")
    assert last is not None
    scene.now = ends
    assert not await scene.opens(last)
    assert await scene.grants.refresh(last.refresh, client_id="client") is None


async def test_a_token_that_was_renewed_is_over(scene: GrantScene) -> None:
    tokens = await scene.given()
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is not None
    assert not await scene.opens(tokens)


async def test_a_refresh_token_used_twice_ends_the_grant(scene: GrantScene) -> None:
    tokens = await scene.given()
    renewed = await scene.grants.refresh(tokens.refresh, client_id="client")
    assert renewed is not None
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is None
    assert not await scene.opens(renewed)
    assert await scene.grants.refresh(renewed.refresh, client_id="client") is None
    assert scene.outcomes == ["granted", "ended_refresh_used_twice"]


async def test_a_refresh_token_of_another_client_ends_the_grant(scene: GrantScene) -> None:
    tokens = await scene.given()
    assert await scene.grants.refresh(tokens.refresh, client_id="other") is None
    assert not await scene.opens(tokens)


async def test_who_knows_an_id_ends_nothing(scene: GrantScene) -> None:
    """Ids are in the audit log."""
    tokens = await scene.given()
    guessed = f"{tokens.refresh[:13]}{'a' * 86}"
    assert await scene.grants.refresh(guessed, client_id="client") is None
    await scene.grants.revoke(guessed, client_id="client")
    await scene.grants.revoke(f"{tokens.access[:13]}{'a' * 43}", client_id="client")
    await scene.grants.revoke(tokens.access, client_id="other")
    assert await scene.opens(tokens)


@each_row("which", ["access", "refresh"])
async def test_a_client_gives_a_grant_back(which: str, scene: GrantScene) -> None:
    tokens = await scene.given()
    await scene.grants.revoke(getattr(tokens, which), client_id="client")
    assert not await scene.opens(tokens)
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is None
    assert scene.outcomes[-2:] == ["granted", "revoked"]


async def test_a_token_for_another_address_opens_nothing(scene: GrantScene) -> None:
    tokens = await scene.given()
    scene.keys._resource = "https://elsewhere.example/mcp"
    assert not await scene.opens(tokens)


async def test_who_leaves_leaves_nothing_behind(scene: GrantScene) -> None:
    tokens, code, amy = await scene.given(), await scene.give(), scene.people.pop("amy")
    assert not await scene.opens(tokens)
    scene.people["amy"] = amy
    assert not await scene.opens(tokens)
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is None
    assert await scene.grants.exchange(code, **PROOF) is None


async def test_who_has_left_gets_no_tokens_for_a_code(scene: GrantScene) -> None:
    code, _ = await scene.give(), scene.people.pop("amy")
    assert await scene.grants.exchange(code, **PROOF) is None


async def test_a_person_ends_their_own_and_nobody_else_s(scene: GrantScene) -> None:
    tokens = await scene.given()
    (key,) = await scene.keys.of_person("amy")
    assert not await scene.keys.end_own("ben", key.id)
    assert await scene.opens(tokens)
    assert await scene.keys.end_own("amy", key.id)
    assert not await scene.opens(tokens)
    assert await scene.grants.refresh(tokens.refresh, client_id="client") is None


async def test_a_person_has_so_many_grants_and_the_oldest_end(scene: GrantScene, database: Database) -> None:
    first, second = await scene.given(), await scene.given()
    for _ in range(MOST_OF_PERSON - 1):
        scene.now += timedelta(seconds=1)
        await scene.given()
    assert [await scene.opens(each) for each in (first, second)].count(True) == 1
    scene.now += CODE_LASTS
    await scene.give()
    scene.now += GRANT_LASTS
    await scene.give()
    assert len(await database.rows(AGENT_GRANT.select())) == 1, "what is over is forgotten"
    assert await database.rows(API_KEY.select()) == []
