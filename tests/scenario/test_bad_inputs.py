"""Every bad input gets one correct card or ACK and at most one log entry, and the next question is answered.

The tables are in `bad_questions`, `bad_messages`, `bad_frames` and `bad_clicks`. One system serves all their rows.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.chat import ChatItem, SimDelivery, SimMessage
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.push_dispatcher import CALLBACK, CARD_CALLBACK, SimPush
from bot.kit.simulator.timeline import TimelineEntry
from tests.scenario.bad_clicks import CLICKS, LATE, BadClick, private
from tests.scenario.bad_frames import FRAMES, MESSAGE_ID, BadFrame
from tests.scenario.bad_messages import MESSAGES, BadMessage
from tests.scenario.bad_questions import QUESTIONS, BadQuestion
from tests.scenario.conftest import KEEPER, READING, BotSystem, run_system
from tests.scenario.notice_checks import check, plain_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = "/mo MO-1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotSystem]:
    folder = tmp_path_factory.mktemp("system")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        async with run_system(folder, **READING) as opened:
            await opened.ask(GOOD)
            yield opened


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Return the log's new event names; no test may leave a traceback in the log."""
    names: list[str] = []
    with capture_logs() as entries, caplog.at_level(logging.WARNING):
        yield names
    assert [entry["event"] for entry in entries] == names
    assert not [entry for entry in entries if entry.get("exc_info")]
    assert not caplog.records


@dataclass(frozen=True, slots=True)
class InputCheckpoint:
    """The state of a conversation and the wire before a bad input."""

    system: BotSystem
    place: str
    seq: int
    wire: int

    @classmethod
    def now(cls, system: BotSystem, place: str) -> InputCheckpoint:
        return cls(system, place, system.engine.conversation(place).last_seq, last_wire(system.engine))

    async def answers(self, *, some: bool) -> list[ChatItem]:
        """Return everything that the bot writes before the answer to a good question; ``some``: wait for something
        first."""
        engine = self.system.engine
        if some:
            await engine.wait_for(self._written)
        good = engine.say(self.place, KEEPER, GOOD)
        await engine.wait_for(lambda: any("MO-1" in card.title for card in engine.cards_for(good)))
        *bad, last = self._written()
        assert card_of(last).view_for(KEEPER).title in {card.title for card in engine.cards_for(good)}
        return bad

    def _written(self) -> list[ChatItem]:
        items = self.system.engine.chat.items(self.system.engine.conversation(self.place), "", self.seq)
        return [item for item in items if isinstance(item, SimDelivery) or item.sender is None]

    def entries(self, direction: str) -> list[TimelineEntry]:
        return [entry for entry in self.system.engine.timeline.after(self.wire) if entry.direction == direction]

    async def ack(self, message_id: str = "") -> TimelineEntry:
        """Return the ACK of this frame, or of the first pushed frame."""
        wanted = message_id or self.entries("push")[0].detail["messageId"]
        (ack,) = await self.system.engine.wait_for(
            lambda: [entry for entry in self.entries("ack") if acknowledged(entry) == wanted]
        )
        return ack


def last_wire(engine: SimEngine) -> int:
    return engine.timeline.after(limit=1)[-1].seq


def acknowledged(entry: TimelineEntry) -> str:
    detail: dict[str, Any] = entry.detail
    return str(detail.get("messageId") or detail["headers"]["messageId"])


def card_of(item: ChatItem) -> CardInstance:
    assert isinstance(item, SimDelivery)
    return item.card


def expect(shown: str, says: tuple[str, ...], never: tuple[str, ...]) -> None:
    for text in says:
        assert text in shown
    for text in never:
        assert text not in shown


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("bad", QUESTIONS.values(), ids=QUESTIONS)
async def test_question(system: BotSystem, bad: BadQuestion) -> None:
    before = InputCheckpoint.now(system, system.group)
    system.engine.say(system.group, KEEPER, bad.line)
    (answer,) = await before.answers(some=True)
    card = check(card_of(answer), KEEPER)
    assert card.title.startswith(bad.title), plain_text(card)
    expect(plain_text(card), bad.says, ())
    expect(card.title + card.markdown + card.tips, (), bad.never)
    assert set(bad.offers) <= {button.text for button in card.buttons}
    assert (await before.ack()).status == 200


@pytest.mark.sampled(2)
@pytest.mark.parametrize("bad", MESSAGES.values(), ids=MESSAGES)
async def test_message(system: BotSystem, lines: list[str], bad: BadMessage) -> None:
    lines += bad.logs
    place = system.engine.direct(KEEPER).id if bad.direct else system.group
    before = InputCheckpoint.now(system, place)
    system.engine.say(place, KEEPER, bad.text, msgtype=bad.msgtype, content=bad.content, raw=bad.raw)
    assert (await before.ack()).status == bad.ack
    answers = await before.answers(some=bool(bad.title))
    if not bad.title:
        assert not answers
        return
    (answer,) = answers
    if bad.as_text:
        assert isinstance(answer, SimMessage)
        assert answer.title.startswith(bad.title)
        expect(answer.text, bad.says, bad.never)
        return
    card = check(card_of(answer), KEEPER)
    assert card.title.startswith(bad.title), plain_text(card)
    expect(plain_text(card), bad.says, bad.never)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("bad", FRAMES.values(), ids=FRAMES)
async def test_frame(system: BotSystem, lines: list[str], bad: BadFrame, request: pytest.FixtureRequest) -> None:
    lines += bad.logs
    before = InputCheckpoint.now(system, system.group)
    unique = f"{request.node.callspec.id} {before.seq}"
    text = bad.text.replace("{group}", system.group).replace("{msg_id}", unique).replace(MESSAGE_ID, unique)
    connection = system.engine.pushes.any_connection()
    assert connection is not None
    connection.send(text)
    if bad.ack is not None:
        ack = await before.ack(unique)
        assert (ack.status, orjson.loads(ack.detail["data"])) == bad.ack
    answers = await before.answers(some=bool(bad.title))
    if bad.ack is None:
        assert unique not in map(acknowledged, before.entries("ack"))
    titles = [check(card_of(answer), KEEPER).title for answer in answers]
    assert len(titles) == bool(bad.title)
    assert all(title.startswith(bad.title) for title in titles)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("bad", CLICKS.values(), ids=CLICKS)
async def test_click(system: BotSystem, lines: list[str], bad: BadClick) -> None:
    lines += bad.logs
    seen = await system.ask("/order late")
    billed = system.engine.flow.used
    before = InputCheckpoint.now(system, system.group)
    push = callback(system, seen.out_track_id, bad)
    connection = system.engine.pushes.any_connection()
    assert connection is not None
    system.engine.pushes.send(connection, push)
    ack = await before.ack()
    assert ack.status == bad.ack
    assert system.engine.flow.used == billed
    assert not await before.answers(some=False)
    if not bad.title:
        assert not (ack.detail["data"] or {}).get("response")
        return
    instance = system.engine.cards.get(seen.out_track_id)
    assert instance is not None
    response = ack.detail["data"]["response"]
    expect(str(response), (), bad.never)
    instance.answer(KEEPER, response["cardData"]["cardParamMap"], None, response["cardUpdateOptions"])
    card = check(instance, KEEPER)
    assert card.title.startswith(bad.title), plain_text(card)
    expect(plain_text(card), bad.says, ())


def callback(system: BotSystem, track_id: str, bad: BadClick) -> SimPush:
    """Return the frame of a click on one of our buttons, except for the changes."""
    content = private(ids=[LATE], params={"id": LATE})
    data = {
        "extension": "{}",
        "corpId": system.engine.config.corp_id,
        "spaceType": "im",
        "spaceId": system.group,
        "userIdType": 1,
        "type": "actionCallback",
        "userId": KEEPER,
        "outTrackId": track_id,
        "content": content,
        "value": content,
        **bad.changes,
    }
    text = orjson.dumps({key: value for key, value in data.items() if value is not None}).decode()
    return SimPush(type=CALLBACK, topic=CARD_CALLBACK, data=text)
