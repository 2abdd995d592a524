"""The day of somebody: each number is that of the list which its line shows to the same person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.cards.view import ListView
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from commands.today import DayView
from tests.commands.conftest import Ask, as_
from tests.commands.demo.company import OWN_CHAT
from tests.commands.demo.test_lists import BOSS, READERS, Reader
from tests.rows import each_row

GOODS = Person(user_id="stock01", name="王仓", roles=frozenset({"stock01"}))
"""Somebody who may ask for stock and production alone."""


@pytest.fixture
def policy() -> AccessPolicy:
    asked = frozenset({"stock", "mo", "shortage", "arrivals", "pending", "today"})
    goods = AccessRule(commands=asked, roles=frozenset({"stock01"}))
    return AccessPolicy([goods, *(reader.rule for reader in (BOSS, *READERS))])


@each_row("reader", [BOSS, *READERS])
async def test_each_number_is_that_of_its_list(ask: Ask, reader: Reader) -> None:
    day = as_(DayView, await ask("/today", where=OWN_CHAT, person=reader.person))
    assert len(day.counts) > 10
    for each in day.counts:
        shown = await ask(each.line, where=OWN_CHAT, person=reader.person)
        assert isinstance(shown.view, ListView), each.line
        assert shown.view.total == each.count, each.line


async def test_nothing_is_counted_that_the_reader_may_not_list(ask: Ask) -> None:
    day = as_(DayView, await ask("/today", where=OWN_CHAT, person=GOODS))
    assert {each.line.split()[0] for each in day.counts} == {"/mo", "/shortage", "/arrivals", "/pending"}


async def test_the_lists_of_somebodys_own_work_come_first(ask: Ask) -> None:
    keeper = replace(BOSS.person, roles=BOSS.person.roles | {"仓管"})
    day = as_(DayView, await ask("/today", where=OWN_CHAT, person=keeper))
    everything = as_(DayView, await ask("/today", where=OWN_CHAT, person=BOSS.person))
    assert [each.line for each in day.counts][:7] == [
        "/pending",
        "/order open due today",
        "/po open due today",
        "/order late",
        "/po late",
        "/shortage",
        "/arrivals today",
    ]
    assert sorted(each.line for each in day.counts) == sorted(each.line for each in everything.counts)


async def test_what_was_not_read_is_no_all_clear(ask: Ask, hub: ErpHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("away", source="demo")

    monkeypatch.setattr(ErpHub, "shortages", away)
    day = as_(DayView, await ask("/today", where=OWN_CHAT, person=BOSS.person))
    (short,) = (each for each in day.counts if each.line == "/shortage")
    assert (short.count, short in day.pressing, short in day.clear) == (None, True, False)
