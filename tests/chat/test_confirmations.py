"""What a browser asks for is confirmed in one's own chat: by whom, how long, how often, and for what alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.access.page_sessions import PageSession, Visitor
from bot.access.people import Person
from bot.chat.confirmations import (
    GOOD_FOR,
    MOST_PER_HOUR,
    ConfirmationComposer,
    ConfirmationRefused,
    ConfirmationRequest,
    Confirmations,
    ConfirmationState,
)
from bot.store.confirmations import StoredConfirmations
from bot.store.database import Database
from bot.store.outbox.queue import StoredBacklog
from bot.words.phrase import phrase
from tests.recording_audit import RecordingAudit
from tests.store.conftest import database as database

START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
RULES = "rules:1:abc"
WORDS = phrase("Publish %(rules)s, version %(num)s", rules="alerts", num="1")


@dataclass
class Scene:
    """People with a session each, and a clock."""

    store: StoredConfirmations
    time: list[datetime] = field(default_factory=lambda: [START])
    logged_out: list[str] = field(default_factory=list)
    audit: RecordingAudit = field(default_factory=RecordingAudit)

    @property
    def confirmations(self) -> Confirmations:
        async def end(people: Collection[str]) -> None:
            self.logged_out.extend(people)

        return Confirmations(
            self.store, end_sessions=end, audit=self.audit, on_enqueued=lambda: None, now=lambda: self.time[0]
        )

    async def asked(self, who: Visitor, about: str = RULES) -> str:
        await self.confirmations.ask(who, about, WORDS)
        return (await self.store.since(who.session.user_id, START))[0].id


def visitor(user_id: str, digest: str) -> Visitor:
    session = PageSession(digest=digest, user_id=user_id, corp_id="ours", began_at=START, seen_at=START, device="phone")
    return Visitor(session, Person(user_id=user_id, name=user_id), "token")


AMY, AMYS_PHONE, BOB = visitor("amy", "1"), visitor("amy", "2"), visitor("bob", "3")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(StoredConfirmations(database))


async def test_a_confirmation_is_good_once_for_one_matter_of_one_session(scene: Scene) -> None:
    asked = await scene.asked(AMY)
    assert await scene.confirmations.state(AMY, RULES) is ConfirmationState.ASKED
    assert not await scene.confirmations.spend(AMY, RULES)
    found = await scene.confirmations.answer(asked, "amy", confirms=True)
    assert found.state is ConfirmationState.CONFIRMED
    assert await scene.confirmations.state(AMYS_PHONE, RULES) is None
    assert not await scene.confirmations.spend(AMYS_PHONE, RULES)
    assert not await scene.confirmations.spend(AMY, "rules:1:other")
    assert await scene.confirmations.spend(AMY, RULES)
    assert not await scene.confirmations.spend(AMY, RULES)
    assert [(each.actor, each.action, each.outcome) for each in scene.audit.entries] == [
        ("amy", "confirm", "confirmed")
    ]


async def test_nobody_else_answers_and_nobody_answers_late(scene: Scene) -> None:
    asked = await scene.asked(AMY)
    for user_id, wanted in (("bob", asked), ("amy", "unknown"), ("", asked)):
        with pytest.raises(ConfirmationRefused):
            await scene.confirmations.answer(wanted, user_id, confirms=True)
    scene.time[0] += GOOD_FOR + timedelta(seconds=1)
    assert (await scene.confirmations.answer(asked, "amy", confirms=True)).state is ConfirmationState.EXPIRED
    assert not await scene.confirmations.spend(AMY, RULES)


async def test_what_was_confirmed_long_ago_is_worth_nothing(scene: Scene) -> None:
    asked = await scene.asked(AMY)
    await scene.confirmations.answer(asked, "amy", confirms=True)
    scene.time[0] += 2 * GOOD_FOR + timedelta(seconds=1)
    assert not await scene.confirmations.spend(AMY, RULES)


async def test_who_denies_it_is_logged_out_and_a_second_tap_changes_nothing(scene: Scene) -> None:
    asked = await scene.asked(AMY)
    assert (await scene.confirmations.answer(asked, "amy", confirms=False)).state is ConfirmationState.DENIED
    assert (await scene.confirmations.answer(asked, "amy", confirms=True)).state is ConfirmationState.DENIED
    assert scene.logged_out == ["amy"]


async def test_cards_cost_calls_so_few_are_sent(scene: Scene, database: Database) -> None:
    for number in range(MOST_PER_HOUR):
        for _ in range(3):  # what stands there already is not sent again
            await scene.confirmations.ask(AMY, f"rules:{number}", WORDS)
    with pytest.raises(ConfirmationRefused):
        await scene.confirmations.ask(AMY, "rules:99", WORDS)
    await scene.confirmations.ask(BOB, "rules:99", WORDS)
    assert await StoredBacklog(database).waiting() == MOST_PER_HOUR + 1
    scene.time[0] += timedelta(hours=1, seconds=1)
    await scene.confirmations.ask(AMY, "rules:99", WORDS)


async def test_the_card_says_what_is_asked_and_what_has_become_of_it(scene: Scene) -> None:
    asked = await scene.asked(AMY)
    composer = ConfirmationComposer(scene.store, lambda: scene.time[0])
    view = (await composer.compose(asked)).view
    assert isinstance(view, ConfirmationRequest)
    assert (str(view.words), view.device, len(view.buttons())) == (str(WORDS), "phone", 2)
    scene.time[0] += timedelta(hours=1)
    late = (await composer.compose(asked)).view
    assert isinstance(late, ConfirmationRequest)
    assert (late.state, late.buttons()) == (ConfirmationState.EXPIRED, ())
    assert (await composer.compose("unknown")).view is None
