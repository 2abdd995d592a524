"""/away: when one is away, and who decides documents meanwhile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Self

from bot.access.people import Person
from bot.approvals.absence import Absence
from bot.approvals.absences import Absences
from bot.approvals.cards.absence_views import AbsenceDays, AbsenceList, AbsenceProposal
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word, shortened
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.days import Days, DaysOrMonth
from bot.chat.errors import BadArgument
from bot.chat.registry import command
from bot.words.phrase import Phrase, phrase

_OFFERED = 5
"""Candidates that become buttons."""
_EXAMPLE = "/away 10-01..10-07 boss01"
_DAY = r"(\d{1,2})[-/.](\d{1,2})"
_DAYS_IN_DIGITS = re.compile(rf"{_DAY}(?:(?:\.\.|~|到|至){_DAY})?")


class AbsenceSpan(DaysOrMonth):
    """Days to come, also in digits without a year: 10-01..10-07, 明天到周五."""

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the days out of a line."""
        for i, word in enumerate(words):
            if match := _DAYS_IN_DIGITS.fullmatch(word):
                del words[i]
                first, last = f"{match[1]}月{match[2]}日", f"到{match[3]}月{match[4]}日" if match[3] else ""
                return cls(f"{first}{last}")
        return super().take_marked(words)


class SubstituteName(Word):
    """A userId, or a name."""

    placeholder = phrase("name or user id")


class AwayAction(Keyword):
    """Keeps what was shown, ends one's own absence, or declines to stand in for somebody."""

    CONFIRM = phrase("confirm"), "确认", "确定"
    OFF = phrase("off"), "取消", "结束", "回来", "back"
    DECLINE = phrase("unable"), "不代批", "婉拒", "decline"


@command(
    "away",
    aliases=("外出", "请假", "wc", "qj"),
    examples=("/away", "/away 10-01..10-07", "/外出 明天到周五", "/away off"),
    changes=True,
    shows=(),
    summary=phrase("Say when you are away, and who decides instead of you"),
    place=46,
    personal=True,
)
async def away(
    who: SubstituteName | None = None,
    *,
    days: AbsenceSpan | None = None,
    action: AwayAction | None = None,
    absences: Absences,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View:
    """Show or end the asker's absence, arrange one once it was seen, or decline to stand in for somebody."""
    own = context.person.user_id
    if not own:
        raise BadArgument(phrase("Only members of the company can be away."))
    if action is AwayAction.OFF:
        await absences.end(own)
        return await _show(own, absences, colleagues, context, phrase("You are not away."))
    if action is AwayAction.DECLINE:
        return await _decline(who, own, absences, colleagues, context)
    known = await absences.of(own)
    if days is None and (who is None or known is None):
        if who is not None:
            raise BadArgument(phrase("Say on which days, such as: %(line)s", line=_EXAMPLE))
        return await _show(own, absences, colleagues, context)
    begins, ends = _span(days, absences.longest, context) if days is not None else _span_of(known)
    substitute = await _find_substitute(who, own, absences, colleagues)
    by = "" if substitute is None else substitute.user_id or ""
    if action is not AwayAction.CONFIRM:
        proposed = Absence(user_id=own, begins=begins, ends=ends, substitute=by, due_at=context.now)
        return await _propose(proposed, absences, colleagues, context)
    await absences.arrange(own, begins, ends, by)
    return await _show(own, absences, colleagues, context, phrase("It is noted."))


def _span_of(known: Absence | None) -> tuple[datetime, datetime]:
    assert known is not None, "whoever names somebody without days has said them before"
    return known.begins, known.ends


def _span(days: Days, longest: timedelta, context: QuestionContext) -> tuple[datetime, datetime]:
    """Return the beginning of the first day and the end of the last."""
    # Like due dates, days without a year lie ahead.
    period = Days(f"due {days}").within(context.now.date()).period
    if period.last < context.now.date():
        raise BadArgument(phrase("These days are over: %(days)s", days=shortened(days)))
    if (period.last - period.first).days >= longest.days:
        raise BadArgument(phrase("An absence lasts at most %(num)s days.", num=longest.days))
    begins, ends = (
        datetime.combine(day, time(), context.now.tzinfo) for day in (period.first, period.last + timedelta(1))
    )
    return begins, ends


async def _find_substitute(who: str | None, own: str, absences: Absences, colleagues: Colleagues) -> Person | None:
    """Return who is meant among those whom the rules let people name; raises `BadArgument` for anybody else."""
    if who is None:
        return None
    people = await colleagues.lookup(absences.candidates(own))
    if not people:
        raise BadArgument(
            phrase("The approval rules let nobody name a substitute. Administrators name one there: [away] substitutes")
        )
    asked = who.casefold()
    found = [person for person in people if asked in ((person.user_id or "").casefold(), person.name.casefold())]
    found = found or [person for person in people if asked in person.name.casefold()]
    if len(found) != 1:
        names = tuple(f"{person.name} ({person.user_id})" for person in found or people)
        raise BadArgument(_whom(who, names, several=bool(found)))
    return found[0]


def _whom(who: str, names: tuple[str, ...], *, several: bool) -> Phrase:
    if several:
        return phrase("“%(name)s” may be several people: %(names)s", name=shortened(who), names=names)
    return phrase("“%(name)s” may not stand in for you. Those who may: %(names)s", name=shortened(who), names=names)


async def _decline(
    who: str | None, own: str, absences: Absences, colleagues: Colleagues, context: QuestionContext
) -> View:
    entrusted = await absences.entrusted_to(own)
    names = await _names([absence.user_id for absence in entrusted], colleagues)
    asked = (who or "").casefold()
    meant = [user_id for user_id, name in names.items() if asked in (user_id.casefold(), name.casefold())]
    if not meant or not await absences.decline(meant[0], own):
        return await _show(own, absences, colleagues, context, phrase("You stand in for nobody of that name."))
    remark = phrase("You do not stand in for %(name)s; they are told.", name=names[meant[0]])
    return await _show(own, absences, colleagues, context, remark)


async def _propose(
    proposed: Absence, absences: Absences, colleagues: Colleagues, context: QuestionContext
) -> AbsenceProposal:
    """Return what would be kept, for the asker to confirm."""
    own, by = proposed.user_id, proposed.substitute
    outlook = await absences.foresee(own, by)
    offered = () if by else absences.candidates(own)[:_OFFERED]
    names = await _names([by] if by else offered, colleagues)
    return AbsenceProposal(
        absence=_days_of(proposed, by, names, context),
        waiting=outlook.waiting,
        passed_on=outlook.passed_on,
        candidates=tuple((user_id, names[user_id]) for user_id in offered if user_id in names),
    )


async def _show(
    own: str, absences: Absences, colleagues: Colleagues, context: QuestionContext, remark: Phrase | None = None
) -> View:
    mine, entrusted = await absences.of(own), await absences.entrusted_to(own)
    offered = absences.candidates(own)[:_OFFERED] if mine is not None and not mine.substitute else ()
    named = (mine.substitute,) if mine is not None and mine.substitute else ()
    names = await _names([*named, *offered, *(absence.user_id for absence in entrusted)], colleagues)
    return AbsenceList(
        own=None if mine is None else _days_of(mine, mine.substitute, names, context),
        entrusted=tuple(_days_of(absence, absence.user_id, names, context) for absence in entrusted),
        candidates=tuple((user_id, names[user_id]) for user_id in offered if user_id in names),
        remark=remark,
    )


def _days_of(absence: Absence, person: str, names: Mapping[str, str], context: QuestionContext) -> AbsenceDays:
    first, last = absence.days(context.now.tzinfo)
    return AbsenceDays(user_id=person, name=names.get(person, person), first=first, last=last)


async def _names(user_ids: Sequence[str], colleagues: Colleagues) -> dict[str, str]:
    return {person.user_id: person.name for person in await colleagues.lookup(user_ids) if person.user_id is not None}
