"""Asks the company's own questions as one reader may: the one cut for card, page, file, subscription and program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from time import monotonic
from types import MappingProxyType

from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict, Denied
from bot.access.presets import with_synonyms
from bot.access.rules import ANY
from bot.chat.arguments import usage
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.parsing import command_line, normalise
from bot.chat.records.reader_hub import AccountOf
from bot.chat.view_parts import Freshness
from bot.erp.errors import ErpError
from bot.erp.kinds import RULED_BY, ScopeKeys
from bot.erp.model import Area, Money
from bot.erp.named_queries import QueryDatabase, QueryValue
from bot.erp.narrowing import Narrowing
from bot.mechanisms.metrics import Metrics
from bot.named_questions.question import ColumnKind, NamedColumn, NamedQuestion, NamedQuestions
from bot.named_questions.values import read_words, values_of
from bot.named_questions.views import COMMAND, AnswerCell, AnswerRow, NamedAnswer, QuestionEntry, QuestionList
from bot.words.disclosure import FieldClass, cut_part
from bot.words.phrase import phrase

_MOST_EXAMINED = 20_000
"""Rows read for somebody who may see only some of them: those that are theirs may come late."""

_AREAS: Mapping[str, Area] = MappingProxyType({command: area for area, command in RULED_BY.items()})

_EXACT = Context(prec=60)

_CALL = "named_question"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReader:
    """What somebody may see of a question's answer: its classes of fields, and the rows that fit all narrowings."""

    fields: frozenset[FieldClass]
    narrowings: tuple[Narrowing, ...]

    def may_see(self, keys: ScopeKeys) -> bool:
        """Return whether a row that is of these keys is for the reader."""
        return all(each.covers_keys(area, keys) for each in self.narrowings for area in each.scopes)


class NamedQuestionService:
    """Answers the questions that are in force."""

    def __init__(
        self,
        questions: Callable[[], NamedQuestions],
        databases: Mapping[str, QueryDatabase],
        *,
        account_of: AccountOf,
        metrics: Metrics,
    ) -> None:
        self._questions = questions
        self._databases = databases
        self._account_of = account_of
        self._metrics = metrics

    def line_of(self, policy: AccessPolicy, context: QuestionContext) -> str | None:
        """Return the line that asks the question whose name somebody typed in place of a command; None for no such.

        A name in a sentence counts only if all other words are its arguments.
        """
        known = self._questions()
        if not known.questions or not _may_ask(policy, context):
            return None
        is_slashed, text = context.line.startswith("/"), normalise(context.line).lstrip("/ ")
        begun = known.take(text)
        found = begun or (None if is_slashed else known.within(text))
        if found is None or not _is_for(found[0], policy, context):
            return None
        question, rest = found
        if not is_slashed and not _is_understood(question, rest, context, may_search=begun is not None):
            return None
        return f"{command_line(COMMAND, question.name)} {rest}".rstrip()

    def list(self, policy: AccessPolicy, context: QuestionContext) -> QuestionList:
        """Return the questions that somebody may ask."""
        language = context.person.language
        mine = [each for each in self._questions().questions if _is_for(each, policy, context)]
        entries = tuple(
            QuestionEntry(
                name=each.name,
                title=each.title.in_language(language),
                usage=usage(each.title.in_language(language), each.signature(language)),
            )
            for each in mine
        )
        shown = entries[context.offset : context.offset + (context.rows or QuestionList.page_size)]
        return QuestionList(rows=shown, total=len(entries), offset=context.offset, line=command_line(COMMAND))

    async def answer(self, text: str, policy: AccessPolicy, context: QuestionContext) -> NamedAnswer:
        """Return the answer to a name with its arguments.

        Raises `NothingFound` for what somebody may not ask as for what is not there, `Denied` where the rules on what
        it tells of leave no answer, `BadArgument`, and the classes of `bot.erp.errors`.
        """
        found = self._questions().take(text)
        if found is None or not _is_for(found[0], policy, context):
            mine = self.list(policy, context).rows
            raise NothingFound(text, [command_line(COMMAND, each.name) for each in mine[:3]])
        question, rest = found
        words = read_words(question, rest, context.person.language)
        reader = self._reader(question, policy, context)
        _refuse_hidden(question, words, reader)
        rows, more = await self._rows(question, values_of(question, words, context.today), reader)
        shown = rows[context.offset : context.offset + (context.rows or NamedAnswer.page_size)]
        cells, withheld = cut_part(shown, reader.fields)
        language = context.person.language
        return NamedAnswer(
            rows=cells,
            total=len(rows),
            offset=context.offset,
            line=f"{command_line(COMMAND, question.name)} {rest}".rstrip(),
            title=question.title.in_language(language),
            asked=rest,
            headings=tuple(column.heading(language) for column in question.columns),
            freshness=Freshness(as_of=context.now, stale=False, source=question.source),
            more=more,
            narrowed=bool(reader.narrowings),
            withheld=withheld,
        )

    def _reader(self, question: NamedQuestion, policy: AccessPolicy, context: QuestionContext) -> AnswerReader:
        person, where = context.person, context.conversation.id
        verdicts = [policy.decide_area(person, name, where) for name in question.shows]
        own = policy.decide(person, AccessRequest(command=COMMAND, conversation_id=where, reserved=True))
        for verdict in (own, *verdicts):
            if not verdict.allowed:
                raise Denied(verdict)
        fields = own.grant.fields.intersection(*(verdict.grant.fields for verdict in verdicts))
        by_area = [(_AREAS[name], each.grant.scopes) for name, each in zip(question.shows, verdicts, strict=True)]
        granted = [*by_area, (by_area[0][0], own.grant.scopes)]
        narrower = [(area, scopes) for area, scopes in granted if EVERYTHING not in scopes]
        if any(not any(_tells(question, scope) for scope in scopes) for _, scopes in narrower):
            reason = phrase(
                "“%(title)s” tells of documents that are not all for you, and its rows do not say whose they are.",
                title=question.title.in_language(person.language),
            )
            raise Denied(AccessVerdict(False, reason))
        known = frozenset({person.user_id or ""})

        def names_at(source: str) -> frozenset[str]:
            return (known | {self._account_of(person.user_id or "", source)}) - {""}

        narrowings = tuple(Narrowing({area: scopes}, names_at) for area, scopes in narrower)
        return AnswerReader(fields=fields, narrowings=narrowings)

    async def _rows(
        self, question: NamedQuestion, values: Mapping[str, QueryValue], reader: AnswerReader
    ) -> tuple[tuple[AnswerRow, ...], bool]:
        most = question.rows if not reader.narrowings else _MOST_EXAMINED
        database, outcome, started = self._databases[question.source], "crashed", monotonic()
        try:
            found = await database.ask(question.query, values, most=most)
            outcome = "ok"
        except ErpError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._metrics.erp_calls.labels(question.source, _CALL, outcome).inc()
            self._metrics.erp_seconds.labels(question.source, _CALL).observe(monotonic() - started)
        mine = [row for row in found.rows if reader.may_see(_keys(question, row))]
        rows = tuple(AnswerRow(cells=tuple(_cell(each, row) for each in question.columns)) for row in mine)
        return rows[: question.rows], found.more or len(rows) > question.rows


def _may_ask(policy: AccessPolicy, context: QuestionContext) -> bool:
    request = AccessRequest(command=COMMAND, conversation_id=context.conversation.id, reserved=True)
    return policy.decide(context.person, request).allowed


def _is_for(question: NamedQuestion, policy: AccessPolicy, context: QuestionContext) -> bool:
    held = with_synonyms(policy.roles_of(context.person))
    return ANY in question.roles or not held.isdisjoint(question.roles)


def _is_understood(question: NamedQuestion, rest: str, context: QuestionContext, *, may_search: bool) -> bool:
    """Return whether words are a question's arguments; ``may_search``: free text may be among them."""
    try:
        words = read_words(question, rest, context.person.language)
    except BadArgument:
        return False
    searched = [each for each in question.arguments if each.is_text and words[each.name] != each.default]
    return may_search or not searched


def _tells(question: NamedQuestion, scope: Scope) -> bool:
    """Return whether a question's rows say all that a scope asks of them."""
    said = question.scope
    asked = (
        (scope.companies is not None, said.company),
        (scope.categories is not None, said.category),
        (scope.partners is not None, said.partner),
        (scope.warehouses is not None, said.warehouses),
        (scope.own, said.owners),
    )
    return all(column for is_asked, column in asked if is_asked)


def _refuse_hidden(question: NamedQuestion, words: Mapping[str, str], reader: AnswerReader) -> None:
    """Raise `Denied` for a word by which rows would be chosen that the reader may not see."""
    for argument in question.arguments:
        typed = words[argument.name]
        hides = argument.field_class is not None and argument.field_class not in reader.fields
        if hides and typed and typed != argument.default:
            reason = phrase("“%(word)s” is compared with what you may not see, so it cannot be chosen by.", word=typed)
            raise Denied(AccessVerdict(False, reason))


def _keys(question: NamedQuestion, row: Mapping[str, QueryValue | None]) -> ScopeKeys:
    def said(*columns: str) -> tuple[str, ...]:
        return tuple(str(row[column] or "") for column in columns if column)

    scope = question.scope
    return ScopeKeys(
        source=question.source,
        company="".join(said(scope.company)),
        category="".join(said(scope.category)),
        partner="".join(said(scope.partner)),
        owners=said(*scope.owners),
        warehouses=said(*scope.warehouses),
    )


def _cell(column: NamedColumn, row: Mapping[str, QueryValue | None]) -> AnswerCell:
    value, field_class = row[column.column], column.field_class
    if column.factor is not None and isinstance(value, Decimal):
        value = _EXACT.multiply(value, column.factor)
    match value:
        case None:
            return AnswerCell(field_class=field_class)
        case Decimal() if column.kind is ColumnKind.MONEY:
            currency = column.currency or str(row[column.currency_from] or "")
            return AnswerCell(field_class=field_class, money=Money(value, currency))
        case Decimal():
            return AnswerCell(field_class=field_class, figure=value)
        case date():
            return AnswerCell(field_class=field_class, day=value)
        case str() if column.document is not None:
            return AnswerCell(field_class=field_class, number=value, opened_by=column.document.command)
    return AnswerCell(field_class=field_class, text=value)
