"""The runner of units of work: begun anew where another process was faster, and finished whoever goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from bot.mechanisms.unit_of_work import MAX_TRIES, UnitOfWorkRunner, WriteConflict
from bot.words.errors import DingerpError
from tests.memory_transactions import MemoryTransactions

T = TypeVar("T")
Items = list[str]


class FakeTransactions(MemoryTransactions[Items]):
    """Opens a list, as often as ``faults`` allow and when ``gate`` is open."""

    def __init__(self) -> None:
        super().__init__([])
        self.faults: list[DingerpError] = []
        self.tries = 0
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def transact(self, work: Callable[[Items], T]) -> T:
        self.tries += 1
        self.begun.set()
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        return await super().transact(work)


class Harness:
    """A runner whose units are pairs of the list and a name, and what was told."""

    def __init__(self) -> None:
        self.store = FakeTransactions()
        self.told: list[str] = []
        self.runner = UnitOfWorkRunner(self.store, lambda items: (items, "usual"), lambda: self.told.append("all"))


def keep(unit: tuple[Items, str]) -> str:
    items, name = unit
    items.append(name)
    return name


async def test_what_was_done_is_stored_and_told() -> None:
    harness = Harness()
    assert await harness.runner.transact(keep) == "usual"
    assert await harness.runner.transact(keep, lambda items: (items, "other"), on_commit=harness.store.begun.clear)
    assert (harness.store.repository, harness.told) == (["usual", "other"], ["all", "all"])
    assert not harness.store.begun.is_set()


async def test_a_query_keeps_and_tells_nothing() -> None:
    harness = Harness()
    assert await harness.runner.query(keep) == "usual"
    assert await harness.runner.query(keep, lambda items: (items, "other")) == "other"
    assert (harness.store.repository, harness.told) == ([], [])


async def test_it_is_begun_anew_where_another_process_was_faster() -> None:
    harness = Harness()
    harness.store.faults = [WriteConflict() for _ in range(MAX_TRIES - 1)]
    await harness.runner.transact(keep)
    assert (harness.store.tries, harness.store.repository, harness.told) == (MAX_TRIES, ["usual"], ["all"])


@pytest.mark.parametrize(
    ("faults", "tries"), [([WriteConflict() for _ in range(MAX_TRIES)], MAX_TRIES), ([DingerpError("away")], 1)]
)
async def test_what_was_not_stored_is_not_told(faults: list[DingerpError], tries: int) -> None:
    harness = Harness()
    harness.store.faults = list(faults)
    with pytest.raises(type(faults[0])):
        await harness.runner.transact(keep)
    assert (harness.store.tries, harness.store.repository, harness.told) == (tries, [], [])


async def test_it_is_finished_and_told_when_the_caller_goes_away() -> None:
    harness = Harness()
    harness.store.gate.clear()
    stored = asyncio.Event()
    caller = asyncio.create_task(harness.runner.transact(keep, on_commit=stored.set))
    await harness.store.begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    harness.store.gate.set()
    async with asyncio.timeout(60):
        await stored.wait()
    assert (harness.store.repository, harness.told) == (["usual"], ["all"])
