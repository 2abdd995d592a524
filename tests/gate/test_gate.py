"""What becomes of requests at the gate."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.chat.program_asks import AskRefused, NoSuchAsk, UnfitAsk
from bot.erp.model import Verdict
from bot.gate.cards import list_view
from bot.gate.facts import canonical, digest_of
from bot.gate.request import GateOutcome, GateRequest, GateState
from bot.store.gate import add_signing_key, drop_signing_keys
from bot.store.held_rights import hold_rights
from tests.gate.desk import AGENT, CFO, LI, OWNER, REFUNDS, WANG, Desk
from tests.rows import each_row


async def _allowed(desk: Desk) -> GateRequest:
    request = await desk.ask()
    return await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)


async def _use(desk: Desk, request: GateRequest) -> GateRequest:
    return await desk.gate.use(request.id, AGENT, request.digest, request.verdict)


def _raw(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def _verified(desk: Desk, verdict: str) -> Any:
    header, claims, signature = verdict.split(".")
    keys = {key["kid"]: key for key in await desk.gate.public_keys()}
    key = Ed25519PublicKey.from_public_bytes(_raw(keys[json.loads(_raw(header))["kid"]]["x"]))
    key.verify(_raw(signature), f"{header}.{claims}".encode())
    return json.loads(_raw(claims))


@each_row(
    ("gate_class", "facts", "state", "rule"),
    [
        ("refund", {"amount": "10.00"}, GateState.PENDING, "refunds"),
        ("refund", {"amount": "1000.01"}, GateState.PENDING, "large"),
        ("note.add", {"text": "hello"}, GateState.ALLOWED, "notes"),
        ("delete", {"what": "all"}, GateState.DENIED, "never"),
        ("unknown", {}, GateState.DENIED, ""),
        # A fact that a rule asks for and that is not there is no: it must not lead past the rule.
        ("refund", {"sum": "5000.00"}, GateState.DENIED, "large"),
        ("refund", {"amount": [1]}, GateState.DENIED, "large"),
    ],
)
async def test_the_first_rule_that_fits_decides(
    gate_class: str, facts: dict[str, object], state: GateState, rule: str, desk: Desk
) -> None:
    found = await desk.gate.ask(replace(desk.wish(gate_class), facts=facts))
    assert (found.state, found.rule) == (state, rule)


async def test_people_decide_and_all_copies_follow(desk: Desk) -> None:
    request = await desk.ask()
    assert await desk.cards(request) == {LI, WANG}, "the owner of a key lets nothing of their own through"
    assert [each.id for each in await desk.gate.waiting_for(LI)] == [request.id]
    allowed = await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)
    assert (allowed.state, str(allowed.reason)) == (GateState.ALLOWED, "Li allowed it.")
    late = await desk.gate.vote(request.id, WANG, "Wang", Verdict.APPROVE)
    assert late == allowed, "there is one verdict"
    assert not await desk.gate.waiting_for(WANG)
    assert await desk.entries(request) == [(OWNER, "pending"), (LI, "allowed")]


async def test_levels_come_one_after_another(desk: Desk) -> None:
    request = await desk.ask(amount="5000.00")
    with pytest.raises(NoSuchAsk):
        await desk.gate.vote(request.id, CFO, "Cfo", Verdict.APPROVE)
    waiting = await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)
    assert (waiting.state, waiting.verdict) == (GateState.PENDING, "")
    with pytest.raises(AskRefused):
        await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)
    assert await desk.cards(request) == {LI, WANG, CFO}
    assert (await desk.gate.vote(request.id, CFO, "Cfo", Verdict.REJECT)).state is GateState.DENIED


async def test_whoever_lost_the_role_decides_no_more(desk: Desk) -> None:
    request = await desk.ask()
    desk.roles["finance"] = (WANG,)
    with pytest.raises(AskRefused):
        await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)
    assert (await desk.gate.vote(request.id, WANG, "Wang", Verdict.APPROVE)).state is GateState.ALLOWED


AWAY = """
[[substitutes]]
person = "{}"
by = "{}"
from = 2026-11-01
until = 2026-11-30
"""


@pytest.mark.parametrize(
    ("away", "decides"),
    [([(LI, "sun01"), ("sun01", CFO)], True), ([(LI, OWNER), (OWNER, CFO)], False), ([(LI, "sun01")], False)],
)
async def test_substitutes_of_substitutes_stand_in_but_not_by_way_of_the_owner(
    away: list[tuple[str, str]], decides: bool, desk: Desk
) -> None:
    desk = Desk(desk.database, rules=REFUNDS + "".join(AWAY.format(*each) for each in away))
    request = await desk.ask()
    assert (CFO in await desk.cards(request)) is decides
    if decides:
        assert (await desk.gate.vote(request.id, CFO, "Cfo", Verdict.APPROVE)).state is GateState.ALLOWED
    else:
        with pytest.raises(NoSuchAsk):
            await desk.gate.vote(request.id, CFO, "Cfo", Verdict.APPROVE)


async def test_a_rule_that_leaves_nobody_is_no(desk: Desk) -> None:
    desk.roles["finance"] = (OWNER,)
    assert (await desk.ask()).state is GateState.DENIED


async def test_a_verdict_is_signed_and_says_what_it_is_for(desk: Desk) -> None:
    allowed = await _allowed(desk)
    claims = await _verified(desk, allowed.verdict)
    assert claims["facts_sha256"] == digest_of('{"amount":"10.00"}') == allowed.digest
    told = {name: claims[name] for name in ("iss", "aud", "sub", "class", "verdict")}
    assert told == {"iss": "dingerp", "aud": AGENT, "sub": allowed.id, "class": "refund", "verdict": "allowed"}
    assert claims["exp"] == allowed.expires_at.timestamp()
    forged = allowed.verdict[:-4] + ("AAAA" if allowed.verdict[-4:] != "AAAA" else "BBBB")
    with pytest.raises(InvalidSignature):
        await _verified(desk, forged)
    assert (await _verified(desk, (await desk.ask("delete")).verdict))["verdict"] == "denied"


async def test_a_new_key_signs_and_the_old_one_still_verifies(desk: Desk) -> None:
    before = await _allowed(desk)
    desk.now += timedelta(minutes=1)
    await desk.database.run(lambda connection: add_signing_key(connection, desk.now))
    after = await _allowed(desk)
    assert before.verdict.partition(".")[0] != after.verdict.partition(".")[0]
    for verdict in (before.verdict, after.verdict):
        assert await _verified(desk, verdict)
    await desk.database.run(lambda connection: drop_signing_keys(connection, desk.now + timedelta(seconds=1)))
    assert len(await desk.gate.public_keys()) == 1
    assert await _verified(desk, after.verdict)


async def test_a_verdict_is_good_once_with_the_same_facts_and_in_time(desk: Desk) -> None:
    allowed = await _allowed(desk)
    other = await _allowed(desk)
    for digest, verdict in ((digest_of("{}"), allowed.verdict), (allowed.digest, other.verdict), (allowed.digest, "é")):
        with pytest.raises(AskRefused):
            await desk.gate.use(allowed.id, AGENT, digest, verdict)
    assert (await _use(desk, allowed)).state is GateState.USED
    with pytest.raises(AskRefused):
        await _use(desk, allowed)
    desk.now += timedelta(hours=1)
    with pytest.raises(AskRefused):
        await _use(desk, other)
    assert (await desk.gate.read(other.id, AGENT)).state is GateState.EXPIRED


async def test_timeout_is_no(desk: Desk) -> None:
    request = await desk.ask()
    desk.now += timedelta(hours=1)
    late = await desk.gate.vote(request.id, LI, "Li", Verdict.APPROVE)
    assert (late.state, late.verdict) == (GateState.EXPIRED, "")
    assert await desk.entries(request) == [(OWNER, "pending"), ("dingerp", "expired")]


async def test_both_sides_take_back_what_is_not_used(desk: Desk) -> None:
    by_program, by_person, used = await desk.ask(), await _allowed(desk), await _allowed(desk)
    assert (await desk.gate.withdraw(by_program.id, AGENT)).state is GateState.WITHDRAWN
    assert (await desk.gate.vote(by_person.id, WANG, "Wang", Verdict.REJECT)).state is GateState.WITHDRAWN
    with pytest.raises(AskRefused):
        await _use(desk, by_person)
    await _use(desk, used)
    assert (await desk.gate.vote(used.id, LI, "Li", Verdict.REJECT)).state is GateState.USED
    with pytest.raises(AskRefused):
        await desk.gate.withdraw(used.id, AGENT)


async def test_a_program_that_does_not_report_is_shown_to_who_let_it_through(desk: Desk) -> None:
    request = await _use(desk, await _allowed(desk))
    desk.now += timedelta(minutes=10)
    await desk.gate.sweep()
    found = await desk.gate.find(request.id)
    assert found is not None
    assert found.state is GateState.UNCERTAIN
    assert await desk.cards(request) == {LI, WANG, f"{LI}:uncertain"}
    late = await desk.gate.report(request.id, AGENT, GateOutcome.DONE, "refund 4711")
    assert (late.state, late.outcome) == (GateState.USED, GateOutcome.DONE)
    assert await desk.gate.report(request.id, AGENT, GateOutcome.DONE, "refund 4711") == late
    with pytest.raises(AskRefused):
        await desk.gate.report(request.id, AGENT, GateOutcome.FAILED, "")
    assert [outcome for _, outcome in await desk.entries(request)] == [
        "pending",
        "allowed",
        "used",
        "uncertain",
        "done",
    ]


async def test_the_same_again_is_the_same_request(desk: Desk) -> None:
    wish = desk.wish(asked_as="once")
    first, again = await asyncio.gather(desk.gate.ask(wish), desk.gate.ask(wish))
    assert first == again
    with pytest.raises(AskRefused):
        await desk.gate.ask(replace(wish, facts={"amount": "99.00"}))
    assert (await desk.gate.ask(replace(wish, key="another"))).id != first.id


async def test_a_budget_is_for_one_key_class_and_day(desk: Desk) -> None:
    many = [await desk.ask("note.add") for _ in range(3)]
    assert [each.state for each in many] == [GateState.ALLOWED, GateState.ALLOWED, GateState.DENIED]
    assert (await desk.ask("note.edit")).state is GateState.ALLOWED
    await desk.gate.withdraw(many[0].id, AGENT)
    assert (await desk.ask("note.add")).state is GateState.ALLOWED
    desk.now += timedelta(days=1)
    assert (await desk.ask("note.add")).state is GateState.ALLOWED


async def test_of_what_is_allowed_without_people_a_sample_is_shown(desk: Desk) -> None:
    assert await desk.cards(await desk.ask("note.add")) == set()
    desk.chance = 0.49
    sampled = await desk.ask("note.add")
    assert await desk.cards(sampled) == {CFO}
    assert (await desk.gate.vote(sampled.id, CFO, "Cfo", Verdict.REJECT)).state is GateState.WITHDRAWN


async def test_nobody_is_let_through_while_nothing_may_be_written(desk: Desk) -> None:
    allowed, waiting = await _allowed(desk), await desk.ask()
    desk.read_only = True
    with pytest.raises(AskRefused):
        await desk.gate.vote(waiting.id, LI, "Li", Verdict.APPROVE)
    assert (await desk.gate.vote(waiting.id, LI, "Li", Verdict.REJECT)).state is GateState.DENIED
    assert (await desk.ask("note.add")).state is GateState.DENIED
    with pytest.raises(AskRefused):
        await _use(desk, allowed)


async def test_what_a_restored_backup_brings_back_is_not_used_again(desk: Desk) -> None:
    waiting, allowed, used = await desk.ask(), await _allowed(desk), await _use(desk, await _allowed(desk))
    await desk.database.run(lambda connection: hold_rights(connection, desk.now))
    states = [(await desk.gate.read(each.id, AGENT)).state for each in (waiting, allowed, used)]
    assert states == [GateState.WITHDRAWN, GateState.WITHDRAWN, GateState.USED]
    with pytest.raises(AskRefused):
        await _use(desk, allowed)


async def test_another_key_sees_nothing(desk: Desk) -> None:
    request = await desk.ask()
    for deed in (desk.gate.read, desk.gate.withdraw):
        with pytest.raises(NoSuchAsk):
            await deed(request.id, "another")
    with pytest.raises(NoSuchAsk):
        await desk.gate.look(request.id, OWNER)


@each_row(
    "facts", [{"n": 1.5}, {"n": 2**60}, {"n": "\ud800"}, {"text": "x" * 101}, {f"n{i}": "x" * 90 for i in range(7)}]
)
async def test_facts_that_are_not_exact_or_not_seen_are_refused(facts: dict[str, object], desk: Desk) -> None:
    with pytest.raises(UnfitAsk):
        await desk.ask(**facts, amount="10.00")


@each_row(
    ("facts", "text"),
    [
        ({"b": 1, "a": [True, None, "é"]}, '{"a":[true,null,"é"],"b":1}'),
        # RFC 8785 orders by UTF-16: a character beyond the first plane comes before U+FB33.
        ({"\ufb33": 1, "😀": 2}, '{"😀":2,"\ufb33":1}'),
        ({"a": '\x01\n"\\/'}, '{"a":"\\u0001\\n\\"\\\\/"}'),
    ],
)
def test_facts_have_one_form(facts: dict[str, object], text: str) -> None:
    assert canonical(facts) == text


async def test_what_waits_for_a_person_is_all_found_and_what_ends_first_is_first(desk: Desk) -> None:
    late = await desk.ask(amount="5000.00")
    for _ in range(120):
        await desk.ask()
    soon = await desk.gate.ask(replace(desk.wish(), expires_in=timedelta(minutes=5)))
    await desk.gate.vote(late.id, LI, "Li", Verdict.APPROVE)
    assert [each.id for each in await desk.gate.waiting_for(CFO)] == [late.id]
    waiting = await desk.gate.waiting_for(WANG)
    assert (len(waiting), waiting[0].id) == (121, soon.id)
    page = list_view(waiting, 6, 6)
    assert (page.first, page.last, page.total, len(page.page_buttons())) == (7, 12, 121, 2)
