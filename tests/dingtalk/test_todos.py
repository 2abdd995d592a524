"""The to-do of those whose turn it is, before a simulated DingTalk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bot.cards.card import Card
from bot.dingtalk.openapi import OpenApi, pooled_session
from bot.dingtalk.todos import RobotChat, TodoApi, TodoKeeper
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import Marker, MarkerRequest, MarkerState, SendFailed, SendFailureKind
from tests.outbox.conftest import api_at

MANAGER, BOSS = "buymanager01", "boss01"
TITLE = "采购单 PO-1001 待您审批"
DUE = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@dataclass
class TodoHarness:
    """A keeper of to-dos, and the DingTalk that it keeps them in."""

    engine: SimEngine
    api: OpenApi
    keeper: TodoKeeper

    def lists(self, *user_ids: str) -> list[list[tuple[str, bool]]]:
        """What stands on people's lists: its title, and whether it is done for them."""
        unions = [self.engine.person(user_id).union_id for user_id in user_ids]
        return [
            [(todo.subject, union in todo.done) for todo in self.engine.todos if union in todo.executors]
            for union in unions
        ]

    @property
    def calls(self) -> list[str]:
        """The calls about to-dos so far, each as often as it was made."""
        return [
            f"{name.partition(' ')[0]} {name.rpartition('tasks')[2]}".strip()
            for name, count in self.engine.calls.items()
            for _ in range(count)
            if "/todo/" in name
        ]


@pytest.fixture
async def harness() -> AsyncIterator[TodoHarness]:
    async with open_simulator(SimulatorConfig(qps_limit=None)) as simulator, pooled_session() as session:
        engine = simulator.engine

        async def union_id_of(user_id: str) -> str:
            person = engine.enterprise.people.get(user_id)
            return person.union_id if person is not None else ""

        api = api_at(simulator.url, session, Metrics())
        yield TodoHarness(engine, api, TodoKeeper(TodoApi(api, simulator.url), union_id_of, RobotChat().link))


def asked(
    *people: str,
    state: MarkerState = MarkerState.OPEN,
    done: Sequence[str] = (),
    standing: str = "",
    doubtful: bool = False,
) -> MarkerRequest:
    return MarkerRequest(
        place=Place(PlaceKind.PERSON, people[0]),
        track_id="track-1",
        card=Card(name="paper", language="zh_CN", title=TITLE, body="", tips="", buttons=(), twin="", fields={}),
        marker=Marker(state=state, people=people, done=frozenset(done), due_at=DUE),
        standing=standing,
        doubtful=doubtful,
    )


async def test_one_todo_for_all_whose_turn_it_is_done_by_one_call(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER, BOSS))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, False)], [(TITLE, False)]]
    [todo] = harness.engine.todos
    assert (todo.source_id, todo.due_ms) == ("track-1", int(DUE.timestamp() * 1000))
    assert todo.detail_url["pcUrl"] == "https://www.dingtalk.com/", "no message has told the bot who it is"
    standing = await harness.keeper.keep(asked(MANAGER, BOSS, state=MarkerState.DONE, standing=standing))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, True)], [(TITLE, True)]]
    assert harness.calls == ["POST", "PUT /{taskId}"]
    again = await harness.keeper.keep(asked(MANAGER, BOSS, state=MarkerState.DONE, standing=standing))
    assert (again, len(harness.calls)) == (standing, 2)


async def test_what_has_not_changed_costs_no_call(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER))
    assert await harness.keeper.keep(asked(MANAGER, standing=standing)) == standing
    assert harness.calls == ["POST"]


async def test_it_is_done_for_whoever_has_spoken_and_again_open_when_that_is_taken_back(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER, BOSS))
    standing = await harness.keeper.keep(asked(MANAGER, BOSS, done=[MANAGER], standing=standing))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, True)], [(TITLE, False)]]
    standing = await harness.keeper.keep(asked(MANAGER, BOSS, standing=standing))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, False)], [(TITLE, False)]]
    standing = await harness.keeper.keep(asked(MANAGER, BOSS, done=[MANAGER, BOSS], standing=standing))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, True)], [(TITLE, True)]]
    await harness.keeper.keep(asked(MANAGER, BOSS, done=[MANAGER], standing=standing))
    assert harness.lists(MANAGER, BOSS) == [[(TITLE, True)], [(TITLE, False)]]


async def test_it_is_deleted_when_there_is_nothing_to_decide(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER))
    standing = await harness.keeper.keep(asked(MANAGER, state=MarkerState.GONE, standing=standing))
    assert harness.lists(MANAGER) == [[]]
    assert await harness.keeper.keep(asked(MANAGER, state=MarkerState.GONE, standing=standing)) == standing
    assert harness.calls == ["POST", "DELETE /{taskId}"]


async def test_what_is_over_before_it_was_created_is_never_created(harness: TodoHarness) -> None:
    for state in (MarkerState.DONE, MarkerState.GONE):
        assert await harness.keeper.keep(asked(MANAGER, state=state)) == ""
    assert await harness.keeper.keep(asked(MANAGER, done=[MANAGER])) == ""
    assert harness.calls == []


async def test_whoever_has_spoken_before_gets_none(harness: TodoHarness) -> None:
    await harness.keeper.keep(asked(MANAGER, BOSS, done=[MANAGER]))
    assert harness.lists(MANAGER, BOSS) == [[], [(TITLE, False)]]


async def test_a_try_whose_answer_was_lost_is_found_again(harness: TodoHarness) -> None:
    await harness.keeper.keep(asked(MANAGER))
    standing = await harness.keeper.keep(asked(MANAGER, doubtful=True))
    assert len(list(harness.engine.todos)) == 1
    await harness.keeper.keep(asked(MANAGER, state=MarkerState.DONE, standing=standing))
    assert harness.lists(MANAGER) == [[(TITLE, True)]]


@pytest.mark.parametrize("state", [MarkerState.DONE, MarkerState.GONE])
async def test_what_is_over_ends_even_if_it_may_have_been_created(harness: TodoHarness, state: MarkerState) -> None:
    assert await harness.keeper.keep(asked(MANAGER, state=state, doubtful=True)) == ""
    await harness.keeper.keep(asked(MANAGER))
    await harness.keeper.keep(asked(MANAGER, state=state, doubtful=True))
    assert harness.lists(MANAGER) == [[(TITLE, True)] if state is MarkerState.DONE else []]


async def test_one_that_people_deleted_stays_deleted(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER))
    [todo] = harness.engine.todos
    harness.engine.todos.remove(todo.id)
    await harness.keeper.keep(asked(MANAGER, state=MarkerState.DONE, standing=standing))
    await harness.keeper.keep(asked(MANAGER, state=MarkerState.GONE, standing=standing))
    assert harness.lists(MANAGER) == [[]]


async def test_people_whom_the_directory_does_not_know_are_left_out(harness: TodoHarness) -> None:
    await harness.keeper.keep(asked("nobody", MANAGER))
    assert harness.lists(MANAGER) == [[(TITLE, False)]]
    with pytest.raises(SendFailed) as failure:
        await harness.keeper.keep(replace(asked("nobody"), track_id="track-2"))
    assert failure.value.trouble is SendFailureKind.HOPELESS
    assert await harness.keeper.keep(asked("nobody", state=MarkerState.DONE, doubtful=True)) == ""


@pytest.mark.parametrize("state", [MarkerState.DONE, MarkerState.GONE])
async def test_it_ends_although_its_creator_has_left(harness: TodoHarness, state: MarkerState) -> None:
    standing = await harness.keeper.keep(asked(MANAGER, BOSS))
    manager = harness.engine.enterprise.people.pop(MANAGER)
    await harness.keeper.keep(asked(MANAGER, BOSS, state=state, standing=standing))
    assert harness.lists(BOSS) == [[(TITLE, True)] if state is MarkerState.DONE else []]
    harness.engine.enterprise.people[MANAGER] = manager


async def test_when_all_have_left_there_is_nothing_to_end(harness: TodoHarness) -> None:
    standing = await harness.keeper.keep(asked(MANAGER))
    manager = harness.engine.enterprise.people.pop(MANAGER)
    ended = await harness.keeper.keep(asked(MANAGER, state=MarkerState.GONE, standing=standing))
    assert await harness.keeper.keep(asked(MANAGER, state=MarkerState.GONE, standing=ended)) == ended
    assert harness.calls == ["POST"]
    harness.engine.enterprise.people[MANAGER] = manager


@pytest.mark.parametrize(
    ("fault", "code", "trouble"),
    [
        ("scope_denied", "", SendFailureKind.SETUP),
        ("quota_exhausted", "", SendFailureKind.SPENT),
        ("refused", "todo.taskCreate.flowControlError", SendFailureKind.LIMITED),
        ("refused", "todo.taskCreate.lockError", SendFailureKind.BUSY),
        ("refused", "todo.taskCreate.paramError", SendFailureKind.HOPELESS),
        ("api_reset", "", SendFailureKind.UNKNOWN),
    ],
)
async def test_what_dingtalk_refuses(harness: TodoHarness, fault: str, code: str, trouble: SendFailureKind) -> None:
    harness.engine.faults.set(fault, on=True, api="/todo/", **({"code": code} if code else {}))
    with pytest.raises(SendFailed) as failure:
        await harness.keeper.keep(asked(MANAGER))
    assert failure.value.trouble is trouble
