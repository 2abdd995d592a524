"""From the document to the rules, or to all errors with their lines.

All keys: docs/reference/alert-rules.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path

from bot.alerts.event import Event
from bot.alerts.rules.condition import Condition, UnansweredConditions, parse_condition
from bot.alerts.rules.facts import COMMON, WORDS
from bot.alerts.rules.route_tree import AlertRoute, DynamicTarget, EscalationRule, RouteOptions, RouteTarget, RouteTree
from bot.alerts.rules.rule_set import RESERVED, REVIVE, ROOT, AlertRuleContext, AlertRuleSet, SeverityThreshold
from bot.alerts.rules.schedule import DigestSchedule, Roster, TimeWindow
from bot.alerts.rules.suppression import Inhibition, Silence
from bot.alerts.rules.values import (
    read_days,
    read_ding,
    read_names,
    read_place,
    read_places,
    read_repeat,
    read_severity,
    read_time,
    read_times,
    read_weekdays,
    read_zone,
)
from bot.outbox.place import Place, PlaceKind
from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import Reviewed, RuleTable, read_document
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.followed_file import FollowedFile, RuleContent
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.values import read_duration, read_flag, read_moment, read_some, read_text, read_texts
from bot.words.names import KnownNames, NameKind
from bot.words.phrase import phrase
from bot.words.severity import Severity

NO_ROUTES = NoRules("default", phrase("every alert goes to the groups of alerts.default_groups"))

MAX_DEPTH = 8
_ROLE, _ROSTER = "role:", "roster:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteParser:
    """Parses routes, which may name ``windows``, ``rosters`` and the roles of ``company``."""

    company: AlertRuleContext
    windows: Mapping[str, TimeWindow]
    rosters: Mapping[str, Roster]
    unanswered: UnansweredConditions

    def root(self, document: RuleTable) -> AlertRoute:
        """Return the tree: ``[default]`` with everything under ``[[routes]]``; the flag of `NO_ROUTES` replaces it."""
        named = document.table("default") if not document.has_flag("default") else None
        table = named or RuleTable({}, ("default",), document.errors)
        terms = self._terms(table, RouteOptions(to=self.company.default))
        table.finish()
        if not terms.to and "to" not in table:
            table.miss(
                phrase(
                    'what no route takes goes nowhere: write [default] with to = ["group:cid…"] (to = []'
                    " if that is meant), or set alerts.default_groups"
                )
            )
        elif terms.to and not any(isinstance(goal, Place) for goal in terms.to):
            table.wrong("to", phrase('"owner" and rosters alone may reach nobody; add a group'))
        everything = Condition(ROOT, (), None, self.unanswered)
        return AlertRoute(name=ROOT, condition=everything, terms=terms, inner=self._inner(document, terms, ""))

    def _inner(self, around: RuleTable, terms: RouteOptions, prefix: str) -> tuple[AlertRoute, ...]:
        tables = around.tables("routes")
        if tables and prefix.count("/") >= MAX_DEPTH:
            tables[0].miss(phrase("routes lie more than %(max_depth)s deep in each other", max_depth=MAX_DEPTH))
            return ()
        routes: list[AlertRoute] = []
        catch_all = ""
        for number, table in enumerate(tables, start=1):
            route = self._route(table, terms, prefix, number)
            if route.name in RESERVED or route.name in [other.name for other in routes]:
                example = f'name = "{route.name.rpartition("/")[2]} 2"'
                table.wrong(
                    "name",
                    phrase(
                        "something else is called %(name)s already, an example is %(example)s",
                        name=f"{route.name!r}",
                        example=example,
                    ),
                )
            if catch_all:
                table.miss(
                    phrase(
                        "no event comes here: %(catch_all)s before it takes everything; put it last",
                        catch_all=f"{catch_all!r}",
                    )
                )
            catch_all = route.name if route.condition.is_empty and not route.continues and not table.has_errors else ""
            routes.append(route)
        return tuple(routes)

    def _route(self, table: RuleTable, around: RouteOptions, prefix: str, number: int) -> AlertRoute:
        name = prefix + table.take("name", _read_name, str(number))
        terms = self._terms(table, around)
        route = AlertRoute(
            name=name,
            condition=parse_condition(table, name, self.unanswered),
            terms=terms,
            continues=table.take("continue", read_flag, False),
            inner=self._inner(table, terms, f"{name}/"),
        )
        table.finish()
        return route

    def _terms(self, table: RuleTable, around: RouteOptions) -> RouteOptions:
        terms = replace(
            around,
            to=self._goals(table, around.to),
            group_by=table.take("group_by", read_names(WORDS), around.group_by),
            wait=table.take("wait", read_duration, around.wait),
            interval=table.take("interval", read_duration, around.interval),
            repeat=table.take("repeat", read_repeat, around.repeat),
            window=table.take("window", self._read_window, around.window),
            escalate=self._escalations(table, around.escalate),
            top_box=table.take("top_box", read_flag, around.top_box),
            ding=table.take("ding", read_ding, around.ding),
        )
        return replace(terms, digest=self._digest(table, around, terms.window))

    def _digest(self, table: RuleTable, around: RouteOptions, window: TimeWindow | None) -> DigestSchedule | None:
        times = table.take("digest", read_times, () if around.digest is None else around.digest.times)
        if not times:
            return None
        for at in times:
            if window is not None and not window.covers(at):
                key = "digest" if "digest" in table else "window"
                table.has_errors = True
                reason = phrase(
                    "digest: %(at)s is never inside the window %(name)s (%(hours)s)",
                    at=f"{at:%H:%M}",
                    name=f"{window.name!r}",
                    hours=window.hours,
                )
                table.errors.add((*table.path, key), reason)
                return None
        return DigestSchedule(times, self.company.zone if window is None else window.zone, window)

    def _escalations(self, table: RuleTable, around: tuple[EscalationRule, ...]) -> tuple[EscalationRule, ...]:
        steps = []
        for step in table.tables("escalate"):
            after = step.take("after", read_duration, timedelta(0))
            to = self._goals(step, ())
            if not step.has_errors and ("after" not in step or not to):
                step.miss(phrase('a step of escalation says when and to whom: {after = "30m", to = ["role:finance"]}'))
            step.finish()
            steps.append(EscalationRule(after, to))
        return tuple(sorted(steps, key=_after)) if "escalate" in table else around

    def _goals(self, table: RuleTable, default: tuple[RouteTarget, ...]) -> tuple[RouteTarget, ...]:
        written = table.take("to", _read_goals, None)
        if written is None:
            return default
        roles = [goal.name for goal in written if isinstance(goal, _Role)]
        unknown = [goal for goal in written if isinstance(goal, _RosterName) and goal.name not in self.rosters]
        if unknown:
            table.wrong("to", phrase("no [rosters.%(name)s] is written", name=unknown[0].name))
            return default
        table.refer("to", NameKind.CONFIGURED_ROLE, roles)
        _refer_places(table, "to", [goal for goal in written if isinstance(goal, Place)])
        goals: list[RouteTarget] = []
        for goal in written:
            if isinstance(goal, _Role):
                goals.extend(self.company.people(goal.name))
            else:
                goals.append(self.rosters[goal.name] if isinstance(goal, _RosterName) else goal)
        return tuple(dict.fromkeys(goals))

    def _read_window(self, value: object) -> TimeWindow | None:
        if value == "":  # removes the window of the outer route
            return None
        return _window_named(self.windows, value)


def _window_named(windows: Mapping[str, TimeWindow], value: object) -> TimeWindow:
    name = read_text(value)
    if name not in windows:
        example = '[windows.workhours] with days = "workdays", from = "08:30", to = "17:30"'
        known = did_you_mean(name, windows) if windows else phrase("write %(example)s", example=example)
        raise ValueError(phrase("no window %(name)s; %(known)s", name=f"{name!r}", known=known))
    return windows[name]


@dataclass(frozen=True, slots=True)
class _Role:
    """Everybody with a role, each in their own chat."""

    name: str


@dataclass(frozen=True, slots=True)
class _RosterName:
    """Whoever of a roster is on duty."""

    name: str


def _read_goals(value: object) -> tuple[Place | DynamicTarget | _Role | _RosterName, ...]:
    return tuple(map(_read_goal, read_texts(value)))


def _read_goal(text: str) -> Place | DynamicTarget | _Role | _RosterName:
    if text == DynamicTarget.OWNER.value:
        return DynamicTarget.OWNER
    if text.startswith(_ROSTER):
        return _RosterName(text.removeprefix(_ROSTER))
    return _Role(text.removeprefix(_ROLE)) if text.startswith(_ROLE) else read_place(text)


def _refer_places(table: RuleTable, key: str, places: Iterable[Place]) -> None:
    for place in places:
        kind = NameKind.PERSON if place.kind is PlaceKind.PERSON else NameKind.CONVERSATION
        table.refer(key, kind, [place.id])


def _take_places(table: RuleTable, key: str) -> tuple[Place, ...]:
    places = table.take(key, read_places, ())
    _refer_places(table, key, places)
    return places


def _refuse_empty(table: RuleTable, key: str, found: Collection[object]) -> None:
    """Add an error for an empty list where a missing one means everything."""
    if key in table and not found and not table.has_errors:
        table.wrong(key, phrase("the list is empty, which would mean all of them; leave the key out for that"))


def _read_name(value: object) -> str:
    name = read_text(value)
    if "/" in name or len(name) > 40 or not name.isprintable():
        raise ValueError(phrase('a name has up to 40 characters and no /, an example is "finance"'))
    return name


def _after(step: EscalationRule) -> timedelta:
    return step.after


_ANY_DAY = (frozenset(range(1, 8)), None)


def default_rules(company: AlertRuleContext) -> AlertRuleSet:
    """Return the rules of a company without its own: every alert has its own card at the default places."""
    unanswered = UnansweredConditions()
    root = AlertRoute(
        name=ROOT, condition=Condition(ROOT, (), None, unanswered), terms=RouteOptions(to=company.default)
    )
    tree = RouteTree(root=root, owners={}, decides_in_chat=company.decides_in_chat, decides_at=company.decides_at)
    return AlertRuleSet(zone=company.zone, tree=tree, unanswered=unanswered)


def parse_rules(content: bytes, company: AlertRuleContext, *, name: str = "alerts.toml") -> AlertRuleSet:
    """Return the rules of a document; ``name`` is its name in errors. Raises `RulesError` with all errors."""
    return review_routes(content, company, KnownNames(roles=company.roles), name=name).rules.rules


def review_routes(
    content: bytes, company: AlertRuleContext, known: KnownNames, *, name: str = "alerts.toml"
) -> Reviewed[RuleContent[AlertRuleSet]]:
    """Return the rules of a document with its warnings; ``known`` are the names that may be referenced.

    Raises `RulesError` with all errors.
    """

    def read(document: RuleTable) -> RuleContent[AlertRuleSet]:
        flagged, has_routes = document.has_flag("default"), bool(document.tables("routes"))
        says_none = flagged and NO_ROUTES.is_chosen(document)
        if not flagged:  # then it is a table, if present
            NO_ROUTES.refuse_blank(document)
        decides = has_routes or ("default" in document and not flagged)
        return RuleContent(rules=_RuleParser(document, company).rule_set(), decides=decides, says_none=says_none)

    return read_document(content, read, name=name, known=known)


def follow_rules(places: Sequence[Path], company: AlertRuleContext, names: NamesInForce) -> FollowedFile[AlertRuleSet]:
    """Return the rules of a file, reloaded when it changes; without a file, the default rules.

    ``names`` checks the names that the file uses. Raises `RulesError` if the file is wrong at the start.
    """

    def read(content: bytes, name: str, known: KnownNames) -> Reviewed[RuleContent[AlertRuleSet]]:
        return review_routes(content, company, known, name=name)

    def default() -> RuleContent[AlertRuleSet]:
        return RuleContent(rules=default_rules(company), decides=False)

    return FollowedFile(places, read, default, none=NO_ROUTES, names=names)


class _RuleParser:
    def __init__(self, document: RuleTable, company: AlertRuleContext) -> None:
        self._document = document
        self._company = company
        self._unanswered = UnansweredConditions()

    def rule_set(self) -> AlertRuleSet:
        document = self._document
        windows = self._windows(document.table("windows"))
        rosters = self._rosters(document.table("rosters"), windows)
        routes = RouteParser(company=self._company, windows=windows, rosters=rosters, unanswered=self._unanswered)
        rules = AlertRuleSet(
            zone=self._company.zone,
            revive=document.take("revive", read_duration, REVIVE),
            tree=RouteTree(
                root=routes.root(document),
                owners=self._owners(document.table("owners")),
                decides_in_chat=self._company.decides_in_chat,
                decides_at=self._company.decides_at,
            ),
            thresholds=tuple(map(self._threshold, document.tables("severity"))),
            inhibitions=tuple(map(self._inhibition, document.tables("inhibit"))),
            silences=tuple(map(self._silence, document.tables("silences"))),
            unanswered=self._unanswered,
        )
        document.finish()
        return rules

    def _windows(self, tables: RuleTable) -> dict[str, TimeWindow]:
        return {name: self._window(name, tables.table(name)) for name in tables}

    def _rosters(self, tables: RuleTable, windows: Mapping[str, TimeWindow]) -> dict[str, Roster]:
        return {name: self._roster(name, tables.table(name), windows) for name in tables}

    def _roster(self, name: str, table: RuleTable, windows: Mapping[str, TimeWindow]) -> Roster:
        people = table.need("people", read_some, (), 'people = ["keeper01", "keeper02"]')
        table.refer("people", NameKind.PERSON, people)
        zone, read = self._company.zone, read_moment(self._company.zone)
        since = table.need("since", read, read("2000-01-01"), "since = 2026-10-05")
        roster = Roster(
            name=name,
            people=tuple(Place(PlaceKind.PERSON, person) for person in people),
            since=since.astimezone(zone).date(),
            turn_days=table.take("turn_days", read_days, 1),
            zone=zone,
            window=table.take("window", partial(_window_named, windows), None),
        )
        table.finish()
        return roster

    def _window(self, name: str, table: RuleTable) -> TimeWindow:
        weekdays, workdays = table.take("days", read_weekdays, _ANY_DAY)
        start, end = table.take("from", read_time, None), table.take("to", read_time, None)
        if ("from" in table) != ("to" in table) or (start is not None and start == end):
            table.miss(
                phrase('a window has both or neither of from and to, an example is from = "08:30", to = "17:30"')
            )
        zone = table.take("zone", read_zone, self._company.zone)
        table.finish()
        return TimeWindow(
            name=name, zone=zone, weekdays=weekdays, workdays=workdays, start=start or time(0), end=end or time(0)
        )

    def _owners(self, table: RuleTable) -> dict[str, tuple[Place, ...]]:
        owners = {owner: _take_places(table, owner) for owner in table}
        table.finish()
        return owners

    def _threshold(self, table: RuleTable) -> SeverityThreshold:
        rule = table.called("severity")
        condition = parse_condition(table, rule, self._unanswered)
        severity = table.need("severity", read_severity, Severity.INFO, 'severity = "critical"')
        table.finish()
        if condition.is_empty and not table.has_errors:
            table.miss(phrase("every event would become this severe; write a condition, an example is min_age = 30"))
        return SeverityThreshold(condition, severity)

    def _inhibition(self, table: RuleTable) -> Inhibition:
        name = table.take("name", read_text, table.called("inhibit"))
        sides = [self._side(table, key, name) for key in ("source", "target")]
        equal = table.take("equal", read_names(COMMON), ())
        _refuse_empty(table, "equal", equal)
        table.finish()
        common = attrgetter(*equal) if equal else _nothing
        return Inhibition(name=name, source=sides[0], target=sides[1], common=common)

    def _side(self, table: RuleTable, key: str, name: str) -> Condition:
        side = table.table(key)
        condition = parse_condition(side, f"{name}, {key}", self._unanswered)
        side.finish()
        if condition.is_empty and not side.has_errors:
            table.wrong(
                key,
                phrase('a condition is expected, an example is %(key)s = {types = ["stock.out"]}', key=key),
            )
        return condition

    def _silence(self, table: RuleTable) -> Silence:
        name = table.take("name", read_text, table.called("silence"))
        read = read_moment(self._company.zone)
        begins = table.take("from", read, None)
        # A silence without an end would be forgotten; `to = []` on a route drops a kind of alert.
        ends = table.need("until", read, read("2000-01-01"), "until = 2026-10-08T09:00:00")
        if begins is not None and "until" in table and begins >= ends:
            table.wrong("until", phrase("the silence ends before it begins"))
        places = _take_places(table, "places")
        _refuse_empty(table, "places", places)
        silence = Silence(
            name=name,
            condition=parse_condition(table, name, self._unanswered),
            places=frozenset(places),
            begins=begins,
            ends=ends,
            comment=table.take("comment", read_text, ""),
        )
        table.finish()
        return silence


def _nothing(_event: Event) -> None:
    """Return a constant: all events form one group."""
