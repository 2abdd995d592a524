"""Turns ``questions.toml`` into questions, or into all errors with their lines; follows the file while it is edited."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from bot.access.areas import EVERY_AREA
from bot.chat.amounts import read_figure
from bot.chat.days import names_days, names_month_in_digits
from bot.chat.errors import BadArgument
from bot.chat.parsing import normalise
from bot.erp.kinds import FOLLOWED, Kind
from bot.erp.named_queries import QueryDatabase, ValueKind
from bot.named_questions.question import (
    TODAY,
    ArgumentKind,
    ColumnKind,
    NamedArgument,
    NamedColumn,
    NamedQuestion,
    NamedQuestions,
    RowScope,
    Title,
)
from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import Reviewed, RuleTable, read_document
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.followed_file import FollowedFile, RuleContent
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.values import read_name, read_some, read_text, read_texts
from bot.words.disclosure import MONEY_FIELDS, FieldClass
from bot.words.names import NOTHING_KNOWN, KnownNames, NameKind
from bot.words.phrase import phrase

E = TypeVar("E", bound=StrEnum)

NO_QUESTIONS = NoRules("none", phrase("the company has no questions of its own"))

OPEN = "open"
"""The class of a column that anybody may see who may ask the question."""

_MOST_QUESTIONS = 200
_MOST_COLUMNS = 12
_MOST_ARGUMENTS = 6
_MOST_ROWS = 5_000
LONGEST = 15.0
"""Seconds that a query may take: the bot answers a question within 20."""

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DOCUMENTS: Mapping[str, Kind[Any]] = {kind.command: kind for kind in FOLLOWED if kind.command}


class QuestionReader:
    """Reads questions; their queries are checked against the databases that they name."""

    def __init__(self, databases: Mapping[str, QueryDatabase], taken: Collection[str]) -> None:
        """``taken`` are the names of commands: a question of such a name could not be asked by it."""
        self._databases = databases
        self._taken = frozenset(map(str.casefold, taken))

    def review(
        self, content: bytes, known: KnownNames = NOTHING_KNOWN, *, name: str = "questions.toml"
    ) -> Reviewed[RuleContent[NamedQuestions]]:
        """Return the questions of a document. Raises `RulesError` with all errors."""
        return read_document(content, self._read, name=name, known=known)

    def _read(self, document: RuleTable) -> RuleContent[NamedQuestions]:
        says_none = NO_QUESTIONS.is_chosen(document)
        tables = document.few_tables("questions", _MOST_QUESTIONS)
        questions = tuple(map(self._question, tables))
        self._refuse_names(tables, questions)
        document.finish()
        return RuleContent(rules=NamedQuestions(questions), decides=bool(questions), says_none=says_none)

    def _question(self, table: RuleTable) -> NamedQuestion:
        found = NamedQuestion(
            name=table.need("name", _read_name, "", 'name = "not_invoiced"'),
            title=_title(table, 'title = "Shipped, not invoiced"'),
            words=tuple(map(normalise, table.take("words", read_texts, ()))),
            source=table.need("source", self._read_source, "", 'source = "main"'),
            sql=table.need("sql", read_text, "", 'sql = "SELECT no, customer FROM orders ORDER BY no"'),
            seconds=table.take("seconds", _read_number(1, int(LONGEST)), 10),
            rows=table.take("rows", _read_number(1, _MOST_ROWS), 500),
            shows=table.need("shows", _read_areas, (), 'shows = ["order", "invoice"]'),
            roles=table.need("roles", _read_roles, frozenset(), 'roles = ["finance"]'),
            arguments=tuple(map(_argument, table.few_tables("arguments", _MOST_ARGUMENTS))),
            columns=tuple(map(_column, table.few_tables("columns", _MOST_COLUMNS))),
            scope=_scope(table.table("scope")),
            functions=frozenset(each.lower() for each in table.take("functions", read_some, ())),
            sample=table.take("sample", _read_sample, ""),
        )
        table.refer("roles", NameKind.ROLE, found.roles - {"*"})
        if not found.columns:
            table.miss(phrase("%(key)s is missing, an example is %(example)s", key="columns", example=_COLUMN_EXAMPLE))
        table.finish()
        if not table.has_errors:
            self._check_query(table, found)
        return found

    def _read_source(self, value: object) -> str:
        name = read_text(value)
        if name not in self._databases:
            hint = did_you_mean(name, list(self._databases))
            raise ValueError(phrase("%(name)s is no database; %(hint)s", name=f"{name!r}", hint=hint))
        return name

    def _check_query(self, table: RuleTable, question: NamedQuestion) -> None:
        try:
            used = self._databases[question.source].check(question.query, question.functions)
        except ValueError as error:
            table.wrong("sql", str(error))
            return
        given = {TODAY} | {name for each in question.arguments for name in each.parameters}
        if unknown := sorted(used - given):
            known = ", ".join(f":{name}" for name in sorted(given)) or phrase("none")
            table.wrong(
                "sql", phrase("no argument gives %(name)s; there are: %(known)s", name=f":{unknown[0]}", known=known)
            )
        for argument in question.arguments:
            if not used & {*argument.parameters}:
                names = ", ".join(f":{name}" for name in argument.parameters)
                table.wrong(
                    "sql", phrase("it does not use the argument %(name)s: %(names)s", name=argument.name, names=names)
                )

    def _refuse_names(self, tables: Sequence[RuleTable], questions: Sequence[NamedQuestion]) -> None:
        """Add an error for each name that asks something else already."""
        seen = set[str]()
        for table, question in zip(tables, questions, strict=True):
            for name in {each.casefold() for each in question.names}:
                if name in seen or name in self._taken:
                    table.wrong("name", phrase("%(name)s asks something else already", name=f"“{name}”"))
                seen.add(name)


def follow_questions(
    places: Sequence[Path], reader: QuestionReader, names: NamesInForce
) -> FollowedFile[NamedQuestions]:
    """Return the questions in force, as new as their file; none without a file. Raises `RulesError` if it is wrong."""

    def read(content: bytes, name: str, known: KnownNames) -> Reviewed[RuleContent[NamedQuestions]]:
        return reader.review(content, known, name=name)

    def none() -> RuleContent[NamedQuestions]:
        return RuleContent(rules=NamedQuestions(), decides=False)

    return FollowedFile(places, read, none, none=NO_QUESTIONS, names=names)


_COLUMN_EXAMPLE = '[[questions.columns]] column = "no", title = "Order", type = "text", class = "open"'


def _argument(table: RuleTable) -> NamedArgument:
    kind = table.need("type", _one_of(ArgumentKind), ArgumentKind.TEXT, 'type = "days"')
    default = table.take("default", _read_default, None)
    found = NamedArgument(
        name=table.need("name", _read_name, "", 'name = "days"'),
        title=_title(table, 'title = "Days"'),
        kind=kind,
        default=default,
        field_class=table.need("class", _read_class, None, 'class = "amount"')
        if kind is ArgumentKind.NUMBER
        else table.take("class", _read_class, FieldClass.PARTNER if kind.names_partner else None),
    )
    if default is not None:
        _check_default(table, kind, default)
    table.finish()
    return found


def _check_default(table: RuleTable, kind: ArgumentKind, default: str) -> None:
    if kind is ArgumentKind.NUMBER and read_figure(default) is None:
        table.wrong("default", phrase("is no number, an example is %(example)s", example='"90"'))
    if kind in (ArgumentKind.DAY, ArgumentKind.DAYS) and not _is_days(default):
        table.wrong("default", phrase("are no days, an example is %(example)s", example='"this month"'))


def _is_days(text: str) -> bool:
    with suppress(BadArgument):
        return names_days(text) or names_month_in_digits(text)
    return False


def _column(table: RuleTable) -> NamedColumn:
    kind = table.need("type", _one_of(ColumnKind), ColumnKind.TEXT, 'type = "money"')
    found = NamedColumn(
        column=table.need("column", read_text, "", 'column = "amount"'),
        title=_title(table, 'title = "Amount"'),
        kind=kind,
        field_class=table.need("class", _read_class, None, 'class = "amount"'),
        document=table.need("of", _read_document, None, 'of = "order"') if kind is ColumnKind.DOCUMENT else None,
        unit=table.take("unit", read_text, "") if kind is ColumnKind.QUANTITY else "",
        currency=table.take("currency", _read_currency, "") if kind is ColumnKind.MONEY else "",
        currency_from=table.take("currency_from", read_text, "") if kind is ColumnKind.MONEY else "",
        factor=table.take("factor", _read_factor, None) if kind.values is ValueKind.NUMBER else None,
    )
    table.finish()
    if table.has_errors:
        return found
    if kind is ColumnKind.MONEY and bool(found.currency) == bool(found.currency_from):
        table.miss(phrase("money needs one of %(keys)s", keys='currency = "CNY", currency_from = "currency"'))
    if kind is ColumnKind.MONEY and found.field_class not in MONEY_FIELDS:
        table.wrong("class", phrase("money is %(classes)s", classes="amount, cost"))
    if kind is ColumnKind.QUANTITY and found.field_class is None:
        table.wrong("class", phrase("a quantity is %(classes)s", classes="quantity, amount, cost, materials"))
    return found


def _scope(table: RuleTable) -> RowScope:
    found = RowScope(
        partner=table.take("partner", read_text, ""),
        category=table.take("category", read_text, ""),
        company=table.take("company", read_text, ""),
        owners=table.take("owner", read_some, ()),
        warehouses=table.take("warehouse", read_some, ()),
    )
    table.finish()
    return found


def _title(table: RuleTable, example: str) -> Title:
    read = read_name("Shipped, not invoiced")
    return Title(normalise(table.need("title", read, "", example)), normalise(table.take("title_zh", read, "")))


def _read_name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(phrase("one word of small letters is expected, an example is %(example)s", example='"stale"'))
    return value


def _read_default(value: object) -> str:
    if isinstance(value, str):
        return normalise(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(phrase('what would be typed is expected as a text, an example is "this month"'))


def _read_sample(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(phrase('what would be typed is expected as a text, an example is "this month"'))
    return normalise(value)


def _read_class(value: object) -> FieldClass | None:
    if value == OPEN:
        return None
    try:
        return FieldClass(read_text(value))
    except ValueError:
        known = ", ".join((*FieldClass, OPEN))
        raise ValueError(phrase("one of these is expected: %(known)s", known=known)) from None


def _read_areas(value: object) -> tuple[str, ...]:
    found = read_some(value)
    for name in found:
        if name not in EVERY_AREA:
            raise ValueError(phrase("one of these is expected: %(known)s", known=", ".join(EVERY_AREA)))
    return found


def _read_roles(value: object) -> frozenset[str]:
    return frozenset(read_some(value))


def _read_document(value: object) -> Kind[Any]:
    found = _DOCUMENTS.get(read_text(value))
    if found is None:
        raise ValueError(phrase("one of these is expected: %(known)s", known=", ".join(_DOCUMENTS)))
    return found


def _read_currency(value: object) -> str:
    text = read_text(value)
    if not _CURRENCY.fullmatch(text):
        raise ValueError(phrase("a currency has three letters, an example is %(example)s", example='"CNY"'))
    return text


def _read_factor(value: object) -> Decimal:
    with suppress(InvalidOperation):
        if isinstance(value, str) and (found := Decimal(value)).is_finite() and found:
            return found
    raise ValueError(phrase("a number as a text is expected, an example is %(example)s", example='"0.01"'))


def _one_of(kinds: type[E]) -> Callable[[object], E]:
    def read(value: object) -> E:
        try:
            return kinds(read_text(value))
        except ValueError:
            raise ValueError(phrase("one of these is expected: %(known)s", known=", ".join(kinds))) from None

    return read


def _read_number(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(
                phrase("a number from %(least)s to %(most)s is expected", least=str(least), most=str(most))
            )
        return value

    return read
