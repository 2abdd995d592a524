"""Work that several callers wait for: one answer for all, and no caller ends it for the others."""

from __future__ import annotations

import asyncio
import gc

import pytest

from bot.mechanisms.single_flight import SingleFlight, SingleFlights
from bot.words.errors import DingerpError


class Read:
    """Ends when it is told to."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        return await self.answer


@pytest.fixture
async def read() -> Read:
    return Read()


@pytest.fixture
async def flight(read: Read) -> SingleFlight[str]:
    flight: SingleFlight[str] = SingleFlight()
    flight.start(read())
    return flight


async def _callers(count: int, flight: SingleFlight[str]) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(flight.wait()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_all_callers_get_the_answer_and_later_ones_too(read: Read, flight: SingleFlight[str]) -> None:
    callers = await _callers(3, flight)
    read.answer.set_result("twelve")
    assert await asyncio.gather(*callers) == ["twelve"] * 3
    assert await flight.wait() == "twelve"


async def test_a_caller_that_goes_away_does_not_end_it_for_the_others(read: Read, flight: SingleFlight[str]) -> None:
    gone, stays = await _callers(2, flight)
    gone.cancel()
    read.answer.set_result("twelve")
    assert await stays == "twelve"
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_an_error_is_raised_to_all_callers_and_to_later_ones_too(read: Read, flight: SingleFlight[str]) -> None:
    callers = await _callers(2, flight)
    read.answer.set_exception(LookupError("no"))
    for caller in callers:
        with pytest.raises(LookupError):
            await caller
    with pytest.raises(LookupError):
        await flight.wait()


async def test_what_is_no_ordinary_error_leaves_no_caller_waiting(read: Read, flight: SingleFlight[str]) -> None:
    class Killed(BaseException):
        pass

    callers = await _callers(2, flight)
    read.answer.set_exception(Killed())
    for caller in callers:
        with pytest.raises(Killed):
            await caller


async def test_callers_of_work_that_is_ended_are_cancelled(flight: SingleFlight[str]) -> None:
    (caller,) = await _callers(1, flight)
    await flight.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    with pytest.raises(asyncio.CancelledError):
        await flight.wait()


async def test_to_end_what_has_landed_changes_nothing(read: Read, flight: SingleFlight[str]) -> None:
    read.answer.set_result("twelve")
    assert await flight.wait() == "twelve"
    await flight.cancel()
    assert await flight.wait() == "twelve"


@pytest.mark.parametrize(("error", "reported"), [(DingerpError, []), (LookupError, ["no"])])
async def test_of_errors_that_nobody_waits_for_only_defects_are_reported(
    error: type[Exception], reported: list[str]
) -> None:
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(str(report["exception"])))

    async def fail() -> str:
        await asyncio.sleep(0)
        raise error("no")

    flight: SingleFlight[str] = SingleFlight()
    flight.start(fail())
    (caller,) = await _callers(1, flight)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await asyncio.sleep(0)
    del flight, caller
    gc.collect(1)  # the event loop learns of an unseen error when its task goes
    assert reports == reported


async def test_to_join_follows_what_is_under_way_and_begins_anew_after_it(read: Read) -> None:
    flight: SingleFlight[str] = SingleFlight()
    callers = [asyncio.create_task(flight.join(read)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert read.calls == 1
    read.answer.set_exception(LookupError("no"))
    assert [type(end) for end in await asyncio.gather(*callers, return_exceptions=True)] == [LookupError] * 3

    again = Read()
    again.answer.set_result("twelve")
    assert await flight.join(again) == "twelve"
    assert again.calls == 1


async def test_work_is_shared_by_key_while_it_is_under_way() -> None:
    flights: SingleFlights[str, str] = SingleFlights()
    reads = {"a": Read(), "b": Read()}
    callers = [asyncio.create_task(flights.join(key, reads[key])) for key in ("a", "b", "a")]
    await asyncio.sleep(0)
    reads["a"].answer.set_result("one")
    reads["b"].answer.set_exception(LookupError("two"))
    ends = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(end) for end in ends] == ["one", "two", "one"]
    assert (reads["a"].calls, reads["b"].calls) == (1, 1)

    assert await flights.join("a", reads["a"]) == "one"
    assert reads["a"].calls == 2
