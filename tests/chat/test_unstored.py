"""Who asked what could not be stored is told why, once, unless it is stored meanwhile."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bot.chat.answers import unstored
from bot.chat.answers.unstored import UnstoredQuestions
from bot.chat.message import Message
from bot.store.errors import StoreUnavailable
from bot.words.errors import DingerpError
from tests.chat.test_pipeline import message

AWAY = StoreUnavailable("the disk is full")


class Told:
    """Remembers who was told what."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.next = asyncio.Event()

    async def explain(self, asked: Message, error: DingerpError) -> None:
        assert error is AWAY
        self.ids.append(asked.msg_id)
        self.next.set()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unstored, "PATIENCE", 0.0)


def nothing() -> None:
    """Try to store a question, in vain."""


async def test_each_asker_is_told_once_however_often_the_question_comes() -> None:
    told = Told()
    questions = UnstoredQuestions(told.explain)
    for msg_id in ("m1", "m1", "m2", "m1"):
        questions.add(message(msg_id, "/stock"), AWAY, nothing)
    while len(told.ids) < 2:
        told.next.clear()
        await told.next.wait()
    questions.add(message("m1", "/stock"), AWAY, nothing)
    await asyncio.sleep(0)
    assert told.ids == ["m1", "m2"]
    questions.close()


async def test_what_is_stored_in_time_needs_no_words() -> None:
    told = Told()
    questions = UnstoredQuestions(told.explain)
    questions.add(message("m1", "/stock"), AWAY, lambda: questions.discard("m1"))
    questions.add(message("m2", "/stock"), AWAY, nothing)
    questions.close()
    questions.add(message("m3", "/stock"), AWAY, nothing)
    await told.next.wait()
    assert told.ids == ["m3"]
    questions.close()


async def test_it_is_tried_again_until_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unstored, "AGAIN", 0.0)
    told, tries, stored = Told(), 0, asyncio.Event()
    questions = UnstoredQuestions(told.explain)

    def store() -> None:
        nonlocal tries
        tries += 1
        if tries == 5:
            questions.discard("m1")
            stored.set()

    questions.add(message("m1", "/stock"), AWAY, store)
    await stored.wait()
    assert told.ids == ["m1"]


async def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unstored, "MOST", 2)
    told, tried = Told(), set()
    questions = UnstoredQuestions(told.explain)
    for number in range(4):
        questions.add(message(f"m{number}", "/stock"), AWAY, partial(tried.add, number))
    while len(told.ids) < 2:
        told.next.clear()
        await told.next.wait()
    questions.close()
    assert tried == {0, 1}
