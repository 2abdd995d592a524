"""What time does to an open case: reminders, and the deadline with what the rule says about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.approvals.case import Case, CaseState
from bot.approvals.opening import close, left_of, level_of, next_due, owe, people, show, waited_for
from bot.approvals.ruling import Expiry, Level, Need, standing
from bot.approvals.unit import Unit
from bot.erp.model import Verdict

_PAUSE = timedelta(minutes=5)
"""For so long a case is left alone with which a defect of ours was met."""

_FOLLOW = timedelta(seconds=15)
"""Between tries to read what came after a case that ended."""


def pass_time(unit: Unit, case_id: str) -> Case | None:
    """Do what is due of an open case; None when nothing is."""
    case = unit.book.case(case_id)
    if case is None or case.state is not CaseState.OPEN or case.due_at is None or case.due_at > unit.now:
        return None
    if case.plan.deadline is not None and not case.expired and case.opened_at + case.plan.deadline <= unit.now:
        return _expire(unit, case)
    return _remind(unit, case)


def end_following(unit: Unit, case_id: str) -> None:
    """Note that the document of a case that ended was read again."""
    case = unit.book.case(case_id)
    if case is not None and case.state.is_final and case.due_at is not None:
        unit.book.put(replace(case, due_at=None))


def follow_later(unit: Unit, case_id: str) -> None:
    """Let the document of a case that ended be read when its source may answer again."""
    case = unit.book.case(case_id)
    if case is not None and case.state.is_final and case.due_at is not None:
        unit.book.put(replace(case, due_at=unit.now + _FOLLOW))


def put_off(unit: Unit, case_id: str) -> None:
    """Leave a case alone for a while, so that it does not stop the others."""
    case = unit.book.case(case_id)
    if case is not None and case.due_at is not None and case.due_at < unit.now + _PAUSE:
        unit.book.put(replace(case, due_at=unit.now + _PAUSE))


def _remind(unit: Unit, case: Case) -> Case:
    due = [after for after in case.plan.remind_after if case.opened_at + after <= unit.now]
    reminded = replace(case, reminders=len(due), revision=case.revision + 1)
    reminded = replace(reminded, due_at=next_due(reminded))
    unit.book.put(reminded)
    unit.audit(reminded, "reminded", detail=str(reminded.reminders))
    # A card of its own: nobody is told of the update of one that stands already.
    show(unit, reminded, people(waited_for(unit, reminded)), copy=reminded.reminders)
    return reminded


def _expire(unit: Unit, case: Case) -> Case:
    unit.audit(case, "expired", detail=case.plan.on_expiry.value)
    match case.plan.on_expiry:
        case Expiry.CLOSE:
            return close(unit, case, CaseState.EXPIRED, "nobody decided in time")
        case Expiry.ESCALATE if case.plan.escalate_to:
            return _escalate(unit, case)
        case _:
            late = replace(case, expired=True, revision=case.revision + 1)
            late = replace(late, due_at=next_due(late))
            unit.book.put(late)
            owe(unit, late)
            return late


def _escalate(unit: Unit, case: Case) -> Case:
    """Let the rule's further people decide as well, at the level that is waited for."""
    waited = standing(case.plan, case.votes)
    assert not isinstance(waited, Verdict), "an open case waits for a level"
    passed, rest = case.plan.levels[: waited - 1], case.plan.levels[waited:]
    levels = (*passed, *_wider(level_of(case.plan, waited), case), *rest)
    numbered = tuple(replace(level, number=number) for number, level in enumerate(levels, 1))
    wider = replace(case, plan=replace(case.plan, levels=numbered), expired=True, revision=case.revision + 1)
    wider = replace(wider, due_at=next_due(wider))
    unit.book.put(wider)
    unit.audit(wider, "escalated", detail=", ".join(case.plan.escalate_to))
    show(unit, wider, people(waited_for(unit, wider)))
    return wider


def _wider(level: Level, case: Case) -> tuple[Level, ...]:
    """Return what stands for a level whose time is over: what was said there counts, one more voice completes it."""
    missing = left_of(level, case)
    agreed = tuple(one for one in level.approvers if one not in missing)
    one_of = replace(level, need=Need.ANY, approvers=tuple(dict.fromkeys((*missing, *case.plan.escalate_to))))
    return (replace(level, approvers=agreed), one_of) if agreed else (one_of,)
