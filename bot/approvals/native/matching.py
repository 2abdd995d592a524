"""What a case and its approval have to tell each other. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from bot.approvals.case import Case, CaseState
from bot.approvals.native.form import Application, Instance, Task
from bot.approvals.ruling import Vote
from bot.erp.model import Verdict

_VERDICTS = {CaseState.APPROVED: Verdict.APPROVE, CaseState.REJECTED: Verdict.REJECT}

_VOTES_HOLD = {CaseState.OPEN, *_VERDICTS}
"""States in which what people said in chat is what became of the case, or may yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Names of the form's fields; empty: the form has none for it. By ``case`` an approval is known again."""

    case: str
    number: str = ""
    source: str = ""
    vendor: str = ""
    total: str = ""
    currency: str = ""
    due: str = ""


def application_of(case: Case, fields: Fields, originator: str) -> Application:
    """Return what the approval of a case is started with."""
    return Application(
        originator=originator,
        values=dict(_values(case, fields)),
        levels=tuple(level for level in case.plan.levels if level.approvers),
    )


def unheard(instance: Instance, done: Collection[int]) -> tuple[Task, ...]:
    """Return the turns in which somebody spoke and that nobody has dealt with."""
    return tuple(task for task in instance.tasks if task.verdict is not None and task.id not in done)


def said_here(case: Case, task: Task) -> bool:
    """Whether the case knows already what somebody said in a turn."""
    return any(vote.user_id == task.user_id and vote.verdict is task.verdict for vote in case.votes)


def untold(case: Case, instance: Instance) -> tuple[Task, Vote] | None:
    """Return the first vote that the approval waits for and the case has; None when there is none.

    A substitute's vote has no turn there, and nobody's turn is used by somebody else.
    """
    if not instance.running or case.state not in _VOTES_HOLD:
        return None
    turns: Mapping[str, Task] = {task.user_id: task for task in instance.tasks if task.open}
    return next(((turns[vote.user_id], vote) for vote in case.votes if vote.user_id in turns), None)


def contradicts(case: Case, instance: Instance) -> bool:
    """Whether an approval came to something that is not what became of the case, here or in the ERP itself."""
    there = case.elsewhere.verdict if case.elsewhere is not None else None
    return instance.verdict is not None and instance.verdict is not _VERDICTS.get(case.state, there)


def _values(case: Case, fields: Fields) -> Iterator[tuple[str, str]]:
    brief = case.brief
    total, due = brief.total, brief.due_on
    known = (
        (fields.case, case.id),
        (fields.number, case.number),
        (fields.source, case.source),
        (fields.vendor, brief.vendor),
        (fields.total, "" if total is None else f"{total.amount:f}"),
        (fields.currency, "" if total is None else total.currency),
        (fields.due, "" if due is None else due.isoformat()),
    )
    # A field of dates or amounts takes no empty text.
    return ((name, value) for name, value in known if name and value)
