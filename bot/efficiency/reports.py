"""What one reader may see of the figures of a month: the one cut for card, page, file and program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar

from bot.access.grants import EVERYTHING, Grant
from bot.access.people import Person
from bot.access.policy import ADMIN, AccessPolicy, AccessRequest
from bot.chat.context import QuestionContext
from bot.chat.days import DaysOrMonth
from bot.chat.parsing import command_line
from bot.efficiency.figures import (
    SHARES,
    AlertFigures,
    DecisionFigures,
    DividedBy,
    divide,
    divide_decisions,
    measure_alerts,
    measure_decisions,
    month_before,
)
from bot.efficiency.findings import (
    PURCHASING,
    Finding,
    FindingTopic,
    FoundFindings,
    LineToSend,
    RuleEdit,
    level_of,
    tell_effect,
)
from bot.efficiency.folding import LEAST, Division, Folded, fold_divisions, people_besides
from bot.efficiency.predictions import Prediction, tell_prediction
from bot.efficiency.questions import QuestionCount, fold_questions, sum_up, sum_up_commands
from bot.efficiency.views import AlertLine, DecisionLine, FindingLine, QuestionLine, name_group
from bot.efficiency.waits import SETTLED_AFTER, AlertWait, DecisionWait
from bot.erp.kinds import DECIDED, RULED_BY, Kind, ruled_by
from bot.words.disclosure import FieldClass
from bot.words.phrase import Phrase, phrase

T = TypeVar("T")

PEOPLE = "deciders"
"""The command whose users see figures about single people."""
_PEOPLE = AccessRequest(command=PEOPLE, reserved=True)
_ALERTS = "alerts"
_SPENDING = "quota"

_DIVISIONS: Mapping[DividedBy, Phrase] = {
    DividedBy.LEVEL: phrase("By level"),
    DividedBy.RULE: phrase("By rule"),
    DividedBy.AMOUNT: phrase("By amount"),
    DividedBy.WEEKDAY: phrase("By weekday"),
    DividedBy.WAY: phrase("By way"),
    DividedBy.KIND: phrase("By kind"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureReader:
    """Who reads figures, and what of them: their own always.

    ``people``: of single people too. ``decisions``: of all decisions on these kinds, by their commands, since all such
    documents are for them to see; ``amounts``: by amount, of these kinds. ``alerts``: of the alert rules;
    ``spending``: of questions and what they cost. ``vendors``: of each vendor, since all purchase orders and receipts
    are for them to see, with names.
    """

    user_id: str
    settled_before: datetime
    """What happens to an alert that was shown until then counts no more."""
    people: bool
    decisions: frozenset[str]
    amounts: frozenset[str]
    alerts: bool
    spending: bool
    vendors: bool = False
    rules: bool = False
    """They may change rules."""

    @property
    def finds(self) -> bool:
        """Whether there may be findings for them."""
        return bool(self.decisions) or self.alerts or self.vendors or self.spending


def figure_reader(policy: AccessPolicy, context: QuestionContext) -> FigureReader:
    """Return what the asker may see of figures: by a key none of all decisions, unless it opens all that they see."""
    person, owner = context.person, replace(context.person, key=None)
    seen = _seen_kinds(policy, person)
    if seen.keys() != _seen_kinds(policy, owner).keys() and not policy.decide(owner, _PEOPLE).allowed:
        seen = {}  # all decisions without those of another key would tell of who decided the rest

    def may(command: str, *, reserved: bool) -> bool:
        return policy.decide(person, AccessRequest(command=command, reserved=reserved)).allowed

    return FigureReader(
        user_id=person.user_id or "",
        settled_before=context.now - SETTLED_AFTER,
        people=policy.decide(person, _PEOPLE).allowed,
        decisions=frozenset(kind.command for kind in seen),
        amounts=frozenset(kind.command for kind, grant in seen.items() if grant.fields >= kind.amounts.classes),
        alerts=may(_ALERTS, reserved=False),
        spending=may(_SPENDING, reserved=True),
        vendors=all(
            right.allowed and EVERYTHING in right.grant.scopes and FieldClass.PARTNER in right.grant.fields
            for right in (policy.decide_area(person, RULED_BY[area]) for area in PURCHASING.areas)
        ),
        rules=ADMIN in policy.roles_of(person) and not person.is_external,
    )


def _seen_kinds(policy: AccessPolicy, person: Person) -> Mapping[Kind[Any], Grant]:
    """Return the kinds of which somebody sees all documents that are decided, with what of them."""
    rights = {kind: policy.decide_area(person, ruled_by(kind)) for kind in DECIDED}
    return {kind: right.grant for kind, right in rights.items() if right.allowed and EVERYTHING in right.grant.scopes}


def month_of_days(days: DaysOrMonth | None, context: QuestionContext, *, latest: date) -> date:
    """Return the first day of the month that is meant, ``latest`` if none is: figures are of whole months, which nobody
    can subtract.
    """
    return days.within(context.today).period.first.replace(day=1) if days else latest


def running_month(context: QuestionContext) -> date:
    """Return the first day of the month that has not ended yet."""
    return context.today.replace(day=1)


def latest_month(reader: FigureReader, context: QuestionContext) -> date:
    """Return the newest month whose figures about all a reader may see.

    Those of the running month, looked at day by day, would tell of each person: they are for readers of single people.
    """
    return running_month(context) if reader.people else month_before(running_month(context))


def page_of(lines: tuple[T, ...], context: QuestionContext, size: int) -> tuple[T, ...]:
    """Return the lines that are wanted at once."""
    return lines[context.offset : context.offset + (context.rows or size)]


def people_line(month: date) -> str:
    """Return the line of a month's figures by person."""
    return command_line(PEOPLE, f"{month:%Y-%m}")


@dataclass(frozen=True, slots=True)
class ReportedLines:
    """Lines for a reader. ``folded``: some are left out or put together, since they would be about too few people."""

    lines: tuple[DecisionLine, ...]
    folded: bool


def report_decisions(
    months: Mapping[date, Sequence[DecisionWait]], month: date, reader: FigureReader, zone: tzinfo
) -> ReportedLines:
    """Return a month's decisions beside those of the month before and of the same month a year before."""
    lines: list[DecisionLine] = []
    folded = False
    seen_waits = {each: [wait for wait in waits if wait.kind in reader.decisions] for each, waits in months.items()}
    if reader.decisions:
        for name, each in (
            (phrase("All"), month),
            (phrase("Month before"), month_before(month)),
            (phrase("A year before"), month_before(month, 12)),
        ):
            waits = seen_waits[each]
            seen = reader.people or people_besides(waits, reader.user_id) >= LEAST
            folded |= bool(waits) and not seen
            if waits and seen:
                (figures,) = _measure([Division({"": waits})], waits, reader)[0]
                lines.append(DecisionLine(name=name, figures=figures))
    lines += own_decisions(months[month], reader)
    if reader.decisions:
        divided = _report_divisions(seen_waits[month], reader, zone)
        lines += divided.lines
        folded |= divided.folded
    return ReportedLines(tuple(lines), folded)


def own_decisions(waits: Sequence[DecisionWait], reader: FigureReader) -> tuple[DecisionLine, ...]:
    """Return the line of the reader's own decisions; none if there are none."""
    own = [wait for wait in waits if wait.person == reader.user_id]
    return (DecisionLine(name=phrase("Yourself"), figures=measure_decisions(own)),) if own else ()


def _divisions(
    waits: Sequence[DecisionWait], reader: FigureReader, zone: tzinfo
) -> dict[DividedBy, Division[DecisionWait]]:
    """Return a month's decisions divided as a reader may see them.

    Amounts are folded with all else, also for who may not see them: so the rest does not depend on it.
    """
    divisions = divide_decisions(waits, zone)
    if reader.people:
        return divisions
    return dict(zip(divisions, fold_divisions(waits, list(divisions.values()), reader.user_id), strict=True))


def _report_divisions(waits: Sequence[DecisionWait], reader: FigureReader, zone: tzinfo) -> ReportedLines:
    divisions = _divisions(waits, reader, zone)
    kinds = {wait.kind for wait in waits}
    if not kinds <= reader.amounts:
        del divisions[DividedBy.AMOUNT]
    if len(kinds) == 1:
        del divisions[DividedBy.KIND]
    lines: list[DecisionLine] = []
    measured = _measure(list(divisions.values()), waits, reader)
    for (by, division), figures in zip(divisions.items(), measured, strict=True):
        names = [name_group(by, name) for name in division.groups]
        if division.together:
            names.append(phrase("Others together"))
        heads: list[Phrase | None] = [_DIVISIONS[by], *[None] * len(names)]
        lines += (
            DecisionLine(name=name, figures=each, heads=head)
            for name, each, head in zip(names, figures, heads, strict=False)
        )
    return ReportedLines(tuple(lines), any(division.folded for division in divisions.values()))


def _measure(
    divisions: Sequence[Division[DecisionWait]], waits: Sequence[DecisionWait], reader: FigureReader
) -> list[list[DecisionFigures]]:
    """Return the figures of each part of some divisions.

    A share of some decisions alone, such as of those with a deadline, is left out where these are of too few people.
    """
    measured = [[measure_decisions(part) for part in division.parts] for division in divisions]
    for share in SHARES if not reader.people else ():
        counted = [
            Division(
                {number: some for number, part in enumerate(division.parts) if (some := [*filter(share.counts, part)])}
            )
            for division in divisions
        ]
        folded = fold_divisions([*filter(share.counts, waits)], counted, reader.user_id)
        measured = [
            [share.leave_out(each) for each in figures] if some.folded else figures
            for figures, some in zip(measured, folded, strict=True)
        ]
    return measured


def report_people(
    waits: Sequence[DecisionWait], waiting: Mapping[str, int], names: Mapping[str, str]
) -> tuple[DecisionLine, ...]:
    """Return a line for each person who decided in a month or is waited for now; most decisions first."""
    by_person = {str(name): of for name, of in divide(waits, lambda wait: wait.person).groups.items()}
    people = sorted({*by_person, *waiting}, key=lambda person: (-len(by_person.get(person, ())), person))
    return tuple(
        DecisionLine(
            name=names.get(person, person) if person else phrase("Decided in the ERP"),
            figures=measure_decisions(by_person.get(person, ())),
            waiting=waiting.get(person, 0),
        )
        for person in people
    )


def report_alerts(waits: Sequence[AlertWait], reader: FigureReader) -> tuple[tuple[AlertLine, ...], bool]:
    """Return a line for each rule, the noisiest first, and whether something is left out.

    Who takes up an alert is a person: of fewer than `LEAST` it is not told how fast, nor how many of the alerts.
    """
    rules = divide(waits, lambda wait: wait.rule).groups
    lines, folded = [], False
    for rule, of in sorted(rules.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        figures = measure_alerts(of)
        seen = figures if reader.people else _without_few(figures, of, reader)
        folded |= seen != figures
        lines.append(AlertLine(rule=str(rule), figures=seen))
    return tuple(lines), folded


def _without_few(figures: AlertFigures, waits: Sequence[AlertWait], reader: FigureReader) -> AlertFigures:
    """Return figures without those of few people: also of those who take up alerts and do not acknowledge them."""
    if _tells_who(waits, reader):
        return replace(figures, ignored=None, acknowledged=None, acknowledged_after=None)
    taken = [wait for wait in waits if not wait.ignored]
    (known,) = fold_divisions(taken, [divide(taken, lambda wait: wait.acknowledged is not None)], reader.user_id)
    return replace(figures, acknowledged=None, acknowledged_after=None) if taken and known.folded else figures


def _tells_who(waits: Sequence[AlertWait], reader: FigureReader) -> bool:
    """Return whether few people took up what was taken up of some alerts, or one of them still may.

    What changes from one day to the next tells of who did something meanwhile.
    """
    taken = [wait for wait in waits if not wait.ignored]
    is_settled = all(wait.at <= reader.settled_before for wait in waits)
    return not is_settled or (bool(taken) and people_besides(taken, reader.user_id) < LEAST)


@dataclass(frozen=True, slots=True)
class ReportedQuestions:
    """Counts for a reader. ``number``: of all questions, None if too few people asked to tell it."""

    lines: tuple[QuestionLine, ...]
    number: int | None
    folded: bool


def report_questions(
    asked: Sequence[QuestionCount],
    before: Sequence[QuestionCount],
    departments: Mapping[str, str],
    reader: FigureReader,
) -> ReportedQuestions:
    """Return the commands, most answers first, each with its departments; then the commands that few people asked."""
    commands, earlier = _fold_commands(asked, reader), _fold_commands(before, reader)
    of_earlier = {count.command: count.number for count in earlier.shown}
    hidden = {count.command for count in sum_up_commands(before).values()} - of_earlier.keys()
    lines, folded = [], len(commands.shown) < len(sum_up_commands(asked))
    for whole in sorted(commands.shown, key=lambda count: (-count.number, count.command)):
        lines.append(
            QuestionLine(
                command=whole.command,
                department=phrase("All"),
                number=whole.number,
                before=None if whole.command in hidden else of_earlier.get(whole.command, 0),
                heads=True,
            )
        )
        counts = [count for count in asked if count.command == whole.command]
        parts = list(_departments(counts, departments, reader))
        folded |= len(parts) < len(counts)
        lines += parts
    if commands.together:
        number = sum(count.number for count in commands.together)
        lines.append(QuestionLine(command="", department=phrase("Other commands together"), number=number, heads=True))
    seen = (*commands.shown, *commands.together)
    return ReportedQuestions(tuple(lines), sum(count.number for count in seen) if seen else None, folded)


def _fold_commands(counts: Sequence[QuestionCount], reader: FigureReader) -> Folded[QuestionCount]:
    commands = sum_up_commands(counts).values()
    return Folded(tuple(commands), ()) if reader.people else fold_questions(commands)


def _departments(
    counts: Sequence[QuestionCount], names: Mapping[str, str], reader: FigureReader
) -> Iterator[QuestionLine]:
    folded = fold_questions(counts)
    shown = counts if reader.people else folded.shown
    for count in sorted(shown, key=lambda count: (-count.number, count.department)):
        name = names.get(count.department, count.department) or phrase("Department not known")
        yield QuestionLine(command=count.command, department=name, number=count.number)
    if folded.together and not reader.people:
        together = sum_up(folded.together)
        yield QuestionLine(command=together.command, department=phrase("Others together"), number=together.number)


@dataclass(frozen=True, slots=True)
class ReportedFindings:
    """Findings for a reader. ``folded``: some are left out, since they are about too few people."""

    lines: tuple[FindingLine, ...]
    folded: bool


def report_findings(
    found: FoundFindings, reader: FigureReader, zone: tzinfo, address: Callable[[Finding], str]
) -> ReportedFindings:
    """Return the findings that a reader may see; who may not change rules gets no ``address`` of a draft."""
    of_topics = [finding for finding in found.findings if _is_open_to(reader, finding)]
    shown = [finding for finding in of_topics if reader.people or _is_about_many(finding, found, reader, zone)]
    lines = (_finding_line(number, each, reader, address) for number, each in enumerate(shown, 1))
    return ReportedFindings(tuple(lines), folded=len(shown) < len(of_topics))


def report_predictions(
    predictions: Iterable[Prediction], found: FoundFindings, reader: FigureReader, zone: tzinfo
) -> tuple[Phrase, ...]:
    """Return what became of predictions, as far as a reader may see the findings that they began with."""
    shown = (
        tell_prediction(each, zone)
        for each in predictions
        if _is_open_to(reader, each) and (reader.people or _is_about_many(each, found, reader, zone))
    )
    return tuple(filter(None, shown))


def _is_open_to(reader: FigureReader, finding: Finding | Prediction) -> bool:
    return {
        FindingTopic.APPROVALS: finding.kinds <= reader.decisions,
        FindingTopic.ALERTS: reader.alerts,
        FindingTopic.VENDORS: reader.vendors,
        FindingTopic.QUESTIONS: reader.spending,
    }[finding.topic]


def _is_about_many(finding: Finding | Prediction, found: FoundFindings, reader: FigureReader, zone: tzinfo) -> bool:
    """Return whether a finding tells of no few people, in none of its months: months could be subtracted from it."""
    if finding.topic in (FindingTopic.VENDORS, FindingTopic.QUESTIONS):
        return True  # a vendor is nobody of the company, and a question is found only if many ask it
    if finding.topic is FindingTopic.ALERTS:
        months = ([wait for wait in of if wait.rule == finding.subject] for of in found.alerts.values())
        return not any(_tells_who(of, reader) for of in months)
    level = finding.subject, finding.level
    decided = ([wait for wait in of if wait.kind in reader.decisions] for of in found.decisions.values())
    months_of = [waits for waits in decided if level in map(level_of, waits)]
    return bool(months_of) and all(level in _fold_levels(waits, reader, zone).groups for waits in months_of)


def _fold_levels(waits: Sequence[DecisionWait], reader: FigureReader, zone: tzinfo) -> Division[DecisionWait]:
    """Return a month's decisions by rule and level, beside what its reader sees of that month."""
    divisions = divide_decisions(waits, zone)
    return fold_divisions(waits, [*divisions.values(), divide(waits, level_of)], reader.user_id)[-1]


def _finding_line(
    number: int, finding: Finding, reader: FigureReader, address: Callable[[Finding], str]
) -> FindingLine:
    remedy = finding.remedy if isinstance(finding.remedy, LineToSend) or reader.rules else None
    return FindingLine(
        number=number,
        seen=finding.seen,
        reason=finding.reason,
        evidence=finding.evidence,
        effect=tell_effect(finding) or finding.unrehearsed,
        remedy=remedy.what if remedy is not None else None,
        by_others=finding.remedy is not None and remedy is None,
        url=address(finding) if isinstance(remedy, RuleEdit) else "",
        line=remedy.line if isinstance(remedy, LineToSend) else "",
    )
