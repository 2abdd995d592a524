"""What holds one alert back: which reason counts, until when, and what is looked at for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.alert import Alert, AlertState, Mute, UserStamp
from bot.alerts.event import Event
from bot.alerts.processing.suppression import Suppression, SuppressionLookup
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.routing import RuleSuppression
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.memory_repository import MemoryAlertRepository
from tests.alerts.scenario import A, B, StubRules, event, second
from tests.rows import each_row

NOW = second(100)
LATER = second(400)


@dataclass
class Told(StubRules):
    """Rules that say what a test wants, and remember what they were asked."""

    inhibition: RuleSuppression | None = None
    silence: RuleSuppression | None = None
    asked: list[Any] = field(default_factory=list)
    others: Sequence[Alert] = ()

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        self.asked.append(("inhibited", event, severity))
        self.others = others
        return self.inhibition

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        self.asked.append(("silenced", event, severity, place, now))
        return self.silence


def alert(number: int = 1, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": f"a{number}",
        "key": f"stock:erp::SKU{number}",
        "event": event("stock.low", f"SKU{number}", at=0),
        "state": AlertState.OPEN,
        "severity": Severity.CRITICAL,
        "opened_at": second(0),
        "last_at": second(0),
    }
    return Alert(**{**values, **changes})


def suppressions(
    of: Alert, rules: Told | None = None, *, mutes: Sequence[Mute] = (), others: Sequence[Alert] = ()
) -> SuppressionLookup:
    repository = MemoryAlertRepository()
    for one in (*others, of):
        repository.put_alert(one, None)
    for mute in mutes:
        repository.put_mute(mute)
    return SuppressionLookup(AlertUnitOfWork(repository=repository, rules=rules or Told(), now=NOW, new_id=str), of)


def mute(pattern: str, until: float, place: Place = A, by: str = "lin") -> Mute:
    return Mute(id=f"{pattern}{until}", place=place, pattern=pattern, by=by, made_at=second(0), until=second(until))


def test_nothing_holds_back_what_nobody_held_back() -> None:
    rules, of = Told(), alert()
    found = suppressions(of, rules)
    assert (found.everywhere, found.at(A)) == (None, None)
    assert rules.asked == [
        ("inhibited", of.event, Severity.CRITICAL),
        ("silenced", of.event, Severity.CRITICAL, A, NOW),
    ]


@each_row(("until", "holds"), [(99, False), (100, False), (101, True)])
def test_what_was_put_off_is_held_back_until_then(until: float, holds: bool) -> None:
    of = alert(snoozed=UserStamp("lin", "Lin", second(1)), snoozed_until=second(until))
    expected = Suppression("snoozed", "lin", second(until)) if holds else None
    found = suppressions(of)
    assert (found.everywhere, found.at(A), found.at(B)) == (expected, expected, expected)


def test_who_put_it_off_need_not_be_known() -> None:
    assert suppressions(alert(snoozed_until=LATER)).everywhere == Suppression("snoozed", "", LATER)


def test_what_was_put_off_counts_before_what_the_rules_say() -> None:
    rules = Told(inhibition=RuleSuppression("cause", None), silence=RuleSuppression("planned", LATER))
    found = suppressions(alert(snoozed_until=LATER), rules)
    assert found.at(A) == Suppression("snoozed", "", LATER)
    assert rules.asked == []


@each_row(("until", "holds"), [(None, True), (LATER, True), (NOW + timedelta(seconds=1), True), (NOW, False)])
def test_an_inhibition_or_a_silence_holds_while_it_lasts(until: datetime | None, holds: bool) -> None:
    suppression = RuleSuppression("why", until)
    by_rule, by_silence = (
        suppressions(alert(), Told(inhibition=suppression)),
        suppressions(alert(), Told(silence=suppression)),
    )
    assert by_rule.everywhere == by_rule.at(A) == (Suppression("inhibited", "why", until) if holds else None)
    assert by_silence.everywhere is None
    assert by_silence.at(A) == (Suppression("silenced", "why", until) if holds else None)


def test_what_holds_back_everywhere_counts_before_what_does_at_one_place() -> None:
    rules = Told(inhibition=RuleSuppression("cause", None), silence=RuleSuppression("planned", LATER))
    found = suppressions(alert(), rules, mutes=[mute("stock.low", 400)])
    assert found.at(A) == Suppression("inhibited", "cause", None)
    rules.inhibition = None
    assert suppressions(alert(), rules, mutes=[mute("stock.low", 400)]).at(A) == Suppression(
        "silenced", "planned", LATER
    )


def test_of_several_mutes_that_are_about_it_the_last_to_end_counts() -> None:
    mutes = [
        mute("stock.low", 200, by="wang"),
        mute("sku1", 300, by="lin"),
        mute("stock.*", 250, by="zhao"),
        mute("order.*", 900),
        mute("stock.low", 900, place=B),
        mute("stock.low", 100),
    ]
    found = suppressions(alert(severity=Severity.WARNING), mutes=mutes)
    assert found.everywhere is None
    assert found.at(A) == Suppression("muted", "sku1 by lin", second(300))
    assert found.at(B) == Suppression("muted", "stock.low by lin", second(900))
    assert suppressions(alert(2), mutes=[mute("order.*", 900)]).at(A) is None


def test_what_a_person_watches_no_rule_holds_back_but_a_mute_does() -> None:
    rules = Told(inhibition=RuleSuppression("cause", None), silence=RuleSuppression("planned", LATER))
    of = alert(key="watch:7:stock:erp::SKU1", severity=Severity.WARNING)
    found = suppressions(of, rules)
    assert (found.everywhere, found.at(A), rules.asked) == (None, None, [])
    assert suppressions(of, rules, mutes=[mute("stock.low", 400)]).at(A) == Suppression(
        "muted", "stock.low by lin", LATER
    )
    put_off = replace(of, snoozed_until=LATER)
    assert suppressions(put_off, rules).everywhere == Suppression("snoozed", "", LATER)


def test_the_other_open_alerts_may_be_its_causes_the_newest_first() -> None:
    rules = Told()
    over = alert(4, state=AlertState.RESOLVED)
    suppressions(alert(), rules, others=[alert(2), alert(3), over])
    assert [one.id for one in rules.others] == ["a3", "a2"]
    assert len(rules.others) == 2
    assert rules.others[0].id == "a3"
    assert [one.id for one in rules.others[1:]] == ["a2"]


def test_causes_are_looked_for_among_the_newest_five_thousand() -> None:
    asked: list[int] = []

    class Counting(MemoryAlertRepository):
        def open_alerts(self, limit: int = 1000) -> Sequence[Alert]:
            asked.append(limit)
            return super().open_alerts(limit)

    rules, repository = Told(), Counting()
    SuppressionLookup(AlertUnitOfWork(repository=repository, rules=rules, now=NOW, new_id=str), alert())
    assert asked == [], "nobody looked"
    assert next(iter(rules.others), None) is None
    assert asked == [5_000]


def test_what_is_critical_is_muted_only_by_a_mute_that_says_so() -> None:
    quiet = mute("stock.low", 400)
    assert suppressions(alert(), mutes=[replace(quiet, critical=False)]).at(A) is None
    assert suppressions(alert(severity=Severity.WARNING), mutes=[replace(quiet, critical=False)]).at(A) is not None
    assert suppressions(alert(), mutes=[replace(quiet, critical=True)]).at(A) is not None
