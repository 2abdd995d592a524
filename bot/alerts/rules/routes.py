"""Reads the tree of routes with its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.alerts.rules.book import RESERVED, ROOT
from bot.alerts.rules.company import Company
from bot.alerts.rules.condition import Condition
from bot.alerts.rules.conditions import read_condition
from bot.alerts.rules.facts import WORDS
from bot.alerts.rules.tree import Escalation, Goal, Route, Terms, Whose
from bot.alerts.rules.unanswered import Unanswered
from bot.alerts.rules.values import read_names, read_place, read_repeat, read_times
from bot.alerts.rules.window import Digest, Window
from bot.rulefiles.meant import did_you_mean
from bot.rulefiles.table import Table
from bot.rulefiles.values import read_duration, read_flag, read_text, read_texts

MAX_DEPTH = 8
_ROLE = "role:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReader:
    """Reads routes that may name ``windows`` and the roles of ``company``."""

    company: Company
    windows: Mapping[str, Window]
    unanswered: Unanswered

    def root(self, document: Table) -> Route:
        """Return the tree: ``[default]`` with everything under ``[[routes]]``."""
        table = document.table("default")
        terms = self._terms(table, Terms(to=self.company.default))
        table.finish()
        if not terms.to and "to" not in table:
            table.miss(
                'what no route takes goes nowhere: write [default] with to = ["group:cid…"] (to = [] if that is'
                " meant), or set alerts.default_groups"
            )
        elif set(terms.to) == {Whose.OWNER}:
            table.wrong("to", 'to: "owner" alone reaches nobody for events without one; add a group')
        everything = Condition(ROOT, (), None, self.unanswered)
        return Route(name=ROOT, condition=everything, terms=terms, inner=self._inner(document, terms, ""))

    def _inner(self, around: Table, terms: Terms, prefix: str) -> tuple[Route, ...]:
        tables = around.tables("routes")
        if tables and prefix.count("/") >= MAX_DEPTH:
            tables[0].miss(f"routes lie more than {MAX_DEPTH} deep in each other")
            return ()
        routes: list[Route] = []
        greedy = ""
        for number, table in enumerate(tables, start=1):
            route = self._route(table, terms, prefix, number)
            if route.name in RESERVED or route.name in [one.name for one in routes]:
                example = f'an example is name = "{route.name.rpartition("/")[2]} 2"'
                table.wrong("name", f"name: something else is called {route.name!r} already, {example}")
            if greedy:
                table.miss(f"no event comes here: {greedy!r} before it takes everything; put it last")
            greedy = route.name if route.condition.is_empty and not route.goes_on and not table.flawed else ""
            routes.append(route)
        return tuple(routes)

    def _route(self, table: Table, around: Terms, prefix: str, number: int) -> Route:
        name = prefix + table.take("name", _read_name, str(number))
        terms = self._terms(table, around)
        route = Route(
            name=name,
            condition=read_condition(table, name, self.unanswered),
            terms=terms,
            goes_on=table.take("continue", read_flag, False),
            inner=self._inner(table, terms, f"{name}/"),
        )
        table.finish()
        return route

    def _terms(self, table: Table, around: Terms) -> Terms:
        terms = replace(
            around,
            to=table.take("to", self._read_goals, around.to),
            group_by=table.take("group_by", read_names(WORDS), around.group_by),
            wait=table.take("wait", read_duration, around.wait),
            interval=table.take("interval", read_duration, around.interval),
            repeat=table.take("repeat", read_repeat, around.repeat),
            window=table.take("window", self._read_window, around.window),
            escalate=self._escalations(table, around.escalate),
        )
        return replace(terms, digest=self._digest(table, around, terms.window))

    def _digest(self, table: Table, around: Terms, window: Window | None) -> Digest | None:
        times = table.take("digest", read_times, () if around.digest is None else around.digest.times)
        if not times:
            return None
        for at in times:
            if window is not None and not window.covers(at):
                key = "digest" if "digest" in table else "window"
                table.wrong(key, f"digest: {at:%H:%M} is never inside the window {window.name!r} ({window.hours})")
                return None
        return Digest(times, self.company.zone if window is None else window.zone, window)

    def _escalations(self, table: Table, around: tuple[Escalation, ...]) -> tuple[Escalation, ...]:
        steps = []
        for step in table.tables("escalate"):
            after = step.take("after", read_duration, timedelta(0))
            to = step.take("to", self._read_goals, ())
            if not step.flawed and ("after" not in step or not to):
                step.miss('a step of escalation says when and to whom: {after = "30m", to = ["role:finance"]}')
            step.finish()
            steps.append(Escalation(after, to))
        return tuple(sorted(steps, key=_after)) if "escalate" in table else around

    def _read_goals(self, value: object) -> tuple[Goal, ...]:
        goals: list[Goal] = []
        for text in read_texts(value):
            if text == Whose.OWNER.value:
                goals.append(Whose.OWNER)
            elif text.startswith(_ROLE):
                goals.extend(self._people(text.removeprefix(_ROLE)))
            else:
                goals.append(read_place(text))
        return tuple(dict.fromkeys(goals))

    def _people(self, role: str) -> tuple[Goal, ...]:
        people = self.company.people(role)
        if not people:
            raise ValueError(f"nobody has the role {role!r} in access.roles; {did_you_mean(role, self.company.roles)}")
        return people

    def _read_window(self, value: object) -> Window | None:
        if value == "":  # takes back what the route around it says
            return None
        name = read_text(value)
        if name not in self.windows:
            example = '[windows.workhours] with days = "workdays", from = "08:30", to = "17:30"'
            known = did_you_mean(name, self.windows) if self.windows else f"write {example}"
            raise ValueError(f"no window {name!r}; {known}")
        return self.windows[name]


def _read_name(value: object) -> str:
    name = read_text(value)
    if "/" in name or len(name) > 40 or not name.isprintable():
        raise ValueError('a name has up to 40 characters and no /, an example is "finance"')
    return name


def _after(step: Escalation) -> timedelta:
    return step.after
