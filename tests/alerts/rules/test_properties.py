"""What holds for all rules, events and times."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.alerts.event import Event, EventType
from bot.alerts.rules.comparisons import take_comparisons, tokenize
from bot.alerts.rules.expression import UnanswerableCondition, parse_expression
from bot.alerts.rules.facts import WORDS, Facts
from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.schedule import DigestSchedule, TimeWindow
from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.positions import find_positions
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, event, rule_set

from .test_example import EXAMPLE

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")]
WORD = st.sampled_from(["", "W1", "W2", "华东", "a|b='c'", "'", "x" * 50])
PLACES = ["group:cidA", "group:cidB", "person:p1", "owner", "role:finance"]

moments = st.integers(0, 55 * 366 * 1440).map(
    lambda minutes: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))

DRAWN_SLOWLY = settings(suppress_health_check=[HealthCheck.too_slow])
"""Rules are drawn in milliseconds, on a busy machine in more than Hypothesis likes."""


@st.composite
def windows(draw: st.DrawFn) -> TimeWindow:
    start = draw(times)
    return TimeWindow(
        name="w",
        zone=draw(st.sampled_from(ZONES)),
        weekdays=draw(st.frozensets(st.integers(1, 7), min_size=1)),
        start=start,
        end=draw(times.filter(lambda end: end != start)),
    )


events = st.builds(
    lambda kind, **words: event(kind, **words),
    st.sampled_from([*EventType, "custom.a", "custom.b.c"]),
    subject=WORD,
    warehouse=WORD,
    owner=WORD,
    customer=WORD,
    amount=st.sampled_from(["", "0.1 CNY", "-5 USD", "99999999999999.999999999 JPY"]),
    data=st.dictionaries(WORD, st.none() | st.booleans() | st.integers() | WORD, max_size=3),
)

CONDITIONS = [
    "warehouse == 'W1'",
    "amount >= 10000.10 CNY",
    "quantity < 5",
    "data.x == 1",
    "'x' in tags || size(data) > 1",
    "hour < 12 && workday",
    "customer.matches('^华')",
]


@st.composite
def routes(draw: st.DrawFn, prefix: str = "routes", depth: int = 0) -> str:
    text = ""
    for _ in range(draw(st.integers(0 if depth else 1, 3))):
        text += f"[[{prefix}]]\n"
        text += f'when = """{draw(st.sampled_from(CONDITIONS))}"""\n'
        text += f"to = {draw(st.lists(st.sampled_from(PLACES), max_size=3))}\n"
        text += f"continue = {str(draw(st.booleans())).lower()}\n"
        if draw(st.booleans()):
            text += f"group_by = {draw(st.lists(st.sampled_from(WORDS), max_size=2, unique=True))}\n"
        if depth < 2:
            text += draw(routes(f"{prefix}.routes", depth + 1))
    return text


@DRAWN_SLOWLY
@given(routes(), events, moments, st.sampled_from(Severity))
def test_routing_is_total_and_says_the_same_each_time(
    text: str, what: Event, now: datetime, severity: Severity
) -> None:
    text = '[owners]\nW1 = "group:cidShanghai"\n' + text
    rules = rule_set(text)
    routing = rules.route(what, severity, now)
    assert routing == rules.route(what, severity, now) == rule_set(text).route(what, severity, now)
    places = [target.place for target in routing.targets]
    assert len(set(places)) == len(places)
    assert routing.targets or any(line.endswith("to nobody") for line in routing.why), "nothing vanishes silently"
    for target in routing.targets:
        assert rules.shows_at(target, severity, now) == now


@given(windows(), moments)
def test_a_window_opens_never_before_now_and_is_open_then(window: TimeWindow, now: datetime) -> None:
    opens = window.opens_at(now)
    assert now <= opens <= now + timedelta(days=16)
    assert window.contains(opens)
    local = opens.astimezone(window.zone)
    clock = time(local.hour, local.minute)
    # The clock may stand beside the window where summer time has skipped its edge, for one hour at most.
    later = (opens - timedelta(hours=1)).astimezone(window.zone)
    assert window.covers(clock) or local.utcoffset() != later.utcoffset() or window.covers(later.time())


@given(windows(), moments, st.lists(times, min_size=1, max_size=4, unique=True))
def test_a_digest_comes_never_before_now_and_inside_its_window(
    window: TimeWindow, now: datetime, at: list[time]
) -> None:
    inside = tuple(sorted(moment for moment in at if window.covers(moment)))
    if inside:
        comes = DigestSchedule(inside, window.zone, window).comes_at(now)
        assert comes >= now
        assert window.contains(comes)
        assert DigestSchedule(inside, window.zone, window).comes_at(comes) == comes


@DRAWN_SLOWLY
@given(st.text() | st.binary() | routes())
@example("[[routes]]\nwhen = '''" + "(" * 300)
@example("a = " + "{a = " * 200)
@example("a = " + "{a = " * 300 + "1" + "}" * 300)
@example("severity = " + "[" * 320 + "]" * 320)
@example("[[severity]]\nseverity = " + "[" * 240 + "]" * 240)
@example("[windows]\n'' = 5\n[owners]\n'' = []")
@example("silences = [{until = 0001-01-01T00:00:00+23:59}]")
@example("revive = 1979-05-27\n[default]\nwait = nan")
@example("[[routes]]\ntypes = [[[]]]\nto = [{}]\nescalate = [{after = {}}]\ndigest = [[]]\nwindow = []\nname = []")
def test_reading_raises_nothing_but_its_error(content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    with suppress(RulesError):
        parse_rules(data, COMPANY)


@given(st.data())
def test_a_slip_of_the_pen_is_an_error_or_other_rules(data: st.DataObject) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 1))
    slip = data.draw(st.sampled_from(["", '"', "[", "]", "{", "=", "\n", "'", "*", "(", ".", "x", "0", "#", "\x00"]))
    with suppress(RulesError):
        parse_rules((text[:at] + slip + text[at + 1 :]).encode(), COMPANY)


KEYS = ["routes", "to", "when", "types", "name", "default", "windows", "digest", "escalate", "severity", "until", "x y"]
values = st.recursive(
    st.booleans()
    | st.integers(-5, 10**20)
    | st.floats()
    | st.sampled_from(["", "5m", "08:30", "group:cidA", "owner", "amount > 5", "stock.*", '"', "\n", "workdays"])
    | moments
    | times,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(one)}' for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, datetime | time):
        return value.isoformat()
    return str(value).lower()


def problems(text: str) -> tuple[RuleProblem, ...]:
    try:
        parse_rules(text.encode(), COMPANY)
    except RulesError as error:
        return error.problems
    return ()


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_any_document_is_read_or_its_errors_have_lines_in_it(document: dict[str, object]) -> None:
    text = "".join(f'"{key}" = {toml(value)}\n' for key, value in document.items())
    tomllib.loads(text)
    find_positions(text)
    assert all(1 <= wrong.line <= max(1, len(document)) for wrong in problems(text))


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "amount",
                "quantity",
                "decimal",
                "(",
                ")",
                ">=",
                "<",
                "==",
                "5",
                "0.1",
                "CNY",
                "null",
                "-",
                "!",
                "&&",
                "||",
                "data",
                ".x",
                "title",
                "'a'",
                ".",
                "[",
                "]",
                "?",
                ":",
                "in",
                "size",
                "matches",
                "exists",
                "x,",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_condition_is_refused_or_answered(text: str) -> None:
    take_comparisons(tokenize(text))
    with suppress(ValueError):
        expression = parse_expression(text)
        with suppress(UnanswerableCondition):
            assert expression.holds(Facts(event(amount="1 CNY"), Severity.INFO, NOW)) in (True, False)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**14), max_value=10**14),
    st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**14), max_value=10**14),
)
def test_amounts_are_compared_exactly(amount: Decimal, limit: Decimal) -> None:
    facts = Facts(event(amount=f"{amount} CNY"), Severity.INFO, NOW)
    for sign, answer in (("<", amount < limit), (">=", amount >= limit), ("==", amount == limit)):
        assert parse_expression(f"amount {sign} {limit:f} CNY").holds(facts) is answer
