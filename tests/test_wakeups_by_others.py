"""Workers are woken when another process has stored work of their kind, and look on their own when nobody tells."""

from __future__ import annotations

from bot.mechanisms.wakeup import LOOK_ANYWAY_EVERY, LOOK_EVERY, SharedWork, WakeupsByOthers


def _counted() -> tuple[WakeupsByOthers, list[SharedWork]]:
    wakeups, woken = WakeupsByOthers(), list[SharedWork]()
    for work in SharedWork:
        wakeups.add(work, lambda work=work: woken.append(work))
    return wakeups, woken


def test_work_of_a_kind_wakes_its_workers_alone() -> None:
    wakeups, woken = _counted()
    wakeups.call(SharedWork.EVENTS)
    assert woken == [SharedWork.EVENTS]


def test_who_begins_to_be_told_looks_once_for_what_came_before_and_then_seldom() -> None:
    wakeups, woken = _counted()
    assert (wakeups.are_on, wakeups.look_every()) == (False, LOOK_EVERY)
    wakeups.begin()
    assert woken == list(SharedWork)
    assert (wakeups.are_on, wakeups.look_every()) == (True, LOOK_ANYWAY_EVERY)


def test_who_is_no_longer_told_wakes_from_the_long_sleep_and_looks_often() -> None:
    wakeups, woken = _counted()
    wakeups.end()
    assert woken == [], "nothing has changed"
    wakeups.begin()
    woken.clear()
    wakeups.end()
    assert woken == list(SharedWork)
    assert (wakeups.are_on, wakeups.look_every()) == (False, LOOK_EVERY)
