"""What people watch: a figure that crosses their limit opens an alert in their chat, whatever the rules say."""

from __future__ import annotations

from decimal import Decimal

from bot.alerts import actions
from bot.alerts.alert import Comparator, Watch
from bot.alerts.event import Effect, Event
from bot.alerts.processing import pipeline
from bot.alerts.processing.pipeline import effect_on
from bot.erp.model import Area, Money
from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import ZERO, ProcessorScenario, StubRules, event, low
from tests.rows import each_row

NOBODY = StubRules(targets=())


def watch(subject: str = "SKU1", comparison: Comparator | None = Comparator.BELOW, limit: int | None = 50) -> Watch:
    return Watch(
        user_id="lin",
        area=Area.STOCK,
        subject=subject,
        comparison=comparison,
        limit=None if limit is None else Decimal(limit),
        made_at=ZERO,
    )


def watching(scenario: ProcessorScenario, watch: Watch) -> Watch:
    scenario.read(lambda repository: repository.put_watch(watch))
    return watch


def poll(scenario: ProcessorScenario, figure: Event) -> list[str]:
    """Report a polled figure that is no event for anybody else."""
    begin = len(scenario.lines)
    dated = scenario._dated(figure)
    scenario.do(lambda unit: pipeline.apply_to_watches(unit, dated, Severity.INFO))
    return scenario.lines[begin:]


def test_crossing_the_limit_opens_and_crossing_back_ends_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario(NOBODY)
    watching(scenario, watch())
    assert scenario.at(0, low(quantity=80)) == []
    assert scenario.at(10, low("sku1", quantity=40)) == ["10 person:lin card1 sku1=40 open"]
    assert scenario.at(20, low("SKU1", quantity=30)) == ["20 person:lin card1 SKU1=30 open"]
    assert scenario.at(25, low("SKU1", quantity=30)) == []
    assert scenario.at(30, low("SKU1", quantity=50)) == ["30 person:lin card1 SKU1=50 over"]
    assert scenario.at(40, low("SKU1", quantity=60)) == []


def test_a_polled_figure_counts_without_being_an_event_for_anybody_else(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    watching(scenario, watch())
    assert poll(scenario, low(quantity=20)) == ["0 person:lin card1 SKU1=20 open"]
    assert poll(scenario, low(quantity=70)) == ["0 person:lin card1 SKU1=70 over"]
    assert [alert.key for alert in scenario.read(lambda repository: repository.open_alerts())] == []


def test_each_warehouse_that_reports_is_a_matter_of_its_own(new_scenario: NewScenario) -> None:
    scenario = new_scenario(NOBODY)
    watching(scenario, watch())
    scenario.at(0, low(quantity=40, warehouse="W1"), low(quantity=30, warehouse="W2"))
    assert len(scenario.lines) == 2
    assert scenario.at(10, low(quantity=60, warehouse="W1")) == ["10 person:lin card1 SKU1=60 over"]


def test_without_a_limit_every_change_is_told(new_scenario: NewScenario) -> None:
    scenario = new_scenario(NOBODY)
    watch = Watch(user_id="lin", area=Area.SALES, subject="SO-1", made_at=ZERO)
    watching(scenario, watch)
    assert scenario.at(0, event("order.changed", "so-1")) == ["0 person:lin card1 so-1 news"]
    assert scenario.at(5, event("order.changed", "SO-2")) == []
    assert scenario.at(9, event("po.changed", "SO-1")) == [], "another area's document of the same number"
    assert scenario.at(20, event("order.late", "SO-1")) == ["20 person:lin card1 SO-1 news"]


def test_no_rule_holds_back_what_somebody_asked_for(new_scenario: NewScenario) -> None:
    rules = StubRules(targets=(), silences=[(None, "stock.low", 0, 1000)], inhibits=lambda cause, event: True)
    scenario = new_scenario(rules)
    watching(scenario, watch())
    assert scenario.at(0, low("OTHER"), low(quantity=1)) == ["0 person:lin card1 SKU1=1 open"]


def test_giving_up_a_watch_ends_what_it_had_opened(new_scenario: NewScenario) -> None:
    scenario = new_scenario(NOBODY)
    wanted = watching(scenario, watch())
    scenario.at(0, low(quantity=1))
    scenario.do(lambda unit: actions.unwatch(unit, (wanted.id, "unknown")))
    assert scenario.lines[1:] == ["0 person:lin card1 SKU1=1 over"]
    assert scenario.at(10, low(quantity=2)) == []


@each_row(
    ("comparison", "below", "at", "above"),
    [
        (Comparator.BELOW, True, False, False),
        (Comparator.AT_MOST, True, True, False),
        (Comparator.ABOVE, False, False, True),
        (Comparator.AT_LEAST, False, True, True),
    ],
)
def test_comparisons(comparison: Comparator, below: bool, at: bool, above: bool) -> None:
    wanted = watch(comparison=comparison)
    effects = [effect_on(wanted, low(quantity=quantity)) for quantity in (49, 50, 51)]
    assert effects == [Effect.OPENS if hit else Effect.RESOLVES for hit in (below, at, above)]


def test_what_brings_no_figure_says_nothing_about_a_limit() -> None:
    assert effect_on(watch(), low()) is None
    assert effect_on(watch(), event("custom.note", "SKU1")) is None
    invoice = event("invoice.overdue", "INV-1", amount=Money(Decimal("10.50"), "CNY"))
    dear = Watch(
        user_id="lin", area=Area.FINANCE, subject="inv-1", comparison=Comparator.ABOVE, limit=Decimal("10.49"),
        made_at=ZERO,
    )  # fmt: skip
    assert effect_on(dear, invoice) is Effect.OPENS
