"""From the document to the rules, or to every error with its line. All keys: docs/reference/alert-rules.md."""

from __future__ import annotations

from datetime import time
from operator import attrgetter

from bot.alerts.event import Event, Severity
from bot.alerts.rules.book import REVIVE, ROOT, RuleBook, Threshold
from bot.alerts.rules.company import Company
from bot.alerts.rules.condition import Condition
from bot.alerts.rules.conditions import read_condition
from bot.alerts.rules.facts import COMMON
from bot.alerts.rules.hushing import Inhibition, Silence
from bot.alerts.rules.routes import RouteReader
from bot.alerts.rules.tree import Route, Terms, Tree
from bot.alerts.rules.unanswered import Unanswered
from bot.alerts.rules.values import read_names, read_places, read_severity, read_time, read_weekdays, read_zone
from bot.alerts.rules.window import Window
from bot.outbox.place import Place
from bot.rulefiles.document import read_document
from bot.rulefiles.table import Table
from bot.rulefiles.values import read_duration, read_moment, read_text

_ANY_DAY = (frozenset(range(1, 8)), None)


def default_rules(company: Company) -> RuleBook:
    """Return the rules of a company that wrote none: every alert to the default places, one card for each matter."""
    unanswered = Unanswered()
    root = Route(name=ROOT, condition=Condition(ROOT, (), None, unanswered), terms=Terms(to=company.default))
    tree = Tree(root=root, owners={}, decides_in_chat=company.decides_in_chat)
    return RuleBook(zone=company.zone, tree=tree, unanswered=unanswered)


def read_rules(content: bytes, company: Company, *, name: str = "alerts.toml") -> RuleBook:
    """Return the rules of a document; ``name`` is what errors call it. Raises `RulesError` with all that is wrong."""

    def read(document: Table) -> RuleBook:
        return _Reader(document, company).book()

    return read_document(content, read, name=name)


class _Reader:
    def __init__(self, document: Table, company: Company) -> None:
        self._document = document
        self._company = company
        self._unanswered = Unanswered()

    def book(self) -> RuleBook:
        document = self._document
        windows = self._windows(document.table("windows"))
        routes = RouteReader(company=self._company, windows=windows, unanswered=self._unanswered)
        book = RuleBook(
            zone=self._company.zone,
            revive=document.take("revive", read_duration, REVIVE),
            tree=Tree(
                root=routes.root(document),
                owners=self._owners(document.table("owners")),
                decides_in_chat=self._company.decides_in_chat,
            ),
            thresholds=tuple(map(self._threshold, document.tables("severity"))),
            inhibitions=tuple(map(self._inhibition, document.tables("inhibit"))),
            silences=tuple(map(self._silence, document.tables("silences"))),
            unanswered=self._unanswered,
        )
        document.finish()
        return book

    def _windows(self, tables: Table) -> dict[str, Window]:
        return {name: self._window(name, tables.table(name)) for name in tables}

    def _window(self, name: str, table: Table) -> Window:
        weekdays, workdays = table.take("days", read_weekdays, _ANY_DAY)
        start, end = table.take("from", read_time, None), table.take("to", read_time, None)
        if ("from" in table) != ("to" in table) or (start is not None and start == end):
            table.miss('a window has both or neither of from and to, an example is from = "08:30", to = "17:30"')
        zone = table.take("zone", read_zone, self._company.zone)
        table.finish()
        return Window(
            name=name, zone=zone, weekdays=weekdays, workdays=workdays, start=start or time(0), end=end or time(0)
        )

    def _owners(self, table: Table) -> dict[str, tuple[Place, ...]]:
        owners = {owner: table.take(owner, read_places, ()) for owner in table}
        table.finish()
        return owners

    def _threshold(self, table: Table) -> Threshold:
        rule = table.called("severity")
        condition = read_condition(table, rule, self._unanswered)
        severity = table.need("severity", read_severity, Severity.INFO, 'severity = "critical"')
        table.finish()
        if condition.is_empty and not table.flawed:
            table.miss("every event would become this severe; write a condition, an example is min_age = 30")
        return Threshold(condition, severity)

    def _inhibition(self, table: Table) -> Inhibition:
        name = table.take("name", read_text, table.called("inhibit"))
        sides = [self._side(table, key, name) for key in ("source", "target")]
        equal = table.take("equal", read_names(COMMON), ())
        table.finish()
        common = attrgetter(*equal) if equal else _nothing
        return Inhibition(name=name, source=sides[0], target=sides[1], common=common)

    def _side(self, table: Table, key: str, name: str) -> Condition:
        side = table.table(key)
        condition = read_condition(side, f"{name}, {key}", self._unanswered)
        side.finish()
        if condition.is_empty and not side.flawed:
            table.wrong(key, f'{key}: a condition is expected, an example is {key} = {{types = ["stock.out"]}}')
        return condition

    def _silence(self, table: Table) -> Silence:
        name = table.take("name", read_text, table.called("silence"))
        read = read_moment(self._company.zone)
        begins = table.take("from", read, None)
        # A silence without an end is forgotten: who wants no alerts of a kind has a route with `to = []`.
        ends = table.need("until", read, read("2000-01-01"), "until = 2026-10-08T09:00:00")
        if begins is not None and "until" in table and begins >= ends:
            table.wrong("until", "until: the silence ends before it begins")
        silence = Silence(
            name=name,
            condition=read_condition(table, name, self._unanswered),
            places=frozenset(table.take("places", read_places, ())),
            begins=begins,
            ends=ends,
            comment=table.take("comment", read_text, ""),
        )
        table.finish()
        return silence


def _nothing(_event: Event) -> None:
    """Return what all events have in common."""
