"""The alert service and the composer, on both repositories, after events were processed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import pytest

from bot.access.grants import EVERYTHING, FULL_GRANT, NO_GRANT, SHARED_GRANT, Grant, Scope
from bot.access.people import Person
from bot.alerts.actions import AlertActionOutcome
from bot.alerts.alert import AlertState, AlertTally, Comparator, FurtherAlerts, Mute, Watch
from bot.alerts.labels import CardFact
from bot.alerts.processing import timers
from bot.alerts.repository import AlertRepository
from bot.alerts.routing import EscalationStep
from bot.alerts.service import AlertComposer, AlertService, AlertUnitOfWorkRunner, DingComposer, TopBoxComposer
from bot.alerts.views import AlertDigest, AlertGroup, AlertKinds, AlertTop, AlertView
from bot.cards.actions import Ask
from bot.cards.withholding import SEE_ALL
from bot.chat.audiences import PlaceReader, ReaderAt
from bot.erp.model import Area, Money
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.outbox.ports import Composer
from bot.words.disclosure import ALL_FIELDS, HIDDEN, SHARED_FIELDS, FieldClass
from bot.words.phrase import phrase
from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import BOSS, ZERO, A, B, ProcessorScenario, StubRules, event, fine, low, seconds, to
from tests.chat.audience_parts import reader_by_kind

T = TypeVar("T")

NAMES: Mapping[str, str] = MappingProxyType({"boss": "陈经理"})


async def name_of_anybody(user_id: str) -> str:
    return NAMES[user_id]


@dataclass(slots=True)
class ServiceHarness:
    """The service on one scenario; counts how often it reported a change."""

    scenario: ProcessorScenario
    changes: int = 0
    reader_at: ReaderAt = reader_by_kind

    async def transact(self, work: Callable[[AlertRepository], T]) -> T:
        return self.scenario.read(work)

    async def query(self, work: Callable[[AlertRepository], T]) -> T:
        return self.scenario.read(work)

    @property
    def units(self) -> AlertUnitOfWorkRunner:
        return AlertUnitOfWorkRunner(self, self.scenario.unit, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def service(self) -> AlertService:
        return AlertService(self.units)

    @property
    def composer(self) -> Composer:
        return AlertComposer(
            self.units, now=lambda: self.scenario.now, name_of=name_of_anybody, reader_at=self.reader_at
        )

    def newest(self, place: Place = A) -> str:
        """Return the card that was owed to a place last."""
        return next(delivery.ref for delivery in reversed(self.scenario.deliveries) if delivery.place == place)


def harness_of(new_scenario: NewScenario, *targets: object, **rules: object) -> ServiceHarness:
    return ServiceHarness(new_scenario(StubRules(targets=targets or (to(A),), **rules)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("owed", "rings"), [("|sms", DingWay.SMS), ("", DingWay.PHONE), ("|off", None)])
async def test_a_call_is_made_the_way_that_was_owed_or_that_the_settings_say(
    new_scenario: NewScenario, owed: str, rings: DingWay | None
) -> None:
    harness = harness_of(new_scenario)
    scenario = harness.scenario
    scenario.at(0, low("SKU1", 5))
    units = AlertUnitOfWorkRunner(harness, lambda repository: replace(scenario.unit(repository), ding=DingWay.PHONE))
    composer = DingComposer(units, now=lambda: scenario.now, name_of=name_of_anybody, reader_at=harness.reader_at)
    composed = await composer.compose(harness.newest() + owed)
    assert (composed.view is not None, composed.ding) == (rings is not None, rings or DingWay.OFF)


async def test_what_is_open_at_a_place(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.scenario.at(0, low("SKU1", 5))
    harness.scenario.at(10, low("SKU2", 3), low("SKU3", 1))
    harness.scenario.at(20, fine("SKU3"))
    assert [alert.event.subject for alert in await harness.service.open_at(A)] == ["SKU2", "SKU1"]
    assert await harness.service.open_at(B) == ()
    everywhere = await harness.service.open_for(Place.parse("person:anybody"))
    assert [alert.event.subject for alert in everywhere] == ["SKU2", "SKU1"]
    alert = harness.scenario.alert("SKU1")
    assert await harness.service.alert(alert.id) == alert
    (card,) = await harness.service.cards_of(alert.id)
    content = await harness.service.card_with_alerts(card.id)
    assert content is not None
    assert (content.card, content.alerts) == (card, (alert,))
    assert await harness.service.card_with_alerts("nothing") is None
    assert await harness.service.alert("nothing") is None
    assert harness.changes == 0


async def test_what_people_do_is_stored_and_told(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.scenario.at(0, low("SKU1", 5))
    alert = harness.scenario.alert("SKU1")
    taken = await harness.service.acknowledge(alert.id, harness.scenario.mark("keeper"))
    assert taken is not None
    assert taken.outcome is AlertActionOutcome.DONE
    again = await harness.service.acknowledge(alert.id, harness.scenario.mark("buyer"))
    assert again is not None
    assert again.outcome is AlertActionOutcome.ALREADY
    assert again.first is not None
    assert again.first.user_id == "keeper"
    given = await harness.service.assign(alert.id, harness.scenario.mark("buyer"), harness.scenario.mark("keeper"))
    assert given is not None
    assert given.alert.assigned is not None
    later = await harness.service.snooze(alert.id, harness.scenario.now + seconds(60), harness.scenario.mark("keeper"))
    assert later is not None
    assert later.alert.snoozed_until == ZERO + seconds(60)
    assert await harness.service.acknowledge("nothing", harness.scenario.mark("keeper")) is None
    assert harness.changes == 5
    composed = await harness.composer.compose(harness.newest())
    assert isinstance(composed.view, AlertView)
    assert composed.view.alert.acknowledged == harness.scenario.alert("SKU1").acknowledged


async def test_mutes_and_watches_are_kept(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    now = harness.scenario.now
    later = Mute(id="1", place=A, pattern="stock.*", by="a", made_at=now, until=now + timedelta(hours=2))
    sooner = replace(later, id="2", pattern="SKU1", until=now + timedelta(hours=1))
    await harness.service.put_mute(later)
    await harness.service.put_mute(sooner)
    assert await harness.service.mutes(A, now) == (sooner, later)
    assert harness.scenario.at(1, low("SKU1", 5)) == []
    await harness.service.lift_mute(sooner)
    await harness.service.lift_mute(later)
    assert await harness.service.mutes(A, harness.scenario.now) == ()
    harness.scenario.do(lambda unit: timers.run_due(unit, timers.find_due(unit)))
    assert harness.scenario.lines == ["1 group:a card1 SKU1=5 open"]

    watch = Watch(
        user_id="boss",
        area=Area.STOCK,
        subject="SKU9",
        comparison=Comparator.BELOW,
        limit=Decimal(10),
        made_at=harness.scenario.now,
    )
    await harness.service.put_watch(watch)
    assert await harness.service.watches("boss") == (watch,)
    assert await harness.service.watches("nobody") == ()
    harness.scenario.at(3, low("SKU9", 5))
    (mine,) = await harness.service.open_at(Place.parse("person:boss"))
    everywhere = await harness.service.open_for(Place.parse("person:boss"))
    assert mine in everywhere
    assert mine not in await harness.service.open_for(Place.parse("person:else")), "it is shown to the boss alone"
    await harness.service.drop_watches((watch.id, "unknown"))
    assert await harness.service.watches("boss") == ()
    over = await harness.service.alert(mine.id)
    assert over is not None
    assert not over.is_open


async def test_a_card_is_composed_as_it_is_now(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.scenario.at(0, low("SKU1", 5))
    card = harness.newest()
    harness.scenario.at(10, low("SKU1", 4))
    now = await harness.composer.compose(card)
    assert isinstance(now.view, AlertView)
    assert (now.view.alert.count, now.view.alert.state) == (2, AlertState.OPEN)
    harness.scenario.at(20, fine("SKU1"))
    over = await harness.composer.compose(card)
    assert isinstance(over.view, AlertView)
    assert over.view.alert.state is AlertState.RESOLVED
    assert over.revision > now.revision == harness.scenario.deliveries[-2].revision
    assert (await harness.composer.compose("nothing")).view is None


async def test_several_matters_of_a_group_share_a_card(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(A, group="stock", wait=seconds(5)))
    harness.scenario.at(0, low("SKU1", 5), low("SKU2", 3, severity=Severity.CRITICAL))
    harness.scenario.at(5)
    composed = await harness.composer.compose(harness.newest())
    assert isinstance(composed.view, AlertGroup)
    assert [row.subject for row in composed.view.rows] == ["SKU2", "SKU1"]


async def test_who_was_told_later_is_named(new_scenario: NewScenario) -> None:
    boss = Place.parse("person:boss")
    harness = harness_of(new_scenario, to(A, steps=(EscalationStep(seconds(60), (boss,)),)))
    harness.scenario.at(0, low("SKU1", 5))
    before = await harness.composer.compose(harness.newest())
    harness.scenario.at(60)
    after = await harness.composer.compose(harness.newest())
    assert isinstance(before.view, AlertView)
    assert isinstance(after.view, AlertView)
    assert (before.view.told, before.view.alert.step) == ((), 0)
    assert (after.view.told, after.view.alert.step) == (("陈经理",), 1)


async def test_a_card_that_was_shown_anew_points_to_the_newer_one(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(A, repeat=seconds(100)))
    harness.scenario.at(0, low("SKU1", 5))
    old = harness.newest()
    harness.scenario.at(100)
    cards = {delivery.ref for delivery in harness.scenario.deliveries}
    first, second = await harness.composer.compose(old), await harness.composer.compose((cards - {old}).pop())
    assert isinstance(first.view, AlertView)
    assert isinstance(second.view, AlertView)
    assert (first.view.moved, second.view.moved) == (True, False)
    assert not [button for button in first.view.buttons() if "alert." in str(getattr(button.does, "kind", ""))]


async def test_many_cards_are_folded_into_one_digest(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.scenario.at(0, *(low(f"SKU{number}", number) for number in range(4)))
    refs = [delivery.ref for delivery in harness.scenario.deliveries]
    await harness.composer.fold(refs, str(A))
    digest = harness.newest()
    assert digest not in refs
    composed = await harness.composer.compose(digest)
    assert isinstance(composed.view, AlertDigest)
    assert [(row.type, row.total) for row in composed.view.rows] == [("stock.low", 4)]
    before = len(harness.scenario.deliveries)
    await harness.composer.fold(refs, str(A))
    assert len(harness.scenario.deliveries) == before


class Grants:
    """What places may see of each command; a place that is not named sees nothing that has a class."""

    def __init__(self, fields: Mapping[tuple[Place, str], frozenset[FieldClass]]) -> None:
        self.fields = fields
        self.scopes: tuple[Scope, ...] = (EVERYTHING,)
        self.person: Person | None = None
        self.asked: list[tuple[Place, str]] = []

    async def __call__(self, place: Place, command: str) -> PlaceReader:
        self.asked.append((place, command))
        fields = self.fields.get((place, command), frozenset())
        return PlaceReader(Grant(fields=fields, scopes=self.scopes), self.person)


OVERDUE = event("invoice.overdue", "INV-7", customer="ACME", amount=Money(Decimal(990), "CNY"))
TO_APPROVE = event("po.submitted", "PO-1", supplier="Bolt Co", amount=Money(Decimal(77), "CNY"))


async def test_a_card_shows_what_its_place_may_see(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(A), to(BOSS))
    harness.reader_at = Grants({(A, "invoice"): SHARED_FIELDS, (BOSS, "invoice"): ALL_FIELDS})
    harness.scenario.at(0, OVERDUE)
    ours, boss = [(await harness.composer.compose(harness.newest(place))).view for place in (A, BOSS)]
    assert isinstance(ours, AlertView)
    assert isinstance(boss, AlertView)
    assert boss.facts[:2] == (
        CardFact(phrase("Customer"), "ACME", classes=frozenset({FieldClass.PARTNER})),
        CardFact(phrase("Open"), Money(Decimal(990), "CNY"), classes=frozenset({FieldClass.AMOUNT})),
    )
    assert [fact.value for fact in ours.facts[:2]] == ["ACME", HIDDEN]
    assert (ours.alert.event.amount, boss.alert.event.amount) == (HIDDEN, OVERDUE.amount)
    assert (ours.shared, boss.shared) == (True, False)


async def test_a_person_sees_no_more_than_their_fields(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(BOSS))
    harness.reader_at = Grants({(BOSS, "invoice"): SHARED_FIELDS})
    harness.scenario.at(0, OVERDUE)
    view = (await harness.composer.compose(harness.newest(BOSS))).view
    assert isinstance(view, AlertView)
    assert [fact.value for fact in view.facts[:2]] == ["ACME", HIDDEN]
    assert (view.alert.event.amount, view.shared) == (HIDDEN, False)


async def test_a_person_without_the_right_is_told_the_kind_alone(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(BOSS))
    harness.reader_at = ByCommand({"invoice": NO_GRANT})
    harness.scenario.at(0, OVERDUE)
    view = (await harness.composer.compose(harness.newest(BOSS))).view
    assert isinstance(view, AlertKinds)
    assert ([kind.word for kind in view.kinds], view.buttons()) == ([phrase("Invoice overdue")], ())


async def test_a_person_sees_of_several_alerts_those_that_are_theirs_to_see(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(BOSS, group="all"))
    harness.reader_at = ByCommand({"invoice": NO_GRANT, "po": FULL_GRANT})
    harness.scenario.at(0, OVERDUE, TO_APPROVE)
    view = (await harness.composer.compose(harness.newest(BOSS))).view
    assert isinstance(view, AlertGroup)
    assert ([row.subject for row in view.rows], view.total) == (["PO-1"], 1)
    assert [kind.word for kind in view.unseen] == [phrase("Invoice overdue")]
    assert SEE_ALL not in [button.label for button in view.buttons()], "nothing more is there for them"


async def test_a_card_of_several_kinds_shows_what_may_be_seen_of_each(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(A, group="all"))
    grants = harness.reader_at = Grants({(A, "invoice"): ALL_FIELDS, (A, "po"): SHARED_FIELDS})
    harness.scenario.at(0, OVERDUE, TO_APPROVE)
    view = (await harness.composer.compose(harness.newest())).view
    assert isinstance(view, AlertGroup)
    assert not [fact for row in view.rows for fact in row.facts if isinstance(fact.value, Money)]
    assert sorted(grants.asked) == [(A, "invoice"), (A, "po")]


async def test_news_of_a_companys_own_falls_under_the_rules_of_alerts(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    grants = harness.reader_at = Grants({(A, "alerts"): SHARED_FIELDS})
    harness.scenario.at(0, event("custom.budget", "Q4", amount=Money(Decimal(5), "CNY")))
    view = (await harness.composer.compose(harness.newest())).view
    assert isinstance(view, AlertView)
    assert (view.alert.event.amount, grants.asked) == (HIDDEN, [(A, "alerts")])


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("custom.invoice", "invoice"),
        ("custom.production", "mo"),
        ("custom.order.returned", "order"),
        ("custom.orders", "alerts"),
        ("custom.door", "alerts"),
    ],
)
async def test_a_companys_own_news_of_an_area_falls_under_its_rules(
    new_scenario: NewScenario, kind: str, command: str
) -> None:
    harness = harness_of(new_scenario)
    grants = harness.reader_at = Grants({})
    harness.scenario.at(0, event(kind, "INV-7"))
    assert (await harness.composer.compose(harness.newest())).view is not None
    assert grants.asked == [(A, command)]


@pytest.mark.parametrize("kind", ["custom.invoice", "invoice.paid"])
async def test_a_watch_tells_nothing_of_what_its_owner_may_no_longer_ask_for(
    new_scenario: NewScenario, kind: str
) -> None:
    harness = harness_of(new_scenario)
    wanted = Watch(user_id="boss", area=Area.FINANCE, subject="INV-7", made_at=ZERO)
    harness.scenario.read(lambda repository: repository.put_watch(wanted))
    grants = harness.reader_at = Grants({(BOSS, "invoice"): ALL_FIELDS})
    harness.scenario.at(0, event(kind, "INV-7", customer="ACME"))
    assert isinstance((await harness.composer.compose(harness.newest(BOSS))).view, AlertView)
    grants.scopes = ()
    assert (await harness.composer.compose(harness.newest(BOSS))).view is None


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(own=True), True),
        (Scope(partners=frozenset({"acme"})), True),
        (Scope(partners=frozenset({"Other"})), False),
        (Scope(warehouses=frozenset({"west"})), False),  # an invoice tells no warehouse
    ],
)
async def test_figures_of_a_document_of_others_are_not_told(
    new_scenario: NewScenario, scope: Scope, *, seen: bool
) -> None:
    harness = harness_of(new_scenario, to(BOSS))
    grants = Grants({(BOSS, "invoice"): ALL_FIELDS})
    grants.scopes, grants.person = (scope,), Person(user_id="boss", name="陈经理")
    harness.reader_at = grants
    harness.scenario.at(0, replace(OVERDUE, owner="boss"))
    view = (await harness.composer.compose(harness.newest(BOSS))).view
    assert isinstance(view, AlertView if seen else AlertKinds)


class ByCommand:
    """What every place may see, by command."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        self.grants = grants

    async def __call__(self, place: Place, command: str) -> PlaceReader:
        return PlaceReader(self.grants[command])


UNSEEN = Scope(warehouses=frozenset({"west"}))
"""An invoice tells no warehouse, and so it is not within."""


async def test_a_group_is_told_the_kind_of_what_not_everybody_there_may_see(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario, to(A))
    grants = harness.reader_at = Grants({(A, "invoice"): ALL_FIELDS})
    harness.scenario.at(0, OVERDUE)
    for grants.scopes in ((UNSEEN,), ()):
        view = (await harness.composer.compose(harness.newest())).view
        assert isinstance(view, AlertKinds)
        assert [kind.word for kind in view.kinds] == [phrase("Invoice overdue")]
        alert = harness.scenario.alert("INV-7")
        assert [button.does for button in view.buttons()] == [Ask(f"/alerts {alert.id}")]


async def test_a_graded_severity_is_not_told_with_the_kind(new_scenario: NewScenario) -> None:
    """A rule may grade an alert by its amount."""
    harness = harness_of(new_scenario, to(A))
    harness.reader_at = ByCommand({"invoice": NO_GRANT})
    harness.scenario.at(0, replace(OVERDUE, severity=Severity.INFO))
    graded = replace(harness.scenario.alert("INV-7"), severity=Severity.CRITICAL)
    harness.scenario.read(lambda repository: repository.put_alert(graded, None))
    view = (await harness.composer.compose(harness.newest())).view
    assert isinstance(view, AlertKinds)
    assert [kind.severity for kind in view.kinds] == [Severity.INFO]


async def test_a_card_of_several_shows_those_that_everybody_may_see_and_the_kinds_of_others(
    new_scenario: NewScenario,
) -> None:
    harness = harness_of(new_scenario, to(A, group="all"))
    harness.reader_at = ByCommand({"invoice": NO_GRANT, "po": Grant(fields=SHARED_FIELDS)})
    harness.scenario.at(0, OVERDUE, TO_APPROVE)
    view = (await harness.composer.compose(harness.newest())).view
    assert isinstance(view, AlertGroup)
    assert [row.subject for row in view.rows] == ["PO-1"]
    assert (view.total, view.counts.open) == (1, 1)
    assert [kind.word for kind in view.unseen] == [phrase("Invoice overdue")]


async def test_a_digest_counts_only_alerts_that_everybody_may_see(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.scenario.at(0, *(low(f"SKU{number}", number) for number in range(4)), OVERDUE)
    await harness.composer.fold([delivery.ref for delivery in harness.scenario.deliveries], str(A))
    card = harness.scenario.read(lambda repository: repository.card(harness.newest()))
    counted = FurtherAlerts((AlertTally("stock.low", Severity.WARNING, open=7),))
    harness.scenario.read(lambda repository: repository.put_card(replace(card, further=counted)))
    for of_stock, counts in ((SHARED_GRANT, [11]), (Grant(fields=SHARED_FIELDS, scopes=(UNSEEN,)), [])):
        harness.reader_at = ByCommand({"stock": of_stock, "invoice": SHARED_GRANT})
        view = (await harness.composer.compose(harness.newest())).view
        assert isinstance(view, AlertDigest)
        assert [row.total for row in view.rows if row.type == "stock.low"] == counts


async def test_a_box_at_the_top_names_no_document_that_not_everybody_may_see(new_scenario: NewScenario) -> None:
    harness = harness_of(new_scenario)
    harness.reader_at = ByCommand({"invoice": NO_GRANT})
    harness.scenario.at(0, replace(OVERDUE, severity=Severity.CRITICAL))
    composer = TopBoxComposer(
        harness.units, now=lambda: harness.scenario.now, name_of=name_of_anybody, reader_at=harness.reader_at
    )
    view = (await composer.compose(harness.newest())).view
    assert isinstance(view, AlertTop)
    assert (view.headline, view.subject, view.others) == (phrase("Invoice overdue"), "", 0)
