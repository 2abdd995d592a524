"""What becomes of proposals."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select

from bot.access.policy import AccessPolicy, Denied
from bot.access.rules import AccessRule
from bot.chat.program_asks import AskRefused, NoSuchAsk, TooManyAsks, UnfitAsk
from bot.proposals.proposal import Proposal, ProposalState
from bot.proposals.proposals import MOST_OF_KEY, MOST_OF_OWNER, WINDOW
from bot.store.api_keys import StoredApiKeys
from bot.store.database import Database
from bot.store.held_rights import hold_rights
from bot.store.personal_data import erase_person
from bot.store.tables import INBOX
from tests.proposals.desk import LI, NOW, OWN_CHAT, WANG, Desk
from tests.rows import each_row

LINE = "/approve PO-1055"


async def _state(desk: Desk, proposal: Proposal) -> ProposalState:
    found = await desk.proposals.find(proposal.id)
    assert found is not None
    return found.state


async def test_whoever_accepts_writes_the_line_once(desk: Desk) -> None:
    proposal = await desk.propose("／approve  PO－1055。")
    assert (proposal.line, proposal.command) == (LINE, "approve")
    assert await desk.cards() == [(f"person:{LI}", 1)]
    taps = [desk.proposals.accept(proposal.id, LI, OWN_CHAT) for _ in range(3)]
    assert {each.state for each in await asyncio.gather(*taps)} == {ProposalState.ACCEPTED}
    assert await desk.lines() == [LINE]
    assert desk.answered == [f"proposal {proposal.id}"]
    assert await desk.cards() == [(f"person:{LI}", 2)]
    detail = f"/approve, by the API key {proposal.key}"
    assert await desk.entries(proposal) == [
        (LI, f"api:{proposal.key}", "waiting", detail),
        (LI, "", "accepted", detail),
    ]


async def test_nobody_else_learns_of_it(desk: Desk) -> None:
    proposal, other = await desk.propose(), await desk.key(WANG)
    deeds = [
        desk.proposals.accept(proposal.id, WANG, OWN_CHAT),
        desk.proposals.decline(proposal.id, WANG),
        desk.proposals.look(proposal.id, WANG),
        desk.proposals.read(proposal.id, other.id),
        desk.proposals.withdraw(proposal.id, other.id),
        desk.proposals.look("nothing", LI),
    ]
    for deed in deeds:
        with pytest.raises(NoSuchAsk):
            await deed
    assert not await desk.proposals.waiting_for(WANG)
    assert [each.id for each in await desk.proposals.waiting_for(LI)] == [proposal.id]
    assert not await desk.lines()


@each_row(
    ("line", "says"),
    [
        ("approve PO-1055", "begins with /"),
        ("please approve PO-1055", "begins with /"),
        ("/nothing PO-1055", "begins with /"),
        ("/order late", "POST /questions"),
        ("/gate", "POST /questions"),
        ("/alerts", "POST /questions"),
        ("/gate 4f1a9c yes allow", "themselves"),
        ("/confirm 4f1a9c yes", "themselves"),
        ("/proposal 4f1a9c yes", "themselves"),
        ("/restored keep", "themselves"),
        ("/bind odoo li", "themselves"),
        # Whoever creates a document has seen it on their own card.
        ("/new 4f1a9c create", "themselves"),
        ("/watch", "missing"),
        (f"/approve PO-1055 {'x' * 90}", "fit a card"),
        (f"/approve PO-1055 {'货' * 45}", "fit a card"),
    ],
)
async def test_what_is_no_line_to_decide_is_refused(line: str, says: str, desk: Desk) -> None:
    with pytest.raises(UnfitAsk, match=says):
        await desk.propose(line)


async def test_what_shows_first_what_it_would_create_can_be_proposed(desk: Desk) -> None:
    line = "/new order C001 SKU123×20"
    with pytest.raises(Denied):
        await desk.propose(line)
    rule = AccessRule(name="sellers", commands=frozenset({"new"}), people=frozenset({LI}))
    sellers = Desk(desk.database, policy=AccessPolicy([rule]))
    assert (await sellers.propose(line)).state is ProposalState.WAITING


async def test_what_the_owner_may_not_do_is_not_put_to_them(desk: Desk) -> None:
    with pytest.raises(Denied):
        await desk.propose(key=await desk.key(WANG))
    read_only = Desk(desk.database, policy=AccessPolicy(read_only=True))
    with pytest.raises(Denied):
        await read_only.propose()
    assert (await read_only.propose("/watch SO-1001")).state is ProposalState.WAITING


async def test_without_an_answer_it_is_over(desk: Desk) -> None:
    proposal = await desk.propose()
    desk.now += timedelta(hours=1)
    assert not await desk.proposals.waiting_for(LI)
    await desk.proposals.sweep()
    assert await _state(desk, proposal) is ProposalState.EXPIRED
    late = await desk.proposals.accept(proposal.id, LI, OWN_CHAT)
    assert (late.state, late.ended_at) == (ProposalState.EXPIRED, proposal.expires_at)
    assert not await desk.lines()
    assert [outcome for _, _, outcome, _ in await desk.entries(proposal)] == ["waiting", "expired"]


async def test_nothing_outlives_its_key(desk: Desk) -> None:
    short = await desk.propose(key=await desk.key(days=2), expires_in=timedelta(days=7))
    assert short.expires_at == NOW + timedelta(days=2)
    key = await desk.key()
    waiting = await desk.propose(key=key)
    done = await desk.propose("/watch SO-1001", key=key)
    await desk.proposals.accept(done.id, LI, OWN_CHAT)
    await StoredApiKeys(desk.database).end(key.id, desk.now)
    ended = [await _state(desk, each) for each in (short, waiting, done)]
    assert ended == [ProposalState.WAITING, ProposalState.WITHDRAWN, ProposalState.ACCEPTED]
    await StoredApiKeys(desk.database).end_all([LI], desk.now)
    assert await _state(desk, short) is ProposalState.WITHDRAWN
    assert (await desk.proposals.accept(waiting.id, LI, OWN_CHAT)).state is ProposalState.WITHDRAWN


async def test_a_restored_backup_and_a_person_who_goes_leave_nothing_to_accept(desk: Desk) -> None:
    proposal = await desk.propose()
    await desk.database.run(lambda connection: hold_rights(connection, desk.now))
    assert await _state(desk, proposal) is ProposalState.WITHDRAWN
    await desk.database.run(lambda connection: erase_person(connection, LI, desk.now))
    assert await desk.proposals.find(proposal.id) is None


async def test_the_same_again_is_the_same_proposal(desk: Desk) -> None:
    key = await desk.key()
    wish = desk.wish(key, asked_as="once")
    first, again = await asyncio.gather(desk.proposals.propose(wish), desk.proposals.propose(wish))
    assert first == again == await desk.propose(key=key, asked_as="twice"), "the line waits already"
    with pytest.raises(AskRefused):
        await desk.propose("/watch SO-1001", key=key, asked_as="once")
    await desk.proposals.decline(first.id, LI)
    assert (await desk.propose(key=key, asked_as="once")).state is ProposalState.DECLINED
    assert (await desk.propose(key=key)).id != first.id


async def test_no_program_floods_a_person(desk: Desk) -> None:
    key, other, third = [await desk.key() for _ in range(3)]
    for number in range(MOST_OF_KEY):
        made = await desk.propose(f"/watch SO-{number}", key=key)
        await desk.proposals.withdraw(made.id, key.id)
    with pytest.raises(TooManyAsks):
        await desk.propose(key=key)
    for number in range(MOST_OF_OWNER - MOST_OF_KEY):
        await desk.propose(f"/watch SO-{number}", key=other)
    with pytest.raises(TooManyAsks):
        await desk.propose(key=third)
    desk.now += WINDOW + timedelta(seconds=1)
    assert (await desk.propose(key=key)).state is ProposalState.WAITING


async def test_a_key_lists_its_own_in_parts(desk: Desk) -> None:
    key = await desk.key()
    await desk.propose(key=await desk.key())
    made = [await desk.propose(f"/watch SO-{number}", key=key) for number in range(3)]
    made = sorted(made, key=lambda each: each.id, reverse=True)
    first = await desk.proposals.of_key(key.id, "", 2)
    assert first == made[:2]
    assert await desk.proposals.of_key(key.id, made[1].id, 2) == made[2:]
    assert await desk.proposals.of_key(key.id, "unknown", 2) is None


async def test_whatever_comes_first_there_is_one_end_and_a_line_only_if_accepted(desks: tuple[Desk, Desk]) -> None:
    """Taps, withdrawals, deadlines and the end of the key race, at two replicas."""
    random, key = Random(5), await desks[0].key(days=1)
    accepted = 0
    for number in range(12):
        desk = random.choice(desks)
        proposal = await desk.propose(f"/watch SO-{number}", key=key, asked_as=f"race-{number}")
        for each in desks:
            each.now += timedelta(minutes=30)
        deadline = random.random() < 0.2
        deeds = [
            *(random.choice(desks).proposals.accept(proposal.id, LI, OWN_CHAT) for _ in range(2)),
            random.choice(desks).proposals.decline(proposal.id, LI),
            random.choice(desks).proposals.withdraw(proposal.id, key.id),
            random.choice(desks).proposals.sweep(),
        ]
        if deadline:
            for each in desks:
                each.now = proposal.expires_at
        random.shuffle(deeds)
        await asyncio.gather(*deeds)
        end = await _state(desk, proposal)
        assert end is not ProposalState.WAITING
        accepted += end is ProposalState.ACCEPTED
        assert len(await desk.entries(proposal)) == 2, "one end"
        assert len(await desk.lines()) == accepted
    assert len(desks[0].answered + desks[1].answered) == accepted


async def test_the_replica_that_took_the_tap_answers_the_line(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.migrate()
    desk = Desk(database, replica="one")
    await desk.proposals.accept((await desk.propose()).id, LI, OWN_CHAT)
    (row,) = await database.rows(select(INBOX))
    await database.close()
    assert (row.replica, row.conversation, row.arrived_us is None) == ("one", OWN_CHAT.id, False)
