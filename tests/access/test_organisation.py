"""Whose bot it is: learnt once, kept, and nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.access.organisation import OwnOrganisation
from bot.words.errors import DingerpError


@dataclass(slots=True)
class FakeStore:
    kept: str = ""
    away: bool = False
    asked: int = 0

    async def load(self) -> str:
        return self.kept

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise DingerpError("away")
        self.kept = corp_id if instead else self.kept or corp_id
        return self.kept


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


async def opened(store: FakeStore, configured: str = "") -> OwnOrganisation:
    own = OwnOrganisation(configured, store)
    await own.load()
    return own


async def test_nobody_belongs_to_an_unknown_organisation(store: FakeStore) -> None:
    own = await opened(store)
    assert not own.is_known
    assert not own.is_own("dingcorp")
    assert not own.is_own("")


async def test_the_first_message_says_whose_bot_it_is_and_later_ones_change_nothing(store: FakeStore) -> None:
    own = await opened(store)
    assert own.admits("dingcorp")
    assert own.is_own("dingcorp")
    assert not own.admits("dingother")
    assert not own.is_own("dingother")
    await own.save()
    again = await opened(store)
    assert again.is_own("dingcorp")
    assert not again.admits("dingother")


async def test_messages_that_come_together_are_kept_once(store: FakeStore) -> None:
    own = await opened(store)
    assert own.admits("dingcorp")
    await asyncio.gather(*(own.save() for _ in range(5)))
    assert (store.kept, store.asked) == ("dingcorp", 1)


async def test_a_message_that_names_none_teaches_nothing(store: FakeStore) -> None:
    own = await opened(store)
    assert own.admits("")
    assert not own.is_known
    await own.save()
    assert store.kept == ""


async def test_the_configuration_stands_above_what_was_learnt(store: FakeStore) -> None:
    store.kept = "dingold"
    own = await opened(store, " dingcorp ")
    assert own.is_own("dingcorp")
    assert not own.admits("dingold")
    await own.save()
    assert (await opened(store)).is_own("dingcorp")


async def test_what_another_process_learnt_first_counts(store: FakeStore) -> None:
    own = await opened(store)
    assert own.admits("dinglate")
    store.kept = "dingcorp"
    await own.save()
    assert own.is_own("dingcorp")
    assert not own.is_own("dinglate")


async def test_a_store_that_is_away_is_asked_again_with_the_next_message(store: FakeStore) -> None:
    own = await opened(store)
    assert own.admits("dingcorp")
    store.away = True
    await own.save()
    assert own.is_own("dingcorp")
    store.away = False
    await own.save()
    assert store.kept == "dingcorp"


@dataclass(slots=True)
class FakeApp:
    """Belongs to ``dingcorp``, unless it does not answer."""

    silent: bool = False
    asked: list[str] = field(default_factory=list)

    async def has_app(self, corp_id: str) -> bool:
        self.asked.append(corp_id)
        if self.silent:
            raise DingerpError("silent")
        return corp_id == "dingcorp"


async def test_a_click_teaches_the_organisation_that_the_app_belongs_to(store: FakeStore) -> None:
    app = FakeApp()
    own = OwnOrganisation("", store, app)
    for corp_id in ("dingother", "dingother", ""):
        await own.recognise(corp_id)
        assert not own.is_known
    await own.recognise("dingcorp")
    assert own.is_own("dingcorp")
    assert store.kept == "dingcorp"
    await own.recognise("dingthird")
    assert app.asked == ["dingother", "dingcorp"]


async def test_an_app_that_does_not_answer_teaches_nothing_and_is_asked_again(store: FakeStore) -> None:
    app = FakeApp(silent=True)
    own = OwnOrganisation("", store, app)
    await own.recognise("dingcorp")
    assert not own.is_known
    app.silent = False
    await own.recognise("dingcorp")
    assert own.is_own("dingcorp")
