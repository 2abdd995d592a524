"""Previews and their answers, and the ERP that is told exactly once, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.access.people import Person
from bot.access.policy import Denied
from bot.chat.answers.standing_answers import CardReaders, StandingAnswer
from bot.chat.message import Conversation, ConversationKind
from bot.creation.cards import CREATION_SOURCE
from bot.creation.creation import GOOD_FOR, Creation, CreationState
from bot.creation.writing import LOST_AFTER, MOST_ATTEMPTS, NOT_FOUND
from bot.erp.errors import Invalid, NotPermitted, Unavailable
from bot.erp.kinds import SALES_ORDERS
from bot.erp.model import DocumentRef, OrderStatus
from bot.store.chat.standing_answers import StoredStandingAnswers
from bot.store.creations import end_open_creations, forget_creations
from tests.creation.counter import LOST, OTHER, RULE, SCREWS, SELLER, Counter, Killed
from tests.rows import each_row

DOWN = Unavailable("down")


async def test_a_preview_writes_nothing_and_its_confirmation_writes_once(counter: Counter) -> None:
    before = await counter.orders()
    shown = await counter.preview()
    await counter.work()
    assert (counter.erp.told, shown.state) == ([], CreationState.PREVIEW)
    first, second = await asyncio.gather(counter.answer(shown), counter.answer(shown))
    assert {first.state, second.state} == {CreationState.WRITING}
    await counter.work()
    written = await counter.look(shown)
    assert (written.state, await counter.orders()) == (CreationState.WRITTEN, before + 1)
    order = await counter.erp.inner.document(SALES_ORDERS, written.number)
    assert (order.status, order.created_by) == (OrderStatus.DRAFT, ("李娜", "sales01"))
    assert [(line.sku, line.quantity) for line in order.lines] == [("SKU123", Decimal(20))]
    assert (await counter.answer(shown)).number == written.number
    await counter.work(60)
    assert len(counter.erp.told) == 1
    assert await counter.log() == [
        ("sales01", "preview", "[]"),
        ("sales01", "writing", "[]"),
        ("sales01", "written", f'["{written.number}"]'),
    ]


async def test_a_dropped_or_forgotten_preview_is_never_written(counter: Counter) -> None:
    dropped, forgotten = await counter.preview(), await counter.preview()
    assert (await counter.answer(dropped, creates=False)).state is CreationState.DROPPED
    await counter.work(30 * 60)
    assert (await counter.look(forgotten)).state is CreationState.EXPIRED
    for shown in (dropped, forgotten):
        assert (await counter.answer(shown)).state in (CreationState.DROPPED, CreationState.EXPIRED)
    await counter.work(60)
    assert counter.erp.told == []


async def test_a_preview_that_ended_this_moment_is_not_written(counter: Counter) -> None:
    shown = await counter.preview()
    counter.now += GOOD_FOR
    assert (await counter.answer(shown)).state is CreationState.EXPIRED


@pytest.mark.parametrize("person", [OTHER, Person(user_id=None, name="李娜")])
async def test_nobody_else_sees_or_answers_it(counter: Counter, person: Person) -> None:
    shown = await counter.preview()
    for creates in (True, False):
        with pytest.raises(Denied):
            await counter.creations.answer(shown.id, person, creates=creates)
    with pytest.raises(Denied):
        await counter.creations.look(shown.id, person)
    assert (await counter.look(shown)).state is CreationState.PREVIEW


def forbid(counter: Counter) -> None:
    counter.rules = (replace(RULE, creates=None),)


def read_only(counter: Counter) -> None:
    counter.read_only = True


def unbind(counter: Counter) -> None:
    counter.accounts.clear()


def rebind(counter: Counter) -> None:
    counter.accounts["sales01"] = "salesmanager01"


@pytest.mark.parametrize("change", [forbid, read_only, unbind, rebind])
async def test_what_has_changed_since_it_was_shown_counts_at_the_tap(
    counter: Counter, change: Callable[[Counter], None]
) -> None:
    shown = await counter.preview()
    change(counter)
    with pytest.raises(Denied):
        await counter.answer(shown)
    await counter.work(60)
    assert counter.erp.told == []


async def test_nothing_is_written_while_the_bot_only_reads(counter: Counter) -> None:
    confirmed = await counter.confirmed()
    counter.read_only = True
    await counter.work(60)
    assert counter.erp.told == []
    counter.read_only = False
    await counter.work(60)
    assert (await counter.look(confirmed)).state is CreationState.WRITTEN


@each_row(
    ("faults", "documents", "state", "calls"),
    [
        ([(LOST, True)], 1, CreationState.WRITTEN, 1),
        ([(LOST, False)], 0, CreationState.LOST, 1),
        ([(ValueError("not understood"), True)], 1, CreationState.WRITTEN, 1),
        ([(DOWN, False)], 1, CreationState.WRITTEN, 2),
        ([(DOWN, False)] * MOST_ATTEMPTS, 0, CreationState.REFUSED, MOST_ATTEMPTS),
        ([(Invalid("blocked"), False)], 0, CreationState.REFUSED, 1),
        ([(NotPermitted("no right"), False)], 0, CreationState.REFUSED, 1),
        ([(Killed(), False)], 0, CreationState.LOST, 1),
        ([(Killed(), True)], 1, CreationState.WRITTEN, 1),
    ],
)
async def test_there_is_one_document_or_a_true_word(
    counter: Counter, faults: list[Any], documents: int, state: CreationState, calls: int
) -> None:
    before, told = await counter.orders(), len(counter.erp.told)
    confirmed = await counter.confirmed()
    counter.erp.faults.extend(faults)
    await let_die(counter)
    ended = await counter.settled(confirmed)
    assert (ended.state, await counter.orders() - before) == (state, documents)
    assert len(counter.erp.told) - told == calls
    assert bool(ended.number) is bool(documents)
    assert (ended.reason is None) is bool(documents)


async def let_die(counter: Counter) -> None:
    """Do what is due in a process that may be killed meanwhile."""
    await counter.writer.run_once()
    dying = [*counter.writer._busy.values()]
    await asyncio.wait(dying)
    for each in dying:
        with suppress(Killed):
            each.result()


async def test_twenty_documents_at_once_are_there_once_or_said_not_to_be(counter: Counter) -> None:
    before = await counter.orders()
    shown = [await counter.preview() for _ in range(20)]
    await asyncio.gather(*(counter.answer(each) for each in shown for _ in range(2)))
    doubts = [(LOST, True), (LOST, False), (Killed(), True), (Killed(), False)]
    faults = [*doubts, (Invalid("blocked"), False), (DOWN, False)]
    counter.erp.faults.extend(faults * 3)
    for _ in range(3):
        await let_die(counter)
    ended = [await counter.settled(each) for each in shown]
    written = [each for each in ended if each.state is CreationState.WRITTEN]
    assert {each.state for each in ended} == {CreationState.WRITTEN, CreationState.REFUSED, CreationState.LOST}
    assert len({each.number for each in written}) == len(written) == await counter.orders() - before
    orders = [await counter.erp.inner.document(SALES_ORDERS, each.number) for each in written]
    assert {order.created_by for order in orders} == {("李娜", "sales01")}
    assert all(each.reason is not None for each in ended if each not in written)


async def test_what_is_in_doubt_is_looked_for_and_never_sent_again(counter: Counter) -> None:
    confirmed = await counter.confirmed()
    counter.erp.faults.append((LOST, False))
    await counter.work()
    assert (await counter.look(confirmed)).state is CreationState.UNKNOWN
    counter.erp.away = DOWN
    await counter.work(LOST_AFTER.total_seconds())
    assert (await counter.look(confirmed)).state is CreationState.UNKNOWN, "who cannot ask does not know"
    counter.erp.away = None
    ended = await counter.settled(confirmed)
    assert (ended.state, ended.reason, len(counter.erp.told)) == (CreationState.LOST, NOT_FOUND, 1)


async def test_a_card_is_drawn_again_for_news_alone(counter: Counter) -> None:
    confirmed = await counter.confirmed()
    cards = StoredStandingAnswers(counter.database)
    shown = StandingAnswer(
        track_id="q1-sales01",
        conversation=Conversation("cidA==", ConversationKind.DIRECT),
        user_id="sales01",
        line=f"/new {confirmed.id}",
        readers=CardReaders.ASKER,
        made_as="q1-sales01",
        at=counter.now,
        documents=(DocumentRef(CREATION_SOURCE, confirmed.id),),
    )
    await cards.put(shown)
    counter.erp.faults.append((LOST, False))
    await counter.settled(confirmed)
    drawn = await cards.find(shown.track_id)
    assert drawn is not None
    assert drawn.revision == shown.revision + 2, "in doubt, and then not created"


async def test_a_document_that_comes_late_is_told_all_the_same(counter: Counter) -> None:
    confirmed = await counter.confirmed()
    counter.erp.faults.append((LOST, False))
    await counter.work()
    await counter.erp.inner.create(confirmed.draft)
    assert (await counter.settled(confirmed)).state is CreationState.WRITTEN


async def test_two_processes_write_it_once(counter: Counter) -> None:
    other = Counter(counter.database, counter.erp, now=counter.now)
    confirmed = [await counter.confirmed() for _ in range(5)]
    await asyncio.gather(counter.work(), other.work())
    assert {(await counter.look(each)).state for each in confirmed} == {CreationState.WRITTEN}
    assert len(counter.erp.told) == len(confirmed)


async def test_other_lines_than_confirmed_are_told(counter: Counter) -> None:
    confirmed = await counter.confirmed(lines=(SCREWS, replace(SCREWS, quantity=Decimal("0.5"))))
    await counter.erp.inner.create(replace(confirmed.draft, lines=confirmed.draft.lines[:1]))
    assert (await counter.settled(confirmed)).reason is not None


async def test_a_restored_backup_writes_nothing(counter: Counter) -> None:
    shown, confirmed, written = await counter.preview(), await counter.confirmed(), await counter.confirmed()
    # What the lost database did: it wrote one of them.
    await counter.erp.inner.create(written.draft)
    await counter.database.run(lambda connection: end_open_creations(connection, counter.now))
    ends = [await counter.settled(each) for each in (shown, confirmed, written)]
    assert [each.state for each in ends] == [CreationState.DROPPED, CreationState.LOST, CreationState.WRITTEN]
    assert counter.erp.told == []


async def test_what_has_ended_is_forgotten_in_time(counter: Counter) -> None:
    shown, written = await counter.preview(), await counter.confirmed()
    await counter.work()
    later = counter.now.replace(year=2027)
    assert await counter.database.run(lambda connection: forget_creations(connection, later)) == 1
    assert await counter.creations.look(written.id, SELLER) is None
    assert (await counter.look(shown)).state is CreationState.PREVIEW


async def test_a_creation_is_kept_whole(counter: Counter) -> None:
    shown = await counter.preview(reason=NOT_FOUND, books=("甲",), number="SO-1", attempted_at=counter.now)
    assert await counter.look(shown) == shown
    assert isinstance(shown, Creation)
