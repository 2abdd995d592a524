from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.dingtalk.errors import DingTalkAuthFailed, DingTalkUnavailable
from bot.dingtalk.tokens import AccessTokenGrant, AccessTokens
from bot.words.errors import DingerpError


@dataclass
class TokenSource:
    """Hands out numbered tokens, or the errors queued in ``troubles``."""

    now: float = 0.0
    lifetime: float = 7200.0
    fetched: int = 0
    troubles: list[DingerpError] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def fetch(self) -> AccessTokenGrant:
        self.fetched += 1
        number = self.fetched
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        return AccessTokenGrant(f"token-{number}", self.lifetime)

    def tokens(self) -> AccessTokens:
        return AccessTokens(self.fetch, clock=lambda: self.now)


async def test_one_fetch_for_all_who_wait() -> None:
    source = TokenSource()
    source.gate.clear()
    tokens = source.tokens()
    waiting = [asyncio.create_task(tokens.get()) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    source.gate.set()
    assert await asyncio.gather(*waiting[1:]) == ["token-1"] * 49
    assert source.fetched == 1


async def test_a_token_is_renewed_five_minutes_early() -> None:
    source = TokenSource()
    tokens = source.tokens()
    assert await tokens.get() == "token-1"
    source.now = 6899
    assert tokens.ready() == await tokens.get() == "token-1"
    source.now = 6900
    assert tokens.ready() == ""
    assert await tokens.get() == "token-2"


async def test_a_short_lived_token_is_used_at_all() -> None:
    source = TokenSource(lifetime=60)
    tokens = source.tokens()
    await tokens.get()
    source.now = 44
    assert tokens.ready() == "token-1"


async def test_the_old_token_serves_while_renewal_fails_and_no_longer() -> None:
    source = TokenSource()
    tokens = source.tokens()
    await tokens.get()
    source.now = 7000
    source.troubles = [DingTalkUnavailable("down"), DingTalkUnavailable("down")]
    assert await tokens.get() == "token-1"
    source.now = 7200
    with pytest.raises(DingTalkUnavailable):
        await tokens.get()
    assert await tokens.get() == "token-4"


async def test_refused_keys_are_not_tried_in_a_tight_loop() -> None:
    source = TokenSource(
        troubles=[DingTalkAuthFailed("bad secret", code="invalidClientIdOrSecret"), DingTalkAuthFailed("bad secret")]
    )
    tokens = source.tokens()
    for _ in range(20):
        with pytest.raises(DingTalkAuthFailed, match="bad secret"):
            await tokens.get()
    assert source.fetched == 1
    source.now = 61
    with pytest.raises(DingTalkAuthFailed):
        await tokens.get()
    source.now = 122
    assert await tokens.get() == "token-3"


async def test_only_the_refused_token_is_dropped() -> None:
    source = TokenSource()
    tokens = source.tokens()
    await tokens.get()
    tokens.drop("an older one")
    assert tokens.ready() == "token-1"
    tokens.drop("token-1")
    assert await tokens.get() == "token-2"


async def test_a_failure_that_nobody_waits_for_any_more_is_quiet() -> None:
    source = TokenSource(troubles=[DingTalkUnavailable("down")])
    source.gate.clear()
    tokens = source.tokens()
    waiting = asyncio.create_task(tokens.get())
    await asyncio.sleep(0)
    waiting.cancel()
    source.gate.set()
    await asyncio.wait([waiting])
    assert await tokens.get() == "token-2"
