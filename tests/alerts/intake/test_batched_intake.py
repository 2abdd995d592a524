"""The one door: shared commits, honest counts, and nothing promised that is not stored."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from bot.alerts.intake.batched_intake import BATCH, BatchedIntake, EventKey
from bot.alerts.intake.port import EventState, IntakeFull, IntakeOutcome, ReceivedEvent, Rejection, UnreadableEvent
from bot.mechanisms.metrics import Metrics
from bot.store.errors import StoreUnavailable
from tests.alerts.intake.samples import NOW, cloud_event


class MemoryStore:
    """Keeps events in memory; ``gate`` holds commits up, ``error`` lets them fail."""

    def __init__(self) -> None:
        self.rows: dict[EventKey, ReceivedEvent] = {}
        self.commits: list[int] = []
        self.began = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def keep(self, events: Collection[ReceivedEvent]) -> frozenset[EventKey]:
        self.commits.append(len(events))
        self.began.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        new = set()
        for event in events:
            known = self.rows.get(event.key)
            if known is None or (known.state is EventState.REJECTED and event.state is EventState.WAITING):
                self.rows[event.key] = event
                if event.state is EventState.WAITING:
                    new.add(event.key)
        return frozenset(new)


class IntakeHarness:
    """An intake over a `MemoryStore`."""

    def __init__(self, **options: Any) -> None:
        self.store = MemoryStore()
        self.metrics = Metrics()
        self.woken = 0
        self.intake = BatchedIntake(self.store, metrics=self.metrics, now=lambda: NOW, arrived=self._arrived, **options)

    def _arrived(self) -> None:
        self.woken += 1

    async def accept(self, *events: Any) -> IntakeOutcome:
        return await self.intake.accept("main", events, via="webhook")

    def counted(self, outcome: str) -> float | None:
        labels = {"source": "main", "via": "webhook", "outcome": outcome}
        return self.metrics.registry.get_sample_value("dingerp_events_total", labels)


@pytest.fixture
async def door() -> IntakeHarness:
    return IntakeHarness()


async def test_the_receipt_says_what_became_of_each(door: IntakeHarness) -> None:
    receipt = await door.accept(
        cloud_event(), cloud_event(), cloud_event(id="E-2"), cloud_event(id="E-3", type="nonsense"), "text",
        UnreadableEvent("{", "no JSON"),
    )  # fmt: skip
    assert (receipt.accepted, receipt.duplicate) == (2, 1)
    assert [each.reason for each in receipt.rejected] == ["type is not known here", "not a JSON object", "no JSON"]
    assert receipt.rejected[0].id == "E-3"
    assert len(door.store.rows) == 5
    assert (door.counted("accepted"), door.counted("duplicate"), door.counted("rejected")) == (2, 1, 3)


async def test_a_repeat_changes_nothing(door: IntakeHarness) -> None:
    await door.accept(cloud_event(), cloud_event(id="E-2", time="x"))
    rows = dict(door.store.rows)

    again = await door.accept(cloud_event(), cloud_event(id="E-2", time="x"))

    assert again == IntakeOutcome(
        accepted=0,
        duplicate=1,
        rejected=(Rejection("E-2", "time must be such as 2026-11-24T08:00:00+08:00"),),
    )
    assert door.store.rows == rows


async def test_what_was_rejected_is_taken_once_it_is_in_order(door: IntakeHarness) -> None:
    await door.accept(cloud_event(type="nonsense"))

    assert (await door.accept(cloud_event())).accepted == 1
    assert (await door.accept(cloud_event(type="nonsense"), cloud_event())).duplicate == 1
    assert (await door.accept(cloud_event(id="E-9", type="nonsense"), cloud_event(id="E-9"))).accepted == 1
    assert {row.state for row in door.store.rows.values()} == {EventState.WAITING}


async def test_of_two_hand_overs_of_one_moment_each_is_told_of_its_own(door: IntakeHarness) -> None:
    bad, good, again = await asyncio.gather(
        door.accept(cloud_event(type="nonsense")), door.accept(cloud_event()), door.accept(cloud_event())
    )
    assert (bad.accepted, bad.duplicate, len(bad.rejected)) == (0, 0, 1)
    assert (good.accepted, good.duplicate, again.accepted, again.duplicate) == (1, 0, 0, 1)
    assert [row.state for row in door.store.rows.values()] == [EventState.WAITING]


async def test_the_same_id_of_another_origin_is_another_event(door: IntakeHarness) -> None:
    assert (await door.accept(cloud_event(), cloud_event(source="/erp/other"))).accepted == 2


async def test_hand_overs_of_one_moment_share_a_commit(door: IntakeHarness) -> None:
    door.store.gate.clear()
    waiting = [asyncio.create_task(door.accept(cloud_event(id=f"E-{n % 40}"))) for n in range(50)]
    await door.store.began.wait()
    more = [asyncio.create_task(door.accept(cloud_event(id=f"F-{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in (*waiting, *more))
    door.store.gate.set()
    receipts = await asyncio.gather(*waiting, *more)

    assert sum(each.accepted for each in receipts) == 90
    assert sum(each.duplicate for each in receipts) == 10
    assert len(door.store.commits) <= 3
    assert 1 <= door.woken <= 3


async def test_a_large_hand_over_is_spread_over_several_commits(door: IntakeHarness) -> None:
    receipt = await door.accept(*(cloud_event(id=f"E-{n}") for n in range(2 * BATCH + 1)))

    assert receipt.accepted == 2 * BATCH + 1
    assert door.store.commits == [BATCH, BATCH, 1]


async def test_when_nothing_is_stored_everybody_is_told(door: IntakeHarness) -> None:
    door.store.error = StoreUnavailable("OperationalError")
    results = await asyncio.gather(door.accept(cloud_event()), door.accept(cloud_event()), return_exceptions=True)
    assert [type(each) for each in results] == [StoreUnavailable, StoreUnavailable]
    assert not door.woken

    door.store.error = None
    assert (await door.accept(cloud_event())).accepted == 1


async def test_a_defect_reaches_those_who_wait_and_the_next_ones_go_on(door: IntakeHarness) -> None:
    door.store.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await door.accept(cloud_event())

    door.store.error = None
    assert (await door.accept(cloud_event())).accepted == 1


async def test_who_stops_waiting_takes_nothing_away_from_others(door: IntakeHarness) -> None:
    door.store.gate.clear()
    gone, stays = (asyncio.create_task(door.accept(cloud_event(id=name))) for name in ("E-1", "E-2"))
    await door.store.began.wait()
    gone.cancel()
    door.store.gate.set()

    assert (await stays).accepted == 1
    assert len(door.store.rows) == 2
    assert gone.cancelled()


async def test_a_full_intake_says_when_to_come_again() -> None:
    door = IntakeHarness(max_waiting=3)
    door.store.gate.clear()
    waiting = [asyncio.create_task(door.accept(cloud_event(id=f"E-{n}"))) for n in range(3)]
    await door.store.began.wait()
    with pytest.raises(IntakeFull) as full:
        await door.accept(cloud_event(id="E-9"))
    assert full.value.retry
    assert full.value.retry_after
    assert door.metrics.registry.get_sample_value("dingerp_intake_waiting") == 3

    other = asyncio.create_task(door.intake.accept("other", [cloud_event(id="E-9")], via="webhook"))
    door.store.gate.set()
    await asyncio.gather(*waiting)
    assert (await other).accepted == 1, "what another source floods is no reason to refuse this one"
    assert (await door.accept(cloud_event(id="E-9"))).accepted == 1
    assert door.metrics.registry.get_sample_value("dingerp_intake_waiting") == 0


async def test_nothing_is_written_for_nothing(door: IntakeHarness) -> None:
    assert await door.accept() == IntakeOutcome(accepted=0, duplicate=0)
    assert not door.store.commits


async def test_only_rejected_events_wake_nobody(door: IntakeHarness) -> None:
    await door.accept(cloud_event(type="nonsense"))

    assert len(door.store.rows) == 1
    assert not door.woken
