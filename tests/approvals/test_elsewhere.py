"""Decided or withdrawn in the ERP itself: what is told of it is what the ERP tells, and nothing that it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.approvals.answering import note_of
from bot.approvals.asking import Folder
from bot.approvals.case import Case, CaseState
from bot.approvals.changing import Known
from bot.approvals.drawing import Reader, draw_case, draw_told
from bot.approvals.elsewhere import Elsewhere
from bot.approvals.views import Face
from bot.approvals.voting import Said, Voted
from bot.erp.model import Approval, Decision, PurchaseStatus
from bot.store.approval_rows import case_of, case_row
from tests.approvals.native_parts import Office
from tests.approvals.parts import NOW
from tests.approvals.small_erp import Fault
from tests.approvals.test_books import a_case
from tests.approvals.world import APPROVE, REJECT, World, cards, decision

APPROVED, REJECTED, DRAFT, CANCELLED = (
    PurchaseStatus.APPROVED,
    PurchaseStatus.REJECTED,
    PurchaseStatus.DRAFT,
    PurchaseStatus.CANCELLED,
)
AT = NOW + timedelta(minutes=3)


async def ended(world: World, status: PurchaseStatus, by: str = "erp-sun", at: datetime | None = AT) -> Case:
    """Let somebody end an order in the ERP, and the bot see it; return the case."""
    approval = Approval(decided_by=by, decided_at=at, levels=2, level=2)
    world.erp.edit("PO-1", status=status, approval=approval, people={"erp-sun": "孙"})
    assert await world.desk.submitted("main", "PO-1") is None
    return await world.newest()


async def last_line(world: World, case: Case) -> tuple[str, str]:
    rows = await world.books.within(lambda book: list(book.rows_of(case.id)))
    return rows[-1].what, rows[-1].detail


def titles(case: Case) -> list[str]:
    """Return what the cards of the deciders and of the requester are called."""
    reader = Reader(face=Face.BARE, now=NOW)
    views = (draw_case(Folder(case=case), Known(), reader), draw_told(case))
    assert {view.elsewhere for view in views} == {case.elsewhere}
    return [str(view.headline) for view in views]


def late(case: Case) -> str:
    return str(note_of(Voted(said=Said.LATE, case=case)))


@pytest.mark.parametrize(
    ("status", "verdict", "title", "answer"),
    [
        (APPROVED, APPROVE, "Approved in the ERP", "孙 approved it in the ERP already, at "),
        (PurchaseStatus.DONE, APPROVE, "Approved in the ERP", "孙 approved it in the ERP already, at "),
        (REJECTED, REJECT, "Rejected in the ERP", "孙 rejected it in the ERP already, at "),
    ],
)
async def test_the_verdict_is_told_with_who_and_when(
    world: World, status: PurchaseStatus, verdict: object, title: str, answer: str
) -> None:
    await world.submit()
    case = await ended(world, status)
    assert case.state is CaseState.DECIDED_ELSEWHERE
    assert case.elsewhere == Elsewhere(status=status, by="孙", at=AT)
    assert case.elsewhere.verdict is verdict
    assert titles(case) == [title, title]
    assert late(case).startswith(answer)
    assert await last_line(world, case) == (
        "decided_elsewhere",
        f"{status} in the ERP by erp-sun at {AT.isoformat()}",
    )
    owed = cards(world, case.id)
    assert set(owed.values()) == {case.revision}
    assert "approval_told:person:wu" in owed


@pytest.mark.parametrize(
    ("by", "at", "status", "answer", "line"),
    [
        (
            "erp-sun",
            None,
            APPROVED,
            "孙 approved it in the ERP already.",
            "approved in the ERP by erp-sun",
        ),
        ("erp-sun", None, REJECTED, "孙 rejected it in the ERP already.", "rejected in the ERP by erp-sun"),
        ("", None, APPROVED, "It was approved in the ERP already.", "approved in the ERP by somebody"),
        ("", None, REJECTED, "It was rejected in the ERP already.", "rejected in the ERP by somebody"),
    ],
)
async def test_what_the_erp_keeps_to_itself_is_left_out(
    world: World, by: str, at: datetime | None, status: PurchaseStatus, answer: str, line: str
) -> None:
    await world.submit()
    case = await ended(world, status, by, at)
    assert late(case) == answer
    assert (await last_line(world, case))[1] == line


async def test_an_erp_that_tells_nothing_but_the_state(world: World) -> None:
    world.erp.names_nobody = True
    await world.submit()
    world.erp.apply(decision("v1", "erp-sun"))
    await world.desk.submitted("main", "PO-1")
    assert (await world.newest()).elsewhere == Elsewhere(status=APPROVED)


@pytest.mark.parametrize(
    ("status", "words"), [(DRAFT, "It is a draft again in the ERP."), (CANCELLED, "It was cancelled in the ERP.")]
)
async def test_what_nobody_decided_is_no_decision(world: World, status: PurchaseStatus, words: str) -> None:
    """Who decided an earlier level did not withdraw it, as far as anybody can tell."""
    await world.submit()
    case = await ended(world, status)
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, Elsewhere(status=status))
    assert titles(case)[0] == "No longer waits"
    assert (str(draw_case(Folder(case=case), Known(), Reader(face=Face.BARE, now=NOW)).withdrawn), late(case)) == (
        words,
        words,
    )
    assert await last_line(world, case) == ("withdrawn", status.value)


async def test_deleted_is_said_to_be_deleted(world: World) -> None:
    await world.submit()
    world.erp.orders.clear()
    await world.desk.submitted("main", "PO-1")
    case = await world.newest()
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, Elsewhere())
    assert late(case) == "It is not in the ERP any more."
    assert await last_line(world, case) == ("withdrawn", "not in the ERP any more")


async def test_cancelled_by_others_is_not_the_rejection_that_somebody_meant(world: World) -> None:
    """Our own rejection may end as a cancelled order; somebody else's cancelling is not a rejection of theirs."""
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang", REJECT)
    await world.work()
    world.erp.edit("PO-1", status=CANCELLED, approval=Approval(decided_by="erp-sun"))
    await world.rest()
    case = await world.newest()
    assert (case.state, case.elsewhere) == (CaseState.WITHDRAWN, Elsewhere(status=CANCELLED))


async def test_a_decision_there_overtakes_ours(world: World) -> None:
    await world.submit()
    await world.say("wang")
    at = world.clock.time
    world.erp.apply(Decision(number="PO-1", version="v1", verdict=REJECT, by="erp-sun", reason="no"))
    await world.rest()
    case = await world.newest()
    assert (case.state, case.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        Elsewhere(status=REJECTED, by="erp-sun", at=at),
    )
    assert titles(case) == ["Rejected in the ERP"] * 2


def test_decided_there_and_nobody_can_tell_how() -> None:
    case = a_case(state=CaseState.DECIDED_ELSEWHERE)
    assert titles(case) == ["Decided in the ERP"] * 2
    assert late(case) == "It is over already: there is nothing left to decide."


class Row:
    """A row as the database returns it."""

    def __init__(self, case: Case, *, as_it_was_once: bool) -> None:
        vars(self).update(case_row(case, 1))
        if as_it_was_once:
            there, _, rest = self.body.partition('"there":')
            assert rest.startswith("{"), "it is written now"
            self.body = there + rest.partition("},")[2]

    body: str
    opened_us: int
    due_us: int | None = None


@pytest.mark.parametrize("as_it_was_once", [False, True])
def test_rows_that_tell_only_who_decided_are_read_as_such(as_it_was_once: bool) -> None:
    there = Elsewhere(status=APPROVED, by="孙", at=AT)
    case = a_case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=there)
    read = case_of(Row(case, as_it_was_once=as_it_was_once))
    assert read == replace(case, elsewhere=Elsewhere(by="孙") if as_it_was_once else there)
    assert late(read).startswith("孙 decided it in the ERP" if as_it_was_once else "孙 approved it in the ERP")
    nameless = replace(case, elsewhere=Elsewhere(status=CANCELLED), state=CaseState.WITHDRAWN)
    once = case_of(Row(nameless, as_it_was_once=as_it_was_once))
    assert once.elsewhere == (None if as_it_was_once else Elsewhere(status=CANCELLED))


@pytest.mark.parametrize(("verdict", "parted"), [(APPROVE, False), (REJECT, True)])
async def test_the_same_verdict_in_the_approval_app_has_not_parted_from_it(
    world: World, verdict: object, parted: bool
) -> None:
    office = Office(world)
    await world.submit()
    await office.settle()
    world.erp.apply(decision("v1", "erp-sun"))
    await world.desk.submitted("main", "PO-1")
    office.forms.speak("qian", verdict, "不要")  # type: ignore[arg-type]  # a verdict
    await office.companion.hear("instance-1")
    await office.settle()
    assert ("native_parted" in await world.story()) is parted
    assert bool(office.approval.comments) is parted
